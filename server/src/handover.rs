//! The handover in this instance: its folders, its approvals, and whom it asks about the papers.

use std::sync::Arc;

use base64::Engine as _;
use jiff::civil::Date;
use mimamori_handover::course::Channel;
use mimamori_handover::{
    Asked, Grant, GrantedItem, Grants, Handover, Position, Proof, Scanner, Settings,
};
use mimamori_kernel::id::ContractId;
use mimamori_trace::Trace;

use crate::config::{Config, Environment};
use crate::instance::Instance;

/// The items of the sheet of document 001, in its order: id, name, class.
const ITEMS: [(&str, &str, &str); 19] = [
    ("name_kana", "氏名（カナ）", "identity"),
    ("name_kanji", "氏名（漢字）", "identity"),
    ("birth_date", "生年月日", "identity"),
    ("sex", "性別", "identity"),
    ("address", "住所", "address"),
    ("phone", "電話番号", "contact"),
    ("email", "メールアドレス", "contact"),
    ("body_measurement", "身体測定結果", "health"),
    ("blood_pressure", "血圧測定", "health"),
    ("lipids", "脂質検査", "health"),
    ("liver", "肝機能検査", "health"),
    ("blood_glucose", "血糖検査", "health"),
    ("urine", "尿検査", "health"),
    ("anaemia", "貧血検査", "health"),
    ("smoking", "喫煙", "health"),
    ("kidney_function", "腎機能検査", "health"),
    ("disease_names", "傷病名", "health"),
    ("treatment_state", "治療状況", "health"),
    (
        "guidance_instructions",
        "保健指導における指示事項",
        "health",
    ),
];

/// The newest signed position of the trace: the second and third line of the checkpoint.
fn position(trace: Trace) -> Position {
    Arc::new(move || {
        let note = trace.newest_checkpoint().ok().flatten()?;
        let mut lines = note.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        let root = base64::engine::general_purpose::STANDARD
            .decode(lines.next()?)
            .ok()?;
        Some((size, hex::encode(root)))
    })
}

/// The paper of the demo: what document 001 names, for every contract of the demo, labelled as a sample.
fn sample(contract: ContractId, day: Date) -> Grant {
    let item = |(id, name, class): (&str, &str, &str)| GrantedItem {
        id: id.into(),
        name: name.into(),
        class: class.into(),
    };
    let names = ITEMS.map(|(_, name, _)| name);
    let year = mimamori_kernel::date::fiscal_year(day);
    Grant {
        contract,
        title: "糖尿病性腎症等重症化予防事業（見本の契約）".into(),
        partner: "見本情報サービス（委託先）".into(),
        purpose: "糖尿病性腎症等の重症化予防の保健指導".into(),
        legal_ground: "要綱第3条第1項第3号（見本の付議書）".into(),
        items: ITEMS.into_iter().map(item).collect(),
        line: format!("《委託先に処理させる項目》{}", names.join("、")),
        until: Date::new(year + 1, 3, 31).unwrap_or(day),
        channels: Channel::ALL.to_vec(),
    }
}

/// What a contract opens. Without a room of the papers nothing leaves, except from a demo.
fn grants(demo: bool) -> Grants {
    Arc::new(move |_visitor, contract, day| -> Asked {
        let answer = match demo {
            true => Ok(sample(contract, day)),
            false => Err("この契約には、承認された付議書がありません。".to_owned()),
        };
        Box::pin(std::future::ready(answer))
    })
}

/// Where the virus scanner listens, if the town named one.
fn scanner(config: &Config) -> Option<Scanner> {
    let text = config.handover.as_ref()?.clamd.as_ref()?;
    Some(match text.parse() {
        Ok(address) => Scanner::Address(address),
        Err(_) => Scanner::Socket(text.into()),
    })
}

/// The room of an instance.
pub(crate) fn room(instance: &Instance) -> Handover {
    let demo = instance.config.environment == Environment::Demo;
    Handover::new(
        instance.gate.clone(),
        instance.clock.clone(),
        instance.random.clone(),
        Settings {
            town: instance.config.town.clone(),
            folder: instance.dir.join("handover"),
            secret: instance.keys.wrapping.clone(),
            proof: Proof {
                origin: instance.identity.passkey_origin().map(str::to_owned),
                simulated: instance.demo_face.clone(),
            },
            scanner: scanner(&instance.config),
        },
        position(instance.trace.clone()),
        grants(demo),
    )
}

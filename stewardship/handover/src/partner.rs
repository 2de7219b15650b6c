//! Keys of a partner (相手方の鍵): compared with the partner in person before they are entered.

use age::x25519::Recipient;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, Hidden, OfficePermit, Purpose, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::ContractId;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use crate::ask::open_contracts;
use crate::error::answer;
use crate::screen::{Desk, FormPage, Sent};
use crate::{Handover, HandoverError, action};

/// What is known of a partner.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    recipient: String,
}

impl Keys {
    /// The key to which packages are sealed, if there is one.
    pub(crate) fn recipient(&self) -> Result<Option<Recipient>, HandoverError> {
        match self.recipient.is_empty() {
            true => Ok(None),
            false => {
                let key = self.recipient.parse();
                key.map(Some).map_err(|_| HandoverError::Record)
            }
        }
    }
}

/// The keys of a contract's partner; empty ones when none were entered.
pub(crate) async fn keys(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Keys>, HandoverError> {
    let args = vec![contract.bytes().into()];
    let rows = permit
        .fetch("handover_partner", &["recipient"], "contract = ?", args)
        .await?;
    Ok(rows.map(|rows| {
        let text = |column| {
            let found = rows.first().and_then(|r| r.text(column));
            found.unwrap_or_default().to_owned()
        };
        Keys {
            recipient: text("recipient"),
        }
    }))
}

async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::PARTNER, Purpose::Operation, None)
        .await?;
    let known = permit.contracts().await?;
    let contracts = permit.reveal(known).await?;
    Ok(
        FormPage::new(frame, "相手方の鍵の登録", "/handover/partners", "/handover")
            .words(format!("町の鍵（相手方に渡します）: {}", room.town_key()?.to_public()))
            .words("契約の開始のときに、相手方の取扱責任者と鍵の文字を読み合わせて登録します。登録し直すと、前の鍵に替わります。")
            .fields(vec![
                sent.choose("contract", "契約", open_contracts(&contracts, now.0), ""),
                sent.line("recipient", "封筒の鍵（age1…）", false, "鍵のない事務所は空欄にします。"),
                sent.line("kit", "プログラムの署名の鍵（64桁）", false, "受領書と消去証明書を電子で受け取るときに入力します。"),
                sent.line("checked", "照合した方法", true, "例: 7月1日に来庁した取扱責任者と読み合わせた"),
            ])
            .button("登録する")
            .answer(errors),
    )
}

/// GET /handover/partners
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn enter(room: &Handover, visitor: &Visitor, sent: &mut Sent) -> Result<(), HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::PARTNER, Purpose::Operation, None)
        .await?;
    let contract = sent.get("contract").parse::<ContractId>();
    if contract.is_err() {
        sent.refuse("contract", "契約を選んでください。");
    }
    let (recipient, kit) = (sent.text("recipient"), sent.text("kit"));
    if !recipient.is_empty() && recipient.parse::<Recipient>().is_err() {
        sent.refuse("recipient", "age1 で始まる公開鍵を入力してください。");
    }
    let hex = kit.len() == 64
        && kit
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !kit.is_empty() && !hex {
        sent.refuse(
            "kit",
            "64桁の英小文字と数字（0〜9、a〜f）を入力してください。",
        );
    }
    let checked = sent.need("checked", "照合した方法を入力してください。");
    sent.complete()?;
    let Ok(contract) = contract else {
        return Err(HandoverError::Input(vec![]));
    };
    let by = visitor.user;
    let known = permit.contracts().await?;
    permit
        .change(known, now, move |contracts| {
            let held = contracts.iter().find(|c| c.id == contract && c.holds(now.0));
            let Some(held) = held else {
                return Err(HandoverError::field("contract", "この契約は選べません。"));
            };
            let change = Change {
                statements: vec![Statement::new(
                    "INSERT INTO handover_partner (contract, recipient, kit, checked, entered_by, entered_at) \
                     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (contract) DO UPDATE SET recipient = excluded.recipient, \
                     kit = excluded.kit, checked = excluded.checked, entered_by = excluded.entered_by, \
                     entered_at = excluded.entered_at",
                    vec![
                        contract.bytes().into(),
                        recipient.into(),
                        kit.into(),
                        checked.as_str().into(),
                        by.bytes().into(),
                        now.0.into(),
                    ],
                )],
                words: format!("相手方の鍵の登録 {} {checked}", held.subject),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /handover/partners
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    match enter(&room, &visitor, &mut sent).await {
        Ok(()) => Redirect::to("/handover").into_response(),
        Err(HandoverError::Input(errors)) => form(&room, &visitor, &frame, &sent, errors)
            .await
            .unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

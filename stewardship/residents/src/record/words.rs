//! A record in the office's words: warnings, items, events.

use jiff::civil::Date;
use mimamori_gate::Record;
use mimamori_kernel::date::{PartialDate, age_completed, age_on, wareki_with_western};
use mimamori_pages::Term;

use crate::search::sex;

pub(super) struct Banner {
    pub kind: &'static str,
    pub title: &'static str,
    pub text: String,
}

pub(super) struct Event {
    pub number: String,
    pub reason: String,
    pub event_day: String,
    pub notified_day: String,
    pub address: String,
}

/// What must be seen first. `waiting`: the register changed since qualifications were worked out.
pub(super) fn banners(record: &Record, merged: usize, today: Date, waiting: bool) -> Vec<Banner> {
    let mut out = Vec::new();
    if record.int("protected") == Some(2) {
        let text =
            "この人の住所や電話番号から、対象者の居場所が分かります。担当責任者だけが見られます。"
                .into();
        out.push(Banner {
            kind: "danger",
            title: "同じ世帯か住所に、支援措置の対象者がいます。",
            text,
        });
    }
    if merged > 0 {
        out.push(Banner {
            kind: "info",
            title: "統合された記録です。",
            text: format!("同じ人のほかの宛名番号{merged}件を、この記録に統合しています。"),
        });
    }
    if record.int("protected") == Some(1) {
        let text = "住所・電話番号・世帯・異動は担当責任者だけが見られます。家族を名乗る人にも伝えないでください。".into();
        out.push(Banner {
            kind: "danger",
            title: "支援措置の対象者です。",
            text,
        });
    }
    let day = || {
        wareki_with_western(
            record
                .text("status_day")
                .unwrap_or("")
                .parse()
                .unwrap_or(PartialDate::UNKNOWN),
        )
    };
    match record.int("status") {
        Some(3) => out.push(Banner {
            kind: "warning",
            title: "亡くなった人の記録です。",
            text: format!("死亡日: {}", day()),
        }),
        Some(2) => out.push(Banner {
            kind: "warning",
            title: "転出した人の記録です。",
            text: format!("転出日: {}", day()),
        }),
        _ => {}
    }
    let namesakes = record.int("namesakes").unwrap_or(0);
    if namesakes > 1 {
        let text =
            format!("同じ氏名の人が{namesakes}人います。生年月日と住所で本人を確かめてください。");
        out.push(Banner {
            kind: "warning",
            title: "同姓同名の人がいます。",
            text,
        });
    }
    if record.int("insured") == Some(0) {
        let (title, text) = match (old_enough(record, today), waiting) {
            (false, _) if can_be_insured(record, today) => (
                "世帯員の記録です。",
                "取込みのファイルでは被保険者ではありません。第2号被保険者かどうかは、資格管理で確かめてください。",
            ),
            (false, _) => ("世帯員の記録です。", "被保険者ではありません。"),
            (true, true) => (
                "資格の計算を待っています。",
                "台帳が変わったため、資格を計算し直しています。しばらくしてから資格管理で確かめてください。",
            ),
            (true, false) => (
                "資格は資格管理で確かめてください。",
                "取込みのファイルに被保険者の記載がありませんが、65歳以上（年齢の不詳を含む）です。",
            ),
        };
        out.push(Banner {
            kind: "info",
            title,
            text: text.into(),
        });
    }
    out
}

/// Whether the person can have reached 65, the age of 第1号 (介護保険法第9条), by the end of the day.
pub(crate) fn old_enough(record: &Record, today: Date) -> bool {
    reached(record, today, 65)
}

/// Whether the person can have reached 40, the age of 第2号 (介護保険法第9条): its insured are not in the file.
fn can_be_insured(record: &Record, today: Date) -> bool {
    reached(record, today, 40)
}

fn reached(record: &Record, today: Date, age: u16) -> bool {
    let birth = record.text("birth").unwrap_or("").parse();
    let most = age_on(birth.unwrap_or(PartialDate::UNKNOWN), today).most();
    most.is_none_or(|most| most >= age)
}

pub(super) fn terms(record: &Record, today: Date) -> Vec<Term> {
    let text = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record
            .text(column)
            .filter(|t| !t.is_empty())
            .unwrap_or("—")
            .to_owned(),
    };
    let birth: PartialDate = record
        .text("birth")
        .unwrap_or("")
        .parse()
        .unwrap_or(PartialDate::UNKNOWN);
    let yes = |column, yes: &str, no: &str| match record.int(column) {
        Some(1) => yes.to_owned(),
        Some(_) => no.to_owned(),
        None => "（非表示）".to_owned(),
    };
    let mut out = vec![
        Term::new("氏名", text("kanji")),
        Term::new("カナ氏名", text("kana")),
    ];
    if record.text("alias").is_some_and(|a| !a.is_empty()) {
        out.push(Term::new(
            "通称",
            format!("{}（{}）", text("alias"), text("alias_kana")),
        ));
    }
    out.extend([
        Term::new(
            "生年月日",
            format!(
                "{}　{}",
                wareki_with_western(birth),
                age_completed(birth, today)
            ),
        ),
        Term::new("性別", sex(record.int("sex"))),
        Term::new(
            "住民区分",
            if record.int("foreigner") == Some(1) {
                "外国人住民"
            } else {
                "日本人住民"
            },
        ),
        Term::new("宛名番号", text("address_number")),
        Term::new(
            "被保険者の別",
            match can_be_insured(record, today) {
                true => yes("insured", "被保険者", "資格管理で確認"),
                false => yes("insured", "被保険者", "世帯員"),
            },
        ),
        Term::new("被保険者番号（取込み）", text("insured_number")),
        Term::new("住所地特例", yes("special_address", "対象", "対象でない")),
        Term::new("郵便番号", text("postal")),
        Term::new("住所", text("address")),
        Term::new("方書", text("building")),
        Term::new("電話番号", text("phone")),
        Term::new("世帯番号", text("household_number")),
        Term::new("続柄", text("relation")),
    ]);
    out
}

pub(super) fn event(record: &Record) -> Event {
    let text = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record.text(column).unwrap_or("").to_owned(),
    };
    let day = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => wareki_with_western(
            record
                .text(column)
                .unwrap_or("")
                .parse()
                .unwrap_or(PartialDate::UNKNOWN),
        ),
    };
    let moved_to = text("moved_to");
    Event {
        number: record
            .int("number")
            .map_or_else(String::new, |n| n.to_string()),
        reason: text("reason"),
        event_day: day("event_day"),
        notified_day: day("notified_day"),
        address: if moved_to.is_empty() || record.withheld("moved_to") {
            if record.withheld("address") {
                text("address")
            } else {
                text("address") + &text("building")
            }
        } else {
            format!("{moved_to}へ")
        },
    }
}

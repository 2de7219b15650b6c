//! Invitation letters (参加勧奨の通知; S1-06): a batch in delivery order for those whose doctor agreed; counted, and
//! written into each person's course in the same transaction.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{
    Class, Condition, GateError, Listed, Purpose, Reason, Record, Revealed, Statement,
};
use mimamori_identity::Visitor;
use mimamori_kernel::date::wareki;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, pdf};
use mimamori_sheets::{Fonts, Layout, invisible};
use serde_json::{Value, json};

use crate::action;
use crate::error::{KidneyError, answer};
use crate::room::KidneyPrevention;
use crate::screen::{Desk, Field, Form, Page, Part, Sent, count, moved, text};

/// Letters of one batch; the cap of the way out is the same.
const MOST: u32 = 500;
const TABLE: &str = "kidney_prevention_person";
/// The doctor agreed, and the person is neither protected nor dead nor merged into another record.
const OPEN: &str = "p.stage = 'consented' AND p.protected = 0 AND p.person NOT IN (SELECT m.person FROM gate_same m) AND \
    NOT EXISTS (SELECT 1 FROM gate_subject g WHERE g.person = p.person AND (g.mask & 10) <> 0)";
/// Postal code, address, name: the order in which the post walks.
const DELIVERY: &str = "p.postal, p.address_key, p.kana_key";
const COLUMNS: [&str; 5] = ["kanji", "kana", "postal", "address", "building"];

const LETTER: Layout = Layout {
    name: "様式 J-01 参加勧奨の通知",
    text: include_str!("../../layouts/invitation.typ"),
};

fn everybody() -> [Condition; 1] {
    [Condition {
        class: Class::Health,
        sql: "1 = 1",
        args: vec![],
    }]
}

async fn waiting(
    room: &KidneyPrevention,
    visitor: &Visitor,
) -> Result<Revealed<Listed>, KidneyError> {
    let permit = room
        .gate
        .list(visitor, action::LIST, Purpose::KidneyPrevention)
        .await?;
    let rows = permit
        .fetch(
            &permit,
            TABLE,
            &COLUMNS,
            OPEN,
            &everybody(),
            DELIVERY,
            0,
            MOST,
        )
        .await?;
    Ok(permit.reveal(rows).await?)
}

/// Characters of a letter that paper cannot show.
fn doubtful(record: &Record, fonts: &Fonts) -> bool {
    let selector = |c: char| matches!(u32::from(c), 0xFE00..=0xFE0F | 0xE0100..=0xE01EF);
    let wrong = |c: char| selector(c) || invisible(c) || !fonts.has(c);
    ["kanji", "address", "building"]
        .iter()
        .filter_map(|n| record.text(n))
        .any(|t| t.chars().any(wrong))
}

async fn page(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, KidneyError> {
    let seen = waiting(room, visitor).await?;
    let fonts = room.press.fonts().ok();
    let rows = (1u32..).zip(&seen.rows).map(|(n, (_, record))| {
        let word = |column: &str| record.text(column).unwrap_or("（非表示）").to_owned();
        let odd = fonts.is_some_and(|f| doubtful(record, f));
        vec![
            count(n),
            text(format!("{}（{}）", word("kanji"), word("kana"))),
            text(format!(
                "{} {} {}",
                word("postal"),
                word("address"),
                word("building")
            )),
            text(if odd { "外字があります" } else { "" }),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let any = !rows.is_empty();
    let mut out = Page::new(frame, "参加勧奨の通知");
    if let Some(line) = room.paper(&visitor.session) {
        let address = format!("/kidney/letters/{line}");
        out = out
            .banner(
                "info",
                "PDFを作り、通知を記録しました。",
                "保存が始まらないときは、下のリンクを押してください。リンクは一度だけ使えます。",
            )
            .links(&[(&address, &format!("PDFを保存する（出力番号 {line}）"))]);
    }
    if fonts.is_none() {
        out = out.banner(
            "warning",
            "印刷に使う書体がありません。",
            "運用の担当者に、パッケージ fonts-ipaexfont を入れるよう頼んでください。",
        );
    }
    out = out
        .words("かかりつけ医が同意した人に、郵便番号・住所の順（配達順）で通知を作ります。支援措置の対象者は含みません。")
        .table("通知を送る人", &["順", "氏名", "住所", "注意"], rows, "通知を待つ人はいません。");
    if any {
        out = out.part(Part::Form(Form {
            action: "/kidney/letters".into(),
            fields: vec![Field::Line {
                name: "note",
                label: "印刷の理由",
                required: true,
                value: sent.get("note").to_owned(),
                hint: "出力は理由・人数とともに記録されます。",
            }],
            buttons: vec![("print", "PDFを作り、通知を記録する", "primary")],
        }));
    }
    Ok(out
        .links(&[("/kidney", "重症化予防に戻る")])
        .line(seen.line())
        .answer(errors))
}

/// GET /kidney/letters
pub(crate) async fn letters(Desk(room, visitor, frame): Desk) -> Response {
    page(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

fn values(room: &KidneyPrevention, rows: &Listed, stamp: &str) -> Value {
    let letters: Vec<Value> = rows
        .rows
        .iter()
        .map(|(_, r)| {
            let word = |column: &str| r.text(column).unwrap_or("").to_owned();
            json!({"name": word("kanji"), "postal": format!("〒{}", word("postal")), "address": word("address"), "building": word("building")})
        })
        .collect();
    json!({
        "letters": letters,
        "issued": wareki(room.clock.now().office_day().into()),
        "sender": room.sender.0,
        "contact": room.sender.1,
        "stamp": stamp,
        "watermark": if room.sample { "見本" } else { "" },
    })
}

async fn issue(
    room: &KidneyPrevention,
    visitor: &Visitor,
    note: &str,
) -> Result<(Revealed<Listed>, mimamori_gate::Stamp), KidneyError> {
    let permit = room
        .gate
        .list(visitor, action::INVITE, Purpose::KidneyPrevention)
        .await?;
    let found = permit
        .find(TABLE, OPEN, &everybody(), DELIVERY, MOST)
        .await?;
    if found.count() == 0 {
        return Err(GateError::NotFound.into());
    }
    let rows = permit
        .fetch(
            &permit,
            TABLE,
            &COLUMNS,
            OPEN,
            &everybody(),
            DELIVERY,
            0,
            MOST,
        )
        .await?;
    let now = room.clock.now();
    // The same persons as in the list: a number that differs undoes everything.
    let these = format!(
        "(SELECT p.person FROM kidney_prevention_person p WHERE {OPEN} ORDER BY {DELIVERY}, p.person LIMIT {MOST})"
    );
    let total = u64::from(found.count());
    let steps = vec![
        Statement::expecting(
            format!(
                "INSERT INTO kidney_prevention_event (person, number, kind, day, words, made_at, made_name) \
                 SELECT p.person, (SELECT COALESCE(MAX(e.number), 0) + 1 FROM kidney_prevention_event e WHERE \
                 e.person = p.person), 'letter', ?, ?, ?, ? FROM kidney_prevention_person p WHERE p.person IN {these}"
            ),
            vec![
                now.office_day().to_string().into(),
                format!("参加勧奨の通知: {note}").into(),
                now.office_text().into(),
                format!("{} {}", visitor.org_name, visitor.name).into(),
            ],
            total,
            "kidney-letters",
        ),
        Statement::expecting(
            format!(
                "UPDATE kidney_prevention_person SET stage = 'invited', version = version + 1 WHERE person IN {these}"
            ),
            vec![],
            total,
            "kidney-letters",
        ),
    ];
    let reason = Reason(format!("参加勧奨の通知の印刷: {note}"));
    Ok(permit.take_out(rows, reason, steps, now).await?)
}

/// POST /kidney/letters
pub(crate) async fn print(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async {
        let note = sent.need("note", "印刷の理由を入力してください。");
        sent.complete()?;
        // Before anything is counted: fonts, and characters that paper cannot show.
        let fonts = room.press.fonts()?;
        let odd = waiting(&room, &visitor)
            .await?
            .rows
            .iter()
            .filter(|(_, r)| doubtful(r, fonts))
            .count();
        if odd > 0 {
            let words = format!(
                "紙に出せない文字（外字）のある人が{odd}人います。運用の担当者に相談してください。"
            );
            return Err(KidneyError::field("note", words));
        }
        let (rows, stamp) = issue(&room, &visitor, &note).await?;
        let sheet = room
            .press
            .set(LETTER, values(&room, &rows, &stamp.to_string()))
            .await?;
        room.keep_paper(&visitor.session, stamp.line, sheet.pdf()?);
        Ok("/kidney/letters".to_owned())
    };
    let done = done.await;
    moved(done, async |errors| {
        page(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

/// GET /kidney/letters/{line}: the document of this output, once, for the session that made it.
pub(crate) async fn paper(Desk(room, visitor, _): Desk, Path(line): Path<String>) -> Response {
    let line = line.parse().unwrap_or(0);
    match room.take_paper(&visitor.session, line) {
        Some(bytes) => pdf(&format!("letters-{line}"), bytes),
        None => {
            Problem::conflict("このPDFは、もう保存したか、作ったあとにサインアウトしています。")
                .into_response()
        }
    }
}

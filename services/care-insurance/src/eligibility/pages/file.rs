use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use mimamori_gate::{Class, Condition, Listed, Purpose, Reason, Stamp};
use mimamori_identity::Visitor;
use mimamori_pages::{Frame, LimitedForm, Problem};
use mimamori_residents::answer;

use super::queue::{COLUMNS, lines, named, queue_page};
use super::reason::unreasoned;
use crate::{CareInsurance, action};

/// Persons in one file.
const MOST: u32 = 1000;

const HEAD: [&str; 8] = [
    "被保険者番号",
    "氏名",
    "カナ氏名",
    "生年月日",
    "住所",
    "資格",
    "期限",
    "確認すること",
];

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub encoding: String,
    pub note: String,
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The file's bytes, and the characters that CP932 does not have (written as 〓).
fn bytes(
    listed: &Listed,
    stamp: &Stamp,
    today: jiff::civil::Date,
    cp932: bool,
) -> Option<(Vec<u8>, Vec<char>)> {
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(vec![]);
    out.write_record(HEAD).ok()?;
    for line in lines(listed, today) {
        let cells = [
            line.number,
            line.kanji,
            line.kana,
            line.birth,
            line.address,
            line.standing,
            line.due,
            line.question,
        ];
        out.write_record(cells.iter().map(|c| harmless(c))).ok()?;
    }
    let mut last = vec![stamp.to_string()];
    if listed.more {
        last.push(format!(
            "{MOST}件を超えています。このファイルは{MOST}件までです。"
        ));
    }
    out.write_record(last).ok()?;
    let text = String::from_utf8(out.into_inner().ok()?).ok()?;
    Some(match cp932 {
        false => ([&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(), vec![]),
        true => windows_31j(&text),
    })
}

/// The text in Windows-31J; what it does not have becomes 〓 and is told.
fn windows_31j(text: &str) -> (Vec<u8>, Vec<char>) {
    let (mut out, mut lost) = (Vec::with_capacity(text.len()), Vec::new());
    let mut small = [0; 4];
    for c in text.chars() {
        let (encoded, _, wrong) = encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut small));
        match wrong {
            false => out.extend_from_slice(&encoded),
            true => {
                out.extend_from_slice(&[0x81, 0xAC]);
                if !lost.contains(&c) {
                    lost.push(c);
                }
            }
        }
    }
    (out, lost)
}

/// POST /insurance/queues/{queue}: the queue as a file, counted.
pub(crate) async fn file(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(code): Path<String>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let Some(queue) = named(&code) else {
        return Problem::not_found().into_response();
    };
    let note = asked.note.trim();
    if let Some(error) = unreasoned("出力", note) {
        return queue_page(&room, &visitor, frame, queue, None, &asked, vec![error]).await;
    }
    let now = room.clock.now();
    let take = async {
        let permit = room
            .gate
            .list(&visitor, action::DOWNLOAD, Purpose::CareInsurance)
            .await?;
        // Nobody whose name may not leave is in the file.
        let all = [Condition {
            class: Class::Identity,
            sql: "1 = 1",
            args: vec![],
        }];
        let table = "care_insurance_person";
        let rows = permit
            .fetch(
                &permit,
                table,
                &COLUMNS,
                queue.base,
                &all,
                queue.order,
                0,
                MOST,
            )
            .await?;
        let reason = Reason(format!("{}: {note}", queue.name));
        permit.take_out(rows, reason, vec![], now).await
    };
    let (rows, stamp) = match take.await {
        Ok(taken) => taken,
        Err(error) => return answer(error),
    };
    let made = bytes(&rows, &stamp, now.office_day(), asked.encoding == "cp932");
    let Some((bytes, lost)) = made else {
        return Problem::internal(None).into_response();
    };
    let kind = match asked.encoding.as_str() {
        "cp932" => "text/csv; charset=Shift_JIS",
        _ => "text/csv; charset=utf-8",
    };
    // The characters themselves do not stand in a header: their codes do, and 〓 stands in the file.
    let codes: Vec<String> = lost
        .iter()
        .map(|c| format!("U+{:04X}", u32::from(*c)))
        .collect();
    let told = match codes.is_empty() {
        true => "none".to_owned(),
        false => codes.join(" "),
    };
    (
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!(
                    "attachment; filename=\"queue-{}-{}.csv\"",
                    queue.code, stamp.line
                ),
            ),
            (
                header::HeaderName::from_static("x-unmapped-characters"),
                told,
            ),
        ],
        bytes,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cp932_lacks_is_marked_and_told_once() {
        let (bytes, lost) = windows_31j("髙橋﨑𠮷𠮷①");
        assert_eq!(lost, ['𠮷']);
        let (text, _, _) = encoding_rs::SHIFT_JIS.decode(&bytes);
        assert_eq!(text, "髙橋﨑〓〓①");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("0000000101"), "0000000101");
    }
}

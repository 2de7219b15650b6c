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

/// What the law asks the data for; stands in the file's last row.
const PURPOSE: &str = "介護保険に関する事務";

const HEAD: [&str; 9] = [
    "被保険者番号",
    "氏名",
    "カナ氏名",
    "生年月日",
    "住所",
    "資格",
    "期限",
    "確認すること",
    "CP932にない文字",
];

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub encoding: String,
    /// `sheet`: numbers keep their zeros when a spreadsheet opens the file; else for other programs.
    pub zeros: String,
    pub note: String,
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// A number with leading zeros; `="0000000101"` is the way in which a spreadsheet leaves them (CONVENTIONS).
fn number(text: &str, sheet: bool) -> String {
    match sheet && text.bytes().all(|b| b.is_ascii_alphanumeric()) && !text.is_empty() {
        true => format!("=\"{text}\""),
        false => harmless(text),
    }
}

/// Characters that CP932 does not have, each once, in their order.
pub(super) fn unmapped<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<char> {
    let (mut lost, mut small) = (Vec::new(), [0; 4]);
    for c in texts.into_iter().flat_map(str::chars) {
        let (_, _, wrong) = encoding_rs::SHIFT_JIS.encode(c.encode_utf8(&mut small));
        if wrong && !lost.contains(&c) {
            lost.push(c);
        }
    }
    lost
}

/// `U+20BB7 U+5653`: the characters themselves may not be shown where they are told.
pub(super) fn codes(lost: &[char]) -> String {
    let codes = lost.iter().map(|c| format!("U+{:04X}", u32::from(*c)));
    codes.collect::<Vec<_>>().join(" ")
}

/// How a file is written.
struct Way<'a> {
    cp932: bool,
    sheet: bool,
    note: &'a str,
}

/// The file's bytes, and the characters that CP932 does not have (written as 〓).
fn bytes(
    listed: &Listed,
    stamp: &Stamp,
    today: jiff::civil::Date,
    way: &Way<'_>,
) -> Option<(Vec<u8>, Vec<char>)> {
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(vec![]);
    out.write_record(HEAD).ok()?;
    let (mut persons, mut all) = (0, String::new());
    for line in lines(listed, today) {
        let lost = unmapped([
            line.kanji.as_str(),
            &line.kana,
            &line.address,
            &line.question,
        ]);
        persons += usize::from(!lost.is_empty());
        let cells = [
            line.kanji,
            line.kana,
            line.birth,
            line.address,
            line.standing,
            line.due,
            line.question,
            codes(&lost),
        ];
        let first = number(&line.number, way.sheet);
        let rest = cells.iter().map(|c| harmless(c));
        out.write_record(std::iter::once(first).chain(rest)).ok()?;
        all.extend(lost);
    }
    let mut last = vec![
        stamp.to_string(),
        format!("目的: {PURPOSE}"),
        format!("理由: {}", way.note),
    ];
    let lost = unmapped([all.as_str()]);
    if !lost.is_empty() {
        let how = match way.cp932 {
            true => "「〓」にしました",
            false => "UTF-8なのでそのままです",
        };
        last.push(format!(
            "CP932にない文字: {}種類 {persons}人（{}）{how}",
            lost.len(),
            codes(&lost)
        ));
    }
    if listed.more {
        last.push(format!(
            "{MOST}件を超えています。このファイルは{MOST}件までです。"
        ));
    }
    out.write_record(last).ok()?;
    let text = String::from_utf8(out.into_inner().ok()?).ok()?;
    Some(match way.cp932 {
        false => ([&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(), vec![]),
        true => windows_31j(&text),
    })
}

/// The text in Windows-31J; what it does not have becomes 〓 and is told.
fn windows_31j(text: &str) -> (Vec<u8>, Vec<char>) {
    let lost = unmapped([text]);
    let known: String = text
        .chars()
        .map(|c| if lost.contains(&c) { '〓' } else { c })
        .collect();
    (encoding_rs::SHIFT_JIS.encode(&known).0.into_owned(), lost)
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
    let way = Way {
        cp932: asked.encoding == "cp932",
        sheet: asked.zeros == "sheet",
        note,
    };
    let made = bytes(&rows, &stamp, now.office_day(), &way);
    let Some((bytes, lost)) = made else {
        return Problem::internal(None).into_response();
    };
    let kind = match asked.encoding.as_str() {
        "cp932" => "text/csv; charset=Shift_JIS",
        _ => "text/csv; charset=utf-8",
    };
    // The characters themselves do not stand in a header: their codes do, and 〓 stands in the file.
    let told = match lost.is_empty() {
        true => "none".to_owned(),
        false => codes(&lost),
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

    #[test]
    fn zeros_before_a_number_stay_in_a_spreadsheet_when_asked() {
        assert_eq!(number("0000000101", true), "=\"0000000101\"");
        assert_eq!(number("0000000101", false), "0000000101");
        assert_eq!(number("", true), "");
        // Never a formula of what was typed.
        assert_eq!(number("=1+1", true), "'=1+1");
    }
}

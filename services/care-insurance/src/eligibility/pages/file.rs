use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_files::{Contents, Encoding, Table, codes, unmapped};
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

/// How a file is written.
struct Way<'a> {
    encoding: Encoding,
    sheet: bool,
    note: &'a str,
}

/// The file's bytes, and what the user has to know of it.
fn made(
    listed: &Listed,
    stamp: &Stamp,
    today: jiff::civil::Date,
    way: &Way<'_>,
) -> Result<(Vec<u8>, Vec<String>), csv::Error> {
    let mut table = Table::new(&HEAD);
    let mut persons = 0;
    for line in lines(listed, today) {
        let lost = unmapped([
            line.kanji.as_str(),
            &line.kana,
            &line.address,
            &line.question,
        ]);
        persons += usize::from(!lost.is_empty());
        table.row([
            match way.sheet {
                true => Table::number(&line.number),
                false => line.number,
            },
            line.kanji,
            line.kana,
            line.birth,
            line.address,
            line.standing,
            line.due,
            line.question,
            codes(&lost),
        ]);
    }
    let mut notes = Vec::new();
    let lost = table.lost();
    if !lost.is_empty() {
        let how = match way.encoding {
            Encoding::Cp932 => "「〓」にしました",
            Encoding::Utf8 => "UTF-8なのでそのままです",
        };
        notes.push(format!(
            "CP932にない文字: {}種類 {persons}人（{}）{how}",
            lost.len(),
            codes(&lost)
        ));
    }
    if listed.more {
        notes.push(format!(
            "{MOST}件を超えています。このファイルは{MOST}件までです。"
        ));
    }
    let mut last = vec![
        stamp.to_string(),
        format!("目的: {PURPOSE}"),
        format!("理由: {}", way.note),
    ];
    last.extend(notes.clone());
    Ok((table.finish(last, way.encoding)?, notes))
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
        encoding: Encoding::of(&asked.encoding),
        sheet: asked.zeros == "sheet",
        note,
    };
    let (bytes, notes) = match made(&rows, &stamp, now.office_day(), &way) {
        Ok(made) => made,
        Err(error) => return unmade(&error),
    };
    let contents = Contents {
        line: stamp.line,
        name: format!("queue-{}-{}", queue.code, stamp.line),
        ending: "csv",
        bytes,
        notes,
        back: format!("/insurance/queues/{}", queue.code),
    };
    match room.shelf.put(visitor.session, contents) {
        Ok(()) => Redirect::to(&format!("/outputs/{}", stamp.line)).into_response(),
        Err(error) => unmade(&error),
    }
}

fn unmade(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a file could not be made");
    Problem::internal(None).into_response()
}

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use mimamori_files::{codes, unmapped};
use mimamori_gate::{Class, Condition, GateError, Listed, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::date::{PartialDate, wareki_with_western};
use mimamori_pages::{Choice, FieldError, Frame, Pagination, Problem, html_with_status};
use mimamori_residents::answer;

use super::file::Asked;
use crate::eligibility::{day, days_left};
use crate::{CareInsurance, action};

/// Persons on one page.
const PAGE: u32 = 50;
/// Counted at most.
const CAP: u32 = 1000;

/// A queue of work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queue {
    /// In the address.
    pub code: &'static str,
    /// On the screen.
    pub name: &'static str,
    /// What is to be done, and where the due day comes from.
    pub text: &'static str,
    pub base: &'static str,
    pub order: &'static str,
    /// Column of the due day; empty where there is none.
    pub due: &'static str,
}

/// All queues.
pub(crate) const QUEUES: [Queue; 4] = [
    Queue {
        code: "age",
        name: "65歳到達予定（翌月末まで）",
        text: "誕生日の前日に第1号被保険者になります。それまでに被保険者証を送ってください。",
        base: "p.due_age <> ''",
        order: "p.due_age, p.kana_key",
        due: "due_age",
    },
    Queue {
        code: "moved",
        name: "資格喪失後に残っている処理",
        text: "資格を失いましたが、被保険者証が返っていません。期限は喪失日から14日です（想定）。",
        base: "p.due_moved <> ''",
        order: "p.due_moved, p.kana_key",
        due: "due_moved",
    },
    Queue {
        code: "unknown",
        name: "日付の不詳・計算との違い",
        text: "資格の日を決められません。届出や戸籍を確かめて、日付を決めてください。期限は14日です（想定）。",
        base: "p.due_unknown <> ''",
        order: "p.due_unknown, p.kana_key",
        due: "due_unknown",
    },
    Queue {
        code: "reissue",
        name: "被保険者証の再交付が必要な人",
        text: "交付したあとに、氏名か住所が変わりました。変更を確かめて、再交付を指示してください。",
        base: "p.card_old <> '' AND EXISTS (SELECT 1 FROM care_insurance_card c WHERE c.person = p.person AND c.returned = '')",
        order: "p.kana_key",
        due: "",
    },
];

/// Rows of whoever stands in a queue of this room or waits for a card.
pub(crate) const WAITING: &str =
    "due_age <> '' OR due_moved <> '' OR due_unknown <> '' OR card_old <> '' OR card_wait <> 0";

/// The queue with this code.
pub(crate) fn named(code: &str) -> Option<Queue> {
    QUEUES.into_iter().find(|q| q.code == code)
}

/// Columns of a list.
pub(crate) const COLUMNS: [&str; 17] = [
    "insured_number",
    "kanji",
    "kana",
    "birth",
    "sex",
    "postal",
    "address",
    "building",
    "protected",
    "category",
    "since",
    "until",
    "due_age",
    "due_moved",
    "due_unknown",
    "question",
    "card_old",
];

/// One row of a list.
pub(crate) struct Line {
    pub person: String,
    pub number: String,
    pub kanji: String,
    pub kana: String,
    pub birth: String,
    pub address: String,
    pub standing: String,
    pub due: String,
    pub late: bool,
    pub question: String,
    pub protected: bool,
}

pub(crate) fn wareki_text(text: &str) -> String {
    text.parse::<PartialDate>()
        .map_or_else(|_| "—".into(), wareki_with_western)
}

/// Category and days in words.
pub(crate) fn standing(category: i64, since: &str, until: &str) -> String {
    match (category, since.is_empty()) {
        (_, true) => "資格なし".into(),
        (0, false) => format!("喪失（{}）", wareki_text(until)),
        (n, false) => format!("第{n}号（{}から）", wareki_text(since)),
    }
}

/// Rows of a list; withheld values are said to be withheld.
pub(crate) fn lines(listed: &Listed, today: Date) -> Vec<Line> {
    let row = |(person, record): &(mimamori_kernel::id::PersonId, mimamori_gate::Record)| {
        let text = |column: &str| match record.withheld(column) {
            true => "（非表示）".to_owned(),
            false => record.text(column).unwrap_or("").to_owned(),
        };
        let due = QUEUES
            .iter()
            .filter(|q| !q.due.is_empty())
            .find_map(|q| day(record.text(q.due).unwrap_or("")));
        let old = record.text("card_old").unwrap_or("");
        Line {
            person: person.to_string(),
            number: text("insured_number"),
            kanji: text("kanji"),
            kana: text("kana"),
            birth: wareki_text(record.text("birth").unwrap_or("")),
            address: match record.withheld("address") {
                true => text("address"),
                false => format!("{} {}", text("address"), text("building"))
                    .trim_end()
                    .to_owned(),
            },
            standing: standing(
                record.int("category").unwrap_or(0),
                record.text("since").unwrap_or(""),
                record.text("until").unwrap_or(""),
            ),
            due: due.map_or_else(String::new, |d| wareki_with_western(d.into())),
            late: due.is_some_and(|d| days_left(today, d) < 0),
            question: match old.is_empty() {
                true => text("question"),
                false => format!("{} 証の{old}が違います", text("question"))
                    .trim()
                    .to_owned(),
            },
            protected: record.int("protected").is_some_and(|p| p != 0),
        }
    };
    listed.rows.iter().map(row).collect()
}

#[derive(serde::Deserialize)]
pub(crate) struct PageNumber {
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "care-insurance/queue.html")]
struct QueuePage<'a> {
    frame: &'a Frame,
    queue: Queue,
    lines: Vec<Line>,
    pages: Pagination,
    /// More persons wait than are listed.
    capped: bool,
    encodings: Vec<Choice>,
    zeros: Vec<Choice>,
    /// Persons of this page with characters that CP932 lacks, and which.
    unmapped: Option<(usize, String)>,
    note: String,
    errors: Vec<FieldError>,
    line: u64,
}

/// GET /insurance/queues/{queue}
pub(crate) async fn queue(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(code): Path<String>,
    Query(PageNumber { page }): Query<PageNumber>,
) -> Response {
    let Some(queue) = named(&code) else {
        return Problem::not_found().into_response();
    };
    queue_page(
        &room,
        &visitor,
        frame,
        queue,
        page,
        &Asked::default(),
        vec![],
    )
    .await
}

/// A page of a queue, and the form of its file with what was typed.
pub(super) async fn queue_page(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: Frame,
    queue: Queue,
    page: Option<u32>,
    asked: &Asked,
    errors: Vec<FieldError>,
) -> Response {
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let read = async {
        let permit = room
            .gate
            .list(visitor, action::LIST, Purpose::CareInsurance)
            .await?;
        // Everybody who may be listed at all.
        let all = [Condition {
            class: Class::Insurance,
            sql: "1 = 1",
            args: vec![],
        }];
        let table = "care_insurance_person";
        let total = permit
            .find(table, queue.base, &all, queue.order, CAP)
            .await?;
        let page = page
            .unwrap_or(1)
            .clamp(1, total.count().div_ceil(PAGE).max(1));
        let skip = (page - 1) * PAGE;
        let rows = permit
            .fetch(
                &permit,
                table,
                &COLUMNS,
                queue.base,
                &all,
                queue.order,
                skip,
                PAGE,
            )
            .await?;
        Ok::<_, GateError>((total, page, permit.reveal(rows).await?))
    };
    match read.await {
        Ok((total, page, rows)) => {
            let lines = lines(&rows, room.clock.now().office_day());
            let page = QueuePage {
                frame: &frame.with_title(queue.name).with_current("/insurance"),
                queue,
                unmapped: lacking(&lines),
                lines,
                pages: Pagination::new(
                    format!("/insurance/queues/{}?page=", queue.code),
                    page,
                    total.count().into(),
                    PAGE,
                ),
                capped: total.capped(),
                encodings: vec![
                    Choice::new("utf-8", "UTF-8（BOM付き）", &asked.encoding),
                    Choice::new("cp932", "CP932（シフトJIS）", &asked.encoding),
                ],
                zeros: vec![
                    Choice::new(
                        "plain",
                        "そのまま（ほかのシステムに渡すとき）",
                        &asked.zeros,
                    ),
                    Choice::new(
                        "sheet",
                        "先頭の0を残す書き方（表計算ソフトで開くとき）",
                        &asked.zeros,
                    ),
                ],
                note: asked.note.clone(),
                errors,
                line: rows.line(),
            };
            html_with_status(status, page)
        }
        Err(error) => answer(error),
    }
}

/// How many of these persons have characters that CP932 lacks, and which; none when nobody has.
fn lacking(lines: &[Line]) -> Option<(usize, String)> {
    let texts = |l: &Line| {
        [
            l.kanji.clone(),
            l.kana.clone(),
            l.address.clone(),
            l.question.clone(),
        ]
    };
    let has = |l: &&Line| !unmapped(texts(l).iter().map(String::as_str)).is_empty();
    let persons = lines.iter().filter(has).count();
    let all: String = lines.iter().flat_map(texts).collect();
    (persons > 0).then(|| (persons, codes(&unmapped([all.as_str()]))))
}

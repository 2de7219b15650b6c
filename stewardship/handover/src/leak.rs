//! 漏えい元の照合: a few rows that turned up somewhere name every package that held them (PROTECTION G5.6, TK-19).

use std::collections::BTreeSet;

use axum::response::Response;
use mimamori_gate::{Purpose, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PackageId;
use mimamori_package::RowDigest;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use crate::error::answer;
use crate::package::all;
use crate::screen::{Cell, Desk, Field, FormPage, Sent, SheetPage, Table};
use crate::{Handover, HandoverError, action};

/// Most rows that are compared at once.
const ROWS: usize = 20;
/// Most digests of one question: each row has at most one for each pair of items.
const DIGESTS: usize = 120;

fn form(frame: &Frame, sent: &Sent, errors: Vec<FieldError>) -> Response {
    FormPage::new(frame, "漏えい元の照合", "/handover/leaks", "/handover")
        .words("漏えいしたとみられる行を、見出しの行と一緒に貼り付けます。20行までです。貼り付けた内容は保存しません。")
        .words("見出しは、氏名（カナ）、氏名（漢字）、生年月日、電話番号、住所のうち二つ以上が必要です。")
        .fields(vec![Field::Lines {
            name: "rows",
            label: "見出しと行（CSV）",
            value: sent.get("rows").to_owned(),
            hint: "例: 氏名（漢字）,生年月日",
        }])
        .button("照合する")
        .answer(errors)
}

/// The item of a heading in an office's words.
fn item(heading: &str) -> &str {
    match heading.trim() {
        "氏名（カナ）" => "name_kana",
        "氏名（漢字）" | "氏名" => "name_kanji",
        "生年月日" => "birth_date",
        "電話番号" => "phone",
        "住所" => "address",
        other => other,
    }
}

/// Headings as items, and rows.
fn pasted(text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), HandoverError> {
    let wrong = |message: &str| HandoverError::field("rows", message);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let read: Result<Vec<_>, _> = reader.records().take(ROWS + 2).collect();
    let read = read.map_err(|_| wrong("表として読み取れません。"))?;
    let mut lines = read
        .iter()
        .map(|r| r.iter().map(str::to_owned).collect::<Vec<_>>());
    let heads = lines
        .next()
        .ok_or_else(|| wrong("見出しと行を貼り付けてください。"))?;
    let rows: Vec<Vec<String>> = lines.collect();
    if rows.is_empty() {
        return Err(wrong("行がありません。"));
    }
    if rows.len() > ROWS {
        return Err(wrong("20行までにしてください。"));
    }
    Ok((heads.iter().map(|h| item(h).to_owned()).collect(), rows))
}

async fn find(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
) -> Result<Response, HandoverError> {
    let permit = room
        .gate
        .office(visitor, action::LEAK, Purpose::Operation, None)
        .await?;
    let (items, rows) = pasted(sent.get("rows"))?;
    let digester = room.digester();
    let digests: Vec<Vec<RowDigest>> = rows.iter().map(|r| digester.row(&items, r)).collect();
    let mut wanted: Vec<Value> = digests
        .iter()
        .flatten()
        .map(|d| d.0.to_vec().into())
        .collect();
    if wanted.is_empty() {
        return Err(HandoverError::field(
            "rows",
            "照合できる項目が足りません。氏名と生年月日、電話番号、住所のどれかを入れてください。",
        ));
    }
    // The question has a fixed length; the places that are left ask for a digest that nobody has.
    wanted.resize(DIGESTS, vec![0u8; 16].into());
    let filter: &'static str = const_filter();
    let found = permit
        .fetch("handover_digest", &["digest", "package"], filter, wanted)
        .await?;
    let known = found.and(all(&permit).await?);
    let shown = permit.reveal(known).await?;
    let line = shown.line();
    let (found, packages) = shown.into_inner();
    let held = |row: &[RowDigest]| -> BTreeSet<String> {
        let of = found.iter().filter(|record| {
            let digest = record.bytes("digest").unwrap_or_default();
            row.iter().any(|d| d.0 == digest)
        });
        of.filter_map(|record| {
            let id: [u8; 16] = record.bytes("package")?.try_into().ok()?;
            Some(PackageId::from_bytes(id).to_string())
        })
        .collect()
    };
    let by_row: Vec<BTreeSet<String>> = digests.iter().map(|d| held(d)).collect();
    let mut rows: Vec<(usize, Vec<Cell>)> = packages
        .iter()
        .filter_map(|p| {
            let count = by_row.iter().filter(|held| held.contains(&p.id)).count();
            let cells = vec![
                Cell::Link(format!("/handover/packages/{}", p.id), p.title.clone()),
                Cell::text(&p.partner),
                Cell::text(p.stage.japanese()),
                Cell::text(format!("{count}行／{}行", by_row.len())),
            ];
            (count > 0).then_some((count, cells))
        })
        .collect();
    rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    Ok(SheetPage::new(frame, "漏えい元の照合の結果", line)
        .words("示した行を入れた受渡しのすべてです。どれから漏れたかまでは、この照合では分かりません。")
        .link("/handover/leaks", "ほかの行を照合する")
        .table(Table {
            caption: "行を入れた受渡し",
            heads: vec!["契約", "相手方", "段階", "一致した行"],
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
            empty: "示した行を入れた受渡しはありません。",
        })
        .answer())
}

/// `digest IN (?, …)` for as many as are ever asked at once.
fn const_filter() -> &'static str {
    static FILTER: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("digest IN ({})", vec!["?"; DIGESTS].join(", ")));
    &FILTER
}

/// GET /handover/leaks
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    let asked = async {
        let permit = room
            .gate
            .office(&visitor, action::LEAK, Purpose::Operation, None)
            .await?;
        Ok::<_, HandoverError>(permit.reveal(mimamori_gate::Hidden::nothing()).await?)
    };
    match asked.await {
        Ok(_) => form(&frame, &Sent::default(), vec![]),
        Err(error) => answer(error),
    }
}

/// POST /handover/leaks
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    match find(&room, &visitor, &frame, &sent).await {
        Ok(response) => response,
        Err(HandoverError::Input(errors)) => form(&frame, &sent, errors),
        Err(error) => answer(error),
    }
}

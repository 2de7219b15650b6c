//! 記録媒体の台帳: each medium with its number and serial; one that is out is not taken twice (S2-41, S2-44).

use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, Hidden, OfficePermit, Purpose, Record, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::MediumId;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use crate::error::answer;
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, Table};
use crate::{Handover, HandoverError, action};

/// Kinds that the ledger knows (FACTS F.4). USB is banned for individual numbers and needs its own approval.
const KINDS: [&str; 5] = ["CD-R", "DVD-R", "HDD", "SSD", "USB"];

/// A medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Medium {
    pub id: MediumId,
    pub number: String,
    pub kind: String,
    pub serial: String,
    pub capacity: String,
    pub place: String,
    /// `stored`, `out`.
    pub state: String,
}

fn read(record: &Record) -> Option<Medium> {
    let text = |column| record.text(column).map(str::to_owned);
    Some(Medium {
        id: MediumId::from_bytes(record.bytes("id")?.try_into().ok()?),
        number: text("number")?,
        kind: text("kind")?,
        serial: text("serial")?,
        capacity: text("capacity")?,
        place: text("place")?,
        state: text("state")?,
    })
}

/// All media by number.
pub(crate) async fn media(permit: &OfficePermit) -> Result<Hidden<Vec<Medium>>, HandoverError> {
    const COLUMNS: [&str; 7] = [
        "id", "number", "kind", "serial", "capacity", "place", "state",
    ];
    let filter = "1 = 1 ORDER BY number LIMIT 1000";
    let rows = permit
        .fetch("handover_medium", &COLUMNS, filter, vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(read).collect()))
}

/// The write that takes a medium out or puts it back; another's earlier hand is a conflict.
pub(crate) fn moves(id: MediumId, from: &str, to: &str) -> Statement {
    Statement::expecting(
        "UPDATE handover_medium SET state = ? WHERE id = ? AND state = ?",
        vec![to.into(), id.bytes().into(), from.into()],
        1,
        "medium-moved",
    )
}

/// GET /handover/media
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let shown = async {
        let permit = room
            .gate
            .office(&visitor, action::MEDIA, Purpose::Operation, None)
            .await?;
        let found = media(&permit).await?;
        Ok::<_, HandoverError>(permit.reveal(found).await?)
    };
    let found = match shown.await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let row = |m: &Medium| {
        vec![
            Cell::text(&m.number),
            Cell::text(&m.kind),
            Cell::text(&m.serial),
            Cell::text(&m.capacity),
            Cell::text(&m.place),
            match m.state.as_str() {
                "stored" => Cell::Badge("success", "保管中".into()),
                _ => Cell::Badge("warning", "持出し中".into()),
            },
        ]
    };
    let mut sheet = SheetPage::new(&frame, "記録媒体", found.line())
        .words("媒体は、施錠できる金庫やキャビネットに保管します。");
    let enters = room
        .gate
        .offers(&visitor, action::MEDIUM, Purpose::Operation, false);
    if enters {
        sheet = sheet.link("/handover/media/new", "媒体を登録する");
    }
    sheet
        .table(Table {
            caption: "記録媒体の一覧",
            heads: vec!["管理番号", "種別", "シリアル", "容量", "保管場所", "状態"],
            rows: found.iter().map(row).collect(),
            empty: "登録された媒体はありません。",
        })
        .answer()
}

async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, HandoverError> {
    let permit = room
        .gate
        .office(visitor, action::MEDIUM, Purpose::Operation, None)
        .await?;
    permit.reveal(Hidden::nothing()).await?;
    let kinds = KINDS.map(|k| (k.to_owned(), k.to_owned()));
    Ok(FormPage::new(
        frame,
        "記録媒体の登録",
        "/handover/media/new",
        "/handover/media",
    )
    .fields(vec![
        sent.line("number", "管理番号", true, "媒体に貼った番号。例: M-0001"),
        sent.choose(
            "kind",
            "種別",
            kinds,
            "USBは、個人番号のシステムでは使えません。",
        ),
        sent.line("serial", "シリアル番号", true, "ないときは「なし」"),
        sent.line("capacity", "容量", true, "例: 700MB"),
        sent.line("place", "保管場所", true, "例: 健康づくり課 金庫1"),
    ])
    .button("登録する")
    .answer(errors))
}

/// GET /handover/media/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn enter(room: &Handover, visitor: &Visitor, sent: &mut Sent) -> Result<(), HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::MEDIUM, Purpose::Operation, None)
        .await?;
    let number = sent.need("number", "管理番号を入力してください。");
    let kind = sent.one("kind", &KINDS, |k| k);
    let serial = sent.need("serial", "シリアル番号を入力してください。");
    let capacity = sent.need("capacity", "容量を入力してください。");
    let place = sent.need("place", "保管場所を入力してください。");
    sent.complete()?;
    let Some(kind) = kind else {
        return Err(HandoverError::Input(vec![]));
    };
    let (id, by) = (MediumId::random(&*room.random), visitor.user);
    let known = media(&permit).await?;
    permit
        .change(known, now, move |known| {
            if known.iter().any(|m| m.number == number) {
                return Err(HandoverError::field(
                    "number",
                    "この管理番号は、すでに登録されています。",
                ));
            }
            let statement = Statement::new(
                "INSERT INTO handover_medium (id, number, kind, serial, capacity, place, state, entered_by, entered_at) \
                 VALUES (?, ?, ?, ?, ?, ?, 'stored', ?, ?)",
                vec![
                    id.bytes().into(),
                    number.as_str().into(),
                    kind.into(),
                    serial.into(),
                    capacity.into(),
                    place.into(),
                    by.bytes().into(),
                    now.0.into(),
                ],
            );
            let change = Change {
                statements: vec![statement],
                words: format!("記録媒体の登録 {number}"),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /handover/media/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    match enter(&room, &visitor, &mut sent).await {
        Ok(()) => Redirect::to("/handover/media").into_response(),
        Err(HandoverError::Input(errors)) => form(&room, &visitor, &frame, &sent, errors)
            .await
            .unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

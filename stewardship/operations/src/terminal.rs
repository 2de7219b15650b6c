//! Terminals from which numbers may be handled (S0-48): the register, a registration asked for, its end at once.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Mark, Visitor, end_terminal};
use mimamori_kernel::id::{RequestId, TerminalId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use crate::error::answer;
use crate::people::record::name;
use crate::people::{id, may, offers};
use crate::request::{Asked, Request, State};
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, moment, moved};
use crate::{Operations, OperationsError, action};

/// GET /operations/terminals
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now();
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::TERMINAL_LIST, Purpose::Operation, None)
            .await?;
        let known = permit.terminals().await?;
        let known = known.and(permit.accounts(now).await?);
        Ok::<_, OperationsError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (terminals, accounts) = &*shown;
    let ends = offers(&room, &visitor, action::TERMINAL_END, None);
    let rows = terminals.iter().map(|t| {
        let (kind, words) = match t.ended {
            None => ("success", "使用中"),
            Some(_) => ("info", "終了"),
        };
        let how = match t.by_certificate {
            true => "証明書",
            false => "アドレス",
        };
        let end = match ends && t.ended.is_none() {
            true => Cell::Link(
                format!("/operations/terminals/{}/end", t.id),
                format!("{}の登録を終了する", t.name),
            ),
            false => Cell::text("—"),
        };
        vec![
            Cell::text(&t.name),
            Cell::text(&t.place),
            Cell::text(format!("{how} {}", t.mark)),
            Cell::text(moment(t.entered)),
            Cell::text(name(accounts, Some(t.approved_by))),
            Cell::Badge(kind, words.into()),
            end,
        ]
    });
    let heads = [
        "名前",
        "取扱区域",
        "見分け方",
        "登録",
        "承認した人",
        "状態",
        "手続",
    ];
    let mut sheet = SheetPage::new(&frame, "登録された端末", shown.line())
        .current("/operations/people")
        .words("個人番号は、ここに登録された端末からだけ扱えます。")
        .words("中継サーバーを通るときは、中継サーバーが伝えるアドレスだけで見分けます。証明書は、このシステムが直接TLSを受けるときに使えます。");
    if offers(&room, &visitor, action::TERMINAL_PROPOSE, None) {
        sheet = sheet.link("/operations/terminals/new", "端末の登録を申請する");
    }
    sheet
        .link("/operations/handlers", "特定個人情報取扱者")
        .table(
            "登録された端末",
            &heads,
            rows.collect(),
            "端末はまだ登録されていません。",
        )
        .answer()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    may(room, visitor, action::TERMINAL_PROPOSE, None).await?;
    let permit = room
        .gate
        .office(visitor, action::TERMINAL_LIST, Purpose::Operation, None)
        .await?;
    let known = permit.terminals().await?;
    let terminals = permit.reveal(known).await?;
    let open = terminals.iter().filter(|t| t.ended.is_none()).count();
    Ok(FormPage::new(
        frame,
        "端末の登録の申請",
        "/operations/terminals/new",
        "/operations/terminals",
    )
    .words("別の運営管理責任者か事業責任者が承認すると、次の操作から効きます。")
    .terms(vec![Term::new("使用中の端末", format!("{open}台"))])
    .fields(vec![
        sent.line("name", "端末の名前", true, "例: 介護保険課 窓口1"),
        sent.line(
            "place",
            "取扱区域",
            true,
            "例: 本庁舎2階 介護保険課の執務室（間仕切りの中）",
        ),
        sent.line(
            "mark",
            "アドレスか、証明書のSHA-256",
            true,
            "例: 10.1.2.3。証明書は64桁の16進数で、区切りの「:」はあってもかまいません。",
        ),
        sent.line("reason", "理由", true, "例: 端末の更新による"),
    ])
    .button("propose", "申請する", "primary")
    .answer(errors))
}

/// GET /operations/terminals/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::TERMINAL_PROPOSE, Purpose::Operation, None)
        .await?;
    let name = sent.need_name("name", "端末の名前を入力してください。");
    let place = sent.need("place", "取扱区域を入力してください。");
    let mark = Mark::parse(sent.get("mark"));
    if mark.is_none() {
        let message = "一つの端末のアドレスか、証明書のSHA-256（64桁の16進数）を入力してください。";
        sent.refuse("mark", message);
    }
    let reason = sent.need("reason", "理由を入力してください。");
    let (Some(mark), true) = (mark, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let request = Request {
        id: RequestId::random(&*room.random),
        asked: Asked::Terminal { mark, name, place },
        reason,
        proposed_by: visitor.user,
        proposed_at: now.0,
        state: State::Waiting,
    };
    let known = permit.terminals().await?;
    permit
        .change(known, now, move |terminals| {
            if let Asked::Terminal { mark, .. } = &request.asked
                && terminals
                    .iter()
                    .any(|t| t.ended.is_none() && t.mark == mark.text())
            {
                let message = "この端末は、すでに登録されています。";
                return Err(OperationsError::field("mark", message));
            }
            let change = Change {
                statements: vec![request.write()],
                words: format!("端末の登録の申請 {}", request.reason),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /operations/terminals/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = propose(&room, &visitor, &mut sent).await;
    moved(done, "/operations/terminals", async |errors| {
        form(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    terminal: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let which: TerminalId = id(terminal)?;
    may(room, visitor, action::TERMINAL_END, None).await?;
    let permit = room
        .gate
        .office(visitor, action::TERMINAL_LIST, Purpose::Operation, None)
        .await?;
    let known = permit.terminals().await?;
    let terminals = permit.reveal(known).await?;
    let found = terminals
        .iter()
        .find(|t| t.id == which && t.ended.is_none());
    let found = found.ok_or(GateError::NotFound)?;
    Ok(FormPage::new(
        frame,
        "端末の登録の終了",
        format!("/operations/terminals/{terminal}/end"),
        "/operations/terminals",
    )
    .words("終了はすぐに効きます。この端末では、次の操作から個人番号を扱えません。")
    .terms(vec![
        Term::new("端末の名前", found.name.clone()),
        Term::new("取扱区域", found.place.clone()),
    ])
    .fields(vec![sent.line("reason", "理由", true, "例: 端末の廃棄")])
    .button("end", "登録を終了する", "danger")
    .answer(errors))
}

/// GET /operations/terminals/{terminal}/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path(terminal): Path<String>,
) -> Response {
    let first = Sent::default();
    end_form(&room, &visitor, &frame, &terminal, (&first, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn finish(
    room: &Operations,
    visitor: &Visitor,
    terminal: TerminalId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::TERMINAL_END, Purpose::Operation, None)
        .await?;
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let known = permit.terminals().await?;
    permit
        .change(known, now, move |terminals| {
            let found = terminals
                .iter()
                .find(|t| t.id == terminal && t.ended.is_none());
            let found = found.ok_or(GateError::NotFound)?;
            let change = Change {
                accounts: end_terminal(terminal, now),
                words: format!("端末の登録の終了 {} {reason}", found.name),
                ..Change::default()
            };
            Ok::<_, OperationsError>((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /operations/terminals/{terminal}/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path(terminal): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { finish(&room, &visitor, id(&terminal)?, &mut sent).await }.await;
    moved(done, "/operations/terminals", async |errors| {
        end_form(&room, &visitor, &frame, &terminal, (&sent, errors)).await
    })
    .await
}

//! One's own registration, and the request to end it (S4-75).

use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::RequestId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::record::terms;
use super::rule::held;
use crate::error::answer;
use crate::request::{Asked, Request, State as At};
use crate::screen::{Desk, FormPage, Sent, SheetPage, moment, moved};
use crate::{Operations, OperationsError, action};

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::ACCOUNT_OWN,
            Purpose::Operation,
            Some(visitor.user),
        )
        .await?;
    let asked = permit
        .fetch(
            "operations_request",
            &["reason", "proposed_at", "state"],
            "user_id = ? AND kind = 'leave' ORDER BY proposed_at DESC LIMIT 1",
            vec![visitor.user.bytes().into()],
        )
        .await?;
    let known = permit.account(&visitor.user, now).await?.and(asked);
    let shown = permit.reveal(known).await?;
    let (account, asked) = &*shown;
    let account = account.as_ref().ok_or(GateError::NotFound)?;
    let mut terms = terms(account, now.0);
    for duty in &account.held {
        let words = held(duty);
        terms.push(Term::new(duty.role.japanese(), words));
    }
    let asked = asked.first();
    if let Some(record) = asked {
        let of = |code: &str| At::ALL.into_iter().find(|s| s.code() == code);
        let state = record.text("state").and_then(of).map_or("—", At::japanese);
        let at = record.int("proposed_at").map_or(String::new(), moment);
        let reason = record.text("reason").unwrap_or("");
        terms.push(Term::new(
            "利用の終了の申出",
            format!("{state}（{at}に申出。理由: {reason}）"),
        ));
    }
    let waits = asked.and_then(|r| r.text("state")) == Some(At::Waiting.code());
    if waits && errors.is_empty() {
        return Ok(SheetPage::new(frame, "自分の登録", shown.line())
            .current("/account")
            .banner(
                "info",
                "利用の終了を申し出ました。",
                "運営管理責任者の承認を待っています。承認されると、サインインできなくなります。",
            )
            .terms(terms)
            .answer());
    }
    Ok(FormPage::new(frame, "自分の登録", "/account", "/")
        .words("登録が事実と違うときや、異動・退職のときは、下から申し出てください。")
        .words("運営管理責任者が利用を停止すると、サインインできなくなります。")
        .terms(terms)
        .fields(vec![sent.line(
            "reason",
            "利用を終える理由",
            true,
            "例: 3月31日付けの異動のため",
        )])
        .button("leave", "利用の終了を申し出る", "secondary")
        .answer(errors))
}

/// GET /account
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn leave(
    room: &Operations,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let user = visitor.user;
    let permit = room
        .gate
        .office(
            visitor,
            action::ACCOUNT_LEAVE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let waiting = permit
        .fetch(
            "operations_request",
            &["id"],
            "user_id = ? AND kind = 'leave' AND state = 'waiting'",
            vec![user.bytes().into()],
        )
        .await?;
    let known = permit.account(&user, now).await?.and(waiting);
    let id = RequestId::random(&*room.random);
    permit
        .change(known, now, move |(account, waiting)| {
            let account = account.ok_or(GateError::NotFound)?;
            if !waiting.is_empty() {
                return Err(OperationsError::field(
                    "reason",
                    "すでに申し出ています。運営管理責任者の手続を待ってください。",
                ));
            }
            let request = Request {
                id,
                asked: Asked::Leave { user },
                reason,
                proposed_by: user,
                proposed_at: now.0,
                state: At::Waiting,
            };
            let change = Change {
                statements: vec![request.write()],
                words: format!("利用終了の申出 {} {}", account.login, request.reason),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /account
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = leave(&room, &visitor, &mut sent).await;
    moved(done, "/account", async |errors| {
        form(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

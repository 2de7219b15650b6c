//! The list of requests, and one of them with its decision.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose, Revealed};
use mimamori_identity::{Account, Initial, Organisation, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::rule::{self, Asked, Request, State as At};
use super::store::{COLUMNS, close_all_of};
use crate::error::answer;
use crate::people::record::name;
use crate::people::register::slip;
use crate::people::rule::few_left;
use crate::people::store::Event;
use crate::people::{few, id, initial, offers, told_few};
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, moment, settled};
use crate::{Operations, OperationsError, action};

fn whom(request: &Request, accounts: &[Account], organisations: &[Organisation]) -> String {
    match &request.asked {
        Asked::Contract { org, .. } => {
            let found = organisations.iter().find(|o| o.org.id == *org);
            found.map_or("—".into(), |o| o.org.name.clone())
        }
        Asked::Terminal { name, .. } => name.clone(),
        other => name(accounts, other.user()),
    }
}

/// GET /operations/requests
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::REQUEST_LIST, Purpose::Operation, None)
            .await?;
        let rows = permit
            .fetch(
                "operations_request",
                &COLUMNS,
                "1 = 1 ORDER BY CASE WHEN state = 'waiting' THEN 0 ELSE 1 END, proposed_at DESC LIMIT 200",
                vec![],
            )
            .await?;
        let accounts = permit.accounts(room.clock.now()).await?;
        let organisations = permit.organisations().await?;
        let known = rows.and(accounts).and(organisations);
        Ok::<_, OperationsError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let ((rows, accounts), organisations) = &*shown;
    let rows = rows.iter().filter_map(Request::read).map(|r| {
        let badge = match r.state {
            At::Waiting => "warning",
            At::Approved => "success",
            At::Declined | At::Withdrawn => "info",
        };
        vec![
            Cell::Link(format!("/operations/requests/{}", r.id), r.asked.words()),
            Cell::text(whom(&r, accounts, organisations)),
            Cell::text(name(accounts, Some(r.proposed_by))),
            Cell::text(moment(r.proposed_at)),
            Cell::Badge(badge, r.state.japanese().into()),
        ]
    });
    let heads = ["申請", "対象", "申請した人", "申請した日時", "状態"];
    SheetPage::new(&frame, "申請の一覧", shown.line())
        .current("/operations/people")
        .words("承認を待つものから、新しい順に200件までを表示します。")
        .table("申請", &heads, rows.collect(), "申請はありません。")
        .answer()
}

/// GET /operations/requests/{request}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(request): Path<String>,
) -> Response {
    form(&room, &visitor, &frame, &request, vec![])
        .await
        .unwrap_or_else(answer)
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    request: &str,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let shown = {
        let request: RequestId = id(request)?;
        let permit = room
            .gate
            .office(visitor, action::REQUEST_LIST, Purpose::Operation, None)
            .await?;
        let args = vec![request.bytes().into()];
        let rows = permit
            .fetch("operations_request", &COLUMNS, "id = ?", args)
            .await?;
        let accounts = permit.accounts(now).await?;
        let organisations = permit.organisations().await?;
        let known = rows.and(accounts).and(organisations);
        permit.reveal(known).await?
    };
    let ((rows, accounts), organisations) = &*shown;
    let Some(request) = rows.first().and_then(Request::read) else {
        return Err(GateError::NotFound.into());
    };
    let mut terms = vec![
        Term::new("申請", request.asked.words()),
        Term::new("対象", whom(&request, accounts, organisations)),
        Term::new("理由", request.reason.clone()),
        Term::new("申請した人", name(accounts, Some(request.proposed_by))),
        Term::new("申請した日時", moment(request.proposed_at)),
        Term::new("状態", request.state.japanese()),
    ];
    if request.state != At::Waiting {
        return Ok(SheetPage::new(frame, "申請", shown.line())
            .current("/operations/people")
            .terms(terms)
            .answer());
    }
    if let Asked::Role { ties, .. } | Asked::Resident { ties, .. } = &request.asked
        && !ties.is_empty()
    {
        let numbers = |numbers: &[String]| match numbers.is_empty() {
            true => "なし".to_owned(),
            false => numbers.join("、"),
        };
        terms.push(Term::new("本人の宛名番号", numbers(ties.own.as_slice())));
        let household = numbers(&ties.household);
        terms.push(Term::new("同じ世帯の人の宛名番号", household));
    }
    let at = format!("/operations/requests/{}", request.id);
    let mut form = FormPage::new(frame, "申請", at, "/operations/requests").terms(terms);
    let decides = offers(room, visitor, action::REQUEST_DECIDE, None);
    if decides && request.proposed_by != visitor.user {
        form = form.fields(few(left(&request, accounts, now)).into_iter().collect());
    }
    form = match request.proposed_by == visitor.user {
        _ if !decides => form.words("承認は、運営管理責任者か事業責任者が行います。"),
        true => form.words("申請した人は承認できません。").button(
            "withdrawn",
            "申請を取り下げる",
            "secondary",
        ),
        false => form
            .words(match rule::hands_out(&request, accounts, now) {
                Some(_) => {
                    "本人に会って確かめてから承認してください。承認すると、初期パスワードがこの画面に一度だけ出ます。本人に手渡してください。"
                }
                None if matches!(request.asked, Asked::Resident { .. }) => {
                    "宛名番号を、本人が出した届と見比べてから選んでください。番号が住民記録にあるかどうかは、申請する人にも承認する人にも表示しません。"
                }
                None => "内容を確かめて、承認か却下を選んでください。",
            })
            .button("approved", "承認する", "primary")
            .button("declined", "却下する", "secondary"),
    };
    Ok(form.answer(errors))
}

/// How many who can approve would remain after a request to leave, when those are too few.
fn left(request: &Request, accounts: &[Account], now: Instant) -> Option<usize> {
    match request.asked {
        Asked::Leave { user } => few_left(accounts, user, None, now.0),
        _ => None,
    }
}

/// What a decision leaves to be done.
struct Decided {
    /// Whose rights changed.
    changed: Option<UserId>,
    /// To whom the initial password is given, with the login.
    given: Option<(UserId, String)>,
}

async fn act(
    room: &Operations,
    visitor: &Visitor,
    request: RequestId,
    sent: &Sent,
) -> Result<(Revealed<Decided>, Option<Initial>), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::REQUEST_DECIDE, Purpose::Operation, None)
        .await?;
    let to = At::ALL.into_iter().find(|s| s.code() == sent.get("do"));
    let to = to.unwrap_or(At::Waiting);
    let args = vec![request.bytes().into()];
    let rows = permit
        .fetch("operations_request", &COLUMNS, "id = ?", args)
        .await?;
    // Made before anything is read, because it costs time; used where a password was asked for.
    let password = match to {
        At::Approved => Some(initial(room).await?),
        _ => None,
    };
    let given = password.clone();
    let known = rows.and(permit.accounts(now).await?);
    let (by, random, told) = (visitor.user, room.random.clone(), told_few(sent));
    let done = permit
        .change(known, now, move |(rows, accounts)| {
            let request = rows
                .first()
                .and_then(Request::read)
                .ok_or(GateError::NotFound)?;
            if to == At::Approved {
                told(left(&request, &accounts, now))?;
            }
            let decided = rule::decide(&request, to, by, &accounts, password.as_ref(), now)?;
            // Which resident somebody is changes no right, and a designation is asked for at each request: sessions go on.
            let rights = !matches!(
                request.asked,
                Asked::Resident { .. } | Asked::Handler { .. }
            );
            let changed = (!decided.is_empty() && rights)
                .then(|| request.asked.user())
                .flatten();
            let mut checked = "";
            if let Asked::Password { checked: how, .. } = &request.asked {
                checked = how;
            }
            let given = rule::hands_out(&request, &accounts, now)
                .filter(|_| to == At::Approved)
                .map(|a| (a.id, a.login.clone()));
            let accounts = decided;
            let reason = format!("{}: {}", request.asked.words(), request.reason);
            let mut statements = vec![request.settle(to, by, now)];
            if let Some(user) = request.asked.user() {
                let kind = match to {
                    At::Approved => "申請の承認",
                    At::Declined => "申請の却下",
                    At::Withdrawn | At::Waiting => "申請の取下げ",
                };
                let event = Event {
                    user,
                    kind,
                    by,
                    reason: &reason,
                    checked,
                };
                statements.push(event.write(now, &*random));
                if to == At::Approved && matches!(request.asked, Asked::Leave { .. }) {
                    statements.push(close_all_of(user, by, now));
                }
            }
            let change = Change {
                statements,
                accounts,
                words: format!("{} {reason}", to.japanese()),
            };
            Ok::<_, OperationsError>((change, Decided { changed, given }))
        })
        .await?;
    Ok((done, given))
}

/// POST /operations/requests/{request}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(request): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    let done = match id(&request) {
        Ok(request) => act(&room, &visitor, request, &sent).await,
        Err(error) => Err(error),
    };
    let done = done.map(|(done, initial)| {
        if let Some(user) = done.changed {
            (room.end_sessions)(&user);
        }
        match (&done.given, initial) {
            (Some((user, login)), Some(initial)) => {
                slip(&room, &frame, *user, login, &initial, done.line())
            }
            _ => Redirect::to("/operations/requests").into_response(),
        }
    });
    settled(done, async |errors| {
        form(&room, &visitor, &frame, &request, errors).await
    })
    .await
}

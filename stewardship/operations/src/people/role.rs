//! Appointments: asked for by one person, approved by another; ended by one (S4-16, S4-24, S4-28).

use axum::extract::{Path, Query};
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Role, Ties, Visitor, end_role, may_take};
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::rule::{few_left, new_to, period, roles_of};
use super::store::Event;
use super::{about, before, before_end, few, id, told_few};
use crate::error::answer;
use crate::request::{Asked, Request, State as At};
use crate::screen::{Desk, FormPage, Sent, moved};
use crate::{Operations, OperationsError, action};

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::ROLE_PROPOSE, id(user)?).await?;
    let roles = roles_of(account.org.kind).map(|r| (r.code().to_owned(), r.japanese().to_owned()));
    let at = format!("/operations/people/{user}");
    Ok(
        FormPage::new(frame, "任命の申請", format!("{at}/role"), &at)
            .words("別の運営管理責任者か事業責任者が承認すると、任命が効きます。管理・監査の役割に新しく就く人には、承認した人が新しい初期パスワードを手渡します。")
            .terms(about(&account))
            .fields(vec![
                sent.choose("role", "役割", roles, ""),
                sent.line("from", "最初の日", false, "空欄はすぐに。例: R9.4.1"),
                sent.line("until", "最後の日", false, "空欄は期限なし。例: R10.3.31"),
                sent.line("reason", "理由", true, "例: 要綱第5条による任命"),
            ])
            .button("propose", "申請する", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/role
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::ROLE_PROPOSE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let role = sent.one("role", &Role::ALL, Role::code);
    let (from, until) = (sent.day("from"), sent.day("until"));
    let reason = sent.need("reason", "理由を入力してください。");
    let (Some(role), true) = (role, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let asked = period(from, until, now.office_day())?;
    let request = Request {
        id: RequestId::random(&*room.random),
        asked: Asked::Role {
            user,
            role,
            period: asked,
            ties: Ties::default(),
        },
        reason,
        proposed_by: visitor.user,
        proposed_at: now.0,
        state: At::Waiting,
    };
    let known = permit.account(&user, now).await?;
    permit
        .change(known, now, move |account| {
            let account = account.ok_or(GateError::NotFound)?;
            if !account.active {
                return Err(OperationsError::Stopped);
            }
            if !roles_of(account.org.kind).any(|r| r == role) {
                return Err(OperationsError::field(
                    "role",
                    "この所属・機関の人は、この役割に就けません。",
                ));
            }
            if let Err(error) = may_take(&account, role, now) {
                return Err(OperationsError::field("role", &error.to_string()));
            }
            new_to(&account, role, asked, now)?;
            let change = Change {
                statements: vec![request.write()],
                words: format!("任命の申請 {} {}", account.login, request.reason),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /operations/people/{user}/role
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { propose(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(
        done,
        &format!("/operations/people/{user}"),
        async |errors| form(&room, &visitor, &frame, &user, (&sent, errors)).await,
    )
    .await
}

#[derive(serde::Deserialize)]
pub(crate) struct Which {
    role: Option<String>,
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let ended = Role::from_code(sent.get("role"));
    let act = action::ROLE_END;
    let (account, left) = before_end(room, visitor, act, id(user)?, ended).await?;
    let now = room.clock.now().0;
    let open = account.held.iter().filter(|h| !h.over(now));
    let roles: Vec<_> = open
        .map(|h| (h.role.code().to_owned(), h.role.japanese().to_owned()))
        .collect();
    let at = format!("/operations/people/{user}");
    let mut terms = about(&account);
    terms.push(Term::new("いまの役割", super::rule::roles(&account)));
    let fields = vec![
        sent.choose("role", "終える役割", roles, ""),
        sent.line("reason", "理由", true, ""),
    ];
    Ok(
        FormPage::new(frame, "任命の終了", format!("{at}/role/end"), &at)
            .words("任命はすぐに終わり、使用中の画面も終わります。IDは残ります。")
            .terms(terms)
            .fields(fields.into_iter().chain(few(left)).collect())
            .button("end", "任命を終える", "danger")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/role/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    let role = which.role.unwrap_or_default();
    let sent = Sent::from(vec![("role".to_owned(), role)]);
    end_form(&room, &visitor, &frame, &user, (&sent, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn finish(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::ROLE_END, Purpose::Operation, Some(user))
        .await?;
    let role = sent.one("role", &Role::ALL, Role::code);
    let reason = sent.need("reason", "理由を入力してください。");
    let (Some(role), true) = (role, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let known = permit.accounts(now).await?;
    let (by, random, told) = (visitor.user, room.random.clone(), told_few(sent));
    permit
        .change(known, now, move |accounts| {
            let account = accounts.iter().find(|a| a.id == user);
            let account = account.ok_or(GateError::NotFound)?;
            told(few_left(&accounts, user, Some(role), now.0))?;
            let reason = format!("{}: {reason}", role.japanese());
            let event = Event {
                user,
                kind: "任命の終了",
                by,
                reason: &reason,
                checked: "",
            };
            let change = Change {
                statements: vec![event.write(now, &*random)],
                accounts: end_role(account, role, now),
                words: format!("任命の終了 {} {reason}", account.login),
            };
            Ok::<_, OperationsError>((change, ()))
        })
        .await?;
    (room.end_sessions)(&user);
    Ok(())
}

/// POST /operations/people/{user}/role/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { finish(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(
        done,
        &format!("/operations/people/{user}"),
        async |errors| end_form(&room, &visitor, &frame, &user, (&sent, errors)).await,
    )
    .await
}

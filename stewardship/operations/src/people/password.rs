//! Password reset by the office, after somebody's identity was checked (S4-74). Of those who manage
//! or watch the system, one person asks and another one approves.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Account, Visitor, reset_password};
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::register::slip;
use super::rule::needs_two;
use super::store::Event;
use super::{about, before, id};
use crate::error::answer;
use crate::request::{Asked, Request, State as At};
use crate::screen::{Desk, FormPage, Sent, settled};
use crate::{INITIAL, Operations, OperationsError, action};

/// How somebody proved who he is: code and words. Numbers of papers are not written down.
const CHECKED: [(&str, &str); 6] = [
    ("staff-card", "職員証（顔写真つき）・対面"),
    ("licence", "運転免許証・対面"),
    ("number-card", "マイナンバーカードの表面（番号は控えない）"),
    ("known", "面識のある職員が対面で確認"),
    ("superior", "所属長が対面で確認"),
    ("call-back", "所属の代表電話へ折り返して確認"),
];

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::RESET, id(user)?).await?;
    let checked = CHECKED.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let at = format!("/operations/people/{user}");
    let page = FormPage::new(frame, "パスワードの再発行", format!("{at}/password"), &at)
        .words("本人を確かめてから再発行します。掛かってきた電話やメールだけでは受け付けません。")
        .terms(about(&account))
        .fields(vec![
            sent.choose("checked", "本人確認の方法", checked, ""),
            sent.line("reason", "申出の内容", true, "例: パスワードを忘れた"),
        ]);
    let page = match needs_two(&account, room.clock.now().0) {
        true => page
            .words("管理・監査の役割の人です。別の運営管理責任者か事業責任者が承認すると、承認した人の画面に初期パスワードが出ます。")
            .button("propose", "再発行を申請する", "primary"),
        false => page
            .words("再発行すると、いまのパスワードと使用中の画面はすぐに終わります。")
            .button("reset", "再発行する", "primary"),
    };
    Ok(page.answer(errors))
}

/// GET /operations/people/{user}/password
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

/// Who it is, as the asker checked it: the method in words, and what was said.
fn checked(sent: &mut Sent) -> Result<(&'static str, String), OperationsError> {
    let checked = sent.one("checked", &CHECKED, |(code, _)| code);
    let reason = sent.need("reason", "申出の内容を入力してください。");
    match (checked, sent.errors.is_empty()) {
        (Some((_, words)), true) => Ok((words, reason)),
        _ => Err(sent.refused()),
    }
}

async fn reset(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: UserId,
    sent: &mut Sent,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::RESET, Purpose::Operation, Some(user))
        .await?;
    let (checked, reason) = checked(sent)?;
    let initial = super::initial(room).await?;
    let given = initial.clone();
    let known = permit.account(&user, now).await?;
    let (by, random) = (visitor.user, room.random.clone());
    let done = permit
        .change(known, now, move |account| {
            let account = open(account)?;
            if needs_two(&account, now.0) {
                return Err(OperationsError::NeedsTwo);
            }
            let event = Event {
                user,
                kind: "パスワード再発行",
                by,
                reason: &reason,
                checked,
            };
            let change = Change {
                statements: vec![event.write(now, &*random)],
                accounts: reset_password(&account, &initial, now, INITIAL),
                words: format!("再発行 {} {checked} {reason}", account.login),
            };
            Ok((change, account.login))
        })
        .await?;
    (room.end_sessions)(&user);
    Ok(slip(room, frame, user, &done, &given, done.line()))
}

fn open(account: Option<Account>) -> Result<Account, OperationsError> {
    let account = account.ok_or(GateError::NotFound)?;
    match account.active {
        true => Ok(account),
        false => Err(OperationsError::Stopped),
    }
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::RESET_PROPOSE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let (checked, reason) = checked(sent)?;
    let request = Request {
        id: RequestId::random(&*room.random),
        asked: Asked::Password {
            user,
            checked: checked.to_owned(),
        },
        reason,
        proposed_by: visitor.user,
        proposed_at: now.0,
        state: At::Waiting,
    };
    let known = permit.account(&user, now).await?;
    permit
        .change(known, now, move |account| {
            let account = open(account)?;
            let words = format!(
                "再発行の申請 {} {checked} {}",
                account.login, request.reason
            );
            let change = Change {
                statements: vec![request.write()],
                words,
                ..Change::default()
            };
            Ok::<_, OperationsError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/operations/people/{user}")).into_response())
}

/// POST /operations/people/{user}/password: `do` is reset or propose.
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = match id(&user) {
        Ok(whom) if sent.get("do") == "propose" => propose(&room, &visitor, whom, &mut sent).await,
        Ok(whom) => reset(&room, &visitor, &frame, whom, &mut sent).await,
        Err(error) => Err(error),
    };
    settled(done, async |errors| {
        form(&room, &visitor, &frame, &user, (&sent, errors)).await
    })
    .await
}

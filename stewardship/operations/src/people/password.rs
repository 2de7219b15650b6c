//! Password reset by the office, after somebody's identity was checked (S4-74).

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Initial, Visitor, reset_password};
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::register::slip;
use super::store::Event;
use super::{about, before, id};
use crate::error::answer;
use crate::screen::{FormPage, Sent};
use crate::{INITIAL, Operations, OperationsError, action};

/// How somebody proved who he is: code and words. Numbers of papers are not written down.
const CHECKED: [(&str, &str); 5] = [
    ("staff-card", "職員証（顔写真つき）"),
    ("licence", "運転免許証"),
    ("number-card", "マイナンバーカードの表面（番号は控えない）"),
    ("known", "面識のある職員が対面で確認"),
    ("superior", "所属長が対面で確認"),
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
    Ok(
        FormPage::new(frame, "パスワードの再発行", format!("{at}/password"), &at)
            .words("窓口で本人を確かめてから再発行します。電話やメールでは受け付けません。")
            .words("再発行すると、いまのパスワードと使用中の画面はすぐに終わります。")
            .terms(about(&account))
            .fields(vec![
                sent.choose("checked", "本人確認の方法", checked, ""),
                sent.line("reason", "申出の内容", true, "例: パスワードを忘れた"),
            ])
            .button("reset", "再発行する", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/password
pub(crate) async fn page(
    State(room): State<Operations>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(user): Path<String>,
) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn act(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(String, Initial, u64), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::RESET, Purpose::Operation, Some(user))
        .await?;
    let checked = sent.one("checked", &CHECKED, |(code, _)| code);
    let reason = sent.need("reason", "申出の内容を入力してください。");
    let (Some((_, checked)), true) = (checked, sent.errors.is_empty()) else {
        return Err(OperationsError::Input(std::mem::take(&mut sent.errors)));
    };
    let initial = super::initial(room).await?;
    let slip = initial.clone();
    let known = permit.account(&user, now).await?;
    let (by, random) = (visitor.user, room.random.clone());
    let done = permit
        .change(known, now, move |account| {
            let account = account.ok_or(GateError::NotFound)?;
            if !account.active {
                return Err(OperationsError::Stopped);
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
    let line = done.line();
    Ok((done.into_inner(), slip, line))
}

/// POST /operations/people/{user}/password
pub(crate) async fn submit(
    State(room): State<Operations>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let whom = match id(&user) {
        Ok(id) => id,
        Err(error) => return answer(error),
    };
    match act(&room, &visitor, whom, &mut sent).await {
        Ok((login, initial, line)) => slip(&room, &frame, whom, &login, &initial, line),
        Err(OperationsError::Input(errors)) => {
            form(&room, &visitor, &frame, &user, (&sent, errors))
                .await
                .unwrap_or_else(answer)
        }
        Err(error) => answer(error),
    }
}

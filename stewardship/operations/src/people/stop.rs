//! Ends an account at once, with its reason (S4-75, S4-76).

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Account, Visitor, stop};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::rule::few_left;
use super::store::Event;
use super::{about, before_end, few, id, told_few};
use crate::error::answer;
use crate::request;
use crate::screen::{Desk, FormPage, Sent, moved};
use crate::{Operations, OperationsError, action};

/// Why an account ends: code and words.
pub(crate) const WHY: [(&str, &str); 6] = [
    ("moved", "異動"),
    ("left", "退職・契約の終了"),
    ("breach", "規程違反"),
    ("leak", "漏えい・不正利用のおそれ"),
    ("need", "運用上の必要"),
    ("other", "その他"),
];

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let (account, left) = before_end(room, visitor, action::STOP, id(user)?, None).await?;
    let why = WHY.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let at = format!("/operations/people/{user}");
    let fields = vec![
        sent.choose("why", "理由", why, ""),
        sent.line("note", "くわしい理由", true, "例: 11月30日付けで退職"),
    ];
    Ok(
        FormPage::new(frame, "利用の停止", format!("{at}/stop"), &at)
            .words(
                "停止はすぐに効き、使用中の画面も終わります。元に戻すには、新しいIDで登録します。",
            )
            .terms(about(&account))
            .fields(fields.into_iter().chain(few(left)).collect())
            .button("stop", "利用を停止する", "danger")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/stop
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

/// The change that ends an account: the account, its history, requests that wait for it.
pub(crate) fn ending(
    account: &Account,
    by: UserId,
    reason: &str,
    now: Instant,
    random: &dyn Random,
) -> Result<Change, OperationsError> {
    if !account.active {
        return Err(OperationsError::Stopped);
    }
    let event = Event {
        user: account.id,
        kind: "利用停止",
        by,
        reason,
        checked: "",
    };
    Ok(Change {
        statements: vec![
            event.write(now, random),
            request::close_all_of(account.id, by, now),
        ],
        accounts: stop(account, now),
        words: format!("利用停止 {} {reason}", account.login),
    })
}

async fn act(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::STOP, Purpose::Operation, Some(user))
        .await?;
    let why = sent.one("why", &WHY, |(code, _)| code);
    let note = sent.need("note", "くわしい理由を入力してください。");
    let (Some((_, why)), true) = (why, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let reason = format!("{why}: {note}");
    let known = permit.accounts(now).await?;
    let (by, random, told) = (visitor.user, room.random.clone(), told_few(sent));
    permit
        .change(known, now, move |accounts| {
            let account = accounts.iter().find(|a| a.id == user);
            let account = account.ok_or(GateError::NotFound)?;
            told(few_left(&accounts, user, None, now.0))?;
            Ok::<_, OperationsError>((ending(account, by, &reason, now, &*random)?, ()))
        })
        .await?;
    (room.end_sessions)(&user);
    Ok(())
}

/// POST /operations/people/{user}/stop
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { act(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(
        done,
        &format!("/operations/people/{user}"),
        async |errors| form(&room, &visitor, &frame, &user, (&sent, errors)).await,
    )
    .await
}

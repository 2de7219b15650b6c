//! Passkeys of a user: enrolment at the counter with the identity check written down, and revocation (S0-48).

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose, Revealed};
use mimamori_identity::{IdentityCheck, KnownPasskey, Visitor, end_passkey, open_enrolment};
use mimamori_kernel::id::{PasskeyId, UserId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::store::Event;
use super::{about, before, id, may, offers};
use crate::error::answer;
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, moment, moved, settled};
use crate::{Operations, OperationsError, action};

/// State of a passkey: kind of the badge and words.
pub(crate) fn state(passkey: &KnownPasskey) -> (&'static str, &'static str) {
    match (passkey.ended, passkey.suspended) {
        (Some(_), _) => ("info", "失効"),
        (None, Some(_)) => ("danger", "停止（複製の疑い）"),
        (None, None) => ("success", "使用中"),
    }
}

pub(crate) const HEADS: [&str; 6] = ["名前", "登録", "最後の利用", "署名の回数", "状態", "手続"];

/// Rows of the table on a user's page.
pub(crate) fn rows(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    passkeys: &[KnownPasskey],
) -> Vec<Vec<Cell>> {
    let ends = offers(room, visitor, action::PASSKEY_END, None);
    passkeys
        .iter()
        .map(|p| {
            let (kind, words) = state(p);
            let end = match ends && p.ended.is_none() {
                true => Cell::Link(
                    format!("/operations/people/{user}/passkeys/{}/end", p.id),
                    format!("{}を失効する", p.name),
                ),
                false => Cell::text("—"),
            };
            vec![
                Cell::text(&p.name),
                Cell::text(moment(p.created)),
                Cell::text(p.used.map_or("—".into(), moment)),
                Cell::text(p.counter.to_string()),
                Cell::Badge(kind, words.into()),
                end,
            ]
        })
        .collect()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::PASSKEY_OPEN, id(user)?).await?;
    let at = format!("/operations/people/{user}");
    let documents = [
        "職員証",
        "マイナンバーカード",
        "運転免許証",
        "旅券",
        "その他",
    ];
    let documents = documents.map(|d| (d.to_owned(), d.to_owned()));
    Ok(
        FormPage::new(frame, "パスキーの登録の受付", format!("{at}/passkey"), &at)
            .words("本人に会い、書類で確かめてから受け付けます。次の画面に、10分だけ使える受付の番号が一度だけ出ます。")
            .words("本人は、登録する端末でサインインし、「自分のパスキー」で番号を入力します。前に出した番号は使えなくなります。")
            .terms(about(&account))
            .fields(vec![
                sent.choose("document", "確かめた書類", documents, ""),
                sent.line("how", "確かめた方法", true, "例: 写真と顔を見比べ、有効期限を確かめた"),
            ])
            .button("open", "受け付けて番号を出す", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/passkey
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

/// Login and code.
type Opened = (String, String);

async fn open(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<Revealed<Opened>, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::PASSKEY_OPEN,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let document = sent.need("document", "確かめた書類を選んでください。");
    let how = sent.need("how", "確かめた方法を入力してください。");
    sent.complete()?;
    let known = permit.accounts(now).await?;
    let (by, random) = (visitor.user, room.random.clone());
    permit
        .change(known, now, move |accounts| {
            let find = |user: UserId| accounts.iter().find(|a| a.id == user);
            let to = find(user).ok_or(GateError::NotFound)?;
            if !to.active {
                return Err(OperationsError::Stopped);
            }
            let officer = find(by).ok_or(GateError::NotFound)?;
            let checked = format!("{document}: {how}");
            let check = IdentityCheck { document, how };
            let (code, accounts) = open_enrolment(to, officer, &check, now, &*random)?;
            let event = Event {
                user,
                kind: "パスキーの登録の受付",
                by,
                reason: "",
                checked: &checked,
            };
            let change = Change {
                statements: vec![event.write(now, &*random)],
                accounts,
                words: format!("パスキーの登録の受付 {} {checked}", to.login),
            };
            Ok((change, (to.login.clone(), code)))
        })
        .await
}

/// POST /operations/people/{user}/passkey
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { open(&room, &visitor, id(&user)?, &mut sent).await }.await;
    let done = done.map(|opened| {
        let (login, code) = &*opened;
        SheetPage::new(&frame, "パスキーの受付の番号", opened.line())
            .current("/operations/people")
            .banner(
                "warning",
                "この画面は一度だけ表示されます。",
                "番号を本人だけに伝えてください。10分を過ぎたら、受付からやり直します。",
            )
            .terms(vec![
                Term::new("ID", login.clone()),
                Term::new("受付の番号", code.clone()),
            ])
            .words("本人は、登録する端末でサインインし、「自分のパスキー」→「受付の番号でパスキーを登録する」を開きます。")
            .link(format!("/operations/people/{user}"), "利用者の登録内容を開く")
            .answer()
    });
    settled(done, async |errors| {
        form(&room, &visitor, &frame, &user, (&sent, errors)).await
    })
    .await
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    (user, passkey): (&str, &str),
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let (whom, key): (UserId, PasskeyId) = (id(user)?, id(passkey)?);
    may(room, visitor, action::PASSKEY_END, Some(whom)).await?;
    let permit = room
        .gate
        .office(visitor, action::OPEN, Purpose::Operation, Some(whom))
        .await?;
    let known = permit.account(&whom, room.clock.now()).await?;
    let known = known.and(permit.passkeys(&whom).await?);
    let (account, passkeys) = permit.reveal(known).await?.into_inner();
    let account = account.ok_or(GateError::NotFound)?;
    let found = passkeys.iter().find(|p| p.id == key && p.ended.is_none());
    let found = found.ok_or(GateError::NotFound)?;
    let at = format!("/operations/people/{user}");
    let mut terms = about(&account);
    terms.push(Term::new("パスキー", found.name.clone()));
    terms.push(Term::new("登録", moment(found.created)));
    terms.push(Term::new("状態", state(found).1));
    Ok(FormPage::new(
        frame,
        "パスキーの失効",
        format!("{at}/passkeys/{passkey}/end"),
        &at,
    )
    .words("失効はすぐに効き、使用中の画面も終わります。元に戻すには、窓口で登録し直します。")
    .words("ほかにパスキーのない人は、IDとパスワードだけのサインインに戻り、個人番号は扱えません。")
    .terms(terms)
    .fields(vec![sent.line(
        "reason",
        "理由",
        true,
        "例: 端末の紛失の届出による",
    )])
    .button("end", "失効する", "danger")
    .answer(errors))
}

/// GET /operations/people/{user}/passkeys/{passkey}/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path((user, passkey)): Path<(String, String)>,
) -> Response {
    let first = Sent::default();
    end_form(&room, &visitor, &frame, (&user, &passkey), (&first, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn finish(
    room: &Operations,
    visitor: &Visitor,
    (user, passkey): (UserId, PasskeyId),
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::PASSKEY_END, Purpose::Operation, Some(user))
        .await?;
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let known = permit.account(&user, now).await?;
    let (by, random) = (visitor.user, room.random.clone());
    permit
        .change(known, now, move |account| {
            let account = account.ok_or(GateError::NotFound)?;
            let event = Event {
                user,
                kind: "パスキーの失効",
                by,
                reason: &reason,
                checked: "",
            };
            let change = Change {
                statements: vec![event.write(now, &*random)],
                accounts: end_passkey(&account, passkey, &by, now),
                words: format!("パスキーの失効 {} {reason}", account.login),
            };
            Ok::<_, OperationsError>((change, ()))
        })
        .await?;
    if user != visitor.user {
        (room.end_sessions)(&user);
    }
    Ok(())
}

/// POST /operations/people/{user}/passkeys/{passkey}/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path((user, passkey)): Path<(String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async {
        let which = (id(&user)?, id(&passkey)?);
        finish(&room, &visitor, which, &mut sent).await
    };
    let done = done.await;
    let at = format!("/operations/people/{user}");
    moved(done, &at, async |errors| {
        let which = (user.as_str(), passkey.as_str());
        end_form(&room, &visitor, &frame, which, (&sent, errors)).await
    })
    .await
}

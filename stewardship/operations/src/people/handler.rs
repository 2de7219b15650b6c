//! Designated handlers (特定個人情報取扱者): the register, a designation asked for, its end at once (S0-46).

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{DesignationDays, Visitor, end_designation, last_day, may_handle};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::fiscal_year;
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::record::name;
use super::store::Event;
use super::{about, ask, before, id, offers};
use crate::error::answer;
use crate::request::Asked;
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, day, moved};
use crate::{Operations, OperationsError, action};

/// GET /operations/handlers
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now();
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::HANDLER_LIST, Purpose::Operation, None)
            .await?;
        let known = permit.designations().await?;
        let known = known.and(permit.accounts(now).await?);
        let known = known.and(permit.suspended_passkeys().await?);
        Ok::<_, OperationsError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let ((designations, accounts), suspended) = &*shown;
    let ends = offers(&room, &visitor, action::HANDLER_END, None);
    let rows = designations.iter().map(|d| {
        let (kind, words) = match d.closed(now.0) {
            None => ("success", "有効"),
            Some(why) => ("info", why),
        };
        let end = match ends && d.ended.is_none() {
            true => Cell::Link(
                format!("/operations/people/{}/handler/end", d.user),
                format!("{}の指定を終了する", name(accounts, Some(d.user))),
            ),
            false => Cell::text("—"),
        };
        vec![
            Cell::Link(
                format!("/operations/people/{}", d.user),
                name(accounts, Some(d.user)),
            ),
            Cell::text(format!(
                "{}〜{}",
                day(last_day(d.from + 1)),
                day(last_day(d.until))
            )),
            Cell::text(day(Instant(d.trained).office_day())),
            Cell::text(name(accounts, Some(d.requested_by))),
            Cell::text(name(accounts, Some(d.approved_by))),
            Cell::Badge(kind, words.into()),
            end,
        ]
    });
    let heads = [
        "氏名",
        "期間",
        "研修の日",
        "申請した人",
        "承認した人",
        "状態",
        "手続",
    ];
    let mut sheet = SheetPage::new(&frame, "特定個人情報取扱者", shown.line())
        .current("/operations/people")
        .words("個人番号を扱えるのは、ここで指定が有効な人だけです。指定は、利用者の登録内容の画面から申請し、別の人が承認します。")
        .words("研修の日から1年を過ぎると、指定は効かなくなります（想定）。委託先・大学・利用機関の人は指定できません。");
    for (user, passkey) in suspended {
        let text = format!(
            "{}の「{}」。本人に確かめ、失効してから登録し直してください。",
            name(accounts, Some(*user)),
            passkey.name
        );
        sheet = sheet
            .banner("danger", "複製の疑いで停止したパスキーがあります。", text)
            .link(
                format!("/operations/people/{user}"),
                "停止したパスキーの利用者を開く",
            );
    }
    sheet
        .link("/operations/terminals", "登録された端末")
        .link("/operations/people", "利用者の一覧")
        .table(
            "特定個人情報取扱者",
            &heads,
            rows.collect(),
            "指定はまだありません。",
        )
        .answer()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::HANDLER_PROPOSE, id(user)?).await?;
    may_handle(&account)?;
    let at = format!("/operations/people/{user}");
    Ok(FormPage::new(
        frame,
        "特定個人情報取扱者の指定の申請",
        format!("{at}/handler"),
        &at,
    )
    .words("別の運営管理責任者か事業責任者が承認すると、次の操作から効きます。")
    .words("個人番号を扱うには、このほかに、登録された端末と、パスキーか顔認証での本人確認が必要です。")
    .terms(about(&account))
    .fields(vec![
        sent.line("from", "最初の日", false, "空欄は今日から。例: R9.4.1"),
        sent.line("until", "最後の日", false, "空欄は3月31日。"),
        sent.line(
            "trained",
            "研修の日",
            true,
            "特定個人情報の取扱いの研修を受けた日。1年で効かなくなります（想定）。",
        ),
        sent.line("reason", "理由", true, "例: 令和8年度 資格係の担当"),
    ])
    .button("propose", "申請する", "primary")
    .answer(errors))
}

/// GET /operations/people/{user}/handler
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
    let today = room.clock.now().office_day();
    let account = before(room, visitor, action::HANDLER_PROPOSE, user).await?;
    may_handle(&account)?;
    let permit = room
        .gate
        .office(
            visitor,
            action::HANDLER_PROPOSE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let from = sent.day("from").unwrap_or(today);
    let march = Date::new(fiscal_year(from) + 1, 3, 31).unwrap_or(from);
    let until = sent.day("until").unwrap_or(march);
    if until < from {
        sent.refuse("until", "最後の日は、最初の日より後にしてください。");
    }
    if sent.get("trained").is_empty() {
        sent.refuse("trained", "研修の日を入力してください。");
    }
    let trained = sent.day("trained").unwrap_or(today);
    let year_ago = {
        use jiff::ToSpan as _;
        today.saturating_sub(1.year())
    };
    if trained > today || trained <= year_ago {
        sent.refuse(
            "trained",
            "研修の日は、きょうまでの1年以内の日にしてください（想定）。",
        );
    }
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let days = DesignationDays {
        from,
        until,
        trained,
    };
    let asked = Asked::Handler { user, days };
    let words = (reason, "特定個人情報取扱者の指定の申請");
    ask(room, permit, visitor, user, asked, words).await
}

/// POST /operations/people/{user}/handler
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { propose(&room, &visitor, id(&user)?, &mut sent).await }.await;
    let at = format!("/operations/people/{user}");
    moved(done, &at, async |errors| {
        form(&room, &visitor, &frame, &user, (&sent, errors)).await
    })
    .await
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::HANDLER_END, id(user)?).await?;
    let at = format!("/operations/people/{user}/handler/end");
    Ok(FormPage::new(
        frame,
        "特定個人情報取扱者の指定の終了",
        at,
        "/operations/handlers",
    )
    .words("終了はすぐに効き、使用中の画面も終わります。続けるには、申請からやり直します。")
    .terms(about(&account))
    .fields(vec![sent.line(
        "reason",
        "理由",
        true,
        "例: 担当替えのため",
    )])
    .button("end", "指定を終了する", "danger")
    .answer(errors))
}

/// GET /operations/people/{user}/handler/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
) -> Response {
    end_form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
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
        .office(visitor, action::HANDLER_END, Purpose::Operation, Some(user))
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
                kind: "特定個人情報取扱者の指定の終了",
                by,
                reason: &reason,
                checked: "",
            };
            let change = Change {
                statements: vec![event.write(now, &*random)],
                accounts: end_designation(&account, now),
                words: format!("特定個人情報取扱者の指定の終了 {} {reason}", account.login),
            };
            Ok::<_, OperationsError>((change, ()))
        })
        .await?;
    (room.end_sessions)(&user);
    Ok(())
}

/// POST /operations/people/{user}/handler/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { finish(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(done, "/operations/handlers", async |errors| {
        end_form(&room, &visitor, &frame, &user, (&sent, errors)).await
    })
    .await
}

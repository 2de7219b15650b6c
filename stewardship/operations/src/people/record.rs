//! One user's registration with its history.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose, Record};
use mimamori_identity::{Account, may_handle};
use mimamori_kernel::id::UserId;
use mimamori_pages::Term;

use super::rule::{held, state};
use super::store::{EVENT, user as user_of};
use super::{id, offers, passkey, resident};
use crate::error::answer;
use crate::request::{COLUMNS, Request};
use crate::screen::{Cell, Desk, SheetPage, day, mask, moment};
use crate::{OperationsError, action};

pub(crate) fn terms(account: &Account, now: i64) -> Vec<Term> {
    let yes = match account.password_initial {
        true => "初期パスワードのまま",
        false => "本人が決めたもの",
    };
    vec![
        Term::new("ID", account.login.clone()),
        Term::new("氏名", account.name.clone()),
        Term::new("所属・機関", account.org.name.clone()),
        Term::new("状態", state(account, now).1),
        Term::new(
            "利用できる最後の日",
            account.last_day().map_or("期限なし".into(), day),
        ),
        Term::new("パスワード", yes),
        Term::new("閲覧できる情報", mask(account.scope.read)),
        Term::new("変更できる情報", mask(account.scope.write)),
    ]
}

/// Name of a user among all, for a history.
pub(crate) fn name(accounts: &[Account], user: Option<UserId>) -> String {
    let found = accounts.iter().find(|a| Some(a.id) == user);
    found.map_or("—".into(), |a| a.name.clone())
}

fn history(accounts: &[Account], events: &[Record]) -> Vec<Vec<Cell>> {
    events
        .iter()
        .map(|e| {
            let text = |column| e.text(column).unwrap_or("").to_owned();
            vec![
                Cell::text(e.int("happened_at").map_or(String::new(), moment)),
                Cell::text(text("kind")),
                Cell::text(name(accounts, user_of(e, "by_user"))),
                Cell::text(text("reason")),
                Cell::text(text("checked")),
            ]
        })
        .collect()
}

/// GET /operations/people/{user}
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    let now = room.clock.now();
    let read = async {
        let user: UserId = id(&user)?;
        let permit = room
            .gate
            .office(&visitor, action::OPEN, Purpose::Operation, Some(user))
            .await?;
        let accounts = permit.accounts(now).await?;
        let mine = || vec![user.bytes().into()];
        let events = permit
            .fetch(
                "operations_event",
                &EVENT,
                "user_id = ? ORDER BY happened_at DESC LIMIT 200",
                mine(),
            )
            .await?;
        let requests = permit
            .fetch(
                "operations_request",
                &COLUMNS,
                "user_id = ? AND state = 'waiting' ORDER BY proposed_at",
                mine(),
            )
            .await?;
        let ties = permit.ties(&user).await?;
        let passkeys = permit.passkeys(&user).await?;
        let known = accounts.and(events).and(requests).and(ties).and(passkeys);
        let shown = permit.reveal(known).await?;
        Ok::<_, OperationsError>((user, shown))
    };
    let (user, shown) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let ((((accounts, events), requests), ties), passkeys) = &*shown;
    let Some(account) = accounts.iter().find(|a| a.id == user) else {
        return answer(GateError::NotFound.into());
    };
    let at = format!("/operations/people/{user}");
    let duties = account.held.iter().map(|h| {
        let end = match h.over(now.0) {
            true => Cell::text("終了"),
            false if !offers(&room, &visitor, action::ROLE_END, Some(user)) => Cell::text("—"),
            false => Cell::Link(
                format!("{at}/role/end?role={}", h.role.code()),
                "この任命を終える".into(),
            ),
        };
        vec![Cell::text(h.role.japanese()), Cell::text(held(h)), end]
    });
    let waiting = requests.iter().filter_map(Request::read).map(|r| {
        vec![
            Cell::Link(format!("/operations/requests/{}", r.id), r.asked.words()),
            Cell::text(name(accounts, Some(r.proposed_by))),
            Cell::text(moment(r.proposed_at)),
        ]
    });
    let mut terms = terms(account, now.0);
    terms.push(Term::new("本人の宛名番号", resident::words(ties)));
    let mut sheet = SheetPage::new(&frame, "利用者の登録内容", shown.line())
        .current("/operations/people")
        .terms(terms);
    let acts = [
        (action::ROLE_PROPOSE, "role", "任命を申請する"),
        (action::SCOPE_PROPOSE, "scope", "利用範囲の変更を申請する"),
        (
            action::RESIDENT_PROPOSE,
            "resident",
            "本人の宛名番号の登録を申請する",
        ),
        (
            action::PASSKEY_OPEN,
            "passkey",
            "パスキーの登録を受け付ける",
        ),
        (
            action::HANDLER_PROPOSE,
            "handler",
            "特定個人情報取扱者の指定を申請する",
        ),
        (action::RESET, "password", "パスワードを再発行する"),
        (action::CERTIFICATE, "certificate", "登録済証を印刷する"),
        (action::STOP, "stop", "利用を停止する"),
    ];
    for (act, path, label) in acts {
        // Not even the link for somebody who can never be one (S0-59).
        let never = act == action::HANDLER_PROPOSE && may_handle(account).is_err();
        if account.active && !never && offers(&room, &visitor, act, Some(user)) {
            sheet = sheet.link(format!("{at}/{path}"), label);
        }
    }
    let event_heads = ["日時", "手続", "担当した人", "理由", "本人確認"];
    sheet
        .table(
            "任命",
            &["役割", "任期", "手続"],
            duties.collect(),
            "任命はまだありません。",
        )
        .table(
            "パスキー",
            &passkey::HEADS,
            passkey::rows(&room, &visitor, user, passkeys),
            "パスキーはまだ登録されていません。",
        )
        .table(
            "承認を待つ申請",
            &["申請", "申請した人", "申請した日時"],
            waiting.collect(),
            "ありません。",
        )
        .table(
            "手続の記録",
            &event_heads,
            history(accounts, events),
            "記録はまだありません。",
        )
        .answer()
}

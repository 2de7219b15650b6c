//! The list of users, and the chart of duties (運用管理体制図).

use axum::extract::Query;
use axum::response::Response;
use mimamori_gate::{Purpose, Revealed};
use mimamori_identity::{Account, Role, Visitor};
use mimamori_pages::Pagination;

use super::offers;
use super::rule::{held, live, roles, state};
use crate::error::answer;
use crate::screen::{Cell, Desk, SheetPage};
use crate::{Operations, OperationsError, action};

/// Users on one page.
const PAGE: u32 = 50;

#[derive(serde::Deserialize)]
pub(crate) struct Which {
    page: Option<u32>,
}

async fn read(
    room: &Operations,
    visitor: &Visitor,
) -> Result<Revealed<Vec<Account>>, OperationsError> {
    let permit = room
        .gate
        .office(visitor, action::LIST, Purpose::Operation, None)
        .await?;
    let accounts = permit.accounts(room.clock.now()).await?;
    Ok(permit.reveal(accounts).await?)
}

/// GET /operations/people
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Query(which): Query<Which>) -> Response {
    let accounts = match read(&room, &visitor).await {
        Ok(accounts) => accounts,
        Err(error) => return answer(error),
    };
    let now = room.clock.now().0;
    let total = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    let pages = Pagination::new(
        "/operations/people?page=",
        which.page.unwrap_or(1),
        total,
        PAGE,
    );
    let skip = (pages.current.saturating_sub(1) as usize) * PAGE as usize;
    let rows = accounts.iter().skip(skip).take(PAGE as usize).map(|a| {
        let (kind, words) = state(a, now);
        vec![
            Cell::Link(format!("/operations/people/{}", a.id), a.login.clone()),
            Cell::text(&a.name),
            Cell::text(&a.org.name),
            Cell::text(roles(a)),
            Cell::text(a.last_day().map_or("—".into(), crate::screen::day)),
            Cell::Badge(kind, words.into()),
        ]
    });
    let rows = rows.collect();
    let heads = ["ID", "氏名", "所属・機関", "役割", "最後の日", "状態"];
    let mut sheet =
        SheetPage::new(&frame, "利用者の一覧", accounts.line()).current("/operations/people");
    if offers(&room, &visitor, action::REGISTER, None) {
        sheet = sheet.link("/operations/people/new", "利用者を登録する");
    }
    sheet
        .link("/operations/batches", "利用者の一括申請")
        .link("/operations/requests", "承認を待つ申請")
        .link("/operations/reviews", "権限の棚卸し")
        .link("/operations/organisations", "所属・機関")
        .link("/operations/contracts", "委託契約")
        .link("/operations/handlers", "特定個人情報取扱者")
        .link("/operations/terminals", "登録された端末")
        .link("/operations/structure", "運用管理体制図")
        .table("利用者", &heads, rows, "利用者はまだいません。")
        .pages(pages)
        .answer()
}

/// GET /operations/structure
pub(crate) async fn structure(Desk(room, visitor, frame): Desk) -> Response {
    let accounts = match read(&room, &visitor).await {
        Ok(accounts) => accounts,
        Err(error) => return answer(error),
    };
    let now = room.clock.now().0;
    let mut sheet = SheetPage::new(&frame, "運用管理体制図", accounts.line())
        .current("/operations/people")
        .words("いま有効な任命から作っています。書き換えるには、任命を変えてください。");
    let order = [
        Role::ProgrammeDirector,
        Role::OperationsManager,
        Role::Auditor,
        Role::SystemAdministrator,
    ];
    let rest = Role::ALL.into_iter().filter(|r| !order.contains(r));
    for role in order.into_iter().chain(rest) {
        if matches!(role, Role::Citizen | Role::Proxy) {
            continue;
        }
        let of = accounts
            .iter()
            .filter(|a| live(a) && a.usable(now) && a.roles.contains(&role));
        let rows: Vec<_> = of
            .map(|a| {
                let period = a
                    .held
                    .iter()
                    .find(|h| h.role == role)
                    .map_or(String::new(), held);
                vec![
                    Cell::text(&a.org.name),
                    Cell::text(&a.name),
                    Cell::text(period),
                ]
            })
            .collect();
        let heads = ["所属・機関", "氏名", "任期"];
        sheet = sheet.table(
            role.japanese(),
            &heads,
            rows,
            "任命されている人はいません。",
        );
    }
    sheet.answer()
}

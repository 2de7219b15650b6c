//! How many users there are: for those who keep the machine and need no names.

use axum::response::Response;
use mimamori_gate::{Purpose, Record};
use mimamori_identity::{Account, Contract, OrgKind};
use mimamori_kernel::id::UserId;
use mimamori_pages::Term;

use super::rule::{live, state};
use super::store::user as user_of;
use crate::error::answer;
use crate::review::Quarter;
use crate::screen::{Desk, SheetPage};
use crate::{OperationsError, action};

/// Sixty days, in microseconds: a contract that ends within them is counted.
const SOON: i64 = 60 * 24 * 3600 * 1_000_000;

/// Names of the counts with their numbers.
fn count(accounts: &[Account], contracts: &[Contract], now: i64) -> Vec<(&'static str, usize)> {
    let states = [
        "利用中",
        "初期パスワードのまま",
        "役割なし",
        "期限切れ",
        "有効な契約なし",
        "所属が終了",
        "停止",
    ];
    let mut out: Vec<(&'static str, usize)> = states
        .into_iter()
        .map(|s| (s, accounts.iter().filter(|a| state(a, now).1 == s).count()))
        .collect();
    let of = |kind| {
        accounts
            .iter()
            .filter(|a| live(a) && a.org.kind == kind)
            .count()
    };
    out.push(("うち市の職員", of(OrgKind::Department)));
    out.push(("うち利用機関", of(OrgKind::Institution)));
    out.push(("うち委託先", of(OrgKind::Contractor)));
    out.push(("うち大学", of(OrgKind::University)));
    let open = contracts.iter().filter(|c| c.holds(now));
    let ending = open.clone().filter(|c| c.until - now <= SOON).count();
    out.push(("有効な委託契約", open.count()));
    out.push(("うち60日以内に終わる委託契約", ending));
    out
}

/// GET /operations/overview
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now();
    let quarter = Quarter::of(now.office_day());
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::OVERVIEW, Purpose::Operation, None)
            .await?;
        let accounts = permit.accounts(now).await?;
        let contracts = permit.contracts().await?;
        let waiting = permit
            .fetch("operations_request", &["id"], "state = 'waiting'", vec![])
            .await?;
        let answered = permit
            .fetch(
                "operations_review",
                &["user_id"],
                "quarter = ?",
                vec![quarter.code().into()],
            )
            .await?;
        let counts = accounts.and(contracts).and(waiting.and(answered)).map(
            |((accounts, contracts), (waiting, answered))| {
                let looked_at = |user: UserId| {
                    let of = |r: &Record| user_of(r, "user_id") == Some(user);
                    answered.iter().any(of)
                };
                let left = accounts.iter().filter(|a| live(a) && !looked_at(a.id));
                let left = left.count();
                (count(&accounts, &contracts, now.0), waiting.len(), left)
            },
        );
        Ok::<_, OperationsError>(permit.reveal(counts).await?)
    };
    let counts = match read.await {
        Ok(counts) => counts,
        Err(error) => return answer(error),
    };
    let (numbers, waiting, left) = &*counts;
    let mut terms: Vec<Term> = numbers
        .iter()
        .map(|(name, n)| Term::new(*name, n.to_string()))
        .collect();
    terms.push(Term::new("承認を待つ申請", format!("{waiting}件")));
    terms.push(Term::new(
        format!("{}の棚卸しで残っている利用者", quarter.japanese()),
        format!("{left}人"),
    ));
    SheetPage::new(&frame, "利用者管理のようす", counts.line())
        .current("/operations/overview")
        .words("数だけを表示しています。市民の利用者は含みません。")
        .terms(terms)
        .answer()
}

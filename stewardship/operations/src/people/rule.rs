//! Rules about users; pure.

use jiff::civil::Date;
use mimamori_identity::{Account, Held, OrgKind, Period, Role, last_day};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;

use crate::OperationsError;
use crate::screen::day;

/// The state of an account: kind of the badge and words.
pub(crate) fn state(account: &Account, now: i64) -> (&'static str, &'static str) {
    if !account.active {
        ("danger", "停止")
    } else if account.org_ended {
        ("danger", "所属が終了")
    } else if account.org.kind == OrgKind::Contractor && account.terms.is_empty() {
        ("warning", "有効な契約なし")
    } else if !account.usable(now) {
        ("warning", "期限切れ")
    } else if account.roles.is_empty() {
        ("info", "役割なし")
    } else if account.password_initial {
        ("info", "初期パスワードのまま")
    } else {
        ("success", "利用中")
    }
}

/// Whether somebody can sign in now or will be able to: what the quarterly review looks at.
pub(crate) fn live(account: &Account) -> bool {
    account.active && !account.org_ended
}

/// Roles that manage or watch the system.
pub(crate) fn over_others(role: Role) -> bool {
    matches!(
        role,
        Role::OperationsManager
            | Role::ProgrammeDirector
            | Role::SystemAdministrator
            | Role::Auditor
    )
}

/// Whether the account manages or watches the system: its password is given anew by two persons,
/// or one manager could make himself another (S4-28, S4-74).
pub(crate) fn needs_two(account: &Account, now: i64) -> bool {
    account
        .held
        .iter()
        .any(|h| !h.over(now) && over_others(h.role))
}

/// A role with its period in words.
pub(crate) fn held(held: &Held) -> String {
    let from = held.from.map(|f| format!("{}から", day(last_day(f + 1))));
    let until = held.until.map(|u| format!("{}まで", day(last_day(u))));
    match (from, until) {
        (None, None) => "期限なし".into(),
        (from, until) => from.unwrap_or_default() + &until.unwrap_or_default(),
    }
}

/// The roles in force, in words.
pub(crate) fn roles(account: &Account) -> String {
    match account.roles.is_empty() {
        true => "なし".into(),
        false => {
            let words: Vec<&str> = account.roles.iter().map(|r| r.japanese()).collect();
            words.join("、")
        }
    }
}

/// Roles that the office appoints for a kind of organisation; citizens enter elsewhere.
pub(crate) fn roles_of(kind: OrgKind) -> impl Iterator<Item = Role> {
    Role::ALL
        .into_iter()
        .filter(move |r| kind != OrgKind::Citizens && kind.may_hold(*r))
}

/// The role that somebody holds now or will hold.
pub(crate) fn holds(account: &Account, role: Role, now: i64) -> Option<&Held> {
    account.held.iter().find(|h| h.role == role && !h.over(now))
}

/// Whether an appointment changes anything: somebody who holds the role can only be appointed for
/// longer, and without a gap, because the new period takes the place of the old one.
pub(crate) fn new_to(
    account: &Account,
    role: Role,
    period: Period,
    now: Instant,
) -> Result<(), OperationsError> {
    let Some(duty) = holds(account, role, now.0) else {
        return Ok(());
    };
    let later = |end: i64| {
        period
            .until
            .is_none_or(|u| Instant::after_office_day(u).0 > end)
    };
    if !duty.until.is_some_and(later) {
        let message = format!(
            "この役割には、もう就いています（{}）。延ばすときは、いまより後の最後の日を入力してください。",
            held(duty)
        );
        return Err(OperationsError::field("role", &message));
    }
    match period.from.is_some_and(|from| from > now.office_day()) {
        true => Err(OperationsError::field(
            "from",
            "いまの任期を延ばすときは、最初の日を空欄にしてください。",
        )),
        false => Ok(()),
    }
}

/// Whether holders of the role approve requests (S4-16, S4-28).
fn approves(role: &Role) -> bool {
    matches!(role, Role::OperationsManager | Role::ProgrammeDirector)
}

/// How many who can approve would remain without this user, or without his role `ended`: none when
/// that changes nothing or leaves the two who are needed.
pub(crate) fn few_left(
    accounts: &[Account],
    user: UserId,
    ended: Option<Role>,
    now: i64,
) -> Option<usize> {
    let works = |a: &Account, without: Option<Role>| {
        a.usable(now) && a.roles.iter().any(|r| approves(r) && Some(*r) != without)
    };
    let leaving = accounts.iter().find(|a| a.id == user)?;
    let stays = ended.is_some() && works(leaving, ended);
    if !works(leaving, None) || stays {
        return None;
    }
    let others = accounts.iter().filter(|a| a.id != user && works(a, None));
    Some(others.count()).filter(|n| *n < 2)
}

/// A period that is not over and not the wrong way round.
pub(crate) fn period(
    from: Option<Date>,
    until: Option<Date>,
    today: Date,
) -> Result<Period, OperationsError> {
    if until.is_some_and(|u| u < today) {
        return Err(OperationsError::field(
            "until",
            "最後の日が過ぎています。今日より後の日にしてください。",
        ));
    }
    if from.zip(until).is_some_and(|(f, u)| u < f) {
        return Err(OperationsError::field(
            "until",
            "最後の日が最初の日より前です。",
        ));
    }
    Ok(Period { from, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_period_may_begin_later_but_not_end_before_today_or_before_it_begins() {
        let today = date(2026, 11, 21);
        assert!(period(None, None, today).is_ok());
        assert!(period(None, Some(today), today).is_ok());
        let later = Some(date(2027, 4, 1));
        assert!(period(later, Some(date(2028, 3, 31)), today).is_ok());
        assert!(period(None, Some(date(2026, 11, 20)), today).is_err());
        assert!(period(later, Some(date(2027, 3, 31)), today).is_err());
    }

    #[test]
    fn the_office_appoints_nobody_as_a_citizen() {
        assert_eq!(roles_of(OrgKind::Citizens).count(), 0);
        assert!(roles_of(OrgKind::Department).any(|r| r == Role::Clerk));
        assert_eq!(
            roles_of(OrgKind::Contractor).collect::<Vec<_>>(),
            [Role::Contractor]
        );
    }

    #[test]
    fn a_period_in_words_names_its_first_and_last_day() {
        let first = mimamori_kernel::clock::Instant::after_office_day(date(2027, 3, 31)).0;
        let end = mimamori_kernel::clock::Instant::after_office_day(date(2028, 3, 31)).0;
        let words = held(&Held {
            role: Role::Clerk,
            from: Some(first),
            until: Some(end),
        });
        assert_eq!(words, "令和9年4月1日 (2027)から令和10年3月31日 (2028)まで");
    }
}

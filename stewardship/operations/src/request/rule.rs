//! Who may decide what; pure.

use jiff::civil::Date;
use mimamori_identity::{
    Account, AccountChange, Contract, DesignationDays, Initial, Mark, Period, Role, Scope, Terms,
    Ties, appoint, designate, enter_contract, enter_terminal, reset_password, set_scope, set_ties,
    stop,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, DesignationId, OrgId, RequestId, TerminalId, UserId};

use crate::people::rule::{holds, needs_two, new_to, over_others};
use crate::screen::{day, mask};
use crate::{INITIAL, OperationsError};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Role {
        user: UserId,
        role: Role,
        period: Period,
        /// What a new user declared of himself and his household; empty for a further appointment.
        ties: Ties,
    },
    /// Which resident the user is, and who lives with him, in place of what was entered before.
    Resident {
        user: UserId,
        ties: Ties,
    },
    Scope {
        user: UserId,
        scope: Scope,
    },
    Leave {
        user: UserId,
    },
    /// A new initial password of somebody who manages or watches the system.
    Password {
        user: UserId,
        /// How the asker checked who it is, in words.
        checked: String,
    },
    /// A designation as 特定個人情報取扱者.
    Handler {
        user: UserId,
        days: DesignationDays,
    },
    /// A terminal from which numbers may be handled.
    Terminal {
        mark: Mark,
        name: String,
        place: String,
    },
    Contract {
        org: OrgId,
        subject: String,
        terms: Terms,
        days: (Date, Date),
    },
}

impl Asked {
    /// The user whom it is about.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Role { user, .. }
            | Self::Resident { user, .. }
            | Self::Scope { user, .. }
            | Self::Leave { user }
            | Self::Handler { user, .. }
            | Self::Password { user, .. } => Some(*user),
            Self::Contract { .. } | Self::Terminal { .. } => None,
        }
    }

    /// In words, for a list.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Role {
                role, period, ties, ..
            } => {
                let from = period.from.map_or("承認の時".into(), day);
                let until = period.until.map_or("期限なし".into(), day);
                let also = match ties.is_empty() {
                    true => String::new(),
                    false => format!("、{}", declared(ties)),
                };
                format!("任命: {}（{from}〜{until}）{also}", role.japanese())
            }
            Self::Resident { ties, .. } => declared(ties),
            Self::Scope { scope, .. } => format!(
                "利用範囲: 閲覧は{}、変更は{}",
                mask(scope.read),
                mask(scope.write)
            ),
            Self::Leave { .. } => "利用の終了".into(),
            Self::Handler { days, .. } => format!(
                "特定個人情報取扱者の指定（{}〜{}、研修 {}）",
                day(days.from),
                day(days.until),
                day(days.trained)
            ),
            Self::Terminal { mark, name, place } => {
                format!("端末の登録: {name}（{place}、{}）", mark.text())
            }
            Self::Password { checked, .. } => {
                format!("パスワードの再発行（本人確認: {checked}）")
            }
            Self::Contract {
                subject,
                terms,
                days,
                ..
            } => format!(
                "契約: {subject}（{}〜{}、情報は{}）",
                day(days.0),
                day(days.1),
                mask(terms.classes)
            ),
        }
    }
}

/// How much was declared, without a number.
pub(crate) fn declared(ties: &Ties) -> String {
    let own = match ties.own {
        Some(_) => "登録する",
        None => "登録しない",
    };
    let more = ties.household.len();
    format!("本人の宛名番号: {own}（同じ世帯の人{more}人）")
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Approved,
    Declined,
    Withdrawn,
}

impl State {
    pub(crate) const ALL: [Self; 4] = [
        Self::Waiting,
        Self::Approved,
        Self::Declined,
        Self::Withdrawn,
    ];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(crate) fn japanese(self) -> &'static str {
        match self {
            Self::Waiting => "承認待ち",
            Self::Approved => "承認",
            Self::Declined => "却下",
            Self::Withdrawn => "取下げ",
        }
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) asked: Asked,
    pub(crate) reason: String,
    pub(crate) proposed_by: UserId,
    pub(crate) proposed_at: i64,
    pub(crate) state: State,
}

/// To whom an approval hands a new initial password, shown to the approver alone: whoever asked for
/// a reissue, and whoever comes to manage or watch the system with a password that one person could
/// have given out. Without that one manager would make himself another (S4-28, S4-74; decision 0023).
/// Never to somebody who holds the role already: he only keeps it for longer.
pub(crate) fn hands_out<'a>(
    request: &Request,
    accounts: &'a [Account],
    now: Instant,
) -> Option<&'a Account> {
    let find = |user: &UserId| accounts.iter().find(|a| a.id == *user);
    match &request.asked {
        Asked::Password { user, .. } => find(user),
        Asked::Role { user, role, .. } if over_others(*role) => {
            let new = |a: &&Account| holds(a, *role, now.0).is_none();
            find(user)
                .filter(new)
                .filter(|a| a.password_initial || !needs_two(a, now.0))
        }
        _ => None,
    }
}

/// What an approval, refusal or withdrawal by `by` writes into accounts.
///
/// Only the person who asked withdraws; approving needs somebody who neither asked nor is meant.
/// `initial` is the password that an approval gives out, see [`hands_out`].
pub(crate) fn decide(
    request: &Request,
    to: State,
    by: UserId,
    accounts: &[Account],
    initial: Option<&Initial>,
    now: Instant,
) -> Result<AccountChange, OperationsError> {
    if request.state != State::Waiting || to == State::Waiting {
        return Err(OperationsError::Decided);
    }
    let asker = request.proposed_by == by;
    match to {
        State::Withdrawn if asker => return Ok(AccountChange::default()),
        State::Declined if !asker => return Ok(AccountChange::default()),
        State::Approved if !asker && request.asked.user() != Some(by) => {}
        _ => return Err(OperationsError::SamePerson),
    }
    let find = |user: UserId| accounts.iter().find(|a| a.id == user);
    let asked_by = find(request.proposed_by).ok_or(OperationsError::AskerGone)?;
    let of_office = asked_by.active && asked_by.roles.contains(&Role::OperationsManager);
    let leaving = matches!(request.asked, Asked::Leave { user } if user == request.proposed_by);
    if !of_office && !leaving {
        return Err(OperationsError::AskerGone);
    }
    let open = |user: UserId| {
        let account = find(user).filter(|a| a.active);
        account.ok_or(OperationsError::Stopped)
    };
    Ok(match &request.asked {
        Asked::Role {
            user,
            role,
            period,
            ties,
        } => {
            let (approver, to) = (open(by)?, open(*user)?);
            new_to(to, *role, *period, now).map_err(|_| OperationsError::Held)?;
            let mut change = appoint(asked_by, approver, to, *role, *period, now)?;
            if !ties.is_empty() {
                change = change.and(set_ties(user, ties));
            }
            match hands_out(request, accounts, now) {
                None => change,
                Some(_) => {
                    let initial = initial.ok_or(OperationsError::Machine)?;
                    // The appointment has raised the epoch once by then.
                    let mut after = to.clone();
                    after.epoch += 1;
                    change.and(reset_password(&after, initial, now, INITIAL))
                }
            }
        }
        Asked::Resident { user, ties } => set_ties(&open(*user)?.id, ties),
        Asked::Scope { user, scope } => set_scope(open(*user)?, *scope),
        Asked::Leave { user } => stop(open(*user)?, now),
        Asked::Handler { user, days } => {
            let id = DesignationId::from_bytes(*request.id.bytes());
            let two = (asked_by, open(by)?);
            designate(id, two, open(*user)?, *days, now)?
        }
        Asked::Terminal { mark, name, place } => {
            let id = TerminalId::from_bytes(*request.id.bytes());
            enter_terminal(id, mark, (name, place), &by, now)
        }
        Asked::Password { user, .. } => {
            let initial = initial.ok_or(OperationsError::Machine)?;
            reset_password(open(*user)?, initial, now, INITIAL)
        }
        Asked::Contract {
            org,
            subject,
            terms,
            days,
        } => enter_contract(&Contract::new(
            ContractId::from_bytes(*request.id.bytes()),
            *org,
            subject.clone(),
            terms.clone(),
            *days,
        )),
    })
}

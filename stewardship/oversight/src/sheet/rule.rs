//! Drafting and deciding; pure.

use mimamori_gate::Statement;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;

use super::model::{CaseId, Content, Kind, State, Version, in_force};
use crate::OversightError;

/// What is decided about a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It comes into force.
    Approve,
    /// It goes back to whoever wrote it.
    Return,
    /// Whoever wrote it takes it back.
    Withdraw,
}

impl Decision {
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "approve" => Some(Self::Approve),
            "return" => Some(Self::Return),
            "withdraw" => Some(Self::Withdraw),
            _ => None,
        }
    }

    pub(crate) fn japanese(self) -> &'static str {
        match self {
            Self::Approve => "シートの承認",
            Self::Return => "シートの差戻し",
            Self::Withdraw => "シートの案の取下げ",
        }
    }
}

/// A new draft after the versions there are, and its writes. What somebody wrote stays as its own version: an approver
/// approves what he saw. Another person's draft has to be given back first.
pub(crate) fn draft(
    versions: &[Version],
    (case, kind): (CaseId, Kind),
    (content, reason): (Content, String),
    by: UserId,
    now: Instant,
) -> Result<(Version, Vec<Statement>), OversightError> {
    let of_sheet = || versions.iter().filter(move |v| v.kind == kind);
    if let Some(current) = in_force(versions, kind)
        && current.content == content
    {
        return Err(OversightError::field(
            "title",
            "有効な版と同じ内容です。変える箇所を直してください。",
        ));
    }
    let mut statements = Vec::new();
    if let Some(open) = of_sheet().find(|v| v.state == State::Draft) {
        if open.drafted_by != by {
            return Err(OversightError::field(
                "title",
                "ほかの人の案が承認を待っています。承認か差戻しのあとで起案してください。",
            ));
        }
        statements.push(open.moves(State::Dropped, by, now));
    }
    let version = Version {
        case,
        kind,
        number: of_sheet().map(|v| v.number).max().unwrap_or(0) + 1,
        state: State::Draft,
        content,
        reason,
        drafted_by: by,
        drafted_at: now.0,
        decided_by: None,
        decided_at: 0,
    };
    statements.push(version.write());
    Ok((version, statements))
}

/// The writes of a decision about one draft. Approving and giving back need somebody who did not write it.
pub(crate) fn decide(
    versions: &[Version],
    (kind, number): (Kind, i64),
    decision: Decision,
    by: UserId,
    now: Instant,
) -> Result<Vec<Statement>, OversightError> {
    let found = versions
        .iter()
        .find(|v| v.kind == kind && v.number == number && v.state == State::Draft);
    let draft = found.ok_or(OversightError::Decided)?;
    let own = draft.drafted_by == by;
    match decision {
        Decision::Withdraw if own => Ok(vec![draft.moves(State::Dropped, by, now)]),
        Decision::Return if !own => Ok(vec![draft.moves(State::Dropped, by, now)]),
        Decision::Approve if !own => {
            let before = in_force(versions, kind).map(Version::supersede);
            let now = draft.moves(State::Approved, by, now);
            Ok(before.into_iter().chain([now]).collect())
        }
        _ => Err(OversightError::SamePerson),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const AT: Instant = Instant(1_795_000_000_000_000);

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    fn case() -> CaseId {
        CaseId::from_bytes([9; 16])
    }

    fn first() -> Version {
        let content = sample::content(Kind::Outsourcing);
        crate::sheet::first_version(case(), Kind::Outsourcing, content, (user(1), user(2)), 1)
    }

    fn without_email() -> Content {
        let mut content = sample::content(Kind::Outsourcing);
        content.items.retain(|i| i.id != "email");
        content
    }

    fn drafted(by: u8) -> Vec<Version> {
        let all = vec![first()];
        let at = (case(), Kind::Outsourcing);
        let (draft, writes) = draft(
            &all,
            at,
            (without_email(), "電話で足りる".into()),
            user(by),
            AT,
        )
        .unwrap();
        assert_eq!((draft.number, writes.len()), (2, 1));
        vec![all[0].clone(), draft]
    }

    #[test]
    fn whoever_wrote_a_draft_cannot_approve_it_and_only_he_withdraws_it() {
        let all = drafted(1);
        let at = (Kind::Outsourcing, 2);
        let tries = [
            (Decision::Approve, 1, false),
            (Decision::Return, 1, false),
            (Decision::Withdraw, 1, true),
            (Decision::Approve, 2, true),
            (Decision::Return, 2, true),
            (Decision::Withdraw, 2, false),
        ];
        for (decision, by, works) in tries {
            let done = decide(&all, at, decision, user(by), AT);
            assert_eq!(done.is_ok(), works, "{decision:?} by {by}");
        }
        let approved = decide(&all, at, Decision::Approve, user(2), AT).unwrap();
        assert_eq!(approved.len(), 2, "the version before is put aside");
        for (kind, number) in [(Kind::Outsourcing, 1), (Kind::External, 2)] {
            let done = decide(&all, (kind, number), Decision::Approve, user(2), AT);
            assert!(matches!(done, Err(OversightError::Decided)));
        }
    }

    #[test]
    fn a_draft_of_somebody_else_stands_in_the_way_and_the_own_one_is_put_aside() {
        let all = drafted(1);
        let at = (case(), Kind::Outsourcing);
        let other = draft(&all, at, (without_email(), "別の理由".into()), user(2), AT);
        assert!(matches!(other, Err(OversightError::Input(_))));
        let (third, writes) =
            draft(&all, at, (without_email(), "直し".into()), user(1), AT).unwrap();
        assert_eq!((third.number, writes.len()), (3, 2));
        let same = (sample::content(Kind::Outsourcing), "同じ".into());
        assert!(draft(&all[..1], at, same, user(1), AT).is_err());
    }
}

//! Who may answer, and what an answer does; no input, no output.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::monitor::Rules;

/// A reviewer's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The look belonged to the officer's work.
    Fine,
    /// The officer or his head is asked; another answer must follow.
    Inquiry,
    /// A look without a duty: goes on as an incident.
    Incident,
}

impl Answer {
    pub const ALL: [Self; 3] = [Self::Fine, Self::Inquiry, Self::Incident];

    pub fn code(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Inquiry => "inquiry",
            Self::Incident => "incident",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.code() == code)
    }

    pub fn japanese(self) -> &'static str {
        match self {
            Self::Fine => "業務上必要な閲覧だった",
            Self::Inquiry => "本人または所属長に照会する",
            Self::Incident => "事故として扱う",
        }
    }

    /// The state that this answer leaves after the earlier ones: what was once an incident stays one, also when later
    /// looks of that day turn out to be work.
    pub fn state(self, earlier: &[Option<Self>]) -> Self {
        match self {
            Self::Fine if earlier.contains(&Some(Self::Incident)) => Self::Incident,
            other => other,
        }
    }

    /// The day of the next answer; none when the alert is closed by this one.
    pub fn next_due(self, rules: &Rules, today: Date) -> Option<Date> {
        (self == Self::Inquiry).then(|| today.saturating_add(rules.inquiry_within_days.days()))
    }
}

/// Word for the state of an alert: `open`, `again` when looks came after an answer, or what its last answer left.
pub(crate) fn state_word(state: &str) -> &'static str {
    match Answer::from_code(state) {
        Some(Answer::Fine) => "問題なし",
        Some(Answer::Inquiry) => "照会中",
        Some(Answer::Incident) => "事故",
        None if state == "again" => "回答の後に増えた",
        None => "未回答",
    }
}

/// Whether an answer is still needed.
pub(crate) fn is_open(state: &str) -> bool {
    matches!(state, "open" | "again" | "inquiry")
}

/// Why this reviewer may not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswerable {
    #[error("自分の閲覧についての点検結果には回答できません。ほかの監査責任者が回答してください。")]
    Own,
    #[error("この点検結果には、すでに回答があります。")]
    Closed,
    #[error("表示した後に閲覧が増えました。増えた行を確かめてから、もう一度回答してください。")]
    Grown,
}

/// Whether an answer given after `seen`, the last line on the screen, judges all of an alert that ends with `last`.
pub(crate) fn saw_all(seen: &str, last: i64) -> Result<(), Unanswerable> {
    match seen.parse() == Ok(last) {
        true => Ok(()),
        false => Err(Unanswerable::Grown),
    }
}

/// How many of the counted lines came after `answered`, the last line that an answer was about.
pub(crate) fn later(lines: &[u64], answered: i64) -> usize {
    let after = |line: &&u64| i64::try_from(**line).is_ok_and(|l| l > answered);
    lines.iter().filter(after).count()
}

/// Whether `reviewer` may answer an alert about `actor` in this state.
pub(crate) fn may_answer(
    actor: &[u8; 16],
    reviewer: &[u8; 16],
    state: &str,
) -> Result<(), Unanswerable> {
    if actor == reviewer {
        Err(Unanswerable::Own)
    } else if is_open(state) {
        Ok(())
    } else {
        Err(Unanswerable::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answers_for_himself_and_a_closed_alert_stays_closed() {
        assert_eq!(
            may_answer(&[1; 16], &[1; 16], "open"),
            Err(Unanswerable::Own)
        );
        assert_eq!(may_answer(&[1; 16], &[2; 16], "open"), Ok(()));
        assert_eq!(may_answer(&[1; 16], &[2; 16], "inquiry"), Ok(()));
        assert_eq!(may_answer(&[1; 16], &[2; 16], "again"), Ok(()));
        for closed in ["fine", "incident"] {
            assert_eq!(
                may_answer(&[1; 16], &[2; 16], closed),
                Err(Unanswerable::Closed)
            );
        }
    }

    #[test]
    fn an_answer_is_about_the_lines_that_were_seen() {
        assert_eq!(saw_all("12", 12), Ok(()));
        for seen in ["", "x", "11", "13"] {
            assert_eq!(saw_all(seen, 12), Err(Unanswerable::Grown), "{seen}");
        }
        assert_eq!(
            (later(&[3, 7, 12], 7), later(&[3], 3), later(&[], 0)),
            (1, 0, 0)
        );
        let incident = [Some(Answer::Incident)];
        assert_eq!(Answer::Fine.state(&incident), Answer::Incident);
        assert_eq!(Answer::Inquiry.state(&incident), Answer::Inquiry);
        assert_eq!(Answer::Fine.state(&[Some(Answer::Inquiry)]), Answer::Fine);
    }

    #[test]
    fn only_an_inquiry_leaves_an_alert_open_with_a_new_day() {
        let rules = Rules::built_in().unwrap();
        let today = jiff::civil::date(2026, 11, 21);
        assert_eq!(
            Answer::Inquiry.next_due(&rules, today),
            Some(jiff::civil::date(2026, 12, 5))
        );
        assert_eq!(Answer::Fine.next_due(&rules, today), None);
        assert_eq!(Answer::Incident.next_due(&rules, today), None);
    }
}

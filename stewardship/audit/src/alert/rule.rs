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

    /// The day of the next answer; none when the alert is closed by this one.
    pub fn next_due(self, rules: &Rules, today: Date) -> Option<Date> {
        (self == Self::Inquiry).then(|| today.saturating_add(rules.inquiry_within_days.days()))
    }
}

/// Word for the state of an alert: `open` or the code of its last answer.
pub(crate) fn state_word(state: &str) -> &'static str {
    match Answer::from_code(state) {
        Some(Answer::Fine) => "問題なし",
        Some(Answer::Inquiry) => "照会中",
        Some(Answer::Incident) => "事故",
        None => "未回答",
    }
}

/// Whether an answer is still needed.
pub(crate) fn is_open(state: &str) -> bool {
    matches!(state, "open" | "inquiry")
}

/// Why this reviewer may not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswerable {
    #[error("自分の閲覧についての点検結果には回答できません。ほかの監査責任者が回答してください。")]
    Own,
    #[error("この点検結果には、すでに回答があります。")]
    Closed,
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
        for closed in ["fine", "incident"] {
            assert_eq!(
                may_answer(&[1; 16], &[2; 16], closed),
                Err(Unanswerable::Closed)
            );
        }
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

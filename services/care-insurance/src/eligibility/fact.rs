//! What an officer enters by hand because the register cannot tell it (FACTS B.2): an application as
//! second category, a stay in an exempt facility, another town's special address, a day that the
//! register knows only in part. The law works on from these facts; nothing here is a result. Pure.

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_kernel::date::{PartialDate, day_age_is_reached};

use super::reason::{Codes, Reason};
use super::rule::{ACT, Category, Person, Qualification, Term};
use super::span::Span;

/// What is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 2号: applied for certification or for a card, with a medical insurance.
    Second,
    /// 適用除外施設: in until out.
    Exempt,
    /// 他市町村の住所地特例 (他特例).
    OtherSpecial,
    /// The birth that holds for the qualification while the register knows it only in part.
    Birth,
    /// The day of moving in, likewise.
    MovedIn,
    /// The day of moving out, likewise.
    MovedOut,
    /// The day of death, likewise.
    Death,
}

impl Kind {
    /// All of them, in the order of the screen.
    pub const ALL: [Self; 7] = [
        Self::Second,
        Self::Exempt,
        Self::OtherSpecial,
        Self::Birth,
        Self::MovedIn,
        Self::MovedOut,
        Self::Death,
    ];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Exempt => "exempt",
            Self::OtherSpecial => "other-special",
            Self::Birth => "birth",
            Self::MovedIn => "moved-in",
            Self::MovedOut => "moved-out",
            Self::Death => "died",
        }
    }

    /// The kind of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// The words on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Second => "第2号被保険者（認定の申請・被保険者証の交付申請）",
            Self::Exempt => "適用除外施設の入所・退所",
            Self::OtherSpecial => "他市町村の住所地特例（他特例）",
            Self::Birth => "生年月日を決める（不詳のとき）",
            Self::MovedIn => "転入日を決める（不詳のとき）",
            Self::MovedOut => "転出日を決める（不詳のとき）",
            Self::Death => "死亡日を決める（不詳のとき）",
        }
    }

    /// Whether it lasts from one day to another, not only settles a day.
    pub fn lasts(self) -> bool {
        matches!(self, Self::Second | Self::Exempt | Self::OtherSpecial)
    }

    /// Keys of the reasons that its begin and its end lead to.
    fn keys(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Second => Some(("second-applied", "medical-ended")),
            Self::Exempt => Some(("exempt-began", "exempt-ended")),
            Self::OtherSpecial => Some(("other-special-began", "other-special-ended")),
            Self::Birth | Self::MovedIn | Self::MovedOut | Self::Death => None,
        }
    }

    /// The reasons of the town's table on the days of begin and end.
    ///
    /// # Errors
    /// `from` or `until`, the field on whose day no such reason may be used.
    pub fn reasons(
        self,
        from: Date,
        until: Option<Date>,
        codes: &Codes,
    ) -> Result<Vec<&Reason>, &'static str> {
        let Some((begin, end)) = self.keys() else {
            return Ok(vec![]);
        };
        // Whoever lived in a facility before the act was never insured: its first day is the act's.
        let on = |day: Date| match self {
            Self::Second => day,
            _ => day.max(ACT),
        };
        let mut out = vec![codes.on(begin, on(from)).map_err(|_| "from")?];
        if let Some(until) = until {
            out.push(codes.on(end, on(until)).map_err(|_| "until")?);
        }
        Ok(out)
    }
}

/// One fact as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Number inside the person's facts, from 1.
    pub number: u32,
    /// What it is.
    pub kind: Kind,
    /// First day, or the day that was settled.
    pub from: Date,
    /// Day of the event that ended it; none while it lasts, and of a settled day.
    pub until: Option<Date>,
    /// Taken back (取消): it counts no more.
    pub cancelled: bool,
}

/// Why a fact cannot be entered: the field and what to do.
pub type Wrong = (&'static str, String);

impl Fact {
    /// Checks what an officer typed against the day of the office, the other facts and the birth,
    /// as far as this room knows it.
    ///
    /// # Errors
    /// [`Wrong`], everything that is wrong.
    pub fn check(
        &self,
        others: &[Self],
        birth: PartialDate,
        today: Date,
        codes: &Codes,
    ) -> Result<(), Vec<Wrong>> {
        let mut wrong: Vec<Wrong> = vec![];
        if self.from > today {
            wrong.push(("from", "まだ来ていない日は入力できません。".into()));
        }
        if let Some(until) = self.until {
            if until > today {
                wrong.push((
                    "until",
                    "まだ来ていない日は入力できません。終わってから入力してください。".into(),
                ));
            } else if until < self.from {
                wrong.push(("until", "始まりの日より前の日です。".into()));
            }
            if !self.kind.lasts() {
                wrong.push((
                    "until",
                    "日を決めるときは、終わりの日を空欄にしてください。".into(),
                ));
            }
        }
        if self.kind == Kind::Birth && !birth.may_equal(self.from.into()) {
            wrong.push((
                "from",
                "住民の記録でわかっている生年月日の範囲にありません。".into(),
            ));
        }
        if self.kind == Kind::Birth && birth.is_full() {
            wrong.push((
                "kind",
                "生年月日は不詳ではありません。誤りは、住民の記録で訂正してください。".into(),
            ));
        }
        // An age that is certain whatever the unknown part is.
        let reached = |years, date: PartialDate| day_age_is_reached(date, years);
        let latest = |d: PartialDate| d.latest().map_or(PartialDate::UNKNOWN, PartialDate::from);
        let earliest =
            |d: PartialDate| d.earliest().map_or(PartialDate::UNKNOWN, PartialDate::from);
        if self.kind == Kind::Second {
            if reached(40, earliest(birth)).is_some_and(|d| self.from < d) {
                wrong.push(("from", "この日には40歳になっていません。".into()));
            }
            if reached(65, latest(birth)).is_some_and(|d| self.from >= d) {
                wrong.push((
                    "from",
                    "この日には65歳になっています。第2号被保険者にはなりません。".into(),
                ));
            }
        }
        if let Err(field) = self.kind.reasons(self.from, self.until, codes) {
            wrong.push((field, "この日に使える事由が、事由の表にありません。".into()));
        }
        let clash = |o: &&Self| {
            !o.cancelled
                && o.number != self.number
                && o.kind == self.kind
                && match self.kind.lasts() {
                    true => o.days().overlaps(&self.days()),
                    false => self.kind != Kind::MovedIn && self.kind != Kind::MovedOut,
                }
        };
        if let Some(other) = others.iter().find(clash) {
            wrong.push((
                "from",
                format!(
                    "手入力{}と重なります。先に手入力{}を終わらせるか、取り消してください。",
                    other.number, other.number
                ),
            ));
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// The days of the events, both in.
    fn days(&self) -> Span {
        Span {
            from: self.from,
            until: self.until.map(|u| u.checked_add(1.day()).unwrap_or(u)),
        }
    }
}

/// Puts the facts that count among what is recorded of a person; what no longer fits the register is a
/// question.
pub(crate) fn apply(person: &mut Person, facts: &[Fact]) -> Vec<String> {
    let mut questions = Vec::new();
    for fact in facts.iter().filter(|f| !f.cancelled) {
        let term = Term {
            from: fact.from.into(),
            until: fact.until.map(PartialDate::from),
        };
        let fits = match fact.kind {
            Kind::Second => {
                person.second.push(term);
                true
            }
            Kind::Exempt => {
                person.exempt.push(term);
                true
            }
            Kind::OtherSpecial => {
                person.other_special.push(term);
                true
            }
            Kind::Birth => settle([&mut person.birth].into_iter(), fact.from),
            Kind::MovedIn => settle(person.stays.iter_mut().map(|s| &mut s.from), fact.from),
            Kind::MovedOut => settle(
                person
                    .stays
                    .iter_mut()
                    .filter_map(|s| Some(&mut s.left.as_mut()?.day)),
                fact.from,
            ),
            Kind::Death => settle(person.died.iter_mut(), fact.from),
        };
        if !fits {
            questions.push(format!(
                "手入力{}（{}）が、住民の記録と合いません",
                fact.number,
                fact.kind.japanese()
            ));
        }
    }
    questions
}

/// Settles the first partly unknown day that may be `day`; true also when the register has learned that day.
fn settle<'a>(days: impl Iterator<Item = &'a mut PartialDate>, day: Date) -> bool {
    let mut days: Vec<_> = days.collect();
    if days.iter().any(|d| d.full() == Some(day)) {
        return true;
    }
    match days
        .iter_mut()
        .find(|d| !d.is_full() && d.may_equal(day.into()))
    {
        Some(found) => {
            **found = day.into();
            true
        }
        None => false,
    }
}

/// An application as second category from which nothing follows is a question: the person does not
/// live here in those days, or has not the age.
pub(crate) fn fruitless(facts: &[Fact], derived: &[Qualification]) -> Vec<String> {
    let bears = |f: &Fact| {
        let days = Span {
            from: f.from,
            until: f.until,
        };
        derived
            .iter()
            .any(|q| q.category == Category::Second && q.span.overlaps(&days))
    };
    facts
        .iter()
        .filter(|f| !f.cancelled && f.kind == Kind::Second && f.until != Some(f.from) && !bears(f))
        .map(|f| {
            format!(
                "手入力{}（第2号被保険者）の期間に、40〜64歳で住民である日がありません",
                f.number
            )
        })
        .collect()
}

#[cfg(test)]
#[path = "fact_tests.rs"]
mod tests;

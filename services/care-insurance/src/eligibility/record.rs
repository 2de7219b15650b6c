//! The ledger of one person's qualifications: cancellation (取消) and restoration (回復), nothing deleted.

use jiff::civil::Date;
use mimamori_kernel::error::Coded;

use super::reason::{Codes, LossDay, Side};
use super::rule::{Category, Qualification};
use super::span::Span;

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In force.
    InForce,
    /// Cancelled: it was never so. Kept and shown struck out.
    Cancelled,
}

/// One qualification as the office keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number inside the person's ledger, from 1, never used again.
    pub number: u32,
    /// What it says.
    pub qualification: Qualification,
    /// Whether it counts.
    pub state: State,
    /// An officer decided it by hand; a new derivation does not change it but asks.
    pub decided: bool,
}

/// Why a change is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// There is no such entry.
    #[error("この資格はありません。")]
    NoEntry,
    /// It is cancelled already, or is not cancelled.
    #[error("この資格の状態では、この操作はできません。")]
    State,
    /// Two qualifications would hold on one day.
    #[error("同じ日に二つの資格が重なります。")]
    Overlap,
    /// The day of loss is not after the day of acquisition.
    #[error("喪失日が取得日より後ではありません。")]
    Order,
    /// The day of loss is later than the event of its reason can have been.
    #[error("喪失日が、この事由で今日入力できる日より後です。")]
    Future,
    /// The reason may not be used on that day.
    #[error("この事由は、その日には使えません。")]
    Reason,
}

impl Coded for RecordError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoEntry => "QUALIFICATION-NO-ENTRY",
            Self::State => "QUALIFICATION-STATE",
            Self::Overlap => "QUALIFICATION-OVERLAP",
            Self::Order => "QUALIFICATION-ORDER",
            Self::Future => "QUALIFICATION-FUTURE",
            Self::Reason => "QUALIFICATION-REASON",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoEntry | Self::State => "画面を開き直して、今の資格の履歴を確かめてください。",
            Self::Overlap => "先に、重なる資格の喪失日を直すか、取り消してください。",
            Self::Order => "取得日と喪失日を見比べて、入力し直してください。",
            Self::Future => {
                "喪失は、転出や死亡があってから入力します。喪失日は、あった日かその翌日です。"
            }
            Self::Reason => "事由の一覧から、その日に使えるものを選んでください。",
        }
    }
}

/// All qualifications of one person, oldest number first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// The ledger as stored.
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// All entries, also cancelled ones.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The qualification that holds on a day.
    pub fn on(&self, day: Date) -> Option<&Entry> {
        self.in_force().find(|e| e.qualification.span.contains(day))
    }

    fn in_force(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.state == State::InForce)
    }

    fn free(&self, span: &Span, except: u32) -> Result<(), RecordError> {
        match self
            .in_force()
            .any(|e| e.number != except && e.qualification.span.overlaps(span))
        {
            true => Err(RecordError::Overlap),
            false => Ok(()),
        }
    }

    fn entry(&mut self, number: u32, state: State) -> Result<&mut Entry, RecordError> {
        let entry = self.entries.iter_mut().find(|e| e.number == number);
        let entry = entry.ok_or(RecordError::NoEntry)?;
        match entry.state == state {
            true => Ok(entry),
            false => Err(RecordError::State),
        }
    }

    /// Adds a qualification; `decided` when an officer entered it.
    ///
    /// # Errors
    /// [`RecordError::Overlap`].
    pub fn add(&mut self, qualification: Qualification, decided: bool) -> Result<u32, RecordError> {
        self.free(&qualification.span, 0)?;
        let number = self.entries.iter().map(|e| e.number).max().unwrap_or(0) + 1;
        self.entries.push(Entry {
            number,
            qualification,
            state: State::InForce,
            decided,
        });
        Ok(number)
    }

    /// 資格の取消: the qualification never was.
    ///
    /// # Errors
    /// [`RecordError::NoEntry`], [`RecordError::State`].
    pub fn cancel(&mut self, number: u32) -> Result<(), RecordError> {
        let entry = self.entry(number, State::InForce)?;
        (entry.state, entry.decided) = (State::Cancelled, true);
        Ok(())
    }

    /// 取消の取消: a cancelled qualification counts again.
    ///
    /// # Errors
    /// [`RecordError`] when it is not cancelled or another one holds on its days.
    pub fn restore(&mut self, number: u32) -> Result<(), RecordError> {
        let span = self.entry(number, State::Cancelled)?.qualification.span;
        self.free(&span, number)?;
        self.entry(number, State::Cancelled)?.state = State::InForce;
        Ok(())
    }

    /// 資格の回復: the loss is taken back, the qualification lasts.
    ///
    /// # Errors
    /// [`RecordError::State`] when it was not lost, [`RecordError::Overlap`] when a later one holds.
    pub fn reopen(&mut self, number: u32) -> Result<(), RecordError> {
        let span = self.entry(number, State::InForce)?.qualification.span;
        if span.until.is_none() {
            return Err(RecordError::State);
        }
        let open = Span {
            until: None,
            ..span
        };
        self.free(&open, number)?;
        let entry = self.entry(number, State::InForce)?;
        entry.qualification.span = open;
        entry.qualification.lost = None;
        entry.decided = true;
        Ok(())
    }

    /// 喪失: ends a qualification by hand on `today`; `until` is the day of loss itself. An event
    /// that has not been is not entered, so the latest is today, or tomorrow where the reason says the day after.
    ///
    /// # Errors
    /// [`RecordError::Order`], [`RecordError::Future`], [`RecordError::Reason`], [`RecordError::State`] when it was lost already.
    pub fn end(
        &mut self,
        number: u32,
        until: Date,
        reason: &str,
        codes: &Codes,
        today: Date,
    ) -> Result<(), RecordError> {
        let known = codes.by_code(reason, until);
        let Some(known) = known.filter(|r| r.side == Side::Loss) else {
            return Err(RecordError::Reason);
        };
        let latest = match known.day {
            Some(LossDay::Same) => today,
            _ => today.tomorrow().unwrap_or(today),
        };
        if until > latest {
            return Err(RecordError::Future);
        }
        let entry = self.entry(number, State::InForce)?;
        if entry.qualification.span.until.is_some() {
            return Err(RecordError::State);
        }
        let span = Span::new(entry.qualification.span.from, Some(until));
        entry.qualification.span = span.ok_or(RecordError::Order)?;
        entry.qualification.lost = Some(reason.to_owned());
        entry.decided = true;
        Ok(())
    }

    /// Makes what counts follow a derivation: entries that began on the same day are changed, others
    /// cancelled, new ones added. Numbers of the entries that changed. Not for ledgers with a hand decision.
    pub fn follow(&mut self, derived: &[Qualification]) -> Vec<u32> {
        let mut touched = Vec::new();
        let same = |a: &Qualification, b: &Qualification| {
            (a.category, a.span.from) == (b.category, b.span.from)
        };
        for entry in &mut self.entries {
            if entry.state == State::Cancelled {
                continue;
            }
            match derived.iter().find(|d| same(d, &entry.qualification)) {
                Some(d) if *d == entry.qualification => {}
                Some(d) => {
                    entry.qualification = d.clone();
                    touched.push(entry.number);
                }
                None => {
                    entry.state = State::Cancelled;
                    touched.push(entry.number);
                }
            }
        }
        for d in derived {
            if !self.in_force().any(|e| e.qualification == *d) {
                let number = self.entries.iter().map(|e| e.number).max().unwrap_or(0) + 1;
                self.entries.push(Entry {
                    number,
                    qualification: d.clone(),
                    state: State::InForce,
                    decided: false,
                });
                touched.push(number);
            }
        }
        touched
    }

    /// Cancels everything that counts: the record was merged into another one (統合), whose ledger
    /// goes on alone. Numbers of the entries that changed.
    pub(crate) fn close(&mut self) -> Vec<u32> {
        let open = |e: &&mut Entry| e.state == State::InForce;
        let close = |e: &mut Entry| {
            e.state = State::Cancelled;
            e.number
        };
        self.entries.iter_mut().filter(open).map(close).collect()
    }

    /// Whether a fresh derivation says something else than what counts here.
    pub fn differs(&self, derived: &[Qualification]) -> bool {
        let mut mine: Vec<&Qualification> = self.in_force().map(|e| &e.qualification).collect();
        mine.sort_by_key(|q| (q.span.from, q.category));
        !mine.into_iter().eq(derived.iter())
    }

    /// Whether an officer decided something here by hand.
    pub fn decided(&self) -> bool {
        self.entries.iter().any(|e| e.decided)
    }
}

impl Category {
    /// The words on screen and card.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::First => "第1号被保険者",
            Self::Second => "第2号被保険者",
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;

//! How far an import is (進み具合).

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whether an import runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Not begun.
    #[default]
    Waiting,
    /// At work.
    Running,
    /// In force.
    Done,
    /// Stopped; what went wrong, in Japanese.
    Failed(String),
}

/// The part of an import that is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not begun.
    Waiting,
    /// Reading and checking the files.
    Reading,
    /// Removing what a stopped import left.
    Cleaning,
    /// Writing the new generation.
    Staging,
    /// Comparing the counts.
    Reconciling,
    /// Putting it in force.
    Flipping,
    /// Removing the generation before.
    Retiring,
    /// Finished.
    Finished,
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Reading,
        Self::Cleaning,
        Self::Staging,
        Self::Reconciling,
        Self::Flipping,
        Self::Retiring,
        Self::Finished,
    ];

    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Waiting => "待機中",
            Self::Reading => "ファイルの読取りと確認",
            Self::Cleaning => "前回の途中データの削除",
            Self::Staging => "取込みデータの書込み",
            Self::Reconciling => "件数の照合",
            Self::Flipping => "新しいデータへの切替え",
            Self::Retiring => "古いデータの削除",
            Self::Finished => "完了",
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    phase: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    state: Mutex<State>,
}

/// Shared view of one import; cheap to clone, readable at any time.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Inner>);

impl Progress {
    /// The part at work.
    pub fn phase(&self) -> Phase {
        let at = usize::from(self.0.phase.load(Ordering::Acquire));
        Phase::ALL.get(at).copied().unwrap_or(Phase::Waiting)
    }

    /// Rows (reading) or persons (writing) of the phase that are done.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// What [`Progress::done`] will be at the end of the phase; 0 when not known.
    pub fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// Whether it runs.
    pub fn state(&self) -> State {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_state(&self, state: State) {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(super) fn begin(&self, phase: Phase, total: u64) {
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
        self.0.phase.store(phase as u8, Ordering::Release);
    }

    pub(super) fn reached(&self, done: u64) {
        self.0.done.store(done, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_look_at_the_same_import() {
        let progress = Progress::default();
        let view = progress.clone();
        assert_eq!(
            (view.state(), view.phase()),
            (State::Waiting, Phase::Waiting)
        );
        progress.set_state(State::Running);
        for phase in Phase::ALL {
            progress.begin(phase, 9);
            progress.reached(4);
            assert_eq!((view.phase(), view.done(), view.total()), (phase, 4, 9));
        }
        assert_eq!(view.state(), State::Running);
    }
}

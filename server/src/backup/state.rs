//! What the operator's home page says of the backups.

use std::path::Path;

use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;

use super::{last_report, repository};
use crate::config::Config;
use crate::error::StartError;

const HOUR: i64 = 3_600_000_000;
/// A nightly backup that is older than this was missed (想定).
const BACKUP: i64 = 26 * HOUR;
/// A drill is asked for at least this often (想定).
const DRILL: i64 = 35 * 24 * HOUR;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// Somebody has to act.
    Bad,
}

/// One sentence or two about the backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How bad it is.
    pub weight: Weight,
    /// In words.
    pub text: String,
}

impl State {
    /// The state at `now`; none when no backup is set.
    ///
    /// # Errors
    /// [`StartError`] when list or report cannot be read.
    pub fn of(dir: &Path, config: &Config, now: Instant) -> Result<Option<Self>, StartError> {
        if config.backup.is_none() {
            return Ok(None);
        }
        let day = |at: i64| wareki_with_western(Instant(at).office_day().into());
        let all = repository(dir, config)?.generations()?;
        let mut good = true;
        let mut text = match all.last() {
            None => {
                good = false;
                "控えがまだありません。".to_owned()
            }
            Some(last) => {
                let late = now.0 - last.at > BACKUP;
                good &= !late;
                let words = if late {
                    "それより新しい控えがありません。"
                } else {
                    ""
                };
                format!(
                    "最新の控えは第{}世代、{}です。{words}",
                    last.number,
                    day(last.at)
                )
            }
        };
        let drill = last_report(dir)?;
        text += &match &drill {
            None => "復元訓練はまだ行われていません。".to_owned(),
            Some(report) if !report.findings.is_empty() => {
                format!(
                    "{}の復元訓練で{}件の食い違いがありました。",
                    day(report.at),
                    report.findings.len()
                )
            }
            Some(report) => format!(
                "最後の復元訓練は第{}世代、{}で、食い違いはありませんでした。",
                report.number,
                day(report.at)
            ),
        };
        good &= drill.is_some_and(|r| r.findings.is_empty() && now.0 - r.at <= DRILL);
        let weight = if good { Weight::Good } else { Weight::Bad };
        Ok(Some(Self { weight, text }))
    }
}

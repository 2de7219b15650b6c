//! What the operator's home page says of the backups.

use std::path::Path;

use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;

use super::again::unchecked;
use super::journal::written;
use super::{last_report, repository};
use crate::config::{Backup, Config};
use crate::error::StartError;

const HOUR: i64 = 3_600_000_000;
/// A nightly backup that is older than this was missed (想定).
const BACKUP: i64 = 26 * HOUR;
/// A drill is asked for at least this often (想定).
const DRILL: i64 = 35 * 24 * HOUR;

/// The journal is written each minute (想定 of the limit).
const JOURNAL: i64 = HOUR / 12;

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
        let Some(setting) = &config.backup else {
            return Ok(None);
        };
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
        if let Some(tried) = drill.as_ref().and_then(|report| report.numbers) {
            text += &format!(
                "個人番号は{}件の検査値が合い、{}件を開いて検査数字と索引を確かめました。",
                tried.rows, tried.opened
            );
        }
        good &= drill.is_some_and(|r| r.findings.is_empty() && now.0 - r.at <= DRILL);
        if let Some(words) = journal(dir, setting, now) {
            good = false;
            text += words;
        }
        if unchecked(dir) {
            good = false;
            text += "この台帳は、失効の記録なしで控えから戻したものです。控えのあとに行った失効と抹消をもう一度行い、サービスを止めて mimamori backup checked で確かめたと記録してください。";
        }
        let weight = if good { Weight::Good } else { Weight::Bad };
        Ok(Some(Self { weight, text }))
    }
}

/// What is wrong with the journal.
fn journal(dir: &Path, setting: &Backup, now: Instant) -> Option<&'static str> {
    let Some(folder) = &setting.journal else {
        return Some(
            "失効の記録の写し先（[backup] の journal）がありません。控えから戻すと、失効や抹消も戻ります。",
        );
    };
    match written(&dir.join(folder)) {
        None => Some("失効の記録を写せていません。写し先を確かめてください。"),
        Some(at) if now.0 - at > JOURNAL => {
            Some("失効の記録が5分以上前のものです。写し先を確かめてください。")
        }
        Some(_) => None,
    }
}

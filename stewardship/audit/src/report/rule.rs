//! The words of a report; no input, no output. Its form: docs/trace-format.md section 8.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_trace::Total;

use crate::monitor::Kind;

/// A month as the browser sends it, `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month(Date);

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// `YYYY-MM`; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.len() == 7)
            .then(|| format!("{text}-01").parse().ok().map(Self))
            .flatten()
    }

    /// The month before.
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1.months()))
    }

    /// First day, and first day of the next month.
    pub fn bounds(self) -> (Date, Date) {
        (self.0, self.0.saturating_add(1.months()))
    }

    /// `令和8年11月（2026年11月）`.
    pub fn words(self) -> String {
        let day = mimamori_kernel::date::wareki_with_western(self.0.into());
        let month = day.split_once('月').map_or(day.as_str(), |(m, _)| m);
        format!("{month}月（{}年{}月）", self.0.year(), self.0.month())
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// What is known when a report is made.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub month: Month,
    pub made_by: String,
    pub made_at: String,
    /// The month is over.
    pub whole: bool,
    pub version: String,
    pub totals: Vec<Total>,
    /// Kind and state of each alert of the month.
    pub alerts: Vec<(String, String)>,
    /// Open alerts past their due day, whatever their month.
    pub late: u64,
    /// How many officers the rules about relatives can judge, in words.
    pub reach: String,
    /// The newest checkpoint.
    pub checkpoint: String,
}

/// The text, without the first line that the signer sets.
pub(crate) fn text(known: &Known) -> String {
    let mut out = vec![
        format!("証跡の分析報告　{}", known.month.words()),
        format!("month {}", known.month),
        format!("作成 {}　{}", known.made_at, known.made_by),
        format!("規則の版 {}", known.version),
    ];
    if !known.whole {
        out.push("この月はまだ終わっていません。途中の数です。".into());
    }
    let count = |allowed| -> u64 {
        let of = known.totals.iter().filter(|t| t.allowed == allowed);
        of.map(|t| t.lines).sum()
    };
    out.push(format!(
        "証跡の行 {}行（許可 {} 拒否 {}）",
        count(true) + count(false),
        count(true),
        count(false)
    ));
    let runs = known
        .totals
        .iter()
        .filter(|t| t.action == "monitor.run" && t.allowed);
    out.push(format!(
        "点検の回数 {}回",
        runs.map(|t| t.lines).sum::<u64>()
    ));
    let mut by_kind: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for (kind, state) in &known.alerts {
        let at = match state.as_str() {
            "fine" => 0,
            "inquiry" => 1,
            "incident" => 2,
            _ => 3,
        };
        by_kind.entry(kind.as_str()).or_default()[at] += 1;
    }
    for kind in Kind::ALL {
        let [fine, inquiry, incident, open] = by_kind.get(kind.code()).copied().unwrap_or_default();
        out.push(format!(
            "規則 {}（{}）: {}件（問題なし {fine} 照会中 {inquiry} 事故 {incident} 未回答 {open}）",
            kind.japanese(),
            kind.code(),
            fine + inquiry + incident + open
        ));
    }
    let all = known.alerts.len();
    let closed = |(_, state): &&(String, String)| matches!(state.as_str(), "fine" | "incident");
    let answered = known.alerts.iter().filter(closed).count();
    out.push(format!(
        "点検の結果 {all}件（許可された行{}行のうち。回答が済んだもの {answered}件、残り {}件）",
        count(true),
        all - answered
    ));
    out.push(format!(
        "回答の期限を過ぎたもの {}件（月を問わない）",
        known.late
    ));
    out.push(known.reach.clone());
    out.push("チェックポイント（この報告の時点で最後に署名されたもの）:".into());
    // Without its own signature: a note holds one signature, that of the report.
    out.extend(
        known
            .checkpoint
            .lines()
            .take_while(|l| !l.is_empty())
            .map(|l| format!("checkpoint {l}")),
    );
    out.join("\n")
}

/// A line of a report for people: a name and a value where the line has one (`規則の版 2026-11`), words
/// for what machines read. Unknown lines stay as they are, so that nothing signed is left out.
pub(crate) fn shown(line: &str) -> (String, String) {
    let after = |head: &str| line.strip_prefix(head).map(str::to_owned);
    let named = |name: &str, value: String| (name.to_owned(), value);
    if line == mimamori_trace::REPORT {
        return named("様式", format!("分析報告 第1版（{line}）"));
    }
    if let Some(month) = after("month ") {
        let words = Month::parse(&month).map_or_else(|| month.clone(), Month::words);
        return named("対象の月", words);
    }
    if let Some(rest) = after("checkpoint line ") {
        return named("最後に署名された行", format!("{rest}行目"));
    }
    if let Some(rest) = after("checkpoint time ") {
        let at = rest.parse().map(mimamori_kernel::clock::Instant);
        return named("その署名の時刻", at.map_or(rest, crate::words::time));
    }
    if let Some(rest) = after("checkpoint ") {
        return match rest.parse::<u64>() {
            Ok(leaves) => named("署名された記録の数（葉の数）", leaves.to_string()),
            Err(_) if rest.contains('/') && !rest.contains('=') => {
                named("署名した証跡の名前", rest)
            }
            Err(_) => named("記録全体の照合値", rest),
        };
    }
    if let Some((rule, rest)) = line
        .split_once("）: ")
        .filter(|(r, _)| r.starts_with("規則 "))
    {
        let name = rule.trim_start_matches("規則 ");
        let name = name.rsplit_once('（').map_or(name, |(words, _)| words);
        return named(name, rest.to_owned());
    }
    match line.split_once(' ') {
        Some((name, value)) if !line.starts_with("チェックポイント") => {
            named(name, value.to_owned())
        }
        _ => named(line, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_seven_characters_and_has_bounds() {
        let month = Month::parse("2026-12").unwrap();
        let (from, until) = month.bounds();
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2026-12-01".into(), "2027-01-01".into())
        );
        assert_eq!(
            (month.to_string(), month.before().to_string()),
            ("2026-12".into(), "2026-11".into())
        );
        assert!(month.words().contains("令和8年12月"), "{}", month.words());
        for bad in [
            "",
            "2026-13",
            "2026-1",
            "2026/12",
            "2026-12-01",
            "あああああああ",
        ] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_text_counts_by_rule_and_state_and_names_the_checkpoint() {
        let total = |action: &str, allowed, lines| Total {
            action: action.into(),
            allowed,
            lines,
        };
        let alert = |kind: &str, state: &str| (kind.to_owned(), state.to_owned());
        let text = text(&Known {
            month: Month::parse("2026-11").unwrap(),
            made_by: "監査室 監査 きよし".into(),
            made_at: "2026-12-01 09:00".into(),
            whole: true,
            version: "2026-04".into(),
            totals: vec![
                total("person.open", true, 10),
                total("person.open", false, 2),
                total("monitor.run", true, 3),
            ],
            alerts: vec![
                alert("kin", "fine"),
                alert("kin", "open"),
                alert("bulk", "incident"),
            ],
            late: 1,
            reach: "本人の宛名番号の登録がある利用者 5人（9人のうち）".into(),
            checkpoint: "town/trace\n5\nAAAA\nline 4\ntime 1\n\n— town/trace BBBB\n".into(),
        });
        for part in [
            "証跡の行 15行（許可 13 拒否 2）",
            "点検の回数 3回",
            "（kin）: 2件（問題なし 1 照会中 0 事故 0 未回答 1）",
            "（bulk）: 1件（問題なし 0 照会中 0 事故 1 未回答 0）",
            "（no-case）: 0件",
            "回答の期限を過ぎたもの 1件",
            "点検の結果 3件（許可された行13行のうち。回答が済んだもの 2件、残り 1件）",
            "本人の宛名番号の登録がある利用者 5人（9人のうち）",
            "checkpoint line 4",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("BBBB") && !text.contains("途中の数"));
    }

    #[test]
    fn what_machines_read_is_shown_in_words() {
        for (line, name, value) in [
            (
                "mimamori-report-1",
                "様式",
                "分析報告 第1版（mimamori-report-1）",
            ),
            ("month 2026-11", "対象の月", "令和8年11月（2026年11月）"),
            ("規則の版 2026-11", "規則の版", "2026-11"),
            (
                "規則 職員自身の記録の閲覧（own-record）: 2件（問題なし 1）",
                "職員自身の記録の閲覧",
                "2件（問題なし 1）",
            ),
            ("checkpoint town/trace", "署名した証跡の名前", "town/trace"),
            ("checkpoint 5", "署名された記録の数（葉の数）", "5"),
            ("checkpoint AAAA/b=", "記録全体の照合値", "AAAA/b="),
            ("checkpoint line 4", "最後に署名された行", "4行目"),
        ] {
            assert_eq!(shown(line), (name.to_owned(), value.to_owned()), "{line}");
        }
        let (name, time) = shown("checkpoint time 1795186800000000");
        assert_eq!(name, "その署名の時刻");
        assert!(time.starts_with("令和8年11月21日"), "{time}");
    }
}

//! Reports as plain sentences, Japanese and English.

use crate::finding::Finding;
use crate::tail::utc;
use crate::{statement, trace};

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

fn say(ja: impl Into<String>, en: impl Into<String>) -> Sentence {
    Sentence {
        ja: ja.into(),
        en: en.into(),
    }
}

fn findings(out: &mut Vec<Sentence>, findings: &[Finding], more: u64) {
    if findings.is_empty() {
        out.push(say(
            "誤りは見つかりませんでした。",
            "Nothing wrong was found.",
        ));
        return;
    }
    for finding in findings {
        out.push(say(
            format!("誤り　{}", finding.ja()),
            format!("WRONG: {}", finding.en()),
        ));
    }
    if more > 0 {
        out.push(say(
            format!("ほかに {more} 件の誤りがあります。"),
            format!("{more} more findings are not listed."),
        ));
    }
}

impl trace::Report {
    /// The report in plain sentences.
    #[must_use]
    pub fn sentences(&self) -> Vec<Sentence> {
        let (size, judged, line) = (self.size, self.judged, self.line);
        let mut out = vec![
            say(
                format!("{size} 件中 {judged} 件を確認しました（チェックポイント {size} まで）。"),
                format!("{judged} of {size} leaves checked up to checkpoint {size}."),
            ),
            say(
                format!(
                    "行 {line}、人 {}、記録されたチェックポイント {}。",
                    self.persons, self.checkpoints
                ),
                format!(
                    "{line} lines, {} persons, {} logged checkpoints.",
                    self.persons, self.checkpoints
                ),
            ),
        ];
        out.extend(self.tail());
        if self.own_key {
            out.push(say(
                "鍵は証跡のフォルダーから取りました。このフォルダーと同じ程度にしか信用できません。",
                "The key was taken from the trace itself and is only as trustworthy as the folder.",
            ));
        }
        out.push(match self.known {
            0 => say(
                "以前のチェックポイントがないため、今日より前の巻き戻し・切り詰め・分岐は確認していません。",
                "No known checkpoint was given: rollback, truncation and forks before today were not checked.",
            ),
            n => say(
                format!("以前のチェックポイント {n} 個と照合しました。"),
                format!("Compared with {n} known checkpoints."),
            ),
        });
        findings(&mut out, &self.findings, self.more);
        out
    }
}

impl trace::Report {
    /// What is said of the end of the trace.
    fn tail(&self) -> Vec<Sentence> {
        let (size, signed, tail) = (self.size, utc(self.signed_at), self.tail);
        let mut out = Vec::new();
        if self.closed {
            out.push(say(
                format!("書込みは正しく終わり、終わりの行まで署名されています（{signed}）。"),
                format!(
                    "The writer was stopped in order; everything up to its last line is signed ({signed})."
                ),
            ));
        }
        if tail.leaves > 0 {
            let (lines, leaves, newest) = (tail.lines, tail.leaves, utc(tail.newest));
            out.push(say(
                format!(
                    "チェックポイント {size}（{signed}）の後の {lines} 行（葉 {leaves} 件）は、まだ署名されていません。最新は {newest} です。つながりは確かめました。"
                ),
                format!(
                    "{lines} lines ({leaves} leaves) after checkpoint {size} ({signed}) are not yet signed, newest at {newest}; their order and links were checked."
                ),
            ));
        }
        if self.unfinished > 0 {
            let bytes = self.unfinished;
            out.push(say(
                format!("最後に {bytes} バイトの書きかけがあります。"),
                format!("{bytes} bytes of an unfinished record stand at the end."),
            ));
        }
        if self.overdue {
            out.push(say(
                "注意　署名のない部分が、署名の間隔より長くなっています。書込みが止まっているか、チェックポイントが取り除かれています。",
                "ATTENTION: the unsigned part is longer than the writer leaves one. The writer does not run, or checkpoints were taken away.",
            ));
        } else if !self.closed {
            out.push(say(
                "最後のチェックポイントの後に消された行は、この検証だけでは分かりません（--line で、画面や印刷物の行の番号と照合できます）。",
                "Lines removed after the last checkpoint cannot be noticed by this alone (--line compares with a line number from a page or print).",
            ));
        }
        out
    }
}

impl statement::Report {
    /// The report in plain sentences.
    #[must_use]
    pub fn sentences(&self) -> Vec<Sentence> {
        let (entries, proven, size, line) = (self.entries, self.proven, self.size, self.line);
        let mut out = Vec::new();
        if self.good() {
            out.push(say(
                format!("{entries} 件中 {proven} 件を確認しました（チェックポイント {size} まで、{line} 行目）。"),
                format!("{proven} of {entries} up to checkpoint {size} (line {line})."),
            ));
            out.push(say(
                "この人の記録はこれですべてです。",
                "These are all entries of this person up to that checkpoint.",
            ));
        } else {
            out.push(say(
                "この証明書は確認できません。",
                "This statement is refused.",
            ));
        }
        if self.own_key {
            out.push(say(
                "鍵は証明書自体から取りました。この証明書と同じ程度にしか信用できません。",
                "The key was taken from the statement itself and is only as trustworthy as the statement.",
            ));
        }
        out.push(match (self.known, self.compared) {
            (false, _) => say(
                "以前のチェックポイントがないため、巻き戻しと分岐は確認していません。",
                "No known checkpoint was given: rollback and forks were not checked.",
            ),
            (true, true) => say("以前のチェックポイントと照合しました。", "Compared with the known checkpoint."),
            (true, false) => say(
                "以前のチェックポイントは件数が違うため、署名と行番号だけを照合しました。分岐の確認には証跡全体が必要です。",
                "The known checkpoint has another size: only its signature and line were compared; forks need the whole trace.",
            ),
        });
        findings(&mut out, &self.findings, self.more);
        out
    }
}

//! Input of a reception note.

use mimamori_kernel::fold::is_hidden;
use mimamori_pages::FieldError;

/// How somebody asked (受付の方法).
pub(crate) const CHANNELS: [(&str, &str); 5] = [
    ("counter", "窓口"),
    ("telephone", "電話"),
    ("letter", "郵送・文書"),
    ("visit", "訪問"),
    ("office", "職権（事務処理）"),
];

/// Who asked (申し出た人), in the office's words.
pub(crate) const ASKERS: [(&str, &str); 6] = [
    ("self", "本人"),
    ("family", "家族"),
    ("proxy", "代理人"),
    ("provider", "事業者・医療機関"),
    ("office", "庁内・ほかの官公署"),
    ("nobody", "申し出なし（職権）"),
];

/// What the browser sends.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    pub channel: String,
    pub asker: String,
    pub matter: String,
    /// The search that led here, to go back to.
    pub from: String,
}

fn word(all: &[(&'static str, &'static str)], code: &str) -> Option<&'static str> {
    all.iter().find(|(c, _)| *c == code).map(|(_, word)| *word)
}

/// `窓口／本人: 被保険者証の再交付`.
pub(crate) fn words(channel: &str, asker: &str, matter: &str) -> String {
    let channel = word(&CHANNELS, channel).unwrap_or(channel);
    let asker = word(&ASKERS, asker).unwrap_or(asker);
    format!("{channel}／{asker}: {matter}")
}

impl Sent {
    /// The matter, trimmed, or what is missing.
    pub(crate) fn check(&self) -> Result<&str, Vec<FieldError>> {
        let mut errors = Vec::new();
        if word(&CHANNELS, &self.channel).is_none() {
            errors.push(FieldError::new("channel", "受付の方法を選んでください。"));
        }
        if word(&ASKERS, &self.asker).is_none() {
            errors.push(FieldError::new("asker", "申し出た人を選んでください。"));
        }
        let matter = self
            .matter
            .trim_matches(|c: char| c.is_whitespace() || c == '\u{3000}');
        let hidden = matter.chars().any(is_hidden);
        if matter.is_empty() || matter.chars().count() > 200 || hidden {
            errors.push(FieldError::new(
                "matter",
                "用件を200文字までで、改行や目に見えない文字を入れずに入力してください。",
            ));
        }
        if errors.is_empty() {
            Ok(matter)
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_how_who_and_what() {
        let sent = Sent {
            channel: "visit".into(),
            asker: "family".into(),
            matter: " 住所の確認　".into(),
            from: String::new(),
        };
        assert_eq!(sent.check(), Ok("住所の確認"));
        assert_eq!(
            words("visit", "family", "住所の確認"),
            "訪問／家族: 住所の確認"
        );
        let fields = |sent: Sent| -> Vec<String> {
            sent.check()
                .unwrap_err()
                .into_iter()
                .map(|e| e.field)
                .collect()
        };
        assert_eq!(fields(Sent::default()), ["channel", "asker", "matter"]);
        let long = Sent {
            matter: "あ".repeat(201),
            ..sent.clone()
        };
        assert_eq!(fields(long), ["matter"]);
        assert_eq!(
            fields(Sent {
                channel: "spy".into(),
                ..sent
            }),
            ["channel"]
        );
    }
}

//! Persons of the programme (対象者): lists by result and by stage, one person's record, what is written down.

mod act;
mod evaluate;
mod extract;
mod letters;
mod list;
mod record;

pub use extract::{Extract, ITEMS, Source, extract};

pub(crate) use act::act;
pub(crate) use evaluate::evaluation;
pub(crate) use letters::{letters, paper, print};
pub(crate) use list::{results, stages};
pub(crate) use record::open;

/// Stages of the programme: code, words, what comes next.
pub(crate) const STAGES: [(&str, &str, &str); 7] = [
    (
        "listed",
        "名簿に載った人",
        "かかりつけ医に同意と指示を確かめる",
    ),
    (
        "consented",
        "かかりつけ医の同意あり",
        "参加勧奨の通知を送る",
    ),
    ("invited", "通知を送った人", "電話で参加を確かめる"),
    ("joined", "参加中", "保健指導の期限を見守る"),
    ("finished", "6回の指導を終えた人", "翌年度の健診で評価する"),
    ("refused", "辞退した人", "なし（理由を記録）"),
    ("stopped", "かかりつけ医が不可・中止", "なし（理由を記録）"),
];

/// The words of a stage.
pub(crate) fn stage_words(code: &str) -> &'static str {
    STAGES.iter().find(|s| s.0 == code).map_or("—", |s| s.1)
}

/// Kinds of entries in a person's course: code and words.
pub(crate) const KINDS: [(&str, &str); 8] = [
    ("doctor", "かかりつけ医の報告"),
    ("letter", "通知"),
    ("call", "電話（参加勧奨・問い合わせ）"),
    ("join", "参加の同意"),
    ("refusal", "辞退"),
    ("contact", "保健指導"),
    ("complaint", "意見・苦情"),
    ("mark", "除外"),
];

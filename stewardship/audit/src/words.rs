//! Codes of the trace in the office's words.

use std::collections::HashMap;

use mimamori_gate::{Action, Class, Classes, Gate, Purpose, Staff};
use mimamori_identity::Role;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;
use mimamori_pages::Choice;
use mimamori_trace::LineView;

/// Acts of the house itself, which no room declares.
const HOUSE: [(&str, &str); 14] = [
    ("session.place", "決められた端末の外からの作業"),
    ("session.open", "サインイン"),
    ("session.password", "IDとパスワードの確認（パスキーの前）"),
    ("session.verify", "本人確認"),
    ("passkey.enrol", "パスキーの登録"),
    ("session.close", "サインアウト"),
    ("session.lock", "画面のロック"),
    ("session.unlock", "画面のロックの解除"),
    ("handler.designate", "特定個人情報取扱者の指定（デモ）"),
    ("account.create", "利用者の登録"),
    ("account.link", "利用者と本人の結び付け"),
    ("account.password", "パスワードの変更"),
    ("trace.map", "証跡の地図の作成"),
    ("trace.stop", "証跡の終わり（正しい停止）"),
];

/// The word for an action's code, or the code itself.
pub(crate) fn action(gate: &Gate, code: &str) -> String {
    let room = gate.rules().actions().find(|a| a.code() == code);
    let house = || HOUSE.iter().find(|(c, _)| *c == code).map(|(_, w)| *w);
    room.map(Action::japanese)
        .or_else(house)
        .unwrap_or(code)
        .to_owned()
}

/// The word for a role's code.
pub(crate) fn role(code: &str) -> String {
    match Role::from_code(code) {
        Some(role) => role.japanese().to_owned(),
        None if code == "system" => "システム".to_owned(),
        None => code.to_owned(),
    }
}

/// The word for a purpose's code.
pub(crate) fn purpose(code: &str) -> String {
    let known = Purpose::ALL.into_iter().find(|p| p.code() == code);
    known.map_or_else(|| code.to_owned(), |p| p.japanese().to_owned())
}

/// `令和8年11月20日（2026年）10:00`.
pub(crate) fn time(at: Instant) -> String {
    let day = wareki_with_western(at.office_day().into());
    format!("{day} {}", at.office().strftime("%H:%M"))
}

/// List boxes of the search.
pub(crate) fn actions(gate: &Gate, current: &str) -> Vec<Choice> {
    let rooms = gate.rules().actions().map(|a| (a.code(), a.japanese()));
    choices(rooms.chain(HOUSE), current)
}

pub(crate) fn roles(current: &str) -> Vec<Choice> {
    let all = Role::ALL.map(|r| (r.code(), r.japanese()));
    choices(all.into_iter().chain([("system", "システム")]), current)
}

pub(crate) fn purposes(current: &str) -> Vec<Choice> {
    choices(Purpose::ALL.map(|p| (p.code(), p.japanese())), current)
}

fn choices(
    all: impl IntoIterator<Item = (&'static str, &'static str)>,
    current: &str,
) -> Vec<Choice> {
    std::iter::once(("", "指定しない"))
        .chain(all)
        .map(|(code, word)| Choice::new(code, word, current))
        .collect()
}

/// Staff by account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashMap<[u8; 16], Staff>);

impl Names {
    pub fn new(staff: Vec<Staff>) -> Self {
        Self(staff.into_iter().map(|s| (*s.user.bytes(), s)).collect())
    }

    /// Office and name, and the login name.
    pub fn of(&self, actor: &[u8; 16]) -> (String, String) {
        match self.0.get(actor) {
            Some(s) => (format!("{} {}", s.org_name, s.name), s.login.clone()),
            None if *actor == [0; 16] => ("システム".into(), "—".into()),
            None => (hex::encode(actor), "—".into()),
        }
    }
}

/// One line of the trace on a page or in a file.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub line: u64,
    pub time: String,
    pub officer: String,
    pub login: String,
    pub role: String,
    pub action: String,
    pub purpose: String,
    pub classes: String,
    pub persons: u32,
    pub case: &'static str,
    pub outcome: &'static str,
    pub policy: String,
}

/// A line in words.
pub(crate) fn row(gate: &Gate, names: &Names, line: &LineView) -> Row {
    let (officer, login) = names.of(&line.actor);
    let classes: Vec<&str> = Classes::from_bits(line.classes)
        .iter()
        .map(Class::japanese)
        .collect();
    Row {
        line: line.line,
        time: time(line.time),
        officer,
        login,
        role: role(&line.role),
        action: action(gate, &line.action),
        purpose: purpose(&line.purpose),
        classes: classes.join("、"),
        persons: line.persons,
        case: match line.policy.split(',').find_map(|p| p.strip_prefix("case:")) {
            Some("note") => "受付票",
            Some("queue") => "処理待ち",
            _ => "—",
        },
        outcome: if line.allowed { "許可" } else { "拒否" },
        policy: line.policy.clone(),
    }
}

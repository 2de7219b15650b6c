//! What an event or a correction asks for (異動・訂正の判定). Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use mimamori_gate::{Action, Facts};
use mimamori_kernel::date::{PartialDate, parse_any, wareki_with_western};
use mimamori_pages::FieldError;

use super::item::{ITEMS, Item, Part, Values};
use crate::action;

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MoveIn,
    Born,
    Entered,
    MoveWithin,
    MoveOut,
    Death,
    Removed,
    Amended,
    Corrected,
}

impl Kind {
    /// Events of a person in the register.
    pub const EVENTS: [Self; 7] = [
        Self::MoveWithin,
        Self::MoveOut,
        Self::Death,
        Self::MoveIn,
        Self::Entered,
        Self::Removed,
        Self::Amended,
    ];
    /// Events by which a person comes into the register.
    pub const ENTRIES: [Self; 3] = [Self::MoveIn, Self::Born, Self::Entered];

    /// The word of the register (異動事由).
    pub fn word(self) -> &'static str {
        match self {
            Self::MoveIn => "転入",
            Self::Born => "出生",
            Self::Entered => "職権記載",
            Self::MoveWithin => "転居",
            Self::MoveOut => "転出",
            Self::Death => "死亡",
            Self::Removed => "職権消除",
            Self::Amended => "職権修正",
            Self::Corrected => "訂正",
        }
    }

    /// The state afterwards; none when it stays.
    pub fn status(self) -> Option<&'static str> {
        match self {
            Self::MoveIn | Self::Born | Self::Entered => Some("1"),
            Self::MoveOut | Self::Removed => Some("2"),
            Self::Death => Some("3"),
            Self::MoveWithin | Self::Amended | Self::Corrected => None,
        }
    }

    /// The states in which it can happen.
    pub fn possible(self) -> &'static [&'static str] {
        match self {
            Self::MoveWithin | Self::MoveOut | Self::Death | Self::Removed => &["1"],
            Self::MoveIn => &["2"],
            Self::Entered => &["2", "3"],
            Self::Born => &[],
            Self::Amended | Self::Corrected => &["1", "2", "3"],
        }
    }

    /// Whether somebody reports it; the office's own entries (職権) need a reason instead.
    pub fn is_reported(self) -> bool {
        !matches!(
            self,
            Self::Entered | Self::Removed | Self::Amended | Self::Corrected
        )
    }

    /// Facts that are set and cleared.
    pub fn facts(self) -> (i64, i64) {
        let gone = Facts::MOVED_OUT | Facts::DECEASED;
        match self.status() {
            Some("1") => (Facts::RESIDENT, gone),
            Some("2") => (Facts::MOVED_OUT, Facts::RESIDENT | Facts::DECEASED),
            Some("3") => (Facts::DECEASED, Facts::RESIDENT | Facts::MOVED_OUT),
            _ => (0, 0),
        }
    }
}

/// One of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 異動.
    Move,
    /// 転入などの新しい人.
    Enter,
    /// 訂正（基本の情報）.
    Basic,
    /// 訂正（住所・電話・世帯）.
    Place,
    /// 支援措置の登録・解除.
    Flag,
}

impl Form {
    pub const ALL: [Self; 5] = [
        Self::Move,
        Self::Enter,
        Self::Basic,
        Self::Place,
        Self::Flag,
    ];

    /// The word in the address.
    pub fn code(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Enter => "enter",
            Self::Basic => "correct",
            Self::Place => "correct-place",
            Self::Flag => "flag",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "異動の入力",
            Self::Enter => "転入・出生などの入力",
            Self::Basic => "基本の情報の訂正",
            Self::Place => "住所・電話番号・世帯の訂正",
            Self::Flag => "支援措置の登録",
        }
    }

    pub fn action(self) -> Action {
        match self {
            Self::Move => action::PERSON_MOVE,
            Self::Enter => action::PERSON_ENTER,
            Self::Basic => action::PERSON_CORRECT,
            Self::Place => action::PERSON_CORRECT_PLACE,
            Self::Flag => action::PERSON_FLAG,
        }
    }

    fn parts(self) -> &'static [Part] {
        match self {
            Self::Move => &[Part::Address, Part::Household],
            Self::Enter => &[
                Part::Identity,
                Part::Address,
                Part::Contact,
                Part::Household,
            ],
            Self::Basic => &[Part::Identity],
            Self::Place => &[Part::Address, Part::Contact, Part::Household],
            Self::Flag => &[Part::Flag],
        }
    }

    /// The items of the form.
    pub fn items(self) -> impl Iterator<Item = &'static Item> {
        ITEMS.iter().filter(move |i| self.parts().contains(&i.part))
    }

    /// The kinds to choose from; none when the form has one kind only.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Move => &Kind::EVENTS,
            Self::Enter => &Kind::ENTRIES,
            _ => &[],
        }
    }

    /// The kinds that this person's state allows.
    pub fn kinds_for(self, status: &str) -> Vec<Kind> {
        let fits = |k: &&Kind| self == Self::Enter || k.possible().contains(&status);
        self.kinds().iter().filter(fits).copied().collect()
    }
}

/// What a browser sent, by field.
pub(crate) type Sent = BTreeMap<String, String>;

pub(crate) fn sent<'a>(sent: &'a Sent, field: &str) -> &'a str {
    sent.get(field).map_or("", String::as_str)
}

/// A checked wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub kind: Kind,
    /// ISO; empty for corrections.
    pub event_day: String,
    /// ISO; empty when nobody reported it.
    pub notified_day: String,
    pub moved_to: String,
    /// 転出先の住民となった日 as ISO; empty when it is not known.
    pub elsewhere: String,
    pub reason: String,
    /// The form's items and what the kind sets.
    pub items: Values,
}

/// Longest reason, in characters.
const REASON: usize = 200;

/// Checks a form; `now` is what the register holds of the person, when it is known.
pub(crate) fn check(
    form: Form,
    given: &Sent,
    now: Option<&Values>,
    today: Date,
) -> Result<Wish, Vec<FieldError>> {
    let mut errors = Vec::new();
    let status = now.and_then(|n| n.get("status")).map(String::as_str);
    let kind = match form.kinds() {
        [] => Some(Kind::Corrected),
        kinds => kinds
            .iter()
            .copied()
            .find(|k| k.word() == sent(given, "kind")),
    };
    let fits =
        |k: Kind| form == Form::Enter || status.is_none_or(|status| k.possible().contains(&status));
    let kind = match kind {
        None => {
            errors.push(FieldError::new("kind", "異動の種類を選んでください。"));
            Kind::MoveWithin
        }
        Some(kind) if !fits(kind) => {
            let text = format!("この人のいまの状態では、{}を入力できません。", kind.word());
            errors.push(FieldError::new("kind", text));
            kind
        }
        Some(kind) => kind,
    };
    let mut items = Values::new();
    for item in form.items() {
        match item.read(sent(given, item.column), today) {
            Ok(text) => drop(items.insert(item.column, text)),
            Err(text) => errors.push(FieldError::new(item.column, text)),
        }
    }
    let (mut event_day, mut notified_day) = (String::new(), String::new());
    if kind != Kind::Corrected {
        let born = items.get("birth").or_else(|| now?.get("birth"));
        let born = born.and_then(|b| b.parse().ok());
        let days = days(given, kind, born, today, &mut errors);
        (event_day, notified_day) = days.unwrap_or_default();
        if let Some(text) = out_of_order(kind, &event_day, born, now) {
            errors.push(FieldError::new("event_day", text));
        }
        items.insert("status_day", event_day.clone());
        if let Some(status) = kind.status() {
            items.insert("status", status.into());
        }
    }
    let moved_to = match kind {
        Kind::MoveOut => sent(given, "moved_to").trim().to_owned(),
        _ => String::new(),
    };
    if moved_to.chars().count() > 100 {
        errors.push(FieldError::new(
            "moved_to",
            "100文字までで入力してください。",
        ));
    }
    let elsewhere = elsewhere(given, kind, &event_day, &mut errors);
    let reason = sent(given, "reason").trim().to_owned();
    if reason.chars().count() > REASON {
        let text = format!("理由は{REASON}文字までで入力してください。");
        errors.push(FieldError::new("reason", text));
    } else if reason.is_empty() && !kind.is_reported() {
        errors.push(FieldError::new(
            "reason",
            "訂正と職権の異動には理由が必要です。",
        ));
    }
    match errors.is_empty() {
        true => Ok(Wish {
            kind,
            event_day,
            notified_day,
            moved_to,
            elsewhere,
            reason,
            items,
        }),
        false => Err(errors),
    }
}

/// 転出先の住民となった日 as ISO text, not before the move; it decides the day of loss (FACTS B.2).
fn elsewhere(given: &Sent, kind: Kind, event: &str, errors: &mut Vec<FieldError>) -> String {
    let typed = sent(given, "elsewhere").trim();
    if kind != Kind::MoveOut || typed.is_empty() {
        return String::new();
    }
    let wrong = match parse_any(typed) {
        Err(error) => error.to_string(),
        Ok(day) if !day.is_full() => "年月日をすべて入力してください。".into(),
        Ok(day) if day.to_iso().as_str() < event => {
            "転出先の住民となった日が、異動日より前です。".into()
        }
        Ok(day) => return day.to_iso(),
    };
    errors.push(FieldError::new("elsewhere", wrong));
    String::new()
}

/// 異動日 and 届出日 as ISO texts.
fn days(
    given: &Sent,
    kind: Kind,
    born: Option<PartialDate>,
    today: Date,
    errors: &mut Vec<FieldError>,
) -> Option<(String, String)> {
    let mut day = |field: &str, required: bool, whole: bool| {
        let typed = sent(given, field).trim();
        if typed.is_empty() && !required {
            return Some(None);
        }
        let wrong = match parse_any(typed) {
            Err(error) => error.to_string(),
            Ok(day) if day.earliest().is_some_and(|d| d > today) => {
                "今日より後の日は入力できません。その日になってから入力してください。".into()
            }
            Ok(day) if whole && !day.is_full() => "年月日をすべて入力してください。".into(),
            Ok(day) => return Some(Some(day)),
        };
        errors.push(FieldError::new(field, wrong));
        None
    };
    // A death is sometimes found later: its day may be unknown in part.
    let event = day("event_day", true, kind != Kind::Death);
    let notified = day("notified_day", kind.is_reported(), true);
    let (event, notified) = (event??, notified?);
    let (before, after) = (event.earliest(), event.latest());
    if after.is_some() && born.and_then(PartialDate::earliest) > after {
        errors.push(FieldError::new("event_day", "異動日が生年月日より前です。"));
    }
    // A 転出 is reported beforehand; everything else after it happened.
    if kind != Kind::MoveOut
        && let (Some(told), Some(first)) = (notified.and_then(PartialDate::full), before)
        && told < first
    {
        errors.push(FieldError::new(
            "notified_day",
            "届出日が異動日より前です。",
        ));
    }
    Some((
        event.to_iso(),
        notified.map_or_else(String::new, PartialDate::to_iso),
    ))
}

/// Why this day cannot be the event's: a birth on another day than the person's, or a state that would begin before the
/// present one began. What was entered late is put right by 職権修正 or a correction first.
fn out_of_order(
    kind: Kind,
    event: &str,
    born: Option<PartialDate>,
    now: Option<&Values>,
) -> Option<String> {
    let day: PartialDate = event.parse().ok()?;
    if kind == Kind::Born && born.is_some_and(|b| b.full() != day.full()) {
        return Some("出生の異動日は、生年月日と同じ日です。".into());
    }
    kind.status()?;
    let last: PartialDate = now?.get("status_day")?.parse().ok()?;
    (day.latest()? < last.earliest()?).then(|| {
        format!(
            "いまの状態になった日（{}）より前です。その日が誤りのときは、先に職権修正で直してください。",
            wareki_with_western(last)
        )
    })
}

/// What changes: (item, before, after), in the order of the screen.
pub(crate) fn differences(now: &Values, wish: &Values) -> Vec<(&'static Item, String, String)> {
    ITEMS
        .iter()
        .filter_map(|item| {
            let after = wish.get(item.column)?;
            let before = now.get(item.column).map_or("", String::as_str);
            (before != after).then(|| (item, before.to_owned(), after.clone()))
        })
        .collect()
}

/// What an officer should think of before the change is written.
pub(crate) fn warnings(now: &Values, wish: &Wish) -> Vec<String> {
    let (mut out, empty) = (Vec::new(), String::new());
    let value = |column: &str| now.get(column).unwrap_or(&empty);
    let day = |text: &str| text.parse().ok().and_then(PartialDate::full);
    let (event, notified) = (day(&wish.event_day), day(&wish.notified_day));
    if matches!(wish.kind, Kind::MoveIn | Kind::MoveWithin)
        && let (Some(event), Some(notified)) = (event, notified)
        && event.until(notified).is_ok_and(|s| s.get_days() > 14)
    {
        out.push("届出が、異動の日から14日を過ぎています。".into());
    }
    if let (Some(event), Some(last)) = (event, day(value("status_day")))
        && event < last
    {
        out.push("異動日が、これまでの最後の異動日より前です。".into());
    }
    let leaves = wish.kind.status().is_some_and(|s| s != "1")
        || wish
            .items
            .get("household_number")
            .is_some_and(|n| n != value("household_number"));
    if value("relation") == "世帯主" && leaves {
        out.push(
            "この人は世帯主です。残る世帯員がいるときは、世帯主と続柄を「住所・電話番号・世帯の訂正」で直してください。"
                .into(),
        );
    }
    if wish.kind == Kind::MoveWithin {
        let same = |c: &str| wish.items.get(c).is_none_or(|t| t == value(c));
        if same("address") && same("building") {
            out.push("転居ですが、住所と方書が変わっていません。".into());
        }
    }
    out
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;

//! Who was examined and when, checked the same way for every kind of file.

use jiff::civil::Date;
use mimamori_kernel::date::{fiscal_year, parse_full};
use mimamori_kernel::fold::{is_hidden, to_full_kana};

use super::codes::Codes;
use super::defect::{Defect, Reason};
use super::{Sex, Subject};

/// The head of a health check as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub resident: Option<String>,
    pub kana: String,
    pub birth: String,
    pub sex: String,
    pub day: String,
    pub ticket: Option<String>,
    pub facility: Option<String>,
}

/// The checked head.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub subject: Subject,
    pub day: Date,
    pub year: i16,
    pub facility: Option<String>,
}

impl Head {
    /// Checks everything and tells all that is wrong, not only the first.
    pub fn check(self, codes: &Codes, today: Date, defects: &mut Vec<Defect>) -> Option<Checked> {
        let before = defects.len();
        let resident = filled(self.resident);
        if resident.as_deref().is_some_and(|n| !digits(n, 15)) {
            defects.push(Defect::new("宛名番号", Reason::Resident));
        }
        let kana = name(&self.kana, defects);
        let birth = day("生年月日", &self.birth, defects);
        let done = day("健診実施日", &self.day, defects);
        let sex = Sex::of(self.sex.trim());
        if sex.is_none() {
            let reason = if self.sex.trim().is_empty() {
                Reason::Empty
            } else {
                Reason::Sex
            };
            defects.push(Defect::new("男女区分", reason));
        }
        if let (Some(birth), Some(done)) = (birth, done)
            && done < birth
        {
            defects.push(Defect::new("健診実施日", Reason::BeforeBirth));
        }
        if let Some(done) = done {
            if done > today {
                defects.push(Defect::new("健診実施日", Reason::Future));
            } else if codes.period(fiscal_year(done)).is_none() {
                defects.push(Defect::new("健診実施日", Reason::Period));
            }
        }
        let ticket = number("受診券整理番号", self.ticket, 11, Reason::Ticket, defects);
        let facility = number("健診機関番号", self.facility, 10, Reason::Facility, defects);
        if super::defect::refuses(&defects[before..]) {
            return None;
        }
        let (birth, day, sex) = (birth?, done?, sex?);
        let subject = Subject {
            resident,
            kana,
            birth,
            sex,
            ticket,
        };
        Some(Checked {
            subject,
            day,
            year: fiscal_year(day),
            facility,
        })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// A number that helps to find the person but is not needed for it: a wrong one is told and left out.
fn number(
    item: &str,
    text: Option<String>,
    length: usize,
    reason: Reason,
    defects: &mut Vec<Defect>,
) -> Option<String> {
    let text = filled(text)?;
    if digits(&text, length) {
        return Some(text);
    }
    defects.push(Defect::new(item, reason));
    None
}

fn day(item: &str, text: &str, defects: &mut Vec<Defect>) -> Option<Date> {
    let text = text.trim();
    if text.is_empty() {
        defects.push(Defect::new(item, Reason::Empty));
        return None;
    }
    let day = parse_full(text).ok();
    if day.is_none() {
        defects.push(Defect::new(item, Reason::Date));
    }
    day
}

/// The name in full-width kana; what is unusual in it is told.
fn name(text: &str, defects: &mut Vec<Defect>) -> String {
    const ITEM: &str = "氏名カナ";
    let text = text.trim();
    if text.is_empty() {
        defects.push(Defect::new(ITEM, Reason::Empty));
        return String::new();
    }
    if text.chars().any(is_hidden) {
        defects.push(Defect::new(ITEM, Reason::Encoding));
        return String::new();
    }
    let private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    let half = |c: char| matches!(c, '\u{ff61}'..='\u{ff9f}');
    let kana = |c: char| matches!(c, 'ァ'..='ヿ' | '\u{3000}' | ' ') || half(c);
    if text.chars().any(private) {
        defects.push(Defect::new(ITEM, Reason::Gaiji));
    } else if !text.chars().all(kana) {
        defects.push(Defect::new(ITEM, Reason::Kana));
    }
    if text.chars().any(half) {
        defects.push(Defect::new(ITEM, Reason::HalfWidth));
    }
    to_full_kana(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn head() -> Head {
        Head {
            resident: Some("000000000001234".into()),
            kana: "ミマモリ　ハナコ".into(),
            birth: "19550102".into(),
            sex: "2".into(),
            day: "20250601".into(),
            ticket: Some("25123456789".into()),
            facility: Some("1311234567".into()),
        }
    }

    fn told(head: Head) -> (bool, Vec<Reason>) {
        let mut defects = vec![];
        let read = head
            .check(Codes::standard(), date(2025, 12, 1), &mut defects)
            .is_some();
        (read, defects.into_iter().map(|d| d.reason).collect())
    }

    #[test]
    fn a_whole_head_has_no_defect() {
        assert_eq!(told(head()), (true, vec![]));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let broken = Head {
            birth: "19550230".into(),
            sex: "3".into(),
            day: String::new(),
            ..head()
        };
        assert_eq!(
            told(broken),
            (false, vec![Reason::Date, Reason::Empty, Reason::Sex])
        );
    }

    #[test]
    fn days_that_cannot_be_are_refused() {
        let on = |day: &str| {
            told(Head {
                day: day.into(),
                ..head()
            })
        };
        assert_eq!(
            on("19540101"),
            (false, vec![Reason::BeforeBirth, Reason::Period])
        );
        assert_eq!(on("20251202"), (false, vec![Reason::Future]));
        assert_eq!(on("20080331"), (false, vec![Reason::Period]));
        assert_eq!(on("令和7年6月1日"), (true, vec![]));
    }

    #[test]
    fn names_keep_what_they_have() {
        let of = |kana: &str| {
            let mut defects = vec![];
            let name = name(kana, &mut defects);
            (
                name,
                defects.into_iter().map(|d| d.reason).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            of("ﾐﾏﾓﾘ ﾊﾅｺ"),
            ("ミマモリ ハナコ".into(), vec![Reason::HalfWidth])
        );
        assert_eq!(of("見守　花子").1, [Reason::Kana]);
        assert_eq!(of("ミマモリ\u{e001}").1, [Reason::Gaiji]);
        assert_eq!(of("ミマモリ\u{202e}").1, [Reason::Encoding]);
    }

    #[test]
    fn a_wrong_number_beside_the_person_is_told_and_left_out() {
        let mut defects = vec![];
        let odd = Head {
            ticket: Some("123".into()),
            facility: Some("１３１１２３４５６７".into()),
            ..head()
        };
        let read = odd
            .check(Codes::standard(), date(2025, 12, 1), &mut defects)
            .unwrap();
        assert_eq!(
            (read.subject.ticket, read.facility, defects.len()),
            (None, None, 2)
        );
        let wrong = Head {
            resident: Some("1234".into()),
            ..head()
        };
        assert_eq!(told(wrong), (false, vec![Reason::Resident]));
    }
}

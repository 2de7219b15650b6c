//! The rows of a staff list; pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use mimamori_identity::{OrgKind, Period, Role, login_is_right};
use mimamori_kernel::date::{DateError, parse_full};

use crate::OperationsError;
use crate::people::rule::{over_others, period, roles_of};
use crate::screen::{NAME, plain};

/// Most rows of a list (想定): one approver looks at every one of them.
pub(crate) const MOST: usize = 50;
/// The columns of the template, in order.
pub(crate) const HEAD: [&str; 5] = ["ID", "氏名", "役割", "最初の日", "最後の日"];

/// One person of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub login: String,
    pub name: String,
    pub role: Role,
    pub period: Period,
}

/// Why a row cannot stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Row of the file or of the pasted lines, from 1.
    pub row: usize,
    pub item: &'static str,
    pub reason: String,
}

/// The roles that a list can name: those of the organisation, without those that manage or watch the
/// system, which are appointed one by one.
pub(crate) fn roles(kind: OrgKind) -> impl Iterator<Item = Role> {
    roles_of(kind).filter(|r| !over_others(*r))
}

/// Text of a file as offices save it: UTF-8 with or without mark, else CP932.
pub(crate) fn decoded(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    let (text, _, broken) = encoding_rs::SHIFT_JIS.decode(bytes);
    (!broken).then(|| text.into_owned())
}

fn day(text: &str) -> Result<Option<Date>, DateError> {
    match text.is_empty() {
        true => Ok(None),
        false => parse_full(text).map(Some),
    }
}

/// Every row of a list, separated by commas or tabs, with or without its header. `taken` says which
/// IDs are used. Rows that can stand, and what is wrong with the others.
pub(crate) fn read(
    text: &str,
    kind: OrgKind,
    taken: impl Fn(&str) -> bool,
    today: Date,
) -> (Vec<Entry>, Vec<Fault>) {
    let (mut entries, mut faults) = (vec![], vec![]);
    let mut logins = BTreeSet::new();
    // Lines are counted as an office counts them, whatever ends them.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let tabs = text.lines().next().is_some_and(|l| l.contains('\t'));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(if tabs { b'\t' } else { b',' })
        .from_reader(text.as_bytes());
    let mut people = 0usize;
    for record in reader.records() {
        let Ok(record) = record else {
            faults.push(Fault {
                row: 0,
                item: "行",
                reason: "CSVとして読めません。".into(),
            });
            break;
        };
        let row = record
            .position()
            .map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
        let cell = |at: usize| record.get(at).unwrap_or("").trim_matches('\u{3000}');
        if cell(0) == HEAD[0] && cell(1) == HEAD[1] || record.iter().all(str::is_empty) {
            continue;
        }
        people += 1;
        if people > MOST {
            faults.push(Fault {
                row,
                item: "行",
                reason: format!("一度に申請できるのは{MOST}人までです。"),
            });
            break;
        }
        let before = faults.len();
        let mut wrong = |item, reason: &str| {
            faults.push(Fault {
                row,
                item,
                reason: reason.to_owned(),
            });
        };
        if record.len() > HEAD.len() {
            wrong("行", "列が多すぎます。ひな形の5列だけを入力してください。");
        }
        let login = cell(0).to_owned();
        if !login_is_right(&login) {
            wrong(
                "ID",
                "半角の英小文字・数字・ハイフンで3〜40文字にしてください。",
            );
        } else if taken(&login) {
            wrong("ID", "このIDは使われています。別のIDを決めてください。");
        } else if !logins.insert(login.clone()) {
            wrong("ID", "同じIDが、この名簿に2回あります。");
        }
        let name = cell(1).to_owned();
        if name.is_empty() {
            wrong("氏名", "氏名を入力してください。");
        } else if let Err(reason) = plain(&name, NAME) {
            wrong("氏名", &reason);
        }
        let role = roles(kind).find(|r| r.japanese() == cell(2) || r.code() == cell(2));
        if role.is_none() {
            wrong("役割", "この所属・機関で一括申請できる役割ではありません。");
        }
        let mut days = [None, None];
        for (at, known) in days.iter_mut().enumerate() {
            match day(cell(3 + at)) {
                Ok(day) => *known = day,
                Err(reason) => wrong(HEAD[3 + at], &reason.told()),
            }
        }
        let period = match period(days[0], days[1], today) {
            Ok(period) => Some(period),
            Err(OperationsError::Input(errors)) => {
                for error in errors {
                    wrong("最後の日", &error.message);
                }
                None
            }
            Err(_) => None,
        };
        if let (Some(role), Some(period), true) = (role, period, faults.len() == before) {
            entries.push(Entry {
                login,
                name,
                role,
                period,
            });
        }
    }
    (entries, faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn list(text: &str) -> (Vec<Entry>, Vec<Fault>) {
        let taken = |login: &str| login == "used-1";
        read(text, OrgKind::Institution, taken, date(2026, 11, 21))
    }

    #[test]
    fn a_list_is_read_from_a_file_or_from_pasted_cells() {
        let file = "ID,氏名,役割,最初の日,最後の日\r\nkaigo-1,\"見守 はな\",業務利用者,R9.4.1,R10.3.31\r\n\r\nkaigo-2,支援 太郎,利用機関管理責任者,,\r\n";
        let (entries, faults) = list(file);
        assert_eq!(faults, []);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].name, "見守 はな");
        assert_eq!(entries[0].period.until, Some(date(2028, 3, 31)));
        assert_eq!(entries[1].role, Role::InstitutionManager);
        let pasted = "kaigo-1\t見守 はな\t業務利用者\tR9.4.1\tR10.3.31\nkaigo-2\t支援 太郎\t利用機関管理責任者\n";
        assert_eq!(list(pasted), (entries, vec![]));
    }

    #[test]
    fn every_wrong_row_is_told_with_its_item_and_the_others_stand() {
        let text = "ID,氏名,役割,最初の日,最後の日\nA,見守 はな,業務利用者,,\nused-1,乙,業務利用者,,\nkaigo-3,,業務利用者,,\n\
                    kaigo-4,丁,監査責任者,,\nkaigo-5,戊,業務利用者,昨日,\nkaigo-6,己,業務利用者,,R1.1.1\nkaigo-7,庚,業務利用者,,\n\
                    kaigo-7,辛,業務利用者,,\nkaigo-8,壬,業務利用者,,,多い\n";
        let (entries, faults) = list(text);
        assert_eq!(
            list(&text.replace('\n', "\r\n")),
            (entries.clone(), faults.clone())
        );
        let logins: Vec<&str> = entries.iter().map(|e| e.login.as_str()).collect();
        assert_eq!(logins, ["kaigo-7"]);
        let told: Vec<(usize, &str)> = faults.iter().map(|f| (f.row, f.item)).collect();
        assert_eq!(
            told,
            [
                (2, "ID"),
                (3, "ID"),
                (4, "氏名"),
                (5, "役割"),
                (6, "最初の日"),
                (7, "最後の日"),
                (9, "ID"),
                (10, "行")
            ]
        );
    }

    #[test]
    fn a_list_ends_at_its_cap_and_managing_roles_are_not_given_in_lists() {
        let row = |n: usize| format!("kaigo-{n:03},見守 はな,業務利用者,,\n");
        let (entries, faults) = list(&(0..=MOST).map(row).collect::<String>());
        assert_eq!(entries.len(), MOST);
        assert_eq!(faults.len(), 1);
        assert!(roles(OrgKind::Department).all(|r| !over_others(r)));
        assert!(roles(OrgKind::Department).any(|r| r == Role::Clerk));
    }

    #[test]
    fn a_file_is_read_as_offices_save_it() {
        assert_eq!(decoded("\u{feff}氏名".as_bytes()).unwrap(), "氏名");
        assert_eq!(decoded(&[0x8e, 0x81, 0x96, 0xbc]).unwrap(), "氏名");
        assert_eq!(decoded(&[0xff, 0xff, 0x81]), None);
    }
}

//! Sheets (シート): what the council was told, as data that decides what may leave (S1-16 to S1-22, S0-74).

pub(crate) mod attach;
mod diff;
pub(crate) mod grant;
pub(crate) mod grant_page;
pub(crate) mod model;
pub(crate) mod page;
pub(crate) mod print;
pub(crate) mod rule;
pub(crate) mod store;

pub(crate) use diff::{Piece, marked, unmarked};
pub use grant::{
    Channel, Grant, GrantedChannel, GrantedItem, InCharge, NoGrant, Refused, SheetRef, check,
    check_over,
};
pub use model::{CaseId, Content, Kind, MEDIA, Named, Period, State, Version};

use mimamori_kernel::id::UserId;

use crate::screen::Marked;

/// A version row by row as the paper has it, what changed since the version in force before it marked.
pub(crate) fn rows(version: &Version, before: Option<&Version>) -> Vec<Marked> {
    let row = |row: &'static model::Row| {
        let new = version.content.lines(row);
        match before {
            None => (row.label, unmarked(&new), vec![]),
            Some(before) => {
                let (lines, gone) = marked(&before.content.lines(row), &new);
                (row.label, lines, gone)
            }
        }
    };
    version.kind.rows().iter().map(row).collect()
}

/// Whether the version in force before is known, in words for under the sheet.
pub(crate) fn compared(before: Option<&Version>) -> String {
    match before {
        Some(before) => format!(
            "※太字（下線）は、第{}版からの変更箇所です。削った語は「削った語」として示します。",
            before.number
        ),
        None => "※このシステムに前の版がないため、変更箇所は示していません。".into(),
    }
}

/// A version of a sample, approved at once by two people.
pub(crate) fn first_version(
    case: CaseId,
    kind: Kind,
    content: Content,
    (drafter, approver): (UserId, UserId),
    at: i64,
) -> Version {
    Version {
        case,
        kind,
        number: 1,
        state: State::Approved,
        content,
        reason: "見本の登録（受渡方法の追加）".into(),
        drafted_by: drafter,
        drafted_at: at,
        decided_by: Some(approver),
        decided_at: at,
    }
}

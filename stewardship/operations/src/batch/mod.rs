//! 一括申請: the staff list of an organisation, put in at once by one 運営管理責任者, approved by another,
//! who then prints IDs, first passwords and certificates in one document (S4-52).

mod issue;
pub(crate) mod page;
mod rule;
mod store;

pub(crate) use issue::submit;

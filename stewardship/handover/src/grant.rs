//! What the approved paper opens (付議書・契約): asked of the room that keeps the papers, never decided here.

use std::pin::Pin;
use std::sync::Arc;

use jiff::civil::Date;
use mimamori_identity::Visitor;
use mimamori_kernel::id::ContractId;

use crate::course::Channel;

/// An item that may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedItem {
    /// Id, for example `birth_date`.
    pub id: String,
    /// Name as the sheet has it.
    pub name: String,
    /// Class of the item, for the manifest.
    pub class: String,
}

/// What one contract opens on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Contract.
    pub contract: ContractId,
    /// Its subject.
    pub title: String,
    /// Name of the partner.
    pub partner: String,
    /// Purpose in the words of the sheet.
    pub purpose: String,
    /// Legal ground in words.
    pub legal_ground: String,
    /// Items.
    pub items: Vec<GrantedItem>,
    /// The sheet's own line about the items, for quoting.
    pub line: String,
    /// Last day of the contract.
    pub until: Date,
    /// Ways that the sheets open.
    pub channels: Vec<Channel>,
}

/// The answer about one contract; the error is the reason in words.
pub type Asked = Pin<Box<dyn Future<Output = Result<Grant, String>> + Send>>;

/// Asks for a visitor what a contract opens on a day; the room of the papers leaves its own line.
pub type Grants = Arc<dyn Fn(Visitor, ContractId, Date) -> Asked + Send + Sync>;

/// Refused items and why, in words for the screen.
pub(crate) fn refused(grant: &Grant, names: &[&str]) -> Option<String> {
    let known = |name: &str| grant.items.iter().any(|i| i.name == name);
    let wrong: Vec<&str> = names.iter().copied().filter(|n| !known(n)).collect();
    match wrong.is_empty() {
        true => None,
        false => Some(format!(
            "「{}」は、承認された付議書の項目にありません。付議書の記載: {}",
            wrong.join("」「"),
            grant.line
        )),
    }
}

//! The JSON of a statement; texts borrow from the file, so memory stays near its size.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement<'a> {
    pub format: String,
    pub key: String,
    pub checkpoint: String,
    pub token: String,
    #[serde(borrow)]
    pub entries: Vec<Shown<'a>>,
    #[serde(borrow)]
    pub map: Map<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown<'a> {
    pub index: u64,
    pub leaf: &'a str,
    #[serde(borrow)]
    pub proof: Vec<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map<'a> {
    pub index: u64,
    pub leaf: &'a str,
    #[serde(borrow)]
    pub proof: Vec<&'a str>,
    pub position: u64,
    #[serde(borrow)]
    pub entry_proof: Vec<&'a str>,
}

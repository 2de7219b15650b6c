//! 健診結果 (health checks): what a file tells about one person on one day, and what in it is wrong.

mod amount;
mod archive;
mod cda;
mod codes;
mod defect;
mod gather;
mod glucose;
mod layout;
mod mapped;
mod person;
mod split;
mod test_item;
mod value;

pub use amount::{Amount, NotAnAmount};
pub use archive::{Archive, ArchiveError, Limits, read_archive};
pub use cda::{CDA_LIMIT, read_document};
pub use codes::{Choice, Code, Codes, CodesError, Entry, Known, Period};
pub use defect::{Defect, Reason, Weight};
pub use gather::gather;
pub use glucose::{Glucose, glucose};
pub use layout::{Encoding, Layout, LayoutError};
pub use mapped::{Mapped, MappedError, read_mapped};
pub use test_item::{Group, Test};
pub use value::{Raw, Values};

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Sex as the equation and the register know it (男女区分).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男, code 1.
    Man,
    /// 女, code 2.
    Woman,
}

impl Sex {
    /// From the code of interfaces, or the word.
    pub fn of(text: &str) -> Option<Self> {
        match text {
            "1" | "男" | "男性" => Some(Self::Man),
            "2" | "女" | "女性" => Some(Self::Woman),
            _ => None,
        }
    }

    /// 男, 女.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Man => "男",
            Self::Woman => "女",
        }
    }
}

/// A value beyond what the item can hold: the file says 以下 or 以上 (FACTS E, s24b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// L: this or less.
    OrLess,
    /// H: this or more.
    OrMore,
}

/// What became of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A measured amount.
    Amount {
        /// In the unit of the table.
        amount: Amount,
        /// Set where the amount is beyond the range of the item.
        limit: Option<Limit>,
    },
    /// An answer by its number.
    Choice(u8),
    /// 未実施.
    NotDone,
    /// 測定不能.
    Unmeasurable,
}

/// One result with the code it came under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// 17 characters; the method stands in it.
    pub code: String,
    /// What came out.
    pub outcome: Outcome,
}

/// Who was examined, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// 宛名番号, where the layout has one.
    pub resident: Option<String>,
    /// Name in full-width kana (or as the file has it).
    pub kana: String,
    /// Birth date; always a full day, since ages are counted from it.
    pub birth: Date,
    /// Sex.
    pub sex: Sex,
    /// 受診券整理番号, 11 digits.
    pub ticket: Option<String>,
}

/// One health check of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkup {
    /// Who.
    pub subject: Subject,
    /// 健診実施日.
    pub day: Date,
    /// 健診機関番号, 10 digits.
    pub facility: Option<String>,
    /// Results by test, under each test the preferred code first. Never an empty list.
    pub results: BTreeMap<Test, Vec<Measured>>,
}

impl Checkup {
    /// The outcome of a test: the first code that has a value, else the first that tells why there is none.
    pub fn outcome(&self, test: Test) -> Option<Outcome> {
        best(&self.results, test)
    }
}

/// The outcome of a test among results by code.
pub fn best(results: &BTreeMap<Test, Vec<Measured>>, test: Test) -> Option<Outcome> {
    let all = results.get(&test)?;
    let has_value =
        |m: &&Measured| matches!(m.outcome, Outcome::Amount { .. } | Outcome::Choice(_));
    all.iter()
        .find(has_value)
        .or_else(|| all.first())
        .map(|m| m.outcome)
}

/// What was read from one document or row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Name of the document in the archive, or `12行目`.
    pub place: String,
    /// The health check; none when the whole of it must be refused.
    pub checkup: Option<Checkup>,
    /// All that is wrong or worth telling.
    pub defects: Vec<Defect>,
}

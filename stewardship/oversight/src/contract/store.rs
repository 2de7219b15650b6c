use mimamori_gate::{GateError, Hidden, OfficePermit, Record, Statement};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, RequestId, UserId};

use crate::sheet::store::bytes;
use crate::sheet::{CaseId, InCharge};

/// Which wording of the clauses (特記事項) a contract has; they differ in clause 11 (TK-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Of document 000: returned when not needed any more and when the work ends.
    WhenNotNeeded,
    /// Of document 003: returned when the contract ends.
    AtTheEnd,
}

impl Variant {
    /// Both.
    pub const ALL: [Self; 2] = [Self::WhenNotNeeded, Self::AtTheEnd];

    /// Code in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::WhenNotNeeded => "when-not-needed",
            Self::AtTheEnd => "at-the-end",
        }
    }

    /// The variant with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.code() == code)
    }

    /// Words on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::WhenNotNeeded => "不要になったとき及び業務終了後に返還（000の特記事項）",
            Self::AtTheEnd => "契約の終了後に返還（003の特記事項）",
        }
    }
}

/// An entry of the register: what identity's contract does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Contract.
    pub contract: ContractId,
    /// The case that it carries out.
    pub case: CaseId,
    /// Wording of the clauses.
    pub variant: Variant,
    /// How the partner was chosen (S0-53).
    pub chosen_by: String,
    /// Why (S0-53).
    pub why: String,
    /// First day of the work, ISO.
    pub started: String,
    /// Who entered it.
    pub entered_by: UserId,
    /// When, microseconds.
    pub entered_at: i64,
}

const COLUMNS: [&str; 8] = [
    "contract",
    "case_id",
    "variant",
    "chosen_by",
    "why",
    "started",
    "entered_by",
    "entered_at",
];

impl Entry {
    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            contract: ContractId::from_bytes(bytes(record, "contract")?),
            case: CaseId::from_bytes(bytes(record, "case_id")?),
            variant: Variant::from_code(record.text("variant")?)?,
            chosen_by: record.text("chosen_by")?.to_owned(),
            why: record.text("why")?.to_owned(),
            started: record.text("started")?.to_owned(),
            entered_by: UserId::from_bytes(bytes(record, "entered_by")?),
            entered_at: record.int("entered_at")?,
        })
    }

    /// The write; an entry that is there is a conflict.
    pub fn write(&self) -> Statement {
        Statement::expecting(
            "INSERT INTO oversight_contract (contract, case_id, variant, chosen_by, why, started, entered_by, entered_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            vec![
                self.contract.bytes().into(),
                self.case.bytes().into(),
                self.variant.code().into(),
                self.chosen_by.as_str().into(),
                self.why.as_str().into(),
                self.started.as_str().into(),
                self.entered_by.bytes().into(),
                self.entered_at.into(),
            ],
            1,
            "contract-registered",
        )
    }
}

/// All entries.
pub(crate) async fn entries(permit: &OfficePermit) -> Result<Hidden<Vec<Entry>>, GateError> {
    let rows = permit
        .fetch("oversight_contract", &COLUMNS, "1 = 1", vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Entry::read).collect()))
}

/// Duty of somebody named for a contract (TK-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// The town's own officer in charge.
    Town,
    /// 取扱責任者 of the partner.
    Responsible,
    /// 取扱者 of the partner.
    Handler,
}

impl Duty {
    /// All duties.
    pub const ALL: [Self; 3] = [Self::Town, Self::Responsible, Self::Handler];

    /// Code in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Town => "town",
            Self::Responsible => "responsible",
            Self::Handler => "handler",
        }
    }

    /// The duty with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.code() == code)
    }

    /// Words on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Town => "役所の担当者",
            Self::Responsible => "委託先の取扱責任者",
            Self::Handler => "委託先の取扱者",
        }
    }
}

/// Somebody named for a contract, with training (TK-13, TK-18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Id.
    pub id: RequestId,
    /// Contract.
    pub contract: ContractId,
    /// Duty.
    pub duty: Duty,
    /// Name.
    pub name: String,
    /// Day of the training, ISO; empty before.
    pub trained: String,
    /// Day on which the rules were made known, ISO; empty before.
    pub informed: String,
    /// First day, ISO.
    pub from: String,
    /// Who entered it.
    pub entered_by: UserId,
    /// When, microseconds.
    pub entered_at: i64,
    /// When it ended; 0 while it lasts.
    pub ended_at: i64,
}

const PERSON: [&str; 10] = [
    "id",
    "contract",
    "duty",
    "name",
    "trained",
    "informed",
    "from_day",
    "entered_by",
    "entered_at",
    "ended_at",
];

impl Person {
    fn read(record: &Record) -> Option<Self> {
        Some(Self {
            id: RequestId::from_bytes(bytes(record, "id")?),
            contract: ContractId::from_bytes(bytes(record, "contract")?),
            duty: Duty::from_code(record.text("duty")?)?,
            name: record.text("name")?.to_owned(),
            trained: record.text("trained")?.to_owned(),
            informed: record.text("informed")?.to_owned(),
            from: record.text("from_day")?.to_owned(),
            entered_by: UserId::from_bytes(bytes(record, "entered_by")?),
            entered_at: record.int("entered_at")?,
            ended_at: record.int("ended_at")?,
        })
    }

    /// The write of a new one.
    pub fn write(&self) -> Statement {
        Statement::new(
            "INSERT INTO oversight_person (id, contract, duty, name, trained, informed, from_day, entered_by, entered_at, ended_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            vec![
                self.id.bytes().into(),
                self.contract.bytes().into(),
                self.duty.code().into(),
                self.name.as_str().into(),
                self.trained.as_str().into(),
                self.informed.as_str().into(),
                self.from.as_str().into(),
                self.entered_by.bytes().into(),
                self.entered_at.into(),
            ],
        )
    }
}

impl Person {
    /// The write that ends it; somebody's earlier end is a conflict.
    pub(crate) fn end(&self, now: Instant) -> Statement {
        Statement::expecting(
            "UPDATE oversight_person SET ended_at = ? WHERE id = ? AND ended_at = 0",
            vec![now.0.into(), self.id.bytes().into()],
            1,
            "person-ended",
        )
    }
}

/// Everybody named for a contract, those who still are first.
pub(crate) async fn people(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Vec<Person>>, GateError> {
    let args = vec![contract.bytes().into()];
    let filter = "contract = ? ORDER BY ended_at, duty, name, id";
    let rows = permit
        .fetch("oversight_person", &PERSON, filter, args)
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Person::read).collect()))
}

/// Everybody named for any contract.
pub(crate) async fn everybody(permit: &OfficePermit) -> Result<Hidden<Vec<Person>>, GateError> {
    let rows = permit
        .fetch("oversight_person", &PERSON, "1 = 1", vec![])
        .await?;
    Ok(rows.map(|rows| rows.iter().filter_map(Person::read).collect()))
}

/// Who is named now, for a grant.
pub(crate) async fn in_charge(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Vec<InCharge>>, GateError> {
    let named = people(permit, contract).await?;
    Ok(named.map(|all| {
        let now = all.into_iter().filter(|p| p.ended_at == 0);
        now.map(|p| InCharge {
            duty: p.duty.japanese().to_owned(),
            name: p.name,
            of_partner: p.duty != Duty::Town,
        })
        .collect()
    }))
}

//! A package in the tables: its row, its events, and the writes of the next one.

use mimamori_gate::{Hidden, OfficePermit, Record, Statement, Value};
use mimamori_kernel::id::{ContractId, MediumId, PackageId, UserId};
use mimamori_package::{Manifest, from_canonical};

use crate::HandoverError;
use crate::course::{Channel, Course, Event, Occasion, Opening, Stage};

const COLUMNS: [&str; 17] = [
    "id",
    "contract",
    "title",
    "partner",
    "channel",
    "opening",
    "manifest",
    "rows_held",
    "items",
    "reason",
    "expires",
    "erase_by",
    "stage",
    "step",
    "medium",
    "file",
    "sha256",
];
const EVENTS: [&str; 8] = [
    "step",
    "kind",
    "happened_at",
    "by_user",
    "carrier_1",
    "carrier_2",
    "minute",
    "words",
];

/// What happened, as it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub event: Event,
    /// When it was written down, microseconds.
    pub at: i64,
    pub words: String,
}

/// One package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub id: PackageId,
    pub contract: ContractId,
    pub title: String,
    pub partner: String,
    pub channel: Channel,
    pub opening: Opening,
    pub manifest: Manifest,
    pub items: String,
    pub reason: String,
    pub stage: Stage,
    pub step: i64,
    pub medium: Option<MediumId>,
    pub file: String,
    pub sha256: String,
}

fn array(record: &Record, column: &str) -> Option<[u8; 16]> {
    record.bytes(column)?.try_into().ok()
}

fn code<T: Copy>(all: &[T], of: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|x| of(*x) == text)
}

impl Package {
    fn read(record: &Record) -> Option<Self> {
        let text = |column| record.text(column).map(str::to_owned);
        Some(Self {
            id: PackageId::from_bytes(array(record, "id")?),
            contract: ContractId::from_bytes(array(record, "contract")?),
            title: text("title")?,
            partner: text("partner")?,
            channel: code(&Channel::ALL, Channel::code, record.text("channel")?)?,
            opening: code(&Opening::ALL, Opening::code, record.text("opening")?)?,
            manifest: from_canonical(record.text("manifest")?.as_bytes()).ok()?,
            items: text("items")?,
            reason: text("reason")?,
            stage: code(&Stage::ALL, Stage::code, record.text("stage")?)?,
            step: record.int("step")?,
            medium: array(record, "medium").map(MediumId::from_bytes),
            file: text("file")?,
            sha256: text("sha256")?,
        })
    }

    /// The writes of a new package with its first event.
    pub(crate) fn enter(
        &self,
        asker: UserId,
        at: i64,
        sealed: Vec<u8>,
    ) -> Result<Vec<Statement>, HandoverError> {
        let manifest = String::from_utf8(self.manifest.to_bytes()?);
        let manifest = manifest.map_err(|_| HandoverError::Record)?;
        Ok(vec![
            Statement::new(
                "INSERT INTO handover_package (id, contract, title, partner, channel, opening, manifest, rows_held, items, \
                 reason, expires, erase_by, stage, step, medium, file, sha256) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, '', '')",
                vec![
                    self.id.bytes().into(),
                    self.contract.bytes().into(),
                    self.title.as_str().into(),
                    self.partner.as_str().into(),
                    self.channel.code().into(),
                    self.opening.code().into(),
                    manifest.into(),
                    self.manifest.rows().into(),
                    self.items.as_str().into(),
                    self.reason.as_str().into(),
                    self.manifest.expires.into(),
                    self.manifest.erase_by.as_str().into(),
                    Stage::Requested.code().into(),
                ],
            ),
            Statement::new(
                "INSERT INTO handover_content (package, sealed) VALUES (?, ?)",
                vec![self.id.bytes().into(), sealed.into()],
            ),
            event_row(self.id, 0, "request", at, asker, (None, 0), &self.reason),
        ])
    }
}

fn event_row(
    package: PackageId,
    step: i64,
    kind: &str,
    at: i64,
    by: UserId,
    (carriers, minute): (Option<[UserId; 2]>, i64),
    words: &str,
) -> Statement {
    let carrier = |at: usize| carriers.map_or(Value::NullBytes, |c| c[at].bytes().into());
    Statement::new(
        "INSERT INTO handover_event (package, step, kind, happened_at, by_user, carrier_1, carrier_2, minute, words) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            package.bytes().into(),
            step.into(),
            kind.into(),
            at.into(),
            by.bytes().into(),
            carrier(0),
            carrier(1),
            minute.into(),
            words.into(),
        ],
    )
}

/// Who did it, whom it names, and the minute in the ledger.
fn parts(event: &Event) -> (UserId, Option<[UserId; 2]>, i64) {
    match *event {
        Event::Carriers(by, pair) => (by, Some(pair), 0),
        Event::HandOver(by, at) | Event::Receive(by, at) | Event::ReleaseSlip(by, at) => {
            (by, None, at.0)
        }
        Event::Approve(by)
        | Event::Withdraw(by)
        | Event::Seal(by)
        | Event::Open(by)
        | Event::Return(by)
        | Event::Certificate(by)
        | Event::Check(by)
        | Event::Close(by) => (by, None, 0),
    }
}

fn event(record: &Record) -> Option<Event> {
    let by = UserId::from_bytes(array(record, "by_user")?);
    let at = Occasion(record.int("minute")?);
    Some(match record.text("kind")? {
        "approve" => Event::Approve(by),
        "withdraw" => Event::Withdraw(by),
        "seal" => Event::Seal(by),
        "carriers" => Event::Carriers(
            by,
            [
                UserId::from_bytes(array(record, "carrier_1")?),
                UserId::from_bytes(array(record, "carrier_2")?),
            ],
        ),
        "hand-over" => Event::HandOver(by, at),
        "receive" => Event::Receive(by, at),
        "release-slip" => Event::ReleaseSlip(by, at),
        "open" => Event::Open(by),
        "return" => Event::Return(by),
        "certificate" => Event::Certificate(by),
        "check" => Event::Check(by),
        "close" => Event::Close(by),
        _ => return None,
    })
}

/// A package with its course, worked out anew from the events.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub package: Package,
    pub course: Course,
    pub asker: UserId,
    /// When it was asked for, microseconds.
    pub asked: i64,
    pub entries: Vec<Entry>,
}

impl Whole {
    /// What the rows say; an error when they do not fit together.
    fn read(packages: &[Record], events: &[Record]) -> Result<Option<Self>, HandoverError> {
        let Some(row) = packages.first() else {
            return Ok(None);
        };
        let no = || HandoverError::Record;
        let package = Package::read(row).ok_or_else(no)?;
        let (first, rest) = events.split_first().ok_or_else(no)?;
        let asker = UserId::from_bytes(array(first, "by_user").ok_or_else(no)?);
        let mut course = Course::new(package.channel, package.opening, asker);
        let mut entries = Vec::new();
        for row in rest {
            let event = event(row).ok_or_else(no)?;
            course = course.then(event).map_err(|_| no())?;
            entries.push(Entry {
                event,
                at: row.int("happened_at").ok_or_else(no)?,
                words: row.text("words").ok_or_else(no)?.to_owned(),
            });
        }
        let asked = first.int("happened_at").ok_or_else(no)?;
        match course.stage() == package.stage && package.step == entries.len() as i64 {
            true => Ok(Some(Self {
                package,
                course,
                asker,
                asked,
                entries,
            })),
            // A row that says something else than its events was changed by somebody else's hand.
            false => Err(no()),
        }
    }

    /// The course after `event`, and the writes: the row moves only from this step.
    pub(crate) fn then(
        &self,
        event: Event,
        at: i64,
        words: &str,
    ) -> Result<(Course, Vec<Statement>), HandoverError> {
        let course = self.course.then(event)?;
        let step = self.package.step + 1;
        let (by, carriers, minute) = parts(&event);
        let id = self.package.id;
        Ok((
            course.clone(),
            vec![
                Statement::expecting(
                    "UPDATE handover_package SET step = ?, stage = ? WHERE id = ? AND step = ?",
                    vec![
                        step.into(),
                        course.stage().code().into(),
                        id.bytes().into(),
                        self.package.step.into(),
                    ],
                    1,
                    "handover-moved",
                ),
                event_row(id, step, event.code(), at, by, (carriers, minute), words),
            ],
        ))
    }
}

/// One package with its events; an inner error when its rows do not fit together.
pub(crate) async fn whole(
    permit: &OfficePermit,
    id: PackageId,
) -> Result<Hidden<Result<Option<Whole>, HandoverError>>, HandoverError> {
    let args = || vec![id.bytes().into()];
    let package = permit
        .fetch("handover_package", &COLUMNS, "id = ?", args())
        .await?;
    let events = permit
        .fetch(
            "handover_event",
            &EVENTS,
            "package = ? ORDER BY step",
            args(),
        )
        .await?;
    Ok(package
        .and(events)
        .map(|(package, events)| Whole::read(&package, &events)))
}

/// A row of the list.
pub(crate) struct Listed {
    pub id: String,
    pub title: String,
    pub partner: String,
    pub stage: Stage,
    pub channel: Channel,
    pub rows: i64,
    pub erase_by: String,
}

/// All packages, the newest due day first; 500 at most.
pub(crate) async fn all(permit: &OfficePermit) -> Result<Hidden<Vec<Listed>>, HandoverError> {
    const SHOWN: [&str; 7] = [
        "id",
        "title",
        "partner",
        "stage",
        "channel",
        "rows_held",
        "erase_by",
    ];
    let filter = "1 = 1 ORDER BY erase_by DESC, id LIMIT 500";
    let rows = permit
        .fetch("handover_package", &SHOWN, filter, vec![])
        .await?;
    let listed = |record: &Record| {
        Some(Listed {
            id: PackageId::from_bytes(array(record, "id")?).to_string(),
            title: record.text("title")?.to_owned(),
            partner: record.text("partner")?.to_owned(),
            stage: code(&Stage::ALL, Stage::code, record.text("stage")?)?,
            channel: code(&Channel::ALL, Channel::code, record.text("channel")?)?,
            rows: record.int("rows_held")?,
            erase_by: record.text("erase_by")?.to_owned(),
        })
    };
    Ok(rows.map(|rows| rows.iter().filter_map(listed).collect()))
}

/// The sealed bytes of a package in one of the two tables that hold some.
pub(crate) async fn sealed(
    permit: &OfficePermit,
    table: &'static str,
    id: PackageId,
) -> Result<Hidden<Option<Vec<u8>>>, HandoverError> {
    let rows = permit
        .fetch(table, &["sealed"], "package = ?", vec![id.bytes().into()])
        .await?;
    Ok(rows.map(|rows| rows.first()?.bytes("sealed").map(<[u8]>::to_vec)))
}

//! The request for a package (受渡しの申請): rows that the paper opens, a manifest to approve, nothing sealed yet.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_encryption::{Secret, seal};
use mimamori_gate::{Change, Purpose};
use mimamori_identity::{Contract as Held, Visitor};
use mimamori_kernel::id::{ContractId, PackageId};
use mimamori_package::{
    Column, Contract, FORMAT, FileEntry, Item, Kind, Manifest, Party, SLIP, TracePosition,
    fingerprint, write_rows,
};
use mimamori_pages::{FieldError, Frame, LimitedParts};
use sha2::{Digest as _, Sha256};

use crate::course::{Channel, Opening, Stage};
use crate::error::answer;
use crate::grant::{Grant, refused};
use crate::package::Package;
use crate::screen::{Desk, FormPage, Sent};
use crate::{Handover, HandoverError, action, partner};

/// Largest table from a browser, bytes.
const UPLOAD: usize = 32 << 20;
/// Days in which a package may be opened (想定).
const OPEN_DAYS: i64 = 14;
/// The table's name in a package.
pub(crate) const TABLE: &str = "people.csv";

/// Rows for a partner. A heading is an item's name as the sheet has it, or that name, `／` and a name of its own, for an item
/// with several columns (血圧測定／収縮期).
#[derive(Debug, Clone)]
pub struct Extract {
    /// Headings.
    pub headings: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// How it shall travel.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Contract.
    pub contract: ContractId,
    /// Channel.
    pub channel: Channel,
    /// What opens it.
    pub opening: Opening,
    /// Why.
    pub reason: String,
}

/// The item's part of a heading.
fn item_name(heading: &str) -> &str {
    heading.split_once('／').map_or(heading, |(item, _)| item)
}

/// Columns with their items.
///
/// # Errors
/// [`HandoverError::Paper`] with the sheet's own line for an item that it does not name.
fn columns(grant: &Grant, headings: &[String]) -> Result<Vec<Column>, HandoverError> {
    let names: Vec<&str> = headings.iter().map(|h| item_name(h)).collect();
    if let Some(words) = refused(grant, &names) {
        return Err(HandoverError::Paper(words));
    }
    let column = |(heading, name): (&String, &str)| {
        let item = grant.items.iter().find(|i| i.name == name)?;
        Some(Column {
            item: item.id.clone(),
            name: heading.clone(),
        })
    };
    Ok(headings.iter().zip(names).filter_map(column).collect())
}

/// The rows of a CSV file: UTF-8, with or without a mark.
fn table(bytes: &[u8]) -> Result<Extract, HandoverError> {
    let wrong = |message: String| HandoverError::field("file", message);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| wrong("文字を読み取れません。UTF-8のCSVで保存してください。".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(Ok(first)) = records.next() else {
        return Err(wrong("見出しの行がありません。".into()));
    };
    let headings: Vec<String> = first.iter().map(|h| h.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for (at, record) in records.enumerate() {
        let record = record.map_err(|_| wrong(format!("{}行目を読めません。", at + 2)))?;
        if record.len() != headings.len() {
            return Err(wrong(format!(
                "{}行目の列の数（{}）が、見出しの数（{}）と違います。",
                at + 2,
                record.len(),
                headings.len()
            )));
        }
        rows.push(record.iter().map(str::to_owned).collect());
    }
    match rows.is_empty() {
        true => Err(wrong("行がありません。".into())),
        false => Ok(Extract { headings, rows }),
    }
}

impl Handover {
    /// Enters a request for a package; it can be sealed once two others approved its manifest.
    ///
    /// # Errors
    /// [`HandoverError::Paper`] for an item, a channel or a day that the paper does not open, in its own words;
    /// [`HandoverError::Input`], [`HandoverError::Package`].
    pub async fn ask(
        &self,
        visitor: &Visitor,
        wish: Wish,
        extract: &Extract,
    ) -> Result<PackageId, HandoverError> {
        let now = self.clock.now();
        let permit = self
            .gate
            .office(visitor, action::REQUEST, Purpose::Operation, None)
            .await?;
        let asked = (self.grants)(visitor.clone(), wish.contract, now.office_day()).await;
        let grant = asked.map_err(HandoverError::Paper)?;
        if !grant.channels.contains(&wish.channel) {
            return Err(HandoverError::Paper(format!(
                "この方法（{}）は、承認された付議書にありません。",
                wish.channel.japanese()
            )));
        }
        let columns = columns(&grant, &extract.headings)?;
        let bytes = write_rows(&columns, &extract.rows)?;
        let (size, root) = (self.position)().ok_or(HandoverError::NoPosition)?;
        let known = partner::keys(&permit, wish.contract).await?;
        let id = PackageId::random(&*self.random);
        let (room, visitor_id) = (self.clone(), visitor.user);
        permit
            .change(known, now, move |keys| {
                let recipient = match wish.opening {
                    Opening::Key => keys.recipient()?.map(|key| fingerprint(&key)),
                    Opening::Slip | Opening::SlipZip => Some(SLIP.to_owned()),
                };
                let recipient = recipient.ok_or_else(|| {
                    HandoverError::field(
                        "opening",
                        "相手方の鍵がまだ登録されていません。パスワード通知書を選ぶか、鍵を登録してください。",
                    )
                })?;
                let used = |id: &str| columns.iter().any(|c| c.item == id);
                let items: Vec<Item> = grant
                    .items
                    .iter()
                    .filter(|i| used(&i.id))
                    .map(|i| Item {
                        id: i.id.clone(),
                        name: i.name.clone(),
                        class: i.class.clone(),
                    })
                    .collect();
                let names: Vec<&str> = items.iter().map(|i| i.name.as_str()).collect();
                let names = names.join("、");
                let created = now.0.div_euclid(1_000_000);
                let manifest = Manifest {
                    format: FORMAT.to_owned(),
                    id: id.to_string(),
                    kind: Kind::Delivery,
                    contract: Contract {
                        id: wish.contract.to_string(),
                        name: grant.title.clone(),
                    },
                    purpose: grant.purpose.clone(),
                    legal_ground: grant.legal_ground.clone(),
                    items,
                    files: vec![FileEntry {
                        name: TABLE.to_owned(),
                        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                        sha256: hex::encode(Sha256::digest(&*bytes)),
                        rows: i64::try_from(extract.rows.len()).unwrap_or(i64::MAX),
                        columns,
                    }],
                    sender: Party {
                        name: room.settings.town.clone(),
                        key: SLIP.to_owned(),
                    },
                    recipient: Party {
                        name: grant.partner.clone(),
                        key: recipient,
                    },
                    created,
                    expires: created + OPEN_DAYS * 86_400,
                    erase_by: grant.until.to_string(),
                    trace: TracePosition { size, root },
                    approvals: vec![],
                };
                manifest.check(&room.limits)?;
                let key = Secret::from_bytes(room.key("content"));
                let sealed = seal(&key, id.bytes(), &bytes, &*room.random);
                let sealed = sealed.map_err(|_| HandoverError::Record)?;
                let package = Package {
                    id,
                    contract: wish.contract,
                    title: grant.title,
                    partner: grant.partner,
                    channel: wish.channel,
                    opening: wish.opening,
                    manifest,
                    items: names,
                    reason: wish.reason,
                    stage: Stage::Requested,
                    step: 0,
                    medium: None,
                    file: String::new(),
                    sha256: String::new(),
                };
                let change = Change {
                    statements: package.enter(visitor_id, now.0, sealed)?,
                    words: format!(
                        "受渡しの申請 {} {}件 {} {}",
                        package.title,
                        package.manifest.rows(),
                        package.items,
                        package.reason
                    ),
                    ..Change::default()
                };
                Ok::<_, HandoverError>((change, ()))
            })
            .await?;
        Ok(id)
    }
}

/// The contracts in force, for a list box.
pub(crate) fn open_contracts(contracts: &[Held], now: i64) -> Vec<(String, String)> {
    let held = contracts.iter().filter(|c| c.holds(now));
    held.map(|c| (c.id.to_string(), c.subject.clone()))
        .collect()
}

async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::REQUEST, Purpose::Operation, None)
        .await?;
    let known = permit.contracts().await?;
    let contracts = permit.reveal(known).await?;
    let channels = Channel::ALL.map(|c| (c.code().to_owned(), c.japanese().to_owned()));
    let openings = Opening::ALL.map(|o| (o.code().to_owned(), o.japanese().to_owned()));
    Ok(
        FormPage::new(frame, "受渡しの申請", "/handover/packages/new", "/handover")
            .words("承認された付議書の項目だけを入れられます。申請した人とは別の二人が、目録を承認します。")
            .words("見出しは付議書の項目名です。一つの項目に列が複数あるときは「血圧測定／収縮期」のように書きます。")
            .fields(vec![
                sent.choose("contract", "契約", open_contracts(&contracts, now.0), ""),
                sent.choose("channel", "受渡しの方法", channels, ""),
                sent.choose("opening", "開封の方法", openings, ""),
                crate::screen::Field::File {
                    name: "file",
                    label: "表（CSV）",
                    hint: "UTF-8のCSV、1行目は見出し、32MBまで。",
                },
                sent.line("reason", "理由", true, "例: 令和8年度 第1回 対象者データ"),
            ])
            .button("申請する")
            .answer(errors),
    )
}

/// GET /handover/packages/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Handover,
    visitor: &Visitor,
    sent: &mut Sent,
    file: &[u8],
) -> Result<PackageId, HandoverError> {
    let contract = sent.get("contract").parse::<ContractId>();
    if contract.is_err() {
        sent.refuse("contract", "契約を選んでください。");
    }
    let channel = sent.one("channel", &Channel::ALL, Channel::code);
    let opening = sent.one("opening", &Opening::ALL, Opening::code);
    let reason = sent.need("reason", "理由を入力してください。");
    if file.is_empty() {
        sent.refuse("file", "表のファイルを選んでください。");
    }
    sent.complete()?;
    let (Ok(contract), Some(channel), Some(opening)) = (contract, channel, opening) else {
        return Err(HandoverError::Input(vec![]));
    };
    let wish = Wish {
        contract,
        channel,
        opening,
        reason,
    };
    room.ask(visitor, wish, &table(file)?).await
}

/// POST /handover/packages/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedParts(parts): LimitedParts<UPLOAD>,
) -> Response {
    let (mut pairs, mut file) = (vec![], vec![]);
    for (name, bytes) in parts {
        match name.as_str() {
            "file" => file = bytes,
            _ => pairs.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    let mut sent = Sent::from(pairs);
    match propose(&room, &visitor, &mut sent, &file).await {
        Ok(id) => Redirect::to(&format!("/handover/packages/{id}")).into_response(),
        Err(HandoverError::Input(errors)) => form(&room, &visitor, &frame, &sent, errors)
            .await
            .unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}

/// An id out of an address; what is none is not there.
pub(crate) fn id<T: std::str::FromStr>(Path(text): &Path<String>) -> Result<T, HandoverError> {
    let parsed = text.parse();
    parsed.map_err(|_| mimamori_gate::GateError::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    use crate::grant::GrantedItem;

    fn grant() -> Grant {
        let item = |id: &str, name: &str| GrantedItem {
            id: id.into(),
            name: name.into(),
            class: "identity".into(),
        };
        Grant {
            contract: ContractId::from_bytes([1; 16]),
            title: "保健指導".into(),
            partner: "見本データ".into(),
            purpose: "保健指導".into(),
            legal_ground: "要綱".into(),
            items: vec![
                item("birth_date", "生年月日"),
                item("blood_pressure", "血圧測定"),
            ],
            line: "生年月日、血圧測定".into(),
            until: date(2027, 3, 31),
            channels: vec![Channel::Folder],
        }
    }

    #[test]
    fn an_item_that_the_paper_does_not_name_is_refused_with_its_line() {
        let headings = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let good = columns(&grant(), &headings(&["生年月日", "血圧測定／収縮期"])).unwrap();
        assert_eq!(good[1].item, "blood_pressure");
        let wrong = columns(&grant(), &headings(&["生年月日", "メールアドレス"]));
        let words = wrong.unwrap_err().to_string();
        assert!(words.contains("「メールアドレス」"), "{words}");
        assert!(
            words.ends_with("付議書の記載: 生年月日、血圧測定"),
            "{words}"
        );
    }

    #[test]
    fn a_table_with_a_short_row_or_none_is_told_with_its_line() {
        let told = |text: &str| match table(text.as_bytes()) {
            Err(HandoverError::Input(errors)) => errors[0].message.clone(),
            other => panic!("{other:?}"),
        };
        assert!(told("a,b\r\n1,2\r\n3\r\n").starts_with("3行目の列の数（1）"));
        assert_eq!(told("a,b\r\n"), "行がありません。");
        assert_eq!(told(""), "見出しの行がありません。");
        let read = table("\u{feff}a,b\r\n\"1\",\"2,3\"\r\n".as_bytes()).unwrap();
        assert_eq!(read.rows, [["1", "2,3"]]);
        assert!(table(b"\x83\x41").is_err());
    }
}

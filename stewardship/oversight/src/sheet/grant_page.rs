//! What a contract's sheet opens, and the answer to items that somebody wants to hand over.

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{GateError, Hidden, OfficePermit, Purpose};
use mimamori_identity::{Visitor, last_day};
use mimamori_kernel::id::ContractId;
use mimamori_pages::{Frame, LimitedForm, Term};

use super::grant::{Basis, Grant, Refused, check, check_over, grant};
use super::store::{COLUMNS, TABLE, versions};
use super::{Channel, NoGrant};
use crate::catalogue::{ITEMS, find};
use crate::contract::store::{entries, in_charge};
use crate::council::page::partner;
use crate::council::store::{GROUND, grounds};
use crate::error::answer;
use crate::screen::{Cell, Desk, Field, FormPage, Mark, Sent, Table, day};
use crate::{Oversight, OversightError, action};

/// Rows of the case to which a contract belongs.
const OF_CONTRACT: &str =
    "case_id IN (SELECT c.case_id FROM oversight_contract c WHERE c.contract = ?)";

/// Everything a grant is made from; none without the contract or its entry in the register.
async fn basis(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Result<Basis, OversightError>>, GateError> {
    let args = || vec![contract.bytes().into()];
    let rows = permit.fetch(TABLE, &COLUMNS, OF_CONTRACT, args()).await?;
    let ground = permit
        .fetch("oversight_ground", &GROUND, OF_CONTRACT, args())
        .await?;
    let known = permit
        .contracts()
        .await?
        .and(permit.organisations().await?)
        .and(entries(permit).await?)
        .and(in_charge(permit, contract).await?)
        .and(rows)
        .and(ground);
    Ok(known.map(
        |(((((contracts, organisations), entries), people), rows), ground)| {
            let found = contracts.into_iter().find(|c| c.id == contract);
            let found = found.ok_or(GateError::NotFound)?;
            if !entries.iter().any(|e| e.contract == contract) {
                return Err(NoGrant::Unregistered.into());
            }
            let mut clauses: Vec<String> = Vec::new();
            for one in grounds(&ground) {
                if !clauses.contains(&one.clause) {
                    clauses.push(one.clause);
                }
            }
            Ok(Basis {
                contract,
                partner: partner(&organisations, found.org),
                days: (last_day(found.from + 1), last_day(found.until)),
                ended: found.ended.is_some(),
                subject: found.subject,
                legal_ground: clauses.join("、"),
                versions: versions(&rows).ok_or(OversightError::Broken)?,
                in_charge: people,
            })
        },
    ))
}

impl Oversight {
    /// What a contract grants to whom on a day; leaves its line.
    ///
    /// # Errors
    /// [`OversightError::NoGrant`] with the reason; those of the gate.
    pub async fn grant(
        &self,
        visitor: &Visitor,
        contract: ContractId,
        day: Date,
    ) -> Result<Grant, OversightError> {
        let permit = self
            .gate
            .office(visitor, action::GRANT_READ, Purpose::Operation, None)
            .await?;
        let known = basis(&permit, contract).await?;
        let made = known.map(|basis| Ok::<_, OversightError>(grant(&basis?, day)?));
        permit.reveal(made).await?.into_inner()
    }
}

fn refused_table(refused: &[Refused]) -> Table {
    let rows = refused
        .iter()
        .map(|r| vec![Cell::text(&r.name), Cell::text(&r.line)]);
    Table {
        caption: "渡せない項目".into(),
        heads: vec!["項目", "シートの行"],
        rows: rows.collect(),
        empty: "選んだ項目は、すべて渡せます。",
        by_row: true,
    }
}

fn tables(grant: &Grant) -> [Table; 2] {
    let items = grant.items.iter().map(|i| {
        let sensitive = find(&i.id).is_some_and(|c| c.sensitive);
        let class = if sensitive {
            "要配慮個人情報"
        } else {
            "個人情報"
        };
        vec![Cell::text(&i.name), Cell::text(class)]
    });
    let channels = grant.channels.iter().map(|c| {
        let count = format!("{}項目", c.items.len());
        vec![
            Cell::text(c.channel.japanese()),
            Cell::text(c.sheet.words()),
            Cell::text(&c.line),
            Cell::text(count),
        ]
    });
    [
        Table {
            caption: "渡せる項目".into(),
            heads: vec!["項目", "区分"],
            rows: items.collect(),
            empty: "ありません。",
            by_row: true,
        },
        Table {
            caption: "渡せる方法".into(),
            heads: vec!["方法", "シート", "シートの行", "項目の数"],
            rows: channels.collect(),
            empty: "ありません。",
            by_row: true,
        },
    ]
}

const CHANNELS: [Channel; 3] = [Channel::Lgwan, Channel::Medium, Channel::Paper];

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    contract: &str,
    sent: Option<&Sent>,
) -> Result<Response, OversightError> {
    let today = room.clock.now().office_day();
    let wanted = contract.parse().unwrap_or(ContractId::from_bytes([0; 16]));
    let grant = &room.grant(visitor, wanted, today).await?;
    let mark = |item: &crate::catalogue::Item| {
        let name = format!("item-{}", item.id);
        Mark {
            checked: sent.is_some_and(|s| s.ticked(&name)),
            label: item.name.to_owned(),
            name,
        }
    };
    let empty = Sent::default();
    let channels = CHANNELS.map(|c| (c.code().to_owned(), c.japanese().to_owned()));
    let at = format!("/oversight/contracts/{contract}");
    let mut page = FormPage::new(frame, "渡せる項目の確認", format!("{at}/grant"), &at)
        .words("渡したい項目を選ぶと、いまのシートで渡せるかどうかを、シートの行とともに答えます。")
        .terms(vec![
            Term::new("契約", grant.subject.clone()),
            Term::new("委託先", grant.partner.clone()),
            Term::new("目的", grant.purpose.clone()),
            Term::new("根拠", grant.legal_ground.clone()),
            Term::new("個人の範囲", grant.persons.clone()),
            Term::new(
                "契約の期間",
                format!("{}〜{}", day(grant.from), day(grant.until)),
            ),
            Term::new("シート", grant.sheet.words()),
        ])
        .fields(vec![
            Field::Marks {
                name: "items",
                legend: "渡したい項目",
                hint: "",
                marks: ITEMS.iter().map(mark).collect(),
            },
            sent.unwrap_or(&empty)
                .choose_field("channel", "方法", channels, ""),
        ])
        .button("check", "確かめる", "primary");
    if grant.renewed {
        page = page.words("シートの期限は過ぎていますが、「次年度以降も、同様に行う」と書かれているため、契約の期間は渡せます。");
    }
    let mut errors = vec![];
    if let Some(sent) = sent {
        let wanted: Vec<&str> = ITEMS
            .iter()
            .map(|i| i.id)
            .filter(|id| sent.ticked(&format!("item-{id}")))
            .collect();
        let channel = CHANNELS
            .into_iter()
            .find(|c| c.code() == sent.get("channel"));
        let found = match channel {
            Some(channel) => check_over(grant, channel, &wanted),
            None => check(grant, &wanted),
        };
        if wanted.is_empty() {
            errors.push(mimamori_pages::FieldError::new(
                "items",
                "項目を選んでください。",
            ));
        } else {
            page = page.table(refused_table(&found.err().unwrap_or_default()));
        }
    }
    let [items, channels] = tables(grant);
    Ok(page.table(items).table(channels).answer(errors))
}

/// GET /oversight/contracts/{contract}/grant
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    form(&room, &visitor, &frame, &contract, None)
        .await
        .unwrap_or_else(answer)
}

/// POST /oversight/contracts/{contract}/grant
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    form(&room, &visitor, &frame, &contract, Some(&sent))
        .await
        .unwrap_or_else(answer)
}

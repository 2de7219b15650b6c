//! Renewal for the next fiscal year (次年度への更新, S1-21): what would be carried over, and what differs.

use axum::extract::Path;
use axum::response::Response;
use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{Contract, last_day};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::ContractId;
use mimamori_pages::Term;

use super::obligation::{Certification, certifications};
use super::store::{Entry, Person, entries, people};
use crate::council::page::days;
use crate::council::store::whole;
use crate::error::answer;
use crate::screen::{Cell, Desk, ShowPage, Table, day};
use crate::sheet::model::in_force;
use crate::sheet::{Kind, Version};
use crate::{OversightError, action, id};

/// One line: what, this year, next year, whether they differ or something has to be done.
type Difference = (String, String, String, bool);

/// The days of the next year's contract: the next fiscal year as a whole.
fn next(contract: &Contract) -> (Date, Date) {
    let first = last_day(contract.until).saturating_add(1.day());
    let last = first.saturating_add(1.year()).saturating_sub(1.day());
    (first, last)
}

/// The version of a sheet that was in force on the contract's first day, or the first one there was.
fn at_start<'a>(versions: &'a [Version], kind: Kind, contract: &Contract) -> Option<&'a Version> {
    let mut all: Vec<&Version> = versions
        .iter()
        .filter(|v| v.kind == kind && v.was_approved())
        .collect();
    all.sort_by_key(|v| v.number);
    let early = all.iter().rev().find(|v| v.decided_at <= contract.from);
    early.or(all.first()).copied()
}

fn sheets(versions: &[Version], contract: &Contract, from: Date) -> Vec<Difference> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        let (then, now) = (at_start(versions, kind, contract), in_force(versions, kind));
        let words = |v: Option<&Version>| v.map_or("ありません".into(), Version::words);
        let differs = then.map(|v| v.number) != now.map(|v| v.number);
        out.push((kind.japanese().to_owned(), words(then), words(now), differs));
        let (Some(then), Some(now)) = (then, now) else {
            continue;
        };
        if !kind.names_items() {
            continue;
        }
        let (old, new) = (then.content.items_line(), now.content.items_line());
        if old != new {
            out.push((format!("{}の項目", kind.japanese()), old, new, true));
        }
        let speaks = now.content.period.as_ref().is_some_and(|p| p.holds(from));
        if !speaks {
            let words = "次の年度の初日を含みません。シートの期間を改めてください。";
            out.push((
                format!("{}の期間", kind.japanese()),
                "—".into(),
                words.into(),
                true,
            ));
        }
    }
    out
}

fn named(people: &[Person], from: Date) -> Vec<Difference> {
    let current = people.iter().filter(|p| p.ended_at == 0);
    let line = |p: &Person| {
        let trained: Option<Date> = p.trained.parse().ok();
        let late = trained.is_none_or(|d| d.saturating_add(1.year()) <= from);
        let next = match late {
            true => "初日までに教育が必要です（1年を過ぎる、又は記録なし。想定）",
            false => "そのまま",
        };
        (
            format!("{} {}", p.duty.japanese(), p.name),
            p.trained.clone(),
            next.to_owned(),
            late,
        )
    };
    current.map(line).collect()
}

fn certified(certifications: &[&Certification], until: Date) -> Vec<Difference> {
    let line = |c: &&Certification| {
        let late = c.until < until;
        let next = match late {
            true => "契約の途中で期限になります。更新を確かめてください。",
            false => "そのまま",
        };
        (
            format!("認証 {}", c.name),
            day(c.until),
            next.to_owned(),
            late,
        )
    };
    certifications.iter().map(line).collect()
}

/// The next contract of the same partner for the same case, when it was entered.
fn successor<'a>(
    contract: &Contract,
    case: &Entry,
    contracts: &'a [Contract],
    entries: &'a [Entry],
) -> Option<(&'a Contract, Option<&'a Entry>)> {
    let entry = |c: &Contract| entries.iter().find(|e| e.contract == c.id);
    contracts
        .iter()
        .filter(|c| c.from >= contract.until && c.ended.is_none())
        .filter(|c| match entry(c) {
            Some(e) => e.case == case.case,
            None => c.org == contract.org,
        })
        .min_by_key(|c| c.from)
        .map(|c| (c, entry(c)))
}

/// GET /oversight/contracts/{contract}/renewal
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let now: Instant = room.clock.now();
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CLOSING_OPEN, Purpose::Operation, None)
            .await?;
        let wanted: ContractId = id(&contract)?;
        let known = permit
            .contracts()
            .await?
            .and(entries(&permit).await?)
            .and(people(&permit, wanted).await?)
            .and(certifications(&permit).await?);
        let shown = permit.reveal(known).await?;
        let (((contracts, entries), people), certifications) = &*shown;
        let found = contracts.iter().find(|c| c.id == wanted);
        let entry = entries.iter().find(|e| e.contract == wanted);
        let (Some(found), Some(entry)) = (found, entry) else {
            return Err(GateError::NotFound.into());
        };
        // The case is known only now; its sheets have a look of their own.
        let permit = room
            .gate
            .office(&visitor, action::CASE_OPEN, Purpose::Operation, None)
            .await?;
        let case = whole(&permit, entry.case).await?;
        let case = permit.reveal(case).await?.into_inner();
        let (_, versions) = case.ok_or(GateError::NotFound)?;
        let (from, until) = next(found);
        let mut all: Vec<Difference> = vec![(
            "期間".into(),
            days(found),
            format!("{}〜{}", day(from), day(until)),
            true,
        )];
        if let Some((next, next_entry)) = successor(found, entry, contracts, entries) {
            all.push((
                "次の契約".into(),
                found.subject.clone(),
                next.subject.clone(),
                false,
            ));
            let variant =
                next_entry.map_or("契約台帳にありません", |e| e.variant.japanese());
            let same = next_entry.is_some_and(|e| e.variant == entry.variant);
            all.push((
                "特記事項".into(),
                entry.variant.japanese().into(),
                variant.into(),
                !same,
            ));
        } else {
            let words = "まだありません。契約の登録を申請してください。";
            all.push(("次の契約".into(), found.subject.clone(), words.into(), true));
        }
        all.extend(sheets(&versions, found, from));
        all.extend(named(people, from));
        let own: Vec<&Certification> = certifications
            .iter()
            .filter(|c| c.org == found.org)
            .collect();
        all.extend(certified(&own, until));
        let rows = all.into_iter().map(|(what, old, new, differs)| {
            let (look, words) = match differs {
                true => ("warning", "違う・要対応"),
                false => ("success", "同じ"),
            };
            vec![
                Cell::text(what),
                Cell::text(old),
                Cell::text(new),
                Cell::Badge(look, words.into()),
            ]
        });
        let at = format!("/oversight/contracts/{contract}");
        let over = found.until <= now.0;
        let mut page = ShowPage::new(&frame, "次の年度への更新", shown.line())
            .words("いまの契約と、次の年度に引き継がれるものの違いです。契約は年度ごとに登録し、登録した契約を同じ案件に結び付けます。")
            .terms(vec![Term::new("契約", found.subject.clone())])
            .link(format!("{at}/closing"), "契約の終了日")
            .link("/operations/contracts/new", "次の年度の契約の登録を申請する")
            .push(Table {
                caption: "違い".into(),
                heads: vec!["事項", "いまの契約", "次の年度", "違い"],
                rows: rows.collect(),
                empty: "",
                by_row: true,
            });
        if over {
            page = page.banner("warning", "この契約は終わっています", "");
        }
        Ok::<_, OversightError>(page.answer())
    };
    made.await.unwrap_or_else(answer)
}

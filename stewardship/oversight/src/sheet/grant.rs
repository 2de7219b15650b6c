//! What an approved sheet opens: the one question that rooms ask before anything leaves the town.
//!
//! Only a version that is in force, on a day of which it speaks, under a contract that holds, grants. A refusal quotes the
//! sheet's own line (S1-16 to S1-18).

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::ContractId;

use super::model::{Kind, Version, in_force};
use crate::catalogue;

/// Words of the line that a refusal quotes, as the sheets have them.
pub const ITEM_LINE: &str = "委託先に処理させる項目";

/// A sheet's version, for quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRef {
    /// Sheet.
    pub kind: Kind,
    /// Version.
    pub number: i64,
    /// Day of its approval.
    pub approved: Date,
}

impl SheetRef {
    fn of(version: &Version) -> Self {
        Self {
            kind: version.kind,
            number: version.number,
            approved: Instant(version.decided_at).office_day(),
        }
    }

    /// 業務委託シート 第2版（2026-11-22承認）.
    pub fn words(&self) -> String {
        format!(
            "{} 第{}版（{}承認）",
            self.kind.japanese(),
            self.number,
            self.approved
        )
    }
}

/// An item that may be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedItem {
    /// Id of the catalogue.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The sheet's own line in which it stands.
    pub line: String,
}

/// How data may travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Over LGWAN to the provider's server; needs an external-connection sheet (S1-20).
    Lgwan,
    /// On a medium, by hand.
    Medium,
    /// On paper, by hand.
    Paper,
}

impl Channel {
    /// Code in packages and ledgers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Lgwan => "lgwan",
            Self::Medium => "medium",
            Self::Paper => "paper",
        }
    }

    /// Words on the screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Lgwan => "LGWAN回線",
            Self::Medium => "電磁的媒体の手渡し",
            Self::Paper => "紙の手渡し",
        }
    }
}

/// A channel that the sheets open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedChannel {
    /// Channel.
    pub channel: Channel,
    /// The sheet that opens it.
    pub sheet: SheetRef,
    /// Items that may take it.
    pub items: Vec<String>,
    /// Codes of media, for [`Channel::Medium`].
    pub media: Vec<String>,
    /// The sheet's line.
    pub line: String,
}

/// Somebody who is named for a contract (取扱責任者, 取扱者; TK-13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InCharge {
    /// Duty in words.
    pub duty: String,
    /// Name.
    pub name: String,
    /// On the partner's side.
    pub of_partner: bool,
}

/// An item that an earlier version had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Removed {
    id: String,
    had: i64,
    by: SheetRef,
    reason: String,
}

/// What may be handed over under a contract on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Contract.
    pub contract: ContractId,
    /// Its subject.
    pub subject: String,
    /// Partner's name.
    pub partner: String,
    /// 目的, of the overview.
    pub purpose: String,
    /// Legal ground of the case.
    pub legal_ground: String,
    /// Items.
    pub items: Vec<GrantedItem>,
    /// 個人の範囲.
    pub persons: String,
    /// First day of the contract.
    pub from: Date,
    /// Last day of the contract.
    pub until: Date,
    /// Channels.
    pub channels: Vec<GrantedChannel>,
    /// Persons in charge and handlers.
    pub in_charge: Vec<InCharge>,
    /// The outsourcing sheet.
    pub sheet: SheetRef,
    /// The sheet's days are over and it says that the same goes on.
    pub renewed: bool,
    removed: Vec<Removed>,
}

/// An item that may not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Id as it was asked for.
    pub item: String,
    /// Its name; the id again for one that no catalogue has.
    pub name: String,
    /// The sheet's line with the reason, in Japanese.
    pub line: String,
}

/// Why nothing at all may leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoGrant {
    /// No such contract, or it is in no case's register.
    #[error("この契約は、付議の案件と結び付いていません。契約台帳に登録してください。")]
    Unregistered,
    /// The contract is not in force on the day.
    #[error("この契約は、{day}には有効ではありません（{from}〜{until}）。")]
    Contract {
        /// The day asked for.
        day: Date,
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
    /// No version was ever approved, or none is in force.
    #[error("業務委託シートに、承認された版がありません。")]
    NoSheet,
    /// The sheet does not speak for the day.
    #[error("{sheet}の「委託の開始時期及び期限」は、{day}を含みません: {line}")]
    Period {
        /// The sheet in words.
        sheet: String,
        /// The day asked for.
        day: Date,
        /// The sheet's line.
        line: String,
    },
}

/// What a grant is made from, read by the room.
#[derive(Debug, Clone)]
pub struct Basis {
    /// Contract.
    pub contract: ContractId,
    /// Its subject.
    pub subject: String,
    /// Partner's name.
    pub partner: String,
    /// Its days.
    pub days: (Date, Date),
    /// It was ended early.
    pub ended: bool,
    /// Legal grounds of the case, in words.
    pub legal_ground: String,
    /// All versions of the case's sheets.
    pub versions: Vec<Version>,
    /// Persons named and not ended.
    pub in_charge: Vec<InCharge>,
}

fn line_of(version: &Version, row: &str) -> String {
    let found = version.kind.rows().iter().find(|r| r.code == row);
    found.map_or_else(String::new, |r| version.content.lines(r).join(" "))
}

/// Items that an earlier version of the sheet had and the one in force has not.
fn removed(versions: &[Version], current: &Version) -> Vec<Removed> {
    let mut all: Vec<&Version> = versions
        .iter()
        .filter(|v| v.kind == current.kind && v.was_approved() && v.number <= current.number)
        .collect();
    all.sort_by_key(|v| v.number);
    let has = |v: &Version, id: &str| v.content.items.iter().any(|i| i.id == id);
    let mut out = Vec::new();
    for pair in all.windows(2) {
        for item in &pair[0].content.items {
            if has(pair[1], &item.id) {
                continue;
            }
            out.retain(|r: &Removed| r.id != item.id);
            out.push(Removed {
                id: item.id.clone(),
                had: pair[0].number,
                by: SheetRef::of(pair[1]),
                reason: pair[1].reason.clone(),
            });
        }
    }
    out.retain(|r| !has(current, &r.id));
    out
}

fn channels(versions: &[Version], current: &Version, day: Date) -> Vec<GrantedChannel> {
    let ids = |v: &Version| {
        v.content
            .items
            .iter()
            .map(|i| i.id.clone())
            .collect::<Vec<_>>()
    };
    let mut out = Vec::new();
    let external = in_force(versions, Kind::External)
        .filter(|v| v.content.period.as_ref().is_some_and(|p| p.holds(day)));
    if let Some(external) = external {
        let both = |id: &String| current.content.items.iter().any(|i| i.id == *id);
        out.push(GrantedChannel {
            channel: Channel::Lgwan,
            sheet: SheetRef::of(external),
            items: ids(external).into_iter().filter(both).collect(),
            media: vec![],
            line: line_of(external, "form"),
        });
    }
    let named = |code: &str| current.content.media.iter().any(|m| m == code);
    let media: Vec<String> = ["cd-r", "dvd-r", "hdd", "ssd"]
        .into_iter()
        .filter(|code| named(code))
        .map(str::to_owned)
        .collect();
    for (channel, open, media) in [
        (Channel::Medium, !media.is_empty(), media),
        (Channel::Paper, named("paper"), vec![]),
    ] {
        if open {
            out.push(GrantedChannel {
                channel,
                sheet: SheetRef::of(current),
                items: ids(current),
                media,
                line: current.content.media_line(),
            });
        }
    }
    out
}

/// What a contract grants on a day.
///
/// # Errors
/// [`NoGrant`]: why nothing may leave.
pub fn grant(basis: &Basis, day: Date) -> Result<Grant, NoGrant> {
    let (from, until) = basis.days;
    if basis.ended || day < from || until < day {
        return Err(NoGrant::Contract { day, from, until });
    }
    let current = in_force(&basis.versions, Kind::Outsourcing).ok_or(NoGrant::NoSheet)?;
    let period = current.content.period.clone().unwrap_or_default();
    if !period.holds(day) {
        return Err(NoGrant::Period {
            sheet: SheetRef::of(current).words(),
            day,
            line: line_of(current, "period"),
        });
    }
    let line = format!("《{ITEM_LINE}》{}", current.content.items_line());
    let item = |named: &super::model::Named| GrantedItem {
        id: named.id.clone(),
        name: catalogue::find(&named.id).map_or(named.words.clone(), |i| i.name.to_owned()),
        line: line.clone(),
    };
    let overview = in_force(&basis.versions, Kind::Overview);
    Ok(Grant {
        contract: basis.contract,
        subject: basis.subject.clone(),
        partner: basis.partner.clone(),
        purpose: overview.map_or_else(String::new, |o| line_of(o, "aim")),
        legal_ground: basis.legal_ground.clone(),
        items: current.content.items.iter().map(item).collect(),
        persons: current.content.persons.clone(),
        from,
        until,
        channels: channels(&basis.versions, current, day),
        in_charge: basis.in_charge.clone(),
        sheet: SheetRef::of(current),
        renewed: period.days().is_some_and(|(_, last)| last < day),
        removed: removed(&basis.versions, current),
    })
}

fn refused(grant: &Grant, sheet: &SheetRef, item: &str) -> Refused {
    let name = catalogue::find(item).map_or(item, |i| i.name);
    let mut line = format!(
        "{}の「{ITEM_LINE}」の行に「{name}」がありません。",
        sheet.words()
    );
    if *sheet == grant.sheet
        && let Some(gone) = grant.removed.iter().find(|r| r.id == item)
    {
        line.push_str(&format!(
            "第{}版にはありましたが、第{}版（{}承認、変更の理由: {}）で削られました。",
            gone.had, gone.by.number, gone.by.approved, gone.reason
        ));
    }
    let whole: Vec<&str> = grant.items.iter().map(|i| i.name.as_str()).collect();
    line.push_str(&format!("いまの行: {}", whole.join("、")));
    Refused {
        item: item.to_owned(),
        name: name.to_owned(),
        line,
    }
}

/// Whether all these items may be handed over.
///
/// # Errors
/// Each item that may not, with the sheet's line; ids that no catalogue has are refused too.
pub fn check(grant: &Grant, items: &[&str]) -> Result<(), Vec<Refused>> {
    let open = |item: &&&str| !grant.items.iter().any(|g| g.id == **item);
    let wrong: Vec<Refused> = items
        .iter()
        .filter(open)
        .map(|item| refused(grant, &grant.sheet, item))
        .collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong),
    }
}

/// Whether all these items may take this channel: [`check`], and the sheet that opens the channel names them too.
///
/// # Errors
/// As [`check`]; a channel that no sheet opens refuses every item.
pub fn check_over(grant: &Grant, channel: Channel, items: &[&str]) -> Result<(), Vec<Refused>> {
    check(grant, items)?;
    let Some(open) = grant.channels.iter().find(|c| c.channel == channel) else {
        let closed = |item: &&str| Refused {
            item: (*item).to_owned(),
            name: catalogue::find(item).map_or(*item, |i| i.name).to_owned(),
            line: format!(
                "{}による受渡しは、有効なシートにありません（{}）。",
                channel.japanese(),
                grant.sheet.words()
            ),
        };
        return Err(items.iter().map(closed).collect());
    };
    let wrong: Vec<Refused> = items
        .iter()
        .filter(|item| !open.items.iter().any(|i| i == **item))
        .map(|item| refused(grant, &open.sheet, item))
        .collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong),
    }
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;

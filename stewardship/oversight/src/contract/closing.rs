//! Closing day (終了日): everything that has to be back, erased, certified or ended, each red until it is true (S1-47, TK-11, TK-12).

use std::future::Future;
use std::pin::Pin;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Hidden, OfficePermit, Purpose, Record, Statement};
use mimamori_identity::{Account, Contract, Visitor, last_day};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, UserId};
use mimamori_pages::{LimitedForm, Term};

use super::obligation::{Obligation, of_contract};
use super::store::entries;
use crate::council::page::days;
use crate::error::answer;
use crate::screen::{Cell, Desk, Sent, ShowPage, Table, moment, name};
use crate::sheet::store::bytes;
use crate::{Oversight, OversightError, action, id, offers};

/// What is still out under a contract, as the hand-over room counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StillOut {
    /// Packages that are not closed.
    pub packages: u32,
    /// Media by serial that did not come back.
    pub media: u32,
    /// Password slips that did not come back.
    pub slips: u32,
    /// Papers that did not come back.
    pub papers: u32,
    /// Files whose erasure nobody reported.
    pub files: u32,
    /// Erasure certificates that nobody checked.
    pub certificates: u32,
}

/// Who can count it. Until somebody can, nothing of it is green.
pub trait HandedOver: Send + Sync {
    /// What is out under a contract; none when it cannot be told.
    fn still_out(
        &self,
        contract: ContractId,
    ) -> Pin<Box<dyn Future<Output = Option<StillOut>> + Send + '_>>;
}

/// One line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What it is about.
    pub about: &'static str,
    /// It is true.
    pub holds: bool,
    /// What was seen.
    pub told: String,
}

fn counted(about: &'static str, out: Option<u32>, of: &str) -> Point {
    Point {
        about,
        holds: out == Some(0),
        told: match out {
            None => "未確認（受渡しの記録から確かめられません）".into(),
            Some(0) => format!("{of}はありません。"),
            Some(n) => format!("{of}が{n}件あります。"),
        },
    }
}

fn owed(about: &'static str, owed: &[Obligation], clauses: &[i64]) -> Point {
    let of: Vec<&Obligation> = owed
        .iter()
        .filter(|o| clauses.contains(&o.clause))
        .collect();
    let open = of.iter().filter(|o| o.done_at == 0).count();
    let list: Vec<String> = clauses.iter().map(i64::to_string).collect();
    Point {
        about,
        holds: !of.is_empty() && open == 0,
        told: match (of.len(), open) {
            (0, _) => "義務が登録されていません。".into(),
            (_, 0) => format!("特記事項{}の記録があります。", list.join("・")),
            (_, n) => format!("特記事項{}の記録が{n}件足りません。", list.join("・")),
        },
    }
}

/// The accounts of the partner: nobody may still sign in unless another contract of the partner holds.
fn accounts(contract: &Contract, contracts: &[Contract], all: &[Account], now: i64) -> Point {
    let other = contracts
        .iter()
        .any(|c| c.org == contract.org && c.id != contract.id && c.holds(now));
    let active = all
        .iter()
        .filter(|a| a.org.id == contract.org && a.active)
        .count();
    let holds = active == 0 || other;
    Point {
        about: "アカウント",
        holds,
        told: match (active, other) {
            (0, _) => "委託先の利用中のアカウントはありません。".into(),
            (n, true) => format!("{n}件が、別の有効な契約で使われています。"),
            (n, false) => format!("停止していないアカウントが{n}件あります。"),
        },
    }
}

/// All points of a contract on a moment.
pub fn points(
    contract: &Contract,
    contracts: &[Contract],
    all: &[Account],
    obligations: &[Obligation],
    out: Option<StillOut>,
    now: Instant,
) -> Vec<Point> {
    let over = !contract.holds(now.0) && contract.from <= now.0;
    let count = |of: fn(&StillOut) -> u32| out.as_ref().map(of);
    vec![
        Point {
            about: "契約の期間",
            holds: over,
            told: match over {
                true => "終わっています。".into(),
                false => format!("{}まで続きます。", last_day(contract.until)),
            },
        },
        counted("受渡し", count(|o| o.packages), "閉じていない受渡し"),
        counted(
            "電磁的媒体（シリアル番号ごと）",
            count(|o| o.media),
            "返却されていない媒体",
        ),
        counted(
            "パスワード通知書",
            count(|o| o.slips),
            "返却されていない通知書",
        ),
        counted("紙", count(|o| o.papers), "返却されていない紙"),
        counted(
            "消去したファイル",
            count(|o| o.files),
            "消去の報告がないファイル",
        ),
        counted(
            "消去証明書の確認",
            count(|o| o.certificates),
            "確かめていない消去証明書",
        ),
        owed("返還と消去証明書の提出", obligations, &[11, 12]),
        accounts(contract, contracts, all, now.0),
        owed("監査（年度ごと）", obligations, &[15, 16, 17]),
    ]
}

/// A contract that was closed.
struct Closed {
    by: UserId,
    at: i64,
    note: String,
}

async fn closed(
    permit: &OfficePermit,
    contract: ContractId,
) -> Result<Hidden<Option<Closed>>, GateError> {
    let names = ["closed_by", "closed_at", "note"];
    let args = vec![contract.bytes().into()];
    let rows = permit
        .fetch("oversight_closing", &names, "contract = ?", args)
        .await?;
    let read = |r: &Record| {
        Some(Closed {
            by: UserId::from_bytes(bytes(r, "closed_by")?),
            at: r.int("closed_at")?,
            note: r.text("note")?.to_owned(),
        })
    };
    Ok(rows.map(move |rows| rows.first().and_then(read)))
}

async fn out(room: &Oversight, contract: ContractId) -> Option<StillOut> {
    match &room.handed_over {
        Some(port) => port.still_out(contract).await,
        None => None,
    }
}

/// GET /oversight/contracts/{contract}/closing
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let now = room.clock.now();
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CLOSING_OPEN, Purpose::Operation, None)
            .await?;
        let wanted: ContractId = id(&contract)?;
        let out = out(&room, wanted).await;
        let known = permit
            .contracts()
            .await?
            .and(entries(&permit).await?)
            .and(permit.accounts(now).await?)
            .and(of_contract(&permit, wanted).await?)
            .and(closed(&permit, wanted).await?);
        let shown = permit.reveal(known).await?;
        let ((((contracts, entries), accounts), obligations), closed) = &*shown;
        let found = contracts.iter().find(|c| c.id == wanted);
        let (Some(found), true) = (found, entries.iter().any(|e| e.contract == wanted)) else {
            return Err(GateError::NotFound.into());
        };
        let all = points(found, contracts, accounts, obligations, out, now);
        let open = all.iter().filter(|p| !p.holds).count();
        let rows = all.iter().map(|p| {
            let (look, words) = match p.holds {
                true => ("success", "済み"),
                false => ("danger", "まだ"),
            };
            vec![
                Cell::text(p.about),
                Cell::Badge(look, words.into()),
                Cell::text(&p.told),
            ]
        });
        let at = format!("/oversight/contracts/{contract}");
        let mut terms = vec![
            Term::new("契約", found.subject.clone()),
            Term::new("期間", days(found)),
        ];
        if let Some(closed) = closed {
            let by = name(accounts, Some(closed.by));
            terms.push(Term::new(
                "閉じた記録",
                format!("{by} {} {}", moment(closed.at), closed.note),
            ));
        }
        let mut page = ShowPage::new(&frame, "契約の終了日", shown.line())
            .words("すべてが済むまで、この契約は閉じられません。")
            .terms(terms)
            .link(at.clone(), "契約台帳に戻る")
            .link(format!("{at}/renewal"), "次の年度への更新")
            .push(Table {
                caption: format!("終了の確認（残り{open}件）"),
                heads: vec!["事項", "状態", "内容"],
                rows: rows.collect(),
                empty: "",
                by_row: true,
            });
        if open == 0 && closed.is_none() && offers(&room, &visitor, action::CLOSING_CONFIRM) {
            page = page.press(
                format!("{at}/closing"),
                ("do", "close".into()),
                "契約を閉じる",
                "primary",
            );
        }
        Ok::<_, OversightError>(page.answer())
    };
    made.await.unwrap_or_else(answer)
}

async fn close(
    room: &Oversight,
    visitor: &Visitor,
    contract: &str,
    note: String,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::CLOSING_CONFIRM, Purpose::Operation, None)
        .await?;
    let wanted: ContractId = id(contract)?;
    let out = out(room, wanted).await;
    let by = visitor.user;
    let known = permit
        .contracts()
        .await?
        .and(permit.accounts(now).await?)
        .and(of_contract(&permit, wanted).await?);
    permit
        .change(known, now, move |((contracts, accounts), obligations)| {
            let found = contracts.iter().find(|c| c.id == wanted);
            let found = found.ok_or(GateError::NotFound)?;
            let all = points(found, &contracts, &accounts, &obligations, out, now);
            if all.iter().any(|p| !p.holds) {
                return Err(OversightError::NotClosed);
            }
            let statement = Statement::expecting(
                "INSERT INTO oversight_closing (contract, closed_by, closed_at, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                vec![wanted.bytes().into(), by.bytes().into(), now.0.into(), note.into()],
                1,
                "contract-closed",
            );
            let change = Change {
                statements: vec![statement],
                words: format!("契約を閉じた {}", found.subject),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/oversight/contracts/{contract}/closing")).into_response())
}

/// POST /oversight/contracts/{contract}/closing
pub(crate) async fn submit(
    Desk(room, visitor, _): Desk,
    Path(contract): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let note = sent.text("note");
    let done = async {
        sent.complete()?;
        close(&room, &visitor, &contract, note).await
    };
    done.await.unwrap_or_else(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use mimamori_identity::Terms;
    use mimamori_kernel::id::OrgId;
    use mimamori_kernel::random::SystemRandom;

    fn contract(org: u8, year: i16) -> Contract {
        let terms = Terms {
            purposes: vec![],
            classes: 0,
        };
        let days = (date(year, 4, 1), date(year + 1, 3, 31));
        let id = ContractId::random(&SystemRandom);
        Contract::new(
            id,
            OrgId::from_bytes([org; 16]),
            "保健指導".into(),
            terms,
            days,
        )
    }

    fn done(contract: ContractId, clauses: &[i64]) -> Vec<Obligation> {
        let one = |clause: &i64| Obligation {
            done_at: 1,
            ..Obligation::new(contract, *clause, "契約", date(2026, 4, 1), &SystemRandom)
        };
        clauses.iter().map(one).collect()
    }

    const AFTER: Instant = Instant(1_795_000_000_000_000);

    #[test]
    fn everything_is_red_until_it_is_true_and_nothing_is_green_unseen() {
        let contract = contract(1, 2025);
        let all = [contract.clone()];
        let red = |obligations: &[Obligation], out| {
            let points = points(&contract, &all, &[], obligations, out, AFTER);
            let red = points.into_iter().filter(|p| !p.holds).map(|p| p.about);
            red.collect::<Vec<_>>()
        };
        let whole = done(contract.id, &[11, 12, 15, 16, 17]);
        assert!(red(&whole, Some(StillOut::default())).is_empty());
        let unseen = red(&whole, None);
        assert_eq!(unseen.len(), 6, "{unseen:?}");
        let one = StillOut {
            media: 1,
            ..StillOut::default()
        };
        assert_eq!(red(&whole, Some(one)), ["電磁的媒体（シリアル番号ごと）"]);
        let mut open = whole.clone();
        open[0].done_at = 0;
        assert_eq!(
            red(&open, Some(StillOut::default())),
            ["返還と消去証明書の提出"]
        );
        let none = red(&[], Some(StillOut::default()));
        assert_eq!(none, ["返還と消去証明書の提出", "監査（年度ごと）"]);
    }

    #[test]
    fn a_contract_that_still_holds_is_not_closed() {
        let contract = contract(1, 2026);
        let all = [contract.clone()];
        let whole = done(contract.id, &[11, 12, 15, 16, 17]);
        let out = Some(StillOut::default());
        let points = points(&contract, &all, &[], &whole, out, AFTER);
        let red: Vec<_> = points.iter().filter(|p| !p.holds).collect();
        assert_eq!(red.len(), 1);
        assert_eq!(red[0].about, "契約の期間");
    }
}

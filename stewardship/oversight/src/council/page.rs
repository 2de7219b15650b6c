//! The room's first page, and one case with its sheets.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{Contract, Organisation, last_day};
use mimamori_kernel::id::OrgId;
use mimamori_pages::Term;

use super::store;
use crate::contract::store::{Entry, entries};
use crate::error::answer;
use crate::screen::{Cell, Desk, ShowPage, Table, day, moment, name};
use crate::sheet::model::{State, in_force};
use crate::sheet::{CaseId, Kind, Version};
use crate::{OversightError, action, id, offers};

/// The name of an organisation.
pub(crate) fn partner(organisations: &[Organisation], org: OrgId) -> String {
    let found = organisations.iter().find(|o| o.org.id == org);
    found.map_or("—".into(), |o| o.org.name.clone())
}

/// Where a contract stands on the day, for a badge.
pub(crate) fn standing(contract: &Contract, now: i64) -> (&'static str, &'static str) {
    match contract {
        c if c.ended.is_some() => ("danger", "途中で終了"),
        c if c.holds(now) => ("success", "有効"),
        c if now < c.from => ("info", "開始前"),
        _ => ("warning", "期間満了"),
    }
}

/// First and last day of a contract in words.
pub(crate) fn days(contract: &Contract) -> String {
    format!(
        "{}〜{}",
        day(last_day(contract.from + 1)),
        day(last_day(contract.until))
    )
}

fn contract_rows(
    contracts: &[Contract],
    entries: &[Entry],
    organisations: &[Organisation],
    now: i64,
) -> Vec<Vec<Cell>> {
    let row = |c: &Contract| {
        let (kind, words) = standing(c, now);
        let entry = entries.iter().find(|e| e.contract == c.id);
        let at = match entry {
            Some(_) => Cell::Link(format!("/oversight/contracts/{}", c.id), c.subject.clone()),
            None => Cell::text(&c.subject),
        };
        let register = match entry {
            Some(entry) => Cell::Link(
                format!("/oversight/cases/{}", entry.case),
                format!("{}の案件", c.subject),
            ),
            None => Cell::Link(
                format!("/oversight/contracts/{}/register", c.id),
                format!("{}を契約台帳に登録する", c.subject),
            ),
        };
        vec![
            at,
            Cell::text(partner(organisations, c.org)),
            Cell::text(days(c)),
            Cell::Badge(kind, words.into()),
            register,
        ]
    };
    contracts.iter().map(row).collect()
}

/// GET /oversight
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now();
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::CASE_LIST, Purpose::Operation, None)
            .await?;
        let known = store::cases(&permit)
            .await?
            .and(permit.contracts().await?)
            .and(permit.organisations().await?)
            .and(entries(&permit).await?);
        Ok::<_, OversightError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (((cases, contracts), organisations), entries) = &*shown;
    let rows = cases.iter().map(|c| {
        vec![
            Cell::Link(format!("/oversight/cases/{}", c.id), c.subject.clone()),
            Cell::text(&c.meeting),
            Cell::text(&c.owners),
            Cell::text(moment(c.entered_at)),
        ]
    });
    let mut page = ShowPage::new(&frame, "付議と委託契約", shown.line())
        .words("会議に付議した案件のシートが承認されると、シートに書かれた項目だけを、書かれた相手と方法で渡せるようになります。");
    for (action, href, words) in [
        (action::CASE_ENTER, "/oversight/cases/new", "案件を登録する"),
        (
            action::OBLIGATION_LIST,
            "/oversight/obligations",
            "契約上の義務",
        ),
        (
            action::CONTROL_LIST,
            "/oversight/controls",
            "番号ガイドラインの安全管理措置との対応",
        ),
    ] {
        if offers(&room, &visitor, action) {
            page = page.link(href, words);
        }
    }
    page.table(
        "案件",
        &["件名", "会議", "担当部課", "登録"],
        rows.collect(),
        "案件はまだありません。",
    )
    .table(
        "委託契約",
        &["件名", "委託先", "期間", "状態", "案件・契約台帳"],
        contract_rows(contracts, entries, organisations, now.0),
        "契約はまだありません。",
    )
    .answer()
}

fn sheet_table(case: CaseId, kind: Kind, versions: &[Version], drafts: bool) -> Vec<Cell> {
    let at = format!("/oversight/cases/{case}/sheets/{}", kind.code());
    let shown = |v: &Version| {
        let words = format!("{}を開く", v.words());
        Cell::Link(format!("{at}/versions/{}", v.number), words)
    };
    let open = versions
        .iter()
        .find(|v| v.kind == kind && v.state == State::Draft);
    vec![
        Cell::text(kind.japanese()),
        in_force(versions, kind).map_or_else(|| Cell::text("まだありません"), shown),
        open.map_or_else(|| Cell::text("—"), shown),
        match drafts {
            true => Cell::Link(
                format!("{at}/draft"),
                format!("{}を起案する", kind.japanese()),
            ),
            false => Cell::text("—"),
        },
        match drafts {
            true => Cell::Link(
                format!("{at}/attachments"),
                format!("{}の添付", kind.japanese()),
            ),
            false => Cell::text("—"),
        },
    ]
}

/// GET /oversight/cases/{case}
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(case): Path<String>) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::CASE_OPEN, Purpose::Operation, None)
            .await?;
        let known = store::whole(&permit, id(&case)?).await?;
        let accounts = permit.accounts(room.clock.now()).await?;
        Ok::<_, OversightError>(permit.reveal(known.and(accounts)).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (Some((case, versions)), accounts) = &*shown else {
        return answer(GateError::NotFound.into());
    };
    let grounds = case.grounds.iter().map(|g| {
        vec![
            Cell::text(&g.matter),
            Cell::text(&g.old_clause),
            Cell::text(&g.clause),
        ]
    });
    let history = case
        .history
        .iter()
        .map(|p| vec![Cell::text(&p.meeting), Cell::text(&p.decision)]);
    let drafts = offers(&room, &visitor, action::SHEET_DRAFT);
    let sheets = Kind::ALL.map(|kind| sheet_table(case.id, kind, versions, drafts));
    let all = versions.iter().map(|v| {
        let at = format!(
            "/oversight/cases/{}/sheets/{}/versions/{}",
            case.id,
            v.kind.code(),
            v.number
        );
        let look = match v.state {
            State::Draft => "warning",
            State::Approved => "success",
            State::Superseded | State::Dropped => "info",
        };
        vec![
            Cell::Link(at, v.words()),
            Cell::Badge(look, v.state.japanese().into()),
            Cell::text(&v.reason),
            Cell::text(format!(
                "{} {}",
                name(accounts, Some(v.drafted_by)),
                moment(v.drafted_at)
            )),
            Cell::text(match v.decided_by {
                Some(by) => format!("{} {}", name(accounts, Some(by)), moment(v.decided_at)),
                None => "—".into(),
            }),
        ]
    });
    let mut page = ShowPage::new(&frame, "付議の案件", shown.line())
        .terms(vec![
            Term::new("件名", case.subject.clone()),
            Term::new("会議", case.meeting.clone()),
            Term::new("担当部課", case.owners.clone()),
            Term::new(
                "登録",
                format!(
                    "{} {}",
                    name(accounts, Some(case.entered_by)),
                    moment(case.entered_at)
                ),
            ),
        ])
        .push(Table {
            caption: "シート".into(),
            heads: vec!["シート", "有効な版", "承認を待つ案", "起案", "添付"],
            rows: sheets.into(),
            empty: "",
            by_row: true,
        })
        .table(
            "根拠（旧条例といまの定めの対照）",
            &["対象", "旧条例", "いまの定め"],
            grounds.collect(),
            "根拠は登録されていません。",
        )
        .table(
            "これまでの会議",
            &["会議", "結論"],
            history.collect(),
            "これまでの会議はありません。",
        )
        .table(
            "版の経過",
            &["版", "状態", "理由", "起案", "承認・差戻し"],
            all.collect(),
            "まだ起案されていません。",
        );
    if offers(&room, &visitor, action::CHECKLIST_OPEN) {
        let at = format!("/oversight/cases/{}/checklist", case.id);
        page = page.link(at, "個人情報保護対策チェックリスト");
    }
    if offers(&room, &visitor, action::SHEET_PRINT) {
        page = page.press(
            format!("/oversight/cases/{}/print", case.id),
            ("do", "print".into()),
            "付議のかがみと有効なシートをPDFにする",
            "secondary",
        );
    }
    page.answer()
}

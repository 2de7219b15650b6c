//! One package: its manifest in words, what happened, and what can be done next.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::Account;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_pages::Term;

use crate::ask::id;
use crate::course::{Event, Stage};
use crate::error::answer;
use crate::list::alarm;
use crate::package::{Whole, whole};
use crate::screen::{Cell, Desk, SheetPage, Table, day, moment};
use crate::step::Step;
use crate::{HandoverError, action};

/// A user's name; the id of one who is not known any more.
pub(crate) fn name(accounts: &[Account], user: UserId) -> String {
    let found = accounts.iter().find(|a| a.id == user);
    found.map_or_else(|| user.to_string(), |a| a.name.clone())
}

/// The manifest in words.
pub(crate) fn terms(found: &Whole, accounts: &[Account]) -> Result<Vec<Term>, HandoverError> {
    let package = &found.package;
    let manifest = &package.manifest;
    let approved: Vec<String> = manifest.approvals.iter().map(|a| a.name.clone()).collect();
    let files = manifest.files.iter().map(|f| {
        let columns: Vec<&str> = f.columns.iter().map(|c| c.name.as_str()).collect();
        format!("{}（{}件: {}）", f.name, f.rows, columns.join("、"))
    });
    let last = Instant(manifest.expires.saturating_mul(1_000_000));
    let mut terms = vec![
        Term::new("契約", package.title.clone()),
        Term::new("相手方", package.partner.clone()),
        Term::new("利用目的", manifest.purpose.clone()),
        Term::new("根拠", manifest.legal_ground.clone()),
        Term::new("情報項目", package.items.clone()),
        Term::new("ファイル", files.collect::<Vec<_>>().join("、")),
        Term::new("受渡しの方法", package.channel.japanese()),
        Term::new("開封の方法", package.opening.japanese()),
        Term::new("開封の期限", moment(last.0)),
        Term::new(
            "消去の期日",
            manifest.erase_by.parse().map(day).unwrap_or_default(),
        ),
        Term::new("目録のハッシュ", hex::encode(manifest.digest()?)),
        Term::new(
            "承認した人",
            match approved.is_empty() {
                true => "まだいません".to_owned(),
                false => approved.join("、"),
            },
        ),
    ];
    if !accounts.is_empty() {
        terms.push(Term::new("申請した人", name(accounts, found.asker)));
        terms.push(Term::new("理由", package.reason.clone()));
    }
    if !package.file.is_empty() {
        terms.push(Term::new("封筒のファイル", package.file.clone()));
        terms.push(Term::new("封筒のSHA-256", package.sha256.clone()));
    }
    Ok(terms)
}

/// GET /handover/packages/{package}
pub(crate) async fn page(Desk(room, visitor, frame): Desk, path: Path<String>) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::LIST, Purpose::Operation, None)
            .await?;
        let known = whole(&permit, id(&path)?).await?;
        let known = known.and(permit.accounts(room.clock.now()).await?);
        let shown = permit.reveal(known).await?;
        let line = shown.line();
        let (found, accounts) = shown.into_inner();
        let found = found?.ok_or(GateError::NotFound)?;
        let terms = terms(&found, &accounts)?;
        Ok::<_, HandoverError>((found, accounts, terms, line))
    };
    let (found, accounts, terms, line) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let package = &found.package;
    let mut rows = vec![vec![
        Cell::text("申請"),
        Cell::text(moment(found.asked)),
        Cell::text(name(&accounts, found.asker)),
        Cell::text(&package.reason),
    ]];
    rows.extend(found.entries.iter().map(|entry| {
        let by = match entry.event {
            Event::Carriers(by, _)
            | Event::HandOver(by, _)
            | Event::Receive(by, _)
            | Event::ReleaseSlip(by, _)
            | Event::Approve(by)
            | Event::Withdraw(by)
            | Event::Seal(by)
            | Event::Open(by)
            | Event::Return(by)
            | Event::Certificate(by)
            | Event::Check(by)
            | Event::Close(by) => by,
        };
        vec![
            Cell::text(entry.event.japanese()),
            Cell::text(moment(entry.at)),
            Cell::text(name(&accounts, by)),
            Cell::text(&entry.words),
        ]
    }));
    let mut sheet = SheetPage::new(&frame, "受渡しの記録", line)
        .words(format!("いまの段階: {}", package.stage.japanese()))
        .terms(terms);
    let today = room.clock.now().office_day();
    let due = alarm(
        &package.manifest.erase_by,
        package.stage.is_outside(),
        today,
    );
    if let Some((kind, words)) = due {
        sheet = sheet.banner(kind, "消去の期日", words);
    }
    let offers = |action| {
        room.gate
            .offers(&visitor, action, Purpose::Operation, false)
    };
    if package.stage == Stage::Requested && offers(action::APPROVE) {
        sheet = sheet.link(
            format!("/handover/packages/{}/approve", package.id),
            "目録を承認する",
        );
    }
    for step in Step::ALL {
        if step.follows(&found, visitor.user) && offers(step.action()) {
            let href = format!("/handover/packages/{}/steps/{}", package.id, step.code());
            sheet = sheet.link(href, step.japanese());
        }
    }
    sheet
        .table(Table {
            caption: "手続の記録",
            heads: vec!["手続", "記録した日時", "職員", "内容"],
            rows,
            empty: "",
        })
        .answer()
}

//! One contract of the register.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose};
use mimamori_kernel::id::ContractId;
use mimamori_pages::Term;

use super::store::{entries, people};
use crate::council::page::{days, partner, standing};
use crate::error::answer;
use crate::screen::{Cell, Desk, ShowPage, moment, name};
use crate::{OversightError, action, id};

/// GET /oversight/contracts/{contract}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let now = room.clock.now();
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CASE_OPEN, Purpose::Operation, None)
            .await?;
        let wanted: ContractId = id(&contract)?;
        let known = permit
            .contracts()
            .await?
            .and(permit.organisations().await?)
            .and(entries(&permit).await?)
            .and(people(&permit, wanted).await?)
            .and(permit.accounts(now).await?);
        let shown = permit.reveal(known).await?;
        let ((((contracts, organisations), entries), people), accounts) = &*shown;
        let found = contracts.iter().find(|c| c.id == wanted);
        let entry = entries.iter().find(|e| e.contract == wanted);
        let (Some(found), Some(entry)) = (found, entry) else {
            return Err(GateError::NotFound.into());
        };
        let (_, state) = standing(found, now.0);
        let named = people.iter().map(|p| {
            let (look, words) = match (p.ended_at, p.trained.is_empty()) {
                (0, true) => ("danger", "教育がまだ".to_owned()),
                (0, false) => ("success", "従事中".to_owned()),
                (at, _) => ("info", format!("終了 {}", moment(at))),
            };
            vec![
                Cell::text(p.duty.japanese()),
                Cell::text(&p.name),
                Cell::text(&p.trained),
                Cell::Badge(look, words),
            ]
        });
        let at = format!("/oversight/contracts/{contract}");
        let mut page = ShowPage::new(&frame, "契約台帳", shown.line());
        if !found.holds(now.0) {
            let text = "この契約では、いま何も渡せません。";
            page = page.banner("warning", "契約の期間の外です", text);
        }
        Ok::<_, OversightError>(
            page.terms(vec![
                Term::new("契約", found.subject.clone()),
                Term::new("委託先", partner(organisations, found.org)),
                Term::new("期間", format!("{}（{state}）", days(found))),
                Term::new("特記事項", entry.variant.japanese()),
                Term::new("選定方法", entry.chosen_by.clone()),
                Term::new("選定理由", entry.why.clone()),
                Term::new("業務の開始日", entry.started.clone()),
                Term::new(
                    "登録",
                    format!(
                        "{} {}",
                        name(accounts, Some(entry.entered_by)),
                        moment(entry.entered_at)
                    ),
                ),
            ])
            .link(
                format!("/oversight/cases/{}", entry.case),
                "付議の案件とシート",
            )
            .link(format!("{at}/grant"), "渡せる項目を確かめる")
            .table(
                "担当者・取扱責任者・取扱者",
                &["役目", "氏名", "教育の日", "状態"],
                named.collect(),
                "まだ報告されていません（特記事項13）。",
            )
            .answer(),
        )
    };
    made.await.unwrap_or_else(answer)
}

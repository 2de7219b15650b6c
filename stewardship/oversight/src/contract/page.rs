//! One contract of the register.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose};
use mimamori_kernel::id::ContractId;
use mimamori_pages::Term;

use super::obligation::{certifications, of_contract};
use super::queue::clause_rows;
use super::store::{entries, people};
use crate::council::page::{days, partner, standing};
use crate::error::answer;
use crate::screen::{Cell, Desk, ShowPage, day, moment, name};
use crate::{OversightError, action, id, offers};

/// GET /oversight/contracts/{contract}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let now = room.clock.now();
    let today = now.office_day();
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
            .and(permit.accounts(now).await?)
            .and(of_contract(&permit, wanted).await?)
            .and(certifications(&permit).await?);
        let shown = permit.reveal(known).await?;
        let ((((((contracts, organisations), entries), people), accounts), owed), certifications) =
            &*shown;
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
        let of_partner = certifications.iter().filter(|c| c.org == found.org);
        let certified = of_partner.map(|c| {
            let (look, words) = c.badge(today);
            vec![
                Cell::text(&c.name),
                Cell::text(&c.number),
                Cell::text(day(c.until)),
                Cell::Badge(look, words.into()),
            ]
        });
        let at = format!("/oversight/contracts/{contract}");
        let mut page = ShowPage::new(&frame, "契約台帳", shown.line());
        if !found.holds(now.0) {
            let text = "この契約では、いま何も渡せません。";
            page = page.banner("warning", "契約の期間の外です", text);
        }
        if offers(&room, &visitor, action::OBLIGATION_RECORD) {
            for (what, words) in [
                ("person", "担当者・取扱責任者・取扱者を登録する"),
                ("certification", "委託先の認証を登録する"),
                ("event", "起きたこと（報告の求め・事故など）を記録する"),
            ] {
                page = page.link(format!("{at}/enter/{what}"), words);
            }
            for person in people.iter().filter(|p| p.ended_at == 0) {
                let words = format!("{}の従事を終える", person.name);
                let value = ("person", person.id.to_string());
                page = page.press(format!("{at}/people"), value, words, "secondary");
            }
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
            .link(format!("{at}/closing"), "契約の終了日")
            .link(format!("{at}/renewal"), "次の年度への更新")
            .table(
                "特記事項",
                &["項", "だれが", "期限", "状態"],
                clause_rows(entry, owed, today),
                "",
            )
            .table(
                "委託先の認証",
                &["認証", "番号", "期限", "状態"],
                certified.collect(),
                "認証は登録されていません。",
            )
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

//! 受渡しの一覧: where each package stands, and what is due (14 days before, on the day, from the day after).

use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{Action, Purpose};

use crate::error::answer;
use crate::package::{Listed, all};
use crate::screen::{Cell, Desk, SheetPage, Table, day};
use crate::{HandoverError, action};

/// Days before the due day from which it is told (PROTECTION section 5).
const BEFORE: i64 = 14;

/// How pressing a due day is: kind of the look and words; none when nothing is outside or it is far away.
pub(crate) fn alarm(due: &str, outside: bool, today: Date) -> Option<(&'static str, String)> {
    let due: Date = due.parse().ok()?;
    if !outside {
        return None;
    }
    let left = i64::from(today.until(due).ok()?.get_days());
    Some(match left {
        ..0 => ("danger", format!("消去の期日を{}日過ぎています", -left)),
        0 => ("danger", "消去の期日は今日です".to_owned()),
        1..=BEFORE => ("warning", format!("消去の期日まで{left}日")),
        _ => return None,
    })
}

fn row(listed: &Listed, today: Date) -> Vec<Cell> {
    let due = alarm(&listed.erase_by, listed.stage.is_outside(), today);
    vec![
        Cell::Link(
            format!("/handover/packages/{}", listed.id),
            listed.title.clone(),
        ),
        Cell::text(&listed.partner),
        Cell::text(listed.channel.japanese()),
        Cell::text(format!("{}件", listed.rows)),
        Cell::Badge("info", listed.stage.japanese().to_owned()),
        Cell::text(listed.erase_by.parse().map(day).unwrap_or_default()),
        match due {
            Some((kind, words)) => Cell::Badge(kind, words),
            None => Cell::text("—"),
        },
    ]
}

/// GET /handover
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::LIST, Purpose::Operation, None)
            .await?;
        let found = all(&permit).await?;
        Ok::<_, HandoverError>(permit.reveal(found).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let today = room.clock.now().office_day();
    let late = found.iter().filter(|l| {
        alarm(&l.erase_by, l.stage.is_outside(), today).is_some_and(|(kind, _)| kind == "danger")
    });
    let late = late.count();
    let offers = |action: Action| {
        room.gate
            .offers(&visitor, action, Purpose::Operation, false)
    };
    let mut sheet = SheetPage::new(&frame, "受渡し", found.line())
        .words("委託先・大学などに渡す封筒の一覧です。中の個人情報は、この画面には出ません。");
    if late > 0 {
        sheet = sheet.banner(
            "danger",
            "消去の期日が来ています。",
            format!("{late}件の受渡しで、返却・消去の確認が終わっていません。"),
        );
    }
    for (action, href, label) in [
        (
            action::REQUEST,
            "/handover/packages/new",
            "受渡しを申請する",
        ),
        (action::LEDGER, "/handover/ledger", "記録媒体利用管理簿"),
        (action::MEDIA, "/handover/media", "記録媒体の一覧"),
        (
            action::PARTNER,
            "/handover/partners",
            "相手方の鍵を登録する",
        ),
    ] {
        if offers(action) {
            sheet = sheet.link(href, label);
        }
    }
    sheet
        .table(Table {
            caption: "受渡しの一覧",
            heads: vec![
                "契約",
                "相手方",
                "方法",
                "件数",
                "段階",
                "消去の期日",
                "期日の知らせ",
            ],
            rows: found.iter().map(|l| row(l, today)).collect(),
            empty: "受渡しはまだありません。",
        })
        .answer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_due_day_is_told_14_days_before_on_the_day_and_from_the_day_after() {
        let due = "2027-03-31";
        let on = |day| alarm(due, true, day).map(|(kind, _)| kind);
        assert_eq!(on(date(2027, 3, 16)), None);
        assert_eq!(on(date(2027, 3, 17)), Some("warning"));
        assert_eq!(on(date(2027, 3, 31)), Some("danger"));
        let after = alarm(due, true, date(2027, 4, 1)).unwrap();
        assert_eq!(after, ("danger", "消去の期日を1日過ぎています".to_owned()));
        assert_eq!(alarm(due, false, date(2027, 4, 1)), None);
    }
}

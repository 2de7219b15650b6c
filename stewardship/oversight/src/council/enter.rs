//! Enters a case.

use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, Hidden, Purpose};
use mimamori_identity::Visitor;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::store::{Case, Ground, Past};
use crate::error::answer;
use crate::screen::{Desk, FormPage, Sent, again};
use crate::sheet::CaseId;
use crate::{Oversight, OversightError, action};

/// Most grounds or earlier meetings of one case.
const MOST: usize = 10;

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::CASE_ENTER, Purpose::Operation, None)
        .await?;
    permit.reveal(Hidden::nothing()).await?;
    let page = FormPage::new(frame, "案件の登録", "/oversight/cases/new", "/oversight");
    Ok(page
        .words("登録すると、この案件のシートを起案できます。")
        .fields(vec![
            sent.lines_field("subject", "件名", true, "2,000文字まで"),
            sent.line_field("meeting", "会議", true, "例: 個人情報保護管理運営会議"),
            sent.line_field("owners", "担当部課", true, "例: 健康部健康づくり課"),
            sent.lines_field(
                "grounds",
                "根拠",
                true,
                "1行に1件、「対象｜旧条例の条項｜いまの条項」の形で入力します。10件まで。旧条例がないときは空けます。",
            ),
            sent.lines_field(
                "history",
                "これまでの会議",
                false,
                "1行に1件、「会議｜結論」の形で入力します。10件まで。例: 令和3年度第7回 審議会｜了承",
            ),
        ])
        .button("enter", "登録する", "primary")
        .answer(errors))
}

/// GET /oversight/cases/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

/// Lines of `parts` columns each; a wrong one is refused with its number.
fn table(sent: &mut Sent, name: &str, text: &str, parts: usize) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    if lines.len() > MOST {
        sent.refuse(name, format!("{MOST}件までで入力してください。"));
    }
    let mut out = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let columns: Vec<String> = line
            .split(['｜', '|'])
            .map(|c| c.trim().to_owned())
            .collect();
        match columns.len() == parts && columns.last().is_some_and(|c| !c.is_empty()) {
            true => out.push(columns),
            false => sent.refuse(
                name,
                format!("{}行目: 「｜」で{parts}つに区切ってください。", at + 1),
            ),
        }
    }
    out
}

async fn enter(
    room: &Oversight,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::CASE_ENTER, Purpose::Operation, None)
        .await?;
    let subject = sent.lines("subject", Some("件名を入力してください。"));
    let meeting = sent.need("meeting", "会議を入力してください。");
    let owners = sent.need("owners", "担当部課を入力してください。");
    let grounds = sent.lines("grounds", Some("根拠を入力してください。"));
    let grounds = table(sent, "grounds", &grounds, 3);
    let history = sent.lines("history", None);
    let history = table(sent, "history", &history, 2);
    sent.complete()?;
    let column = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let case = Case {
        id: CaseId::random(&*room.random),
        subject: subject.lines().collect(),
        meeting,
        owners,
        entered_by: visitor.user,
        entered_at: now.0,
        grounds: grounds
            .iter()
            .map(|g| Ground {
                matter: column(g, 0),
                old_clause: column(g, 1),
                clause: column(g, 2),
            })
            .collect(),
        history: history
            .iter()
            .map(|p| Past {
                meeting: column(p, 0),
                decision: column(p, 1),
            })
            .collect(),
    };
    let to = format!("/oversight/cases/{}", case.id);
    permit
        .change(Hidden::nothing(), now, move |()| {
            let change = Change {
                statements: case.write(),
                words: format!("案件の登録 {}", case.subject),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&to).into_response())
}

/// POST /oversight/cases/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = enter(&room, &visitor, &mut sent).await;
    again(done, async |errors| {
        form(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_too_few_parts_is_refused_with_its_number() {
        let mut sent = Sent::default();
        let rows = table(
            &mut sent,
            "grounds",
            "業務委託｜旧14条｜要綱3条\n外部結合|要綱",
            3,
        );
        assert_eq!(rows, [["業務委託", "旧14条", "要綱3条"]]);
        assert!(sent.errors[0].message.starts_with("2行目"));
        let mut sent = Sent::default();
        assert_eq!(
            table(&mut sent, "grounds", "業務委託｜｜要綱3条", 3).len(),
            1
        );
        assert!(sent.errors.is_empty());
        table(&mut sent, "history", &"会議｜了承\n".repeat(11), 2);
        assert_eq!(sent.errors.len(), 1);
    }
}

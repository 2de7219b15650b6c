//! What is owed in all contracts, as a work queue with due days; one obligation with its evidence.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::RequestId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::obligation::{Obligation, certifications, clause_of, one, open};
use super::store::{Entry, entries};
use crate::council::page::partner;
use crate::error::answer;
use crate::screen::{Cell, Desk, FormPage, Sent, ShowPage, again, day, moment, name};
use crate::{Oversight, OversightError, action, id, offers};

/// GET /oversight/obligations
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let today = room.clock.now().office_day();
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::OBLIGATION_LIST, Purpose::Operation, None)
            .await?;
        let known = open(&permit)
            .await?
            .and(entries(&permit).await?)
            .and(permit.contracts().await?)
            .and(permit.organisations().await?)
            .and(certifications(&permit).await?);
        Ok::<_, OversightError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let ((((open, entries), contracts), organisations), certifications) = &*shown;
    let mut rows: Vec<_> = open
        .iter()
        .filter_map(|o| {
            let entry = entries.iter().find(|e| e.contract == o.contract)?;
            let clause = clause_of(entry, o)?;
            let contract = contracts.iter().find(|c| c.id == o.contract)?;
            Some((o.urgency(clause, today)?, o, clause, contract))
        })
        .collect();
    rows.sort_by_key(|(urgency, o, ..)| (*urgency, o.due, o.clause));
    let rows = rows.into_iter().map(|(urgency, o, clause, contract)| {
        let (look, words) = urgency.badge();
        vec![
            Cell::Link(
                format!("/oversight/obligations/{}", o.id),
                format!("{} {}（{}）", clause.number, clause.heading, day(o.due)),
            ),
            Cell::Badge(look, words.into()),
            Cell::text(clause.side.japanese()),
            Cell::text(&contract.subject),
            Cell::text(clause.evidence),
        ]
    });
    let certified = certifications.iter().map(|c| {
        let (look, words) = c.badge(today);
        vec![
            Cell::text(partner(organisations, c.org)),
            Cell::text(&c.name),
            Cell::text(day(c.until)),
            Cell::Badge(look, words.into()),
        ]
    });
    let mut page = ShowPage::new(&frame, "契約上の義務", shown.line())
        .words("特記事項の各項を、期限の近い順に500件まで表示します。監査（15・16）は、2月1日から急ぐものとして表示します。")
        .words("祝日は開庁日として数えます（想定）。期限は早くなることはあっても、遅くなることはありません。");
    if offers(&room, &visitor, action::OBLIGATION_RECORD) {
        page = page.link(
            "/oversight/words",
            "「直ちに」「速やかに」「遅滞なく」の日数",
        );
    }
    page.table(
        "果たすべき義務",
        &["義務（期限）", "状態", "だれが", "契約", "証拠"],
        rows.collect(),
        "残っている義務はありません。",
    )
    .table(
        "委託先の認証",
        &["委託先", "認証", "期限", "状態"],
        certified.collect(),
        "認証は登録されていません。",
    )
    .answer()
}

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    obligation: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_LIST, Purpose::Operation, None)
        .await?;
    let wanted: RequestId = id(obligation)?;
    let known = one(&permit, wanted)
        .await?
        .and(entries(&permit).await?)
        .and(permit.contracts().await?)
        .and(permit.accounts(room.clock.now()).await?);
    let shown = permit.reveal(known).await?;
    let (((found, entries), contracts), accounts) = &*shown;
    let owed = found.as_ref().ok_or(GateError::NotFound)?;
    let (entry, contract) = (
        entries.iter().find(|e| e.contract == owed.contract),
        contracts.iter().find(|c| c.id == owed.contract),
    );
    let (Some(entry), Some(contract)) = (entry, contract) else {
        return Err(GateError::NotFound.into());
    };
    let clause = clause_of(entry, owed).ok_or(OversightError::Broken)?;
    let mut terms = vec![
        Term::new("契約", contract.subject.clone()),
        Term::new("特記事項", format!("{} {}", clause.number, clause.heading)),
        Term::new("義務", clause.duty),
        Term::new("だれが", clause.side.japanese()),
        Term::new("生じた事由", owed.cause.clone()),
        Term::new("期限", day(owed.due)),
        Term::new("証拠となるもの", clause.evidence),
    ];
    if owed.done_at > 0 || !offers(room, visitor, action::OBLIGATION_RECORD) {
        if owed.done_at > 0 {
            let by = name(accounts, owed.done_by);
            terms.push(Term::new("果たした日", owed.done.clone()));
            terms.push(Term::new("証拠", owed.evidence.clone()));
            terms.push(Term::new("記録", format!("{by} {}", moment(owed.done_at))));
        }
        return Ok(ShowPage::new(frame, "義務", shown.line())
            .terms(terms)
            .link("/oversight/obligations", "義務の一覧に戻る")
            .answer());
    }
    let at = format!("/oversight/obligations/{obligation}");
    let page = FormPage::new(frame, "義務を果たした記録", at, "/oversight/obligations");
    let page = match clause.endless {
        true => page
            .words("この義務は、契約の終了後も続きます。ここでは、誓約を受けたことを記録します。"),
        false => page,
    };
    Ok(page
        .terms(terms)
        .fields(vec![
            sent.line_field("done", "果たした日", true, "例: R8.11.20"),
            sent.lines_field("evidence", "証拠", true, "書類の名称・番号・置き場所など"),
        ])
        .button("done", "果たしたと記録する", "primary")
        .answer(errors))
}

/// GET /oversight/obligations/{obligation}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(obligation): Path<String>,
) -> Response {
    let first = (&Sent::default(), vec![]);
    form(&room, &visitor, &frame, &obligation, first)
        .await
        .unwrap_or_else(answer)
}

async fn record(
    room: &Oversight,
    visitor: &Visitor,
    obligation: &str,
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let wanted: RequestId = id(obligation)?;
    let done = sent.need_day("done", "果たした日を入力してください。");
    if done.is_some_and(|d| d > now.office_day()) {
        sent.refuse("done", "まだ来ていない日です。");
    }
    let evidence = sent.lines("evidence", Some("証拠を入力してください。"));
    sent.complete()?;
    let done = done.unwrap_or(now.office_day());
    let by = visitor.user;
    let known = one(&permit, wanted).await?;
    permit
        .change(known, now, move |found: Option<Obligation>| {
            let owed = found.ok_or(GateError::NotFound)?;
            let change = Change {
                statements: vec![owed.finish(done, &evidence, by, now)],
                words: format!("特記事項{} {evidence}", owed.clause),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to("/oversight/obligations").into_response())
}

/// POST /oversight/obligations/{obligation}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(obligation): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = record(&room, &visitor, &obligation, &mut sent).await;
    again(done, async |errors| {
        form(&room, &visitor, &frame, &obligation, (&sent, errors)).await
    })
    .await
}

/// The contracts' clauses as rows: each with what is open or done.
pub(crate) fn clause_rows(
    entry: &Entry,
    owed: &[Obligation],
    today: jiff::civil::Date,
) -> Vec<Vec<Cell>> {
    let mut out = Vec::new();
    for clause in super::clause::all(entry.variant) {
        let mine: Vec<&Obligation> = owed.iter().filter(|o| o.clause == clause.number).collect();
        let head = format!("{} {}", clause.number, clause.heading);
        if mine.is_empty() {
            out.push(vec![
                Cell::text(&head),
                Cell::text(clause.side.japanese()),
                Cell::text("起きたとき"),
                Cell::Badge("info", "起きていない".into()),
            ]);
        }
        for one in mine {
            let (look, words) = match one.urgency(clause, today) {
                Some(urgency) => urgency.badge(),
                None => ("success", "済み"),
            };
            out.push(vec![
                Cell::Link(
                    format!("/oversight/obligations/{}", one.id),
                    format!("{head}（{}）", one.cause),
                ),
                Cell::text(clause.side.japanese()),
                Cell::text(day(one.due)),
                Cell::Badge(look, words.into()),
            ]);
        }
    }
    out
}

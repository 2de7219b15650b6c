//! One person's record (個人の記録).

mod reason;
mod words;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{
    Class, Condition, GateError, Hidden, ListPermit, Listed, PersonPermit, Reason, Withheld,
    office_day_number,
};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::id::{PersonId, ResultId};
use mimamori_pages::{Frame, Term, html};

use crate::change::{ALL_COLUMNS, Change, changes};
use crate::reception::{self, Note};
use crate::schema::{IN_FORCE, IN_FORCE_HERE};
use crate::search::{COLUMNS as LIST_COLUMNS, Line, NAMESAKES, channels, lines, purpose};
use crate::{Residents, action, answer};

use reason::ReasonPage;
pub(crate) use reason::{Stated, keep_reason, state_reason, stated};
pub(crate) use words::old_enough;
use words::{Banner, Event, banners, event, terms};

#[derive(serde::Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

#[derive(Template)]
#[template(path = "residents/record.html")]
struct RecordPage<'a> {
    frame: &'a Frame,
    banners: Vec<Banner>,
    terms: Vec<Term>,
    members: Vec<Line>,
    /// None when the history is withheld: not even its length is told.
    events: Option<Vec<Event>>,
    /// Changes made on the screen, newest first.
    journal: Vec<Change>,
    /// Words and addresses of what this role can do here.
    forms: Vec<(&'static str, String)>,
    /// Words and addresses of the services' pages of the same person.
    services: Vec<(&'static str, String)>,
    withheld: Vec<Withheld>,
    back: Option<String>,
    line: u64,
    words: String,
    person: PersonId,
    /// `?from=` of the search, for the note's page.
    from: String,
    /// Notes of today; none: the look is marked as one without a case.
    notes: Vec<Note>,
    linked: bool,
}

const COLUMNS: [&str; 23] = [
    "address_number",
    "household_number",
    "kanji",
    "kana",
    "kana_key",
    "alias",
    "alias_kana",
    "sex",
    "birth",
    "foreigner",
    "namesakes",
    "relation",
    "status",
    "status_day",
    "insured",
    "insured_number",
    "special_address",
    "protected",
    "phone",
    "postal",
    "address",
    "building",
    "kanji_key",
];

const EVENTS: [&str; 7] = [
    "number",
    "reason",
    "event_day",
    "notified_day",
    "address",
    "building",
    "moved_to",
];

/// GET /residents/{person}
pub(crate) async fn open(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    Query(From { from }): Query<From>,
) -> Response {
    // Not an id, or a result that is not the visitor's: the gate is asked all the same, so that the answers are alike.
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let from = from.and_then(|f| f.parse::<ResultId>().ok());
    let words = stated(&room, &visitor, &person, from.as_ref());
    let given = words.clone().map(Reason);
    let permit = match room
        .gate
        .person(
            &visitor,
            action::PERSON_OPEN,
            purpose(&visitor),
            person,
            given,
        )
        .await
    {
        Ok(permit) => permit,
        Err(error) => return answer(error),
    };
    let linked = permit.case().is_some();
    // A note or queue item of today is reason enough.
    let words = words.or_else(|| linked.then(|| "受付票".to_owned()));
    let Some(words) = words else {
        let frame = frame
            .with_title("閲覧の理由")
            .with_current("/residents/search");
        return html(ReasonPage {
            frame: &frame,
            person,
            channels: channels(""),
            note: String::new(),
            errors: vec![],
        });
    };
    // The pages of changes ask for the same reason.
    keep_reason(&room, &visitor, person, words.clone());
    if let Some(kept) = permit.kept() {
        // The look at the merged record leaves its line; the kept one opens for the same reason.
        return match permit.reveal(mimamori_gate::Hidden::nothing()).await {
            Ok(_) => {
                keep_reason(&room, &visitor, kept, words);
                Redirect::to(&format!("/residents/{kept}")).into_response()
            }
            Err(error) => answer(error),
        };
    }
    let merged = permit.merged().len();
    let withheld = permit.withheld().to_vec();
    let history = permit.allows(Class::Residency);
    let place = permit.allows(Class::Address);
    let read = async {
        let filter = match history {
            true => {
                "generation = (SELECT generation FROM residents_state WHERE one = 1) ORDER BY number DESC"
            }
            false => "1 = 0",
        };
        let list = room
            .gate
            .list(&visitor, action::PERSON_LIST, purpose(&visitor))
            .await?;
        let journal = match history {
            true => "1 = 1 ORDER BY number DESC LIMIT 50",
            false => "1 = 0",
        };
        let (record, events, journal, members) = tokio::try_join!(
            permit.fetch("residents_person", &COLUMNS, IN_FORCE_HERE, vec![]),
            permit.fetch("residents_history", &EVENTS, filter, vec![]),
            permit.fetch("residents_change", &ALL_COLUMNS, journal, vec![]),
            household(&list, &permit),
        )?;
        let (record, members) = tokio::try_join!(
            list.recount_one(NAMESAKES, permit.person(), record),
            list.recount(NAMESAKES, members),
        )?;
        let record = record.and(events);
        let record = match linked {
            true => {
                let now = office_day_number(room.clock.now());
                let args = vec![visitor.user.bytes().into(), now.into()];
                let notes = permit.fetch(
                    "residents_note",
                    &reception::COLUMNS,
                    reception::TODAY,
                    args,
                );
                record.and(notes.await?)
            }
            false => record.map(|record| (record, vec![])),
        };
        // Two lines, made durable together: the record was opened, the members appeared in a list.
        let (shown, members) =
            tokio::try_join!(permit.reveal(record.and(journal)), list.reveal(members))?;
        let line = shown.line();
        let (((mut records, events), notes), journal) = shown.into_inner();
        let record = records.pop().ok_or(GateError::NotFound)?;
        let members = lines(&members, room.clock.now().office_day(), None);
        Ok::<_, GateError>((line, record, events, changes(&journal), members, notes))
    };
    let (line, record, events, journal, members, notes) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let today = room.clock.now().office_day();
    let waiting = match &room.services.waiting {
        Some(waiting) => waiting().await,
        None => false,
    };
    let services = room.services.links.iter();
    html(RecordPage {
        frame: &frame
            .with_title("住民の記録")
            .with_current("/residents/search"),
        banners: banners(&record, merged, today, waiting),
        terms: terms(&record, today),
        members,
        events: history.then(|| events.iter().map(event).collect()),
        journal,
        forms: forms(&visitor, person, merged, place),
        services: services
            .filter(|link| {
                link.roles.contains(&visitor.role) && (visitor.handler || !link.handlers)
            })
            .map(|link| (link.label, link.to(&person)))
            .collect(),
        withheld,
        back: from.map(|id| format!("/residents/results/{id}")),
        line,
        words,
        person,
        from: from.map_or_else(String::new, |id| format!("?from={id}")),
        notes: notes.iter().map(reception::shown).collect(),
        linked,
    })
}

/// The other members of the household; nobody when the household may not be seen.
async fn household(list: &ListPermit, permit: &PersonPermit) -> Result<Hidden<Listed>, GateError> {
    let (person, most) = (
        permit.person(),
        if permit.allows(Class::Household) {
            30
        } else {
            0
        },
    );
    let conditions = [
        Condition {
            class: Class::Household,
            sql: "p.household_number = (SELECT h.household_number FROM residents_person h WHERE h.person = ? \
                  AND h.generation = (SELECT generation FROM residents_state WHERE one = 1))",
            args: vec![person.bytes().into()],
        },
        Condition {
            class: Class::Identity,
            sql: "p.person <> ?",
            args: vec![person.bytes().into()],
        },
    ];
    list.fetch(
        list,
        "residents_person",
        &LIST_COLUMNS,
        IN_FORCE,
        &conditions,
        "p.birth",
        0,
        most,
    )
    .await
}

/// What this role can enter for the person; nobody enters a `place` who may not see it. The gate decides again.
fn forms(
    visitor: &Visitor,
    person: PersonId,
    merged: usize,
    place: bool,
) -> Vec<(&'static str, String)> {
    let (clerk, lead) = match visitor.role {
        Role::Clerk => (true, false),
        Role::LeadOfficer => (true, true),
        _ => (false, false),
    };
    let change = |code| format!("/residents/{person}/change/{code}");
    let all = [
        (clerk && place, "異動を入力する", change("move")),
        (clerk, "基本の情報を訂正する", change("correct")),
        (
            clerk && place,
            "住所・電話番号・世帯を訂正する",
            change("correct-place"),
        ),
        (lead, "支援措置を登録する", change("flag")),
        (
            lead,
            "同一人を統合する",
            format!("/residents/{person}/merge"),
        ),
        (
            lead && merged > 0,
            "統合を取り消す（分離）",
            format!("/residents/{person}/split"),
        ),
    ];
    all.into_iter()
        .filter(|(may, ..)| *may)
        .map(|(_, words, to)| (words, to))
        .collect()
}

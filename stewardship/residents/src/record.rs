//! One person's record (個人の記録).

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{
    Class, Condition, GateError, Hidden, ListPermit, Listed, PersonPermit, Reason, Record,
    Withheld, office_day_number,
};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::{PartialDate, age_completed, wareki_with_western};
use mimamori_kernel::id::{PersonId, ResultId};
use mimamori_pages::{
    Choice, FieldError, Frame, LimitedForm, Problem, Term, html, html_with_status,
};

use crate::change::{ALL_COLUMNS, Change, changes};
use crate::reception::{self, Note};
use crate::schema::{IN_FORCE, IN_FORCE_HERE};
use crate::search::{
    COLUMNS as LIST_COLUMNS, Line, NAMESAKES, channels, lines, purpose, reason, sex,
};
use crate::{Residents, action, answer};

/// A reason that an officer gave for one person, good for that office day.
#[derive(Debug, Clone)]
pub(crate) struct Stated {
    day: Date,
    words: String,
}

impl Stated {
    pub(crate) fn new(at: Instant, words: String) -> Self {
        Self {
            day: at.office_day(),
            words,
        }
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

struct Banner {
    kind: &'static str,
    title: &'static str,
    text: String,
}

struct Event {
    number: String,
    reason: String,
    event_day: String,
    notified_day: String,
    address: String,
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

#[derive(Template)]
#[template(path = "residents/reason.html")]
struct ReasonPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    channels: Vec<Choice>,
    note: String,
    errors: Vec<FieldError>,
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

/// Remembers for today why this visitor opens this person.
pub(crate) fn keep_reason(room: &Residents, visitor: &Visitor, person: PersonId, words: String) {
    let day = room.clock.now().office_day();
    room.kept(&visitor.session, |kept| {
        if kept.reasons.len() > 500 {
            kept.reasons.clear();
        }
        kept.reasons.insert(person, Stated { day, words });
    });
}

/// The reason on which this visitor may open this person today, if one was given.
pub(crate) fn stated(
    room: &Residents,
    visitor: &Visitor,
    person: &PersonId,
    from: Option<&ResultId>,
) -> Option<String> {
    let today = room.clock.now().office_day();
    room.kept(&visitor.session, |kept| {
        let by_search = from
            .and_then(|id| kept.searches.iter().find(|(k, _)| k == id))
            // A search is a reason for those whom it found, and for nobody else.
            .filter(|(_, s)| s.found.as_ref().is_some_and(|f| f.contains(person)))
            .map(|(_, s)| (s.at.office_day(), &s.reason));
        let given = kept.reasons.get(person).map(|s| (s.day, &s.words));
        by_search
            .or(given)
            .filter(|(day, _)| *day == today)
            .map(|(_, words)| words.clone())
    })
}

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
    html(RecordPage {
        frame: &frame
            .with_title("住民の記録")
            .with_current("/residents/search"),
        banners: banners(&record, merged),
        terms: terms(&record, today),
        members,
        events: history.then(|| events.iter().map(event).collect()),
        journal,
        forms: forms(&visitor, person, merged),
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

/// What this role can enter for the person; the gate decides again.
fn forms(visitor: &Visitor, person: PersonId, merged: usize) -> Vec<(&'static str, String)> {
    let (clerk, lead) = match visitor.role {
        Role::Clerk => (true, false),
        Role::LeadOfficer => (true, true),
        _ => (false, false),
    };
    let change = |code| format!("/residents/{person}/change/{code}");
    let all = [
        (clerk, "異動を入力する", change("move")),
        (clerk, "基本の情報を訂正する", change("correct")),
        (
            clerk,
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

fn banners(record: &Record, merged: usize) -> Vec<Banner> {
    let mut out = Vec::new();
    if record.int("protected") == Some(2) {
        let text =
            "この人の住所や電話番号から、対象者の居場所が分かります。担当責任者だけが見られます。"
                .into();
        out.push(Banner {
            kind: "danger",
            title: "同じ世帯か住所に、支援措置の対象者がいます。",
            text,
        });
    }
    if merged > 0 {
        out.push(Banner {
            kind: "info",
            title: "統合された記録です。",
            text: format!("同じ人のほかの宛名番号{merged}件を、この記録に統合しています。"),
        });
    }
    if record.int("protected") == Some(1) {
        let text = "住所・電話番号・世帯・異動は担当責任者だけが見られます。家族を名乗る人にも伝えないでください。".into();
        out.push(Banner {
            kind: "danger",
            title: "支援措置の対象者です。",
            text,
        });
    }
    let day = || {
        wareki_with_western(
            record
                .text("status_day")
                .unwrap_or("")
                .parse()
                .unwrap_or(PartialDate::UNKNOWN),
        )
    };
    match record.int("status") {
        Some(3) => out.push(Banner {
            kind: "warning",
            title: "亡くなった人の記録です。",
            text: format!("死亡日: {}", day()),
        }),
        Some(2) => out.push(Banner {
            kind: "warning",
            title: "転出した人の記録です。",
            text: format!("転出日: {}", day()),
        }),
        _ => {}
    }
    let namesakes = record.int("namesakes").unwrap_or(0);
    if namesakes > 1 {
        let text =
            format!("同じ氏名の人が{namesakes}人います。生年月日と住所で本人を確かめてください。");
        out.push(Banner {
            kind: "warning",
            title: "同姓同名の人がいます。",
            text,
        });
    }
    if record.int("insured") == Some(0) {
        out.push(Banner {
            kind: "info",
            title: "世帯員の記録です。",
            text: "被保険者ではありません。".into(),
        });
    }
    out
}

fn terms(record: &Record, today: Date) -> Vec<Term> {
    let text = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record
            .text(column)
            .filter(|t| !t.is_empty())
            .unwrap_or("—")
            .to_owned(),
    };
    let birth: PartialDate = record
        .text("birth")
        .unwrap_or("")
        .parse()
        .unwrap_or(PartialDate::UNKNOWN);
    let yes = |column, yes: &str, no: &str| match record.int(column) {
        Some(1) => yes.to_owned(),
        Some(_) => no.to_owned(),
        None => "（非表示）".to_owned(),
    };
    let mut out = vec![
        Term::new("氏名", text("kanji")),
        Term::new("カナ氏名", text("kana")),
    ];
    if record.text("alias").is_some_and(|a| !a.is_empty()) {
        out.push(Term::new(
            "通称",
            format!("{}（{}）", text("alias"), text("alias_kana")),
        ));
    }
    out.extend([
        Term::new(
            "生年月日",
            format!(
                "{}　{}",
                wareki_with_western(birth),
                age_completed(birth, today)
            ),
        ),
        Term::new("性別", sex(record.int("sex"))),
        Term::new(
            "住民区分",
            if record.int("foreigner") == Some(1) {
                "外国人住民"
            } else {
                "日本人住民"
            },
        ),
        Term::new("宛名番号", text("address_number")),
        Term::new("被保険者の別", yes("insured", "被保険者", "世帯員")),
        Term::new("被保険者番号", text("insured_number")),
        Term::new("住所地特例", yes("special_address", "対象", "対象でない")),
        Term::new("郵便番号", text("postal")),
        Term::new("住所", text("address")),
        Term::new("方書", text("building")),
        Term::new("電話番号", text("phone")),
        Term::new("世帯番号", text("household_number")),
        Term::new("続柄", text("relation")),
    ]);
    out
}

fn event(record: &Record) -> Event {
    let text = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record.text(column).unwrap_or("").to_owned(),
    };
    let day = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => wareki_with_western(
            record
                .text(column)
                .unwrap_or("")
                .parse()
                .unwrap_or(PartialDate::UNKNOWN),
        ),
    };
    let moved_to = text("moved_to");
    Event {
        number: record
            .int("number")
            .map_or_else(String::new, |n| n.to_string()),
        reason: text("reason"),
        event_day: day("event_day"),
        notified_day: day("notified_day"),
        address: if moved_to.is_empty() || record.withheld("moved_to") {
            if record.withheld("address") {
                text("address")
            } else {
                text("address") + &text("building")
            }
        } else {
            format!("{moved_to}へ")
        },
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    channel: String,
    note: String,
}

/// POST /residents/{person}/reason
pub(crate) async fn state_reason(
    State(room): State<Residents>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Given>,
) -> Response {
    let Ok(person) = person.parse::<PersonId>() else {
        return Problem::not_found().into_response();
    };
    let mut errors = Vec::new();
    let words = reason(&given.channel, &given.note, &mut errors).filter(|_| errors.is_empty());
    let Some(words) = words else {
        let frame = frame
            .with_title("閲覧の理由")
            .with_current("/residents/search");
        let page = ReasonPage {
            frame: &frame,
            person,
            channels: channels(&given.channel),
            note: given.note,
            errors,
        };
        return html_with_status(StatusCode::BAD_REQUEST, page);
    };
    keep_reason(&room, &visitor, person, words);
    Redirect::to(&format!("/residents/{person}")).into_response()
}

//! One person's record: results, the judgement with its reasons, the doctor's answer, contacts, the course, and the
//! forms that fit the stage.

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{GateError, Purpose, Reason, Record};
use mimamori_identity::Visitor;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, Term};

use super::{KINDS, stage_words};
use crate::action;
use crate::checkup::{Codes, Limit, Measured, Outcome, Test};
use crate::choose::verdict_words;
use crate::error::{KidneyError, answer};
use crate::guidance::{Contact, Mode, State, state};
use crate::room::KidneyPrevention;
use crate::screen::{Cell, Desk, Field, Form, Page, Part, Sent, count, day, text};
use crate::selection::Exclusion;

const TABLE: &str = "kidney_prevention_person";
/// Whoever is judged or in the programme waits for work here.
const WAITING: &str = "verdict <> ''";

const COLUMNS: [&str; 18] = [
    "kanji",
    "kana",
    "birth",
    "sex",
    "postal",
    "address",
    "building",
    "phone",
    "protected",
    "day",
    "verdict",
    "reasons",
    "hba1c",
    "egfr",
    "run",
    "chosen",
    "stage",
    "version",
];

pub(super) fn id(text: &str) -> PersonId {
    text.parse().unwrap_or(PersonId::from_bytes([0; 16]))
}

/// One result in words.
pub(super) fn outcome(test: Test, measured: &Measured, year: i16) -> String {
    let entry = Codes::standard().entry(test);
    match measured.outcome {
        Outcome::Amount { amount, limit } => {
            let places = usize::from(entry.decimals);
            let mark = match limit {
                Some(Limit::OrLess) => "以下",
                Some(Limit::OrMore) => "以上",
                None => "",
            };
            format!("{amount:.places$}{}{mark}", entry.unit)
        }
        Outcome::Choice(value) => entry.choice(value, year).unwrap_or("—").to_owned(),
        Outcome::NotDone => "未実施".into(),
        Outcome::Unmeasurable => "測定不能".into(),
    }
}

/// Results of all health checks, one row for each test that any of them has.
fn results(checks: &[Record]) -> Result<(Vec<String>, Vec<Vec<Cell>>), KidneyError> {
    let mut days = vec![];
    let mut read = vec![];
    for check in checks {
        let kept = check.text("results").unwrap_or("{}");
        let results: std::collections::BTreeMap<Test, Vec<Measured>> = serde_json::from_str(kept)?;
        let on: Date = check
            .text("day")
            .unwrap_or("")
            .parse()
            .map_err(|_| KidneyError::Kept)?;
        days.push(on.to_string());
        read.push((mimamori_kernel::date::fiscal_year(on), results));
    }
    let mut rows = vec![];
    for test in Test::ALL {
        let any = |r: &Measured| !matches!(r.outcome, Outcome::NotDone);
        if !read
            .iter()
            .any(|(_, all)| all.get(test).is_some_and(|m| m.iter().any(any)))
        {
            continue;
        }
        let mut row = vec![text(&Codes::standard().entry(*test).name)];
        for (year, all) in &read {
            let shown = all
                .get(test)
                .and_then(|m| m.iter().find(|m| any(m)).or_else(|| m.first()));
            row.push(text(shown.map_or("—".into(), |m| outcome(*test, m, *year))));
        }
        rows.push(row);
    }
    Ok((days, rows))
}

/// What one look reads.
struct Seen {
    person: Record,
    checks: Vec<Record>,
    doctors: Vec<Record>,
    contacts: Vec<Record>,
    events: Vec<Record>,
    marks: Vec<Record>,
    line: u64,
}

async fn read(
    room: &KidneyPrevention,
    visitor: &Visitor,
    person: PersonId,
) -> Result<Seen, KidneyError> {
    let why = Some(Reason("重症化予防事業の対象者の記録".into()));
    let permit = room
        .gate
        .person(
            visitor,
            action::OPEN,
            Purpose::KidneyPrevention,
            person,
            why,
        )
        .await?
        .on_queue(TABLE, WAITING)
        .await?;
    let one = permit.fetch(TABLE, &COLUMNS, "1 = 1", vec![]).await?;
    let newest = "taken = 1 ORDER BY day DESC LIMIT 4";
    let checks = permit
        .fetch(
            "kidney_prevention_checkup",
            &["day", "results"],
            newest,
            vec![],
        )
        .await?;
    let names = [
        "number",
        "day",
        "clinic",
        "consent",
        "treated",
        "diseases",
        "instructions",
        "made_at",
        "made_name",
    ];
    let doctors = permit
        .fetch(
            "kidney_prevention_doctor",
            &names,
            "1 = 1 ORDER BY number DESC",
            vec![],
        )
        .await?;
    let names = ["number", "mode", "from_day", "due_day", "held_day"];
    let contacts = permit
        .fetch(
            "kidney_prevention_contact",
            &names,
            "1 = 1 ORDER BY number",
            vec![],
        )
        .await?;
    let names = ["number", "kind", "day", "words", "made_at", "made_name"];
    let events = permit
        .fetch(
            "kidney_prevention_event",
            &names,
            "1 = 1 ORDER BY number DESC",
            vec![],
        )
        .await?;
    let marks = permit
        .fetch(
            "kidney_prevention_mark",
            &["exclusion", "words"],
            "1 = 1 ORDER BY exclusion",
            vec![],
        )
        .await?;
    let all = one
        .and(checks)
        .and(doctors)
        .and(contacts)
        .and(events)
        .and(marks);
    let shown = permit.reveal(all).await?;
    let line = shown.line();
    let (((((person, checks), doctors), contacts), events), marks) = shown.into_inner();
    let person = person.into_iter().next().ok_or(GateError::NotFound)?;
    Ok(Seen {
        person,
        checks,
        doctors,
        contacts,
        events,
        marks,
        line,
    })
}

/// A contact of the database.
pub(super) fn contact(record: &Record) -> Option<(Contact, Option<Date>)> {
    let on = |column: &str| record.text(column).unwrap_or("").parse().ok();
    Some((
        Contact {
            number: u8::try_from(record.int("number")?).ok()?,
            mode: Mode::of(record.text("mode")?)?,
            from: on("from_day")?,
            due: on("due_day")?,
        },
        on("held_day"),
    ))
}

fn contacts(records: &[Record], today: Date) -> Vec<Vec<Cell>> {
    let row = |(c, held): (Contact, Option<Date>)| {
        let badge = match state(&c, held, today) {
            State::Later => Cell::Badge("info", "予定".into()),
            State::Open => Cell::Badge("warning", "実施できます".into()),
            State::Overdue => Cell::Badge("danger", "期限を過ぎています".into()),
            State::Held => Cell::Badge("success", "実施済み".into()),
        };
        vec![
            text(format!("第{}回", c.number)),
            text(c.mode.japanese()),
            text(day(&c.from.to_string())),
            text(day(&c.due.to_string())),
            text(held.map_or("—".into(), |d| day(&d.to_string()))),
            badge,
        ]
    };
    records.iter().filter_map(contact).map(row).collect()
}

fn hidden(what: &str, version: i64) -> Vec<Field> {
    vec![
        Field::Hidden {
            name: "what",
            value: what.to_owned(),
        },
        Field::Hidden {
            name: "version",
            value: version.to_string(),
        },
    ]
}

/// The forms that fit the stage: heading and form.
fn forms(person: PersonId, stage: &str, version: i64, sent: &Sent) -> Vec<(&'static str, Form)> {
    let line = |name, label, required, hint| Field::Line {
        name,
        label,
        required,
        value: sent.get(name).to_owned(),
        hint,
    };
    let lines = |name, label, hint| Field::Lines {
        name,
        label,
        value: sent.get(name).to_owned(),
        hint,
    };
    let choose = |name, label, all: &[(&str, &str)], hint| {
        let choices = std::iter::once(("", "選んでください")).chain(all.iter().copied());
        let choices = choices
            .map(|(v, l)| Choice::new(v, l, sent.get(name)))
            .collect();
        Field::Choose {
            name,
            label,
            choices,
            hint,
        }
    };
    let form = |what: &str, fields: Vec<Field>, label| Form {
        action: format!("/kidney/persons/{person}"),
        fields: hidden(what, version).into_iter().chain(fields).collect(),
        buttons: vec![("write", label, "primary")],
    };
    let mut out = vec![];
    if matches!(stage, "listed" | "consented" | "invited" | "joined") {
        let fields = vec![
            line("doctor_day", "報告の日", true, "例: R8.6.1"),
            line("clinic", "医療機関・医師", true, ""),
            choose(
                "consent",
                "参加についての同意",
                &[("1", "同意"), ("0", "不可")],
                "",
            ),
            choose(
                "treated",
                "糖尿病の治療",
                &[("1", "治療中"), ("0", "治療していない"), ("2", "報告なし")],
                "",
            ),
            line(
                "doctor_hba1c",
                "HbA1c（NGSP、%）",
                false,
                "報告があるときだけ。例: 7.4",
            ),
            line(
                "doctor_creatinine",
                "血清クレアチニン（mg/dL）",
                false,
                "報告があるときだけ。例: 1.10",
            ),
            line("doctor_egfr", "eGFR", false, "報告があるときだけ。例: 48.2"),
            lines("diseases", "傷病名", ""),
            lines("instructions", "保健指導における指示事項", ""),
        ];
        out.push((
            "かかりつけ医の報告を記録する",
            form("doctor", fields, "報告を記録する"),
        ));
    }
    if matches!(stage, "invited" | "consented" | "joined" | "finished") {
        let fields = vec![
            line("call_day", "電話の日", true, ""),
            lines("call_words", "内容", "誰から誰への電話か、話したこと"),
        ];
        out.push(("電話を記録する", form("call", fields, "電話を記録する")));
    }
    if stage == "invited" {
        let fields = vec![line(
            "join_day",
            "保健指導を始める日",
            true,
            "この日から6か月、6回の計画を作ります。",
        )];
        out.push((
            "参加の同意を記録する",
            form("join", fields, "参加を記録し、計画を作る"),
        ));
    }
    if stage == "joined" {
        let all: Vec<_> = Mode::ALL.iter().map(|m| (m.id(), m.japanese())).collect();
        let fields = vec![
            line(
                "contact_day",
                "実施日",
                true,
                "次の回の実施として記録します。",
            ),
            choose("mode", "方法", &all, ""),
            lines("contact_words", "内容", ""),
        ];
        out.push((
            "保健指導の実施を記録する",
            form("contact", fields, "実施を記録する"),
        ));
    }
    if matches!(stage, "listed" | "consented" | "invited" | "joined") {
        let fields = vec![
            line("refusal_day", "辞退の日", true, ""),
            lines("refusal_words", "理由", ""),
        ];
        out.push(("辞退を記録する", form("refusal", fields, "辞退を記録する")));
    }
    let fields = vec![
        line("complaint_day", "受けた日", true, ""),
        lines("complaint_words", "意見・苦情の内容と対応", ""),
    ];
    out.push((
        "意見・苦情を記録する",
        form("complaint", fields, "意見・苦情を記録する"),
    ));
    let all: Vec<_> = Exclusion::ALL
        .iter()
        .map(|e| (e.id(), e.japanese()))
        .collect();
    let fields = vec![
        choose("exclusion", "除外の理由", &all, ""),
        line("mark_words", "確かめた資料", true, ""),
    ];
    out.push((
        "除外の理由を記録する",
        form("mark", fields, "除外を記録する"),
    ));
    out
}

/// The page with what was typed.
pub(super) async fn page(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, KidneyError> {
    let seen = read(room, visitor, person).await?;
    let today = room.clock.now().office_day();
    let record = &seen.person;
    let kept = |column: &str| match record.withheld(column) {
        true => "（非表示）".to_owned(),
        false => record.text(column).unwrap_or("").to_owned(),
    };
    let (stage, version) = (kept("stage"), record.int("version").unwrap_or(0));
    let reasons: Vec<String> = serde_json::from_str(record.text("reasons").unwrap_or("[]"))?;
    let mut out = Page::new(frame, "対象者の記録");
    if record.int("protected").is_some_and(|p| p != 0) {
        out = out.banner(
            "danger",
            "支援措置の対象者です。",
            "住所と電話番号は表示しません。通知は一括印刷に含まれません。",
        );
    }
    out = out
        .part(Part::Terms(vec![
            Term::new("氏名", format!("{}（{}）", kept("kanji"), kept("kana"))),
            Term::new("生年月日", day(&kept("birth"))),
            Term::new(
                "住所",
                format!(
                    "{} {} {}",
                    kept("postal"),
                    kept("address"),
                    kept("building")
                )
                .trim()
                .to_owned(),
            ),
            Term::new("電話番号", kept("phone")),
            Term::new("選定の結果", verdict_words(&kept("verdict"))),
            Term::new(
                "段階",
                if stage.is_empty() {
                    "名簿に載っていません"
                } else {
                    stage_words(&stage)
                },
            ),
        ]))
        .heading("選定の理由")
        .part(Part::List(reasons));
    let marks: Vec<_> = seen
        .marks
        .iter()
        .filter_map(|m| {
            let exclusion = Exclusion::of(m.text("exclusion")?)?;
            Some(format!(
                "{}（{}）",
                exclusion.japanese(),
                m.text("words").unwrap_or("")
            ))
        })
        .collect();
    if !marks.is_empty() {
        out = out.heading("除外の記録").part(Part::List(marks));
    }
    let (days, rows) = results(&seen.checks)?;
    out = out
        .heading("健診の結果")
        .words(format!("新しい順: {}", days.join("、")));
    const HEADS: [&str; 5] = ["項目", "最新", "1回前", "2回前", "3回前"];
    out = out.table(
        "健診の結果",
        &HEADS[..=days.len().min(4)],
        rows,
        "結果がありません。",
    );
    let doctor = |d: &Record| {
        let word = |column: &str| d.text(column).unwrap_or("").to_owned();
        let consent = if d.int("consent") == Some(1) {
            "同意"
        } else {
            "不可"
        };
        vec![
            text(day(&word("day"))),
            text(word("clinic")),
            text(consent),
            text(word("diseases")),
            text(word("instructions")),
        ]
    };
    out = out.heading("かかりつけ医").table(
        "かかりつけ医の報告",
        &["報告の日", "医療機関・医師", "同意", "傷病名", "指示事項"],
        seen.doctors.iter().map(doctor).collect(),
        "報告はまだありません。",
    );
    if !seen.contacts.is_empty() {
        let heads = ["回", "予定の方法", "始まり", "期限", "実施日", "状態"];
        out = out.heading("保健指導の計画").table(
            "保健指導の計画",
            &heads,
            contacts(&seen.contacts, today),
            "",
        );
    }
    let event = |e: &Record| {
        let word = |column: &str| e.text(column).unwrap_or("").to_owned();
        let kind = KINDS
            .iter()
            .find(|k| k.0 == word("kind"))
            .map_or("—", |k| k.1);
        vec![
            count(e.int("number").unwrap_or(0)),
            text(day(&word("day"))),
            text(kind),
            text(word("words")),
            text(format!("{}　{}", word("made_at"), word("made_name"))),
        ]
    };
    out = out.heading("経過").table(
        "経過",
        &["番号", "日", "種類", "内容", "記録"],
        seen.events.iter().map(event).collect(),
        "まだありません。",
    );
    for (heading, form) in forms(person, &stage, version, sent) {
        out = out.heading(heading).part(Part::Form(form));
    }
    Ok(out
        .links(&[("/kidney", "重症化予防に戻る")])
        .line(seen.line)
        .answer(errors))
}

/// GET /kidney/persons/{person}
pub(crate) async fn open(Desk(room, visitor, frame): Desk, Path(person): Path<String>) -> Response {
    let first = Sent::default();
    page(&room, &visitor, &frame, id(&person), (&first, vec![]))
        .await
        .unwrap_or_else(answer)
}

//! What is written down about a person: the doctor's answer, calls, consent, refusal, contacts, complaints, exclusions.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{GateError, Purpose, Reason, Statement, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::date::{fiscal_year, parse_full};
use mimamori_kernel::id::PersonId;
use mimamori_pages::LimitedForm;

use super::record::{contact, id, page};
use crate::action;
use crate::checkup::{Codes, Measured, Raw, Test, Values};
use crate::error::KidneyError;
use crate::guidance::{Closed, Mode, Plan};
use crate::room::KidneyPrevention;
use crate::screen::{Desk, Sent, moved};
use crate::selection::Exclusion;

/// What is to be written: the kind, its day and words, the stage that follows, and further writes.
struct Entry {
    kind: &'static str,
    day: Date,
    words: String,
    stage: Option<&'static str>,
    /// Stages from which it is possible; empty for every one.
    from: &'static [&'static str],
    more: Vec<Statement>,
}

struct Writer<'a> {
    person: PersonId,
    today: Date,
    at: String,
    by: String,
    sent: &'a mut Sent,
}

fn stamped(w: &Writer<'_>) -> [Value; 2] {
    [w.at.as_str().into(), w.by.as_str().into()]
}

impl Writer<'_> {
    fn entry(&mut self, kind: &'static str, day: &str, words: &str) -> Result<Entry, KidneyError> {
        let day = self.sent.past(day, self.today);
        let told = self.sent.lines(words);
        if told.is_empty() {
            self.sent.refuse(words, "内容を入力してください。");
        }
        self.sent.complete()?;
        let day = day.ok_or(GateError::NotFound)?;
        Ok(Entry {
            kind,
            day,
            words: told,
            stage: None,
            from: &[],
            more: vec![],
        })
    }

    /// Results that the doctor reported, as the table of codes has them.
    fn results(&mut self, day: Date) -> BTreeMap<Test, Vec<Measured>> {
        let mut values = Values::new(Codes::standard(), fiscal_year(day));
        for (field, code) in [
            ("doctor_hba1c", "3D046000001999902"),
            ("doctor_creatinine", "3C015000002399901"),
            ("doctor_egfr", "8A065000002391901"),
        ] {
            let text = self.sent.line(field);
            if text.is_empty() {
                continue;
            }
            if let Err(defect) = values.take(
                code,
                Raw::Amount {
                    text: &text,
                    unit: None,
                    limit: None,
                },
            ) {
                self.sent.refuse(field, defect.reason.sentence());
            }
        }
        values.finish()
    }

    fn doctor(&mut self) -> Result<Entry, KidneyError> {
        let day = self.sent.past("doctor_day", self.today);
        let clinic = self
            .sent
            .need("clinic", "医療機関と医師の名前を入力してください。");
        let consent = self.sent.get("consent").to_owned();
        if !["0", "1"].contains(&consent.as_str()) {
            self.sent.refuse("consent", "選んでください。");
        }
        let treated: Option<i64> = self
            .sent
            .get("treated")
            .parse()
            .ok()
            .filter(|n| (0..=2).contains(n));
        if treated.is_none() {
            self.sent.refuse("treated", "選んでください。");
        }
        let (diseases, instructions) =
            (self.sent.lines("diseases"), self.sent.lines("instructions"));
        let results = day.map(|d| self.results(d)).unwrap_or_default();
        self.sent.complete()?;
        let day = day.ok_or(GateError::NotFound)?;
        let agrees = consent == "1";
        let [at, by] = stamped(self);
        let insert = Statement::new(
            "INSERT INTO kidney_prevention_doctor (person, number, day, clinic, consent, treated, diseases, instructions, \
             results, made_at, made_name) SELECT ?, COALESCE(MAX(d.number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM \
             kidney_prevention_doctor d WHERE d.person = ?",
            vec![
                self.person.bytes().into(),
                day.to_string().into(),
                clinic.as_str().into(),
                i64::from(agrees).into(),
                treated.unwrap_or(2).into(),
                diseases.into(),
                instructions.into(),
                serde_json::to_string(&results)?.into(),
                at,
                by,
                self.person.bytes().into(),
            ],
        );
        let (words, stage) = match agrees {
            true => (format!("{clinic}　参加に同意"), "consented"),
            false => (format!("{clinic}　参加は不可"), "stopped"),
        };
        // A later report of somebody who takes part already does not lead back.
        let stage = match agrees && self.sent.get("stage") == "joined" {
            true => None,
            false => Some(stage),
        };
        Ok(Entry {
            kind: "doctor",
            day,
            words,
            stage,
            from: &["listed", "consented", "invited", "joined"],
            more: vec![insert],
        })
    }

    fn join(&mut self, contract: (Date, Date), closed: &Closed) -> Result<Entry, KidneyError> {
        let start = match parse_full(self.sent.get("join_day")) {
            Ok(day) => Some(day),
            Err(wrong) => {
                self.sent.refuse("join_day", wrong.to_string());
                None
            }
        };
        let plan = start.map(|s| Plan::new(s, contract, closed));
        if let Some(Err(wrong)) = &plan {
            self.sent.refuse("join_day", wrong.to_string());
        }
        self.sent.complete()?;
        let (Some(start), Some(Ok(plan))) = (start, plan) else {
            return Err(GateError::NotFound.into());
        };
        let more = plan.contacts.iter().map(|c| {
            Statement::new(
                "INSERT INTO kidney_prevention_contact (person, number, mode, from_day, due_day, held_day, report) \
                 VALUES (?, ?, ?, ?, ?, '', '')",
                vec![
                    self.person.bytes().into(),
                    i64::from(c.number).into(),
                    c.mode.id().into(),
                    c.from.to_string().into(),
                    c.due.to_string().into(),
                ],
            )
        });
        let words = format!("保健指導を{start}に始める");
        Ok(Entry {
            kind: "join",
            day: self.today,
            words,
            stage: Some("joined"),
            from: &["invited"],
            more: more.collect(),
        })
    }

    fn mark(&mut self) -> Result<Entry, KidneyError> {
        let exclusion = Exclusion::of(self.sent.get("exclusion"));
        if exclusion.is_none() {
            self.sent.refuse("exclusion", "選んでください。");
        }
        let words = self
            .sent
            .need("mark_words", "確かめた資料を入力してください。");
        self.sent.complete()?;
        let exclusion = exclusion.ok_or(GateError::NotFound)?;
        let [at, by] = stamped(self);
        let insert = Statement::new(
            "INSERT INTO kidney_prevention_mark (person, exclusion, words, made_at, made_name) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (person, exclusion) DO UPDATE SET words = excluded.words, made_at = excluded.made_at, \
             made_name = excluded.made_name",
            vec![
                self.person.bytes().into(),
                exclusion.id().into(),
                words.as_str().into(),
                at,
                by,
            ],
        );
        let words = format!("{}（{words}）", exclusion.japanese());
        Ok(Entry {
            kind: "mark",
            day: self.today,
            words,
            stage: None,
            from: &[],
            more: vec![insert],
        })
    }
}

/// The next contact that was not held, from the person's own rows; the last one finishes the programme.
async fn held(
    room: &KidneyPrevention,
    visitor: &Visitor,
    person: PersonId,
    mode: Mode,
    entry: &mut Entry,
) -> Result<(), KidneyError> {
    let why = Some(Reason("保健指導の実施の記録".into()));
    let permit = room
        .gate
        .person(
            visitor,
            action::OPEN,
            Purpose::KidneyPrevention,
            person,
            why,
        )
        .await?;
    let permit = permit
        .on_queue("kidney_prevention_person", "verdict <> ''")
        .await?;
    let names = ["number", "mode", "from_day", "due_day", "held_day"];
    let rows = permit
        .fetch(
            "kidney_prevention_contact",
            &names,
            "1 = 1 ORDER BY number",
            vec![],
        )
        .await?;
    let rows = permit.reveal(rows).await?;
    let next = rows
        .iter()
        .filter_map(contact)
        .find(|(_, held)| held.is_none());
    let Some((next, _)) = next else {
        return Err(KidneyError::Overtaken);
    };
    entry.words = format!("第{}回（{}）{}", next.number, mode.japanese(), entry.words);
    entry.more.push(Statement::expecting(
        "UPDATE kidney_prevention_contact SET held_day = ?, mode = ? WHERE person = ? AND number = ? AND held_day = ''",
        vec![
            entry.day.to_string().into(),
            mode.id().into(),
            person.bytes().into(),
            i64::from(next.number).into(),
        ],
        1,
        "kidney-contact",
    ));
    if next.number == 6 {
        entry.stage = Some("finished");
    }
    Ok(())
}

async fn write(
    room: &KidneyPrevention,
    visitor: &Visitor,
    person: PersonId,
    sent: &mut Sent,
) -> Result<String, KidneyError> {
    let now = room.clock.now();
    let by = format!("{} {}", visitor.org_name, visitor.name);
    let version: i64 = sent.get("version").parse().unwrap_or(0);
    let what = sent.get("what").to_owned();
    let mut w = Writer {
        person,
        today: now.office_day(),
        at: now.office_text(),
        by,
        sent,
    };
    let mut entry = match what.as_str() {
        "doctor" => w.doctor()?,
        "call" => w.entry("call", "call_day", "call_words")?,
        "join" => w.join(room.contract(), &room.closed)?,
        "refusal" => Entry {
            stage: Some("refused"),
            from: &["listed", "consented", "invited", "joined"],
            ..w.entry("refusal", "refusal_day", "refusal_words")?
        },
        "complaint" => w.entry("complaint", "complaint_day", "complaint_words")?,
        "mark" => w.mark()?,
        "contact" => {
            let mode = Mode::of(w.sent.get("mode"));
            if mode.is_none() {
                w.sent.refuse("mode", "選んでください。");
            }
            let mut entry = Entry {
                from: &["joined"],
                ..w.entry("contact", "contact_day", "contact_words")?
            };
            let mode = mode.ok_or(GateError::NotFound)?;
            held(room, visitor, person, mode, &mut entry).await?;
            entry
        }
        _ => return Err(GateError::NotFound.into()),
    };
    let mut steps = vec![guard(person, version, &entry)];
    steps.append(&mut entry.more);
    steps.push(event(
        person,
        &entry,
        &now.office_text(),
        &format!("{} {}", visitor.org_name, visitor.name),
    ));
    let why = Some(Reason(format!("重症化予防の経過の記録: {}", entry.kind)));
    let permit = room
        .gate
        .person(
            visitor,
            action::WRITE,
            Purpose::KidneyPrevention,
            person,
            why,
        )
        .await?;
    permit.change(steps, None).await?;
    Ok(format!("/kidney/persons/{person}"))
}

/// The person's row, one version on, only from a stage that fits.
fn guard(person: PersonId, version: i64, entry: &Entry) -> Statement {
    let stages: Vec<String> = entry.from.iter().map(|s| format!("'{s}'")).collect();
    let from = match stages.is_empty() {
        true => String::new(),
        false => format!(" AND stage IN ({})", stages.join(", ")),
    };
    let (set, mut args) = match entry.stage {
        Some(stage) => ("stage = ?, ", vec![Value::from(stage)]),
        None => ("", vec![]),
    };
    args.extend([person.bytes().into(), version.into()]);
    Statement::expecting(
        format!(
            "UPDATE kidney_prevention_person SET {set}version = version + 1 WHERE person = ? AND version = ?{from}"
        ),
        args,
        1,
        "kidney-version",
    )
}

fn event(person: PersonId, entry: &Entry, at: &str, by: &str) -> Statement {
    Statement::new(
        "INSERT INTO kidney_prevention_event (person, number, kind, day, words, made_at, made_name) \
         SELECT ?, COALESCE(MAX(e.number), 0) + 1, ?, ?, ?, ?, ? FROM kidney_prevention_event e WHERE e.person = ?",
        vec![
            person.bytes().into(),
            entry.kind.into(),
            entry.day.to_string().into(),
            entry.words.as_str().into(),
            at.into(),
            by.into(),
            person.bytes().into(),
        ],
    )
}

/// POST /kidney/persons/{person}
pub(crate) async fn act(
    Desk(room, visitor, frame): Desk,
    Path(person): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let person = id(&person);
    let mut sent = Sent::from(pairs);
    let done = write(&room, &visitor, person, &mut sent).await;
    moved(done, async |errors| {
        page(&room, &visitor, &frame, person, (&sent, errors)).await
    })
    .await
}

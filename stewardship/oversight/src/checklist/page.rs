//! The checklist on the screen and on paper; one line with its answer.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Hidden, OfficePermit, Purpose};
use mimamori_identity::{Account, Contract, Visitor};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term, pdf};
use mimamori_sheets::Layout;
use serde_json::json;

use super::lines::{Actor, Line, Side, all};
use super::probe::{Finding, Probe, of};
use super::store::{Answer, answers};
use crate::contract::obligation::{Obligation, open};
use crate::contract::store::{Duty, Entry, Person, entries, everybody};
use crate::council::Case;
use crate::council::store::whole;
use crate::error::answer;
use crate::screen::{Cell, Desk, FormPage, Sent, ShowPage, Table, again, moment, name};
use crate::sheet::CaseId;
use crate::{Oversight, OversightError, action, id, offers};

const CHECKLIST: Layout = Layout {
    name: "個人情報保護対策チェックリスト",
    text: include_str!("../../layouts/checklist.typ"),
};

/// Everything about one case's checklist.
struct Known {
    case: Case,
    answers: Vec<Answer>,
    accounts: Vec<Account>,
    findings: Vec<Finding>,
}

/// What the register shows of the contracts in force of a case; pure.
fn from_register(
    case: CaseId,
    entries: &[Entry],
    contracts: &[Contract],
    people: &[Person],
    open: &[Obligation],
    now: mimamori_kernel::clock::Instant,
) -> Vec<Finding> {
    let current: Vec<&Entry> = entries
        .iter()
        .filter(|e| e.case == case)
        .filter(|e| {
            contracts
                .iter()
                .any(|c| c.id == e.contract && c.holds(now.0))
        })
        .collect();
    let finding = |probe, holds: bool, good: String, bad: &str| Finding {
        probe,
        holds,
        told: if holds { good } else { bad.to_owned() },
    };
    let count = current.len();
    let named = |duty: Duty| {
        current.iter().all(|e| {
            let of = people.iter().filter(|p| p.contract == e.contract);
            of.clone().any(|p| p.duty == duty && p.ended_at == 0)
        })
    };
    let today = now.office_day();
    let late = open.iter().any(|o| {
        let entry = current.iter().find(|e| e.contract == o.contract);
        let clause = entry.and_then(|e| crate::contract::obligation::clause_of(e, o));
        let over = |c| o.urgency(c, today) == Some(crate::contract::due::Urgency::Over);
        matches!(o.clause, 15 | 16) && clause.is_some_and(over)
    });
    vec![
        finding(
            Probe::Handlers,
            count > 0 && named(Duty::Responsible) && named(Duty::Handler),
            format!("有効な契約{count}件のすべてに、取扱責任者と取扱者の報告があります。"),
            "有効な契約のうち、取扱責任者か取扱者の報告がないものがあります（契約がない場合を含みます）。",
        ),
        finding(
            Probe::Clauses,
            count > 0,
            format!("有効な契約{count}件が、特記事項とともに契約台帳にあります。"),
            "この案件の有効な契約が契約台帳にありません。",
        ),
        finding(
            Probe::Audit,
            count > 0 && !late,
            "年度の監査に、期限を過ぎたものはありません。".into(),
            "年度の監査が期限を過ぎているか、2月1日を過ぎて行われていません（契約がない場合を含みます）。",
        ),
    ]
}

/// Reads everything; the room's own findings stand beside those of the instance.
async fn read(
    room: &Oversight,
    permit: &OfficePermit,
    case: CaseId,
) -> Result<Hidden<Option<Known>>, OversightError> {
    let now = room.clock.now();
    let known = whole(permit, case)
        .await?
        .and(answers(permit, case).await?)
        .and(permit.accounts(now).await?)
        .and(entries(permit).await?)
        .and(permit.contracts().await?)
        .and(everybody(permit).await?)
        .and(open(permit).await?);
    let mut findings = room.probes.as_ref().map_or(vec![], |p| p.findings());
    Ok(known.map(
        move |((((((found, answers), accounts), entries), contracts), people), open)| {
            let (found, _) = found?;
            findings.extend(from_register(
                case, &entries, &contracts, &people, &open, now,
            ));
            Some(Known {
                case: found,
                answers,
                accounts,
                findings,
            })
        },
    ))
}

/// What was found about this very page: its line stands in the trace, or nobody would see it.
fn logged(line: u64) -> Finding {
    Finding {
        probe: Probe::AccessLog,
        holds: true,
        told: format!("この表示が、証跡の行 {line} に記録されてから開きました。"),
    }
}

fn words(line: &Line) -> String {
    match line.lost() {
        true => "（原文欠落: もとの文書に、この行の言葉がありません。○だけがあります。）".into(),
        false => line.text.clone(),
    }
}

fn row(known: &Known, line: &Line) -> Vec<Cell> {
    let given = known.answers.iter().find(|a| a.line == line.id);
    let at = format!("/oversight/cases/{}/checklist/{}", known.case.id, line.id);
    vec![
        Cell::Link(at, line.id.clone()),
        given.map_or_else(|| Cell::text("未回答"), |a| Cell::text(a.sign())),
        Cell::text(words(line)),
        given.map_or_else(|| Cell::text("—"), |a| Cell::text(&a.evidence)),
        match given.and_then(|a| a.reviewed_by) {
            Some(by) => Cell::text(name(&known.accounts, Some(by))),
            None => Cell::text("まだ"),
        },
        match of(line, &known.findings) {
            Some(f) if f.holds => Cell::Badge("success", format!("成り立つ: {}", f.told)),
            Some(f) => Cell::Badge("danger", format!("成り立たない: {}", f.told)),
            None => Cell::text("—"),
        },
    ]
}

/// GET /oversight/cases/{case}/checklist
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(case): Path<String>) -> Response {
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CHECKLIST_OPEN, Purpose::Operation, None)
            .await?;
        let known = read(&room, &permit, id(&case)?).await?;
        let shown = permit.reveal(known).await?;
        let line = shown.line();
        let mut known = shown.into_inner().ok_or(GateError::NotFound)?;
        known.findings.push(logged(line));
        let lines = all();
        let yes = known.answers.iter().filter(|a| a.possible).count();
        let no = known.answers.len() - yes;
        let open = lines.len() - known.answers.len().min(lines.len());
        let red: Vec<&str> = lines
            .iter()
            .filter(|l| of(l, &known.findings).is_some_and(|f| !f.holds))
            .map(|l| l.id.as_str())
            .collect();
        let mut page = ShowPage::new(&frame, "個人情報保護対策チェックリスト", line)
            .words("「○」は対策が可能、「-」は対策の必要がないことを表します。ソフトウェアが確かめる行は、成り立たなくなると赤くなります。")
            .terms(vec![
                Term::new("件名", known.case.subject.clone()),
                Term::new("回答", format!("○ {yes}、- {no}、未回答 {open}（全{}行）", lines.len())),
            ])
            .link(format!("/oversight/cases/{case}"), "案件に戻る");
        if !red.is_empty() {
            page = page.banner("danger", "成り立たない対策があります", red.join("、"));
        }
        for actor in Actor::ALL {
            for side in Side::ALL {
                let of = lines.iter().filter(|l| l.actor == actor && l.side == side);
                page = page.push(Table {
                    caption: format!("{}【{}】", actor.japanese(), side.japanese()),
                    heads: vec![
                        "行",
                        "○・-",
                        "情報保護対策",
                        "証拠",
                        "確かめた人",
                        "ソフトウェアの確認",
                    ],
                    rows: of.map(|l| row(&known, l)).collect(),
                    empty: "",
                    by_row: true,
                });
            }
        }
        if offers(&room, &visitor, action::CHECKLIST_PRINT) {
            page = page.press(
                format!("/oversight/cases/{case}/checklist"),
                ("do", "print".into()),
                "チェックリストをPDFにする",
                "secondary",
            );
        }
        Ok::<_, OversightError>(page.answer())
    };
    made.await.unwrap_or_else(answer)
}

/// POST /oversight/cases/{case}/checklist
pub(crate) async fn print(
    Desk(room, visitor, frame): Desk,
    Path(case): Path<String>,
    LimitedForm(_): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CHECKLIST_PRINT, Purpose::Operation, None)
            .await?;
        let known = read(&room, &permit, id(&case)?).await?;
        let change = Change {
            words: format!("チェックリストの印刷 {case}"),
            ..Change::default()
        };
        let (shown, stamp) = permit.take_out(known, change, room.clock.now()).await?;
        let known = shown.as_ref().ok_or(GateError::NotFound)?;
        let lines = all();
        let mut parts = Vec::new();
        for actor in Actor::ALL {
            for side in Side::ALL {
                let of = lines.iter().filter(|l| l.actor == actor && l.side == side);
                let rows = of.map(|line| {
                    let given = known.answers.iter().find(|a| a.line == line.id);
                    json!({
                        "id": line.id,
                        "sign": given.map_or("", Answer::sign),
                        "text": words(line),
                        "evidence": given.map_or("", |a| a.evidence.as_str()),
                    })
                });
                parts.push(json!({
                    "head": actor.japanese(),
                    "side": side.japanese(),
                    "rows": rows.collect::<Vec<_>>(),
                }));
            }
        }
        let values = json!({
            "subject": known.case.subject,
            "parts": parts,
            "stamp": stamp.to_string(),
            "watermark": if frame.demo { "見本" } else { "" },
        });
        let sheet = room.press.set(CHECKLIST, values).await?;
        Ok::<_, OversightError>(pdf(&format!("checklist-{}", stamp.line), sheet.pdf()?))
    };
    made.await.unwrap_or_else(answer)
}

fn found_line(text: &str) -> Result<Line, OversightError> {
    let found = all().into_iter().find(|l| l.id == text);
    found.ok_or_else(|| GateError::NotFound.into())
}

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    (case, line): (&str, &str),
    (sent, errors): (Option<&Sent>, Vec<FieldError>),
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::CHECKLIST_OPEN, Purpose::Operation, None)
        .await?;
    let known = read(room, &permit, id(case)?).await?;
    let shown = permit.reveal(known).await?;
    let log = shown.line();
    let mut known = shown.into_inner().ok_or(GateError::NotFound)?;
    known.findings.push(logged(log));
    let line = found_line(line)?;
    let given = known.answers.iter().find(|a| a.line == line.id);
    let mut terms = vec![
        Term::new("だれが", line.actor.japanese()),
        Term::new("対策", format!("{} {}", line.side.japanese(), words(&line))),
    ];
    if let Some(finding) = of(&line, &known.findings) {
        let holds = if finding.holds {
            "成り立つ"
        } else {
            "成り立たない"
        };
        terms.push(Term::new(
            "ソフトウェアの確認",
            format!("{holds}: {}", finding.told),
        ));
    }
    let mut first = Sent::default();
    if let Some(given) = given {
        let by = name(&known.accounts, Some(given.answered_by));
        terms.push(Term::new("いまの回答", given.sign()));
        terms.push(Term::new(
            "回答した人",
            format!("{by} {}", moment(given.answered_at)),
        ));
        let reviewed = match given.reviewed_by {
            Some(by) => format!(
                "{} {}",
                name(&known.accounts, Some(by)),
                moment(given.reviewed_at)
            ),
            None => "まだ".into(),
        };
        terms.push(Term::new("確かめた人", reviewed));
        first.set(
            "answer",
            if given.possible {
                "possible"
            } else {
                "no-need"
            },
        );
        first.set("evidence", &given.evidence);
    }
    let at = format!("/oversight/cases/{case}/checklist");
    let title = format!("チェックリスト {}", line.id);
    let writes = offers(room, visitor, action::CHECKLIST_ANSWER);
    let open = given.is_some_and(|a| a.reviewed_by.is_none() && a.answered_by != visitor.user);
    let reviews = open && offers(room, visitor, action::CHECKLIST_REVIEW);
    if !writes && !reviews {
        return Ok(ShowPage::new(frame, &title, log)
            .terms(terms)
            .link(at, "チェックリストに戻る")
            .answer());
    }
    let mut page = FormPage::new(frame, &title, format!("{at}/{}", line.id), &at).terms(terms);
    if writes {
        let choices = [
            ("possible", "○ 対策が可能"),
            ("no-need", "- 対策の必要がない"),
        ];
        let choices = choices.map(|(c, w)| (c.to_owned(), w.to_owned()));
        let sent = sent.unwrap_or(&first);
        page = page
            .fields(vec![
                sent.choose_field("answer", "回答", choices, ""),
                sent.lines_field(
                    "evidence",
                    "証拠",
                    true,
                    "書類の名称、設定の場所、点検の日など",
                ),
            ])
            .button("answer", "回答する", "primary");
    }
    if reviews {
        page = page.button("review", "いまの回答を確かめた", "secondary");
    }
    Ok(page.answer(errors))
}

/// GET /oversight/cases/{case}/checklist/{line}
pub(crate) async fn line(
    Desk(room, visitor, frame): Desk,
    Path((case, line)): Path<(String, String)>,
) -> Response {
    form(&room, &visitor, &frame, (&case, &line), (None, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn act(
    room: &Oversight,
    visitor: &Visitor,
    (case, line): (&str, &str),
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let reviewing = sent.get("do") == "review";
    let asked = match reviewing {
        true => action::CHECKLIST_REVIEW,
        false => action::CHECKLIST_ANSWER,
    };
    let permit = room
        .gate
        .office(visitor, asked, Purpose::Operation, None)
        .await?;
    let (case, line): (CaseId, Line) = (id(case)?, found_line(line)?);
    let mut new = None;
    if !reviewing {
        let given = sent.one("answer", &["possible", "no-need"]);
        let evidence = sent.lines("evidence", Some("証拠を入力してください。"));
        sent.complete()?;
        new = Some(Answer {
            line: line.id.clone(),
            possible: given == Some("possible"),
            evidence,
            answered_by: visitor.user,
            answered_at: now.0,
            reviewed_by: None,
            reviewed_at: 0,
        });
    }
    let by = visitor.user;
    let known = whole(&permit, case)
        .await?
        .and(answers(&permit, case).await?);
    permit
        .change(known, now, move |(found, answers)| {
            let (found, _) = found.ok_or(GateError::NotFound)?;
            let (statement, words) = match new {
                Some(new) => (new.write(case), format!("回答 {} {}", new.line, new.sign())),
                None => {
                    let given = answers.iter().find(|a| a.line == line.id);
                    let given = given.ok_or(OversightError::Decided)?;
                    if given.answered_by == by {
                        return Err(OversightError::OwnAnswer);
                    }
                    (given.review(case, by, now), format!("確認 {}", line.id))
                }
            };
            let change = Change {
                statements: vec![statement],
                words: format!("チェックリスト {} {words}", found.subject),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/oversight/cases/{case}/checklist")).into_response())
}

/// POST /oversight/cases/{case}/checklist/{line}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path((case, line)): Path<(String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = act(&room, &visitor, (&case, &line), &mut sent).await;
    again(done, async |errors| {
        let at = (case.as_str(), line.as_str());
        form(&room, &visitor, &frame, at, (Some(&sent), errors)).await
    })
    .await
}

//! A version as the paper has it; drafting; deciding.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Action, Change, GateError, Purpose};
use mimamori_identity::{Account, Visitor};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::model::{Content, Form, Kind, MEDIA, Named, Period, State, Version, before, in_force};
use super::rule::{self, Decision};
use super::{CaseId, compared, rows};
use crate::catalogue::ITEMS;
use crate::council::Case;
use crate::council::store::whole;
use crate::error::answer;
use crate::screen::{
    Cell, Desk, Field, FormPage, Mark, Sent, ShowPage, Table, again, moment, name,
};
use crate::{Oversight, OversightError, action, id, offers};

/// A case with all versions of its sheets, the names behind them, and the line of the look.
struct Shown {
    case: Case,
    versions: Vec<Version>,
    accounts: Vec<Account>,
    line: u64,
}

/// A case with its versions, seen under an action.
async fn look(
    room: &Oversight,
    visitor: &Visitor,
    action: Action,
    case: &str,
) -> Result<Shown, OversightError> {
    let permit = room
        .gate
        .office(visitor, action, Purpose::Operation, None)
        .await?;
    let case: Result<CaseId, _> = id(case);
    let Ok(case) = case else {
        return Ok(permit.missing().await?);
    };
    let known = whole(&permit, case).await?;
    let known = known.and(permit.accounts(room.clock.now()).await?);
    let shown = permit.reveal(known).await?;
    let line = shown.line();
    let (found, accounts) = shown.into_inner();
    let (case, versions) = found.ok_or(GateError::NotFound)?;
    Ok(Shown {
        case,
        versions,
        accounts,
        line,
    })
}

fn kind(code: &str) -> Result<Kind, OversightError> {
    Kind::from_code(code).ok_or_else(|| GateError::NotFound.into())
}

fn one<'a>(
    versions: &'a [Version],
    kind: Kind,
    number: &str,
) -> Result<&'a Version, OversightError> {
    let number: Option<i64> = number.parse().ok();
    versions
        .iter()
        .find(|v| v.kind == kind && Some(v.number) == number)
        .ok_or_else(|| GateError::NotFound.into())
}

/// The rows of a version as a table.
fn table(version: &Version, versions: &[Version]) -> Table {
    let row = |(label, lines, gone): crate::screen::Marked| {
        vec![Cell::text(label), Cell::Lines(lines, gone)]
    };
    Table {
        caption: version.words(),
        heads: vec![],
        rows: rows(version, before(versions, version))
            .into_iter()
            .map(row)
            .collect(),
        empty: "",
        by_row: true,
    }
}

fn terms(version: &Version, accounts: &[Account]) -> Vec<Term> {
    let mut out = vec![
        Term::new("件名", version.content.title.clone()),
        Term::new("状態", version.state.japanese()),
        Term::new("変更の理由", version.reason.clone()),
        Term::new(
            "起案",
            format!(
                "{} {}",
                name(accounts, Some(version.drafted_by)),
                moment(version.drafted_at)
            ),
        ),
    ];
    if let Some(by) = version.decided_by {
        let words = format!(
            "{} {}",
            name(accounts, Some(by)),
            moment(version.decided_at)
        );
        out.push(Term::new("承認・差戻し", words));
    }
    out
}

/// GET /oversight/cases/{case}/sheets/{sheet}/versions/{number}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet, number)): Path<(String, String, String)>,
) -> Response {
    let made = async {
        let shown = look(&room, &visitor, action::CASE_OPEN, &case).await?;
        let Shown {
            case,
            versions,
            accounts,
            line,
        } = &shown;
        let version = one(versions, kind(&sheet)?, &number)?;
        let at = format!("/oversight/cases/{}/sheets/{sheet}", case.id);
        let mut page = ShowPage::new(&frame, &version.words(), *line)
            .terms(terms(version, accounts))
            .link(format!("/oversight/cases/{}", case.id), "案件に戻る")
            .push(table(version, versions))
            .words(compared(before(versions, version)));
        if version.state == State::Draft && offers(&room, &visitor, action::SHEET_DECIDE) {
            let words = match version.drafted_by == visitor.user {
                true => "取り下げる画面へ",
                false => "承認・差戻しの画面へ",
            };
            page = page.link(format!("{at}/versions/{number}/decide"), words);
        }
        if offers(&room, &visitor, action::SHEET_PRINT) {
            page = page.press(
                format!("{at}/versions/{number}/print"),
                ("do", "print".into()),
                "この版をPDFにする",
                "secondary",
            );
        }
        Ok::<_, OversightError>(page.answer())
    };
    made.await.unwrap_or_else(answer)
}

/// The content of a version as the form's input.
fn fill(sent: &mut Sent, content: &Content, kind: Kind) {
    sent.set("title", &content.title);
    for row in kind.rows() {
        match row.form {
            Form::Text => {
                let text = content.texts.get(row.code).cloned().unwrap_or_default();
                sent.set(format!("text-{}", row.code), text);
            }
            Form::Items => {
                sent.set("persons", &content.persons);
                for item in &content.items {
                    sent.set(format!("item-{}", item.id), "1");
                }
            }
            Form::Media => {
                for code in &content.media {
                    sent.set(format!("media-{code}"), "1");
                }
            }
            Form::Period => {
                let period = content.period.clone().unwrap_or_default();
                sent.set("from", period.from);
                sent.set("until", period.until);
                sent.set("note", period.note);
                if period.renewed {
                    sent.set("renewed-yes", "1");
                }
            }
        }
    }
}

fn fields(sent: &Sent, kind: Kind) -> Vec<Field> {
    let mut out = vec![sent.lines_field("title", "件名", true, "")];
    for row in kind.rows() {
        match row.form {
            Form::Text => {
                let name = format!("text-{}", row.code);
                out.push(sent.lines_field(&name, row.label, true, "2,000文字まで"));
            }
            Form::Items => {
                out.push(sent.lines_field("persons", "個人の範囲", true, ""));
                let mark = |item: &crate::catalogue::Item| {
                    let name = format!("item-{}", item.id);
                    let note = if item.sensitive {
                        "（要配慮個人情報）"
                    } else {
                        ""
                    };
                    Mark {
                        checked: sent.ticked(&name),
                        label: format!("{}{note}", item.name),
                        name,
                    }
                };
                out.push(Field::Marks {
                    name: "items",
                    legend: "委託先に処理させる項目",
                    hint: "ここで選んだ項目だけを渡せます。",
                    marks: ITEMS.iter().map(mark).collect(),
                });
            }
            Form::Media => {
                let mark = |(code, words): &(&str, &str)| {
                    let name = format!("media-{code}");
                    Mark {
                        checked: sent.ticked(&name),
                        label: (*words).to_owned(),
                        name,
                    }
                };
                out.push(Field::Marks {
                    name: "media",
                    legend: row.label,
                    hint: "選んだ媒体だけで渡せます。",
                    marks: MEDIA.iter().map(mark).collect(),
                });
            }
            Form::Period => {
                out.push(sent.line_field("from", "開始の日", true, "例: R7.4.1"));
                out.push(sent.line_field("until", "期限の日", true, "例: R8.3.31"));
                out.push(Field::Marks {
                    name: "renewed",
                    legend: "次年度以降",
                    hint: "印を付けると、期限のあとの年度も、有効な契約があるあいだは渡せます。",
                    marks: vec![Mark {
                        name: "renewed-yes".into(),
                        label: "次年度以降も、同様に行う".into(),
                        checked: sent.ticked("renewed-yes"),
                    }],
                });
                out.push(sent.line_field(
                    "note",
                    "期間に添える言葉",
                    false,
                    "例: （次年度以降も、同様の外部結合を行う。）",
                ));
            }
        }
    }
    out.push(sent.line_field(
        "reason",
        "変更の理由",
        true,
        "この版と一緒に残ります。例: 連絡は電話で足りるため",
    ));
    out
}

async fn draft_form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    (case, sheet): (&str, &str),
    sent: Option<&Sent>,
    errors: Vec<FieldError>,
) -> Result<Response, OversightError> {
    let shown = look(room, visitor, action::SHEET_DRAFT, case).await?;
    let versions = &shown.versions;
    let kind = kind(sheet)?;
    let mut first = Sent::default();
    let own = versions
        .iter()
        .find(|v| v.kind == kind && v.state == State::Draft && v.drafted_by == visitor.user);
    if let Some(start) = own.or(in_force(versions, kind)) {
        fill(&mut first, &start.content, kind);
    }
    let at = format!("/oversight/cases/{case}/sheets/{sheet}/draft");
    let back = format!("/oversight/cases/{case}");
    let title = format!("{}の起案", kind.japanese());
    Ok(FormPage::new(frame, &title, at, &back)
        .words("別の運営管理責任者か事業責任者が承認すると、この版のとおりに効きます。それまでは、いまの版が効きます。")
        .terms(vec![Term::new("案件", shown.case.subject.clone())])
        .fields(fields(sent.unwrap_or(&first), kind))
        .button("draft", "起案する", "primary")
        .answer(errors))
}

/// GET /oversight/cases/{case}/sheets/{sheet}/draft
pub(crate) async fn draft_page(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet)): Path<(String, String)>,
) -> Response {
    draft_form(&room, &visitor, &frame, (&case, &sheet), None, vec![])
        .await
        .unwrap_or_else(answer)
}

/// What the form says; refusals stand beside their fields.
fn content(sent: &mut Sent, kind: Kind) -> Content {
    let mut out = Content {
        title: sent.lines("title", Some("件名を入力してください。")),
        ..Content::default()
    };
    for row in kind.rows() {
        match row.form {
            Form::Text => {
                let name = format!("text-{}", row.code);
                let message = format!("{}を入力してください。", row.label);
                let text = sent.lines(&name, Some(&message));
                out.texts.insert(row.code.to_owned(), text);
            }
            Form::Items => {
                out.persons = sent.lines("persons", Some("個人の範囲を入力してください。"));
                let named = ITEMS
                    .iter()
                    .filter(|i| sent.ticked(&format!("item-{}", i.id)));
                out.items = named
                    .map(|i| Named {
                        id: i.id.to_owned(),
                        words: i.short.to_owned(),
                    })
                    .collect();
                if out.items.is_empty() {
                    sent.refuse("items", "項目を選んでください。");
                }
            }
            Form::Media => {
                let named = MEDIA
                    .iter()
                    .filter(|(c, _)| sent.ticked(&format!("media-{c}")));
                out.media = named.map(|(code, _)| (*code).to_owned()).collect();
                if out.media.is_empty() {
                    sent.refuse("media", "媒体を選んでください。");
                }
            }
            Form::Period => {
                let from = sent.need_day("from", "開始の日を入力してください。");
                let until = sent.need_day("until", "期限の日を入力してください。");
                if let (Some(from), Some(until)) = (from, until) {
                    if until < from {
                        sent.refuse("until", "期限の日が開始の日より前です。");
                    }
                    out.period = Some(Period {
                        from: from.to_string(),
                        until: until.to_string(),
                        renewed: sent.ticked("renewed-yes"),
                        note: sent.text("note"),
                    });
                }
            }
        }
    }
    out
}

async fn draft(
    room: &Oversight,
    visitor: &Visitor,
    (case, sheet): (&str, &str),
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::SHEET_DRAFT, Purpose::Operation, None)
        .await?;
    let (case, kind) = (id(case)?, kind(sheet)?);
    let content = content(sent, kind);
    let reason = sent.need("reason", "変更の理由を入力してください。");
    sent.complete()?;
    let by = visitor.user;
    let known = whole(&permit, case).await?;
    let done = permit
        .change(known, now, move |found| {
            let (found, versions) = found.ok_or(GateError::NotFound)?;
            let (version, statements) =
                rule::draft(&versions, (case, kind), (content, reason), by, now)?;
            let change = Change {
                statements,
                words: format!("{} {} {}", found.subject, version.words(), version.reason),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, version.number))
        })
        .await?;
    let to = format!("/oversight/cases/{case}/sheets/{sheet}/versions/{}", *done);
    Ok(Redirect::to(&to).into_response())
}

/// POST /oversight/cases/{case}/sheets/{sheet}/draft
pub(crate) async fn draft_submit(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet)): Path<(String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = draft(&room, &visitor, (&case, &sheet), &mut sent).await;
    again(done, async |errors| {
        let at = (case.as_str(), sheet.as_str());
        draft_form(&room, &visitor, &frame, at, Some(&sent), errors).await
    })
    .await
}

/// GET /oversight/cases/{case}/sheets/{sheet}/versions/{number}/decide
pub(crate) async fn decide_page(
    Desk(room, visitor, frame): Desk,
    Path((case, sheet, number)): Path<(String, String, String)>,
) -> Response {
    let made = async {
        let shown = look(&room, &visitor, action::CASE_OPEN, &case).await?;
        let (versions, accounts) = (&shown.versions, &shown.accounts);
        let version = one(versions, kind(&sheet)?, &number)?;
        if version.state != State::Draft {
            return Err(OversightError::Decided);
        }
        let at = format!("/oversight/cases/{case}/sheets/{sheet}/versions/{number}");
        let title = format!("{}の承認", version.words());
        let form = FormPage::new(&frame, &title, format!("{at}/decide"), &at)
            .terms(terms(version, accounts))
            .table(table(version, versions))
            .words(compared(before(versions, version)));
        Ok(match version.drafted_by == visitor.user {
            true => form.words("起案した人は承認できません。").button(
                "withdraw",
                "案を取り下げる",
                "secondary",
            ),
            false => form
                .words("承認すると、この版に書かれた項目・方法・期間だけが有効になります。")
                .button("approve", "承認する", "primary")
                .button("return", "差し戻す", "secondary"),
        }
        .answer(vec![]))
    };
    made.await.unwrap_or_else(answer)
}

async fn decide(
    room: &Oversight,
    visitor: &Visitor,
    (case, sheet, number): (&str, &str, &str),
    sent: &Sent,
) -> Result<(), OversightError> {
    let now = room.clock.now();
    let decision = Decision::from_code(sent.get("do"));
    // Taking back the own draft gives nobody anything.
    let asked = match decision {
        Some(Decision::Withdraw) => action::SHEET_DRAFT,
        _ => action::SHEET_DECIDE,
    };
    let permit = room
        .gate
        .office(visitor, asked, Purpose::Operation, None)
        .await?;
    let decision = decision.ok_or_else(|| OversightError::field("do", "選んでください。"))?;
    let (case, kind) = (id(case)?, kind(sheet)?);
    let number: i64 = number.parse().map_err(|_| GateError::NotFound)?;
    let by = visitor.user;
    let known = whole(&permit, case).await?;
    permit
        .change(known, now, move |found| {
            let (found, versions) = found.ok_or(GateError::NotFound)?;
            let statements = rule::decide(&versions, (kind, number), decision, by, now)?;
            let change = Change {
                statements,
                words: format!(
                    "{} {} {} 第{number}版",
                    decision.japanese(),
                    found.subject,
                    kind.japanese()
                ),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /oversight/cases/{case}/sheets/{sheet}/versions/{number}/decide
pub(crate) async fn decide_submit(
    Desk(room, visitor, _): Desk,
    Path((case, sheet, number)): Path<(String, String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    match decide(&room, &visitor, (&case, &sheet, &number), &sent).await {
        Ok(()) => Redirect::to(&format!("/oversight/cases/{case}")).into_response(),
        Err(error) => answer(error),
    }
}

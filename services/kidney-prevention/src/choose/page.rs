//! Pages of rules and trials, and the room's first page.

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use mimamori_gate::{GateError, JobPermit};
use mimamori_identity::Visitor;
use mimamori_kernel::date::{fiscal_year, parse_full};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Term};

use super::run::{Run, VERDICTS};
use super::{rule, run};
use crate::action;
use crate::error::{KidneyError, answer};
use crate::people::STAGES;
use crate::room::KidneyPrevention;
use crate::screen::{Cell, Desk, Field, Form, Page, Part, Sent, count, day, moved, text};
use crate::selection::{Exclusion, RuleSet, presets};

type Pairs = LimitedForm<Vec<(String, String)>>;

fn name(visitor: &Visitor) -> String {
    format!("{} {}", visitor.org_name, visitor.name)
}

async fn asked(
    room: &KidneyPrevention,
    visitor: &Visitor,
    what: mimamori_gate::Action,
) -> Result<JobPermit, KidneyError> {
    Ok(room.gate.job(what, Some(visitor)).await?)
}

fn state(code: &str) -> Cell {
    match code {
        "proposed" => Cell::Badge("warning", "承認待ち".into()),
        "trial" => Cell::Badge("info", "試行".into()),
        "approved" => Cell::Badge("success", "承認済み".into()),
        _ => Cell::Badge("info", "却下".into()),
    }
}

/// GET /kidney
pub(crate) async fn home(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = asked(&room, &visitor, action::SELECT).await?;
        let mut counts = std::collections::BTreeMap::new();
        let sql =
            "SELECT stage, COUNT(*) FROM kidney_prevention_person WHERE stage <> '' GROUP BY stage";
        for row in permit.rows(sql, vec![]).await? {
            counts.insert(row.text(0)?.to_owned(), row.int(1)?);
        }
        let sql = "SELECT year, COUNT(*) FROM kidney_prevention_checkup WHERE taken = 1 GROUP BY year ORDER BY year";
        let mut years = vec![];
        for row in permit.rows(sql, vec![]).await? {
            years.push(vec![
                text(format!("{}年度", row.int(0)?)),
                count(row.int(1)?),
            ]);
        }
        let stage = |(code, words, next): &(&str, &str, &str)| {
            vec![
                Cell::Link(format!("/kidney/stages/{code}"), (*words).into()),
                count(counts.get(*code).copied().unwrap_or(0)),
                text(*next),
            ]
        };
        let stages = STAGES.iter().map(stage).collect();
        Ok::<_, KidneyError>(
            Page::new(&frame, "糖尿病性腎症等重症化予防")
                .words("特定健診の結果から対象者を選び、かかりつけ医の同意を得て参加を勧め、保健指導の経過と翌年度の評価までを記録します。")
                .links(&[
                    ("/kidney/imports", "健診結果の取込み"),
                    ("/kidney/rules", "選定ルール"),
                    ("/kidney/runs", "選定の試行と名簿の承認"),
                    ("/kidney/letters", "参加勧奨の通知"),
                    ("/kidney/evaluation", "事業の評価"),
                ])
                .heading("取り込まれている健診結果")
                .table("取り込まれている健診結果", &["年度", "件数"], years, "まだありません。取込みから始めてください。")
                .heading("事業の段階")
                .table("事業の段階", &["段階", "人数", "次にすること"], stages, "")
                .answer(vec![]),
        )
    };
    read.await.unwrap_or_else(answer)
}

fn proposal(sent: &Sent) -> Result<Form, KidneyError> {
    let choices = presets()?
        .into_iter()
        .map(|r| Choice::new(r.id, r.name, sent.get("preset")))
        .collect();
    let line = |name, label, hint| Field::Line {
        name,
        label,
        required: false,
        value: sent.get(name).to_owned(),
        hint,
    };
    Ok(Form {
        action: "/kidney/rules".into(),
        fields: vec![
            Field::Choose {
                name: "preset",
                label: "もとにするルール",
                choices,
                hint: "文書に基準値はありません。どちらも仮の値です。",
            },
            line(
                "hba1c",
                "HbA1c（NGSP、%以上）",
                "変えるときだけ入力します。例: 7.0",
            ),
            line("egfr", "eGFR（未満）", "変えるときだけ入力します。例: 60"),
            line(
                "source",
                "根拠",
                "値を確かめた資料。入力すると、仮の印が外れます。例: 令和8年度 糖尿病対策推進会議の決定",
            ),
        ],
        buttons: vec![("propose", "申請する", "primary")],
    })
}

async fn rules_page(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, KidneyError> {
    let permit = asked(room, visitor, action::RULE).await?;
    let mut page = Page::new(frame, "選定ルール")
        .words("ルールは版ごとに残ります。申請した人とは別の職員が承認すると、名簿の承認に使えます。試行は承認の前にもできます。");
    for version in rule::all(&permit).await? {
        let title = format!("第{}版　{}", version.number, version.rule.name);
        let mut terms = vec![
            Term::new(
                "状態",
                match version.state.as_str() {
                    "proposed" => "承認待ち",
                    "approved" => "承認済み",
                    _ => "却下",
                },
            ),
            Term::new("根拠", version.rule.source.clone()),
            Term::new("申請", version.made),
        ];
        if !version.decided.is_empty() {
            terms.push(Term::new("決定", version.decided));
        }
        page = page
            .heading(title)
            .part(Part::Terms(terms))
            .part(Part::List(version.rule.lines()));
        if version.state == "proposed" {
            page = page.part(Part::Form(Form {
                action: format!("/kidney/rules/{}", version.number),
                fields: vec![],
                buttons: vec![
                    ("approve", "承認する", "primary"),
                    ("decline", "却下する", "secondary"),
                ],
            }));
        }
    }
    Ok(page
        .heading("新しい版を申請する")
        .part(Part::Form(proposal(sent)?))
        .links(&[("/kidney", "重症化予防に戻る")])
        .answer(errors))
}

/// GET /kidney/rules
pub(crate) async fn rules(Desk(room, visitor, frame): Desk) -> Response {
    rules_page(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

/// The proposed rule: a preset, with what was changed.
fn changed(sent: &mut Sent) -> Result<RuleSet, KidneyError> {
    let rule = presets()?.into_iter().find(|r| r.id == sent.get("preset"));
    let Some(mut rule) = rule else {
        return Err(KidneyError::field("preset", "選んでください。"));
    };
    for (field, hba1c) in [("hba1c", true), ("egfr", false)] {
        let typed = sent.line(field);
        if typed.is_empty() {
            continue;
        }
        match (typed.parse(), hba1c) {
            (Ok(amount), true) => rule.glucose.hba1c = Some(amount),
            (Ok(amount), false) => rule.kidney.egfr_below = Some(amount),
            (Err(wrong), _) => sent.refuse(field, wrong.to_string()),
        }
    }
    let source = sent.line("source");
    sent.complete()?;
    if let Some(amount) = rule.glucose.hba1c {
        rule.name = format!("HbA1c {amount:.1}%以上（仮）");
    }
    if !source.is_empty() {
        rule.source = source;
        rule.provisional = false;
        rule.name = rule.name.trim_end_matches("（仮）").to_owned();
    }
    rule.check()
        .map_err(|wrong| KidneyError::field("hba1c", wrong.to_string()))?;
    Ok(rule)
}

/// POST /kidney/rules
pub(crate) async fn propose(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): Pairs,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async {
        let permit = asked(&room, &visitor, action::RULE).await?;
        let rule = changed(&mut sent)?;
        let who = (Some(visitor.user), name(&visitor));
        rule::write(&permit, &rule, (who.0, &who.1), room.clock.now()).await?;
        Ok("/kidney/rules".to_owned())
    };
    let done = done.await;
    moved(done, async |errors| {
        rules_page(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

/// POST /kidney/rules/{number}
pub(crate) async fn decide_rule(
    Desk(room, visitor, frame): Desk,
    Path(number): Path<String>,
    LimitedForm(pairs): Pairs,
) -> Response {
    let sent = Sent::from(pairs);
    let done = async {
        let permit = asked(&room, &visitor, action::RULE).await?;
        let approved = match sent.get("do") {
            "approve" => true,
            "decline" => false,
            _ => return Err(GateError::NotFound.into()),
        };
        let number = number.parse().unwrap_or(0);
        rule::decide(
            &permit,
            number,
            approved,
            (visitor.user, &name(&visitor)),
            room.clock.now(),
        )
        .await?;
        Ok("/kidney/rules".to_owned())
    };
    moved(done.await, async |errors| {
        rules_page(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

async fn runs_page(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, KidneyError> {
    let permit = asked(room, visitor, action::SELECT).await?;
    let versions = rule::all(&permit).await?;
    let usable = versions.iter().filter(|v| v.state != "declined");
    let choices = usable
        .map(|v| {
            Choice::new(
                v.number.to_string(),
                format!("第{}版　{}", v.number, v.rule.name),
                sent.get("rule"),
            )
        })
        .collect();
    let sql =
        "SELECT DISTINCT year FROM kidney_prevention_checkup WHERE taken = 1 ORDER BY year DESC";
    let mut years = vec![];
    for row in permit.rows(sql, vec![]).await? {
        let year = row.int(0)?;
        years.push(Choice::new(
            year.to_string(),
            format!("{year}年度"),
            sent.get("year"),
        ));
    }
    let today = room.clock.now().office_day();
    let end = Date::new(fiscal_year(today) + 1, 3, 31).unwrap_or(today);
    let until = match sent.get("until") {
        "" => end.to_string(),
        typed => typed.to_owned(),
    };
    let form = Form {
        action: "/kidney/runs".into(),
        fields: vec![
            Field::Choose {
                name: "rule",
                label: "選定ルール",
                choices,
                hint: "",
            },
            Field::Choose {
                name: "year",
                label: "健診の年度",
                choices: years,
                hint: "",
            },
            Field::Line {
                name: "until",
                label: "事業の最後の日",
                required: true,
                value: until,
                hint: "この日までに75歳になる人は除外されます。",
            },
        ],
        buttons: vec![("try", "試行する", "primary")],
    };
    let mut rows = vec![];
    for run in run::all(&permit).await? {
        let selected = run.counts.verdicts.get("selected").copied().unwrap_or(0);
        rows.push(vec![
            Cell::Link(
                format!("/kidney/runs/{}", run.number),
                format!("選定{}", run.number),
            ),
            text(format!("{}年度", run.year)),
            text(format!("第{}版", run.rule)),
            count(run.counts.total),
            count(selected),
            state(&run.state),
            text(run.made),
        ]);
    }
    let heads = [
        "選定",
        "健診の年度",
        "ルール",
        "健診のある人",
        "対象",
        "状態",
        "試行",
    ];
    Ok(Page::new(frame, "選定の試行と名簿の承認")
        .words("試行は人数と理由を出すだけで、誰にも通知しません。名簿は、試行した人とは別の職員が承認します。")
        .part(Part::Form(form))
        .heading("これまでの試行")
        .table("これまでの試行", &heads, rows, "まだありません。")
        .links(&[("/kidney", "重症化予防に戻る")])
        .answer(errors))
}

/// GET /kidney/runs
pub(crate) async fn runs(Desk(room, visitor, frame): Desk) -> Response {
    runs_page(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

/// POST /kidney/runs
pub(crate) async fn start(Desk(room, visitor, frame): Desk, LimitedForm(pairs): Pairs) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async {
        let permit = asked(&room, &visitor, action::SELECT).await?;
        let number = sent.get("rule").parse().ok();
        let year: Option<i16> = sent.get("year").parse().ok();
        let until = parse_full(sent.get("until"));
        for (field, missing) in [("rule", number.is_none()), ("year", year.is_none())] {
            if missing {
                sent.refuse(field, "選んでください。");
            }
        }
        if let Err(wrong) = &until {
            sent.refuse("until", wrong.to_string());
        }
        sent.complete()?;
        let (Some(number), Some(year), Ok(until)) = (number, year, until) else {
            return Err(GateError::NotFound.into());
        };
        let _turn = room.turn.lock().await;
        let who = name(&visitor);
        let made = run::try_rule(
            &permit,
            number,
            year,
            until,
            (Some(visitor.user), &who),
            room.clock.now(),
        )
        .await?;
        Ok(format!("/kidney/runs/{made}"))
    };
    let done = done.await;
    moved(done, async |errors| {
        runs_page(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

fn steps(run: &Run) -> Vec<Vec<Cell>> {
    let row = |(step, [entered, yes, no, unknown]): &(String, [u64; 4])| {
        vec![
            text(step),
            count(entered),
            count(yes),
            count(no),
            count(unknown),
        ]
    };
    run.counts.steps.iter().map(row).collect()
}

async fn one(
    room: &KidneyPrevention,
    visitor: &Visitor,
    frame: &Frame,
    number: i64,
) -> Result<Response, KidneyError> {
    let permit = asked(room, visitor, action::SELECT).await?;
    let run = run::find(&permit, number).await?;
    let version = rule::one(&permit, run.rule).await?;
    let newest = run::all(&permit)
        .await?
        .first()
        .is_some_and(|r| r.number == number);
    let terms = vec![
        Term::new("健診の年度", format!("{}年度", run.year)),
        Term::new(
            "選定ルール",
            format!("第{}版　{}", run.rule, version.rule.name),
        ),
        Term::new("事業の最後の日", day(&run.until)),
        Term::new("健診のある人", format!("{}人", run.counts.total)),
        Term::new("試行", run.made.clone()),
        Term::new(
            "名簿の承認",
            if run.decided.is_empty() {
                "まだ".into()
            } else {
                run.decided.clone()
            },
        ),
    ];
    let verdicts = VERDICTS.iter().map(|(code, words)| {
        let n = run.counts.verdicts.get(*code).copied().unwrap_or(0);
        let cell = match newest {
            true => Cell::Link(format!("/kidney/results/{code}"), (*words).into()),
            false => text(*words),
        };
        vec![cell, count(n)]
    });
    let exclusions = run
        .counts
        .exclusions
        .iter()
        .filter_map(|(id, n)| Some(vec![text(Exclusion::of(id)?.japanese()), count(n)]));
    let mut page = Page::new(frame, &format!("選定{number}"));
    if version.rule.provisional {
        page = page.banner(
            "warning",
            "選定ルールは仮です。",
            "基準値は文書になく、プログラムの例から作った値です。",
        );
    }
    page = page
        .part(Part::Terms(terms))
        .heading("ルール")
        .part(Part::List(version.rule.lines()))
        .heading("段階ごとの人数")
        .words("「満たさない」人はその段階で対象外です。「不明」の人は先へ進み、あとの段階で対象外になるか、判定不能になります。")
        .table("段階ごとの人数", &["段階", "来た人", "満たす", "満たさない", "不明"], steps(&run), "")
        .heading("結果")
        .table("結果ごとの人数", &["結果", "人数"], verdicts.collect(), "")
        .heading("除外の内訳")
        .words("一人に理由が二つ以上あることがあります。")
        .table("除外の内訳", &["理由", "人数"], exclusions.collect(), "除外された人はいません。");
    if newest && run.state == "trial" {
        page = page
            .heading("名簿を承認する")
            .words("承認すると、結果が「対象」の人が名簿に入ります。")
            .part(Part::Form(Form {
                action: format!("/kidney/runs/{number}"),
                fields: vec![],
                buttons: vec![("approve", "名簿を承認する", "primary")],
            }));
    }
    Ok(page
        .links(&[("/kidney/runs", "試行の一覧に戻る")])
        .answer(vec![]))
}

/// GET /kidney/runs/{number}
pub(crate) async fn run_page(
    Desk(room, visitor, frame): Desk,
    Path(number): Path<String>,
) -> Response {
    one(&room, &visitor, &frame, number.parse().unwrap_or(0))
        .await
        .unwrap_or_else(answer)
}

/// POST /kidney/runs/{number}
pub(crate) async fn decide_run(
    Desk(room, visitor, frame): Desk,
    Path(number): Path<String>,
    LimitedForm(_): Pairs,
) -> Response {
    let number: i64 = number.parse().unwrap_or(0);
    let done = async {
        let permit = asked(&room, &visitor, action::SELECT).await?;
        let _turn = room.turn.lock().await;
        run::approve(
            &permit,
            number,
            (visitor.user, &name(&visitor)),
            room.clock.now(),
        )
        .await?;
        Ok(format!("/kidney/runs/{number}"))
    };
    moved(done.await, async |_| {
        one(&room, &visitor, &frame, number).await
    })
    .await
}

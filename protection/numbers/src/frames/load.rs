//! Many first numbers from a file (一括登録), with the list of what was refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::{NumberRef, TicketId};
use mimamori_pages::{LimitedParts, Problem, html_with_status};
use zeroize::Zeroizing;

use super::{session, spent};
use crate::desk::Ticket;
use crate::port::{Kind, Order};
use crate::room::Room;
use crate::vault::{Entry, Known, Report, Told};
use crate::{Number, NumbersError};

/// Largest file, bytes: 300,000 rows.
const LARGEST: usize = 12 * 1024 * 1024;
/// Rows in one transaction.
const PORTION: usize = 500;
/// Results that are kept for their pages.
const KEPT: usize = 50;
/// Refused rows that a page lists; the file has them all.
const LISTED: usize = 100;

/// A refused row: its number in the file, the column, why. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub row: usize,
    pub column: &'static str,
    pub reason: String,
}

#[derive(Debug, Clone)]
struct Run {
    order: Order,
    /// Whoever ordered it may not go on.
    stopped: bool,
    total: usize,
    done: usize,
    registered: i64,
    rejects: Vec<Reject>,
    ended: bool,
    failed: bool,
}

/// Loads that run or ended lately.
#[derive(Clone, Default)]
pub(crate) struct Loads(Arc<Mutex<HashMap<TicketId, Run>>>);

impl Loads {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<TicketId, Run>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, id: &TicketId, f: impl FnOnce(&mut Run)) {
        self.with(|all| {
            if let Some(run) = all.get_mut(id) {
                f(run);
            }
        });
    }

    /// Stops the loads whose order is meant, before their next portion.
    pub fn stop(&self, whose: impl Fn(&Order) -> bool) {
        self.with(|all| {
            let meant = all.values_mut().filter(|run| whose(&run.order));
            meant.for_each(|run| run.stopped = true);
        });
    }

    /// Loads that have not ended.
    pub fn running(&self) -> Vec<TicketId> {
        self.with(|all| {
            let running = all.iter().filter(|(_, run)| !run.ended);
            running.map(|(id, _)| *id).collect()
        })
    }

    fn stopped(&self, id: &TicketId) -> bool {
        self.with(|all| all.get(id).is_none_or(|run| run.stopped))
    }

    fn run(&self, id: &TicketId, session: &str) -> Option<Run> {
        self.with(|all| all.get(id).filter(|r| r.order.session == session).cloned())
    }
}

#[derive(Template)]
#[template(path = "numbers/load.html")]
struct Page {
    ticket: String,
    people: usize,
    error: String,
}

#[derive(Template)]
#[template(path = "numbers/loaded.html")]
struct Progress {
    ticket: String,
    run: Run,
    listed: Vec<Reject>,
}

/// GET /load/{ticket}
pub(super) async fn form(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = ticket.parse::<TicketId>() else {
        return spent();
    };
    let (session, now) = (session(&room, &headers), room.0.clock.steady());
    if room.0.desk.open(&id, &session, now) != Some(Kind::Load) {
        return spent();
    }
    let people = room
        .0
        .desk
        .opened(&id, &session, now)
        .map_or(0, |t| t.people.len());
    html_with_status(
        StatusCode::OK,
        Page {
            ticket,
            people,
            error: String::new(),
        },
    )
}

/// POST /load/{ticket}: parts `rows` (how many the sender counted) and `file`.
pub(super) async fn submit(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    sent: Result<LimitedParts<LARGEST>, Problem>,
) -> Response {
    let session = session(&room, &headers);
    let Ok(id) = ticket.parse::<TicketId>() else {
        return spent();
    };
    let Some(open) = room.0.desk.take(&id, &session, room.0.clock.steady()) else {
        return spent();
    };
    let read = sent.map_err(|_| {
        "ファイルを受け取れませんでした。大きさ（12MBまで）を確かめてください。".to_owned()
    });
    let rows = read.and_then(|LimitedParts(parts)| counted(parts));
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            let people = open.people.len();
            room.0.desk.back(&id, open);
            return html_with_status(
                StatusCode::BAD_REQUEST,
                Page {
                    ticket,
                    people,
                    error,
                },
            );
        }
    };
    room.0.loads.with(|all| {
        if all.len() >= KEPT {
            all.retain(|_, run| !run.ended);
        }
        all.insert(
            id,
            Run {
                order: open.order.clone(),
                stopped: false,
                total: rows.len(),
                done: 0,
                registered: 0,
                rejects: vec![],
                ended: false,
                failed: false,
            },
        );
    });
    // Forgotten between its use and its place among the loads.
    if !room.0.desk.holds(&id) {
        room.0.loads.change(&id, |run| run.stopped = true);
    }
    tokio::spawn(run(room.clone(), id, open, rows));
    Redirect::to(&format!("/load/{id}/state")).into_response()
}

/// One row of a file: 宛名番号 and what stands as its number.
type Row = (String, Zeroizing<String>);

/// The rows of the file, when they are as many as the sender said.
fn counted(parts: Vec<(String, Vec<u8>)>) -> Result<Vec<Row>, String> {
    let parts: BTreeMap<String, Zeroizing<Vec<u8>>> = parts
        .into_iter()
        .map(|(name, bytes)| (name, Zeroizing::new(bytes)))
        .collect();
    let file = parts
        .get("file")
        .filter(|f| !f.is_empty())
        .ok_or("ファイルを選んでください。")?;
    let told = parts
        .get("rows")
        .and_then(|r| std::str::from_utf8(r).ok()?.trim().parse::<usize>().ok());
    let told = told.ok_or("ファイルの件数（見出しを除く）を数字で入力してください。")?;
    let rows = rows(file)?;
    match rows.len() == told {
        true => Ok(rows),
        false => Err(format!(
            "ファイルには{}件あり、入力された件数{told}件と違います。何も登録していません。",
            rows.len()
        )),
    }
}

/// Reads 宛名番号 and 個人番号 by the names in the first line; UTF-8, with a mark or without, or CP932.
fn rows(file: &[u8]) -> Result<Vec<Row>, String> {
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let heads = reader
        .byte_headers()
        .map_err(|_| "1行目を読めません。")?
        .clone();
    let name = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => encoding_rs::SHIFT_JIS.decode(bytes).0.trim().to_owned(),
    };
    let heads: Vec<String> = heads.iter().map(name).collect();
    let column = |name: &str| {
        let found = heads.iter().position(|h| h == name);
        found.ok_or_else(|| format!("1行目に「{name}」の見出しがありません。"))
    };
    let (person, number) = (column("宛名番号")?, column("個人番号")?);
    let mut out = Vec::new();
    for row in reader.byte_records() {
        // A row that no reader can cut into cells is refused as a row, not dropped.
        let row = row.unwrap_or_default();
        let cell = |at: usize| {
            String::from_utf8_lossy(row.get(at).unwrap_or_default())
                .trim()
                .to_owned()
        };
        out.push((cell(person), Zeroizing::new(cell(number))));
    }
    Ok(out)
}

async fn run(room: Room, id: TicketId, ticket: Ticket, rows: Vec<Row>) {
    let known = Known::from(ticket.order.obtained.clone());
    let line = ticket.order.line;
    let mut rejects = 0;
    let mut registered = 0i64;
    let mut seen = HashSet::new();
    let mut outcome = Told::Done;
    for (turn, portion) in rows.chunks(PORTION).enumerate() {
        if room.sound().is_err() || room.0.loads.stopped(&id) {
            outcome = Told::Stopped;
            break;
        }
        let (good, bad) = sorted(portion, turn * PORTION, &ticket.people, &mut seen);
        let entries: Vec<_> = good
            .iter()
            .map(|(at, reference, number)| Entry {
                reference: *reference,
                number,
                known: &known,
                address: rows.get(*at - 2).map(|(person, _)| person.as_str()),
            })
            .collect();
        let told = match room.0.vault.load(&id, line, &entries, bad.len()).await {
            Ok(told) => told,
            Err(error) => {
                tracing::error!(code = error.code(), error = ?error, "a load of numbers stopped");
                outcome = Told::Stopped;
                break;
            }
        };
        let mut bad = bad;
        for ((row, ..), told) in good.iter().zip(&told) {
            match refusal(*told) {
                None => registered += 1,
                Some(reason) => bad.push(Reject {
                    row: *row,
                    column: "個人番号",
                    reason: reason.into(),
                }),
            }
        }
        bad.sort_by_key(|r| r.row);
        rejects += bad.len();
        room.0.loads.change(&id, |run| {
            run.done += portion.len();
            run.registered = registered;
            run.rejects.extend(bad);
        });
    }
    let report = Report {
        ticket: id,
        kind: Kind::Load.code(),
        line,
    };
    let counts = (registered, i64::try_from(rejects).unwrap_or(i64::MAX));
    if let Err(error) = room.0.vault.report(&report, outcome, None, counts).await {
        tracing::error!(code = error.code(), error = ?error, "the outcome of a load could not be kept");
        outcome = Told::Stopped;
    }
    room.0.loads.change(&id, |run| {
        run.failed = outcome == Told::Stopped;
        run.ended = true;
    });
}

/// A sound row: its number in the file (the heading is 1), whose, and the number.
type Good = (usize, NumberRef, Number);

fn sorted(
    rows: &[Row],
    before: usize,
    people: &BTreeMap<String, NumberRef>,
    seen: &mut HashSet<String>,
) -> (Vec<Good>, Vec<Reject>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (at, (person, number)) in rows.iter().enumerate() {
        let row = before + at + 2;
        if !seen.insert(person.clone()) {
            let reason = "この宛名番号は、ファイルの前の行にもあります。".into();
            bad.push(Reject {
                row,
                column: "宛名番号",
                reason,
            });
            continue;
        }
        let Some(reference) = people.get(person) else {
            let reason =
                "この宛名番号の人は、台帳にいないか、個人番号を扱う対象ではありません。".into();
            bad.push(Reject {
                row,
                column: "宛名番号",
                reason,
            });
            continue;
        };
        match Number::parse(number) {
            Ok(number) => good.push((row, *reference, number)),
            Err(error) => {
                let reason = format!("{error} {}", error.advice());
                bad.push(Reject {
                    row,
                    column: "個人番号",
                    reason,
                });
            }
        }
    }
    (good, bad)
}

fn refusal(told: Told) -> Option<&'static str> {
    Some(match told {
        Told::Done => return None,
        Told::Taken => "この番号は別の人に登録されています。",
        // One reason for both, or a file of guesses would tell which one is right.
        Told::Exists | Told::Same => "この人には番号がもう登録されています。",
        _ => "登録できませんでした。",
    })
}

/// GET /load/{ticket}/state
pub(super) async fn state(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let run = ticket
        .parse()
        .ok()
        .and_then(|id| room.0.loads.run(&id, &session(&room, &headers)));
    let Some(run) = run else {
        return spent();
    };
    let listed = run.rejects.iter().take(LISTED).cloned().collect();
    html_with_status(
        StatusCode::OK,
        Progress {
            ticket,
            run,
            listed,
        },
    )
}

/// POST /load/{ticket}/rejects: every refused row as CSV.
pub(super) async fn rejects(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let run = ticket
        .parse()
        .ok()
        .and_then(|id| room.0.loads.run(&id, &session(&room, &headers)));
    let Some(run) = run else {
        return spent();
    };
    match listed(&run.rejects) {
        Ok(bytes) => {
            let heads = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"rejects.csv\"",
                ),
            ];
            (heads, bytes).into_response()
        }
        Err(error) => super::broken(&error),
    }
}

fn listed(rejects: &[Reject]) -> Result<Vec<u8>, NumbersError> {
    let mut writer = csv::Writer::from_writer(b"\xEF\xBB\xBF".to_vec());
    let wrote = writer.write_record(["行", "項目", "理由"]);
    let wrote = wrote.and_then(|()| {
        rejects
            .iter()
            .try_for_each(|r| writer.write_record([&r.row.to_string(), r.column, &r.reason]))
    });
    wrote.map_err(|_| NumbersError::Speech)?;
    writer.into_inner().map_err(|_| NumbersError::Speech)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_both_encodings_and_nothing_of_it_is_dropped() {
        let text = "備考,宛名番号,個人番号\n,1,123456789018\nx,2\n";
        let utf8 = rows(text.as_bytes()).unwrap();
        let cp932 = rows(&encoding_rs::SHIFT_JIS.encode(text).0).unwrap();
        assert_eq!(utf8, cp932);
        assert_eq!(utf8.len(), 2, "a short row is a row");
        assert!(
            rows("宛名番号,番号\n".as_bytes())
                .unwrap_err()
                .contains("「個人番号」")
        );
        let broken = rows(b"\xE5\xAE\x9B\xE5\x90\x8D\xE7\x95\xAA\xE5\x8F\xB7,\xE5\x80\x8B\xE4\xBA\xBA\xE7\x95\xAA\xE5\x8F\xB7\n\xFF,\xFE\n").unwrap();
        assert_eq!(broken.len(), 1);
    }

    #[test]
    fn refused_rows_are_named_by_row_column_and_reason_and_never_by_value() {
        let person = |n: u8| (n.to_string(), NumberRef::from_bytes([n; 16]));
        let people = BTreeMap::from([person(1), person(2), person(3)]);
        let row =
            |person: &str, number: &str| (person.to_owned(), Zeroizing::new(number.to_owned()));
        let all = [
            row("1", "123456789018"),
            row("9", "123456789018"),
            row("2", "123456789012"),
            row("3", "000000000000"),
            row("1", "987654321093"),
        ];
        let (good, bad) = sorted(&all, 500, &people, &mut HashSet::new());
        assert_eq!(good.len(), 1);
        assert_eq!(
            bad.iter().map(|r| (r.row, r.column)).collect::<Vec<_>>(),
            [
                (503, "宛名番号"),
                (504, "個人番号"),
                (505, "個人番号"),
                (506, "宛名番号")
            ]
        );
        let file = String::from_utf8(listed(&bad).unwrap()).unwrap();
        assert!(
            file.contains("検査数字")
                && !file.contains("123456789012")
                && !file.contains("000000000000")
        );
    }
}

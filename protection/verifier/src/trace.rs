//! Judges a whole trace folder in one pass; memory grows with the number of persons only.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::chains::State;
use crate::finding::{Finding, Findings, Place, Problem};
use crate::format::Leaf;
use crate::inputs::{choose_key, read_known, read_part};
use crate::log::Log;
use crate::note::{Checkpoint, Key, MAX_NOTE};
pub use crate::report::{Options, Report};
use crate::segments::{Batch, Rest};
use crate::tree::Frontier;
use crate::{VerifyError, segments};

/// Action of the line that a writer leaves when it is stopped in order.
const STOP: &str = "trace.stop";

struct Pass<'a> {
    newest: Checkpoint,
    note: &'a [u8],
    log: Log<'a>,
    known: Vec<(Checkpoint, String)>,
    state: State,
    tree: Frontier,
    last: Option<Checkpoint>,
    at_end: bool,
    report: Report,
    findings: Findings,
}

/// Judges the trace in `folder` (the folder that holds `leaves`, or one that holds it as `trace`).
///
/// # Errors
/// Nothing could be judged: the folder, the key or a known file could not be read.
pub fn verify(folder: &Path, options: &Options) -> Result<Report, VerifyError> {
    let found = [folder.to_path_buf(), folder.join("trace")]
        .into_iter()
        .find(|f| f.join("leaves").is_dir());
    let folder = found.ok_or_else(|| VerifyError::NotATrace(folder.to_path_buf()))?;
    let mut findings = Findings::default();
    let mut report = Report {
        own_key: options.key.is_none(),
        known: options.known.len() as u64,
        ..Report::default()
    };
    let newest_path = folder.join("checkpoint");
    let Some(key) = choose_key(&folder, options.key.as_deref(), &mut findings)? else {
        return Ok(finish(report, findings));
    };
    let known = read_known(&options.known, &key, &mut findings)?;
    let note = read_part(&newest_path, MAX_NOTE as u64)?;
    let newest = note.as_deref().map(|note| Checkpoint::open(note, &key));
    let log = Log::open(&folder.join("checkpoints.log"), &key)?;
    if log.is_none() {
        findings.add(Place::File("checkpoints.log".into()), Problem::Missing);
    }
    let (newest, log, note) = match (newest, log, &note) {
        (Some(Ok(newest)), Some(log), Some(note)) => (newest, log, note),
        (newest, ..) => {
            let problem = match newest {
                Some(Err(why)) => Some(Problem::Note(why)),
                Some(Ok(_)) => None,
                None => Some(Problem::Missing),
            };
            problem
                .into_iter()
                .for_each(|problem| findings.add(Place::File("checkpoint".into()), problem));
            return Ok(finish(report, findings));
        }
    };
    (report.size, report.signed_at) = (newest.size, newest.time);
    let (state, tree) = (State::default(), Frontier::default());
    let mut pass = Pass {
        newest,
        note,
        log,
        known,
        state,
        tree,
        last: None,
        at_end: false,
        report,
        findings,
    };
    let leaves = folder.join("leaves");
    let (send, receive) = sync_channel(4);
    let rest: Rest = std::thread::scope(|scope| {
        let reader =
            scope.spawn(move || segments::read(&leaves, newest.size, options.per_segment, &send));
        let judged = pass.leaves(receive);
        let rest = reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        judged.and(rest)
    })?;
    pass.end(&newest_path, &key, options)?;
    pass.report.unfinished = rest.bytes;
    for Finding { place, problem } in rest.findings.kept {
        pass.findings.add(place, problem);
    }
    Ok(finish(pass.report, pass.findings))
}

fn finish(mut report: Report, findings: Findings) -> Report {
    (report.findings, report.more) = (findings.kept, findings.more);
    report
}

impl Pass<'_> {
    fn leaves(&mut self, batches: Receiver<Batch>) -> Result<(), VerifyError> {
        self.known.reverse(); // the smallest is popped first
        self.checkpoints()?;
        for batch in batches {
            for (bytes, hash) in batch.iter() {
                let at = self.tree.size() + self.report.tail.leaves;
                match Leaf::parse(bytes) {
                    Ok(leaf) if at >= self.newest.size => {
                        self.state.judge(at, &leaf, hash, &mut self.findings);
                        self.report.tail.add(&leaf);
                        continue;
                    }
                    Ok(leaf) => {
                        self.state.judge(at, &leaf, hash, &mut self.findings);
                        self.report.closed = leaf.action == STOP;
                    }
                    Err(why) => {
                        // what follows cannot be told from what this leaf would have said
                        self.findings.add(Place::Leaf(at, None), Problem::Leaf(why));
                        return Ok(());
                    }
                }
                self.tree.push(hash);
                self.checkpoints()?;
                (self.report.judged, self.report.line) = (self.tree.size(), self.state.line);
                self.report.persons = self.state.persons();
            }
        }
        Ok(())
    }

    /// Compares every checkpoint of the size that the tree has now.
    fn checkpoints(&mut self) -> Result<(), VerifyError> {
        let size = self.tree.size();
        while let Some((known, name)) = self.known.pop_if(|(known, _)| known.size <= size) {
            self.compare(&known, Place::Known(name));
        }
        while let Some(next) = &self.log.next {
            let place = Place::Log(next.number);
            match &next.opened {
                Ok(checkpoint) if checkpoint.size > size => break,
                Ok(checkpoint) => {
                    let (checkpoint, last) = (*checkpoint, self.last);
                    let shrinks = last.filter(|last| checkpoint.size < last.size);
                    if let Some(last) = shrinks {
                        self.findings
                            .add(place, Problem::SizeShrinks(last.size, checkpoint.size));
                    } else {
                        if let Some(last) = last.filter(|last| checkpoint.line < last.line) {
                            self.findings.add(
                                place.clone(),
                                Problem::LineShrinks(last.line, checkpoint.line),
                            );
                        }
                        self.compare(&checkpoint, place);
                        self.last = Some(checkpoint);
                    }
                    self.report.checkpoints += 1;
                    self.at_end = next_is(&self.log, self.note);
                }
                Err(Problem::RecordCut(_)) if self.at_end => break, // judged in `end`
                Err(problem) => self.findings.add(place, problem.clone()),
            }
            self.log.advance()?;
        }
        Ok(())
    }

    fn compare(&mut self, checkpoint: &Checkpoint, place: Place) {
        let state = &self.state;
        if checkpoint.root != self.tree.root() {
            self.findings.add(place, Problem::Root(checkpoint.size));
        } else if checkpoint.line != state.line {
            self.findings
                .add(place, Problem::CheckpointLine(checkpoint.line, state.line));
        } else if state.have < state.count {
            self.findings.add(
                place,
                Problem::CutsLine(state.line, state.have, state.count),
            );
        }
    }

    /// After the last leaf: nothing known is larger, and the log ends with the newest checkpoint.
    fn end(&mut self, path: &Path, key: &Key, options: &Options) -> Result<(), VerifyError> {
        for (known, name) in std::mem::take(&mut self.known) {
            if known.size > self.newest.size {
                self.findings.add(
                    Place::Known(name),
                    Problem::KnownLonger(known.size, self.newest.size),
                );
            }
        }
        let complete = self.tree.size() == self.newest.size;
        if complete && !(self.at_end && self.log.next.is_none()) {
            std::thread::sleep(options.settle);
            // a writer at work has moved on meanwhile; then what follows the newest we read is in progress
            let moved = read_part(path, MAX_NOTE as u64)?.as_deref() != Some(self.note);
            if !(self.at_end && moved) {
                self.findings
                    .add(Place::File("checkpoint".into()), Problem::NotInLog);
            }
        }
        if let Some(line) = options.line.filter(|line| *line > self.state.line) {
            let place = Place::File("leaves".into());
            self.findings
                .add(place, Problem::LineMissing(line, self.state.line));
        }
        let tail = self.report.tail;
        self.report.closed &= complete && tail.leaves == 0;
        if complete && tail.overdue(options.interval, options.now) {
            std::thread::sleep(options.settle);
            // a writer at work has signed these leaves while we read them
            let newer = read_part(path, MAX_NOTE as u64)?;
            let newer = newer.and_then(|note| Checkpoint::open(&note, key).ok());
            self.report.overdue = newer.is_none_or(|c| c.size < self.newest.size + tail.leaves);
        }
        Ok(())
    }
}

fn next_is(log: &Log<'_>, note: &[u8]) -> bool {
    log.next.as_ref().is_some_and(|next| next.note == note)
}

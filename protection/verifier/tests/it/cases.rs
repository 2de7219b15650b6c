//! The tamperings, one at a time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::definition::Random;
use crate::samples::{SEGMENT, check};
use crate::writer::{Lie, Line, Trace, build, records};

pub struct Case<'a> {
    pub folder: &'a Path,
    pub known: &'a PathBuf,
    pub lines: &'a [Line],
    pub good: &'a Trace,
}

/// A line of the wanted sort, never the last.
fn pick(
    random: &mut Random,
    lines: &[Line],
    wanted: impl Fn(usize, &Line) -> bool,
) -> Option<usize> {
    let fit: Vec<usize> = (0..lines.len() - 1)
        .filter(|at| wanted(*at, &lines[*at]))
        .collect();
    (!fit.is_empty()).then(|| fit[random.below(fit.len())])
}

fn any_file(random: &mut Random, folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("leaves"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files.extend(["checkpoints.log", "checkpoint", "key.pub"].map(|name| folder.join(name)));
    files.swap_remove(random.below(files.len()))
}

impl Case<'_> {
    fn rewrite(&self, change: impl FnOnce(&mut Trace)) {
        let mut trace = self.good.clone();
        change(&mut trace);
        trace.write(self.folder, SEGMENT);
    }

    fn lie(&self, lie: Lie) -> bool {
        build(self.lines, lie).write(self.folder, SEGMENT);
        true
    }

    /// Applies one tampering; `false` when the sample offers no place for it.
    pub fn apply(&self, kind: usize, r: &mut Random) -> bool {
        let n = self.good.leaves.len();
        match kind {
            0 | 4 | 7 => self.touch(kind, r),
            1 => self.rewrite(|t| drop(t.leaves.remove(r.below(n)))),
            2 => self.rewrite(|t| {
                let mut leaf = t.leaves[r.below(n)].clone();
                if r.below(2) == 0 {
                    let at = r.below(leaf.len());
                    leaf[at] ^= 1 << r.below(8);
                }
                t.leaves.insert(r.below(n), leaf);
            }),
            3 => self.rewrite(|t| {
                let a = r.below(n);
                t.leaves.swap(a, (a + 1 + r.below(n - 1)) % n);
            }),
            5 => {
                // only the last can be told: the newest no longer stands in the log
                self.rewrite(|_| {});
                let kept = r.below(self.good.notes.len());
                fs::write(
                    self.folder.join("checkpoints.log"),
                    records(&self.good.notes[..kept]),
                )
                .unwrap();
            }
            6 => {
                let (a, b) = (
                    r.below(self.good.notes.len()),
                    r.below(self.good.notes.len()),
                );
                if self.good.sizes[a] == self.good.sizes[b] {
                    return false;
                }
                self.rewrite(|t| t.notes.swap(a, b));
                fs::write(
                    self.folder.join("checkpoint"),
                    self.good.notes.last().unwrap(),
                )
                .unwrap();
                return true;
            }
            8 => {
                let mut lines = self.lines.to_vec();
                let from = r.below(lines.len());
                match r.below(3) {
                    0 => lines[from].action = "person.close".into(),
                    1 if !lines[from].persons.is_empty() => drop(lines[from].persons.pop()),
                    _ => {
                        // another time, as a plain repetition of the last line would be an honest continuation
                        let twin = Line {
                            checkpoint: false,
                            time: lines[from].time - 7,
                            ..lines[from].clone()
                        };
                        lines.insert(from, twin);
                    }
                }
                build(&lines, Lie::None).write(self.folder, SEGMENT);
                assert_eq!(
                    check(self.folder, &[]).findings,
                    [],
                    "a fork alone is a good trace"
                );
            }
            9 => {
                let mut lines = self.lines.to_vec();
                let from = r.below(lines.len());
                let back = 1 + r.next() as i64 % 1_000_000_000;
                lines[from..]
                    .iter_mut()
                    .for_each(|line| line.time -= back.abs() + 1);
                build(&lines, Lie::None).write(self.folder, SEGMENT);
                assert_eq!(
                    check(self.folder, &[]).findings,
                    [],
                    "back-dating alone is a good trace"
                );
            }
            10 => {
                let Some(end) = pick(r, self.lines, |_, line| line.checkpoint) else {
                    return false;
                };
                build(&self.lines[..=end], Lie::None).write(self.folder, SEGMENT);
                assert_eq!(
                    check(self.folder, &[]).findings,
                    [],
                    "an older copy alone is a good trace"
                );
            }
            11 => {
                return pick(r, self.lines, |_, l| l.map)
                    .is_some_and(|at| self.lie(Lie::OmitFromMap(at)));
            }
            12 => {
                return pick(r, self.lines, |_, l| !l.persons.is_empty())
                    .is_some_and(|at| self.lie(Lie::ChainGap(at)));
            }
            13 => {
                return pick(r, self.lines, |_, l| !l.persons.is_empty())
                    .is_some_and(|at| self.lie(Lie::ChainLink(at)));
            }
            14 if r.below(2) == 0 => {
                return pick(r, self.lines, |_, _| true)
                    .is_some_and(|at| self.lie(Lie::LineGap(at)));
            }
            14 => {
                return pick(r, self.lines, |_, l| l.persons.len() > 1)
                    .is_some_and(|at| self.lie(Lie::ShortList(at)));
            }
            _ => {
                return pick(r, self.lines, |_, l| l.map)
                    .is_some_and(|at| self.lie(Lie::MapCount(at)));
            }
        }
        true
    }

    fn touch(&self, kind: usize, r: &mut Random) {
        self.good.write(self.folder, SEGMENT);
        let file = any_file(r, self.folder);
        let mut bytes = fs::read(&file).unwrap();
        match kind {
            0 => {
                let at = r.below(bytes.len());
                bytes[at] ^= 1 + r.below(255) as u8;
                fs::write(file, bytes).unwrap();
            }
            4 => {
                bytes.truncate(r.below(bytes.len()));
                fs::write(file, bytes).unwrap();
            }
            _ => match r.below(4) {
                0 => fs::remove_file(file).unwrap(),
                1 => fs::write(
                    self.folder
                        .join(format!("leaves/{:04}.seg", 50 + r.below(50))),
                    bytes,
                )
                .unwrap(),
                2 => fs::write(self.folder.join("leaves/00.seg"), []).unwrap(),
                _ => {
                    // an older note stands as the newest
                    let older = &self.good.notes[r.below(self.good.notes.len() - 1)];
                    fs::write(self.folder.join("checkpoint"), older).unwrap();
                }
            },
        }
    }
}

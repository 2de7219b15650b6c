//! Where the sequencer stands, and how lines become leaves.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mimamori_storage::{Row, Statement, Value};

use super::MAP;
use super::files::{SEGMENT, repair_log, replace, segment};
use crate::act::TraceError;
use crate::committer::Shared;
use crate::leaf::{Leaf, Part, Token, sha256};
use crate::tree::{Frontier, Hash, leaf_hash};

/// Where the sequencer stands.
pub(crate) struct State {
    pub(super) frontier: Frontier,
    pub(super) line: u64,
    /// Bytes of the open segment that hold judged leaves.
    place: u64,
    chains: BTreeMap<Token, (u64, Hash)>,
    pub(super) signed: u64,
}

fn torn(why: impl Into<String>) -> TraceError {
    TraceError::Torn(why.into())
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl State {
    /// Loads the state and fits the folder to it.
    pub(crate) async fn load(shared: &Shared) -> Result<Self, TraceError> {
        let dir = &shared.dir;
        std::fs::create_dir_all(dir.join("leaves"))?;
        replace(dir, "key.pub", shared.signer.verifier_key().as_bytes())?;
        let found = shared
            .db
            .fetch_one(
                "SELECT line, place, frontier, signed FROM trace_tree WHERE one = 1",
                vec![],
            )
            .await?;
        let mut state = match found {
            None => Self {
                frontier: Frontier::default(),
                line: 0,
                place: 0,
                chains: BTreeMap::new(),
                signed: 0,
            },
            Some(row) => Self {
                frontier: Frontier::from_bytes(row.bytes(2)?)
                    .ok_or_else(|| torn("trace_tree の内容が壊れています"))?,
                line: unsigned(row.int(0)?),
                place: unsigned(row.int(1)?),
                chains: BTreeMap::new(),
                signed: unsigned(row.int(3)?),
            },
        };
        for row in shared
            .db
            .fetch("SELECT token, count, head FROM trace_chain", vec![])
            .await?
        {
            state
                .chains
                .insert(Token(row.array(0)?), (unsigned(row.int(1)?), row.array(2)?));
        }
        let size = state.frontier.size();
        repair_log(dir)?;
        if let Ok(note) = std::fs::read_to_string(dir.join("checkpoint")) {
            let told: u64 = note
                .lines()
                .nth(1)
                .and_then(|l| l.parse().ok())
                .ok_or_else(|| torn("checkpoint が読めません"))?;
            if told > size {
                return Err(torn(format!(
                    "チェックポイントは {told} 件、台帳は {size} 件です（古い控えに戻されていませんか）"
                )));
            }
            if told < state.signed {
                return Err(torn(format!(
                    "チェックポイントは {told} 件ですが、{} 件まで署名したはずです",
                    state.signed
                )));
            }
            let root = note.lines().nth(2).unwrap_or_default();
            if told == size && root != STANDARD.encode(state.frontier.root()) {
                return Err(torn("最後のチェックポイントと台帳の木が異なります"));
            }
            state.signed = told;
            shared
                .checkpoint
                .send_replace(if told == size { state.line } else { 0 });
        } else if state.signed > 0
            || std::fs::metadata(dir.join("checkpoints.log")).is_ok_and(|m| m.len() > 0)
        {
            return Err(torn("checkpoint がありません"));
        }
        let path = segment(dir, size);
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        if length < state.place {
            return Err(torn(format!(
                "{} が {length} バイトしかありません（{} バイト必要）",
                path.display(),
                state.place
            )));
        }
        if length > state.place {
            OpenOptions::new()
                .write(true)
                .open(&path)?
                .set_len(state.place)?;
        }
        for later in size / SEGMENT + 1.. {
            let path = dir.join("leaves").join(format!("{later:04}.seg"));
            if std::fs::remove_file(path).is_err() {
                break;
            }
        }
        Ok(state)
    }

    fn map_root(&self) -> Hash {
        let mut tree = Frontier::default();
        for (token, (count, head)) in &self.chains {
            tree.push(leaf_hash(&map_entry(token, *count, head)));
        }
        tree.root()
    }
}

/// Bytes of one entry of the map.
pub(crate) fn map_entry(token: &Token, count: u64, head: &Hash) -> [u8; 72] {
    let mut out = [0u8; 72];
    out[..32].copy_from_slice(&token.0);
    out[32..40].copy_from_slice(&count.to_be_bytes());
    out[40..].copy_from_slice(head);
    out
}

/// What one round adds.
#[derive(Default)]
pub(super) struct Round {
    pub(super) files: Vec<(PathBuf, u64, Vec<u8>)>,
    index: Vec<Value>,
    touched: BTreeMap<Token, ()>,
    pub(super) leaves: u64,
}

impl State {
    /// Adds the leaves of one line to state and round.
    pub(super) fn expand(
        &mut self,
        dir: &Path,
        row: &Row,
        round: &mut Round,
    ) -> Result<(), TraceError> {
        let line = unsigned(row.int(0)?);
        if line != self.line + 1 {
            return Err(torn(format!("行 {} の次が {line} です", self.line)));
        }
        let tokens = row.bytes(10)?;
        let details = row
            .opt_text(11)?
            .map_or(Ok([0; 32]), |_| row.bytes(12).map(sha256))?;
        let action = row.text(5)?;
        let count = (tokens.len() / 32).max(1);
        for index in 0..count {
            let part = match tokens.get(index * 32..index * 32 + 32) {
                Some(token) => {
                    let token = Token(token.try_into().map_err(|_| torn("tokens"))?);
                    let (sequence, previous) =
                        self.chains.get(&token).copied().unwrap_or((0, [0; 32]));
                    Part::Person {
                        token,
                        sequence: sequence + 1,
                        previous,
                    }
                }
                None if action == MAP => Part::Map {
                    persons: self.chains.len() as u64,
                    root: self.map_root(),
                },
                None => Part::Nobody,
            };
            let bytes = Leaf {
                line,
                index: u32::try_from(index).unwrap_or(u32::MAX),
                count: u32::try_from(count).unwrap_or(u32::MAX),
                time: row.int(1)?,
                decision: u8::from(row.int(8)? == 1),
                actor: row.array(2)?,
                org: row.array(3)?,
                classes: u32::try_from(row.int(7)?).unwrap_or(u32::MAX),
                role: row.text(4)?,
                action,
                purpose: row.text(6)?,
                policy: row.text(9)?,
                details,
                part,
            }
            .bytes();
            let number = self.frontier.size();
            let path = segment(dir, number);
            if round.files.last().is_none_or(|(p, _, _)| *p != path) {
                round.files.push((path, self.place, Vec::new()));
            }
            if let Some((_, _, buffer)) = round.files.last_mut() {
                buffer.extend_from_slice(
                    &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes(),
                );
                buffer.extend_from_slice(&bytes);
            }
            let hash = leaf_hash(&bytes);
            self.frontier.push(hash);
            if let Part::Person {
                token, sequence, ..
            } = part
            {
                self.chains.insert(token, (sequence, hash));
                round.touched.insert(token, ());
                round.index.extend([
                    Value::from(&token.0),
                    signed(sequence).into(),
                    signed(number).into(),
                    signed(self.place).into(),
                    signed(line).into(),
                ]);
            }
            self.place = place_after(self.place, bytes.len(), self.frontier.size());
            round.leaves += 1;
        }
        self.line = line;
        Ok(())
    }

    pub(super) fn statements(&self, round: &mut Round) -> Vec<Statement> {
        let mut out = Vec::new();
        let index = std::mem::take(&mut round.index);
        rows(
            "INSERT INTO trace_leaf (token, sequence, leaf, place, line) VALUES ",
            5,
            "",
            index,
            &mut out,
        );
        let chains = round
            .touched
            .keys()
            .filter_map(|t| {
                self.chains.get(t).map(|(count, head)| {
                    [Value::from(&t.0), signed(*count).into(), Value::from(head)]
                })
            })
            .flatten()
            .collect();
        let upsert =
            " ON CONFLICT (token) DO UPDATE SET count = excluded.count, head = excluded.head";
        rows(
            "INSERT INTO trace_chain (token, count, head) VALUES ",
            3,
            upsert,
            chains,
            &mut out,
        );
        out.push(Statement::new(
            "INSERT INTO trace_tree (one, line, place, frontier, signed) VALUES (1, ?, ?, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET line = excluded.line, place = excluded.place, \
             frontier = excluded.frontier, signed = excluded.signed",
            vec![
                signed(self.line).into(),
                signed(self.place).into(),
                self.frontier.to_bytes().into(),
                signed(self.signed).into(),
            ],
        ));
        out
    }
}

/// Where the leaf after this one goes: behind it, or at the begin of the next segment. `size` counts this leaf.
fn place_after(place: u64, leaf: usize, size: u64) -> u64 {
    match size.is_multiple_of(SEGMENT) {
        true => 0,
        false => place + 4 + leaf as u64,
    }
}

/// Splits rows into inserts of a few fixed sizes.
fn rows(head: &str, width: usize, tail: &str, values: Vec<Value>, out: &mut Vec<Statement>) {
    let marks = format!("({})", vec!["?"; width].join(","));
    let mut rest = values;
    while !rest.is_empty() {
        let n = [100, 10, 1]
            .into_iter()
            .find(|n| n * width <= rest.len())
            .unwrap_or(1);
        let later = rest.split_off((n * width).min(rest.len()));
        out.push(Statement::new(
            format!("{head}{}{tail}", vec![marks.as_str(); n].join(",")),
            rest,
        ));
        rest = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_segment_is_left_at_once_so_that_a_restart_finds_the_next_one_empty() {
        assert_eq!(place_after(0, 96, 1), 100);
        assert_eq!(place_after(100, 96, SEGMENT - 1), 200);
        assert_eq!(place_after(200, 96, SEGMENT), 0);
        assert_eq!(place_after(0, 96, SEGMENT + 1), 100);
    }
}

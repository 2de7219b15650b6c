//! A statement for one person, docs/trace-format.md section 5.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::act::{Act, Decision, TraceError};
use crate::committer::Trace;
use crate::leaf::Token;
use crate::sequencer::{MAP, SEGMENT, map_entry, read_leaf, segment};
use crate::tree::{Hash, Levels, leaf_hash};

/// The action of the line that a stop in order leaves.
const STOP: &str = "trace.stop";

impl Trace {
    /// Writes a map line; a leaf over all chains so far. Number of the line.
    pub async fn map(&self) -> Result<u64, TraceError> {
        Ok(self.record(self.own(MAP)).await?.line())
    }

    /// Ends the trace in order: refuses every further line, writes the line of the stop, and waits
    /// until a signed checkpoint covers it, so that no later line can be missing unnoticed.
    /// Number of that line.
    ///
    /// Errors: [`TraceError`] when the line cannot be written.
    pub async fn close(&self) -> Result<u64, TraceError> {
        self.stop();
        let line = self.send(Some(self.own(STOP)), vec![], (false, false));
        let line = line.await?.line();
        self.checkpointed(line).await;
        Ok(line)
    }

    /// A line of the trace about itself.
    fn own(&self, action: &'static str) -> Act {
        Act {
            actor: None,
            epoch: 0,
            org: None,
            role: "system".into(),
            action,
            purpose: "trace",
            classes: 0,
            decision: Decision::Allowed,
            policy: String::new(),
            shown: vec![],
            details: None,
            changes: vec![],
            ground: self.ground(),
            touches_subjects: false,
            touches_accounts: false,
        }
    }

    /// The person's statement as JSON text: every entry with its proof, up to a fresh map and checkpoint.
    pub async fn statement(&self, token: &Token) -> Result<String, TraceError> {
        let line = self.map().await?;
        self.checkpointed(line).await;
        let rows = self
            .shared
            .db
            .fetch(
                "SELECT leaf, place FROM trace_leaf WHERE token = ? AND line < ? ORDER BY sequence",
                vec![
                    (&token.0).into(),
                    i64::try_from(line).unwrap_or(i64::MAX).into(),
                ],
            )
            .await?;
        let mut places = Vec::with_capacity(rows.len());
        for row in &rows {
            places.push((
                u64::try_from(row.int(0)?).unwrap_or(0),
                u64::try_from(row.int(1)?).unwrap_or(0),
            ));
        }
        let (dir, key, token) = (
            self.shared.dir.clone(),
            self.shared.signer.verifier_key(),
            *token,
        );
        tokio::task::spawn_blocking(move || build(&dir, &key, &token, line, &places))
            .await
            .map_err(|_| TraceError::Stopped)?
    }
}

fn torn(why: &str) -> TraceError {
    TraceError::Torn(why.into())
}

/// The checkpoint note, the hashes of all leaves up to the map of `line`, and that leaf.
fn build(
    dir: &Path,
    key: &str,
    token: &Token,
    line: u64,
    places: &[(u64, u64)],
) -> Result<String, TraceError> {
    let mut hashes: Vec<Hash> = Vec::new();
    let mut chains = std::collections::BTreeMap::new();
    let mut map = None;
    'files: for number in 0u64.. {
        let Ok(file) = File::open(segment(dir, number * SEGMENT)) else {
            break;
        };
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut head = [0u8; 4];
        while reader.read_exact(&mut head).is_ok() {
            let mut leaf = vec![0u8; (u32::from_be_bytes(head) as usize).min(4096)];
            reader.read_exact(&mut leaf)?;
            let hash = leaf_hash(&leaf);
            hashes.push(hash);
            match leaf.get(1) {
                Some(2) => {
                    let tail = leaf
                        .len()
                        .checked_sub(72)
                        .ok_or_else(|| torn("葉が短すぎます"))?;
                    let who: [u8; 32] = leaf[tail..tail + 32].try_into().map_err(|_| torn("葉"))?;
                    chains
                        .entry(who)
                        .and_modify(|(n, h)| (*n, *h) = (*n + 1, hash))
                        .or_insert((1u64, hash));
                }
                Some(3) if leaf.get(2..10) == Some(&line.to_be_bytes()[..]) => {
                    map = Some(leaf);
                    break 'files;
                }
                _ => {}
            }
        }
    }
    let map = map.ok_or_else(|| torn("地図の葉が見つかりません"))?;
    let size = hashes.len();
    let note = note_at(dir, size as u64)?;
    let levels = Levels::new(hashes);
    let position = chains
        .keys()
        .position(|t| *t == token.0)
        .ok_or_else(|| torn("この人の記録がありません"))?;
    let entries: Vec<Hash> = chains
        .iter()
        .map(|(t, (n, h))| leaf_hash(&map_entry(&Token(*t), *n, h)))
        .collect();
    let encode = |path: Vec<Hash>| path.iter().map(|h| STANDARD.encode(h)).collect::<Vec<_>>();
    if chains.get(&token.0).map(|(count, _)| *count) != Some(places.len() as u64) {
        return Err(torn("この人の記録の件数が、証跡のファイルと異なります"));
    }
    let mut own = Vec::with_capacity(places.len());
    for (index, place) in places {
        let leaf = read_leaf(&segment(dir, *index), *place)?;
        // Token, place in the chain, hash of the leaf before.
        let tail = leaf.last_chunk::<72>().ok_or_else(|| torn("葉"))?;
        if tail[..32] != token.0 || tail[32..40] != (own.len() as u64 + 1).to_be_bytes() {
            return Err(torn("この人の記録の並びが、証跡のファイルと異なります"));
        }
        let path = levels.path(usize::try_from(*index).map_err(|_| torn("葉の番号"))?);
        own.push(json!({"index": index, "leaf": STANDARD.encode(&leaf), "proof": encode(path)}));
    }
    let statement = json!({
        "format": "mimamori-statement-1",
        "key": key,
        "checkpoint": note,
        "token": hex::encode(token.0),
        "entries": own,
        "map": {
            "index": size - 1,
            "leaf": STANDARD.encode(&map),
            "proof": encode(levels.path(size - 1)),
            "position": position,
            "entry_proof": encode(Levels::new(entries).path(position)),
        },
    });
    Ok(statement.to_string())
}

/// The checkpoint whose tree has exactly `size` leaves.
fn note_at(dir: &Path, size: u64) -> Result<String, TraceError> {
    let log = std::fs::read(dir.join("checkpoints.log"))?;
    let mut at = 0usize;
    while let Some(head) = log.get(at..at + 4) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let note = log
            .get(at + 4..at + 4 + length)
            .and_then(|n| std::str::from_utf8(n).ok())
            .ok_or_else(|| torn("checkpoints.log"))?;
        if note
            .lines()
            .nth(1)
            .and_then(|l| l.parse().ok())
            .is_some_and(|n: u64| n == size)
        {
            return Ok(note.to_owned());
        }
        at += 4 + length;
    }
    Err(torn("まだ署名されていません"))
}

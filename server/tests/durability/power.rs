//! The journal of the preloaded library, and the power cut that undoes what no sync followed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Write {
    length: u64,
    at: u64,
    old: Vec<u8>,
}

/// What the journal held.
#[derive(Debug, Default)]
pub struct Counts {
    pub writes: usize,
    pub syncs: usize,
    pub undone: usize,
}

/// Builds the library; `None` where there is no C compiler.
pub fn library(dir: &Path) -> Option<PathBuf> {
    let out = dir.join("power_cut.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cut/preload.c");
    let made = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-fPIC", "-shared", "-o"])
        .arg(&out)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status();
    match made {
        Ok(status) => {
            assert!(status.success(), "the library does not compile");
            Some(out)
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no C compiler: {error}");
            println!("not run: the power cut needs the C compiler cc ({error})");
            None
        }
    }
}

/// Folders that were synced.
pub fn folders(journal: &Path) -> Vec<PathBuf> {
    let bytes = std::fs::read(journal).unwrap();
    let mut rest = bytes.as_slice();
    let mut found = Vec::new();
    while let Some((head, body)) = rest.split_at_checked(27) {
        let named = usize::from(u16::from_ne_bytes([head[1], head[2]]));
        let old = usize::try_from(u64::from_ne_bytes(head[19..27].try_into().unwrap())).unwrap();
        let Some((body, later)) = body.split_at_checked(named + old) else {
            break;
        };
        let path = PathBuf::from(std::str::from_utf8(&body[..named]).unwrap());
        if head[0] == b'S' && path.is_dir() {
            found.push(path);
        }
        rest = later;
    }
    found
}

/// Cuts the power: every write that was not followed by a sync of its file is undone.
pub fn cut(journal: &Path) -> Counts {
    let bytes = std::fs::read(journal).unwrap();
    let (mut pending, mut counts) = (BTreeMap::<PathBuf, Vec<Write>>::new(), Counts::default());
    let mut rest = bytes.as_slice();
    let number = |b: &[u8]| u64::from_ne_bytes(b.try_into().unwrap());
    // The last record may be unfinished: then its write did not begin.
    while let Some((head, body)) = rest.split_at_checked(27) {
        let named = usize::from(u16::from_ne_bytes([head[1], head[2]]));
        let old = usize::try_from(number(&head[19..27])).unwrap();
        let Some((body, later)) = body.split_at_checked(named + old) else {
            break;
        };
        let path = PathBuf::from(std::str::from_utf8(&body[..named]).unwrap());
        if head[0] == b'S' {
            counts.syncs += 1;
            pending.remove(&path);
        } else {
            counts.writes += 1;
            pending.entry(path).or_default().push(Write {
                length: number(&head[3..11]),
                at: number(&head[11..19]),
                old: body[named..].to_vec(),
            });
        }
        rest = later;
    }
    for (path, writes) in pending {
        // A file that was renamed since was synced before; one that is gone has nothing to lose.
        let Ok(file) = OpenOptions::new().write(true).open(&path) else {
            continue;
        };
        for write in writes.iter().rev() {
            file.write_all_at(&write.old, write.at).unwrap();
            file.set_len(write.length).unwrap();
            counts.undone += 1;
        }
    }
    counts
}

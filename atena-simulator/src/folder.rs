//! The other end of the batch files: reads `out/request-N.csv`, lays down `in/answer-N.csv` and `in/list-N.csv`.

use std::fs;
use std::path::{Path, PathBuf};

use mimamori_kernel::clock::Instant;
use sha2::{Digest as _, Sha256};

use crate::{Kind, Mode, World};

/// Header of a request file.
const REQUEST: [&str; 5] = ["行番号", "処理区分", "処理番号", "宛名番号", "個人番号"];
/// Header of an answer file.
const ANSWER: [&str; 6] = [
    "行番号",
    "処理番号",
    "宛名番号",
    "団体内統合宛名番号",
    "結果",
    "理由",
];
/// Header of a list.
const LIST: [&str; 4] = ["行番号", "宛名番号", "団体内統合宛名番号", "個人番号"];

/// The two folders, and how far each sequence has come.
#[derive(Debug)]
pub struct Folder {
    base: PathBuf,
    request: u32,
    answer: u32,
    list: u32,
    /// Answers that are laid down later: after the next one, once more, or whole.
    waiting: Vec<Laid>,
}

#[derive(Debug)]
struct Laid {
    number: u32,
    /// The request file that it answers.
    request: u32,
    body: Vec<u8>,
    count: usize,
}

fn rows(header: &[&str], rows: &[Vec<String>]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header)?;
    for (n, row) in rows.iter().enumerate() {
        writer.write_field((n + 1).to_string())?;
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|e| std::io::Error::other(e.to_string()))
}

impl Folder {
    /// Makes `out` and `in` under `base`.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn new(base: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(base.join("out"))?;
        fs::create_dir_all(base.join("in"))?;
        Ok(Self {
            base,
            request: 0,
            answer: 0,
            list: 0,
            waiting: Vec::new(),
        })
    }

    fn put(&self, laid: &Laid) -> std::io::Result<()> {
        self.put_cut(laid, laid.body.len())
    }

    /// Lays down the first bytes of an answer with the sum of the whole.
    fn put_cut(&self, laid: &Laid, bytes: usize) -> std::io::Result<()> {
        let (count, hash) = (laid.count, hex::encode(Sha256::digest(&laid.body)));
        let end = format!(
            "件数,SHA-256,要求番号\r\n{count},{hash},{}\r\n",
            laid.request
        );
        self.lay(
            &format!("answer-{:08}", laid.number),
            &laid.body[..bytes],
            &end,
        )
    }

    fn lay(&self, name: &str, body: &[u8], end: &str) -> std::io::Result<()> {
        let path = self.base.join("in").join(name);
        fs::write(path.with_extension("tmp"), body)?;
        fs::rename(path.with_extension("tmp"), path.with_extension("csv"))?;
        fs::write(path.with_extension("tmp"), end)?;
        fs::rename(path.with_extension("tmp"), path.with_extension("end"))
    }

    /// Lays down the list as it stands at `now`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn lay_list(&mut self, world: &World, now: Instant) -> std::io::Result<()> {
        self.list += 1;
        let all = world.linked().into_iter();
        let all: Vec<Vec<String>> = all
            .map(|l| vec![l.address_number, l.integrated_number, l.individual_number])
            .collect();
        let body = rows(&LIST, &all)?;
        let hash = hex::encode(Sha256::digest(&body));
        let end = format!(
            "件数,SHA-256,基準日時\r\n{},{hash},{}\r\n",
            all.len(),
            now.office_text()
        );
        self.lay(&format!("list-{:08}", self.list), &body, &end)
    }

    fn check(path: &Path, body: &[u8]) -> std::io::Result<Vec<csv::StringRecord>> {
        let wrong = |why: &str| std::io::Error::other(format!("{}: {why}", path.display()));
        let end = fs::read_to_string(path.with_extension("end"))?;
        let hash = hex::encode(Sha256::digest(body));
        let mut reader = csv::ReaderBuilder::new().from_reader(body);
        if reader.headers().map_err(std::io::Error::other)? != REQUEST.as_slice() {
            return Err(wrong("header"));
        }
        let all: Result<Vec<_>, _> = reader.records().collect();
        let all = all.map_err(std::io::Error::other)?;
        let told = format!("件数,SHA-256\r\n{},{hash}\r\n", all.len());
        if end == told {
            Ok(all)
        } else {
            Err(wrong("count or hash"))
        }
    }

    /// Reads what has come and answers it; a request file whose number was read before is put away unread.
    ///
    /// # Errors
    /// A request file that breaks the form: the connector's fault, so it stops everything.
    pub fn step(&mut self, world: &World) -> std::io::Result<()> {
        let mode = world.mode();
        if mode == Mode::Down {
            return Ok(());
        }
        let (now, later) =
            std::mem::take(&mut self.waiting)
                .into_iter()
                .partition(|laid: &Laid| match mode {
                    Mode::Errors => false,
                    Mode::OutOfOrder => laid.number < self.answer,
                    _ => true,
                });
        self.waiting = later;
        for laid in now {
            self.put(&laid)?;
        }
        let mut ready: Vec<PathBuf> = fs::read_dir(self.base.join("out"))?
            .filter_map(|entry| entry.ok().map(|e| e.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "end"))
            .collect();
        ready.sort();
        for end in ready {
            let path = end.with_extension("csv");
            let name = path
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or_default();
            let sequence: u32 = name
                .trim_start_matches("request-")
                .parse()
                .map_err(std::io::Error::other)?;
            if sequence > self.request + 1 {
                return Err(std::io::Error::other(format!(
                    "{name} came before its turn"
                )));
            }
            if sequence == self.request + 1 {
                let body = fs::read(&path)?;
                let records = Self::check(&path, &body)?;
                self.request = sequence;
                self.answer_to(world, mode, &records)?;
            }
            fs::remove_file(&end)?;
            fs::remove_file(&path)?;
        }
        Ok(())
    }

    fn answer_to(
        &mut self,
        world: &World,
        mode: Mode,
        records: &[csv::StringRecord],
    ) -> std::io::Result<()> {
        let mut answers = Vec::new();
        for record in records {
            let at = |n: usize| record.get(n).unwrap_or_default().to_owned();
            let (kind, number) = match at(1).as_str() {
                "1" => (Kind::Link, Some(at(4))),
                "2" => (Kind::Correct, Some(at(4))),
                _ => (Kind::Delete, None),
            };
            // What goes wrong on the wire is HTTP's; a file shows its faults in its own way.
            let (status, body) = match mode {
                Mode::WrongPerson => world.act(kind, &at(2), &at(3), number.as_deref()),
                _ => world.act_plainly(kind, &at(2), &at(3), number.as_deref()),
            };
            let told = |name: &str| {
                body.get(name)
                    .and_then(|v| v.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let result = if status == 200 { "0" } else { "9" };
            let address = if status == 200 {
                told("address_number")
            } else {
                at(3)
            };
            answers.push(vec![
                at(2),
                address,
                told("integrated_number"),
                result.into(),
                told("code"),
            ]);
        }
        if mode == Mode::Duplicate {
            answers = answers
                .iter()
                .flat_map(|a| [a.clone(), a.clone()])
                .collect();
        }
        if mode == Mode::OutOfOrder {
            answers.reverse();
        }
        self.answer += 1;
        let body = rows(&ANSWER, &answers)?;
        let laid = Laid {
            number: self.answer,
            request: self.request,
            body,
            count: answers.len(),
        };
        match mode {
            Mode::OutOfOrder if self.waiting.is_empty() => self.waiting.push(laid),
            Mode::Errors => {
                // The last byte is missing, the sum is that of the whole file.
                self.put_cut(&laid, laid.body.len() - 1)?;
                self.waiting.push(laid);
            }
            _ => {
                self.put(&laid)?;
                if mode == Mode::Duplicate {
                    self.waiting.push(laid);
                }
            }
        }
        Ok(())
    }
}

//! `mimamori-verify`: judges a trace folder, one person's statement or a signed report.
//!
//! Exit code 0: good; 1: something is wrong; 2: nothing could be judged; 3: nothing is wrong, but
//! the part after the newest checkpoint is longer or older than a writer at work leaves one.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mimamori_verifier::sentences::Sentence;
use mimamori_verifier::{VerifyError, signed, statement, trace};

/// 証跡を独立に検証します。 Verifies a trace independently of the server that wrote it.
#[derive(Parser)]
#[command(name = "mimamori-verify", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 証跡全体 — a whole trace folder
    Trace {
        /// The folder that holds `leaves` and `checkpoints.log`
        folder: PathBuf,
        /// A checkpoint exported earlier; may be given more than once
        #[arg(long, value_name = "FILE")]
        known: Vec<PathBuf>,
        /// The verifier key, from elsewhere than the trace
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// 署名のない部分に許す長さ（秒） — seconds that lines may stand without a signature
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        interval: u64,
        /// 写しを取った時刻（1970年からの秒） — when the folder was copied, for a copy; otherwise now
        #[arg(long, value_name = "UNIX SECONDS")]
        taken: Option<i64>,
        /// 画面や印刷物にあった行の番号 — a line number from a page or print, which must be there
        #[arg(long, value_name = "NUMBER")]
        line: Option<u64>,
    },
    /// 本人への証明書 — the statement for one person
    Statement {
        /// The statement
        file: PathBuf,
        /// A checkpoint exported earlier
        #[arg(long, value_name = "FILE")]
        known: Option<PathBuf>,
        /// The verifier key, from elsewhere than the statement
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// 日本語だけで表示します — Japanese only
        #[arg(long)]
        ja: bool,
    },
    /// 署名つきの分析報告 — a signed analysis report
    Note {
        /// The report
        file: PathBuf,
        /// The verifier key (`trace/key.pub`), kept from elsewhere than the report
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(Judged::Good) => ExitCode::SUCCESS,
        Ok(Judged::Wrong) => ExitCode::from(1),
        Ok(Judged::Overdue) => ExitCode::from(3),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "読み取れません。 {error}");
            ExitCode::from(2)
        }
    }
}

/// What the exit code tells.
enum Judged {
    Good,
    Wrong,
    Overdue,
}

fn good(good: bool) -> Judged {
    if good { Judged::Good } else { Judged::Wrong }
}

/// The wall clock, microseconds since 1970-01-01 UTC: judges how old the unsigned part is.
#[expect(
    clippy::disallowed_methods,
    reason = "an outside program: nothing of the product's clock reaches it"
)]
fn now() -> Option<i64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.ok()?.as_micros()).ok()
}

fn run(command: Command) -> Result<Judged, VerifyError> {
    match command {
        Command::Trace {
            folder,
            known,
            key,
            interval,
            taken,
            line,
        } => {
            let report = trace::verify(
                &folder,
                &trace::Options {
                    key,
                    known,
                    interval: Duration::from_secs(interval),
                    now: taken.map_or_else(now, |seconds| seconds.checked_mul(1_000_000)),
                    line,
                    ..trace::Options::default()
                },
            )?;
            print(&report.sentences(), false);
            Ok(match report.overdue {
                true if report.good() => Judged::Overdue,
                _ => good(report.good()),
            })
        }
        Command::Statement {
            file,
            known,
            key,
            ja,
        } => {
            let report = statement::verify(&file, known.as_deref(), key.as_deref())?;
            print(&report.sentences(), ja);
            Ok(good(report.good()))
        }
        Command::Note { file, key } => {
            let (text, right) = match signed::verify(&file, &key)? {
                Ok(signed) => {
                    let lines = signed.lines.join("\n");
                    let ja = format!(
                        "署名は正しく、内容は変わっていません（鍵 {}）。",
                        signed.signer
                    );
                    let en = format!(
                        "The signature is good and nothing was changed (key {}).",
                        signed.signer
                    );
                    (format!("{lines}\n\n{ja}\n{en}\n"), true)
                }
                Err(why) => {
                    let ja = format!("この鍵で署名された報告ではありません（{}）。", why.ja());
                    (
                        format!("{ja}\nThis is not a report signed by this key: {why}.\n"),
                        false,
                    )
                }
            };
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(good(right))
        }
    }
}

/// A reader that closed the pipe changes nothing about the exit code.
fn print(sentences: &[Sentence], ja_only: bool) {
    let mut text: String = sentences
        .iter()
        .map(|sentence| format!("{}\n", sentence.ja))
        .collect();
    if !ja_only {
        text.push('\n');
        text.extend(
            sentences
                .iter()
                .map(|sentence| format!("{}\n", sentence.en)),
        );
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
}

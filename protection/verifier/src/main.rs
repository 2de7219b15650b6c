//! `mimamori-verify`: judges a trace folder or one person's statement.
//!
//! Exit code 0: good; 1: something is wrong; 2: nothing could be judged.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimamori_verifier::sentences::Sentence;
use mimamori_verifier::{VerifyError, statement, trace};

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
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "読み取れません。 {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<bool, VerifyError> {
    match command {
        Command::Trace { folder, known, key } => {
            let report = trace::verify(
                &folder,
                &trace::Options {
                    key,
                    known,
                    ..trace::Options::default()
                },
            )?;
            print(&report.sentences(), false);
            Ok(report.good())
        }
        Command::Statement {
            file,
            known,
            key,
            ja,
        } => {
            let report = statement::verify(&file, known.as_deref(), key.as_deref())?;
            print(&report.sentences(), ja);
            Ok(report.good())
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

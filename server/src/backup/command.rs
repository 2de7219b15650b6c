//! `mimamori backup …`.

use std::path::PathBuf;

use clap::Subcommand;
use mimamori_backup::{Check, Generation, Repository};
use mimamori_kernel::clock::Instant;

use super::{Keep, Maker, Without, drill, repository, restore};
use crate::config::Config;
use crate::error::StartError;
use crate::instance::Instance;

/// What can be done with backups.
#[derive(Subcommand)]
pub enum Command {
    /// 次の世代を作る（サービスを止めているとき。動いているときは毎晩サービスが作る）
    Create {
        /// データフォルダ
        #[arg(long)]
        data: PathBuf,
        /// 変わった部分だけでなく、すべてを控える
        #[arg(long)]
        full: bool,
    },
    /// 世代の一覧
    List {
        /// データフォルダ
        #[arg(long)]
        data: PathBuf,
    },
    /// すべての世代のファイルが書いたときのままか確かめる（鍵はいらない）
    Verify {
        /// 控えのフォルダ
        #[arg(long)]
        from: PathBuf,
    },
    /// 新しいデータフォルダに戻す
    Restore {
        /// 控えのフォルダ
        #[arg(long)]
        from: PathBuf,
        /// 世代の番号（省くと最新）
        #[arg(long)]
        number: Option<u64>,
        /// age の秘密鍵のファイル
        #[arg(long)]
        identity: PathBuf,
        /// 別に保管している keys フォルダ
        #[arg(long)]
        keys: PathBuf,
        /// 別に保管している個人番号の鍵のフォルダ（numbers/keys）
        #[arg(long)]
        numbers_keys: Option<PathBuf>,
        /// 失効の記録（[backup] の journal のフォルダにあるファイル）。この世代より新しいもの
        #[arg(long, required_unless_present = "without_journal")]
        journal: Option<PathBuf>,
        /// 失効の記録がどこにもないときの理由。証跡に残り、確かめるまでホームに赤く出る
        #[arg(long, value_enum, conflicts_with = "journal")]
        without_journal: Option<Without>,
        /// PostgreSQL の控えのとき: 空のデータベースの接続文字列だけを書いたファイル
        #[arg(long)]
        postgres_url_file: Option<PathBuf>,
        /// 新しいデータフォルダ
        #[arg(long)]
        to: PathBuf,
    },
    /// 失効の記録なしで戻したあと、失効と抹消をやり直したと証跡に記録する（サービスを止めて使う）
    Checked {
        /// データフォルダ
        #[arg(long)]
        data: PathBuf,
    },
    /// 復元訓練: 仮の場所に戻して比べ、消す（サービスは動いたままでよい）
    Drill {
        /// データフォルダ
        #[arg(long)]
        data: PathBuf,
        /// 世代の番号（省くと最新）
        #[arg(long)]
        number: Option<u64>,
        /// age の秘密鍵のファイル
        #[arg(long)]
        identity: PathBuf,
    },
}

fn line(generation: &Generation) -> String {
    let kind = match generation.base {
        None => "全部".to_owned(),
        Some(base) => format!("差分（第{base}世代から）"),
    };
    format!(
        "第{}世代 {} {kind} {}バイト 証跡の行{}まで",
        generation.number,
        Instant(generation.at).office().strftime("%Y-%m-%d %H:%M"),
        generation.bytes,
        generation
            .facts
            .get("trace/line")
            .map_or("不明", String::as_str),
    )
}

/// Runs one of them.
///
/// # Errors
/// [`StartError`]; also when a check or a drill finds something, so that the exit status tells it.
#[expect(clippy::print_stdout, reason = "the command line answers here")]
pub async fn run(command: Command) -> Result<(), StartError> {
    match command {
        Command::Create { data, full } => {
            let instance = Instance::open(&data).await?;
            println!("{}", line(&Maker::new(&instance).create(full).await?));
            Ok(())
        }
        Command::List { data } => {
            let config = Config::load(&data)?;
            let all = repository(&data, &config)?.generations()?;
            all.iter().for_each(|g| println!("{}", line(g)));
            if all.is_empty() {
                println!("控えはまだありません。");
            }
            Ok(())
        }
        Command::Verify { from } => {
            let found = Repository::at(&from).check()?;
            let mut bad = 0;
            for (generation, check) in &found {
                let word = match check {
                    Check::Good => "正常",
                    Check::Missing => "ファイルがありません",
                    Check::Changed => "書いたときと違います",
                    Check::Baseless => "もとの世代が使えません",
                };
                bad += usize::from(*check != Check::Good);
                println!("{}: {word}", line(generation));
            }
            for name in Repository::at(&from).unlisted()? {
                bad += 1;
                println!("{name}: 一覧（catalog.json）にないファイルです");
            }
            match (found.is_empty(), bad) {
                (true, _) => Err(StartError::State("控えがありません。".into())),
                (_, 0) => Ok(()),
                (_, bad) => Err(StartError::State(format!("使えない世代が{bad}あります。"))),
            }
        }
        Command::Restore {
            from,
            number,
            identity,
            keys,
            numbers_keys,
            journal,
            without_journal,
            postgres_url_file,
            to,
        } => {
            let keep = Keep {
                identity: &identity,
                keys: &keys,
                numbers_keys: numbers_keys.as_deref(),
                journal: journal
                    .as_deref()
                    .ok_or(without_journal.unwrap_or(Without::Lost)),
                postgres_url_file: postgres_url_file.as_deref(),
            };
            let manifest = restore(&from, number, &keep, &to).await?;
            println!(
                "第{}世代（{}、証跡の行{}まで）を {} に戻し、署名と照らし合わせました。",
                manifest.number,
                Instant(manifest.at).office_text(),
                manifest
                    .facts
                    .get("trace/line")
                    .map_or("不明", String::as_str),
                to.display()
            );
            println!(
                "{}",
                match without_journal {
                    None =>
                        "控えのあとに行われた失効と抹消は、最初に始めるときにもう一度行います。",
                    Some(_) =>
                        "控えのあとに行われた失効や抹消は戻っています。もう一度行い、mimamori backup checked で記録してください。",
                }
            );
            if manifest.files.iter().any(|f| f.name == super::NUMBERS)
                && !to.join("numbers/keys").exists()
            {
                println!(
                    "個人番号の鍵のフォルダを {} に戻してください。",
                    to.join("numbers/keys").display()
                );
            }
            Ok(())
        }
        Command::Checked { data } => {
            let instance = Instance::open(&data).await?;
            super::checked(&instance).await?;
            println!("確かめたことを証跡に記録しました。");
            Ok(())
        }
        Command::Drill {
            data,
            number,
            identity,
        } => {
            let report = drill(&data, number, &identity).await?;
            println!(
                "第{}世代: 表{}、封印された言葉{}件を確かめました（{}秒）",
                report.number, report.tables, report.opened, report.seconds
            );
            if let Some(tried) = report.numbers {
                println!(
                    "個人番号: {}件の検査値が合い、{}件を開いて検査数字と索引を確かめました",
                    tried.rows, tried.opened
                );
            }
            report.findings.iter().for_each(|f| println!("{f}"));
            match report.findings.len() {
                0 => Ok(()),
                n => Err(StartError::State(format!(
                    "復元訓練で{n}件の食い違いがありました。"
                ))),
            }
        }
    }
}

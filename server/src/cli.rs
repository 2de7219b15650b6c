//! Command line, for operators; everything else is done on screen.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use mimamori_gate::permission_table;
use mimamori_kernel::error::Coded as _;
use mimamori_residents::{action, import};
use mimamori_testkit::{HUGE, TownArgs, write_dirty_town, write_town};

use crate::config::{Config, Contact, Environment, Zone};
use crate::error::StartError;
use crate::instance::{Instance, database, migrations};
use crate::serve::serve;
use crate::web::Site;
use crate::{backup, demo, init};

/// 見守り: 介護と健康の記録を扱う自治体のシステム
#[derive(Parser)]
#[command(name = "mimamori", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum ZoneName {
    Number,
    Lgwan,
    Resident,
}

#[derive(Subcommand)]
enum Command {
    /// 見本の町を作り、役割を選んで試せる画面を開く（この機械の中だけ）
    Demo {
        #[command(flatten)]
        town: Town,
        /// データフォルダ（デモの印があるものだけを作り直す）
        #[arg(long, default_value = "demo-data")]
        data: PathBuf,
        /// ポート番号
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Durability of the embedded database; only for the durability test.
        #[arg(long, hide = true)]
        synchronous: Option<String>,
    },
    /// データフォルダ、鍵、最初の運営管理責任者を作る
    Init {
        #[arg(long)]
        data: PathBuf,
        /// 町の名前（半角。証跡の署名の名前にもなる）
        #[arg(long)]
        town: String,
        #[arg(long, value_enum, default_value = "number")]
        zone: ZoneName,
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// PostgreSQL を使うとき: 接続文字列だけを書いたファイル（データフォルダからの場所）
        #[arg(long)]
        postgres_url_file: Option<PathBuf>,
    },
    /// サービスを始める
    Serve {
        #[arg(long)]
        data: PathBuf,
    },
    /// 個人番号の部屋（サービスが自分で始める。手では使わない）
    #[command(hide = true)]
    Numbers {
        #[arg(long)]
        data: PathBuf,
    },
    /// 個人番号の控えを確かめる（復元訓練が自分で使う）
    #[command(hide = true)]
    NumbersDrill {
        #[arg(long)]
        data: PathBuf,
        #[arg(long)]
        copy: PathBuf,
        /// 開いて確かめる件数
        #[arg(long, default_value_t = crate::numbers::SAMPLE)]
        sample: usize,
    },
    /// 個人番号の鍵暗号化鍵を新しくする（サービスを止めて使う。データの鍵は画面で替える）
    NumbersKey {
        #[arg(long)]
        data: PathBuf,
    },
    /// データベースを新しい版の形に移す
    Migrate {
        #[arg(long)]
        data: PathBuf,
    },
    /// 設定を確かめる
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// データフォルダの健康を確かめる
    Doctor {
        #[arg(long)]
        data: PathBuf,
    },
    /// 見本の町のファイルを作る
    SampleTown {
        #[command(flatten)]
        town: Town,
        /// 書き出すフォルダ
        #[arg(long)]
        out: PathBuf,
        /// 誤りを混ぜ、その一覧 planted.csv も書き出す
        #[arg(long)]
        dirty: bool,
    },
    /// 住民と世帯のファイルを取り込む
    Import {
        #[arg(long)]
        data: PathBuf,
        /// residents.csv と households.csv のあるフォルダ
        #[arg(long)]
        from: PathBuf,
        /// 誤りのある人と世帯を今の記録のままにして、正しい行だけを取り込む
        #[arg(long)]
        good_rows: bool,
        /// 被保険者番号の最後の桁を検査数字（モジュラス10）として確かめる
        #[arg(long)]
        check_digit: bool,
        /// 住民の数が1割より多く減っても取り込む
        #[arg(long)]
        allow_fewer: bool,
    },
    /// 介護保険の資格を計算する（サービスを止めているとき。動いているサービスは毎晩自分で計算する）
    Qualify {
        #[arg(long)]
        data: PathBuf,
    },
    /// 控えを作る、確かめる、戻す
    Backup {
        #[command(subcommand)]
        what: backup::command::Command,
    },
    /// 運営管理責任者の初期パスワードを作り直す（申請・承認できる人がほかにいないとき。サービスを止めて使う）
    ReissueManager {
        #[arg(long)]
        data: PathBuf,
        /// 運営管理責任者のID
        #[arg(long)]
        login: String,
    },
    /// 権限の表を文字で出す
    PermissionTable,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// mimamori.toml を確かめる
    Check {
        #[arg(long)]
        data: PathBuf,
    },
}

#[derive(clap::Args)]
struct Town {
    /// 人数
    #[arg(long, default_value_t = 93_000)]
    people: u32,
    /// 乱数の種
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 基準日
    #[arg(long, default_value = "2026-11-21")]
    as_of: jiff::civil::Date,
}

impl From<Town> for TownArgs {
    fn from(town: Town) -> Self {
        Self {
            people: town.people,
            seed: town.seed,
            as_of: town.as_of,
        }
    }
}

/// Runs the command of this process.
#[expect(clippy::print_stderr, reason = "the command line tells why it failed")]
pub fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        // A log on a full disk must not end the task that wanted to write to it.
        .log_internal_errors(false)
        .init();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mimamori: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(command(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mimamori: {error}\n  [{}] {}", error.code(), error.advice());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command line answers here")]
async fn command(command: Command) -> Result<(), StartError> {
    match command {
        Command::Demo {
            town,
            data,
            port,
            synchronous,
        } => demo::run(&data, town.into(), port, synchronous).await,
        Command::Init {
            data,
            town,
            zone,
            listen,
            postgres_url_file,
        } => {
            let zone = match zone {
                ZoneName::Number => Zone::Number,
                ZoneName::Lgwan => Zone::Lgwan,
                ZoneName::Resident => Zone::Resident,
            };
            let config = Config {
                postgres_url_file,
                ..Config::new(zone, Environment::Production, &town, listen)
            };
            let (login, code) = init::init(&data, &config).await?;
            println!(
                "用意できました。一人目の運営管理責任者の初期パスワードです。一度しか表示しません。\n\n  ID              {login}\n  初期パスワード  {code}\n"
            );
            println!("次に: mimamori serve --data {}", data.display());
            Ok(())
        }
        Command::Serve { data } => {
            if init::unfinished(&data) {
                return Err(StartError::State(
                    "init が途中で止まっています。もう一度 mimamori init を実行してください。"
                        .into(),
                ));
            }
            let instance = Instance::open(&data).await?;
            if instance.config.environment == Environment::Demo {
                return Err(StartError::State(
                    "デモのフォルダは mimamori demo でだけ開けます。".into(),
                ));
            }
            println!(
                "http{}://{}",
                if instance.config.tls.is_some() {
                    "s"
                } else {
                    ""
                },
                instance.config.listen
            );
            crate::numbers::prepare(&data, &instance.config)?;
            let site = Site::new(&instance);
            serve(&instance, site).await
        }
        Command::Numbers { data } => crate::numbers::run(&data).await,
        Command::NumbersDrill { data, copy, sample } => {
            let proof = match crate::numbers::try_copy(&data, &copy, sample).await {
                Ok(tried) => crate::numbers::Proof::Good(tried),
                Err(error) => crate::numbers::Proof::Bad(error.to_string()),
            };
            let text =
                serde_json::to_string(&proof).map_err(|e| StartError::State(e.to_string()))?;
            println!("{text}");
            Ok(())
        }
        Command::NumbersKey { data } => {
            let old = crate::numbers::replace_key(&data).await?;
            println!(
                "新しい鍵に替えました。新しい鍵の控えを取り、前の鍵 {} は、それより前の控えを捨てるまで別の場所に保管してください。",
                old.display()
            );
            Ok(())
        }
        Command::Migrate { data } => {
            println!("移行した手順: {}", Instance::migrate(&data).await?);
            Ok(())
        }
        Command::Config {
            what: ConfigCommand::Check { data },
        } => {
            let config = Config::load(&data)?;
            config.check_files(&data)?;
            println!(
                "設定に問題はありません（zone = {:?}、listen = {}）。",
                config.zone, config.listen
            );
            Ok(())
        }
        Command::Doctor { data } => doctor(&data).await,
        Command::SampleTown { town, out, dirty } => {
            std::fs::create_dir_all(&out).map_err(StartError::file(&out))?;
            let (counts, planted) = tokio::task::spawn_blocking(move || match dirty {
                true => write_dirty_town(&town.into(), HUGE, &out)
                    .map(|d| (d.clean, Some(d.planted.len()))),
                false => write_town(&town.into(), &out).map(|counts| (counts, None)),
            })
            .await
            .map_err(|e| StartError::State(e.to_string()))??;
            println!(
                "{}",
                serde_json::to_string_pretty(&counts)
                    .map_err(|e| StartError::State(e.to_string()))?
            );
            if let Some(planted) = planted {
                println!("混ぜた誤り {planted}件（planted.csv）。件数は誤りを混ぜる前のものです。");
            }
            Ok(())
        }
        Command::Import {
            data,
            from,
            good_rows,
            check_digit,
            allow_fewer,
        } => {
            let mut order = import::Order::folder(&from);
            order.layout.check_digit = check_digit;
            order.allow_fewer = allow_fewer;
            if good_rows {
                order.accept = import::Accept::Good;
            }
            import_files(&data, &order).await
        }
        Command::Qualify { data } => {
            let instance = Instance::open(&data).await?;
            let done = crate::insurance::derive(&instance).await?;
            println!(
                "資格の計算: 対象{}人、更新{}人、確認待ち{}人、付番{}人、番号の重複{}人",
                done.persons, done.changed, done.questions, done.numbered, done.doubled
            );
            Ok(())
        }
        Command::Backup { what } => backup::command::run(what).await,
        Command::ReissueManager { data, login } => {
            let instance = Instance::open(&data).await?;
            let code = init::reissue(&instance, &login).await?;
            println!(
                "初期パスワードです。一度しか表示しません。本人に手渡してください。\n\n  ID              {login}\n  初期パスワード  {code}"
            );
            Ok(())
        }
        Command::PermissionTable => {
            print!("{}", table()?);
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command line answers here")]
fn listed(findings: &[import::Finding]) {
    for row in findings {
        println!(
            "{} {}行 {}: {}（{}） [{}]",
            row.sheet.name(),
            row.row,
            row.item(),
            row.fault.sentence(),
            row.weight(),
            row.fault.code()
        );
    }
}

#[expect(clippy::print_stdout, reason = "the command line answers here")]
async fn import_files(data: &Path, order: &import::Order) -> Result<(), StartError> {
    let instance = Instance::open(data).await?;
    if instance.config.environment == Environment::Demo {
        return Err(StartError::State(
            "デモのフォルダには、実際のデータを取り込めません。".into(),
        ));
    }
    let permit = instance.gate.job(action::IMPORT, None).await?;
    match import::run(
        &permit,
        &*instance.random,
        order,
        &import::Progress::default(),
    )
    .await
    {
        Ok(o) => {
            println!(
                "{}人（被保険者{} 世帯員{}）、履歴{}行、世帯{}（証跡の行 {}）",
                o.persons, o.insured, o.members, o.rows, o.households, o.line
            );
            listed(&o.findings);
            if o.kept + o.left_out > 0 {
                println!("据置き{}人、見送り{}人", o.kept, o.left_out);
            }
            instance.trace.checkpointed(o.line).await;
            Ok(())
        }
        Err(import::ImportError::Refused(rows)) => {
            listed(&rows);
            Err(import::ImportError::Refused(rows).into())
        }
        Err(error) => Err(error.into()),
    }
}

#[expect(clippy::print_stdout, reason = "the command line answers here")]
async fn doctor(data: &Path) -> Result<(), StartError> {
    let config = Config::load(data)?;
    config.check_files(data)?;
    println!("設定        正常");
    crate::instance::private(data)?;
    mimamori_encryption::Keys::load(&data.join("keys"))?;
    println!("鍵          正常（フォルダと鍵は所有者だけが読めます）");
    let lock = match crate::instance::lock(data) {
        Err(StartError::Locked) => {
            println!("サービス    動いています（データベースは止めてから確かめられます）");
            return contact(&config);
        }
        other => other?,
    };
    if config.zone.has_residents() && config.care_insurance.is_none() {
        println!(
            "介護保険    [care_insurance] がありません（被保険者証を印刷できず、被保険者番号も付けません）"
        );
    }
    if let Some(told) = backup::doctor(data, &config) {
        println!("{told}");
    }
    let db = database(data, &config).await?;
    let open = mimamori_storage::pending(&db, &migrations()).await?;
    println!(
        "データベース {}",
        if open.is_empty() {
            "正常".into()
        } else {
            format!("移行が必要: {}", open.join(", "))
        }
    );
    db.close().await;
    let probe = data.join("doctor.probe");
    let started = std::time::Instant::now();
    for _ in 0..20 {
        std::fs::File::create(&probe)
            .and_then(|mut f| {
                std::io::Write::write_all(&mut f, &[0; 4096]).and_then(|()| f.sync_data())
            })
            .map_err(StartError::file(&probe))?;
    }
    println!(
        "書き込み    1回 {:.1} ミリ秒（20回の平均、fdatasync まで）",
        started.elapsed().as_secs_f64() * 50.0
    );
    std::fs::remove_file(&probe).map_err(StartError::file(&probe))?;
    drop(lock);
    let instance = Instance::open(data).await?;
    println!(
        "証跡        開けます（署名済みの最後の行 {}）。改ざんの有無は mimamori-verify trace {} で確かめます",
        instance.trace.checkpoint_line(),
        data.join("trace").display()
    );
    contact(&config)
}

/// Whom users can tell; production needs it.
#[expect(clippy::print_stdout, reason = "the command line answers here")]
fn contact(config: &Config) -> Result<(), StartError> {
    let contact = config.contact.as_ref().filter(|c| !c.is_empty());
    println!(
        "連絡先      {}",
        contact.map_or_else(|| "設定されていません".into(), Contact::line)
    );
    if contact.is_none() && config.environment == Environment::Production {
        return Err(StartError::Config(
            "連絡先がありません。mimamori.toml の [contact] に office と、telephone か mail を書いてください".into(),
        ));
    }
    Ok(())
}

/// The permission table, without a data directory.
pub fn table() -> Result<String, StartError> {
    let rules = mimamori_gate::Rules::new(crate::instance::ROOMS)?;
    Ok(permission_table(&rules))
}

//! 統合宛名の模擬: `atena-simulator certificates FOLDER`, `atena-simulator serve …`.
#![expect(clippy::print_stdout, reason = "the command line says what it does")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mimamori_atena_simulator::{
    Addresses, Contract, Folder, Mode, Simulator, Tls, World, people, write_certificates,
};
use mimamori_kernel::clock::{Clock as _, SystemClock};

#[derive(Parser)]
#[command(
    name = "atena-simulator",
    about = "統合宛名の模擬（試験用。実在の仕様ではなく、想定です）"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 試験用の認証局と、サーバー・クライアントの証明書をフォルダに作る
    Certificates {
        /// 書き出すフォルダ
        folder: PathBuf,
    },
    /// 待ち受ける
    Serve {
        /// certificates で作ったフォルダ
        #[arg(long)]
        certificates: PathBuf,
        /// HTTPS の待ち受け先
        #[arg(long, default_value = "127.0.0.1:8843")]
        listen: SocketAddr,
        /// 動きを切り替える口（このマシンの中だけ。例: curl -X POST http://127.0.0.1:8844/mode/down）
        #[arg(long, default_value = "127.0.0.1:8844")]
        control: SocketAddr,
        /// ファイル連携のフォルダ（out と in）
        #[arg(long)]
        folder: Option<PathBuf>,
        /// 架空の人の数
        #[arg(long, default_value_t = 1_000)]
        people: u32,
        /// 乱数の種
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 最初の動き: normal, down, slow, duplicate, out-of-order, wrong-person, errors
        #[arg(long, default_value = "normal")]
        mode: String,
        /// slow のときに答えるまでのミリ秒
        #[arg(long, default_value_t = 5_000)]
        late: u64,
    },
}

async fn run(cli: Cli) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    match cli.command {
        Command::Certificates { folder } => {
            write_certificates(&folder).map_err(told)?;
            println!("{} に証明書を作りました。", folder.display());
            Ok(())
        }
        Command::Serve {
            certificates,
            listen,
            control,
            folder,
            people: count,
            seed,
            mode,
            late,
        } => {
            if !control.ip().is_loopback() {
                return Err("--control は、このマシンの中のアドレスにしてください。".into());
            }
            let world = Arc::new(World::new(people(count, seed)));
            world.set_mode(Mode::from_name(&mode).ok_or("--mode の値が正しくありません。")?);
            let contract = Contract::read(include_str!("../../docs/api/atena.json"))?;
            let addresses = Addresses {
                service: listen,
                control: Some(control),
            };
            let late = Duration::from_millis(late);
            let tls = Tls::in_folder(&certificates);
            let running = Simulator::start(world.clone(), contract, &tls, addresses, late)
                .await
                .map_err(told)?;
            let control = running
                .addresses
                .control
                .map(|a| a.to_string())
                .unwrap_or_default();
            println!(
                "listening https://{} control http://{control}",
                running.addresses.service
            );
            let mut folder = folder.map(Folder::new).transpose().map_err(told)?;
            let (clock, mut day) = (SystemClock::new(), None);
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => return Ok(()),
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
                if let Some(folder) = &mut folder {
                    folder.step(&world).map_err(told)?;
                    let today = Some(clock.now().office_day());
                    if day != today && world.mode() != Mode::Down {
                        folder.lay_list(&world, clock.now()).map_err(told)?;
                        day = today;
                    }
                }
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

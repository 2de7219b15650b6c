//! The numbers room of this instance: a child process that alone opens `numbers/` (docs/decisions/0027).

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use mimamori_kernel::clock::SystemClock;
use mimamori_kernel::random::SystemRandom;
use mimamori_numbers::{Client, Kek, KekSource, Room, Tried, Window};
use tokio::io::AsyncReadExt as _;

use mimamori_care_insurance::numbers::Numbers;

use crate::config::{self, Config, Environment};
use crate::error::StartError;

/// Folder of the room in the data directory.
pub const FOLDER: &str = "numbers";

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join(FOLDER).join(name)
}

/// The database of the room.
pub fn database(dir: &Path) -> PathBuf {
    file(dir, "numbers.db")
}

/// The socket between the web process and the room.
pub fn socket(dir: &Path) -> PathBuf {
    file(dir, "control.sock")
}

/// References that the room erases before it serves, after a restore; one a line.
pub(crate) fn erase_list(dir: &Path) -> PathBuf {
    file(dir, "ERASE")
}

/// The web process's way to the room, where one is set. A demo's room is found under the name that the page was
/// asked by.
pub(crate) fn desk(dir: &Path, config: &Config) -> Option<Numbers> {
    let setting = config.numbers.as_ref()?;
    let named = || {
        let (scheme, rest) = setting
            .web_origin
            .split_once("://")
            .unwrap_or(("http", "localhost"));
        let host = match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        };
        format!("{scheme}://{host}:{}", setting.listen.port())
    };
    let origin = match config.environment {
        Environment::Demo => None,
        Environment::Production => Some(setting.origin.clone().unwrap_or_else(named)),
    };
    Some(Numbers::new(Client::new(socket(dir)), origin))
}

fn source(dir: &Path, setting: &config::Numbers) -> KekSource {
    match &setting.passphrase_file {
        Some(words) => KekSource::Passphrase(dir.join(words)),
        None => KekSource::File(dir.join(&setting.key_file)),
    }
}

/// The folder, and the key that wraps the others when there is none yet and nothing is encrypted under it.
///
/// # Errors
/// [`StartError`]; a key that is missing beside a database is never made anew.
pub fn prepare(dir: &Path, config: &Config) -> Result<(), StartError> {
    let Some(setting) = &config.numbers else {
        return Ok(());
    };
    crate::backup::private_folder(&dir.join(FOLDER))?;
    let key = dir.join(&setting.key_file);
    if setting.passphrase_file.is_some() || key.exists() || database(dir).exists() {
        return Ok(());
    }
    Kek::create(&key, &SystemRandom)?;
    Ok(())
}

/// Nobody of the same user may look into this process, and it leaves no core.
fn closed() -> Result<(), StartError> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let done = setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    done.map_err(|e| StartError::State(format!("プロセスを閉じられません（{e}）")))
}

/// `mimamori numbers`: the room's own process. It ends with its standard input, so that it never outlives the service.
///
/// # Errors
/// [`StartError`]: no setting, another key, a database that was put back, an address in use.
pub async fn run(dir: &Path) -> Result<(), StartError> {
    let config = Config::load(dir)?;
    let Some(setting) = config.numbers.clone() else {
        return Err(StartError::State(
            "mimamori.toml に [numbers] の設定がありません。".into(),
        ));
    };
    closed()?;
    crate::instance::private(dir)?;
    let _lock = crate::instance::lock(&dir.join(FOLDER))?;
    let listener = TcpListener::bind(setting.listen)
        .and_then(|l| l.set_nonblocking(true).map(|()| l))
        .map_err(StartError::file(setting.listen.to_string()))?;
    let port = listener
        .local_addr()
        .map_err(StartError::file(setting.listen.to_string()))?
        .port();
    let secure = config.tls.is_some() || !config.trusted_proxy.is_empty();
    // With TLS of its own the room is no proxy's.
    let proxies = match config.tls {
        Some(_) => vec![],
        None => config.trusted_proxy.clone(),
    };
    let window = Window {
        port,
        cookie: crate::web::cookie_name(secure).into(),
        parents: parents(&config, &setting),
        tls: secure,
        seconds: setting.seconds,
        proxies,
    };
    settled(dir, &setting).await?;
    let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
    let room = Room::open(
        &database(dir),
        &source(dir, &setting),
        window,
        setting.limits(),
        clock,
        random,
    )
    .await?;
    let erase = erase_list(dir);
    if erase.exists() {
        let list = std::fs::read_to_string(&erase).map_err(StartError::file(&erase))?;
        room.erase(&list).await?;
        std::fs::remove_file(&erase).map_err(StartError::file(&erase))?;
    }
    if let Some(link) = &setting.link {
        // The same as the room's own TLS; installed already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let told = |error: mimamori_numbers::link::LinkError| StartError::State(error.to_string());
        room.connect(link, dir).map_err(told)?;
    }
    let control = mimamori_numbers::bind(&socket(dir))?;
    tokio::spawn(mimamori_numbers::answer(control, room.clone()));
    let handle = Handle::new();
    tokio::spawn(end(handle.clone()));
    let service = room
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let broken = StartError::file(setting.listen.to_string());
    match &config.tls {
        Some(tls) => {
            let (certificate, key) = (dir.join(&tls.certificate), dir.join(&tls.key));
            let tls = RustlsConfig::from_pem_file(&certificate, key).await;
            let tls = tls.map_err(StartError::file(certificate))?;
            let server =
                axum_server::from_tcp_rustls(listener, tls).map_err(StartError::file("tls"))?;
            server.handle(handle).serve(service).await.map_err(broken)?;
        }
        None => {
            let server = axum_server::from_tcp(listener).map_err(StartError::file("tcp"))?;
            server.handle(handle).serve(service).await.map_err(broken)?;
        }
    }
    room.close().await;
    Ok(())
}

/// Numbers of a copy that a drill opens.
pub(crate) const SAMPLE: usize = 50;

/// `mimamori numbers-drill`: proves a copy of the room's database with the key of the live room, in a process of its own;
/// counts alone come out of it, as one line of JSON.
///
/// # Errors
/// [`StartError`]: no setting, another key, a copy that was changed.
pub async fn try_copy(dir: &Path, copy: &Path, sample: usize) -> Result<Tried, StartError> {
    let config = Config::load(dir)?;
    let Some(setting) = config.numbers else {
        return Err(StartError::State(
            "mimamori.toml に [numbers] の設定がありません。".into(),
        ));
    };
    closed()?;
    Ok(Room::tried(copy, &source(dir, &setting), sample).await?)
}

/// What the process that proves a copy answers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It can be read.
    Good(Tried),
    /// It cannot, and why; never a number.
    Bad(String),
}

/// Lets a process of its own prove a copy; this one never opens a number.
///
/// # Errors
/// [`StartError`] when the process could not be asked.
pub(crate) async fn proof(dir: &Path, copy: &Path) -> Result<Proof, StartError> {
    let program = std::env::current_exe().map_err(StartError::file("mimamori"))?;
    let out = tokio::process::Command::new(program)
        .args(["numbers-drill", "--data"])
        .arg(dir)
        .arg("--copy")
        .arg(copy)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(StartError::file("mimamori"))?;
    serde_json::from_slice(&out.stdout)
        .map_err(|_| StartError::State("個人番号の控えを確かめるプロセスが答えません。".into()))
}

/// Whose pages may frame the room's. A demo is reached by either name of this machine.
fn parents(config: &Config, setting: &config::Numbers) -> Vec<String> {
    let mut out = vec![setting.web_origin.clone()];
    if config.environment == Environment::Demo {
        out.push(format!("http://127.0.0.1:{}", config.listen.port()));
    }
    out
}

/// Standard input ends with the process that holds its other side.
async fn end(handle: Handle<SocketAddr>) {
    let mut nothing = [0; 64];
    let mut input = tokio::io::stdin();
    while matches!(input.read(&mut nothing).await, Ok(n) if n > 0) {}
    handle.graceful_shutdown(Some(Duration::from_secs(2)));
}

/// Keeps the room's process running beside the service; it ends with the service.
pub async fn keep(dir: PathBuf) {
    let mut pause = Duration::from_millis(500);
    loop {
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => {
                tracing::error!(%error, "the numbers room cannot be started");
                return;
            }
        };
        let started = tokio::time::Instant::now();
        let child = tokio::process::Command::new(program)
            .arg("numbers")
            .arg("--data")
            .arg(&dir)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        match child {
            Ok(mut child) => {
                // Held here: when this process ends in whatever way, the child reads the end of its input.
                let input = child.stdin.take();
                let ended = child.wait().await;
                drop(input);
                tracing::error!(?ended, "the numbers room stopped; it is started again");
            }
            Err(error) => tracing::error!(%error, "the numbers room cannot be started"),
        }
        pause = match started.elapsed() > Duration::from_secs(60) {
            true => Duration::from_millis(500),
            false => (pause * 2).min(Duration::from_secs(60)),
        };
        tokio::time::sleep(pause).await;
    }
}

/// `mimamori numbers-key`: a new wrapping key in the place of the old one, which stays beside it as `.old` until the
/// operator has put both away. The service is stopped. Cut off in between, the next start finds the key that fits.
///
/// # Errors
/// [`StartError`]; the old key is still the right one then.
pub async fn replace_key(dir: &Path) -> Result<PathBuf, StartError> {
    let config = Config::load(dir)?;
    let Some(setting) = config.numbers.clone() else {
        return Err(StartError::State(
            "mimamori.toml に [numbers] の設定がありません。".into(),
        ));
    };
    let _lock = crate::instance::lock(&dir.join(FOLDER))?;
    settled(dir, &setting).await?;
    let (now, next) = (dir.join(&setting.key_file), beside(dir, &setting, "new"));
    if setting.passphrase_file.is_some() {
        return Err(StartError::State(
            "合い言葉の鍵は、鍵ファイルに替えてから更新してください。".into(),
        ));
    }
    let old = beside(dir, &setting, "old");
    if old.exists() {
        return Err(StartError::State(format!(
            "前の鍵 {} が残っています。別の場所に移してから、もう一度実行してください。",
            old.display()
        )));
    }
    Kek::create(&next, &SystemRandom)?;
    let source = KekSource::File(next);
    Room::rewrap(&database(dir), &KekSource::File(now), &source).await?;
    settled(dir, &setting).await?;
    Ok(beside(dir, &setting, "old"))
}

fn beside(dir: &Path, setting: &config::Numbers, end: &str) -> PathBuf {
    let mut name = dir.join(&setting.key_file).into_os_string();
    name.push(format!(".{end}"));
    name.into()
}

/// Puts a new key that the database already asks for into its place, and removes one that it does not ask for.
async fn settled(dir: &Path, setting: &config::Numbers) -> Result<(), StartError> {
    let (now, next) = (dir.join(&setting.key_file), beside(dir, setting, "new"));
    if !next.exists() {
        return Ok(());
    }
    let renamed = |from: &Path, to: &Path| std::fs::rename(from, to).map_err(StartError::file(to));
    // A file that was cut off while it was written is no key of any database.
    let fits = match Kek::from_file(&next) {
        Ok(kek) => mimamori_numbers::asks_for(&database(dir), &kek).await?,
        Err(_) => false,
    };
    if fits {
        if now.exists() {
            renamed(&now, &beside(dir, setting, "old"))?;
        }
        return renamed(&next, &now);
    }
    std::fs::remove_file(&next).map_err(StartError::file(&next))
}

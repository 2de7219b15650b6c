//! `mimamori.toml` of a data directory. It holds no secret, only paths of key files.

mod numbers;
mod proof;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use mimamori_care_insurance::eligibility::Method;
use mimamori_kernel::check::care_insurer;
use mimamori_storage::{Location, Synchronous};

use crate::error::StartError;

pub use numbers::Numbers;
pub use proof::{FaceProduct, Passkeys, StepUp};

/// Which network the instance stands in (DESIGN, Zones).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// Individual-number network: care insurance, care management.
    Number,
    /// LGWAN side.
    Lgwan,
    /// Citizens' and institutions' side.
    Resident,
    /// Everything, on loopback only.
    Demo,
}

impl Zone {
    /// Whether the register of residents is mounted.
    pub fn has_residents(self) -> bool {
        matches!(self, Self::Number | Self::Demo)
    }
}

/// What the data in the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real records.
    Production,
    /// Invented records only; refuses real imports (S0-68).
    Demo,
}

impl Environment {
    /// Code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Demo => "demo",
        }
    }
}

/// TLS files in PEM.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Authorities whose certificates terminals may show; without it none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

/// Whom users and finders of weaknesses tell; the town fills it in.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contact {
    /// Office, for example 情報システム課.
    pub office: String,
    /// Telephone number as people dial it.
    pub telephone: String,
    /// Mail address, where the network has mail.
    pub mail: String,
}

impl Contact {
    /// Whether nobody could be reached by it.
    pub fn is_empty(&self) -> bool {
        self.office.trim().is_empty()
            || self.telephone.trim().is_empty() && self.mail.trim().is_empty()
    }

    /// One line for the screen.
    pub fn line(&self) -> String {
        let mut out = self.office.trim().to_owned();
        for (name, value) in [("電話", &self.telephone), ("メール", &self.mail)] {
            if !value.trim().is_empty() {
                out.push_str(&format!("　{name} {}", value.trim()));
            }
        }
        out
    }
}

/// The whole file.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Network.
    pub zone: Zone,
    /// Kind of data.
    pub environment: Environment,
    /// Name of the municipality, also the origin of the trace: letters, digits, dots, hyphens.
    pub town: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Own TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Addresses of the reverse proxies that end TLS; nobody else may connect then, and their word
    /// about the terminal is believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxy: Vec<std::net::IpAddr>,
    /// Addresses of the terminals, inside the office, from which system administrators and contractors work; empty:
    /// from anywhere on the network (S0-73).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<std::net::IpAddr>,
    /// File with the connection text of PostgreSQL; without it the embedded database is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres_url_file: Option<PathBuf>,
    /// Schema there; `mimamori` when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres_schema: Option<String>,
    /// Minutes until the screen locks, 1 to 15 (S4-89).
    #[serde(default = "fifteen")]
    pub idle_minutes: u32,
    /// Durability of the embedded database; `off-for-tests` promises nothing and is refused for real records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synchronous: Option<String>,
    /// Whom to tell of a weakness, an incident or a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Hour of the office's day, 0 to 23, at which qualifications are derived each night.
    #[serde(default = "two")]
    pub derivation_hour: i8,
    /// What one user may print and download in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways_out: Option<WaysOut>,
    /// The insurer that stands on cards, and how insured-person numbers are made. Without it no card is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care_insurance: Option<CareInsurance>,
    /// The numbers room (個人番号); without it this instance has none, and only some zones may have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// Where backups go; without it none is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Passkeys; without it none can be registered or used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkeys: Option<Passkeys>,
    /// The town's face product, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face_product: Option<FaceProduct>,
    /// Settings of the handover (受渡し).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
}

/// Settings of the handover.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// Where clamd listens: the path of its socket, or an address of this machine. Without it two people release what
    /// came in, and the ledger says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamd: Option<String>,
}

/// Settings of the backup (控え, S0-28, S0-47).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Folder of the generations, from the data directory; better on another disk or host.
    pub folder: PathBuf,
    /// File with the `age` recipients; their private keys are kept away from this host.
    pub recipients_file: PathBuf,
    /// Folder to which the journal of revocations and erasures is copied each minute, from the data directory: a mounted
    /// place off this host. Without it nothing can be restored by the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<PathBuf>,
    /// Hour of the night, office time, 0 to 23, at which the service makes one.
    #[serde(default = "two")]
    pub hour: i8,
    /// Every how many generations a full one begins a new chain.
    #[serde(default = "seven")]
    pub full_every: u32,
}

/// Schema on PostgreSQL.
const SCHEMA: &str = "mimamori";

fn two() -> i8 {
    2
}

fn seven() -> u32 {
    7
}

/// The most that one user may print and download on one office day (S4-92).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaysOut {
    /// Prints and files.
    pub documents_per_day: u32,
    /// Persons, or lines of the trace, in them all together.
    pub records_per_day: u32,
}

impl WaysOut {
    /// For the gate.
    pub fn cap(self) -> mimamori_gate::DailyCap {
        mimamori_gate::DailyCap {
            documents: self.documents_per_day,
            records: self.records_per_day,
        }
    }
}

/// Settings of the care insurer (介護保険者).
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareInsurance {
    /// 保険者番号, 6 digits with check digit.
    pub insurer_number: String,
    /// 保険者の名称.
    pub insurer_name: String,
    /// Office and telephone number on the card.
    pub contact: String,
    /// `running`, `running-mod10`, `manual` or `manual-mod10`.
    pub numbering: Method,
    /// First running number.
    #[serde(default = "one")]
    pub first_number: u64,
}

fn one() -> u64 {
    1
}

impl CareInsurance {
    /// The invented insurer of the demo.
    pub fn sample() -> Self {
        Self {
            insurer_number: "999995".into(),
            insurer_name: "見本の市（見本）".into(),
            contact: "見本の市 介護保険の窓口（見本）".into(),
            numbering: Method::RunningMod10,
            first_number: 1,
        }
    }
}

fn fifteen() -> u32 {
    15
}

impl Config {
    /// A new configuration.
    pub fn new(zone: Zone, environment: Environment, town: &str, listen: SocketAddr) -> Self {
        Self {
            zone,
            environment,
            town: town.into(),
            listen,
            tls: None,
            trusted_proxy: vec![],
            maintenance: vec![],
            postgres_url_file: None,
            postgres_schema: None,
            idle_minutes: 15,
            synchronous: None,
            contact: None,
            derivation_hour: two(),
            ways_out: None,
            care_insurance: None,
            numbers: None,
            backup: None,
            passkeys: None,
            face_product: None,
            handover: None,
        }
    }

    /// Where passkeys belong to; a demo is reached as `localhost`.
    pub fn passkey_origin(&self) -> Option<String> {
        let set = self.passkeys.as_ref().map(|p| p.origin.clone());
        set.or_else(|| {
            (self.environment == Environment::Demo)
                .then(|| format!("http://localhost:{}", self.listen.port()))
        })
    }

    /// Who is verified anew before an export or a grant.
    pub fn step_up(&self) -> mimamori_gate::StepUp {
        match self.passkeys.as_ref().map(|p| p.step_up) {
            Some(StepUp::Always) => mimamori_gate::StepUp::Always,
            _ => mimamori_gate::StepUp::Enrolled,
        }
    }

    /// Reads and checks the file of a data directory.
    pub fn load(dir: &Path) -> Result<Self, StartError> {
        let path = dir.join("mimamori.toml");
        let text = std::fs::read_to_string(&path).map_err(StartError::file(path))?;
        let config: Self = toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |b| b.matches('\n').count() + 1);
            let words = text.lines().nth(line - 1).unwrap_or_default().trim();
            StartError::Config(format!(
                "{line}行目「{words}」を読めません（{}）",
                e.message()
            ))
        })?;
        config.check()?;
        Ok(config)
    }

    /// Whether the file of a data directory says `environment = "demo"`, whatever else an older version wrote into it.
    pub fn is_demo(dir: &Path) -> Result<bool, StartError> {
        let path = dir.join("mimamori.toml");
        let text = std::fs::read_to_string(&path).map_err(StartError::file(path))?;
        let table: toml::Table = toml::from_str(&text)
            .map_err(|_| StartError::Config("mimamori.toml が TOML の形ではありません".into()))?;
        let environment = table.get("environment").and_then(toml::Value::as_str);
        Ok(environment == Some(Environment::Demo.code()))
    }

    /// Writes the file; it must not exist yet.
    pub fn save(&self, dir: &Path) -> Result<(), StartError> {
        let path = dir.join("mimamori.toml");
        let text = toml::to_string_pretty(self).map_err(|e| StartError::Config(e.to_string()))?;
        std::fs::File::create_new(&path)
            .and_then(|mut file| {
                std::io::Write::write_all(&mut file, text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| std::fs::File::open(dir)?.sync_all())
            .map_err(StartError::file(path))
    }

    /// The TLS files are there and can be read.
    pub fn check_files(&self, dir: &Path) -> Result<(), StartError> {
        let files = |t: &'_ Tls| {
            [
                Some(t.certificate.clone()),
                Some(t.key.clone()),
                t.client_ca.clone(),
            ]
        };
        for path in self.tls.iter().flat_map(files).flatten() {
            let path = dir.join(path);
            std::fs::File::open(&path).map_err(StartError::file(path))?;
        }
        Ok(())
    }

    /// Everything that can be judged without the database.
    pub fn check(&self) -> Result<(), StartError> {
        let wrong = |text: &str| Err(StartError::Config(text.into()));
        let name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if self.town.is_empty() || self.town.len() > 60 || !self.town.chars().all(name) {
            return wrong("town は半角の英数字・点・ハイフンで60文字までです。");
        }
        if !(1..=15).contains(&self.idle_minutes) {
            return wrong("idle_minutes は1から15までです（15分を超えることはできません）。");
        }
        if !self.listen.ip().is_loopback() && self.tls.is_none() && self.trusted_proxy.is_empty() {
            return wrong("外から接続できるアドレスでは、tls か trusted_proxy の設定が必要です。");
        }
        if (self.zone == Zone::Demo) != (self.environment == Environment::Demo) {
            return wrong(
                "zone と environment は、どちらも demo か、どちらも demo でないかにしてください。",
            );
        }
        if self.zone == Zone::Demo && !self.listen.ip().is_loopback() {
            return wrong("デモはこの機械の中（ループバック）だけで動きます。");
        }
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        if self
            .postgres_schema
            .as_ref()
            .is_some_and(|s| s.is_empty() || !s.chars().all(plain))
        {
            return wrong("postgres_schema は半角の小文字と下線だけです。");
        }
        if let Some(contact) = &self.contact {
            let good =
                |text: &String| text.chars().count() <= 100 && !text.contains(char::is_control);
            if ![&contact.office, &contact.telephone, &contact.mail]
                .into_iter()
                .all(good)
            {
                return wrong("contact の各項目は、改行のない100文字までです。");
            }
        }
        if !(0..=23).contains(&self.derivation_hour) {
            return wrong("derivation_hour は0から23までです。");
        }
        if let Some(insurer) = &self.care_insurance {
            if let Err(error) = care_insurer(&insurer.insurer_number) {
                return wrong(&format!("care_insurance: {error}"));
            }
            let good = |text: &String| {
                !text.trim().is_empty()
                    && text.chars().count() <= 60
                    && !text.contains(char::is_control)
            };
            if ![&insurer.insurer_name, &insurer.contact]
                .into_iter()
                .all(good)
            {
                return wrong(
                    "care_insurance の insurer_name と contact は、改行のない1〜60文字です。",
                );
            }
        }
        if let Some(numbers) = &self.numbers {
            if !self.zone.has_residents() {
                return wrong("numbers: 個人番号の部屋は zone = \"number\" にだけ置けます。");
            }
            let tls = self.tls.is_some() || !self.trusted_proxy.is_empty();
            if let Err(why) = numbers.check(tls) {
                return wrong(&why);
            }
            if !numbers.listen.ip().is_loopback() && !tls {
                return wrong(
                    "numbers: 外から接続できるアドレスでは、tls か trusted_proxy の設定が必要です。",
                );
            }
        }
        if let Some(backup) = &self.backup
            && (!(0..=23).contains(&backup.hour) || backup.full_every == 0)
        {
            return wrong("backup: hour は0から23、full_every は1以上です。");
        }
        match self.synchronous.as_deref() {
            None | Some("full") => Ok(()),
            Some("off-for-tests") if self.environment == Environment::Demo => Ok(()),
            _ => wrong("synchronous は full だけです。"),
        }
    }

    /// Where the database of the directory is.
    pub fn location(&self, dir: &Path) -> Result<Location, StartError> {
        match &self.postgres_url_file {
            Some(path) => {
                let path = dir.join(path);
                let url = std::fs::read_to_string(&path).map_err(StartError::file(path))?;
                Ok(Location::Server {
                    url: url.trim().to_owned(),
                    schema: self
                        .postgres_schema
                        .clone()
                        .unwrap_or_else(|| SCHEMA.into()),
                })
            }
            None => Ok(Location::File {
                path: dir.join("register.db"),
                synchronous: match self.synchronous.as_deref() {
                    Some("off-for-tests") => Synchronous::OffForTests,
                    _ => Synchronous::Full,
                },
            }),
        }
    }
}

#[cfg(test)]
mod tests;

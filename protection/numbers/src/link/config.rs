use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LinkError;

/// `[link]` of the configuration: which of the two ways, and how. Holds paths, never keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "adapter", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LinkConfig {
    /// HTTPS with JSON and certificates of both ends.
    Https(HttpsConfig),
    /// Files in a folder that another program carries.
    Files(FilesConfig),
}

impl LinkConfig {
    /// From which hour of the office's day on the two sides are compared; the batch interface compares when a list comes.
    pub(super) fn hour(&self) -> Option<i8> {
        match self {
            Self::Https(config) => Some(config.hour),
            Self::Files(_) => None,
        }
    }
}

/// HTTPS with JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpsConfig {
    /// `https://host:port`, without a path.
    pub url: String,
    /// PEM file of the authority that signs the other end; no other authority is believed.
    pub ca: PathBuf,
    /// PEM file of our certificate.
    pub certificate: PathBuf,
    /// PEM file of its key, readable by its owner alone.
    pub key: PathBuf,
    /// Seconds until a connection stands.
    #[serde(default = "five")]
    pub connect_seconds: u64,
    /// Seconds until the whole answer is here.
    #[serde(default = "thirty")]
    pub total_seconds: u64,
    /// Bytes of the longest answer that is read.
    #[serde(default = "two_megabytes")]
    pub limit_bytes: usize,
    /// Hour of the daily comparison, 0 to 23.
    #[serde(default = "three")]
    pub hour: i8,
}

/// Batch files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// Holds `out` and `in`; requests hold individual numbers, so it has to be on an encrypted disk of this host.
    pub folder: PathBuf,
    /// Seconds between two request files at least.
    #[serde(default = "hour")]
    pub every_seconds: u64,
}

fn three() -> i8 {
    3
}
fn five() -> u64 {
    5
}
fn thirty() -> u64 {
    30
}
fn hour() -> u64 {
    3_600
}
fn two_megabytes() -> usize {
    2_000_000
}

impl HttpsConfig {
    /// Checks what can be checked without a connection, and reads the files; relative paths begin at `base`.
    pub(super) fn read(&self, base: &Path) -> Result<Pem, LinkError> {
        use std::os::unix::fs::PermissionsExt as _;
        let wrong = |what: String| LinkError::Config { what };
        let host = self.url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.contains(['/', '?', '#', '@']) {
            return Err(wrong(
                "url は https://ホスト名:ポート の形で書いてください".into(),
            ));
        }
        if !(0..24).contains(&self.hour) || self.connect_seconds == 0 || self.total_seconds == 0 {
            return Err(wrong("hour は0から23、秒数は1以上です".into()));
        }
        let load = |path: &Path| {
            let path = base.join(path);
            let told = path.display().to_string();
            std::fs::read(&path).map_err(|source| LinkError::File { path: told, source })
        };
        let key = base.join(&self.key);
        let mode = std::fs::metadata(&key).map(|m| m.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            let what = format!(
                "{} をほかの利用者が読めます。0600 にしてください",
                key.display()
            );
            return Err(wrong(what));
        }
        let mut identity = zeroize::Zeroizing::new(load(&self.key)?);
        identity.extend(load(&self.certificate)?);
        Ok(Pem {
            ca: load(&self.ca)?,
            identity,
        })
    }
}

/// The files of the HTTPS adapter, read.
pub(super) struct Pem {
    /// Authorities.
    pub ca: Vec<u8>,
    /// Key and certificate.
    pub identity: zeroize::Zeroizing<Vec<u8>>,
}

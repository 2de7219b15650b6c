use std::net::SocketAddr;
use std::path::PathBuf;

/// Settings of the numbers room, a process of its own (docs/decisions/0027).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Address at which browsers reach the room, another port of the same host.
    pub listen: SocketAddr,
    /// Origin of the screens, for example `https://mimamori.town.lg.jp`; only their pages may frame the room's.
    pub web_origin: String,
    /// Origin of the room as browsers name it; without it the host of `web_origin` with the port of `listen`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// File of the key that wraps the others (KEK), from the data directory.
    #[serde(default = "kek")]
    pub key_file: PathBuf,
    /// Instead of a key file: a file with the passphrase, for example a credential of systemd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
    /// Seconds until a number is cleared from the page, 5 to 120.
    #[serde(default = "thirty")]
    pub seconds: u32,
    /// The connector to 統合宛名 (docs/decisions/0030); without it nothing is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<mimamori_numbers::link::LinkConfig>,
    /// Searches by number in an hour: one user, all users.
    #[serde(default = "finds")]
    pub searches_per_hour: (usize, usize),
    /// Numbers shown in an hour: one user, all users.
    #[serde(default = "reveals")]
    pub reveals_per_hour: (usize, usize),
    /// Registrations and corrections in an hour: one user, all users.
    #[serde(default = "registers")]
    pub registrations_per_hour: (usize, usize),
    /// Files loaded in an hour: one user, all users.
    #[serde(default = "loads")]
    pub loads_per_hour: (usize, usize),
}

impl Numbers {
    /// Settings with the defaults.
    pub fn new(listen: SocketAddr, web_origin: String) -> Self {
        Self {
            listen,
            web_origin,
            origin: None,
            key_file: kek(),
            passphrase_file: None,
            seconds: thirty(),
            link: None,
            searches_per_hour: finds(),
            reveals_per_hour: reveals(),
            registrations_per_hour: registers(),
            loads_per_hour: loads(),
        }
    }

    /// The limits of the hour as the room keeps them.
    pub fn limits(&self) -> mimamori_numbers::Limits {
        mimamori_numbers::Limits {
            finds: self.searches_per_hour.0,
            all_finds: self.searches_per_hour.1,
            reveals: self.reveals_per_hour.0,
            all_reveals: self.reveals_per_hour.1,
            registers: self.registrations_per_hour.0,
            all_registers: self.registrations_per_hour.1,
            loads: self.loads_per_hour.0,
            all_loads: self.loads_per_hour.1,
        }
    }

    pub(super) fn check(&self, tls: bool) -> Result<(), String> {
        let scheme = if tls { "https://" } else { "http://" };
        let origin = |text: &String| {
            let host = text.strip_prefix(scheme)?;
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
            (!host.is_empty() && host.chars().all(plain)).then_some(())
        };
        let all = std::iter::once(&self.web_origin).chain(&self.origin);
        if all.map(origin).any(|good| good.is_none()) {
            return Err(format!(
                "numbers: web_origin と origin は {scheme} で始まるホスト名です（道筋は書きません）。"
            ));
        }
        if !(5..=120).contains(&self.seconds) {
            return Err("numbers: seconds は5から120です。".into());
        }
        Ok(())
    }
}

fn kek() -> PathBuf {
    "numbers/keys/kek.key".into()
}

fn thirty() -> u32 {
    30
}

fn finds() -> (usize, usize) {
    let limits = mimamori_numbers::Limits::default();
    (limits.finds, limits.all_finds)
}

fn reveals() -> (usize, usize) {
    let limits = mimamori_numbers::Limits::default();
    (limits.reveals, limits.all_reveals)
}

fn registers() -> (usize, usize) {
    let limits = mimamori_numbers::Limits::default();
    (limits.registers, limits.all_registers)
}

fn loads() -> (usize, usize) {
    let limits = mimamori_numbers::Limits::default();
    (limits.loads, limits.all_loads)
}

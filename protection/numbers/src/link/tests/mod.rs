//! The connector against the simulator.

mod batch;
mod contract;
mod differences;
mod modes;
mod process;
mod property;
mod timed;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use mimamori_atena_simulator::{Addresses, Contract, Folder, Simulator, Tls, World, people};
use mimamori_kernel::clock::{Clock, Instant, TestClock};
use mimamori_kernel::id::NumberRef;
use mimamori_kernel::random::SeededRandom;
use mimamori_storage::{Db, Location, Synchronous, migrate};

use super::{
    ActKind, Connector, FilesConfig, HttpsConfig, LINK_MIGRATIONS, LinkConfig, LinkState, Opener,
    Status,
};
use crate::Number;

/// 2026-11-21 10:00 in the office.
const NOW: Instant = Instant(1_795_222_800_000_000);

pub(super) fn contract_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/atena.json")
}

/// Names the folder of certificates to a process that a test starts.
const FOLDER: &str = "MIMAMORI_TEST_CERTIFICATES";

/// Certificates of this run, made once, or those of the test that started this process.
pub(super) static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Ok(folder) = std::env::var(FOLDER) {
        return Certificates {
            path: folder.into(),
            _made: None,
        };
    }
    let dir = tempfile::tempdir().unwrap();
    mimamori_atena_simulator::write_certificates(dir.path()).unwrap();
    Certificates {
        path: dir.path().to_owned(),
        _made: Some(dir),
    }
});

pub(super) struct Certificates {
    path: PathBuf,
    _made: Option<tempfile::TempDir>,
}

impl Certificates {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

type Numbers = Arc<Mutex<BTreeMap<NumberRef, String>>>;

/// Our side: a database, a vault of strings, and the connector.
pub(super) struct Office {
    pub dir: tempfile::TempDir,
    pub db: Db,
    pub clock: Arc<TestClock>,
    pub random: Arc<SeededRandom>,
    pub numbers: Numbers,
    pub config: LinkConfig,
    pub connector: Arc<Connector>,
}

pub(super) fn https_config(address: std::net::SocketAddr) -> HttpsConfig {
    let dir = CERTIFICATES.path();
    HttpsConfig {
        url: format!("https://{address}"),
        ca: dir.join("ca.pem"),
        certificate: dir.join("client.pem"),
        key: dir.join("client.key"),
        connect_seconds: 2,
        total_seconds: 5,
        limit_bytes: 2_000_000,
        hour: 3,
    }
}

impl Office {
    pub async fn new(config: impl FnOnce(&Path) -> LinkConfig) -> Self {
        LazyLock::force(&CERTIFICATES);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("numbers.db");
        let location = Location::File {
            path,
            synchronous: Synchronous::Full,
        };
        let db = Db::open(location, 4).await.unwrap();
        migrate(&db, LINK_MIGRATIONS).await.unwrap();
        let (clock, random) = (Arc::new(TestClock::at(NOW)), Arc::new(SeededRandom::new(7)));
        let numbers = Numbers::default();
        let config = config(dir.path());
        let mut office = Self {
            connector: connector(&config, dir.path(), &db, &clock, &random, &numbers),
            dir,
            db,
            clock,
            random,
            numbers,
            config,
        };
        office.restart();
        office
    }

    /// As after a stop of the program: nothing is remembered but the database.
    pub fn restart(&mut self) {
        self.connector = connector(
            &self.config,
            self.dir.path(),
            &self.db,
            &self.clock,
            &self.random,
            &self.numbers,
        );
    }

    /// Stores a number and the act that tells of it; none deletes.
    pub async fn act(
        &self,
        reference: NumberRef,
        address: &str,
        kind: ActKind,
        number: Option<&str>,
    ) {
        {
            let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
            match number {
                Some(number) => drop(numbers.insert(reference, number.to_owned())),
                None => drop(numbers.remove(&reference)),
            }
        }
        let mut writer = self.db.writer().await.unwrap();
        writer.begin().await.unwrap();
        super::put(
            &mut writer,
            &*self.random,
            self.clock.now(),
            &reference,
            address,
            kind,
        )
        .await
        .unwrap();
        writer.commit().await.unwrap();
        writer.close().await.unwrap();
    }

    pub async fn status(&self, reference: NumberRef) -> Status {
        super::status(&self.db, &reference).await.unwrap().unwrap()
    }

    pub async fn state(&self, reference: NumberRef) -> LinkState {
        self.status(reference).await.state
    }

    /// Passes with time in between, as the loop does, until nothing waits or `times` are over.
    pub async fn passes(&self, times: usize) {
        for _ in 0..times {
            self.connector.pass().await.unwrap();
            if super::counts(&self.db).await.unwrap().oldest.is_none() {
                return;
            }
            self.clock.pass(Duration::from_secs(800));
        }
    }
}

fn connector(
    config: &LinkConfig,
    base: &Path,
    db: &Db,
    clock: &Arc<TestClock>,
    random: &Arc<SeededRandom>,
    numbers: &Numbers,
) -> Arc<Connector> {
    let numbers = numbers.clone();
    let opener = Opener::new(move |reference| {
        let found = numbers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&reference)
            .cloned();
        Box::pin(async move { Ok(found.map(|digits| Number::parse(&digits).unwrap())) })
    });
    Arc::new(
        Connector::new(
            config,
            base,
            db.clone(),
            clock.clone(),
            random.clone(),
            opener,
        )
        .unwrap(),
    )
}

/// Both sides over HTTPS.
pub(super) struct Town {
    pub office: Office,
    pub world: Arc<World>,
    pub simulator: Simulator,
    pub late: Duration,
}

pub(super) async fn simulator(
    world: &Arc<World>,
    addresses: Addresses,
    late: Duration,
) -> Simulator {
    LazyLock::force(&CERTIFICATES);
    let contract = Contract::read(&std::fs::read_to_string(contract_file()).unwrap()).unwrap();
    let tls = Tls::in_folder(CERTIFICATES.path());
    Simulator::start(world.clone(), contract, &tls, addresses, late)
        .await
        .unwrap()
}

impl Town {
    pub async fn new() -> Self {
        let world = Arc::new(World::new(people(20, 1)));
        let late = Duration::from_secs(2);
        let simulator = simulator(&world, Addresses::anywhere(), late).await;
        let config = https_config(simulator.addresses.service);
        let office = Office::new(|_| LinkConfig::Https(config)).await;
        Self {
            office,
            world,
            simulator,
            late,
        }
    }
}

/// Both sides over files.
pub(super) struct Post {
    pub office: Office,
    pub world: World,
    pub folder: Folder,
}

impl Post {
    pub async fn new() -> Self {
        let config = |_: &Path| {
            LinkConfig::Files(FilesConfig {
                folder: "exchange".into(),
                every_seconds: 0,
            })
        };
        let office = Office::new(config).await;
        let folder = Folder::new(office.dir.path().join("exchange")).unwrap();
        Self {
            office,
            world: World::new(people(20, 1)),
            folder,
        }
    }

    /// We write, they answer, we read.
    pub async fn round(&mut self) {
        self.office.connector.pass().await.unwrap();
        self.folder.step(&self.world).unwrap();
        self.office.connector.pass().await.unwrap();
        self.office.clock.pass(Duration::from_secs(800));
    }
}

/// The `n`th person: reference, 宛名番号, an invented number.
pub(super) fn person(n: u8) -> (NumberRef, String, String) {
    let found = people(u32::from(n) + 1, 1).pop().unwrap();
    (
        NumberRef::from_bytes([n + 1; 16]),
        found.address_number,
        found.individual_number,
    )
}

/// What both sides hold, as 宛名番号 and number: ours, theirs.
pub(super) fn both(
    office: &Office,
    world: &World,
    addresses: &BTreeMap<NumberRef, String>,
) -> [Vec<(String, String)>; 2] {
    let numbers = office
        .numbers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut ours: Vec<_> = numbers
        .iter()
        .map(|(r, n)| (addresses[r].clone(), n.clone()))
        .collect();
    ours.sort();
    [
        ours,
        world
            .linked()
            .into_iter()
            .map(|l| (l.address_number, l.individual_number))
            .collect(),
    ]
}

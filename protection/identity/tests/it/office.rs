use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use mimamori_identity::{
    Identity, Kdf, Limits, MIGRATIONS, NewUser, Org, OrgKind, Role, new_user, org_statement,
};
use mimamori_kernel::clock::{Clock as _, Instant, TestClock};
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_kernel::random::{SeededRandom, SystemRandom};
use mimamori_storage::testing::locations;
use mimamori_storage::{Db, Statement, StorageError, migrate};

/// 2026-11-21, noon in the office.
pub const NOON: Instant = Instant(1_795_230_000_000_000);
pub const DAY: i64 = 86_400_000_000;
/// Cheap on purpose; one test runs at full cost.
pub const CHEAP: Kdf = Kdf {
    memory: 64,
    passes: 1,
};
pub const PHRASE: &str = "umi-to-yama-to-kawa";

/// An empty office on one engine.
pub struct Office {
    pub db: Db,
    pub clock: Arc<TestClock>,
    pub identity: Identity,
    pub kdf: Kdf,
    pub town: Org,
}

/// Idle and longest time, in seconds.
pub fn limits(idle: u64, absolute: u64) -> Limits {
    Limits {
        idle: Duration::from_secs(idle),
        absolute: Duration::from_secs(absolute),
    }
}

impl Office {
    pub async fn on(db: Db, kdf: Kdf, limits: Limits) -> Self {
        migrate(&db, MIGRATIONS).await.unwrap();
        let clock = Arc::new(TestClock::at(NOON));
        let identity = Identity::new(
            db.clone(),
            clock.clone(),
            Arc::new(SystemRandom),
            kdf,
            limits,
        )
        .unwrap();
        let town = Org {
            id: OrgId::random(&SystemRandom),
            kind: OrgKind::Department,
            name: "介護保険課".into(),
        };
        let office = Self {
            db,
            clock,
            identity,
            kdf,
            town,
        };
        office
            .commit(vec![org_statement(&office.town)])
            .await
            .unwrap();
        office
    }

    /// Commits as the committer does: all or nothing.
    pub async fn commit(&self, statements: Vec<Statement>) -> Result<(), StorageError> {
        let mut writer = self.db.writer().await?;
        writer.begin().await?;
        for statement in statements {
            if let Err(error) = writer.apply(statement).await {
                writer.rollback().await?;
                writer.close().await?;
                return Err(error);
            }
        }
        writer.commit().await?;
        writer.close().await
    }

    /// A user with an initial password.
    pub async fn newcomer(&self, login: &str, roles: &[Role]) -> (UserId, String) {
        self.appointed(login, roles, None).await
    }

    /// A user with an initial password and a last day.
    pub async fn appointed(
        &self,
        login: &str,
        roles: &[Role],
        until: Option<Date>,
    ) -> (UserId, String) {
        let user = NewUser {
            login: login.into(),
            name: "見本 花子".into(),
            org: self.town.id,
            org_kind: self.town.kind,
            roles: roles.to_vec(),
            person: None,
            approved_by: None,
            until,
        };
        let (id, password, writes) =
            new_user(&user, self.kdf, self.clock.now(), 14 * DAY, &SystemRandom).unwrap();
        self.commit(writes).await.unwrap();
        (id, password)
    }

    /// A clerk with [`PHRASE`] as own password.
    pub async fn clerk(&self, login: &str) -> UserId {
        let (id, _) = self.newcomer(login, &[Role::Clerk]).await;
        let account = self.identity.account(&id).await.unwrap().unwrap();
        let writes =
            mimamori_identity::password_statements(&account, PHRASE, self.kdf, &SystemRandom)
                .unwrap();
        self.commit(writes).await.unwrap();
        id
    }

    pub async fn enter(&self, login: &str) -> mimamori_identity::SignedIn {
        self.identity
            .sign_in(login, PHRASE, None, "t1")
            .await
            .unwrap()
    }
}

/// Runs a test on every engine of the run.
pub async fn everywhere<F: Future<Output = ()>>(
    kdf: Kdf,
    limits: Limits,
    test: impl Fn(Office) -> F,
) {
    let dir = tempfile::tempdir().unwrap();
    for location in locations(dir.path(), &SystemRandom).await.unwrap() {
        let db = Db::open(location, 4).await.unwrap();
        test(Office::on(db.clone(), kdf, limits).await).await;
        db.close().await;
    }
}

pub async fn cheaply<F: Future<Output = ()>>(test: impl Fn(Office) -> F) {
    everywhere(CHEAP, limits(900, 36_000), test).await;
}

pub fn dice(seed: u64) -> SeededRandom {
    SeededRandom::new(seed)
}

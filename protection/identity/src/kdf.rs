use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use mimamori_kernel::random::Random;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// Password computations at once: each takes the full memory cost.
const AT_ONCE: usize = 2;
/// Longest password that is looked at, in bytes; longer ones are wrong by rule.
const LONGEST: usize = 1024;

/// The computation could not run.
#[derive(Debug, thiserror::Error)]
#[error("パスワードの計算ができませんでした")]
pub(crate) struct KdfFailed;

/// Argon2id with a bounded number of computations at once.
pub(crate) struct Kdf {
    argon: Argon2<'static>,
    /// A hash of no password: verified when the login is not known, so that both take the same work.
    dummy: String,
    room: Arc<Semaphore>,
    verified: AtomicU64,
}

/// Full-width and half-width typing of the same password are the same.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

impl Kdf {
    pub(crate) fn new(memory_kib: u32, time: u32, random: &dyn Random) -> Option<Self> {
        let params = Params::new(memory_kib, time, 1, None).ok()?;
        let (mut salt, mut out) = ([0u8; 16], [0u8; 32]);
        random.fill(&mut salt);
        random.fill(&mut out);
        let dummy = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&out).ok()?),
        };
        Some(Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            dummy: dummy.to_string(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            verified: AtomicU64::new(0),
        })
    }

    pub(crate) fn verifications(&self) -> u64 {
        self.verified.load(Ordering::SeqCst)
    }

    /// The PHC text of a password.
    pub(crate) async fn hash(&self, password: &str, random: &dyn Random) -> Result<String, KdfFailed> {
        let (argon, text) = (self.argon.clone(), normal(password));
        let mut salt = [0u8; 16];
        random.fill(&mut salt);
        self.run(move || argon.hash_password_with_salt(text.as_bytes(), &salt).map(|hash| hash.to_string()))
            .await?
            .map_err(|_| KdfFailed)
    }

    /// Whether the password fits; without a stored hash the same work is done for nothing.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, KdfFailed> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        let short = password.len() <= LONGEST;
        let text = normal(if short { password } else { "" });
        let (argon, hash) = (self.argon.clone(), stored.unwrap_or(&self.dummy).to_owned());
        let fits = self
            .run(move || PasswordHash::new(&hash).is_ok_and(|hash| argon.verify_password(text.as_bytes(), &hash).is_ok()))
            .await?;
        Ok(fits && short && stored.is_some())
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, KdfFailed> {
        let seat = self.room.clone().acquire_owned().await.map_err(|_| KdfFailed)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(seat); // held by the work itself: a request that goes away frees no seat early
            done
        })
        .await
        .map_err(|_| KdfFailed)
    }
}

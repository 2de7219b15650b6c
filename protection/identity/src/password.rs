use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use mimamori_kernel::random::Random;

use crate::error::IdentityError;

/// Cost of the password function (Argon2id).
#[derive(Debug, Clone, Copy)]
pub struct Kdf {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Kdf {
    /// 64 MiB, 3 passes: about a quarter of a second.
    fn default() -> Self {
        Self {
            memory: 64 * 1024,
            passes: 3,
        }
    }
}

impl Kdf {
    fn argon(self) -> Result<Argon2<'static>, IdentityError> {
        let params =
            Params::new(self.memory, self.passes, 1, None).map_err(|_| IdentityError::Kdf)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// PHC text of a password. Takes as long as the cost says: run it off the async threads.
    pub fn hash(self, password: &str, random: &dyn Random) -> Result<String, IdentityError> {
        let mut salt = [0u8; 16];
        random.fill(&mut salt);
        let hash = self
            .argon()?
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|_| IdentityError::Kdf)?;
        Ok(hash.to_string())
    }
}

/// Whether the password belongs to the PHC text.
pub(crate) fn verify(phc: &str, password: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// Words that alone make a password guessable; ours, short.
const WEAK: [&str; 14] = [
    "password", "passw0rd", "qwerty", "12345678", "abcdefg", "mimamori", "shinjuku", "fujisawa",
    "kasama", "kaigo", "letmein", "welcome", "admin", "0000",
];

/// Judges a new password: 12 to 128 characters, not the login, not mostly one character or a weak word.
pub fn judge_password(login: &str, password: &str) -> Result<(), IdentityError> {
    let length = password.chars().count();
    if length < 12 {
        return Err(IdentityError::WeakPassword(
            "パスワードは12文字以上にしてください。",
        ));
    }
    if length > 128 {
        return Err(IdentityError::WeakPassword(
            "パスワードは128文字までにしてください。",
        ));
    }
    let folded = password.to_lowercase();
    if login.chars().count() >= 3 && folded.contains(&login.to_lowercase()) {
        return Err(IdentityError::WeakPassword(
            "パスワードにIDを含めないでください。",
        ));
    }
    let rest = WEAK
        .iter()
        .fold(folded, |text, word| text.replace(word, ""));
    if rest.chars().count() < 6 {
        return Err(IdentityError::WeakPassword(
            "よく使われる言葉や並びだけのパスワードは使えません。",
        ));
    }
    let mut kinds: Vec<char> = password.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() < 5 {
        return Err(IdentityError::WeakPassword(
            "同じ文字のくり返しは使えません。",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimamori_kernel::random::SystemRandom;

    #[test]
    fn weak_passwords_are_refused_with_their_reason() {
        for bad in [
            "short",
            "clerk-1-hello-world",
            "aaaaaaaaaaaaaaaa",
            "passwordpassword",
            &"x1y2z3".repeat(30),
        ] {
            assert!(judge_password("clerk-1", bad).is_err(), "{bad}");
        }
        judge_password("clerk-1", "あさがお-7月の-ほそみち").unwrap();
    }

    #[test]
    fn at_full_cost_a_password_verifies_and_another_does_not() {
        let phc = Kdf::default()
            .hash("あさがお-7月の-ほそみち", &SystemRandom)
            .unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
        assert!(verify(&phc, "あさがお-7月の-ほそみち"));
        assert!(!verify(&phc, "あさがお-8月の-ほそみち"));
    }
}

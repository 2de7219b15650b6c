//! Verification of a person (本人確認): passkeys with user verification, and the town's face product (S0-48).
//!
//! What a ceremony needs stays in memory, bound to its session, for five minutes and one use.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use mimamori_kernel::id::PasskeyId;
use mimamori_storage::Statement;
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::error::IdentityError;
use crate::model::{SessionId, Visitor};
use crate::passkey::{code_is_right, enter, proved, suspend, taken, usable};
use crate::sign_in::Identity;

/// How long a ceremony stays open, microseconds of the steady clock.
const OPEN: i64 = 5 * 60 * 1_000_000;
/// How far the time in the face product's word may lie from the server's, seconds (想定).
pub const FACE_SECONDS: i64 = 60;
/// Longest word of a browser, bytes.
const LONGEST: usize = 16 * 1024;

/// What was begun in a session.
enum Ceremony {
    Register(PasskeyRegistration),
    Prove(Vec<(PasskeyId, Passkey)>, PasskeyAuthentication),
    Face(String),
}

/// Kinds of a ceremony; a session has at most one open of each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Register,
    Prove,
    Face,
}

struct Begun {
    ceremony: Ceremony,
    until: i64,
}

/// What can verify people here.
#[derive(Default)]
pub struct Proofs {
    passkeys: Option<(Webauthn, String)>,
    face: Option<VerifyingKey>,
    begun: Mutex<HashMap<(SessionId, Kind), Begun>>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proofs")
    }
}

impl Proofs {
    /// Passkeys for this origin (`https://host` or `http://localhost:port`); its host is the relying party.
    ///
    /// # Errors
    /// [`IdentityError::WrongOrigin`] for what is no such origin.
    pub fn with_passkeys(self, origin: &str) -> Result<Self, IdentityError> {
        let wrong = |_| IdentityError::WrongOrigin;
        let url = Url::parse(origin).map_err(|_| IdentityError::WrongOrigin)?;
        let host = url.host_str().ok_or(IdentityError::WrongOrigin)?.to_owned();
        let secure = url.scheme() == "https" || host == "localhost";
        if !secure
            || url.path() != "/"
            || url.query().is_some()
            || host.parse::<std::net::IpAddr>().is_ok()
        {
            return Err(IdentityError::WrongOrigin);
        }
        let webauthn = WebauthnBuilder::new(&host, &url)
            .and_then(|b| b.rp_name("見守り Mimamori").build())
            .map_err(|e: WebauthnError| wrong(e))?;
        let passkeys = Some((webauthn, url.origin().ascii_serialization()));
        Ok(Self { passkeys, ..self })
    }

    /// The public key of the town's face product.
    #[must_use]
    pub fn with_face(self, key: VerifyingKey) -> Self {
        Self {
            face: Some(key),
            ..self
        }
    }

    fn begin(&self, session: SessionId, kind: Kind, ceremony: Ceremony, now: i64) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, b| now < b.until);
        let until = now.saturating_add(OPEN);
        begun.insert((session, kind), Begun { ceremony, until });
    }

    /// What was begun, once.
    fn take(&self, session: SessionId, kind: Kind, now: i64) -> Result<Ceremony, IdentityError> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        match begun.remove(&(session, kind)) {
            Some(found) if now < found.until => Ok(found.ceremony),
            _ => Err(IdentityError::NoCeremony),
        }
    }
}

/// A proof that held. The changes belong into the transaction of its line; after it [`Identity::verified`].
#[derive(Debug)]
pub struct Proved {
    /// Writes.
    pub changes: Vec<Statement>,
}

/// A proof that did not hold; the changes (a suspension) belong into the transaction of its line.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: IdentityError,
    /// Writes.
    pub changes: Vec<Statement>,
}

impl<E: Into<IdentityError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            changes: vec![],
        }
    }
}

/// What the town's face product says (顔認証の製品の返答).
#[derive(Debug, Clone, Default)]
pub struct FaceWord {
    /// When it saw the face, seconds since 1970.
    pub time: i64,
    /// Ed25519 signature over [`face_message`], base64url without padding.
    pub signature: String,
}

/// The bytes that the face product signs.
pub fn face_message(login: &str, challenge: &str, time: i64) -> String {
    format!("mimamori-face-1\n{login}\n{challenge}\n{time}\n")
}

/// What a refusal by the library means to the user.
fn meaning(error: WebauthnError) -> IdentityError {
    match error {
        WebauthnError::InvalidRPOrigin => IdentityError::WrongOrigin,
        WebauthnError::UserNotVerified => IdentityError::NotVerified,
        WebauthnError::CredentialPossibleCompromise => IdentityError::Cloned,
        error => {
            tracing::info!(%error, "a passkey proved nothing");
            IdentityError::NotProved
        }
    }
}

/// The browser's word, when it is not too long.
fn bounded(text: &str) -> &str {
    match text.len() <= LONGEST {
        true => text,
        false => "",
    }
}

fn malformed(_: serde_json::Error) -> IdentityError {
    IdentityError::NotProved
}

impl Identity {
    fn webauthn(&self) -> Result<&Webauthn, IdentityError> {
        let found = self.1.passkeys.as_ref().map(|(webauthn, _)| webauthn);
        found.ok_or(IdentityError::NoPasskeys)
    }

    /// Where passkeys belong to, for example `https://mimamori.town.example`; none when they are not set up.
    pub fn passkey_origin(&self) -> Option<&str> {
        self.1.passkeys.as_ref().map(|(_, origin)| origin.as_str())
    }

    /// Whether the town has a face product.
    pub fn has_face_product(&self) -> bool {
        self.1.face.is_some()
    }

    /// Begins the registration of a passkey at the counter; the options for the browser, as JSON.
    ///
    /// # Errors
    /// [`IdentityError::EnrolmentCode`], [`IdentityError::NoPasskeys`].
    pub async fn begin_registration(
        &self,
        visitor: &Visitor,
        code: &str,
    ) -> Result<String, IdentityError> {
        let webauthn = self.webauthn()?;
        let now = self.0.clock.now().0;
        if !code_is_right(&self.0.db, &visitor.user, code, now).await? {
            return Err(IdentityError::EnrolmentCode);
        }
        let account = self.account(&visitor.user).await?;
        let account = account.ok_or(IdentityError::EnrolmentCode)?;
        let known = usable(&self.0.db, &visitor.user).await?;
        let known = known.iter().map(|(_, p)| p.cred_id().clone()).collect();
        let (options, state) = webauthn
            .start_passkey_registration(
                Uuid::from_bytes(*visitor.user.bytes()),
                &account.login,
                &account.name,
                Some(known),
            )
            .map_err(meaning)?;
        let ceremony = Ceremony::Register(state);
        let steady = self.0.clock.steady();
        self.1
            .begin(visitor.session, Kind::Register, ceremony, steady);
        serde_json::to_string(&options).map_err(|_| IdentityError::Passkey)
    }

    /// Ends it with the browser's word; the writes enter the passkey and spend the code.
    ///
    /// # Errors
    /// As the beginning, and [`IdentityError::NotProved`] and its kin.
    pub async fn finish_registration(
        &self,
        visitor: &Visitor,
        (code, name): (&str, &str),
        answer: &str,
    ) -> Result<Proved, IdentityError> {
        let webauthn = self.webauthn()?;
        let steady = self.0.clock.steady();
        let Ceremony::Register(state) = self.1.take(visitor.session, Kind::Register, steady)?
        else {
            return Err(IdentityError::NoCeremony);
        };
        let now = self.0.clock.now().0;
        if !code_is_right(&self.0.db, &visitor.user, code, now).await? {
            return Err(IdentityError::EnrolmentCode);
        }
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(bounded(answer)).map_err(malformed)?;
        let passkey = webauthn
            .finish_passkey_registration(&answer, &state)
            .map_err(meaning)?;
        if taken(&self.0.db, &passkey).await? {
            return Err(IdentityError::NotProved);
        }
        let random = &*self.0.random;
        Ok(Proved {
            changes: enter(&visitor.user, (code, name), &passkey, now, random)?,
        })
    }

    /// Begins a proof by one of the user's passkeys; the options as JSON, none when he has none that may be used.
    ///
    /// # Errors
    /// [`IdentityError::NoPasskeys`].
    pub async fn begin_proof(&self, visitor: &Visitor) -> Result<Option<String>, IdentityError> {
        let webauthn = self.webauthn()?;
        let known = usable(&self.0.db, &visitor.user).await?;
        if known.is_empty() {
            return Ok(None);
        }
        let keys: Vec<Passkey> = known.iter().map(|(_, p)| p.clone()).collect();
        let (options, state) = webauthn
            .start_passkey_authentication(&keys)
            .map_err(meaning)?;
        let ceremony = Ceremony::Prove(known, state);
        let steady = self.0.clock.steady();
        self.1.begin(visitor.session, Kind::Prove, ceremony, steady);
        let text = serde_json::to_string(&options).map_err(|_| IdentityError::Passkey)?;
        Ok(Some(text))
    }

    /// Ends it with the browser's word.
    ///
    /// # Errors
    /// [`Failed`]; a counter that went back suspends the passkey.
    pub fn finish_proof(&self, visitor: &Visitor, answer: &str) -> Result<Proved, Failed> {
        let webauthn = self.webauthn()?;
        let steady = self.0.clock.steady();
        let begun = self.1.take(visitor.session, Kind::Prove, steady)?;
        let Ceremony::Prove(known, state) = begun else {
            return Err(IdentityError::NoCeremony.into());
        };
        let answer: PublicKeyCredential =
            serde_json::from_str(bounded(answer)).map_err(malformed)?;
        let now = self.0.clock.now().0;
        let raw: &[u8] = answer.raw_id.as_ref();
        let mut found = known
            .into_iter()
            .filter(|(_, p)| p.cred_id().as_ref() as &[u8] == raw);
        let (id, mut passkey) = found.next().ok_or(IdentityError::NotProved)?;
        match webauthn.finish_passkey_authentication(&answer, &state) {
            Ok(result) if !result.user_verified() => Err(IdentityError::NotVerified.into()),
            Ok(result) => {
                passkey.update_credential(&result);
                let change = proved(id, &passkey, result.counter(), now)?;
                Ok(Proved {
                    changes: vec![change],
                })
            }
            Err(error) => {
                let error = meaning(error);
                let changes = match error {
                    IdentityError::Cloned => vec![suspend(id, now)],
                    _ => vec![],
                };
                Err(Failed { error, changes })
            }
        }
    }

    /// Begins a verification by the face product; its challenge.
    ///
    /// # Errors
    /// [`IdentityError::NoFaceProduct`].
    pub fn begin_face(&self, visitor: &Visitor) -> Result<String, IdentityError> {
        if !self.has_face_product() {
            return Err(IdentityError::NoFaceProduct);
        }
        let mut bytes = [0u8; 32];
        self.0.random.fill(&mut bytes);
        let challenge = URL_SAFE_NO_PAD.encode(bytes);
        let ceremony = Ceremony::Face(challenge.clone());
        let steady = self.0.clock.steady();
        self.1.begin(visitor.session, Kind::Face, ceremony, steady);
        Ok(challenge)
    }

    /// Ends it with the product's word about this user, this challenge and this minute.
    ///
    /// # Errors
    /// [`IdentityError::NotProved`] for a wrong signature, user, challenge or time.
    pub async fn finish_face(
        &self,
        visitor: &Visitor,
        word: &FaceWord,
    ) -> Result<Proved, IdentityError> {
        let key = self.1.face.as_ref().ok_or(IdentityError::NoFaceProduct)?;
        let steady = self.0.clock.steady();
        let Ceremony::Face(challenge) = self.1.take(visitor.session, Kind::Face, steady)? else {
            return Err(IdentityError::NoCeremony);
        };
        let now = self.0.clock.now().0 / 1_000_000;
        if now.abs_diff(word.time) > FACE_SECONDS.unsigned_abs() {
            return Err(IdentityError::NotProved);
        }
        let account = self.account(&visitor.user).await?;
        let account = account.ok_or(IdentityError::NotProved)?;
        let message = face_message(&account.login, &challenge, word.time);
        let bytes = URL_SAFE_NO_PAD.decode(word.signature.trim()).ok();
        let signature = bytes.and_then(|b| Signature::from_slice(&b).ok());
        let signature = signature.ok_or(IdentityError::NotProved)?;
        match key.verify_strict(message.as_bytes(), &signature) {
            Ok(()) => Ok(Proved { changes: vec![] }),
            Err(_) => Err(IdentityError::NotProved),
        }
    }

    /// Says that the session's user was verified just now; call after the line of the proof stands. Whether another
    /// session of the user was ended.
    pub fn verified(&self, visitor: &Visitor) -> bool {
        let steady = self.0.clock.steady();
        self.0.sessions.verified(&visitor.session, steady)
    }
}

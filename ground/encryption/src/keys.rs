use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use mimamori_kernel::error::Coded;
use mimamori_kernel::random::Random;
use zeroize::Zeroizing;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or folder cannot be read or made.
    #[error("鍵ファイル {path} を読み書きできません")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others could read the key.
    #[error("鍵 {path} は所有者以外も読める設定（{mode:o}）です")]
    Open {
        /// Which one.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// Not 32 bytes.
    #[error("鍵ファイル {path} の大きさが正しくありません")]
    Size {
        /// Which one.
        path: PathBuf,
    },
}

impl Coded for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "KEY-FILE",
            Self::Open { .. } => "KEY-OPEN",
            Self::Size { .. } => "KEY-SIZE",
        }
    }
    fn advice(&self) -> &'static str {
        match self {
            Self::File { .. } => "データフォルダの場所と所有者を確かめてください。",
            Self::Open { .. } => "フォルダは 0700、ファイルは 0600 にしてください。",
            Self::Size { .. } => {
                "鍵ファイルを控えから戻してください。作り直すと以前の記録は読めなくなります。"
            }
        }
    }
}

/// 32 secret bytes, wiped when dropped; no `Display`, and `Debug` shows nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// A fresh secret.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0u8; 32]);
        random.fill(bytes.as_mut());
        Self(bytes)
    }
    /// A secret with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The keys folder of one instance (`keys/`, 0700; files 0600).
#[derive(Debug, Clone)]
pub struct Keys {
    /// Wraps the keys of sealed details.
    pub wrapping: Secret,
    /// Makes the persons' tokens in the trace.
    pub token: Secret,
    /// Signs checkpoints.
    pub checkpoint: Secret,
    /// Binds form tokens to sessions.
    pub form: Secret,
}

impl Keys {
    /// Makes the folder and its keys; refuses to touch keys that exist.
    pub fn create(dir: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|source| KeyError::File {
                path: dir.into(),
                source,
            })?;
        let make = |name: &str| {
            let path = dir.join(name);
            let secret = Secret::random(random);
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .and_then(|mut file| {
                    file.write_all(secret.bytes())
                        .and_then(|()| file.sync_all())
                })
                .map_err(|source| KeyError::File { path, source })?;
            Ok(secret)
        };
        let keys = Self {
            wrapping: make("wrapping.key")?,
            token: make("token.key")?,
            checkpoint: make("checkpoint.key")?,
            form: make("form.key")?,
        };
        // The names of the files, then the name of the folder: a power cut leaves all or nothing
        // that counts.
        sync_folder(dir)?;
        match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent)?,
            _ => sync_folder(Path::new("."))?,
        }
        Ok(keys)
    }

    /// Loads the keys, refusing a folder or file that others can read.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        private(dir)?;
        let read = |name: &str| {
            let path = dir.join(name);
            private(&path)?;
            let bytes = Zeroizing::new(fs::read(&path).map_err(|source| KeyError::File {
                path: path.clone(),
                source,
            })?);
            let bytes: [u8; 32] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| KeyError::Size { path })?;
            Ok(Secret::from_bytes(bytes))
        };
        Ok(Self {
            wrapping: read("wrapping.key")?,
            token: read("token.key")?,
            checkpoint: read("checkpoint.key")?,
            form: read("form.key")?,
        })
    }
}

fn sync_folder(path: &Path) -> Result<(), KeyError> {
    fs::File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| KeyError::File {
            path: path.into(),
            source,
        })
}

fn private(path: &Path) -> Result<(), KeyError> {
    let meta = fs::metadata(path).map_err(|source| KeyError::File {
        path: path.into(),
        source,
    })?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyError::Open {
            path: path.into(),
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimamori_kernel::random::SystemRandom;

    #[test]
    fn keys_that_others_can_read_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let made = Keys::create(&keys, &SystemRandom).unwrap();
        assert_eq!(Keys::load(&keys).unwrap().token.bytes(), made.token.bytes());
        assert!(matches!(
            Keys::create(&keys, &SystemRandom),
            Err(KeyError::File { .. })
        ));
        fs::set_permissions(keys.join("token.key"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Keys::load(&keys),
            Err(KeyError::Open { mode: 0o640, .. })
        ));
        fs::set_permissions(keys.join("token.key"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            Keys::load(&keys),
            Err(KeyError::Open { mode: 0o755, .. })
        ));
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(keys.join("form.key"), [1, 2, 3]).unwrap();
        assert!(matches!(Keys::load(&keys), Err(KeyError::Size { .. })));
    }
}

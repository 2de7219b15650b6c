//! What the instance can see of itself, for the lines of the checklist that software enforces (S1-33).

use std::path::PathBuf;
use std::sync::Arc;

use mimamori_kernel::clock::Clock;
use mimamori_kernel::error::Coded as _;
use mimamori_oversight::{Finding, Probe, Probes};

use crate::backup::{State, Weight};
use crate::config::Config;
use crate::instance::Instance;

/// The probes of one instance.
pub(crate) struct Seen {
    dir: PathBuf,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
}

impl Seen {
    pub(crate) fn of(instance: &Instance) -> Self {
        Self {
            dir: instance.dir.clone(),
            config: Arc::new(instance.config.clone()),
            clock: instance.clock.clone(),
        }
    }

    fn encryption(&self) -> Finding {
        let (holds, told) = match (&self.config.tls, self.config.trusted_proxy.len()) {
            (Some(_), _) => (true, "このシステムが直接TLSを受けています。".to_owned()),
            (None, 0) => (
                false,
                "TLSも、TLSを受ける中継サーバーも設定されていません（この機械の中だけの通信です）。".to_owned(),
            ),
            (None, n) => (true, format!("TLSは、設定された中継サーバー{n}台が受けています。")),
        };
        Finding {
            probe: Probe::Encryption,
            holds,
            told,
        }
    }

    fn sign_in(&self) -> Finding {
        let passkeys = self.config.passkey_origin().is_some() || self.config.face_product.is_some();
        let (holds, told) = match passkeys {
            true => (
                true,
                "IDとパスワードに加え、パスキー等の本人確認を使えます。",
            ),
            false => (
                false,
                "IDとパスワードだけです。パスキー（passkeys）も顔認証（face_product）も設定されていません。",
            ),
        };
        Finding {
            probe: Probe::SignIn,
            holds,
            told: told.into(),
        }
    }

    fn backup(&self) -> Finding {
        let state = State::of(&self.dir, &self.config, self.clock.now());
        let (holds, told) = match state {
            Ok(Some(state)) => (state.weight == Weight::Good, state.text),
            Ok(None) => (false, "控えの設定（backup）がありません。".into()),
            Err(error) => {
                tracing::error!(code = error.code(), error = ?error, "the state of the backups cannot be read");
                (false, "控えの状態が読めません。".into())
            }
        };
        Finding {
            probe: Probe::Backup,
            holds,
            told,
        }
    }
}

impl Probes for Seen {
    fn findings(&self) -> Vec<Finding> {
        // The gate reads every policy before the instance opens; with rules that do not hold together nothing would run.
        let access = Finding {
            probe: Probe::Access,
            holds: true,
            told: "許可する規則がない操作は断られます。規則は起動のときに確かめられました。".into(),
        };
        vec![self.encryption(), self.sign_in(), access, self.backup()]
    }
}

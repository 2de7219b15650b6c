//! `mimamori init`: directory, keys, schema, one administrator who can only make a second.

use std::path::Path;

use mimamori_encryption::Keys;
use mimamori_identity::{
    Initial, NewUser, Org, OrgKind, Role, new_user, org_statement, reset_password,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::Statement;
use mimamori_trace::{Act, Decision, Trace};

use crate::config::Config;
use crate::error::StartError;
use crate::instance::Instance;

/// Two weeks until an initial password expires, in microseconds.
pub const INITIAL: i64 = 14 * 24 * 3600 * 1_000_000;

/// A line of the system itself that carries account changes.
pub fn system_act(
    instance: &Instance,
    action: &'static str,
    policy: String,
    changes: Vec<Statement>,
) -> Act {
    Act {
        changes,
        touches_accounts: true,
        ..system_line(&instance.trace, action, policy)
    }
}

/// A line of the system itself that changes nothing.
pub(crate) fn system_line(trace: &Trace, action: &'static str, policy: String) -> Act {
    Act {
        actor: None,
        epoch: 0,
        org: None,
        role: "system".into(),
        action,
        purpose: "operation",
        classes: 0,
        decision: Decision::Allowed,
        policy,
        shown: vec![],
        details: None,
        changes: vec![],
        ground: trace.ground(),
        touches_subjects: false,
        touches_accounts: false,
    }
}

/// The mark of an `init` that has not ended.
const UNFINISHED: &str = "init.unfinished";

/// Whether an `init` was cut off here; nobody has used the directory then.
pub fn unfinished(dir: &Path) -> bool {
    dir.join(UNFINISHED).exists()
}

/// Removes what an `init` that was cut off has made.
fn clear(dir: &Path) -> Result<(), StartError> {
    for name in [
        "mimamori.toml",
        "register.db",
        "register.db-wal",
        "register.db-shm",
        "run.lock",
    ] {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_file(&path).map_err(StartError::file(path))?;
        }
    }
    for name in ["keys", "trace", crate::numbers::FOLDER] {
        let path = dir.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(StartError::file(path))?;
        }
    }
    Ok(())
}

/// Makes the directory and its contents without accounts.
pub async fn make(dir: &Path, config: &Config) -> Result<(), StartError> {
    config.check()?;
    if dir.join("mimamori.toml").exists() {
        return Err(StartError::State(format!(
            "{} はすでに用意されています。",
            dir.display()
        )));
    }
    std::fs::create_dir_all(dir).map_err(StartError::file(dir))?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(dir, private).map_err(StartError::file(dir))?;
    Keys::create(&dir.join("keys"), &SystemRandom)?;
    config.save(dir)?;
    crate::numbers::prepare(dir, config)?;
    Instance::migrate(dir).await?;
    Ok(())
}

/// Enters an account with its line; the initial password.
pub async fn enter(
    instance: &Instance,
    user: &NewUser,
    org: Option<&Org>,
) -> Result<(UserId, String), StartError> {
    let now: Instant = instance.clock.now();
    let (id, password, mut changes) = new_user(
        user,
        instance.identity.kdf(),
        now,
        INITIAL,
        &*instance.random,
    )?;
    changes.splice(0..0, org.map(org_statement));
    let mut act = system_act(
        instance,
        "account.create",
        format!("login={}", user.login),
        changes,
    );
    act.actor = user.approved_by;
    act.epoch = 1;
    instance.trace.record(act).await?;
    Ok((id, password))
}

/// `init`: everything, with the first administrator; login and one-time code.
///
/// An `init` that was cut off can be started again: it begins anew. On PostgreSQL its tables stay
/// and the second `init` refuses; the schema has to be dropped by hand then.
pub async fn init(dir: &Path, config: &Config) -> Result<(String, String), StartError> {
    config.check()?;
    if unfinished(dir) {
        clear(dir)?;
    } else if dir.join("mimamori.toml").exists() {
        return Err(StartError::State(format!(
            "{} はすでに用意されています。",
            dir.display()
        )));
    }
    std::fs::create_dir_all(dir).map_err(StartError::file(dir))?;
    let mark = dir.join(UNFINISHED);
    std::fs::File::create(&mark)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::File::open(dir)?.sync_all())
        .map_err(StartError::file(&mark))?;
    make(dir, config).await?;
    let instance = Instance::open(dir).await?;
    let org = Org {
        id: OrgId::random(&*instance.random),
        kind: OrgKind::Department,
        name: "運営事務局".into(),
    };
    let login = "kanri-1".to_owned();
    let user = NewUser {
        login: login.clone(),
        name: "運営管理責任者（一人目）".into(),
        org: org.id,
        org_kind: org.kind,
        roles: vec![Role::OperationsManager],
        person: None,
        approved_by: None,
        until: None,
    };
    let (_, code) = enter(&instance, &user, Some(&org)).await?;
    std::fs::remove_file(&mark).map_err(StartError::file(mark))?;
    Ok((login, code))
}

/// A new initial password of a 運営管理責任者, given out at the machine while the service is stopped:
/// the way out when no second manager is left who could ask or approve. Leaves its line.
///
/// # Errors
/// [`StartError::State`] for anybody else, or an account that was ended.
pub async fn reissue(instance: &Instance, login: &str) -> Result<String, StartError> {
    let account = instance.identity.by_login(login).await?;
    let manages =
        |a: &mimamori_identity::Account| a.active && a.roles.contains(&Role::OperationsManager);
    let Some(account) = account.filter(manages) else {
        return Err(StartError::State(
            "このIDは、利用中の運営管理責任者ではありません。ほかの人のパスワードは、画面の利用者管理で再発行してください。".into(),
        ));
    };
    let initial = Initial::new(instance.identity.kdf(), &*instance.random)?;
    let change = reset_password(&account, &initial, instance.clock.now(), INITIAL);
    let act = system_act(
        instance,
        "administrator.reissue",
        format!("login={login}"),
        change.into_statements(),
    );
    instance.trace.record(act).await?;
    Ok(initial.words().to_owned())
}

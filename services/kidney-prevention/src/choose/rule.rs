//! Rule sets in the database: a version for each proposal, in force only after another person approved it.

use mimamori_gate::{GateError, JobPermit, Row, Statement, Value};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;

use crate::error::KidneyError;
use crate::selection::{RuleSet, presets};

/// One version.
pub(super) struct Version {
    pub number: i64,
    pub rule: RuleSet,
    pub state: String,
    pub made_by: Option<Vec<u8>>,
    pub made: String,
    pub decided: String,
}

const SQL: &str = "SELECT number, body, state, made_by, made_name, made_at, decided_name, decided_at FROM kidney_prevention_rule";

fn version(row: &Row) -> Result<Version, KidneyError> {
    let made_by = match &row.0.get(3) {
        Some(Value::Bytes(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    Ok(Version {
        number: row.int(0)?,
        rule: RuleSet::parse(row.text(1)?)?,
        state: row.text(2)?.to_owned(),
        made_by,
        made: format!("{}　{}", row.text(5)?, row.text(4)?),
        decided: format!("{}　{}", row.text(7)?, row.text(6)?)
            .trim()
            .to_owned(),
    })
}

/// All versions, the newest first.
pub(super) async fn all(permit: &JobPermit) -> Result<Vec<Version>, KidneyError> {
    let rows = permit
        .rows(&format!("{SQL} ORDER BY number DESC LIMIT 200"), vec![])
        .await?;
    rows.iter().map(version).collect()
}

/// One version.
pub(super) async fn one(permit: &JobPermit, number: i64) -> Result<Version, KidneyError> {
    let rows = permit
        .rows(&format!("{SQL} WHERE number = ?"), vec![number.into()])
        .await?;
    version(rows.first().ok_or(GateError::NotFound)?)
}

/// The id of a user, or nothing for the machine.
pub(super) fn by(user: Option<UserId>) -> Value {
    user.map_or(Value::NullBytes, |u| Value::from(u.bytes().to_vec()))
}

/// Writes a proposal; gives its number.
pub(super) async fn write(
    permit: &JobPermit,
    rule: &RuleSet,
    (user, name): (Option<UserId>, &str),
    at: Instant,
) -> Result<i64, KidneyError> {
    rule.check()?;
    let rows = permit
        .rows(
            "SELECT COALESCE(MAX(number), 0) + 1 FROM kidney_prevention_rule",
            vec![],
        )
        .await?;
    let number = rows.first().map_or(Ok(1), |r| r.int(0))?;
    let body = toml::to_string(rule).map_err(|_| KidneyError::Kept)?;
    let step = Statement::new(
        "INSERT INTO kidney_prevention_rule (number, name, body, state, made_by, made_name, made_at, decided_name, \
         decided_at) VALUES (?, ?, ?, 'proposed', ?, ?, ?, '', '')",
        vec![
            number.into(),
            rule.name.as_str().into(),
            body.into(),
            by(user),
            name.into(),
            at.office_text().into(),
        ],
    );
    permit
        .change(&format!("選定ルールの申請 {number}"), vec![step], false)
        .await?;
    Ok(number)
}

/// Proposes a preset of the program as it stands, for a sample town; gives its number.
///
/// # Errors
/// [`KidneyError`].
pub async fn propose_preset(
    permit: &JobPermit,
    id: &str,
    by: &str,
    at: Instant,
) -> Result<i64, KidneyError> {
    let rule = presets()?.into_iter().find(|r| r.id == id);
    let rule = rule.ok_or(GateError::NotFound)?;
    write(permit, &rule, (None, by), at).await
}

/// Approves or declines a proposal.
pub(super) async fn decide(
    permit: &JobPermit,
    number: i64,
    approved: bool,
    (user, name): (UserId, &str),
    at: Instant,
) -> Result<(), KidneyError> {
    let version = one(permit, number).await?;
    if version.made_by.as_deref() == Some(&user.bytes()[..]) && approved {
        return Err(KidneyError::SamePerson);
    }
    if version.state != "proposed" {
        return Err(KidneyError::Overtaken);
    }
    let (state, word) = if approved {
        ("approved", "承認")
    } else {
        ("declined", "却下")
    };
    let step = Statement::expecting(
        "UPDATE kidney_prevention_rule SET state = ?, decided_name = ?, decided_at = ? WHERE number = ? AND state = 'proposed'",
        vec![
            state.into(),
            name.into(),
            at.office_text().into(),
            number.into(),
        ],
        1,
        "kidney-rule",
    );
    permit
        .change(&format!("選定ルール {number} を{word}"), vec![step], false)
        .await?;
    Ok(())
}

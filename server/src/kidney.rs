//! The programme against diabetic nephropathy in this instance: its room, and the sample town's health checks.

use std::path::Path;

use mimamori_kernel::date::fiscal_year;
use mimamori_kidney_prevention::intake::{Incoming, accept, take_in};
use mimamori_kidney_prevention::{KidneyPrevention, action, propose_preset, try_rule};
use mimamori_sheets::Press;
use mimamori_testkit::TownArgs;
use mimamori_testkit::checkups::{CheckupArgs, write_checkups};

use crate::config::{Contact, Environment};
use crate::error::StartError;
use crate::instance::Instance;

/// Who made what the sample town begins with.
const MACHINE: &str = "見本の町";

/// The room, where the register is; without fonts it opens and prints no letters.
pub(crate) fn room(instance: &Instance, press: Press) -> Option<KidneyPrevention> {
    if !instance.config.zone.has_residents() {
        return None;
    }
    let contact = instance.config.contact.as_ref().map(Contact::line);
    let sender = (
        "健康部 健康づくり課".to_owned(),
        contact.unwrap_or_else(|| "健康づくり課の窓口".to_owned()),
    );
    let sample = instance.config.environment == Environment::Demo;
    let (gate, clock) = (instance.gate.clone(), instance.clock.clone());
    Some(KidneyPrevention::new(gate, clock, press, sender, sample))
}

/// Writes the sample town's health checks into `inbox`, where they stay for the screen, takes both files in, and tries
/// the first preset over last year's. Gives the number of health checks in force.
///
/// # Errors
/// [`StartError`]; what was taken in before stays.
pub async fn sample(
    instance: &Instance,
    town: TownArgs,
    checks: u32,
    inbox: &Path,
) -> Result<i64, StartError> {
    let (args, to) = (CheckupArgs { town, checks }, inbox.to_owned());
    let written = tokio::task::spawn_blocking(move || write_checkups(&args, &to)).await;
    written.map_err(|_| StartError::State("見本の健診結果を書けません。".into()))??;
    let permit = instance.gate.job(action::IMPORT, None).await?;
    for file in ["checkups.csv", "checkups.zip"] {
        let path = inbox.join(file);
        let read = tokio::fs::read(&path).await;
        let bytes = read.map_err(|source| StartError::File { path, source })?;
        let at = instance.clock.now();
        let by = MACHINE.to_owned();
        let number = take_in(&permit, Incoming { bytes, at, by }).await?;
        accept(&permit, number, true, instance.clock.now(), MACHINE).await?;
    }
    let rules = instance.gate.job(action::RULE, None).await?;
    for preset in ["hba1c-70", "hba1c-65"] {
        propose_preset(&rules, preset, MACHINE, instance.clock.now()).await?;
    }
    let permit = instance.gate.job(action::SELECT, None).await?;
    let now = instance.clock.now();
    let year = fiscal_year(now.office_day());
    let until = jiff::civil::Date::new(year + 1, 3, 31).unwrap_or(now.office_day());
    try_rule(&permit, 1, year - 1, until, (None, MACHINE), now).await?;
    let sql = "SELECT COUNT(*) FROM kidney_prevention_checkup WHERE taken = 1";
    let rows = permit.rows(sql, vec![]).await?;
    Ok(rows.first().map_or(Ok(0), |r| r.int(0))?)
}

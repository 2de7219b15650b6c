//! Care insurance in this instance: its room and its derivation.

use std::sync::Arc;

use mimamori_care_insurance::cards::Insurer;
use mimamori_care_insurance::eligibility::{Codes, Derivation, Numbering, run};
use mimamori_care_insurance::{CareInsurance, action};
use mimamori_kernel::error::Coded as _;
use mimamori_sheets::{Fonts, Printer};

use crate::config;
use crate::error::StartError;
use crate::instance::Instance;

fn setting(instance: &Instance) -> config::CareInsurance {
    let own = instance.config.care_insurance.clone();
    own.unwrap_or_else(config::CareInsurance::sample)
}

/// The room, where the register is; without fonts it opens and cannot print.
pub(crate) fn room(instance: &Instance) -> Option<CareInsurance> {
    if !instance.config.zone.has_residents() {
        return None;
    }
    let printer = match Fonts::system() {
        Ok(fonts) => Some(Arc::new(Printer::new(fonts))),
        Err(error) => {
            tracing::warn!(code = error.code(), "{error} {}", error.advice());
            None
        }
    };
    let codes = match Codes::built_in() {
        Ok(codes) => codes,
        Err(error) => {
            tracing::error!(code = error.code(), "{error}");
            return None;
        }
    };
    let own = setting(instance);
    let insurer = Insurer {
        number: own.insurer_number,
        name: own.insurer_name,
        contact: own.contact,
    };
    Some(CareInsurance::new(
        instance.gate.clone(),
        instance.clock.clone(),
        printer,
        insurer,
        codes,
    ))
}

/// Works out everybody's qualification from the register (資格の計算); to be run after an import and each night.
///
/// # Errors
/// [`StartError::Derive`]; what was worked out before stays.
pub async fn derive(instance: &Instance) -> Result<Derivation, StartError> {
    let permit = instance.gate.job(action::DERIVE, None).await?;
    let codes = Codes::built_in().map_err(|e| StartError::State(e.to_string()))?;
    let own = setting(instance);
    let numbering = Numbering {
        method: own.numbering,
        first: own.first_number,
    };
    Ok(run(&permit, &codes, &numbering, instance.clock.now()).await?)
}

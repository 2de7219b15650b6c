//! Care insurance in this instance: its room and its derivation.

use std::sync::Arc;

use mimamori_care_insurance::cards::Insurer;
use mimamori_care_insurance::eligibility::{Codes, Derivation, Method, Numbering, run};
use mimamori_care_insurance::{CareInsurance, action};
use mimamori_files::Shelf;
use mimamori_identity::{Role, SessionId};
use mimamori_kernel::error::Coded as _;
use mimamori_residents::{ServiceLink, Services};
use mimamori_sheets::Press;

use crate::config::{self, Config, Environment};
use crate::error::StartError;
use crate::instance::Instance;

/// The town's own settings; a demo has invented ones, and nobody else.
fn setting(config: &Config) -> Option<config::CareInsurance> {
    let demo = config.environment == Environment::Demo;
    let sample = demo.then(config::CareInsurance::sample);
    config.care_insurance.clone().or(sample)
}

/// The insurer on cards; none: no card is made.
fn insurer(config: &Config) -> Option<Insurer> {
    let own = setting(config)?;
    Some(Insurer {
        number: own.insurer_number,
        name: own.insurer_name,
        contact: own.contact,
        sample: config.environment == Environment::Demo,
    })
}

/// How insured-person numbers are made; without settings none is invented.
fn numbering(config: &Config) -> Numbering {
    let own = setting(config);
    Numbering {
        method: own.as_ref().map_or(Method::Manual, |o| o.numbering),
        first: own.map_or(1, |o| o.first_number),
    }
}

/// The room, where the register is; without fonts it opens and cannot print.
pub(crate) fn room(
    instance: &Instance,
    press: Press,
    shelf: Shelf<SessionId>,
) -> Option<CareInsurance> {
    if !instance.config.zone.has_residents() {
        return None;
    }
    let codes = match Codes::built_in() {
        Ok(codes) => codes,
        Err(error) => {
            tracing::error!(code = error.code(), "{error}");
            return None;
        }
    };
    let config = &instance.config;
    let room = CareInsurance::new(
        instance.gate.clone(),
        instance.clock.clone(),
        press,
        insurer(config),
        codes,
        numbering(config),
        shelf,
    );
    Some(match crate::numbers::desk(&instance.dir, config) {
        Some(desk) => room.with_numbers(desk),
        None => room,
    })
}

/// What a record of the register leads to.
pub(crate) fn services(room: Option<&CareInsurance>) -> Services {
    let Some(room) = room.cloned() else {
        return Services::default();
    };
    Services {
        links: [ServiceLink {
            label: "資格管理で開く（資格と被保険者証）",
            path: "/insurance/persons/{person}",
            roles: &[Role::Clerk, Role::LeadOfficer],
            handlers: false,
        }]
        .into_iter()
        .chain(room.has_numbers().then_some(ServiceLink {
            label: "個人番号の管理（特定個人情報取扱者）",
            path: "/insurance/numbers/persons/{person}",
            roles: &[Role::Clerk, Role::LeadOfficer],
            handlers: true,
        }))
        .collect(),
        waiting: Some(Arc::new(move || {
            let room = room.clone();
            Box::pin(async move {
                // Whoever cannot tell does not claim that all is worked out.
                room.waits().await.unwrap_or_else(|error| {
                    tracing::error!(code = error.code(), error = ?error, "no state of the derivation");
                    true
                })
            })
        })),
    }
}

/// Works out everybody's qualification from the register (資格の計算); for a service that is stopped; a running
/// one does it by itself each night.
///
/// # Errors
/// [`StartError::Derive`]; what was worked out before stays.
pub async fn derive(instance: &Instance) -> Result<Derivation, StartError> {
    let permit = instance.gate.job(action::DERIVE, None).await?;
    let codes = Codes::built_in().map_err(|e| StartError::State(e.to_string()))?;
    let numbering = numbering(&instance.config);
    Ok(run(&permit, &codes, &numbering, instance.clock.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Zone;

    #[test]
    fn only_a_demo_invents_an_insurer_and_it_says_so() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        let mut real = Config::new(Zone::Number, Environment::Production, "town", listen);
        assert_eq!(insurer(&real), None);
        assert_eq!(numbering(&real).method, Method::Manual);
        real.care_insurance = Some(config::CareInsurance {
            insurer_number: "142059".into(),
            ..config::CareInsurance::sample()
        });
        let own = insurer(&real).unwrap();
        assert_eq!((own.number.as_str(), own.sample), ("142059", false));
        let demo = Config::new(Zone::Demo, Environment::Demo, "town", listen);
        let sample = insurer(&demo).unwrap();
        assert!(sample.sample && sample.name.contains("見本"));
    }
}

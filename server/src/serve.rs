//! Listening, daily map, orderly end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;

use crate::backup::{Copies, Maker};
use crate::config::Tls;
use crate::error::StartError;
use crate::instance::Instance;
use crate::tls::Certificates;
use crate::web::Site;

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(instance: &Instance, site: Site) -> Result<(), StartError> {
    if let Some(residents) = &site.residents {
        residents.wake().await?;
    }
    let (listen, tls) = (instance.config.listen, instance.config.tls.clone());
    tokio::spawn(daily_map(instance.trace.clone(), instance.clock.clone()));
    tokio::spawn(hourly_patrol(site.audit.clone()));
    if let Some(insurance) = site.insurance.clone() {
        let hour = instance.config.derivation_hour;
        let clock = instance.clock.clone();
        tokio::spawn(nightly_derivation(insurance.clone(), clock.clone(), hour));
        tokio::spawn(following_derivation(insurance.clone(), clock));
        if instance.config.numbers.is_some() {
            tokio::spawn(numbers_outcomes(insurance));
        }
    }
    tokio::spawn(nightly_backup(Maker::new(instance)));
    let room = instance
        .config
        .numbers
        .is_some()
        .then(|| tokio::spawn(crate::numbers::keep(instance.dir.clone())));
    if let Some(copies) = Copies::new(instance) {
        tokio::spawn(journal_copies(copies));
    }
    listen_on(
        listen,
        tls.map(|t| (t, instance.dir.clone())),
        site.router(),
    )
    .await?;
    if let Some(room) = room {
        room.abort();
    }
    close(&instance.trace).await;
    Ok(())
}

/// Ends the trace under a signed checkpoint. When that does not come in time, the lines stand all
/// the same and are signed at the next start.
async fn close(trace: &mimamori_trace::Trace) {
    match tokio::time::timeout(Duration::from_secs(10), trace.close()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(error = ?error, "the trace was not closed in order"),
        Err(_) => tracing::error!("the last lines of the trace are not signed yet"),
    }
}

async fn listen_on(
    listen: SocketAddr,
    tls: Option<(Tls, std::path::PathBuf)>,
    router: Router,
) -> Result<(), StartError> {
    let handle = Handle::new();
    tokio::spawn(end(handle.clone()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let broken = |source| StartError::File {
        path: listen.to_string().into(),
        source,
    };
    match tls {
        Some((tls, dir)) => {
            let config = crate::tls::settings(&dir, &tls).map_err(broken)?;
            axum_server::bind(listen)
                .acceptor(Certificates(RustlsAcceptor::new(config)))
                .handle(handle)
                .serve(service)
                .await
                .map_err(broken)
        }
        None => axum_server::bind(listen)
            .handle(handle)
            .serve(service)
            .await
            .map_err(broken),
    }
}

async fn end(handle: Handle<SocketAddr>) {
    let ctrl_c = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut term) => {
            tokio::select! { _ = ctrl_c => {}, _ = term.recv() => {} }
        }
        Err(_) => drop(ctrl_c.await),
    }
    handle.graceful_shutdown(Some(Duration::from_secs(10)));
}

/// One map line at start and at each new office day.
async fn daily_map(
    trace: mimamori_trace::Trace,
    clock: std::sync::Arc<dyn mimamori_kernel::clock::Clock>,
) {
    let mut day = None;
    loop {
        let today = clock.now().office_day();
        if day != Some(today) {
            match trace.map().await {
                Ok(_) => day = Some(today),
                Err(error) => tracing::error!(error = ?error, "the day's map could not be written"),
            }
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

/// The monitoring rules, five minutes after the start and then once an hour (S0-45).
async fn hourly_patrol(audit: mimamori_audit::Audit) {
    tokio::time::sleep(Duration::from_secs(300)).await;
    loop {
        if let Err(error) = audit.patrol().await {
            let code = mimamori_kernel::error::Coded::code(&error);
            tracing::error!(code, error = ?error, "the monitoring rules could not be run");
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// Everybody's qualification soon after the register changed (0022). It rests ten times as long as
/// it worked, so that many changes are taken together and the pages keep the machine.
async fn following_derivation(
    insurance: mimamori_care_insurance::CareInsurance,
    clock: std::sync::Arc<dyn mimamori_kernel::clock::Clock>,
) {
    const LEAST: Duration = Duration::from_secs(5);
    loop {
        let began = tokio::time::Instant::now();
        let pause = match insurance.follow(clock.now()).await {
            Ok(None) => LEAST,
            Ok(Some(_)) => LEAST.max(began.elapsed() * 10),
            Err(error) => {
                let code = mimamori_kernel::error::Coded::code(&error);
                tracing::error!(code, error = ?error, "the derivation after a change stopped");
                Duration::from_secs(900)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What the numbers room did is written down soon after (S0-50).
async fn numbers_outcomes(insurance: mimamori_care_insurance::CareInsurance) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if let Err(error) = insurance.sync_numbers().await {
            tracing::warn!(error = ?error, "the outcomes of the numbers room could not be written down yet");
        }
    }
}

/// Everybody's qualification, once each night from `hour` on (S0-44).
async fn nightly_derivation(
    insurance: mimamori_care_insurance::CareInsurance,
    clock: std::sync::Arc<dyn mimamori_kernel::clock::Clock>,
    hour: i8,
) {
    loop {
        // A run that stopped is tried again, but not every minute.
        let pause = match insurance.nightly(hour, clock.now()).await {
            Ok(_) => 60,
            Err(error) => {
                let code = mimamori_kernel::error::Coded::code(&error);
                tracing::error!(code, error = ?error, "the nightly derivation stopped");
                900
            }
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// The night's generation of the backup, where one is set (S0-28).
async fn nightly_backup(maker: Maker) {
    loop {
        let pause = match maker.nightly(maker.now()).await {
            Ok(_) => 60,
            Err(error) => {
                let code = mimamori_kernel::error::Coded::code(&error);
                tracing::error!(code, error = ?error, "the nightly backup could not be made");
                900
            }
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// The journal of revocations and erasures off the host: each minute, and within seconds after one (S0-28).
async fn journal_copies(mut copies: Copies) {
    loop {
        let pause = match copies.look().await {
            Ok(_) => 2,
            Err(error) => {
                let code = mimamori_kernel::error::Coded::code(&error);
                tracing::error!(code, error = ?error, "the journal could not be copied off the host");
                30
            }
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

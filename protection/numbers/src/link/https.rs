//! HTTPS with JSON and mutual TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use mimamori_kernel::clock::Clock;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::config::HttpsConfig;
use super::contract::{
    ActAnswer, ActRequest, HeldNumber, ListPage, ListRequest, PersonRequest, Problem, is_fifteen,
};
use super::port::{Call, CallLog, Failure, Held, Order, Told};
use super::{ActKind, LinkError};

/// Rows of one page of the list.
const PAGE: u32 = 2_000;
/// Pauses before an inquiry or a page of the list is asked for again; acts wait in the outbox instead.
const AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The adapter. Connections are kept.
pub(super) struct Https {
    client: Client,
    base: String,
    limit: usize,
    clock: Arc<dyn Clock>,
    pub log: CallLog,
}

impl Https {
    /// Reads certificates and key. The caller has installed the cryptographic provider (ring).
    pub fn new(
        config: &HttpsConfig,
        base: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        let pem = config.read(base)?;
        let wrong = |what: &str| LinkError::Config {
            what: what.to_owned(),
        };
        let ca = Certificate::from_pem_bundle(&pem.ca)
            .map_err(|_| wrong("ca が証明書ではありません"))?;
        if ca.is_empty() {
            return Err(wrong("ca に証明書がありません"));
        }
        let identity = Identity::from_pem(&pem.identity)
            .map_err(|_| wrong("certificate か key が読めません"))?;
        let client = Client::builder()
            .tls_certs_only(ca)
            .identity(identity)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(config.connect_seconds))
            .timeout(Duration::from_secs(config.total_seconds))
            .build()
            .map_err(|_| wrong("証明書と鍵が組になっていません"))?;
        let base = config.url.trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            base,
            limit: config.limit_bytes,
            clock,
            log: CallLog::default(),
        })
    }

    /// Tells one act.
    pub async fn tell(&self, order: Order) -> Result<Told, Failure> {
        let Order {
            key,
            kind,
            address,
            number,
        } = order;
        let answer = match (kind, number) {
            (ActKind::Delete, _) => {
                delete(
                    self,
                    &key,
                    PersonRequest {
                        address_number: address,
                    },
                )
                .await?
            }
            (_, None) => return Err(Failure::Unclear("no-number")),
            (kind, Some(individual_number)) => {
                let request = ActRequest {
                    address_number: address,
                    individual_number,
                };
                match kind {
                    ActKind::Correct => correct(self, &key, request).await?,
                    _ => link(self, &key, request).await?,
                }
            }
        };
        if answer.key != key {
            return Err(Failure::Unclear("other-act"));
        }
        let joint = answer.integrated_number;
        if !is_fifteen(&answer.address_number) || joint.as_deref().is_some_and(|j| !is_fifteen(j)) {
            return Err(Failure::Unclear("shape"));
        }
        Ok(Told {
            address: answer.address_number,
            joint,
        })
    }

    /// What the other end holds for a 宛名番号.
    pub async fn inquire(&self, address: &str) -> Result<Held, Failure> {
        let mut pauses = AGAIN.iter();
        loop {
            let request = PersonRequest {
                address_number: address.to_owned(),
            };
            match (inquire(self, request).await, pauses.next()) {
                (Ok(held), _) => return held_of(held),
                (Err(Failure::Away(..)), Some(pause)) => tokio::time::sleep(*pause).await,
                (Err(failure), _) => return Err(failure),
            }
        }
    }

    /// The whole list, as it stood at one moment.
    pub async fn list(&self) -> Result<Vec<Held>, Failure> {
        let mut out: Vec<Held> = Vec::new();
        let (mut which, mut after) = (None, None);
        loop {
            let page = self.page(which, after).await?;
            if which.is_some_and(|which| which != page.list) {
                return Err(Failure::Unclear("other-list"));
            }
            for entry in page.entries {
                let held = held_of(entry)?;
                if out
                    .last()
                    .is_some_and(|before| before.address >= held.address)
                {
                    return Err(Failure::Unclear("list-order"));
                }
                out.push(held);
            }
            which = Some(page.list);
            match page.next {
                Some(next) if out.last().is_some_and(|last| last.address == next) => {
                    after = Some(next)
                }
                Some(_) => return Err(Failure::Unclear("list-order")),
                None if u64::try_from(out.len()).is_ok_and(|found| found == page.total) => {
                    return Ok(out);
                }
                None => return Err(Failure::Unclear("list-count")),
            }
        }
    }

    async fn page(&self, which: Option<u64>, after: Option<String>) -> Result<ListPage, Failure> {
        let mut pauses = AGAIN.iter();
        loop {
            let request = ListRequest {
                list: which,
                after: after.clone(),
                limit: PAGE,
            };
            match (list(self, request).await, pauses.next()) {
                (Err(Failure::Away(..)), Some(pause)) => tokio::time::sleep(*pause).await,
                (done, _) => return done,
            }
        }
    }

    /// One call, and its line in the interface log.
    async fn call<A: DeserializeOwned>(
        &self,
        what: &'static str,
        key: Option<&str>,
        request: &impl Serialize,
    ) -> Result<A, Failure> {
        let (at, begun) = (self.clock.now(), self.clock.steady());
        let mut body = Zeroizing::new(Vec::with_capacity(512));
        serde_json::to_writer(&mut *body, request).map_err(|_| Failure::Unclear("request"))?;
        let sent = body.len();
        let url = format!("{}/v1/{what}", self.base);
        let asking = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json");
        let asking = match key {
            Some(key) => asking.header("idempotency-key", key),
            None => asking,
        };
        let mut received = 0;
        let done = match asking.body(Bytes::from_owner(body)).send().await {
            Ok(response) => self.read(response, &mut received).await,
            Err(error) => Err(away(&error)),
        };
        let code = match &done {
            Ok(_) => "ok".to_owned(),
            Err(Failure::Away(code, _) | Failure::Unclear(code)) => (*code).to_owned(),
            Err(Failure::Refused(code)) => code.clone(),
        };
        let micros = self.clock.steady() - begun;
        self.log.push(Call {
            at,
            what,
            code,
            sent,
            received,
            records: 1,
            micros,
        });
        done
    }

    async fn read<A: DeserializeOwned>(
        &self,
        mut response: Response,
        received: &mut usize,
    ) -> Result<A, Failure> {
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|k| k.to_str().ok())
            .unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        let later = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|v| v.to_str().ok());
        let later = later.and_then(|v| v.parse().ok()).unwrap_or(0);
        let mut body = Zeroizing::new(Vec::with_capacity(self.limit.min(4_096)));
        while let Some(chunk) = response.chunk().await.map_err(|error| away(&error))? {
            *received += chunk.len();
            if *received > self.limit {
                return Err(Failure::Unclear("too-long"));
            }
            body.extend_from_slice(&chunk);
        }
        match (status, kind.as_str()) {
            (200, "application/json") => {
                serde_json::from_slice(&body).map_err(|_| Failure::Unclear("shape"))
            }
            (401 | 403, _) => Err(Failure::Away("forbidden", later)),
            (408 | 425 | 429, _) => Err(Failure::Away("busy", later)),
            (500..=599, _) => Err(Failure::Away("server", later)),
            (400..=499, "application/problem+json") => {
                let problem: Problem =
                    serde_json::from_slice(&body).map_err(|_| Failure::Unclear("shape"))?;
                Err(Failure::Refused(plain_code(&problem.code)))
            }
            _ => Err(Failure::Unclear("status")),
        }
    }
}

/// The other end's word when it is one; anything else could be anything, a person's data too.
pub(super) fn plain_code(code: &str) -> String {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    // A long run of digits is no word.
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    match (1..=40).contains(&code.len()) && code.bytes().all(fine) && digits < 5 {
        true => code.to_owned(),
        false => "refused".to_owned(),
    }
}

fn away(error: &reqwest::Error) -> Failure {
    Failure::Away(
        if error.is_timeout() {
            "timeout"
        } else {
            "connection"
        },
        0,
    )
}

fn held_of(held: HeldNumber) -> Result<Held, Failure> {
    if !is_fifteen(&held.address_number) || !is_fifteen(&held.integrated_number) {
        return Err(Failure::Unclear("shape"));
    }
    Ok(Held {
        address: held.address_number,
        joint: held.integrated_number,
        number: held.individual_number,
    })
}

/// 登録: links a person. The same key again gives the first answer again and has no second effect.
#[utoipa::path(post, path = "/v1/link", request_body = ActRequest,
    params(("Idempotency-Key" = String, Header, description = "32 hexadecimal digits")),
    responses((status = 200, body = ActAnswer), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn link(
    https: &Https,
    key: &str,
    request: ActRequest,
) -> Result<ActAnswer, Failure> {
    https.call("link", Some(key), &request).await
}

/// 訂正: another number for a linked person. The same key again has no second effect.
#[utoipa::path(post, path = "/v1/correct", request_body = ActRequest,
    params(("Idempotency-Key" = String, Header, description = "32 hexadecimal digits")),
    responses((status = 200, body = ActAnswer), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn correct(
    https: &Https,
    key: &str,
    request: ActRequest,
) -> Result<ActAnswer, Failure> {
    https.call("correct", Some(key), &request).await
}

/// 削除: the link ends. A person who is not linked is no error. The same key again has no second effect.
#[utoipa::path(post, path = "/v1/delete", request_body = PersonRequest,
    params(("Idempotency-Key" = String, Header, description = "32 hexadecimal digits")),
    responses((status = 200, body = ActAnswer), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(
    https: &Https,
    key: &str,
    request: PersonRequest,
) -> Result<ActAnswer, Failure> {
    https.call("delete", Some(key), &request).await
}

/// 照会: what is held for a 宛名番号; `unknown-address` when nothing is.
#[utoipa::path(post, path = "/v1/inquire", request_body = PersonRequest,
    responses((status = 200, body = HeldNumber), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn inquire(https: &Https, request: PersonRequest) -> Result<HeldNumber, Failure> {
    https.call("inquire", None, &request).await
}

/// 一覧: everybody who is linked, in pages of one list that does not change meanwhile.
#[utoipa::path(post, path = "/v1/list", request_body = ListRequest,
    responses((status = 200, body = ListPage), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(https: &Https, request: ListRequest) -> Result<ListPage, Failure> {
    https.call("list", None, &request).await
}

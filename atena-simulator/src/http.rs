//! HTTPS with required client certificates, and a control port without TLS on this machine alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Segment, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};

use crate::world::{Reply, problem};
use crate::{Contract, Kind, Linked, Mode, World};

/// PEM files of the server.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Who signs the clients.
    pub ca: PathBuf,
    /// Own certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Tls {
    /// The files that `write_certificates` makes.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        }
    }

    fn config(&self) -> std::io::Result<ServerConfig> {
        fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
            std::io::Error::other(error)
        }
        let read = |path: &Path| -> std::io::Result<Vec<CertificateDer<'static>>> {
            let all = CertificateDer::pem_file_iter(path).map_err(std::io::Error::other)?;
            all.collect::<Result<_, _>>().map_err(std::io::Error::other)
        };
        let mut roots = RootCertStore::empty();
        for certificate in read(&self.ca)? {
            roots.add(certificate).map_err(other)?;
        }
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .map_err(other)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(other)?;
        let config = ServerConfig::builder().with_client_cert_verifier(verifier);
        config
            .with_single_cert(read(&self.certificate)?, key)
            .map_err(other)
    }
}

/// Where it listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// HTTPS.
    pub service: SocketAddr,
    /// The control port, if it has one.
    pub control: Option<SocketAddr>,
}

#[derive(Clone)]
struct Desk {
    world: Arc<World>,
    contract: Arc<Contract>,
    late: Duration,
}

/// A running simulator; it ends when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    /// Where it listens.
    pub addresses: Addresses,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Simulator {
    /// Listens on `addresses` (port 0: any). `late` is how long a slow answer takes. The caller has installed a
    /// cryptographic provider.
    ///
    /// # Errors
    /// Certificates that cannot be read, or an address in use.
    pub async fn start(
        world: Arc<World>,
        contract: Contract,
        tls: &Tls,
        addresses: Addresses,
        late: Duration,
    ) -> std::io::Result<Self> {
        let desk = Desk {
            world,
            contract: Arc::new(contract),
            late,
        };
        let config = RustlsConfig::from_config(Arc::new(tls.config()?));
        let mut tasks = Vec::new();
        let mut bound = Addresses {
            service: bind(addresses.service)?.1,
            control: None,
        };
        if let Some(address) = addresses.control {
            let listener = tokio::net::TcpListener::bind(address).await?;
            bound.control = Some(listener.local_addr()?);
            let router = control(desk.world.clone());
            tasks.push(tokio::spawn(async move {
                let _ = axum::serve(listener, router).await;
            }));
        }
        tasks.push(tokio::spawn(listen(bound.service, config, desk)));
        Ok(Self {
            addresses: bound,
            tasks,
        })
    }
}

fn bind(address: SocketAddr) -> std::io::Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}

/// Listens while the mode is not `Down`; every connection is cut when it goes down.
async fn listen(address: SocketAddr, config: RustlsConfig, desk: Desk) {
    loop {
        while desk.world.mode() == Mode::Down {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let Ok((listener, _)) = bind(address) else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let handle: Handle<SocketAddr> = Handle::new();
        let Ok(server) = axum_server::from_tcp_rustls(listener, config.clone()) else {
            return;
        };
        let router = service(desk.clone()).into_make_service();
        let serving = server.handle(handle.clone()).serve(router);
        tokio::pin!(serving);
        loop {
            tokio::select! {
                _ = &mut serving => break,
                () = tokio::time::sleep(Duration::from_millis(10)) => {
                    if desk.world.mode() == Mode::Down {
                        handle.shutdown();
                    }
                }
            }
        }
    }
}

fn service(desk: Desk) -> Router {
    Router::new()
        .route(
            "/v1/link",
            post(|s, h, b| act(s, h, b, Kind::Link, "/v1/link")),
        )
        .route(
            "/v1/correct",
            post(|s, h, b| act(s, h, b, Kind::Correct, "/v1/correct")),
        )
        .route(
            "/v1/delete",
            post(|s, h, b| act(s, h, b, Kind::Delete, "/v1/delete")),
        )
        .route("/v1/inquire", post(inquire))
        .route("/v1/list", post(list))
        .with_state(desk)
}

fn respond(reply: &Reply) -> Response {
    let kind = if reply.0 < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let status = StatusCode::from_u16(reply.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], reply.1.to_string()).into_response()
}

/// One of the errors, in turn.
fn error(world: &World) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match world.turn() % 5 {
        0 => respond(&problem(500, "internal")),
        1 => respond(&problem(429, "busy")),
        2 => (StatusCode::OK, json, "{\"key\":").into_response(),
        3 => (StatusCode::OK, json, "x".repeat(3_000_000)).into_response(),
        _ => (
            StatusCode::FOUND,
            [(header::LOCATION, "https://elsewhere.example/")],
        )
            .into_response(),
    }
}

impl Desk {
    /// What was sent, judged by the contract.
    fn read(&self, path: &str, body: &[u8]) -> Result<Value, Reply> {
        let value: Value = serde_json::from_slice(body).map_err(|_| problem(400, "contract"))?;
        self.contract
            .request(path, &value)
            .map_err(|_| problem(400, "contract"))?;
        Ok(value)
    }

    /// The answer, judged by the contract too: an answer that breaks it becomes an error that a test notices.
    async fn answer(&self, path: &str, reply: Reply) -> Response {
        if self.world.mode() == Mode::Errors {
            return error(&self.world);
        }
        if self.world.mode() == Mode::Slow {
            tokio::time::sleep(self.late).await;
        }
        match self.contract.answer(path, reply.0, &reply.1) {
            Ok(()) => respond(&reply),
            Err(why) => respond(&(500, json!({"code": "simulator-broke-contract", "why": why}))),
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

async fn act(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Bytes,
    kind: Kind,
    path: &'static str,
) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|k| k.to_str().ok())
        .unwrap_or_default();
    if key.len() != 32 || !key.bytes().all(|b| b.is_ascii_hexdigit()) {
        return respond(&problem(400, "contract"));
    }
    let reply = match desk.read(path, &body) {
        Ok(asked) => {
            let number = text(&asked, "individual_number");
            desk.world.act(
                kind,
                key,
                text(&asked, "address_number").unwrap_or_default(),
                number,
            )
        }
        Err(reply) => reply,
    };
    desk.answer(path, reply).await
}

async fn inquire(State(desk): State<Desk>, body: Bytes) -> Response {
    let reply = match desk.read("/v1/inquire", &body) {
        Ok(asked) => desk
            .world
            .inquire(text(&asked, "address_number").unwrap_or_default()),
        Err(reply) => reply,
    };
    desk.answer("/v1/inquire", reply).await
}

async fn list(State(desk): State<Desk>, body: Bytes) -> Response {
    let reply = match desk.read("/v1/list", &body) {
        Ok(asked) => {
            let limit = asked.get("limit").and_then(Value::as_u64).unwrap_or(1);
            let list = asked.get("list").and_then(Value::as_u64);
            let after = text(&asked, "after").unwrap_or_default();
            desk.world
                .list(list, after, usize::try_from(limit).unwrap_or(1))
        }
        Err(reply) => reply,
    };
    desk.answer("/v1/list", reply).await
}

/// `GET /state`, `POST /mode/{mode}`, `POST /linked` and `POST /removed/{address_number}` for tests.
fn control(world: Arc<World>) -> Router {
    Router::new()
        .route("/state", get(|State(world): State<Arc<World>>| async move {
            axum::Json(json!({"mode": world.mode(), "linked": world.linked(), "applied": world.applied()}))
        }))
        .route("/mode/{mode}", post(|State(world): State<Arc<World>>, Segment(mode): Segment<String>| async move {
            match Mode::from_name(&mode) {
                Some(mode) => {
                    world.set_mode(mode);
                    StatusCode::NO_CONTENT
                }
                None => StatusCode::NOT_FOUND,
            }
        }))
        .route("/linked", post(|State(world): State<Arc<World>>, axum::Json(linked): axum::Json<Linked>| async move {
            world.set(linked);
            StatusCode::NO_CONTENT
        }))
        .route("/removed/{number}", post(|State(world): State<Arc<World>>, Segment(number): Segment<String>| async move {
            world.remove(&number);
            StatusCode::NO_CONTENT
        }))
        .with_state(world)
}

impl Addresses {
    /// Any free port of this machine, with a control port.
    pub fn anywhere() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            service: any,
            control: Some(any),
        }
    }
}

//! Own TLS, and the certificate that a terminal may show (S0-48).

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;

use crate::config::Tls;
use crate::web::guard::ClientCertificate;

/// Reads the PEM files. With a `client_ca` a terminal may show a certificate of it; a terminal without one is
/// let in all the same and is known by its address alone.
pub(crate) fn settings(dir: &Path, tls: &Tls) -> io::Result<RustlsConfig> {
    let chain = pem_chain(&dir.join(&tls.certificate))?;
    let key = PrivateKeyDer::from_pem_file(dir.join(&tls.key)).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in pem_chain(&dir.join(path))? {
                roots.add(authority).map_err(io::Error::other)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(io::Error::other)?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

fn pem_chain(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(io::Error::other)
}

/// Accepts TLS and tells every request of the connection which certificate its terminal showed.
#[derive(Debug, Clone)]
pub(crate) struct Certificates(pub RustlsAcceptor);

type Accepted<S> = (
    <RustlsAcceptor as Accept<TcpStream, S>>::Stream,
    AddExtension<S, ClientCertificate>,
);

impl<S: Send + 'static> Accept<TcpStream, S> for Certificates {
    type Stream = <RustlsAcceptor as Accept<TcpStream, S>>::Stream;
    type Service = AddExtension<S, ClientCertificate>;
    type Future = Pin<Box<dyn Future<Output = io::Result<Accepted<S>>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        Box::pin(async move {
            use sha2::Digest as _;
            use tower::Layer as _;
            let (stream, service) = accepted.await?;
            let shown = stream.get_ref().1.peer_certificates();
            let digest = shown
                .and_then(<[_]>::first)
                .map(|der| sha2::Sha256::digest(der).into());
            let service = Extension(ClientCertificate(digest)).layer(service);
            Ok((stream, service))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use mimamori_atena_simulator::write_certificates;
    use rustls::{ClientConfig, ClientConnection, StreamOwned};

    use super::*;

    /// What the server says to a terminal with this certificate, or why it was not let in.
    fn ask(at: SocketAddr, folder: &Path, shown: Option<&str>) -> io::Result<String> {
        let mut roots = RootCertStore::empty();
        for authority in pem_chain(&folder.join("ca.pem"))? {
            roots.add(authority).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = pem_chain(&folder.join(format!("{name}.pem")))?;
                let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key")));
                let key = key.map_err(io::Error::other)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(io::Error::other)?
            }
        };
        let name = "localhost".try_into().map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, std::net::TcpStream::connect(at)?);
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut out = Vec::new();
        match stream.read_to_end(&mut out) {
            Err(error) if out.is_empty() => return Err(error),
            _ => {}
        }
        let text = String::from_utf8_lossy(&out).into_owned();
        let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        Ok(body.to_owned())
    }

    #[tokio::test]
    async fn a_request_carries_the_digest_of_its_terminals_certificate() {
        let dir = tempfile::tempdir().unwrap();
        write_certificates(dir.path()).unwrap();
        let tls = Tls {
            certificate: "server.pem".into(),
            key: "server.key".into(),
            client_ca: Some("ca.pem".into()),
        };
        let config = settings(dir.path(), &tls).unwrap();
        let told = async |Extension(ClientCertificate(digest)): Extension<ClientCertificate>| {
            digest.map_or_else(
                || "none".to_owned(),
                |d| d.iter().map(|b| format!("{b:02x}")).collect(),
            )
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let server = axum_server::from_tcp(listener)
            .unwrap()
            .acceptor(Certificates(RustlsAcceptor::new(config)));
        let router = Router::new().route("/", get(told));
        tokio::spawn(server.serve(router.into_make_service()));
        let folder = dir.path().to_owned();
        let all = tokio::task::spawn_blocking(move || {
            [None, Some("client"), Some("stranger")].map(|shown| ask(at, &folder, shown))
        });
        let [without, known, stranger] = all.await.unwrap();
        assert_eq!(without.unwrap(), "none");
        use sha2::Digest as _;
        let der = pem_chain(&dir.path().join("client.pem")).unwrap().remove(0);
        let digest = sha2::Sha256::digest(&der);
        let expected: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(known.unwrap(), expected);
        assert!(stranger.is_err(), "another authority's certificate");
    }
}

//! The two HTTP clients, each made when first needed: reading the system's certificates costs milliseconds that a local model never pays.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The clients, which hold the connections.
#[derive(Debug, Default)]
pub(super) struct Clients {
    plain: OnceCell<reqwest::Client>,
    secure: OnceCell<reqwest::Client>,
}

impl Clients {
    /// The client for a scheme; on failure the reason.
    pub(super) async fn client(&self, scheme: &str) -> Result<reqwest::Client, String> {
        let client = if scheme == "https" {
            // Off the runtime's threads, since certificates are read from disk.
            let build = || async {
                let built = tokio::task::spawn_blocking(secure).await;
                built.map_err(|error| error.to_string())?
            };
            self.secure.get_or_try_init(build).await
        } else {
            self.plain.get_or_try_init(|| async { plain() }).await
        };
        client.cloned()
    }
}

/// A client that trusts no certificate at all, so none are read.
fn plain() -> Result<reqwest::Client, String> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    build(builder().tls_backend_preconfigured(tls))
}

/// A client that trusts what the system trusts.
fn secure() -> Result<reqwest::Client, String> {
    // Fails when another part of the process installed one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    build(builder().https_only(true))
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("pilotfish/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        // Where a request may go on to is decided where the key is known.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    builder.build().map_err(|error| words(&error))
}

/// The innermost reason of an error: the outer ones say "error sending request" and name the address once more.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut inner: &dyn Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {} s", CONNECT_LIMIT.as_secs());
    }
    inner.to_string()
}

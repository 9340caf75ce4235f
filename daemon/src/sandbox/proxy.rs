//! The way out of a sandbox: an HTTP proxy behind a listener on the sandbox's own loopback. Every host is asked for before anything of
//! it is looked up; names are resolved out here, and never to what only this machine or its network can reach.
//!
//! It carries what is asked through and reads nothing of it: `CONNECT`, which is what TLS goes by, and plain requests with a whole URL.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

mod address;

pub use address::is_public;

/// How long a host may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(20);

/// Connections from one sandbox at a time; the rest wait in the listener.
const CONNECTIONS: usize = 256;

/// A host of the network, as it is granted: a name in lower case or an address, with a port where that is not the usual one of the web.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    /// The name or address.
    pub name: String,
    /// The port.
    pub port: u16,
}

impl Host {
    /// The host that a URI's authority names.
    #[must_use]
    fn of(uri: &Uri, default_port: Option<u16>) -> Option<Self> {
        let name = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
        let is_name = !name.is_empty() && name.len() <= 253 && name.bytes().all(plain);
        is_name.then_some(Self { name, port: uri.port_u16().or(default_port)? })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            80 | 443 => write!(f, "{}", self.name),
            port => write!(f, "{}:{port}", self.name),
        }
    }
}

/// Says whether a command may reach a host: nothing, or in words why not. It may take as long as a person does.
pub type Ask = Arc<dyn Fn(Host) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Turns a host into addresses that may be reached. Tests bring their own.
pub trait Resolve: Send + Sync {
    /// The addresses of a host, the best first.
    fn resolve(&self, host: Host) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// What the system knows of names, without what is not public.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, host: Host) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        async move {
            let bare = host.name.trim_matches(['[', ']']);
            let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
                Ok(address) => vec![SocketAddr::new(address, host.port)],
                Err(_) => tokio::net::lookup_host((bare, host.port)).await?.collect(),
            };
            let public: Vec<SocketAddr> = found.iter().copied().filter(|found| is_public(found.ip())).collect();
            match (public.is_empty(), found.is_empty()) {
                (true, false) => {
                    Err(io::Error::other(format!("{} is an address of this machine or its own network", host.name)))
                }
                _ => Ok(public),
            }
        }
        .boxed()
    }
}

type Decision = Shared<BoxFuture<'static, Result<(), String>>>;

/// What the connections of one sandbox share.
struct Door {
    ask: Ask,
    names: Arc<dyn Resolve>,
    /// Each host is asked for once, however many connections want it at a time.
    decisions: Mutex<HashMap<Host, Decision>>,
}

type Body = BoxBody<Bytes, hyper::Error>;

/// Serves the listener of one sandbox until it is dropped, and its connections with it.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: std::net::TcpListener, ask: Ask, names: Arc<dyn Resolve>) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let door = Arc::new(Door { ask, names, decisions: Mutex::default() });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => {
                let (stream, _) = accepted?;
                connections.spawn(converse(stream, door.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, door: Arc<Door>) {
    let tunnels = Arc::new(Mutex::new(JoinSet::new()));
    let service = service_fn(|request| {
        let (door, tunnels) = (door.clone(), tunnels.clone());
        async move { Ok::<_, Infallible>(door.answer(request, &tunnels).await) }
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.with_upgrades().await {
        tracing::debug!(%error, "a connection out of a sandbox broke");
    }
    let mut tunnels = std::mem::take(&mut *tunnels.lock().unwrap_or_else(PoisonError::into_inner));
    while tunnels.join_next().await.is_some() {}
}

impl Door {
    async fn answer(&self, request: Request<Incoming>, tunnels: &Mutex<JoinSet<()>>) -> Response<Body> {
        let is_tunnel = request.method() == Method::CONNECT;
        let default_port = (request.uri().scheme_str() == Some("http")).then_some(80);
        let Some(host) = Host::of(request.uri(), default_port) else {
            return refusal(
                StatusCode::BAD_REQUEST,
                "this is a proxy: it takes CONNECT and requests with a whole http URL",
            );
        };
        if let Err(why) = self.permit(&host).await {
            return refusal(StatusCode::FORBIDDEN, &format!("{host} cannot be reached from the sandbox: {why}"));
        }
        let stream = match self.connect(&host).await {
            Ok(stream) => stream,
            Err(error) => return refusal(StatusCode::BAD_GATEWAY, &format!("cannot reach {host}: {error}")),
        };
        if is_tunnel {
            let tunnel = tunnel(request, stream);
            tunnels.lock().unwrap_or_else(PoisonError::into_inner).spawn(tunnel);
            return Response::new(Full::default().map_err(|never| match never {}).boxed());
        }
        match forward(request, stream, tunnels).await {
            Ok(response) => response.map(BodyExt::boxed),
            Err(error) => refusal(StatusCode::BAD_GATEWAY, &format!("{host} did not answer: {error}")),
        }
    }

    async fn permit(&self, host: &Host) -> Result<(), String> {
        let decision = {
            let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
            decisions.entry(host.clone()).or_insert_with(|| (self.ask)(host.clone()).shared()).clone()
        };
        decision.await
    }

    async fn connect(&self, host: &Host) -> io::Result<TcpStream> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        let addresses = self.names.resolve(host.clone()).await?;
        let connect = TcpStream::connect(addresses.as_slice());
        tokio::time::timeout(CONNECT, connect).await.map_err(|_| late())?
    }
}

/// Carries bytes both ways until both sides have said all.
async fn tunnel(request: Request<Incoming>, mut stream: TcpStream) {
    let copied = match hyper::upgrade::on(request).await {
        Ok(inside) => tokio::io::copy_bidirectional(&mut TokioIo::new(inside), &mut stream).await,
        Err(error) => Err(io::Error::other(error)),
    };
    if let Err(error) = copied {
        tracing::debug!(%error, "a tunnel out of a sandbox broke");
    }
}

/// Sends one plain request on over a connection of its own.
async fn forward(
    mut request: Request<Incoming>,
    stream: TcpStream,
    connections: &Mutex<JoinSet<()>>,
) -> Result<Response<Incoming>, hyper::Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let authority = request.uri().authority().map(ToString::to_string);
    if let Ok(path) = path.parse() {
        *request.uri_mut() = path;
    }
    let headers = request.headers_mut();
    for name in ["proxy-authorization", "proxy-connection", "connection", "upgrade", "keep-alive", "te"] {
        headers.remove(name);
    }
    // The host that was permitted is the one that is asked for.
    if let Some(Ok(authority)) = authority.map(header::HeaderValue::try_from) {
        headers.insert(header::HOST, authority);
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It carries the answer's body, and ends with it.
    connections.lock().unwrap_or_else(PoisonError::into_inner).spawn(connection.map(|_| ()));
    sender.send_request(request).await
}

fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(format!("pilotfish: {why}\n"))).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

#[cfg(test)]
mod tests;

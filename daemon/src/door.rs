//! A connection: who it is, what it may, its outbox. The only place, with what lies below it, that knows JSON-RPC.
//!
//! Verbs go to the hub before the first wait of a method, inside the call that reads it: that is what keeps the order in which
//! a client sent them. Nothing here decides anything about sessions.

pub mod acp;
mod calls;
pub mod client;
mod contract;
mod envelope;
mod frame;
pub mod hello;
mod lsp;
mod outbox;
pub mod shim;
pub mod socket;

pub use lsp::serve;

use crate::config::Environment;
use crate::hub::Hub;
use crate::journal::{Cause, JournalError};
use crate::path::{AbsPath, PathError, RootedPath};
use crate::session::SessionError;
use outbox::Outbox;
use pilotfish_protocol::{ConnectionId, ErrorKind, RpcError, SessionId};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// When to try again after `overloaded`, in milliseconds. A session that is not stuck has emptied its mailbox by then.
const RETRY_AFTER_MS: u64 = 100;

/// How long open requests and their answers may take when the client is gone.
const GRACE: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client asked for `shutdown` before it left.
    ShutDown,
    /// It just left.
    Left,
}

/// What a connection's methods work with. Clones are the same connection.
#[derive(Clone)]
struct Connection {
    id: ConnectionId,
    hub: Hub,
    outbox: Arc<Outbox>,
    /// Whose keys and toolchains its sessions use.
    environment: Environment,
    /// Known once `initialize` was read.
    peer: Arc<OnceLock<Peer>>,
}

/// What a client said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    /// Its name and version, for the log.
    name: String,
    /// The features of ours it understands; absent for a client that knows only the language server protocol. It gets none of
    /// our notifications then.
    features: Option<Vec<String>>,
}

impl Connection {
    fn new(hub: Hub, environment: Environment) -> Self {
        let id = hub.clock().connection_id();
        Self { id, hub, outbox: Outbox::new(), environment, peer: Arc::default() }
    }

    /// Leaves every session. One that has too much to do is asked again.
    async fn leave(&self, attached: Vec<SessionId>) {
        for session_id in attached {
            let leave = async {
                let Some(session) = self.hub.loaded(&session_id) else { return };
                while let Err(SessionError::Overloaded(_)) = session.detach(self.id.clone()).await {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let _ = tokio::time::timeout(GRACE, leave).await;
        }
    }

    /// Whether the client asked for our notifications.
    fn opted_in(&self) -> bool {
        self.peer.get().is_some_and(|peer| peer.features.is_some())
    }
}

/// Reads a method's `workspace`.
fn workspace(path: &str) -> Result<AbsPath, RpcError> {
    existing_folder("workspace", path)
}

/// Reads a method's parameter that names a folder.
fn existing_folder(parameter: &str, path: &str) -> Result<AbsPath, RpcError> {
    let refused = |why: String| RpcError::new(ErrorKind::InvalidParams, format!("`{parameter}`: {why}"));
    let folder = AbsPath::canonical(path).map_err(|error| refused(error.to_string()))?;
    if !folder.as_path().is_dir() {
        return Err(refused(format!("{folder} is not a folder")));
    }
    Ok(folder)
}

/// Reads a method's `uri`, which names a file of a workspace. The client may have reached it through links.
fn file_of(root: &AbsPath, uri: &str) -> Result<RootedPath, RpcError> {
    let refused = |error: PathError| RpcError::new(ErrorKind::InvalidParams, format!("`uri`: {error}"));
    let file = AbsPath::from_uri(uri).map_err(refused)?;
    let path = RootedPath::below(root, &file).or_else(|| RootedPath::below(root, &file.real()));
    path.ok_or_else(|| refused(PathError::Outside { path: uri.to_owned(), root: root.clone() }))
}

impl From<SessionError> for RpcError {
    fn from(error: SessionError) -> Self {
        let kind = match &error {
            SessionError::NotFound(_) | SessionError::NoSuch { .. } => ErrorKind::NotFound,
            SessionError::Overloaded(_) => ErrorKind::Overloaded,
            SessionError::Closing(_) | SessionError::NoLongerAsked(_) => ErrorKind::WrongState,
            SessionError::AlreadyAnswered(_) => ErrorKind::AlreadyAnswered,
            SessionError::NoSuchRule(_) => ErrorKind::Refused,
            SessionError::Invalid(_) => ErrorKind::InvalidParams,
            SessionError::Untrusted(_) => ErrorKind::Refused,
            SessionError::Config(_) => ErrorKind::NoModel,
            SessionError::Journal(error) => return refusal(error),
        };
        let retry_after_ms = (kind == ErrorKind::Overloaded).then_some(RETRY_AFTER_MS);
        RpcError { kind, message: error.to_string(), retry_after_ms }
    }
}

/// What a failed journal request is to a client.
fn refusal(error: &JournalError) -> RpcError {
    let kind = match &error.cause {
        Cause::UnknownSession(_) | Cause::UnknownItem(..) => ErrorKind::NotFound,
        Cause::Cursor(_) => ErrorKind::InvalidParams,
        // The rest is about the file or the disk, or a defect of ours.
        _ => ErrorKind::Journal,
    };
    RpcError::new(kind, error.to_string())
}

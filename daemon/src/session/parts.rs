//! What sessions are built from: shared by all, and never changed after the start.

use crate::clock::Clock;
use crate::config::{ConfigSource, Environment, trust};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::model::Connect;
use crate::path::AbsPath;
use crate::sandbox::Sandbox;
use crate::sandbox::proxy::Resolve;
use crate::session::{RunningTurns, SessionError};
use crate::workspace::Workspace;
use pilotfish_protocol::{Mode, Session, Trust};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// What sessions are built from.
pub struct Parts {
    /// Time and ids.
    pub clock: Clock,
    /// The record.
    pub journal: Journal,
    /// Where models and limits come from; read again for each turn.
    pub config: ConfigSource,
    /// What reaches models.
    pub connect: Arc<dyn Connect>,
    /// What confines commands.
    pub sandbox: Sandbox,
    /// Where the writes of commands go.
    pub ground: Ground,
    /// What resolves the names of granted hosts.
    pub names: Arc<dyn Resolve>,
    /// The environment of sessions that no client has attached to since the start.
    pub environment: Environment,
    /// Says that a session of a list changed.
    pub changed: broadcast::Sender<Session>,
    /// The turns that run.
    pub running: RunningTurns,
    /// The folders that are open.
    pub workspaces: Workspaces,
}

impl Parts {
    /// Whether sessions of a workspace may have a mode: in one that the person refused to trust they are read-only.
    ///
    /// # Errors
    /// When they may not, or when what the person said cannot be read.
    pub fn may_work(&self, workspace: &AbsPath, mode: Mode) -> Result<(), SessionError> {
        match mode {
            Mode::ReadOnly => Ok(()),
            Mode::Agent => match trust::of(self.config.home(), workspace)?.trust {
                Trust::Unknown | Trust::Trusted => Ok(()),
                Trust::Refused => Err(SessionError::Untrusted(workspace.to_string())),
            },
        }
    }
}

/// Folder to workspace; one for each root.
#[derive(Default)]
pub struct Workspaces(Mutex<HashMap<AbsPath, Workspace>>);

impl Workspaces {
    /// The workspace of a root, opened on first use.
    pub fn open(&self, root: &AbsPath) -> Workspace {
        let mut workspaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        workspaces.entry(root.clone()).or_insert_with(|| Workspace::open(root.clone())).clone()
    }
}

//! What sessions are built from: shared by all, and never changed after the start.

use crate::clock::Clock;
use crate::config::{ConfigSource, Environment};
use crate::journal::Journal;
use crate::model::Connect;
use crate::path::AbsPath;
use crate::sandbox::Sandbox;
use crate::session::RunningTurns;
use crate::workspace::Workspace;
use pilotfish_protocol::Session;
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
    /// The environment of sessions that no client has attached to since the start.
    pub environment: Environment,
    /// Says that a session of a list changed.
    pub changed: broadcast::Sender<Session>,
    /// The turns that run.
    pub running: RunningTurns,
    /// The folders that are open.
    pub workspaces: Workspaces,
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

//! What sessions are built from: shared by all, and never changed after the start.

use crate::clock::Clock;
use crate::config::{ConfigSource, Environment, trust};
use crate::desktop::Desktop;
use crate::documents::Documents;
use crate::ground::Ground;
use crate::journal::Journal;
use crate::model::Connect;
use crate::path::{AbsPath, RootedPath};
use crate::sandbox::Sandbox;
use crate::sandbox::proxy::Resolve;
use crate::session::{RunningTurns, SessionError};
use crate::workspace::checkpoint::Checkpoints;
use crate::workspace::watch::Watcher;
use crate::workspace::{Reviewed, Shared, Workspace};
use pilotfish_protocol::{Mode, Session, Trust};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Changes of hunks that a slow reader may be behind; then it asks for all.
const REVIEWED: usize = 1024;

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
    /// What shows notices to the person.
    pub desktop: Arc<dyn Desktop>,
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
pub struct Workspaces {
    open: Mutex<HashMap<AbsPath, Workspace>>,
    shared: Shared,
}

impl Workspaces {
    /// None is open. What is changed in them is recorded in `checkpoints`.
    #[must_use]
    pub fn new(checkpoints: Checkpoints, clock: Clock) -> Self {
        let (reviewed, _) = broadcast::channel(REVIEWED);
        let (documents, watcher) = (Documents::default(), Watcher::default());
        Self { open: Mutex::default(), shared: Shared { documents, watcher, checkpoints, clock, reviewed } }
    }

    /// The checkpoints of all.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.shared.checkpoints
    }

    /// The workspace of a root, opened on first use.
    pub fn open(&self, root: &AbsPath) -> Workspace {
        self.lock().entry(root.clone()).or_insert_with(|| Workspace::open(root.clone(), self.shared.clone())).clone()
    }

    /// The open workspaces that hold a file, the innermost first, with its path there.
    pub fn holding(&self, file: &AbsPath) -> Vec<(Workspace, RootedPath)> {
        let inside = |workspace: &Workspace| Some((workspace.clone(), RootedPath::below(workspace.root(), file)?));
        let mut holding: Vec<(Workspace, RootedPath)> = self.lock().values().filter_map(inside).collect();
        holding.sort_by_key(|(_, path)| path.as_path().components().count());
        holding
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Workspace> {
        self.lock().values().cloned().collect()
    }

    /// The texts that editors have open.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.shared.documents
    }

    /// Files whose hunks change, in any workspace.
    pub fn reviewed(&self) -> broadcast::Receiver<Reviewed> {
        self.shared.reviewed.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AbsPath, Workspace>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

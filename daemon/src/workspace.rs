//! One workspace: a root folder and the task that owns what is known of it. In this form it reads and writes files; every write
//! of a user's file in the whole program goes through it.

use crate::path::{AbsPath, RootedPath};
use crate::review::{Content, Selection, Source, Verb};
use crate::workspace::checkpoint::Checkpoints;
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Held, Publication, Published};
use crate::workspace::restore::{RestoreError, Restored};
use pilotfish_protocol::{CheckpointId, Hunk};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

pub mod blobs;
pub mod checkpoint;
mod files;
pub mod git;
pub mod image;
pub mod layers;
pub mod passthrough;
pub mod publish;
pub mod restore;
mod temporary;
mod write;

pub use files::{FileText, ReadError};
pub use write::{Change, WriteError};

/// Requests a workspace holds before those who ask wait.
const MAILBOX: usize = 64;

/// Whose change it is, and what they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The turn.
    pub source: Source,
    /// When, RFC 3339.
    pub at: String,
    /// What was asked for, for people.
    pub title: String,
}

/// The way to a workspace. Clones share it; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: AbsPath,
    mailbox: mpsc::Sender<Event>,
}

#[derive(Debug)]
enum Event {
    Read { path: RootedPath, max: u64, answer: oneshot::Sender<Result<FileText, ReadError>> },
    Apply { changes: Vec<Change>, cause: Cause, answer: oneshot::Sender<Result<(), WriteError>> },
    Look { early: Early, answer: oneshot::Sender<Early> },
    Publish { early: Early, cause: Cause, answer: oneshot::Sender<Published> },
    TakeBack { early: Early, answer: oneshot::Sender<Vec<String>> },
    Release { publication: Arc<Publication>, held: Vec<Held>, cause: Cause, answer: oneshot::Sender<Published> },
    Refuse { held: Vec<Held>, answer: oneshot::Sender<()> },
    Restore { id: CheckpointId, dry_run: bool, answer: oneshot::Sender<Result<Restored, RestoreError>> },
}

impl Workspace {
    /// Opens a root, whose changes are recorded in `checkpoints`. Needs to be called inside a runtime.
    #[must_use]
    pub fn open(root: AbsPath, checkpoints: Checkpoints) -> Self {
        let (mailbox, events) = mpsc::channel(MAILBOX);
        // The task ends when the last handle is dropped, which is when nobody can wait for it any more.
        tokio::spawn(run(root.clone(), checkpoints, events));
        Self { root, mailbox }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &AbsPath {
        &self.root
    }

    /// Reads a file below the root, at most `max` bytes of it.
    ///
    /// # Errors
    /// When it is no regular file, leaves the root through a link, or cannot be read.
    pub async fn read(&self, path: &RootedPath, max: u64) -> Result<FileText, ReadError> {
        let gone = || ReadError::Io { path: path.clone(), why: "the workspace is closed".to_owned() };
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Read { path: path.clone(), max, answer }).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Makes changes, all or none. Each names the text it was made from; a file that changed since stops them all.
    ///
    /// # Errors
    /// When a file is not as the change expects, or cannot be written; then nothing has changed.
    pub async fn apply(&self, changes: Vec<Change>, cause: &Cause) -> Result<(), WriteError> {
        let gone = || WriteError::Closed { root: self.root.clone() };
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Apply { changes, cause: cause.clone(), answer }).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Publishes what a running command has finished, as [`Early::look`] does. `None` when the workspace is closed.
    pub async fn look(&self, early: Early) -> Option<Early> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Look { early, answer }).await.ok()?;
        receiver.await.ok()
    }

    /// Publishes what a command wrote, as [`Early::publish`] does. `None` when the workspace is closed.
    pub async fn publish(&self, early: Early, cause: &Cause) -> Option<Published> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Publish { early, cause: cause.clone(), answer }).await.ok()?;
        receiver.await.ok()
    }

    /// Takes back what a command published early, as [`Early::take_back`] does. Nothing else of it is published.
    pub async fn take_back(&self, early: Early) -> Vec<String> {
        let (answer, receiver) = oneshot::channel();
        match self.mailbox.send(Event::TakeBack { early, answer }).await {
            Ok(()) => receiver.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Publishes what was held back, as [`publish::release`] does. `None` when the workspace is closed.
    pub async fn release(&self, publication: Arc<Publication>, held: Vec<Held>, cause: &Cause) -> Option<Published> {
        let (answer, receiver) = oneshot::channel();
        let cause = cause.clone();
        self.mailbox.send(Event::Release { publication, held, cause, answer }).await.ok()?;
        receiver.await.ok()
    }

    /// Drops what was held back, as [`publish::refuse`] does.
    pub async fn refuse(&self, held: Vec<Held>) {
        let (answer, receiver) = oneshot::channel();
        if self.mailbox.send(Event::Refuse { held, answer }).await.is_ok() {
            let _ = receiver.await;
        }
    }
}

impl Workspace {
    /// Takes the files back to a checkpoint, as [`restore::restore`] does; in a dry run it only says what that would do.
    ///
    /// # Errors
    /// When there is no such checkpoint, or nothing can be recorded; then nothing changed.
    pub async fn restore(&self, id: CheckpointId, dry_run: bool) -> Result<Restored, RestoreError> {
        let (answer, receiver) = oneshot::channel();
        let restore = Event::Restore { id, dry_run, answer };
        self.mailbox.send(restore).await.map_err(|_| RestoreError::Closed)?;
        receiver.await.map_err(|_| RestoreError::Closed)?
    }
}

/// The hunks of a file changed.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The workspace.
    pub root: AbsPath,
    /// The file.
    pub path: RootedPath,
    /// The version of the text of the client that has it open, if one has.
    pub version: Option<i32>,
    /// All hunks of the file that wait, in the order of the text; none when its review is over.
    pub hunks: Arc<[Hunk]>,
}

/// Why a review did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// A hunk is named that is not there any more, or never was.
    #[error("there is no hunk {0}; review/list has those there are")]
    NoSuchHunk(pilotfish_protocol::HunkId),
    /// No such file is under review.
    #[error("{0} has no changes that wait for review")]
    NotReviewed(RootedPath),
    /// The text could not be written; nothing changed.
    #[error("{path}: {why}")]
    NotWritten {
        /// Which.
        path: RootedPath,
        /// Why not.
        why: String,
    },
    /// The workspace is closed.
    #[error("the workspace is closed")]
    Closed,
}

impl Workspace {
    /// The hunks that wait, of a file or of all.
    ///
    /// # Errors
    /// When the workspace is closed.
    pub async fn hunks(&self, path: Option<RootedPath>) -> Result<Vec<Hunk>, ReviewError> {
        let _ = path;
        Ok(Vec::new())
    }

    /// What a file held when its review began.
    ///
    /// # Errors
    /// When it is not under review.
    pub async fn base(&self, path: RootedPath) -> Result<Content, ReviewError> {
        Err(ReviewError::NotReviewed(path))
    }

    /// Carries out what the person decided. Gives the hunks that wait afterwards, of the files that were touched.
    ///
    /// # Errors
    /// When a hunk is not there, or a text could not be written; then nothing changed.
    pub async fn review(&self, verb: Verb, selection: Selection) -> Result<Vec<Hunk>, ReviewError> {
        let _ = (verb, selection);
        Ok(Vec::new())
    }
}

async fn run(root: AbsPath, checkpoints: Checkpoints, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let (root, checkpoints) = (root.clone(), checkpoints.clone());
        // File systems block; the runtime's blocking threads end by themselves when idle. One request at a time: this task is
        // the owner, so a read never sees half of an apply.
        let done = tokio::task::spawn_blocking(move || carry_out(&root, &checkpoints, event));
        if let Err(error) = done.await {
            tracing::error!(%error, "a file operation panicked");
        }
    }
}

fn carry_out(root: &AbsPath, checkpoints: &Checkpoints, event: Event) {
    match event {
        Event::Read { path, max, answer } => drop(answer.send(files::read(root, &path, max))),
        Event::Apply { changes, cause, answer } => {
            let applied = write::apply(root, &changes, &checkpoints.recorder(root, &cause));
            let _ = answer.send(applied);
            checkpoints.collect_if_full();
        }
        Event::Look { mut early, answer } => {
            early.look();
            // Where nobody waits any more it is dropped, and so taken back.
            drop(answer.send(early));
        }
        Event::Publish { early, cause, answer } => {
            let published = early.publish(Some(&checkpoints.recorder(root, &cause)));
            let _ = answer.send(published);
            checkpoints.collect_if_full();
        }
        Event::TakeBack { early, answer } => drop(answer.send(early.take_back())),
        Event::Release { publication, held, cause, answer } => {
            let recorder = checkpoints.recorder(root, &cause);
            let _ = answer.send(publish::release(&publication, &held, Some(&recorder)));
            checkpoints.collect_if_full();
        }
        Event::Refuse { held, answer } => {
            publish::refuse(&held);
            let _ = answer.send(());
        }
        Event::Restore { id, dry_run, answer } => {
            let _ = answer.send(restore::restore(root, checkpoints, &id, dry_run));
            checkpoints.collect_if_full();
        }
    }
}

#[cfg(test)]
mod tests;

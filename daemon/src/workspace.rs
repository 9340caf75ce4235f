//! One workspace: a root folder and the task that owns what is known of it. In this form it reads and writes files; every write
//! of a user's file in the whole program goes through it.

use crate::path::{AbsPath, RootedPath};
use crate::review::{Content, Selection, Verb};
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Held, Publication, Published};
use crate::workspace::watch::{Files, Watcher};
use pilotfish_protocol::Hunk;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

mod files;
pub mod git;
pub mod index;
pub mod layers;
pub mod passthrough;
pub mod publish;
mod temporary;
pub mod watch;
mod write;

pub use files::{FileText, ReadError};
pub use write::{Change, WriteError};

/// Requests a workspace holds before those who ask wait.
const MAILBOX: usize = 64;

/// The way to a workspace. Clones share it; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: AbsPath,
    mailbox: mpsc::Sender<Event>,
    files: Files,
}

#[derive(Debug)]
enum Event {
    Read { path: RootedPath, max: u64, answer: oneshot::Sender<Result<FileText, ReadError>> },
    Apply { changes: Vec<Change>, answer: oneshot::Sender<Result<(), WriteError>> },
    Look { early: Early, answer: oneshot::Sender<Early> },
    Publish { early: Early, answer: oneshot::Sender<Published> },
    TakeBack { early: Early, answer: oneshot::Sender<Vec<String>> },
    Release { publication: Arc<Publication>, held: Vec<Held>, answer: oneshot::Sender<Published> },
    Refuse { held: Vec<Held>, answer: oneshot::Sender<()> },
}

impl Workspace {
    /// Opens a root, watched through a watcher that all roots share. Needs to be called inside a runtime.
    #[must_use]
    pub fn open(root: AbsPath, watcher: &Watcher) -> Self {
        let (mailbox, events) = mpsc::channel(MAILBOX);
        // The task ends when the last handle is dropped, which is when nobody can wait for it any more.
        tokio::spawn(run(root.clone(), events));
        Self { files: Files::open(root.clone(), watcher), root, mailbox }
    }

    /// Its index, and what happens to its files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
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
    pub async fn apply(&self, changes: Vec<Change>) -> Result<(), WriteError> {
        let gone = || WriteError::Closed { root: self.root.clone() };
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Apply { changes, answer }).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Publishes what a running command has finished, as [`Early::look`] does. `None` when the workspace is closed.
    pub async fn look(&self, early: Early) -> Option<Early> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Look { early, answer }).await.ok()?;
        receiver.await.ok()
    }

    /// Publishes what a command wrote, as [`Early::publish`] does. `None` when the workspace is closed.
    pub async fn publish(&self, early: Early) -> Option<Published> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Publish { early, answer }).await.ok()?;
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
    pub async fn release(&self, publication: Arc<Publication>, held: Vec<Held>) -> Option<Published> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(Event::Release { publication, held, answer }).await.ok()?;
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

async fn run(root: AbsPath, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let root = root.clone();
        // File systems block; the runtime's blocking threads end by themselves when idle. One request at a time: this task is
        // the owner, so a read never sees half of an apply.
        let done = tokio::task::spawn_blocking(move || match event {
            Event::Read { path, max, answer } => drop(answer.send(files::read(&root, &path, max))),
            Event::Apply { changes, answer } => drop(answer.send(write::apply(&root, &changes))),
            Event::Look { mut early, answer } => {
                early.look();
                // Where nobody waits any more it is dropped, and so taken back.
                drop(answer.send(early));
            }
            Event::Publish { early, answer } => drop(answer.send(early.publish())),
            Event::TakeBack { early, answer } => drop(answer.send(early.take_back())),
            Event::Release { publication, held, answer } => drop(answer.send(publish::release(&publication, &held))),
            Event::Refuse { held, answer } => {
                publish::refuse(&held);
                let _ = answer.send(());
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "a file operation panicked");
        }
    }
}

#[cfg(test)]
mod tests;

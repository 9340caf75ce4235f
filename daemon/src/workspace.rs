//! One workspace: a root folder and the task that owns what is known of it: the change ledger, the disk below the root, and how both
//! stand to the texts that editors have open. Every write of a user's file in the whole program goes through it.

use crate::clock::Clock;
use crate::documents::{Documents, Token};
use crate::path::{AbsPath, RootedPath};
use crate::review::{Author, Content, DecideError, Selection, Source, Verb, Write};
use crate::workspace::checkpoint::Checkpoints;
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Held, Publication, Published};
use crate::workspace::restore::{RestoreError, Restored};
use crate::workspace::watch::{Files, Watcher};
use pilotfish_protocol::{CheckpointId, ConnectionId, Hunk, SessionId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};

mod actor;
pub mod blobs;
pub mod checkpoint;
mod editing;
mod files;
pub mod git;
pub mod image;
pub mod index;
pub mod layers;
pub mod passthrough;
pub mod publish;
mod pulling;
pub mod restore;
mod temporary;
mod texts;
pub mod watch;
mod write;

pub use files::{FileText, ReadError};
pub use write::{Change, WriteError};

/// Requests a workspace holds before those who ask wait.
const MAILBOX: usize = 64;

/// What all workspaces share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The texts that editors have open.
    pub documents: Documents,
    /// What all roots are watched through.
    pub watcher: Watcher,
    /// Where what is changed is kept as it was.
    pub checkpoints: Checkpoints,
    /// Names hunks.
    pub clock: Clock,
    /// Says which files have other hunks.
    pub reviewed: broadcast::Sender<Reviewed>,
}

/// Whose change it is, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Who changes.
    pub author: Author,
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
    files: Files,
    shared: Shared,
}

/// Files that a session sees otherwise than they are on the disk, with their bytes; nothing for one that it does not see.
pub type Unsaved = BTreeMap<RootedPath, Option<Arc<[u8]>>>;

/// Who makes a change, and how.
#[derive(Debug, Clone)]
struct By {
    cause: Cause,
    /// What the person decided of hunks, where that is it.
    decision: Arc<[Write]>,
}

/// What it takes to carry a decision out.
#[derive(Debug, Default)]
struct Decided {
    writes: Vec<Write>,
    changes: Vec<Change>,
}

type Answer<T> = oneshot::Sender<T>;

#[derive(Debug)]
enum Event {
    Read { path: RootedPath, max: u64, session: Option<SessionId>, answer: Answer<Result<FileText, ReadError>> },
    Stand { path: RootedPath, answer: Answer<Result<editing::Stand, ReadError>> },
    Intend { token: Token, by: By, touched: Option<editing::Touch>, answer: Answer<Result<(), WriteError>> },
    Apply { changes: Vec<Change>, by: By, answer: Answer<Result<(), WriteError>> },
    Propose { changes: Vec<Change>, source: Source, answer: Answer<Result<(), WriteError>> },
    Unsaved { session: Option<SessionId>, answer: Answer<Unsaved> },
    Hunks { path: Option<RootedPath>, client: Option<ConnectionId>, answer: Answer<Vec<Hunk>> },
    Base { path: RootedPath, answer: Answer<Result<Content, ReviewError>> },
    Decide { verb: Verb, selection: Selection, answer: Answer<Result<Decided, ReviewError>> },
    Told { session: SessionId, answer: Answer<Option<String>> },
    Look { early: Early, answer: Answer<Early> },
    Publish { early: Early, cause: Cause, answer: Answer<Published> },
    TakeBack { early: Early, answer: Answer<Vec<String>> },
    Release { publication: Arc<Publication>, held: Vec<Held>, cause: Cause, answer: Answer<Published> },
    Refuse { held: Vec<Held>, answer: Answer<()> },
    Restore { id: CheckpointId, dry_run: bool, answer: Answer<Result<Restored, RestoreError>> },
}

impl Workspace {
    /// Takes the files back to a checkpoint, as [`restore::restore`] does; in a dry run it only says what that would do. Files with unsaved
    /// text in an editor are left.
    ///
    /// # Errors
    /// When there is no such checkpoint, or nothing can be recorded; then nothing changed.
    pub async fn restore(&self, id: CheckpointId, dry_run: bool) -> Result<Restored, RestoreError> {
        self.pull_again(&self.root).await;
        self.ask(|answer| Event::Restore { id, dry_run, answer }).await.ok_or(RestoreError::Closed)?
    }
}

/// The hunks of a file changed.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The workspace.
    pub root: AbsPath,
    /// The file.
    pub path: RootedPath,
    /// The clients that show exactly the text these hunks speak of, each with its version of it.
    pub versions: Vec<(ConnectionId, i32)>,
    /// All hunks of the file that wait, in the order of the text; none when its review is over.
    pub hunks: Arc<[Hunk]>,
}

/// Why a review did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// That cannot be decided of these hunks.
    #[error("{0}; review/list has those there are")]
    Undecided(#[from] DecideError),
    /// No such file is under review.
    #[error("{0} has no changes that wait for review")]
    NotReviewed(RootedPath),
    /// The text could not be written; nothing changed.
    #[error("{0}")]
    NotWritten(#[from] WriteError),
    /// The workspace is closed.
    #[error("the workspace is closed")]
    Closed,
}

impl Workspace {
    /// Opens a root. Needs to be called inside a runtime.
    #[must_use]
    pub fn open(root: AbsPath, shared: Shared) -> Self {
        let (mailbox, events) = mpsc::channel(MAILBOX);
        // The task ends when the last handle is dropped, which is when nobody can wait for it any more.
        let files = Files::open(root.clone(), &shared.watcher);
        tokio::spawn(actor::Actor::new(root.clone(), shared.clone(), files.clone()).run(events));
        Self { root, mailbox, files, shared }
    }

    /// Its index, and what happens to its files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The texts that editors have open, and what else they show.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.shared.documents
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &AbsPath {
        &self.root
    }

    /// Reads a file below the root, at most `max` bytes of it: as the session sees it, with what it proposes, else as the editor has it that
    /// has unsaved changes of it, else from the disk.
    ///
    /// # Errors
    /// When it is no regular file, leaves the root through a link, or cannot be read.
    pub async fn read(&self, path: &RootedPath, max: u64, session: Option<&SessionId>) -> Result<FileText, ReadError> {
        self.pull(path).await;
        let gone = || ReadError::Io { path: path.clone(), why: "the workspace is closed".to_owned() };
        let (path, session) = (path.clone(), session.cloned());
        self.ask(|answer| Event::Read { path, max, session, answer }).await.unwrap_or_else(|| Err(gone()))
    }

    /// Reads a file below the root as it is on the disk, at most `max` bytes of it.
    ///
    /// # Errors
    /// As [`Workspace::read`].
    pub async fn read_saved(&self, path: &RootedPath, max: u64) -> Result<FileText, ReadError> {
        files::read_apart(&self.root, path, max).await
    }

    /// The files that a session sees otherwise than they are on the disk: unsaved in an editor, or proposed by the session.
    pub async fn unsaved(&self, session: Option<&SessionId>) -> Unsaved {
        self.pull_again(&self.root).await;
        let session = session.cloned();
        self.ask(|answer| Event::Unsaved { session, answer }).await.unwrap_or_default()
    }

    /// Shows changes to the person, and to the session that proposes them, without making them.
    ///
    /// # Errors
    /// When a file cannot be read, or a change is of a kind that cannot be proposed.
    pub async fn propose(&self, changes: Vec<Change>, source: &Source) -> Result<(), WriteError> {
        let source = source.clone();
        self.ask(|answer| Event::Propose { changes, source, answer }).await.unwrap_or_else(|| Err(self.closed()))
    }

    /// The hunks that wait, of a file or of all; with the version of the client's text where it shows what they speak of.
    ///
    /// # Errors
    /// When the workspace is closed.
    pub async fn hunks(
        &self,
        path: Option<RootedPath>,
        client: Option<&ConnectionId>,
    ) -> Result<Vec<Hunk>, ReviewError> {
        let client = client.cloned();
        self.ask(|answer| Event::Hunks { path, client, answer }).await.ok_or(ReviewError::Closed)
    }

    /// What a file held when its review began.
    ///
    /// # Errors
    /// When it is not under review.
    pub async fn base(&self, path: RootedPath) -> Result<Content, ReviewError> {
        self.ask(|answer| Event::Base { path, answer }).await.ok_or(ReviewError::Closed)?
    }

    /// Carries out what the person decided. Gives the hunks that wait afterwards.
    ///
    /// # Errors
    /// When a hunk is not there, or a text could not be written; then nothing changed.
    pub async fn review(
        &self,
        verb: Verb,
        selection: Selection,
        client: Option<&ConnectionId>,
    ) -> Result<Vec<Hunk>, ReviewError> {
        let path = selection.path.clone();
        let decide = |answer| Event::Decide { verb, selection, answer };
        let decided = self.ask(decide).await.ok_or(ReviewError::Closed)??;
        if !decided.changes.is_empty() {
            let title = match verb {
                Verb::Accept => "accepting proposals",
                Verb::Keep | Verb::Undo | Verb::Unkeep | Verb::Reject => "undoing changes",
            };
            let at = self.shared.clock.now();
            let cause = Cause { author: Author::Person, at, title: title.to_owned() };
            self.apply_by(decided.changes, &By { cause, decision: decided.writes.into() }).await?;
        }
        self.hunks(path, client).await
    }

    /// What the person decided of a session's hunks since this was last asked, in words for its model.
    pub async fn told(&self, session: &SessionId) -> Option<String> {
        let session = session.clone();
        self.ask(|answer| Event::Told { session, answer }).await.flatten()
    }

    /// Publishes what a running command has finished, as [`Early::look`] does. `None` when the workspace is closed.
    pub async fn look(&self, early: Early) -> Option<Early> {
        self.ask(|answer| Event::Look { early, answer }).await
    }

    /// Publishes what a command wrote, as [`Early::publish`] does. `None` when the workspace is closed.
    pub async fn publish(&self, early: Early, cause: &Cause) -> Option<Published> {
        let cause = cause.clone();
        self.pull_again(&self.root).await;
        self.ask(|answer| Event::Publish { early, cause, answer }).await
    }

    /// Takes back what a command published early, as [`Early::take_back`] does. Nothing else of it is published.
    pub async fn take_back(&self, early: Early) -> Vec<String> {
        self.ask(|answer| Event::TakeBack { early, answer }).await.unwrap_or_default()
    }

    /// Publishes what was held back, as [`publish::release`] does. `None` when the workspace is closed.
    pub async fn release(&self, publication: Arc<Publication>, held: Vec<Held>, cause: &Cause) -> Option<Published> {
        let cause = cause.clone();
        self.pull_again(&self.root).await;
        self.ask(|answer| Event::Release { publication, held, cause, answer }).await
    }

    /// Drops what was held back, as [`publish::refuse`] does.
    pub async fn refuse(&self, held: Vec<Held>) {
        self.ask(|answer| Event::Refuse { held, answer }).await;
    }

    /// Sends a request and waits for its answer. `None` when the task is gone.
    async fn ask<T>(&self, event: impl FnOnce(Answer<T>) -> Event) -> Option<T> {
        let (answer, receiver) = oneshot::channel();
        self.mailbox.send(event(answer)).await.ok()?;
        receiver.await.ok()
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! One workspace: a root folder and the task that owns what is known of it: the change ledger, the disk below the root, and how both
//! stand to the texts that editors have open. Every write of a user's file in the whole program goes through it.

use crate::clock::Clock;
use crate::documents::{Documents, Token};
use crate::path::{AbsPath, RootedPath};
use crate::review::{Author, Content, Selection, Source, Verb, Write};
use crate::workspace::publish::early::Early;
use crate::workspace::publish::{Held, Publication, Published};
use crate::workspace::watch::{Files, Watcher};
use pilotfish_protocol::{ConnectionId, Hunk, HunkId, SessionId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};

mod actor;
mod editing;
mod files;
pub mod git;
pub mod index;
pub mod layers;
pub mod passthrough;
pub mod publish;
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
    /// Names hunks.
    pub clock: Clock,
    /// Says which files have other hunks.
    pub reviewed: broadcast::Sender<Reviewed>,
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

type Answer<T> = oneshot::Sender<T>;

#[derive(Debug)]
enum Event {
    Read { path: RootedPath, max: u64, session: Option<SessionId>, answer: Answer<Result<FileText, ReadError>> },
    Stand { path: RootedPath, answer: Answer<Result<editing::Stand, ReadError>> },
    Intend { token: Token, author: Author, answer: Answer<()> },
    Apply { changes: Vec<Change>, author: Author, answer: Answer<Result<(), WriteError>> },
    Propose { changes: Vec<Change>, source: Source, answer: Answer<Result<(), WriteError>> },
    Unsaved { session: Option<SessionId>, answer: Answer<Unsaved> },
    Hunks { path: Option<RootedPath>, client: Option<ConnectionId>, answer: Answer<Vec<Hunk>> },
    Base { path: RootedPath, answer: Answer<Result<Content, ReviewError>> },
    Decide { verb: Verb, selection: Selection, answer: Answer<Result<Vec<Write>, ReviewError>> },
    Decided { verb: Verb, writes: Vec<Write>, answer: Answer<()> },
    Told { session: SessionId, answer: Answer<Option<String>> },
    Look { early: Early, answer: Answer<Early> },
    Publish { early: Early, author: Author, answer: Answer<Published> },
    TakeBack { early: Early, answer: Answer<Vec<String>> },
    Release { publication: Arc<Publication>, held: Vec<Held>, author: Author, answer: Answer<Published> },
    Refuse { held: Vec<Held>, answer: Answer<()> },
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
    /// A hunk is named that is not there any more, or never was.
    #[error("there is no hunk {0}; review/list has those there are")]
    NoSuchHunk(HunkId),
    /// What is asked cannot be done with it as it is.
    #[error("{0}")]
    Conflict(String),
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
        tokio::spawn(actor::Actor::new(root.clone(), shared.clone()).run(events));
        let files = Files::open(root.clone(), &shared.watcher);
        Self { root, mailbox, files, shared }
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

    /// Reads a file below the root, at most `max` bytes of it: as the session sees it, with what it proposes, else as the editor has it that
    /// has unsaved changes of it, else from the disk.
    ///
    /// # Errors
    /// When it is no regular file, leaves the root through a link, or cannot be read.
    pub async fn read(&self, path: &RootedPath, max: u64, session: Option<&SessionId>) -> Result<FileText, ReadError> {
        let gone = || ReadError::Io { path: path.clone(), why: "the workspace is closed".to_owned() };
        let (path, session) = (path.clone(), session.cloned());
        self.ask(|answer| Event::Read { path, max, session, answer }).await.unwrap_or_else(|| Err(gone()))
    }

    /// The files that a session sees otherwise than they are on the disk: unsaved in an editor, or proposed by the session.
    pub async fn unsaved(&self, session: Option<&SessionId>) -> Unsaved {
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
        let writes =
            self.ask(|answer| Event::Decide { verb, selection, answer }).await.ok_or(ReviewError::Closed)??;
        if !writes.is_empty() {
            let changes: Vec<Change> = writes.iter().filter_map(change).collect();
            self.apply(changes, &Author::Person).await?;
            self.ask(|answer| Event::Decided { verb, writes, answer }).await.ok_or(ReviewError::Closed)?;
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
    pub async fn publish(&self, early: Early, author: &Author) -> Option<Published> {
        let author = author.clone();
        self.ask(|answer| Event::Publish { early, author, answer }).await
    }

    /// Takes back what a command published early, as [`Early::take_back`] does. Nothing else of it is published.
    pub async fn take_back(&self, early: Early) -> Vec<String> {
        self.ask(|answer| Event::TakeBack { early, answer }).await.unwrap_or_default()
    }

    /// Publishes what was held back, as [`publish::release`] does. `None` when the workspace is closed.
    pub async fn release(&self, publication: Arc<Publication>, held: Vec<Held>, author: &Author) -> Option<Published> {
        let author = author.clone();
        self.ask(|answer| Event::Release { publication, held, author, answer }).await
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

/// The change of a file that a decision takes; nothing where nothing changes.
fn change(write: &Write) -> Option<Change> {
    let path = write.path.clone();
    let bytes = |content: &Content| texts::bytes(content).map(<[u8]>::to_vec);
    match (&write.expected, &write.wanted) {
        (before, wanted) if before == wanted => None,
        (Content::Absent, wanted) => Some(Change::Create { path, bytes: bytes(wanted)? }),
        (before, Content::Absent) => Some(Change::Delete { path, before: bytes(before)? }),
        (before, wanted) => Some(Change::Replace { path, before: bytes(before)?, bytes: bytes(wanted)? }),
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! What can go wrong with the record, as an attempt and its cause. Decides nothing about what happens then.

use pilotfish_protocol::{ItemId, SessionId};
use std::path::PathBuf;

/// The journal could not do what it was asked; nothing of it was written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt}: {cause}")]
pub struct JournalError {
    /// What was attempted, on what.
    pub attempt: String,
    /// Why it did not work.
    pub cause: Cause,
}

/// Why the journal could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// No session has this id.
    #[error("there is no session {0}")]
    UnknownSession(SessionId),
    /// The session has no item of this id.
    #[error("session {0} has no item {1}")]
    UnknownItem(SessionId, ItemId),
    /// A session of this id is there already.
    #[error("session {0} exists already")]
    Exists(SessionId),
    /// Deltas, drafts and statuses are superseded by later updates and never journaled.
    #[error("{0} is not a durable update")]
    NotDurable(&'static str),
    /// An append of no updates has no seq to answer.
    #[error("no update was given")]
    Empty,
    /// A list was asked to go on from a place that no list answered.
    #[error("the cursor {0:?} is not one that a list answered")]
    Cursor(String),
    /// There is no room; the same request works again once there is.
    #[error("the disk is full")]
    DiskFull,
    /// A later build has written this file.
    #[error("{} was written by a newer pilotfish (schema {found}, this build knows {known})", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// The database was removed or replaced while it was open.
    #[error("{} was removed or replaced while it was in use; put it back, or end pilotfish to begin a new one", .0.display())]
    Gone(PathBuf),
    /// A file or directory of the journal does not do what it must.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database file is damaged.
    #[error("the database is damaged ({0})")]
    Damaged(rusqlite::Error),
    /// A record does not read as what it should be, or cannot be written as one.
    #[error("a record does not fit its type ({0})")]
    Record(#[from] serde_json::Error),
    /// SQLite refused for another reason.
    #[error("{0}")]
    Storage(rusqlite::Error),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

impl From<rusqlite::Error> for Cause {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Cause::DiskFull,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Cause::Damaged(error),
            _ => Cause::Storage(error),
        }
    }
}

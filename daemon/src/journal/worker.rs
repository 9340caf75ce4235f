//! The journal's thread: sole owner of the connection. Writes that wait together are committed together, and an answer
//! is given after the commit, so that what was answered is in the file. Knows no record and no table.

use super::error::Cause;
use super::salvage::{self, SetAside};
use super::schema;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};

/// The most requests taken at once; those behind wait for the next transaction.
const MAX_BATCH: usize = 256;

/// After this many commits the write-ahead log is copied into the database when nobody waits, so that the larger
/// limit, at which SQLite does it inside a commit, is seldom met.
const COMMITS_BETWEEN_CHECKPOINTS: u32 = 250;

/// Whether a request changes the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Something to do with the connection. It may be run again when the transaction around it failed.
pub(super) trait Request: Send {
    fn access(&self) -> Access;
    fn run(&mut self, connection: &Connection) -> Result<(), Cause>;
    fn reply(self: Box<Self>, outcome: Result<(), Cause>);
}

/// What the thread is sent.
pub(super) enum Message {
    Request(Box<dyn Request>),
    /// Asks for the databases that were set aside since it was last asked.
    SetAside(oneshot::Sender<Vec<SetAside>>),
    /// Ends the thread; the answer comes when the database is closed.
    Close(oneshot::Sender<()>),
}

/// Where the database is.
pub(super) enum Location {
    Directory(PathBuf),
    Memory,
}

/// The state of the journal's thread.
pub(super) struct Worker {
    location: Location,
    store: Option<Store>,
    set_aside: Vec<SetAside>,
    commits: u32,
}

struct Store {
    connection: Connection,
    /// The inode the database had when it was opened.
    inode: Option<u64>,
}

impl Worker {
    pub(super) fn new(location: Location) -> Self {
        Self { location, store: None, set_aside: Vec::new(), commits: 0 }
    }

    /// Serves until all senders are gone or one asks to close.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        if let Err(cause) = self.ensure_open() {
            tracing::error!(%cause, "journal does not open");
        }
        let mut closing = None;
        while closing.is_none()
            && let Some(first) = messages.blocking_recv()
        {
            let rest = std::iter::from_fn(|| messages.try_recv().ok());
            closing = self.serve(std::iter::once(first).chain(rest).take(MAX_BATCH));
            if self.commits >= COMMITS_BETWEEN_CHECKPOINTS && messages.is_empty() {
                self.checkpoint();
            }
        }
        self.shut();
        if let Some(closed) = closing {
            // Nobody may be waiting any more.
            let _ = closed.send(());
        }
    }

    /// Serves messages in their order; neighbouring writes share a transaction. Stops at the request to close.
    fn serve(&mut self, messages: impl Iterator<Item = Message>) -> Option<oneshot::Sender<()>> {
        let mut writes: Vec<Box<dyn Request>> = Vec::new();
        for message in messages {
            match message {
                Message::Request(request) if request.access() == Access::Write => writes.push(request),
                other => {
                    // What is read must not show what is not committed.
                    self.commit(std::mem::take(&mut writes));
                    match other {
                        Message::Request(request) => self.read(request),
                        Message::SetAside(reply) => {
                            let _ = reply.send(std::mem::take(&mut self.set_aside));
                        }
                        Message::Close(closed) => return Some(closed),
                    }
                }
            }
        }
        self.commit(writes);
        None
    }

    fn read(&mut self, mut request: Box<dyn Request>) {
        let outcome = self.attempt(|store| request.run(&store.connection));
        request.reply(outcome);
    }

    /// Commits all writes in one transaction. If that fails, each is tried alone: one that cannot be done takes no
    /// other with it, and each failure is told to the one who caused it.
    fn commit(&mut self, mut writes: Vec<Box<dyn Request>>) {
        if writes.is_empty() {
            return;
        }
        self.commits += 1;
        if writes.len() > 1 && self.attempt(|store| store.commit(&mut writes)).is_ok() {
            for write in writes {
                write.reply(Ok(()));
            }
            return;
        }
        for mut write in writes {
            let outcome = self.attempt(|store| store.commit(std::slice::from_mut(&mut write)));
            write.reply(outcome);
        }
    }

    /// Runs `work`; on a damaged database sets that aside and tries once more on what could be saved of it.
    fn attempt(&mut self, mut work: impl FnMut(&Store) -> Result<(), Cause>) -> Result<(), Cause> {
        match self.ensure_open().and_then(&mut work) {
            Err(Cause::Damaged(error)) => {
                self.renew(&error)?;
                work(self.ensure_open()?)
            }
            outcome => outcome,
        }
    }

    /// The open database. Opens it if that has not worked so far, as when the disk was full.
    fn ensure_open(&mut self) -> Result<&Store, Cause> {
        if self.store.is_none() {
            match self.open() {
                Ok(store) => self.store = Some(store),
                Err(Cause::Damaged(error)) => self.renew(&error)?,
                Err(cause) => return Err(cause),
            }
        }
        self.store.as_ref().ok_or(Cause::Closed)
    }

    fn open(&self) -> Result<Store, Cause> {
        match &self.location {
            Location::Memory => Ok(Store { connection: schema::in_memory()?, inode: None }),
            Location::Directory(directory) => {
                let connection = schema::open(directory)?;
                let inode = std::fs::metadata(schema::file(directory)).ok().map(|metadata| metadata.ino());
                Ok(Store { connection, inode })
            }
        }
    }

    /// Sets the damaged database aside and opens a fresh one with what reads of the old.
    fn renew(&mut self, error: &rusqlite::Error) -> Result<(), Cause> {
        let Location::Directory(directory) = &self.location else {
            return Err(Cause::Damaged(rusqlite::Error::InvalidQuery));
        };
        tracing::error!(%error, "journal is damaged");
        self.store = None;
        let path = salvage::set_aside(directory)?;
        let store = self.open()?;
        let set_aside = salvage::salvage(path, &store.connection)?;
        tracing::warn!(%set_aside, "journal began anew");
        self.set_aside.push(set_aside);
        self.store = Some(store);
        Ok(())
    }

    fn checkpoint(&mut self) {
        self.commits = 0;
        let Some(store) = &self.store else { return };
        if let Err(error) = store.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "journal checkpoint failed");
        }
    }

    /// Closing the last connection copies the write-ahead log into the database and removes it.
    fn shut(&mut self) {
        let Some(store) = self.store.take() else { return };
        if let Err((_, error)) = store.connection.close() {
            tracing::warn!(%error, "journal does not close");
        }
    }
}

impl Store {
    fn commit(&self, writes: &mut [Box<dyn Request>]) -> Result<(), Cause> {
        self.check_present()?;
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        for write in writes {
            write.run(&transaction)?;
        }
        transaction.commit()?;
        self.check_present()
    }

    /// A write to a file that was removed succeeds and is lost; an answer must not hide that. Asked before a commit, so
    /// that nothing refused turns up when the file is put back, and after it, so that nothing lost is answered.
    fn check_present(&self) -> Result<(), Cause> {
        let (Some(inode), Some(path)) = (self.inode, self.connection.path()) else { return Ok(()) };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.ino() == inode => Ok(()),
            _ => Err(Cause::Gone(PathBuf::from(path))),
        }
    }
}

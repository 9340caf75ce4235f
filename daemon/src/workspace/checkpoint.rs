//! Checkpoints: what a turn or a restore is about to change is recorded here before any name is switched, the bytes of what stands
//! there among it. So a kill at any moment leaves enough to take it back, and a record of what then never happened is harmless. Nothing
//! is written in the repository, and no git is needed. This module changes no file of the person's.

use super::blobs::{Blobs, Intake};
use super::image::{Image, Touched};
use super::publish::disk;
use super::{Cause, publish};
use crate::clock::Clock;
use crate::journal::{Journal, JournalError, Mark, TouchedRow};
use crate::path::{AbsPath, RootedPath};
use crate::review::Author;
use blake3::Hash;
use pilotfish_protocol::{Checkpoint, CheckpointId};
use rustix::fs::Stat;
use rustix::io::Errno;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all checkpoints together may take, in bytes.
const CAP: u64 = 1 << 30;

/// A title's length in characters.
const TITLE: usize = 80;

/// The checkpoints of all workspaces. Clones share them.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    blobs: Blobs,
    journal: Journal,
    clock: Clock,
    state: Arc<Path>,
    cap: u64,
    /// What the blobs took after they were last collected.
    collected: Arc<AtomicU64>,
}

/// Records what one cause touches in one workspace. Its methods block; it is made for one edit, one command or one restore.
#[derive(Debug)]
pub struct Recorder {
    checkpoints: Checkpoints,
    mark: Mark,
    intake: RefCell<Intake>,
    /// Bytes that may still be kept.
    room: Cell<u64>,
    recorded: RefCell<Option<CheckpointId>>,
}

/// Why something is not changed: it could not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Its bytes cannot be kept.
    #[error("what stands there cannot be kept for a checkpoint: {0}")]
    Blob(#[from] std::io::Error),
    /// It cannot be looked at.
    #[error("it cannot be looked at: {0}")]
    Look(#[from] Errno),
    /// The journal does not take it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Checkpoints {
    /// Those of a state directory. Removes what an edit or restore that was killed had staged; reads nothing else yet.
    #[must_use]
    pub fn open(state: &Path, journal: Journal, clock: Clock) -> Self {
        publish::sweep(state);
        let blobs = Blobs::open(state);
        Self { blobs, journal, clock, state: state.into(), cap: CAP, collected: Arc::default() }
    }

    /// With another cap, in bytes.
    #[cfg(test)]
    pub(super) fn capped(self, cap: u64) -> Self {
        Self { cap, ..self }
    }

    /// The kept bytes.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The record.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Our state directory.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A workspace's checkpoints, the latest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn list(&self, root: &AbsPath) -> Result<Vec<Checkpoint>, JournalError> {
        self.journal.checkpoints(&root.to_string()).await
    }

    /// Records what a turn touches, or the person by a decision. The turn's checkpoint is made at the first touch.
    #[must_use]
    pub fn recorder(&self, root: &AbsPath, cause: &Cause) -> Recorder {
        let Cause { author, at, title } = cause;
        let (key, turn) = match author {
            Author::Agent(source) | Author::Command(source) => {
                (source.turn.0.clone(), Some((source.session.clone(), source.turn.clone())))
            }
            // Each thing that the person decides is a step of its own.
            Author::Person => (format!("person {at}"), None),
        };
        let (workspace, at, title) = (root.to_string(), at.clone(), format!("before: {}", short(title)));
        self.of_mark(Mark { workspace, key, turn, at, title })
    }

    /// Records what a restore touches, in a checkpoint of its own.
    pub(super) fn of_restore(&self, root: &AbsPath, id: &CheckpointId) -> Recorder {
        self.of_mark(Mark {
            workspace: root.to_string(),
            key: self.clock.checkpoint_id().0,
            turn: None,
            at: self.clock.now(),
            title: format!("before: restoring {id}"),
        })
    }

    fn of_mark(&self, mark: Mark) -> Recorder {
        Recorder {
            checkpoints: self.clone(),
            mark,
            intake: RefCell::new(self.blobs.intake()),
            // One of them leaves room for others.
            room: Cell::new(self.cap / 4),
            recorded: RefCell::default(),
        }
    }

    /// Takes the oldest checkpoints away, if all take more than they may, and what nobody needs. Blocks.
    pub fn collect(&self) {
        let Some(sweep) = self.blobs.sweep() else { return };
        let swept = self.journal.collect_checkpoints(self.cap / 4 * 3).map_err(std::io::Error::other);
        let needed = |needed: HashSet<String>| -> HashSet<Hash> {
            needed.iter().filter_map(|hash| Hash::from_hex(hash).ok()).collect()
        };
        match swept.and_then(|swept| sweep.remove(&needed(swept))) {
            Ok(0) => {}
            Ok(blobs) => tracing::debug!(blobs, "collected old checkpoints"),
            Err(error) => tracing::warn!(%error, "could not collect old checkpoints"),
        }
        self.collected.store(self.blobs.bytes(), Ordering::Relaxed);
    }

    /// As [`Checkpoints::collect`], when the blobs took more than they may and have grown since. Blocks.
    pub fn collect_if_full(&self) {
        let grown = self.collected.load(Ordering::Relaxed).saturating_add(self.cap / 16);
        if self.blobs.bytes() > self.cap.max(grown) {
            self.collect();
        }
    }
}

impl Recorder {
    /// What stands under a name of a directory, its bytes kept if they are not too many. Blocks.
    ///
    /// # Errors
    /// When it cannot be looked at, or its bytes cannot be written where they are kept.
    pub fn keep(&self, directory: &OwnedFd, name: &OsStr) -> Result<Image, KeepError> {
        match disk::look(directory, name)? {
            Some(stat) => self.keep_as(directory, name, &stat),
            None => Ok(Image::Absent),
        }
    }

    /// As [`Recorder::keep`], of a name that was looked at.
    pub(super) fn keep_as(&self, directory: &OwnedFd, name: &OsStr, stat: &Stat) -> Result<Image, KeepError> {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut refused = None;
        let image = Image::of_stat(directory, name, stat, |file| {
            if size > self.room.get() || self.checkpoints.blobs.bytes() > self.checkpoints.cap / 4 * 5 {
                // Without its bytes it can still be told from others.
                return super::blobs::hash_file(file).ok().flatten();
            }
            match self.intake.borrow_mut().put_file(file) {
                Ok(kept) => kept.map(|(hash, bytes)| {
                    self.room.set(self.room.get().saturating_sub(bytes));
                    hash
                }),
                Err(error) => {
                    refused = Some(error);
                    None
                }
            }
        })?;
        match refused {
            Some(error) => Err(error.into()),
            None => Ok(image),
        }
    }

    /// Keeps bytes that stand under a name, of a file that is open elsewhere; answers its image.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_bytes(&self, bytes: &[u8], mode: u32) -> Result<Image, KeepError> {
        self.intake.borrow_mut().put(bytes)?;
        Ok(Image::of_bytes(bytes, mode))
    }

    /// Holds on to kept bytes as long as this lives.
    pub(super) fn hold(&self, hash: Hash) {
        self.intake.borrow_mut().pin(hash);
    }

    /// Records names that are about to change, before any of them does. Blocks until it is recorded.
    ///
    /// # Errors
    /// When the journal does not take it; then they must not change.
    pub fn touch(&self, touched: &[Touched]) -> Result<(), KeepError> {
        let changing = touched.iter().filter(|touched| touched.before != touched.after);
        let rows: Vec<TouchedRow> = changing.map(row).collect();
        if !rows.is_empty() {
            let id = self.checkpoints.journal.touch(&self.mark, rows)?;
            *self.recorded.borrow_mut() = Some(id);
        }
        Ok(())
    }

    /// The checkpoint, once something was touched.
    #[must_use]
    pub fn checkpoint(&self) -> Option<CheckpointId> {
        self.recorded.borrow().clone()
    }

    /// Where lists of what is staged lie.
    pub(super) fn state(&self) -> &Path {
        &self.checkpoints.state
    }
}

fn row(touched: &Touched) -> TouchedRow {
    let Touched { path, before, after } = touched;
    let blob = match before {
        Image::File { size, .. } => before.hash().map(|hash| (hash.to_string(), *size)),
        Image::Absent | Image::Link { .. } | Image::Directory { .. } | Image::Other => None,
    };
    let path = path.as_path().as_os_str().as_bytes().to_owned();
    TouchedRow { path, before: before.to_text(), after: after.to_text(), blob }
}

/// A row as it was touched; `None` for what no version of ours wrote.
pub(super) fn touched(row: TouchedRow) -> Option<Touched> {
    let path = RootedPath::of_names(&PathBuf::from(std::ffi::OsString::from_vec(row.path)))?;
    Some(Touched { path, before: Image::parse(&row.before)?, after: Image::parse(&row.after)? })
}

/// The first line, cut.
fn short(title: &str) -> String {
    let line = title.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

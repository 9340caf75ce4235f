//! The folders that take what commands change: made for one run, gone with it, and never those of a run that is still going on.
//! What lies in them is read by whoever publishes it; this module never looks at it.
//!
//! `runs/NAME` is a run, `sessions/ID` what a session's read-only runs share. A folder belongs to whoever holds the lock on it; what
//! nobody holds is swept away when a daemon starts.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::sandbox::wire::Layer;
use cleaner::{Cleaner, Job};

mod cleaner;
pub mod tree;

/// What a session's read-only runs may leave to one another, in bytes on disk.
const SESSION_BYTES: u64 = 4 << 30;
/// The same where it lies in memory.
const SESSION_BYTES_IN_MEMORY: u64 = 256 << 20;

/// Why there is no place for what commands change.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// No candidate can hold what an overlay writes.
    #[error("no folder can hold what commands change: {0}")]
    NoPlace(String),
    /// A folder could not be made or read.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
}

/// Makes the folders. Cheap to clone. Dropped for the last time, it waits until what was to be removed is removed.
#[derive(Debug, Clone)]
pub struct Scratch {
    root: Arc<PathBuf>,
    session_bytes: u64,
    cleaner: Arc<Cleaner>,
}

impl Scratch {
    /// Chooses the place: below `state`, our own folder, or where its file system cannot do it, in memory.
    ///
    /// # Errors
    /// When neither can hold what an overlay writes.
    pub fn open(state: &Path) -> Result<Self, ScratchError> {
        let user = rustix::process::geteuid().as_raw();
        let in_memory =
            [PathBuf::from(format!("/run/user/{user}/pilotfish-runs")), format!("/dev/shm/pilotfish-{user}").into()];
        let mut refused = Vec::new();
        for (root, session_bytes) in
            [(state.to_owned(), SESSION_BYTES)].into_iter().chain(in_memory.map(|root| (root, SESSION_BYTES_IN_MEMORY)))
        {
            match prepare(&root) {
                Ok(root) => {
                    let cleaner = Arc::new(Cleaner::start());
                    return Ok(Self { root: Arc::new(root), session_bytes, cleaner });
                }
                Err(error) => refused.push(format!("{}: {error}", root.display())),
            }
        }
        Err(ScratchError::NoPlace(refused.join("; ")))
    }

    /// The chosen place. Names of others in it than ours are left alone.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A fresh folder for one run.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn run(&self) -> Result<Run, ScratchError> {
        let runs = self.runs();
        loop {
            let name = format!("{:016x}", fastrand::u64(..));
            let path = runs.join(&name);
            match private_folder().create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|error| ScratchError::Io { path: path.clone(), error })?,
            }
            // Somebody who sweeps may have found it before it was locked.
            if let Some(run) = self.adopt(path, After::Remove)? {
                return Ok(run);
            }
        }
    }

    /// What the read-only runs of a session share. While one of them goes on, another gets a fresh folder that nothing remains of.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn session(&self, id: &str) -> Result<Run, ScratchError> {
        if !is_name(id) {
            return self.run();
        }
        let path = self.sessions().join(id);
        match private_folder().create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(ScratchError::Io { path, error });
            }
            Ok(()) | Err(_) => {}
        }
        match self.adopt(path, After::Empty)? {
            Some(run) => Ok(run),
            None => self.run(),
        }
    }

    /// Removes what nobody holds of the runs. For when a daemon, or a run by hand, starts.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn sweep(&self) -> Result<(), ScratchError> {
        for name in entries(&self.runs())? {
            drop(self.adopt(self.runs().join(name), After::Remove));
        }
        Ok(())
    }

    /// Removes what sessions left to themselves and nobody holds. For when a daemon starts.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn sweep_sessions(&self) -> Result<(), ScratchError> {
        for name in entries(&self.sessions())? {
            drop(self.adopt(self.sessions().join(name), After::Remove));
        }
        Ok(())
    }

    /// Takes a folder over, unless somebody else has it or it is gone.
    fn adopt(&self, path: PathBuf, after: After) -> Result<Option<Run>, ScratchError> {
        match lock(&path) {
            Ok(Some(lock)) => {
                let (cleaner, session_bytes) = (self.cleaner.clone(), self.session_bytes);
                Ok(Some(Run { path, lock: Some(lock), after, session_bytes, cleaner }))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(ScratchError::Io { path, error }),
        }
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    fn sessions(&self) -> PathBuf {
        self.root.join("sessions")
    }
}

/// What becomes of a run's folder when it is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Remove,
    Empty,
}

/// The folders of one run. Dropped, they are removed soon after, with all that was not published.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    /// Open as long as it is ours; given away with the removal.
    lock: Option<File>,
    after: After,
    session_bytes: u64,
    cleaner: Arc<Cleaner>,
}

impl Run {
    /// The folder of the run.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the changes of layer `number` land.
    #[must_use]
    pub fn upper(&self, number: usize) -> PathBuf {
        self.path.join(format!("upper{number}"))
    }

    /// The own folder of layer `number`.
    #[must_use]
    pub fn work(&self, number: usize) -> PathBuf {
        self.path.join(format!("work{number}"))
    }

    /// Makes the folders of layer `number`, and a layer over all of `lower` from them.
    ///
    /// # Errors
    /// When they cannot be made, or `lower` is not there.
    pub fn layer(&self, number: usize, lower: &Path) -> Result<Layer, ScratchError> {
        let failure = |path: &Path, error| ScratchError::Io { path: path.to_owned(), error };
        let (upper, work) = (self.upper(number), self.work(number));
        let metadata = fs::metadata(lower).map_err(|error| failure(lower, error))?;
        for folder in [&upper, &work] {
            match private_folder().create(folder) {
                // What the session's last run left.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(|error| failure(folder, error))?,
            }
        }
        // The folder inside shows the mode of its upper. Nobody else gets this far.
        let mode = Permissions::from_mode(metadata.mode() & 0o7777 | 0o700);
        fs::set_permissions(&upper, mode).map_err(|error| failure(&upper, error))?;
        Ok(Layer { lower: lower.to_owned(), upper, work, writable: Vec::new(), through: Vec::new() })
    }

    /// Ends a session's run: of what it left, folders that `is_kept` names by their paths below the layer stay for the session's next run, as
    /// long as they are not too much. Any other run is just dropped.
    pub fn settle(mut self, is_kept: impl Fn(&Path) -> bool + Send + 'static) {
        if self.after == After::Empty
            && let Some(lock) = self.lock.take()
        {
            let job =
                Job::Settle { path: self.path.clone(), lock, is_kept: Box::new(is_kept), most: self.session_bytes };
            self.cleaner.take(job);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        self.cleaner.take(Job::Remove { path: self.path.clone(), lock });
    }
}

/// Makes the root and what lies in it, and says why it cannot hold what an overlay writes.
fn prepare(root: &Path) -> io::Result<PathBuf> {
    private_folder().recursive(true).create(root)?;
    let root = root.canonicalize()?;
    if fs::metadata(&root)?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it is somebody else's"));
    }
    close(&root)?;
    let kind = rustix::fs::statfs(&root)?.f_type;
    if !is_upper_kind(kind) {
        return Err(io::Error::other(format!("its file system (0x{kind:x}) cannot hold the upper side of an overlay")));
    }
    for name in ["runs", "sessions"] {
        let folder = root.join(name);
        private_folder().recursive(true).create(&folder)?;
        close(&folder)?;
    }
    Ok(root)
}

/// Takes away what others may do with a folder that somebody loosened.
fn close(folder: &Path) -> io::Result<()> {
    if fs::metadata(folder)?.mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// File systems that keep what an overlay needs: devices, attributes and the kinds of directory entries. Numbers of linux/magic.h.
#[cfg(target_os = "linux")]
fn is_upper_kind(kind: rustix::fs::FsWord) -> bool {
    const EXT: rustix::fs::FsWord = 0xef53;
    const XFS: rustix::fs::FsWord = 0x5846_5342;
    const BTRFS: rustix::fs::FsWord = 0x9123_683e;
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    const F2FS: rustix::fs::FsWord = 0xf2f5_2010;
    const BCACHEFS: rustix::fs::FsWord = 0xca45_1a4e;
    const ZFS: rustix::fs::FsWord = 0x2fc1_2fc1;
    [EXT, XFS, BTRFS, TMPFS, F2FS, BCACHEFS, ZFS].contains(&kind)
}

/// Elsewhere there are no overlays, and so nothing ever lands there.
#[cfg(not(target_os = "linux"))]
fn is_upper_kind<T>(_kind: T) -> bool {
    true
}

/// Locks a folder; nothing when somebody else has it, or when it was removed meanwhile.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        folder => folder?,
    };
    match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    let is_there = rustix::fs::fstat(&folder)?.st_nlink > 0 && path.exists();
    Ok(is_there.then(|| folder.into()))
}

fn entries(folder: &Path) -> Result<Vec<String>, ScratchError> {
    let failure = |error| ScratchError::Io { path: folder.to_owned(), error };
    let entries = fs::read_dir(folder).map_err(failure)?;
    // We gave the names, and they are plain.
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(test)]
mod tests;

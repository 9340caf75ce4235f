//! Publishing: what a command wrote into the upper directories of its overlays comes into the real folders, file by file, and by no
//! other way. What is protected is held back for a person to decide, what somebody changed meanwhile is left as they have it, and
//! git's own files follow git's own order and locks. Nothing here follows a link out of a folder, runs a program, or looks at
//! what a file means beyond what deciding these things takes.

use super::checkpoint::Recorder;
use super::layers::LayerPlan;
use crate::path::{AbsPath, RootedPath};
use crate::policy::paths::Class;
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

mod aliases;
mod delete;
pub(super) mod disk;
pub mod early;
mod hold;
mod keep;
mod links;
mod release;
mod report;
mod repository;
mod seeds;
pub(super) mod stage;
mod stamp;
mod through;
pub(super) mod trail;
mod tree;

pub use seeds::{Late, Seeded, Seeds};
pub use stamp::Stamp;
pub use trail::sweep;

/// The most changes that are listed one by one; the rest is counted.
pub const LISTED: usize = 2000;

/// The most changes whose texts are kept.
pub const WITH_TEXT: usize = 200;

/// The largest file whose text is kept, in bytes.
pub const TEXT_BYTES: u64 = 1 << 20;

/// One overlay that a command saw, after the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it stood over.
    pub plan: LayerPlan,
    /// Its upper directory: what the command wrote.
    pub upper: PathBuf,
}

/// What is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The folder the session works in.
    pub workspace: AbsPath,
    /// Every overlay of the command.
    pub layers: Vec<Layer>,
    /// What it saw otherwise than it was on the disk.
    pub seeds: Seeds,
    /// When the command started.
    pub started: Stamp,
    /// Our state directory: a list of folders is kept in it while they are written to, so that [`sweep`] finds what a crash
    /// left behind.
    pub state: PathBuf,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was not there before.
    Created,
    /// It has other bytes, or is another link.
    Changed,
    /// It has other permissions alone.
    Mode,
    /// It is gone.
    Deleted,
}

/// A file of the workspace as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Which, from the workspace.
    pub path: RootedPath,
    /// What happened to it.
    pub kind: Kind,
    /// What it held, of a regular file that is not too large and one of the first.
    pub before: Option<Vec<u8>>,
    /// What it holds, likewise.
    pub after: Option<Vec<u8>>,
}

/// Why a change waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its name is protected.
    Protected(Class),
    /// It is a link that leads out of the workspace: what writes through it later would write there.
    LeadsOut,
}

impl Why {
    /// In words that end a sentence.
    #[must_use]
    pub fn why(&self) -> &'static str {
        match self {
            Why::Protected(class) => class.why(),
            Why::LeadsOut => "the link leads out of the workspace, and what writes through it later would write there",
        }
    }
}

/// A change that was not made, and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which file, link or directory.
    pub path: AbsPath,
    /// What would happen to it.
    pub kind: Kind,
    /// Its bytes now, or its target if it is a link; `None` when there are none or more than [`TEXT_BYTES`], or too many in all.
    pub before: Option<Vec<u8>>,
    /// Its bytes or its target then, likewise.
    pub after: Option<Vec<u8>>,
    /// Why it is held back.
    pub why: Why,
    /// Whether it would be a directory with nothing in it, so that its name says all.
    pub is_empty_directory: bool,
    /// In which layer it lies.
    layer: usize,
    /// Where in that layer.
    inside: PathBuf,
    /// What stood there when it was held back. It is released onto nothing else.
    seen: Option<disk::Seen>,
}

/// Why a change was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// Somebody changed, made or deleted it while the command ran.
    #[error("it changed on disk while the command ran")]
    Changed,
    /// Something stands in its way that is not replaced.
    #[error("{0} is in its way")]
    Blocked(&'static str),
    /// It stays because something in it stays.
    #[error("it is not empty")]
    NotEmpty,
    /// Git holds its lock.
    #[error("another git process holds its lock")]
    Locked,
    /// Another change of the same repository clashed.
    #[error("something else of the same repository changed on disk while the command ran")]
    Repository,
    /// The system says no.
    #[error("{0}")]
    Io(String),
}

/// A change that was dropped: what stands on the disk was left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which file.
    pub path: AbsPath,
    /// Why.
    pub clash: Clash,
}

/// How many of each, listed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Files and links that are new.
    pub created: u64,
    /// Files and links that changed.
    pub changed: u64,
    /// Files and links that are gone.
    pub deleted: u64,
    /// Changes that wait for a person.
    pub held: u64,
    /// Changes that were dropped.
    pub conflicts: u64,
    /// Files of a repository's own that were written.
    pub git: u64,
}

/// What became of a command's writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// What changed in the workspace, git's own files aside.
    pub changed: Vec<FileChange>,
    /// What waits for a person.
    pub held: Vec<Held>,
    /// Texts that are unsaved or proposed, as the command would have them.
    pub seeded: Vec<Seeded>,
    /// What was dropped.
    pub conflicts: Vec<Conflict>,
    /// How many.
    pub counts: Counts,
    /// What else is worth saying, each a sentence.
    pub notes: Vec<String>,
}

/// Publishes what a command wrote. What it changes in the workspace is recorded first, where there is a recorder. Blocks; only the
/// owner of the workspace may call it.
#[must_use]
pub fn publish(publication: &Publication, recorder: Option<&Recorder>) -> Published {
    tree::publish(publication, recorder, &|_| true)
}

/// Publishes what was held back, after a person said yes. What changed on disk since then is a conflict.
#[must_use]
pub fn release(publication: &Publication, held: &[Held], recorder: Option<&Recorder>) -> Published {
    tree::release(publication, held, recorder)
}

/// After a person said no: what stays gets the time of now, so that no build tool takes a result of the refused text for fresh.
pub fn refuse(held: &[Held]) {
    for held in held {
        disk::touch_path(&held.path);
    }
}

/// Gives a file the time of now, so that no build tool takes results of another text for fresh.
pub(super) fn touch(path: &AbsPath) {
    disk::touch_path(path);
}

/// Opens a directory below a root, which it must be without any link on the way.
pub(super) fn open_plain_directory(root: &Path, inside: &Path) -> Result<OwnedFd, Errno> {
    disk::open_below(&disk::open_root(root)?, inside)
}

/// A path below another, as the model and the person know it.
fn below(root: &AbsPath, path: &Path) -> AbsPath {
    AbsPath::new(root.as_path().join(path)).unwrap_or_else(|_| root.clone())
}

#[cfg(test)]
pub(super) mod tests;

//! Texts that a command saw instead of what the disk holds, because somebody has them unsaved, or they are proposed. They are never
//! published: what the command made of one becomes a change of that text, wherever it is.

use super::Clash;
use super::disk;
use super::tree::{Pair, Run};
use crate::path::AbsPath;
use rustix::fs::Stat;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The texts, by their layer and their path from its folder.
pub type Seeds = BTreeMap<(usize, PathBuf), Arc<[u8]>>;

/// Texts that became unsaved while the command ran, by their files: what the disk holds, which the command saw.
pub type Late = BTreeMap<AbsPath, Arc<[u8]>>;

/// The largest text that a command may make of one, in bytes.
const BYTES: u64 = 16 << 20;

/// A text that a command saw and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// Which file.
    pub path: AbsPath,
    /// What it saw.
    pub before: Arc<[u8]>,
    /// What it made of it; nothing when that is no text, or when it deleted it.
    pub after: Option<Vec<u8>>,
}

impl Run<'_> {
    /// Whether a name is one of those, with what the command saw there.
    pub(super) fn seed(&self, path: &Path) -> Option<Arc<[u8]>> {
        let (seeds, late) = (&self.publication.seeds, &self.late);
        if seeds.is_empty() && late.is_empty() {
            return None;
        }
        let seed = seeds.get(&(self.layer, path.to_owned()));
        seed.or_else(|| late.get(&self.below(path))).cloned()
    }

    /// Notes what a command made of a text that it saw instead of the disk's.
    pub(super) fn reap(&mut self, at: &Pair, name: &OsStr, path: &Path, upper: &Stat, before: Arc<[u8]>) {
        if self.class_of(name, path, disk::kind(upper)).is_some() {
            // A yes to its diff would be to another text than the one that is open.
            self.report.conflict(self.below(path), Clash::Blocked("an unsaved text of a protected name"));
            return;
        }
        let is_file = disk::kind(upper) == rustix::fs::FileType::RegularFile;
        let file = is_file.then(|| disk::open_upper_file(&at.upper, name).ok()).flatten();
        let after = file.and_then(|file| disk::read(&file, BYTES));
        if after.as_deref() != Some(&*before) {
            self.report.seeded(Seeded { path: self.below(path), before, after });
        }
    }
}

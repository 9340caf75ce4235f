//! What lies in a folder at one moment, to be compared with what lies there later: nothing was left when both are equal.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything below a folder, by its path.
pub type Snapshot = BTreeMap<PathBuf, Entry>;

/// A file as it lies there: mode, time of the last change in nanoseconds, and bytes, or where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    mode: u32,
    changed: i128,
    digest: blake3::Hash,
}

/// Everything below a folder.
///
/// # Panics
/// When something of it cannot be read.
#[must_use]
pub fn snapshot(folder: &Path) -> Snapshot {
    let mut entries = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().expect("a file"));
            let bytes = if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                std::fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec()
            } else {
                std::fs::read(&path).expect("a file")
            };
            let changed = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            entries.insert(path, Entry { mode: metadata.mode(), changed, digest: blake3::hash(&bytes) });
        }
    }
    entries
}

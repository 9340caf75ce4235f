//! Reading a root for its index: which files there are that git does not ignore, in parallel threads that end afterwards. Reads folders and
//! asks for sizes and times; opens no file but those that say what is ignored.

use super::{Index, Stat};
use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Files of one root that are indexed. More are left out, and that is said.
pub const FILES: usize = 1_000_000;

/// Threads that read folders.
const THREADS: usize = 4;

/// Folders that hold what version control keeps for itself.
const METADATA: [&str; 4] = [".git", ".hg", ".svn", ".jj"];

/// What a root held when it was read.
#[derive(Debug, Default)]
pub struct Scan {
    /// The files.
    pub index: Index,
    /// The folders, from the root, with the one that was started from.
    pub folders: Vec<PathBuf>,
    /// There were more than [`FILES`].
    pub cut: bool,
}

/// A file walk as all of the program sees a workspace: hidden files yes, ignored ones and version control's metadata no, links not
/// followed. In no order.
#[must_use]
pub fn walker(start: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(start);
    builder.hidden(false).follow_links(false).require_git(false).filter_entry(|entry| !is_metadata(entry.path()));
    builder
}

/// Whether a path's own name is that of version control's metadata.
#[must_use]
pub fn is_metadata(path: &Path) -> bool {
    path.file_name().is_some_and(|name| METADATA.iter().any(|metadata| name == *metadata))
}

/// Reads a folder and all below it. Paths are from `root`, of which `start` is a part.
#[must_use]
pub fn scan(root: &Path, start: &Path) -> Scan {
    let start = root.join(start);
    let found = Found::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let walk = walker(&start).threads(threads).build_parallel();
    walk.visit(&mut Reading { root, found: &found });
    let mut scan = Scan { cut: found.count.into_inner() > FILES, ..Scan::default() };
    for (index, folders) in found.parts.into_inner().unwrap_or_else(PoisonError::into_inner) {
        scan.index.append(index);
        scan.folders.extend(folders);
    }
    scan.index.sort();
    scan.index.compact();
    scan
}

/// Looks at one path, which may be a link: what it is, and what is known of it. `None` when it is not there.
#[must_use]
pub fn look(folder: impl std::os::fd::AsFd, path: &Path) -> Option<(rustix::fs::FileType, Stat)> {
    let stat = rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    let modified = stat.st_mtime.saturating_mul(1_000_000_000).saturating_add_unsigned(stat.st_mtime_nsec);
    Some((kind, Stat { size: u64::try_from(stat.st_size).unwrap_or(0), modified }))
}

/// One file, as an index.
#[must_use]
pub fn one(path: &Path, stat: Stat) -> Index {
    let mut index = Index::default();
    index.push(path.as_os_str().as_bytes(), stat);
    index
}

/// What the threads share.
#[derive(Default)]
struct Found {
    count: AtomicUsize,
    parts: Mutex<Vec<(Index, Vec<PathBuf>)>>,
}

struct Reading<'a> {
    root: &'a Path,
    found: &'a Found,
}

/// What one thread reads.
struct Part<'a> {
    root: &'a Path,
    found: &'a Found,
    index: Index,
    folders: Vec<PathBuf>,
    /// The folder of the last file, since the next one mostly lies in the same.
    folder: Option<(PathBuf, OwnedFd)>,
}

impl<'a> ParallelVisitorBuilder<'a> for Reading<'a> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'a> {
        Box::new(Part {
            root: self.root,
            found: self.found,
            index: Index::default(),
            folders: Vec::new(),
            folder: None,
        })
    }
}

impl ParallelVisitor for Part<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        // What cannot be read is not there for anybody else either.
        let Ok(entry) = entry else { return WalkState::Continue };
        let Ok(path) = entry.path().strip_prefix(self.root) else { return WalkState::Continue };
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        if kind.is_dir() {
            self.folders.push(path.to_owned());
        } else if (kind.is_file() || kind.is_symlink())
            && let Some(stat) = self.stat(entry.path())
        {
            if self.found.count.fetch_add(1, Ordering::Relaxed) >= FILES {
                return WalkState::Quit;
            }
            self.index.push(path.as_os_str().as_bytes(), stat);
        }
        WalkState::Continue
    }
}

impl Part<'_> {
    /// Asked of its open folder, so that the kernel need not go all the way to it each time.
    fn stat(&mut self, path: &Path) -> Option<Stat> {
        let (parent, name) = (path.parent()?, path.file_name()?);
        if self.folder.as_ref().is_none_or(|(folder, _)| folder.as_os_str() != parent.as_os_str()) {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.folder = Some((parent.to_owned(), rustix::fs::openat(CWD, parent, flags, Mode::empty()).ok()?));
        }
        let (_, folder) = self.folder.as_ref()?;
        look(folder, Path::new(name)).map(|(_, stat)| stat)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let (mut index, folders) = (std::mem::take(&mut self.index), std::mem::take(&mut self.folders));
        // In the thread, so that the threads share the work.
        index.sort();
        self.found.parts.lock().unwrap_or_else(PoisonError::into_inner).push((index, folders));
    }
}

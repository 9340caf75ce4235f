//! Keeping the index and the watches of one root equal to its disk. All of it waits for the disk, so it runs where that is allowed; it
//! knows no time.

use super::system::{Held, Sort, Watch, WatchError, Watcher};
use super::{Changes, SharedIndex, rooted};
use crate::path::AbsPath;
use crate::workspace::index::scan::{Scan, is_metadata, look, one, scan, walker};
use crate::workspace::index::{Index, scan};
use ignore::IncrementalIgnore;
use rustix::fs::{CWD, FileType};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Files that say what git ignores.
const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

/// How often what was just watched is read again, since more came meanwhile. What comes after that comes as an event.
const AGAIN: usize = 8;

/// Which folders of a root are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that git does not ignore.
    Whole,
    /// Those of open and touched files.
    Few(WatchError),
}

/// What a root's index is kept in, and what is said of it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) index: Arc<watch::Sender<Option<SharedIndex>>>,
    pub(super) problem: Arc<watch::Sender<Option<Arc<str>>>>,
}

/// One root.
pub(super) struct Keeper {
    root: AbsPath,
    pub(super) watch: Watch,
    /// What is ignored, as far as it was asked for; made anew when that may have changed.
    ignored: IncrementalIgnore,
    pub(super) extent: Extent,
    /// Open and touched files.
    touched: HashSet<PathBuf>,
    shown: Shown,
}

impl Keeper {
    /// One that has read nothing yet.
    pub(super) fn new(root: AbsPath, watcher: &Watcher, touched: HashSet<PathBuf>, shown: Shown) -> Option<Self> {
        let ignored = walker(root.as_path()).build_matchers().pop()?;
        Some(Self { watch: watcher.open(&root), root, ignored, extent: Extent::Whole, touched, shown })
    }

    /// Reads all of the root. Where all is watched it is read again behind the watches, until nothing new is found.
    pub(super) fn read_all(&mut self) {
        self.forget_ignored();
        for _ in 0..AGAIN {
            let Scan { index, folders, cut } = scan(self.root.as_path(), Path::new(""));
            self.shown.index.send_replace(Some(Arc::new(RwLock::new(index))));
            if cut {
                self.say(format!("{} holds more than {} files; the others are not found", self.root, scan::FILES));
            }
            if !self.cover(&folders) {
                break;
            }
        }
    }

    /// As [`Self::read_all`], after events were lost: no watch is trusted.
    pub(super) fn read_all_anew(&mut self) {
        self.watch.keep(|_| false);
        self.read_all();
    }

    /// Waits until the watcher's thread has read what came before: it answers to a watch that is there already, too.
    pub(super) fn catch_up(&mut self) {
        let _ = self.watch.add(Path::new(""));
    }

    /// Takes what changed into the index and the watches.
    pub(super) fn take(&mut self, held: Held) -> Changes {
        // A root that was moved or removed is another one now.
        if held.lost || held.paths.get(Path::new("")) == Some(&Sort::Place) {
            self.read_all_anew();
            return Changes { paths: [].into(), rescan: true };
        }
        if held.paths.keys().any(|path| IGNORE_FILES.iter().any(|name| path.ends_with(name))) {
            self.read_all();
        }
        let mut paths: Vec<(Box<Path>, Sort)> = held.paths.into_iter().collect();
        paths.sort();
        let mut batch = Batch::default();
        for (path, sort) in paths {
            // What lies in a folder that was read just now is known.
            if !batch.read.as_deref().is_some_and(|folder| path.starts_with(folder)) {
                self.take_one(&path, sort, &mut batch);
            }
        }
        if let Some(index) = &*self.shown.index.borrow() {
            let mut index = index.write().unwrap_or_else(PoisonError::into_inner);
            batch.gone.iter().for_each(|path| index.remove(path));
            batch.found.into_iter().for_each(|found| index.put(found));
        }
        Changes { paths: batch.changed.iter().filter_map(|path| rooted(&self.root, path)).collect(), rescan: false }
    }

    /// A file is open, or was touched: its folder is watched, whatever else is.
    pub(super) fn touch(&mut self, path: PathBuf) {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.touched.insert(path);
        if !self.watch.holds(&folder) {
            // Where there is no watch for it, that was said.
            let _ = self.watch.add(&folder);
        }
    }

    fn take_one(&mut self, path: &Path, sort: Sort, batch: &mut Batch) {
        let looked = look(CWD, &self.root.as_path().join(path));
        match looked {
            None => {
                self.watch.forget(path);
                batch.gone.push(path.to_owned());
                if !self.is_ignored(path, Kind::File) {
                    batch.changed.push(path.to_owned());
                }
            }
            // Its times changed, since something came into it or left it; that is told by itself.
            Some((FileType::Directory, _)) if sort == Sort::Content && self.watch.holds(path) => {}
            Some((FileType::Directory, _)) => {
                batch.gone.push(path.to_owned());
                // It may have brought files that say what is ignored.
                self.forget_ignored();
                if !self.is_ignored(path, Kind::Folder) {
                    batch.found.push(self.read(path));
                    batch.changed.push(path.to_owned());
                }
                batch.read = Some(path.to_owned());
            }
            Some((FileType::RegularFile | FileType::Symlink, stat)) => {
                if self.is_ignored(path, Kind::File) {
                    batch.gone.push(path.to_owned());
                    if self.touched.contains(path) {
                        batch.changed.push(path.to_owned());
                    }
                } else {
                    batch.found.push(one(path, stat));
                    batch.changed.push(path.to_owned());
                }
            }
            Some(_) => batch.gone.push(path.to_owned()),
        }
    }

    /// Reads a folder that came, and watches all below it.
    fn read(&mut self, folder: &Path) -> Index {
        // Another one may have had this name, with watches that went with it.
        self.watch.forget(folder);
        let mut index = Index::default();
        for _ in 0..AGAIN {
            let scan = scan(self.root.as_path(), folder);
            index = scan.index;
            if self.extent != Extent::Whole || !self.add(&scan.folders) {
                break;
            }
        }
        index
    }

    /// Watches these folders and no others, or if they are too many those of touched files. Whether any is new.
    fn cover(&mut self, folders: &[PathBuf]) -> bool {
        match self.extent {
            // More than the system gives it will hardly give a moment later.
            Extent::Few(error @ (WatchError::NoWatches | WatchError::NoWatcher)) => self.watch_few(error),
            Extent::Whole | Extent::Few(_) if folders.len() > self.watch.room() => {
                self.watch_few(WatchError::Full(self.watch.limit()));
            }
            Extent::Whole | Extent::Few(_) => {
                if self.extent != Extent::Whole {
                    self.shown.problem.send_replace(None);
                }
                self.extent = Extent::Whole;
                let wanted: HashSet<&Path> = folders.iter().map(PathBuf::as_path).collect();
                let touched = self.touched_folders();
                self.watch.keep(|path| wanted.contains(path) || touched.contains(path));
                let added = self.add(folders);
                for folder in touched.iter().filter(|folder| !wanted.contains(folder.as_path())) {
                    let _ = self.watch.add(folder);
                }
                return added;
            }
        }
        false
    }

    /// Watches folders; when there are no watches left, only those of touched files. Whether any is new.
    fn add(&mut self, folders: &[PathBuf]) -> bool {
        let mut added = false;
        for folder in folders {
            if self.watch.holds(folder) {
                continue;
            }
            match self.watch.add(folder) {
                Ok(()) => added = true,
                // It went again, or is nobody's to see.
                Err(WatchError::NoFolder) => {}
                Err(error) => {
                    self.watch_few(error);
                    return false;
                }
            }
        }
        added
    }

    fn watch_few(&mut self, error: WatchError) {
        let touched = self.touched_folders();
        self.watch.keep(|path| touched.contains(path));
        for folder in &touched {
            let _ = self.watch.add(folder);
        }
        if self.extent == Extent::Whole {
            self.extent = Extent::Few(error);
            self.say(format!(
                "{} is not watched as a whole: {error}. Changes to files that are neither open nor touched by a session are seen when a turn \
                 starts and after its commands",
                self.root
            ));
        }
    }

    fn touched_folders(&self) -> HashSet<PathBuf> {
        self.touched.iter().filter_map(|path| path.parent()).map(Path::to_owned).collect()
    }

    fn is_ignored(&mut self, path: &Path, kind: Kind) -> bool {
        path.ancestors().any(is_metadata) || self.ignored.matched(path, kind == Kind::Folder).is_ignore()
    }

    fn forget_ignored(&mut self) {
        if let Some(ignored) = walker(self.root.as_path()).build_matchers().pop() {
            self.ignored = ignored;
        }
    }

    /// Says something of the root, once.
    fn say(&self, text: String) {
        if self.shown.problem.borrow().as_deref() != Some(text.as_str()) {
            tracing::warn!(root = %self.root, text, "files are not all followed");
            self.shown.problem.send_replace(Some(text.into()));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

/// What a heap of changes comes to.
#[derive(Default)]
struct Batch {
    /// Forgotten first, then the found are taken.
    gone: Vec<PathBuf>,
    found: Vec<Index>,
    /// What subscribers are told.
    changed: Vec<PathBuf>,
    /// The folder that was read last; what lies below it follows it in their order.
    read: Option<PathBuf>,
}

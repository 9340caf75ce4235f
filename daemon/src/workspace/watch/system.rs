//! The system's watches of folders: one watcher with one thread for all roots, which begins with the first folder and ends with the last.
//! Each root has its own heap of paths that changed. It decides nothing about them.

use crate::path::AbsPath;
use crate::workspace::index::scan::is_metadata;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode};
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Notify;

/// Folders that are watched at most, of all roots together. The kernel's queue holds 16,384 events unless told otherwise, and reading a
/// folder makes two of them: so what we read ourselves never makes it overflow.
pub const WATCHES: usize = 8_192;

/// Changed paths that a root's heap holds. More are one rescan.
pub const PATHS: usize = 16_384;

/// Why a folder is not watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// As many as we take are watched.
    #[error("there are more folders than the {0} that are watched at most")]
    Full(usize),
    /// The system gives no more watches.
    #[error("the system gives no more watches; raise fs.inotify.max_user_watches")]
    NoWatches,
    /// The system gives no watcher.
    #[error("the system gives no watcher; raise fs.inotify.max_user_instances")]
    NoWatcher,
    /// It is gone, or may not be read.
    #[error("the folder is gone, or may not be read")]
    NoFolder,
}

/// The way to the system's watches. Clones share it; it takes nothing until a folder is watched.
#[derive(Clone)]
pub struct Watcher {
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    folders: Mutex<Folders>,
    // Apart from the folders: the watcher's thread takes it, and who holds the folders may be waiting for that thread.
    roots: Arc<RwLock<Vec<Root>>>,
}

#[derive(Default)]
struct Folders {
    notify: Option<RecommendedWatcher>,
    /// Each watched folder, and how many roots watch it.
    watched: HashMap<Arc<Path>, usize>,
}

#[derive(Clone)]
struct Root {
    path: PathBuf,
    heap: Arc<Heap>,
}

impl Watcher {
    /// One that watches so many folders at most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared { limit, folders: Mutex::default(), roots: Arc::default() }) }
    }

    /// Begins with a root, of which nothing is watched yet.
    pub(super) fn open(&self, root: &AbsPath) -> Watch {
        let heap = Arc::new(Heap::default());
        let path = root.as_path().to_owned();
        self.shared.roots().push(Root { path: path.clone(), heap: heap.clone() });
        Watch { shared: self.shared.clone(), root: path, heap, watched: HashSet::new() }
    }

    /// While it is held, nothing reads the kernel's queue.
    #[cfg(test)]
    pub(super) fn deafen(&self) -> impl Drop {
        self.shared.roots()
    }

    /// How many folders are watched.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.folders().watched.len()
    }
}

impl Default for Watcher {
    fn default() -> Self {
        Self::new(WATCHES)
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("limit", &self.shared.limit).finish_non_exhaustive()
    }
}

impl Shared {
    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roots(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Root>> {
        self.roots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watched folders of one root. Dropped, they are watched no more. Its methods wait for the system.
pub(super) struct Watch {
    shared: Arc<Shared>,
    root: PathBuf,
    heap: Arc<Heap>,
    watched: HashSet<Arc<Path>>,
}

impl Watch {
    /// What changed.
    pub(super) fn heap(&self) -> &Arc<Heap> {
        &self.heap
    }

    /// Whether a folder is watched. Paths are from the root.
    pub(super) fn holds(&self, folder: &Path) -> bool {
        self.watched.contains(self.root.join(folder).as_path())
    }

    /// How many folders of this root there is room for.
    pub(super) fn room(&self) -> usize {
        (self.shared.limit + self.watched.len()).saturating_sub(self.shared.folders().watched.len())
    }

    /// Folders that are watched at most, of all roots together.
    pub(super) fn limit(&self) -> usize {
        self.shared.limit
    }

    /// Folders of this root.
    pub(super) fn len(&self) -> usize {
        self.watched.len()
    }

    /// Watches a folder, without those in it; once more, if it may be another one of the same name.
    ///
    /// # Errors
    /// When it cannot be watched.
    pub(super) fn add(&mut self, folder: &Path) -> Result<(), WatchError> {
        let path: Arc<Path> = self.root.join(folder).into();
        let mut folders = self.shared.folders();
        if !folders.watched.contains_key(&path) && folders.watched.len() >= self.shared.limit {
            return Err(WatchError::Full(self.shared.limit));
        }
        let notify = match &mut folders.notify {
            Some(notify) => notify,
            empty => empty.insert(start(self.shared.roots.clone())?),
        };
        notify::Watcher::watch(notify, &path, RecursiveMode::NonRecursive).map_err(|error| match error.kind {
            notify::ErrorKind::MaxFilesWatch => WatchError::NoWatches,
            _ => WatchError::NoFolder,
        })?;
        if self.watched.insert(path.clone()) {
            *folders.watched.entry(path).or_default() += 1;
        }
        Ok(())
    }

    /// Leaves every folder that is not to be kept.
    pub(super) fn keep(&mut self, keep: impl Fn(&Path) -> bool) {
        let gone: Vec<Arc<Path>> =
            self.watched.iter().filter(|path| !path.strip_prefix(&self.root).is_ok_and(&keep)).cloned().collect();
        let mut folders = self.shared.folders();
        for path in gone {
            self.watched.remove(&path);
            folders.leave(&path);
        }
    }

    /// A folder is gone, with all that was in it: the system watches them no more.
    pub(super) fn forget(&mut self, folder: &Path) {
        // Most paths that are gone were files.
        if self.holds(folder) {
            self.keep(|known| !known.starts_with(folder));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let heap = Arc::as_ptr(&self.heap);
        self.shared.roots().retain(|root| Arc::as_ptr(&root.heap) != heap);
        let mut folders = self.shared.folders();
        let alone = folders.watched.len() == self.watched.len();
        if alone {
            // Its thread ends with it.
            *folders = Folders::default();
        } else {
            self.watched.iter().for_each(|path| folders.leave(path));
        }
    }
}

impl Folders {
    fn leave(&mut self, path: &Arc<Path>) {
        let Some(roots) = self.watched.get_mut(path) else { return };
        *roots -= 1;
        if *roots > 0 {
            return;
        }
        self.watched.remove(path);
        if let Some(notify) = &mut self.notify {
            // One that is gone is watched no more already.
            let _ = notify::Watcher::unwatch(notify, path);
        }
    }
}

fn start(roots: Arc<RwLock<Vec<Root>>>) -> Result<RecommendedWatcher, WatchError> {
    let take = move |event: notify::Result<Event>| {
        let roots = roots.read().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) => roots.iter().for_each(|root| root.take(&event)),
            Err(error) => {
                tracing::warn!(%error, "the watcher lost something");
                roots.iter().for_each(|root| root.heap.lose());
            }
        }
    };
    notify::Watcher::new(take, Config::default()).map_err(|error| {
        tracing::warn!(%error, "no watcher");
        WatchError::NoWatcher
    })
}

impl Root {
    /// Runs in the watcher's thread, for each event of the system.
    fn take(&self, event: &Event) {
        if event.need_rescan() {
            self.heap.lose();
            return;
        }
        let sort = match event.kind {
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => Sort::Place,
            EventKind::Modify(_) | EventKind::Access(AccessKind::Close(AccessMode::Write)) => Sort::Content,
            // That somebody reads, ourselves included, changes nothing. The others no system sends today.
            EventKind::Access(_) | EventKind::Any | EventKind::Other => return,
        };
        for path in &event.paths {
            if let Ok(path) = path.strip_prefix(&self.path)
                && !path
                    .components()
                    .any(|part| matches!(part, Component::Normal(name) if is_metadata(Path::new(name))))
            {
                self.heap.put(path, sort);
            }
        }
    }
}

/// What of a path changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// What is in it, or its times.
    Content,
    /// It came, or went.
    Place,
}

/// Paths from the root that changed since the last look.
#[derive(Debug, Default)]
pub(super) struct Heap {
    held: Mutex<Held>,
    /// Told when the first one comes.
    pub(super) filled: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) paths: HashMap<Box<Path>, Sort>,
    /// Something is missing, so all has to be looked at.
    pub(super) lost: bool,
    /// What came in all, to see whether anything still does.
    count: u64,
}

impl Heap {
    /// Takes everything out.
    pub(super) fn empty(&self) -> Held {
        let mut held = self.held();
        let count = held.count;
        std::mem::replace(&mut *held, Held { count, ..Held::default() })
    }

    /// How much came so far, and whether something is missing.
    pub(super) fn state(&self) -> (u64, bool) {
        let held = self.held();
        (held.count, held.lost)
    }

    pub(super) fn lose(&self) {
        let mut held = self.held();
        held.paths = HashMap::new();
        held.lost = true;
        self.tell(held);
    }

    fn put(&self, path: &Path, sort: Sort) {
        let mut held = self.held();
        if !held.lost {
            match held.paths.get_mut(path) {
                Some(known) => *known = sort.max(*known),
                None => drop(held.paths.insert(path.into(), sort)),
            }
            if held.paths.len() > PATHS {
                held.paths = HashMap::new();
                held.lost = true;
            }
        }
        self.tell(held);
    }

    fn tell(&self, mut held: MutexGuard<'_, Held>) {
        held.count += 1;
        drop(held);
        self.filled.notify_one();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

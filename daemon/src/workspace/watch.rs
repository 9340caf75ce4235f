//! What happens to the files of one root: its index, kept equal to the disk by watching it, and who is told of changes. A task of its own, so
//! it never waits behind what the workspace writes. Nothing is read, watched or held before somebody asks, and it is let go when nobody has
//! for a while.

use crate::path::{AbsPath, RootedPath};
use crate::workspace::index::Index;
use keep::{Extent, Keeper, Shown};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use system::Heap;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

mod keep;
mod system;

pub use system::{PATHS, WATCHES, WatchError, Watcher};

/// Requests that wait at most, before those who ask do.
const MAILBOX: usize = 64;

/// Changes that a subscriber may be behind; then it is told to look at everything.
const BEHIND: usize = 16;

/// Changes are told together until nothing came for so long,
const QUIET: Duration = Duration::from_millis(40);
/// and at most for so long; nor are they told more often.
const BURST: Duration = Duration::from_millis(200);

/// When events were lost, all is read once nothing came for so long,
const CALM: Duration = Duration::from_millis(200);
/// and after so long at the latest.
const STORM: Duration = Duration::from_secs(10);

/// Open and touched files of which is known. Of more, those that came first.
const TOUCHED: usize = 4_096;

/// What nobody used for so long is let go.
const UNUSED: Duration = Duration::from_secs(5 * 60);

/// Where not all is watched, a search is answered from what was read so long ago at most; an older answer begins a new reading.
const STALE: Duration = Duration::from_secs(5);

type SharedIndex = Arc<RwLock<Index>>;

/// The way to the files of a root. Clones share it; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Files {
    root: AbsPath,
    shared: Arc<Shared>,
    mailbox: mpsc::Sender<Ask>,
}

/// Something happened to files of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What came, changed or went, in order and each once. One that is a folder, or was one, stands for all below it. Of files that git
    /// ignores only those that were named by [`Files::also`].
    pub paths: Arc<[RootedPath]>,
    /// Anything may have changed, so all that matters has to be looked at; `paths` names nothing then.
    pub rescan: bool,
}

/// Changes as they come. One who is slow to take them is told to look at everything.
#[derive(Debug)]
pub struct ChangesReceiver(broadcast::Receiver<Changes>);

#[derive(Debug)]
struct Shared {
    shown: Shown,
    changes: broadcast::Sender<Changes>,
    /// Somebody wants to be told.
    subscribed: Notify,
    used: Mutex<Instant>,
}

#[derive(Debug)]
enum Ask {
    /// The index is wanted, and not there. Answered when it is, or cannot be.
    Index(oneshot::Sender<()>),
    /// An answer was given from the index.
    Answered,
    Rescan(oneshot::Sender<()>),
    Also(PathBuf),
}

impl Files {
    /// The files of a folder. Needs to be called inside a runtime. Reads nothing yet.
    #[must_use]
    pub fn open(root: AbsPath, watcher: &Watcher) -> Self {
        let (mailbox, asks) = mpsc::channel(MAILBOX);
        let shown = Shown { index: Arc::new(watch::Sender::new(None)), problem: Arc::new(watch::Sender::new(None)) };
        let shared = Arc::new(Shared {
            shown,
            changes: broadcast::Sender::new(BEHIND),
            subscribed: Notify::new(),
            used: Mutex::new(Instant::now()),
        });
        let task = Task {
            root: root.clone(),
            watcher: watcher.clone(),
            shared: shared.clone(),
            live: None,
            window: None,
            touched: HashSet::new(),
        };
        // The task ends when the last handle is dropped, which is when nobody can wait for it any more.
        tokio::spawn(task.run(asks));
        Self { root, shared, mailbox }
    }

    /// Files that fit a query, as [`Index::search`] tells; the first search reads the folder.
    pub async fn search(&self, query: &str, limit: usize) -> Vec<RootedPath> {
        let Some(index) = self.index().await else { return Vec::new() };
        let (query, root) = (query.to_owned(), self.root.clone());
        let search = move || {
            let found = index.read().unwrap_or_else(PoisonError::into_inner).search(&query, limit);
            found.iter().filter_map(|path| rooted(&root, path)).collect()
        };
        let found = tokio::task::spawn_blocking(search).await;
        // One that is full looks at the same soon.
        let _ = self.mailbox.try_send(Ask::Answered);
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "a search panicked");
            Vec::new()
        })
    }

    /// What happens from now on. From the first call the folder is watched, until nobody listens any more and nobody asks. As soon as it
    /// is, everybody is told to look at everything.
    #[must_use]
    pub fn changes(&self) -> ChangesReceiver {
        let receiver = self.shared.changes.subscribe();
        self.shared.subscribed.notify_one();
        ChangesReceiver(receiver)
    }

    /// Waits until what happened before is in the index and told. Where not all is watched all is read, so this belongs to the start of a
    /// turn and the end of a command. Does nothing where nobody has asked for anything yet.
    pub async fn rescan(&self) {
        let (answer, done) = oneshot::channel();
        if self.mailbox.send(Ask::Rescan(answer)).await.is_ok() {
            let _ = done.await;
        }
    }

    /// A file is open, or a session touched it: changes to it are told even where not all is watched, and if git ignores it.
    pub async fn also(&self, path: &RootedPath) {
        self.shared.is_used();
        let _ = self.mailbox.send(Ask::Also(path.as_path().to_owned())).await;
    }

    /// What people should know: why not all is watched, or not all is found. `None` when all is well.
    #[must_use]
    pub fn problem(&self) -> Option<Arc<str>> {
        self.shared.shown.problem.borrow().clone()
    }

    /// The index, read now if it is not there. `None` only when the task is gone.
    async fn index(&self) -> Option<SharedIndex> {
        self.shared.is_used();
        if let Some(index) = &*self.shared.shown.index.borrow() {
            return Some(index.clone());
        }
        let mut index = self.shared.shown.index.subscribe();
        let (answer, done) = oneshot::channel();
        self.mailbox.send(Ask::Index(answer)).await.ok()?;
        tokio::select! {
            // It is there before all is watched.
            index = index.wait_for(Option::is_some) => index.ok()?.clone(),
            _ = done => self.shared.shown.index.borrow().clone(),
        }
    }
}

impl ChangesReceiver {
    /// The next changes; `None` when the workspace is closed.
    pub async fn next(&mut self) -> Option<Changes> {
        match self.0.recv().await {
            Ok(changes) => Some(changes),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // What is still there is older than the look that comes now.
                self.0 = self.0.resubscribe();
                Some(Changes { paths: [].into(), rescan: true })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Shared {
    fn is_used(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn unused_at(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) + UNUSED
    }
}

/// A path from the root, of any bytes.
fn rooted(root: &AbsPath, path: &Path) -> Option<RootedPath> {
    RootedPath::below(root, &AbsPath::new(root.as_path().join(path)).ok()?)
}

/// The owner of what is known of a root.
struct Task {
    root: AbsPath,
    watcher: Watcher,
    shared: Arc<Shared>,
    live: Option<Live>,
    /// Changes that are being gathered.
    window: Option<Window>,
    /// Open and touched files.
    touched: HashSet<PathBuf>,
}

/// What is there while somebody uses it.
struct Live {
    heap: Arc<Heap>,
    /// Not here while it works.
    keeper: Option<Box<Keeper>>,
    /// When all was read.
    read: Instant,
    /// When changes were told.
    told: Option<Instant>,
}

/// A burst of changes.
struct Window {
    opened: Instant,
    /// What had come at the last look.
    seen: u64,
    /// The next look.
    next: Instant,
    quiet: Duration,
}

impl Task {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let shared = self.shared.clone();
        loop {
            let heap = self.live.as_ref().filter(|_| self.window.is_none()).map(|live| live.heap.clone());
            let filled = async {
                match &heap {
                    Some(heap) => heap.filled.notified().await,
                    None => std::future::pending().await,
                }
            };
            let next = self.window.as_ref().map(|window| window.next);
            let unused = self.live.is_some().then(|| self.shared.unused_at());
            tokio::select! {
                // Who subscribes and then asks is answered when all is watched.
                biased;
                () = shared.subscribed.notified() => self.begin_telling().await,
                () = at(next) => self.look().await,
                () = filled => self.open_window(),
                ask = asks.recv() => match ask {
                    Some(ask) => self.answer(ask).await,
                    None => break,
                },
                () = at(unused) => self.let_go().await,
            }
        }
        self.end().await;
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Index(answer) => {
                if self.live.is_none() {
                    self.go_live().await;
                } else if self.shared.shown.index.borrow().is_none() {
                    self.read_all().await;
                }
                let _ = answer.send(());
            }
            Ask::Answered => {
                let stale = self.live.as_ref().is_some_and(|live| live.is_partly() && live.read.elapsed() >= STALE);
                if stale {
                    self.read_all().await;
                }
            }
            Ask::Rescan(answer) => {
                match &self.live {
                    Some(live) if live.is_partly() => {
                        self.tell().await;
                        self.read_all().await;
                        let _ = self.shared.changes.send(Changes { paths: [].into(), rescan: true });
                    }
                    Some(_) => self.tell().await,
                    None => {}
                }
                let _ = answer.send(());
            }
            Ask::Also(path) => {
                self.go_live().await;
                if self.touched.len() < TOUCHED && self.touched.insert(path.clone()) {
                    self.work(|keeper| keeper.touch(path)).await;
                }
            }
        }
    }

    async fn begin_telling(&mut self) {
        self.go_live().await;
        // What happened before all was watched was told to nobody.
        let _ = self.shared.changes.send(Changes { paths: [].into(), rescan: true });
    }

    async fn go_live(&mut self) {
        if self.live.is_some() {
            return;
        }
        self.shared.is_used();
        let Some(keeper) =
            Keeper::new(self.root.clone(), &self.watcher, self.touched.clone(), self.shared.shown.clone())
        else {
            return;
        };
        let heap = keeper.watch.heap().clone();
        self.live = Some(Live { heap, keeper: Some(Box::new(keeper)), read: Instant::now(), told: None });
        self.read_all().await;
    }

    async fn read_all(&mut self) {
        self.work(Keeper::read_all).await;
        if let Some(live) = &mut self.live {
            live.read = Instant::now();
        }
    }

    fn open_window(&mut self) {
        let Some(live) = &self.live else { return };
        let now = Instant::now();
        let (seen, _) = live.heap.state();
        let next = live.told.map_or(now, |told| told + BURST).max(now + QUIET);
        self.window = Some(Window { opened: now, seen, next, quiet: QUIET });
    }

    /// Tells what was gathered, unless more is still coming.
    async fn look(&mut self) {
        let (Some(live), Some(window)) = (&self.live, &mut self.window) else { return };
        let (count, lost) = live.heap.state();
        let (quiet, longest) = if lost { (CALM, STORM) } else { (QUIET, BURST) };
        let now = Instant::now();
        let is_quiet = count == window.seen && window.quiet >= quiet;
        if is_quiet || now >= window.opened + longest {
            self.tell().await;
        } else {
            *window =
                Window { opened: window.opened, seen: count, next: (now + quiet).min(window.opened + longest), quiet };
        }
    }

    async fn tell(&mut self) {
        self.window = None;
        let Some(live) = &self.live else { return };
        let held = live.heap.empty();
        if held.paths.is_empty() && !held.lost {
            return;
        }
        let changes = self.work(|keeper| keeper.take(held)).await;
        if let Some(live) = &mut self.live {
            live.told = Some(Instant::now());
        }
        if let Some(changes) = changes.filter(|changes| changes.rescan || !changes.paths.is_empty()) {
            // Nobody has to listen.
            let _ = self.shared.changes.send(changes);
        }
    }

    /// Lets go of the index, and of the watches unless somebody listens.
    async fn let_go(&mut self) {
        self.shared.shown.index.send_replace(None);
        if self.shared.changes.receiver_count() == 0 {
            self.end().await;
        } else {
            // It is asked again after the same time.
            self.shared.is_used();
        }
    }

    async fn end(&mut self) {
        self.window = None;
        if let Some(live) = self.live.take() {
            // Watches are left one by one.
            let _ = tokio::task::spawn_blocking(move || drop(live)).await;
        }
    }

    /// Lets the keeper work where it may wait for the disk. `None` when it is not there, or panicked: then all begins anew when it is asked
    /// for.
    async fn work<T: Send + 'static>(&mut self, work: impl FnOnce(&mut Keeper) -> T + Send + 'static) -> Option<T> {
        let mut keeper = self.live.as_mut()?.keeper.take()?;
        let job = move || {
            let done = work(&mut keeper);
            (keeper, done)
        };
        match tokio::task::spawn_blocking(job).await {
            Ok((keeper, done)) => {
                self.live.as_mut()?.keeper = Some(keeper);
                Some(done)
            }
            Err(error) => {
                tracing::error!(%error, root = %self.root, "following files panicked");
                self.live = None;
                self.window = None;
                self.shared.shown.index.send_replace(None);
                None
            }
        }
    }
}

impl Live {
    /// Something may happen that is not told: not all is watched, or the root itself was not there.
    fn is_partly(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.extent != Extent::Whole || keeper.watch.len() == 0)
    }
}

/// Waits for a time, if there is one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

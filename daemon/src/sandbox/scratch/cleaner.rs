//! Removes folders on a thread of its own, so that nobody who ends a run waits for a disk: on a busy machine even a small folder can
//! take some milliseconds.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::sandbox::scratch::tree;

/// How many folders may wait. What does not fit is removed by whoever brings it.
const WAITING: usize = 64;

/// What is to be done with a folder that `lock` makes ours.
pub(super) enum Job {
    /// Remove it.
    Remove { path: PathBuf, lock: File },
    /// Remove all but the folders that are kept, and these too when they are too much.
    Settle { path: PathBuf, lock: File, is_kept: Box<dyn Fn(&Path) -> bool + Send>, most: u64 },
}

/// Does it. Dropped, it waits until all is done.
#[derive(Debug)]
pub(super) struct Cleaner {
    /// None when the system gave no thread: then whoever brings a job does it.
    thread: Option<(SyncSender<Job>, JoinHandle<()>)>,
}

impl Cleaner {
    /// Starts the thread, which is there as long as this is: what a daemon holds is the same before and after its commands.
    pub(super) fn start() -> Self {
        let (sender, jobs) = sync_channel::<Job>(WAITING);
        let work = move || jobs.into_iter().for_each(Job::do_it);
        let handle = std::thread::Builder::new().name("scratch".to_owned()).spawn(work);
        Self { thread: handle.ok().map(|handle| (sender, handle)) }
    }

    /// Has a job done, soon.
    pub(super) fn take(&self, job: Job) {
        match self.thread.as_ref().map(|(sender, _)| sender) {
            Some(sender) => match sender.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job.do_it(),
            },
            None => job.do_it(),
        }
    }
}

impl Drop for Cleaner {
    fn drop(&mut self) {
        if let Some((sender, handle)) = self.thread.take() {
            drop(sender);
            // A thread that panicked has left something for the next sweep.
            let _ = handle.join();
        }
    }
}

impl Job {
    fn do_it(self) {
        // What cannot be removed now is found by the next sweep.
        match self {
            Job::Remove { path, lock } => {
                let _ = tree::remove(&path);
                drop(lock);
            }
            Job::Settle { path, lock, is_kept, most } => {
                if !matches!(settle(&path, &*is_kept), Ok(bytes) if bytes <= most) {
                    let _ = tree::remove(&path);
                }
                drop(lock);
            }
        }
    }
}

/// Leaves in every upper folder below `path` only what is kept; returns how much that is.
fn settle(path: &Path, is_kept: &dyn Fn(&Path) -> bool) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("upper") {
            bytes += tree::keep_only(&entry.path(), is_kept)?;
        } else {
            tree::remove(&entry.path())?;
        }
    }
    Ok(bytes)
}

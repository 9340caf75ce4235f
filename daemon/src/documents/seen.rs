//! What editors show beside texts: where the person looks, and the problems that language servers report there. The latest word of each
//! client counts, and goes with it.

use super::Documents;
use crate::path::AbsPath;
use pilotfish_protocol::{ConnectionId, Diagnostic, Range};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Where the person looks, in one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// The file.
    pub path: AbsPath,
    /// What is selected, up to the cursor; empty where nothing is.
    pub selection: Option<Range>,
    /// What is on the screen.
    pub visible: Option<Range>,
}

/// The problems of files, those that have any.
pub type Diagnostics = BTreeMap<AbsPath, Arc<[Diagnostic]>>;

/// Open files, with the versions they have in clients that report problems.
pub type Versions = BTreeMap<AbsPath, Vec<(ConnectionId, i32)>>;

/// The part of the table.
#[derive(Default)]
pub(super) struct Seen {
    looking: HashMap<ConnectionId, (u64, Looking)>,
    reporters: HashSet<ConnectionId>,
    reports: HashMap<(ConnectionId, AbsPath), Report>,
    reported: Arc<Notify>,
}

struct Report {
    at: u64,
    version: Option<i32>,
    diagnostics: Arc<[Diagnostic]>,
}

impl Seen {
    pub(super) fn leave(&mut self, client: &ConnectionId) {
        self.looking.remove(client);
        self.reporters.remove(client);
        self.reports.retain(|(reporter, _), _| reporter != client);
        // Whoever waits for this client need not.
        self.reported.notify_waiters();
    }
}

impl Documents {
    /// The person looks at a file in a client, and so means its text where several have the file open.
    pub fn look_at(&self, client: &ConnectionId, looking: Looking) {
        let mut table = self.lock();
        table.uses += 1;
        let used = table.uses;
        let buffers = table.files.get_mut(&looking.path).into_iter().flatten();
        buffers.filter(|buffer| buffer.client == *client).for_each(|buffer| buffer.used = used);
        table.seen.looking.insert(client.clone(), (used, looking));
    }

    /// Where below a root the person looked last, in any client.
    #[must_use]
    pub fn looking(&self, root: &AbsPath) -> Option<Looking> {
        let table = self.lock();
        let below =
            table.seen.looking.values().filter(|(_, looking)| looking.path.as_path().starts_with(root.as_path()));
        below.max_by_key(|(used, _)| *used).map(|(_, looking)| looking.clone())
    }

    /// A client says that it will report problems.
    pub fn will_report(&self, client: &ConnectionId) {
        self.lock().seen.reporters.insert(client.clone());
    }

    /// The problems that a client shows in a file, all of them, in its text of a version where it knows that.
    pub fn report(&self, client: &ConnectionId, path: &AbsPath, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
        let mut table = self.lock();
        table.uses += 1;
        let report = Report { at: table.uses, version, diagnostics: diagnostics.into() };
        table.seen.reports.insert((client.clone(), path.clone()), report);
        table.seen.reported.notify_waiters();
    }

    /// The problems of the files below a root, of each file those that were reported last.
    #[must_use]
    pub fn diagnostics(&self, root: &AbsPath) -> Diagnostics {
        let table = self.lock();
        let mut latest: BTreeMap<&AbsPath, &Report> = BTreeMap::new();
        for ((_, path), report) in &table.seen.reports {
            if path.as_path().starts_with(root.as_path()) {
                let known = latest.entry(path).or_insert(report);
                if known.at < report.at {
                    *known = report;
                }
            }
        }
        let with_some = latest.into_iter().filter(|(_, report)| !report.diagnostics.is_empty());
        with_some.map(|(path, report)| (path.clone(), report.diagnostics.clone())).collect()
    }

    /// The open files below a root in clients that report problems.
    #[must_use]
    pub fn watched(&self, root: &AbsPath) -> Versions {
        let table = self.lock();
        let below = table.files.iter().filter(|(path, _)| path.as_path().starts_with(root.as_path()));
        let of_reporters = below.map(|(path, buffers)| {
            let buffers = buffers.iter().filter(|buffer| table.seen.reporters.contains(&buffer.client));
            (path.clone(), buffers.map(|buffer| (buffer.client.clone(), buffer.version)).collect())
        });
        of_reporters.filter(|(_, versions): &(_, Vec<_>)| !versions.is_empty()).collect()
    }

    /// A moment, to ask afterwards for what was reported since.
    #[must_use]
    pub fn moment(&self) -> u64 {
        self.lock().uses
    }

    /// Waits until each of these files has problems reported after a moment by one of these clients, for no older text than this, or nobody
    /// will report them any more; at most so long.
    pub async fn reported(&self, files: &Versions, since: u64, limit: Duration) {
        let until = Instant::now() + limit;
        loop {
            let reported = self.lock().seen.reported.clone();
            let next = reported.notified();
            tokio::pin!(next);
            // Listened to before it is looked at, so that nothing comes in between.
            next.as_mut().enable();
            if self.is_reported(files, since) || tokio::time::timeout_at(until, next).await.is_err() {
                return;
            }
        }
    }

    fn is_reported(&self, files: &Versions, since: u64) -> bool {
        let table = self.lock();
        let is_over = |path: &AbsPath, client: &ConnectionId, version: i32| {
            let report = table.seen.reports.get(&(client.clone(), path.clone()));
            let is_new =
                report.is_some_and(|report| report.at > since && report.version.is_none_or(|of| of >= version));
            is_new || !table.seen.reporters.contains(client)
        };
        files.iter().all(|(path, clients)| clients.iter().any(|(client, version)| is_over(path, client, *version)))
    }
}

#[cfg(test)]
mod tests;

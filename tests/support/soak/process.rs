//! What the kernel says of the daemon's process. It looks, and it kills; nothing else.

use crate::desk::signal;
use anyhow::Context;
use pilotfish::config::Home;
use pilotfish::door::socket::address;
use std::path::PathBuf;
use std::time::Duration;

/// How long threads without work and connections without a use may stay.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether they are gone.
const PACE: Duration = Duration::from_millis(20);

/// A process that runs.
#[derive(Debug, Clone, Copy)]
pub struct Process(i32);

/// What a process holds beside memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Open files and sockets.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Processes it started that still run.
    pub children: usize,
}

/// What the daemon may have at most, and still counts as idle.
const MOST_THREADS: usize = 8;

impl Held {
    /// Whether it is no more in any respect. Threads that wait for file systems come and go; there are never more than a few.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.descriptors <= other.descriptors
            && self.threads <= other.threads.max(MOST_THREADS)
            && self.children <= other.children
    }
}

impl Process {
    /// The daemon that listens on the socket of a home.
    ///
    /// # Errors
    /// When none does.
    pub async fn listening(home: &Home) -> anyhow::Result<Self> {
        let stream = tokio::net::UnixStream::connect(address(home)).await?;
        Ok(Self(stream.peer_cred()?.pid().context("the system does not say who listens")?))
    }

    /// This one.
    ///
    /// # Errors
    /// When its number is beyond what the system uses.
    pub fn own() -> anyhow::Result<Self> {
        Ok(Self(i32::try_from(std::process::id())?))
    }

    /// Ends it as a crash does.
    pub fn kill(self) {
        signal(self.0, libc::SIGKILL);
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident(self) -> anyhow::Result<u64> {
        self.status("VmRSS")
    }

    /// The most resident memory since [`forget_peak`](Self::forget_peak), in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak(self) -> anyhow::Result<u64> {
        self.status("VmHWM")
    }

    /// The peak is counted from now on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn forget_peak(self) -> anyhow::Result<()> {
        Ok(std::fs::write(self.proc("clear_refs"), "5")?)
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it has ended.
    pub fn held(self) -> anyhow::Result<Held> {
        let count = |name: &str| anyhow::Ok(std::fs::read_dir(self.proc(name))?.flatten().count());
        let mut children = 0;
        for thread in std::fs::read_dir(self.proc("task"))?.flatten() {
            // A thread may end while we look; its children are another's then.
            let said = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            children += said.split_whitespace().count();
        }
        Ok(Held { descriptors: count("fd")?, threads: count("task")?, children })
    }

    /// What it holds as soon as that is no more than `expected` in any respect, or else at last.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn settled(self, expected: Held) -> anyhow::Result<Held> {
        let mut look = tokio::time::interval(PACE);
        let settled = async {
            loop {
                look.tick().await;
                let held = self.held()?;
                if held.is_within(expected) {
                    return anyhow::Ok(held);
                }
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap_or_else(|_| self.held())
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(self.proc("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).context("no such line")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes << 10)
    }

    fn proc(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }
}

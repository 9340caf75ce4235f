//! The moment a command starts, on the clock that file systems stamp with. Never the clock of the program: the kernel's coarse one
//! runs behind it.

use crate::workspace::temporary::next_number;
use rustix::fs::{Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW};
use std::path::Path;
use std::time::Duration;

/// Ticks waited for at most. The clock ticks every 1 to 10 ms.
const TICKS: usize = 200;

/// A moment such that whatever happened to a file before it has an earlier ctime, and whatever happens after it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    /// Takes the moment that begins now; waits for the next tick of the clock, some milliseconds. `scratch` is a directory of ours.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn take(scratch: &Path) -> std::io::Result<Self> {
        let path = scratch.join(format!(".stamp-{}", next_number()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600))?;
        let tick = || -> std::io::Result<Self> {
            rustix::fs::futimens(&file, &now())?;
            Ok(Self::changed(&rustix::fs::fstat(&file)?))
        };
        let stamp = tick().and_then(|first| {
            for _ in 0..TICKS {
                let next = tick()?;
                if next > first {
                    return Ok(next);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(first)
        });
        let _ = rustix::fs::unlink(&path);
        stamp
    }

    #[cfg(test)]
    pub(super) fn seconds_since(self, earlier: Self) -> i64 {
        self.seconds - earlier.seconds
    }

    /// When a file was last changed in any way, its name and permissions included: nobody can set this time back.
    pub(super) fn changed(stat: &Stat) -> Self {
        Self { seconds: stat.st_ctime, nanoseconds: i64::try_from(stat.st_ctime_nsec).unwrap_or(i64::MAX) }
    }

    /// Seconds and nanoseconds.
    pub(super) fn parts(self) -> (i64, i64) {
        (self.seconds, self.nanoseconds)
    }

    /// The moment of [`Stamp::parts`].
    pub(super) fn from_parts(seconds: i64, nanoseconds: i64) -> Self {
        Self { seconds, nanoseconds }
    }

    /// Whether something happened to the file since this moment.
    pub(super) fn is_older_than(self, stat: &Stat) -> bool {
        Self::changed(stat) >= self
    }
}

/// The times that mean this moment.
pub(super) fn now() -> Timestamps {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
}

//! File descriptors: taking over those that were handed in, waiting for them, closing all others, and the one line of complaint.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};

/// Takes over a descriptor that another program left open for this one.
///
/// # Errors
/// When there is none of that number.
#[expect(unsafe_code, reason = "a number from the command line becomes a descriptor")]
pub(crate) fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: nothing in this program has opened or owns a descriptor yet when this is called, so whatever is open under
    // the number was left there for us; the call below fails if there is nothing.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    match rustix::io::fcntl_getfd(&descriptor) {
        Ok(_) => Ok(descriptor),
        Err(error) => {
            std::mem::forget(descriptor);
            Err(error.into())
        }
    }
}

/// Closes every descriptor from 3 on, but for `kept`.
///
/// # Errors
/// When the system refuses.
pub(crate) fn close_all_but(kept: BorrowedFd<'_>) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let kept = kept.as_raw_fd().unsigned_abs();
    if kept > 3 {
        close_range(3, kept - 1, 0)?;
    }
    close_range((kept + 1).max(3), u32::MAX, 0)
}

/// Makes every descriptor from 3 on end with this program.
///
/// # Errors
/// When the system refuses.
pub(crate) fn close_all_at_exec() -> io::Result<()> {
    close_range(3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC)
}

#[expect(unsafe_code, reason = "rustix has no close_range")]
fn close_range(first: u32, last: u32, flags: u32) -> io::Result<()> {
    // SAFETY: the callers own none of these descriptors in a value that will be used again, or only mark them.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes the standard streams: only the command may hold its own, so that their readers see them end.
pub(crate) fn let_streams_go() {
    if let Ok(null) = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// Lets a descriptor stay open in the programs this one starts.
///
/// # Errors
/// When the system refuses.
pub(crate) fn keep_at_exec(descriptor: impl AsFd) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty())?)
}

/// Writes all bytes.
///
/// # Errors
/// When the other side is gone.
pub(crate) fn write_all(descriptor: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(&descriptor, bytes))? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = bytes.get(written..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// One line on standard error, in our name.
pub(crate) fn complain(line: &str) {
    // Nobody is left to tell when this fails.
    let _ = write_all(rustix::stdio::stderr(), format!("pilotfish-sandbox: {line}\n").as_bytes());
}

/// Makes this process, and those it starts, the first to be ended when memory is short: rather a command than an editor.
pub(crate) fn offer_to_be_killed() {
    // Where it cannot be said, nothing is lost but the order.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

/// Waits until one of them is readable or at its end.
pub(crate) fn wait_for_any(descriptors: &[BorrowedFd<'_>]) {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|descriptor| PollFd::new(descriptor, PollFlags::IN)).collect();
    // Any other failure ends the wait, and with it the command: that is the safe side.
    let _ = rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, None));
}

//! The init of our process namespace: prepares the mounts, has birdcage confine what is left, waits, and says how it ended.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use birdcage::process::{Child, Command};
use birdcage::{Birdcage, Exception, Sandbox};
use pilotfish::sandbox::wire::{Access, Report, Request};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags};

use crate::overlay::Lifted;
use crate::{Failure, REFUSED, command, descriptors, listener, mounts, namespaces};

/// How much a refusal may say, in bytes.
const MAX_WORDS: usize = 2000;

/// Runs the command of `request`, of which `copy` holds the bytes, over which `lifted` is put again, until it ends, or `channel`, or `outside`. A listener is handed
/// out over `channel`.
///
/// # Errors
/// When it cannot be confined.
pub(crate) fn run(
    request: &Request,
    copy: &OwnedFd,
    lifted: &Lifted,
    channel: BorrowedFd<'_>,
    outside: BorrowedFd<'_>,
) -> Result<Report, Failure> {
    namespaces::bring_loopback_up()?;
    descriptors::offer_to_be_killed();
    let program = rustix::fs::open("/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Failure::new("open our own program", error))?;
    let thrown = mounts::prepare(request, lifted)?;
    let words = redirect_words().map_err(|error| Failure::new("set the streams up", error))?;
    for kept in [&program, copy, &words.stderr] {
        descriptors::keep_at_exec(kept).map_err(|error| Failure::new("set the streams up", error))?;
    }
    let mut inner = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    inner.arg("command").arg(copy.as_raw_fd().to_string()).arg(words.stderr.as_raw_fd().to_string());
    let birdcage = birdcage(request, &thrown)?;
    if request.listen != 0 {
        listener::hand_out(request.listen, channel)?;
    }
    let child = birdcage
        .spawn(inner)
        .map_err(|error| Failure::by_machine("confine the command", io::Error::other(error.to_string())))?;
    drop(program);
    wait(child, &words, &[channel, outside])
}

/// The allow-list. The network is left to it because our network namespace has no way out.
fn birdcage(request: &Request, thrown: &[PathBuf]) -> Result<Birdcage, Failure> {
    let is_thrown = |path: &Path| path.canonicalize().is_ok_and(|path| thrown.contains(&path));
    let mut birdcage = Birdcage::new();
    let mut allow = |exception| birdcage.add_exception(exception).map(|_| ());
    // The environment is empty; birdcage would otherwise go through it.
    let _ = allow(Exception::FullEnvironment);
    let _ = allow(Exception::Networking);
    for grant in &request.grants {
        let path = || grant.path.clone();
        let allowed = match grant.access {
            Access::Read => allow(Exception::Read(path())),
            Access::Write => allow(Exception::WriteAndRead(path())),
            Access::ThrowAway if !is_thrown(&grant.path) => allow(Exception::ExecuteAndRead(path())),
            Access::Execute => allow(Exception::ExecuteAndRead(path())),
            Access::WriteExecute | Access::ThrowAway => {
                allow(Exception::WriteAndRead(path())).and_then(|()| allow(Exception::ExecuteAndRead(path())))
            }
        };
        // What is missing is not shown; without the workspace there is nothing to work in.
        if let Err(error) = allowed
            && request.workspace.starts_with(&grant.path)
        {
            return Err(Failure::new("open the workspace", io::Error::other(error.to_string())));
        }
    }
    Ok(birdcage)
}

/// Where the words of those before the command go, and the command's own standard error.
struct Words {
    spoken: OwnedFd,
    stderr: OwnedFd,
}

/// Makes standard error a pipe of ours until the command starts, so that what birdcage says becomes part of the refusal.
fn redirect_words() -> io::Result<Words> {
    let (spoken, speaking) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let stderr = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
    rustix::stdio::dup2_stderr(&speaking)?;
    Ok(Words { spoken, stderr })
}

fn wait(mut child: Child, words: &Words, lifelines: &[BorrowedFd<'_>]) -> Result<Report, Failure> {
    let failure = |error| Failure::new("wait for the command", error);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| failure(io::Error::other("no process")))?;
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|error| failure(error.into()))?;
    let mut watched = vec![ended.as_fd()];
    watched.extend(lifelines);
    descriptors::wait_for_any(&watched);
    if !is_over(&[ended.as_fd()]) {
        // A lifeline ended. This process is an init: its end is the end of all below.
        return Ok(Report::Signalled(libc::SIGKILL));
    }
    let status = child.wait().map_err(failure)?;
    let spoken = spoken(words);
    if !spoken.ends_with(command::STARTED) {
        let detail = spoken.trim().trim_start_matches("sandboxing failure: ").to_owned();
        let detail = if detail.is_empty() { "it ended without a word".to_owned() } else { detail };
        // Birdcage speaks of what the machine refused; the command's own role of what it was asked for.
        let by_machine = !spoken.starts_with("cannot ");
        return Err(Failure { by_machine, step: "confine the command".to_owned(), errno: 0, detail });
    }
    Ok(match (status.signal(), status.code()) {
        (Some(signal), _) => Report::Signalled(signal),
        (None, code) => Report::Exited(code.unwrap_or(i32::from(REFUSED))),
    })
}

fn spoken(words: &Words) -> String {
    let mut bytes = vec![0; MAX_WORDS];
    let read = rustix::io::retry_on_intr(|| rustix::io::read(&words.spoken, bytes.as_mut_slice())).unwrap_or(0);
    bytes.truncate(read);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether one of them is readable or at its end, without waiting.
pub(crate) fn is_over(descriptors: &[BorrowedFd<'_>]) -> bool {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|descriptor| PollFd::new(descriptor, PollFlags::IN)).collect();
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    !matches!(rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, Some(&now))), Ok(0))
}

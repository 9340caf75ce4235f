//! The outermost process: takes the request, makes the namespaces, starts their init, and sees to it that all end together.
//! It ends, and with it everything below, when the command ends, when the daemon's end of the channel closes, or when it is
//! killed itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::PathBuf;

use pilotfish::sandbox::wire::{Report, Request, Strength, body_length};
use rustix::fs::{MemfdFlags, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::overlay::Lifted;
use crate::{Failure, REFUSED, cage, descriptors, namespaces, weak};

/// Runs the command that the channel on standard input asks for, with `stdin` as its standard input. Returns the status to
/// end with.
pub(crate) fn run(stdin: Option<RawFd>) -> u8 {
    let channel = match take_channel(stdin) {
        Ok(channel) => channel,
        Err(error) => {
            descriptors::complain(&format!("cannot take over the descriptors: {error}"));
            return REFUSED;
        }
    };
    match start(&channel) {
        Ok(Started::Outside(init)) => watch(&channel, init),
        // This is the init of the new process namespace; all of it ends when it does.
        Ok(Started::Init(report)) => finish(&channel, &report),
        Ok(Started::Weak(folder, reaper)) => {
            let status = watch(&channel, reaper);
            weak::clean_up(&folder);
            status
        }
        Ok(Started::Command(status)) => status,
        Err(failure) => finish(&channel, &failure.into()),
    }
}

enum Started {
    Outside(Pid),
    Init(Report),
    /// Without namespaces: the private folder, and the process that ends all it started.
    Weak(PathBuf, Pid),
    /// What was to become the command, and could not.
    Command(u8),
}

fn start(channel: &OwnedFd) -> Result<Started, Failure> {
    let body = read_request(channel).map_err(|error| Failure::new("read what is to be run", error))?;
    let unreadable = |error| Failure::new("read what is to be run", io::Error::other(error));
    let request = Request::decode(&body).map_err(unreadable)?;
    if request.strength == Strength::Weak {
        return start_weak(channel, request);
    }
    let copy = remember(&body).map_err(|error| Failure::new("keep what is to be run", error))?;
    let lifted = Lifted::take(&request)?;
    namespaces::enter()?;
    let fork_failure = |error| Failure::new("start the init of the sandbox", error);
    let outside = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .map_err(|error| fork_failure(error.into()))?;
    match fork().map_err(fork_failure)? {
        Some(init) => Ok(Started::Outside(init)),
        None => {
            tie_to_parent(&outside)?;
            let ran = cage::run(&request, &copy, &lifted, channel.as_fd(), outside.as_fd());
            Ok(Started::Init(ran.unwrap_or_else(Report::from)))
        }
    }
}

/// The same without namespaces: whoever is left over is adopted by the reaper, and by us when that is gone.
fn start_weak(channel: &OwnedFd, request: Request) -> Result<Started, Failure> {
    let folder = weak::make_folder()?;
    let failure = |error| Failure::new("start the reaper of the sandbox", error);
    let outside = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .map_err(|error| failure(error.into()))?;
    weak::adopt_orphans()?;
    match fork().map_err(failure)? {
        Some(reaper) => Ok(Started::Weak(folder, reaper)),
        None => Ok(match weak::run(request, &folder, channel.as_fd(), outside.as_fd()) {
            Ok(weak::Ran::Reaper(report)) => Started::Init(report),
            Ok(weak::Ran::Command(status)) => Started::Command(status),
            Err(failure) => Started::Init(failure.into()),
        }),
    }
}

/// Moves the channel away from standard input, puts the command's input there, and closes what nobody handed to us.
fn take_channel(stdin: Option<RawFd>) -> io::Result<OwnedFd> {
    // In a session of its own it has no terminal, and no signal that is meant for the caller's group hits it.
    let _ = rustix::process::setsid();
    let input = match stdin {
        Some(number) => descriptors::adopt(number)?,
        None => rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?,
    };
    let channel = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    rustix::stdio::dup2_stdin(&input)?;
    drop(input);
    descriptors::close_all_but(channel.as_fd())?;
    Ok(channel)
}

fn read_request(channel: &OwnedFd) -> io::Result<Vec<u8>> {
    let mut header = [0; 4];
    read_exact(channel, &mut header)?;
    let mut body = vec![0; body_length(header).map_err(io::Error::other)?];
    read_exact(channel, &mut body)?;
    Ok(body)
}

fn read_exact(channel: &OwnedFd, mut place: &mut [u8]) -> io::Result<()> {
    while !place.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::read(channel, &mut *place))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => place = place.get_mut(read..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// A copy of the request for the program that is started inside, which cannot reach the channel.
fn remember(body: &[u8]) -> io::Result<OwnedFd> {
    let copy = rustix::fs::memfd_create("request", MemfdFlags::CLOEXEC)?;
    descriptors::write_all(&copy, body)?;
    Ok(copy)
}

/// A second process; in it there is none.
///
/// # Errors
/// When the system refuses.
#[expect(unsafe_code, reason = "a process namespace begins with a child that does not start another program")]
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: this program has one thread, so the child may do whatever the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        child => Ok(Pid::from_raw(child)),
    }
}

/// Makes this process die with its parent, whose process `parent` stands for.
///
/// # Errors
/// When the system refuses, or the parent is dead.
pub(crate) fn tie_to_parent(parent: &OwnedFd) -> Result<(), Failure> {
    let failure = |error| Failure::new("tie the sandbox to its caller", error);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| failure(error.into()))?;
    // It may have died before that took effect.
    if cage::is_over(&[parent.as_fd()]) { Err(failure(io::Error::other("the caller is gone"))) } else { Ok(()) }
}

/// Waits for the init; when the channel closes before, or anything more comes over it, kills the init.
fn watch(channel: &OwnedFd, init: Pid) -> u8 {
    descriptors::let_streams_go();
    let ended = rustix::process::pidfd_open(init, PidfdFlags::empty());
    let all_end = || rustix::process::kill_process(init, Signal::KILL);
    match &ended {
        Ok(ended) => {
            descriptors::wait_for_any(&[ended.as_fd(), channel.as_fd()]);
            // Already dead when it was the init that ended.
            let _ = all_end();
        }
        // Without it there is no waiting for both: the channel is what must not be missed.
        Err(_) => {
            let _ = all_end();
        }
    }
    // The kernel lets the init go only when everything in its process namespace is gone.
    match rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(init), WaitOptions::empty())) {
        Ok(Some((_, status))) => match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => u8::try_from(code).unwrap_or(REFUSED),
            (None, Some(signal)) => u8::try_from(128 + signal).unwrap_or(REFUSED),
            (None, None) => REFUSED,
        },
        Ok(None) | Err(_) => REFUSED,
    }
}

/// Tells the caller how it ended and chooses the status that says the same to a shell.
fn finish(channel: &OwnedFd, report: &Report) -> u8 {
    // A caller that is gone needs no report.
    let _ = descriptors::write_all(channel, &report.encode());
    match report {
        Report::Exited(code) => u8::try_from(code & 0xff).unwrap_or(REFUSED),
        Report::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(REFUSED),
        Report::Refused { .. } | Report::Listening => REFUSED,
    }
}

impl From<Failure> for Report {
    fn from(failure: Failure) -> Self {
        Report::Refused {
            by_machine: failure.by_machine,
            step: failure.step,
            errno: failure.errno,
            detail: failure.detail,
        }
    }
}

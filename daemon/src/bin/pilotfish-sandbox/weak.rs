//! Confinement without namespaces, where the machine refuses those: Landlock and system call filters. The command reads what is
//! granted, writes to one private folder, and has no network. What it leaves running is ended by number, since no process
//! namespace does it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use pilotfish::sandbox::scratch::tree;
use pilotfish::sandbox::wire::{Report, Request};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::{Failure, REFUSED, cage, command, descriptors, outside};

/// How much a refusal may say, in bytes.
const MAX_WORDS: usize = 2000;

/// How often what is left over is looked for. Each time all children are killed; only what makes new ones faster than that
/// outlives one.
const SWEEPS: usize = 1000;

/// Who comes back from a run.
pub(crate) enum Ran {
    /// The process that ended what the command left, with how that ended.
    Reaper(Report),
    /// The process that was to become the command, with the status to end with.
    Command(u8),
}

/// Makes the private folder.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_folder() -> Result<PathBuf, Failure> {
    let failure = |error| Failure::new("make a private folder", error);
    let make = |path: &Path| DirBuilder::new().mode(0o700).create(path);
    loop {
        let folder = PathBuf::from(format!("/tmp/pilotfish-{:016x}", fastrand::u64(..)));
        match make(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.and_then(|()| make(&folder.join("home"))).map(|()| folder).map_err(failure),
        }
    }
}

/// Makes this process the parent of what its descendants leave behind.
///
/// # Errors
/// When the system refuses.
pub(crate) fn adopt_orphans() -> Result<(), Failure> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| Failure::new("adopt what the command leaves behind", error))
}

/// Ends what is left over, and removes the private folder.
pub(crate) fn clean_up(folder: &Path) {
    end_children();
    // Nobody is left to tell; /tmp is swept by the system.
    let _ = tree::remove(folder);
}

/// Runs the command, with `folder` to write to, until it ends, or `channel`, or `outside`, and ends all it started.
///
/// # Errors
/// When it cannot be confined.
pub(crate) fn run(
    mut request: Request,
    folder: &Path,
    channel: BorrowedFd<'_>,
    outside: BorrowedFd<'_>,
) -> Result<Ran, Failure> {
    adopt_orphans()?;
    descriptors::offer_to_be_killed();
    for (name, value) in [
        ("HOME", folder.join("home")),
        ("TMPDIR", folder.to_owned()),
        ("CARGO_TARGET_DIR", folder.join("target")),
        ("GOCACHE", folder.join("go-build")),
    ] {
        request.env.push((name.into(), value.into()));
    }
    let failure = |error: io::Error| Failure::new("start the command", error);
    let ourselves = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .map_err(|error| failure(error.into()))?;
    let (words, speaking) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|error| failure(error.into()))?;
    match outside::fork().map_err(failure)? {
        None => {
            if outside::tie_to_parent(&ourselves).is_err() {
                return Ok(Ran::Command(REFUSED));
            }
            // In a session of its own: what it sends to its group reaches nobody else.
            let _ = rustix::process::setsid();
            Ok(Ran::Command(command::run_weak(&request, folder, &speaking)))
        }
        Some(command) => {
            drop(speaking);
            descriptors::let_streams_go();
            let ended = wait(command, &words, &[channel, outside]);
            end_children();
            if cage::is_over(&[outside]) {
                let _ = tree::remove(folder);
            }
            ended.map(Ran::Reaper)
        }
    }
}

fn wait(command: Pid, words: &OwnedFd, lifelines: &[BorrowedFd<'_>]) -> Result<Report, Failure> {
    let failure = |error: rustix::io::Errno| Failure::new("wait for the command", error);
    let ended = rustix::process::pidfd_open(command, PidfdFlags::empty()).map_err(failure)?;
    let mut watched = vec![ended.as_fd()];
    watched.extend(lifelines);
    descriptors::wait_for_any(&watched);
    if !cage::is_over(&[ended.as_fd()]) {
        return Ok(Report::Signalled(libc::SIGKILL));
    }
    let waited = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(command), WaitOptions::empty()));
    let Some((_, status)) = waited.map_err(failure)? else {
        return Err(failure(rustix::io::Errno::CHILD));
    };
    let mut bytes = vec![0; MAX_WORDS];
    let read = rustix::io::retry_on_intr(|| rustix::io::read(words, bytes.as_mut_slice())).unwrap_or(0);
    let spoken = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).into_owned();
    if !spoken.ends_with(command::STARTED) {
        return Err(Failure::new("confine the command", io::Error::other(spoken)));
    }
    Ok(match (status.terminating_signal(), status.exit_status()) {
        (Some(signal), _) => Report::Signalled(signal),
        (None, code) => Report::Exited(code.unwrap_or(0)),
    })
}

/// Kills and buries all children, and the children they leave us, until there are none.
fn end_children() {
    for _ in 0..SWEEPS {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        for child in children() {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        // One of them ends next, whichever it is.
        let _ = rustix::process::wait(WaitOptions::empty());
    }
}

fn children() -> Vec<Pid> {
    let numbers = |text: String| text.split_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<i32>>();
    let listed = fs::read_to_string("/proc/thread-self/children").map(numbers);
    let children = listed.unwrap_or_else(|_| children_by_search());
    children.into_iter().filter_map(Pid::from_raw).collect()
}

/// For kernels that keep no list of children.
fn children_by_search() -> Vec<i32> {
    let ourselves = rustix::process::getpid().as_raw_nonzero().get();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let is_ours = |process: &i32| {
        let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name before it may hold anything, also brackets.
        let parent = status.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        parent.and_then(|parent| parent.parse().ok()) == Some(ourselves)
    };
    let numbers = processes.flatten().filter_map(|process| process.file_name().to_string_lossy().parse().ok());
    numbers.filter(is_ours).collect()
}

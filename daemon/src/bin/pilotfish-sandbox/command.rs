//! The second role, inside: gives up what is left of power, and becomes the command.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use pilotfish::sandbox::wire::Request;
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets};

use crate::{Failure, REFUSED, descriptors, landlock, seccomp};

/// The last words before the command starts. What comes before the command without them is a refusal.
pub(crate) const STARTED: &str = "\u{1}started";

/// How many processes and threads a command may have: in a user namespace of its own only these are counted. Root is not held to it.
const MAX_PROCESSES: u64 = 16_384;

/// The statuses that shells give to a command that is not there, and to one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

/// Becomes the command that the descriptor `request` describes, with the descriptor `stderr` as its standard error.
pub(crate) fn run(request: &str, stderr: &str) -> u8 {
    // Until the command starts, standard error is what the init reads.
    let prepared = prepare(request, stderr);
    let (request, stderr) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            let words = format!("cannot {}: {}", failure.step, failure.detail);
            let _ = descriptors::write_all(rustix::stdio::stderr(), words.as_bytes());
            return REFUSED;
        }
    };
    let said = descriptors::write_all(rustix::stdio::stderr(), STARTED.as_bytes());
    if said.is_err() || rustix::stdio::dup2_stderr(&stderr).is_err() {
        return REFUSED;
    }
    execute(&request)
}

fn prepare(request: &str, stderr: &str) -> Result<(Request, OwnedFd), Failure> {
    let adopt = |number: &str| {
        let number = number.parse().map_err(|_| io::Error::from_raw_os_error(libc::EBADF));
        number.and_then(descriptors::adopt).map_err(|error| Failure::new("take over the descriptors", error))
    };
    let (copy, stderr) = (adopt(request)?, adopt(stderr)?);
    let request = read(&copy).map_err(|error| Failure::new("read what is to be run", error))?;
    drop(copy);
    for folder in &request.private {
        make_private(folder).map_err(|error| Failure::new(format!("make {}", folder.display()), error))?;
    }
    limit_processes().map_err(|error| Failure::new("limit processes", error))?;
    give_up_power(&request)?;
    landlock::apply(&request, &[rustix::stdio::stdout(), stderr.as_fd()])?;
    seccomp::apply()?;
    descriptors::close_all_at_exec().map_err(|error| Failure::new("close descriptors", error))?;
    Ok((request, stderr))
}

/// Becomes the command of `request` where there are no namespaces, with `folder` to write to. What it has to say before the command
/// starts goes to `words`.
pub(crate) fn run_weak(request: &Request, folder: &Path, words: &OwnedFd) -> u8 {
    if let Err(failure) = prepare_weak(request, folder) {
        let said = format!("cannot {}: {}", failure.step, failure.detail);
        let _ = descriptors::write_all(words, said.as_bytes());
        return REFUSED;
    }
    match descriptors::write_all(words, STARTED.as_bytes()) {
        Ok(()) => execute(request),
        Err(_) => REFUSED,
    }
}

fn prepare_weak(request: &Request, folder: &Path) -> Result<(), Failure> {
    give_up_power(request)?;
    let signals = landlock::apply_weak(request, folder, &[rustix::stdio::stdout(), rustix::stdio::stderr()])?;
    seccomp::apply()?;
    seccomp::weak::apply(signals)?;
    descriptors::close_all_at_exec().map_err(|error| Failure::new("close descriptors", error))
}

fn give_up_power(request: &Request) -> Result<(), Failure> {
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, no_core).map_err(|error| Failure::new("forbid core files", error))?;
    rustix::process::chdir(&request.cwd)
        .map_err(|error| Failure::new(format!("start in {}", request.cwd.display()), error))?;
    drop_capabilities().map_err(|error| Failure::new("give up capabilities", error))
}

/// An end to what multiplies without one.
fn limit_processes() -> io::Result<()> {
    let most =
        rustix::process::getrlimit(Resource::Nproc).maximum.map_or(MAX_PROCESSES, |most| most.min(MAX_PROCESSES));
    Ok(rustix::process::setrlimit(Resource::Nproc, Rlimit { current: Some(most), maximum: Some(most) })?)
}

fn read(copy: &OwnedFd) -> io::Result<Request> {
    let length = usize::try_from(rustix::fs::fstat(copy)?.st_size).unwrap_or(0);
    let mut body = vec![0; length];
    let mut filled = 0;
    while let Some(place) = body.get_mut(filled..).filter(|place| !place.is_empty()) {
        let offset = u64::try_from(filled).map_err(io::Error::other)?;
        match rustix::io::retry_on_intr(|| rustix::io::pread(copy, &mut *place, offset))? {
            0 => break,
            read => filled += read,
        }
    }
    Request::decode(&body).map_err(io::Error::other)
}

/// Makes a folder on the root of the inside, which is in memory, belongs to the command alone and is gone with it.
fn make_private(folder: &Path) -> io::Result<()> {
    let is_shared_place = folder.ends_with("tmp");
    fs::create_dir_all(folder)?;
    if is_shared_place {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o1777))?;
    }
    Ok(())
}

/// Leaves no capability, nor a way to regain one, also where the user is number 0.
fn drop_capabilities() -> io::Result<()> {
    let held = rustix::thread::capabilities(None)?;
    if held.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().iter() {
            // The kernel may know fewer of them than this program.
            match rustix::thread::remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
        rustix::thread::set_capabilities_secure_bits(
            CapabilitiesSecureBits::NO_ROOT
                | CapabilitiesSecureBits::NO_ROOT_LOCKED
                | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
                | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED,
        )?;
    }
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is the program that becomes the command")]
fn execute(request: &Request) -> u8 {
    let Some((program, arguments)) = request.argv.split_first() else {
        descriptors::complain("there is no command to run");
        return NOT_FOUND;
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments).env_clear().envs(request.env.iter().map(|(name, value)| (name, value)));
    let error = command.exec();
    let name = program.to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        descriptors::complain(&format!("{name}: program not found"));
        NOT_FOUND
    } else {
        descriptors::complain(&format!("{name}: {error}"));
        NOT_RUNNABLE
    }
}

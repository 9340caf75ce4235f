//! Landlock: nothing but the writable places can be written to, whatever the mounts say. It closes `/proc`, where a command
//! run by root could otherwise change settings of the whole machine, because birdcage mounts a fresh and writable one.
//! The numbers are those of linux/landlock.h.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use pilotfish::sandbox::wire::Request;
use rustix::fs::{FileType, Mode, OFlags};

use crate::Failure;

const WRITE_FILE: u64 = 1 << 1;
const REMOVE_FOLDER: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHARACTER_DEVICE: u64 = 1 << 6;
const MAKE_FOLDER: u64 = 1 << 7;
const MAKE_FILE: u64 = 1 << 8;
const MAKE_SOCKET: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK_DEVICE: u64 = 1 << 11;
const MAKE_LINK: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

const OF_FILES: u64 = WRITE_FILE | TRUNCATE;
const OF_FOLDERS: u64 =
    OF_FILES | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MAKE_SOCKET | MAKE_FIFO | MAKE_LINK | REFER;
const HANDLED: u64 = OF_FOLDERS | MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE;

/// The first version that allows moving files from one folder to another; without it hardly anything works.
const VERSION_WITH_REFER: i64 = 2;
const VERSION_WITH_TRUNCATE: i64 = 3;

const CREATE_RULESET_VERSION: u32 = 1;
const RULE_PATH_BENEATH: u32 = 1;

/// Forbids writing outside the writable places of `request`, from here on and for good. `streams` are the command's own: what
/// it was given to write to, it may open again by the names /dev/stdout and /dev/stderr.
///
/// # Errors
/// When the kernel has no usable Landlock and the user is root, for whom nothing else closes `/proc`; or when it refuses.
pub(crate) fn apply(request: &Request, streams: &[BorrowedFd<'_>]) -> Result<(), Failure> {
    let version = version();
    if version < VERSION_WITH_REFER {
        return if rustix::process::geteuid().is_root() {
            let missing =
                io::Error::other("this kernel has no Landlock, which confining root needs; use an ordinary user");
            Err(Failure::new("forbid writing to /proc", missing))
        } else {
            Ok(())
        };
    }
    let known = if version < VERSION_WITH_TRUNCATE { !TRUNCATE } else { u64::MAX };
    restrict(request, streams, known).map_err(|error| Failure::new("forbid writing elsewhere", error))
}

fn restrict(request: &Request, streams: &[BorrowedFd<'_>], known: u64) -> io::Result<()> {
    let ruleset = create(HANDLED & known)?;
    let granted = request.grants.iter().filter(|grant| grant.access.writes()).map(|grant| &grant.path);
    for path in granted.chain(&request.private) {
        allow(&ruleset, path, known)?;
    }
    for stream in streams {
        let is_file = FileType::from_raw_mode(rustix::fs::fstat(stream)?.st_mode).is_file();
        let writes = rustix::fs::fcntl_getfl(stream)?.intersects(OFlags::WRONLY | OFlags::RDWR);
        if is_file && writes {
            // Some files, such as those in memory alone, cannot be named to it. The stream itself works all the same.
            let _ = allow(&ruleset, &PathBuf::from(format!("/proc/self/fd/{}", stream.as_raw_fd())), known);
        }
    }
    enforce(&ruleset)
}

#[repr(C)]
struct Ruleset {
    handled: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

#[expect(unsafe_code, reason = "a system call without a wrapper")]
fn version() -> i64 {
    let nothing: *const Ruleset = std::ptr::null();
    // SAFETY: asked for its version the call takes no attributes.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, CREATE_RULESET_VERSION) }
}

#[expect(unsafe_code, reason = "a system call without a wrapper")]
fn create(handled: u64) -> io::Result<OwnedFd> {
    let attributes = Ruleset { handled };
    // SAFETY: the attributes are as long as is said and live longer than the call.
    let created =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size_of::<Ruleset>(), 0_u32) };
    let created = i32::try_from(created).unwrap_or(-1);
    if created < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this descriptor for us, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(created) })
}

#[expect(unsafe_code, reason = "a system call without a wrapper")]
fn allow(ruleset: &OwnedFd, path: &Path, known: u64) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    let is_folder = FileType::from_raw_mode(rustix::fs::fstat(&folder)?.st_mode).is_dir();
    let allowed = if is_folder { OF_FOLDERS } else { OF_FILES };
    let rule = PathBeneath { allowed: allowed & known, parent: folder.as_raw_fd() };
    // SAFETY: the rule lives longer than the call, and both descriptors are open.
    let result = unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0_u32)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "a system call without a wrapper")]
fn enforce(ruleset: &OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is open; the call takes nothing else.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//! Landlock: nothing but the writable places can be written to, whatever the mounts say. It closes `/proc`, where a command
//! run by root could otherwise change settings of the whole machine, because birdcage mounts a fresh and writable one. Where
//! there are no mounts of ours, nothing but the granted places can be read either.
//! The numbers are those of linux/landlock.h.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use pilotfish::sandbox::wire::{Access, Layer, Request};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};

use crate::Failure;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_FOLDER: u64 = 1 << 3;
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
const IOCTL_DEVICE: u64 = 1 << 15;

const BIND_TCP: u64 = 1;
const CONNECT_TCP: u64 = 1 << 1;

const ABSTRACT_SOCKET: u64 = 1;
const SIGNAL: u64 = 1 << 1;

const OF_FILES: u64 = WRITE_FILE | TRUNCATE;
const OF_FOLDERS: u64 =
    OF_FILES | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MAKE_SOCKET | MAKE_FIFO | MAKE_LINK | REFER;
const HANDLED: u64 = OF_FOLDERS | MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE;

const READ: u64 = READ_FILE | READ_FOLDER;
/// What a rule for a file may hold; for anything else the kernel refuses it.
const OF_ANY_FILE: u64 = EXECUTE | READ_FILE | OF_FILES | IOCTL_DEVICE;

/// The first version that allows moving files from one folder to another; without it hardly anything works.
const VERSION_WITH_REFER: i64 = 2;
const VERSION_WITH_TRUNCATE: i64 = 3;
const VERSION_WITH_NETWORK: i64 = 4;
const VERSION_WITH_IOCTL: i64 = 5;
const VERSION_WITH_SCOPES: i64 = 6;

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

/// Who else a confined process may send signals to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    /// Landlock keeps them inside.
    KeptInside,
    /// Every process of this user.
    Anybody,
}

/// Forbids everything but reading and running what `request` grants and writing to `folder`, from here on and for good.
///
/// # Errors
/// When the kernel's Landlock cannot forbid all writing, or refuses.
pub(crate) fn apply_weak(request: &Request, folder: &Path, streams: &[BorrowedFd<'_>]) -> Result<Signals, Failure> {
    let version = version();
    if version < VERSION_WITH_TRUNCATE {
        let missing = io::Error::other("this kernel has no Landlock that does, which takes Linux 6.2");
        return Err(Failure::new("forbid reading and writing", missing));
    }
    restrict_weak(request, folder, streams, version)
        .map_err(|error| Failure::new("forbid reading and writing", error))?;
    Ok(if version < VERSION_WITH_SCOPES { Signals::Anybody } else { Signals::KeptInside })
}

fn restrict_weak(request: &Request, folder: &Path, streams: &[BorrowedFd<'_>], version: i64) -> io::Result<()> {
    let since = |first: i64, rights: u64| if version < first { 0 } else { rights };
    let known = !IOCTL_DEVICE | since(VERSION_WITH_IOCTL, IOCTL_DEVICE);
    let ruleset = create(Ruleset {
        handled: (HANDLED | READ | EXECUTE | IOCTL_DEVICE) & known,
        handled_network: since(VERSION_WITH_NETWORK, BIND_TCP | CONNECT_TCP),
        scoped: since(VERSION_WITH_SCOPES, ABSTRACT_SOCKET | SIGNAL),
    })?;
    for grant in &request.grants {
        let rights = match grant.access {
            Access::Read => READ,
            Access::Execute | Access::ThrowAway | Access::WriteExecute => READ | EXECUTE,
            Access::Write => READ | OF_FILES,
        };
        match open(&grant.path) {
            Ok(place) => add(&ruleset, &place, rights & known)?,
            // What is missing, or not ours to open, is not shown.
            Err(_) if !request.workspace.starts_with(&grant.path) => {}
            Err(error) => return Err(error),
        }
    }
    add(&ruleset, &open(folder)?, (OF_FOLDERS | READ | EXECUTE) & known)?;
    allow_streams(&ruleset, streams, known)?;
    enforce(&ruleset)
}

fn restrict(request: &Request, streams: &[BorrowedFd<'_>], known: u64) -> io::Result<()> {
    let ruleset = create(Ruleset { handled: HANDLED & known, handled_network: 0, scoped: 0 })?;
    let is_layer = |path: &PathBuf| request.layers.iter().any(|layer| layer.lower == *path);
    let granted = request.grants.iter().filter(|grant| grant.access.writes()).map(|grant| &grant.path);
    for path in granted.filter(|path| !is_layer(path)).chain(&request.private) {
        match open(path) {
            Ok(place) => add(&ruleset, &place, OF_FOLDERS & known)?,
            // Granted, and not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for path in request.layers.iter().flat_map(Layer::writable_paths) {
        // A part that is missing or a link was not made writable by its mount either.
        if let Ok(place) = rustix::fs::openat2(CWD, &path, PATH, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            add(&ruleset, &place, OF_FOLDERS & known)?;
        }
    }
    allow_streams(&ruleset, streams, known)?;
    enforce(&ruleset)
}

fn allow_streams(ruleset: &OwnedFd, streams: &[BorrowedFd<'_>], known: u64) -> io::Result<()> {
    for stream in streams {
        let is_file = FileType::from_raw_mode(rustix::fs::fstat(stream)?.st_mode).is_file();
        let writes = rustix::fs::fcntl_getfl(stream)?.intersects(OFlags::WRONLY | OFlags::RDWR);
        if is_file && writes {
            // Some files, such as those in memory alone, cannot be named to it. The stream itself works all the same.
            let place = open(&PathBuf::from(format!("/proc/self/fd/{}", stream.as_raw_fd())));
            let _ = place.and_then(|place| add(ruleset, &place, OF_FILES & known));
        }
    }
    Ok(())
}

#[repr(C)]
struct Ruleset {
    handled: u64,
    handled_network: u64,
    scoped: u64,
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
fn create(attributes: Ruleset) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are as long as is said and live longer than the call. Kernels that know fewer of them take zeros.
    let created =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size_of::<Ruleset>(), 0_u32) };
    let created = i32::try_from(created).unwrap_or(-1);
    if created < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this descriptor for us, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(created) })
}

const PATH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, PATH, Mode::empty())?)
}

/// Allows `rights` at a place, as far as they can be meant for what it is.
#[expect(unsafe_code, reason = "a system call without a wrapper")]
fn add(ruleset: &OwnedFd, place: &OwnedFd, rights: u64) -> io::Result<()> {
    let is_folder = FileType::from_raw_mode(rustix::fs::fstat(place)?.st_mode).is_dir();
    let allowed = if is_folder { rights } else { rights & OF_ANY_FILE };
    let rule = PathBeneath { allowed, parent: place.as_raw_fd() };
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

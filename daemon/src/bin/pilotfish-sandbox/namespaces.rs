//! Namespaces: user, mount, process, IPC, name and network, all our own, and the loopback interface of the last.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::mount::MountPropagationFlags;
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::UnshareFlags;

use crate::Failure;

/// Enters fresh namespaces in which this user keeps the number it has outside. The process namespace begins with the next
/// child.
///
/// # Errors
/// When the machine does not allow it.
pub(crate) fn enter() -> Result<(), Failure> {
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWNET;
    unshare(flags).map_err(|error| Failure::by_machine("make namespaces of our own", error))?;
    let map = |path: &str, text: &str| {
        std::fs::write(path, text)
            .map_err(|error| Failure::by_machine("become ourselves in a user namespace of our own", error))
    };
    map("/proc/self/uid_map", &format!("{user} {user} 1\n"))?;
    map("/proc/self/setgroups", "deny")?;
    map("/proc/self/gid_map", &format!("{group} {group} 1\n"))
}

/// Gets a view of the mounts of our own, without any power over it that we do not have already.
///
/// # Errors
/// When we have none.
pub(crate) fn own_view() -> io::Result<()> {
    unshare(UnshareFlags::NEWNS)?;
    Ok(rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
}

#[expect(unsafe_code, reason = "unsharing is unsafe where descriptors are unshared, which they are not here")]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: this program has one thread, and the flags leave the descriptor table alone.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags) }?)
}

/// Brings the loopback interface of this network namespace up, so that programs inside can talk to one another.
///
/// # Errors
/// When the system refuses.
pub(crate) fn bring_loopback_up() -> Result<(), Failure> {
    let failure = |error| Failure::by_machine("bring the loopback interface up", error);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)
        .map_err(|error| failure(io::Error::from(error)))?;
    set_up(&socket).map_err(failure)
}

#[expect(unsafe_code, reason = "network interfaces are set up by ioctl alone")]
fn set_up(socket: &OwnedFd) -> io::Result<()> {
    // SAFETY: an all-zero ifreq is a valid one: integers, and an empty name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = libc::c_char::from_ne_bytes([*byte]);
    }
    request.ifr_ifru.ifru_flags =
        libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or(libc::c_short::MAX);
    // SAFETY: the request is a whole ifreq that lives longer than the call, which only reads it.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

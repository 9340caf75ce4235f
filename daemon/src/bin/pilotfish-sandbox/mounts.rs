//! The mounts that birdcage then confines: a private /tmp, a /dev with nothing dangerous in it, and the protected names of
//! the workspace frozen in place. All of it in a mount namespace of our own; nothing here is seen outside.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pilotfish::sandbox::wire::{Protection, Request};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags};

use crate::Failure;

/// Where the new /dev is put together. It lies on the private /tmp, which the inside does not see.
const DEVICES: &str = "/tmp/.pilotfish-dev";

/// Devices that hold nothing and belong to nobody.
const HARMLESS_DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

const DEVICE_LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Prepares the mounts for `request`.
///
/// # Errors
/// When the system refuses one of them, or the workspace is not there.
pub(crate) fn prepare(request: &Request) -> Result<(), Failure> {
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| Failure::new("keep mounts to ourselves", error))?;
    let hidden = hold_hidden(request)?;
    mount_tmpfs("/tmp", c"mode=1777").map_err(|error| Failure::new("mount a private /tmp", error))?;
    make_devices().map_err(|error| Failure::new("mount a private /dev", error))?;
    for (path, tree) in &hidden {
        show_again(path, tree).map_err(|error| Failure::new(format!("show {} inside", path.display()), error))?;
    }
    protect(request)
}

/// Takes hold of every granted path that the private mounts are about to hide.
fn hold_hidden(request: &Request) -> Result<Vec<(PathBuf, OwnedFd)>, Failure> {
    let mut hidden = Vec::new();
    for grant in &request.grants {
        let Ok(path) = grant.path.canonicalize() else { continue };
        if path.starts_with("/tmp") || path.starts_with("/dev/shm") {
            let tree = clone_tree(CWD, &path)
                .map_err(|error| Failure::new(format!("take hold of {}", path.display()), error))?;
            hidden.push((path, tree));
        }
    }
    // An outer one must be there before an inner one is put upon it.
    hidden.sort_by_key(|(path, _)| path.components().count());
    Ok(hidden)
}

fn show_again(path: &Path, tree: &OwnedFd) -> io::Result<()> {
    let is_folder = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(tree)?.st_mode).is_dir();
    if is_folder {
        fs::create_dir_all(path)?;
    } else {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::File::create(path)?;
    }
    Ok(rustix::mount::move_mount(tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

fn make_devices() -> io::Result<()> {
    let devices = Path::new(DEVICES);
    fs::create_dir(devices)?;
    for name in HARMLESS_DEVICES {
        let device = Path::new("/dev").join(name);
        if device.exists() {
            let place = devices.join(name);
            fs::File::create(&place)?;
            rustix::mount::mount_bind(&device, &place)?;
        }
    }
    for (name, target) in DEVICE_LINKS {
        std::os::unix::fs::symlink(target, devices.join(name))?;
    }
    let shared_memory = devices.join("shm");
    fs::create_dir(&shared_memory)?;
    fs::set_permissions(&shared_memory, fs::Permissions::from_mode(0o1777))?;
    let terminals = devices.join("pts");
    fs::create_dir(&terminals)?;
    // Terminals of their own for programs that need one. Few do, so a machine without them is not refused.
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    let _ = rustix::mount::mount("devpts", &terminals, "devpts", flags, c"newinstance,ptmxmode=0666,mode=620");
    Ok(rustix::mount::mount_bind_recursive(devices, "/dev")?)
}

fn mount_tmpfs(target: &str, options: &std::ffi::CStr) -> io::Result<()> {
    Ok(rustix::mount::mount("tmpfs", target, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options)?)
}

/// Mounts each protected name of the workspace upon itself: what is a mount point can be neither moved nor removed.
fn protect(request: &Request) -> Result<(), Failure> {
    let workspace = &request.workspace;
    let failure = |error: io::Error| Failure::new(format!("open the workspace {}", workspace.display()), error);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for (name, protection) in &request.protected {
        // Opened anew each time: what was mounted a moment ago must be seen.
        let root = rustix::fs::open(workspace, flags, Mode::empty()).map_err(|error| failure(error.into()))?;
        let Ok(place) = open_below(root.as_fd(), name) else { continue };
        freeze(&place, *protection)
            .map_err(|error| Failure::new(format!("protect {}", workspace.join(name).display()), error))?;
    }
    Ok(())
}

/// Opens a name below `root` without following any link, and without leaving it.
fn open_below(root: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let place = rustix::fs::openat2(root, name, flags, Mode::empty(), resolve)?;
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode);
    // Nothing can be mounted upon a link; whoever replaces one gains no more than by making a new one.
    if kind.is_symlink() { Err(io::ErrorKind::NotFound.into()) } else { Ok(place) }
}

fn freeze(place: &OwnedFd, protection: Protection) -> io::Result<()> {
    let is_folder = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(place)?.st_mode).is_dir();
    let tree = clone_tree(place.as_fd(), Path::new(""))?;
    let read_only = match protection {
        Protection::Frozen => true,
        Protection::Pinned => !is_folder,
    };
    if read_only {
        make_read_only(&tree)?;
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(&tree, "", place, "", flags)?)
}

fn clone_tree(folder: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(folder, path, flags)?)
}

/// struct mount_attr of linux/mount.h.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

#[expect(unsafe_code, reason = "rustix has no mount_setattr")]
fn make_read_only(tree: &OwnedFd) -> io::Result<()> {
    let attributes = MountAttributes { set: libc::MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path is an empty C string, and the attributes are as long as is said and live longer than the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

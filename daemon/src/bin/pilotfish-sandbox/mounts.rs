//! The mounts that birdcage then confines: a private /tmp, and a /dev with nothing dangerous in it; the overlays are in `overlay`.
//! All of it in a mount namespace of our own; nothing here is seen outside.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pilotfish::sandbox::wire::Request;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags};

use crate::Failure;
use crate::overlay::{self, Lifted};

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

/// Prepares the mounts for `request`. Returns the places, without links, whose changes are thrown away; others that should have
/// been among them are read-only.
///
/// # Errors
/// When the system refuses one of them, or what they are made of is not there.
pub(crate) fn prepare(request: &Request, lifted: &Lifted) -> Result<Vec<PathBuf>, Failure> {
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| Failure::by_machine("keep mounts to ourselves", error))?;
    // Before anything is hidden.
    let layers = request.layers.iter().map(overlay::Opened::open).collect::<Result<Vec<_>, Failure>>()?;
    let hidden = hold_hidden(request)?;
    mount_tmpfs("/tmp", c"mode=1777").map_err(|error| Failure::by_machine("mount a private /tmp", error))?;
    make_devices().map_err(|error| Failure::by_machine("mount a private /dev", error))?;
    for (path, tree) in &hidden {
        show_again(path, tree).map_err(|error| Failure::new(format!("show {} inside", path.display()), error))?;
    }
    let thrown = overlay::throw_away(request);
    for layer in &layers {
        layer.mount(lifted)?;
    }
    Ok(thrown)
}

/// Takes hold of every granted path that the private mounts are about to hide. Layers are put in their places anyway.
fn hold_hidden(request: &Request) -> Result<Vec<(PathBuf, OwnedFd)>, Failure> {
    let mut hidden = Vec::new();
    for grant in &request.grants {
        let Ok(path) = grant.path.canonicalize() else { continue };
        let is_hidden = path.starts_with("/tmp") || path.starts_with("/dev/shm");
        if is_hidden && request.layers.iter().all(|layer| layer.lower != path) {
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

/// Opens a folder by its absolute path, in which no link may stand.
///
/// # Errors
/// When it is not there, or no folder, or behind a link.
pub(crate) fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)
}

/// Opens a name below `root` without following any link, and without leaving it. The last name may be a link.
///
/// # Errors
/// When it is not there, or behind a link.
pub(crate) fn open_below(root: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    Ok(rustix::fs::openat2(root, name, flags, Mode::empty(), resolve)?)
}

/// Puts a tree of mounts upon a place.
///
/// # Errors
/// When the system refuses.
pub(crate) fn put_upon(tree: &OwnedFd, place: &OwnedFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", place, "", flags)?)
}

/// A second view of a folder, with everything that is mounted below it.
///
/// # Errors
/// When the system refuses.
pub(crate) fn clone_tree(folder: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(folder, path, flags)?)
}

/// How much of a tree of mounts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Itself,
    AllBelow,
}

/// struct mount_attr of linux/mount.h.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Forbids writing through a mount, and where `reach` says so, through all below it.
///
/// # Errors
/// When the system refuses.
#[expect(unsafe_code, reason = "rustix has no mount_setattr")]
pub(crate) fn make_read_only(tree: &OwnedFd, reach: Reach) -> io::Result<()> {
    let flags = match reach {
        Reach::Itself => libc::AT_EMPTY_PATH,
        Reach::AllBelow => libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
    };
    let attributes = MountAttributes { set: libc::MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path is an empty C string, and the attributes are as long as is said and live longer than the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

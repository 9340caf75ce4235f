//! Overlays: the work tree and git directories outside of it are seen through one whose changes the daemon reads afterwards, and
//! stores of toolchains through others whose changes are in memory and end with the run.
//!
//! All folders are opened before anything is mounted, and named to the kernel by descriptors: their paths may hold what separates
//! mount options, and may be hidden by then.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use pilotfish::sandbox::wire::{Access, Layer, Request};
use rustix::fs::{AtFlags, FileType};
use rustix::mount::{MountFlags, UnmountFlags};

use crate::mounts::{self, Reach};
use crate::{Failure, namespaces};

/// Where the changes of stores go. It lies on the private /tmp, which the inside does not see.
const STORES: &str = "/tmp/.pilotfish-stores";

/// What is mounted below layers, taken away before our namespaces are made. In them such mounts would be locked in place, and the
/// kernel lays no overlay over them. Each is a tree of mounts that hangs nowhere, with the path where it belongs.
#[derive(Default)]
pub(crate) struct Lifted {
    /// Seen, and not written.
    shown: Vec<(PathBuf, OwnedFd)>,
    /// Folders in them that are written directly.
    through: Vec<(PathBuf, OwnedFd)>,
}

impl Lifted {
    /// Takes away what is mounted below the layers of `request`, from our own view alone. Who may not do that keeps it, and then
    /// gets no overlay over it.
    ///
    /// # Errors
    /// When the table of mounts cannot be read.
    pub(crate) fn take(request: &Request) -> Result<Self, Failure> {
        let failure = |error| Failure::new("see what is mounted in the workspace", error);
        let mut places = Vec::new();
        for layer in &request.layers {
            places.extend(submounts(&layer.lower).map_err(failure)?.into_iter().map(|path| (layer, path)));
        }
        let mut lifted = Lifted::default();
        if places.is_empty() || namespaces::own_view().is_err() {
            return Ok(lifted);
        }
        for (layer, path) in places {
            // One that cannot be taken away leads to a refusal that names it.
            let _ = lifted.lift(layer, &path);
        }
        Ok(lifted)
    }

    fn lift(&mut self, layer: &Layer, path: &Path) -> io::Result<()> {
        let lower = mounts::open_folder(&layer.lower)?;
        let place = mounts::open_below(lower.as_fd(), path)?;
        for through in layer.through.iter().filter(|through| through.starts_with(path)) {
            if let Some(folder) = folder_below(&lower, through) {
                self.through.push((layer.lower.join(through), mounts::clone_tree(&folder, Path::new(""))?));
            }
        }
        let tree = mounts::clone_tree(&place, Path::new(""))?;
        mounts::make_read_only(&tree, Reach::AllBelow)?;
        rustix::mount::unmount(name(&place), UnmountFlags::DETACH)?;
        self.shown.push((layer.lower.join(path), tree));
        Ok(())
    }
}

/// A layer whose folders are open.
pub(crate) struct Opened<'a> {
    layer: &'a Layer,
    lower: OwnedFd,
    upper: OwnedFd,
    work: OwnedFd,
    /// Folders that are written past the overlay, with their paths below the layer's.
    through: Vec<(&'a Path, OwnedFd)>,
}

impl<'a> Opened<'a> {
    /// Opens the folders of a layer.
    ///
    /// # Errors
    /// When one of them is not there, or behind a link.
    pub(crate) fn open(layer: &'a Layer) -> Result<Self, Failure> {
        let open = |path: &Path| {
            mounts::open_folder(path).map_err(|error| Failure::new(format!("open {}", path.display()), error))
        };
        let (lower, upper, work) = (open(&layer.lower)?, open(&layer.upper)?, open(&layer.work)?);
        let mut through = Vec::new();
        for path in &layer.through {
            // What is no folder by itself stays behind the overlay: writing past it would go who knows where.
            if let Some(place) = folder_below(&lower, path) {
                let tree = mounts::clone_tree(&place, Path::new(""))
                    .map_err(|error| Failure::new(format!("take hold of {}", path.display()), error))?;
                through.push((path.as_path(), tree));
            }
        }
        Ok(Self { layer, lower, upper, work, through })
    }

    /// Mounts the overlay in its folder's place, and upon it what is not seen through it.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn mount(&self, lifted: &Lifted) -> Result<(), Failure> {
        let path = &self.layer.lower;
        let failure = |error| Failure::new(format!("lay an overlay over {}", path.display()), error);
        // It may have been hidden by the private /tmp.
        fs::create_dir_all(path).map_err(failure)?;
        mount(&self.lower, &self.upper, &self.work, &mounts::open_folder(path).map_err(failure)?)
            .map_err(|error| self.refused(error))?;
        let root = mounts::open_folder(path).map_err(failure)?;
        self.narrow(&root).map_err(failure)?;
        let through = self.through.iter().map(|(path, tree)| (*path, tree));
        let lifted = lifted.shown.iter().chain(&lifted.through);
        let lifted = lifted.filter_map(|(place, tree)| Some((place.strip_prefix(path).ok()?, tree)));
        for (path, tree) in through.chain(lifted) {
            // A place that the overlay hides, because an earlier run removed it, has no need of what was there.
            if let Ok(place) = mounts::open_below(root.as_fd(), path) {
                mounts::put_upon(tree, &place).map_err(failure)?;
            }
        }
        Ok(())
    }

    fn refused(&self, error: io::Error) -> Failure {
        let path = self.layer.lower.display();
        match submounts(&self.layer.lower).unwrap_or_default().first() {
            Some(mounted) => Failure::by_machine(
                format!("lay an overlay over {path}, because something is mounted at {} in it", mounted.display()),
                error,
            ),
            None => Failure::by_machine(format!("lay an overlay over {path}"), error),
        }
    }

    /// Leaves writable only what is to be.
    fn narrow(&self, root: &OwnedFd) -> io::Result<()> {
        if self.layer.writable.is_empty() {
            return Ok(());
        }
        let mut trees = Vec::new();
        for path in &self.layer.writable {
            // A link leads elsewhere, where its own rules hold.
            if let Ok(place) = mounts::open_below(root.as_fd(), path)
                && !kind(&place)?.is_symlink()
            {
                trees.push((path, mounts::clone_tree(&place, Path::new(""))?));
            }
        }
        mounts::make_read_only(root, Reach::Itself)?;
        for (path, tree) in trees {
            mounts::put_upon(&tree, &mounts::open_below(root.as_fd(), path)?)?;
        }
        Ok(())
    }
}

/// Lays an overlay over every store whose changes are thrown away. Returns where that succeeded; the others are read-only.
pub(crate) fn throw_away(request: &Request) -> Vec<PathBuf> {
    let stores = request.grants.iter().filter(|grant| grant.access == Access::ThrowAway);
    let mut paths: Vec<PathBuf> = stores.filter_map(|grant| grant.path.canonicalize().ok()).collect();
    paths.sort_by_key(|path| path.components().count());
    let mut thrown: Vec<PathBuf> = Vec::new();
    for path in paths {
        let is_covered = thrown.iter().any(|outer| path.starts_with(outer));
        if is_covered || throw_away_below(&path, thrown.len()).is_ok() {
            thrown.push(path);
        }
    }
    thrown
}

fn throw_away_below(path: &Path, number: usize) -> io::Result<()> {
    let lower = mounts::open_folder(path)?;
    let own = PathBuf::from(format!("{STORES}/{number}"));
    let (upper, work) = (own.join("upper"), own.join("work"));
    fs::create_dir_all(&upper)?;
    fs::create_dir(&work)?;
    fs::set_permissions(&upper, fs::metadata(path)?.permissions())?;
    mount(&lower, &mounts::open_folder(&upper)?, &mounts::open_folder(&work)?, &lower)
}

fn mount(lower: &OwnedFd, upper: &OwnedFd, work: &OwnedFd, place: &OwnedFd) -> io::Result<()> {
    // `volatile` because an overlay otherwise writes the whole file system of its upper side to the disk when it ends. Whoever
    // publishes sees to what must last.
    let options = format!(
        "userxattr,volatile,index=off,lowerdir={},upperdir={},workdir={}",
        name(lower),
        name(upper),
        name(work)
    );
    let options = CString::new(options).map_err(io::Error::other)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(rustix::mount::mount("overlay", name(place), "overlay", flags, options.as_c_str())?)
}

/// A path that leads to what is open, whatever stands at its place by now.
fn name(descriptor: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

fn folder_below(root: &OwnedFd, path: &Path) -> Option<OwnedFd> {
    let place = mounts::open_below(root.as_fd(), path).ok()?;
    kind(&place).is_ok_and(FileType::is_dir).then_some(place)
}

fn kind(place: &OwnedFd) -> io::Result<FileType> {
    let status = rustix::fs::statat(place, "", AtFlags::EMPTY_PATH)?;
    Ok(FileType::from_raw_mode(status.st_mode))
}

/// Where something is mounted below a folder, relative to it, outer ones first.
fn submounts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let table = fs::read("/proc/self/mountinfo")?;
    let places = table.split(|&byte| byte == b'\n').filter_map(|line| line.split(|&byte| byte == b' ').nth(4));
    let mut below: Vec<PathBuf> = places
        .map(unescape)
        .filter_map(|place| place.strip_prefix(folder).ok().map(Path::to_owned))
        .filter(|path| path != Path::new(""))
        .collect();
    below.sort_by_key(|path| path.components().count());
    below.dedup();
    // A tree is cloned with what is below it.
    let mut outer: Vec<PathBuf> = Vec::new();
    for path in below {
        if !outer.iter().any(|known| path.starts_with(known)) {
            outer.push(path);
        }
    }
    Ok(outer)
}

/// The kernel writes spaces, tabs, line ends and backslashes of a path as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

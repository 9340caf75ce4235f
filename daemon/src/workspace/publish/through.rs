//! Folders that commands write directly: nothing is held back there, so that what a command left under a protected name is removed
//! when it has ended. Only names are looked at, near the top; no link is followed, and what is older than the command stays.

use super::disk;
use super::{Publication, Stamp};
use crate::policy::paths::{self, Class};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How deep names are looked at.
const LEVELS: usize = 3;

/// Names of one folder that are looked at.
const ENTRIES: usize = 20_000;

/// Names below a protected one that are looked at to tell whether it changed.
const ENTRIES_BELOW: usize = 4096;

/// Directories in directories at most, when they are removed.
const DEPTH: usize = 150;

/// What makes a folder of any name a repository, or is run by git when it is one.
const OF_REPOSITORIES: &[&str] = &["HEAD", "objects", "refs", "commondir", "config", "config.worktree", "hooks"];

const REMOVED: &str = "what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is \
                       written directly";

/// Removes what a command that has ended left under protected names; answers what is to be said of it.
pub(super) fn clear(publication: &Publication) -> Vec<String> {
    let mut walk = Walk { started: publication.started, left: ENTRIES, notes: Vec::new() };
    for layer in &publication.layers {
        let Ok(lower) = disk::open_root(layer.plan.lower.as_path()) else { continue };
        for folder in &layer.plan.through {
            let inside = folder.as_path().strip_prefix(layer.plan.lower.as_path());
            if let Some(root) = inside.ok().and_then(|inside| disk::open_below(&lower, inside).ok()) {
                walk.left = ENTRIES;
                walk.folder(&root, folder.as_path());
            }
        }
    }
    walk.notes
}

struct Walk {
    started: Stamp,
    /// Names that may still be looked at.
    left: usize,
    notes: Vec<String>,
}

/// A folder on the way.
struct Place {
    /// From the folder that is written directly.
    inside: PathBuf,
    level: usize,
    /// Whether it, or one that it lies in, changed or got its name: what is in it may have come with it.
    is_new: bool,
}

impl Walk {
    // Upper levels first, so that they are seen whole however much lies below.
    fn folder(&mut self, root: &OwnedFd, path: &Path) {
        let mut places = VecDeque::from([Place { inside: PathBuf::new(), level: 0, is_new: false }]);
        while let Some(place) = places.pop_front() {
            let Ok(directory) = disk::open_below(root, &place.inside) else { continue };
            self.repository(&directory, &path.join(&place.inside), place.is_new);
            if place.level < LEVELS {
                places.extend(self.names(&directory, path, &place));
            }
        }
        if self.left == 0 {
            self.notes.push(format!("{}: has more names than were looked at for protected ones", path.display()));
        }
    }

    /// Looks at the names in a folder; answers the folders among them.
    fn names(&mut self, directory: &OwnedFd, path: &Path, place: &Place) -> Vec<Place> {
        let mut folders = Vec::new();
        // The one that matters most is found however many others there are.
        for name in std::iter::once(OsString::from(".git")).chain(names(directory, &mut self.left)) {
            let Ok(Some(stat)) = disk::look(directory, &name) else { continue };
            let inside = place.inside.join(&name);
            let is_directory = disk::kind(&stat) == FileType::Directory;
            let class = if is_directory { paths::class_of(&name) } else { paths::class_of_file(&name) };
            let is_new = place.is_new || self.started.is_older_than(&stat);
            if class.is_some_and(|class| place.level == 0 || class == Class::VersionControl) {
                if is_new || (is_directory && self.is_changed_below(directory, &name)) {
                    self.remove(directory, &name, &path.join(&inside));
                }
            } else if is_directory {
                let is_readable = !is_new || open(directory, &name).is_ok();
                folders.extend(is_readable.then_some(Place { inside, level: place.level + 1, is_new }));
            } else if disk::kind(&stat) == FileType::RegularFile && is_new && stat.st_mode & 0o6000 != 0 {
                let _ = permit(directory, &name, FileType::RegularFile, |mode| mode & 0o1777);
            }
        }
        folders
    }

    /// A folder of any name in which git would take what to run from a configuration is made none.
    fn repository(&mut self, directory: &OwnedFd, path: &Path, is_new: bool) {
        let look = |name: &str| disk::look(directory, OsStr::new(name)).ok().flatten();
        let has = |name: &str| look(name).is_some();
        let is_one = has("HEAD") && (has("commondir") || has("objects") && has("refs"));
        let is_changed = |name: &str| look(name).is_some_and(|stat| self.started.is_older_than(&stat));
        if is_one && (is_new || OF_REPOSITORIES.iter().any(|name| is_changed(name))) {
            self.remove(directory, OsStr::new("HEAD"), &path.join("HEAD"));
        }
    }

    fn remove(&mut self, directory: &OwnedFd, name: &OsStr, path: &Path) {
        let _ = make_writable(directory);
        match remove(directory, name, 0) {
            Ok(()) => self.notes.push(format!("{}: {REMOVED}", path.display())),
            Err(errno) => {
                let error = std::io::Error::from(errno);
                self.notes.push(format!("{}: is protected, and could not be removed: {error}", path.display()));
            }
        }
    }

    fn is_changed_below(&self, directory: &OwnedFd, name: &OsStr) -> bool {
        let Ok(top) = disk::open_directory(directory, name) else { return true };
        let (mut open, mut left) = (VecDeque::from([PathBuf::new()]), ENTRIES_BELOW);
        while let Some(inside) = open.pop_front() {
            let Ok(directory) = disk::open_below(&top, &inside) else { continue };
            for name in names(&directory, &mut left) {
                let Ok(Some(stat)) = disk::look(&directory, &name) else { continue };
                if self.started.is_older_than(&stat) {
                    return true;
                }
                if disk::kind(&stat) == FileType::Directory {
                    open.push_back(inside.join(name));
                }
            }
        }
        false
    }
}

fn names(directory: &OwnedFd, left: &mut usize) -> Vec<OsString> {
    let mut names = Vec::new();
    let Ok(entries) = Dir::read_from(directory) else { return names };
    for entry in entries.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        if *left == 0 {
            break;
        }
        *left -= 1;
        names.push(name.to_owned());
    }
    names
}

/// Opens a directory whose permissions a command may have taken away.
fn open(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let opened = disk::open_directory(directory, name).or_else(|errno| {
        if errno != Errno::ACCESS {
            return Err(errno);
        }
        permit(directory, name, FileType::Directory, |mode| mode & 0o7777 | 0o700)?;
        disk::open_directory(directory, name)
    })?;
    make_writable(&opened)?;
    Ok(opened)
}

fn make_writable(directory: &OwnedFd) -> Result<(), Errno> {
    let mode = rustix::fs::fstat(directory)?.st_mode;
    if mode & 0o700 == 0o700 {
        return Ok(());
    }
    rustix::fs::fchmod(directory, Mode::from_raw_mode(mode & 0o7777 | 0o700))
}

/// Changes the permissions of a file or directory, through no link and of nothing else, whoever changes the name meanwhile.
fn permit(directory: &OwnedFd, name: &OsStr, kind: FileType, change: impl Fn(u32) -> u32) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if disk::kind(&stat) != kind {
        return Err(Errno::INVAL);
    }
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::chmod(path, Mode::from_raw_mode(change(stat.st_mode)))
}

/// Removes a name and all below it, whatever its permissions.
fn remove(directory: &OwnedFd, name: &OsStr, depth: usize) -> Result<(), Errno> {
    if depth > DEPTH {
        return Err(Errno::NAMETOOLONG);
    }
    match open(directory, name) {
        Ok(inner) => {
            for child in disk::names(&inner)? {
                remove(&inner, &child, depth + 1)?;
            }
            rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)
        }
        Err(Errno::NOTDIR | Errno::LOOP) => rustix::fs::unlinkat(directory, name, AtFlags::empty()),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests;

//! Names in directories that are held open. A name is one component, and no link is followed.

use super::stamp::{Stamp, now};
use crate::path::AbsPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, UTIME_OMIT};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The largest files that are compared, in bytes.
const COMPARED: u64 = 256 << 20;

/// What a name stood for when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) struct Seen {
    device: u64,
    inode: u64,
    size: i64,
    mode: u32,
    modified: (i64, u64),
    changed: Stamp,
}

impl Seen {
    pub(in crate::workspace) fn new(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size,
            mode: stat.st_mode,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: Stamp::changed(stat),
        }
    }

    /// Whether it is the same file with the same bytes, wherever its name went: a rename changes the ctime.
    pub(in crate::workspace) fn is_still(&self, stat: &Stat) -> bool {
        Self { changed: self.changed, ..Self::new(stat) } == *self
    }

    /// In words that [`Seen::parse`] reads.
    pub(in crate::workspace) fn to_text(self) -> String {
        let Self { device, inode, size, mode, modified, changed } = self;
        let (seconds, nanoseconds) = changed.parts();
        format!("{device} {inode} {size} {mode} {} {} {seconds} {nanoseconds}", modified.0, modified.1)
    }

    /// What [`Seen::to_text`] wrote.
    pub(in crate::workspace) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        let seen = Self {
            device: word()?.parse().ok()?,
            inode: word()?.parse().ok()?,
            size: word()?.parse().ok()?,
            mode: word()?.parse().ok()?,
            modified: (word()?.parse().ok()?, word()?.parse().ok()?),
            changed: Stamp::from_parts(word()?.parse().ok()?, word()?.parse().ok()?),
        };
        words.next().is_none().then_some(seen)
    }

    /// Whether it is the same file or directory, whatever it holds by now.
    pub(in crate::workspace) fn is_same_file(&self, stat: &Stat) -> bool {
        (self.device, self.inode) == (stat.st_dev, stat.st_ino)
    }
}

/// Makes a directory and those above it, below a root, through no link.
pub(in crate::workspace) fn make_directories(root: &OwnedFd, path: &Path) -> Result<(), Errno> {
    let mut at = PathBuf::new();
    for component in path.components() {
        let directory = open_below(root, &at)?;
        match rustix::fs::mkdirat(&directory, component.as_os_str(), Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        at.push(component);
    }
    Ok(())
}

/// Removes a directory, if nothing but directories is in it.
pub(in crate::workspace) fn remove_empty(directory: &OwnedFd, name: &OsStr, depth: usize) {
    let Ok(inner) = open_directory(directory, name) else { return };
    let names = if depth > 0 { names(&inner).unwrap_or_default() } else { Vec::new() };
    names.iter().for_each(|child| remove_empty(&inner, child, depth - 1));
    let _ = rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR);
}

pub(in crate::workspace) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What the overlay puts where a name was deleted.
pub(in crate::workspace) fn is_whiteout(stat: &Stat) -> bool {
    kind(stat) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// What a name stands for; `None` when there is nothing.
pub(in crate::workspace) fn look(directory: &OwnedFd, name: &OsStr) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Whether the command deleted something: its name above, or that of a folder it lies in, stands for nothing.
pub(in crate::workspace) fn is_deleted(upper: &OwnedFd, path: &Path) -> bool {
    path.ancestors().filter(|path| !path.as_os_str().is_empty()).any(|path| {
        let parent = open_below(upper, path.parent().unwrap_or(Path::new("")));
        let stat = parent.ok().zip(path.file_name()).and_then(|(parent, name)| look(&parent, name).ok().flatten());
        stat.is_some_and(|stat| is_whiteout(&stat))
    })
}

/// Opens a root by its path.
pub(in crate::workspace) fn open_root(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// Opens a directory some way below a root, with no link anywhere on that way.
pub(in crate::workspace) fn open_below(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

pub(in crate::workspace) fn open_directory(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty())
}

/// Opens a regular file to read it. What is none is opened without waiting for anybody, and refused.
pub(in crate::workspace) fn open_file(directory: &OwnedFd, name: &OsStr) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    match kind(&rustix::fs::fstat(&file)?) {
        FileType::RegularFile => Ok(File::from(file)),
        _ => Err(Errno::INVAL),
    }
}

/// As [`open_directory`], of an upper directory: it is ours, so that permissions the command took away are no obstacle.
pub(in crate::workspace) fn open_upper_directory(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    open_directory(directory, name).or_else(|errno| {
        allow(directory, name, errno, 0o700)?;
        open_directory(directory, name)
    })
}

/// As [`open_file`], of an upper directory's file.
pub(in crate::workspace) fn open_upper_file(directory: &OwnedFd, name: &OsStr) -> Result<File, Errno> {
    open_file(directory, name).or_else(|errno| {
        allow(directory, name, errno, 0o600)?;
        open_file(directory, name)
    })
}

// The command is over, so nobody swaps the name for a link between the look and the change.
fn allow(directory: &OwnedFd, name: &OsStr, errno: Errno, mode: u32) -> Result<(), Errno> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if errno != Errno::ACCESS || kind(&stat) == FileType::Symlink {
        return Err(errno);
    }
    rustix::fs::chmodat(directory, name, Mode::from_raw_mode(stat.st_mode | mode), AtFlags::empty())
}

/// The names in a directory, sorted.
pub(in crate::workspace) fn names(directory: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether an upper directory hides all that was there before.
pub(in crate::workspace) fn is_opaque(directory: &OwnedFd) -> bool {
    attribute(directory, "user.overlay.opaque") || attribute(directory, "trusted.overlay.opaque")
}

/// Whether an upper directory stands for one of another name, which our overlays never do.
pub(in crate::workspace) fn is_redirected(directory: &OwnedFd) -> bool {
    let mut value = [0_u8; 1];
    // Too small for a real value, which is then there.
    !matches!(
        rustix::fs::fgetxattr(directory, "user.overlay.redirect", &mut value),
        Err(Errno::NODATA | Errno::OPNOTSUPP)
    )
}

fn attribute(directory: &OwnedFd, name: &str) -> bool {
    let mut value = [0_u8; 8];
    matches!(rustix::fs::fgetxattr(directory, name, &mut value), Ok(1) if value.starts_with(b"y"))
}

/// A file's bytes, when they are at most `max`.
pub(in crate::workspace) fn read(file: &File, max: u64) -> Option<Vec<u8>> {
    let size = file.metadata().ok()?.len();
    if size > max {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0)).ok()?;
    file.take(max + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= max).then_some(bytes)
}

/// Where a link leads, as it is written.
pub(in crate::workspace) fn read_link(directory: &OwnedFd, name: &OsStr) -> Result<OsString, Errno> {
    let target = rustix::fs::readlinkat(directory, name, Vec::new())?;
    Ok(OsStr::from_bytes(target.as_bytes()).to_owned())
}

/// Whether two files hold the same bytes. Files above [`COMPARED`] do not: nobody is to wait for the owner of the workspace that long.
pub(in crate::workspace) fn is_equal(one: &File, other: &File) -> std::io::Result<bool> {
    let length = one.metadata()?.len();
    if length != other.metadata()?.len() || length > COMPARED {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut offset = 0;
    loop {
        let read = read_at(one, &mut left, offset)?;
        let same = read_at(other, &mut right, offset)?;
        if left.get(..read) != right.get(..same) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
        offset += read as u64;
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    use std::os::unix::fs::FileExt;
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Gives a regular file the time of now. Its bytes stay.
pub(in crate::workspace) fn touch(directory: &OwnedFd, name: &OsStr) {
    if let Ok(Some(stat)) = look(directory, name)
        && kind(&stat) == FileType::RegularFile
    {
        // Not our file: then its time is its owner's business.
        let _ = rustix::fs::utimensat(directory, name, &now(), AtFlags::SYMLINK_NOFOLLOW);
    }
}

/// As [`touch`], by a path that was looked at before.
pub(in crate::workspace) fn touch_path(path: &AbsPath) {
    let (Some(parent), Some(name)) = (path.as_path().parent(), path.as_path().file_name()) else { return };
    let Ok(root) = open_root(Path::new("/")) else { return };
    let Ok(directory) = open_below(&root, parent.strip_prefix("/").unwrap_or(parent)) else { return };
    touch(&directory, name);
}

/// Gives a file the mtime of another.
pub(in crate::workspace) fn set_modified(file: impl AsFd, like: &Stat) -> Result<(), Errno> {
    let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let nanoseconds = i64::try_from(like.st_mtime_nsec).unwrap_or(0);
    let last_modification = Timespec { tv_sec: like.st_mtime, tv_nsec: nanoseconds };
    rustix::fs::futimens(file, &rustix::fs::Timestamps { last_access, last_modification })
}

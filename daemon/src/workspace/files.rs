//! Opening and reading below a root. Links are followed while they stay inside; what is no regular file is not opened.

use super::actor::blocking;
use crate::path::{AbsPath, RootedPath};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A file's bytes, and what is needed to write it back as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// As on the disk, at most as many as were asked for.
    pub bytes: Vec<u8>,
    /// The file's size in bytes.
    pub size: u64,
}

impl FileText {
    /// The text, when it is one: UTF-8 without NUL.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().filter(|text| !text.contains('\0'))
    }

    /// Whether there is more than was read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.size > self.bytes.len() as u64
    }
}

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing there.
    #[error("{0} does not exist")]
    Missing(RootedPath),
    /// A directory.
    #[error("{0} is a directory; use list")]
    Directory(RootedPath),
    /// A device, a socket or a pipe.
    #[error("{0} is not a regular file")]
    Special(RootedPath),
    /// A link that leaves the root.
    #[error("{0} leads out of the workspace through a link")]
    Leaves(RootedPath),
    /// The system says no.
    #[error("cannot read {path}: {why}")]
    Io {
        /// Which.
        path: RootedPath,
        /// The system's words.
        why: String,
    },
}

/// Opens something below the root without leaving it, links included.
///
/// The kernel refuses absolute links even when they point back inside. Those are resolved here first, and the result is opened under
/// the same guard, so that a link which is swapped meanwhile still cannot lead out.
pub(super) fn open_beneath(root: &AbsPath, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let directory =
        rustix::fs::open(root.as_path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&directory, path, flags | OFlags::CLOEXEC, mode, resolve) {
        Err(Errno::XDEV) => {
            let real = root.as_path().join(path).canonicalize().map_err(|_| Errno::XDEV)?;
            let real_root = root.as_path().canonicalize().map_err(|_| Errno::XDEV)?;
            let inside = real.strip_prefix(&real_root).map_err(|_| Errno::XDEV)?;
            rustix::fs::openat2(&directory, inside, flags | OFlags::CLOEXEC, mode, resolve)
        }
        opened => opened,
    }
}

/// As [`read`], on one of the runtime's threads for what blocks.
pub(super) async fn read_apart(root: &AbsPath, path: &RootedPath, max: u64) -> Result<FileText, ReadError> {
    let (root, wanted) = (root.clone(), path.clone());
    let failed = || ReadError::Io { path: path.clone(), why: "reading it failed inside".to_owned() };
    blocking(move || read(&root, &wanted, max)).await.unwrap_or_else(|| Err(failed()))
}

/// Reads at most `max` bytes of a regular file.
pub(super) fn read(root: &AbsPath, path: &RootedPath, max: u64) -> Result<FileText, ReadError> {
    // Without waiting: opening a pipe nobody writes to must not hang.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let descriptor =
        open_beneath(root, path.as_path(), flags, Mode::empty()).map_err(|errno| read_error(path, errno))?;
    let file = File::from(descriptor);
    let io = |error: std::io::Error| ReadError::Io { path: path.clone(), why: error.to_string() };
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory(path.clone()));
    }
    if !metadata.is_file() {
        return Err(ReadError::Special(path.clone()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(max)).unwrap_or(0));
    (&file).take(max).read_to_end(&mut bytes).map_err(io)?;
    // Files under /proc and files that grow are larger than they say.
    let size = metadata.len().max(bytes.len() as u64);
    Ok(FileText { bytes, size })
}

/// Files listed at most by [`below`].
const LISTED: usize = 10_000;

/// The regular files in a folder and the folders in it, no link followed.
pub(super) fn below(root: &AbsPath, folder: &RootedPath) -> Vec<RootedPath> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder).as_path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && found.len() < LISTED => {
                    let path = entry.path();
                    found.extend(path.to_str().and_then(|path| RootedPath::new(root, path).ok()));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    found
}

fn read_error(path: &RootedPath, errno: Errno) -> ReadError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => ReadError::Missing(path.clone()),
        Errno::XDEV | Errno::LOOP => ReadError::Leaves(path.clone()),
        Errno::NXIO | Errno::NODEV => ReadError::Special(path.clone()),
        errno => ReadError::Io { path: path.clone(), why: std::io::Error::from(errno).to_string() },
    }
}

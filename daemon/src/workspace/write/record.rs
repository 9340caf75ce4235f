//! What the changes of an edit touch, recorded before a name is switched, and listed so that a crash leaves nothing staged behind.

use super::{Place, Switches, WriteError, io};
use crate::path::{AbsPath, RootedPath};
use crate::workspace::checkpoint::KeepError;
use crate::workspace::image::{Image, Touched};
use crate::workspace::publish::disk;
use rustix::fs::{AtFlags, FileType};
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Names in a directory that is moved, at most, so that it can be taken back name by name.
const NAMES: usize = 20_000;

/// Bytes in a directory that is moved, at most.
const BYTES: u64 = 256 << 20;

/// Directories in directories at most.
const DEPTH: usize = 100;

impl Switches<'_> {
    /// Records that a name is about to change from what it is.
    pub(super) fn touch(&self, root: &AbsPath, place: &Place, after: Image) -> Result<(), WriteError> {
        let before = self.recorder.keep(&place.directory, &place.name).map_err(|error| unkept(&place.path, &error))?;
        self.record(&place.path, &[Touched { path: real(root, place)?, before, after }])
    }

    /// Records that a name is about to become what is staged under another.
    pub(super) fn touch_staged(&self, root: &AbsPath, place: &Place, temporary: &OsStr) -> Result<(), WriteError> {
        let after = Image::look(&place.directory, temporary).map_err(|errno| io(&place.path, errno));
        let touched = after.and_then(|after| self.touch(root, place, after));
        touched.inspect_err(|_| {
            let _ = rustix::fs::unlinkat(&place.directory, temporary, AtFlags::empty());
        })
    }

    /// Records that a directory is about to move, with every name in it.
    pub(super) fn touch_tree(&self, root: &AbsPath, old: &Place, new: &Place) -> Result<(), WriteError> {
        let (from, to) = (real(root, old)?, real(root, new)?);
        let mut tree = Tree { names: NAMES, bytes: BYTES, found: Vec::new() };
        let parent = old.directory.try_clone().map_err(|error| failed(&old.path, &error.to_string()))?;
        let is_whole = tree.walk(self, &Rc::new(parent), &old.name, Path::new(""), 0);
        let mut touched = Vec::new();
        if is_whole.map_err(|error| unkept(&old.path, &error))? {
            for (inside, image) in tree.found {
                // Joining nothing would leave a slash at the end, which is no part of the name.
                let below = |top: &RootedPath| {
                    RootedPath::of_names(&top.as_path().join(&inside).components().collect::<PathBuf>())
                };
                let (Some(from), Some(to)) = (below(&from), below(&to)) else { continue };
                touched.push(Touched { path: from, before: image.clone(), after: Image::Absent });
                touched.push(Touched { path: to, before: Image::Absent, after: image });
            }
        } else {
            // Then it is said of both names that they cannot be taken back.
            touched.push(Touched { path: from, before: Image::Other, after: Image::Absent });
            touched.push(Touched { path: to, before: Image::Absent, after: Image::Other });
        }
        self.record(&old.path, &touched)
    }

    /// Lists the folder of a place, before anything is staged there.
    pub(super) fn note(&mut self, root: &AbsPath, place: &Place) -> Result<(), WriteError> {
        let real = real(root, place)?;
        let folder = real.as_path().parent().unwrap_or(Path::new(""));
        self.trail.note(root.as_path(), folder).map_err(|error| failed(&place.path, &error.to_string()))
    }

    fn record(&self, path: &RootedPath, touched: &[Touched]) -> Result<(), WriteError> {
        self.recorder.touch(touched).map_err(|error| unkept(path, &error))
    }
}

/// A directory that is looked at with all that is in it.
struct Tree {
    names: usize,
    bytes: u64,
    /// From the directory's top on, which is the empty path.
    found: Vec<(PathBuf, Image)>,
}

impl Tree {
    /// Whether all of it was looked at.
    fn walk(
        &mut self,
        switches: &Switches<'_>,
        directory: &Rc<OwnedFd>,
        name: &OsStr,
        inside: &Path,
        depth: usize,
    ) -> Result<bool, KeepError> {
        let Some(stat) = disk::look(directory, name)? else { return Ok(true) };
        let kind = disk::kind(&stat);
        let size = if kind == FileType::RegularFile { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        if self.names == 0 || self.bytes < size || depth > DEPTH {
            return Ok(false);
        }
        self.names -= 1;
        self.bytes -= size;
        self.found.push((inside.to_owned(), switches.recorder.keep_as(directory, name, &stat)?));
        if kind == FileType::Directory {
            let inner = Rc::new(disk::open_directory(directory, name)?);
            for child in disk::names(&inner)? {
                if !self.walk(switches, &inner, &child, &inside.join(&child), depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// The path of a place without any link in it.
fn real(root: &AbsPath, place: &Place) -> Result<RootedPath, WriteError> {
    let directory = std::fs::read_link(format!("/proc/self/fd/{}", place.directory.as_raw_fd()));
    let directory = directory.map_err(|error| failed(&place.path, &error.to_string()))?;
    let inside = directory.strip_prefix(root.as_path()).ok();
    let real = inside.and_then(|inside| RootedPath::of_names(&inside.join(&place.name)));
    real.ok_or_else(|| WriteError::Leaves(place.path.clone()))
}

fn unkept(path: &RootedPath, error: &KeepError) -> WriteError {
    failed(path, &error.to_string())
}

fn failed(path: &RootedPath, why: &str) -> WriteError {
    WriteError::Io { path: path.clone(), why: why.to_owned() }
}

//! What a publication is about to change, recorded for a checkpoint before it does: directory by directory what is deleted, made or gets
//! other permissions there, and what is staged just before it is switched. Git's own files are not among it, and neither are folders
//! that commands write directly. More may be recorded than then happens; that is harmless.

use super::disk;
use super::stage::{self, Chmod, Staged};
use super::tree::{DEPTH, Pair, Run};
use super::{Clash, Kind};
use crate::path::RootedPath;
use crate::policy::paths;
use crate::workspace::blobs::{MAX_FILE, hash_file};
use crate::workspace::checkpoint::{KeepError, Recorder};
use crate::workspace::image::{Image, Print, Touched};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

const TOO_LARGE: &str = "is larger than what is kept for checkpoints, so that no restore brings back what it was";

impl Run<'_> {
    /// Records what is to happen at once to the names of a directory: all but what is staged.
    pub(super) fn foresee(&mut self, at: &Pair, names: &[OsString], hidden: &[OsString]) -> Result<(), Clash> {
        // Of a folder that is new, its parent has said all.
        let Some(recorder) = self.recorder.filter(|_| !at.is_new) else { return Ok(()) };
        let mut touched = Vec::new();
        for name in hidden {
            self.gone(recorder, &at.lower, name, &at.path.join(name), &mut touched, 0)?;
        }
        for name in names {
            let path = at.path.join(name);
            let (Ok(Some(upper)), Ok(lower)) = (disk::look(&at.upper, name), disk::look(&at.lower, name)) else {
                continue;
            };
            let is_directory = disk::kind(&upper) == FileType::Directory;
            if (lower.is_none() && !is_directory) || !self.is_inside(&path) || is_git(name) {
                continue;
            }
            match &lower {
                _ if self.class_of(name, &path, disk::kind(&upper)).is_some() => {}
                None => self.new_folders(&at.upper, name, &path, &mut touched, 0),
                Some(lower) if disk::kind(lower) == FileType::Directory && is_directory => {
                    let (before, after) = (Image::of_directory(lower), wanted(&upper, lower));
                    self.push_touched(&path, before, after, &mut touched);
                }
                Some(lower) if disk::kind(lower) == FileType::Directory || disk::is_whiteout(&upper) => {
                    self.gone(recorder, &at.lower, name, &path, &mut touched, 0)?;
                }
                Some(_) if is_directory => {
                    self.gone(recorder, &at.lower, name, &path, &mut touched, 0)?;
                    self.new_folders(&at.upper, name, &path, &mut touched, 0);
                }
                // Staged, and recorded then.
                Some(_) => {}
            }
        }
        recorder.touch(&touched).map_err(clash)
    }

    /// Notes a name that goes, with all that is in it.
    fn gone(
        &mut self,
        recorder: &Recorder,
        lower: &OwnedFd,
        name: &OsStr,
        path: &Path,
        touched: &mut Vec<Touched>,
        depth: usize,
    ) -> Result<(), Clash> {
        let Ok(Some(stat)) = disk::look(lower, name) else { return Ok(()) };
        // It stays, for one reason or another; or it was never there but for us.
        let is_file = disk::kind(&stat) == FileType::RegularFile;
        let stays =
            depth > DEPTH || self.is_newer(path, &stat) || is_file && self.ours.is_ours(self.layer, path, &stat);
        if stays || is_git(name) || self.class_of(name, path, disk::kind(&stat)).is_some() {
            return Ok(());
        }
        let before = recorder.keep_as(lower, name, &stat).map_err(clash)?;
        self.say_unkept(path, &before);
        self.push_touched(path, before, Image::Absent, touched);
        if disk::kind(&stat) == FileType::Directory
            && let Ok(inner) = disk::open_directory(lower, name)
        {
            for child in disk::names(&inner).unwrap_or_default() {
                self.gone(recorder, &inner, &child, &path.join(&child), touched, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Notes a folder that comes, and those in it.
    fn new_folders(&self, upper: &OwnedFd, name: &OsStr, path: &Path, touched: &mut Vec<Touched>, depth: usize) {
        let Ok(Some(stat)) = disk::look(upper, name) else { return };
        let is_folder = disk::kind(&stat) == FileType::Directory && depth <= DEPTH;
        if !is_folder || is_git(name) || self.class_of(name, path, FileType::Directory).is_some() {
            return;
        }
        let Ok(inner) = disk::open_upper_directory(upper, name) else { return };
        // A repository's own, most likely: the checkpoint has none of it.
        if disk::look(&inner, OsStr::new("HEAD")).is_ok_and(|head| head.is_some()) {
            return;
        }
        self.push_touched(path, Image::Absent, Image::Directory { mode: stat.st_mode & 0o1777 }, touched);
        for child in disk::names(&inner).unwrap_or_default() {
            self.new_folders(&inner, &child, &path.join(&child), touched, depth + 1);
        }
    }

    /// Records what is staged, and what gets other permissions, before either happens.
    pub(super) fn record(&mut self, staged: &[Staged], chmods: &[Chmod], shown: Vec<Touched>) -> Result<(), Clash> {
        let Some(recorder) = self.recorder else { return Ok(()) };
        let mut touched = shown;
        for Staged { directory, name, path, change, .. } in staged {
            let Some(after) = change.image.clone() else { continue };
            // What we showed early stands there and counts as nothing.
            let before = match change.kind {
                Kind::Created => Image::Absent,
                Kind::Changed | Kind::Mode | Kind::Deleted => recorder.keep(directory, name).map_err(clash)?,
            };
            self.say_unkept(path, &before);
            self.push_touched(path, before, after, &mut touched);
        }
        for Chmod { directory, name, path, mode, .. } in chmods {
            let before = recorder.keep(directory, name).map_err(clash)?;
            let after = match &before {
                Image::File { print, size, .. } => Image::File { print: *print, size: *size, mode: mode.as_raw_mode() },
                other => other.clone(),
            };
            self.push_touched(path, before, after, &mut touched);
        }
        recorder.touch(&touched).map_err(clash)
    }

    /// Records one name that changes at once.
    pub(super) fn record_one(&mut self, lower: &OwnedFd, name: &OsStr, path: &Path, after: Image) -> Result<(), Clash> {
        let Some(recorder) = self.recorder.filter(|_| !has_git(path)) else { return Ok(()) };
        let before = recorder.keep(lower, name).map_err(clash)?;
        self.say_unkept(path, &before);
        let mut touched = Vec::new();
        self.push_touched(path, before, after, &mut touched);
        recorder.touch(&touched).map_err(clash)
    }

    /// Records a name that goes at once, with all that is in it.
    pub(super) fn record_gone(&mut self, lower: &OwnedFd, name: &OsStr, path: &Path) -> Result<(), Clash> {
        let Some(recorder) = self.recorder.filter(|_| !has_git(path)) else { return Ok(()) };
        let Ok(Some(stat)) = disk::look(lower, name) else { return Ok(()) };
        let mut touched = Vec::new();
        if let (FileType::Directory, Ok(inner)) = (disk::kind(&stat), disk::open_directory(lower, name)) {
            for child in disk::names(&inner).unwrap_or_default() {
                self.gone(recorder, &inner, &child, &path.join(&child), &mut touched, 0)?;
            }
        }
        let before = recorder.keep_as(lower, name, &stat).map_err(clash)?;
        self.push_touched(path, before, Image::Absent, &mut touched);
        recorder.touch(&touched).map_err(clash)
    }

    /// Records and makes the folders that a name is to lie in.
    pub(super) fn make_parents(&mut self, parent: &Path) -> Result<(), Clash> {
        let root = disk::open_root(self.root().as_path()).map_err(stage::clash)?;
        let mut touched = Vec::new();
        for folder in parent.ancestors().filter(|folder| !folder.as_os_str().is_empty() && !has_git(folder)) {
            if disk::open_below(&root, folder).is_err_and(|errno| errno == Errno::NOENT) {
                self.push_touched(folder, Image::Absent, Image::Directory { mode: 0o777 }, &mut touched);
            }
        }
        if let Some(recorder) = self.recorder {
            recorder.touch(&touched).map_err(clash)?;
        }
        disk::make_directories(&root, parent).map_err(stage::clash)
    }

    /// The image of a file that a command left; `None` when nobody records.
    pub(super) fn image_of(&self, path: &Path, file: &File, stat: &Stat) -> Option<Image> {
        self.recorder.filter(|_| !has_git(path))?;
        let print = Print::of(hash_file(file).ok().flatten(), stat);
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        Some(Image::File { print, size, mode: stat.st_mode & 0o1777 })
    }

    /// As [`Run::image_of`], of a link.
    pub(super) fn image_of_link(&self, path: &Path, target: &OsStr) -> Option<Image> {
        self.recorder.filter(|_| !has_git(path))?;
        Some(Image::Link { target: target.to_owned() })
    }

    /// Adds a name of the workspace; `path` is from the layer's root.
    pub(super) fn push_touched(&self, path: &Path, before: Image, after: Image, touched: &mut Vec<Touched>) {
        let path = self.root().as_path().join(path);
        let inside = path.strip_prefix(self.publication.workspace.as_path()).ok();
        if let Some(path) = inside.and_then(RootedPath::of_names).filter(|_| before != after) {
            touched.push(Touched { path, before, after });
        }
    }

    fn say_unkept(&mut self, path: &Path, before: &Image) {
        if matches!(before, Image::File { size, .. } if *size > MAX_FILE) {
            self.report.note_path(self.below(path).as_path(), TOO_LARGE);
        }
    }
}

/// As permissions are given to a directory that is there: its group is the folder's, where the folder says so.
fn wanted(upper: &Stat, lower: &Stat) -> Image {
    Image::Directory { mode: upper.st_mode & 0o1777 | lower.st_mode & 0o2000 }
}

fn is_git(name: &OsStr) -> bool {
    paths::class_of(name) == Some(paths::Class::VersionControl) && name.eq_ignore_ascii_case(".git")
}

pub(super) fn has_git(path: &Path) -> bool {
    path.components().any(|component| is_git(component.as_os_str()))
}

fn clash(error: KeepError) -> Clash {
    Clash::Io(error.to_string())
}

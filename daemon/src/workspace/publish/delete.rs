//! Deleting what a command deleted: file by file, so that what is protected and what somebody changed meanwhile stays.

use super::disk::{self, Seen};
use super::stage::{self, clash};
use super::tree::{DEPTH, Killed, Run};
use super::{Clash, Kind, Why};
use crate::policy::paths::Class;
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

impl Run<'_> {
    /// Deletes a name below, with all that is in it. What is protected or was changed meanwhile stays; answers whether all is gone.
    pub(super) fn delete(
        &mut self,
        lower: &Rc<OwnedFd>,
        name: &OsStr,
        path: &Path,
        depth: usize,
    ) -> Result<bool, Killed> {
        let stat = match disk::look(lower, name) {
            Ok(Some(stat)) => stat,
            Ok(None) => return Ok(true),
            Err(errno) => {
                self.report.conflict(self.below(path), clash(errno));
                return Ok(false);
            }
        };
        if self.seed(path).is_some() {
            self.report.conflict(self.below(path), Clash::Blocked("what is unsaved in an editor"));
            return Ok(false);
        }
        let class =
            self.class_of(name, path, disk::kind(&stat)).filter(|_| !(name == ".git" && self.is_left_over(path)));
        if let Some(class) = class {
            if class == Class::VersionControl && disk::kind(&stat) == FileType::Directory {
                self.hold_whole(path, Kind::Deleted);
                return Ok(false);
            }
            self.hold(None, Some(lower), name, path, &Why::Protected(class));
            return Ok(false);
        }
        // Of a directory: something was put into it or taken from it, and what was put there may be older than the command.
        if self.is_newer(path, &stat) {
            self.conflict(lower, name, path, Clash::Changed);
            return Ok(false);
        }
        if disk::kind(&stat) == FileType::Directory {
            return self.delete_directory(lower, name, path, depth);
        }
        let before = disk::open_file(lower, name).ok();
        let (before, _) = self.report.texts(before.as_ref(), None);
        self.step("delete")?;
        let _ = self.trail.note(self.root().as_path(), path.parent().unwrap_or(Path::new("")));
        match stage::delete(lower, name, &Seen::new(&stat)) {
            Ok(()) => {
                self.report.change(&self.below(path), Kind::Deleted, before, None);
                Ok(true)
            }
            Err(clash) => {
                self.conflict(lower, name, path, clash);
                Ok(false)
            }
        }
    }

    fn delete_directory(
        &mut self,
        lower: &Rc<OwnedFd>,
        name: &OsStr,
        path: &Path,
        depth: usize,
    ) -> Result<bool, Killed> {
        if depth > DEPTH {
            self.report.note_path(self.below(path).as_path(), "lies too deep, and was not deleted");
            return Ok(false);
        }
        let opened = disk::open_directory(lower, name).and_then(|directory| Ok((disk::names(&directory)?, directory)));
        let (names, directory) = match opened {
            Ok(opened) => opened,
            Err(errno) => {
                self.report.conflict(self.below(path), clash(errno));
                return Ok(false);
            }
        };
        let directory = Rc::new(directory);
        let mut is_empty = true;
        for child in names {
            is_empty &= self.delete(&directory, &child, &path.join(&child), depth + 1)?;
        }
        if !is_empty {
            return Ok(false);
        }
        self.step("rmdir")?;
        match rustix::fs::unlinkat(&**lower, name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(errno) => {
                let clash = if errno == Errno::NOTEMPTY { Clash::NotEmpty } else { clash(errno) };
                self.report.conflict(self.below(path), clash);
                Ok(false)
            }
        }
    }
}

//! New objects. Nothing that is there is overwritten, and nothing is deleted: what git threw away as unreachable may be what
//! somebody else reaches.

use super::names::{Object, object_of};
use super::{DEPTH, GIT, Git};
use crate::workspace::publish::disk;
use crate::workspace::publish::stage::{clash, drop_staged, stage_file, sync};
use crate::workspace::publish::tree::{Killed, Run};
use crate::workspace::write::rename_to_free;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Objects staged at most before they are given their names.
const FILES: usize = 2048;

/// Bytes staged at most before they are given their names.
const BYTES: u64 = 256 << 20;

/// Objects that are copied and not yet known to git, each with its path from the git directory.
#[derive(Default)]
struct Waiting {
    staged: Vec<(OsString, PathBuf)>,
    bytes: u64,
}

impl Run<'_> {
    /// Publishes new objects; answers whether all of them are there.
    pub(super) fn objects(&mut self, git: &Git) -> Result<bool, Killed> {
        let objects = PathBuf::from("objects");
        if git.is_new {
            self.step("mkdir")?;
            for directory in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
                if let Err(errno) = disk::make_directories(&git.lower, Path::new(directory)) {
                    self.report.conflict(self.below(&git.path.join(directory)), clash(errno));
                    return Ok(false);
                }
            }
        }
        let mut waiting = Waiting::default();
        let Ok(upper) = disk::open_below(&git.upper, &objects) else { return Ok(true) };
        let is_done = self.objects_in(git, &upper, &objects, &mut waiting, 0)?;
        Ok(is_done && self.name_objects(git, &mut waiting)?)
    }

    fn objects_in(
        &mut self,
        git: &Git,
        upper: &OwnedFd,
        path: &Path,
        waiting: &mut Waiting,
        depth: usize,
    ) -> Result<bool, Killed> {
        let Ok(mut names) = disk::names(upper) else { return Ok(false) };
        let kind_of = |name: &OsStr| object_of(path.join(name).strip_prefix("objects").unwrap_or(path));
        names.sort_by_key(|name| kind_of(name));
        for name in names {
            let inside = path.join(&name);
            let Ok(Some(stat)) = disk::look(upper, &name) else { continue };
            match disk::kind(&stat) {
                _ if disk::is_whiteout(&stat) => {}
                FileType::Directory if depth < DEPTH => {
                    let Ok(inner) = disk::open_upper_directory(upper, &name) else { return Ok(false) };
                    if !self.objects_in(git, &inner, &inside, waiting, depth + 1)? {
                        return Ok(false);
                    }
                }
                FileType::RegularFile => match kind_of(&name) {
                    Object::Skip => {}
                    Object::Held => self.hold_object(git, upper, &name, &inside),
                    Object::Content | Object::PackIndex => {
                        if !self.object(git, upper, &name, &inside, waiting)? {
                            return Ok(false);
                        }
                    }
                },
                _ => self.hold_object(git, upper, &name, &inside),
            }
        }
        Ok(true)
    }

    fn hold_object(&mut self, git: &Git, upper: &OwnedFd, name: &OsStr, inside: &Path) {
        let lower = disk::open_below(&git.lower, inside.parent().unwrap_or(Path::new(""))).ok();
        self.hold(Some(upper), lower.as_ref(), name, &git.path.join(inside), &GIT);
    }

    fn object(
        &mut self,
        git: &Git,
        upper: &OwnedFd,
        name: &OsStr,
        inside: &Path,
        waiting: &mut Waiting,
    ) -> Result<bool, Killed> {
        let folder = disk::open_below(&git.lower, inside.parent().unwrap_or(Path::new("")));
        if folder.is_ok_and(|folder| disk::look(&folder, name).is_ok_and(|stat| stat.is_some())) {
            return Ok(true);
        }
        self.step("object")?;
        let root = self.root().as_path();
        let staged = disk::open_upper_file(upper, name).map_err(std::io::Error::from).and_then(|file| {
            self.trail.note(root, &git.path)?;
            let stat = rustix::fs::fstat(&file)?;
            Ok((stage_file(&git.lower, name, &file, &stat, None)?, u64::try_from(stat.st_size).unwrap_or(0)))
        });
        match staged {
            Ok((temporary, bytes)) => {
                waiting.staged.push((temporary, inside.to_owned()));
                waiting.bytes += bytes;
                if waiting.staged.len() >= FILES || waiting.bytes >= BYTES {
                    return self.name_objects(git, waiting);
                }
                Ok(true)
            }
            Err(error) => {
                let clash = crate::workspace::publish::Clash::Io(error.to_string());
                self.report.conflict(self.below(&git.path.join(inside)), clash);
                self.drop_objects(git, waiting);
                Ok(false)
            }
        }
    }

    fn drop_objects(&self, git: &Git, waiting: &mut Waiting) {
        for (temporary, _) in std::mem::take(waiting).staged {
            drop_staged(&git.lower, &temporary);
        }
    }

    /// Brings packs to the disk, and then gives each object its name, packs before their indexes.
    fn name_objects(&mut self, git: &Git, waiting: &mut Waiting) -> Result<bool, Killed> {
        // As git does it by default: packs, not single objects.
        for (temporary, _) in waiting.staged.iter().filter(|(_, inside)| inside.starts_with("objects/pack")) {
            sync(&git.lower, temporary);
        }
        let mut is_done = true;
        for (temporary, inside) in std::mem::take(waiting).staged {
            self.step("name object")?;
            let named = if is_done { name_object(git, &temporary, &inside) } else { Err(Errno::CANCELED) };
            match named {
                Ok(()) => self.report.git(),
                // Somebody else made the same object.
                Err(Errno::EXIST) => drop_staged(&git.lower, &temporary),
                Err(errno) => {
                    drop_staged(&git.lower, &temporary);
                    if is_done {
                        self.report.conflict(self.below(&git.path.join(&inside)), clash(errno));
                    }
                    is_done = false;
                }
            }
        }
        Ok(is_done)
    }
}

fn name_object(git: &Git, temporary: &OsStr, inside: &Path) -> Result<(), Errno> {
    let (parent, name) = (inside.parent().unwrap_or(Path::new("")), inside.file_name().unwrap_or_default());
    let directory = match disk::open_below(&git.lower, parent) {
        Err(Errno::NOENT) => {
            disk::make_directories(&git.lower, parent)?;
            disk::open_below(&git.lower, parent)?
        }
        opened => opened?,
    };
    rename_to_free(&git.lower, temporary, &directory, name)
}

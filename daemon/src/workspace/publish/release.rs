//! Publishing what was held back, after a person said yes to exactly that.

use super::disk::{self, Seen};
use super::keep::has_git;
use super::stage::{self, Change, Staged, clash};
use super::tree::{Killed, Run};
use super::{Clash, Held, Kind};
use crate::workspace::image::Image;
use crate::workspace::temporary::temporary_name;
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

/// Directories in directories at most.
const DEPTH: usize = 150;

impl Run<'_> {
    /// Publishes what was held back. What goes makes way for what comes.
    pub(super) fn release(&mut self, held: &[Held]) -> Result<(), Killed> {
        let (gone, rest): (Vec<&Held>, Vec<&Held>) = held.iter().partition(|held| held.kind == Kind::Deleted);
        for held in gone.into_iter().rev().chain(rest) {
            self.layer = held.layer;
            if let Err(clash) = self.release_one(held)? {
                if let (Some(parent), Some(name)) = (held.inside.parent(), held.inside.file_name())
                    && let Ok(lower) =
                        disk::open_root(self.root().as_path()).and_then(|root| disk::open_below(&root, parent))
                {
                    disk::touch(&lower, name);
                }
                self.report.conflict(held.path.clone(), clash);
            }
        }
        self.flush()
    }

    fn release_one(&mut self, held: &Held) -> Result<Result<(), Clash>, Killed> {
        self.step("release")?;
        let (parent, name) =
            (held.inside.parent().unwrap_or(Path::new("")), held.inside.file_name().unwrap_or_default());
        let Some(layer) = self.publication.layers.get(self.layer) else { return Ok(Err(Clash::Changed)) };
        if held.kind != Kind::Deleted
            && let Err(clash) = self.make_parents(parent)
        {
            return Ok(Err(clash));
        }
        let open = || -> Result<(Option<OwnedFd>, OwnedFd), Errno> {
            let root = disk::open_root(self.root().as_path())?;
            // Of what was deleted with all that was around it, nothing is above.
            let upper = disk::open_root(&layer.upper).and_then(|upper| disk::open_below(&upper, parent)).ok();
            Ok((upper, disk::open_below(&root, parent)?))
        };
        let (upper, lower) = match open() {
            Ok(opened) => opened,
            Err(errno) => return Ok(Err(clash(errno))),
        };
        let now = match disk::look(&lower, name) {
            Ok(now) => now,
            Err(errno) => return Ok(Err(clash(errno))),
        };
        if !is_as_seen(now.as_ref(), held.seen) {
            return Ok(Err(Clash::Changed));
        }
        let above = upper.as_ref().and_then(|upper| disk::look(upper, name).ok().flatten());
        match (upper, above.filter(|stat| !disk::is_whiteout(stat))) {
            (Some(upper), Some(stat)) if held.kind != Kind::Deleted => {
                Ok(self.put((&upper, Rc::new(lower)), name, held, &stat, now.as_ref()))
            }
            _ if held.kind == Kind::Deleted => Ok(self.take(&lower, name, held, now.as_ref())),
            _ => Ok(Err(Clash::Changed)),
        }
    }

    /// Writes what the command wrote.
    fn put(
        &mut self,
        (upper, lower): (&OwnedFd, Rc<OwnedFd>),
        name: &OsStr,
        held: &Held,
        stat: &Stat,
        now: Option<&Stat>,
    ) -> Result<(), Clash> {
        let io = |error: std::io::Error| Clash::Io(error.to_string());
        let was_directory = now.is_some_and(|now| disk::kind(now) == FileType::Directory);
        let parent = held.inside.parent().unwrap_or(Path::new(""));
        let root = self.root().as_path();
        self.trail.note(root, parent).map_err(io)?;
        let replaced = now.filter(|_| !was_directory);
        let temporary = match disk::kind(stat) {
            FileType::RegularFile => {
                let file = disk::open_upper_file(upper, name).map_err(clash)?;
                stage::stage_file(&lower, name, &file, stat, replaced).map_err(io)?
            }
            FileType::Symlink => {
                let target = disk::read_link(upper, name).map_err(clash)?;
                stage::stage_link(&lower, name, &target).map_err(clash)?
            }
            FileType::Directory => {
                let mode = 0o777;
                self.record_one(&lower, name, &held.inside, Image::Directory { mode })?;
                return put_directory(&lower, name, now);
            }
            _ => return Err(Clash::Blocked("a device, a socket or a pipe")),
        };
        let kind = if now.is_some() { held.kind } else { Kind::Created };
        let image = match Image::look(&lower, &temporary) {
            Ok(image) => Some(image).filter(|_| self.recorder.is_some() && !has_git(&held.inside)),
            Err(errno) => return Err(clash(errno)),
        };
        let change = Change { kind, before: held.before.clone(), after: held.after.clone(), image };
        if was_directory {
            if let Some(image) = &change.image {
                let recorded = self.record_one(&lower, name, &held.inside, image.clone());
                recorded.inspect_err(|_| stage::drop_staged(&lower, &temporary))?;
            }
            stage::replace_directory(&lower, name, &temporary)?;
            self.report.change(&held.path, change.kind, change.before, change.after);
            return Ok(());
        }
        let (name, path) = (name.to_owned(), held.inside.clone());
        let seen = replaced.map(Seen::new);
        self.batch.push(Staged { directory: lower, temporary, name, path, seen, change }, 0);
        Ok(())
    }

    /// Deletes what the command deleted, and the directories that the command deleted with it once they are empty.
    fn take(&mut self, lower: &OwnedFd, name: &OsStr, held: &Held, now: Option<&Stat>) -> Result<(), Clash> {
        self.record_gone(lower, name, &held.inside)?;
        match now {
            None => return Ok(()),
            Some(stat) if disk::kind(stat) == FileType::Directory => remove(lower, name, 0).map_err(clash)?,
            Some(stat) => stage::delete(lower, name, &Seen::new(stat))?,
        }
        self.report.change(&held.path, Kind::Deleted, held.before.clone(), None);
        let Some(layer) = self.publication.layers.get(self.layer) else { return Ok(()) };
        let (Ok(upper), Ok(root)) = (disk::open_root(&layer.upper), disk::open_root(self.root().as_path())) else {
            return Ok(());
        };
        for folder in held.inside.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let (parent, name) = (folder.parent().unwrap_or(Path::new("")), folder.file_name().unwrap_or_default());
            if !disk::is_deleted(&upper, folder) {
                break;
            }
            let Ok(parent) = disk::open_below(&root, parent) else { break };
            self.record_one(&parent, name, folder, Image::Absent)?;
            if rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn is_as_seen(now: Option<&Stat>, seen: Option<Seen>) -> bool {
    match (now, seen) {
        (None, None) => true,
        // What was in it went before.
        (Some(now), Some(seen)) if disk::kind(now) == FileType::Directory => seen.is_same_file(now),
        (Some(now), Some(seen)) => Seen::new(now) == seen,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Makes a directory, maybe in the place of a file or link. What is to be in it is released by itself.
fn put_directory(lower: &OwnedFd, name: &OsStr, now: Option<&Stat>) -> Result<(), Clash> {
    let make = |name: &OsStr| rustix::fs::mkdirat(lower, name, Mode::from_raw_mode(0o777)).map_err(clash);
    match now {
        None => make(name),
        Some(now) if disk::kind(now) == FileType::Directory => Ok(()),
        Some(now) => {
            let temporary = temporary_name(name);
            make(&temporary)?;
            stage::replace_by_directory(lower, name, &temporary, &Seen::new(now))
        }
    }
}

/// Removes a name and all below it.
fn remove(directory: &OwnedFd, name: &OsStr, depth: usize) -> Result<(), Errno> {
    if depth > DEPTH {
        return Err(Errno::NAMETOOLONG);
    }
    match disk::open_directory(directory, name) {
        Ok(inner) => {
            for child in disk::names(&inner)? {
                remove(&inner, &child, depth + 1)?;
            }
            drop(inner);
            rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)
        }
        Err(Errno::NOTDIR | Errno::LOOP) => rustix::fs::unlinkat(directory, name, AtFlags::empty()),
        Err(errno) => Err(errno),
    }
}

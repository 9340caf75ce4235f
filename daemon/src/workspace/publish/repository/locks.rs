//! Writing git's own files: all locks are taken and all is staged before the first name is switched, as git itself does it.

use super::names::Step;
use super::{Found, Git, Item, MAX_TEXT, texts};
use crate::workspace::publish::Clash;
use crate::workspace::publish::disk::{self, Seen};
use crate::workspace::publish::stage::{clash, drop_staged, stage_file, sync};
use crate::workspace::publish::tree::{Killed, Run};
use crate::workspace::temporary::temporary_name;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

/// An item whose new bytes are staged at the top of the git directory, and whose lock is ours.
struct Prepared {
    item: Item,
    temporary: OsString,
    /// The lock is another name of the staged file: that tells ours from everybody else's.
    is_locked: bool,
}

impl Run<'_> {
    /// Writes everything that was found, or nothing of it.
    pub(super) fn write_items(&mut self, git: &Git, found: Found) -> Result<(), Killed> {
        let mut prepared = Vec::new();
        for item in found.items {
            self.step("prepare")?;
            let path = item.path.clone();
            match self.prepare(git, item) {
                Ok(item) => prepared.push(item),
                Err(clash) => {
                    self.report.conflict(self.below(&git.path.join(path)), clash);
                    self.report.conflict(self.below(&git.path), Clash::Repository);
                    prepared.iter().for_each(|item| abandon(git, item));
                    return Ok(());
                }
            }
        }
        // As git does it by default: references, not logs and not the index.
        for prepared in prepared.iter().filter(|prepared| prepared.item.step.is_durable()) {
            sync(&git.lower, &prepared.temporary);
        }
        self.commit(git, &prepared)?;
        for path in found.gone.iter().rev() {
            self.step("rmdir")?;
            remove_directory(git, path);
        }
        Ok(())
    }

    fn prepare(&mut self, git: &Git, item: Item) -> Result<Prepared, Clash> {
        let io = |error: std::io::Error| Clash::Io(error.to_string());
        let (parent, name) = split(&item.path);
        if item.upper.is_some() {
            disk::make_directories(&git.lower, parent).map_err(clash)?;
        }
        let root = self.root().as_path();
        self.trail.note(root, &git.path).map_err(io)?;
        let temporary = match &item.upper {
            Some(stat) => {
                let directory = disk::open_below(&git.upper, parent).map_err(clash)?;
                let file = disk::open_upper_file(&directory, name).map_err(clash)?;
                stage_file(&git.lower, name, &file, stat, item.lower.as_ref()).map_err(io)?
            }
            None => stage_bytes(&git.lower, name, b"").map_err(io)?,
        };
        let mut prepared = Prepared { item, temporary, is_locked: false };
        if prepared.item.step.is_locked()
            && let Err(error) = self.lock(git, &mut prepared)
        {
            abandon(git, &prepared);
            return Err(error);
        }
        // From here on nobody who asks git may change it.
        if is_as_found(git, &prepared.item) {
            Ok(prepared)
        } else {
            abandon(git, &prepared);
            Err(Clash::Changed)
        }
    }

    fn lock(&mut self, git: &Git, prepared: &mut Prepared) -> Result<(), Clash> {
        let (parent, name) = split(&prepared.item.path);
        let root = self.root().as_path();
        self.trail.note(root, &git.path.join(parent)).map_err(|error| Clash::Io(error.to_string()))?;
        let directory = disk::open_below(&git.lower, parent).map_err(clash)?;
        let locked = rustix::fs::linkat(&git.lower, &prepared.temporary, &directory, lock_name(name), AtFlags::empty());
        match locked {
            Ok(()) => {
                prepared.is_locked = true;
                Ok(())
            }
            Err(Errno::EXIST) => Err(Clash::Locked),
            Err(errno) => Err(clash(errno)),
        }
    }

    fn commit(&mut self, git: &Git, prepared: &[Prepared]) -> Result<(), Killed> {
        let is_gone = |prepared: &&Prepared| prepared.item.upper.is_none();
        let is_early = |prepared: &&Prepared| prepared.item.step <= Step::Head;
        let (gone, written): (Vec<_>, Vec<_>) = prepared.iter().partition(is_gone);
        let (early, late): (Vec<_>, Vec<_>) = written.into_iter().partition(is_early);
        // A linked work tree goes by what names it first: without that git does not look at the rest.
        let (unnamed, gone): (Vec<_>, Vec<_>) = gone.into_iter().partition(|p| p.item.step == Step::Gitdir);
        let packed = early.iter().copied().filter(|prepared| prepared.item.step == Step::PackedRefs);
        let order = early.iter().copied().chain(packed).chain(unnamed).chain(gone).chain(late);
        let (mut done, mut is_packed) = (0_usize, false);
        let order: Vec<&Prepared> = order.collect();
        for prepared in &order {
            self.step("write")?;
            let written = if prepared.item.step == Step::PackedRefs && prepared.item.upper.is_some() && !is_packed {
                is_packed = true;
                write_union(git, prepared)
            } else {
                write_item(git, prepared)
            };
            if let Err(clash) = written {
                self.report.conflict(self.below(&git.path.join(&prepared.item.path)), clash);
                self.report.conflict(self.below(&git.path), Clash::Repository);
                order.iter().skip(done).for_each(|prepared| abandon(git, prepared));
                return Ok(());
            }
            done += 1;
        }
        for _ in prepared {
            self.report.git();
        }
        Ok(())
    }
}

/// Gives an item its new bytes, or takes its name.
fn write_item(git: &Git, prepared: &Prepared) -> Result<(), Clash> {
    let (parent, name) = split(&prepared.item.path);
    let directory = disk::open_below(&git.lower, parent).map_err(clash)?;
    if prepared.item.step != Step::PackedRefs && !is_as_found(git, &prepared.item) {
        return Err(Clash::Changed);
    }
    if prepared.item.upper.is_none() {
        rustix::fs::unlinkat(&directory, name, AtFlags::empty()).map_err(clash)?;
        abandon(git, prepared);
        return Ok(());
    }
    let (from, old) =
        if prepared.is_locked { (&directory, lock_name(name)) } else { (&git.lower, prepared.temporary.clone()) };
    let renamed = match rustix::fs::renameat(from, &old, &directory, name) {
        // Empty directories of branches that are no more.
        Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => {
            remove_empty(&directory, name, 0);
            rustix::fs::renameat(from, &old, &directory, name)
        }
        renamed => renamed,
    };
    renamed.map_err(clash)?;
    if prepared.is_locked {
        drop_staged(&git.lower, &prepared.temporary);
    }
    Ok(())
}

/// Writes the new `packed-refs` with what the old one has beside it; its lock stays.
fn write_union(git: &Git, prepared: &Prepared) -> Result<(), Clash> {
    if !is_as_found(git, &prepared.item) {
        return Err(Clash::Changed);
    }
    let text = |name: &OsStr| {
        let file = disk::open_file(&git.lower, name).ok()?;
        String::from_utf8(disk::read(&file, MAX_TEXT)?).ok()
    };
    let name = OsStr::new("packed-refs");
    let new = text(&prepared.temporary).unwrap_or_default();
    let union = texts::packed_union(&text(name).unwrap_or_default(), &new).unwrap_or(new);
    let io = |error: std::io::Error| Clash::Io(error.to_string());
    let temporary = stage_bytes(&git.lower, name, union.as_bytes()).map_err(io)?;
    rustix::fs::renameat(&git.lower, &temporary, &git.lower, name).map_err(clash)
}

/// Takes back what was prepared: the lock and the staged file. Whatever of it is gone already stays gone.
fn abandon(git: &Git, prepared: &Prepared) {
    let (parent, name) = split(&prepared.item.path);
    if prepared.is_locked
        && let Ok(directory) = disk::open_below(&git.lower, parent)
    {
        let _ = rustix::fs::unlinkat(&directory, lock_name(name), AtFlags::empty());
    }
    drop_staged(&git.lower, &prepared.temporary);
}

fn is_as_found(git: &Git, item: &Item) -> bool {
    let (parent, name) = split(&item.path);
    let now = disk::open_below(&git.lower, parent).and_then(|directory| disk::look(&directory, name));
    match now {
        Ok(now) => now.map(|stat| Seen::new(&stat)) == item.lower.as_ref().map(Seen::new),
        Err(_) => item.lower.is_none() && item.upper.is_none(),
    }
}

fn remove_directory(git: &Git, path: &Path) {
    let (parent, name) = split(path);
    if let Ok(directory) = disk::open_below(&git.lower, parent) {
        remove_empty(&directory, name, 0);
    }
}

/// Removes a directory that holds nothing but such directories.
fn remove_empty(directory: &OwnedFd, name: &OsStr, depth: usize) {
    if depth > super::DEPTH {
        return;
    }
    if let Ok(inner) = disk::open_directory(directory, name) {
        for child in disk::names(&inner).unwrap_or_default() {
            remove_empty(&inner, &child, depth + 1);
        }
        let _ = rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR);
    }
}

fn stage_bytes(directory: &OwnedFd, name: &OsStr, bytes: &[u8]) -> std::io::Result<OsString> {
    let temporary = temporary_name(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(0o644))?);
    file.write_all(bytes).and_then(|()| file.sync_data()).inspect_err(|_| drop_staged(directory, &temporary))?;
    Ok(temporary)
}

fn lock_name(name: &OsStr) -> OsString {
    let mut lock = name.to_owned();
    lock.push(".lock");
    lock
}

fn split(path: &Path) -> (&Path, &OsStr) {
    (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default())
}

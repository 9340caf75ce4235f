//! Files on their way to their names: copied beside their targets, brought to the disk many at once, and switched into place one
//! by one, each only if its name still stands for what it stood for.

use super::disk::{self, Seen};
use super::{Clash, Kind};
use crate::workspace::image::{Image, Touched};
use crate::workspace::temporary::temporary_name;
use crate::workspace::write::{exchange, rename_to_free};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Uid};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;

/// Files staged at most before they are switched.
const FILES: usize = 1024;

/// Bytes staged at most before they are switched.
const BYTES: u64 = 64 << 20;

/// Up to so many files are brought to the disk one by one, more of them with all else of the file system.
const ONE_BY_ONE: usize = 64;

/// What a change is called when it is done, with the texts it is shown with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Change {
    pub(in crate::workspace) kind: Kind,
    pub(in crate::workspace) before: Option<Vec<u8>>,
    pub(in crate::workspace) after: Option<Vec<u8>>,
    /// What will stand there, if that is recorded.
    pub(in crate::workspace) image: Option<Image>,
}

/// A file that is to get other permissions, where it is.
#[derive(Debug)]
pub(in crate::workspace) struct Chmod {
    pub(in crate::workspace) directory: Rc<OwnedFd>,
    pub(in crate::workspace) name: OsString,
    pub(in crate::workspace) file: File,
    /// From the layer's root.
    pub(in crate::workspace) path: PathBuf,
    pub(in crate::workspace) mode: Mode,
    /// Whether it is told of as a file that is new.
    pub(in crate::workspace) showed: bool,
}

/// A staged file or link.
#[derive(Debug)]
pub(in crate::workspace) struct Staged {
    pub(in crate::workspace) directory: Rc<OwnedFd>,
    pub(in crate::workspace) temporary: OsString,
    pub(in crate::workspace) name: OsString,
    /// From the layer's root.
    pub(in crate::workspace) path: PathBuf,
    /// What it replaces.
    pub(in crate::workspace) seen: Option<Seen>,
    pub(in crate::workspace) change: Change,
}

/// What is staged and not yet switched.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Batch {
    staged: Vec<Staged>,
    chmods: Vec<Chmod>,
    shown: Vec<Touched>,
    bytes: u64,
    directories: usize,
}

impl Batch {
    pub(in crate::workspace) fn push(&mut self, staged: Staged, bytes: u64) {
        if self.staged.last().is_none_or(|last| !Rc::ptr_eq(&last.directory, &staged.directory)) {
            self.directories += 1;
        }
        self.staged.push(staged);
        self.bytes += bytes;
    }

    pub(in crate::workspace) fn push_chmod(&mut self, chmod: Chmod) {
        self.chmods.push(chmod);
    }

    /// Adds what shows early and stays as it is: nothing is left to be done but to record it.
    pub(in crate::workspace) fn push_shown(&mut self, touched: Vec<Touched>) {
        self.shown.extend(touched);
    }

    /// Whether it is time to switch. Each directory is a descriptor, and those are few.
    pub(in crate::workspace) fn is_full(&self) -> bool {
        let is_much = self.staged.len() >= FILES || self.bytes >= BYTES;
        is_much || self.directories + self.chmods.len() >= FILES / 8
    }

    /// Brings to the disk what is to replace something, and hands all over to be switched.
    pub(in crate::workspace) fn take(&mut self) -> (Vec<Staged>, Vec<Chmod>, Vec<Touched>) {
        let Self { staged, chmods, shown, .. } = std::mem::take(self);
        // What replaces nothing has nothing to lose: no command waits for its own new files either.
        let replacing: Vec<&Staged> = staged.iter().filter(|staged| staged.seen.is_some()).collect();
        match replacing.as_slice() {
            [first, ..] if replacing.len() > ONE_BY_ONE => {
                // A file system that cannot is one that has no crash to fear.
                let _ = rustix::fs::syncfs(&*first.directory);
            }
            few => few.iter().for_each(|staged| sync(&staged.directory, &staged.temporary)),
        }
        (staged, chmods, shown)
    }
}

/// Copies a regular file to a name that nobody looks for, with its permissions, its mtime and the owner of what it replaces.
pub(in crate::workspace) fn stage_file(
    directory: &OwnedFd,
    name: &OsStr,
    from: &File,
    like: &Stat,
    replaced: Option<&Stat>,
) -> std::io::Result<OsString> {
    let temporary = temporary_name(name);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(0o600))?);
    let write = || -> std::io::Result<()> {
        copy(from, &file)?;
        if let Some(stat) = replaced {
            // Giving files away takes privileges; without them they are ours.
            let _ = rustix::fs::fchown(&file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
        }
        rustix::fs::fchmod(&file, permissions(like))?;
        Ok(disk::set_modified(&file, like)?)
    };
    write().inspect_err(|_| drop_staged(directory, &temporary))?;
    Ok(temporary)
}

/// Brings a staged file's bytes to the disk.
pub(in crate::workspace) fn sync(directory: &OwnedFd, temporary: &OsStr) {
    if let Ok(file) = disk::open_file(directory, temporary) {
        let _ = file.sync_data();
    }
}

/// Makes a link under a name that nobody looks for.
pub(in crate::workspace) fn stage_link(directory: &OwnedFd, name: &OsStr, target: &OsStr) -> Result<OsString, Errno> {
    let temporary = temporary_name(name);
    rustix::fs::symlinkat(target, directory, &temporary)?;
    Ok(temporary)
}

/// Removes a staged name.
pub(in crate::workspace) fn drop_staged(directory: &OwnedFd, temporary: &OsStr) {
    let _ = rustix::fs::unlinkat(directory, temporary, AtFlags::empty());
}

/// The permissions of a published file: nothing runs as somebody else because a command said so.
pub(in crate::workspace) fn permissions(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & 0o1777)
}

/// Gives a staged file its name, if that still stands for what it stood for. Otherwise nothing changes, and the staged file is gone.
pub(in crate::workspace) fn switch(staged: &Staged) -> Result<(), Clash> {
    let (directory, name, temporary) = (&*staged.directory, &staged.name, &staged.temporary);
    let switched = match &staged.seen {
        None => rename_to_free(directory, temporary, directory, name).map_err(|errno| match errno {
            Errno::EXIST => Clash::Changed,
            errno => clash(errno),
        }),
        Some(seen) => replace(directory, name, temporary, seen),
    };
    switched.inspect_err(|_| drop_staged(directory, temporary))
}

fn replace(directory: &OwnedFd, name: &OsStr, temporary: &OsStr, seen: &Seen) -> Result<(), Clash> {
    if disk::look(directory, name).map_err(clash)?.map(|stat| Seen::new(&stat)) != Some(*seen) {
        return Err(Clash::Changed);
    }
    exchange(directory, name, temporary).map_err(clash)?;
    // Somebody may have been quicker than the look: then theirs is put back.
    match disk::look(directory, temporary) {
        Ok(Some(stat)) if seen.is_still(&stat) => {
            drop_staged(directory, temporary);
            Ok(())
        }
        _ => {
            exchange(directory, name, temporary).map_err(clash)?;
            Err(Clash::Changed)
        }
    }
}

/// Deletes a file or link, if its name still stands for what it stood for.
pub(in crate::workspace) fn delete(directory: &OwnedFd, name: &OsStr, seen: &Seen) -> Result<(), Clash> {
    let temporary = temporary_name(name);
    rename_to_free(directory, name, directory, &temporary).map_err(|errno| match errno {
        Errno::NOENT => Clash::Changed,
        errno => clash(errno),
    })?;
    match disk::look(directory, &temporary) {
        Ok(Some(stat)) if seen.is_still(&stat) => {
            rustix::fs::unlinkat(directory, &temporary, AtFlags::empty()).map_err(clash)
        }
        _ => {
            rename_to_free(directory, &temporary, directory, name).map_err(clash)?;
            Err(Clash::Changed)
        }
    }
}

/// Gives a staged file or link the name of a directory that is empty by now. What stands there is only ever gone once the other is in place.
pub(in crate::workspace) fn replace_directory(lower: &OwnedFd, name: &OsStr, temporary: &OsStr) -> Result<(), Clash> {
    exchange(lower, name, temporary).map_err(clash).inspect_err(|_| drop_staged(lower, temporary))?;
    rustix::fs::unlinkat(lower, temporary, AtFlags::REMOVEDIR).map_err(|errno| {
        if exchange(lower, name, temporary).is_ok() {
            drop_staged(lower, temporary);
        }
        if errno == Errno::NOTEMPTY { Clash::NotEmpty } else { clash(errno) }
    })
}

/// Gives a directory that is made beside a file or link its name. What stood there is gone then, if it is still what it was.
pub(in crate::workspace) fn replace_by_directory(
    lower: &OwnedFd,
    name: &OsStr,
    temporary: &OsStr,
    seen: &Seen,
) -> Result<(), Clash> {
    let switched = exchange(lower, name, temporary).map_err(clash).and_then(|()| match disk::look(lower, temporary) {
        Ok(Some(stat)) if seen.is_still(&stat) => Ok(()),
        _ => exchange(lower, name, temporary).map_err(clash).and(Err(Clash::Changed)),
    });
    let flags = if switched.is_ok() { AtFlags::empty() } else { AtFlags::REMOVEDIR };
    let _ = rustix::fs::unlinkat(lower, temporary, flags);
    switched
}

pub(in crate::workspace) fn clash(errno: Errno) -> Clash {
    Clash::Io(std::io::Error::from(errno).to_string())
}

/// Copies the bytes, sharing them where the file system can, and leaves holes as holes.
fn copy(from: &File, to: &File) -> std::io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let size = from.metadata()?.len();
    to.set_len(size)?;
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start,
            // The rest is a hole.
            Err(Errno::NXIO) => return Ok(()),
            Err(Errno::INVAL) => at,
            Err(errno) => return Err(errno.into()),
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start)).unwrap_or(size).min(size);
        copy_range(from, to, start, end)?;
        at = end;
    }
    Ok(())
}

fn copy_range(from: &File, to: &File, start: u64, end: u64) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    let (mut read, mut written) = (start, start);
    while read < end {
        let wanted = usize::try_from(end - read).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), wanted) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // Between file systems that do not know each other.
            Err(_) => break,
        }
    }
    let mut buffer = vec![0; 1 << 17];
    while read < end {
        let length = from.read_at(&mut buffer, read)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        to.write_all_at(bytes, read)?;
        read += length as u64;
    }
    Ok(())
}

/// Whether a name is taken by what has no place in a published folder.
pub(in crate::workspace) fn is_special(stat: &Stat) -> bool {
    !matches!(disk::kind(stat), FileType::RegularFile | FileType::Symlink | FileType::Directory)
}

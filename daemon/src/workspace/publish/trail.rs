//! The list of folders that are being published to, and of files that show early, so that what a crash leaves is found and removed.
//! One list for each publication, in our state directory, locked while its owner lives.
//!
//! A record is the root, the path below it, and nothing for a folder or [`Shown`] in words for a file, each ended by a zero byte.

use super::disk::{self, Seen};
use super::early;
use crate::workspace::temporary::{next_number, temporary_of};
use rustix::fs::{AtFlags, FlockOperation};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How lists are named: this, the process and a number.
const PREFIX: &str = "publishing-";

/// The most of a list that is read, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// A file that shows early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it was before it got its name, which changes the ctime.
    Before(Seen),
    /// As it is under its name.
    Exactly(Seen),
}

impl Shown {
    fn to_text(self) -> String {
        match self {
            Shown::Before(seen) => format!("before {}", seen.to_text()),
            Shown::Exactly(seen) => format!("exactly {}", seen.to_text()),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (word, seen) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        match word {
            "before" => Some(Shown::Before(Seen::parse(seen)?)),
            "exactly" => Some(Shown::Exactly(Seen::parse(seen)?)),
            _ => None,
        }
    }
}

/// The list of one publication. It is on the disk only while something is listed.
#[derive(Debug)]
pub(in crate::workspace) struct Trail {
    path: PathBuf,
    file: Option<File>,
    last: Option<(PathBuf, PathBuf)>,
}

impl Trail {
    pub(in crate::workspace) fn new(state: &Path) -> Self {
        Self { path: state.join(list_name()), file: None, last: None }
    }

    /// Lists a folder, before anything is staged in it.
    pub(in crate::workspace) fn note(&mut self, root: &Path, inside: &Path) -> std::io::Result<()> {
        if self.last.as_ref().is_some_and(|(known, last)| known == root && last == inside) {
            return Ok(());
        }
        self.write(root, inside, "")?;
        self.last = Some((root.to_owned(), inside.to_owned()));
        Ok(())
    }

    /// Lists a file that shows early; the last word on it counts.
    pub(super) fn note_shown(&mut self, root: &Path, inside: &Path, shown: Shown) -> std::io::Result<()> {
        self.write(root, inside, &shown.to_text())
    }

    fn write(&mut self, root: &Path, inside: &Path, what: &str) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = self.create()?;
                self.file.insert(file)
            }
        };
        let fields = [root.as_os_str().as_bytes(), inside.as_os_str().as_bytes(), what.as_bytes()];
        file.write_all(&fields.map(|field| [field, b"\0"].concat()).concat())
    }

    /// Removes the list: nothing staged is left.
    pub(in crate::workspace) fn finish(self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn create(&mut self) -> std::io::Result<File> {
        if let Some(state) = self.path.parent() {
            std::fs::create_dir_all(state)?;
        }
        loop {
            let file = File::options().append(true).create_new(true).mode(0o600).open(&self.path)?;
            let is_locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_locked && rustix::fs::fstat(&file)?.st_nlink > 0 {
                return Ok(file);
            }
            // Another process that sweeps took it for a list that nobody has.
            let _ = std::fs::remove_file(&self.path);
            self.path.set_file_name(list_name());
        }
    }
}

fn list_name() -> String {
    format!("{PREFIX}{}-{}", std::process::id(), next_number())
}

/// Removes what processes that are gone had staged: at the start, by the lists they left. Answers how many names were removed.
pub fn sweep(state: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(state) else { return 0 };
    let lists = entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()));
    lists.map(|list| sweep_list(&list.path())).sum()
}

fn sweep_list(path: &Path) -> usize {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let process = name.trim_start_matches(PREFIX).split('-').next().and_then(|process| process.parse::<u32>().ok());
    let (Some(process), Ok(file)) = (process, File::open(path)) else { return 0 };
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return 0;
    }
    let mut list = Vec::new();
    // The lock is held until the list is gone, so that nobody takes it for theirs.
    if (&file).take(MAX_LIST).read_to_end(&mut list).is_err() {
        return 0;
    }
    let fields: Vec<&[u8]> = list.split(|&byte| byte == 0).collect();
    let path_of = |field| Path::new(OsStr::from_bytes(field));
    let records = fields.chunks_exact(3).filter_map(|record| match record {
        [root, inside, what] => Some((path_of(root), path_of(inside), *what)),
        _ => None,
    });
    let shown =
        records.clone().filter_map(|(root, path, what)| Some((root.to_owned(), path.to_owned(), Shown::parse(what)?)));
    let removed_early = early::sweep_shown(shown);
    let records = records.filter(|(_, _, what)| what.is_empty()).map(|(root, inside, _)| (root, inside));
    let open =
        |(root, inside): (&Path, &Path)| disk::open_root(root).and_then(|root| disk::open_below(&root, inside)).ok();
    // A lock of git's is another name of a staged file: that tells ours from everybody else's. So locks go first.
    let staged: HashSet<(u64, u64)> = records
        .clone()
        .filter_map(open)
        .flat_map(|directory| staged(&directory, process))
        .map(|(_, file)| file)
        .collect();
    let mut removed = removed_early;
    for directory in records.clone().filter_map(open) {
        removed += locks(&directory, &staged).iter().filter(|name| remove(&directory, name)).count();
    }
    for directory in records.filter_map(open) {
        removed += self::staged(&directory, process).iter().filter(|(name, _)| remove(&directory, name)).count();
    }
    let _ = std::fs::remove_file(path);
    removed
}

/// The staged files of a process in a directory, and which files they are.
fn staged(directory: &OwnedFd, process: u32) -> Vec<(OsString, (u64, u64))> {
    let names = disk::names(directory).unwrap_or_default();
    let ours = names.into_iter().filter(|name| temporary_of(name) == Some(process));
    ours.filter_map(|name| Some((identity(directory, &name)?, name))).map(|(file, name)| (name, file)).collect()
}

fn locks(directory: &OwnedFd, staged: &HashSet<(u64, u64)>) -> Vec<OsString> {
    let mut names = disk::names(directory).unwrap_or_default();
    names.retain(|name| name.as_bytes().ends_with(b".lock"));
    names.retain(|name| identity(directory, name).is_some_and(|file| staged.contains(&file)));
    names
}

fn identity(directory: &OwnedFd, name: &OsStr) -> Option<(u64, u64)> {
    disk::look(directory, name).ok()?.map(|stat| (stat.st_dev, stat.st_ino))
}

fn remove(directory: &OwnedFd, name: &OsStr) -> bool {
    rustix::fs::unlinkat(directory, name, AtFlags::empty()).is_ok()
}

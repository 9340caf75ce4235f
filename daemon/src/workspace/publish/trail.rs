//! The list of folders that are being published to, so that what a crash leaves in them is found and removed. One list for each
//! publication, in our state directory, locked while its owner lives.

use super::disk;
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

/// The list of one publication. It is on the disk only while something is listed.
#[derive(Debug)]
pub(super) struct Trail {
    path: PathBuf,
    file: Option<File>,
    last: Option<(PathBuf, PathBuf)>,
}

impl Trail {
    pub(super) fn new(state: &Path) -> Self {
        let name = format!("{PREFIX}{}-{}", std::process::id(), next_number());
        Self { path: state.join(name), file: None, last: None }
    }

    /// Lists a folder, before anything is staged in it.
    pub(super) fn note(&mut self, root: &Path, inside: &Path) -> std::io::Result<()> {
        if self.last.as_ref().is_some_and(|(known, last)| known == root && last == inside) {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(self.create()?);
        }
        if let Some(file) = &mut self.file {
            let record = [root.as_os_str().as_bytes(), b"\0", inside.as_os_str().as_bytes(), b"\0"].concat();
            file.write_all(&record)?;
        }
        self.last = Some((root.to_owned(), inside.to_owned()));
        Ok(())
    }

    /// Removes the list: nothing staged is left.
    pub(super) fn finish(self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn create(&self) -> std::io::Result<File> {
        if let Some(state) = self.path.parent() {
            std::fs::create_dir_all(state)?;
        }
        let file = File::options().append(true).create_new(true).mode(0o600).open(&self.path)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }
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
    if file.take(MAX_LIST).read_to_end(&mut list).is_err() {
        return 0;
    }
    let fields: Vec<&[u8]> = list.split(|&byte| byte == 0).collect();
    let records = fields.chunks_exact(2).filter_map(|record| match record {
        [root, inside] => Some((Path::new(OsStr::from_bytes(root)), Path::new(OsStr::from_bytes(inside)))),
        _ => None,
    });
    let open =
        |(root, inside): (&Path, &Path)| disk::open_root(root).and_then(|root| disk::open_below(&root, inside)).ok();
    // A lock of git's is another name of a staged file: that tells ours from everybody else's. So locks go first.
    let staged: HashSet<(u64, u64)> = records
        .clone()
        .filter_map(open)
        .flat_map(|directory| staged(&directory, process))
        .map(|(_, file)| file)
        .collect();
    let mut removed = 0;
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

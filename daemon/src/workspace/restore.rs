//! Taking the files of a workspace back to a checkpoint: worked out first, then recorded in a checkpoint of its own, so that it can be
//! undone, and then done, each file wholly or not at all. What somebody else changed since is left and named, and so is what could not
//! be had back. No link is followed, names that are protected are taken back as all others are, and what gets other bytes gets the time
//! of now, so that no build takes an old result for fresh.

use super::checkpoint::{Checkpoints, KeepError, Recorder, touched};
use super::image::{Image, Touched};
use super::publish::disk::{self, Seen};
use super::publish::stage::{self, Batch, Staged};
use super::publish::trail::Trail;
use super::publish::{Clash, Kind};
use super::temporary::temporary_name;
use crate::journal::JournalError;
use crate::path::{AbsPath, RootedPath};
use pilotfish_protocol::CheckpointId;
use plan::{Change, Step};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

mod plan;

/// Why a file stays that an editor has changes of.
const UNSAVED: &str = "it has unsaved changes in an editor";

/// What a restore did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The checkpoint that takes it back; none in a dry run, or when nothing was to be done.
    pub checkpoint: Option<CheckpointId>,
    /// Each name that was not as it was, with what was done, in words.
    pub changes: Vec<(RootedPath, String)>,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No checkpoint has this id, or it was collected.
    #[error("there is no checkpoint {0} of this workspace; checkpoint/list has those there are")]
    NotFound(CheckpointId),
    /// The record cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What stands there cannot be kept, so that this could not be undone.
    #[error("nothing was restored: {0}")]
    Unkept(#[from] KeepError),
    /// The folder cannot be opened.
    #[error("cannot open {root}: {why}")]
    Root {
        /// Which.
        root: AbsPath,
        /// The system's words.
        why: String,
    },
    /// The workspace is closed.
    #[error("the workspace is closed")]
    Closed,
}

/// Asked before each step that changes the disk. No is as if the process had been killed there.
type Gate<'a> = &'a dyn Fn(&'static str) -> bool;

/// The gate said no.
struct Killed;

/// Takes the files back, or says what that would do. Blocks; only the owner of the workspace may call it.
///
/// # Errors
/// When there is no such checkpoint, or what stands there cannot be recorded. Then nothing changed.
pub(super) fn restore(
    root: &AbsPath,
    checkpoints: &Checkpoints,
    id: &CheckpointId,
    dry_run: bool,
    unsaved: &BTreeSet<RootedPath>,
) -> Result<Restored, RestoreError> {
    restore_through(root, checkpoints, id, dry_run, unsaved, &|_| true)
}

fn restore_through(
    root: &AbsPath,
    checkpoints: &Checkpoints,
    id: &CheckpointId,
    dry_run: bool,
    unsaved: &BTreeSet<RootedPath>,
    gate: Gate<'_>,
) -> Result<Restored, RestoreError> {
    let recorder = checkpoints.of_restore(root, id);
    let rows = checkpoints.journal().touched_since(id)?;
    if rows.is_empty() {
        return Err(RestoreError::NotFound(id.clone()));
    }
    // Held before anything else is done: what is recorded below may be one too many, and this one the oldest.
    let rows: Vec<Touched> = rows.into_iter().filter_map(touched).collect();
    rows.iter().filter_map(|row| row.before.hash()).for_each(|hash| recorder.hold(hash));
    let opened = disk::open_root(root.as_path())
        .map_err(|errno| RestoreError::Root { root: root.clone(), why: std::io::Error::from(errno).to_string() })?;
    let restore = Restore { root, top: opened, checkpoints, recorder };
    let mut steps = restore.steps(rows);
    // Their editors would write over what is restored.
    for (_, step) in steps.iter_mut().filter(|(path, _)| unsaved.contains(path)) {
        *step = Step::Left(UNSAVED);
    }
    if dry_run {
        return Ok(restore.told(&steps, &BTreeMap::new()));
    }
    let Ready { changes, mut failed } = restore.record(&steps)?;
    let mut work =
        Work { restore: &restore, gate, trail: Trail::new(recorder_state(&restore)), batch: Batch::default() };
    if work.all(&changes, &mut failed).is_ok() {
        work.trail.finish();
    }
    Ok(restore.told(&steps, &failed))
}

fn recorder_state<'a>(restore: &'a Restore<'_>) -> &'a Path {
    restore.recorder.state()
}

struct Restore<'a> {
    root: &'a AbsPath,
    top: OwnedFd,
    checkpoints: &'a Checkpoints,
    recorder: Recorder,
}

/// A change with the name it is about, looked at and recorded.
struct Recorded {
    path: RootedPath,
    change: Change,
    seen: Option<Seen>,
}

struct Ready {
    changes: Vec<Recorded>,
    failed: Failed,
}

/// What stays against the plan, and why.
type Failed = BTreeMap<RootedPath, String>;

impl Restore<'_> {
    fn steps(&self, rows: Vec<Touched>) -> BTreeMap<RootedPath, Step> {
        let wishes = plan::wishes(rows);
        let now = wishes.keys().map(|path| (path.clone(), self.look(path))).collect();
        let names = |path: &RootedPath| {
            disk::open_below(&self.top, path.as_path()).and_then(|folder| disk::names(&folder)).unwrap_or_default()
        };
        let is_kept = |image: &Image| image.hash().is_some_and(|hash| self.checkpoints.blobs().has(&hash));
        let is_folder = |path: &Path| disk::open_below(&self.top, path).is_ok();
        plan::plan(&wishes, &now, names, is_kept, is_folder)
    }

    fn look(&self, path: &RootedPath) -> Image {
        let found = self.open(path).and_then(|(directory, name)| Image::look(&directory, name));
        match found {
            Ok(image) => image,
            Err(errno) if is_no_folder(errno) => Image::Absent,
            Err(_) => Image::Other,
        }
    }

    /// The directory a name lies in, through no link.
    fn open<'p>(&self, path: &'p RootedPath) -> Result<(OwnedFd, &'p OsStr), Errno> {
        let name = path.as_path().file_name().ok_or(Errno::INVAL)?;
        Ok((disk::open_below(&self.top, parent(path))?, name))
    }

    /// Keeps and records all that is to change. What changed since it was looked at is left.
    fn record(&self, steps: &BTreeMap<RootedPath, Step>) -> Result<Ready, RestoreError> {
        let (mut changes, mut failed, mut all) = (Vec::new(), Failed::new(), Vec::new());
        for (path, step) in steps {
            let Step::Change(change) = step else { continue };
            let (before, seen) = match self.open(path) {
                Ok((directory, name)) => {
                    let stat = disk::look(&directory, name).map_err(KeepError::from)?;
                    (self.recorder.keep(&directory, name)?, stat.as_ref().map(Seen::new))
                }
                // Its folder comes with this restore.
                Err(errno) if is_no_folder(errno) => (Image::Absent, None),
                Err(errno) => return Err(KeepError::from(errno).into()),
            };
            let is_lost = before.hash().is_some_and(|hash| !self.checkpoints.blobs().has(&hash));
            if before != change.now || is_lost {
                let why = if is_lost { plan::UNKEPT } else { plan::CHANGED };
                failed.insert(path.clone(), why.to_owned());
                continue;
            }
            all.push(Touched { path: path.clone(), before, after: change.target.clone() });
            changes.push(Recorded { path: path.clone(), change: change.clone(), seen });
        }
        self.recorder.touch(&all)?;
        Ok(Ready { changes, failed })
    }

    fn told(&self, steps: &BTreeMap<RootedPath, Step>, failed: &Failed) -> Restored {
        let words = |(path, step): (&RootedPath, &Step)| {
            let word = match (failed.get(path), step) {
                (Some(why), _) => format!("left: {why}"),
                (None, Step::Left(why)) => format!("left: {why}"),
                (None, Step::Change(change)) => change.word().to_owned(),
            };
            (path.clone(), word)
        };
        Restored { checkpoint: self.recorder.checkpoint(), changes: steps.iter().map(words).collect() }
    }
}

/// Whether the way to a name is none: something in it is gone, no folder, or a link.
fn is_no_folder(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

fn parent(path: &RootedPath) -> &Path {
    path.as_path().parent().unwrap_or(Path::new(""))
}

/// The part that changes the disk.
struct Work<'a> {
    restore: &'a Restore<'a>,
    gate: Gate<'a>,
    trail: Trail,
    batch: Batch,
}

impl Work<'_> {
    fn all(&mut self, changes: &[Recorded], failed: &mut Failed) -> Result<(), Killed> {
        // From below, so that folders are empty when their turn comes.
        for recorded in changes.iter().rev().filter(|recorded| recorded.change.target == Image::Absent) {
            self.step("delete")?;
            note_failed(failed, &recorded.path, self.delete(recorded));
        }
        for recorded in changes.iter().filter(|recorded| recorded.change.target != Image::Absent) {
            self.step("put")?;
            note_failed(failed, &recorded.path, self.put(recorded));
            if self.batch.is_full() {
                self.flush(failed)?;
            }
        }
        self.flush(failed)?;
        // Last, and from below, as they may keep us out.
        for Recorded { path, change, .. } in changes.iter().rev() {
            if let Image::Directory { mode } = change.target {
                self.step("mode")?;
                let opened = disk::open_below(&self.restore.top, path.as_path());
                let set = opened.and_then(|folder| rustix::fs::fchmod(folder, Mode::from_raw_mode(mode)));
                note_failed(failed, path, set.map_err(stage::clash));
            }
        }
        Ok(())
    }

    fn step(&self, name: &'static str) -> Result<(), Killed> {
        if (self.gate)(name) { Ok(()) } else { Err(Killed) }
    }

    fn delete(&mut self, recorded: &Recorded) -> Result<(), Clash> {
        let (directory, name) = self.restore.open(&recorded.path).map_err(stage::clash)?;
        match (&recorded.change.now, recorded.seen) {
            (Image::Directory { .. }, _) => {
                rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR).map_err(not_empty)
            }
            (_, Some(seen)) => {
                self.note(&recorded.path)?;
                stage::delete(&directory, name, &seen)
            }
            (_, None) => Ok(()),
        }
    }

    fn put(&mut self, recorded: &Recorded) -> Result<(), Clash> {
        let Recorded { path, change, seen } = recorded;
        let (directory, name) = self.restore.open(path).map_err(stage::clash)?;
        let staged = match (&change.now, &change.target) {
            (Image::File { print, .. }, Image::File { print: target, mode, .. }) if print == target => {
                return set_mode(&directory, name, seen.as_ref(), *mode);
            }
            (_, Image::File { mode, .. }) => {
                self.note(path)?;
                self.stage_file(&directory, name, &change.target, *mode)?
            }
            (_, Image::Link { target }) => {
                self.note(path)?;
                stage::stage_link(&directory, name, target).map_err(stage::clash)?
            }
            (Image::Directory { .. }, Image::Directory { .. }) => return Ok(()),
            (now, Image::Directory { .. }) => {
                self.note(path)?;
                return make_directory(&directory, name, now, seen.as_ref());
            }
            (_, Image::Absent | Image::Other) => return Ok(()),
        };
        if let Image::Directory { .. } = change.now {
            return stage::replace_directory(&directory, name, &staged);
        }
        let bytes = if let Image::File { size, .. } = change.target { size } else { 0 };
        let unsaid = stage::Change { kind: Kind::Changed, before: None, after: None, image: None };
        self.batch.push(
            Staged {
                directory: Rc::new(directory),
                temporary: staged,
                name: name.to_owned(),
                path: path.as_path().to_owned(),
                seen: *seen,
                change: unsaid,
            },
            bytes,
        );
        Ok(())
    }

    fn flush(&mut self, failed: &mut Failed) -> Result<(), Killed> {
        for staged in self.batch.take().0 {
            self.step("switch")?;
            if let (Some(path), Err(clash)) = (RootedPath::of_names(&staged.path), stage::switch(&staged)) {
                failed.insert(path, in_words(&clash));
            }
        }
        Ok(())
    }

    /// Writes kept bytes beside a name. The time of now is theirs.
    fn stage_file(
        &self,
        directory: &OwnedFd,
        name: &OsStr,
        target: &Image,
        mode: u32,
    ) -> Result<std::ffi::OsString, Clash> {
        let io = |error: std::io::Error| Clash::Io(error.to_string());
        let hash = target.hash().ok_or_else(|| Clash::Io(plan::UNKEPT.to_owned()))?;
        let bytes = self.restore.checkpoints.blobs().get(&hash).map_err(io)?;
        let temporary = temporary_name(name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(0o600));
        let mut file = File::from(opened.map_err(stage::clash)?);
        let owner = disk::look(directory, name).ok().flatten();
        let mut write = || -> std::io::Result<()> {
            file.write_all(&bytes)?;
            if let Some(stat) = owner {
                // Giving files away takes privileges; without them they are ours.
                let (user, group) = (rustix::fs::Uid::from_raw(stat.st_uid), rustix::fs::Gid::from_raw(stat.st_gid));
                let _ = rustix::fs::fchown(&file, Some(user), Some(group));
            }
            Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?)
        };
        write().map_err(io).inspect_err(|_| stage::drop_staged(directory, &temporary))?;
        Ok(temporary)
    }

    /// Lists the folder of a name, before anything is staged there.
    fn note(&mut self, path: &RootedPath) -> Result<(), Clash> {
        let noted = self.trail.note(self.restore.root.as_path(), parent(path));
        noted.map_err(|error| Clash::Io(error.to_string()))
    }
}

/// Gives a file other permissions where it is, if it is still the one that was looked at.
fn set_mode(directory: &OwnedFd, name: &OsStr, seen: Option<&Seen>, mode: u32) -> Result<(), Clash> {
    let path = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, path, Mode::empty()).map_err(stage::clash)?;
    let stat = rustix::fs::fstat(&file).map_err(stage::clash)?;
    if seen.is_none_or(|seen| !seen.is_still(&stat)) {
        return Err(Clash::Changed);
    }
    use std::os::fd::AsRawFd;
    // A file that may not even be read can be named so.
    let named = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    rustix::fs::chmod(named, Mode::from_raw_mode(mode)).map_err(stage::clash)
}

/// Makes a directory, maybe in the place of a file or link. Its permissions come last.
fn make_directory(directory: &OwnedFd, name: &OsStr, now: &Image, seen: Option<&Seen>) -> Result<(), Clash> {
    let make = |name: &OsStr| rustix::fs::mkdirat(directory, name, Mode::from_raw_mode(0o700)).map_err(stage::clash);
    let (false, Some(seen)) = (*now == Image::Absent, seen) else { return make(name) };
    let temporary = temporary_name(name);
    make(&temporary)?;
    stage::replace_by_directory(directory, name, &temporary, seen)
}

fn note_failed(failed: &mut Failed, path: &RootedPath, done: Result<(), Clash>) {
    if let Err(clash) = done {
        failed.insert(path.clone(), in_words(&clash));
    }
}

fn in_words(clash: &Clash) -> String {
    match clash {
        Clash::Changed => plan::CHANGED.to_owned(),
        Clash::NotEmpty => plan::NOT_EMPTY.to_owned(),
        other => other.to_string(),
    }
}

fn not_empty(errno: Errno) -> Clash {
    if errno == Errno::NOTEMPTY { Clash::NotEmpty } else { stage::clash(errno) }
}

#[cfg(test)]
mod tests;

//! The only writer of user files. Changes are made all or none: every new text is first staged beside its target, then what stands
//! there is recorded for a checkpoint and the names are switched, and when a switch fails the earlier ones are taken back. A reader sees
//! each file wholly old or wholly new.

use super::checkpoint::Recorder;
use super::files::{ReadError, open_beneath, read};
use super::image::Image;
use super::publish::trail::Trail;
use super::temporary::temporary_name;
use crate::path::{AbsPath, RootedPath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

mod record;

/// Links followed before a name counts as a loop; the kernel's own limit is 40.
const LINKS: usize = 16;

/// A change of one file or directory. Each is made from a text: `before` is compared with what stands there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Creates a file, with the directories above it. It must not exist.
    Create {
        /// Where.
        path: RootedPath,
        /// What.
        bytes: Vec<u8>,
    },
    /// Replaces a file's bytes. Its mode stays; a link stays a link.
    Replace {
        /// Where.
        path: RootedPath,
        /// What it held.
        before: Vec<u8>,
        /// What it will hold.
        bytes: Vec<u8>,
    },
    /// Deletes a file.
    Delete {
        /// Where.
        path: RootedPath,
        /// What it held.
        before: Vec<u8>,
    },
    /// Gives a file another name and maybe other bytes. The new name must be free.
    Move {
        /// Where it was.
        from: RootedPath,
        /// Where it will be.
        to: RootedPath,
        /// What it held.
        before: Vec<u8>,
        /// What it will hold.
        bytes: Vec<u8>,
    },
    /// Gives a directory another name. The new name must be free.
    MoveDirectory {
        /// Where it was.
        from: RootedPath,
        /// Where it will be.
        to: RootedPath,
    },
}

impl Change {
    /// The names that it is about.
    pub(super) fn paths(&self) -> impl Iterator<Item = &RootedPath> {
        let (one, other) = match self {
            Change::Create { path, .. } | Change::Replace { path, .. } | Change::Delete { path, .. } => (path, None),
            Change::Move { from, to, .. } | Change::MoveDirectory { from, to } => (from, Some(to)),
        };
        std::iter::once(one).chain(other)
    }
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file changed since the change was made from it.
    #[error("{0} changed on disk since it was read; nothing was written")]
    Stale(RootedPath),
    /// The name is taken.
    #[error("{0} already exists; nothing was written")]
    Exists(RootedPath),
    /// The file cannot be opened.
    #[error("{0}; nothing was written")]
    Read(#[from] ReadError),
    /// A link on the way leaves the root.
    #[error("{0} leads out of the workspace through a link; nothing was written")]
    Leaves(RootedPath),
    /// The root itself was named.
    #[error("{0} is the workspace itself; nothing was written")]
    Root(RootedPath),
    /// The system says no.
    #[error("cannot write {path}: {why}; nothing was written")]
    Io {
        /// Which.
        path: RootedPath,
        /// The system's words.
        why: String,
    },
    /// The system says no, and then again on the way back.
    #[error("cannot write {path}: {why}; and {left} could not be put back: look at it before you go on")]
    Torn {
        /// Which could not be written.
        path: RootedPath,
        /// The system's words.
        why: String,
        /// Which is not as before.
        left: RootedPath,
    },
    /// What stands there cannot be recorded, so that it could not be taken back.
    #[error("nothing was written in {root}: {why}")]
    Unrecorded {
        /// The workspace.
        root: AbsPath,
        /// Why not.
        why: String,
    },
    /// Somebody else changed the same lines since.
    #[error("{0} was changed since it was read, in the same place; nothing was written. Read it again")]
    Overlap(RootedPath),
    /// Several editors have it open, each with changes of its own.
    #[error(
        "{0} has different unsaved changes in two editors; nothing was written. One of them is to be saved or closed first"
    )]
    Split(RootedPath),
    /// It would go, and with it what was typed and not saved.
    #[error("{0} has unsaved changes in an editor; nothing was written. It is to be saved or closed first")]
    Unsaved(RootedPath),
    /// Somebody went on typing there.
    #[error("{0} is being typed in, just there; nothing was written. Try again later")]
    Busy(RootedPath),
    /// The editor that has it open did not change it.
    #[error("cannot change {path}: {why}; nothing was written")]
    Refused {
        /// Which.
        path: RootedPath,
        /// The editor's words.
        why: String,
    },
    /// There is no showing it without making it.
    #[error("moving the folder {0} cannot be proposed; nothing was proposed. Propose moving its files")]
    NoProposal(RootedPath),
    /// The workspace is closed.
    #[error("the workspace {root} is closed")]
    Closed {
        /// Which.
        root: AbsPath,
    },
}

impl WriteError {
    /// Whether the change met what a person has there.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Stale(_) | Self::Overlap(_) | Self::Split(_) | Self::Unsaved(_) | Self::Busy(_))
    }
}

/// Makes all changes or none.
pub(super) fn apply(root: &AbsPath, changes: &[Change], recorder: &Recorder) -> Result<(), WriteError> {
    let mut switches = Switches { recorder, trail: Trail::new(recorder.state()), done: Vec::new() };
    for change in changes {
        // Staging and switching go change by change, so that a later change may build on an earlier one's names.
        if let Err(error) = switches.make(root, change) {
            return Err(switches.take_back(error));
        }
    }
    switches.finish();
    Ok(())
}

/// A name in a directory that is held open: what happens to the path above it no longer matters.
struct Place {
    path: RootedPath,
    directory: OwnedFd,
    name: OsString,
}

/// One switched name, with what it takes to switch it back.
enum Switch {
    /// A file that was not there.
    Created(Place),
    /// A file whose former self lies under another name.
    Replaced(Place, OsString),
    /// A file that lies under another name.
    Hidden(Place, OsString),
    /// A directory under its new name.
    MovedDirectory(Place, Place),
    /// A directory that was not there.
    MadeDirectory(Place),
}

struct Switches<'a> {
    recorder: &'a Recorder,
    trail: Trail,
    done: Vec<Switch>,
}

impl Switches<'_> {
    fn make(&mut self, root: &AbsPath, change: &Change) -> Result<(), WriteError> {
        match change {
            Change::Create { path, bytes } => self.create(root, path, bytes, None),
            Change::Replace { path, before, bytes } => {
                let place = self.existing(root, path, before)?;
                let mode = status(&place)?;
                let temporary = self.stage(root, &place, bytes, Some(mode))?;
                self.touch_staged(root, &place, &temporary)?;
                if let Err(errno) = exchange(&place.directory, &place.name, &temporary) {
                    let _ = rustix::fs::unlinkat(&place.directory, &temporary, AtFlags::empty());
                    return Err(io(path, errno));
                }
                self.done.push(Switch::Replaced(place, temporary));
                Ok(())
            }
            Change::Delete { path, before } => {
                let place = self.existing(root, path, before)?;
                self.hide(root, place)
            }
            Change::Move { from, to, before, bytes } => {
                let place = self.existing(root, from, before)?;
                let mode = status(&place)?;
                self.create(root, to, bytes, Some(mode))?;
                self.hide(root, place)
            }
            Change::MoveDirectory { from, to } => {
                let old = place(root, from)?;
                let new = self.place_with_parents(root, to)?;
                self.touch_tree(root, &old, &new)?;
                move_name(&old, &new)?;
                self.done.push(Switch::MovedDirectory(old, new));
                Ok(())
            }
        }
    }

    /// The place of a file that must still hold what the change was made from.
    fn existing(&self, root: &AbsPath, path: &RootedPath, before: &[u8]) -> Result<Place, WriteError> {
        let now = read(root, path, u64::MAX)?;
        if now.bytes != before {
            return Err(WriteError::Stale(path.clone()));
        }
        place(root, path)
    }

    fn create(
        &mut self,
        root: &AbsPath,
        path: &RootedPath,
        bytes: &[u8],
        like: Option<rustix::fs::Stat>,
    ) -> Result<(), WriteError> {
        let place = self.place_with_parents(root, path)?;
        let temporary = self.stage(root, &place, bytes, like)?;
        self.touch_staged(root, &place, &temporary)?;
        let renamed = rename_to_free(&place.directory, &temporary, &place.directory, &place.name);
        if let Err(errno) = renamed {
            let _ = rustix::fs::unlinkat(&place.directory, &temporary, AtFlags::empty());
            return Err(if errno == Errno::EXIST { WriteError::Exists(path.clone()) } else { io(path, errno) });
        }
        self.done.push(Switch::Created(place));
        Ok(())
    }

    fn hide(&mut self, root: &AbsPath, place: Place) -> Result<(), WriteError> {
        self.note(root, &place)?;
        self.touch(root, &place, Image::Absent)?;
        let hidden = temporary_name(&place.name);
        rename_to_free(&place.directory, &place.name, &place.directory, &hidden)
            .map_err(|errno| io(&place.path, errno))?;
        self.done.push(Switch::Hidden(place, hidden));
        Ok(())
    }

    /// Writes the bytes beside their target, on the disk, with the mode and owner of what they replace.
    fn stage(
        &mut self,
        root: &AbsPath,
        place: &Place,
        bytes: &[u8],
        like: Option<rustix::fs::Stat>,
    ) -> Result<OsString, WriteError> {
        self.note(root, place)?;
        let temporary = temporary_name(&place.name);
        let write = || -> std::io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let descriptor = rustix::fs::openat(&place.directory, &temporary, flags, Mode::from_raw_mode(0o666))?;
            if let Some(stat) = like {
                // Giving files away takes privileges; without them the mode alone is kept.
                let owner = (rustix::fs::Uid::from_raw(stat.st_uid), rustix::fs::Gid::from_raw(stat.st_gid));
                let _ = rustix::fs::fchown(&descriptor, Some(owner.0), Some(owner.1));
                rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(stat.st_mode))?;
            }
            let mut file = File::from(descriptor);
            file.write_all(bytes)?;
            file.sync_data()
        };
        write().map_err(|error| {
            let _ = rustix::fs::unlinkat(&place.directory, &temporary, AtFlags::empty());
            WriteError::Io { path: place.path.clone(), why: error.to_string() }
        })?;
        Ok(temporary)
    }

    /// The place of a name whose directories may have to be made.
    fn place_with_parents(&mut self, root: &AbsPath, path: &RootedPath) -> Result<Place, WriteError> {
        let mut missing = Vec::new();
        let mut parent = path.as_path().parent().unwrap_or(Path::new(""));
        loop {
            match open_beneath(root, parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) {
                Ok(_) => break,
                Err(Errno::NOENT) => {
                    missing.push(parent.to_owned());
                    parent = parent.parent().unwrap_or(Path::new(""));
                }
                Err(errno) => return Err(io(path, errno)),
            }
        }
        for directory in missing.into_iter().rev() {
            let directory = rooted(root, &directory);
            let place = place(root, &directory)?;
            // Its permissions are what the person's umask leaves of these.
            self.touch(root, &place, Image::Directory { mode: 0o777 })?;
            match rustix::fs::mkdirat(&place.directory, &place.name, Mode::from_raw_mode(0o777)) {
                Ok(()) => self.done.push(Switch::MadeDirectory(place)),
                // Somebody else made it meanwhile; it is not ours to take back.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(io(path, errno)),
            }
        }
        place(root, path)
    }

    fn take_back(self, error: WriteError) -> WriteError {
        let error = Self::take_all_back(self.done, error);
        // What could not be put back lies under a name of ours, and is nobody's to sweep.
        self.trail.finish();
        error
    }

    fn take_all_back(done: Vec<Switch>, error: WriteError) -> WriteError {
        for switch in done.into_iter().rev() {
            let (path, result) = match &switch {
                Switch::Created(place) => {
                    (&place.path, rustix::fs::unlinkat(&place.directory, &place.name, AtFlags::empty()))
                }
                Switch::Replaced(place, former) | Switch::Hidden(place, former) => {
                    (&place.path, rustix::fs::renameat(&place.directory, former, &place.directory, &place.name))
                }
                Switch::MovedDirectory(old, new) => {
                    (&old.path, rename_to_free(&new.directory, &new.name, &old.directory, &old.name))
                }
                Switch::MadeDirectory(place) => {
                    (&place.path, rustix::fs::unlinkat(&place.directory, &place.name, AtFlags::REMOVEDIR))
                }
            };
            if result.is_err() {
                let (path, left) = (path.clone(), path.clone());
                return WriteError::Torn { path, why: error.to_string(), left };
            }
        }
        error
    }

    fn finish(self) {
        for switch in self.done {
            if let Switch::Replaced(place, former) | Switch::Hidden(place, former) = switch {
                let _ = rustix::fs::unlinkat(&place.directory, &former, AtFlags::empty());
            }
        }
        self.trail.finish();
    }
}

/// Finds the directory and the name a path means, through links that stay inside.
fn place(root: &AbsPath, path: &RootedPath) -> Result<Place, WriteError> {
    let mut at: PathBuf = path.as_path().to_owned();
    for _ in 0..LINKS {
        let Some(name) = at.file_name().map(OsStr::to_owned) else {
            return Err(WriteError::Root(path.clone()));
        };
        let parent = at.parent().unwrap_or(Path::new(""));
        let directory = open_beneath(root, parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
            .map_err(|errno| io(path, errno))?;
        let target = match rustix::fs::readlinkat(&directory, &name, Vec::new()) {
            Ok(target) => PathBuf::from(OsStr::from_bytes(target.as_bytes())),
            // Not a link, or not there: this is the place.
            Err(Errno::INVAL | Errno::NOENT) => return Ok(Place { path: path.clone(), directory, name }),
            Err(errno) => return Err(io(path, errno)),
        };
        let next = root.as_path().join(parent).join(target);
        let inside = next.to_str().and_then(|next| RootedPath::new(root, next).ok());
        at = inside.ok_or_else(|| WriteError::Leaves(path.clone()))?.as_path().to_owned();
    }
    Err(WriteError::Leaves(path.clone()))
}

fn status(place: &Place) -> Result<rustix::fs::Stat, WriteError> {
    rustix::fs::statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| io(&place.path, errno))
}

fn move_name(old: &Place, new: &Place) -> Result<(), WriteError> {
    if FileType::from_raw_mode(status(old)?.st_mode) != FileType::Directory {
        return Err(WriteError::Io { path: old.path.clone(), why: "it is not a directory".to_owned() });
    }
    rename_to_free(&old.directory, &old.name, &new.directory, &new.name).map_err(|errno| match errno {
        Errno::EXIST => WriteError::Exists(new.path.clone()),
        errno => io(&old.path, errno),
    })
}

/// Switches a staged file with its target. The staged name then holds the former file.
pub(super) fn exchange(directory: &OwnedFd, name: &OsStr, temporary: &OsStr) -> Result<(), Errno> {
    match rustix::fs::renameat_with(directory, temporary, directory, name, RenameFlags::EXCHANGE) {
        // File systems that cannot exchange can link.
        Err(Errno::INVAL | Errno::NOSYS) => {
            let mut spare = temporary.to_owned();
            spare.push("-old");
            rustix::fs::linkat(directory, name, directory, &spare, AtFlags::empty())?;
            rustix::fs::renameat(directory, temporary, directory, name)?;
            rustix::fs::renameat(directory, &spare, directory, temporary)
        }
        exchanged => exchanged,
    }
}

/// Renames, unless the new name is taken.
pub(super) fn rename_to_free(from: &OwnedFd, old: &OsStr, to: &OwnedFd, new: &OsStr) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        // File systems that cannot promise it are asked whether the name is free.
        Err(Errno::INVAL | Errno::NOSYS) => match rustix::fs::statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => rustix::fs::renameat(from, old, to, new),
            Ok(_) => Err(Errno::EXIST),
            Err(errno) => Err(errno),
        },
        renamed => renamed,
    }
}

fn rooted(root: &AbsPath, path: &Path) -> RootedPath {
    // `path` is a parent of a rooted path, so it has no `..` to go wrong with.
    RootedPath::new(root, &path.to_string_lossy()).expect("a parent of a rooted path is rooted")
}

fn io(path: &RootedPath, errno: Errno) -> WriteError {
    match errno {
        Errno::XDEV | Errno::LOOP => WriteError::Leaves(path.clone()),
        errno => WriteError::Io { path: path.clone(), why: std::io::Error::from(errno).to_string() },
    }
}

//! Removing what a command left, whatever it left: links are never followed, what it closed to itself is opened again, and neither depth
//! nor the length of names matters. What cannot be removed spares nothing beside it. Nobody else may be at work in the folder.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmodat, fchmod, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

/// How a folder is opened.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// How deep a folder may lie that is kept. What tools build lies near; a command that goes deeper is up to something else.
const MOST_LEVELS: usize = 128;

/// Removes a file, or a folder with all in it. What is not there is removed already.
///
/// # Errors
/// When something cannot be removed: the first such thing. All else is removed nevertheless.
pub fn remove(path: &Path) -> io::Result<()> {
    let (holder, name) = match split(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        split => split?,
    };
    match unlinkat(&holder, &name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        // Systems differ in how they say that it is a folder.
        Err(Errno::ISDIR | Errno::PERM) => Walk::new(holder, &|_| false).run(&name, Doing::Remove).map(drop),
        Err(error) => Err(error.into()),
    }
}

/// Removes all below `root` but the folders that `is_kept` names, by their paths below it, and what holds them. Returns how many bytes
/// on disk are left.
///
/// # Errors
/// When something cannot be read or removed: the first such thing.
pub(crate) fn keep_only(root: &Path, is_kept: &dyn Fn(&Path) -> bool) -> io::Result<u64> {
    let (holder, name) = split(root)?;
    Walk::new(holder, is_kept).run(&name, Doing::Sift)
}

/// Opens the folder that holds what a path names.
fn split(path: &Path) -> io::Result<(OwnedFd, CString)> {
    let (Some(holder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other(format!("{} has no name", path.display())));
    };
    let holder = if holder == Path::new("") { Path::new(".") } else { holder };
    let holder = openat(CWD, holder, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
    Ok((holder, CString::new(name.as_bytes())?))
}

/// What is done with a folder and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Remove,
    /// Only what is kept stays, and what holds it.
    Sift,
    /// It stays, and its bytes are counted.
    Measure,
}

/// A folder on the way from the root to where a walk is.
struct Level {
    /// Its name in the folder above.
    name: CString,
    doing: Doing,
    /// The device and number of the folder above.
    above: (u64, u64),
    /// The folders in it that were not gone through yet.
    waiting: Vec<CString>,
    /// Whether something of it is kept.
    stays: bool,
}

/// Goes through a tree with one folder open, whose way back is its `..`: a descriptor or a stack frame for each level would be for the
/// command to use up.
struct Walk<'a> {
    /// The last of the levels; without any, the folder that holds the tree.
    at: OwnedFd,
    levels: Vec<Level>,
    /// Where it is below the root, as far as that is sifted.
    below: PathBuf,
    is_kept: &'a dyn Fn(&Path) -> bool,
    bytes: u64,
    /// What went wrong first.
    fault: Option<io::Error>,
}

impl<'a> Walk<'a> {
    fn new(holder: OwnedFd, is_kept: &'a dyn Fn(&Path) -> bool) -> Self {
        Self { at: holder, levels: Vec::new(), below: PathBuf::new(), is_kept, bytes: 0, fault: None }
    }

    /// Goes through the folder of that name. Returns how many bytes on disk are kept.
    fn run(mut self, name: &CStr, doing: Doing) -> io::Result<u64> {
        let entered = self.enter(name, doing);
        self.note(entered);
        // The root of what is sifted stays, whatever becomes of the rest.
        if let Some(root) = self.levels.last_mut() {
            root.stays |= doing == Doing::Sift;
        }
        while let Some(level) = self.levels.last_mut() {
            match (level.waiting.pop(), level.doing) {
                (Some(name), Doing::Sift) => self.enter_sifted(&name),
                (Some(name), doing @ (Doing::Remove | Doing::Measure)) => {
                    let entered = self.enter(&name, doing);
                    self.note(entered);
                }
                (None, _) => self.leave()?,
            }
        }
        self.fault.map_or(Ok(self.bytes), Err)
    }

    /// Goes into a folder of one that is sifted.
    fn enter_sifted(&mut self, name: &CStr) {
        self.below.push(OsStr::from_bytes(name.to_bytes()));
        let is_near = self.levels.len() <= MOST_LEVELS;
        let doing = match is_near && (self.is_kept)(&self.below) {
            true => Doing::Measure,
            false if is_near => Doing::Sift,
            false => Doing::Remove,
        };
        let entered = self.enter(name, doing);
        if entered.is_err() || self.levels.last().is_none_or(|level| level.doing != Doing::Sift) {
            self.below.pop();
        }
        self.note(entered);
    }

    /// Goes into a folder of the one it is in, and does what is to be done with what is no folder there.
    fn enter(&mut self, name: &CStr, doing: Doing) -> io::Result<()> {
        let above = identity(&fstat(&self.at)?);
        let folder = self.open(name)?;
        let doing = match doing {
            // What hides the folder it stands for would hide it from the next run as well.
            Doing::Sift if !self.levels.is_empty() && is_opaque(&folder) => Doing::Remove,
            doing => doing,
        };
        if doing == Doing::Measure {
            self.bytes += bytes(&fstat(&folder)?);
        }
        self.at = folder;
        let stays = doing == Doing::Measure;
        self.levels.push(Level { name: name.to_owned(), doing, above, waiting: Vec::new(), stays });
        let waiting = self.read(doing);
        if let Some(level) = self.levels.last_mut() {
            level.waiting = waiting;
        }
        Ok(())
    }

    /// Reads the folder it is in, whose folders it returns.
    fn read(&mut self, doing: Doing) -> Vec<CString> {
        let mut folders = Vec::new();
        let entries = Dir::read_from(&self.at).map_err(|error| self.note(Err(error.into())));
        for entry in entries.into_iter().flatten() {
            let read = entry.and_then(|entry| {
                let name = entry.file_name();
                let is_other = name != c"." && name != c"..";
                if is_other && self.read_entry(name, entry.file_type(), doing)? == FileType::Directory {
                    folders.push(name.to_owned());
                }
                Ok(())
            });
            self.note(read.map_err(io::Error::from));
        }
        folders
    }

    /// Does what is to be done with what is no folder. Returns what it was.
    fn read_entry(&mut self, name: &CStr, kind: FileType, doing: Doing) -> Result<FileType, Errno> {
        let look = |at: &OwnedFd| statat(at, name, AtFlags::SYMLINK_NOFOLLOW);
        let kind = match kind {
            FileType::Unknown => FileType::from_raw_mode(look(&self.at)?.st_mode),
            kind => kind,
        };
        match (kind, doing) {
            (FileType::Directory, _) => {}
            (_, Doing::Measure) => self.bytes += bytes(&look(&self.at)?),
            (_, Doing::Remove | Doing::Sift) => unlinkat(&self.at, name, AtFlags::empty())?,
        }
        Ok(kind)
    }

    /// Goes back to the folder above, and removes the one it was in unless something of that is kept.
    fn leave(&mut self) -> io::Result<()> {
        let Some(left) = self.levels.pop() else { return Ok(()) };
        let above = openat(&self.at, c"..", FOLDER, Mode::empty())?;
        if identity(&fstat(&above)?) != left.above {
            return Err(io::Error::other("a folder was moved while it was removed"));
        }
        self.at = above;
        if left.doing == Doing::Sift {
            self.below.pop();
        }
        if !left.stays {
            let removed = unlinkat(&self.at, &left.name, AtFlags::REMOVEDIR);
            self.note(removed.map_err(io::Error::from));
        } else if let Some(level) = self.levels.last_mut() {
            level.stays = true;
        }
        Ok(())
    }

    /// Opens a folder of the one it is in, and lets us read and change it when it is ours.
    fn open(&self, name: &CStr) -> Result<OwnedFd, Errno> {
        let open = || openat(&self.at, name, FOLDER, Mode::empty());
        let folder = match open() {
            Err(Errno::ACCESS) => {
                // A link would have been told otherwise, and nobody is at work who could put one in its place.
                let mode = Mode::from_raw_mode(statat(&self.at, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
                chmodat(&self.at, name, mode | Mode::RWXU, AtFlags::empty())?;
                open()?
            }
            opened => opened?,
        };
        let mode = Mode::from_raw_mode(fstat(&folder)?.st_mode);
        if !mode.contains(Mode::RWXU) {
            fchmod(&folder, mode | Mode::RWXU)?;
        }
        Ok(folder)
    }

    /// Keeps what went wrong, if it is the first.
    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.fault.get_or_insert(error);
        }
    }
}

fn is_opaque(folder: &OwnedFd) -> bool {
    let mut value = [0; 1];
    matches!(rustix::fs::fgetxattr(folder, "user.overlay.opaque", &mut value), Ok(1)) && value == *b"y"
}

fn bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512)
}

#[expect(clippy::unnecessary_cast, reason = "the type of a device differs from system to system")]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino)
}

#[cfg(test)]
mod tests;

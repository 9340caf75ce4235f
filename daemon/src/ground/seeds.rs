//! What a command is to see otherwise than it is on the disk: texts that are unsaved in an editor, or proposed. They are put into the
//! upper directories of its overlays before it runs, and so never onto the disk.
//!
//! A tool that builds takes what is older than its results for built. So a text gets the time at which it became what it is; and one
//! that is no longer seen otherwise is put there once more as it is on the disk, with the time of now, where a session keeps results.

use crate::path::{AbsPath, RootedPath};
use crate::sandbox::scratch::Run;
use crate::workspace::Unsaved;
use crate::workspace::layers::{LayerPlan, Over};
use pilotfish_protocol::Mode;
use rustix::fs::{AtFlags, FileType, Mode as Permissions};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, FileTimes};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The largest file that is put there once more, in bytes.
const LARGEST: u64 = 16 << 20;

/// What the read-only commands of a session saw last, so that the next one finds no result newer than its source. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sown(Arc<Mutex<HashMap<String, HashMap<RootedPath, Last>>>>);

#[derive(Debug, Clone)]
struct Last {
    text: Option<Arc<[u8]>>,
    since: Option<SystemTime>,
}

/// What was put where: by layer and path from its folder; nothing where the command is to see nothing.
pub(super) type Places = BTreeMap<(usize, PathBuf), Option<Arc<[u8]>>>;

/// Where something was put, and the time it has there.
type Put = ((usize, PathBuf), Option<SystemTime>);

/// Where seeds go.
pub(super) struct Field<'a> {
    pub(super) workspace: &'a AbsPath,
    pub(super) plans: &'a [LayerPlan],
    pub(super) run: &'a Run,
    pub(super) mode: Mode,
    /// The session, where it keeps the results of builds from one command to the next.
    pub(super) session: Option<&'a str>,
}

impl Sown {
    /// Puts the texts there. Gives what was put where.
    pub(super) fn sow(&self, field: &Field<'_>, unsaved: &Unsaved) -> Places {
        let last = field.session.filter(|_| field.mode == Mode::ReadOnly).map(|session| self.last(session));
        let mut places = Places::new();
        let mut now = HashMap::new();
        for (path, text) in unsaved {
            let known = last.as_ref().and_then(|last| last.get(path)).filter(|last| last.text == *text);
            let since = known.and_then(|last| last.since);
            match field.put(path, text.as_deref(), since) {
                Ok(Some((place, since))) => {
                    now.insert(path.clone(), Last { text: text.clone(), since });
                    places.insert(place, text.clone());
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%path, %error, "a command sees a text as it is on the disk"),
            }
        }
        if let Some((session, last)) = field.session.zip(last) {
            for path in last.keys().filter(|path| !unsaved.contains_key(path)) {
                let Some(text) = plain(&field.workspace.join(path)) else { continue };
                match field.put(path, Some(&text), None) {
                    Ok(Some((place, _))) => drop(places.insert(place, Some(text.into()))),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%path, %error, "a build may take a result for newer than it is"),
                }
            }
            let mut sown = self.lock();
            if now.is_empty() {
                sown.remove(session);
            } else {
                sown.insert(session.to_owned(), now);
            }
        }
        places
    }

    fn last(&self, session: &str) -> HashMap<RootedPath, Last> {
        self.lock().get(session).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, HashMap<RootedPath, Last>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Field<'_> {
    /// Puts one text, or that there is nothing. Gives its place and time; nothing where no overlay covers it, or where in agent mode its
    /// folder is not there: publishing would make it.
    fn put(&self, path: &RootedPath, text: Option<&[u8]>, since: Option<SystemTime>) -> io::Result<Option<Put>> {
        let real = self.workspace.join(path);
        let covers = |plan: &LayerPlan| plan.over == Over::Tree && real.as_path().starts_with(plan.lower.as_path());
        let Some((number, plan)) = self.plans.iter().enumerate().find(|(_, plan)| covers(plan)) else {
            return Ok(None);
        };
        let is_through = plan.through.iter().any(|through| real.as_path().starts_with(through.as_path()));
        let Ok(inside) = real.as_path().strip_prefix(plan.lower.as_path()) else { return Ok(None) };
        let (upper, parent) = (self.run.upper(number), inside.parent().unwrap_or(Path::new("")));
        let is_folder = plan.lower.as_path().join(parent).symlink_metadata().is_ok_and(|found| found.is_dir());
        if is_through || (self.mode == Mode::Agent && !is_folder) {
            return Ok(None);
        }
        make_folders(plan.lower.as_path(), &upper, parent)?;
        let place = (number, inside.to_owned());
        let target = upper.join(inside);
        // What an earlier command of the session left there.
        match fs::remove_file(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let Some(text) = text else {
            // What the overlay takes for nothing, where there is something below.
            if real.as_path().symlink_metadata().is_ok() {
                let none = Permissions::from_raw_mode(0);
                rustix::fs::mknodat(rustix::fs::CWD, &target, FileType::CharacterDevice, none, 0)?;
            }
            return Ok(Some((place, None)));
        };
        let mode = real.as_path().metadata().map_or(0o644, |found| found.permissions().mode() & 0o777);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target)?;
        io::Write::write_all(&mut &file, text)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if let Some(since) = since {
            file.set_times(FileTimes::new().set_modified(since))?;
        }
        Ok(Some((place, file.metadata()?.modified().ok())))
    }
}

/// A regular file's bytes that no link leads to; nothing of a very large one.
fn plain(file: &AbsPath) -> Option<Vec<u8>> {
    let found = file.as_path().symlink_metadata().ok()?;
    let is_plain = found.is_file() && found.len() <= LARGEST && file.real() == *file;
    is_plain.then(|| fs::read(file.as_path()).ok()).flatten()
}

/// Whether there is something in an upper directory, at a path from it, that is neither of what was put there nor named by `is_kept`.
pub(super) fn is_written(
    layer: (usize, &Path),
    path: &Path,
    places: &Places,
    is_kept: &dyn Fn(&OsStr) -> bool,
) -> bool {
    let (number, upper) = layer;
    let entries = fs::read_dir(upper.join(path)).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| !is_kept(&entry.file_name())) {
        let inside = path.join(entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_seed = match places.get(&(number, inside.clone())) {
            // A command may have put a pipe or a link there.
            Some(Some(text)) => {
                let is_as_long = |found: fs::Metadata| found.is_file() && found.len() == text.len() as u64;
                entry.metadata().is_ok_and(is_as_long) && fs::read(entry.path()).is_ok_and(|now| now == **text)
            }
            Some(None) => entry.file_type().is_ok_and(|kind| kind.is_char_device()),
            None => {
                let holds_seeds = places.keys().any(|(layer, seed)| *layer == number && seed.starts_with(&inside));
                is_folder && holds_seeds && !is_written(layer, &inside, places, is_kept)
            }
        };
        if !is_seed {
            return true;
        }
    }
    false
}

/// Makes the folders of a path above, each with the permissions that the one below has: the command sees those.
fn make_folders(lower: &Path, upper: &Path, path: &Path) -> io::Result<()> {
    let mut at = PathBuf::new();
    for component in path.components() {
        at.push(component);
        match fs::DirBuilder::new().mode(0o700).create(upper.join(&at)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // What the session's last command left there may be a link, to anywhere.
                if upper.join(&at).symlink_metadata()?.is_dir() {
                    continue;
                }
                return Err(io::Error::other(format!("a command left something else at {}", at.display())));
            }
            made => made?,
        }
        let found = rustix::fs::statat(rustix::fs::CWD, lower.join(&at), AtFlags::SYMLINK_NOFOLLOW);
        let mode = found.map_or(0o755, |found| found.st_mode & 0o7777 | 0o700);
        fs::set_permissions(upper.join(&at), fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

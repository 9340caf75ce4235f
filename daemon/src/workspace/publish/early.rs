//! Publishing early: a file that a command made and finished shows on the disk while the command still runs, as people and scripts that
//! wait for it expect. Once a second somebody calls [`Early::look`]; what is new, and as it was at the look before, is copied to its
//! place. The command's own view of the folder is not to change below it, so that only names are given that the real folder does not
//! have, in folders that it has: never what changed, never a new folder, and nothing that would wait for a person.
//!
//! What showed early is ours until the command ends: [`Early::publish`] then tells of it as of all else, replaces what changed since,
//! and takes back what the command removed. Dropped without that, all of it is taken back, and after a kill [`super::sweep`] does so.
//! Whatever somebody else touched meanwhile is theirs.
//!
//! Known and accepted: inside, a listing may still name a file that showed early and that the command removed, until it ends.

use super::disk::{self, Seen};
use super::stage::{self, Change, Staged};
use super::through;
use super::trail::{Shown, Trail};
use super::tree::{Killed, Pair, Run};
use super::{Kind, Late, Publication, Published, Stamp, tree};
use crate::path::AbsPath;
use crate::policy::paths;
use crate::workspace::checkpoint::Recorder;
use crate::workspace::image::Image;
use crate::workspace::layers::Over;
use rustix::fs::{Dir, FileType, Stat};
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How long somebody waits between two looks.
pub const EVERY: Duration = Duration::from_secs(1);

/// The largest file that shows early, in bytes.
const BYTES: i64 = 1 << 20;

/// Files of one command that show early.
const FILES: usize = 64;

/// Names of upper directories that one look passes.
const ENTRIES: usize = 2000;

/// Directories in directories at most.
const DEPTH: usize = 32;

/// What makes a folder of any name a repository, and what git runs there or reads to find what it runs. A command may make the rest of
/// the repository later.
const OF_REPOSITORIES: &[&str] = &[
    "HEAD",
    "objects",
    "refs",
    "config",
    "config.worktree",
    "hooks",
    "info",
    "commondir",
    "gitdir",
    "packed-refs",
    "index",
];

/// A file or folder: the layer, and where in it.
type Place = (usize, PathBuf);

/// What of a running command's files shows already.
#[derive(Debug)]
pub struct Early {
    publication: Arc<Publication>,
    /// What the look before saw of files that are new.
    before: HashMap<Place, Seen>,
    /// How many may still show.
    room: usize,
    ours: Ours,
    /// Whether the folders that are written directly were looked through.
    is_cleared: bool,
}

/// What is on the disk because we put it there.
#[derive(Debug, Default)]
pub(super) struct Ours {
    trail: Option<Trail>,
    files: BTreeMap<Place, Seen>,
    /// Folders that nobody but us put something into.
    directories: BTreeMap<Place, Seen>,
}

impl Early {
    /// Of a command that starts.
    #[must_use]
    pub fn new(publication: Arc<Publication>) -> Self {
        Self { publication, before: HashMap::new(), room: FILES, ours: Ours::default(), is_cleared: false }
    }

    /// What the command sees otherwise than it is on the disk: which files, and with which text.
    #[must_use]
    pub fn seeds(&self) -> Vec<(AbsPath, Arc<[u8]>)> {
        let seeds = self.publication.seeds.iter();
        let placed = |((layer, path), text): (&Place, &Arc<[u8]>)| {
            let layer = self.publication.layers.get(*layer)?;
            Some((super::below(&layer.plan.lower, path), text.clone()))
        };
        seeds.filter_map(placed).collect()
    }

    /// Publishes what is new and has not changed since the look before. Blocks; only the owner of the workspace may call it, and only
    /// while the command runs in agent mode.
    pub fn look(&mut self) {
        let publication = self.publication.clone();
        let mut look = Look { early: self, left: ENTRIES, found: HashMap::new(), quiet: Vec::new() };
        for (index, layer) in publication.layers.iter().enumerate() {
            let opened = disk::open_root(&layer.upper)
                .and_then(|upper| Ok((upper, disk::open_root(layer.plan.lower.as_path())?)));
            if let (Over::Tree, Ok((upper, lower))) = (layer.plan.over, opened) {
                let writable = layer.plan.writable.iter();
                let inside = writable.filter_map(|path| path.as_path().strip_prefix(layer.plan.lower.as_path()).ok());
                let inside: Vec<PathBuf> = inside.map(Path::to_owned).collect();
                look.folder(index, &inside, &upper, &lower, Path::new(""), 0);
            }
        }
        let Look { found, quiet, .. } = look;
        self.before = found;
        if quiet.is_empty() || self.room == 0 {
            return;
        }
        let mut run = Run::new(&publication, &|_| true);
        for (place, seen) in quiet.into_iter().take(self.room) {
            run.layer = place.0;
            if self.ours.show(&run, place, seen).is_some() {
                self.room -= 1;
            }
        }
    }

    /// Publishes all that the command wrote, now that it has ended, as [`super::publish`] does. What shows already is recorded only now:
    /// until then a kill takes it back. What is in `late` is not written, but told as what the command would have of it.
    #[must_use]
    pub fn publish(mut self, recorder: Option<&Recorder>, late: Late) -> Published {
        let ours = std::mem::take(&mut self.ours);
        self.is_cleared = true;
        tree::publish_after((ours, late), &self.publication, recorder, &|_| true)
    }

    /// Takes all back that showed early, now that the command has ended; answers what else is worth saying, each a sentence.
    #[must_use]
    pub fn take_back(mut self) -> Vec<String> {
        self.is_cleared = true;
        through::clear(&self.publication)
    }

    #[cfg(test)]
    pub(super) fn into_ours(mut self) -> Ours {
        std::mem::take(&mut self.ours)
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        let publication = self.publication.clone();
        let mut ours = std::mem::take(&mut self.ours);
        let places: Vec<Place> = ours.files.keys().cloned().collect();
        for place in places {
            if let Some(layer) = publication.layers.get(place.0) {
                ours.take_back(publication.started, layer.plan.lower.as_path(), place);
            }
        }
        ours.finish();
        if !self.is_cleared {
            for note in through::clear(&publication) {
                tracing::warn!("{note}");
            }
        }
    }
}

/// One look.
struct Look<'a> {
    early: &'a Early,
    /// Names that it may still pass.
    left: usize,
    found: HashMap<Place, Seen>,
    quiet: Vec<(Place, Seen)>,
}

impl Look<'_> {
    fn folder(
        &mut self,
        layer: usize,
        writable: &[PathBuf],
        upper: &OwnedFd,
        lower: &OwnedFd,
        at: &Path,
        depth: usize,
    ) {
        let is_inside = writable.iter().any(|open| at.starts_with(open));
        let Ok(entries) = Dir::read_from(upper) else { return };
        let mut folders = Vec::new();
        for entry in entries.flatten() {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            // Some file systems do not say what a name is; their files show when the command has ended.
            match entry.file_type() {
                _ if paths::class_of(name).is_some() => {}
                FileType::Directory => folders.push(name.to_owned()),
                FileType::RegularFile if is_inside => self.file((layer, at.join(name)), upper, lower, name),
                _ => {}
            }
        }
        for name in folders {
            let path = at.join(&name);
            let is_open = writable.iter().any(|open| path.starts_with(open) || open.starts_with(&path));
            if is_open
                && depth < DEPTH
                && let Some((upper, lower)) = open_merged(upper, lower, &name)
            {
                self.folder(layer, writable, &upper, &lower, &path, depth + 1);
            }
        }
    }

    fn file(&mut self, place: Place, upper: &OwnedFd, lower: &OwnedFd, name: &OsStr) {
        let Ok(Some(stat)) = disk::look(upper, name) else { return };
        let is_seed = self.early.publication.seeds.contains_key(&place);
        if is_seed || !may_show(&stat) || is_of_repositories(name) || self.early.ours.files.contains_key(&place) {
            return;
        }
        let seen = Seen::new(&stat);
        let is_quiet = self.early.before.get(&place) == Some(&seen);
        if is_quiet && matches!(disk::look(lower, name), Ok(None)) {
            self.quiet.push((place.clone(), seen));
        }
        self.found.insert(place, seen);
    }
}

impl Ours {
    /// Whether a name below stands for exactly what we put there.
    pub(super) fn is_ours(&self, layer: usize, path: &Path, stat: &Stat) -> bool {
        let place = (layer, path.to_owned());
        let seen = self.files.get(&place).or_else(|| self.directories.get(&place));
        seen == Some(&Seen::new(stat))
    }

    /// Whether we put a file there, whatever became of it.
    pub(super) fn knows(&self, layer: usize, path: &Path) -> bool {
        self.files.contains_key(&(layer, path.to_owned()))
    }

    /// Nothing is to be taken back any more.
    pub(super) fn finish(self) {
        if let Some(trail) = self.trail {
            trail.finish();
        }
    }

    fn show(&mut self, run: &Run<'_>, place: Place, seen: Seen) -> Option<()> {
        let pair = pair_of(run, &place.1)?;
        let name = place.1.file_name()?;
        run.class_of(name, &place.1, FileType::RegularFile).is_none().then_some(())?;
        let folder = rustix::fs::fstat(&*pair.lower).ok()?;
        let shown = self.put(run, &pair, name, seen);
        self.remember_folder(run.publication.started, (place.0, pair.path), &pair.lower, &folder);
        self.files.insert(place, shown?);
        Some(())
    }

    /// Copies a file to its name; answers what then stands there.
    fn put(&mut self, run: &Run<'_>, pair: &Pair, name: &OsStr, seen: Seen) -> Option<Seen> {
        let file = disk::open_file(&pair.upper, name).ok()?;
        let stat = rustix::fs::fstat(&file).ok().filter(|stat| Seen::new(stat) == seen)?;
        let (root, path) = (run.root().as_path(), pair.path.join(name));
        let trail = self.trail.get_or_insert_with(|| Trail::new(&run.publication.state));
        trail.note(root, &pair.path).ok()?;
        let temporary = stage::stage_file(&pair.lower, name, &file, &stat, None).ok()?;
        let staged = disk::look(&pair.lower, &temporary).ok().flatten();
        // Whoever wrote meanwhile is not done with it.
        let is_whole = rustix::fs::fstat(&file).is_ok_and(|now| Seen::new(&now) == seen);
        let staged = staged.filter(|staged| is_whole && staged.st_size == stat.st_size).map(|stat| Seen::new(&stat));
        let noted = staged.filter(|staged| trail.note_shown(root, &path, Shown::Before(*staged)).is_ok());
        let Some(noted) = noted else {
            stage::drop_staged(&pair.lower, &temporary);
            return None;
        };
        let change = Change { kind: Kind::Created, before: None, after: None, image: None };
        let directory = Rc::clone(&pair.lower);
        stage::switch(&Staged { directory, temporary, name: name.to_owned(), path: path.clone(), seen: None, change })
            .ok()?;
        let now = disk::look(&pair.lower, name).ok().flatten().filter(|stat| noted.is_still(stat))?;
        let now = Seen::new(&now);
        // Where that cannot be noted, the note of before says enough.
        let _ = trail.note_shown(root, &path, Shown::Exactly(now));
        Some(now)
    }

    /// Removes a file that is still ours; otherwise forgets it.
    fn take_back(&mut self, started: Stamp, root: &Path, place: Place) {
        let Some(seen) = self.files.remove(&place) else { return };
        let (Some(parent), Some(name)) = (place.1.parent(), place.1.file_name()) else { return };
        let opened = disk::open_root(root).and_then(|root| disk::open_below(&root, parent));
        let Ok(directory) = opened else { return };
        let Ok(folder) = rustix::fs::fstat(&directory) else { return };
        remove_shown(&directory, name, &Shown::Exactly(seen));
        self.remember_folder(started, (place.0, parent.to_owned()), &directory, &folder);
    }

    /// After we changed a folder: it is still nobody else's, if it was so before.
    fn remember_folder(&mut self, started: Stamp, place: Place, directory: &OwnedFd, before: &Stat) {
        let was_ours = !started.is_older_than(before) || self.directories.get(&place) == Some(&Seen::new(before));
        match rustix::fs::fstat(directory) {
            Ok(now) if was_ours => drop(self.directories.insert(place, Seen::new(&now))),
            Ok(_) | Err(_) => drop(self.directories.remove(&place)),
        }
    }
}

impl Run<'_> {
    /// Whether somebody else changed something since the command started.
    pub(super) fn is_newer(&self, path: &Path, stat: &Stat) -> bool {
        self.publication.started.is_older_than(stat) && !self.ours.is_ours(self.layer, path, stat)
    }

    /// Takes back what showed early and is not to be published as a file where it was: the rest then goes as if it had never shown.
    pub(super) fn take_back(&mut self) -> Result<(), Killed> {
        let places: Vec<Place> = self.ours.files.keys().cloned().collect();
        for place in places {
            self.layer = place.0;
            let stands = pair_of(self, &place.1).zip(place.1.file_name()).is_some_and(|(pair, name)| {
                let is_file = |stat: Stat| disk::kind(&stat) == FileType::RegularFile;
                self.class_of(name, &place.1, FileType::RegularFile).is_none()
                    && disk::look(&pair.upper, name).ok().flatten().is_some_and(is_file)
            });
            if !stands {
                self.step("take back")?;
                self.ours.take_back(self.publication.started, self.root().as_path(), place);
            }
        }
        Ok(())
    }

    /// Tells of a file that showed early and stayed as it was.
    pub(super) fn tell_shown(&mut self, path: &Path, file: &File, stat: &Stat) {
        if let Some(image) = self.image_of(path, file, stat) {
            let mut touched = Vec::new();
            self.push_touched(path, Image::Absent, image, &mut touched);
            self.batch.push_shown(touched);
        }
        let (_, after) = self.report.texts(None, Some(file));
        self.report.change(&self.below(path), Kind::Created, None, after);
    }
}

/// Removes a file that is still the one that showed early; answers whether it is gone.
pub(super) fn remove_shown(directory: &OwnedFd, name: &OsStr, shown: &Shown) -> bool {
    let Ok(Some(stat)) = disk::look(directory, name) else { return false };
    let is_ours = match shown {
        Shown::Before(seen) => seen.is_still(&stat),
        Shown::Exactly(seen) => *seen == Seen::new(&stat),
    };
    is_ours && stage::delete(directory, name, &Seen::new(&stat)).is_ok()
}

fn may_show(stat: &Stat) -> bool {
    disk::kind(stat) == FileType::RegularFile && stat.st_mode & 0o6000 == 0 && stat.st_size <= BYTES
}

fn is_of_repositories(name: &OsStr) -> bool {
    OF_REPOSITORIES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The folder that a file lies in, above and below, if the command sees both as one and no more is to be asked about any folder on the way.
fn pair_of(run: &Run<'_>, path: &Path) -> Option<Pair> {
    let layer = run.publication.layers.get(run.layer)?;
    let mut upper = disk::open_root(&layer.upper).ok()?;
    let mut lower = disk::open_root(layer.plan.lower.as_path()).ok()?;
    let mut at = PathBuf::new();
    for component in path.parent()?.components() {
        let name = component.as_os_str();
        at.push(name);
        run.class_of(name, &at, FileType::Directory).is_none().then_some(())?;
        (upper, lower) = open_merged(&upper, &lower, name)?;
    }
    (!may_become_repository(&upper, &lower)).then_some(())?;
    Some(Pair { upper, lower: Rc::new(lower), path: at, is_new: false })
}

/// Opens a folder that both have, if what the command sees of it is both, and it is neither a repository nor on the way to be one.
fn open_merged(upper: &OwnedFd, lower: &OwnedFd, name: &OsStr) -> Option<(OwnedFd, OwnedFd)> {
    (!may_become_repository(upper, lower)).then_some(())?;
    // Not made readable if it is not: the command runs, and could swap it meanwhile.
    let upper = disk::open_directory(upper, name).ok()?;
    let is_plain = !disk::is_opaque(&upper) && !disk::is_redirected(&upper);
    let lower = disk::open_directory(lower, name).ok()?;
    is_plain.then_some((upper, lower))
}

fn may_become_repository(upper: &OwnedFd, lower: &OwnedFd) -> bool {
    let has = |name: &str| {
        let stands = |side: &OwnedFd| disk::look(side, OsStr::new(name)).ok().flatten().is_some();
        stands(upper) || stands(lower)
    };
    has("HEAD") || has("objects") && has("refs")
}

/// As they are swept: where a file showed, and what it was. The last word on a name counts.
pub(super) fn sweep_shown(shown: impl Iterator<Item = (PathBuf, PathBuf, Shown)>) -> usize {
    let last: HashMap<(PathBuf, PathBuf), Shown> = shown.map(|(root, path, shown)| ((root, path), shown)).collect();
    let removed = last.into_iter().filter(|((root, path), shown)| {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().map(OsString::from)) else { return false };
        let opened = disk::open_root(root).and_then(|root| disk::open_below(&root, parent));
        opened.is_ok_and(|directory| remove_shown(&directory, &name, shown))
    });
    removed.count()
}

#[cfg(test)]
mod tests;

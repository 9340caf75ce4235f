//! Walking an upper directory beside the folder it stands over, and making each difference there.

use super::aliases;
use super::disk::{self, Seen};
use super::early::Ours;
use super::report::Report;
use super::repository::{Bare, GIT};
use super::stage::{self, Batch, Change, Chmod, Staged, clash};
use super::through;
use super::trail::Trail;
use super::{Clash, Held, Kind, Late, Publication, Published, Why, below};
use crate::path::AbsPath;
use crate::policy::paths;
use crate::workspace::checkpoint::Recorder;
use crate::workspace::layers::Over;
use rustix::fs::{FileType, Mode, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Directories in directories at most; each level is two descriptors.
pub(super) const DEPTH: usize = 150;

/// Asked before each step that changes the disk. No is as if the process had been killed there.
pub(super) type Gate<'a> = &'a dyn Fn(&'static str) -> bool;

/// The gate said no.
#[derive(Debug)]
pub(super) struct Killed;

/// One publication on its way.
pub(super) struct Run<'a> {
    pub(super) publication: &'a Publication,
    pub(super) gate: Gate<'a>,
    /// Who keeps what is changed, so that it can be taken back.
    pub(super) recorder: Option<&'a Recorder>,
    pub(super) trail: Trail,
    pub(super) report: Report,
    pub(super) batch: Batch,
    /// What showed already while the command ran.
    pub(super) ours: Ours,
    /// What somebody began to change in an editor while the command ran.
    pub(super) late: Late,
    /// The layer that is walked.
    pub(super) layer: usize,
    /// What is protected under another name.
    aliases: Vec<(PathBuf, paths::Class)>,
    /// Git directories met on the way, each in its layer.
    pub(super) repositories: Vec<(usize, PathBuf)>,
    /// Files named `.git` met on the way.
    pub(super) pointers: Vec<(usize, PathBuf)>,
    /// Permissions that would be in our own way, given at the end.
    modes: Vec<(usize, PathBuf, Mode)>,
}

/// The same directory above and below.
pub(super) struct Pair {
    pub(super) upper: OwnedFd,
    pub(super) lower: Rc<OwnedFd>,
    /// From the layer's root.
    pub(super) path: PathBuf,
    /// Whether it was made below because of the command.
    pub(super) is_new: bool,
}

/// Publishes all layers.
pub(super) fn publish(publication: &Publication, recorder: Option<&Recorder>, gate: Gate<'_>) -> Published {
    publish_after((Ours::default(), Late::new()), publication, recorder, gate)
}

/// As [`publish`], of a command whose files showed early, and beside which people opened some.
pub(super) fn publish_after(
    (ours, late): (Ours, Late),
    publication: &Publication,
    recorder: Option<&Recorder>,
    gate: Gate<'_>,
) -> Published {
    let mut run = Run { ours, late, recorder, ..Run::new(publication, gate) };
    through::clear(publication).into_iter().for_each(|note| run.report.note(note));
    if run.all().is_ok() {
        run.trail.finish();
        run.ours.finish();
    }
    run.report.finish()
}

/// Publishes what was held back.
pub(super) fn release(publication: &Publication, held: &[Held], recorder: Option<&Recorder>) -> Published {
    let mut run = Run { recorder, ..Run::new(publication, &|_| true) };
    if run.release(held).is_ok() {
        run.trail.finish();
    }
    run.report.finish()
}

enum Scope {
    /// To be published.
    Inside,
    /// On the way to something that is.
    Above,
    /// Not the command's to change.
    Outside,
}

impl<'a> Run<'a> {
    pub(super) fn new(publication: &'a Publication, gate: Gate<'a>) -> Self {
        Self {
            publication,
            gate,
            recorder: None,
            trail: Trail::new(&publication.state),
            report: Report::new(&publication.workspace),
            batch: Batch::default(),
            ours: Ours::default(),
            late: Late::new(),
            layer: 0,
            aliases: aliases::find(publication),
            repositories: Vec::new(),
            pointers: Vec::new(),
            modes: Vec::new(),
        }
    }

    fn all(&mut self) -> Result<(), Killed> {
        self.take_back()?;
        for (index, layer) in self.publication.layers.iter().enumerate() {
            match layer.plan.over {
                Over::Tree => self.tree(index)?,
                Over::GitDir => self.repositories.push((index, PathBuf::new())),
            }
        }
        self.repositories()?;
        for (layer, path, mode) in std::mem::take(&mut self.modes) {
            self.layer = layer;
            if let Ok(directory) =
                disk::open_root(self.root().as_path()).and_then(|root| disk::open_below(&root, &path))
            {
                let _ = rustix::fs::fchmod(&directory, mode);
            }
        }
        Ok(())
    }

    /// One overlay over a tree of files.
    fn tree(&mut self, index: usize) -> Result<(), Killed> {
        self.layer = index;
        let Some(layer) = self.publication.layers.get(index) else { return Ok(()) };
        let open = |path: &Path| disk::open_root(path);
        match open(&layer.upper).and_then(|upper| Ok((upper, open(layer.plan.lower.as_path())?))) {
            Ok((upper, lower)) => {
                let top = Pair { upper, lower: Rc::new(lower), path: PathBuf::new(), is_new: false };
                self.walk(&top, 0)?;
            }
            Err(errno) => self.report.conflict(layer.plan.lower.clone(), clash(errno)),
        }
        self.flush()
    }

    /// The folder the walked layer stands over.
    pub(super) fn root(&self) -> &'a AbsPath {
        self.publication.layers.get(self.layer).map_or(&self.publication.workspace, |layer| &layer.plan.lower)
    }

    pub(super) fn below(&self, path: &Path) -> AbsPath {
        below(self.root(), path)
    }

    pub(super) fn step(&self, name: &'static str) -> Result<(), Killed> {
        if (self.gate)(name) { Ok(()) } else { Err(Killed) }
    }

    /// Drops a change. The file that stays gets the time of now, so that no build tool takes what was made of the other for fresh.
    pub(super) fn conflict(&mut self, lower: &OwnedFd, name: &OsStr, path: &Path, clash: Clash) {
        disk::touch(lower, name);
        self.report.conflict(self.below(path), clash);
    }

    /// Whether a name is the command's to change.
    pub(super) fn is_inside(&self, path: &Path) -> bool {
        matches!(self.scope(path), Scope::Inside)
    }

    fn scope(&self, path: &Path) -> Scope {
        let path = self.root().as_path().join(path);
        let Some(layer) = self.publication.layers.get(self.layer) else { return Scope::Outside };
        let writable = &layer.plan.writable;
        if writable.iter().any(|open| path.starts_with(open.as_path())) {
            Scope::Inside
        } else if writable.iter().any(|open| open.as_path().starts_with(&path)) {
            Scope::Above
        } else {
            Scope::Outside
        }
    }

    pub(super) fn walk(&mut self, at: &Pair, depth: usize) -> Result<(), Killed> {
        if depth > DEPTH {
            self.report.note_path(self.below(&at.path).as_path(), "lies too deep, and was not published");
            return Ok(());
        }
        let names = match disk::names(&at.upper) {
            Ok(names) => names,
            Err(errno) => {
                self.report.conflict(self.below(&at.path), clash(errno));
                return Ok(());
            }
        };
        match self.repository_at(at) {
            Bare::No => {}
            Bare::Known => {
                self.repositories.push((self.layer, at.path.clone()));
                return Ok(());
            }
            Bare::Unknown => {
                for name in names {
                    let path = at.path.join(&name);
                    self.hold(Some(&at.upper), Some(&at.lower), &name, &path, &GIT);
                }
                return Ok(());
            }
        }
        let hidden = self.hidden(at, &names);
        if let Err(clash) = self.foresee(at, &names, &hidden) {
            self.report.conflict(self.below(&at.path), clash);
            return Ok(());
        }
        // What is in the way goes first, so that the names are free.
        for name in hidden {
            self.delete(&at.lower, &name, &at.path.join(&name), depth)?;
        }
        for name in names {
            self.entry(at, &name, depth)?;
            if self.batch.is_full() {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// The names below that an opaque directory hides.
    fn hidden(&mut self, at: &Pair, names: &[OsString]) -> Vec<OsString> {
        if !disk::is_opaque(&at.upper) {
            return Vec::new();
        }
        let mut hidden = disk::names(&at.lower).unwrap_or_default();
        hidden.retain(|name| names.binary_search(name).is_err());
        hidden
    }

    fn entry(&mut self, at: &Pair, name: &OsStr, depth: usize) -> Result<(), Killed> {
        let path = at.path.join(name);
        let (upper, lower) = match (disk::look(&at.upper, name), disk::look(&at.lower, name)) {
            (Ok(Some(upper)), Ok(lower)) => (upper, lower),
            (Ok(None), _) => return Ok(()),
            (Err(errno), _) | (_, Err(errno)) => {
                self.report.conflict(self.below(&path), clash(errno));
                return Ok(());
            }
        };
        if let Some(before) = self.seed(&path) {
            self.reap(at, name, &path, &upper, before);
            return Ok(());
        }
        match self.scope(&path) {
            Scope::Inside => {}
            Scope::Above if disk::kind(&upper) == FileType::Directory => {
                return match open_both(at, name, path) {
                    Ok(pair) => self.walk(&pair, depth + 1),
                    Err(errno) => {
                        self.report.conflict(self.below(&at.path.join(name)), clash(errno));
                        Ok(())
                    }
                };
            }
            Scope::Above | Scope::Outside => {
                self.report
                    .note_path(self.below(&path).as_path(), "lies outside the opened folder, and was not published");
                return Ok(());
            }
        }
        let is_deleted_folder = |lower: &Stat| disk::is_whiteout(&upper) && disk::kind(lower) == FileType::Directory;
        let kind = if lower.as_ref().is_some_and(is_deleted_folder) { FileType::Directory } else { disk::kind(&upper) };
        if let Some(class) = self.class_of(name, &path, kind) {
            return self.protected(at, name, &path, class, (&upper, lower.as_ref()));
        }
        if disk::is_whiteout(&upper) {
            return self.delete(&at.lower, name, &path, depth).map(|_| ());
        }
        match disk::kind(&upper) {
            FileType::RegularFile => self.file(at, name, &path, &upper, lower),
            FileType::Symlink => self.link(at, name, &path, lower),
            FileType::Directory => self.directory(at, name, path, &upper, lower, depth),
            _ => {
                self.report
                    .note_path(self.below(&path).as_path(), "is a device, a socket or a pipe, and was not published");
                Ok(())
            }
        }
    }

    /// The class of a name that is protected, by itself or as what another stands for.
    pub(super) fn class_of(&self, name: &OsStr, path: &Path, kind: FileType) -> Option<paths::Class> {
        let alias = || {
            let path = self.root().as_path().join(path);
            self.aliases.iter().find(|(known, _)| *known == path).map(|(_, class)| *class)
        };
        let by_name = if kind == FileType::Directory { paths::class_of(name) } else { paths::class_of_file(name) };
        by_name.or_else(alias)
    }

    /// A name that is never simply written: git's own files go their way, all else waits for a person.
    fn protected(
        &mut self,
        at: &Pair,
        name: &OsStr,
        path: &Path,
        class: paths::Class,
        (upper, lower): (&Stat, Option<&Stat>),
    ) -> Result<(), Killed> {
        let is_directory = |stat: &Stat| disk::kind(stat) == FileType::Directory;
        if name == ".git" && is_directory(upper) && lower.is_none_or(is_directory) {
            self.repositories.push((self.layer, path.to_owned()));
        } else if name == ".git" && disk::kind(upper) == FileType::RegularFile {
            self.pointers.push((self.layer, path.to_owned()));
        } else if paths::class_of(name) == Some(paths::Class::VersionControl)
            && lower.is_some_and(is_directory)
            && !is_directory(upper)
        {
            self.hold_whole(path, if disk::is_whiteout(upper) { Kind::Deleted } else { Kind::Changed });
        } else {
            self.hold(Some(&at.upper), Some(&at.lower), name, path, &Why::Protected(class));
        }
        Ok(())
    }

    fn file(&mut self, at: &Pair, name: &OsStr, path: &Path, upper: &Stat, lower: Option<Stat>) -> Result<(), Killed> {
        if upper.st_mode & 0o6000 != 0 {
            self.report.note_path(self.below(path).as_path(), "was published without its setuid and setgid bits");
        }
        let file = match disk::open_upper_file(&at.upper, name) {
            Ok(file) => file,
            Err(errno) => {
                self.conflict(&at.lower, name, path, clash(errno));
                return Ok(());
            }
        };
        let Some(lower) = self.make_way(at, name, path, lower)? else { return Ok(()) };
        let before = lower.as_ref().and_then(|_| disk::open_file(&at.lower, name).ok());
        let showed = lower.as_ref().is_some_and(|lower| self.ours.is_ours(self.layer, path, lower));
        let is_newer = match &lower {
            Some(lower) => self.is_newer(path, lower),
            // It showed, and somebody deleted it.
            None => self.ours.knows(self.layer, path),
        };
        let is_same = before.as_ref().is_some_and(|before| disk::is_equal(before, &file).unwrap_or(false));
        if let (Some(before), Some(lower), true) = (&before, &lower, is_same) {
            if showed {
                self.tell_shown(path, &file, upper);
            }
            if !is_newer {
                self.attributes(at, name, before, path, (upper, lower), showed);
            }
            return Ok(());
        }
        if is_newer {
            self.conflict(&at.lower, name, path, Clash::Changed);
            return Ok(());
        }
        let (old, new) = self.report.texts(before.as_ref().filter(|_| !showed), Some(&file));
        self.step("stage")?;
        let staged = self
            .trail
            .note(self.root().as_path(), &at.path)
            .and_then(|()| stage::stage_file(&at.lower, name, &file, upper, lower.as_ref()));
        let temporary = match staged {
            Ok(temporary) => temporary,
            Err(error) => {
                self.conflict(&at.lower, name, path, Clash::Io(error.to_string()));
                return Ok(());
            }
        };
        let kind = if lower.is_some() && !showed { Kind::Changed } else { Kind::Created };
        let change = Change { kind, before: old, after: new, image: self.image_of(path, &file, upper) };
        let bytes = u64::try_from(upper.st_size).unwrap_or(0);
        self.push(at, name, path, temporary, lower, change, bytes);
        Ok(())
    }

    fn link(&mut self, at: &Pair, name: &OsStr, path: &Path, lower: Option<Stat>) -> Result<(), Killed> {
        let target = match disk::read_link(&at.upper, name) {
            Ok(target) => target,
            Err(errno) => {
                self.conflict(&at.lower, name, path, clash(errno));
                return Ok(());
            }
        };
        if disk::read_link(&at.lower, name).is_ok_and(|before| before == target) {
            return Ok(());
        }
        if self.leads_out(path, Path::new(&target)) {
            self.hold(Some(&at.upper), Some(&at.lower), name, path, &Why::LeadsOut);
            return Ok(());
        }
        let Some(lower) = self.make_way(at, name, path, lower)? else { return Ok(()) };
        if lower.as_ref().is_some_and(|lower| self.publication.started.is_older_than(lower)) {
            self.conflict(&at.lower, name, path, Clash::Changed);
            return Ok(());
        }
        self.step("stage")?;
        let staged = self
            .trail
            .note(self.root().as_path(), &at.path)
            .and_then(|()| Ok(stage::stage_link(&at.lower, name, &target)?));
        match staged {
            Ok(temporary) => {
                let kind = if lower.is_some() { Kind::Changed } else { Kind::Created };
                let change = Change { kind, before: None, after: None, image: self.image_of_link(path, &target) };
                self.push(at, name, path, temporary, lower, change, 0);
            }
            Err(error) => self.conflict(&at.lower, name, path, Clash::Io(error.to_string())),
        }
        Ok(())
    }

    /// Removes a directory that stands where a file or link is to be. `None` when the name cannot be had, which is then told; the
    /// inner value is what the new file replaces.
    #[expect(clippy::option_option, reason = "whether to go on, and what is replaced, are two questions")]
    fn make_way(
        &mut self,
        at: &Pair,
        name: &OsStr,
        path: &Path,
        lower: Option<Stat>,
    ) -> Result<Option<Option<Stat>>, Killed> {
        match lower {
            Some(stat) if disk::kind(&stat) == FileType::Directory => {
                if self.delete(&at.lower, name, path, 0)? {
                    return Ok(Some(None));
                }
                self.report.conflict(self.below(path), Clash::NotEmpty);
                Ok(None)
            }
            Some(stat) if stage::is_special(&stat) => {
                self.report.conflict(self.below(path), Clash::Blocked("a device, a socket or a pipe"));
                Ok(None)
            }
            lower => Ok(Some(lower)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a staged file is known by all of them")]
    fn push(
        &mut self,
        at: &Pair,
        name: &OsStr,
        path: &Path,
        temporary: OsString,
        lower: Option<Stat>,
        change: Change,
        bytes: u64,
    ) {
        let (directory, name, path) = (at.lower.clone(), name.to_owned(), path.to_owned());
        let seen = lower.as_ref().map(Seen::new);
        self.batch.push(Staged { directory, temporary, name, path, seen, change }, bytes);
    }

    /// As [`Run::push`], of a file that is new.
    pub(super) fn push_staged(
        &mut self,
        directory: OwnedFd,
        name: &OsStr,
        path: &Path,
        temporary: OsString,
        change: Change,
    ) {
        let (directory, name, path) = (Rc::new(directory), name.to_owned(), path.to_owned());
        self.batch.push(Staged { directory, temporary, name, path, seen: None, change }, 0);
    }

    /// Permissions and mtime of a file whose bytes did not change.
    fn attributes(
        &mut self,
        at: &Pair,
        name: &OsStr,
        file: &File,
        path: &Path,
        (upper, lower): (&Stat, &Stat),
        showed: bool,
    ) {
        if (upper.st_mtime, upper.st_mtime_nsec) != (lower.st_mtime, lower.st_mtime_nsec) {
            let _ = disk::set_modified(file, upper);
        }
        if stage::permissions(upper) != stage::permissions(lower) {
            match file.try_clone() {
                Ok(file) => self.batch.push_chmod(Chmod {
                    directory: at.lower.clone(),
                    name: name.to_owned(),
                    file,
                    path: path.to_owned(),
                    mode: stage::permissions(upper),
                    showed,
                }),
                Err(error) => self.report.conflict(self.below(path), Clash::Io(error.to_string())),
            }
        }
    }

    fn directory(
        &mut self,
        at: &Pair,
        name: &OsStr,
        path: PathBuf,
        upper: &Stat,
        lower: Option<Stat>,
        depth: usize,
    ) -> Result<(), Killed> {
        let is_new = match &lower {
            None => true,
            Some(stat) if disk::kind(stat) == FileType::Directory => false,
            Some(_) if self.delete(&at.lower, name, &path, depth)? => true,
            // What stands there stays, and so nothing can be put below it; that was told.
            Some(_) => return Ok(()),
        };
        if is_new {
            self.step("mkdir")?;
            let mode = Mode::from_raw_mode(upper.st_mode & 0o1777 | 0o700);
            match rustix::fs::mkdirat(&at.lower, name, mode) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => {
                    self.report.conflict(self.below(&path), clash(errno));
                    return Ok(());
                }
            }
        }
        let pair = match open_both(at, name, path) {
            Ok(pair) => Pair { is_new, ..pair },
            Err(Errno::LOOP | Errno::NOTDIR) => {
                self.report.conflict(self.below(&at.path.join(name)), Clash::Changed);
                return Ok(());
            }
            Err(errno) => {
                self.report.conflict(self.below(&at.path.join(name)), clash(errno));
                return Ok(());
            }
        };
        if disk::is_redirected(&pair.upper) {
            self.report.conflict(self.below(&pair.path), Clash::Blocked("a directory of another name"));
            return Ok(());
        }
        self.permissions(&pair, upper, lower.filter(|_| !is_new));
        self.walk(&pair, depth + 1)
    }

    /// Gives a directory its permissions; at the end, if they would keep us from filling it.
    fn permissions(&mut self, pair: &Pair, upper: &Stat, lower: Option<Stat>) {
        let wanted = upper.st_mode & 0o1777;
        let is_as_wanted =
            lower.is_some_and(|lower| lower.st_mode & 0o1777 == wanted || self.is_newer(&pair.path, &lower));
        let Ok(now) = rustix::fs::fstat(&*pair.lower) else { return };
        if is_as_wanted || now.st_mode & 0o1777 == wanted {
            return;
        }
        // Its group is the folder's, where the folder says so.
        let mode = Mode::from_raw_mode(wanted | now.st_mode & 0o2000);
        if wanted & 0o300 == 0o300 {
            let _ = rustix::fs::fchmod(&*pair.lower, mode);
        } else {
            self.modes.push((self.layer, pair.path.clone(), mode));
        }
    }

    /// Switches what is staged.
    pub(super) fn flush(&mut self) -> Result<(), Killed> {
        let (staged, chmods, shown) = self.batch.take();
        if let Err(clash) = self.record(&staged, &chmods, shown) {
            for Staged { directory, name, path, temporary, .. } in staged {
                stage::drop_staged(&directory, &temporary);
                self.conflict(&directory, &name, &path, clash.clone());
            }
            chmods.iter().for_each(|chmod| self.report.conflict(self.below(&chmod.path), clash.clone()));
            return Ok(());
        }
        for Chmod { file, path, mode, showed, .. } in chmods {
            self.step("chmod")?;
            match rustix::fs::fchmod(file, mode) {
                // As a file that is new it is told of already.
                Ok(()) if showed => {}
                Ok(()) => self.report.change(&self.below(&path), Kind::Mode, None, None),
                Err(errno) => self.report.conflict(self.below(&path), clash(errno)),
            }
        }
        for staged in staged {
            self.step("switch")?;
            let path = self.below(&staged.path);
            match stage::switch(&staged) {
                Ok(()) => self.report.change(&path, staged.change.kind, staged.change.before, staged.change.after),
                Err(clash) => self.conflict(&staged.directory, &staged.name, &staged.path, clash),
            }
        }
        Ok(())
    }
}

fn open_both(at: &Pair, name: &OsStr, path: PathBuf) -> Result<Pair, Errno> {
    let lower = disk::open_directory(&at.lower, name)?;
    Ok(Pair { upper: disk::open_upper_directory(&at.upper, name)?, lower: Rc::new(lower), path, is_new: false })
}

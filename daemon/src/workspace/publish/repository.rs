//! Publishing a git directory: objects first, then what names them, then HEAD and the index, each under git's own lock and all or
//! nothing if somebody else was there meanwhile. What could run something, and what is not known, is held back.

use super::disk::{self, Seen};
use super::stage::clash;
use super::tree::{Killed, Pair, Run};
use super::{Clash, Why};
use crate::policy::paths::Class;
use names::Step;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

mod locks;
mod names;
mod objects;
mod pointers;
mod texts;

/// The largest file of git's own, objects aside, that is looked into, in bytes.
const MAX_TEXT: u64 = 16 << 20;

/// Files of a git directory, objects aside, that one command may change.
const ITEMS: usize = 100_000;

/// Directories in directories at most.
const DEPTH: usize = 32;

/// Why git's own files are held back.
pub(super) const GIT: Why = Why::Protected(Class::VersionControl);

/// Whether git would take a directory of any name for a repository, as it does when it is started in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// No.
    No,
    /// It would, and what is there already was published as such.
    Known,
    /// It would, but what it would run may have been published before as plain files.
    Unknown,
}

/// A git directory above and below.
struct Git {
    upper: OwnedFd,
    lower: OwnedFd,
    /// From the layer's root.
    path: PathBuf,
    /// Whether there was none before.
    is_new: bool,
    /// Whether not even its directory was there.
    is_made: bool,
}

/// A file of a git directory that changed.
#[derive(Debug)]
struct Item {
    /// From the git directory.
    path: PathBuf,
    step: Step,
    /// What the command left; `None` when it deleted it.
    upper: Option<Stat>,
    /// What stands there.
    lower: Option<Stat>,
}

/// What was found in a git directory, objects aside.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    /// Directories that the command removed, upper ones first.
    gone: Vec<PathBuf>,
    /// The changes that clash with what somebody did meanwhile.
    is_stale: bool,
}

impl Run<'_> {
    pub(super) fn repository_at(&self, at: &Pair) -> Bare {
        let has = |side: &OwnedFd, name: &str| disk::look(side, OsStr::new(name)).ok().flatten();
        let is_opaque = disk::is_opaque(&at.upper);
        let after = |name: &str| match has(&at.upper, name) {
            Some(stat) => !disk::is_whiteout(&stat),
            None => !is_opaque && has(&at.lower, name).is_some(),
        };
        // The parts may lie elsewhere, where a file says.
        let is_one = |has: &dyn Fn(&str) -> bool| has("HEAD") && (has("commondir") || has("objects") && has("refs"));
        if !is_one(&after) {
            return Bare::No;
        }
        let was_one = is_one(&|name| has(&at.lower, name).is_some());
        let runs = ["config", "config.worktree", "hooks", "commondir", "info"];
        if was_one || !runs.iter().any(|name| has(&at.lower, name).is_some()) { Bare::Known } else { Bare::Unknown }
    }

    /// Publishes every git directory that was met, and then the files that point to them.
    pub(super) fn repositories(&mut self) -> Result<(), Killed> {
        for (layer, path) in std::mem::take(&mut self.repositories) {
            self.layer = layer;
            self.repository(&path)?;
        }
        for (layer, path) in std::mem::take(&mut self.pointers) {
            self.layer = layer;
            self.pointer(&path)?;
        }
        Ok(())
    }

    fn repository(&mut self, path: &Path) -> Result<(), Killed> {
        let git = match self.open_git(path)? {
            Ok(git) => git,
            Err(errno) => {
                self.report.conflict(self.below(path), clash(errno));
                return Ok(());
            }
        };
        if !git.is_new && disk::is_opaque(&git.upper) {
            self.hold_whole(path, super::Kind::Changed);
            return Ok(());
        }
        let published = self.parts(&git);
        // Where all was held back, nothing is left of it.
        if git.is_made && matches!(disk::look(&git.lower, OsStr::new("HEAD")), Ok(None)) {
            let root = disk::open_root(self.root().as_path());
            let parent = root.and_then(|root| disk::open_below(&root, path.parent().unwrap_or(Path::new(""))));
            if let (Ok(parent), Some(name)) = (parent, path.file_name()) {
                disk::remove_empty(&parent, name, DEPTH);
            }
        }
        published
    }

    fn parts(&mut self, git: &Git) -> Result<(), Killed> {
        let path = &git.path;
        for module in self.modules(git) {
            self.repository(&module)?;
        }
        if !self.objects(git)? {
            return Ok(());
        }
        let mut found = Found::default();
        self.gather(git, &mut found)?;
        if found.is_stale {
            // What changed is told already; this says that the rest was dropped with it.
            self.report.conflict(self.below(path), Clash::Repository);
            return Ok(());
        }
        self.write_items(git, found)
    }

    fn open_git(&mut self, path: &Path) -> Result<Result<Git, Errno>, Killed> {
        let (Some(layer), root) = (self.publication.layers.get(self.layer), self.root()) else {
            return Ok(Err(Errno::NOENT));
        };
        let roots = disk::open_root(&layer.upper).and_then(|upper| Ok((upper, disk::open_root(root.as_path())?)));
        let (upper, lower) = match roots {
            Ok(roots) => roots,
            Err(errno) => return Ok(Err(errno)),
        };
        let mut is_made = false;
        if disk::open_below(&lower, path).is_err_and(|errno| errno == Errno::NOENT) {
            self.step("mkdir")?;
            is_made = true;
            if let Err(errno) = disk::make_directories(&lower, path) {
                return Ok(Err(errno));
            }
        }
        let open = || {
            let (upper, lower) = (disk::open_below(&upper, path)?, disk::open_below(&lower, path)?);
            let is_new = is_made || disk::look(&lower, OsStr::new("HEAD"))?.is_none();
            Ok(Git { upper, lower, path: path.to_owned(), is_new, is_made })
        };
        Ok(open())
    }

    /// The git directories of submodules that lie in a git directory. Their names may have slashes.
    fn modules(&mut self, git: &Git) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![PathBuf::from("modules")];
        while let Some(inside) = open.pop() {
            let Ok(upper) = disk::open_below(&git.upper, &inside) else { continue };
            let names = disk::names(&upper).unwrap_or_default();
            let is_git = |side: &OwnedFd| {
                let has = |name: &str| disk::look(side, OsStr::new(name)).is_ok_and(|stat| stat.is_some());
                has("HEAD") || has("objects") || has("config")
            };
            let lower = disk::open_below(&git.lower, &inside).ok();
            if inside.components().count() > 1 && (is_git(&upper) || lower.as_ref().is_some_and(is_git)) {
                found.push(git.path.join(&inside));
                continue;
            }
            for name in names {
                let kind = disk::look(&upper, &name).ok().flatten().map(|stat| disk::kind(&stat));
                if kind == Some(FileType::Directory) && inside.components().count() < DEPTH {
                    open.push(inside.join(name));
                } else {
                    self.hold(Some(&upper), lower.as_ref(), &name, &git.path.join(&inside).join(&name), &GIT);
                }
            }
        }
        found.sort();
        found
    }

    /// Finds what changed, holds back what is to be, and says what clashes.
    fn gather(&mut self, git: &Git, found: &mut Found) -> Result<(), Killed> {
        let names = disk::names(&git.upper).unwrap_or_default();
        for name in names.iter().filter(|name| *name != "objects" && *name != "modules") {
            self.gather_name(git, (Some(&git.upper), Some(&git.lower)), Path::new(name), found, 0);
        }
        for name in names.iter().filter(|name| *name == "objects" || *name == "modules") {
            let is_directory =
                disk::look(&git.upper, name).is_ok_and(|s| s.is_some_and(|s| disk::kind(&s) == FileType::Directory));
            if !is_directory {
                self.hold_whole(&git.path.join(name), super::Kind::Deleted);
            }
        }
        found.items.sort_by(|one, other| (one.step, &one.path).cmp(&(other.step, &other.path)));
        Ok(())
    }

    fn gather_name(
        &mut self,
        git: &Git,
        (upper, lower): (Option<&OwnedFd>, Option<&OwnedFd>),
        path: &Path,
        found: &mut Found,
        depth: usize,
    ) {
        let Some(name) = path.file_name() else { return };
        let look = |side: Option<&OwnedFd>| side.and_then(|side| disk::look(side, name).ok().flatten());
        let (above, under) = (look(upper).filter(|stat| !disk::is_whiteout(stat)), look(lower));
        let is_directory = |stat: &Option<Stat>| stat.as_ref().is_some_and(|s| disk::kind(s) == FileType::Directory);
        if depth > DEPTH || found.items.len() > ITEMS {
            self.report.note_path(self.below(&git.path).as_path(), "has more changes than are published");
            return;
        }
        if is_directory(&above) || (above.is_none() && is_directory(&under)) {
            let inner_upper =
                upper.filter(|_| above.is_some()).and_then(|dir| disk::open_upper_directory(dir, name).ok());
            let inner_lower =
                lower.filter(|_| is_directory(&under)).and_then(|dir| disk::open_directory(dir, name).ok());
            let mut names = inner_upper.as_ref().and_then(|dir| disk::names(dir).ok()).unwrap_or_default();
            if inner_upper.as_ref().is_none_or(disk::is_opaque) {
                names.extend(inner_lower.as_ref().and_then(|dir| disk::names(dir).ok()).unwrap_or_default());
                names.sort_unstable();
                names.dedup();
            }
            if inner_upper.is_none() {
                found.gone.push(path.to_owned());
            }
            for child in names {
                let sides = (inner_upper.as_ref(), inner_lower.as_ref());
                self.gather_name(git, sides, &path.join(child), found, depth + 1);
            }
            // A file where a directory is to be.
            if under.is_none() || is_directory(&under) {
                return;
            }
        }
        let step = names::step_of(path, git.is_new);
        if step == Step::Skip || (above.is_none() && under.is_none()) {
            return;
        }
        let above = above.filter(|stat| disk::kind(stat) != FileType::Directory);
        let item = Item { path: path.to_owned(), step, upper: above, lower: under };
        self.judge(git, (upper, lower), item, found);
    }

    /// Takes an item, holds it back, or says what it clashes with.
    fn judge(
        &mut self,
        git: &Git,
        (upper, lower): (Option<&OwnedFd>, Option<&OwnedFd>),
        mut item: Item,
        found: &mut Found,
    ) {
        let path = git.path.join(&item.path);
        let Some(name) = item.path.file_name() else { return };
        let is_file = |stat: &Option<Stat>| stat.as_ref().is_none_or(|s| disk::kind(s) == FileType::RegularFile);
        let new = upper.filter(|_| item.upper.is_some()).and_then(|dir| disk::open_upper_file(dir, name).ok());
        let old = lower.filter(|_| item.lower.is_some()).and_then(|dir| disk::open_file(dir, name).ok());
        if let (Some(new), Some(old)) = (&new, &old)
            && disk::is_equal(new, old).unwrap_or(false)
        {
            return;
        }
        let text = |file: &Option<std::fs::File>| {
            let bytes = file.as_ref().and_then(|file| disk::read(file, MAX_TEXT));
            bytes.and_then(|bytes| String::from_utf8(bytes).ok())
        };
        let is_known = item.upper.is_none() == new.is_none() && is_file(&item.lower);
        if item.path == Path::new("config") && is_lesser_config(text(&old), text(&new)) {
            item.step = Step::Config;
        }
        let is_fit = match item.step {
            _ if !is_known => false,
            Step::Held | Step::Skip => false,
            _ if item.upper.is_none() => !matches!(item.step, Step::Config | Step::Head) || is_own(&item.path),
            Step::Ref | Step::Head => text(&new).is_some_and(|text| texts::is_reference(&text)),
            Step::PackedRefs => text(&new).is_some_and(|text| texts::packed_union("", &text).is_some()),
            Step::Log => true,
            Step::State => self.is_fit_state(&item.path, text(&old), text(&new)),
            Step::Config => !git.is_new || text(&new).is_some_and(|text| self.is_fit_config(git, &text)),
            Step::CommonDir => item.lower.is_none() && text(&new).as_deref().map(str::trim_end) == Some("../.."),
            Step::Gitdir => {
                item.lower.is_none() && text(&new).is_some_and(|text| self.is_fit_gitdir(git, &item.path, &text))
            }
            Step::Index => new.as_ref().is_some_and(is_index),
        };
        if !is_fit {
            let is_noise = git.is_new && is_noise(&item.path, text(&new));
            if !is_noise {
                self.hold(upper, lower, name, &path, &GIT);
            }
            return;
        }
        if let Some(stat) = &item.lower
            && self.publication.started.is_older_than(stat)
        {
            self.report.conflict(self.below(&path), Clash::Changed);
            found.is_stale = true;
        }
        found.items.push(item);
    }

    fn is_fit_state(&self, path: &Path, old: Option<String>, new: Option<String>) -> bool {
        let Some(name) = path.file_name().and_then(OsStr::to_str) else { return false };
        let is_under_way = path
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("rebase-merge" | "rebase-apply" | "sequencer")));
        // Patches and messages may be of any encoding; what is looked into must be text.
        let must_be_text = matches!(
            name,
            "git-rebase-todo"
                | "git-rebase-todo.backup"
                | "todo"
                | "author-script"
                | "strategy"
                | "gpg_sign_opt"
                | "opts"
        );
        match new {
            Some(new) if is_under_way => texts::is_harmless_state(name, &old.unwrap_or_default(), &new),
            Some(_) => true,
            None => !(is_under_way && must_be_text),
        }
    }

    /// A git directory that may not simply go, or be replaced.
    pub(super) fn hold_whole(&mut self, path: &Path, kind: super::Kind) {
        let root = disk::open_root(self.root().as_path());
        let parent = root.and_then(|root| disk::open_below(&root, path.parent().unwrap_or(Path::new(""))));
        let stat =
            parent.ok().zip(path.file_name()).and_then(|(parent, name)| disk::look(&parent, name).ok().flatten());
        let (layer, inside, path) = (self.layer, path.to_owned(), self.below(path));
        let seen = stat.map(|stat| Seen::new(&stat));
        let (before, after, is_empty_directory) = (None, None, false);
        self.report.hold(super::Held { path, kind, before, after, why: GIT, is_empty_directory, layer, inside, seen });
    }
}

/// Only the HEADs of linked work trees go, with all else of theirs.
fn is_own(path: &Path) -> bool {
    path.starts_with("worktrees")
}

fn is_lesser_config(old: Option<String>, new: Option<String>) -> bool {
    use crate::workspace::git::config::parse;
    let (Some(old), Some(new)) = (old.and_then(|old| parse(&old)), new.and_then(|new| parse(&new))) else {
        return false;
    };
    texts::only_lost_branches(&old, &new)
}

fn is_index(file: &std::fs::File) -> bool {
    use std::os::unix::fs::FileExt;
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).is_ok() && &magic == b"DIRC"
}

/// What git puts into a new git directory and nobody needs.
fn is_noise(path: &Path, text: Option<String>) -> bool {
    path == Path::new("info/exclude")
        && text.is_some_and(|text| text.lines().all(|line| line.is_empty() || line.starts_with('#')))
}

#[cfg(test)]
mod tests;

//! Files that say where a repository or a work tree is. A new one counts when both ends speak of each other, and each end lies where
//! commands may write and nothing but git's own files is.

use super::{GIT, Git, MAX_TEXT, texts};
use crate::path::AbsPath;
use crate::workspace::git::config;
use crate::workspace::layers::Over;
use crate::workspace::publish::disk;
use crate::workspace::publish::stage::{Change, stage_file};
use crate::workspace::publish::tree::{Killed, Run};
use crate::workspace::publish::{Clash, Kind};
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::path::Path;

impl Run<'_> {
    /// Publishes a file named `.git`, when it is new and rightly points to a repository that is there by now.
    pub(super) fn pointer(&mut self, path: &Path) -> Result<(), Killed> {
        let Some(layer) = self.publication.layers.get(self.layer) else { return Ok(()) };
        let (parent, name) = (path.parent().unwrap_or(Path::new("")), OsStr::new(".git"));
        let open = |root: &Path| disk::open_root(root).and_then(|root| disk::open_below(&root, parent));
        let (Ok(upper), Ok(lower)) = (open(&layer.upper), open(self.root().as_path())) else {
            self.report.conflict(self.below(path), Clash::Changed);
            return Ok(());
        };
        let file = disk::open_upper_file(&upper, name).ok();
        let text =
            file.as_ref().and_then(|file| disk::read(file, 1 << 12)).and_then(|text| String::from_utf8(text).ok());
        let is_new = disk::look(&lower, name).is_ok_and(|stat| stat.is_none());
        let is_right = text.as_deref().is_some_and(|text| self.is_right_pointer(path, text));
        let (Some(file), true, true) = (file, is_new, is_right) else {
            self.hold(Some(&upper), Some(&lower), name, path, &GIT);
            return Ok(());
        };
        self.step("pointer")?;
        let staged = self.trail.note(self.root().as_path(), parent).and_then(|()| {
            let stat = rustix::fs::fstat(&file)?;
            stage_file(&lower, name, &file, &stat, None)
        });
        match staged {
            Ok(temporary) => {
                let change =
                    Change { kind: Kind::Created, before: None, after: text.map(String::into_bytes), image: None };
                self.push_staged(lower, name, path, temporary, change);
                self.flush()
            }
            Err(error) => {
                self.report.conflict(self.below(path), Clash::Io(error.to_string()));
                Ok(())
            }
        }
    }

    /// Whether a `.git` file leads to a repository's own directory that leads back to it.
    fn is_right_pointer(&self, path: &Path, text: &str) -> bool {
        let dot_git = self.below(path);
        let Some(target) =
            resolve(dot_git.as_path(), text.trim_end().strip_prefix("gitdir:").unwrap_or("").trim_start())
        else {
            return false;
        };
        self.is_repository_part(&target) && self.points_back(&target, &dot_git)
    }

    /// Whether a `.git` file led to a linked work tree that the command removed, as `git worktree remove` does.
    pub(in crate::workspace::publish) fn is_left_over(&self, path: &Path) -> bool {
        let dot_git = self.below(path);
        let text = crate::workspace::git::read_line(dot_git.as_path());
        let target = text.and_then(|text| resolve(dot_git.as_path(), text.strip_prefix("gitdir:")?.trim_start()));
        let Some(target) = target.filter(|target| self.is_repository_part(target)) else { return false };
        self.points_back(&target, &dot_git)
            && self.publication.layers.iter().any(|layer| {
                let inside = target.as_path().strip_prefix(layer.plan.lower.as_path());
                let upper = disk::open_root(&layer.upper);
                inside.is_ok_and(|inside| upper.is_ok_and(|upper| disk::is_deleted(&upper, inside)))
            })
    }

    /// Whether a git directory, as it is on the disk, names a `.git` file as its work tree's.
    fn points_back(&self, target: &AbsPath, dot_git: &AbsPath) -> bool {
        let text = |name: &str| crate::workspace::git::read_line(&target.as_path().join(name));
        if let Some(common) = text("commondir") {
            let is_listed = target.as_path().parent().is_some_and(|parent| parent.ends_with("worktrees"));
            let back = text("gitdir").and_then(|back| resolve(&target.as_path().join("gitdir"), &back));
            return common == "../.." && is_listed && back.as_ref() == Some(dot_git);
        }
        let config = config::read(&target.as_path().join("config")).unwrap_or_default();
        let back = config.last("core", "worktree").and_then(|back| resolve(&target.as_path().join("config"), back));
        back.is_some_and(|back| Some(back.as_path()) == dot_git.as_path().parent())
    }

    /// Whether a directory is a linked work tree's or a submodule's in a repository that is published with git's rules.
    fn is_repository_part(&self, target: &AbsPath) -> bool {
        self.publication.layers.iter().any(|layer| {
            let Ok(inside) = target.as_path().strip_prefix(layer.plan.lower.as_path()) else { return false };
            let mut names = inside.components().map(|part| part.as_os_str());
            let is_in_git = layer.plan.over == Over::GitDir || names.any(|name| name == ".git");
            is_in_git && matches!(names.next().and_then(OsStr::to_str), Some("worktrees" | "modules"))
        })
    }

    /// Whether a linked work tree's `gitdir` names a `.git` file that names this directory.
    pub(super) fn is_fit_gitdir(&self, git: &Git, path: &Path, text: &str) -> bool {
        let gitdir = self.below(&git.path.join(path));
        let Some(dot_git) = resolve(gitdir.as_path(), text.trim_end()) else { return false };
        let Some(directory) = gitdir.as_path().parent() else { return false };
        self.names_repository(&dot_git, directory)
    }

    /// Whether a new git directory's configuration is harmless, and the work tree it names names it.
    pub(super) fn is_fit_config(&self, git: &Git, text: &str) -> bool {
        let Some(worktree) = config::parse(text).and_then(|config| texts::harmless_config(&config)) else {
            return false;
        };
        let Some(worktree) = worktree else { return true };
        let directory = self.below(&git.path);
        let folder = resolve(&directory.as_path().join("config"), &worktree);
        let dot_git = folder.and_then(|folder| AbsPath::new(folder.as_path().join(".git")).ok());
        dot_git.is_some_and(|dot_git| self.names_repository(&dot_git, directory.as_path()))
    }

    /// Whether a `.git` file, as the command saw it, lies where commands may write and points to a directory.
    fn names_repository(&self, dot_git: &AbsPath, directory: &Path) -> bool {
        let is_writable = self.publication.layers.iter().any(|layer| {
            let writable = &layer.plan.writable;
            layer.plan.over == Over::Tree && writable.iter().any(|open| dot_git.as_path().starts_with(open.as_path()))
        });
        let target = self
            .merged(dot_git)
            .and_then(|text| resolve(dot_git.as_path(), text.trim_end().strip_prefix("gitdir:")?.trim_start()));
        dot_git.as_path().ends_with(".git") && is_writable && target.is_some_and(|target| target.as_path() == directory)
    }

    /// A file's text as the command saw it.
    fn merged(&self, path: &AbsPath) -> Option<String> {
        let (parent, name) = (path.as_path().parent()?, path.as_path().file_name()?);
        for layer in &self.publication.layers {
            let Ok(inside) = parent.strip_prefix(layer.plan.lower.as_path()) else { continue };
            let open = |root: &Path| disk::open_root(root).and_then(|root| disk::open_below(&root, inside));
            for side in [open(&layer.upper), open(layer.plan.lower.as_path())].into_iter().flatten() {
                match disk::look(&side, name) {
                    Ok(Some(stat)) if disk::kind(&stat) == FileType::RegularFile => {
                        let file = disk::open_file(&side, name).ok()?;
                        return String::from_utf8(disk::read(&file, MAX_TEXT)?).ok();
                    }
                    Ok(Some(_)) => return None,
                    Ok(None) | Err(_) => {}
                }
            }
        }
        None
    }
}

/// Where a path that stands in a file leads, by name alone.
fn resolve(file: &Path, path: &str) -> Option<AbsPath> {
    let folder = file.parent()?;
    if path.is_empty() || path.contains('\0') {
        return None;
    }
    AbsPath::new(folder.join(path)).ok()
}

//! What a restore is to do, worked out from what was touched since the checkpoint and what stands on the disk now. Pure.

use crate::path::RootedPath;
use crate::workspace::image::{Image, Print, Touched};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a checkpoint says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// What stood there.
    pub(super) target: Image,
    /// What may stand there if nobody but us changed it: what was last to be, or, if that never happened, what was before.
    ours: Vec<Image>,
    /// Somebody changed it between two of our changes.
    is_mixed: bool,
}

/// What is to be done with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It is to become the target.
    Change(Change),
    /// It stays, and this is why.
    Left(&'static str),
}

/// From what to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// What stands there.
    pub(super) now: Image,
    /// What is to stand there.
    pub(super) target: Image,
}

pub(super) const CHANGED: &str = "you changed it since";
pub(super) const UNKEPT: &str = "what it was is not kept";
pub(super) const NOT_EMPTY: &str = "it is not empty";
const TOO_LARGE: &str = "it is too large to be had back afterwards";
const NO_FOLDER: &str = "its folder is gone";

impl Change {
    /// What it does, in a word.
    pub(super) fn word(&self) -> &'static str {
        match (&self.now, &self.target) {
            (Image::Absent, _) => "created",
            (_, Image::Absent) => "deleted",
            (Image::File { print, .. }, Image::File { print: target, .. }) if print == target => "mode changed",
            (Image::Directory { .. }, Image::Directory { .. }) => "mode changed",
            (_, _) => "changed",
        }
    }
}

/// What to take every touched name back to.
pub(super) fn wishes(rows: Vec<Touched>) -> BTreeMap<RootedPath, Wish> {
    let mut wishes: BTreeMap<RootedPath, Wish> = BTreeMap::new();
    for Touched { path, before, after } in rows {
        let wish = wishes.entry(path).or_insert_with(|| Wish {
            target: before.clone(),
            ours: vec![before.clone()],
            is_mixed: false,
        });
        wish.is_mixed |= !wish.is_ours(&before);
        wish.ours = vec![after, before];
    }
    wishes
}

impl Wish {
    fn is_ours(&self, image: &Image) -> bool {
        self.ours.iter().any(|ours| match (ours, image) {
            // Permissions of a folder come later than the folder, and the person's umask has a say.
            (Image::Directory { .. }, Image::Directory { .. }) => true,
            (ours, image) => ours == image,
        })
    }

    /// What is to be done, as far as the name alone says; nothing when all is as it was.
    fn step(&self, now: &Image, is_kept: impl Fn(&Image) -> bool) -> Option<Step> {
        if *now == self.target {
            return None;
        }
        let change = Change { now: now.clone(), target: self.target.clone() };
        let is_mode_only = change.word() == "mode changed";
        Some(match (now, &self.target) {
            _ if self.is_mixed || !self.is_ours(now) => Step::Left(CHANGED),
            (_, Image::Other) | (Image::Other, _) => Step::Left(UNKEPT),
            (_, Image::File { .. }) if !is_mode_only && !is_kept(&self.target) => Step::Left(UNKEPT),
            (Image::File { print: Print::Written { .. }, .. }, _) if !is_mode_only => Step::Left(TOO_LARGE),
            _ => Step::Change(change),
        })
    }
}

/// What is done with each name, in their order. `now` is what stands there; nothing where the way to it is no folder, or a link.
/// `names` are those in a directory that is to go.
pub(super) fn plan(
    wishes: &BTreeMap<RootedPath, Wish>,
    now: &BTreeMap<RootedPath, Image>,
    names: impl Fn(&RootedPath) -> Vec<OsString>,
    is_kept: impl Fn(&Image) -> bool,
    is_folder: impl Fn(&Path) -> bool,
) -> BTreeMap<RootedPath, Step> {
    let step = |(path, wish): (&RootedPath, &Wish)| Some((path.clone(), wish.step(now.get(path)?, &is_kept)?));
    let mut steps: BTreeMap<RootedPath, Step> = wishes.iter().filter_map(step).collect();
    // From below: a folder goes when all in it goes.
    let mut gone: BTreeSet<PathBuf> = BTreeSet::new();
    for (path, step) in steps.iter_mut().rev() {
        let Step::Change(change) = step else { continue };
        let was_directory = matches!(change.now, Image::Directory { .. });
        let goes = was_directory && !matches!(change.target, Image::Directory { .. });
        if goes && names(path).iter().any(|name| !gone.contains(&path.as_path().join(name))) {
            *step = Step::Left(NOT_EMPTY);
        } else if change.target == Image::Absent {
            gone.insert(path.as_path().to_owned());
        }
    }
    // From above: a name comes when its folder is there.
    let mut folders: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for (path, step) in &mut steps {
        let Step::Change(change) = step else { continue };
        let parent = path.as_path().parent().unwrap_or(Path::new(""));
        let has_folder = folders.get(parent).copied().unwrap_or_else(|| is_folder(parent));
        if change.target != Image::Absent && !has_folder {
            *step = Step::Left(NO_FOLDER);
            continue;
        }
        folders.insert(path.as_path().to_owned(), matches!(change.target, Image::Directory { .. }));
    }
    steps
}

#[cfg(test)]
mod tests;

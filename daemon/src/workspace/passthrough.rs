//! Folders of build output and installed packages, which commands write directly: they are large, made again at will, and of no
//! interest to anybody who reviews a change. Which, is said by a fixed list and by git; the tree is never searched.

use super::git::Repository;
use super::publish::open_plain_directory;
use crate::path::AbsPath;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The names that may pass through. Each is made by a tool, and made again by it.
pub const NAMES: &[&str] = &[
    "target",
    "node_modules",
    "bower_components",
    ".venv",
    "venv",
    "build",
    "dist",
    "out",
    "_build",
    "DerivedData",
    ".build",
    ".next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".astro",
    ".angular",
    ".vite",
    ".parcel-cache",
    ".turbo",
    ".nx",
    ".gradle",
    ".dart_tool",
    ".stack-work",
    "dist-newstyle",
    "elm-stuff",
    "zig-cache",
    ".zig-cache",
    "zig-out",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".hypothesis",
    ".eggs",
    "htmlcov",
    "coverage",
    ".nyc_output",
    ".terraform",
];

/// Entries of a directory that are looked at.
const ENTRIES: usize = 512;

/// The directories that pass through: real ones, with a name of the list, which git ignores. They are looked for at the top of the work
/// tree, in the workspace, in each folder from there to `cwd`, and in the folders directly in these.
#[must_use]
pub fn find(workspace: &AbsPath, cwd: &AbsPath, repository: &Repository) -> Vec<AbsPath> {
    let top = repository.work_tree.as_path();
    let mut ignores = Ignores::new(repository);
    let mut places = BTreeSet::from([PathBuf::new()]);
    let steps = cwd.as_path().ancestors().take_while(|step| step.starts_with(workspace.as_path()));
    for step in steps.chain([workspace.as_path()]) {
        places.extend(step.strip_prefix(top).map(Path::to_owned));
    }
    for place in places.clone() {
        places.extend(folders_in(top, &place));
    }
    let mut found: Vec<AbsPath> = Vec::new();
    for place in places {
        for name in NAMES {
            let inside = place.join(name);
            // Nothing below one that passes through already, and nothing that is no real directory all the way.
            let is_below = found.iter().any(|known| top.join(&inside).starts_with(known.as_path()));
            if !is_below && open_plain_directory(top, &inside).is_ok() && ignores.is_ignored(&inside) {
                found.extend(AbsPath::new(top.join(&inside)));
            }
        }
    }
    found
}

/// The folders directly in a place, of which only so many are looked at.
fn folders_in(top: &Path, place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(top.join(place)) else { return Vec::new() };
    let folders = entries.take(ENTRIES).flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let names = folders.map(|entry| entry.file_name()).filter(|name| name != ".git");
    names.filter(|name| !NAMES.iter().any(|known| name == known)).map(|name| place.join(name)).collect()
}

/// What git ignores in a work tree, read as far as it is asked for.
struct Ignores<'a> {
    top: &'a Path,
    excluded: Gitignore,
    files: BTreeMap<PathBuf, Gitignore>,
}

impl<'a> Ignores<'a> {
    fn new(repository: &'a Repository) -> Self {
        let top = repository.work_tree.as_path();
        let excluded = read(top, &repository.common_dir.as_path().join("info/exclude"));
        Self { top, excluded, files: BTreeMap::new() }
    }

    /// Whether git ignores a directory, which it does when it ignores one above it.
    fn is_ignored(&mut self, inside: &Path) -> bool {
        let mut steps: Vec<&Path> = inside.ancestors().filter(|step| !step.as_os_str().is_empty()).collect();
        steps.reverse();
        steps.into_iter().any(|step| self.is_ignored_itself(step))
    }

    fn is_ignored_itself(&mut self, inside: &Path) -> bool {
        let path = self.top.join(inside);
        // The nearest file that says anything decides.
        for folder in inside.ancestors().skip(1) {
            let top = self.top;
            let file = self.files.entry(folder.to_owned()).or_insert_with(|| {
                let folder = top.join(folder);
                read(&folder, &folder.join(".gitignore"))
            });
            match file.matched(&path, true) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        self.excluded.matched(&path, true).is_ignore()
    }
}

fn read(root: &Path, file: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    for line in super::git::read_text(file).unwrap_or_default().lines() {
        // A line that git would not understand ignores nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests;

//! Folders of build output and installed packages, which commands write directly: they are large, made again at will, and of no
//! interest to anybody who reviews a change. Which, is said by a fixed list and by git; the tree is never searched.

use super::git::{Repository, config, index};
use super::publish::open_plain_directory;
use crate::path::AbsPath;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
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

/// Those of them that hold installed packages, which some installers link to a store of all projects.
const INSTALLED: &[&str] = &["node_modules", "bower_components", ".venv", "venv"];

/// The most entries of such a folder that are looked at to tell that.
const SAMPLED: usize = 1024;

/// Directories in directories that are looked into to tell that.
const SAMPLED_DEPTH: usize = 6;

/// The largest index that is read, in bytes.
const INDEX: u64 = 64 << 20;

/// Entries of a directory that are looked at.
const ENTRIES: usize = 512;

/// The directories that pass through: real ones, with a name of the list, which git ignores and tracks nothing
/// of. They are looked for at the top of the work tree, in the workspace, in each folder from there to `cwd`, and in the folders directly in these.
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
    let tracked = Tracked::read(repository, found.is_empty());
    found.retain(|path| {
        let inside = path.as_path().strip_prefix(top).unwrap_or(path.as_path());
        !tracked.holds(inside) && !is_shared(path.as_path())
    });
    found
}

/// What git tracks.
enum Tracked {
    /// These paths.
    Paths(Vec<Vec<u8>>),
    /// It cannot be told, so that everything may be.
    Unknown,
}

impl Tracked {
    fn read(repository: &Repository, is_needless: bool) -> Self {
        let file = repository.git_dir.as_path().join("index");
        if is_needless || matches!(file.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
        {
            return Tracked::Paths(Vec::new());
        }
        let config = config::read(&repository.common_dir.as_path().join("config")).unwrap_or_default();
        let object = if config.last("extensions", "objectformat") == Some("sha256") { 32 } else { 20 };
        let bytes = super::git::read_bytes(&file, INDEX);
        let paths = bytes.as_deref().and_then(|bytes| index::paths(bytes, object));
        paths.map_or(Tracked::Unknown, |paths| Tracked::Paths(paths.into_iter().map(<[u8]>::to_vec).collect()))
    }

    /// Whether it is tracked, or something in it, or a folder that stands for all in it.
    fn holds(&self, inside: &Path) -> bool {
        let Tracked::Paths(paths) = self else { return true };
        paths.iter().any(|path| {
            let (path, is_folder) = (Path::new(OsStr::from_bytes(path)), path.ends_with(b"/"));
            path.starts_with(inside) || (is_folder && inside.starts_with(path))
        })
    }
}

/// Whether files in a folder of installed packages may be another name of files elsewhere, so that who writes to one writes to all
/// projects. Only some of them are looked at: an installer makes all of them in one way.
fn is_shared(folder: &Path) -> bool {
    if folder.join(".pnpm").symlink_metadata().is_ok() {
        return true;
    }
    if !folder.file_name().is_some_and(|name| INSTALLED.iter().any(|installed| name == *installed)) {
        return false;
    }
    let (mut open, mut left) = (vec![(folder.to_owned(), 0)], SAMPLED);
    while let Some((folder, depth)) = open.pop() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let Some(less) = left.checked_sub(1) else { return false };
            left = less;
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && depth < SAMPLED_DEPTH {
                open.push((entry.path(), depth + 1));
            } else if metadata.is_file() && metadata.nlink() > 1 {
                return true;
            }
        }
    }
    false
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

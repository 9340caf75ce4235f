//! Folders and files of other names that are what a protected name stands for: the end of a link such as `.vscode -> config/editor`,
//! and what the repository's own configuration runs or reads, such as `core.hooksPath = tools/hooks`.

use super::Publication;
use crate::policy::paths::{self, Class};
use crate::workspace::git::config::{self, Entry};
use crate::workspace::layers::Over;
use std::path::{Path, PathBuf};

/// Names of a folder that are looked at.
const ENTRIES: usize = 4096;

/// Files that include one another at most.
const INCLUDES: usize = 8;

/// What is protected beside the protected names, as absolute paths.
pub(super) fn find(publication: &Publication) -> Vec<(PathBuf, Class)> {
    let mut found = Vec::new();
    let layers = || publication.layers.iter().map(|layer| (layer.plan.over, layer.plan.lower.as_path()));
    for (_, top) in layers().filter(|(over, _)| *over == Over::Tree) {
        found.extend(ends_of_links(top));
        if top != publication.workspace.as_path() {
            found.extend(ends_of_links(publication.workspace.as_path()));
        }
        for (over, lower) in layers() {
            let directory = if over == Over::Tree { lower.join(".git") } else { lower.to_owned() };
            for file in ["config", "config.worktree"] {
                let mut named = Vec::new();
                named_in(&directory.join(file), top, &mut named, 0);
                found.extend(named.into_iter().map(|path| (path, Class::VersionControl)));
            }
        }
    }
    // The whole work tree is not a protected name, whatever somebody wrote.
    found.retain(|(path, _)| layers().all(|(_, top)| !top.starts_with(path)));
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found.dedup();
    found
}

fn ends_of_links(folder: &Path) -> Vec<(PathBuf, Class)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let links = entries.take(ENTRIES).flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    let ends = links.filter_map(|link| Some((link.path().canonicalize().ok()?, paths::class_of(&link.file_name())?)));
    ends.collect()
}

/// The paths in the work tree that a file's settings make git run or read, and those of the files it includes.
fn named_in(file: &Path, top: &Path, named: &mut Vec<PathBuf>, depth: usize) {
    // The person may have linked what they include.
    let settings = file.canonicalize().ok().and_then(|file| config::read(&file)).unwrap_or_default();
    for entry in settings.entries() {
        let Some(names) = names_of(entry) else { continue };
        if names == Names::Included {
            let included = file.parent().unwrap_or(top).join(&entry.value);
            named.extend(in_tree(&included, top));
            if depth < INCLUDES {
                named_in(&included, top, named, depth + 1);
            }
        } else if names == Names::Folder {
            named.extend(in_tree(&top.join(&entry.value), top));
        } else {
            let words = entry.value.split(|c: char| c.is_whitespace() || "!;&|()<>`\"'=$".contains(c));
            named.extend(words.filter(|word| !word.is_empty()).filter_map(|word| program(word, top)));
        }
    }
}

/// What a setting names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// More settings.
    Included,
    /// A folder of programs.
    Folder,
    /// A command line.
    Command,
}

fn names_of(entry: &Entry) -> Option<Names> {
    match (entry.section.as_str(), entry.key.as_str()) {
        ("include" | "includeif", "path") => Some(Names::Included),
        ("core", "hookspath") => Some(Names::Folder),
        ("core", "fsmonitor" | "sshcommand" | "editor" | "pager" | "askpass" | "gitproxy" | "alternaterefscommand")
        | ("sequence", "editor")
        | ("credential", "helper")
        | ("gpg", "program")
        | ("filter", "clean" | "smudge" | "process")
        | ("diff", "command" | "textconv" | "external")
        | ("merge", "driver")
        | ("difftool" | "mergetool", "cmd" | "path")
        | ("pager", _)
        | ("trailer", "command" | "cmd")
        | ("uploadpack", "packobjectshook") => Some(Names::Command),
        // Without the mark it is one of git's own commands.
        ("alias", _) if entry.value.starts_with('!') => Some(Names::Command),
        _ => None,
    }
}

/// A word of a command line as a file in the work tree; one that looks like a path may also come later. A folder is what a program
/// works on.
fn program(word: &str, top: &Path) -> Option<PathBuf> {
    let path = in_tree(&top.join(word), top)?;
    match path.symlink_metadata() {
        Ok(metadata) => (!metadata.is_dir()).then_some(path),
        Err(_) => word.contains('/').then_some(path),
    }
}

/// A path in the work tree as it is without links, as far as it exists.
fn in_tree(path: &Path, top: &Path) -> Option<PathBuf> {
    let path = crate::path::AbsPath::new(path).ok()?.as_path().to_owned();
    let real = path.ancestors().find_map(|known| Some(known.canonicalize().ok()?.join(path.strip_prefix(known).ok()?)));
    // Joining nothing leaves a slash at the end, which is no part of the name.
    let real: PathBuf = real?.components().collect();
    real.starts_with(top).then_some(real)
}

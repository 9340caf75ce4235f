//! Folders and files of other names that are what a protected name stands for: the end of a link such as `.vscode -> config/editor`,
//! and what the repository's own configuration runs or reads, such as `core.hooksPath = tools/hooks`.

use super::Publication;
use crate::policy::paths::{self, Class};
use crate::workspace::git::config::{self, Entry};
use crate::workspace::layers::Over;
use std::path::{Path, PathBuf};

/// Names of a folder that are looked at.
const ENTRIES: usize = 4096;

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
            let settings = config::read(&directory.join("config")).unwrap_or_default();
            let named = settings.entries().iter().filter_map(|entry| named_by(entry, top, &directory));
            found.extend(named.map(|path| (path, Class::VersionControl)));
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

/// The path in the work tree that a setting makes git run or read, if it does.
fn named_by(entry: &Entry, top: &Path, directory: &Path) -> Option<PathBuf> {
    let base = match (entry.section.as_str(), entry.key.as_str()) {
        ("include" | "includeif", "path") => directory,
        ("core", "hookspath" | "fsmonitor" | "sshcommand" | "editor" | "pager" | "askpass" | "gitproxy")
        | ("sequence", "editor")
        | ("credential", "helper")
        | ("gpg", "program")
        | ("filter", "clean" | "smudge" | "process")
        | ("diff", "command" | "textconv" | "external")
        | ("merge", "driver")
        | ("difftool" | "mergetool", "cmd" | "path") => top,
        _ => return None,
    };
    // Of a command line the program; `!` makes one of a helper's name.
    let word = if entry.key == "hookspath" || entry.key == "path" {
        entry.value.as_str()
    } else {
        entry.value.trim_start_matches('!').split_whitespace().next()?
    };
    let path = crate::path::AbsPath::new(base.join(word)).ok()?.as_path().to_owned();
    (path.starts_with(top) && path.symlink_metadata().is_ok()).then(|| path.canonicalize().unwrap_or(path))
}

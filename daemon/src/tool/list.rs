//! `list`: what lies in a folder.

use super::{Output, place};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::workspace::index::scan;
use ignore::WalkBuilder;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entries looked at before the walk gives up counting.
const MAX_WALK: usize = 50_000;

/// Entries shown at most.
const MAX_SHOWN: usize = 300;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    pub(super) path: Option<String>,
    depth: Option<u32>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "list",
        description: "Lists the files below a folder, without those git ignores. Deep trees are cut at a depth that fits, and say so.",
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "the workspace unless given"},
                "depth": {"type": "integer", "description": "levels to show"}
            }
        }),
        grammar: None,
    }
}

pub(super) async fn run(cx: &TurnCx, args: &Args) -> Output {
    let path = args.path.as_deref().unwrap_or(".");
    let start = match place::rooted(cx, path).and_then(|path| place::beneath(cx.workspace.root(), &path)) {
        Ok(start) => start,
        Err(problem) => return Output::failed(problem),
    };
    if !start.is_dir() {
        return Output::failed(format!("{path} is a file; use read"));
    }
    let depth = args.depth.map_or(usize::MAX, |depth| depth.max(1) as usize);
    let unsaved = place::unsaved(cx, &start).await;
    let walked = tokio::task::spawn_blocking(move || walk(&start)).await;
    match walked {
        Ok((mut entries, whole)) => {
            see_unsaved(&mut entries, &unsaved);
            Output::done(render(&entries, whole, depth))
        }
        Err(error) => Output::failed(format!("cannot list {path}: {error}")),
    }
}

/// A file walk as all tools see the workspace, in the order of names.
pub(super) fn walker(start: &Path) -> WalkBuilder {
    let mut builder = scan::walker(start);
    builder.sort_by_file_name(std::ffi::OsStr::cmp);
    builder
}

/// Paths relative to the start, directories marked; and whether that is all of them.
fn walk(start: &Path) -> (Vec<(PathBuf, bool)>, bool) {
    let mut entries = Vec::new();
    for entry in walker(start).build().flatten() {
        let Ok(path) = entry.path().strip_prefix(start) else { continue };
        if path.as_os_str().is_empty() {
            continue;
        }
        if entries.len() == MAX_WALK {
            return (entries, false);
        }
        let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        entries.push((path.to_owned(), directory));
    }
    (entries, true)
}

/// Adds the files that are not on the disk yet, and takes away those that are proposed to go.
fn see_unsaved(entries: &mut Vec<(PathBuf, bool)>, unsaved: &BTreeMap<PathBuf, Option<Arc<[u8]>>>) {
    entries.retain(|(path, _)| !matches!(unsaved.get(path), Some(None)));
    for path in unsaved.iter().filter(|(_, text)| text.is_some()).map(|(path, _)| path) {
        let folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        for entry in folders.map(|folder| (folder.to_owned(), true)).chain([(path.clone(), false)]) {
            if let Err(place) = entries.binary_search_by(|(known, _)| known.cmp(&entry.0)) {
                entries.insert(place, entry);
            }
        }
    }
}

/// As many whole levels as fit. A folder that is not opened says how many files it holds.
fn render(entries: &[(PathBuf, bool)], whole: bool, wanted: usize) -> String {
    if entries.is_empty() {
        return "the folder is empty".to_owned();
    }
    let deepest = entries.iter().map(|(path, _)| path.components().count()).max().unwrap_or(1).min(wanted);
    let count = |depth: usize| entries.iter().filter(|(path, _)| path.components().count() <= depth).count();
    let depth = (1..=deepest).rev().find(|&depth| count(depth) <= MAX_SHOWN).unwrap_or(1);
    let mut inside: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (path, directory) in entries {
        if !directory && path.components().count() > depth {
            *inside.entry(path.components().take(depth).collect()).or_default() += 1;
        }
    }
    let mut shown = String::new();
    for (path, directory) in entries.iter().filter(|(path, _)| path.components().count() <= depth).take(MAX_SHOWN) {
        let path_text = path.display();
        match (directory, inside.get(path)) {
            (true, Some(files)) => shown.push_str(&format!("{path_text}/ ({files} files)\n")),
            (true, None) => shown.push_str(&format!("{path_text}/\n")),
            (false, _) => shown.push_str(&format!("{path_text}\n")),
        }
    }
    let total = count(depth);
    if total > MAX_SHOWN {
        shown.push_str(&format!("[{} more entries at this level; list a folder, or search]\n", total - MAX_SHOWN));
    } else if !inside.is_empty() {
        shown.push_str(&format!("[{depth} levels shown; list a folder to see into it]\n"));
    }
    if !whole {
        shown.push_str(&format!("[only the first {MAX_WALK} entries were counted]\n"));
    }
    shown
}

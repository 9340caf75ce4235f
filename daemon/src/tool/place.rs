//! Paths as models write them, and where they lie. Never opens a file.

use crate::cx::TurnCx;
use crate::path::{AbsPath, RootedPath};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A path as the model wrote it, below the root, which the turn remembers. What it reaches through links gets the name it has there, by which editors, rules and
/// reviews know it; one that leads out keeps its own, and is refused when it is opened.
pub(super) fn rooted(cx: &TurnCx, path: &str) -> Result<RootedPath, String> {
    let root = cx.workspace.root();
    let named = RootedPath::new(root, path.trim()).map_err(|error| error.to_string())?;
    let path = RootedPath::below(root, &root.join(&named).real()).unwrap_or(named);
    cx.named.add(&path);
    Ok(path)
}

/// Where a path really lies, for the tools that walk or start there: below the root, links resolved. Blocks for some file system calls.
pub(super) fn beneath(root: &AbsPath, path: &RootedPath) -> Result<PathBuf, String> {
    let start = root.join(path);
    let real = start.as_path().canonicalize().map_err(|_| format!("{path} does not exist"))?;
    let root = root.as_path().canonicalize().map_err(|error| error.to_string())?;
    if real.starts_with(&root) { Ok(real) } else { Err(format!("{path} leads out of the workspace through a link")) }
}

/// What the session sees otherwise than it is on the disk, below a folder or at a file, by its path from there.
pub(super) async fn unsaved(cx: &TurnCx, start: &Path) -> BTreeMap<PathBuf, Option<Arc<[u8]>>> {
    let root = cx.workspace.root().as_path();
    let texts = cx.workspace.unsaved(Some(&cx.session)).await.into_iter();
    let from_start = |(path, text): (RootedPath, _)| {
        let path = root.join(path.as_path());
        Some((path.strip_prefix(start).ok()?.to_owned(), text))
    };
    texts.filter_map(from_start).collect()
}

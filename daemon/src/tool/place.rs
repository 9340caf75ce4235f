//! Paths as models write them, and where they lie. Never opens a file.

use crate::cx::TurnCx;
use crate::path::RootedPath;
use std::path::PathBuf;

/// A path as the model wrote it, below the root.
pub(super) fn rooted(cx: &TurnCx, path: &str) -> Result<RootedPath, String> {
    RootedPath::new(cx.workspace.root(), path.trim()).map_err(|error| error.to_string())
}

/// Where a path really lies, for the tools that walk or start there: below the root, links resolved.
pub(super) fn beneath(cx: &TurnCx, path: &RootedPath) -> Result<PathBuf, String> {
    let start = cx.workspace.root().join(path);
    let real = start.as_path().canonicalize().map_err(|_| format!("{path} does not exist"))?;
    let root = cx.workspace.root().as_path().canonicalize().map_err(|error| error.to_string())?;
    if real.starts_with(&root) { Ok(real) } else { Err(format!("{path} leads out of the workspace through a link")) }
}

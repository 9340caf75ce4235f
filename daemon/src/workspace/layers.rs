//! Which overlays a command sees, and which folders pass through them. Looks at directories; mounts nothing.

use super::git::Repository;
use super::passthrough;
use crate::path::AbsPath;
use pilotfish_protocol::Mode;

/// What an overlay stands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A tree of files, maybe with a repository's own directory in it.
    Tree,
    /// The directory of a repository that lies outside the tree.
    GitDir,
}

/// One overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlan {
    /// The real folder.
    pub lower: AbsPath,
    /// What it is.
    pub over: Over,
    /// What of it the command may change; all else is read-only to it. Each is `lower` or lies below it.
    pub writable: Vec<AbsPath>,
    /// Directories below it that are bound directly, and so neither published nor undone.
    pub through: Vec<AbsPath>,
}

/// The overlays of a command that starts in `cwd`: one over the work tree that the workspace belongs to, or over the workspace where
/// there is none, and one over a repository's own directory that lies elsewhere.
#[must_use]
pub fn plan(workspace: &AbsPath, cwd: &AbsPath, mode: Mode, repository: Option<&Repository>) -> Vec<LayerPlan> {
    let Some(repository) = repository else {
        let writable = vec![workspace.clone()];
        return vec![LayerPlan { lower: workspace.clone(), over: Over::Tree, writable, through: Vec::new() }];
    };
    let is_inside = |path: &AbsPath| path.as_path().starts_with(repository.work_tree.as_path());
    let mut writable = vec![workspace.clone()];
    if is_inside(&repository.git_dir) && !repository.git_dir.as_path().starts_with(workspace.as_path()) {
        writable.push(repository.git_dir.clone());
    }
    let through = match mode {
        Mode::Agent => passthrough::find(workspace, cwd, repository),
        Mode::ReadOnly => Vec::new(),
    };
    let mut layers = vec![LayerPlan { lower: repository.work_tree.clone(), over: Over::Tree, writable, through }];
    for directory in [&repository.common_dir, &repository.git_dir] {
        let is_known = layers.iter().any(|layer| directory.as_path().starts_with(layer.lower.as_path()));
        if !is_known {
            let (lower, writable) = (directory.clone(), vec![directory.clone()]);
            layers.push(LayerPlan { lower, over: Over::GitDir, writable, through: Vec::new() });
        }
    }
    layers
}

#[cfg(test)]
mod tests;

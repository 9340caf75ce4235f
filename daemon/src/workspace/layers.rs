//! Which overlays a command sees, and which folders pass through them. Looks at directories; mounts nothing.

use crate::path::AbsPath;

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

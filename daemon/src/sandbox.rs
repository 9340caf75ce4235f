//! Running commands, confined. This module alone starts what a model or a repository names.

use crate::path::AbsPath;
use pilotfish_protocol::Mode;
use std::time::Duration;

/// What to run, and in what cage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What the command may do.
    pub mode: Mode,
    /// The folder the session works in.
    pub workspace: AbsPath,
    /// Where it starts; the workspace or a folder below it.
    pub cwd: AbsPath,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment of the inside, before the cage adds its own (HOME, TMPDIR).
    pub env: Vec<(String, String)>,
    /// When it is stopped.
    pub time_limit: Option<Duration>,
}

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

// Stub until the branch `sandbox` lands.
#[allow(missing_docs)]
#[derive(Debug, Clone)]
pub struct Sandbox;
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    No,
    TimeLimit,
    Cancelled,
}
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub status: Exit,
    pub stopped: Stopped,
    pub duration: Duration,
}
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct SandboxError;
#[allow(missing_docs)]
impl Sandbox {
    pub async fn run(
        &self,
        _: &Spec,
        _: &tokio_util::sync::CancellationToken,
        _: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Finished, SandboxError> {
        Err(SandboxError)
    }
}
#[allow(missing_docs)]
pub fn spec_env(_: &std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    Vec::new()
}

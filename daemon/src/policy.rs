//! What may happen. Pure: a mode and an action in, a verdict out. Refuse beats Ask beats Run.

use crate::path::RootedPath;
use pilotfish_protocol::Mode;

pub mod paths;

/// The effect a tool call plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<'a> {
    /// Looks at the workspace.
    Read,
    /// Changes the session's own notes only.
    Note,
    /// Changes these files of the workspace.
    Write(&'a [RootedPath]),
    /// Runs a command in the sandbox.
    Run,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It happens.
    Run,
    /// It does not happen; it is shown to the person as a proposal.
    Propose,
    /// It happens only if the person says so.
    Ask {
        /// Why.
        reason: String,
    },
    /// It does not happen.
    Refuse {
        /// Why.
        reason: String,
    },
}

/// Judges an action.
#[must_use]
pub fn decide(mode: Mode, action: &Action<'_>) -> Verdict {
    match action {
        Action::Read | Action::Note | Action::Run => Verdict::Run,
        Action::Write(paths) => match (mode, paths.iter().find_map(protected)) {
            (Mode::ReadOnly, _) => Verdict::Propose,
            (Mode::Agent, Some(reason)) => Verdict::Ask { reason },
            (Mode::Agent, None) => Verdict::Run,
        },
    }
}

fn protected(path: &RootedPath) -> Option<String> {
    let class = paths::protected(path)?;
    Some(format!("{path} is protected: {}", class.why()))
}

#[cfg(test)]
mod tests;

//! What may happen. Pure: a mode and an action in, a verdict out. Refuse beats Ask beats Run.

use crate::path::RootedPath;
use command::Segment;
use pilotfish_protocol::{Mode, Rule};
use rules::{Remembered, UNCONFINED};

pub mod command;
pub mod paths;
pub mod rules;

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

/// What follows for a command, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What follows.
    pub outcome: Outcome,
    /// What the command would run, each with the rule that matches it.
    pub segments: Vec<(Segment, Option<Rule>)>,
    /// The rule that lets it run; of several the first.
    pub rule: Option<Rule>,
    /// In words for the person.
    pub reason: String,
}

/// What follows for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It runs.
    Run,
    /// It runs only if the person says so.
    Ask,
    /// It does not run, whatever anybody says.
    Refuse,
}

/// Judges a command that is to run in the sandbox. Confinement is what makes it harmless, and so it runs.
#[must_use]
pub fn judge_confined(command: &str) -> Judgement {
    let segments = command::parse(command).into_iter().map(|segment| (segment, None)).collect();
    Judgement { outcome: Outcome::Run, segments, rule: None, reason: "it runs in the sandbox".to_owned() }
}

/// Judges a command that is to run outside the sandbox: it runs when each of its segments is matched by a rule that says so, and is
/// asked otherwise. `rules` are those that hold in its workspace.
#[must_use]
pub fn judge_unconfined(command: &str, rules: &[Remembered]) -> Judgement {
    judge_grant(command, UNCONFINED, rules)
}

/// Judges a command that is to run with something beyond the sandbox, such as `host:github.com`.
#[must_use]
pub fn judge_grant(command: &str, grant: &str, rules: &[Remembered]) -> Judgement {
    let judged = |segment: Segment| {
        let rule = rules::matching(&segment, grant, rules).cloned();
        (segment, rule)
    };
    let segments: Vec<_> = command::parse(command).into_iter().map(judged).collect();
    let (outcome, reason) = match segments.iter().find(|(_, rule)| rule.is_none()) {
        _ if command.contains('\0') => (Outcome::Refuse, "no program can be given a NUL".to_owned()),
        Some((segment, _)) => (Outcome::Ask, unmatched(segment)),
        None => (Outcome::Run, "every part of it is matched by a remembered rule".to_owned()),
    };
    let rule = match outcome {
        Outcome::Run => segments.first().and_then(|(_, rule)| rule.clone()),
        Outcome::Ask | Outcome::Refuse => None,
    };
    Judgement { outcome, segments, rule, reason }
}

fn unmatched(segment: &Segment) -> String {
    match segment {
        Segment::Opaque { text, why } => format!("no rule can match `{text}`: {why}"),
        Segment::Simple(simple) if !simple.env.is_empty() => {
            format!("no rule can match `{}`: it sets variables", simple.to_shell())
        }
        Segment::Simple(simple) if simple.directory.is_some() => {
            format!("no rule can match `{}`: it runs in another folder", simple.to_shell())
        }
        Segment::Simple(simple) => format!("no rule matches `{}`", simple.to_shell()),
    }
}

fn protected(path: &RootedPath) -> Option<String> {
    let class = paths::protected(path)?;
    Some(format!("{path} is protected: {}", class.why()))
}

#[cfg(test)]
mod tests;

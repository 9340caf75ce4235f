//! `pilotfish policy explain`: what would follow for a command, and why, as JSON. It runs nothing and asks nobody.

use crate::cli::exec::parse_mode;
use crate::cli::{Environment, terminal};
use crate::config::{Home, rules};
use crate::path::AbsPath;
use crate::policy::command::Segment;
use crate::policy::rules::{Remembered, script};
use crate::policy::{Judgement, Outcome, judge_confined, judge_unconfined};
use pilotfish_protocol::{Mode, Rule, RuleId};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Say what may happen, and why
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Say what would follow for a command, as JSON
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// What the session may do
    #[arg(long, value_parser = parse_mode)]
    mode: Mode,
    /// Whether it is to run outside the sandbox
    #[arg(long)]
    unconfined: bool,
    /// The folder it works in, if it is not this one
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// The command line
    #[arg(long, value_name = "STRING", allow_hyphen_values = true)]
    command: String,
}

/// Explains.
///
/// # Errors
/// When there is no such workspace, or the file of rules is broken.
pub fn run(args: &Args, environment: &Environment) -> anyhow::Result<u8> {
    let Verb::Explain(explain) = &args.verb;
    let judgement = if explain.unconfined {
        let workspace = workspace(explain.workspace.as_deref())?;
        judge_unconfined(&explain.command, &remembered(&Home::of(environment)?, &workspace)?)
    } else {
        judge_confined(&explain.command)
    };
    let line = format!("{}\n", serde_json::to_string_pretty(&explanation(explain.mode, judgement))?);
    terminal::ignore_closed(std::io::stdout().write_all(line.as_bytes()))?;
    Ok(0)
}

/// The rules that hold in a workspace, with the present bytes of the scripts they name.
fn remembered(home: &Home, workspace: &AbsPath) -> anyhow::Result<Vec<Remembered>> {
    let held = rules::held(home, workspace.as_path(), script)?.into_iter();
    let remembered =
        |(stored, present): (rules::StoredRule, _)| Remembered { rule: stored.rule, given: stored.digest, present };
    Ok(held.map(remembered).collect())
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the current folder is known")]
fn workspace(said: Option<&Path>) -> anyhow::Result<AbsPath> {
    let folder = match said {
        Some(folder) => folder.canonicalize(),
        None => std::env::current_dir().and_then(|folder| folder.canonicalize()),
    };
    let folder = folder.map_err(|error| anyhow::anyhow!("cannot open the workspace: {error}"))?;
    Ok(AbsPath::new(folder)?)
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Explanation {
    decision: &'static str,
    mode: Mode,
    segments: Vec<Part>,
    rule: Option<Rule>,
    reason: String,
}

/// A segment. One that is not understood has no words.
#[derive(Debug, Default, Serialize)]
struct Part {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    argv: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wrapper: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleId>,
}

fn explanation(mode: Mode, judgement: Judgement) -> Explanation {
    let decision = match judgement.outcome {
        Outcome::Run => "run",
        Outcome::Ask => "ask",
        Outcome::Refuse => "refuse",
    };
    let segments = judgement.segments.into_iter().map(|(segment, rule)| part(segment, rule)).collect();
    Explanation { decision, mode, segments, rule: judgement.rule, reason: judgement.reason }
}

fn part(segment: Segment, rule: Option<Rule>) -> Part {
    match segment {
        Segment::Opaque { text, why } => Part { text, opaque: Some(why), ..Part::default() },
        Segment::Simple(simple) => Part {
            text: simple.to_shell(),
            argv: simple.argv().to_vec(),
            wrapper: simple.words.iter().take(simple.wrapper).cloned().collect(),
            env: simple.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            directory: simple.directory,
            opaque: None,
            rule: rule.and_then(|rule| rule.id),
        },
    }
}

//! `pilotfish exec`: one turn without an editor. What the turn does is decided elsewhere; here it is asked for, shown and ended.

use crate::cli::terminal::{Looks, Screen};
use crate::cli::{FAILED, INTERRUPTED, QUESTION, USAGE, daemon};
use crate::config::Environment;
use crate::door::client::Opening;
use crate::door::shim::Start;
use crate::path::AbsPath;
use drive::{Driven, View};
use json::Json;
use pilotfish_protocol::{Mode, ModelName, StopReason};
use question::OnQuestion;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use transcript::Transcript;

pub(crate) mod diff;
pub(crate) mod drive;
mod json;
pub(crate) mod question;
pub(crate) mod transcript;

/// Run one turn without an editor
///
/// Status: 0 finished, 1 failed, 2 the command line is wrong, 3 stopped at a question that nobody was there to answer, 130 interrupted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the agent may do: read-only proposes changes, agent makes them
    #[arg(long, value_name = "MODE", default_value = "read-only", value_parser = parse_mode)]
    mode: Mode,
    /// The model, as provider/model; the configured one unless given
    #[arg(long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
    /// The folder to work in; the current one unless given
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print each session/update as a line of JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// How questions are answered; without it they are asked on the terminal, and without a terminal they end the run
    #[arg(long, value_name = "ANSWER", value_enum)]
    on_ask: Option<OnAsk>,
    /// What to do; - reads it from stdin
    prompt: String,
}

/// An answer given beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnAsk {
    /// The model is told no and goes on
    Deny,
    /// Hosts and paths are granted, once each time they are asked for; protected names and running unconfined never are
    Allow,
    /// The run ends with status 3
    Fail,
}

/// Runs one turn and shows it.
///
/// # Errors
/// When the turn could not be started.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let prompt = match read_prompt(&args.prompt) {
        Ok(prompt) if !prompt.trim().is_empty() => prompt,
        Ok(_) => return misused("the prompt is empty; say what to do"),
        Err(error) => return misused(&format!("cannot read the prompt from stdin: {error}")),
    };
    let folder = args.workspace.clone().unwrap_or_else(|| PathBuf::from("."));
    let workspace = match open_folder(&folder) {
        Ok(workspace) => workspace,
        Err(error) => return misused(&format!("cannot work in {}: {error}", folder.display())),
    };
    let client = daemon::client(&environment, Start::IfNeeded).await?;
    let model = args.model.map(ModelName);
    let opening = Opening { workspace: workspace.to_string(), mode: args.mode, model };
    let on_question = match args.on_ask {
        Some(OnAsk::Deny) => OnQuestion::Deny,
        Some(OnAsk::Allow) => OnQuestion::Allow,
        Some(OnAsk::Fail) => OnQuestion::Stop,
        None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !args.json => OnQuestion::Ask,
        None => OnQuestion::Stop,
    };
    let mut view: Box<dyn View> = if args.json {
        Box::new(Json::new())
    } else {
        Box::new(Transcript::new(Screen::new(Looks::of(&environment)), None))
    };
    let driven = drive::turn(&client, opening, prompt, on_question, &mut *view).await;
    drop(view);
    Ok(status(&driven?))
}

/// The program's status after a turn.
pub(crate) fn status(driven: &Driven) -> u8 {
    match driven {
        Driven::Ended(StopReason::Done) => 0,
        Driven::Ended(StopReason::Interrupted) => INTERRUPTED,
        Driven::Ended(StopReason::Length | StopReason::Refused | StopReason::StepLimit | StopReason::Failed) => FAILED,
        Driven::StoppedAtQuestion => QUESTION,
    }
}

/// An existing folder, links resolved.
pub(crate) fn open_folder(folder: &std::path::Path) -> anyhow::Result<AbsPath> {
    let folder = folder.canonicalize()?;
    anyhow::ensure!(folder.is_dir(), "it is not a folder");
    Ok(AbsPath::new(folder)?)
}

fn read_prompt(prompt: &str) -> std::io::Result<String> {
    if prompt != "-" {
        return Ok(prompt.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn misused(why: &str) -> anyhow::Result<u8> {
    writeln!(std::io::stderr(), "pilotfish exec: {why}")?;
    Ok(USAGE)
}

pub(super) fn parse_mode(text: &str) -> Result<Mode, String> {
    match text {
        "read-only" => Ok(Mode::ReadOnly),
        "agent" => Ok(Mode::Agent),
        _ => Err("write read-only or agent".to_owned()),
    }
}

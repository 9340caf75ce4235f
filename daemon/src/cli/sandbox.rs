//! `pilotfish sandbox`: runs one command in the cage that the agent's commands run in, streams and status untouched.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pilotfish_protocol::Mode;

use crate::config::{Home, private_directory};
use crate::path::AbsPath;
use crate::sandbox::scratch::Run;
use crate::sandbox::{Exit, Layer, Sandbox, Scratch, Spec, Tier, spec_env};

/// The status when the command was not run because it cannot be confined.
const REFUSED: u8 = 125;

/// Run a command in the sandbox that the agent's commands run in
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the command may do
    #[arg(long, value_parser = parse_mode)]
    mode: Mode,
    /// The folder it works in; nothing else of yours is visible to it
    #[arg(long, value_name = "DIR")]
    workspace: PathBuf,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    argv: Vec<String>,
}

/// Runs the command and returns its status: 128 and the number when a signal ended it, 125 when it was not run, 126 when it is no
/// program, 127 when there is none of that name. Why it was not run is said in one line on standard error.
#[must_use]
pub fn run(args: &Args) -> u8 {
    match try_run(args) {
        Ok(exit) => exit.shell_status(),
        Err(error) => {
            complain(&error.to_string());
            REFUSED
        }
    }
}

fn try_run(args: &Args) -> anyhow::Result<Exit> {
    let workspace = &args.workspace;
    let workspace = workspace
        .canonicalize()
        .map_err(|error| anyhow::anyhow!("cannot open the workspace {}: {error}", workspace.display()))?;
    let workspace = AbsPath::new(workspace)?;
    let environment = environment();
    let home = Home::of(&environment)?;
    let scratch = open_scratch(&home);
    let run = scratch.as_ref().map(Scratch::run).transpose()?;
    let layers = match &run {
        Some(run) => vec![run.layer(0, workspace.as_path())?],
        None => Vec::new(),
    };
    let spec = Spec {
        mode: args.mode,
        cwd: start_folder(&workspace)?,
        workspace,
        argv: args.argv.clone(),
        env: spec_env(&environment, args.mode),
        time_limit: None,
        layers,
        proxy: false,
        grants_paths: Vec::new(),
    };
    let sandbox = Sandbox::find()?.keeping_out(&[home.config, home.state, home.runtime]);
    let finished = sandbox.run_attached(&spec)?;
    if let Tier::Weak { reason } = &finished.tier {
        complain(&format!("the command could write to nothing but a temporary folder: {reason}"));
    }
    if let (Mode::Agent, Tier::Full, Some(run)) = (args.mode, &finished.tier, run) {
        publish(run, &spec.layers)?;
    }
    Ok(finished.status)
}

/// The place for what the command changes. Without one the workspace is read-only to it.
fn open_scratch(home: &Home) -> Option<Scratch> {
    let scratch = private_directory(&home.state)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(Scratch::open(&home.state)?))
        .and_then(|scratch| {
            // What runs left that were killed.
            scratch.sweep()?;
            Ok(scratch)
        });
    scratch.map_err(|error| complain(&format!("the command cannot write to the workspace: {error}"))).ok()
}

/// Brings what the command changed into the workspace.
#[expect(clippy::unnecessary_wraps, reason = "what cannot be written is an error")]
fn publish(run: Run, _layers: &[Layer]) -> anyhow::Result<()> {
    drop(run);
    Ok(())
}

/// The folder we are in when it is part of the workspace, else the workspace.
#[expect(clippy::disallowed_methods, reason = "the command line is where the current folder is known")]
fn start_folder(workspace: &AbsPath) -> anyhow::Result<AbsPath> {
    let current = std::env::current_dir().and_then(|folder| folder.canonicalize());
    match current {
        Ok(folder) if folder.starts_with(workspace.as_path()) => Ok(AbsPath::new(folder)?),
        Ok(_) | Err(_) => Ok(workspace.clone()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is known")]
fn environment() -> BTreeMap<String, String> {
    // What is no text is nothing that passes into the sandbox.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[expect(clippy::print_stderr, reason = "the one line that says why nothing was run")]
fn complain(line: &str) {
    eprintln!("pilotfish-sandbox: {line}");
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    match text {
        "read-only" => Ok(Mode::ReadOnly),
        "agent" => Ok(Mode::Agent),
        _ => Err("read-only or agent".to_owned()),
    }
}

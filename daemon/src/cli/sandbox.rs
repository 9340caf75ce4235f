//! `pilotfish sandbox`: runs one command in the cage that the agent's commands run in, streams and status untouched.

use std::path::PathBuf;
use std::sync::mpsc;

use pilotfish_protocol::Mode;

use crate::cli::terminal;
use crate::config::{Environment, Home};
use crate::ground::{Ground, Wanted};
use crate::path::AbsPath;
use crate::sandbox::{Exit, Finished, Sandbox, SandboxError, Spec, Tier};
use crate::workspace::Unsaved;
use crate::workspace::publish::early::{self, Early};
use crate::workspace::publish::{self, Conflict, Published};

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
pub fn run(args: &Args, environment: &Environment) -> u8 {
    match try_run(args, environment) {
        Ok(exit) => exit.shell_status(),
        Err(error) => {
            complain(&error.to_string());
            REFUSED
        }
    }
}

fn try_run(args: &Args, environment: &Environment) -> anyhow::Result<Exit> {
    let workspace = &args.workspace;
    let workspace = workspace
        .canonicalize()
        .map_err(|error| anyhow::anyhow!("cannot open the workspace {}: {error}", workspace.display()))?;
    let workspace = AbsPath::new(workspace)?;
    let home = Home::of(environment)?;
    let ground = Ground::open(&home.state);
    if let Some(problem) = ground.problem() {
        complain(&format!("the command cannot write to the workspace: {problem}"));
    }
    let mut prepared = ground.prepare(Wanted {
        mode: args.mode,
        cwd: start_folder(&workspace)?,
        workspace,
        argv: args.argv.clone(),
        environment: environment.clone(),
        time_limit: None,
        paths: Vec::new(),
        session: None,
        unsaved: Unsaved::new(),
    })?;
    // Nobody is here to be asked for hosts.
    prepared.spec.proxy = false;
    let sandbox = Sandbox::find()?.keeping_out(&[home.config, home.state, home.runtime]);
    let early = prepared.publication.clone().map(Early::new);
    let (finished, early) = run_looking(&sandbox, &prepared.spec, early)?;
    match (&finished.tier, early) {
        (Tier::Weak { reason }, _) => {
            complain(&format!("the command could write to nothing but a temporary folder: {reason}"));
        }
        (Tier::Full, Some(early)) => say(&early.publish(None, publish::Late::new())),
        (Tier::Full, None) => {}
    }
    prepared.settle();
    Ok(finished.status)
}

/// Runs the command, and publishes meanwhile what it has finished.
fn run_looking(
    sandbox: &Sandbox,
    spec: &Spec,
    mut early: Option<Early>,
) -> Result<(Finished, Option<Early>), SandboxError> {
    let (over, running) = mpsc::channel::<()>();
    let finished = std::thread::scope(|scope| {
        if let Some(early) = &mut early {
            scope.spawn(move || {
                while running.recv_timeout(early::EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    early.look();
                }
            });
        }
        let finished = sandbox.run_attached(spec);
        drop(over);
        finished
    })?;
    Ok((finished, early))
}

/// Says what was not written, and why. Nobody is asked: what is protected stays as it is.
fn say(published: &Published) {
    for held in &published.held {
        complain(&format!("held back, {} stays as it was: {}", held.path, held.why.why()));
    }
    publish::refuse(&published.held);
    for Conflict { path, clash } in &published.conflicts {
        complain(&format!("not written, {path}: {clash}"));
    }
    for note in &published.notes {
        complain(note);
    }
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

#[expect(clippy::print_stderr, reason = "the one line that says why nothing was run")]
fn complain(line: &str) {
    eprintln!("pilotfish-sandbox: {}", terminal::safe(line));
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    match text {
        "read-only" => Ok(Mode::ReadOnly),
        "agent" => Ok(Mode::Agent),
        _ => Err("read-only or agent".to_owned()),
    }
}

//! The daemon's parts, put together, and the ways to it from a command line. It decides nothing.

use crate::cli::FAILED;
use crate::clock::Clock;
use crate::config::{ConfigSource, Environment, Home, private_directory};
use crate::desktop::SessionBus;
use crate::door::client::{Client, ClientError};
use crate::door::hello::{Door, Hello};
use crate::door::serve;
use crate::door::shim::{self, Piped, Start};
use crate::ground::Ground;
use crate::hub::Hub;
use crate::journal::Journal;
use crate::model::http::Http;
use crate::sandbox::Sandbox;
use crate::sandbox::proxy::PublicNames;
use crate::session::{Parts, RunningTurns, Workspaces};
use crate::trace;
use crate::workspace::checkpoint::Checkpoints;
use anyhow::Context;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Changes of session headers that a list may be late by.
const CHANGES: usize = 256;

/// Bytes under way between a client and a hub in one process.
const PIPE: usize = 64 << 10;

/// A hub over a person's files. Inside a runtime.
///
/// # Errors
/// When there is no place for our files, or the sandbox program is missing.
#[expect(clippy::unused_async, reason = "a hub can only be made where a runtime is, and this says so")]
pub async fn build(home: &Home, environment: Environment) -> anyhow::Result<Hub> {
    private_directory(&home.state).with_context(|| format!("cannot make {}", home.state.display()))?;
    trace::start(home, environment.get("PILOTFISH_LOG").map(String::as_str));
    let (changed, _) = broadcast::channel(CHANGES);
    let sandbox = Sandbox::find().context("pilotfish is not installed whole")?;
    let ground = Ground::open(&home.state);
    ground.sweep();
    let (clock, journal) = (Clock::system(), Journal::open(&home.state)?);
    let checkpoints = Checkpoints::open(&home.state, journal.clone(), clock.clone());
    Ok(Hub::new(Parts {
        workspaces: Workspaces::new(checkpoints, clock.clone()),
        clock,
        journal,
        config: ConfigSource::new(home.clone()),
        connect: Arc::new(Http::new()),
        sandbox: sandbox.keeping_out(&[home.config.clone(), home.state.clone(), home.runtime.clone()]),
        ground,
        names: Arc::new(PublicNames),
        desktop: Arc::new(SessionBus),
        environment,
        changed,
        running: RunningTurns::default(),
    }))
}

/// The first line of a client of this command line.
#[expect(clippy::disallowed_methods, reason = "the command line is where the current folder is known")]
pub(crate) fn hello(home: &Home, environment: &Environment, door: Door) -> Hello {
    let cwd = std::env::current_dir().map_or_else(|_| String::new(), |folder| folder.display().to_string());
    Hello::new(door, cwd, environment, &home.key_variables())
}

/// Connects the standard streams with a door of the daemon, which is started if needed. 0 when the client said goodbye.
pub(crate) fn pipe(environment: &Environment, door: Door) -> anyhow::Result<u8> {
    let home = Home::of(environment)?;
    let stream = shim::connect(&home, environment, &hello(&home, environment, door), Start::IfNeeded)?;
    let input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    // Unbuffered: what the daemon says is seen at once.
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    match shim::pipe(stream, input, output) {
        Piped::Goodbye => Ok(0),
        Piped::Left => Ok(FAILED),
        Piped::CutOff => {
            // The client may not read it; its editor's log does.
            let _ = writeln!(std::io::stderr(), "pilotfish: the daemon ended the connection; connect again");
            Ok(FAILED)
        }
    }
}

/// A client of the daemon of this environment.
pub(crate) async fn client(environment: &Environment, start: Start) -> Result<Client, ClientError> {
    let home = Home::of(environment).map_err(|error| ClientError::Refused(error.to_string()))?;
    let hello = hello(&home, environment, Door::Lsp);
    Client::dial(home, environment.clone(), hello, start).await
}

/// A client of a hub in this process, which serves it as a daemon serves an editor.
pub(crate) async fn client_within(hub: &Hub, environment: Environment) -> anyhow::Result<Client> {
    let (input, theirs) = tokio::io::duplex(PIPE);
    let (daemons, output) = tokio::io::duplex(PIPE);
    // It ends with the hub.
    tokio::spawn(serve(hub.clone(), environment, daemons, theirs));
    Ok(Client::over(input, output).await?)
}

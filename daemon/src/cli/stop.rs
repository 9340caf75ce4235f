//! `pilotfish stop`: ends the daemon. Sessions stay in the journal.

use crate::cli::daemon;
use crate::config::{Environment, Home};
use crate::door::client::ClientError;
use crate::door::shim::{self, ShimError, Start};
use std::io::Write;

/// End the daemon; sessions stay, and the next editor starts it again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Let running turns come to their end first; prompts that arrive meanwhile wait for the next daemon
    #[arg(long)]
    drain: bool,
}

/// Ends the daemon, and returns when it has ended.
///
/// # Errors
/// When it does not answer.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let client = match daemon::client(&environment, Start::Never).await {
        Ok(client) => client,
        Err(ClientError::Shim(ShimError::NotRunning)) => {
            writeln!(std::io::stderr(), "No pilotfish daemon is running.")?;
            return Ok(0);
        }
        Err(error) => return Err(error.into()),
    };
    let turns = client.status().await?.turns;
    client.stop(args.drain).await?;
    match (turns, args.drain) {
        (0, _) => {}
        (turns, true) => writeln!(std::io::stderr(), "Waiting for running turns: {turns}")?,
        (turns, false) => writeln!(std::io::stderr(), "Turns that were interrupted: {turns}")?,
    }
    while client.next().await.is_some() {}
    let home = Home::of(&environment)?;
    tokio::task::spawn_blocking(move || shim::wait_for_end(&home)).await??;
    Ok(0)
}

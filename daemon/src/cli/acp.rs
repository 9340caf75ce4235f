//! `pilotfish acp`: the ACP door on the standard streams, with the daemon in the same process. Nothing else may write to the
//! standard output.

use crate::cli::daemon;
use crate::config::{Environment, Home};
use crate::door::acp::serve;

/// Speak the Agent Client Protocol on the standard streams
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serves the client until it leaves, then ends the daemon.
///
/// # Errors
/// When there is no place for our files, the sandbox program is missing, or serving panics.
pub async fn run(_: Args, environment: Environment) -> anyhow::Result<u8> {
    let hub = daemon::build(&Home::of(&environment)?, environment.clone()).await?;
    // As a task it runs where the sessions run, and a session's update does not wait for another thread to wake.
    tokio::spawn(serve(hub.clone(), environment, tokio::io::stdin(), tokio::io::stdout())).await?;
    hub.shutdown().await;
    Ok(0)
}

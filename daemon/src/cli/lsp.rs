//! `pilotfish lsp`: the LSP door on the standard streams, with the daemon in the same process. Nothing else may write to the
//! standard output.

use crate::cli::daemon;
use crate::config::{Environment, Home};
use crate::door::{Ended, serve};

/// Speak the language server protocol on the standard streams
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Taken because clients add it; the standard streams are all there is
    #[arg(long)]
    stdio: bool,
}

/// Serves the client until it leaves, then ends the daemon. The status is what LSP 3.17 asks for: 0 when the client asked for
/// `shutdown` before it left, else 1.
///
/// # Errors
/// When there is no place for our files, the sandbox program is missing, or serving panics.
pub async fn run(_: Args, environment: Environment) -> anyhow::Result<u8> {
    let hub = daemon::build(&Home::of(&environment)?, environment.clone()).await?;
    // As a task it runs where the sessions run, and a session's update does not wait for another thread to wake.
    let ended = tokio::spawn(serve(hub.clone(), environment, tokio::io::stdin(), tokio::io::stdout())).await?;
    hub.shutdown().await;
    Ok(match ended {
        Ended::ShutDown => 0,
        Ended::Left => 1,
    })
}

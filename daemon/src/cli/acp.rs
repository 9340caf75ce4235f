//! `pilotfish acp`: the Agent Client Protocol on the standard streams, for the shared daemon behind them.

use crate::cli::daemon;
use crate::config::Environment;
use crate::door::hello::Door;

/// Speak the Agent Client Protocol on the standard streams
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serves the client until it leaves.
///
/// # Errors
/// When there is no daemon and none can be started.
pub fn run(environment: &Environment) -> anyhow::Result<u8> {
    daemon::pipe(environment, Door::Acp)
}

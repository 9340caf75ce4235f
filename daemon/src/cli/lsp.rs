//! `pilotfish lsp`: the language server protocol on the standard streams, for the shared daemon behind them.

use crate::cli::daemon;
use crate::config::Environment;
use crate::door::hello::Door;

/// Speak the language server protocol on the standard streams
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Taken because clients add it; the standard streams are all there is
    #[arg(long)]
    stdio: bool,
}

/// Serves the client until it leaves. The status is what LSP 3.17 asks for: 0 when the client asked for `shutdown` before it left,
/// else 1.
///
/// # Errors
/// When there is no daemon and none can be started.
pub fn run(_: &Args, environment: &Environment) -> anyhow::Result<u8> {
    daemon::pipe(environment, Door::Lsp)
}

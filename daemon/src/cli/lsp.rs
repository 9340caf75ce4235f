//! `pilotfish lsp`: the LSP door on the standard streams, with the daemon in the same process. Nothing else may write to the
//! standard output.

use crate::door::{Ended, serve};
use crate::hub::Hub;

/// Speak the language server protocol on the standard streams
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Taken because clients add it; the standard streams are all there is
    #[arg(long)]
    stdio: bool,
}

/// Serves the client until it leaves, then ends the daemon. The status is what LSP 3.17 asks for: 0 when the client asked for
/// `shutdown` before it left, else 1.
pub async fn run(hub: Hub, _: &Args) -> u8 {
    let ended = serve(hub.clone(), tokio::io::stdin(), tokio::io::stdout()).await;
    hub.shutdown().await;
    match ended {
        Ended::ShutDown => 0,
        Ended::Left => 1,
    }
}

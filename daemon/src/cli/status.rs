//! `pilotfish status`: what the daemon does, and what is enforced on this machine.

use crate::cli::{FAILED, daemon, doctor, terminal};
use crate::config::{Environment, Home};
use crate::door::client::ClientError;
use crate::door::shim::{ShimError, Start};
use crate::door::socket::address;
use pilotfish_protocol::DaemonStatus;
use std::io::Write;
use std::path::Path;

/// Say what the daemon does, and what is enforced on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON, the form of the protocol's daemon/status
    #[arg(long)]
    json: bool,
}

/// Prints the daemon's status. 1 when none runs, which starts none.
///
/// # Errors
/// When the daemon does not answer.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let client = match daemon::client(&environment, Start::Never).await {
        Ok(client) => client,
        Err(ClientError::Shim(ShimError::NotRunning)) => {
            writeln!(std::io::stderr(), "No pilotfish daemon is running; editors start one when they need it.")?;
            return Ok(FAILED);
        }
        Err(error) => return Err(error.into()),
    };
    let status = client.status().await?;
    let text = if args.json {
        serde_json::to_string_pretty(&status)? + "\n"
    } else {
        in_words(&status, &address(&Home::of(&environment)?))
    };
    terminal::ignore_closed(std::io::stdout().write_all(text.as_bytes()))?;
    Ok(0)
}

fn in_words(status: &DaemonStatus, socket: &Path) -> String {
    let DaemonStatus { version, pid, started_at, sessions, turns, capabilities, .. } = status;
    let mut text = format!(
        "pilotfish {version}, process {pid}, since {started_at}\nlistens at {}\nsessions in memory: {sessions}\nturns that run: {turns}\n",
        socket.display()
    );
    text.push_str(&doctor::in_words(capabilities));
    terminal::safe(&text)
}

#[cfg(test)]
mod tests;

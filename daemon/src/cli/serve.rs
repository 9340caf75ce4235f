//! `pilotfish serve`: the daemon that all editors share.

use crate::cli::{daemon, terminal};
use crate::config::{ConfigSource, Environment, Home};
use crate::door::hello::Door;
use crate::door::shim::{self, READY, Start};
use crate::door::socket::{Socket, address};
use std::io::Write;

/// Start the daemon that all editors share; they do so themselves when they need it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Be the daemon, in the foreground, until Ctrl-C or until nobody has used it for a while
    #[arg(long)]
    foreground: bool,
    /// Leave the terminal, say `ready` on the standard output and then be silent: how it is started by the others
    #[arg(long, hide = true, requires = "foreground")]
    detached: bool,
}

/// Starts a daemon in the background, if none runs.
///
/// # Errors
/// When it does not start.
pub fn start(environment: &Environment) -> anyhow::Result<u8> {
    let home = Home::of(environment)?;
    shim::connect(&home, environment, &daemon::hello(&home, environment, Door::Lsp), Start::IfNeeded)?;
    say(&format!("The daemon listens at {}.", address(&home).display()))?;
    Ok(0)
}

/// Whether this process is to be the daemon.
#[must_use]
pub fn is_daemon(args: &Args) -> bool {
    args.foreground
}

/// Is the daemon, until it is told to stop or nobody uses it.
///
/// # Errors
/// When another one runs, or there is no place for its files.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let home = Home::of(&environment)?;
    if args.detached {
        // Fails for the leader of a group, which has no terminal to leave then.
        let _ = rustix::process::setsid();
    }
    unobserved();
    let socket = Socket::bind(&home).await?;
    let hub = daemon::build(&home, environment).await?;
    if args.detached {
        say(READY)?;
        silence()?;
    } else {
        say(&format!("Listening at {}. Ctrl-C ends it.", socket.path().display()))?;
    }
    let idle = ConfigSource::new(home).idle_exit();
    socket.run(hub, idle).await?;
    Ok(0)
}

fn say(line: &str) -> std::io::Result<()> {
    terminal::ignore_closed(writeln!(std::io::stdout(), "{line}").and_then(|()| std::io::stdout().flush()))
}

/// Other programs of this person see neither our memory, which holds keys, nor our environment, and no core is written, not even to
/// a program that collects them.
#[cfg(target_os = "linux")]
fn unobserved() {
    // A system that refuses keeps its own rule.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Core files are off by their limit.
#[cfg(not(target_os = "linux"))]
fn unobserved() {}

/// Lets go of the streams of whoever started us.
fn silence() -> std::io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

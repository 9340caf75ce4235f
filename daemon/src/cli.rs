//! The command line: argv and the environment are read here, once, and stop here. One file for each subcommand.
//!
//! A subcommand returns the program's status, or an error that says what to do; only `acp`, `lsp` and `exec --json` own stdout as a wire.

use crate::config::{Environment, Home};
use clap::{Parser, Subcommand};
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

pub mod acp;
pub mod attach;
pub mod checkpoint;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod exec;
pub mod log;
pub mod login;
pub mod lsp;
pub mod models;
pub mod policy;
pub mod rules;
pub mod sandbox;
pub mod serve;
pub mod sessions;
pub mod status;
pub mod stop;
pub mod terminal;
pub mod trust;

/// The turn failed, or what was asked could not be done.
pub const FAILED: u8 = 1;
/// The command line says something that cannot be.
pub const USAGE: u8 = 2;
/// A question came up, and nobody was there to answer it.
pub const QUESTION: u8 = 3;
/// Somebody interrupted it.
pub const INTERRUPTED: u8 = 130;

/// A coding agent that lives beside the editor, as a language server does
#[derive(Debug, Parser)]
#[command(name = "pilotfish", version, arg_required_else_help = true)]
#[command(after_help = "Begin with `pilotfish demo`: it needs no key and no configuration.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Acp(acp::Args),
    Attach(attach::Args),
    Checkpoint(checkpoint::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Exec(exec::Args),
    Log(log::Args),
    Login(login::Args),
    Lsp(lsp::Args),
    Models(models::Args),
    Policy(policy::Args),
    Rules(rules::Args),
    Sandbox(sandbox::Args),
    Serve(serve::Args),
    Status(status::Args),
    Stop(stop::Args),
    Sessions(sessions::Args),
    Trust(trust::Args),
}

/// Runs what the command line asks for. Errors go to stderr in full.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and have their own status. Nobody is left to tell when this fails.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    without_core_dumps();
    match run(cli.command, environment()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "pilotfish: {}", terminal::safe(&format!("{error:#}")));
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command, environment: Environment) -> anyhow::Result<u8> {
    match command {
        Command::Acp(_) => acp::run(&environment),
        Command::Attach(args) => wait(attach::run(args, environment)),
        Command::Checkpoint(args) => wait(checkpoint::run(args, environment)),
        Command::Demo(args) => wait(demo::run(args, environment)),
        Command::Doctor(args) => doctor::run(&args, &environment),
        Command::Exec(args) => wait(exec::run(args, environment)),
        Command::Log(args) => log::run(&args, &environment),
        Command::Login(args) => login::run(&args, &Home::of(&environment)?, &environment),
        Command::Lsp(args) => lsp::run(&args, &environment),
        Command::Models(_) => models::run(&environment),
        Command::Policy(args) => policy::run(&args, &environment),
        Command::Rules(args) => rules::run(&args, &environment),
        Command::Sandbox(args) => Ok(sandbox::run(&args, &environment)),
        Command::Serve(args) if serve::is_daemon(&args) => wait(serve::run(args, environment)),
        Command::Serve(_) => serve::start(&environment),
        Command::Status(args) => wait(status::run(args, environment)),
        Command::Stop(args) => wait(stop::run(args, environment)),
        Command::Sessions(args) => wait(sessions::run(args, environment)),
        Command::Trust(args) => wait(trust::run(args, environment)),
    }
}

/// Runs to the end of a future. What has no end of its own, such as a read of a terminal, does not hold the program up.
fn wait(work: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let status = runtime.block_on(work);
    runtime.shutdown_background();
    status
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn environment() -> Environment {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Arc::new(std::env::vars_os().filter_map(text).collect())
}

/// A core would hold keys and other people's words.
fn without_core_dumps() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // A system that refuses keeps its own rule.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

#[cfg(test)]
mod tests;

//! pilotfish: the program.

use clap::Parser;
use std::process::ExitCode;

#[derive(Debug, clap::Parser)]
enum Command {
    Sandbox(pilotfish::cli::sandbox::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    let Command::Sandbox(args) = Command::parse();
    Ok(ExitCode::from(pilotfish::cli::sandbox::run(&args)?))
}

//! pilotfish: the program.

use clap::Parser;
use std::process::ExitCode;

#[derive(Debug, clap::Parser)]
enum Command {
    Sandbox(pilotfish::cli::sandbox::Args),
}

fn main() -> ExitCode {
    let Command::Sandbox(args) = Command::parse();
    ExitCode::from(pilotfish::cli::sandbox::run(&args))
}

//! The command line: a file for each subcommand.

pub mod sandbox;

//! The command line: a file for each subcommand.

pub mod lsp;
pub mod sandbox;

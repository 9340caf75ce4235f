//! `pilotfish log`: what the daemon wrote down about itself.

use crate::cli::terminal;
use crate::config::{Environment, Home};
use crate::trace;
use anyhow::Context;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes of the log's end in which the lines are looked for.
const TAIL: u64 = 1 << 20;

/// Show the end of the daemon's log
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many lines
    #[arg(long, value_name = "N", default_value_t = 50)]
    lines: usize,
    /// Print where the log is, and nothing else
    #[arg(long)]
    path: bool,
}

/// Prints the log's last lines.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn run(args: &Args, environment: &Environment) -> anyhow::Result<u8> {
    let file = trace::log_file(&Home::of(environment)?);
    let text = if args.path {
        format!("{}\n", file.display())
    } else {
        tail(&file, args.lines).with_context(|| format!("cannot read {}", file.display()))?
    };
    terminal::ignore_closed(std::io::stdout().write_all(text.as_bytes()))?;
    Ok(0)
}

fn tail(file: &Path, lines: usize) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let begin = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let last = all.iter().skip(all.len().saturating_sub(lines));
    Ok(last.map(|line| terminal::safe(line) + "\n").collect())
}

#[cfg(test)]
mod tests;

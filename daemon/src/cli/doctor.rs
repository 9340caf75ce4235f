//! `pilotfish doctor`: what is enforced on this machine and what is not, and whether the rest is as it should be. With or without a daemon.

use crate::cli::{FAILED, terminal};
use crate::config::{ConfigSource, Environment, Home, private_directory};
use crate::ground::Ground;
use crate::sandbox::matrix::matrix;
use crate::sandbox::{Confinement, Sandbox};
use pilotfish_protocol::Capability;
use std::io::Write;
use std::path::Path;

/// Say what is enforced on this machine and what is not, and how to mend it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON, an array of the protocol's capabilities
    #[arg(long)]
    json: bool,
}

/// Prints a line for each promise and each thing pilotfish needs. 1 when one is missing.
///
/// # Errors
/// When there is no place for our files.
pub fn run(args: &Args, environment: &Environment) -> anyhow::Result<u8> {
    let home = Home::of(environment)?;
    let rows: Vec<Capability> = promises(&home).into_iter().chain(needs(&home, environment)).collect();
    let all_well = rows.iter().all(|row| row.enforced);
    let text = if args.json { serde_json::to_string_pretty(&rows)? + "\n" } else { in_words(&rows) };
    terminal::ignore_closed(std::io::stdout().write_all(text.as_bytes()))?;
    Ok(if all_well { 0 } else { FAILED })
}

fn promises(home: &Home) -> Vec<Capability> {
    let confinement = match Sandbox::find() {
        Ok(sandbox) => sandbox.check(),
        Err(error) => Confinement::Refused {
            reason: error.to_string(),
            mend: "install pilotfish again: `cargo install --locked --path daemon` installs both programs".to_owned(),
        },
    };
    matrix(&confinement, Ground::open(&home.state).problem())
}

/// What pilotfish itself needs, beside the sandbox.
fn needs(home: &Home, environment: &Environment) -> Vec<Capability> {
    let config = ConfigSource::new(home.clone()).load(environment);
    let model = config
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|config| config.default_model().map_err(|missing| missing.to_string()));
    let folder = |name: &str, path: &Path| {
        let made = private_directory(path).map_err(|error| format!("cannot make {}: {error}", path.display()));
        need(format!("{name} {} can be used", path.display()), made)
    };
    vec![
        folder("the folder", &home.state),
        folder("the folder", &home.runtime),
        need("a model is there".to_owned(), model.map(|_| ())),
    ]
}

fn need(name: String, found: Result<(), String>) -> Capability {
    let reason = found.err();
    Capability { name, enforced: reason.is_none(), reason, mend: None }
}

/// A line for each, with the reason and the mend below what is missing. Reasons that repeat are said once.
pub(crate) fn in_words(rows: &[Capability]) -> String {
    let mut text = String::new();
    let mut said = Vec::new();
    for row in rows {
        text.push_str(&format!("{}  {}\n", if row.enforced { "yes" } else { "no " }, row.name));
        for (word, line) in [("why", &row.reason), ("mend", &row.mend)] {
            if let Some(line) = line.as_ref().filter(|line| !said.contains(line)) {
                said.push(line);
                text.push_str(&format!("     {word}: {}\n", line.replace('\n', "\n       ")));
            }
        }
    }
    terminal::safe(&text)
}

#[cfg(test)]
mod tests;

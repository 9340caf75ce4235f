//! `pilotfish models`: what can be used as things are configured, or what is missing.

use crate::cli::{Environment, FAILED, terminal};
use crate::config::{ConfigSource, Home};
use std::io::Write;

/// List the models that can be used, or say what is missing
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints a model a line, the default marked.
///
/// # Errors
/// When there is no place for a configuration, or it is broken.
pub fn run(environment: &Environment) -> anyhow::Result<u8> {
    let config = ConfigSource::new(Home::of(environment)?).load(environment)?;
    if let Err(missing) = config.default_model() {
        writeln!(std::io::stderr(), "pilotfish: {missing}")?;
        return Ok(FAILED);
    }
    let mut lines = String::new();
    for model in config.models() {
        let context = model.context.map_or_else(String::new, |tokens| format!("  {tokens} tokens of context"));
        let default = if model.default { "  (default)" } else { "" };
        lines.push_str(&format!("{}{context}{default}\n", terminal::safe(&model.name.0)));
    }
    terminal::ignore_closed(std::io::stdout().write_all(lines.as_bytes()))?;
    Ok(0)
}

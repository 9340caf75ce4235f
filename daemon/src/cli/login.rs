//! `pilotfish login PROVIDER`: takes a key from stdin and stores it where only its owner can read. It is never shown and never an
//! argument, since arguments are visible to every process.

use crate::cli::{Environment, INTERRUPTED, USAGE};
use crate::config::{Home, store_key, usual_key_variable};
use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead, IsTerminal, Read, Write};

/// The longest key that is taken, in bytes. Keys that are tokens of an identity service have a few thousand.
const MAX_KEY: u64 = 64 << 10;

/// What Ctrl-C types where it is no signal.
const CTRL_C: u8 = 3;

/// Store a provider's key, read from stdin
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The provider's name in config.toml, such as openai
    provider: String,
}

/// Stores the key and says where.
///
/// # Errors
/// When it cannot be read or stored.
pub fn run(args: &Args, home: &Home, environment: &Environment) -> anyhow::Result<u8> {
    let mut stderr = std::io::stderr();
    if !is_name(&args.provider) {
        writeln!(stderr, "pilotfish: {:?} is no provider's name; write one such as openai", args.provider)?;
        return Ok(USAGE);
    }
    let Some(key) = read_key(&args.provider)? else { return Ok(INTERRUPTED) };
    let key = key.trim();
    if key.is_empty() || key.chars().any(|character| character.is_whitespace() || character.is_control()) {
        writeln!(stderr, "pilotfish: that is no key: {}; nothing was stored", flaw(key))?;
        return Ok(USAGE);
    }
    let file = store_key(home, &args.provider, key)?;
    writeln!(stderr, "The key of {} is in {}, which only you can read.", args.provider, file.display())?;
    match usual_key_variable(&args.provider).filter(|variable| environment.contains_key(*variable)) {
        Some(variable) => writeln!(stderr, "{variable} is set, and wins over it.")?,
        None => writeln!(stderr, "A variable that config.toml names as api_key_env wins over it.")?,
    }
    Ok(0)
}

fn is_name(provider: &str) -> bool {
    !provider.is_empty() && provider.chars().all(|character| character.is_alphanumeric() || "-_.".contains(character))
}

fn flaw(key: &str) -> &'static str {
    if key.is_empty() { "it is empty" } else { "it has blanks in it" }
}

/// The key as it was given; `None` when the person thought better of it.
fn read_key(provider: &str) -> anyhow::Result<Option<String>> {
    let stdin = std::io::stdin();
    let mut key = String::new();
    if !stdin.is_terminal() {
        stdin.lock().take(MAX_KEY).read_to_string(&mut key).context("cannot read the key from stdin")?;
        return Ok(Some(key));
    }
    write!(std::io::stderr(), "Key of {provider} (it is not shown): ")?;
    let typed = {
        let _hidden = Hidden::begin()?;
        read_line(stdin.lock().take(MAX_KEY))
    };
    writeln!(std::io::stderr())?;
    typed.context("cannot read the key from the terminal")
}

fn read_line(input: impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    for byte in input.bytes() {
        match byte? {
            b'\n' => break,
            CTRL_C => return Ok(None),
            byte => line.push(byte),
        }
    }
    String::from_utf8(line).map(Some).map_err(|_| std::io::Error::other("it is not text"))
}

/// While this lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(std::io::stdin()).context("cannot hide what is typed")?;
        let mut hidden = before.clone();
        // A signal would leave the terminal silent, so Ctrl-C becomes a character that ends the line.
        hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        hidden.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden).context("cannot hide what is typed")?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to give back.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests;

//! The first line of each side of the daemon's socket: who connects, and whether it is served. Pure.
//!
//! A client's line says what it speaks, which build it is and the part of its environment that its sessions need. The daemon
//! answers with a line of its own; then the connection belongs to the door that was named.

use crate::config::{self, Environment};
use crate::sandbox;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest line that is read, in bytes: a search path and some names.
pub(crate) const MAX_LINE: usize = 256 << 10;

/// The form of these lines. Both sides take only what they know.
const FORM: u32 = 1;

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The language server protocol, with our methods beside it.
    Lsp,
    /// The Agent Client Protocol.
    Acp,
}

/// Which build of pilotfish speaks: its version, and when its program was put where it is, in seconds since 1970. Later ones are
/// greater: of two builds of one version the one that was installed last is the newer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Build {
    version: Vec<u64>,
    installed: u64,
}

impl Build {
    /// This program's.
    #[must_use]
    pub fn ours() -> Self {
        let installed = || {
            let modified = std::env::current_exe().ok()?.metadata().ok()?.modified().ok()?;
            Some(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
        };
        Self::new(env!("CARGO_PKG_VERSION"), installed().unwrap_or(0))
    }

    fn new(version: &str, installed: u64) -> Self {
        let version = version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect();
        Self { version, installed }
    }
}

impl std::fmt::Display for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version: Vec<String> = self.version.iter().map(ToString::to_string).collect();
        write!(f, "{} ({})", version.join("."), self.installed)
    }
}

/// A client's first line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The form of this line.
    pilotfish: u32,
    /// What it speaks.
    pub door: Door,
    /// Which build it is.
    pub build: Build,
    /// Where it was started, for the log.
    pub cwd: String,
    /// What its sessions need of its environment. It holds keys: it is never logged and never journaled.
    pub env: BTreeMap<String, String>,
}

impl Hello {
    /// Ours: of `environment` what commands may see, and the keys that `key_variables` name.
    #[must_use]
    pub fn new(door: Door, cwd: String, environment: &Environment, key_variables: &[String]) -> Self {
        let needed = |name: &str| {
            sandbox::passes(name) || config::is_usual_variable(name) || key_variables.iter().any(|known| known == name)
        };
        let env = environment.iter().filter(|(name, _)| needed(name));
        let env = env.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { pilotfish: FORM, door, build: Build::ours(), cwd, env }
    }

    /// The environment, to be shared.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Arc::new(self.env.clone())
    }
}

impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { door, build, cwd, .. } = self;
        write!(f, "{door:?} of build {build} in {cwd}")
    }
}

/// The daemon's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The form of this line.
    pilotfish: u32,
    /// Which build the daemon is.
    pub build: Build,
    /// What follows.
    pub answer: Answer,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The door is open.
    Served,
    /// This daemon is ending: the next one will answer.
    Ending,
}

impl Welcome {
    /// Ours.
    #[must_use]
    pub fn new(build: Build, answer: Answer) -> Self {
        Self { pilotfish: FORM, build, answer }
    }
}

/// A line that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// It is no such JSON.
    #[error("the first line is not what pilotfish says: {0}")]
    NotOurs(#[from] serde_json::Error),
    /// It is of another form.
    #[error("the first line is of form {0}, and this build knows form {FORM}; restart both sides with one build")]
    OtherForm(u32),
}

/// A line of either kind, its end included.
pub(crate) fn line(words: &impl Serialize) -> Vec<u8> {
    // Nothing in these types can fail to be written.
    let mut line = serde_json::to_vec(words).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Reads a client's line.
pub(crate) fn read_hello(line: &[u8]) -> Result<Hello, BadLine> {
    let hello: Hello = serde_json::from_slice(line)?;
    if hello.pilotfish == FORM { Ok(hello) } else { Err(BadLine::OtherForm(hello.pilotfish)) }
}

/// Reads the daemon's line.
pub(crate) fn read_welcome(line: &[u8]) -> Result<Welcome, BadLine> {
    let welcome: Welcome = serde_json::from_slice(line)?;
    if welcome.pilotfish == FORM { Ok(welcome) } else { Err(BadLine::OtherForm(welcome.pilotfish)) }
}

#[cfg(test)]
mod tests;

//! What the person said of workspaces: whether what one ships takes effect. Kept in the state directory with the very texts that were
//! trusted: a text that changed since counts no more, and can be compared with what it was.
//!
//! It never decides by itself, and nothing that a workspace ships can change it.

use super::{ConfigError, Home, lock, read_toml, write_private};
use crate::path::AbsPath;
use pilotfish_protocol::Trust;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files that steer an agent, in whatever folder of a workspace they lie; and a folder at its root whose files all do.
const SHIPPED: &str = "AGENTS.md";
const SHIPPED_FOLDER: &str = ".pilotfish";

/// The longest text that can count, in bytes.
const MAX_TEXT: u64 = 256 << 10;

/// Files of each kind that are looked at.
const MAX_FILES: usize = 64;

/// Files and folders that are walked through to find them.
const MAX_WALK: usize = 200_000;

/// What was said of one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Saying {
    /// What was said.
    pub trust: Trust,
    /// When, RFC 3339.
    pub said_at: String,
    /// The texts that were there then, by their path in the workspace.
    #[serde(default)]
    texts: BTreeMap<String, String>,
}

/// A file that a workspace ships and that takes effect only where it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedText {
    /// Its path in the workspace.
    pub path: String,
    /// What was trusted; nothing when it was not there then.
    pub trusted: Option<String>,
    /// What it is now; nothing when it is gone, or no text, or too long to count.
    pub present: Option<String>,
}

/// The file as written: what was said, by workspace.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Sayings(BTreeMap<String, Saying>);

impl Saying {
    /// Whether a text takes effect: it was there when the workspace was trusted, and has not changed.
    #[must_use]
    pub fn counts(&self, path: &str, text: &str) -> bool {
        self.trust == Trust::Trusted && self.texts.get(path).is_some_and(|trusted| trusted == text)
    }

    /// What the workspace ships, beside what was trusted of it.
    #[must_use]
    pub fn ships(&self, workspace: &AbsPath) -> Vec<ShippedText> {
        let mut texts = present(workspace);
        let trusted = |path: &str| self.texts.get(path).filter(|_| self.trust == Trust::Trusted).cloned();
        for path in self.texts.keys().filter(|path| trusted(path).is_some()) {
            texts.entry(path.clone()).or_default();
        }
        let shipped = texts.into_iter().map(|(path, present)| ShippedText { trusted: trusted(&path), path, present });
        shipped.collect()
    }
}

/// What was said of a workspace, an absolute path without links. Nothing said is unknown.
///
/// # Errors
/// When the file cannot be read, or is broken: then nothing is trusted.
pub fn of(home: &Home, workspace: &AbsPath) -> Result<Saying, ConfigError> {
    let mut sayings: Sayings = read_toml(&file(home))?.unwrap_or_default();
    Ok(sayings.0.remove(&workspace.to_string()).unwrap_or_default())
}

/// Keeps what is said of a workspace, with the texts it ships at this moment. `Unknown` forgets it.
///
/// # Errors
/// When the file is broken, or cannot be written.
pub fn say(home: &Home, workspace: &AbsPath, trust: Trust, said_at: &str) -> Result<Saying, ConfigError> {
    let file = file(home);
    let _locked = lock(&file)?;
    let mut sayings: Sayings = read_toml(&file)?.unwrap_or_default();
    let texts = match trust {
        Trust::Trusted => present(workspace).into_iter().filter_map(|(path, text)| Some((path, text?))).collect(),
        Trust::Unknown | Trust::Refused => BTreeMap::new(),
    };
    let saying = Saying { trust, said_at: said_at.to_owned(), texts };
    match trust {
        Trust::Unknown => drop(sayings.0.remove(&workspace.to_string())),
        Trust::Trusted | Trust::Refused => drop(sayings.0.insert(workspace.to_string(), saying.clone())),
    }
    let unwritable = |why: String| ConfigError::Unreadable { file: file.display().to_string(), why };
    let text = toml::to_string(&sayings).map_err(|error| unwritable(error.to_string()))?;
    write_private(&file, &text).map_err(|error| unwritable(error.to_string()))?;
    Ok(saying)
}

fn file(home: &Home) -> PathBuf {
    home.state.join("trust.toml")
}

/// What a workspace ships now; no text where there is a file that is none, or is too long to count.
fn present(workspace: &AbsPath) -> BTreeMap<String, Option<String>> {
    // The root's own counts even where git does not know it.
    let mut paths = vec![SHIPPED.to_owned()];
    paths.extend(steering(workspace));
    let folder = workspace.as_path().join(SHIPPED_FOLDER);
    // A link would make what lies elsewhere part of what is shipped.
    let is_folder = folder.symlink_metadata().is_ok_and(|found| found.is_dir());
    let entries = is_folder.then(|| std::fs::read_dir(&folder).ok()).flatten().into_iter().flatten();
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    paths.extend(names.take(MAX_FILES).map(|name| format!("{SHIPPED_FOLDER}/{name}")));
    let found = paths.into_iter().filter_map(|path| {
        let file = workspace.as_path().join(&path);
        let found = file.symlink_metadata().ok()?;
        Some((path, found.is_file().then(|| text(&file, found.len())).flatten()))
    });
    found.collect()
}

/// The files with that name in all folders, without those that git ignores.
fn steering(workspace: &AbsPath) -> Vec<String> {
    let mut walk = ignore::WalkBuilder::new(workspace.as_path());
    walk.hidden(false).require_git(false).sort_by_file_path(Path::cmp);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    let entries = walk.build().take(MAX_WALK).flatten().filter(|entry| entry.file_name() == SHIPPED);
    let paths = entries.filter_map(|entry| Some(entry.path().strip_prefix(workspace.as_path()).ok()?.to_owned()));
    paths.filter_map(|path| path.into_os_string().into_string().ok()).take(MAX_FILES).collect()
}

fn text(file: &Path, size: u64) -> Option<String> {
    (size <= MAX_TEXT).then(|| std::fs::read_to_string(file).ok()).flatten()
}

#[cfg(test)]
mod tests;

//! The person's `rules.toml`: remembered answers as `[[rule]]` tables, read anew each time, and written so that comments stay. Only the
//! person's own file counts. What a rule matches is decided elsewhere.
//!
//! ```toml
//! [[rule]]
//! id = "tests"
//! decision = "allow"
//! scope = "/home/me/project"      # or "everywhere"
//! argv = ["npm", "test"]
//! prefix = false                  # true: any words may follow
//! grants = ["host:registry.example"]
//! given_at = "2026-01-01T00:00:00Z"
//! blake3 = "…"                    # of the script that argv names, if it names one
//! ```

use super::{ConfigError, Home, lock, read_toml, write_private};
use pilotfish_protocol::{Rule, RuleId, Scope};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

pub mod uses;

/// What `scope` says of a rule that holds in every workspace.
const EVERYWHERE: &str = "everywhere";

/// Larger scripts bind no rule.
const MAX_SCRIPT: u64 = 16 << 20;

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRule {
    /// The rule, its id and file with it.
    pub rule: Rule,
    /// The one workspace it holds in; nothing when it holds in all.
    pub workspace: Option<PathBuf>,
    /// When the answer was given, RFC 3339.
    pub given_at: String,
    /// The [`digest`] of the script it names, as it was then.
    pub digest: Option<String>,
}

impl StoredRule {
    /// Whether it holds in a workspace, an absolute path without links.
    #[must_use]
    pub fn holds_in(&self, workspace: &Path) -> bool {
        self.workspace.as_deref().is_none_or(|only| only == workspace)
    }
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRules {
    rule: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    decision: RawDecision,
    scope: String,
    argv: Vec<String>,
    #[serde(default)]
    prefix: bool,
    #[serde(default)]
    grants: Vec<String>,
    given_at: String,
    blake3: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawDecision {
    Allow,
}

/// Reads all rules. Without the file there are none.
///
/// # Errors
/// When the file cannot be read, or says something that cannot be: then no rule of it holds.
pub fn load(home: &Home) -> Result<Vec<StoredRule>, ConfigError> {
    let file = home.rules_file();
    let broken = |why: String| ConfigError::Broken { file: file.display().to_string(), why };
    let raw: RawRules = read_toml(&file)?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for raw in raw.rule {
        if raw.id.is_empty() || !seen.insert(raw.id.clone()) {
            return Err(broken(format!("the rule id {:?} is empty or used twice", raw.id)));
        }
        if raw.scope != EVERYWHERE && !Path::new(&raw.scope).is_absolute() {
            return Err(broken(format!(
                "the scope of rule {:?} is neither an absolute path nor {EVERYWHERE:?}",
                raw.id
            )));
        }
        rules.push(interpret(raw, &file));
    }
    Ok(rules)
}

/// The rules that hold in a workspace, each with the present [`digest`] of the script that it names, as `script` tells from its words.
///
/// # Errors
/// As [`load`].
pub fn held(
    home: &Home,
    workspace: &Path,
    script: fn(&[String]) -> Option<&str>,
) -> Result<Vec<(StoredRule, Option<String>)>, ConfigError> {
    let held = load(home)?.into_iter().filter(|stored| stored.holds_in(workspace));
    let present = |stored: StoredRule| {
        let present = script(&stored.rule.argv).and_then(|script| digest(&workspace.join(script)));
        (stored, present)
    };
    Ok(held.map(present).collect())
}

/// Adds a rule at the end of the file, which stays as it is otherwise.
///
/// # Errors
/// When the file is broken, holds that id already, or cannot be written; when the rule has no id.
pub fn add(home: &Home, stored: &StoredRule) -> Result<(), ConfigError> {
    let file = home.rules_file();
    let broken = |why: String| ConfigError::Broken { file: file.display().to_string(), why };
    let id = stored.rule.id.as_ref().ok_or_else(|| broken("the rule to add has no id".to_owned()))?;
    let _locked = lock(&file)?;
    if load(home)?.iter().any(|known| known.rule.id.as_ref() == Some(id)) {
        return Err(broken(format!("it holds a rule {id} already")));
    }
    let mut document = document(&file)?;
    let rules = document.entry("rule").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let rules = rules.as_array_of_tables_mut().ok_or_else(|| broken(INLINE.to_owned()))?;
    rules.push(table(id, stored));
    write(&file, &document)
}

/// Forgets a rule. The file stays as it is otherwise, but for the comment directly above the rule. Says whether there was one.
///
/// # Errors
/// When the file is broken or cannot be written.
pub fn revoke(home: &Home, id: &RuleId) -> Result<bool, ConfigError> {
    let file = home.rules_file();
    if !file.exists() {
        return Ok(false);
    }
    let _locked = lock(&file)?;
    if !load(home)?.iter().any(|known| known.rule.id.as_ref() == Some(id)) {
        return Ok(false);
    }
    let mut document = document(&file)?;
    let broken = || ConfigError::Broken { file: file.display().to_string(), why: INLINE.to_owned() };
    let rules = document.get_mut("rule").and_then(Item::as_array_of_tables_mut).ok_or_else(broken)?;
    let is_it = |table: &Table| table.get("id").and_then(Item::as_str) == Some(&id.0);
    let at = rules.iter().position(is_it).ok_or_else(broken)?;
    let above = rules.get(at).map(comment_apart).unwrap_or_default();
    rules.remove(at);
    // What stood apart above the rule, such as a heading of the file, goes on before what follows.
    match rules.get_mut(at) {
        Some(next) => {
            let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
            next.decor_mut().set_prefix(format!("{above}{own}"));
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("{above}{trailing}"));
        }
    }
    write(&file, &document)?;
    Ok(true)
}

/// The digest that binds a rule to a script's bytes. Nothing when it cannot be read, is no plain file or larger than 16 MiB. Never waits,
/// whatever lies there.
#[must_use]
pub fn digest(script: &Path) -> Option<String> {
    // A named pipe would wait for a writer.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(script).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_SCRIPT + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_SCRIPT).then(|| blake3::hash(&bytes).to_hex().to_string())
}

const INLINE: &str = "its rules are not written as [[rule]] tables, so it can only be changed by hand";

fn interpret(raw: RawRule, file: &Path) -> StoredRule {
    let RawDecision::Allow = raw.decision;
    let workspace = (raw.scope != EVERYWHERE).then(|| PathBuf::from(&raw.scope));
    let rule = Rule {
        id: Some(RuleId(raw.id)),
        scope: if workspace.is_some() { Scope::Workspace } else { Scope::Everywhere },
        argv: raw.argv,
        prefix: raw.prefix,
        grants: raw.grants,
        file: Some(file.display().to_string()),
        hits: 0,
        used_at: None,
    };
    StoredRule { rule, workspace, given_at: raw.given_at, digest: raw.blake3 }
}

fn table(id: &RuleId, stored: &StoredRule) -> Table {
    let words = |words: &[String]| value(words.iter().map(String::as_str).collect::<toml_edit::Array>());
    let scope = stored.workspace.as_ref().map_or(EVERYWHERE.to_owned(), |path| path.display().to_string());
    let mut table = Table::new();
    table.insert("id", value(&id.0));
    table.insert("decision", value("allow"));
    table.insert("scope", value(scope));
    table.insert("argv", words(&stored.rule.argv));
    table.insert("prefix", value(stored.rule.prefix));
    table.insert("grants", words(&stored.rule.grants));
    table.insert("given_at", value(&stored.given_at));
    if let Some(digest) = &stored.digest {
        table.insert("blake3", value(digest));
    }
    table
}

/// What stands above a table up to the last empty line: it is not about this table alone.
fn comment_apart(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    prefix
        .rfind("\n\n")
        .and_then(|at| prefix.get(..at + 1))
        .filter(|above| above.contains('#'))
        .unwrap_or_default()
        .to_owned()
}

fn document(file: &Path) -> Result<DocumentMut, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(ConfigError::Unreadable { file: file.display().to_string(), why: error.to_string() }),
    };
    text.parse().map_err(|error: toml_edit::TomlError| ConfigError::Broken {
        file: file.display().to_string(),
        why: error.message().to_owned(),
    })
}

fn write(file: &Path, document: &DocumentMut) -> Result<(), ConfigError> {
    // Whoever keeps the file elsewhere and links to it keeps the link.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    write_private(&target, &document.to_string())
        .map_err(|error| ConfigError::Unreadable { file: file.display().to_string(), why: error.to_string() })
}

#[cfg(test)]
mod tests;

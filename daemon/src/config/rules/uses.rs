//! How often each rule answered, and when it last did: beside the journal, since it is nothing the person wrote.

use crate::config::{ConfigError, Home, lock, read_toml, write_private};
use pilotfish_protocol::{Rule, RuleId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The use of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Use {
    /// How often it answered.
    pub hits: u64,
    /// When it last did, RFC 3339.
    pub used_at: String,
}

/// The uses of all rules that were ever used.
///
/// # Errors
/// When the file cannot be read.
pub fn load(home: &Home) -> Result<BTreeMap<RuleId, Use>, ConfigError> {
    Ok(read_toml(&file(home))?.unwrap_or_default())
}

/// A rule with its use.
#[must_use]
pub fn with(rule: Rule, uses: &BTreeMap<RuleId, Use>) -> Rule {
    match rule.id.as_ref().and_then(|id| uses.get(id)) {
        Some(used) => Rule { hits: used.hits, used_at: Some(used.used_at.clone()), ..rule },
        None => rule,
    }
}

/// Counts one use of each rule.
///
/// # Errors
/// When the file cannot be read or written.
pub fn count(home: &Home, rules: &[RuleId], at: &str) -> Result<(), ConfigError> {
    change(home, |uses| {
        for rule in rules {
            let used = uses.entry(rule.clone()).or_default();
            used.hits += 1;
            at.clone_into(&mut used.used_at);
        }
    })
}

/// Forgets a rule.
///
/// # Errors
/// When the file cannot be read or written.
pub fn forget(home: &Home, rule: &RuleId) -> Result<(), ConfigError> {
    if load(home)?.contains_key(rule) { change(home, |uses| drop(uses.remove(rule))) } else { Ok(()) }
}

fn change(home: &Home, change: impl FnOnce(&mut BTreeMap<RuleId, Use>)) -> Result<(), ConfigError> {
    let file = file(home);
    let _locked = lock(&file)?;
    let mut uses = load(home)?;
    change(&mut uses);
    let unwritable = |why: String| ConfigError::Unreadable { file: file.display().to_string(), why };
    let text = toml::to_string(&uses).map_err(|error| unwritable(error.to_string()))?;
    write_private(&file, &text).map_err(|error| unwritable(error.to_string()))
}

fn file(home: &Home) -> PathBuf {
    home.state.join("rule-uses.toml")
}

#[cfg(test)]
mod tests;

//! What git's own files may say. Pure.

use super::names::is_hex;
use crate::workspace::git::config::{Config, Entry};
use std::collections::BTreeMap;

/// An object's name, or the name of another reference.
pub(super) fn is_reference(text: &str) -> bool {
    let line = text.strip_suffix('\n').unwrap_or(text);
    match line.strip_prefix("ref: ") {
        Some(name) => is_reference_name(name.trim()),
        None => is_object_name(line),
    }
}

/// The reference a HEAD names, if it names one.
pub(super) fn is_reference_name(name: &str) -> bool {
    name.starts_with("refs/")
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
        && !name.contains("..")
        && !name.contains(|c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c))
}

fn is_object_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

/// `packed-refs` taken apart: its first line, and each reference with the lines that belong to it.
struct Packed<'a> {
    header: Option<&'a str>,
    references: BTreeMap<&'a str, Vec<&'a str>>,
}

fn packed(text: &str) -> Option<Packed<'_>> {
    let mut packed = Packed { header: None, references: BTreeMap::new() };
    let mut last = None;
    for line in text.lines() {
        if line.starts_with('#') {
            packed.header = packed.header.or(Some(line));
        } else if let Some(peeled) = line.strip_prefix('^') {
            let of: &&str = last.as_ref().filter(|_| is_object_name(peeled))?;
            packed.references.entry(of).or_default().push(line);
        } else {
            let (object, name) = line.split_once(' ')?;
            if !is_object_name(object) || !is_reference_name(name) {
                return None;
            }
            packed.references.insert(name, vec![line]);
            last = Some(name);
        }
    }
    Some(packed)
}

/// The new `packed-refs` and what the old one had beside it: nothing that is known becomes unknown by writing this. `None` when the new
/// one is not understood.
pub(super) fn packed_union(old: &str, new: &str) -> Option<String> {
    let new_packed = packed(new)?;
    let mut union = packed(old).map(|old| old.references).unwrap_or_default();
    if union.keys().all(|name| new_packed.references.contains_key(name)) {
        return Some(new.to_owned());
    }
    union.extend(new_packed.references);
    let mut text = String::new();
    let lines = new_packed.header.into_iter().chain(union.into_values().flatten());
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    Some(text)
}

/// Whether all that a to-do list would run stood in the former one as well.
pub(super) fn runs_nothing_new(old: &str, new: &str) -> bool {
    let runs = |line: &&str| matches!(line.split_whitespace().next(), Some("exec" | "x"));
    new.lines().map(str::trim).filter(runs).all(|line| old.lines().any(|known| known.trim() == line))
}

/// Whether a file of a rebase, an am or a cherry-pick under way may be written. `old` is what it was.
pub(super) fn is_harmless_state(name: &str, old: &str, new: &str) -> bool {
    match name {
        "git-rebase-todo" | "git-rebase-todo.backup" | "todo" => runs_nothing_new(old, new),
        // Old versions of git let a shell read it.
        "author-script" => new.lines().all(is_author_line),
        "strategy" => ["ort", "recursive", "resolve", "octopus", "ours", "subtree"].contains(&new.trim()),
        "gpg_sign_opt" => {
            new.trim().strip_prefix("-S").is_some_and(|key| key.bytes().all(|b| b.is_ascii_alphanumeric()))
        }
        "opts" => !new.to_ascii_lowercase().contains("strategy"),
        _ => true,
    }
}

fn is_author_line(line: &str) -> bool {
    let value =
        ["GIT_AUTHOR_NAME=", "GIT_AUTHOR_EMAIL=", "GIT_AUTHOR_DATE="].iter().find_map(|key| line.strip_prefix(key));
    let quoted = value.and_then(|value| value.strip_prefix('\'')).and_then(|value| value.strip_suffix('\''));
    quoted.is_some_and(|quoted| !quoted.replace("'\\''", "").contains('\''))
}

/// Whether a new git directory's configuration only says what git says of any. Answers the `core.worktree` it names, which is to be
/// checked.
pub(super) fn harmless_config(config: &Config) -> Option<Option<String>> {
    let is_harmless = |entry: &Entry| match (entry.section.as_str(), &entry.subsection, entry.key.as_str()) {
        (
            "core",
            None,
            "bare"
            | "filemode"
            | "ignorecase"
            | "logallrefupdates"
            | "precomposeunicode"
            | "repositoryformatversion"
            | "symlinks",
        ) => entry.value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        ("core", None, "worktree") | ("user", None, "name" | "email") => true,
        ("extensions", None, "objectformat" | "relativeworktrees") => true,
        ("remote" | "submodule", Some(_), "url") => is_plain_address(&entry.value),
        ("remote", Some(_), "fetch") | ("submodule", Some(_), "active") => true,
        ("branch", Some(_), "merge") => is_reference_name(&entry.value),
        ("branch", Some(_), "remote") => entry.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
        _ => false,
    };
    let worktree = config.last("core", "worktree").map(str::to_owned);
    config.entries().iter().all(is_harmless).then_some(worktree)
}

// `helper::address` runs git-remote-helper, and what begins with a dash is an option.
fn is_plain_address(address: &str) -> bool {
    !address.contains("::") && !address.starts_with('-') && !address.contains(char::is_control)
}

/// Whether a configuration lost sections of branches and nothing else: what deleting branches leaves.
pub(super) fn only_lost_branches(old: &Config, new: &Config) -> bool {
    let mut rest = new.entries().iter().peekable();
    for entry in old.entries() {
        if rest.peek() == Some(&entry) {
            rest.next();
        } else if entry.section != "branch" || entry.subsection.is_none() {
            return false;
        }
    }
    rest.next().is_none()
}

#[cfg(test)]
mod tests;

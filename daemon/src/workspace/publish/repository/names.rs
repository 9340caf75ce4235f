//! What each name in a git directory is, and so when it may be written, if at all. Pure.

use std::path::{Component, Path};

/// When a file of a git directory is written. What comes later may speak of what came earlier, never the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A branch, a tag, the stash: an object's name.
    Ref,
    /// Many of them in one file.
    PackedRefs,
    /// What they were before.
    Log,
    /// Messages, other heads, a rebase or merge that is under way.
    State,
    /// A new git directory's configuration.
    Config,
    /// What says where a linked work tree's repository is.
    CommonDir,
    /// HEAD.
    Head,
    /// The index.
    Index,
    /// What says where a linked work tree is: from then on git believes in it.
    Gitdir,
    /// Never written and never asked for: locks, caches, what git makes again.
    Skip,
    /// Everything else.
    Held,
}

impl Step {
    /// Whether git waits for such a file to be on the disk.
    pub(super) fn is_durable(self) -> bool {
        matches!(self, Step::Ref | Step::PackedRefs | Step::Config | Step::Head)
    }

    /// Whether git itself locks such a file before it writes it.
    pub(super) fn is_locked(self) -> bool {
        matches!(self, Step::Ref | Step::PackedRefs | Step::Config | Step::Head | Step::Index)
    }
}

const STATE: &[&str] = &[
    "AUTO_MERGE",
    "BISECT_ANCESTORS_OK",
    "BISECT_EXPECTED_REV",
    "BISECT_FIRST_PARENT",
    "BISECT_LOG",
    "BISECT_NAMES",
    "BISECT_START",
    "BISECT_TERMS",
    "COMMIT_EDITMSG",
    "MERGE_MODE",
    "MERGE_MSG",
    "MERGE_RR",
    "SQUASH_MSG",
    "TAG_EDITMSG",
];

const REBASE_MERGE: &[&str] = &[
    "allow_rerere_autoupdate",
    "amend",
    "author-script",
    "autostash",
    "cdate_is_adate",
    "current-fixups",
    "done",
    "drop_redundant_commits",
    "dropped",
    "end",
    "git-rebase-todo",
    "git-rebase-todo.backup",
    "gpg_sign_opt",
    "head-name",
    "ignore_date",
    "interactive",
    "keep_redundant_commits",
    "message",
    "message-fixup",
    "message-squash",
    "msgnum",
    "no-reschedule-failed-exec",
    "onto",
    "orig-head",
    "patch",
    "quiet",
    "refs-to-delete",
    "reschedule-failed-exec",
    "rewritten-list",
    "rewritten-pending",
    "signoff",
    "squash-onto",
    "stopped-sha",
    "strategy",
    "strategy_opts",
    "update-refs",
    "verbose",
];

const REBASE_APPLY: &[&str] = &[
    "abort-safety",
    "applying",
    "author-script",
    "autostash",
    "dirtyindex",
    "final-commit",
    "head-name",
    "info",
    "keep",
    "last",
    "messageid",
    "msg",
    "msg-clean",
    "next",
    "no_inbody_headers",
    "onto",
    "orig-head",
    "original-commit",
    "patch",
    "quiet",
    "rebasing",
    "rewritten",
    "scissors",
    "sign",
    "threeway",
    "utf8",
];

/// The step of a file, by its path from the git directory. `is_new` says that there was no git directory before.
pub(super) fn step_of(path: &Path, is_new: bool) -> Step {
    let Some(parts) = parts(path) else { return Step::Held };
    if parts.last().is_some_and(|name| name.ends_with(".lock")) {
        return Step::Skip;
    }
    match parts.as_slice() {
        ["worktrees", _, "commondir"] => Step::CommonDir,
        ["worktrees", _, "gitdir"] => Step::Gitdir,
        ["worktrees", _, "locked"] => Step::State,
        ["worktrees", _, rest @ ..] => of_work_tree(rest),
        ["packed-refs"] => Step::PackedRefs,
        ["config"] if is_new => Step::Config,
        ["description"] | ["hooks", _] if is_new && is_sample(&parts) => Step::Skip,
        ["gc.log" | "gc.pid"] | ["info", "refs"] => Step::Skip,
        [name] if name.starts_with("fsmonitor--daemon") => Step::Skip,
        ["rr-cache", _, image] if is_rerere(image) => Step::State,
        rest => of_work_tree(rest),
    }
}

fn is_sample(parts: &[&str]) -> bool {
    parts == ["description"] || parts.last().is_some_and(|name| name.ends_with(".sample"))
}

fn is_rerere(name: &str) -> bool {
    ["preimage", "postimage", "thisimage"].iter().any(|image| name.split('.').next() == Some(image))
}

/// What the main work tree and each linked one have of their own.
fn of_work_tree(parts: &[&str]) -> Step {
    let is_listed = |list: &[&str], name: &str| list.contains(&name);
    match parts {
        ["HEAD"] => Step::Head,
        ["index"] => Step::Index,
        ["refs", _, ..] => Step::Ref,
        ["logs", _, ..] => Step::Log,
        [name] if is_head(name) || is_listed(STATE, name) => Step::State,
        // The index names it, and it never changes.
        [name] if name.strip_prefix("sharedindex.").is_some_and(is_hex) => Step::State,
        ["rebase-merge", name] if is_listed(REBASE_MERGE, name) => Step::State,
        ["rebase-apply", name] if is_listed(REBASE_APPLY, name) || is_number(name) => Step::State,
        ["sequencer", "abort-safety" | "head" | "opts" | "todo"] => Step::State,
        _ => Step::Held,
    }
}

fn is_head(name: &str) -> bool {
    name.strip_suffix("_HEAD")
        .is_some_and(|kind| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What a file below `objects` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    /// Objects, one or many.
    Content,
    /// What makes a pack known, so that it comes after the pack.
    PackIndex,
    /// Made by git again when it is missing.
    Skip,
    /// Anything else, such as a pointer to other repositories' objects.
    Held,
}

/// What a file is, by its path from `objects`.
pub(super) fn object_of(path: &Path) -> Object {
    let Some(parts) = parts(path) else { return Object::Held };
    match parts.as_slice() {
        [folder, name] if folder.len() == 2 && is_hex(folder) && is_hex(name) && matches!(name.len(), 38 | 62) => {
            Object::Content
        }
        [folder, name] if folder.len() == 2 && is_hex(folder) && name.starts_with("tmp_obj_") => Object::Skip,
        ["pack", name]
            if name.starts_with("tmp_") || name.starts_with(".tmp-") || name.starts_with("multi-pack-index") =>
        {
            Object::Skip
        }
        ["pack", "multi-pack-index.d", ..] | ["info", "packs" | "commit-graph"] | ["info", "commit-graphs", ..] => {
            Object::Skip
        }
        ["pack", name] => pack_of(name),
        _ => Object::Held,
    }
}

fn pack_of(name: &str) -> Object {
    let Some((pack, kind)) = name.strip_prefix("pack-").and_then(|rest| rest.split_once('.')) else {
        return Object::Held;
    };
    match kind {
        "pack" | "rev" | "mtimes" | "bitmap" | "keep" | "promisor" if is_hex(pack) => Object::Content,
        "idx" if is_hex(pack) => Object::PackIndex,
        _ => Object::Held,
    }
}

fn parts(path: &Path) -> Option<Vec<&str>> {
    let part = |component| match component {
        Component::Normal(name) => name.to_str(),
        Component::CurDir | Component::ParentDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().map(part).collect()
}

#[cfg(test)]
mod tests;

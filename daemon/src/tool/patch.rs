//! `patch`: many changes in many files, all or none.

use super::{Output, change, edit, place};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::path::RootedPath;
use crate::text::hunks;
use crate::text::patch::{FileOp, apply_chunks, parse};
use crate::workspace::Change;
use pilotfish_protocol::Item;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    patch: String,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "patch",
        description: "Changes several files at once, all or none. The patch:\n*** Begin Patch\n*** Update File: path (then optionally \
                      *** Move to: path)\n@@ optional line above the change\n context\n-old\n+new\n*** Add File: path (all lines with +)\n\
                      *** Delete File: path\n*** Move Directory: path (then *** Move to: path)\n*** End Patch\nGive three lines of \
                      context around each change.",
        parameters: json!({
            "type": "object",
            "properties": {"patch": {"type": "string"}},
            "required": ["patch"]
        }),
        grammar: None,
    }
}

/// The form of a patch, for models that are held to it while they write.
const GRAMMAR: &str = include_str!("patch/grammar.lark");

/// Makes of the specification one for free text: the grammar says what the description would.
pub(super) fn free(spec: &mut ToolSpec) {
    spec.description = "Changes several files at once, all or none. Paths are relative to the workspace. Give three lines of context \
                        around each change, and after @@ a line above it where that tells places apart. The input is the patch alone.";
    spec.grammar = Some(GRAMMAR);
}

pub(super) fn title(args: &Args) -> String {
    let named = |line: &&str| {
        ["*** Add File:", "*** Update File:", "*** Delete File:", "*** Move Directory:"]
            .iter()
            .any(|op| line.trim().starts_with(op))
    };
    let files: Vec<&str> =
        args.patch.lines().filter(named).filter_map(|line| line.split_once(':')).map(|(_, path)| path.trim()).collect();
    match files.as_slice() {
        [] => "patch".to_owned(),
        [one] => format!("patch {one}"),
        [first, rest @ ..] => format!("patch {first} and {} more", rest.len()),
    }
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: &Args) -> Output {
    let mut draft = Draft::default();
    let operations = match parse(&args.patch) {
        Ok(operations) => operations,
        Err(error) => return Output::failed(format!("nothing was changed: {error}")),
    };
    for operation in operations {
        if let Err(problem) = draft.take(cx, operation).await {
            return Output::failed(format!("nothing was changed: {problem}"));
        }
    }
    let summary = draft.said.concat();
    match draft.changes() {
        changes if changes.is_empty() => Output::failed("nothing was changed: the patch leaves every file as it is"),
        changes => change::commit(cx, item, changes, summary).await,
    }
}

/// A file while the patch is read: what the disk holds, and what the patch has made of it so far.
struct Draftee {
    before: Option<String>,
    after: Option<String>,
    /// Where it was, when it only changed its name.
    from: Option<RootedPath>,
}

/// All files the patch speaks of. Later operations see the results of earlier ones.
#[derive(Default)]
struct Draft {
    files: BTreeMap<RootedPath, Draftee>,
    directories: Vec<(RootedPath, RootedPath)>,
    said: Vec<String>,
}

impl Draft {
    async fn take(&mut self, cx: &TurnCx, operation: FileOp) -> Result<(), String> {
        match operation {
            FileOp::Add { path, content } => {
                let path = place::rooted(cx, &path)?;
                let file = self.file(cx, &path).await?;
                if file.after.is_some() {
                    return Err(format!("{path} already exists; use *** Update File"));
                }
                file.after = Some(content);
                self.said.push(format!("added {path}\n"));
            }
            FileOp::Delete { path } => {
                let path = place::rooted(cx, &path)?;
                let file = self.file(cx, &path).await?;
                file.after.take().ok_or_else(|| format!("{path} does not exist"))?;
                self.said.push(format!("deleted {path}\n"));
            }
            FileOp::Update { path, move_to, chunks } => {
                let path = place::rooted(cx, &path)?;
                let file = self.file(cx, &path).await?;
                let text = file.after.clone().ok_or_else(|| format!("{path} does not exist"))?;
                let updated = apply_chunks(&text, &chunks).map_err(|error| format!("{path}: {error}"))?;
                let changed: Vec<_> = hunks::diff(&text, &updated)
                    .into_iter()
                    .map(|hunk| hunk.new.start as usize..hunk.new.end as usize)
                    .collect();
                let shown = edit::surroundings(&updated, &changed);
                match move_to {
                    None => {
                        file.after = Some(updated);
                        self.said.push(format!("updated {path}\n{shown}"));
                    }
                    Some(to) => {
                        file.after = None;
                        let to = place::rooted(cx, &to)?;
                        let target = self.file(cx, &to).await?;
                        if target.after.is_some() {
                            return Err(format!("{to} already exists"));
                        }
                        target.after = Some(updated);
                        target.from = Some(path.clone());
                        self.said.push(format!("moved {path} to {to}\n{shown}"));
                    }
                }
            }
            FileOp::MoveDirectory { from, to } => {
                let (from, to) = (place::rooted(cx, &from)?, place::rooted(cx, &to)?);
                if self.files.keys().any(|path| path.as_path().starts_with(from.as_path())) {
                    return Err(format!("move {from} before changing files in it"));
                }
                if to.as_path().starts_with(from.as_path()) {
                    return Err(format!("{from} cannot be moved into itself"));
                }
                self.said.push(format!("moved {from} to {to}\n"));
                self.directories.push((from, to));
            }
        }
        Ok(())
    }

    async fn file(&mut self, cx: &TurnCx, path: &RootedPath) -> Result<&mut Draftee, String> {
        if !self.files.contains_key(path) {
            let before = change::current(cx, &self.on_disk(cx, path)?).await?;
            let after = before.clone();
            self.files.insert(path.clone(), Draftee { before, after, from: None });
        }
        Ok(self.files.get_mut(path).expect("it was put there just now"))
    }

    /// Where a file lies while the directories are not moved yet.
    fn on_disk(&self, cx: &TurnCx, path: &RootedPath) -> Result<RootedPath, String> {
        let mut at = path.as_path().to_owned();
        for (from, to) in self.directories.iter().rev() {
            if let Ok(rest) = at.strip_prefix(to.as_path()) {
                at = from.as_path().join(rest);
            }
        }
        place::rooted(cx, &at.to_string_lossy())
    }

    fn changes(self) -> Vec<Change> {
        let moves = self.directories.into_iter().map(|(from, to)| Change::MoveDirectory { from, to });
        let mut changes: Vec<Change> = moves.collect();
        let mut files = self.files;
        let moved: Vec<RootedPath> = files.values().filter_map(|file| file.from.clone()).collect();
        let mut sources: BTreeMap<RootedPath, String> = BTreeMap::new();
        for path in moved {
            // A name that something else took over, or that was never there before the patch, is no plain move.
            if let Some(file) = files.get(&path)
                && file.after.is_none()
                && let Some(before) = &file.before
            {
                sources.insert(path.clone(), before.clone());
                files.remove(&path);
            }
        }
        // Names are freed before they are taken.
        let (gone, there): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, file)| file.after.is_none());
        changes.extend(
            gone.into_iter().filter_map(|(path, file)| {
                file.before.map(|before| Change::Delete { path, before: before.into_bytes() })
            }),
        );
        for (path, file) in there {
            let bytes = file.after.unwrap_or_default().into_bytes();
            let source = file.from.and_then(|from| sources.remove(&from).map(|before| (from, before)));
            match (file.before, source) {
                (None, Some((from, before))) => {
                    changes.push(Change::Move { from, to: path, before: before.into_bytes(), bytes });
                }
                (Some(before), _) if before.as_bytes() == bytes => {}
                (Some(before), _) => changes.push(Change::Replace { path, before: before.into_bytes(), bytes }),
                (None, None) => changes.push(Change::Create { path, bytes }),
            }
        }
        changes
    }
}

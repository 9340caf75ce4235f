//! What `edit`, `patch` and `write` share: from planned changes of files to a result, through the policy and, where that says so, the
//! person.

use super::{Output, call_id};
use crate::cx::{GrantedBy, Need, PROTECTED, Permission, TurnCx};
use crate::path::{AbsPath, RootedPath};
use crate::policy::{self, Action, Verdict};
use crate::review::{Author, Source};
use crate::text::hunks;
use crate::workspace::{Cause, Change, FileText, ReadError, Workspace, WriteError};
use pilotfish_protocol::{Edit, EditKind, EditState, Hunk, HunkKind, HunkSpan, HunkState, Item, LineRange, ToolStatus};

/// The largest file the editing tools change, in bytes.
pub(super) const MAX_FILE: u64 = 16 << 20;

/// Text in the hunks of one edit item, at most; above it the item says only how many lines changed.
const MAX_HUNK_TEXT: usize = 256 << 10;

/// Who carries changes out. The proposer has no disk: read-only mode is kept by what it lacks.
enum Writer<'a> {
    Proposer(Proposer<'a>),
    Disk(&'a Workspace),
}

/// Can show changes to the person, and nothing else.
struct Proposer<'a>(&'a Workspace);

impl Proposer<'_> {
    async fn propose(&self, changes: Vec<Change>, source: &Source) -> Result<(), WriteError> {
        self.0.propose(changes, source).await
    }
}

impl Writer<'_> {
    async fn write(&self, changes: Vec<Change>, cx: &TurnCx, item: &Item) -> Result<(), WriteError> {
        match self {
            Writer::Proposer(proposer) => proposer.propose(changes, &cx.source()).await,
            Writer::Disk(workspace) => workspace.apply(changes, &cause(cx, item, Author::Agent(cx.source()))).await,
        }
    }
}

/// Whose changes those of a call are.
pub(super) fn cause(cx: &TurnCx, item: &Item, author: Author) -> Cause {
    Cause { author, at: item.at.clone(), title: cx.title.clone() }
}

/// Judges the changes, makes or proposes them, and tells the model `summary`.
pub(super) async fn commit(cx: &TurnCx, item: &Item, changes: Vec<Change>, summary: String) -> Output {
    let paths: Vec<RootedPath> = changes.iter().flat_map(touched).cloned().collect();
    let is_own = |path: &&RootedPath| cx.home.is_own(cx.workspace.root().join(path).real().as_path());
    if let Some(own) = paths.iter().find(is_own) {
        return Output::refused(format!("refused: {own} is pilotfish's own; the person changes it, no agent does"));
    }
    let judge = || policy::decide(*cx.mode.borrow(), &Action::Write(&paths));
    let mut verdict = judge();
    if let Verdict::Ask { reason } = verdict {
        if let Some(output) = ask(cx, item, &changes, reason).await {
            return output;
        }
        // The mode may be another one since; a yes to this change stands in agent mode alone.
        verdict = match judge() {
            Verdict::Ask { .. } => Verdict::Run,
            verdict => verdict,
        };
    }
    let (writer, state) = match verdict {
        Verdict::Run => (Writer::Disk(&cx.workspace), EditState::Applied),
        Verdict::Propose => (Writer::Proposer(Proposer(&cx.workspace)), EditState::Proposed),
        Verdict::Ask { reason } | Verdict::Refuse { reason } => return Output::refused(format!("refused: {reason}")),
    };
    let mut edits: Vec<Edit> = changes.iter().map(|change| describe(cx, call_id(item), change, state)).collect();
    if let Err(error) = writer.write(changes, cx, item).await {
        // What meets the person's own lines is shown to them; the model goes on from what they have.
        edits.retain(|_| error.is_conflict());
        edits.iter_mut().for_each(conflicting);
        return Output { edits, ..Output::failed(error.to_string()) };
    }
    let text = match state {
        EditState::Proposed => {
            format!("proposed (read-only mode: nothing was written, the person may accept it)\n{summary}")
        }
        EditState::Applied | EditState::Conflict => summary,
    };
    Output { text, status: ToolStatus::Done, edits, ..Output::default() }
}

fn conflicting(edit: &mut Edit) {
    edit.state = EditState::Conflict;
    edit.hunks.iter_mut().for_each(|hunk| hunk.state = HunkState::Conflict);
}

/// Asks for the changes of protected names, with what would change there. Gives the output of a call that may not go on.
async fn ask(cx: &TurnCx, item: &Item, changes: &[Change], reason: String) -> Option<Output> {
    let is_protected = |path: &&RootedPath| policy::paths::protected(path).is_some();
    let mut names: Vec<String> = Vec::new();
    let mut edits = Vec::new();
    for change in changes {
        let protected: Vec<String> =
            touched(change).into_iter().filter(is_protected).map(ToString::to_string).collect();
        if !protected.is_empty() {
            edits.push(describe(cx, call_id(item), change, EditState::Proposed));
        }
        names.extend(protected);
    }
    names.sort();
    names.dedup();
    let need = Need {
        item: &item.id,
        command: None,
        grants: names.iter().map(|name| format!("{PROTECTED}{name}")).collect(),
        title: format!("change {}", names.join(", ")),
        detail: names.join("\n"),
        cwd: cx.workspace.root().to_string(),
        reason,
        edits,
    };
    match cx.permit(need).await {
        Ok(Permission::Granted { by: GrantedBy::Rule | GrantedBy::Session | GrantedBy::Answer }) => None,
        Ok(Permission::Denied { why }) => Some(Output::refused(format!("refused: {why}"))),
        // The turn ends by itself; its record says what became of this call.
        Err(error) => Some(Output {
            text: format!("not done: {error} while the person was asked"),
            status: ToolStatus::Interrupted,
            ..Output::default()
        }),
    }
}

/// Reads a file that is to be changed. `None` when it does not exist.
pub(super) async fn current(cx: &TurnCx, path: &RootedPath) -> Result<Option<String>, String> {
    match cx.workspace.read(path, MAX_FILE, Some(&cx.session)).await {
        Ok(file) => text_of(path, file).map(Some),
        Err(ReadError::Missing(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn text_of(path: &RootedPath, file: FileText) -> Result<String, String> {
    if file.is_cut() {
        return Err(format!("{path} is larger than {} MiB; use shell to change it", MAX_FILE >> 20));
    }
    let no_text = || format!("{path} is not UTF-8 text; use shell to change it");
    if file.text().is_none() {
        return Err(no_text());
    }
    String::from_utf8(file.bytes).map_err(|_| no_text())
}

fn touched(change: &Change) -> Vec<&RootedPath> {
    match change {
        Change::Create { path, .. } | Change::Replace { path, .. } | Change::Delete { path, .. } => vec![path],
        Change::Move { from, to, .. } | Change::MoveDirectory { from, to } => vec![from, to],
    }
}

/// The change as editors show it.
pub(super) fn describe(cx: &TurnCx, call_id: &str, change: &Change, state: EditState) -> Edit {
    let root = cx.workspace.root();
    let from_uri = |from: &RootedPath| EditKind::Moved { from: root.join(from).to_uri() };
    let (path, kind, before, after): (_, _, &[u8], &[u8]) = match change {
        Change::Create { path, bytes } => (path, EditKind::Created, &[], bytes),
        Change::Replace { path, before, bytes } => (path, EditKind::Changed, before, bytes),
        Change::Delete { path, before } => (path, EditKind::Deleted, before, &[]),
        Change::Move { from, to, before, bytes } => (to, from_uri(from), before, bytes),
        Change::MoveDirectory { from, to } => (to, from_uri(from), &[], &[]),
    };
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let mut hunks = hunks(cx, root, path, (&before, &after), state);
    let added = hunks.iter().map(|hunk| hunk.new_range.end - hunk.new_range.start).sum();
    let removed = hunks.iter().map(|hunk| hunk.old_range.end - hunk.old_range.start).sum();
    if hunks.iter().map(|hunk| hunk.old_text.len() + hunk.new_text.len()).sum::<usize>() > MAX_HUNK_TEXT {
        hunks.clear();
    }
    Edit {
        call_id: Some(call_id.to_owned()),
        uri: root.join(path).to_uri(),
        path: path.to_string(),
        change: kind,
        state,
        added,
        removed,
        hunks,
    }
}

fn hunks(cx: &TurnCx, root: &AbsPath, path: &RootedPath, texts: (&str, &str), state: EditState) -> Vec<Hunk> {
    let (old_lines, new_lines) = (hunks::lines(texts.0), hunks::lines(texts.1));
    let text = |lines: &[&str], range: &std::ops::Range<u32>| -> String {
        lines.get(range.start as usize..range.end as usize).unwrap_or_default().concat()
    };
    let hunks = hunks::diff(texts.0, texts.1).into_iter().map(|hunk| {
        let (old_text, new_text) = (text(&old_lines, &hunk.old), text(&new_lines, &hunk.new));
        let spans = hunks::spans(&old_text, &new_text).into_iter();
        Hunk {
            id: cx.clock.hunk_id(),
            uri: root.join(path).to_uri(),
            version: None,
            kind: match (hunk.old.is_empty(), hunk.new.is_empty()) {
                (true, _) => HunkKind::Add,
                (false, true) => HunkKind::Delete,
                (false, false) => HunkKind::Change,
            },
            old_range: LineRange { start: hunk.old.start, end: hunk.old.end },
            new_range: LineRange { start: hunk.new.start, end: hunk.new.end },
            spans: spans.map(|(line, start, end)| HunkSpan { line: line + hunk.new.start, start, end }).collect(),
            old_text,
            new_text,
            session_id: cx.session.clone(),
            turn_id: cx.turn.clone(),
            state: match state {
                EditState::Applied => HunkState::Applied,
                EditState::Proposed => HunkState::Proposed,
                EditState::Conflict => HunkState::Conflict,
            },
            user_lines: Vec::new(),
        }
    });
    hunks.collect()
}

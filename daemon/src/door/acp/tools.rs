//! Tool calls and changes of files, as clients of this protocol draw them. Pure.

use super::wire::{Block, Location, Tool, ToolContent, ToolKind, ToolStatus};
use crate::path::{AbsPath, RootedPath};
use pilotfish_protocol as ours;
use pilotfish_protocol::{Edit, EditKind, EditState, ItemId, ToolCall};
use serde_json::{Value, json};

/// Bytes of a running tool's output that are shown. Each update repeats all that is shown, so it must be little.
const LIVE: usize = 4 << 10;

/// The end of a running tool's output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tail(String);

impl Tail {
    /// Adds to it.
    pub(super) fn push(&mut self, text: &str) {
        self.0.push_str(text);
        let over = self.0.len().saturating_sub(LIVE);
        let from = (over..=self.0.len()).find(|&at| self.0.is_char_boundary(at)).unwrap_or(0);
        self.0.drain(..from);
    }

    /// As an update of the call.
    pub(super) fn shown(&self, id: &ItemId) -> Tool {
        Tool { tool_call_id: id.to_string(), content: Some(vec![text(&self.0)]), ..Tool::default() }
    }
}

/// A call as it is announced, or told whole.
pub(super) fn whole(root: Option<&AbsPath>, id: &ItemId, call: &ToolCall) -> Tool {
    let input = input(call);
    Tool {
        tool_call_id: id.to_string(),
        title: Some(call.title.clone()),
        kind: Some(kind(&call.name)),
        locations: locations(root, &input),
        raw_input: Some(input),
        ..outcome(id, call)
    }
}

/// What became of a call.
pub(super) fn outcome(id: &ItemId, call: &ToolCall) -> Tool {
    let status = match call.status {
        ours::ToolStatus::Running => ToolStatus::InProgress,
        ours::ToolStatus::Done => ToolStatus::Completed,
        ours::ToolStatus::Failed | ours::ToolStatus::Refused | ours::ToolStatus::Interrupted => ToolStatus::Failed,
    };
    Tool {
        tool_call_id: id.to_string(),
        status: Some(status),
        content: (!call.output.is_empty()).then(|| vec![text(&call.output)]),
        raw_output: call.exit_code.map(|code| json!({"exitCode": code})),
        ..Tool::default()
    }
}

/// A call that ended, as long as changes of files may follow that it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changing {
    id: ItemId,
    call_id: String,
    output: String,
    diffs: Vec<ToolContent>,
    locations: Vec<Location>,
}

impl Changing {
    /// Of a call that may have changed files.
    pub(super) fn new(id: &ItemId, call: &ToolCall) -> Option<Self> {
        (kind(&call.name) == ToolKind::Edit).then(|| Self {
            id: id.clone(),
            call_id: call.call_id.clone(),
            output: call.output.clone(),
            diffs: Vec::new(),
            locations: Vec::new(),
        })
    }

    /// With one change more, if the call made it: the call with all of them, as each update of its content replaces what was.
    pub(super) fn with(&mut self, edit: &Edit) -> Option<Tool> {
        if edit.call_id.as_ref() != Some(&self.call_id) {
            return None;
        }
        let (diffs, location) = change(edit);
        self.diffs.extend(diffs);
        self.locations.push(location);
        let content = self.diffs.iter().cloned().chain([text(&self.output)]).collect();
        Some(Tool {
            tool_call_id: self.id.to_string(),
            content: Some(content),
            locations: Some(self.locations.clone()),
            ..Tool::default()
        })
    }
}

/// A change that no call here made, as a call of its own.
pub(super) fn lone(id: &ItemId, edit: &Edit) -> Tool {
    let (diffs, location) = change(edit);
    let (title, status) = match edit.state {
        EditState::Applied => (format!("edit {}", edit.path), ToolStatus::Completed),
        EditState::Proposed => (format!("propose {}", edit.path), ToolStatus::Completed),
        EditState::Conflict => (format!("conflict in {}", edit.path), ToolStatus::Failed),
    };
    Tool {
        tool_call_id: id.to_string(),
        title: Some(title),
        kind: Some(ToolKind::Edit),
        status: Some(status),
        content: Some(diffs),
        locations: Some(vec![location]),
        ..Tool::default()
    }
}

/// A change's hunks as diffs. Where there are none, because it is binary, large or only a move, a line says what happened.
pub(super) fn change(edit: &Edit) -> (Vec<ToolContent>, Location) {
    let path = AbsPath::from_uri(&edit.uri).map_or_else(|_| edit.path.clone(), |path| path.to_string());
    let line = edit.hunks.first().map(|hunk| hunk.new_range.start + 1);
    let mut content: Vec<ToolContent> = edit
        .hunks
        .iter()
        .map(|hunk| ToolContent::Diff {
            path: path.clone(),
            old_text: (edit.change != EditKind::Created).then(|| hunk.old_text.clone()),
            new_text: hunk.new_text.clone(),
        })
        .collect();
    if content.is_empty() || matches!(edit.change, EditKind::Moved { .. }) {
        let (path, added, removed) = (&edit.path, edit.added, edit.removed);
        let words = match &edit.change {
            EditKind::Created => format!("{path} created: {added} lines"),
            EditKind::Changed => format!("{path} changed: {added} lines added, {removed} removed"),
            EditKind::Deleted => format!("{path} deleted"),
            EditKind::Moved { from } => format!("{from} is now {path}"),
        };
        content.insert(0, text(&words));
    }
    (content, Location { path, line })
}

fn text(text: &str) -> ToolContent {
    ToolContent::Content { content: Block::text(text) }
}

/// The arguments; as a text when they are no JSON.
fn input(call: &ToolCall) -> Value {
    serde_json::from_str(&call.input).unwrap_or_else(|_| Value::from(call.input.as_str()))
}

/// The file a call is about, as far as its arguments say.
fn locations(root: Option<&AbsPath>, input: &Value) -> Option<Vec<Location>> {
    let (root, path) = (root?, input.get("path")?.as_str()?);
    let path = root.join(&RootedPath::new(root, path.trim()).ok()?).to_string();
    let line = input.get("offset").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    Some(vec![Location { path, line }])
}

fn kind(tool: &str) -> ToolKind {
    match tool {
        "read" | "list" => ToolKind::Read,
        "search" => ToolKind::Search,
        "edit" | "patch" | "apply_patch" | "write" => ToolKind::Edit,
        "shell" => ToolKind::Execute,
        "plan" => ToolKind::Think,
        _ => ToolKind::Other,
    }
}

#[cfg(test)]
mod tests;

//! Review: hunks, which are changes that wait for the person.

use crate::{HunkId, SessionId, TurnId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lines, half-open and from 0. Empty (`start == end`) for a place between two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineRange {
    /// The first line inside.
    pub start: u32,
    /// The first line after.
    pub end: u32,
}

/// What a hunk does to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HunkKind {
    /// Lines are new.
    Add,
    /// Lines are other lines now.
    Change,
    /// Lines are gone.
    Delete,
}

/// Whether a hunk is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HunkState {
    /// In the text: keep or undo it.
    Applied,
    /// Not in the text: accept or reject it.
    Proposed,
    /// The person changed the same lines.
    Conflict,
}

/// A changed stretch inside a line, for drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HunkSpan {
    /// The line in the new text, from 0.
    pub line: u32,
    /// The first UTF-16 column inside.
    pub start: u32,
    /// The first UTF-16 column after.
    pub end: u32,
}

/// A reviewable change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// Its id, which survives every edit outside it.
    pub id: HunkId,
    /// The file's `file:` URI.
    pub uri: String,
    /// The version of the client's text that `newRange` speaks of; absent for a file no client has open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// What it does.
    pub kind: HunkKind,
    /// Where its lines stood before.
    pub old_range: LineRange,
    /// Where its lines stand, or would stand.
    pub new_range: LineRange,
    /// The lines before, with their line ends.
    pub old_text: String,
    /// The lines after, with their line ends.
    pub new_text: String,
    /// What changed inside the lines.
    #[serde(default)]
    pub spans: Vec<HunkSpan>,
    /// Whose change it is.
    pub session_id: SessionId,
    /// The turn that made it.
    pub turn_id: TurnId,
    /// Whether it is in the text.
    pub state: HunkState,
    /// Lines inside it that the person wrote, from 0 in the new text.
    #[serde(default)]
    pub user_lines: Vec<u32>,
}

/// Answer of `review/list` and its verbs; `review/changed` carries it for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HunkList {
    /// The file, when all are of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The version of that file's text. Drop the list when yours is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// In the order of the text.
    pub hunks: Vec<Hunk>,
}

/// Answer of `review/base`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewBase {
    /// The text when the review of this file began.
    pub text: String,
}

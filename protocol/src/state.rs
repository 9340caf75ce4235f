//! What the smaller resources answer: commands, checkpoints, files, trust and the daemon itself.

use crate::{CheckpointId, CommandId, MethodCall, SessionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answer of a method that has nothing to say but that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// A command in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandInfo {
    /// Its id.
    pub id: CommandId,
    /// Whose.
    pub session_id: SessionId,
    /// As it was called.
    pub command: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// How much it has said so far, in bytes.
    #[serde(default)]
    pub output_bytes: u64,
    /// How it ended; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// Answer of `command/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandList {
    /// The oldest first.
    pub commands: Vec<CommandInfo>,
}

/// Answer of `command/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandOutput {
    /// From `offset`.
    pub text: String,
    /// Where to read on, in bytes.
    pub next_offset: u64,
    /// How it ended; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// A point the files can be taken back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// When it was made, RFC 3339.
    pub at: String,
    /// What it comes before.
    pub title: String,
}

/// Answer of `checkpoint/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointList {
    /// The latest first.
    pub checkpoints: Vec<Checkpoint>,
}

/// What a restore does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    /// The file's `file:` URI.
    pub uri: String,
    /// In words, such as `deleted` or `left: you changed it since`.
    pub change: String,
}

/// Answer of `checkpoint/restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// The checkpoint that takes this restore back; absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_id: Option<CheckpointId>,
    /// What changed, or would.
    pub changes: Vec<FileChange>,
}

/// One file that fits a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileMatch {
    /// The file's `file:` URI.
    pub uri: String,
    /// Its path from the workspace's root.
    pub path: String,
}

/// Answer of `file/search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileMatches {
    /// The best first.
    pub files: Vec<FileMatch>,
}

/// Something that completes what is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// What to show.
    pub label: String,
    /// What to insert.
    pub insert: String,
    /// What to call instead of inserting anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<MethodCall>,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Answer of `session/complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CandidateList {
    /// The best first.
    pub candidates: Vec<Candidate>,
}

/// Whether what a workspace ships takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Trust {
    /// Nobody said.
    #[default]
    Unknown,
    /// It does.
    Trusted,
    /// It does not, and sessions stay read-only.
    Refused,
}

/// Answer of `trust/get` and `trust/set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustState {
    /// What was said.
    pub trust: Trust,
    /// What the workspace ships that depends on it.
    pub ships: Vec<Shipped>,
}

/// A file of a workspace that takes effect only where it is trusted, and only as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shipped {
    /// Its path in the workspace.
    pub path: String,
    /// Whether it takes effect now.
    pub counts: bool,
    /// What changed since it was trusted, as a unified diff; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// One line of the matrix of what is enforced here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capability {
    /// What, such as `commands are confined`.
    pub name: String,
    /// Whether it is enforced here.
    pub enforced: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How to mend it, when a person can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// Answer of `daemon/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// The program's version.
    pub version: String,
    /// The vocabulary's version.
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: u32,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// Sessions held in memory.
    pub sessions: u64,
    /// Turns that run.
    pub turns: u64,
    /// What is enforced on this machine.
    pub capabilities: Vec<Capability>,
}

/// `daemon/notice`: a fact about the daemon, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonNotice {
    /// The words.
    pub text: String,
}

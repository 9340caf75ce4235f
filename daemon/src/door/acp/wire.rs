//! The Agent Client Protocol as it is on the wire: version 1, the stable part of its schema that this door speaks
//! (agentclientprotocol.com, schema 1.19). Types only.
//!
//! They are our own and small: the official types bring a dozen crates and a new major version every other month. What a client
//! sends is read leniently: fields of ours may be missing or null, fields of others are ignored.

use crate::door::envelope::Id;
use pilotfish_protocol::{ItemId, Mode, SessionId, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The one version of the protocol that is spoken here.
pub(super) const PROTOCOL_VERSION: u16 = 1;

/// Error codes of the protocol beside JSON-RPC's.
pub(super) mod code {
    /// The client took the request back (`$/cancel_request`).
    pub(crate) const REQUEST_CANCELLED: i32 = -32800;
    /// No such session.
    pub(crate) const NOT_FOUND: i32 = -32002;
}

/// Names of what we send unasked.
pub(super) const SESSION_UPDATE: &str = "session/update";

// What clients send.

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Initialize {
    pub(super) client_capabilities: Option<Value>,
    pub(super) client_info: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Authenticate {
    pub(super) method_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSession {
    pub(super) cwd: String,
    #[serde(default)]
    pub(super) mcp_servers: Option<Value>,
    #[serde(default)]
    pub(super) additional_directories: Option<Value>,
}

/// `session/load` and `session/resume`. The session's own folder stays what it was; `cwd` is what the client calls it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenSession {
    pub(super) session_id: SessionId,
    #[serde(default)]
    pub(super) cwd: Option<String>,
    #[serde(default)]
    pub(super) mcp_servers: Option<Value>,
    #[serde(default)]
    pub(super) additional_directories: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ListSessions {
    pub(super) cwd: Option<String>,
    pub(super) cursor: Option<String>,
}

/// What names a session and nothing else.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneSession {
    pub(super) session_id: SessionId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prompt {
    pub(super) session_id: SessionId,
    pub(super) prompt: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetMode {
    pub(super) session_id: SessionId,
    pub(super) mode_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetConfigOption {
    pub(super) session_id: SessionId,
    pub(super) config_id: String,
    pub(super) value: Value,
}

/// The answer to a [`FileRequest`] without a text.
#[derive(Debug, Deserialize)]
pub(super) struct FileContent {
    pub(super) content: String,
}

/// The answer to [`RequestPermission`].
#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    pub(super) outcome: PermissionOutcome,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionOutcome {
    /// `selected` or `cancelled`.
    pub(super) outcome: String,
    #[serde(default)]
    pub(super) option_id: Option<String>,
}

/// Sent by clients, and by us for a permission that is not needed any more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelRequest {
    pub(super) request_id: Id,
}

// What both send.

/// A piece of content. Of a client's pieces `content.rs` says which are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text { text: String },
    ResourceLink { uri: String, name: String },
    Resource { resource: Resource },
}

impl Block {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Block::Text { text: text.into() }
    }
}

/// A text that came along with a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) uri: String,
    pub(super) text: String,
}

// What we answer.

#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<SessionId>,
    pub(super) modes: Modes,
    pub(super) config_options: Vec<ConfigOption>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) sessions: Vec<SessionInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionInfo {
    pub(super) session_id: SessionId,
    pub(super) cwd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) updated_at: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigOptions {
    pub(super) config_options: Vec<ConfigOption>,
}

/// The answer of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prompted {
    pub(super) stop_reason: StopReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<TurnUsage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StopReason {
    EndTurn,
    MaxTokens,
    MaxTurnRequests,
    Refusal,
    Cancelled,
}

/// Tokens of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TurnUsage {
    total_tokens: u64,
    input_tokens: u64,
    output_tokens: u64,
    thought_tokens: u64,
    cached_read_tokens: u64,
}

impl From<&Usage> for TurnUsage {
    fn from(usage: &Usage) -> Self {
        Self {
            total_tokens: usage.input_tokens + usage.output_tokens,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            thought_tokens: usage.reasoning_tokens,
            cached_read_tokens: usage.cached_tokens,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Modes {
    pub(super) current_mode_id: Mode,
    pub(super) available_modes: Vec<ModeInfo>,
}

#[derive(Debug, Serialize)]
pub(super) struct ModeInfo {
    pub(super) id: Mode,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// Something a person picks one value of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigOption {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    /// Always `select`.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) current_value: String,
    pub(super) options: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

// What we ask.

/// `fs/read_text_file`, and `fs/write_text_file` with the text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileRequest<'a> {
    pub(super) session_id: &'a SessionId,
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
}

/// The parameters of `session/request_permission`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestPermission<'a> {
    pub(super) session_id: &'a SessionId,
    /// Only the fields that are told.
    pub(super) tool_call: Tool,
    pub(super) options: Vec<PermissionOption>,
}

/// One way to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionOption {
    pub(super) option_id: String,
    pub(super) name: String,
    pub(super) kind: PermissionKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PermissionKind {
    AllowOnce,
    AllowAlways,
    RejectOnce,
}

// What we send unasked.

/// The parameters of `session/update`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification<'a> {
    pub(super) session_id: &'a SessionId,
    pub(super) update: &'a Update,
}

/// A change of a session as a client of this protocol sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "sessionUpdate", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum Update {
    UserMessageChunk {
        content: Block,
        message_id: ItemId,
    },
    AgentMessageChunk {
        content: Block,
        message_id: ItemId,
    },
    AgentThoughtChunk {
        content: Block,
        message_id: ItemId,
    },
    ToolCall(Box<Tool>),
    #[serde(rename = "tool_call_update")]
    ToolCallChanged(Box<Tool>),
    Plan {
        entries: Vec<PlanEntry>,
    },
    #[serde(rename = "current_mode_update")]
    CurrentMode {
        current_mode_id: Mode,
    },
    #[serde(rename = "config_option_update")]
    ConfigOptions {
        config_options: Vec<ConfigOption>,
    },
    #[serde(rename = "session_info_update")]
    SessionInfo {
        title: String,
    },
    #[serde(rename = "usage_update")]
    Usage {
        used: u64,
        size: u64,
    },
    /// Only for clients that said they show them.
    Notice {
        severity: &'static str,
        title: String,
    },
}

/// A tool call, or what changed of one: then only the fields that did, each whole.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tool {
    pub(super) tool_call_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<ToolKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<ToolStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Vec<ToolContent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locations: Option<Vec<Location>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw_input: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw_output: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToolKind {
    Read,
    Edit,
    Search,
    Execute,
    Think,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToolStatus {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum ToolContent {
    Content {
        content: Block,
    },
    Diff {
        path: String,
        /// Absent for a new file.
        #[serde(skip_serializing_if = "Option::is_none")]
        old_text: Option<String>,
        new_text: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Location {
    pub(super) path: String,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PlanEntry {
    pub(super) content: String,
    /// Always `medium`: plans here are in order, and all of them is meant.
    pub(super) priority: &'static str,
    /// Spelled the same there and here.
    pub(super) status: pilotfish_protocol::StepStatus,
}

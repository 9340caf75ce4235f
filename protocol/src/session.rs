//! Sessions: what one is, what state it is in, what attaching to it answers.

use crate::{
    Approval, CommandInfo, ContextUse, Effort, InputPart, Item, ItemId, ModelName, Plan, QueuedId, SessionId, TurnId,
    Usage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the agent may do. A mode is enforced by the tools, by policy and by the sandbox; it never rests on the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Reads and runs; changes of files are proposals, and what commands write is not kept.
    #[default]
    ReadOnly,
    /// Changes files of the workspace, each change reviewable.
    Agent,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::ReadOnly => "read-only",
            Mode::Agent => "agent",
        })
    }
}

/// A session's state in one word, the same word in every editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Nothing runs; a prompt starts a turn.
    #[default]
    Idle,
    /// The model is answering.
    Thinking,
    /// A tool runs.
    Running,
    /// A question waits for the person.
    Waiting,
    /// An interrupt was asked for and is being carried out.
    Stopping,
    /// The last turn was interrupted.
    Stopped,
    /// The last turn ended with an error.
    Failed,
}

/// A [`Status`] with a text for people, such as `running cargo test`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionStatus {
    /// The word.
    pub state: Status,
    /// The words for people.
    pub text: String,
}

/// Why a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StopReason {
    /// The model called no more tools.
    Done,
    /// The model reached its output limit.
    Length,
    /// The provider refused to answer.
    Refused,
    /// The turn reached its limit of steps.
    StepLimit,
    /// Somebody interrupted it.
    Interrupted,
    /// It failed; the transcript's last error item says why.
    Failed,
}

/// One session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The absolute path of the folder it works in.
    pub workspace: String,
    /// A short title; the first prompt's first line until somebody renames it.
    pub title: String,
    /// What the agent may do.
    pub mode: Mode,
    /// The model that answers; absent when none is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// How hard the model is asked to think; absent for its usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// What it does now.
    pub status: SessionStatus,
    /// When it was opened, RFC 3339.
    pub created_at: String,
    /// When its last durable update was journaled, RFC 3339.
    pub updated_at: String,
    /// Hidden from the default list.
    #[serde(default)]
    pub archived: bool,
    /// The session this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SessionId>,
}

/// Answer of `session/new` and `session/fork`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionOpened {
    /// The new session.
    pub session: Session,
}

/// Answer of `session/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// The asked workspace's first, the latest first.
    pub sessions: Vec<Session>,
    /// Give it as `cursor` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Answer of `session/attach`: the state at `seq`. The updates after it follow as notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The session itself.
    pub session: Session,
    /// The last durable update this snapshot contains; 0 for a session that has none.
    pub seq: u64,
    /// The running turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// Items that have started and not ended, with their text so far.
    pub open_items: Vec<Item>,
    /// Questions that wait for an answer.
    pub approvals: Vec<Approval>,
    /// What somebody has typed and not sent.
    pub draft: String,
    /// Prompts that wait for the running turn.
    pub queue: Vec<Queued>,
    /// The model's plan.
    pub plan: Plan,
    /// Tokens so far.
    pub usage: Usage,
    /// What the model's context is made of.
    #[serde(default)]
    pub context: ContextUse,
    /// Commands in the background.
    #[serde(default)]
    pub commands: Vec<CommandInfo>,
}

/// A prompt that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    /// Its id, for `session/unqueue` and `session/requeue`.
    pub id: QueuedId,
    /// What was typed.
    pub input: Vec<InputPart>,
}

/// Answer of `session/prompt`: exactly one field is present.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptTaken {
    /// The turn that started, or that the input steers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// The place in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_id: Option<QueuedId>,
}

/// Answer of `session/items`: a page of the transcript, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemPage {
    /// Ended items and, on the newest page, started ones.
    pub items: Vec<Item>,
    /// Give it as `before` for the page before this one; absent at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ItemId>,
}

/// Answer of `session/output`: a slice of a tool's full output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputPage {
    /// The text from `offset`, cut at a character boundary.
    pub text: String,
    /// Where this page begins, in bytes.
    pub offset: u64,
    /// The whole output's size in bytes.
    pub total: u64,
}

/// `session/changed`: a session of a list changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionChanged {
    /// As it is now.
    pub session: Session,
}

/// What an interrupt stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InterruptScope {
    /// The running command; the turn goes on.
    Command,
    /// The turn.
    #[default]
    Turn,
}

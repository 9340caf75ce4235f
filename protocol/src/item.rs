//! Items: the entries of a transcript.

use crate::{Approval, Hunk, InputPart, ItemId, ModelName, TurnId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of a transcript. An item starts, may change, and ends; its last state is the one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Unique within its session; ids of one session sort in the order of their making.
    pub id: ItemId,
    /// The turn it belongs to; absent for what happens between turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// When it started, RFC 3339.
    pub at: String,
    /// What it is.
    pub content: ItemContent,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ItemContent {
    /// The person's prompt.
    UserMessage(UserMessage),
    /// The model's words.
    AgentMessage(AgentMessage),
    /// The model's thoughts, as far as its provider shows them.
    Reasoning(Reasoning),
    /// A tool the model called, and what came of it.
    ToolCall(ToolCall),
    /// What a tool changed in one file, or proposes to.
    Edit(Edit),
    /// The model's plan.
    Plan(Plan),
    /// A question the policy asks the person.
    Approval(Box<Approval>),
    /// A question the model asks the person.
    Question(Question),
    /// An edit that meets the person's own lines.
    Conflict(Edit),
    /// Something failed.
    Error(Fault),
    /// What the model was given beside the person's words: what the workspace says to agents, what the person attached.
    Context(ContextReceipt),
    /// Older history was condensed here.
    Compaction(Compaction),
    /// A fact, for the person, the model or both.
    Notice(Notice),
}

impl ItemContent {
    /// Appends the text of an [`itemDelta`](crate::Update::ItemDelta): a message's words, a thought's, a tool's output. Nothing else
    /// streams.
    pub fn append(&mut self, text: &str) {
        match self {
            ItemContent::AgentMessage(message) => message.text.push_str(text),
            ItemContent::Reasoning(reasoning) => reasoning.text.push_str(text),
            ItemContent::ToolCall(call) => call.output.push_str(text),
            ItemContent::UserMessage(_)
            | ItemContent::Edit(_)
            | ItemContent::Plan(_)
            | ItemContent::Approval(_)
            | ItemContent::Question(_)
            | ItemContent::Conflict(_)
            | ItemContent::Error(_)
            | ItemContent::Context(_)
            | ItemContent::Compaction(_)
            | ItemContent::Notice(_) => {}
        }
    }
}

/// The person's prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserMessage {
    /// What was typed and attached.
    pub input: Vec<InputPart>,
}

/// Whether a streamed item is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Completion {
    /// Still arriving.
    Open,
    /// All of it.
    #[default]
    Whole,
    /// The person interrupted it; what came stands.
    Interrupted,
    /// The stream broke; the model does not see this item again.
    Broken,
}

/// The model's words, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentMessage {
    /// What it said so far.
    pub text: String,
    /// Whether that is all.
    #[serde(default)]
    pub completion: Completion,
}

/// The model's thoughts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reasoning {
    /// The summary its provider shows; may be empty.
    pub text: String,
    /// Whether that is all.
    #[serde(default)]
    pub completion: Completion,
    /// The model it came from: only that one gets `opaque` back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// What its provider wants sent back unread, such as encrypted thoughts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<serde_json::Value>,
}

/// What became of a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ToolStatus {
    /// It runs.
    #[default]
    Running,
    /// It did what was asked.
    Done,
    /// It could not; the output says why.
    Failed,
    /// Policy or the person said no.
    Refused,
    /// Somebody interrupted it.
    Interrupted,
}

/// A tool the model called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// The model's id of the call, which its output answers.
    pub call_id: String,
    /// The model request of the turn that made it, from 0: calls of one answer share it.
    #[serde(default)]
    pub step: u32,
    /// The tool.
    pub name: String,
    /// One line for people, such as `$ cargo test`.
    pub title: String,
    /// The arguments as the model wrote them.
    pub input: String,
    /// What the model is told. May be cut, and then says so.
    pub output: String,
    /// What became of it.
    pub status: ToolStatus,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// A command's exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The full output's size in bytes, when `output` holds less: `session/output` has the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

/// What happened to the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EditKind {
    /// It was not there before.
    Created,
    /// Its text changed.
    Changed,
    /// It is gone.
    Deleted,
    /// It has another name now, and maybe another text.
    Moved {
        /// The `file:` URI it had before.
        from: String,
    },
}

/// Whether an edit is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EditState {
    /// It is in the text.
    Applied,
    /// It is not; the person may accept it.
    Proposed,
    /// It met the person's own lines.
    Conflict,
}

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// The call that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The file's `file:` URI.
    pub uri: String,
    /// Its path from the workspace's root, for people.
    pub path: String,
    /// What happened to it.
    pub change: EditKind,
    /// Whether that is in the text.
    pub state: EditState,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// The changes, in the order of the text. Empty for a binary file.
    pub hunks: Vec<Hunk>,
}

/// A plan of several steps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// In order.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// What is to be done.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
}

/// A question the model asks the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The question.
    pub text: String,
    /// Answers to pick from; any text may be given instead.
    pub choices: Vec<String>,
    /// What the person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// What kind of thing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// The configuration names no usable model.
    Configuration,
    /// The model's endpoint could not be reached or answered with a status that says no.
    Endpoint,
    /// The model's stream broke off.
    Stream,
    /// The history no longer fits the model.
    ContextFull,
    /// A limit was reached that the person set or that keeps a turn from running on for nothing.
    Limit,
    /// The journal could not be written.
    Journal,
    /// A defect of ours; the log has more.
    Internal,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What kind of thing.
    pub fault: FaultKind,
    /// What was attempted, on what, and how to mend it.
    pub message: String,
    /// Whether the same prompt may work later.
    pub retryable: bool,
}

/// What the model was given beside the person's words. Editors show it folded: what, how much, and on request the text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextReceipt {
    /// In the order in which the model reads them.
    pub parts: Vec<ContextPart>,
}

/// Where a part of the model's context comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ContextSource {
    /// What the person or the workspace says to all agents, such as `AGENTS.md`.
    Instructions,
    /// A file, or lines of one.
    File,
    /// Problems that an editor reports.
    Diagnostics,
    /// Changes that wait for review.
    Changes,
    /// What the person looks at.
    Editor,
}

/// One part of a [`ContextReceipt`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextPart {
    /// Where it comes from.
    pub source: ContextSource,
    /// What it is called, for people, such as `src/AGENTS.md` or `src/watch.rs:3-9`.
    pub title: String,
    /// The `file:` URI of what it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What the model reads. May be cut, and then says so.
    pub text: String,
    /// How much was left out, in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// How history was condensed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CompactionWay {
    /// Outputs of tools were left out; all else stands.
    Masked,
    /// A text stands for all that was before.
    Summarized,
}

/// Older history was condensed here: from now on the model reads less of what lies before. The transcript keeps all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compaction {
    /// How.
    pub way: CompactionWay,
    /// The first item that the model reads as it was; absent when that is the one after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_kept: Option<ItemId>,
    /// What the model reads in place of what was condensed; empty when outputs were masked.
    pub text: String,
    /// About how many tokens the model's context held before.
    pub tokens_before: u64,
    /// About how many it holds now.
    pub tokens_after: u64,
}

impl std::fmt::Display for Compaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.way {
            CompactionWay::Masked => "older outputs were left out",
            CompactionWay::Summarized => "older history was summarized",
        };
        write!(f, "{what}: about {} tokens of context became {}", self.tokens_before, self.tokens_after)
    }
}

/// Whom a notice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// The person only.
    Person,
    /// The model only; editors may show it folded.
    Model,
    /// Both.
    Both,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The words.
    pub text: String,
    /// Whom they are for.
    pub audience: Audience,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

//! Updates: how a session changes.

use crate::{
    Approval, ApprovalId, CommandInfo, ConnectionId, ContextUse, Decision, Effort, Item, ItemId, Mode, ModelName, Plan,
    Queued, SessionId, SessionStatus, StopReason, TurnId, Usage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `session/update`: one change of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionUpdate {
    /// Whose.
    pub session_id: SessionId,
    /// Where it stands in the journal, from 1 without gaps. Absent for what is not durable: deltas, drafts, statuses
    /// and repeats of an open item, all of which a later durable update supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The change.
    pub update: Update,
}

/// A change of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Update {
    /// A turn began.
    TurnStarted {
        /// Its id.
        turn_id: TurnId,
        /// RFC 3339.
        at: String,
    },
    /// A turn is over.
    TurnEnded {
        /// Its id.
        turn_id: TurnId,
        /// Why it ended.
        stop: StopReason,
        /// What the turn used.
        usage: Usage,
        /// RFC 3339.
        at: String,
    },
    /// An item began.
    ItemStarted {
        /// As it is.
        item: Item,
    },
    /// Text to append to an open item: a message's words, a tool's output.
    ItemDelta {
        /// Whose.
        item_id: ItemId,
        /// To append.
        text: String,
    },
    /// An open item is now this.
    ItemChanged {
        /// As it is.
        item: Item,
    },
    /// An item will not change any more, but for one case: words and thoughts of an answer that breaks off afterwards end once more, as
    /// `broken`.
    ItemEnded {
        /// As it stays.
        item: Item,
    },
    /// Another mode.
    ModeChanged {
        /// The new one.
        mode: Mode,
    },
    /// Another model.
    ModelChanged {
        /// The new one.
        model: ModelName,
        /// The new effort.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effort: Option<Effort>,
    },
    /// Another title.
    TitleChanged {
        /// The new one.
        title: String,
    },
    /// Another status.
    StatusChanged {
        /// The new one.
        status: SessionStatus,
    },
    /// What waits changed.
    QueueChanged {
        /// All of it.
        queue: Vec<Queued>,
    },
    /// Somebody typed.
    DraftChanged {
        /// All of it.
        text: String,
    },
    /// Tokens of the session so far, those of the running turn among them.
    Usage {
        /// The sums.
        usage: Usage,
        /// What the model's context is made of.
        #[serde(default)]
        context: ContextUse,
    },
    /// A command in the background began, said more, or ended.
    CommandChanged {
        /// As it is.
        command: CommandInfo,
    },
    /// The model's plan changed.
    PlanChanged {
        /// All of it.
        plan: Plan,
    },
    /// A question opened.
    ApprovalOpened {
        /// The question.
        approval: Box<Approval>,
    },
    /// A question is answered.
    ApprovalClosed {
        /// Which.
        approval_id: ApprovalId,
        /// Whose answer it was; absent when the turn ended first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ConnectionId>,
        /// The answer.
        decision: Decision,
    },
}

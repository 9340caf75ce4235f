//! The words that pilotfish's daemon and its editors share.
//!
//! Reading order: `id` and `session` name things, `input` is what people send, `item` and `update` are what comes back,
//! `error` says what went wrong, and `contract` holds one trait for each resource: together they are the method table.
//! This crate holds types only. It decides nothing, and nothing of ours lies below it.

pub mod contract;

mod approval;
mod editor;
mod error;
mod id;
mod input;
mod item;
mod model;
mod review;
mod session;
mod state;
mod update;

pub use approval::{Answered, Approval, ApprovalSegment, Decision, Rule, RuleList, RulePreview, Scope};
pub use editor::{Diagnostic, MethodCall, Severity};
pub use error::{ErrorData, ErrorKind, RpcError, code};
pub use id::{ApprovalId, CheckpointId, CommandId, ConnectionId, HunkId, ItemId, QueuedId, RuleId, SessionId, TurnId};
pub use input::{Delivery, InputPart, Position, Range};
pub use item::{
    AgentMessage, Audience, Compaction, CompactionWay, Completion, ContextPart, ContextReceipt, ContextSource, Edit,
    EditKind, EditState, Fault, FaultKind, Item, ItemContent, Notice, Plan, PlanStep, Question, Reasoning, StepStatus,
    ToolCall, ToolStatus, UserMessage,
};
pub use model::{ContextUse, Effort, ModelInfo, ModelList, ModelName, Price, Usage, UsageReport};
pub use review::{Hunk, HunkKind, HunkList, HunkSpan, HunkState, LineRange, ReviewBase};
pub use session::{
    Attached, InterruptScope, ItemPage, Mode, OutputPage, PromptTaken, Queued, Session, SessionChanged, SessionList,
    SessionOpened, SessionStatus, Status, StopReason,
};
pub use state::{
    Candidate, CandidateList, Capability, Checkpoint, CheckpointList, CommandInfo, CommandList, CommandOutput,
    DaemonNotice, DaemonStatus, Done, FileChange, FileMatch, FileMatches, Restored, Shipped, Trust, TrustState,
};
pub use update::{SessionUpdate, Update};

/// The version of this vocabulary. Peers compare the features they announce, never this number; it is for people.
pub const PROTOCOL_VERSION: u32 = 1;

/// What this build's daemon can do beyond the language server protocol, as announced in
/// `ServerCapabilities.experimental.pilotfish.features`.
pub const FEATURES: &[&str] = &["session", "items", "search", "approvals", "questions", "commands", "files", "review"];

/// Notifications from the daemon, by method name. Requests are named in [`contract`] alone.
pub mod notification {
    /// Carries a [`SessionUpdate`](crate::SessionUpdate).
    pub const SESSION_UPDATE: &str = "session/update";
    /// Carries a [`SessionChanged`](crate::SessionChanged), for lists of sessions.
    pub const SESSION_CHANGED: &str = "session/changed";
    /// Carries a [`HunkList`](crate::HunkList) of one file.
    pub const REVIEW_CHANGED: &str = "review/changed";
    /// Carries a [`DaemonNotice`](crate::DaemonNotice).
    pub const DAEMON_NOTICE: &str = "daemon/notice";
}

//! Sessions: opening, attaching, prompting, stopping.

use crate::{
    Attached, CandidateList, CommandId, Delivery, Done, Effort, InputPart, InterruptScope, ItemId, ItemPage, Mode,
    ModelName, OutputPage, PromptTaken, QueuedId, SessionId, SessionList, SessionOpened,
};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Sessions: opening, attaching, prompting, stopping.
#[rpc(server, client, namespace = "session", namespace_separator = "/")]
pub trait SessionRpc {
    /// Opens a session in a folder (an absolute path or a `file:` URI). The mode is read-only unless said.
    #[method(name = "new", param_kind = map)]
    async fn open(
        &self,
        workspace: String,
        mode: Option<Mode>,
        model: Option<ModelName>,
        effort: Option<Effort>,
        title: Option<String>,
    ) -> RpcResult<SessionOpened>;

    /// Lists sessions, this workspace's first, the latest first; `query` searches the words of transcripts.
    #[method(name = "list", param_kind = map)]
    async fn list(
        &self,
        workspace: Option<String>,
        query: Option<String>,
        cursor: Option<String>,
        archived: Option<bool>,
    ) -> RpcResult<SessionList>;

    /// Answers the session's state and sends its updates to this connection from then on.
    /// With `afterSeq` the durable updates after it are sent first.
    #[method(name = "attach", param_kind = map)]
    async fn attach(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "afterSeq")] after_seq: Option<u64>,
    ) -> RpcResult<Attached>;

    /// Sends no more updates to this connection. The session goes on.
    #[method(name = "detach", param_kind = map)]
    async fn detach(&self, #[argument(rename = "sessionId")] session_id: SessionId) -> RpcResult<Done>;

    /// Interrupts the running turn and lets the session leave memory. It stays in the journal.
    #[method(name = "close", param_kind = map)]
    async fn close(&self, #[argument(rename = "sessionId")] session_id: SessionId) -> RpcResult<Done>;

    /// Hides a session from the default list, or shows it again.
    #[method(name = "archive", param_kind = map)]
    async fn archive(&self, #[argument(rename = "sessionId")] session_id: SessionId, archived: bool)
    -> RpcResult<Done>;

    /// Deletes a session; `restore` takes that back until the next collection.
    #[method(name = "delete", param_kind = map)]
    async fn delete(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        restore: Option<bool>,
    ) -> RpcResult<Done>;

    /// Gives a session another title.
    #[method(name = "rename", param_kind = map)]
    async fn rename(&self, #[argument(rename = "sessionId")] session_id: SessionId, title: String) -> RpcResult<Done>;

    /// Opens a session with this one's history up to an item.
    #[method(name = "fork", param_kind = map)]
    async fn fork(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "atItem")] at_item: Option<ItemId>,
    ) -> RpcResult<SessionOpened>;

    /// A page of the transcript, oldest first: the `limit` items before `before`, or the newest.
    #[method(name = "items", param_kind = map)]
    async fn items(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        before: Option<ItemId>,
        limit: u32,
    ) -> RpcResult<ItemPage>;

    /// A slice of a tool's full output, in bytes.
    #[method(name = "output", param_kind = map)]
    async fn output(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "itemId")] item_id: ItemId,
        offset: u64,
        limit: u64,
    ) -> RpcResult<OutputPage>;

    /// Starts a turn, or queues or steers when one runs. Answers as soon as the session took it.
    #[method(name = "prompt", param_kind = map)]
    async fn prompt(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        input: Vec<InputPart>,
        delivery: Option<Delivery>,
    ) -> RpcResult<PromptTaken>;

    /// Takes a waiting prompt back.
    #[method(name = "unqueue", param_kind = map)]
    async fn unqueue(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "queuedId")] queued_id: QueuedId,
    ) -> RpcResult<Done>;

    /// Changes what a waiting prompt says.
    #[method(name = "requeue", param_kind = map)]
    async fn requeue(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "queuedId")] queued_id: QueuedId,
        input: Vec<InputPart>,
    ) -> RpcResult<Done>;

    /// Stops the running command, or the turn.
    #[method(name = "interrupt", param_kind = map)]
    async fn interrupt(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        scope: InterruptScope,
        #[argument(rename = "commandId")] command_id: Option<CommandId>,
    ) -> RpcResult<Done>;

    /// Switches the mode. It holds from the next action on.
    #[method(name = "setMode", param_kind = map)]
    async fn set_mode(&self, #[argument(rename = "sessionId")] session_id: SessionId, mode: Mode) -> RpcResult<Done>;

    /// Switches the model. It holds from the next turn on.
    #[method(name = "setModel", param_kind = map)]
    async fn set_model(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        model: ModelName,
        effort: Option<Effort>,
    ) -> RpcResult<Done>;

    /// Keeps what is typed and not sent, so that any editor can go on with it.
    #[method(name = "draft", param_kind = map)]
    async fn draft(&self, #[argument(rename = "sessionId")] session_id: SessionId, text: String) -> RpcResult<Done>;

    /// What could complete the text at `offset` (in UTF-16 units): `@` and `/`.
    #[method(name = "complete", param_kind = map)]
    async fn complete(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        text: String,
        offset: u32,
    ) -> RpcResult<CandidateList>;

    /// Condenses the history now.
    #[method(name = "compact", param_kind = map)]
    async fn compact(&self, #[argument(rename = "sessionId")] session_id: SessionId) -> RpcResult<Done>;
}

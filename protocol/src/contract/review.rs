//! Review of changes, hunk by hunk.

use crate::{HunkId, HunkList, LineRange, ReviewBase, SessionId, TurnId};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Review of changes, hunk by hunk.
#[rpc(server, client, namespace = "review", namespace_separator = "/")]
pub trait ReviewRpc {
    /// Lists the hunks that wait, of a file or of all.
    #[method(name = "list", param_kind = map)]
    async fn list(&self, workspace: String, uri: Option<String>) -> RpcResult<HunkList>;

    /// A file's text when its review began.
    #[method(name = "base", param_kind = map)]
    async fn base(&self, uri: String) -> RpcResult<ReviewBase>;

    /// The agent's lines become the person's.
    #[method(name = "keep", param_kind = map)]
    async fn keep(
        &self,
        workspace: String,
        #[argument(rename = "hunkIds")] hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        #[argument(rename = "turnId")] turn_id: Option<TurnId>,
        #[argument(rename = "sessionId")] session_id: Option<SessionId>,
    ) -> RpcResult<HunkList>;

    /// The agent's lines go.
    #[method(name = "undo", param_kind = map)]
    async fn undo(
        &self,
        workspace: String,
        #[argument(rename = "hunkIds")] hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        #[argument(rename = "turnId")] turn_id: Option<TurnId>,
        #[argument(rename = "sessionId")] session_id: Option<SessionId>,
    ) -> RpcResult<HunkList>;

    /// Takes a keep back.
    #[method(name = "unkeep", param_kind = map)]
    async fn unkeep(
        &self,
        workspace: String,
        #[argument(rename = "hunkIds")] hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        #[argument(rename = "turnId")] turn_id: Option<TurnId>,
        #[argument(rename = "sessionId")] session_id: Option<SessionId>,
    ) -> RpcResult<HunkList>;

    /// Puts a proposal into the text.
    #[method(name = "accept", param_kind = map)]
    async fn accept(
        &self,
        workspace: String,
        #[argument(rename = "hunkIds")] hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        #[argument(rename = "turnId")] turn_id: Option<TurnId>,
        #[argument(rename = "sessionId")] session_id: Option<SessionId>,
    ) -> RpcResult<HunkList>;

    /// Drops a proposal.
    #[method(name = "reject", param_kind = map)]
    async fn reject(
        &self,
        workspace: String,
        #[argument(rename = "hunkIds")] hunk_ids: Option<Vec<HunkId>>,
        uri: Option<String>,
        range: Option<LineRange>,
        #[argument(rename = "turnId")] turn_id: Option<TurnId>,
        #[argument(rename = "sessionId")] session_id: Option<SessionId>,
    ) -> RpcResult<HunkList>;
}

//! What was used.

use crate::{SessionId, UsageReport};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// What was used.
#[rpc(server, client, namespace = "usage", namespace_separator = "/")]
pub trait UsageRpc {
    /// Tokens of a session, or of all.
    #[method(name = "get", param_kind = map)]
    async fn get(&self, #[argument(rename = "sessionId")] session_id: Option<SessionId>) -> RpcResult<UsageReport>;
}

//! Files of a workspace.

use crate::FileMatches;
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Files of a workspace.
#[rpc(server, client, namespace = "file", namespace_separator = "/")]
pub trait FileRpc {
    /// Files whose path fits the query, the best first.
    #[method(name = "search", param_kind = map)]
    async fn search(&self, workspace: String, query: String, limit: u32) -> RpcResult<FileMatches>;
}

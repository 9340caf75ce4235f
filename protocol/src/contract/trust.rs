//! Whether what a workspace ships takes effect.

use crate::{Trust, TrustState};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Whether what a workspace ships takes effect.
#[rpc(server, client, namespace = "trust", namespace_separator = "/")]
pub trait TrustRpc {
    /// What was said of a workspace.
    #[method(name = "get", param_kind = map)]
    async fn get(&self, workspace: String) -> RpcResult<TrustState>;

    /// Says it.
    #[method(name = "set", param_kind = map)]
    async fn set(&self, workspace: String, trust: Trust) -> RpcResult<TrustState>;
}

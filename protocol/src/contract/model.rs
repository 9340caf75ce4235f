//! Models that can be used.

use crate::ModelList;
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Models that can be used.
#[rpc(server, client, namespace = "model", namespace_separator = "/")]
pub trait ModelRpc {
    /// Lists the configured models, or says what is missing.
    #[method(name = "list")]
    async fn list(&self) -> RpcResult<ModelList>;
}

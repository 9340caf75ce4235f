//! Points the files can be taken back to.

use crate::{CheckpointId, CheckpointList, Restored};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Points the files can be taken back to.
#[rpc(server, client, namespace = "checkpoint", namespace_separator = "/")]
pub trait CheckpointRpc {
    /// Lists a workspace's checkpoints.
    #[method(name = "list", param_kind = map)]
    async fn list(&self, workspace: String) -> RpcResult<CheckpointList>;

    /// Takes the files back. That makes a checkpoint, so it can be undone.
    #[method(name = "restore", param_kind = map)]
    async fn restore(
        &self,
        id: CheckpointId,
        #[argument(rename = "dryRun")] dry_run: Option<bool>,
    ) -> RpcResult<Restored>;
}

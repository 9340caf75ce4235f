//! `checkpoint/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::CheckpointRpcServer;
use pilotfish_protocol::{CheckpointId, CheckpointList, Restored};

#[async_trait]
impl CheckpointRpcServer for Connection {
    async fn list(&self, _: String) -> RpcResult<CheckpointList> {
        not_built("checkpoint/list")
    }

    async fn restore(&self, _: CheckpointId, _: Option<bool>) -> RpcResult<Restored> {
        not_built("checkpoint/restore")
    }
}

//! `model/*`: models that can be used.

use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::ModelList;
use pilotfish_protocol::contract::ModelRpcServer;

#[async_trait]
impl ModelRpcServer for Connection {
    async fn list(&self) -> RpcResult<ModelList> {
        Ok(self.hub.models(&self.environment))
    }
}

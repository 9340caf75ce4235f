//! `trust/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::TrustRpcServer;
use pilotfish_protocol::{Trust, TrustState};

#[async_trait]
impl TrustRpcServer for Connection {
    async fn get(&self, _: String) -> RpcResult<TrustState> {
        not_built("trust/get")
    }

    async fn set(&self, _: String, _: Trust) -> RpcResult<TrustState> {
        not_built("trust/set")
    }
}

//! `question/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::QuestionRpcServer;
use pilotfish_protocol::{Done, ItemId, SessionId};

#[async_trait]
impl QuestionRpcServer for Connection {
    async fn answer(&self, _: SessionId, _: ItemId, _: Option<u32>, _: Option<String>) -> RpcResult<Done> {
        not_built("question/answer")
    }
}

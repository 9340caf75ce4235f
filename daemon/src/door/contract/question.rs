//! `question/*`: answers to what the model asks, from any connection.

use crate::door::Connection;
use crate::session::Spoken;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::QuestionRpcServer;
use pilotfish_protocol::{Done, ItemId, RpcError, SessionId};

#[async_trait]
impl QuestionRpcServer for Connection {
    async fn answer(
        &self,
        session_id: SessionId,
        item_id: ItemId,
        choice: Option<u32>,
        text: Option<String>,
    ) -> RpcResult<Done> {
        let reply = Spoken { choice, text, by: self.id.clone() };
        self.hub.session(&session_id).reply(item_id, reply).await.map_err(RpcError::from)?;
        Ok(Done {})
    }
}

//! Answers to what the model asks.

use crate::{Done, ItemId, SessionId};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Answers to what the model asks.
#[rpc(server, client, namespace = "question", namespace_separator = "/")]
pub trait QuestionRpc {
    /// Answers a question of the model. The first answer wins.
    #[method(name = "answer", param_kind = map)]
    async fn answer(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "itemId")] item_id: ItemId,
        choice: Option<u32>,
        text: Option<String>,
    ) -> RpcResult<Done>;
}

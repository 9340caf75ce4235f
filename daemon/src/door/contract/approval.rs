//! `approval/*`: answers, from any connection, to any session's questions.

use crate::door::Connection;
use crate::session::Given;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::ApprovalRpcServer;
use pilotfish_protocol::{Answered, ApprovalId, Decision, RpcError};

#[async_trait]
impl ApprovalRpcServer for Connection {
    async fn answer(
        &self,
        approval_ids: Vec<ApprovalId>,
        decision: Decision,
        note: Option<String>,
    ) -> RpcResult<Answered> {
        let given = Given { decision, note, by: self.id.clone() };
        let closed = self.hub.answer(&approval_ids, &given).await.map_err(RpcError::from)?;
        Ok(Answered { closed })
    }
}

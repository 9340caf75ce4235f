//! `approval/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::ApprovalRpcServer;
use pilotfish_protocol::{Answered, ApprovalId, Decision};

#[async_trait]
impl ApprovalRpcServer for Connection {
    async fn answer(&self, _: Vec<ApprovalId>, _: Decision, _: Option<String>) -> RpcResult<Answered> {
        not_built("approval/answer")
    }
}

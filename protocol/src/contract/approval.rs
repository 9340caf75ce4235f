//! Answers to what policy asks.

use crate::{Answered, ApprovalId, Decision};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Answers to what policy asks.
#[rpc(server, client, namespace = "approval", namespace_separator = "/")]
pub trait ApprovalRpc {
    /// Answers questions. The first answer wins; later ones get `alreadyAnswered`.
    #[method(name = "answer", param_kind = map)]
    async fn answer(
        &self,
        #[argument(rename = "approvalIds")] approval_ids: Vec<ApprovalId>,
        decision: Decision,
        note: Option<String>,
    ) -> RpcResult<Answered>;
}

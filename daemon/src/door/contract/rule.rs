//! `rule/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::RuleRpcServer;
use pilotfish_protocol::{ApprovalId, Done, Rule, RuleId, RuleList, RulePreview};

#[async_trait]
impl RuleRpcServer for Connection {
    async fn list(&self, _: Option<String>) -> RpcResult<RuleList> {
        not_built("rule/list")
    }

    async fn preview(&self, _: ApprovalId, _: Option<Rule>) -> RpcResult<RulePreview> {
        not_built("rule/preview")
    }

    async fn revoke(&self, _: RuleId) -> RpcResult<Done> {
        not_built("rule/revoke")
    }
}

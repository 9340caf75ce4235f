//! Remembered answers.

use crate::{ApprovalId, Done, Rule, RuleId, RuleList, RulePreview};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Remembered answers.
#[rpc(server, client, namespace = "rule", namespace_separator = "/")]
pub trait RuleRpc {
    /// Lists every remembered rule that holds here.
    #[method(name = "list", param_kind = map)]
    async fn list(&self, workspace: Option<String>) -> RpcResult<RuleList>;

    /// What saving a rule for a question would mean.
    #[method(name = "preview", param_kind = map)]
    async fn preview(
        &self,
        #[argument(rename = "approvalId")] approval_id: ApprovalId,
        rule: Option<Rule>,
    ) -> RpcResult<RulePreview>;

    /// Forgets a rule.
    #[method(name = "revoke", param_kind = map)]
    async fn revoke(&self, #[argument(rename = "ruleId")] rule_id: RuleId) -> RpcResult<Done>;
}

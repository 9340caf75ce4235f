//! `rule/*`: the remembered answers, which stand in the person's own file.

use crate::config::ConfigError;
use crate::door::{Connection, workspace};
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::RuleRpcServer;
use pilotfish_protocol::{ApprovalId, Done, ErrorKind, RpcError, Rule, RuleId, RuleList, RulePreview};

#[async_trait]
impl RuleRpcServer for Connection {
    async fn list(&self, path: Option<String>) -> RpcResult<RuleList> {
        let folder = path.as_deref().map(workspace).transpose()?;
        let rules = self.hub.rules(folder.as_ref()).map_err(|error| unreadable(&error))?;
        Ok(RuleList { rules })
    }

    async fn preview(&self, approval_id: ApprovalId, rule: Option<Rule>) -> RpcResult<RulePreview> {
        Ok(self.hub.preview(approval_id, rule).await.map_err(RpcError::from)?)
    }

    async fn revoke(&self, rule_id: RuleId) -> RpcResult<Done> {
        if self.hub.revoke(&rule_id).map_err(|error| unreadable(&error))? {
            return Ok(Done {});
        }
        let message = format!("there is no rule {rule_id}; rule/list has those there are");
        Err(RpcError::new(ErrorKind::NotFound, message).into())
    }
}

fn unreadable(error: &ConfigError) -> RpcError {
    RpcError::new(ErrorKind::WrongState, error.to_string())
}

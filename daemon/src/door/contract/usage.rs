//! `usage/*`: what was used.

use crate::door::Connection;
use crate::door::refusal;
use crate::session::SessionError;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::UsageRpcServer;
use pilotfish_protocol::{RpcError, SessionId, UsageReport};

#[async_trait]
impl UsageRpcServer for Connection {
    async fn get(&self, session_id: Option<SessionId>) -> RpcResult<UsageReport> {
        let journal = self.hub.journal();
        let today = journal.usage_of(&self.hub.clock().today()).await.map_err(|error| refusal(&error))?;
        let usage = match session_id {
            None => journal.usage().await.map_err(|error| refusal(&error))?,
            Some(session_id) => {
                let stored = journal.session(&session_id).await.map_err(|error| refusal(&error))?;
                stored.ok_or_else(|| RpcError::from(SessionError::NotFound(session_id)))?.usage
            }
        };
        Ok(UsageReport { usage, today })
    }
}

//! `usage/*`: what was used.

use super::not_built;
use crate::door::Connection;
use crate::door::refusal;
use crate::session::SessionError;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::UsageRpcServer;
use pilotfish_protocol::{RpcError, SessionId, UsageReport};

#[async_trait]
impl UsageRpcServer for Connection {
    async fn get(&self, session_id: Option<SessionId>) -> RpcResult<UsageReport> {
        let Some(session_id) = session_id else { return not_built("usage/get without a session") };
        let stored = self.hub.journal().session(&session_id).await.map_err(|error| refusal(&error))?;
        let stored = stored.ok_or_else(|| RpcError::from(SessionError::NotFound(session_id)))?;
        Ok(UsageReport { usage: stored.usage, ..UsageReport::default() })
    }
}

//! `daemon/*`: the daemon itself.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::DaemonRpcServer;
use pilotfish_protocol::{DaemonStatus, Done, PROTOCOL_VERSION, Status};

#[async_trait]
impl DaemonRpcServer for Connection {
    async fn status(&self) -> RpcResult<DaemonStatus> {
        let sessions = self.hub.live_sessions().await;
        let turns = sessions.iter().filter(|session| in_turn(session.status.state)).count();
        Ok(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL_VERSION,
            pid: std::process::id(),
            started_at: self.hub.started_at().to_owned(),
            sessions: sessions.len() as u64,
            turns: turns as u64,
            capabilities: Vec::new(),
        })
    }

    async fn stop(&self, _: Option<bool>) -> RpcResult<Done> {
        // A daemon of one connection ends with it; the shared one will have to be told.
        not_built("daemon/stop")
    }
}

fn in_turn(status: Status) -> bool {
    match status {
        Status::Thinking | Status::Running | Status::Waiting | Status::Stopping => true,
        Status::Idle | Status::Stopped | Status::Failed => false,
    }
}

//! `daemon/*`: the daemon itself.

use crate::door::Connection;
use crate::hub::Stop;
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
            capabilities: self.hub.capabilities().await,
        })
    }

    async fn stop(&self, drain: Option<bool>) -> RpcResult<Done> {
        self.hub.stop(if drain.unwrap_or(false) { Stop::Drain } else { Stop::Now });
        Ok(Done {})
    }
}

fn in_turn(status: Status) -> bool {
    match status {
        Status::Thinking | Status::Running | Status::Waiting | Status::Stopping => true,
        Status::Idle | Status::Stopped | Status::Failed => false,
    }
}

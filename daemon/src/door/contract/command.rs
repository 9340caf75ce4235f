//! `command/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::CommandRpcServer;
use pilotfish_protocol::{CommandId, CommandList, CommandOutput, Done, SessionId};

#[async_trait]
impl CommandRpcServer for Connection {
    async fn list(&self, _: SessionId) -> RpcResult<CommandList> {
        not_built("command/list")
    }

    async fn read(&self, _: SessionId, _: CommandId, _: Option<u64>) -> RpcResult<CommandOutput> {
        not_built("command/read")
    }

    async fn write(&self, _: SessionId, _: CommandId, _: String) -> RpcResult<Done> {
        not_built("command/write")
    }

    async fn stop(&self, _: SessionId, _: CommandId) -> RpcResult<Done> {
        not_built("command/stop")
    }
}

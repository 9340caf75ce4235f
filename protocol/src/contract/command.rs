//! Commands in the background.

use crate::{CommandId, CommandList, CommandOutput, Done, SessionId};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// Commands in the background.
#[rpc(server, client, namespace = "command", namespace_separator = "/")]
pub trait CommandRpc {
    /// Lists a session's background commands.
    #[method(name = "list", param_kind = map)]
    async fn list(&self, #[argument(rename = "sessionId")] session_id: SessionId) -> RpcResult<CommandList>;

    /// Reads a command's output from `offset`, in bytes.
    #[method(name = "read", param_kind = map)]
    async fn read(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "commandId")] command_id: CommandId,
        offset: Option<u64>,
    ) -> RpcResult<CommandOutput>;

    /// Writes to a command's input.
    #[method(name = "write", param_kind = map)]
    async fn write(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "commandId")] command_id: CommandId,
        text: String,
    ) -> RpcResult<Done>;

    /// Stops a command and all it started.
    #[method(name = "stop", param_kind = map)]
    async fn stop(
        &self,
        #[argument(rename = "sessionId")] session_id: SessionId,
        #[argument(rename = "commandId")] command_id: CommandId,
    ) -> RpcResult<Done>;
}

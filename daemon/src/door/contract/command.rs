//! `command/*`: the commands in the background of a session, for people.

use crate::door::Connection;
use crate::text::excerpt::printable;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::CommandRpcServer;
use pilotfish_protocol::{CommandId, CommandList, CommandOutput, Done, ErrorKind, RpcError, SessionId};

/// Bytes of an output that one answer holds.
const READ: usize = 256 << 10;

#[async_trait]
impl CommandRpcServer for Connection {
    async fn list(&self, session_id: SessionId) -> RpcResult<CommandList> {
        let commands = self.hub.session(&session_id).commands().await.map_err(RpcError::from)?;
        Ok(CommandList { commands })
    }

    async fn read(
        &self,
        session_id: SessionId,
        command_id: CommandId,
        offset: Option<u64>,
    ) -> RpcResult<CommandOutput> {
        let command = self.hub.session(&session_id).command(command_id).await.map_err(RpcError::from)?;
        let piece = command.read(offset.unwrap_or(0), READ);
        let mut text = printable(&piece.bytes);
        if piece.lost > 0 {
            text.insert_str(0, &format!("[{} bytes before this are not kept any more]\n", piece.lost));
        }
        Ok(CommandOutput { text, next_offset: piece.next, exit_code: command.info().exit_code })
    }

    async fn write(&self, session_id: SessionId, command_id: CommandId, text: String) -> RpcResult<Done> {
        let command = self.hub.session(&session_id).command(command_id).await.map_err(RpcError::from)?;
        command.types(&text).map_err(|error| RpcError::new(ErrorKind::WrongState, error.to_string()))?;
        Ok(Done {})
    }

    async fn stop(&self, session_id: SessionId, command_id: CommandId) -> RpcResult<Done> {
        let command = self.hub.session(&session_id).command(command_id).await.map_err(RpcError::from)?;
        command.stop_for_person();
        Ok(Done {})
    }
}

//! `command/*`: the commands in the background of a session, for people.

use crate::cx::{Background, Input, Stopper};
use crate::door::Connection;
use crate::session::SessionError;
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
        Ok(CommandList { commands: commands.iter().map(Background::info).collect() })
    }

    async fn read(
        &self,
        session_id: SessionId,
        command_id: CommandId,
        offset: Option<u64>,
    ) -> RpcResult<CommandOutput> {
        let command = named(self, &session_id, &command_id).await?;
        let piece = command.read(offset.unwrap_or(0), READ);
        let mut text = printable(&piece.bytes);
        if piece.lost > 0 {
            text.insert_str(0, &format!("[{} bytes before this are not kept any more]\n", piece.lost));
        }
        Ok(CommandOutput { text, next_offset: piece.next, exit_code: command.info().exit_code })
    }

    async fn write(&self, session_id: SessionId, command_id: CommandId, text: String) -> RpcResult<Done> {
        let command = named(self, &session_id, &command_id).await?;
        let refused = |error: crate::cx::InputError| RpcError::new(ErrorKind::WrongState, error.to_string());
        command.write(Input::of(&text)).map_err(refused)?;
        Ok(Done {})
    }

    async fn stop(&self, session_id: SessionId, command_id: CommandId) -> RpcResult<Done> {
        named(self, &session_id, &command_id).await?.stop(Stopper::Person);
        Ok(Done {})
    }
}

/// A command of a session.
pub(super) async fn named(
    connection: &Connection,
    session_id: &SessionId,
    command_id: &CommandId,
) -> Result<Background, RpcError> {
    let commands = connection.hub.session(session_id).commands().await?;
    let missing = || SessionError::NoSuch { session: session_id.clone(), what: format!("command {command_id}") };
    commands.into_iter().find(|command| command.id() == command_id).ok_or_else(|| missing().into())
}

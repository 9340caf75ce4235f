//! `editor/*`: what the person looks at. Taken, and not used for anything yet.

use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::EditorRpcServer;
use pilotfish_protocol::{Done, Range};

#[async_trait]
impl EditorRpcServer for Connection {
    async fn state(&self, _: bool, _: Option<String>, _: Option<Range>, _: Option<Range>) -> RpcResult<Done> {
        Ok(Done {})
    }
}

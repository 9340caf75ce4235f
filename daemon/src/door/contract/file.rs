//! `file/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::FileMatches;
use pilotfish_protocol::contract::FileRpcServer;

#[async_trait]
impl FileRpcServer for Connection {
    async fn search(&self, _: String, _: String, _: u32) -> RpcResult<FileMatches> {
        not_built("file/search")
    }
}

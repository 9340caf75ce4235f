//! `review/*`: not built yet.

use super::not_built;
use crate::door::Connection;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::ReviewRpcServer;
use pilotfish_protocol::{HunkId, HunkList, LineRange, ReviewBase, SessionId, TurnId};

#[async_trait]
impl ReviewRpcServer for Connection {
    async fn list(&self, _: String, _: Option<String>) -> RpcResult<HunkList> {
        not_built("review/list")
    }

    async fn base(&self, _: String) -> RpcResult<ReviewBase> {
        not_built("review/base")
    }

    async fn keep(
        &self,
        _: String,
        _: Option<Vec<HunkId>>,
        _: Option<String>,
        _: Option<LineRange>,
        _: Option<TurnId>,
        _: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        not_built("review/keep")
    }

    async fn undo(
        &self,
        _: String,
        _: Option<Vec<HunkId>>,
        _: Option<String>,
        _: Option<LineRange>,
        _: Option<TurnId>,
        _: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        not_built("review/undo")
    }

    async fn unkeep(
        &self,
        _: String,
        _: Option<Vec<HunkId>>,
        _: Option<String>,
        _: Option<LineRange>,
        _: Option<TurnId>,
        _: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        not_built("review/unkeep")
    }

    async fn accept(
        &self,
        _: String,
        _: Option<Vec<HunkId>>,
        _: Option<String>,
        _: Option<LineRange>,
        _: Option<TurnId>,
        _: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        not_built("review/accept")
    }

    async fn reject(
        &self,
        _: String,
        _: Option<Vec<HunkId>>,
        _: Option<String>,
        _: Option<LineRange>,
        _: Option<TurnId>,
        _: Option<SessionId>,
    ) -> RpcResult<HunkList> {
        not_built("review/reject")
    }
}

//! `editor/*`: what the person looks at.

use crate::door::Connection;
use crate::path::AbsPath;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::EditorRpcServer;
use pilotfish_protocol::{Done, Range};

#[async_trait]
impl EditorRpcServer for Connection {
    /// The editor that is looked at is the one that is asked when several have a file open.
    async fn state(
        &self,
        focused: bool,
        uri: Option<String>,
        _selection: Option<Range>,
        _visible: Option<Range>,
    ) -> RpcResult<Done> {
        if let Some(path) = uri.filter(|_| focused).and_then(|uri| AbsPath::from_uri(&uri).ok()) {
            self.hub.workspaces().documents().look_at(&self.id, &path.real());
        }
        Ok(Done {})
    }
}

//! `editor/*`: what an editor shows beside texts.

use crate::documents::Looking;
use crate::door::Connection;
use crate::path::AbsPath;
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::EditorRpcServer;
use pilotfish_protocol::{Diagnostic, Done, Range};

#[async_trait]
impl EditorRpcServer for Connection {
    /// The editor that is looked at is the one that is asked when several have a file open.
    async fn state(
        &self,
        focused: bool,
        uri: Option<String>,
        selection: Option<Range>,
        visible: Option<Range>,
    ) -> RpcResult<Done> {
        if let Some(path) = uri.filter(|_| focused).and_then(|uri| AbsPath::from_uri(&uri).ok()) {
            let looking = Looking { path: path.real(), selection, visible };
            self.hub.workspaces().documents().look_at(&self.id, looking);
        }
        Ok(Done {})
    }

    async fn diagnostics(&self, uri: String, version: Option<u32>, diagnostics: Vec<Diagnostic>) -> RpcResult<Done> {
        // Editors show problems of much that is no file.
        if let Ok(path) = AbsPath::from_uri(&uri) {
            let version = version.and_then(|version| i32::try_from(version).ok());
            self.hub.workspaces().documents().report(&self.id, &path.real(), version, diagnostics);
        }
        Ok(Done {})
    }
}

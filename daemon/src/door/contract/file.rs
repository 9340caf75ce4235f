//! `file/*`: the files of a workspace, from its index.

use crate::door::{Connection, workspace};
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::FileRpcServer;
use pilotfish_protocol::{FileMatch, FileMatches};

/// Files of one answer at most.
const FOUND: usize = 1_000;

#[async_trait]
impl FileRpcServer for Connection {
    async fn search(&self, path: String, query: String, limit: u32) -> RpcResult<FileMatches> {
        let workspace = self.hub.workspaces().open(&workspace(&path)?);
        let limit = usize::try_from(limit).unwrap_or(FOUND).clamp(1, FOUND);
        let found = workspace.files().search(&query, limit).await;
        let matched = |path| FileMatch { uri: workspace.root().join(path).to_uri(), path: path.to_string() };
        Ok(FileMatches { files: found.iter().map(matched).collect() })
    }
}

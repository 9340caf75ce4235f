//! `checkpoint/*`: taking the files back to what they were before a turn.

use crate::door::{Connection, refusal, workspace};
use crate::path::AbsPath;
use crate::workspace::restore::{RestoreError, Restored as Done};
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::CheckpointRpcServer;
use pilotfish_protocol::{CheckpointId, CheckpointList, ErrorKind, FileChange, Restored, RpcError};

#[async_trait]
impl CheckpointRpcServer for Connection {
    async fn list(&self, path: String) -> RpcResult<CheckpointList> {
        let workspace = workspace(&path)?;
        let checkpoints = self.hub.checkpoints(&workspace).await.map_err(|error| refusal(&error))?;
        Ok(CheckpointList { checkpoints })
    }

    async fn restore(&self, id: CheckpointId, dry_run: Option<bool>) -> RpcResult<Restored> {
        let (workspace, done) = self.hub.restore(&id, dry_run.unwrap_or(false)).await.map_err(RpcError::from)?;
        Ok(told(&workspace, done))
    }
}

fn told(workspace: &AbsPath, done: Done) -> Restored {
    let changes =
        done.changes.into_iter().map(|(path, change)| FileChange { uri: workspace.join(&path).to_uri(), change });
    Restored { checkpoint_id: done.checkpoint, changes: changes.collect() }
}

impl From<RestoreError> for RpcError {
    fn from(error: RestoreError) -> Self {
        let kind = match &error {
            RestoreError::NotFound(_) => ErrorKind::NotFound,
            RestoreError::Journal(error) => return refusal(error),
            RestoreError::Unkept(_) => ErrorKind::Journal,
            RestoreError::Root { .. } | RestoreError::Closed => ErrorKind::WrongState,
        };
        RpcError::new(kind, error.to_string())
    }
}

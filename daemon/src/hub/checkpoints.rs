//! The checkpoints of all workspaces: listed, and asked of the workspace that is to be taken back.

use super::Hub;
use crate::journal::JournalError;
use crate::path::AbsPath;
use crate::workspace::restore::{RestoreError, Restored};
use pilotfish_protocol::{Checkpoint, CheckpointId};

impl Hub {
    /// A workspace's checkpoints, the latest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn checkpoints(&self, workspace: &AbsPath) -> Result<Vec<Checkpoint>, JournalError> {
        self.parts.workspaces.checkpoints().list(workspace).await
    }

    /// Takes the files of a checkpoint's workspace back to it, or says what that would do. Answers the workspace too.
    ///
    /// # Errors
    /// When there is no such checkpoint, or what stands there cannot be recorded. Then nothing changed.
    pub async fn restore(&self, id: &CheckpointId, dry_run: bool) -> Result<(AbsPath, Restored), RestoreError> {
        let workspace = self.parts.journal.checkpoint_workspace(id).await?;
        let workspace = workspace.and_then(|workspace| AbsPath::new(workspace).ok());
        let workspace = workspace.ok_or_else(|| RestoreError::NotFound(id.clone()))?;
        let restored = self.parts.workspaces.open(&workspace).restore(id.clone(), dry_run).await?;
        Ok((workspace, restored))
    }
}

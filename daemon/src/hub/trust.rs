//! What the person says of workspaces, carried to the sessions there.

use super::Hub;
use crate::config::trust::{self, Saying};
use crate::path::AbsPath;
use crate::session::SessionError;
use pilotfish_protocol::{Mode, Trust};

impl Hub {
    /// What was said of a workspace.
    ///
    /// # Errors
    /// When what was said cannot be read.
    pub fn trust(&self, workspace: &AbsPath) -> Result<Saying, SessionError> {
        Ok(trust::of(self.parts.config.home(), workspace)?)
    }

    /// Keeps what is said of a workspace. Where it is refused, the sessions that are in memory switch to read-only mode; the others do
    /// when they are loaded.
    ///
    /// # Errors
    /// When it cannot be kept, or a session could not switch.
    pub async fn set_trust(&self, workspace: &AbsPath, trust: Trust) -> Result<Saying, SessionError> {
        let saying = trust::say(self.parts.config.home(), workspace, trust, &self.parts.clock.now())?;
        if trust == Trust::Refused {
            for session in self.live_sessions().await {
                if session.workspace == workspace.to_string() && session.mode == Mode::Agent {
                    self.session(&session.id).set_mode(Mode::ReadOnly).await?;
                }
            }
        }
        Ok(saying)
    }
}

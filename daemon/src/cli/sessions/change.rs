//! Changing recorded sessions. The daemon does it, since a session may be live in it and editors show their lists.

use crate::cli::{daemon, terminal};
use crate::config::Environment;
use crate::door::shim::Start;
use pilotfish_protocol::{ItemId, SessionId};
use std::io::Write;

/// What is to be done with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Another title.
    Rename(String),
    /// Hidden from lists, or shown again.
    Archive { undo: bool },
    /// Deleted, or had back.
    Delete { undo: bool },
    /// A new session with its history, up to an item.
    Fork { at: Option<ItemId> },
}

/// Has it done. A fork's id is printed.
pub(super) async fn change(environment: &Environment, id: &SessionId, change: Change) -> anyhow::Result<()> {
    let client = daemon::client(environment, Start::IfNeeded).await?;
    match change {
        Change::Rename(title) => client.rename(id, title).await?,
        Change::Archive { undo } => client.archive(id, !undo).await?,
        Change::Delete { undo } => client.delete(id, undo).await?,
        Change::Fork { at } => {
            let session = client.fork(id, at).await?;
            terminal::ignore_closed(writeln!(std::io::stdout(), "{}", session.id))?;
        }
    }
    Ok(())
}

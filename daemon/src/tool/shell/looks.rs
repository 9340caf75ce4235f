//! Looking at what a running command has finished, so that it shows while the command runs. Never in read-only mode.

use crate::cx::TurnCx;
use crate::workspace::publish::Publication;
use crate::workspace::publish::early::{EVERY, Early};
use pilotfish_protocol::Mode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Runs a command, and publishes meanwhile what it has finished. What showed is nothing where nothing is to be published, or the
/// workspace is closed.
pub(super) async fn beside<T>(
    cx: &TurnCx,
    publication: Option<&Arc<Publication>>,
    command: impl Future<Output = T>,
) -> (T, Option<Early>) {
    let over = CancellationToken::new();
    let watched = async {
        let ended = command.await;
        over.cancel();
        ended
    };
    match publication {
        Some(publication) => tokio::join!(watched, look(cx, Early::new(publication.clone()), &over)),
        None => (watched.await, None),
    }
}

async fn look(cx: &TurnCx, mut early: Early, over: &CancellationToken) -> Option<Early> {
    while tokio::time::timeout(EVERY, over.cancelled()).await.is_err() {
        if *cx.mode.borrow() == Mode::Agent {
            early = cx.workspace.look(early).await?;
        }
    }
    Some(early)
}

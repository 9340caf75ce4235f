//! `wish`, for tests alone: a tool that asks for what its arguments say and does nothing with it.

use super::Output;
use crate::cx::{Need, Permission, TurnCx};
use pilotfish_protocol::Item;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    pub(super) command: String,
    grants: Vec<String>,
    cwd: Option<String>,
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: Args) -> Output {
    let need = Need {
        item: &item.id,
        command: Some(&args.command),
        grants: args.grants,
        title: "run a command with more than the sandbox gives".to_owned(),
        detail: String::new(),
        cwd: args.cwd.unwrap_or_else(|| cx.workspace.root().to_string()),
        reason: "a test wants it".to_owned(),
        edits: Vec::new(),
    };
    match cx.permit(need).await {
        Ok(Permission::Granted { by }) => Output::done(format!("granted by {by:?}")),
        Ok(Permission::Denied { why }) => Output::refused(format!("refused: {why}")),
        Err(error) => Output::failed(error.to_string()),
    }
}

//! `write`: a whole file.

use super::{Output, change, place};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::workspace::Change;
use pilotfish_protocol::Item;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    pub(super) path: String,
    content: String,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "write",
        description: "Writes a whole file: creates it with the directories above it, or replaces all of its text.",
        parameters: json!({
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"]
        }),
        grammar: None,
    }
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: &Args) -> Output {
    let path = match place::rooted(cx, &args.path) {
        Ok(path) => path,
        Err(problem) => return Output::failed(problem),
    };
    let before = match change::current(cx, &path).await {
        Ok(before) => before,
        Err(problem) => return Output::failed(problem),
    };
    let lines = args.content.lines().count();
    let bytes = args.content.clone().into_bytes();
    let (change, summary) = match before {
        Some(before) if before == args.content => {
            return Output::failed(format!("nothing was changed: {path} already holds exactly this text"));
        }
        Some(before) => {
            let summary = format!("replaced {path}: {lines} lines, {} before", before.lines().count());
            (Change::Replace { path, before: before.into_bytes(), bytes }, summary)
        }
        None => {
            let summary = format!("created {path}: {lines} lines");
            (Change::Create { path, bytes }, summary)
        }
    };
    change::commit(cx, item, vec![change], summary).await
}

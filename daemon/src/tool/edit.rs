//! `edit`: replaces a few lines of one file.

use super::{Output, change, place, search};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::text::edit::{Mismatch, Replacement, replace};
use crate::text::hunks;
use crate::workspace::Change;
use pilotfish_protocol::Item;
use serde::Deserialize;
use serde_json::json;
use std::ops::Range;

/// Unchanged lines shown on each side of what changed.
const AROUND: usize = 3;

/// Lines of the result shown at most.
const SHOWN: usize = 60;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    pub(super) path: String,
    old_string: String,
    new_string: String,
    #[serde(default)]
    replace_all: bool,
    near_line: Option<u32>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "edit",
        description: "Replaces text in one file. old_string must stand in the file exactly once, as read shows it without the \
                      line numbers; give whole lines, with a few around the change. near_line picks one of several places.",
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "old_string": {"type": "string"},
                "new_string": {"type": "string"},
                "replace_all": {"type": "boolean", "description": "replace every place"},
                "near_line": {"type": "integer", "description": "the place nearest to this line"}
            },
            "required": ["path", "old_string", "new_string"]
        }),
        grammar: None,
    }
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: &Args) -> Output {
    let path = match place::rooted(cx, &args.path) {
        Ok(path) => path,
        Err(problem) => return Output::failed(problem),
    };
    let text = match change::current(cx, &path).await {
        Ok(Some(text)) => text,
        Ok(None) => return Output::failed(format!("{path} does not exist; create it with write")),
        Err(problem) => return Output::failed(problem),
    };
    let replacement = Replacement {
        old: &args.old_string,
        new: &args.new_string,
        replace_all: args.replace_all,
        near_line: args.near_line,
    };
    let replaced = match replace(&text, &replacement) {
        Ok(replaced) => replaced,
        Err(mismatch) => return Output::failed(explain(cx, &text, &replacement, &mismatch).await),
    };
    let summary = format!("edited {path}\n{}", surroundings(&replaced.text, &replaced.lines));
    let changes = vec![Change::Replace { path, before: text.into_bytes(), bytes: replaced.text.into_bytes() }];
    change::commit(cx, item, changes, summary).await
}

/// Why nothing was replaced, and where the text stands instead.
async fn explain(cx: &TurnCx, text: &str, replacement: &Replacement<'_>, mismatch: &Mismatch) -> String {
    let mut answer = format!("nothing was changed: {}", mismatch.explain(text, replacement));
    if matches!(mismatch, Mismatch::Missing { .. })
        && let Some(place) = search::literal(cx, replacement.old).await
    {
        answer.push_str(&format!("\nthe text stands in {place}"));
    }
    answer
}

/// The changed lines of the new text with some around them, numbered.
pub(super) fn surroundings(text: &str, changed: &[Range<usize>]) -> String {
    let lines = hunks::lines(text);
    let mut shown = String::new();
    let mut count = 0;
    let mut next = 0;
    for range in changed {
        let start = range.start.saturating_sub(AROUND).max(next);
        let end = (range.end + AROUND).min(lines.len());
        if start > next && next > 0 {
            shown.push_str("…\n");
        }
        for (number, line) in lines.iter().enumerate().take(end).skip(start) {
            if count == SHOWN {
                shown.push_str("… more lines changed; read shows them\n");
                return shown;
            }
            shown.push_str(&format!("{}\t{}\n", number + 1, line.trim_end_matches(['\n', '\r'])));
            count += 1;
        }
        next = next.max(end);
    }
    shown
}

//! `editor`: what the person's editor shows now.

use super::Output;
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::path::RootedPath;
use pilotfish_protocol::Range;
use serde::Deserialize;
use serde_json::json;

/// Open files that are listed.
const OPEN: usize = 40;

/// Problems that are listed.
const PROBLEMS: usize = 60;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    path: Option<String>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "editor",
        description: "Tells what the person's editor shows now: the file they look at, cursor and selection, open files, and the \
                      problems its language servers report, of one file or of all.",
        parameters: json!({
            "type": "object",
            "properties": {"path": {"type": "string", "description": "only problems of this file"}}
        }),
        grammar: None,
    }
}

pub(super) fn run(cx: &TurnCx, args: &Args) -> Output {
    let only = match args.path.as_deref().map(|path| RootedPath::new(cx.workspace.root(), path)).transpose() {
        Ok(only) => only.map(|path| path.to_string()),
        Err(error) => return Output::failed(error.to_string()),
    };
    let mut lines = Vec::new();
    if let Some((path, selection, visible)) = cx.looking() {
        let selected =
            selection.filter(|range| range.start != range.end).map(|range| format!(", selected {}", span(&range)));
        let cursor = selection.map(|range| format!(", cursor at line {}", range.end.line + 1));
        let shown = visible.map(|range| format!(", shows {}", span(&range)));
        let more: String = [selected.or(cursor), shown].into_iter().flatten().collect();
        lines.push(format!("looks at {path}{more}"));
    } else {
        lines.push("no editor says what the person looks at".to_owned());
    }
    let open = cx.open_files();
    lines.extend(
        open.iter()
            .take(OPEN)
            .map(|(path, unsaved)| format!("open: {path}{}", if *unsaved { " (unsaved changes)" } else { "" })),
    );
    if open.len() > OPEN {
        lines.push(format!("[{} more open files]", open.len() - OPEN));
    }
    let problems: Vec<String> = cx
        .problems()
        .iter()
        .filter(|(path, _)| only.as_ref().is_none_or(|only| only == *path))
        .flat_map(|(path, list)| list.iter().map(move |problem| crate::text::problem::line(path, problem)))
        .collect();
    if problems.is_empty() {
        lines.push("no problems".to_owned());
    }
    lines.extend(problems.iter().take(PROBLEMS).cloned());
    if problems.len() > PROBLEMS {
        lines.push(format!("[{} more problems; name a path to see those of one file]", problems.len() - PROBLEMS));
    }
    Output::done(lines.join("\n"))
}

/// Lines, from 1.
fn span(range: &Range) -> String {
    format!("lines {}-{}", range.start.line + 1, range.end.line + 1)
}

//! `read`: a file, or the whole of an output that was cut.

use super::{Output, place};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::text::excerpt::printable;
use pilotfish_protocol::{Item, ItemContent, ItemId};
use serde::Deserialize;
use serde_json::json;

/// Before the id of an item whose whole output is wanted.
pub(super) const HANDLE: &str = "output:";

/// Bytes of a file that are looked at; what lies behind is named, not shown.
const MAX_READ: u64 = 16 << 20;

/// Characters of one line that are shown.
const MAX_LINE: usize = 2_000;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    path: String,
    offset: Option<u64>,
    limit: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "read",
        description: "Reads a text file with line numbers, from line offset on, limit lines. Also opens the handles (output:…) of \
                      outputs that were cut.",
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "offset": {"type": "integer", "description": "first line, from 1"},
                "limit": {"type": "integer", "description": "number of lines"}
            },
            "required": ["path"]
        }),
        grammar: None,
    }
}

pub(super) fn title(args: &Args) -> String {
    match (args.offset, args.limit) {
        (None, None) => format!("read {}", args.path),
        (offset, Some(limit)) => {
            let first = offset.unwrap_or(1).max(1);
            format!("read {}:{first}-{}", args.path, first.saturating_add(limit).saturating_sub(1))
        }
        (Some(offset), None) => format!("read {}:{offset}-", args.path),
    }
}

pub(super) async fn run(cx: &TurnCx, args: &Args) -> Output {
    if let Some(id) = args.path.trim().strip_prefix(HANDLE) {
        return whole_output(cx, args, id).await;
    }
    let path = match place::rooted(cx, &args.path) {
        Ok(path) => path,
        Err(problem) => return Output::failed(problem),
    };
    let file = match cx.workspace.read(&path, MAX_READ, Some(&cx.session)).await {
        Ok(file) => file,
        Err(error) => return Output::failed(error.to_string()),
    };
    if file.bytes.contains(&0) {
        return Output::failed(format!("{path} is a binary file of {} bytes", file.size));
    }
    let cut = file
        .is_cut()
        .then(|| format!("the file has {} bytes; only its first {} MiB are read", file.size, MAX_READ >> 20));
    let text = String::from_utf8_lossy(&file.bytes);
    numbered(cx, &path.to_string(), &text, args, cut)
}

async fn whole_output(cx: &TurnCx, args: &Args, id: &str) -> Output {
    let id = ItemId(id.to_owned());
    let mut text = String::new();
    loop {
        // The journal gives an output in pages.
        let page = match cx.journal.output(&cx.session, &id, text.len() as u64, MAX_READ).await {
            Ok(Some(page)) => page,
            Ok(None) => return kept_output(cx, args, &id).await,
            Err(error) => return Output::failed(error.to_string()),
        };
        text.push_str(&page.text);
        if page.text.is_empty() || text.len() as u64 >= page.total.min(MAX_READ) {
            let cut = (page.total > text.len() as u64).then(|| format!("the output has {} bytes", page.total));
            return numbered(cx, &args.path, &text, args, cut);
        }
    }
}

/// An output that was not cut, and that the model no longer sees.
async fn kept_output(cx: &TurnCx, args: &Args, id: &ItemId) -> Output {
    match cx.journal.item(&cx.session, id).await {
        Ok(Some((Item { content: ItemContent::ToolCall(call), .. }, false))) => {
            numbered(cx, &args.path, &call.output, args, None)
        }
        Ok(_) => Output::failed(format!("there is no output {}", args.path)),
        Err(error) => Output::failed(error.to_string()),
    }
}

/// The wanted lines with their numbers, as many as fit; what is left out is said, with the call that shows it.
fn numbered(cx: &TurnCx, name: &str, text: &str, args: &Args, cut: Option<String>) -> Output {
    let total = text.lines().count();
    if total == 0 {
        return Output::done(format!("{name} is empty"));
    }
    let first = usize::try_from(args.offset.unwrap_or(1).max(1)).unwrap_or(usize::MAX);
    if first > total {
        return Output::failed(format!("{name} has only {total} lines"));
    }
    let wanted = args.limit.map_or(usize::MAX, |limit| usize::try_from(limit.max(1)).unwrap_or(usize::MAX));
    // Room for the words at the end.
    let budget = cx.limits.output_chars.saturating_sub(200);
    let mut shown = String::new();
    let mut used = 0;
    let mut last = first - 1;
    for (number, line) in text.lines().enumerate().skip(first - 1).take(wanted) {
        let line = format!("{}\t{}\n", number + 1, shortened(line));
        used += line.chars().count();
        if used > budget && last >= first {
            break;
        }
        shown.push_str(&line);
        last = number + 1;
    }
    if last < total && (last + 1).saturating_sub(first) < wanted {
        shown.push_str(&format!("[lines {first}-{last} of {total}; read on with offset {}]\n", last + 1));
    } else if first > 1 || last < total {
        shown.push_str(&format!("[lines {first}-{last} of {total}]\n"));
    }
    if let Some(cut) = cut {
        shown.push_str(&format!("[{cut}]\n"));
    }
    Output::done(shown)
}

fn shortened(line: &str) -> String {
    let line = printable(line.as_bytes());
    match line.char_indices().nth(MAX_LINE) {
        None => line,
        Some((end, _)) => {
            let rest = line.chars().count() - MAX_LINE;
            format!("{} [… {rest} more characters on this line]", line.get(..end).unwrap_or_default())
        }
    }
}

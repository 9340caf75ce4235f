//! Full-text search: which words are indexed, and how what a person types becomes a query. Never fails on what is typed.

use super::error::Cause;
use pilotfish_protocol::{InputPart, ItemContent};
use rusqlite::Connection;

/// The words of a message beyond this many bytes are not found; a pasted log must not stop the journal for long.
const MAX_INDEXED_BYTES: usize = 64 * 1024;

/// SQLite limits how deep a query may be; nobody types this many words.
const MAX_WORDS: usize = 16;

/// Makes `text` the words of `place`, in the stead of what they were.
pub(super) fn index(connection: &Connection, place: i64, text: &str) -> Result<(), Cause> {
    let end = text.floor_char_boundary(MAX_INDEXED_BYTES);
    let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO words(rowid, text) VALUES (?1, ?2)")?;
    statement.execute((place, text.get(..end).unwrap_or(text)))?;
    Ok(())
}

/// The words by which an item can be found: what people and models said to one another.
pub(super) fn words(content: &ItemContent) -> Option<String> {
    match content {
        ItemContent::UserMessage(message) => {
            let texts: Vec<&str> = message.input.iter().filter_map(text).collect();
            Some(texts.join("\n"))
        }
        ItemContent::AgentMessage(message) => Some(message.text.clone()),
        ItemContent::Reasoning(_)
        | ItemContent::ToolCall(_)
        | ItemContent::Edit(_)
        | ItemContent::Plan(_)
        | ItemContent::Approval(_)
        | ItemContent::Question(_)
        | ItemContent::Conflict(_)
        | ItemContent::Error(_)
        | ItemContent::Context(_)
        | ItemContent::Compaction(_)
        | ItemContent::Notice(_) => None,
    }
}

fn text(part: &InputPart) -> Option<&str> {
    match part {
        InputPart::Text { text } => Some(text),
        InputPart::File { .. }
        | InputPart::Selection { .. }
        | InputPart::Image { .. }
        | InputPart::Diagnostics { .. }
        | InputPart::Symbol { .. }
        | InputPart::Changes => None,
    }
}

/// The query that finds what holds every word of `typed`, the last one maybe unfinished; it finds nothing if there are
/// only signs. `None` when nothing is typed. Each word is quoted, so no operator of the query language is heard.
pub(super) fn query(typed: &str) -> Option<String> {
    if typed.trim().is_empty() {
        return None;
    }
    let words: Vec<String> = typed
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| word.contains(char::is_alphanumeric))
        .take(MAX_WORDS)
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.is_empty() { Some("\"\"".to_owned()) } else { Some(format!("{}*", words.join(" "))) }
}

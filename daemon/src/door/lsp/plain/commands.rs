//! The commands of a client without a plugin: their names, what comes with them, and how one is read. Pure.
//!
//! An argument is one object. Whatever a code action fills in may also come from a key that a person bound.

use pilotfish_protocol::{ApprovalId, HunkId, ItemId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_lsp::ls_types::{Command, Position, Range};

pub(super) const ASK: &str = "pilotfish.ask";
pub(super) const FIX: &str = "pilotfish.fix";
pub(super) const KEEP_HUNK: &str = "pilotfish.keepHunk";
pub(super) const UNDO_HUNK: &str = "pilotfish.undoHunk";
pub(super) const KEEP_FILE: &str = "pilotfish.keepFile";
pub(super) const UNDO_FILE: &str = "pilotfish.undoFile";
pub(super) const TOGGLE_MODE: &str = "pilotfish.toggleMode";
pub(super) const STOP: &str = "pilotfish.stop";
pub(super) const ANSWER: &str = "pilotfish.answer";

/// All of them, as they are announced.
pub(super) const IDS: &[&str] = &[ASK, FIX, KEEP_HUNK, UNDO_HUNK, KEEP_FILE, UNDO_FILE, TOGGLE_MODE, STOP, ANSWER];

/// What may come with a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Arguments {
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    /// Where in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<Range>,
    /// Which changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hunk_ids: Option<Vec<HunkId>>,
    /// The question of the person, or the answer to one of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// What is to be mended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<String>,
    /// Which question is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approval_id: Option<ApprovalId>,
    /// The answer; without one the question is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answer>,
    /// The item in which the model asks what is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<ItemId>,
    /// The place of one of its choices, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) choice: Option<u32>,
}

/// An answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Answer {
    Once,
    Session,
    Always,
    Deny,
}

/// What the person decides of changes. Of a proposal, to keep it is to accept it, and to undo it to reject it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Keep,
    Undo,
}

/// The changes it is decided of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// These.
    Hunks(Vec<HunkId>),
    /// Those of a file at these lines.
    At(String, Range),
    /// All of a file that are in its text; of a file without any, those that are proposed.
    File(String),
}

/// A command, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ordered {
    /// A question about a place, or about nothing in particular.
    Ask { place: Option<Place>, text: Option<String> },
    /// Problems at a place are to be mended.
    Fix { place: Place, problems: Vec<String> },
    /// Changes are decided of.
    Review { decision: Decision, which: Which },
    /// The other mode.
    ToggleMode { uri: Option<String> },
    /// No more of the turn.
    Stop { uri: Option<String> },
    /// A question is answered, or shown without an answer. Without a name it is the only one there is.
    Answer { approval: Option<ApprovalId>, answer: Option<Answer> },
    /// What the model asks is answered, or shown without an answer. Without a name it is the only question there is.
    Reply { item: Option<ItemId>, reply: Option<Reply> },
}

/// An answer to what the model asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The place of one of its choices, from 0.
    Choice(u32),
    /// Any words.
    Text(String),
    /// None.
    Nothing,
}

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) uri: String,
    pub(super) range: Range,
}

/// Why a command is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("there is no command {0}")]
    Unknown(String),
    #[error("{command}: its argument is not of the right form: {why}")]
    Form { command: String, why: String },
    #[error("{command}: say {what} in its argument")]
    Missing { command: String, what: &'static str },
}

/// Reads a command.
pub(super) fn read(command: &str, arguments: Vec<Value>) -> Result<Ordered, CommandError> {
    let Arguments { uri, range, hunk_ids, text, problems, approval_id, answer, item_id, choice } =
        match arguments.into_iter().next() {
            None | Some(Value::Null) => Arguments::default(),
            Some(argument) => serde_json::from_value(argument)
                .map_err(|error| CommandError::Form { command: command.to_owned(), why: error.to_string() })?,
        };
    let missing = |what| CommandError::Missing { command: command.to_owned(), what };
    let place = uri.clone().map(|uri| Place { uri, range: range.unwrap_or_default() });
    let decision = if matches!(command, KEEP_HUNK | KEEP_FILE) { Decision::Keep } else { Decision::Undo };
    Ok(match command {
        ASK if place.is_none() && text.is_none() => return Err(missing("`uri` and `range`, or a question in `text`")),
        ASK => Ordered::Ask { place, text: text.filter(|text| !text.trim().is_empty()) },
        FIX => Ordered::Fix { place: place.ok_or_else(|| missing("`uri` and `range`"))?, problems },
        KEEP_HUNK | UNDO_HUNK => {
            let which = match (hunk_ids, uri, range) {
                (Some(ids), _, _) if !ids.is_empty() => Which::Hunks(ids),
                (_, Some(uri), Some(range)) => Which::At(uri, range),
                _ => return Err(missing("`hunkIds`, or `uri` and `range`")),
            };
            Ordered::Review { decision, which }
        }
        KEEP_FILE | UNDO_FILE => Ordered::Review { decision, which: Which::File(uri.ok_or_else(|| missing("`uri`"))?) },
        TOGGLE_MODE => Ordered::ToggleMode { uri },
        STOP => Ordered::Stop { uri },
        ANSWER if item_id.is_some() || choice.is_some() || text.is_some() => {
            let reply = match (choice, text, answer) {
                (Some(choice), _, _) => Some(Reply::Choice(choice)),
                (None, Some(text), _) => Some(Reply::Text(text)),
                (None, None, Some(Answer::Deny)) => Some(Reply::Nothing),
                (None, None, None) => None,
                (None, None, Some(_)) => return Err(missing("`choice` or `text`, or `deny` as `answer`")),
            };
            Ordered::Reply { item: item_id, reply }
        }
        ANSWER => Ordered::Answer { approval: approval_id, answer },
        other => return Err(CommandError::Unknown(other.to_owned())),
    })
}

/// A command for the client to send back.
pub(super) fn command(id: &str, title: String, arguments: &Arguments) -> Command {
    // Texts and numbers only, which JSON can always hold.
    let argument = serde_json::to_value(arguments).unwrap_or_default();
    Command { title, command: id.to_owned(), arguments: Some(vec![argument]) }
}

/// The first and the last line of a selection. One that ends at the beginning of a line does not mean that line.
pub(super) fn lines(range: Range) -> (u32, u32) {
    let Position { line: last, character } = range.end;
    let first = range.start.line;
    (first, if character == 0 && last > first { last - 1 } else { last.max(first) })
}

#[cfg(test)]
mod tests;

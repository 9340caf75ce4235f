//! What can complete a line that is being typed: `@` and what it can name, `/` and what it can do. Pure.

use pilotfish_protocol::{Candidate, MethodCall, ModelInfo, SessionId};
use serde_json::{Value, json};

/// What stands before the cursor and can be completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    /// After an `@`.
    Name(&'a str),
    /// After a `/` at the beginning.
    Command(&'a str),
}

/// What can be named beside files, with what is said of it.
pub(super) const NAMES: [(&str, &str); 3] = [
    ("selection", "what is selected in the editor"),
    ("problems", "the problems that the editor shows"),
    ("changes", "the changes that wait for review"),
];

/// What is being typed at `offset`, in UTF-16 units.
pub(super) fn typed(text: &str, offset: u32) -> Option<Typed<'_>> {
    let before = text.get(..byte_at(text, offset))?;
    if let Some(command) = before.trim_start().strip_prefix('/') {
        // A model has its name behind a blank.
        return (!command.contains('\n')).then_some(Typed::Command(command));
    }
    let at = before.rfind('@')?;
    let is_free = before.get(..at)?.chars().next_back().is_none_or(|it| it.is_whitespace() || "([{,;".contains(it));
    let name = before.get(at + 1..)?;
    let (name, is_quoted) = name.strip_prefix('"').map_or((name, false), |name| (name, true));
    let is_over = if is_quoted { name.contains('"') } else { name.contains(char::is_whitespace) };
    (is_free && !is_over).then_some(Typed::Name(name))
}

fn byte_at(text: &str, offset: u32) -> usize {
    let mut units = 0;
    for (byte, character) in text.char_indices() {
        if units >= offset {
            return byte;
        }
        units += u32::try_from(character.len_utf16()).unwrap_or(1);
    }
    text.len()
}

/// What can be named beside files.
pub(super) fn names(typed: &str) -> impl Iterator<Item = Candidate> {
    let fitting = NAMES.iter().filter(move |(name, _)| name.starts_with(&typed.to_lowercase()));
    fitting.map(|(name, detail)| Candidate {
        label: format!("@{name}"),
        insert: format!("@{name}"),
        call: None,
        detail: Some((*detail).to_owned()),
    })
}

/// A file.
pub(super) fn file(path: String) -> Candidate {
    let insert = if path.contains(char::is_whitespace) { format!("@\"{path}\"") } else { format!("@{path}") };
    Candidate { label: path, insert, call: None, detail: Some("file".to_owned()) }
}

/// What can be done.
pub(super) fn commands(typed: &str, session: &SessionId, workspace: &str, models: &[ModelInfo]) -> Vec<Candidate> {
    let of_session = |more: Value| {
        let mut params = json!({ "sessionId": session });
        if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
            params.extend(more);
        }
        params
    };
    let mut all = vec![
        ("/agent".to_owned(), "let it change files", "session/setMode", of_session(json!({ "mode": "agent" }))),
        (
            "/read-only".to_owned(),
            "changes are proposals",
            "session/setMode",
            of_session(json!({ "mode": "read-only" })),
        ),
        ("/stop".to_owned(), "stop the turn", "session/interrupt", of_session(json!({ "scope": "turn" }))),
        ("/compact".to_owned(), "condense the history", "session/compact", of_session(json!({}))),
        (
            "/keep".to_owned(),
            "keep all changes of this session",
            "review/keep",
            of_session(json!({ "workspace": workspace })),
        ),
        (
            "/undo".to_owned(),
            "undo all changes of this session",
            "review/undo",
            of_session(json!({ "workspace": workspace })),
        ),
    ];
    all.extend(models.iter().map(|model| {
        let params = of_session(json!({ "model": model.name }));
        (format!("/model {}", model.name), "ask this model from the next turn on", "session/setModel", params)
    }));
    let wanted = format!("/{typed}").to_lowercase();
    let fitting = all.into_iter().filter(|(name, ..)| name.to_lowercase().starts_with(&wanted));
    fitting
        .map(|(label, detail, method, params)| Candidate {
            insert: label.clone(),
            label,
            call: Some(MethodCall { method: method.to_owned(), params }),
            detail: Some(detail.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests;

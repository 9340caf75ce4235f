//! Documents for editors that have no panel of ours: an answer, or a question of policy, as Markdown. [`write`] alone touches the disk,
//! in a folder of ours; never in a workspace.

use super::view::Turn;
use crate::config::private_directory;
use crate::path::AbsPath;
use pilotfish_protocol::{Approval, Edit, EditState, InputPart, Question, UserMessage};
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Documents that are kept. An editor that has an older one open keeps its text.
const KEPT: usize = 100;

/// Bytes of changes that an answer shows.
const MAX_CHANGES: usize = 64 << 10;

/// What a turn said, with its question and its changes; nothing when it said and did nothing.
pub(super) fn answer(turn: &Turn) -> Option<String> {
    let said = turn.said.values().map(|text| text.trim()).filter(|text| !text.is_empty());
    let said = said.collect::<Vec<_>>().join("\n\n");
    if said.is_empty() && turn.edits.is_empty() {
        return None;
    }
    let mut text = String::new();
    for line in turn.questions.iter().flat_map(question) {
        text += format!("> {line}").trim_end();
        text.push('\n');
    }
    if !said.is_empty() {
        text += &format!("\n{said}\n");
    }
    for (state, heading) in [
        (EditState::Applied, "Changes"),
        (EditState::Proposed, "Proposed changes"),
        (EditState::Conflict, "Changes that met yours"),
    ] {
        let mut edits = turn.edits.iter().filter(|edit| edit.state == state).peekable();
        if edits.peek().is_some() {
            text += &format!("\n## {heading}\n");
        }
        edits.for_each(|edit| add_edit(&mut text, edit));
    }
    Some(text.trim_start().to_owned())
}

/// A question of policy, whole: what a person has to know to answer it.
pub(super) fn asked(approval: &Approval) -> String {
    let Approval { title, detail, cwd, reason, grants, segments, edits, escaped, .. } = approval;
    let fence = fence(detail);
    let mut text = format!("# pilotfish asks: {title}\n\n{fence}\n{detail}\n{fence}\n\nin {cwd}\n\n");
    text += &format!("Asked because {reason}. A yes gives {}.\n", grants.join(", "));
    if segments.len() > 1 {
        for part in segments.iter().filter(|part| part.asks) {
            text += &format!("\nOf that, this needs it: {}\n", part.text);
        }
    }
    if *escaped {
        text += "\nSome characters of it cannot be seen or change what is; they are shown as \\u{..} here.\n";
    }
    edits.iter().for_each(|edit| add_edit(&mut text, edit));
    text + "\nThe answers are code actions, on any line of your project.\n"
}

/// What the model asks, with the ways to answer it.
pub(super) fn inquired(question: &Question) -> String {
    let mut text = format!("# pilotfish asks\n\n{}\n\n", question.text);
    for choice in &question.choices {
        text += &format!("- {choice}\n");
    }
    text + "\nThe choices are code actions, on any line of your project. Other words are said with the command `pilotfish.answer` and \
            `{\"text\": \"…\"}`.\n"
}

/// The words of a prompt, line by line.
fn question(message: &UserMessage) -> Vec<String> {
    let mut lines = Vec::new();
    for part in &message.input {
        match part {
            InputPart::Text { text } => lines.extend(text.lines().map(str::to_owned)),
            InputPart::Selection { uri, range } | InputPart::Symbol { uri, range } => {
                let (first, last) = (range.start.line + 1, range.end.line + 1);
                let place = if first == last { format!("line {first}") } else { format!("lines {first}-{last}") };
                lines.push(format!("{}, {place}", name(uri)));
            }
            InputPart::File { uri } => lines.push(name(uri)),
            InputPart::Diagnostics { .. } => lines.push("the problems".to_owned()),
            InputPart::Changes => lines.push("the changes that wait for review".to_owned()),
            InputPart::Image { .. } => lines.push("a picture".to_owned()),
        }
    }
    lines
}

fn name(uri: &str) -> String {
    AbsPath::from_uri(uri).map_or_else(|_| uri.to_owned(), |path| path.to_string())
}

fn add_edit(text: &mut String, edit: &Edit) {
    let Edit { path, added, removed, hunks, .. } = edit;
    // Writing to a string cannot fail.
    let _ = write!(text, "\n### {path} (+{added} -{removed})\n");
    if hunks.is_empty() || text.len() > MAX_CHANGES {
        return;
    }
    let mut diff = String::new();
    for hunk in hunks {
        let (old, new) = (hunk.old_range, hunk.new_range);
        let (old_lines, new_lines) = (old.end.saturating_sub(old.start), new.end.saturating_sub(new.start));
        let _ = writeln!(diff, "@@ -{},{old_lines} +{},{new_lines} @@", old.start + 1, new.start + 1);
        for (mark, side) in [('-', &hunk.old_text), ('+', &hunk.new_text)] {
            for line in side.lines() {
                let _ = writeln!(diff, "{mark}{line}");
            }
        }
    }
    let fence = fence(&diff);
    let _ = write!(text, "\n{fence}diff\n{diff}{fence}\n");
}

/// A fence that a text cannot end.
fn fence(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Writes a document, and takes away the oldest of many. Blocks. Gives its path.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> io::Result<AbsPath> {
    // Ids are ours and hold nothing else; a name is never more than one.
    let name: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    private_directory(folder)?;
    let file = folder.join(format!("{name}.md"));
    std::fs::write(&file, text)?;
    let mut documents: Vec<(SystemTime, std::path::PathBuf)> = std::fs::read_dir(folder)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    documents.sort();
    let surplus = documents.len().saturating_sub(KEPT);
    for (_, old) in documents.into_iter().take(surplus) {
        // Another connection may have done so.
        let _ = std::fs::remove_file(old);
    }
    AbsPath::new(file).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;

//! What the model is given beside the person's words, as it reads it: what the workspace says to agents, what the person attached, what
//! editors report. Every cut is said, with the way to the rest.

use super::History;
use crate::path::RootedPath;
use crate::text::excerpt::excerpt;
use crate::text::problem::line;
use pilotfish_protocol::{
    ContextPart, ContextReceipt, ContextSource, Diagnostic, Hunk, HunkState, InputPart, Item, ItemContent, Severity,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// The file in which a folder says something to all agents.
pub const INSTRUCTIONS_FILE: &str = "AGENTS.md";

/// How much all instructions may say together, in bytes.
const INSTRUCTIONS_ROOM: usize = 32 << 10;

/// Said of a file that spoke to agents and does no more.
const WITHDRAWN: &str = "[What this file said no longer holds.]";

/// Problems that are told at once.
const PROBLEMS: usize = 40;

/// The files that speak to agents who work on a file, the root's first.
#[must_use]
pub fn instruction_files(path: &RootedPath) -> Vec<RootedPath> {
    let folder = path.as_path().parent().unwrap_or(Path::new(""));
    let mut folders: Vec<&Path> = folder.ancestors().collect();
    folders.reverse();
    folders.into_iter().filter_map(|folder| RootedPath::of_names(&folder.join(INSTRUCTIONS_FILE))).collect()
}

/// The root's own.
#[must_use]
pub fn root_instructions() -> Option<RootedPath> {
    RootedPath::of_names(Path::new(INSTRUCTIONS_FILE))
}

/// What a file says to agents, where others have taken so many bytes of the room for all.
#[must_use]
pub fn instructions(title: &str, uri: String, text: &str, taken: usize) -> ContextPart {
    let room = INSTRUCTIONS_ROOM.saturating_sub(taken);
    let shown = head(text.trim_end(), room);
    let left_out = text.trim_end().len() - shown.len();
    let cut = if left_out == 0 { String::new() } else { format!("\n[{left_out} bytes more: read {title}]") };
    let text = format!("<instructions file=\"{title}\">\n{shown}{cut}\n</instructions>");
    ContextPart {
        source: ContextSource::Instructions,
        title: title.to_owned(),
        uri: Some(uri),
        text,
        left_out: left_out as u64,
    }
}

/// That what a file said to agents no longer holds.
#[must_use]
pub fn no_instructions(title: &str, uri: String) -> ContextPart {
    let text = format!("<instructions file=\"{title}\">\n{WITHDRAWN}\n</instructions>");
    let (source, title) = (ContextSource::Instructions, format!("{title} no longer holds"));
    ContextPart { source, title, uri: Some(uri), text, left_out: 0 }
}

/// Whether a part says that.
#[must_use]
pub fn is_withdrawn(part: &ContextPart) -> bool {
    part.text.contains(WITHDRAWN)
}

/// A file, or lines of it, from 0; with their numbers, from 1, as many as fit into `room` bytes.
#[must_use]
pub fn file(path: &str, uri: String, text: &str, lines: Option<&Range<u32>>, room: usize) -> ContextPart {
    let (first, end) = lines.map_or((0, usize::MAX), |lines| (lines.start as usize, lines.end as usize));
    let mut shown = String::new();
    let (mut left_out, mut next) = (0, None);
    for (number, line) in text.lines().enumerate().take(end).skip(first) {
        let line = format!("{}\t{line}\n", number + 1);
        if next.is_some() || shown.len() + line.len() > room {
            next.get_or_insert(number + 1);
            left_out += line.len() as u64;
        } else {
            shown.push_str(&line);
        }
    }
    if let Some(next) = next {
        shown.push_str(&format!("[{left_out} bytes more: read {path} from line {next}]\n"));
    }
    let place = lines.map_or_else(|| path.to_owned(), |lines| format!("{path}:{}-{}", lines.start + 1, lines.end));
    let text = format!("<attached file=\"{place}\">\n{shown}</attached>");
    ContextPart { source: ContextSource::File, title: place, uri: Some(uri), text, left_out }
}

/// What cannot be attached, and why.
#[must_use]
pub fn missing(what: &str, why: &str) -> ContextPart {
    let text = format!("<attached file=\"{what}\">\n[not attached: {why}]\n</attached>");
    ContextPart { source: ContextSource::File, title: format!("{what}: {why}"), uri: None, text, left_out: 0 }
}

/// The problems that editors show, by the path of their file.
#[must_use]
pub fn problems(of: &BTreeMap<String, Vec<Diagnostic>>) -> ContextPart {
    let lines: Vec<String> =
        of.iter().flat_map(|(path, list)| list.iter().map(move |problem| line(path, problem))).collect();
    let title = match lines.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    let text = if lines.is_empty() { "[the editor shows none]\n".to_owned() } else { capped(&lines) };
    let text = format!("<problems>\n{text}</problems>");
    ContextPart { source: ContextSource::Diagnostics, title, uri: None, text, left_out: 0 }
}

/// What errors and warnings came and went, where any did. One that only moved is the same.
#[must_use]
pub fn problems_changed(
    before: &BTreeMap<String, Vec<Diagnostic>>,
    after: &BTreeMap<String, Vec<Diagnostic>>,
) -> Option<ContextPart> {
    let came = beyond(before, after);
    let went = beyond(after, before);
    if came.is_empty() && went.is_empty() {
        return None;
    }
    let count = |lines: &[String], word: &str| (!lines.is_empty()).then(|| format!("{} {word}", lines.len()));
    let title = [count(&came, "new"), count(&went, "gone")].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let went: Vec<String> = went.iter().map(|line| format!("gone: {line}")).collect();
    let text = format!("<problems after=\"your last edits\">\n{}{}</problems>", capped(&came), capped(&went));
    let (source, title) = (ContextSource::Diagnostics, format!("problems: {title}"));
    Some(ContextPart { source, title, uri: None, text, left_out: 0 })
}

/// Changes that wait for the person, as many as fit into `room` bytes.
#[must_use]
pub fn changes(of: &[(String, Hunk)], room: usize) -> ContextPart {
    let shown = of.iter().map(|(path, hunk)| {
        let state = match hunk.state {
            HunkState::Applied => "applied",
            HunkState::Proposed => "proposed",
            HunkState::Conflict => "in conflict",
        };
        let marked = |sign: char, text: &str| text.lines().map(|line| format!("{sign}{line}\n")).collect::<String>();
        let (old, new) = (marked('-', &hunk.old_text), marked('+', &hunk.new_text));
        format!("{path}:{} {state}\n{old}{new}", hunk.new_range.start + 1)
    });
    let whole: String = shown.collect();
    let cut = excerpt(&whole, room);
    let text = if of.is_empty() { "[none]\n".to_owned() } else { cut.text };
    let title = format!("{} changes that wait for review", of.len());
    let text = format!("<changes state=\"waiting for review\">\n{text}</changes>");
    ContextPart { source: ContextSource::Changes, title, uri: None, text, left_out: cut.omitted_bytes as u64 }
}

/// What a prompt names with `@`: words without blanks, or in quotes.
#[must_use]
pub fn named(text: &str) -> Vec<&str> {
    let name_at = |(at, _): (usize, &str)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        if before.is_some_and(|before| !before.is_whitespace() && !"([{,;".contains(before)) {
            return None;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((name, _)) => name,
            None => {
                let word = rest.split(char::is_whitespace).next().unwrap_or_default();
                word.trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '?', '!'])
            }
        };
        (!name.is_empty()).then_some(name)
    };
    text.match_indices('@').filter_map(name_at).collect()
}

/// `path:3-9` or `path:3` as the path and its lines, from 0; else the whole.
#[must_use]
pub fn lines_of(name: &str) -> (&str, Option<Range<u32>>) {
    let lines = name.rsplit_once(':').and_then(|(path, lines)| {
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        (first > 0 && first <= last).then(|| (path, first - 1..last))
    });
    lines.map_or((name, None), |(path, lines)| (path, Some(lines)))
}

impl History {
    /// What the person said since the model last spoke and nothing was given for yet.
    #[must_use]
    pub fn unattached(&self) -> Vec<&InputPart> {
        let since = self.items.iter().rev().take_while(|item| match &item.content {
            ItemContent::UserMessage(_) | ItemContent::Notice(_) => true,
            ItemContent::Context(_)
            | ItemContent::AgentMessage(_)
            | ItemContent::Reasoning(_)
            | ItemContent::ToolCall(_)
            | ItemContent::Compaction(_) => false,
            // What the model does not see.
            _ => true,
        });
        let mut messages: Vec<_> = since
            .filter_map(|item| match &item.content {
                ItemContent::UserMessage(message) => Some(&message.input),
                _ => None,
            })
            .collect();
        messages.reverse();
        messages.into_iter().flatten().collect()
    }

    /// What the instructions take, in bytes, that the model was given before those of a file, or of all where it was given none of that one.
    /// So that who came first keeps its room, however often it is looked at.
    #[must_use]
    pub fn taken_before(&self, uri: &str) -> usize {
        let mut first: Vec<&str> = Vec::new();
        for part in self.items.iter().flat_map(given).filter(|part| part.source == ContextSource::Instructions) {
            if let Some(known) = part.uri.as_deref().filter(|known| !first.contains(known)) {
                first.push(known);
            }
        }
        let latest = self.instructed();
        let before = first.into_iter().take_while(|known| *known != uri);
        before.filter_map(|known| latest.get(known)).map(|part| part.text.len()).sum()
    }

    /// The instructions that the model was given last of each file, by its URI.
    #[must_use]
    pub fn instructed(&self) -> BTreeMap<&str, &ContextPart> {
        let parts = self.items.iter().flat_map(given);
        let instructions = parts.filter(|part| part.source == ContextSource::Instructions);
        instructions.filter_map(|part| Some((part.uri.as_deref()?, part))).collect()
    }
}

fn given(item: &Item) -> &[ContextPart] {
    match &item.content {
        ItemContent::Context(ContextReceipt { parts }) => parts,
        _ => &[],
    }
}

/// A line for each problem that `other` has and `one` has not.
fn beyond(one: &BTreeMap<String, Vec<Diagnostic>>, other: &BTreeMap<String, Vec<Diagnostic>>) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, list) in other {
        let mut known: Vec<&Diagnostic> = one.get(path).into_iter().flatten().collect();
        for problem in list.iter().filter(|problem| problem.severity <= Severity::Warning) {
            let same = |known: &&Diagnostic| {
                (known.severity, &known.message, &known.code) == (problem.severity, &problem.message, &problem.code)
            };
            match known.iter().position(same) {
                Some(place) => drop(known.swap_remove(place)),
                None => lines.push(line(path, problem)),
            }
        }
    }
    lines
}

fn capped(lines: &[String]) -> String {
    let mut text: String = lines.iter().take(PROBLEMS).map(|line| format!("{line}\n")).collect();
    if lines.len() > PROBLEMS {
        text.push_str(&format!("[{} more]\n", lines.len() - PROBLEMS));
    }
    text
}

/// As much of the beginning as fits, to the end of a line.
fn head(text: &str, room: usize) -> &str {
    if text.len() <= room {
        return text;
    }
    let cut = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
    cut.get(..cut.rfind('\n').unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests;

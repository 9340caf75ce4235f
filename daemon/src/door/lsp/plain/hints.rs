//! Changes that wait, as hints: an editor's list of problems holds them, and its next-problem key walks them. Pure.

use pilotfish_protocol::{Hunk, HunkKind, HunkState, LineRange};
use tower_lsp::ls_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Position, Range, Uri,
};

/// Who says it; actions tell their own hints from problems by it.
pub(super) const SOURCE: &str = "pilotfish";

/// The most hints of one file. The rest comes when some of these are decided.
pub(super) const MAX_HINTS: usize = 500;

/// Lines of old text that come with a hint.
const MAX_LINES: usize = 40;

/// Bytes of old text that come with a hint.
const MAX_BYTES: usize = 4 << 10;

/// The hints of a file.
pub(super) fn hints(uri: &Uri, hunks: &[Hunk], related: bool) -> Vec<Diagnostic> {
    hunks.iter().take(MAX_HINTS).map(|hunk| hint(uri, hunk, related)).collect()
}

/// Where a change is, in the text as it is.
pub(super) fn place(hunk: &Hunk) -> LineRange {
    match hunk.state {
        HunkState::Applied | HunkState::Conflict => hunk.new_range,
        // Its lines are not there yet; those that it would replace are.
        HunkState::Proposed => hunk.old_range,
    }
}

/// As a range of whole lines.
pub(super) fn range(lines: LineRange) -> Range {
    Range { start: Position::new(lines.start, 0), end: Position::new(lines.end, 0) }
}

/// What a change is, in a few words.
pub(super) fn words(hunk: &Hunk) -> String {
    let (before, after) = (count(&hunk.old_text), count(&hunk.new_text));
    match (hunk.state, hunk.kind) {
        (HunkState::Proposed, HunkKind::Add) => format!("proposal: add {}", lines(after)),
        (HunkState::Proposed, HunkKind::Change) => format!("proposal: change {}", lines(before)),
        (HunkState::Proposed, HunkKind::Delete) => format!("proposal: delete {}", lines(before)),
        (HunkState::Conflict, _) => format!("conflict: you changed {} as well", lines(before.max(1))),
        (HunkState::Applied, HunkKind::Add) => format!("added {}", lines(after)),
        (HunkState::Applied, HunkKind::Change) => format!("changed {}", lines(before)),
        (HunkState::Applied, HunkKind::Delete) => format!("deleted {}", lines(before)),
    }
}

fn hint(uri: &Uri, hunk: &Hunk, related: bool) -> Diagnostic {
    let range = range(place(hunk));
    // What cannot be seen in the text: of a proposal what would come, else what was there.
    let (heading, text) = match hunk.state {
        HunkState::Proposed | HunkState::Conflict if !hunk.new_text.is_empty() => ("it would be", &hunk.new_text),
        HunkState::Applied | HunkState::Proposed | HunkState::Conflict => ("it was", &hunk.old_text),
    };
    let (mut message, mut information) = (words(hunk), None);
    if !text.is_empty() {
        let unseen = format!("{heading}:\n{}", beginning(text));
        if related {
            let location = Location { uri: uri.clone(), range };
            information = Some(vec![DiagnosticRelatedInformation { location, message: unseen }]);
        } else {
            message = format!("{message}; {unseen}");
        }
    }
    Diagnostic {
        range,
        severity: Some(DiagnosticSeverity::HINT),
        source: Some(SOURCE.to_owned()),
        message,
        related_information: information,
        ..Diagnostic::default()
    }
}

/// As much of a text as a hint may carry, without the last line's end.
fn beginning(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    let end = text.match_indices('\n').nth(MAX_LINES - 1).map_or(text.len(), |(end, _)| end);
    let kept = text.get(..text.floor_char_boundary(end.min(MAX_BYTES))).unwrap_or_default();
    if kept.len() == text.len() { text.to_owned() } else { format!("{kept}\n…") }
}

fn count(text: &str) -> usize {
    text.lines().count()
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

#[cfg(test)]
pub(super) mod tests;

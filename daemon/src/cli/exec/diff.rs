//! What a turn changed or proposed, as one unified diff. Pure but for the reader it is given: the texts of now, from which the
//! hunks lead back to the texts of before.

use crate::text::hunks;
use pilotfish_protocol::{Edit, EditKind, EditState, Hunk};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The edits of a turn, in order.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    edits: Vec<Edit>,
}

/// A file's text before and after; `None` where there was no file.
struct Sides {
    before: Option<String>,
    after: Option<String>,
}

impl Changes {
    /// Adds an edit.
    pub(crate) fn push(&mut self, edit: Edit) {
        self.edits.push(edit);
    }

    /// Whether anything was only proposed.
    pub(crate) fn any_proposed(&self) -> bool {
        self.edits.iter().any(|edit| edit.state == EditState::Proposed)
    }

    /// The whole diff; empty when nothing changed. `read` gives the text that a `file:` URI has now.
    pub(crate) fn unified(&self, read: &dyn Fn(&str) -> Option<String>) -> String {
        match self.applied(read) {
            Some(files) => {
                let mut diff: String = files
                    .iter()
                    .map(|(path, sides)| compare(path, sides.before.as_deref(), sides.after.as_deref()))
                    .collect();
                diff.extend(self.edits_in(EditState::Proposed).map(|edit| proposed(edit, read)));
                diff
            }
            None => self.edits.iter().map(bare).collect(),
        }
    }

    fn edits_in(&self, state: EditState) -> impl DoubleEndedIterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.state == state)
    }

    /// Each changed file's two sides, found by undoing the edits from the last to the first. `None` when the files do not hold
    /// what the edits left, since somebody changed them after, or when names moved.
    fn applied(&self, read: &dyn Fn(&str) -> Option<String>) -> Option<BTreeMap<&str, Sides>> {
        let mut files: BTreeMap<&str, Sides> = BTreeMap::new();
        for edit in self.edits_in(EditState::Applied).rev() {
            let sides = files.entry(&edit.path).or_insert_with(|| {
                let text = read(&edit.uri);
                Sides { before: text.clone(), after: text }
            });
            if edit.hunks.is_empty() && edit.added + edit.removed > 0 {
                // Too large to be carried along.
                return None;
            }
            let text = sides.before.as_deref();
            sides.before = match edit.change {
                EditKind::Created => match undo(text?, &edit.hunks)? {
                    before if before.is_empty() => None,
                    _ => return None,
                },
                EditKind::Changed => Some(undo(text?, &edit.hunks)?),
                EditKind::Deleted if text.is_none() => Some(undo("", &edit.hunks)?),
                EditKind::Deleted | EditKind::Moved { .. } => return None,
            };
        }
        Some(files)
    }
}

fn proposed(edit: &Edit, read: &dyn Fn(&str) -> Option<String>) -> String {
    let before = read(&edit.uri);
    let after = apply(before.as_deref().unwrap_or_default(), &edit.hunks);
    match (&edit.change, after) {
        (EditKind::Created | EditKind::Changed, Some(after)) => compare(&edit.path, before.as_deref(), Some(&after)),
        (EditKind::Deleted, Some(_)) => compare(&edit.path, before.as_deref(), None),
        (EditKind::Moved { .. }, _) | (_, None) => bare(edit),
    }
}

fn compare(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    let name =
        |side: &str, text: Option<&str>| text.map_or_else(|| "/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let (old_name, new_name) = (name("a", before), name("b", after));
    hunks::unified(before.unwrap_or_default(), after.unwrap_or_default(), &old_name, &new_name, CONTEXT)
}

/// What a question is about, which is nowhere yet.
pub(super) fn asked(edits: &[Edit]) -> String {
    let shown = |edit: &Edit| {
        let untold = edit.hunks.is_empty() && edit.added + edit.removed > 0;
        let much = format!("({} lines added, {} removed: too many to show)\n", edit.added, edit.removed);
        format!("{}{}", bare(edit), if untold { much.as_str() } else { "" })
    };
    edits.iter().map(shown).collect()
}

/// An edit by its hunks alone, without the lines around them.
fn bare(edit: &Edit) -> String {
    let (old_name, new_name) = match &edit.change {
        EditKind::Created => ("/dev/null".to_owned(), format!("b/{}", edit.path)),
        EditKind::Changed => (format!("a/{}", edit.path), format!("b/{}", edit.path)),
        EditKind::Deleted => (format!("a/{}", edit.path), "/dev/null".to_owned()),
        EditKind::Moved { from } => (from.clone(), edit.uri.clone()),
    };
    let mut diff = format!("--- {old_name}\n+++ {new_name}\n");
    for hunk in &edit.hunks {
        let header = |start: u32, end: u32| match end - start {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            count => format!("{},{count}", start + 1),
        };
        let old = header(hunk.old_range.start, hunk.old_range.end.max(hunk.old_range.start));
        let new = header(hunk.new_range.start, hunk.new_range.end.max(hunk.new_range.start));
        // Writing to a String cannot fail.
        let _ = writeln!(diff, "@@ -{old} +{new} @@");
        for (mark, text) in [('-', &hunk.old_text), ('+', &hunk.new_text)] {
            for line in hunks::lines(text) {
                let _ = writeln!(diff, "{mark}{}", line.trim_end_matches('\n'));
            }
        }
    }
    diff
}

/// The text before the hunks. `None` when the text is not the one they led to.
fn undo(text: &str, hunks: &[Hunk]) -> Option<String> {
    let turned =
        hunks.iter().map(|hunk| ((hunk.new_range.start, hunk.new_range.end), &*hunk.new_text, &*hunk.old_text));
    replace(text, turned)
}

/// The text after the hunks. `None` when the text is not the one they were made for.
fn apply(text: &str, hunks: &[Hunk]) -> Option<String> {
    let straight =
        hunks.iter().map(|hunk| ((hunk.old_range.start, hunk.old_range.end), &*hunk.old_text, &*hunk.new_text));
    replace(text, straight)
}

/// Puts texts in the place of lines that must be as expected.
fn replace<'a>(text: &str, changes: impl Iterator<Item = ((u32, u32), &'a str, &'a str)>) -> Option<String> {
    let lines = hunks::lines(text);
    let (mut output, mut at) = (String::new(), 0);
    for ((start, end), expected, instead) in changes {
        let (start, end) = (start as usize, end as usize);
        if lines.get(start..end)?.concat() != expected {
            return None;
        }
        output.push_str(&lines.get(at..start)?.concat());
        output.push_str(instead);
        at = end;
    }
    output.push_str(&lines.get(at..)?.concat());
    Some(output)
}

#[cfg(test)]
mod tests;

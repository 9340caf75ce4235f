//! A text as lines, each with its ending. It never looks at what the lines say.

use crate::text::hunks::{LineHunk, byte_lines};
use std::ops::Range;

/// A text and where its lines begin.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut starts = Vec::new();
        let mut at = 0;
        for line in byte_lines(bytes) {
            starts.push(at);
            at += line.len();
        }
        Self { bytes, starts }
    }

    pub(super) fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The bytes of some lines; what lies beyond the end is left out.
    pub(super) fn get(&self, range: Range<u32>) -> &'a [u8] {
        let place = |line: u32| self.starts.get(line as usize).copied().unwrap_or(self.bytes.len());
        self.bytes.get(place(range.start)..place(range.end)).unwrap_or_default()
    }

    /// One line; empty beyond the end.
    pub(super) fn line(&self, line: u32) -> &'a [u8] {
        self.get(line..line + 1)
    }
}

/// How many lines a text has.
pub(super) fn count(text: &[u8]) -> u32 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    (ends + usize::from(text.last().is_some_and(|last| *last != b'\n'))) as u32
}

/// Adds lines to a text. Its last line gets an ending if it has none, or the two would become one.
pub(super) fn append(text: &mut Vec<u8>, more: &[u8]) {
    if !more.is_empty() && text.last().is_some_and(|last| *last != b'\n') {
        let first = byte_lines(more).next().unwrap_or_default();
        text.extend_from_slice(if first.ends_with(b"\r\n") { b"\r\n" } else { b"\n" });
    }
    text.extend_from_slice(more);
}

/// Where lines `range` of the new text come from in the old one. A place inside a hunk is where the hunk begins or, as the end
/// of the range, where it ends.
pub(super) fn back(hunks: &[LineHunk], range: &Range<u32>) -> Range<u32> {
    let before = |place: u32| hunks.partition_point(|hunk| hunk.new.end <= place);
    let place = |index: usize, place: u32| match index.checked_sub(1).and_then(|last| hunks.get(last)) {
        Some(last) => last.old.end + (place - last.new.end),
        None => place,
    };
    let index = before(range.start);
    let start = match hunks.get(index) {
        Some(hunk) if hunk.new.start < range.start => hunk.old.start,
        // Lines that were removed just here belong to what follows, unless they stand at the very end.
        _ => place(index, range.start).min(end_of_gap(hunks, index, range.start)),
    };
    let index = before(range.end);
    let end = match hunks.get(index) {
        Some(hunk) if hunk.new.start < range.end => hunk.old.end,
        _ => place(index, range.end),
    };
    start..end.max(start)
}

/// Where removed lines begin that stood directly above `place` of the new text.
fn end_of_gap(hunks: &[LineHunk], index: usize, place: u32) -> u32 {
    match index.checked_sub(1).and_then(|last| hunks.get(last)) {
        Some(last) if last.new.is_empty() && last.new.end == place => last.old.start,
        _ => u32::MAX,
    }
}

/// Whether two ranges have a line in common, or one is a place inside the other.
pub(super) fn overlap(one: &Range<u32>, other: &Range<u32>) -> bool {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => false,
        (true, false) => other.start < one.start && one.start < other.end,
        (false, true) => one.start < other.start && other.start < one.end,
        (false, false) => one.start < other.end && other.start < one.end,
    }
}

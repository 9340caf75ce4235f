//! The lines of a long text, each of them in a few bytes: an output may be nothing but line breaks.

use std::ops::Range;

/// Lines with their ends.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Where each begins. What no number holds belongs to the last line.
    starts: Vec<u32>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).filter(|&start| start < text.len());
        Self { text, starts: starts.map_while(|start| u32::try_from(start).ok()).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&'a str> {
        (at < self.len()).then(|| self.bytes(at..at + 1)).and_then(|bytes| self.text.get(bytes))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Where lines lie in the text.
    pub(super) fn bytes(&self, lines: Range<usize>) -> Range<usize> {
        let start = |at: usize| self.starts.get(at).map_or(self.text.len(), |&start| start as usize);
        start(lines.start)..start(lines.end)
    }
}

//! Lines of newline-delimited JSON: bytes in, lines out. Pure.
//!
//! Owns the limit of a line and the way past one that is too long. It never looks into a line and holds one of at most
//! [`MAX_LINE`] bytes.

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE: usize = 64 << 20;

/// What the bytes held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole line that is not blank, without its end.
    Whole(Vec<u8>),
    /// One of more than [`MAX_LINE`] bytes. What is left of it is skipped.
    TooLong,
}

/// Cuts a stream of bytes into lines, however the bytes arrive.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// The line was too long and its end has not come.
    skipping: bool,
}

impl Lines {
    /// Takes bytes up to the end of the next line. Answers how many it took, and the line if one ended there; bytes it did not
    /// take are to be given again.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Option<Line>) {
        self.take_within(bytes, MAX_LINE)
    }

    fn take_within(&mut self, bytes: &[u8], longest: usize) -> (usize, Option<Line>) {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let text = bytes.get(..end.unwrap_or(taken)).unwrap_or_default();
        if self.skipping {
            self.skipping = end.is_none();
            return (taken, None);
        }
        if self.line.len() + text.len() > longest {
            self.line = Vec::new();
            self.skipping = end.is_none();
            return (taken, Some(Line::TooLong));
        }
        self.line.extend_from_slice(text);
        if end.is_none() {
            return (taken, None);
        }
        let line = std::mem::take(&mut self.line);
        let blank = line.trim_ascii().is_empty();
        (taken, (!blank).then_some(Line::Whole(line)))
    }
}

#[cfg(test)]
mod tests;

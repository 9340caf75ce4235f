//! The end of an output that may be without end: a bounded number of bytes, each known by its place in the whole. Pure.

use std::collections::VecDeque;

/// The last bytes of an output.
#[derive(Debug)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    most: usize,
    /// How much there ever was.
    total: u64,
}

/// A piece of an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// What was there and is not kept, of what was asked for, in bytes.
    pub lost: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The place behind them.
    pub next: u64,
}

impl Ring {
    /// Of nothing yet; it keeps at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { bytes: VecDeque::new(), most, total: 0 }
    }

    /// How much there ever was, in bytes.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.total += chunk.len() as u64;
        let (_, kept) = chunk.split_at(chunk.len().saturating_sub(self.most));
        let over = (self.bytes.len() + kept.len()).saturating_sub(self.most);
        self.bytes.drain(..over);
        self.bytes.extend(kept);
    }

    /// At most `most` bytes from a place on; what is not kept any more is counted. A letter whose end is missing waits for it, unless
    /// nothing more comes.
    pub(super) fn read(&self, from: u64, most: usize, is_whole: bool) -> Piece {
        let first = self.total - self.bytes.len() as u64;
        let from = from.min(self.total);
        let start = from.max(first);
        // What is kept fits into memory.
        let skipped = usize::try_from(start - first).unwrap_or(self.bytes.len());
        let mut bytes: Vec<u8> = self.bytes.iter().skip(skipped).take(most).copied().collect();
        let is_end = start + bytes.len() as u64 == self.total;
        if !(is_whole && is_end) {
            bytes.truncate(whole_letters(&bytes));
        }
        Piece { lost: start - from, next: start + bytes.len() as u64, bytes }
    }
}

/// How many bytes hold no beginning of a letter whose end is missing.
fn whole_letters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let last = bytes.get(tail..).unwrap_or_default();
    let Some(back) = last.iter().rev().position(|byte| byte & 0xc0 != 0x80) else { return bytes.len() };
    let lead = bytes.len() - 1 - back;
    let length = match bytes.get(lead) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    if lead + length > bytes.len() { lead } else { bytes.len() }
}

#[cfg(test)]
mod tests;

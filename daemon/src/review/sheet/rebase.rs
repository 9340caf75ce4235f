//! Pieces over a text that somebody else changes: what lies apart from the changes stays, the rest is lost.

use super::person::{Fate, carry};
use super::{Piece, Sheet};
use crate::review::Content;
use crate::review::lines::{self, Lines};
use crate::text::hunks::{LineHunk, diff_bytes};
use std::ops::Range;
use std::sync::Arc;

/// A piece that no longer fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::review) struct Lost {
    pub(in crate::review) piece: Piece,
    /// The lines that it was to have, now others.
    pub(in crate::review) lines: Vec<u8>,
    /// Where the lines are, that it would have replaced, in the text below.
    pub(in crate::review) at: Range<u32>,
}

impl Sheet {
    /// The text below becomes `after`, which is nothing or lines. Gives the pieces that cannot stay; those that `after` has already
    /// are just gone.
    pub(in crate::review) fn rebase(&mut self, after: &Content) -> Vec<Lost> {
        let below = self.base();
        if below == *after {
            return Vec::new();
        }
        if self.now == *after {
            *self = Sheet::new(after.clone());
            return Vec::new();
        }
        let lost_presence = (below == Content::Absent) != (*after == Content::Absent)
            || (self.now == Content::Absent && below != Content::Absent);
        let edits = diff_bytes(super::bytes(&below), super::bytes(after));
        let (text, new_below) = (Lines::new(super::bytes(&self.now)), Lines::new(super::bytes(after)));
        let (mut lost, mut stays) = (Vec::new(), Vec::new());
        let mut now = Vec::new();
        let (mut at, mut count) = (0, 0);
        for (piece, old) in self.placed() {
            let lines = text.get(piece.new.clone());
            let carried = carry(&old, &edits);
            if is_there(lines, &old, &carried.range, &edits, &new_below) {
                continue;
            }
            if carried.fate != Fate::Whole || lost_presence {
                lost.push(Lost { piece: piece.clone(), lines: lines.to_vec(), at: carried.range });
                continue;
            }
            lines::append(&mut now, new_below.get(at..carried.range.start));
            lines::append(&mut now, lines);
            count += carried.range.start - at;
            let new = count..count + piece.new.len() as u32;
            (at, count) = (carried.range.end, new.end);
            stays.push(Piece { new, ..piece.clone() });
        }
        if let Some((id, source)) = self.bare_presence() {
            lost.push(Lost::whole(id.clone(), source.clone()));
        }
        if stays.is_empty() {
            *self = Sheet::new(after.clone());
            return lost;
        }
        lines::append(&mut now, new_below.get(at..new_below.count()));
        self.now = Content::Text(Arc::from(now));
        self.pieces = stays;
        lost
    }
}

/// Whether somebody made this very change.
fn is_there(lines: &[u8], old: &Range<u32>, range: &Range<u32>, edits: &[LineHunk], below: &Lines<'_>) -> bool {
    let added = |edit: &LineHunk| edit.old == *old && below.get(edit.new.clone()) == lines;
    edits.iter().any(added)
        || (edits.iter().any(|edit| lines::overlap(&edit.old, old)) && below.get(range.clone()) == lines)
}

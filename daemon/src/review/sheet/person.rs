//! What the person changes. Outside the pieces it changes the text below as well; inside, the pieces stay and have the person's lines.

use super::slide::slide;
use super::{Piece, Sheet, Stretch, bytes, derive};
use crate::review::lines::Lines;
use crate::review::{Content, Ids, Mark};
use crate::text::hunks::{LineHunk, byte_lines, diff_bytes};
use pilotfish_protocol::HunkId;
use std::ops::Range;

/// What the person did to open pieces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::review) struct Trace {
    /// In these lines were typed.
    pub(in crate::review) typed: Vec<HunkId>,
    /// These are no more; where they were.
    pub(in crate::review) gone: Vec<Mark>,
}

impl Sheet {
    /// The person's text is `after`.
    pub(in crate::review) fn person(&mut self, after: &Content, ids: &mut Ids) -> Trace {
        if *after == Content::Absent {
            // There is nothing left to look at.
            let gone = self.marks();
            *self = Sheet::new(Content::Absent);
            return Trace { gone, typed: Vec::new() };
        }
        let mut trace = Trace::default();
        let was = self.now.clone();
        let before = Lines::new(bytes(&was));
        if self.has_open() && self.may_lie_on(bytes(after), &before) && self.base() == *after {
            // However the lines are compared, nothing differs from the text below.
            trace.gone = self.marks();
            self.pieces.retain(|piece| !piece.is_open());
            (self.on_nothing, self.presence) = (false, None);
        }
        self.now = after.clone();
        if self.pieces.is_empty() {
            return trace;
        }
        let pieces = std::mem::take(&mut self.pieces);
        let mut edits = diff_bytes(bytes(&was), bytes(after));
        let text = Lines::new(bytes(after));
        slide(&mut edits, &before, &text, &pieces);
        let (mut above, mut used) = (None, None);
        for mut piece in pieces {
            let was = piece.new.clone();
            let Carried { range, fate } = carry(&was, &edits);
            piece.new = range;
            let is_first = above.replace(was.clone()) != Some(was.start..was.start);
            let mut trimmed = false;
            if is_first && piece.is_open() {
                let Restored(restored) = restore(&mut piece, &was, &edits, &text, |index| used != Some(index));
                used = restored.last().map(|(index, ..)| *index).or(used);
                trimmed = !restored.is_empty();
            }
            if !piece.is_open() {
                // What was kept and is written over is nothing that could be taken back.
                self.pieces.extend((fate != Fate::Swallowed).then_some(piece));
                continue;
            }
            if fate == Fate::Whole && !trimmed {
                self.pieces.push(piece);
                continue;
            }
            let mark = Mark { lines: was, ..piece.mark() };
            let left = if fate == Fate::Swallowed { Vec::new() } else { settle(piece, &text, ids) };
            if left.is_empty() {
                trace.gone.push(mark);
            } else if fate == Fate::Touched {
                trace.typed.push(mark.id);
            }
            self.pieces.extend(left);
        }
        trace
    }

    /// Whether the text below may be this one, by its length.
    fn may_lie_on(&self, below: &[u8], text: &Lines<'_>) -> bool {
        let (mut added, mut removed, mut count) = (0, 0, 0);
        for piece in self.open() {
            added += text.get(piece.new.clone()).len();
            removed += piece.old.len();
            count += 1;
        }
        // A line in between may have got an ending, of two bytes at most.
        let least = self.bytes().len() + removed - added;
        (least..=least + 2 * count).contains(&below.len())
    }
}

/// A piece again, or several, or none, after its new or old lines became others.
pub(super) fn settle(piece: Piece, text: &Lines<'_>, ids: &mut Ids) -> Vec<Piece> {
    let stretch = Stretch { old: &piece.old, made: &piece.made, now: text.get(piece.new.clone()), at: piece.new.start };
    derive(&stretch, &piece.source, vec![(piece.id, piece.new.clone())], ids)
}

/// What edits did to a range of lines.
pub(in crate::review) struct Carried {
    pub(in crate::review) range: Range<u32>,
    pub(in crate::review) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::review) enum Fate {
    /// Nothing; it may have moved.
    Whole,
    /// Some of its lines are others now.
    Touched,
    /// It was changed together with lines around it.
    Swallowed,
}

/// Takes a range of lines through edits. Lines that are added directly above or below are no part of it.
pub(in crate::review) fn carry(range: &Range<u32>, edits: &[LineHunk]) -> Carried {
    let first = edits.partition_point(|edit| edit.old.end < range.start);
    let shift = |edit: &LineHunk| i64::from(edit.new.end) - i64::from(edit.old.end);
    let mut shifted = first.checked_sub(1).and_then(|last| edits.get(last)).map_or(0, shift);
    let moved = |line: u32, by: i64| (i64::from(line) + by).max(0) as u32;
    let mut start = None;
    let mut cut = None;
    let mut fate = Fate::Whole;
    for edit in edits.iter().skip(first).take_while(|edit| edit.old.start <= range.end) {
        let old = &edit.old;
        if old.end <= range.start {
            // Above, and what is added at the place of a range without lines counts as above it.
        } else if old.start >= range.end {
            break;
        } else if old.start >= range.start && old.end <= range.end {
            start = start.or(Some(moved(range.start, shifted)));
            fate = Fate::Touched;
        } else if old.start <= range.start && old.end >= range.end {
            return Carried { range: edit.new.end..edit.new.end, fate: Fate::Swallowed };
        } else if old.start < range.start {
            start = Some(edit.new.end);
            fate = Fate::Touched;
        } else {
            start = start.or(Some(moved(range.start, shifted)));
            cut = Some(edit.new.start);
            fate = Fate::Touched;
            break;
        }
        shifted = shift(edit);
    }
    let start = start.unwrap_or(moved(range.start, shifted));
    let end = cut.unwrap_or(moved(range.end, shifted));
    Carried { range: start..end.max(start), fate }
}

/// Lines that were added directly above or below a piece and are equal to the first or last lines that it replaced were put back:
/// they are no longer replaced. Says which of the added lines these are. Only for a piece that stands at its place first: what is added
/// where lines were removed goes above them all. `may` says of which edits: what one piece took,
/// another cannot, or lines would change places.
pub(super) fn restore(
    piece: &mut Piece,
    was: &Range<u32>,
    edits: &[LineHunk],
    text: &Lines<'_>,
    may: impl Fn(usize) -> bool,
) -> Restored {
    let first = edits.partition_point(|edit| edit.old.end < was.start);
    let mut restored = Restored::default();
    for (index, edit) in edits.iter().enumerate().skip(first).take_while(|(_, edit)| edit.old.start <= was.end) {
        if !edit.old.is_empty() || piece.old.is_empty() || !may(index) {
            continue;
        }
        let added: Vec<&[u8]> = byte_lines(text.get(edit.new.clone())).collect();
        let old: Vec<&[u8]> = byte_lines(&piece.old).collect();
        let (mut head, mut tail) = (0, 0);
        if edit.old.start == was.start {
            head = added.iter().zip(&old).take_while(|(added, old)| added == old).count();
        }
        if edit.old.start == was.end {
            let pairs = added.iter().skip(head).rev().zip(old.iter().skip(head).rev());
            tail = pairs.take_while(|(added, old)| added == old).count();
        }
        if head + tail == 0 {
            continue;
        }
        let left = old.get(head..old.len() - tail).unwrap_or_default().concat();
        piece.old = left;
        if was.is_empty() {
            let place = edit.new.end - tail as u32;
            piece.new = place..place;
        }
        restored.0.push((index, head as u32, tail as u32));
    }
    restored
}

/// Of which edits how many lines at the beginning and at the end were put back.
#[derive(Debug, Default)]
pub(super) struct Restored(pub(super) Vec<(usize, u32, u32)>);

/// How many lines are equal at the beginning of both.
pub(super) fn equal_head(one: &[u8], other: &[u8]) -> u32 {
    byte_lines(one).zip(byte_lines(other)).take_while(|(one, other)| one == other).count() as u32
}

/// How many lines are equal at the end of both.
pub(super) fn equal_tail(one: &[u8], other: &[u8]) -> u32 {
    let (one, other): (Vec<_>, Vec<_>) = (byte_lines(one).collect(), byte_lines(other).collect());
    one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count() as u32
}

/// How many lines two ranges share.
pub(super) fn shared(one: &Range<u32>, other: &Range<u32>) -> u32 {
    one.end.min(other.end).saturating_sub(one.start.max(other.start))
}

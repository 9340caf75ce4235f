//! Where a difference may be seen at several places, since the lines there are equal, it is seen at a piece: so taking back what
//! was done there is known for what it is.

use super::Piece;
use super::person::{equal_head, equal_tail, shared};
use crate::review::lines::{Lines, overlap};
use crate::text::hunks::LineHunk;
use std::ops::Range;

/// Moves edits that only remove or only add, as far as the text stays the same, to pieces that they then fit.
pub(super) fn slide(edits: &mut [LineHunk], before: &Lines<'_>, after: &Lines<'_>, pieces: &[Piece]) {
    let mut floor = 0;
    for index in 0..edits.len() {
        let ceiling = edits.get(index + 1).map_or(before.count(), |next| next.old.start);
        let Some(edit) = edits.get_mut(index) else { break };
        let room = (edit.old.start - floor, ceiling - edit.old.end);
        let by = match (edit.old.is_empty(), edit.new.is_empty()) {
            (false, true) => removal(&edit.old, reach(&edit.old, room, before), pieces),
            (true, false) => addition(edit, reach(&edit.new, room, after), after, pieces),
            (false, false) | (true, true) => 0,
        };
        let moved = |range: &Range<u32>| {
            let line = |line: u32| (i64::from(line) + by).max(0) as u32;
            line(range.start)..line(range.end)
        };
        *edit = LineHunk { old: moved(&edit.old), new: moved(&edit.new) };
        floor = edit.old.end;
    }
}

/// How far lines can go up and down.
fn reach(lines: &Range<u32>, room: (u32, u32), text: &Lines<'_>) -> (i64, i64) {
    let up = (1..=room.0).take_while(|by| text.line(lines.start - by) == text.line(lines.end - by)).count();
    let down = (0..room.1).take_while(|by| text.line(lines.start + by) == text.line(lines.end + by)).count();
    (-(up as i64), down as i64)
}

/// Pieces that lie, in part, in a range of lines.
fn near<'a>(pieces: &'a [Piece], lines: &Range<u32>, reach: (i64, i64)) -> impl Iterator<Item = &'a Piece> {
    let (from, to) = (i64::from(lines.start) + reach.0, i64::from(lines.end) + reach.1);
    let first = pieces.partition_point(|piece| i64::from(piece.new.end) < from);
    let is_near = move |piece: &&Piece| i64::from(piece.new.start) <= to;
    pieces.get(first..).unwrap_or_default().iter().take_while(is_near).filter(|piece| piece.is_open())
}

fn removal(old: &Range<u32>, reach: (i64, i64), pieces: &[Piece]) -> i64 {
    if reach == (0, 0) || pieces.iter().any(|piece| overlap(&piece.new, old)) {
        return 0;
    }
    let mut best = (0, 0);
    for piece in near(pieces, old, reach) {
        let ends = [i64::from(piece.new.start) - i64::from(old.start), i64::from(piece.new.end) - i64::from(old.end)];
        for by in ends.map(|by| by.clamp(reach.0, reach.1)) {
            let moved = (i64::from(old.start) + by) as u32..(i64::from(old.end) + by) as u32;
            best = best.max((shared(&moved, &piece.new), by));
        }
    }
    best.1
}

fn addition(edit: &LineHunk, reach: (i64, i64), after: &Lines<'_>, pieces: &[Piece]) -> i64 {
    if reach == (0, 0) {
        return 0;
    }
    let at = i64::from(edit.old.start);
    let fits = |by: i64| {
        let line = |line: u32| (i64::from(line) + by) as u32;
        let added = after.get(line(edit.new.start)..line(edit.new.end));
        let here = near(pieces, &edit.old, (by, by));
        let fit = here.map(|piece| match i64::from(piece.new.start) == at + by {
            true => equal_head(added, &piece.old).max(equal_tail(added, &piece.old) * u32::from(piece.new.is_empty())),
            false if i64::from(piece.new.end) == at + by => equal_tail(added, &piece.old),
            false => 0,
        });
        fit.max().unwrap_or(0)
    };
    let stay = fits(0);
    let ends = near(pieces, &edit.old, reach).flat_map(|piece| [piece.new.start, piece.new.end]);
    let moves = ends.map(|end| i64::from(end) - at).filter(|by| (reach.0..=reach.1).contains(by));
    let best = moves.map(|by| (fits(by), by)).max().unwrap_or((0, 0));
    if best.0 > stay { best.1 } else { 0 }
}

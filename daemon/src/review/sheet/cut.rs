//! Parts of pieces.

use super::Piece;
use super::person::shared;
use crate::review::Ids;
use crate::review::lines::{self, Lines};
use std::ops::Range;

/// Cuts a piece before these of its new lines, which are inside it and rise. Old lines go with the new ones, one by one as far as
/// they go; the last part has the rest. All parts have the id of the whole.
pub(super) fn cut(piece: &Piece, places: &[u32], text: &Lines<'_>) -> Vec<Piece> {
    let typed = piece.typed(text);
    let (old, made) = (Lines::new(&piece.old), Lines::new(&piece.made));
    let mut parts = Vec::with_capacity(places.len() + 1);
    let (mut new_at, mut made_at, mut old_at) = (piece.new.start, 0, 0);
    let inside = places.iter().copied().filter(|place| piece.new.start < *place && *place < piece.new.end);
    for end in inside.chain([piece.new.end]) {
        let is_last = end == piece.new.end;
        let relative = end - piece.new.start;
        let made_end = match is_last {
            true => made.count(),
            false => lines::back(&typed, &(relative..relative)).start.max(made_at),
        };
        let old_end = if is_last { old.count() } else { made_end.min(old.count()) };
        parts.push(Piece {
            new: new_at..end,
            made: made.get(made_at..made_end).to_vec(),
            old: old.get(old_at..old_end).to_vec(),
            ..piece.clone()
        });
        (new_at, made_at, old_at) = (end, made_end, old_end);
    }
    parts
}

/// Gives the parts of a piece their own names: the first that goes on has the name of the whole. Says which one that is.
pub(super) fn name(parts: &mut [Piece], goes_on: impl Fn(&Piece) -> bool, ids: &mut Ids) -> usize {
    let heir = parts.iter().position(goes_on).unwrap_or(0);
    for (index, part) in parts.iter_mut().enumerate() {
        if index != heir {
            (part.id, part.part_of) = (ids.next(), None);
        }
    }
    heir
}

/// Cuts out `lines` of the text, if they are only a part of the piece. Says which of the parts they are.
pub(super) fn cut_out(piece: &Piece, lines: &Range<u32>, text: &Lines<'_>) -> (Vec<Piece>, usize) {
    let parts = cut(piece, &[lines.start, lines.end], text);
    let inside = parts.iter().position(|part| shared(&part.new, lines) > 0);
    (parts, inside.unwrap_or(0))
}

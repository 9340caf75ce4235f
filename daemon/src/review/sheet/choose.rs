//! Which pieces a selection means.

use super::{Piece, Sheet};
use crate::review::lines::overlap;
use crate::review::{Selection, Source};
use pilotfish_protocol::HunkId;
use std::ops::Range;

/// A piece that is meant, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::review) struct Choice {
    pub(in crate::review) id: HunkId,
    /// Of its new lines, where these are not all, counted in the text.
    pub(in crate::review) lines: Option<Range<u32>>,
}

impl Sheet {
    /// Of the pieces that `is_meant` allows for, those that the selection means. It looks at no path.
    pub(in crate::review) fn choose(&self, selection: &Selection, is_meant: impl Fn(&Piece) -> bool) -> Vec<Choice> {
        let by_name = |piece: &&Piece| is_meant(piece) && names(selection, &piece.source, |id| piece.is(id));
        let named: Vec<&Piece> = self.pieces.iter().filter(by_name).collect();
        let Some(lines) = &selection.lines else {
            let whole = |piece: &&Piece| Choice { id: piece.id.clone(), lines: None };
            return named.iter().map(whole).collect();
        };
        let part = |piece: &&Piece| {
            let (new, id) = (&piece.new, piece.id.clone());
            if new.is_empty() {
                return (lines.start <= new.start && new.start < lines.end.max(lines.start + 1))
                    .then_some(Choice { id, lines: None });
            }
            let shared = new.start.max(lines.start)..new.end.min(lines.end);
            overlap(new, lines).then(|| Choice { id, lines: (shared != *new && !shared.is_empty()).then_some(shared) })
        };
        let chosen: Vec<Choice> = named.iter().filter_map(part).collect();
        if !chosen.is_empty() {
            return chosen;
        }
        // Removed lines stand between two lines, and either may be pointed at.
        let below = |piece: &&&Piece| piece.new.is_empty() && piece.new.start == lines.end;
        named.iter().filter(below).map(|piece| Choice { id: piece.id.clone(), lines: None }).collect()
    }
}

/// Whether the selection means what has this name and source. It looks at no path and no lines.
pub(in crate::review) fn names(selection: &Selection, source: &Source, is: impl Fn(&HunkId) -> bool) -> bool {
    selection.hunks.as_ref().is_none_or(|ids| ids.iter().any(is))
        && selection.turn.as_ref().is_none_or(|turn| source.turn == *turn)
        && selection.session.as_ref().is_none_or(|session| source.session == *session)
}

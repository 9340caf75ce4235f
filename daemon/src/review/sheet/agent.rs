//! What an agent or its command changes: it makes pieces. Those of the same session grow together with it, those of others give way
//! where it wrote over them and are left alone elsewhere.

use super::cut::{cut, name};
use super::person::{Restored, carry, restore, shared};
use super::slide::slide;
use super::{Piece, Sheet, State, Stretch, bytes, derive};
use crate::review::lines::{self, Lines, overlap};
use crate::review::{Content, Ids, Source};
use crate::text::hunks::{LineHunk, diff_bytes};
use std::collections::BTreeSet;
use std::ops::Range;

impl Sheet {
    /// The agent made the text `after`, which is nothing or lines.
    pub(in crate::review) fn agent(&mut self, after: &Content, source: &Source, ids: &mut Ids) {
        let was = std::mem::replace(&mut self.now, after.clone());
        let pieces = std::mem::take(&mut self.pieces);
        let (before, text) = (Lines::new(bytes(&was)), Lines::new(bytes(after)));
        let mut edits = diff_bytes(bytes(&was), bytes(after));
        slide(&mut edits, &before, &text, &pieces);
        let pieces = give_way(pieces, &edits, source, &before, ids);
        let (pieces, own) = settle_others(pieces, &edits, source, &text);
        let work = Work { before: &before, text: &text, edits: &edits, own: &own, source };
        for group in groups(pieces, &edits, source) {
            if group.edits.is_empty() {
                self.pieces.extend(group.pieces.into_iter().map(|placed| Piece { new: placed.after, ..placed.piece }));
            } else {
                self.pieces.extend(work.change(&group, ids));
            }
        }
        self.tell_presence(&was, source, ids);
    }

    /// Notes who made or removed the file.
    fn tell_presence(&mut self, was: &Content, source: &Source, ids: &mut Ids) {
        let is_absent = self.now == Content::Absent;
        if self.on_nothing == is_absent {
            self.presence = None;
        } else if self.presence.is_none() || is_absent != (*was == Content::Absent) {
            let id = self.presence.take().map_or_else(|| ids.next(), |(id, _)| id);
            self.presence = Some((id, source.clone()));
        }
    }
}

/// A piece on its way from the text before to the text after.
struct Placed {
    piece: Piece,
    /// Its lines in the text after.
    after: Range<u32>,
    /// Whether its lines were another session's, and were written over.
    is_taken: bool,
}

/// Pieces and edits that are one change now.
struct Group {
    range: Range<u32>,
    pieces: Vec<Placed>,
    edits: Vec<usize>,
}

/// Takes from other sessions' pieces what the edits wrote over. A keep of such lines can no longer be taken back.
fn give_way(pieces: Vec<Piece>, edits: &[LineHunk], source: &Source, text: &Lines<'_>, ids: &mut Ids) -> Vec<Placed> {
    let mut all = Vec::with_capacity(pieces.len());
    let placed = |piece: Piece, is_taken| Placed { after: carry(&piece.new, edits).range, piece, is_taken };
    for piece in pieces {
        let first = edits.partition_point(|edit| edit.old.end < piece.new.start);
        let over: Vec<&LineHunk> = edits
            .iter()
            .skip(first)
            .take_while(|edit| edit.old.start <= piece.new.end)
            .filter(|edit| overlap(&edit.old, &piece.new))
            .collect();
        if over.is_empty() || (piece.is_open() && piece.source.session == source.session) {
            all.push(placed(piece, false));
            continue;
        }
        if !piece.is_open() {
            continue;
        }
        let is_over = |part: &Piece| over.iter().any(|edit| shared(&edit.old, &part.new) > 0) || part.new.is_empty();
        let mut places: Vec<u32> = over.iter().flat_map(|edit| [edit.old.start, edit.old.end]).collect();
        places.dedup();
        let mut parts = cut(&piece, &places, text);
        name(&mut parts, |part| !is_over(part), ids);
        for mut part in parts {
            let is_taken = is_over(&part);
            if is_taken {
                part.source = source.clone();
                part.made = text.get(part.new.clone()).to_vec();
            }
            all.push(placed(part, is_taken));
        }
    }
    all
}

/// Lines that other sessions had removed and that were put back are no longer removed, and nobody's. Gives what is left of each edit's
/// new lines.
fn settle_others(
    pieces: Vec<Placed>,
    edits: &[LineHunk],
    source: &Source,
    text: &Lines<'_>,
) -> (Vec<Placed>, Vec<Range<u32>>) {
    let mut own: Vec<Range<u32>> = edits.iter().map(|edit| edit.new.clone()).collect();
    let mut left = Vec::with_capacity(pieces.len());
    // What grows together with a piece of the session's own is not taken apart again.
    let is_own = |placed: &&Placed| placed.piece.is_open() && placed.piece.source.session == source.session;
    let mut joined = BTreeSet::new();
    for Placed { piece, .. } in pieces.iter().filter(is_own) {
        let first = edits.partition_point(|edit| edit.old.end < piece.new.start);
        let touching = edits.iter().skip(first).take_while(|edit| edit.old.start <= piece.new.end).count();
        joined.extend(first..first + touching);
    }
    let (mut above, mut used) = (None, None);
    for mut placed in pieces {
        let was = placed.piece.new.clone();
        let is_first = above.replace(was.clone()) != Some(was.start..was.start);
        if is_first && placed.piece.source.session != source.session && placed.piece.is_open() {
            // What is put back moves with the text after, as the piece does.
            let mut moved = Piece { new: placed.after.clone(), ..placed.piece.clone() };
            let may = |index: usize| used != Some(index) && !joined.contains(&index);
            let Restored(restored) = restore(&mut moved, &was, edits, text, may);
            for (index, head, tail) in restored {
                used = Some(index);
                if let Some(own) = own.get_mut(index) {
                    *own = (own.start + head).min(own.end)..own.end.saturating_sub(tail).max(own.start + head);
                }
            }
            (placed.after, placed.piece.old) = (moved.new, moved.old);
            if placed.after.is_empty() && placed.piece.old.is_empty() {
                continue;
            }
        }
        left.push(placed);
    }
    (left, own)
}

/// Puts together, in the order of the text, what is one change.
fn groups(pieces: Vec<Placed>, edits: &[LineHunk], source: &Source) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(pieces.len() + edits.len());
    let mut pieces = pieces.into_iter().peekable();
    let mut edits = edits.iter().enumerate().peekable();
    let key = |range: &Range<u32>| (range.start, range.end);
    loop {
        let edit_first = match (pieces.peek(), edits.peek()) {
            (None, None) => break,
            (piece, Some((_, edit))) => piece.is_none_or(|piece| key(&edit.old) <= key(&piece.piece.new)),
            (Some(_), None) => false,
        };
        let next = if edit_first {
            edits.next().map(|(index, edit)| Group { range: edit.old.clone(), pieces: Vec::new(), edits: vec![index] })
        } else {
            pieces.next().map(|piece| Group { range: piece.piece.new.clone(), pieces: vec![piece], edits: Vec::new() })
        };
        let Some(next) = next else { break };
        match groups.last_mut() {
            Some(last) if belong_together(last, &next, source) => {
                last.range.end = last.range.end.max(next.range.end);
                last.pieces.extend(next.pieces);
                last.edits.extend(next.edits);
            }
            _ => groups.push(next),
        }
    }
    groups
}

fn belong_together(last: &Group, next: &Group, source: &Source) -> bool {
    let is_of_session = |placed: &Placed| placed.piece.is_open() && placed.piece.source.session == source.session;
    if !last.pieces.iter().chain(&next.pieces).all(is_of_session) {
        return false;
    }
    if overlap(&last.range, &next.range) {
        return true;
    }
    // Another turn's lines beside these are a hunk of their own, but what stands in place of removed lines is one with them.
    let may_touch = |placed: &Placed| placed.piece.source == *source || placed.piece.new.is_empty();
    let has_edit = !last.edits.is_empty() || !next.edits.is_empty();
    last.range.end == next.range.start && has_edit && last.pieces.iter().chain(&next.pieces).all(may_touch)
}

/// What all groups of one change share.
struct Work<'a> {
    before: &'a Lines<'a>,
    text: &'a Lines<'a>,
    edits: &'a [LineHunk],
    own: &'a [Range<u32>],
    source: &'a Source,
}

impl Work<'_> {
    /// The pieces that a group with edits becomes.
    fn change(&self, group: &Group, ids: &mut Ids) -> Vec<Piece> {
        let Some(after) = self.after(group) else { return Vec::new() };
        if group.pieces.is_empty() {
            // An edit by itself is a hunk as it is.
            return self.piece(group, after, ids).into_iter().collect();
        }
        let old = self.below(group, |piece| &piece.old);
        let was_made = self.below(group, |piece| &piece.made);
        let now = self.text.get(after.clone());
        let made = self.made(group, &was_made, &after);
        let stretch = Stretch { old: &old, made: &made, now, at: after.start };
        let named = group.pieces.iter().filter(|placed| !placed.is_taken);
        let before = named.map(|placed| (placed.piece.id.clone(), placed.after.clone())).collect();
        derive(&stretch, self.source, before, ids)
    }

    /// The piece of a group without pieces. `None` when nothing is left of its edits.
    fn piece(&self, group: &Group, new: Range<u32>, ids: &mut Ids) -> Option<Piece> {
        let (old, made) = (self.before.get(group.range.clone()), self.text.get(new.clone()));
        (old != made).then(|| Piece {
            id: ids.next(),
            source: self.source.clone(),
            new,
            old: old.to_vec(),
            made: made.to_vec(),
            state: State::Open,
            part_of: None,
        })
    }

    /// The group's lines in the text after.
    fn after(&self, group: &Group) -> Option<Range<u32>> {
        let ends = |index: &usize| Some((self.edits.get(*index)?, self.own.get(*index)?));
        let (first, first_own) = ends(group.edits.first()?)?;
        let (last, last_own) = ends(group.edits.last()?)?;
        let start = first_own.start - (first.old.start - group.range.start);
        let end = last_own.end + (group.range.end - last.old.end);
        Some(start..end.max(start))
    }

    /// The group's lines before, with others in place of each piece's.
    fn below<'a>(&'a self, group: &'a Group, lines_of: impl Fn(&'a Piece) -> &'a Vec<u8>) -> Vec<u8> {
        let mut below = Vec::new();
        let mut at = group.range.start;
        for Placed { piece, .. } in &group.pieces {
            lines::append(&mut below, self.before.get(at..piece.new.start));
            lines::append(&mut below, lines_of(piece));
            at = piece.new.end;
        }
        lines::append(&mut below, self.before.get(at..group.range.end));
        below
    }

    /// The group's new lines as the agent left them: it left the person's alone where it did not write over them.
    fn made(&self, group: &Group, was_made: &[u8], after: &Range<u32>) -> Vec<u8> {
        let typed = diff_bytes(was_made, self.before.get(group.range.clone()));
        let was_made = Lines::new(was_made);
        let mut made = Vec::new();
        let mut at = after.start;
        for typed in typed {
            let lines = typed.new.start + group.range.start..typed.new.end + group.range.start;
            let over = |lines: &Range<u32>| {
                group.edits.iter().filter_map(|index| self.edits.get(*index)).any(|edit| overlap(&edit.old, lines))
            };
            if !over(&lines) {
                let range = carry(&lines, self.edits).range;
                lines::append(&mut made, self.text.get(at..range.start));
                lines::append(&mut made, was_made.get(typed.old));
                at = range.end;
                continue;
            }
            // What is left of the person's lines is still no line of the agent's.
            for line in lines.filter(|line| !over(&(*line..line + 1))) {
                let range = carry(&(line..line + 1), self.edits).range;
                lines::append(&mut made, self.text.get(at..range.start));
                at = range.end;
            }
        }
        lines::append(&mut made, self.text.get(at..after.end));
        made
    }
}

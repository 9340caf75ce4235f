//! What becomes of pieces that were decided about.

use super::cut::{cut_out, name};
use super::{Choice, Piece, Sheet, State, bytes};
use crate::review::lines::{self, Lines};
use crate::review::{Content, Ids};
use pilotfish_protocol::HunkId;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Sheet {
    /// The new lines count as below too.
    pub(in crate::review) fn keep(&mut self, choices: &[Choice], ids: &mut Ids) {
        let bare = self.bare_presence().cloned();
        let text = Lines::new(bytes(&self.now));
        let chosen = by_id(choices);
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for mut piece in std::mem::take(&mut self.pieces) {
            let kept = State::Kept { settled_presence: false };
            match chosen.get(&piece.id).filter(|_| piece.is_open()) {
                None => pieces.push(piece),
                Some(Choice { lines: None, .. }) => {
                    piece.state = kept;
                    pieces.push(piece);
                }
                Some(Choice { lines: Some(lines), .. }) => {
                    let (mut parts, inside) = cut_out(&piece, lines, &text);
                    parts.iter_mut().skip(inside).take(1).for_each(|part| part.state = kept);
                    name(&mut parts, Piece::is_open, ids);
                    for part in parts.iter_mut().filter(|part| part.id != piece.id) {
                        part.part_of = Some(piece.id.clone());
                    }
                    pieces.extend(parts);
                }
            }
        }
        if let Some((id, source)) = bare.filter(|(id, _)| choices.iter().any(|choice| choice.id == *id)) {
            let (new, state) = (0..0, State::Kept { settled_presence: false });
            pieces.insert(0, Piece { id, source, new, old: Vec::new(), made: Vec::new(), state, part_of: None });
        }
        self.pieces = pieces;
        self.settle_presence(choices);
    }

    /// Below there is now a file, or none, as above.
    fn settle_presence(&mut self, choices: &[Choice]) {
        let is_absent = self.now == Content::Absent;
        if self.on_nothing == is_absent || (is_absent && self.open().next().is_some()) {
            return;
        }
        let is_new = |piece: &&mut Piece| !piece.is_open() && choices.iter().any(|choice| piece.is(&choice.id));
        if let Some(piece) = self.pieces.iter_mut().find(is_new) {
            piece.state = State::Kept { settled_presence: true };
            self.on_nothing = is_absent;
        }
    }

    /// Takes keeps back. What was one hunk and stands together is one again.
    pub(in crate::review) fn unkeep(&mut self, choices: &[Choice]) {
        let text = Lines::new(bytes(&self.now));
        let chosen = by_id(choices);
        let mut pieces: Vec<Piece> = Vec::with_capacity(self.pieces.len());
        for mut piece in std::mem::take(&mut self.pieces) {
            let is_chosen = chosen.contains_key(&piece.id);
            if let (State::Kept { settled_presence }, true) = (piece.state, is_chosen) {
                let is_absent = self.now == Content::Absent;
                if settled_presence && self.on_nothing == is_absent {
                    self.on_nothing = !is_absent;
                    self.presence.get_or_insert_with(|| (piece.id.clone(), piece.source.clone()));
                }
                if piece.old == text.get(piece.new.clone()) {
                    // There is nothing to review any more, or nothing but that the file is there.
                    continue;
                }
                piece.state = State::Open;
            }
            match pieces.last_mut() {
                Some(last) if are_parts(last, &piece) => join(last, piece),
                _ => pieces.push(piece),
            }
        }
        self.pieces = pieces;
    }

    /// Puts the old lines back in place of the agent's. The person's stay.
    pub(in crate::review) fn undo(&mut self, choices: &[Choice], ids: &mut Ids) {
        let is_bare = self.bare_presence().is_some_and(|(id, _)| choices.iter().any(|choice| choice.id == *id));
        let text = Lines::new(bytes(&self.now));
        let chosen = by_id(choices);
        let mut pieces = Vec::with_capacity(self.pieces.len());
        let mut now = Vec::with_capacity(self.bytes().len());
        let (mut at, mut count) = (0, 0);
        let mut changed = false;
        for piece in std::mem::take(&mut self.pieces) {
            let (parts, undone) = match chosen.get(&piece.id).filter(|_| piece.is_open()) {
                None => (vec![piece], None),
                Some(Choice { lines: None, .. }) => (vec![piece], Some(0)),
                Some(Choice { lines: Some(lines), .. }) => {
                    let (mut parts, inside) = cut_out(&piece, lines, &text);
                    let undone = parts.get(inside).map(|part| part.new.clone());
                    name(&mut parts, |part| Some(&part.new) != undone.as_ref(), ids);
                    (parts, Some(inside))
                }
            };
            for (index, mut part) in parts.into_iter().enumerate() {
                let between = text.get(at..part.new.start);
                lines::append(&mut now, between);
                count += part.new.start - at;
                at = part.new.end;
                if undone == Some(index) {
                    let left = without_agent(&part, &text);
                    count += lines::count(&left);
                    lines::append(&mut now, &left);
                    changed = true;
                } else {
                    lines::append(&mut now, text.get(part.new.clone()));
                    part.new = count..count + part.new.len() as u32;
                    count = part.new.end;
                    pieces.push(part);
                }
            }
        }
        lines::append(&mut now, text.get(at..text.count()));
        self.pieces = pieces;
        if !changed && !is_bare {
            return;
        }
        let is_nothing = self.on_nothing && now.is_empty() && self.open().next().is_none();
        self.now = if is_nothing { Content::Absent } else { Content::Text(Arc::from(now)) };
        if self.on_nothing == (self.now == Content::Absent) {
            self.presence = None;
        }
    }
}

fn by_id(choices: &[Choice]) -> BTreeMap<&HunkId, &Choice> {
    choices.iter().map(|choice| (&choice.id, choice)).collect()
}

/// Whether two pieces were one, and stand beside each other.
fn are_parts(one: &Piece, other: &Piece) -> bool {
    let is_part = |part: &Piece, whole: &Piece| part.part_of.as_ref() == Some(&whole.id);
    let are_siblings = one.part_of.is_some() && one.part_of == other.part_of;
    one.is_open()
        && other.is_open()
        && one.new.end == other.new.start
        && one.source == other.source
        && (are_siblings || is_part(one, other) || is_part(other, one))
}

/// Two parts become one again, by the name of the whole.
fn join(one: &mut Piece, other: Piece) {
    one.new.end = other.new.end;
    lines::append(&mut one.old, &other.old);
    lines::append(&mut one.made, &other.made);
    if one.part_of.as_ref() == Some(&other.id) {
        (one.id, one.part_of) = (other.id, other.part_of);
    }
}

/// The lines of a piece when the agent's are the old ones again. Where the person wrote over the agent's lines, the person's stand for
/// the old ones as well, pair by pair.
fn without_agent(piece: &Piece, text: &Lines<'_>) -> Vec<u8> {
    let typed = piece.typed(text);
    let old = Lines::new(&piece.old);
    let made = lines::count(&piece.made);
    // The last line that was made stands for all the old ones from there on.
    let place = |line: u32| if line >= made && line > 0 { old.count() } else { line.min(old.count()) };
    let mut left = Vec::new();
    let mut at = 0;
    for typed in typed {
        let start = place(typed.old.start).max(at);
        lines::append(&mut left, old.get(at..start));
        lines::append(&mut left, text.get(typed.new.start + piece.new.start..typed.new.end + piece.new.start));
        at = if typed.new.is_empty() || typed.old.is_empty() { start } else { place(typed.old.end).max(start) };
    }
    lines::append(&mut left, old.get(at..old.count()));
    left
}

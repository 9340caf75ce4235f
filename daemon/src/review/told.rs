//! What the person decided, remembered until the session whose hunks these were asks. It judges nothing.

use super::file::File;
use super::lines::Lines;
use super::sheet::bytes;
use super::{Mark, RootedPath};
use crate::review::body::Body;
use pilotfish_protocol::{HunkId, SessionId};
use std::collections::BTreeMap;
use std::ops::Range;

/// So many places are named, and the others counted.
const MOST: usize = 30;

/// Decisions kept for a session that does not ask; the oldest go first.
const MOST_KEPT: usize = 1_000;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    Kept,
    Unkept,
    Undone,
    Typed,
    Accepted,
    Rejected,
}

impl Deed {
    fn words(self) -> &'static str {
        match self {
            Deed::Kept => "kept",
            Deed::Unkept => "took back the keep of",
            Deed::Undone => "undid",
            Deed::Typed => "changed lines you wrote in",
            Deed::Accepted => "accepted your proposal for",
            Deed::Rejected => "rejected your proposal for",
        }
    }
}

#[derive(Debug)]
struct Note {
    session: SessionId,
    deed: Deed,
    path: RootedPath,
    id: HunkId,
    lines: Range<u32>,
}

/// All that is not told yet, in order.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    /// Something was decided of these hunks. What was decided of them before no longer matters.
    pub(super) fn note(&mut self, path: &RootedPath, deed: Deed, marks: Vec<Mark>) {
        for Mark { id, source, lines } in marks {
            let earlier = self.0.iter().position(|note| note.id == id && note.path == *path && note.lines == lines);
            let earlier = earlier.map(|index| self.0.remove(index).deed);
            if (earlier, deed) == (Some(Deed::Kept), Deed::Unkept) {
                continue;
            }
            self.0.push(Note { session: source.session, deed, path: path.clone(), id, lines });
        }
        let excess = self.0.len().saturating_sub(MOST_KEPT);
        self.0.drain(..excess);
    }

    /// The person typed in these hunks.
    pub(super) fn note_typed(&mut self, path: &RootedPath, file: &File, typed: &[HunkId]) {
        let is_new =
            |id: &&HunkId| !self.0.iter().any(|note| note.deed == Deed::Typed && note.id == **id && note.path == *path);
        let new: Vec<&HunkId> = typed.iter().filter(is_new).collect();
        if !new.is_empty() {
            let marks = file.applied.marks().into_iter().filter(|mark| new.contains(&&mark.id)).collect();
            self.note(path, Deed::Typed, marks);
        }
    }

    /// What there is to tell a session, once.
    pub(super) fn take(&mut self, session: &SessionId, files: &BTreeMap<RootedPath, File>) -> Option<String> {
        let (mine, others) = std::mem::take(&mut self.0).into_iter().partition(|note: &Note| note.session == *session);
        self.0 = others;
        let mine: Vec<Note> = mine;
        let mut groups: BTreeMap<(Deed, &RootedPath), Vec<String>> = BTreeMap::new();
        let mut named = 0;
        for note in &mine {
            let places = match note.deed {
                Deed::Typed => typed_lines(files.get(&note.path), &note.id),
                Deed::Kept | Deed::Unkept | Deed::Undone | Deed::Accepted | Deed::Rejected => vec![place(&note.lines)],
            };
            if named < MOST && !places.is_empty() {
                groups.entry((note.deed, &note.path)).or_default().extend(places);
                named += 1;
            }
        }
        let group = |((deed, path), mut places): ((Deed, &RootedPath), Vec<String>)| {
            places.dedup();
            places.retain(|place| !place.is_empty());
            let colon = if places.is_empty() { "" } else { ":" };
            format!("{} {path}{colon}{}", deed.words(), places.join(","))
        };
        let mut words: Vec<String> = groups.into_iter().map(group).collect();
        if words.is_empty() {
            return None;
        }
        if mine.len() > MOST {
            words.push(format!("and {} more", mine.len() - MOST));
        }
        Some(format!("The person reviewed your changes: {}.", words.join("; ")))
    }
}

/// Lines as people count them.
fn place(lines: &Range<u32>) -> String {
    match lines.end.saturating_sub(lines.start) {
        0 if lines.start == 0 => String::new(),
        0 => lines.start.to_string(),
        1 => lines.end.to_string(),
        _ => format!("{}-{}", lines.start + 1, lines.end),
    }
}

/// The person's lines that are in a hunk now.
fn typed_lines(file: Option<&File>, id: &HunkId) -> Vec<String> {
    let Some(Body::Lines(sheet)) = file.map(|file| &file.applied) else { return Vec::new() };
    let text = Lines::new(bytes(&sheet.now));
    let Some(piece) = sheet.pieces.iter().find(|piece| piece.id == *id) else { return Vec::new() };
    let typed = piece.typed(&text);
    let at = piece.new.start;
    typed.iter().map(|typed| place(&(typed.new.start + at..typed.new.end + at))).collect()
}

//! A text and what was changed in it: the pieces that differ from the text below it. That one is not stored; it is this text with the
//! old lines of every piece in place of the new ones, so what changes outside the pieces changes both alike.
//!
//! It decides nothing and knows no protocol. Lines are counted from 0.

use super::lines::{self, Lines};
use super::{Content, Ids, Mark, Source};
use crate::text::hunks::{LineHunk, diff_bytes};
use pilotfish_protocol::HunkId;
use std::ops::Range;
use std::sync::Arc;

mod agent;
mod choose;
mod cut;
mod decide;
mod person;
mod rebase;
mod slide;

pub(super) use choose::{Choice, names};
pub(super) use person::{Trace, carry};
pub(super) use rebase::Lost;

/// Text with its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The text; nothing or lines.
    pub(super) now: Content,
    /// Whether there is no file below.
    pub(super) on_nothing: bool,
    /// Who made or removed the file, for a file without lines to show it by.
    pub(super) presence: Option<(HunkId, Source)>,
    /// In the order of the text, each after the other.
    pub(super) pieces: Vec<Piece>,
}

/// Lines that stand in place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) id: HunkId,
    pub(super) source: Source,
    /// The new lines, in the text.
    pub(super) new: Range<u32>,
    /// The lines below.
    pub(super) old: Vec<u8>,
    /// The new lines as the agent left them. The text has others where the person changed some since.
    pub(super) made: Vec<u8>,
    pub(super) state: State,
    /// The id of the hunk that this was a part of.
    pub(super) part_of: Option<HunkId>,
}

/// Whether a piece is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is to be.
    Open,
    /// Its new lines count as below too. What it was is remembered, to be taken back.
    Kept {
        /// It was the keep that made the file exist, or not exist, below.
        settled_presence: bool,
    },
}

impl Piece {
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// The lines of the text that the person wrote.
    pub(super) fn user_lines(&self, text: &Lines<'_>) -> Vec<u32> {
        let typed = self.typed(text);
        typed.into_iter().flat_map(|hunk| hunk.new.start + self.new.start..hunk.new.end + self.new.start).collect()
    }

    /// What the person changed of what the agent made.
    pub(super) fn typed(&self, text: &Lines<'_>) -> Vec<LineHunk> {
        diff_bytes(&self.made, text.get(self.new.clone()))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { id: self.id.clone(), source: self.source.clone(), lines: self.new.clone() }
    }

    /// All names it goes by.
    pub(super) fn is(&self, id: &HunkId) -> bool {
        self.id == *id || (!self.is_open() && self.part_of.as_ref() == Some(id))
    }
}

impl Sheet {
    /// A text without pieces.
    pub(super) fn new(now: Content) -> Self {
        Self { on_nothing: now == Content::Absent, now, presence: None, pieces: Vec::new() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        bytes(&self.now)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.is_open())
    }

    /// Who made or removed the file, where no lines show it.
    pub(super) fn bare_presence(&self) -> Option<&(HunkId, Source)> {
        let differs = self.on_nothing != (self.now == Content::Absent);
        self.presence.as_ref().filter(|_| differs && self.bytes().is_empty() && self.open().next().is_none())
    }

    /// Whether something is to be reviewed.
    pub(super) fn has_open(&self) -> bool {
        self.open().next().is_some() || self.bare_presence().is_some()
    }

    /// All that waits.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let bare = self.bare_presence().map(|(id, source)| Mark::whole(id, source));
        self.open().map(Piece::mark).chain(bare).collect()
    }

    /// The text below.
    pub(super) fn base(&self) -> Content {
        if !self.has_open() {
            // What the person put into a file that only the agent made is a file in itself.
            let nothing = self.now == Content::Absent || (self.on_nothing && self.bytes().is_empty());
            return if nothing { Content::Absent } else { self.now.clone() };
        }
        let text = Lines::new(self.bytes());
        let mut below = Vec::with_capacity(self.bytes().len());
        let mut at = 0;
        for piece in self.open() {
            lines::append(&mut below, text.get(at..piece.new.start));
            lines::append(&mut below, &piece.old);
            at = piece.new.end;
        }
        lines::append(&mut below, text.get(at..text.count()));
        if self.on_nothing && below.is_empty() { Content::Absent } else { Content::Text(Arc::from(below)) }
    }

    /// The open pieces with the lines below that they replace.
    pub(super) fn placed(&self) -> impl Iterator<Item = (&Piece, Range<u32>)> {
        let mut shift = 0;
        self.open().map(move |piece| {
            let start = i64::from(piece.new.start) + shift;
            let old = lines::count(&piece.old);
            shift += i64::from(old) - piece.new.len() as i64;
            let start = start.max(0) as u32;
            (piece, start..start + old)
        })
    }
}

/// The lines of a content; none of one that has none.
pub(super) fn bytes(content: &Content) -> &[u8] {
    match content {
        Content::Text(bytes) => bytes,
        Content::Absent | Content::Other(_) => &[],
    }
}

/// What a stretch of text was, was made into and is now, and where it is.
struct Stretch<'a> {
    old: &'a [u8],
    made: &'a [u8],
    now: &'a [u8],
    at: u32,
}

/// Finds the pieces of a stretch, which take over the given ids where they touch the lines those had.
fn derive(stretch: &Stretch<'_>, source: &Source, mut before: Vec<(HunkId, Range<u32>)>, ids: &mut Ids) -> Vec<Piece> {
    let hunks = diff_bytes(stretch.old, stretch.now);
    let (old, made) = (Lines::new(stretch.old), Lines::new(stretch.made));
    let typed = diff_bytes(stretch.made, stretch.now);
    let is_new = |hunk: &LineHunk| {
        // Lines that the person alone wrote beside the agent's are nothing to review.
        let theirs = typed.iter().any(|typed| typed.new.start <= hunk.new.start && hunk.new.end <= typed.new.end);
        !(hunk.old.is_empty() && theirs && old.count() > 0)
    };
    let hunks: Vec<LineHunk> = hunks.into_iter().filter(is_new).collect();
    let mut take = |range: &Range<u32>, is_last: bool| {
        let touches = |(_, other): &(HunkId, Range<u32>)| other.start <= range.end && range.start <= other.end;
        let found = before.iter().position(|other| lines::overlap(&other.1, range));
        let found = found.or_else(|| before.iter().position(touches)).or((is_last && !before.is_empty()).then_some(0));
        found.map(|index| before.remove(index).0)
    };
    let mut pieces: Vec<Piece> = Vec::with_capacity(hunks.len());
    for (index, hunk) in hunks.iter().enumerate() {
        let new = hunk.new.start + stretch.at..hunk.new.end + stretch.at;
        pieces.push(Piece {
            id: take(&new, index + 1 == hunks.len()).unwrap_or_else(|| ids.next()),
            source: source.clone(),
            old: old.get(hunk.old.clone()).to_vec(),
            made: made.get(lines::back(&typed, &hunk.new)).to_vec(),
            new,
            state: State::Open,
            part_of: None,
        });
    }
    pieces
}

//! What is told of a publication, within bounds.

use super::{Clash, Conflict, FileChange, Held, Kind, LISTED, Published, Seeded, TEXT_BYTES, WITH_TEXT};
use crate::path::{AbsPath, RootedPath};
use std::fs::File;
use std::path::Path;

/// Bytes of texts kept at most, of all changes together, and again of all that is held back.
const ALL_TEXTS: u64 = 16 << 20;

/// Changes held back at most; what is more is dropped, and said.
const HELD: usize = 1000;

/// Conflicts listed at most.
const CONFLICTS: usize = 1000;

/// Notes at most.
const NOTES: usize = 50;

#[derive(Debug)]
pub(super) struct Report {
    workspace: AbsPath,
    published: Published,
    texts: usize,
    room: u64,
    held_room: u64,
}

impl Report {
    pub(super) fn new(workspace: &AbsPath) -> Self {
        Self {
            workspace: workspace.clone(),
            published: Published::default(),
            texts: 0,
            room: ALL_TEXTS,
            held_room: ALL_TEXTS,
        }
    }

    /// The texts of a file before and after, as long as texts are kept.
    pub(super) fn texts(&mut self, before: Option<&File>, after: Option<&File>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        if self.texts >= WITH_TEXT {
            return (None, None);
        }
        self.texts += 1;
        (self.text(before), self.text(after))
    }

    fn text(&mut self, file: Option<&File>) -> Option<Vec<u8>> {
        let bytes = super::disk::read(file?, TEXT_BYTES.min(self.room))?;
        self.room -= bytes.len() as u64;
        Some(bytes)
    }

    pub(super) fn change(&mut self, path: &AbsPath, kind: Kind, before: Option<Vec<u8>>, after: Option<Vec<u8>>) {
        let counts = &mut self.published.counts;
        match kind {
            Kind::Created => counts.created += 1,
            Kind::Changed | Kind::Mode => counts.changed += 1,
            Kind::Deleted => counts.deleted += 1,
        }
        let Ok(inside) = path.as_path().strip_prefix(self.workspace.as_path()) else { return };
        if self.published.changed.len() >= LISTED {
            return;
        }
        if let Ok(path) = RootedPath::new(&self.workspace, &inside.to_string_lossy()) {
            self.published.changed.push(FileChange { path, kind, before, after });
        }
    }

    pub(super) fn hold(&mut self, mut held: Held) {
        self.published.counts.held += 1;
        let length = |text: &Option<Vec<u8>>| text.as_ref().map_or(0, |text| text.len() as u64);
        match self.held_room.checked_sub(length(&held.before) + length(&held.after)) {
            Some(room) => self.held_room = room,
            None => (held.before, held.after) = (None, None),
        }
        if self.published.held.len() < HELD {
            self.published.held.push(held);
        }
    }

    pub(super) fn seeded(&mut self, seeded: Seeded) {
        self.published.seeded.push(seeded);
    }

    pub(super) fn conflict(&mut self, path: AbsPath, clash: Clash) {
        self.published.counts.conflicts += 1;
        if self.published.conflicts.len() < CONFLICTS {
            self.published.conflicts.push(Conflict { path, clash });
        }
    }

    pub(super) fn git(&mut self) {
        self.published.counts.git += 1;
    }

    pub(super) fn note(&mut self, note: String) {
        if self.published.notes.len() < NOTES && !self.published.notes.contains(&note) {
            self.published.notes.push(note);
        }
    }

    /// As [`Report::note`], for what is said of a path.
    pub(super) fn note_path(&mut self, path: &Path, what: &str) {
        self.note(format!("{}: {what}", path.display()));
    }

    pub(super) fn finish(mut self) -> Published {
        let more = |count: u64, listed: usize| count.saturating_sub(listed as u64);
        let held = more(self.published.counts.held, self.published.held.len());
        if held > 0 {
            self.published.notes.push(format!("{held} more protected changes were dropped"));
        }
        self.published
    }
}

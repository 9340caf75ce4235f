//! Hunks as editors are told of them.

use super::body::Body;
use super::file::{Conflict, File};
use super::lines::{self, Lines};
use super::sheet::{Piece, Sheet};
use super::{Content, Source};
use crate::text::hunks::spans;
use pilotfish_protocol::{Hunk, HunkId, HunkKind, HunkSpan, HunkState, LineRange};
use std::ops::Range;

/// All hunks of a file, in the order of its text.
pub(super) fn hunks(file: &File, uri: &str, version: Option<i32>) -> Vec<Hunk> {
    let of_body = |body: &Body, state| match body {
        Body::Lines(sheet) => of_sheet(sheet, uri, version, state),
        Body::Whole(whole) => {
            let kind = kind(whole.base == Content::Absent, whole.now == Content::Absent);
            whole.change.iter().map(|mark| bare(mark, kind, uri, version, state)).collect()
        }
    };
    let mut hunks: Vec<(u32, Hunk)> = Vec::new();
    hunks.extend(of_body(&file.applied, HunkState::Applied).into_iter().map(|hunk| (hunk.new_range.start, hunk)));
    for proposal in &file.proposals {
        let proposed = of_body(&proposal.view, HunkState::Proposed);
        hunks.extend(proposed.into_iter().map(|hunk| (hunk.old_range.start, hunk)));
        let conflicts = proposal.conflicts.iter().map(|conflict| of_conflict(conflict, uri, version));
        hunks.extend(conflicts.map(|hunk| (hunk.old_range.start, hunk)));
    }
    hunks.sort_by_key(|(place, _)| *place);
    hunks.into_iter().map(|(_, hunk)| hunk).collect()
}

fn of_sheet(sheet: &Sheet, uri: &str, version: Option<i32>, state: HunkState) -> Vec<Hunk> {
    if let Some(mark) = sheet.bare_presence() {
        let kind = kind(sheet.on_nothing, sheet.now == Content::Absent);
        return vec![bare(mark, kind, uri, version, state)];
    }
    let text = Lines::new(sheet.bytes());
    let hunk = |(piece, old_range): (&Piece, Range<u32>)| {
        let ranges = (old_range, piece.new.clone());
        let texts = (&*piece.old, text.get(piece.new.clone()));
        let user_lines = piece.user_lines(&text);
        Hunk { user_lines, ..hunk_of(&piece.id, &piece.source, ranges, texts, (uri, version, state)) }
    };
    sheet.placed().map(hunk).collect()
}

fn of_conflict(conflict: &Conflict, uri: &str, version: Option<i32>) -> Hunk {
    let start = conflict.at.start;
    let new = start..start + lines::count(&conflict.new);
    let ranges = (conflict.at.clone(), new);
    let texts = (&*conflict.old, &*conflict.new);
    hunk_of(&conflict.id, &conflict.source, ranges, texts, (uri, version, HunkState::Conflict))
}

fn hunk_of(
    id: &HunkId,
    source: &Source,
    (old_range, new_range): (Range<u32>, Range<u32>),
    (old, new): (&[u8], &[u8]),
    (uri, version, state): (&str, Option<i32>, HunkState),
) -> Hunk {
    let spans = match (str::from_utf8(old), str::from_utf8(new)) {
        (Ok(old), Ok(new)) => spans(old, new),
        // Columns mean nothing where the bytes are no text.
        _ => Vec::new(),
    };
    let line = |line: u32| line + new_range.start;
    Hunk {
        id: id.clone(),
        uri: uri.to_owned(),
        version,
        kind: kind(old.is_empty(), new.is_empty()),
        old_range: LineRange { start: old_range.start, end: old_range.end },
        new_range: LineRange { start: new_range.start, end: new_range.end },
        old_text: String::from_utf8_lossy(old).into_owned(),
        new_text: String::from_utf8_lossy(new).into_owned(),
        spans: spans.into_iter().map(|(at, start, end)| HunkSpan { line: line(at), start, end }).collect(),
        session_id: source.session.clone(),
        turn_id: source.turn.clone(),
        state,
        user_lines: Vec::new(),
    }
}

/// A hunk without lines.
fn bare((id, source): &(HunkId, Source), kind: HunkKind, uri: &str, version: Option<i32>, state: HunkState) -> Hunk {
    Hunk { kind, ..hunk_of(id, source, (0..0, 0..0), (&[], &[]), (uri, version, state)) }
}

fn kind(is_old_nothing: bool, is_new_nothing: bool) -> HunkKind {
    match (is_old_nothing, is_new_nothing) {
        (true, _) => HunkKind::Add,
        (false, true) => HunkKind::Delete,
        (false, false) => HunkKind::Change,
    }
}

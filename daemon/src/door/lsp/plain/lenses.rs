//! Code lenses: at each change that waits, one to keep it and one to undo it. Pure.

use super::commands::{self, Arguments, KEEP_HUNK, UNDO_HUNK};
use super::hints;
use pilotfish_protocol::{Hunk, HunkState, LineRange};
use tower_lsp::ls_types::CodeLens;

/// The lenses of a file.
pub(super) fn lenses(hunks: &[Hunk]) -> Vec<CodeLens> {
    hunks.iter().take(hints::MAX_HINTS).flat_map(of_hunk).collect()
}

fn of_hunk(hunk: &Hunk) -> [CodeLens; 2] {
    let start = hints::place(hunk).start;
    let lens = |id: &str, title: String| CodeLens {
        range: hints::range(LineRange { start, end: start }),
        command: Some(commands::command(
            id,
            title,
            &Arguments { hunk_ids: Some(vec![hunk.id.clone()]), ..Arguments::default() },
        )),
        data: None,
    };
    let (keep, undo) = match hunk.state {
        HunkState::Applied | HunkState::Conflict => ("keep", "undo"),
        HunkState::Proposed => ("accept", "reject"),
    };
    let (added, removed) = (hunk.new_text.lines().count(), hunk.old_text.lines().count());
    [lens(KEEP_HUNK, format!("{keep} +{added} -{removed}")), lens(UNDO_HUNK, undo.to_owned())]
}

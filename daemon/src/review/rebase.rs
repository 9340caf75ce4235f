//! Three texts into one, line by line: what two sides made of the same text. It never chooses between two sides: where both changed the same
//! lines, nothing is merged and the place is named.

use super::lines::{Lines, overlap};
use crate::text::hunks::{LineHunk, diff_bytes};
use std::ops::Range;

/// Both sides changed the same lines, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lines {}-{} were changed meanwhile", theirs.start + 1, theirs.end.max(theirs.start + 1))]
pub struct Overlap {
    /// The lines of `ours`, from 0.
    pub ours: Range<u32>,
    /// The lines of `theirs`, from 0.
    pub theirs: Range<u32>,
}

/// Makes on `theirs` the changes that lead from `base` to `ours`. Changes that only touch both survive, theirs first; equal ones count once.
///
/// # Errors
/// Where both changed the same lines; every line of `theirs` would survive a merge, so this is the only way not to lose one.
pub fn rebase(base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Overlap> {
    if base == theirs || ours == theirs {
        return Ok(ours.to_vec());
    }
    if base == ours {
        return Ok(theirs.to_vec());
    }
    let (mine, yours) = (diff_bytes(base, ours), diff_bytes(base, theirs));
    let (base_lines, our_lines, their_lines) = (Lines::new(base), Lines::new(ours), Lines::new(theirs));
    let mut text = Vec::new();
    let mut at = 0;
    let (mut mine, mut yours) = (mine.into_iter().peekable(), yours.into_iter().peekable());
    loop {
        let side = next(mine.peek(), yours.peek(), &our_lines, &their_lines);
        let (hunk, lines) = match side {
            None => break,
            Some(Side::Both) => (mine.next().and(yours.next()), &their_lines),
            Some(Side::Ours) => (mine.next(), &our_lines),
            Some(Side::Theirs) => (yours.next(), &their_lines),
            Some(Side::Neither) => {
                let range = |hunk: Option<LineHunk>| hunk.map_or(0..0, |hunk| hunk.new);
                return Err(Overlap { ours: range(mine.next()), theirs: range(yours.next()) });
            }
        };
        let Some(hunk) = hunk else { break };
        for (lines, range) in [(&base_lines, at..hunk.old.start), (lines, hunk.new.clone())] {
            add(&mut text, lines.get(range))
                .ok_or_else(|| Overlap { ours: hunk.new.clone(), theirs: hunk.new.clone() })?;
        }
        at = hunk.old.end;
    }
    let end = || Overlap { ours: end_of(&our_lines), theirs: end_of(&their_lines) };
    add(&mut text, base_lines.get(at..base_lines.count())).ok_or_else(end)?;
    Ok(text)
}

/// Whose change comes next.
#[derive(Debug, Clone, Copy)]
enum Side {
    Ours,
    Theirs,
    Both,
    Neither,
}

fn next(
    mine: Option<&LineHunk>,
    yours: Option<&LineHunk>,
    our_lines: &Lines<'_>,
    their_lines: &Lines<'_>,
) -> Option<Side> {
    let equal =
        |mine: &LineHunk, yours: &LineHunk| our_lines.get(mine.new.clone()) == their_lines.get(yours.new.clone());
    // A last line without an ending must stay the last.
    let is_last = |yours: &LineHunk| their_lines.get(yours.new.clone()).last().is_some_and(|last| *last != b'\n');
    let side = match (mine, yours) {
        (None, None) => return None,
        (Some(_), None) => Side::Ours,
        (None, Some(_)) => Side::Theirs,
        (Some(mine), Some(yours)) if mine.old == yours.old && equal(mine, yours) => Side::Both,
        (Some(mine), Some(yours)) if overlap(&mine.old, &yours.old) => Side::Neither,
        (Some(mine), Some(yours)) if (mine.old.start, mine.old.end) < (yours.old.start, yours.old.end) => Side::Ours,
        (Some(mine), Some(yours)) if mine.old == yours.old && is_last(yours) => Side::Ours,
        (Some(_), Some(_)) => Side::Theirs,
    };
    Some(side)
}

/// `None` when the text ends inside a line, which would grow together with what comes.
fn add(text: &mut Vec<u8>, more: &[u8]) -> Option<()> {
    if !more.is_empty() && text.last().is_some_and(|last| *last != b'\n') {
        return None;
    }
    text.extend_from_slice(more);
    Some(())
}

fn end_of(lines: &Lines<'_>) -> Range<u32> {
    lines.count().saturating_sub(1)..lines.count()
}

#[cfg(test)]
mod tests;

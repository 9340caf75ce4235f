//! The differences of two texts: as line hunks, as a unified diff, as changed words. It never applies anything.

use std::fmt::Write;
use std::hash::Hash;
use std::io::BufRead;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, Token};

use crate::text::hunks::gaps::Gap;

mod gaps;

/// Word spans are for a few lines under a person's eyes; more than this many words are not compared.
const MAX_WORDS: usize = 4_000;

/// Where so few words (the product of both sides) are left, each is compared with each.
const FEW: usize = 64;

/// Equal lines that are looked at around a gap: as many as it is long and some more, but no more than this.
const MOST_MARGIN: usize = 200;
const LEAST_MARGIN: usize = 8;

/// Lines `old` of the one text became lines `new` of the other: zero-based, half open; one of them may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineHunk {
    /// Lines of the old text.
    pub old: Range<u32>,
    /// Lines of the new text.
    pub new: Range<u32>,
}

/// The lines of a text, each with its ending. The last one may lack it; an empty text has no lines.
pub fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The hunks that turn `old` into `new`, in order, never touching one another. Line endings count: a line that
/// gained a `\r` or lost its final newline has changed.
pub fn diff(old: &str, new: &str) -> Vec<LineHunk> {
    compare(&InternedInput::new(old, new))
}

/// As [`diff`], over lines that were split already.
pub(crate) fn diff_lines(old: &[&str], new: &[&str]) -> Vec<LineHunk> {
    let mut input = InternedInput::default();
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    compare(&input)
}

/// Equal lines at both ends that [`diff_bytes`] compares with the rest, so that hunks may slide there.
const KEPT_MARGIN: usize = MOST_MARGIN + LEAST_MARGIN;

/// As [`diff`], over bytes that need be no UTF-8. Long equal ends cost next to nothing.
pub fn diff_bytes(old: &[u8], new: &[u8]) -> Vec<LineHunk> {
    if old == new {
        return Vec::new();
    }
    let head = before_margin(old, common_head(old, new));
    let (above, old) = old.split_at(head);
    let new = new.get(head..).unwrap_or_default();
    // The ends may overlap within one side, as they do where a line is repeated; then the head has it.
    let room = old.len().min(new.len()).saturating_sub(common_head(old, new));
    let tail = common_tail(old, new).min(room);
    let tail = tail - after_margin(old.get(old.len() - tail..).unwrap_or_default());
    let first = above.iter().filter(|byte| **byte == b'\n').count() as u32;
    let part = |text: &'_ [u8]| text.len() - tail;
    let old: Vec<&[u8]> = byte_lines(old.get(..part(old)).unwrap_or_default()).collect();
    let new: Vec<&[u8]> = byte_lines(new.get(..part(new)).unwrap_or_default()).collect();
    let mut input = InternedInput::default();
    input.reserve(old.len() as u32, new.len() as u32);
    input.update_before(old.into_iter());
    input.update_after(new.into_iter());
    let shift = |range: Range<u32>| range.start + first..range.end + first;
    compare(&input).into_iter().map(|hunk| LineHunk { old: shift(hunk.old), new: shift(hunk.new) }).collect()
}

/// The lines of a text that need be no UTF-8, as [`lines`].
pub fn byte_lines(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let mut rest = text;
        // The fastest search for a byte that the standard library has; reading a slice cannot fail.
        let length = rest.skip_until(b'\n').ok().filter(|length| *length > 0)?;
        let (line, rest) = text.split_at(length);
        text = rest;
        Some(line)
    })
}

/// How many bytes are equal at the beginning.
fn common_head(old: &[u8], new: &[u8]) -> usize {
    const STEP: usize = 256;
    let steps = old.chunks_exact(STEP).zip(new.chunks_exact(STEP)).take_while(|(old, new)| old == new).count();
    let rest = |text: &'_ [u8]| text.len().min(steps * STEP);
    let (old, new) = (old.split_at(rest(old)).1, new.split_at(rest(new)).1);
    steps * STEP + old.iter().zip(new).take_while(|(old, new)| old == new).count()
}

/// How many bytes are equal at the end.
fn common_tail(old: &[u8], new: &[u8]) -> usize {
    const STEP: usize = 256;
    let steps = old.rchunks_exact(STEP).zip(new.rchunks_exact(STEP)).take_while(|(old, new)| old == new).count();
    let rest = |text: &'_ [u8]| text.len().saturating_sub(steps * STEP);
    let (old, new) = (old.split_at(rest(old)).0, new.split_at(rest(new)).0);
    steps * STEP + old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count()
}

/// Where a line starts, some lines before `end`.
fn before_margin(text: &[u8], end: usize) -> usize {
    let ends = text.iter().enumerate().take(end).rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(KEPT_MARGIN).unwrap_or(0)
}

/// The length of the first lines, the first of which may have begun before.
fn after_margin(text: &[u8]) -> usize {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(KEPT_MARGIN).unwrap_or(text.len())
}

/// Compares closely what lies between equal lines, each gap with some of the equal lines around it, along which a hunk
/// may slide to where it reads best.
fn compare<T: AsRef<[u8]> + Eq + Hash + Copy + Default>(input: &InternedInput<T>) -> Vec<LineHunk> {
    let (old, new) = (input.before.as_slice(), input.after.as_slice());
    let gaps = gaps::gaps(old, new);
    let mut hunks: Vec<LineHunk> = Vec::new();
    let mut from = 0;
    for (index, gap) in gaps.iter().enumerate() {
        // Two gaps share the equal lines between them.
        let below =
            gaps.get(index + 1).map_or(old.len() - gap.old.end, |next| (next.old.start - gap.old.end).div_ceil(2));
        let margin = gap.old.len().max(gap.new.len()).saturating_add(LEAST_MARGIN).min(MOST_MARGIN);
        let (above, below) = (margin.min(gap.old.start - from), margin.min(below));
        from = gap.old.end + below;
        let (old_start, new_start) = (gap.old.start - above, gap.new.start - above);
        let (old_end, new_end) = (gap.old.end + below, gap.new.end + below);
        let part = (old.get(old_start..old_end).unwrap_or_default(), new.get(new_start..new_end).unwrap_or_default());
        let is_whole = gap.is_one_hunk(old, new) || !gap.is_small();
        for hunk in if is_whole { vec![hunk_of(gap, above)] } else { compare_closely(input, part) } {
            let shift = |range: Range<u32>, by: usize| range.start + by as u32..range.end + by as u32;
            let hunk = LineHunk { old: shift(hunk.old, old_start), new: shift(hunk.new, new_start) };
            match hunks.last_mut() {
                Some(last) if last.old.end == hunk.old.start && last.new.end == hunk.new.start => {
                    (last.old.end, last.new.end) = (hunk.old.end, hunk.new.end);
                }
                _ => hunks.push(hunk),
            }
        }
    }
    hunks
}

/// The hunks of some lines of both texts.
fn compare_closely<T>(input: &InternedInput<T>, (old, new): (&[Token], &[Token])) -> Vec<LineHunk>
where
    T: AsRef<[u8]> + Eq + Hash + Copy + Default,
{
    // The tokens are renumbered, since comparing takes time and memory by the highest one.
    let mut part = InternedInput::default();
    part.update_before(old.iter().map(|token| input.interner[*token]));
    part.update_after(new.iter().map(|token| input.interner[*token]));
    let mut diff = Diff::compute(Algorithm::Histogram, &part);
    diff.postprocess_lines(&part);
    diff.hunks().map(|hunk| LineHunk { old: hunk.before, new: hunk.after }).collect()
}

/// All of a gap, that begins after so many equal lines.
fn hunk_of(gap: &Gap, above: usize) -> LineHunk {
    let range = |length: usize| above as u32..(above + length) as u32;
    LineHunk { old: range(gap.old.len()), new: range(gap.new.len()) }
}

/// A unified diff with `context` unchanged lines around each change, and nothing at all for equal texts.
pub fn unified(old: &str, new: &str, old_name: &str, new_name: &str, context: usize) -> String {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let mut output = String::new();
    for group in groups(&diff(old, new), context) {
        if output.is_empty() {
            output = format!("--- {old_name}\n+++ {new_name}\n");
        }
        write_group(&mut output, group, context, &old_lines, &new_lines);
    }
    output
}

/// Hunks that are so near that their context would touch or overlap belong together.
fn groups(hunks: &[LineHunk], context: usize) -> impl Iterator<Item = &[LineHunk]> {
    hunks.chunk_by(move |first, second| {
        let between = (second.old.start - first.old.end) as usize;
        between <= context.saturating_mul(2)
    })
}

fn write_group(output: &mut String, group: &[LineHunk], context: usize, old_lines: &[&str], new_lines: &[&str]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let lead = context.min(first.old.start as usize);
    let tail = context.min(old_lines.len() - last.old.end as usize);
    let old = first.old.start as usize - lead..last.old.end as usize + tail;
    let new = first.new.start as usize - lead..last.new.end as usize + tail;
    // Writing to a String cannot fail.
    let _ = writeln!(output, "@@ -{} +{} @@", header_range(&old), header_range(&new));
    let mut at = old.start;
    for hunk in group {
        write_lines(output, ' ', old_lines, at..hunk.old.start as usize);
        write_lines(output, '-', old_lines, hunk.old.start as usize..hunk.old.end as usize);
        write_lines(output, '+', new_lines, hunk.new.start as usize..hunk.new.end as usize);
        at = hunk.old.end as usize;
    }
    write_lines(output, ' ', old_lines, at..old.end);
}

/// An empty range is named by the line before it, and a count of one is left out, as POSIX diff does.
fn header_range(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

fn write_lines(output: &mut String, mark: char, lines: &[&str], range: Range<usize>) {
    for line in lines.get(range).unwrap_or_default() {
        output.push(mark);
        output.push_str(line);
        if !line.ends_with('\n') {
            output.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The words of `new_lines` that `old_lines` does not have at their place: (line in `new_lines`, start, end), the
/// columns in UTF-16 units, in order. Empty when nothing was added, or when the texts are too long to compare so.
pub fn spans(old_lines: &str, new_lines: &str) -> Vec<(u32, u32, u32)> {
    let (old, new) = (words(old_lines), words(new_lines));
    if old.len().max(new.len()) > MAX_WORDS {
        return Vec::new();
    }
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, rest) = (old.split_at(head).1, new.split_at(head).1);
    let tail = old.iter().rev().zip(rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, rest) = (old.split_at(old.len() - tail).0, rest.split_at(rest.len() - tail).0);
    let end = head + rest.len();
    // A few words are quickly seen to have nothing in common.
    let is_all = old.len() * rest.len() <= FEW && !old.iter().any(|word| rest.contains(word));
    let mut input = InternedInput::default();
    if !is_all {
        input.update_before(old.iter().copied());
        input.update_after(rest.iter().copied());
    }
    let diff = Diff::compute(Algorithm::Myers, &input);
    let is_added = |index: usize| {
        (head..end).contains(&index) && (is_all || u32::try_from(index - head).is_ok_and(|index| diff.is_added(index)))
    };
    let mut spans: Vec<(u32, u32, u32)> = Vec::new();
    let (mut line, mut column, mut blank_since) = (0, 0, None);
    for (index, word) in new.iter().enumerate() {
        if matches!(*word, "\n" | "\r\n") {
            (line, column, blank_since) = (line + 1, 0, None);
            continue;
        }
        let end = column + word.encode_utf16().count() as u32;
        if is_added(index) {
            match spans.last_mut() {
                // Blanks between two changed words are no news of their own.
                Some(last) if last.0 == line && (last.2 == column || blank_since == Some(last.2)) => last.2 = end,
                _ => spans.push((line, column, end)),
            }
        }
        blank_since = word.trim().is_empty().then(|| blank_since.unwrap_or(column));
        column = end;
    }
    spans
}

/// Runs of letters, digits and `_`, runs of blanks, line endings, and every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("\r\n") {
            2
        } else if is_word(first) {
            rest.find(|character| !is_word(character)).unwrap_or(rest.len())
        } else if is_blank(first) {
            rest.find(|character| !is_blank(character)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

#[cfg(test)]
mod tests;

//! Replacing a quoted text in a file: what the tool `edit` does to a text.
//!
//! The quoted text is looked for as it is, then as whole lines with ever more tolerance for blanks, typographic
//! punctuation and quoted line numbers ([`Tier`]). Whatever is found must be the only one of its kind. It never writes
//! because something is similar: similarity only helps the message.

use std::ops::Range;

use crate::text::edit::changed::Changed;
use crate::text::hunks;
use crate::text::locate::{Haystack, Needle, Place, Tier};
use crate::text::nearest::{self, Nearest};
use crate::text::shape::{self, LineEnding, TextShape};
use crate::text::splice::{self, Splice, Step};

mod changed;
mod explain;
mod numbers;

/// So many places are named in a refusal.
const MAX_NAMED: usize = 20;
/// A shorter replacement proves nothing by standing in the file.
const LEAST_TELLING: usize = 8;
const LINE_TIERS: [Tier; 5] =
    [Tier::TrailingBlanks, Tier::Indentation, Tier::BlankLines, Tier::Punctuation, Tier::LineNumbers];

/// What is to be replaced by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement<'a> {
    /// The text that stands there.
    pub old: &'a str,
    /// The text that shall stand there.
    pub new: &'a str,
    /// Replace it wherever it stands.
    pub replace_all: bool,
    /// Of several places take the one at or clearly nearest to this line, counted from 1.
    pub near_line: Option<u32>,
}

/// A replacement that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The whole text afterwards.
    pub text: String,
    /// With how much tolerance the old text was found.
    pub tier: Tier,
    /// At how many places it was replaced.
    pub places: usize,
    /// The lines that differ, zero-based in the new text; a range is empty where lines were only removed.
    pub lines: Vec<Range<usize>>,
}

/// Why nothing was replaced. [`Mismatch::explain`] says it to a model. All lines are zero-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// There is no old text.
    #[error("old_string is empty")]
    Empty,
    /// The old text is the new one, or putting the new one there leaves the file as it is.
    #[error("nothing would change")]
    Unchanged,
    /// The old text stands at several places.
    #[error("old_string stands at {places} places")]
    Ambiguous {
        /// With how much tolerance it was found.
        tier: Tier,
        /// How often.
        places: usize,
        /// The first lines of the first twenty places.
        lines: Vec<usize>,
    },
    /// The old text is not there, but the new one is.
    #[error("new_string stands there already")]
    AlreadyApplied {
        /// The first lines of the first twenty places of the new text.
        lines: Vec<usize>,
    },
    /// The old text is not there.
    #[error("old_string is not in the file")]
    Missing {
        /// What resembles it, best first.
        nearest: Vec<Nearest>,
    },
}

impl Mismatch {
    /// Says to a model in at most 2 KB what is wrong and what to do: pass the text and the replacement that failed.
    pub fn explain(&self, text: &str, replacement: &Replacement) -> String {
        explain::explain(self, text, replacement)
    }
}

/// Replaces a text at its only place (or at all of them), and keeps everything else byte for byte: line endings,
/// byte order mark, a missing final newline. `old` and `new` may have either line ending.
///
/// # Errors
/// When the text is not there, or not only there, or when nothing would change.
pub fn replace(text: &str, replacement: &Replacement) -> Result<Replaced, Mismatch> {
    let (bom, body) = shape::split_bom(text);
    let old = shape::split_bom(replacement.old).1;
    let new = shape::split_bom(replacement.new).1;
    if old.is_empty() {
        return Err(Mismatch::Empty);
    }
    if old == new {
        return Err(Mismatch::Unchanged);
    }
    let replacement = Replacement { old, new, ..*replacement };
    let replaced = match replace_exactly(body, &replacement)? {
        Some(replaced) => replaced,
        None => replace_lines(body, &replacement)?,
    };
    if replaced.text == body {
        return Err(Mismatch::Unchanged);
    }
    // A blank line that was put where the text ends without a newline is none.
    let count = hunks::lines(&replaced.text).len();
    let lines = replaced.lines.iter().map(|range| range.start.min(count)..range.end.min(count)).collect();
    Ok(Replaced { text: format!("{bom}{}", replaced.text), lines, ..replaced })
}

/// None when the old text is nowhere as it is.
fn replace_exactly(text: &str, replacement: &Replacement) -> Result<Option<Replaced>, Mismatch> {
    let found = occurrences(text, replacement.old);
    if found.is_empty() {
        return Ok(None);
    }
    let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |offset: usize| newlines.partition_point(|newline| *newline < offset);
    let lines: Vec<Range<usize>> =
        found.iter().map(|range| line_of(range.start)..line_of(range.end.saturating_sub(1)) + 1).collect();
    let chosen = choose(&lines, replacement, Tier::Exact)?;
    let plain = replacement.new.replace("\r\n", "\n");
    let paired = plain.replace('\n', "\r\n");
    let ending = TextShape::of(text).line_ending;
    // In a text of both line endings the line itself says which; in a text without any the new text does.
    let ended = |start: usize| match (ending, newlines.get(line_of(start)).or(newlines.last())) {
        (LineEnding::CrLf, _) => paired.as_str(),
        (LineEnding::Mixed, Some(newline)) if splits_ending(text, *newline) => paired.as_str(),
        (LineEnding::Lf | LineEnding::Mixed, Some(_)) => plain.as_str(),
        (LineEnding::Lf | LineEnding::Mixed, None) => replacement.new,
    };
    let mut output = String::with_capacity(text.len() + replacement.new.len());
    let mut changed = Changed::new(&replacement.old.replace("\r\n", "\n"), &plain);
    let (mut at, mut places) = (0, 0);
    for range in chosen.into_iter().filter_map(|index| found.get(index)) {
        // Only the overlapping ones of "all" can begin before the last one ended.
        let Some(between) = text.get(at..range.start) else { continue };
        output.push_str(between);
        changed.pass(between);
        changed.replace(output.is_empty() || output.ends_with('\n'));
        output.push_str(ended(range.start));
        at = range.end;
        places += 1;
    }
    output.push_str(text.get(at..).unwrap_or_default());
    Ok(Some(Replaced { text: output, tier: Tier::Exact, places, lines: changed.lines }))
}

/// Where the old text stands with its own line endings, with `\n` or with `\r\n`. When it stands there but once,
/// a second place that overlaps the first is looked for too.
fn occurrences(text: &str, old: &str) -> Vec<Range<usize>> {
    let plain = old.replace("\r\n", "\n");
    let paired = plain.replace('\n', "\r\n");
    let mut found = Vec::new();
    let mut forms = vec![old, plain.as_str(), paired.as_str()];
    forms.sort_unstable();
    forms.dedup();
    for form in forms {
        let whole = |start: &usize| !splits_ending(text, *start) && !splits_ending(text, start + form.len());
        let before = found.len();
        found.extend(text.match_indices(form).map(|(start, _)| start).filter(whole).map(|at| at..at + form.len()));
        if let [only] = found.get(before..).unwrap_or_default() {
            let next = text.ceil_char_boundary(only.start + 1);
            let overlapping = text.get(next..).and_then(|rest| rest.find(form)).map(|at| next + at);
            found.extend(overlapping.filter(whole).map(|at| at..at + form.len()));
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

/// Whether an offset lies inside `\r\n`.
fn splits_ending(text: &str, offset: usize) -> bool {
    let bytes = text.as_bytes();
    offset > 0 && bytes.get(offset - 1) == Some(&b'\r') && bytes.get(offset) == Some(&b'\n')
}

fn replace_lines(text: &str, replacement: &Replacement) -> Result<Replaced, Mismatch> {
    let haystack = Haystack::new(text);
    let old = bodies(replacement.old);
    let new = bodies(replacement.new);
    for tier in LINE_TIERS {
        let numbered = if tier == Tier::LineNumbers { numbers::strip(&old, &new) } else { None };
        let (old, new) = match &numbered {
            Some((old, new)) => (old, new),
            None if tier == Tier::LineNumbers => break,
            None => (&old, &new),
        };
        if old.iter().all(|line| line.trim().is_empty()) {
            break;
        }
        let steps = splice::steps(old, new);
        let needle = Needle { lines: old, added: &splice::added(&steps) };
        let places = haystack.find(&needle, tier, 0);
        if places.is_empty() {
            continue;
        }
        let lines: Vec<Range<usize>> = places.iter().map(|place| place.lines.clone()).collect();
        let chosen = choose(&lines, replacement, tier)?;
        let splices = splices(&haystack, &places, &chosen, old, &steps);
        return Ok(Replaced {
            text: splice::write(&haystack, &splices),
            tier,
            places: splices.len(),
            lines: splice::changed(&splices),
        });
    }
    Err(missing(&haystack, replacement, &old, &new))
}

/// The splices of the chosen places; one that overlaps an earlier one is left out.
fn splices(haystack: &Haystack, places: &[Place], chosen: &[usize], old: &[&str], steps: &[Step]) -> Vec<Splice> {
    let mut splices: Vec<Splice> = Vec::new();
    let mut end = 0;
    for place in chosen.iter().filter_map(|index| places.get(*index)) {
        if place.lines.start < end {
            continue;
        }
        let map = haystack.map(place, old);
        if let Some(splice) = splice::splice(place, &map, steps) {
            splices.push(splice);
            end = place.lines.end;
        }
    }
    splices
}

/// Which of the places are meant: all, the only one, or the one clearly nearest to the given line.
fn choose(places: &[Range<usize>], replacement: &Replacement, tier: Tier) -> Result<Vec<usize>, Mismatch> {
    if replacement.replace_all || places.len() == 1 {
        return Ok((0..places.len()).collect());
    }
    if let Some(line) = replacement.near_line {
        let line = (line as usize).saturating_sub(1);
        let distance = |place: &Range<usize>| place.start.saturating_sub(line) + (line + 1).saturating_sub(place.end);
        let mut distances: Vec<(usize, usize)> = places.iter().map(distance).zip(0..).collect();
        distances.sort_unstable();
        if let [(nearest, index), (second, _), ..] = distances.as_slice()
            && *second > nearest.saturating_mul(2)
        {
            return Ok(vec![*index]);
        }
    }
    let lines = places.iter().take(MAX_NAMED).map(|place| place.start).collect();
    Err(Mismatch::Ambiguous { tier, places: places.len(), lines })
}

/// Tells a text that is not there from one that was replaced already.
fn missing(haystack: &Haystack, replacement: &Replacement, old: &[&str], new: &[&str]) -> Mismatch {
    if replacement.new.trim().len() >= LEAST_TELLING {
        let needle = Needle { lines: new, added: &[] };
        for tier in [Tier::TrailingBlanks, Tier::Indentation] {
            let lines: Vec<usize> =
                haystack.find(&needle, tier, 0).iter().take(MAX_NAMED).map(|place| place.lines.start).collect();
            if !lines.is_empty() {
                return Mismatch::AlreadyApplied { lines };
            }
        }
    }
    Mismatch::Missing { nearest: nearest::nearest(&haystack.lines, old) }
}

fn bodies(text: &str) -> Vec<&str> {
    shape::split(text).into_iter().map(|line| line.body).collect()
}

#[cfg(test)]
mod tests;

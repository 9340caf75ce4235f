//! The lines of a text that resemble a block most, and in words how they differ. For messages only: nothing is ever
//! written by resemblance.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::ops::Range;

use crate::text::hunks;
use crate::text::indent;
use crate::text::shape::Line;

/// Of a longer block only the first lines are compared.
const MAX_LINES: usize = 300;
/// Of a longer line only so many bytes are compared.
const MAX_LINE: usize = 400;
/// A word that stands in more lines of the block than this says little about where it is.
const MAX_LINES_OF_WORD: usize = 8;
/// So many lines of a text are compared when no word helps.
const MAX_SEARCHED: usize = 4_000;
/// So many places are looked at closely.
const MAX_CANDIDATES: usize = 8;
/// Below this a place is not worth showing, in percent.
const LEAST_PERCENT: u8 = 30;
/// Bytes of a line that a message shows.
const SHOWN_LINE: usize = 160;
/// Equal lines shown around a difference.
const SHOWN_AROUND: usize = 2;

/// A place that resembles a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The lines of the text, zero-based.
    pub lines: Range<usize>,
    /// How much of the block's characters stands there, roughly.
    pub percent: u8,
}

impl fmt::Display for Nearest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines.len() {
            1 => write!(formatter, "line {}", self.lines.end)?,
            _ => write!(formatter, "lines {}-{}", self.lines.start + 1, self.lines.end)?,
        }
        write!(formatter, " ({} % alike)", self.percent)
    }
}

/// At most two places, the better one first; none when nothing resembles the block.
pub(crate) fn nearest(text: &[Line], block: &[&str]) -> Vec<Nearest> {
    let block = block.get(..MAX_LINES).unwrap_or(block);
    let mut candidates = candidates(&votes(text, block));
    if candidates.is_empty() {
        candidates.extend(closest_line(text, block));
    }
    let mut found: Vec<Nearest> = candidates.into_iter().filter_map(|at| compare(text, block, at)).collect();
    found.sort_by(|first, second| second.percent.cmp(&first.percent).then(first.lines.start.cmp(&second.lines.start)));
    found.dedup_by(|second, first| second.lines.start < first.lines.end && first.lines.start < second.lines.end);
    let best = found.first().map_or(0, |best| best.percent);
    found.retain(|nearest| nearest.percent >= LEAST_PERCENT && nearest.percent >= best - best / 8);
    found.truncate(2);
    found
}

/// For each line at which the block might begin, how many of its words would stand on their line; rare words count
/// more. Since it might begin before the text, index 0 stands for `1 - block.len()`.
fn votes(text: &[Line], block: &[&str]) -> Vec<f32> {
    let mut lines_of_word: HashMap<&str, (u32, Vec<usize>)> = HashMap::new();
    for (at, line) in block.iter().enumerate() {
        for word in words(line) {
            let next = lines_of_word.len() as u32;
            let (_, lines) = lines_of_word.entry(word).or_insert((next, Vec::new()));
            if lines.len() < MAX_LINES_OF_WORD && lines.last() != Some(&at) {
                lines.push(at);
            }
        }
    }
    let mut counts = vec![0u32; lines_of_word.len()];
    let mut hits: Vec<(usize, u32, &[usize])> = Vec::new();
    for (at, line) in text.iter().enumerate() {
        for word in words(line.body) {
            if let Some((id, lines)) = lines_of_word.get(word) {
                counts[*id as usize] += 1;
                hits.push((at, *id, lines));
            }
        }
    }
    let mut votes = vec![0.0; text.len() + block.len()];
    for (at, id, lines) in hits {
        let weight = 1.0 / (counts[id as usize] as f32).sqrt();
        for line in lines {
            votes[at + block.len() - line - 1] += weight;
        }
    }
    votes
}

/// The places with the most votes, counting those of neighbours, since a line may be missing or too many.
fn candidates(votes: &[f32]) -> Vec<usize> {
    let vote = |at: usize| votes.get(at).copied().unwrap_or_default();
    let mut best: Vec<(f32, usize)> = Vec::new();
    for at in 0..votes.len() {
        let around = vote(at + 1) + vote(at.wrapping_sub(1)) + (vote(at + 2) + vote(at.wrapping_sub(2))) / 2.0;
        let score = vote(at) + around / 2.0;
        if vote(at) <= 0.0 || (best.len() == MAX_CANDIDATES && best.last().is_some_and(|last| score <= last.0)) {
            continue;
        }
        let place = best.partition_point(|other| other.0 >= score);
        best.insert(place, (score, at));
        best.truncate(MAX_CANDIDATES);
    }
    best.into_iter().map(|(_, at)| at).collect()
}

/// Where the longest line of the block resembles a line most, for blocks of which no word stands in the text.
fn closest_line(text: &[Line], block: &[&str]) -> Option<usize> {
    let (at, longest) = block.iter().map(|line| indent::trim(line)).enumerate().max_by_key(|(_, line)| line.len())?;
    let lines = text.iter().take(MAX_SEARCHED).enumerate().filter(|(_, line)| !indent::is_blank(line.body));
    let score = |(line, there): (usize, &Line)| (resemblance(longest, indent::trim(there.body)), line);
    let (score, line) = lines.map(score).max_by(|first, second| first.0.total_cmp(&second.0))?;
    (score > 0.0).then(|| line + block.len() - at - 1)
}

/// Compares the block with the lines around a place, and finds out where exactly it begins and ends.
fn compare(text: &[Line], block: &[&str], vote: usize) -> Option<Nearest> {
    let start = (vote + 1).saturating_sub(block.len());
    let end = (vote + 1).min(text.len());
    let window = start.saturating_sub(2)..(end + 2).min(text.len());
    let there: Vec<&str> = text.get(window.clone())?.iter().map(|line| indent::trim(line.body)).collect();
    let block: Vec<&str> = block.iter().map(|line| indent::trim(line)).collect();
    let hunks = hunks::diff_lines(&block, &there);
    let size = |lines: &[&str]| lines.iter().map(|line| line.len().min(MAX_LINE)).sum::<usize>() as f32;
    let mut same = size(&block);
    let (mut first, mut last) = (0, there.len());
    for hunk in &hunks {
        let old = block.get(hunk.old.start as usize..hunk.old.end as usize)?;
        let mut new = hunk.new.start as usize..hunk.new.end as usize;
        // Lines beyond the block are not part of the place.
        let surplus = new.len().saturating_sub(old.len());
        if hunks.len() == 1 && old.len() == block.len() {
            new = start - window.start..end - window.start;
            (first, last) = (new.start, new.end);
        } else if hunk.old.start == 0 {
            new.start += surplus;
            first = new.start;
        } else if hunk.old.end as usize == block.len() {
            new.end -= surplus;
            last = new.end;
        }
        same -= size(old);
        for (old, new) in old.iter().zip(there.get(new)?) {
            same += resemblance(old, new) * old.len().min(MAX_LINE) as f32;
        }
    }
    let percent = (100.0 * same / size(&block).max(1.0)).clamp(0.0, 99.0) as u8;
    (first < last).then(|| Nearest { lines: window.start + first..window.start + last, percent })
}

/// What share of their pairs of neighbouring bytes two lines have in common, from 0 to 1 (Dice's coefficient).
fn resemblance(first: &str, second: &str) -> f32 {
    let pairs = |line: &str| {
        let bytes = line.as_bytes().get(..MAX_LINE).unwrap_or(line.as_bytes()).to_ascii_lowercase();
        let mut pairs: Vec<(u8, u8)> = bytes.iter().copied().zip(bytes.iter().skip(1).copied()).collect();
        pairs.sort_unstable();
        pairs
    };
    let (first_pairs, second_pairs) = (pairs(first), pairs(second));
    let total = first_pairs.len() + second_pairs.len();
    if total == 0 {
        return if first == second { 1.0 } else { 0.0 };
    }
    let mut common = 0;
    let mut seconds = second_pairs.iter().peekable();
    for pair in &first_pairs {
        while seconds.next_if(|other| *other < pair).is_some() {}
        common += usize::from(seconds.next_if_eq(&pair).is_some());
    }
    2.0 * common as f32 / total as f32
}

/// Says how a block differs from the lines of a place, in at most `budget` bytes: `-` is the block, `+` the text.
pub(crate) fn differences(text: &[Line], block: &[&str], nearest: &Nearest, budget: usize) -> String {
    let Range { start, end } = nearest.lines;
    let block = block.get(..MAX_LINES).unwrap_or(block);
    let there: Vec<&str> = text.get(start..end).unwrap_or_default().iter().map(|line| line.body).collect();
    let hunks = hunks::diff_lines(block, &there);
    let blanks_only = hunks.iter().any(|hunk| {
        let old = block.get(hunk.old.start as usize..hunk.old.end as usize).unwrap_or_default();
        let new = there.get(hunk.new.start as usize..hunk.new.end as usize).unwrap_or_default();
        old.iter().zip(new).any(|(old, new)| indent::trim(old) == indent::trim(new))
    });
    let mut lines: Vec<String> = Vec::new();
    let show = |number: Option<usize>, mark: char, line: &str| {
        let number = number.map_or(String::new(), |number| (number + 1).to_string());
        format!("{number:>6} {mark}{}{}\n", if line.is_empty() { "" } else { " " }, shown(line, blanks_only))
    };
    let mut at = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let (new_start, new_end) = (hunk.new.start as usize, hunk.new.end as usize);
        let after = if index == 0 { 0 } else { SHOWN_AROUND };
        if new_start - at > after + SHOWN_AROUND {
            lines.extend((at..at + after).map(|line| show(Some(start + line), ' ', there[line])));
            lines.push("       …\n".to_owned());
            at = new_start - SHOWN_AROUND;
        }
        lines.extend((at..new_start).map(|line| show(Some(start + line), ' ', there[line])));
        let old = block.get(hunk.old.start as usize..hunk.old.end as usize).unwrap_or_default();
        lines.extend(old.iter().map(|line| show(None, '-', line)));
        lines.extend((new_start..new_end).map(|line| show(Some(start + line), '+', there[line])));
        at = new_end;
    }
    let end = (at + SHOWN_AROUND).min(there.len());
    lines.extend((at.min(end)..end).map(|line| show(Some(start + line), ' ', there[line])));
    let note = if blanks_only { "(some lines differ only in blanks; a tab is shown as →)\n" } else { "" };
    within(&lines, note, budget)
}

/// The lines that fit, and how many did not.
pub(crate) fn within(lines: &[String], note: &str, budget: usize) -> String {
    const REST: usize = 40;
    let mut output = String::new();
    let total: usize = lines.iter().map(String::len).sum();
    for (at, line) in lines.iter().enumerate() {
        if total + note.len() > budget && output.len() + line.len() + note.len() + REST > budget {
            let _ = writeln!(output, "       [… {} more lines …]", lines.len() - at);
            break;
        }
        output.push_str(line);
    }
    output.push_str(note);
    output
}

/// A line as a message shows it: cut when it is long, without control characters.
pub(crate) fn shown(line: &str, tabs: bool) -> String {
    let cut = line.floor_char_boundary(SHOWN_LINE);
    let mut output = String::new();
    for character in line.get(..cut).unwrap_or_default().chars() {
        match character {
            '\t' if tabs => output.push('→'),
            '\t' => output.push('\t'),
            control if control.is_control() => output.extend(control.escape_unicode()),
            other => output.push(other),
        }
    }
    if cut < line.len() {
        output.push('…');
    }
    output
}

/// The words of a line, and the line itself without its indentation.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let line = line.get(..line.floor_char_boundary(MAX_LINE)).unwrap_or_default();
    let whole = indent::trim(line);
    let words = line.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.filter(|word| word.len() >= 2).chain((!whole.is_empty()).then_some(whole))
}

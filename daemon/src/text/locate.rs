//! Where a block of lines stands in a text, first as it is, then with ever more tolerance for blanks and
//! punctuation. It finds only equal lines, never similar ones, and it changes nothing.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use crate::text::indent::{self, Shift};
use crate::text::shape::{self, Line};

/// Comparing indentations is the one step that is not linear; past so many lines a tier is given up, found or not.
const MAX_COMPARED: usize = 4_000_000;

/// So many lines of a block are looked for by themselves first, which is quick and rules most texts out.
const LOOKED_FOR_FIRST: usize = 8;

/// With how much tolerance a text was found. Each tier also tolerates what the earlier ones do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// As it is.
    Exact,
    /// But for blanks at the ends of lines, and line endings.
    TrailingBlanks,
    /// But for an indentation that is shifted alike on all lines.
    Indentation,
    /// But for blank lines.
    BlankLines,
    /// But for typographic quotes, dashes, blanks and the like.
    Punctuation,
    /// But for the line numbers that were quoted with it.
    LineNumbers,
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Exact => "exactly",
            Self::TrailingBlanks => "but for blanks at line ends",
            Self::Indentation => "but for the indentation",
            Self::BlankLines => "but for blank lines",
            Self::Punctuation => "but for typographic punctuation",
            Self::LineNumbers => "but for the quoted line numbers",
        })
    }
}

/// A block of lines to be found, and the lines that would be put there, which must be able to take its indentation.
pub(crate) struct Needle<'a> {
    /// The lines to be found, without endings.
    pub lines: &'a [&'a str],
    /// The lines that would be added.
    pub added: &'a [&'a str],
}

/// One place of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// With how much tolerance.
    pub tier: Tier,
    /// The lines of the text it takes.
    pub lines: Range<usize>,
    /// How its indentation differs.
    pub shift: Shift,
    /// The first key in the view of the tier.
    first: usize,
}

/// A text that is searched many times.
pub(crate) struct Haystack<'a> {
    /// Its lines, without a byte order mark.
    pub lines: Vec<Line<'a>>,
    text: &'a str,
    ascii: bool,
    views: [OnceCell<View<'a>>; 5],
    unit: OnceCell<Option<usize>>,
}

/// The lines of a text as one tier sees them: equal keys, equal lines.
struct View<'a> {
    /// The line of the text that each key stands for.
    index: Vec<usize>,
    keys: Vec<u32>,
    indentations: Vec<Cow<'a, str>>,
    names: HashMap<Cow<'a, str>, u32>,
}

impl<'a> Haystack<'a> {
    /// Splits a text that has no byte order mark (any more).
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            lines: shape::split(text),
            text,
            ascii: text.is_ascii(),
            views: Default::default(),
            unit: OnceCell::new(),
        }
    }

    /// Every place at or after line `from`, overlapping ones too, in order.
    pub(crate) fn find(&self, needle: &Needle, tier: Tier, from: usize) -> Vec<Place> {
        let seen = see_all(needle.lines, tier);
        if self.lacks(&seen, tier) {
            return Vec::new();
        }
        let view = self.view(tier);
        let mut keys = Vec::with_capacity(seen.len());
        for (_, line) in &seen {
            let Some(key) = view.names.get(key(line, tier)) else { return Vec::new() };
            keys.push(*key);
        }
        let start = view.index.partition_point(|line| *line < from);
        let found = find_all(view.keys.get(start..).unwrap_or_default(), &keys);
        if tier >= Tier::Indentation && found.len().saturating_mul(needle.lines.len()) > MAX_COMPARED {
            return Vec::new();
        }
        let place = |first: usize| {
            let first = start + first;
            let shift = match tier {
                Tier::Exact | Tier::TrailingBlanks => Shift::None,
                _ => self.shift(view, first, &seen, needle.added)?,
            };
            let lines = self.frame(view, first, &seen, needle.lines.len(), from)?;
            Some(Place { tier, lines, shift, first })
        };
        found.into_iter().filter_map(place).collect()
    }

    /// For each line of the block the lines of the text that it stands for: one, or for a blank line any number.
    /// Blank lines that the tier did not look at go with the first blank line of the block that stands there.
    pub(crate) fn map(&self, place: &Place, block: &[&str]) -> Vec<Range<usize>> {
        let seen = see_all(block, place.tier);
        let there = self.view(place.tier).index.get(place.first..).unwrap_or_default();
        let mut map = Vec::with_capacity(block.len());
        let (Some((lead, _)), Some(top)) = (seen.first(), there.first()) else { return map };
        let missing = lead.saturating_sub(top - place.lines.start);
        map.extend((0..missing).map(|_| place.lines.start..place.lines.start));
        map.extend((place.lines.start..*top).map(|line| line..line + 1));
        for (at, line) in seen.iter().map(|(at, _)| at).zip(there) {
            if let (Some(before), true) = (map.last().map(|range: &Range<usize>| range.end), map.len() < *at) {
                map.push(before..*line);
                map.resize(*at, *line..*line);
            }
            map.push(*line..line + 1);
        }
        let mut at = map.last().map_or(*top, |range| range.end);
        while map.len() < block.len() {
            let next = (at + 1).min(place.lines.end.max(at));
            map.push(at..next);
            at = next;
        }
        map
    }

    /// The line ending that a line written at this line should have.
    pub(crate) fn ending_at(&self, line: usize) -> &'a str {
        let near = self.lines.get(line).into_iter().chain(self.lines.get(line.saturating_sub(1)));
        let ending = near.chain(self.lines.first()).map(|line| line.ending).find(|ending| !ending.is_empty());
        ending.unwrap_or("\n")
    }

    /// Whether some line of the block stands nowhere, not even within another one.
    fn lacks(&self, seen: &[(usize, Cow<str>)], tier: Tier) -> bool {
        // Of other texts the tier sees what is not written there.
        if tier >= Tier::Punctuation && !self.ascii {
            return false;
        }
        let mut lines: Vec<&str> = seen.iter().map(|(_, line)| key(line, tier)).collect();
        if let (Some(view), true) = (self.views[slot(Tier::Indentation)].get(), tier > Tier::Indentation) {
            // The keys of the further tiers are no others.
            return lines.iter().any(|line| !view.names.contains_key(*line));
        }
        lines.sort_unstable_by_key(|line| std::cmp::Reverse(line.len()));
        lines.dedup();
        lines.iter().take(LOOKED_FOR_FIRST).any(|line| !self.text.contains(line))
    }

    fn shift(&self, view: &View, first: usize, seen: &[(usize, Cow<str>)], added: &[&str]) -> Option<Shift> {
        let there = view.indentations.get(first..)?;
        let shown = seen.iter().zip(there).filter(|((_, line), _)| !indent::is_blank(line));
        let pairs: Vec<(&str, &str)> =
            shown.map(|((_, line), there)| (indent::indentation(line), there.as_ref())).collect();
        Shift::find(&pairs, added, *self.unit.get_or_init(|| indent::unit(&self.lines)))
    }

    /// The lines of a place. Blank lines around the block that the tier did not look at belong to it as far as they
    /// are there.
    fn frame(
        &self,
        view: &View,
        first: usize,
        seen: &[(usize, Cow<str>)],
        count: usize,
        from: usize,
    ) -> Option<Range<usize>> {
        let (lead, _) = seen.first()?;
        let (last, _) = seen.last()?;
        let top = *view.index.get(first)?;
        let bottom = view.index.get(first + seen.len() - 1)? + 1;
        let is_blank = |line: &&Line| indent::is_blank(line.body);
        let above = self.lines.get(from..top)?.iter().rev().take(*lead).take_while(is_blank).count();
        let below = self.lines.get(bottom..)?.iter().take(count - last - 1).take_while(is_blank).count();
        Some(top - above..bottom + below)
    }

    fn view(&self, tier: Tier) -> &View<'a> {
        self.views[slot(tier)].get_or_init(|| View::new(&self.lines, tier))
    }
}

/// Which of the views a tier looks at.
fn slot(tier: Tier) -> usize {
    match tier {
        Tier::Exact => 0,
        Tier::TrailingBlanks => 1,
        Tier::Indentation => 2,
        Tier::BlankLines => 3,
        Tier::Punctuation | Tier::LineNumbers => 4,
    }
}

impl<'a> View<'a> {
    fn new(lines: &[Line<'a>], tier: Tier) -> Self {
        let mut view = Self { index: Vec::new(), keys: Vec::new(), indentations: Vec::new(), names: HashMap::new() };
        for (at, line) in lines.iter().enumerate() {
            let Some(seen) = see(line.body, tier) else { continue };
            let name = match &seen {
                Cow::Borrowed(seen) => Cow::Borrowed(key(seen, tier)),
                Cow::Owned(seen) => Cow::Owned(key(seen, tier).to_owned()),
            };
            let next = view.names.len() as u32;
            view.keys.push(*view.names.entry(name).or_insert(next));
            view.index.push(at);
            if tier >= Tier::Indentation {
                view.indentations.push(match seen {
                    Cow::Borrowed(seen) => Cow::Borrowed(indent::indentation(seen)),
                    Cow::Owned(seen) => Cow::Owned(indent::indentation(&seen).to_owned()),
                });
            }
        }
        view
    }
}

/// The lines as the tier sees them, with their numbers.
fn see_all<'a>(lines: &[&'a str], tier: Tier) -> Vec<(usize, Cow<'a, str>)> {
    lines.iter().enumerate().filter_map(|(at, line)| Some((at, see(line, tier)?))).collect()
}

/// The line as the tier sees it, still indented; None when the tier does not look at it.
fn see(line: &str, tier: Tier) -> Option<Cow<'_, str>> {
    let seen = if tier >= Tier::Punctuation { plain(line) } else { Cow::Borrowed(line) };
    (tier < Tier::BlankLines || !indent::is_blank(&seen)).then_some(seen)
}

/// What of a seen line must be equal.
fn key(seen: &str, tier: Tier) -> &str {
    match tier {
        Tier::Exact => seen,
        Tier::TrailingBlanks => indent::trim_end(seen),
        Tier::Indentation | Tier::BlankLines | Tier::Punctuation | Tier::LineNumbers => indent::trim(seen),
    }
}

/// The line with typographic characters as a keyboard has them.
pub(crate) fn plain(line: &str) -> Cow<'_, str> {
    if line.is_ascii() {
        return Cow::Borrowed(line);
    }
    let mut output = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{ff07}' => output.push('\''),
            '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' => output.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => output.push('-'),
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => output.push(' '),
            '\u{2026}' => output.push_str("..."),
            '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            other => output.push(other),
        }
    }
    Cow::Owned(output)
}

/// Every start of `needle` in `haystack`, overlapping ones too, in linear time (Knuth, Morris and Pratt).
fn find_all(haystack: &[u32], needle: &[u32]) -> Vec<usize> {
    if needle.is_empty() {
        return Vec::new();
    }
    let mut borders = vec![0; needle.len()];
    let mut length = 0;
    for at in 1..needle.len() {
        while length > 0 && needle[at] != needle[length] {
            length = borders[length - 1];
        }
        length += usize::from(needle[at] == needle[length]);
        borders[at] = length;
    }
    let mut found = Vec::new();
    let mut matched = 0;
    for (at, key) in haystack.iter().enumerate() {
        while matched > 0 && needle.get(matched) != Some(key) {
            matched = borders[matched - 1];
        }
        matched += usize::from(needle.get(matched) == Some(key));
        if matched == needle.len() {
            found.push(at + 1 - matched);
        }
    }
    found
}

#[cfg(test)]
mod tests;

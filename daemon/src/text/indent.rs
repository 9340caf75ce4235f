//! Indentation: by what shift a block of lines stands elsewhere, and the same shift on further lines.
//! It never guesses: where more than one shift would do and they differ, there is none.

use std::borrow::Cow;

use crate::text::shape::Line;

/// How every line of a block is indented differently from the same block elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shift {
    /// Not at all.
    None,
    /// This stands before each line.
    Add(String),
    /// This is missing before each line.
    Remove(String),
    /// So many blanks of the one are a tab of the other, and so many tabs come on top.
    ToTabs {
        /// Blanks a tab stands for.
        unit: usize,
        /// Further tabs, or missing ones.
        tabs: isize,
    },
    /// A tab of the one is so many blanks of the other, and so many blanks come on top.
    ToSpaces {
        /// Blanks a tab stands for.
        unit: usize,
        /// Further blanks, or missing ones.
        spaces: isize,
    },
}

/// The blanks a line begins with.
pub(crate) fn indentation(line: &str) -> &str {
    let end = line.find(|character| !matches!(character, ' ' | '\t')).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// Whether a line shows nothing.
pub(crate) fn is_blank(line: &str) -> bool {
    trim(line).is_empty()
}

/// A line without blanks at both ends.
pub(crate) fn trim(line: &str) -> &str {
    line.trim_matches(BLANKS)
}

/// A line without blanks at its end.
pub(crate) fn trim_end(line: &str) -> &str {
    line.trim_end_matches(BLANKS)
}

const BLANKS: [char; 5] = [' ', '\t', '\r', '\u{b}', '\u{c}'];

/// By how much most lines of a text that go deeper do so, in blanks; None when no line does.
pub(crate) fn unit(lines: &[Line]) -> Option<usize> {
    let mut counts = [0usize; 9];
    let mut before = 0;
    for line in lines.iter().filter(|line| !is_blank(line.body)) {
        let width = line.body.len() - line.body.trim_start_matches(' ').len();
        let step = width.saturating_sub(before);
        if let Some(count) = counts.get_mut(step).filter(|_| step >= 2) {
            *count += 1;
        }
        before = width;
    }
    (2..counts.len()).rev().max_by_key(|step| counts[*step]).filter(|step| counts[*step] > 0)
}

impl Shift {
    /// The one shift that turns the indentation of each first line into that of its second one, and that `added`
    /// lines can take too. `unit` is that of the file ([`unit`]). Blank lines must not be among the pairs.
    pub(crate) fn find(pairs: &[(&str, &str)], added: &[&str], unit: Option<usize>) -> Option<Self> {
        let shift = Self::by_prefix(pairs)
            .or_else(|| Self::to_tabs(pairs, added))
            .or_else(|| Self::to_spaces(pairs, added, unit))?;
        added.iter().all(|line| shift.apply(line).is_some()).then_some(shift)
    }

    /// The line with the shift; None when it is indented less than what would be taken away.
    pub(crate) fn apply<'a>(&self, line: &'a str) -> Option<Cow<'a, str>> {
        if is_blank(line) {
            return Some(Cow::Borrowed(line));
        }
        let indentation = indentation(line);
        let rest = line.get(indentation.len()..).unwrap_or_default();
        match self {
            Self::None => Some(Cow::Borrowed(line)),
            Self::Add(prefix) => Some(Cow::Owned(format!("{prefix}{line}"))),
            Self::Remove(prefix) => line.strip_prefix(prefix.as_str()).map(Cow::Borrowed),
            Self::ToTabs { unit, tabs } => {
                let width = only(indentation, ' ')?;
                let count = usize::try_from(isize::try_from(width / unit).ok()? + tabs).ok()?;
                (width % unit == 0).then(|| Cow::Owned("\t".repeat(count) + rest))
            }
            Self::ToSpaces { unit, spaces } => {
                let width = only(indentation, '\t')?.checked_mul(*unit)?;
                let count = usize::try_from(isize::try_from(width).ok()? + spaces).ok()?;
                Some(Cow::Owned(" ".repeat(count) + rest))
            }
        }
    }

    fn by_prefix(pairs: &[(&str, &str)]) -> Option<Self> {
        let (from, to) = pairs.first()?;
        if let Some(prefix) = to.strip_suffix(from) {
            let same = |(from, to): &(&str, &str)| to.strip_prefix(prefix) == Some(from);
            let shift = if prefix.is_empty() { Self::None } else { Self::Add(prefix.to_owned()) };
            return pairs.iter().all(same).then_some(shift);
        }
        let prefix = from.strip_suffix(to)?;
        let same = |(from, to): &(&str, &str)| from.strip_prefix(prefix) == Some(to);
        pairs.iter().all(same).then(|| Self::Remove(prefix.to_owned()))
    }

    /// The unit is what divides every indentation of the given text: models indent it evenly.
    fn to_tabs(pairs: &[(&str, &str)], added: &[&str]) -> Option<Self> {
        let mut divisor = 0;
        for from in pairs.iter().map(|(from, _)| *from) {
            divisor = greatest_common_divisor(divisor, only(from, ' ')?);
        }
        for line in added.iter().filter(|line| !is_blank(line)) {
            divisor = greatest_common_divisor(divisor, only(indentation(line), ' ')?);
        }
        if divisor < 2 {
            return None;
        }
        let mut shift = None;
        for (from, to) in pairs {
            let tabs = isize::try_from(only(to, '\t')?).ok()? - isize::try_from(from.len() / divisor).ok()?;
            if *shift.get_or_insert(tabs) != tabs {
                return None;
            }
        }
        Some(Self::ToTabs { unit: divisor, tabs: shift? })
    }

    /// The unit is what two lines of different depth show, or else that of the file.
    fn to_spaces(pairs: &[(&str, &str)], added: &[&str], unit: Option<usize>) -> Option<Self> {
        let mut widths = Vec::with_capacity(pairs.len());
        for (from, to) in pairs {
            widths.push((only(from, '\t')?, only(to, ' ')?));
        }
        let (tabs, spaces) = *widths.first()?;
        let other = widths.iter().find(|(other, _)| *other != tabs);
        let unit = match other {
            Some((other_tabs, other_spaces)) => {
                spaces.abs_diff(*other_spaces).checked_div(tabs.abs_diff(*other_tabs)).filter(|unit| *unit > 0)?
            }
            None if added.iter().all(|line| is_blank(line) || indentation(line).len() == tabs) => 1,
            None => unit?,
        };
        let shift = |(tabs, spaces): &(usize, usize)| {
            Some(isize::try_from(*spaces).ok()? - isize::try_from(tabs.checked_mul(unit)?).ok()?)
        };
        let spaces = shift(widths.first()?)?;
        widths.iter().all(|pair| shift(pair) == Some(spaces)).then_some(Self::ToSpaces { unit, spaces })
    }
}

/// How long a text is that consists of nothing but this character.
fn only(text: &str, character: char) -> Option<usize> {
    text.chars().all(|other| other == character).then_some(text.len())
}

fn greatest_common_divisor(mut first: usize, mut second: usize) -> usize {
    while second != 0 {
        (first, second) = (second, first % second);
    }
    first
}

#[cfg(test)]
mod tests;

//! The parts in which two long texts may differ, found by the lines that each has but once. What is left between
//! is small, so that comparing it closely takes little time however the texts are made.

use std::collections::HashMap;
use std::ops::Range;

use imara_diff::Token;

/// Parts of so few lines (the product of both sides) are small enough.
const SMALL: usize = 4_000_000;
/// Where so few lines (the product of both sides) are left, each is compared with each.
const FEW: usize = 64;
/// Where single lines repeat too much, so many in a row may not.
const ROW: usize = 32;

/// Lines that may differ; all others are equal, one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

impl Gap {
    /// Whether comparing all its lines takes little time.
    pub(super) fn is_small(&self) -> bool {
        self.old.len().saturating_mul(self.new.len()) <= SMALL
    }

    /// Whether it is plain to see that all its lines are one hunk, and that this stands nowhere else as well.
    pub(super) fn is_one_hunk(&self, old: &[Token], new: &[Token]) -> bool {
        let (removed, added) = (old.get(self.old.clone()), new.get(self.new.clone()));
        let (removed, added) = (removed.unwrap_or_default(), added.unwrap_or_default());
        match (removed.is_empty(), added.is_empty()) {
            (true, _) => !slides(&self.new, new),
            (false, true) => !slides(&self.old, old),
            (false, false) => {
                removed.len().saturating_mul(added.len()) <= FEW && !removed.iter().any(|line| added.contains(line))
            }
        }
    }
}

/// Whether lines could as well be those one further up or down.
fn slides(lines: &Range<usize>, text: &[Token]) -> bool {
    let line = |line: Option<usize>| line.and_then(|line| text.get(line));
    let same = |one: Option<usize>, other: Option<usize>| line(one).is_some_and(|one| line(other) == Some(one));
    same(lines.start.checked_sub(1), lines.end.checked_sub(1)) || same(Some(lines.start), Some(lines.end))
}

/// The gaps of two texts, in order and apart.
pub(super) fn gaps(old: &[Token], new: &[Token]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = trim(old, new, Gap { old: 0..old.len(), new: 0..new.len() }).into_iter().collect();
    for row in [1, ROW] {
        if gaps.iter().all(Gap::is_small) {
            break;
        }
        let split = |gap: Gap| if gap.is_small() { vec![gap] } else { split(old, new, &gap, row) };
        gaps = gaps.into_iter().flat_map(split).collect();
    }
    gaps
}

/// The gap without the equal lines at both ends; None when nothing is left.
fn trim(old: &[Token], new: &[Token], gap: Gap) -> Option<Gap> {
    let (left, right) = (old.get(gap.old.clone())?, new.get(gap.new.clone())?);
    let head = left.iter().zip(right).take_while(|(old, new)| old == new).count();
    let (left, right) = (left.get(head..)?, right.get(head..)?);
    let tail = left.iter().rev().zip(right.iter().rev()).take_while(|(old, new)| old == new).count();
    let gap = Gap { old: gap.old.start + head..gap.old.end - tail, new: gap.new.start + head..gap.new.end - tail };
    (!gap.old.is_empty() || !gap.new.is_empty()).then_some(gap)
}

/// Splits a gap at the rows of so many lines that each side has but once.
fn split(old: &[Token], new: &[Token], gap: &Gap, row: usize) -> Vec<Gap> {
    let (Some(left), Some(right)) = (old.get(gap.old.clone()), new.get(gap.new.clone())) else { return Vec::new() };
    let mut gaps = Vec::new();
    let mut at = (gap.old.start, gap.new.start);
    for (from, to) in rising(common_rows(left, right, row)) {
        let (from, to) = (gap.old.start + from, gap.new.start + to);
        // Equal lines after the row before may reach beyond this one.
        if from < at.0 || to < at.1 {
            continue;
        }
        gaps.extend(trim(old, new, Gap { old: at.0..from, new: at.1..to }));
        at = (from + row, to + row);
    }
    gaps.extend(trim(old, new, Gap { old: at.0..gap.old.end, new: at.1..gap.new.end }));
    gaps
}

/// Where equal rows of so many lines start on both sides, in the order of the old one; only rows that are found once.
/// Rows of the old side do not overlap.
fn common_rows(old: &[Token], new: &[Token], row: usize) -> Vec<(usize, usize)> {
    if row == 1 {
        return common_lines(old, new);
    }
    let mut seen: HashMap<&[Token], Row> = HashMap::new();
    for (start, lines) in old.windows(row).enumerate().step_by(row) {
        let found = seen.entry(lines).or_default();
        (found.old, found.in_old) = (start, found.in_old + 1);
    }
    for (start, lines) in new.windows(row).enumerate() {
        if let Some(found) = seen.get_mut(lines) {
            (found.new, found.in_new) = (start, found.in_new + 1);
        }
    }
    single(seen.into_values())
}

/// As [`common_rows`] of one line each. Tokens are numbers without large gaps, so that a table is quicker than a map.
fn common_lines(old: &[Token], new: &[Token]) -> Vec<(usize, usize)> {
    let most = old.iter().map(|token| token.0 as usize + 1).max().unwrap_or(0);
    let mut seen: Vec<Row> = vec![Row::default(); most];
    for (start, line) in old.iter().enumerate() {
        if let Some(found) = seen.get_mut(line.0 as usize) {
            (found.old, found.in_old) = (start, found.in_old + 1);
        }
    }
    for (start, line) in new.iter().enumerate() {
        if let Some(found) = seen.get_mut(line.0 as usize) {
            (found.new, found.in_new) = (start, found.in_new + 1);
        }
    }
    single(seen)
}

/// Where those are that each side has but once.
fn single(rows: impl IntoIterator<Item = Row>) -> Vec<(usize, usize)> {
    let once = rows.into_iter().filter(|found| found.in_old == 1 && found.in_new == 1);
    let mut rows: Vec<(usize, usize)> = once.map(|found| (found.old, found.new)).collect();
    rows.sort_unstable();
    rows
}

/// Where a row was found last, and how often.
#[derive(Clone, Default)]
struct Row {
    old: usize,
    new: usize,
    in_old: usize,
    in_new: usize,
}

/// The longest choice of pairs of which both sides rise (patience sorting).
fn rising(pairs: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, new)) in pairs.iter().enumerate() {
        let pile = piles.partition_point(|top| pairs.get(*top).is_some_and(|(_, other)| other < new));
        before.push(pile.checked_sub(1).and_then(|pile| piles.get(pile).copied()));
        match piles.get_mut(pile) {
            Some(top) => *top = index,
            None => piles.push(index),
        }
    }
    let mut chosen = Vec::with_capacity(piles.len());
    let mut next = piles.last().copied();
    while let Some(index) = next {
        chosen.extend(pairs.get(index));
        next = before.get(index).copied().flatten();
    }
    chosen.reverse();
    chosen
}

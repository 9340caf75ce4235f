//! Writing into a text by lines: what is kept stays byte for byte, what is added takes the indentation and the
//! line ending of its place. It finds nothing.

use std::ops::Range;

use crate::text::hunks;
use crate::text::indent;
use crate::text::locate::{Haystack, Place};

/// What happens to a block of lines, line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// The next line of the block stays.
    Keep,
    /// The next line of the block goes.
    Remove,
    /// This line is put in.
    Add(&'a str),
}

/// The lines of a text that are replaced, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// The lines that are replaced.
    pub lines: Range<usize>,
    /// What stands there afterwards.
    pub output: Vec<Output>,
}

/// A line of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// A line of the text, by number.
    Kept(usize),
    /// A line, without its ending.
    Added(String),
}

/// The steps from one block to another.
pub(crate) fn steps<'a>(old: &[&str], new: &[&'a str]) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    let mut at = 0;
    for hunk in hunks::diff_lines(old, new) {
        steps.extend((at..hunk.old.start).map(|_| Step::Keep));
        steps.extend(hunk.old.clone().map(|_| Step::Remove));
        let added = new.get(hunk.new.start as usize..hunk.new.end as usize).unwrap_or_default();
        steps.extend(added.iter().map(|line| Step::Add(line)));
        at = hunk.old.end;
    }
    steps.extend((at as usize..old.len()).map(|_| Step::Keep));
    steps
}

/// The lines that the steps would put in.
pub(crate) fn added<'a>(steps: &[Step<'a>]) -> Vec<&'a str> {
    let added = |step: &Step<'a>| if let Step::Add(line) = step { Some(*line) } else { None };
    steps.iter().filter_map(added).collect()
}

/// Takes the steps at a place of a block, of which `map` says where each line stands. Unnamed blank lines between two
/// lines of the block stay when one of the two stays, and count as added where blank lines are. None when a line cannot take the indentation.
pub(crate) fn splice(place: &Place, map: &[Range<usize>], steps: &[Step]) -> Option<Splice> {
    let mut output = Vec::new();
    let mut before: Option<(Step, usize)> = None;
    let mut ranges = map.iter().peekable();
    // Blank lines that stand at this point although the block does not have them.
    let mut blank = 0;
    for step in steps {
        if let Step::Add(line) = step {
            if blank > 0 && indent::is_blank(line) {
                blank -= 1;
                continue;
            }
            blank = 0;
            output.push(Output::Added(place.shift.apply(line)?.into_owned()));
            continue;
        }
        let range = ranges.next()?;
        if *step == Step::Keep {
            if let Some((Step::Remove, end)) = before {
                output.extend((end..range.start).map(Output::Kept));
            }
            let after = ranges.peek().map_or(range.end, |after| after.start);
            blank = after - range.end;
            output.extend((range.start..after).map(Output::Kept));
        }
        before = Some((*step, range.end));
    }
    Some(trimmed(Splice { lines: place.lines.clone(), output }))
}

/// Without the kept lines at both ends, so that two neighbours may share them.
fn trimmed(mut splice: Splice) -> Splice {
    let Range { mut start, mut end } = splice.lines;
    let is_line = |output: &Output, line: usize| *output == Output::Kept(line);
    let lead = splice.output.iter().zip(start..end).take_while(|(output, line)| is_line(output, *line)).count();
    splice.output.drain(..lead);
    start += lead;
    while start < end && splice.output.last().is_some_and(|output| is_line(output, end - 1)) {
        splice.output.pop();
        end -= 1;
    }
    Splice { lines: start..end, output: splice.output }
}

/// The text with all splices, which must be in order and apart. A text without final newline keeps being so, unless
/// its last line goes.
pub(crate) fn write(haystack: &Haystack, splices: &[Splice]) -> String {
    let mut writer = Writer { text: String::new(), ended: true };
    let mut at = 0;
    for splice in splices {
        writer.keep(haystack, at..splice.lines.start);
        let ending = haystack.ending_at(splice.lines.start);
        for output in &splice.output {
            match output {
                Output::Kept(line) => writer.keep(haystack, *line..line + 1),
                Output::Added(body) => writer.push(body, ending, ending),
            }
        }
        at = splice.lines.end;
        let last_is_ours = at == haystack.lines.len() && matches!(splice.output.last(), Some(Output::Added(_)));
        if last_is_ours && haystack.lines.last().is_some_and(|line| line.ending.is_empty()) {
            writer.text.truncate(writer.text.len() - ending.len());
        }
    }
    writer.keep(haystack, at..haystack.lines.len());
    writer.text
}

/// The lines that were added, by their numbers in the text that [`write`] makes; an empty range where lines were only
/// removed.
pub(crate) fn changed(splices: &[Splice]) -> Vec<Range<usize>> {
    let mut changed: Vec<Range<usize>> = Vec::new();
    let (mut at, mut line) = (0, 0);
    for splice in splices {
        line += splice.lines.start.saturating_sub(at);
        at = splice.lines.end;
        let start = line;
        let mut none_yet = true;
        for output in &splice.output {
            if matches!(output, Output::Added(_)) {
                match changed.last_mut().filter(|range| !none_yet && range.end == line) {
                    Some(range) => range.end += 1,
                    None => changed.push(line..line + 1),
                }
                none_yet = false;
            }
            line += 1;
        }
        if none_yet {
            changed.push(start..start);
        }
    }
    changed
}

struct Writer {
    text: String,
    /// The last line has its ending.
    ended: bool,
}

impl Writer {
    fn keep(&mut self, haystack: &Haystack, lines: Range<usize>) {
        for (line, at) in haystack.lines.get(lines.clone()).unwrap_or_default().iter().zip(lines) {
            self.push(line.body, line.ending, haystack.ending_at(at));
        }
    }

    fn push(&mut self, body: &str, ending: &str, usual: &str) {
        if !self.ended {
            self.text.push_str(usual);
        }
        self.text.push_str(body);
        self.text.push_str(ending);
        self.ended = !ending.is_empty();
    }
}

//! Which lines a replacement inside a text changed, without comparing the whole texts.

use std::ops::Range;

/// Keeps count of lines while a text is written with one replacement made at many places.
pub(super) struct Changed {
    /// The changed lines so far.
    pub lines: Vec<Range<usize>>,
    line: usize,
    newlines: usize,
    inside_line: Span,
    at_line_start: Span,
}

/// Which of its own lines a replacement changes; none when it only removes some.
struct Span {
    skipped: usize,
    count: usize,
}

impl Changed {
    /// Both texts have `\n` line endings.
    pub(super) fn new(old: &str, new: &str) -> Self {
        Self {
            lines: Vec::new(),
            line: 0,
            newlines: newlines(new),
            inside_line: Span::of(old, new, false),
            at_line_start: Span::of(old, new, true),
        }
    }

    /// Text was written that stays.
    pub(super) fn pass(&mut self, text: &str) {
        self.line += newlines(text);
    }

    /// The replacement was written.
    pub(super) fn replace(&mut self, at_line_start: bool) {
        let span = if at_line_start { &self.at_line_start } else { &self.inside_line };
        let start = self.line + span.skipped;
        let end = start + span.count;
        match self.lines.last_mut() {
            Some(last) if start < last.end || *last == (start..end) => last.end = last.end.max(end),
            _ => self.lines.push(start..end),
        }
        self.line += self.newlines;
    }
}

impl Span {
    /// Leaves out the lines that both texts begin and end with.
    fn of(old: &str, new: &str, at_line_start: bool) -> Self {
        let equal = |(first, second): &(u8, u8)| first == second;
        let common = old.bytes().zip(new.bytes()).take_while(equal).count();
        let head = new.as_bytes().iter().take(common).rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // What follows a newline that both have is on a character boundary of both.
        let (Some(old), Some(rest)) = (old.get(head..), new.get(head..)) else { return Self { skipped: 0, count: 1 } };
        let at_line_start = at_line_start || head > 0;
        let common = old.bytes().rev().zip(rest.bytes().rev()).take_while(equal).count();
        let whole = |text: &str| match text.len() - common {
            0 => at_line_start,
            before => text.as_bytes().get(before - 1) == Some(&b'\n'),
        };
        let tail = if whole(old) && whole(rest) {
            common
        } else {
            let newline = rest.bytes().skip(rest.len() - common).position(|byte| byte == b'\n');
            newline.map_or(0, |newline| common - newline - 1)
        };
        let removed = old.get(..old.len() - tail).unwrap_or(old);
        let added = rest.get(..rest.len() - tail).unwrap_or(rest);
        let count = match added.is_empty() {
            true => usize::from(!(at_line_start && removed.ends_with('\n'))),
            false => newlines(added) + usize::from(!added.ends_with('\n')),
        };
        Self { skipped: newlines(new.get(..head).unwrap_or_default()), count }
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

//! What a model or a person sees of a long or a raw output: an excerpt that says what it leaves out, and bytes as
//! text that cannot hide anything. It keeps nothing; how to get the rest is the caller's part.

use lines::Lines;
use std::fmt::Write;
use std::ops::Range;

mod lines;
mod printable;
mod telling;

/// What stands for a gap takes at most so many characters.
const NOTE: usize = 64;
/// Below this an excerpt is but the beginning of the text.
const LEAST: usize = 4 * NOTE;

/// The parts of a text that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// What is shown, with a note for each gap.
    pub text: String,
    /// Lines that are not shown at all.
    pub omitted_lines: usize,
    /// Bytes that are not shown, those of cut lines included.
    pub omitted_bytes: usize,
}

/// At most `max_chars` characters of a text: its head, its tail, and of what is between them the lines that look like
/// errors, failures, places in files and summaries, as many as fit. The whole text when it fits.
pub fn excerpt(text: &str, max_chars: usize) -> Excerpt {
    // No character is longer than four bytes, so most texts need no counting.
    if text.len() <= max_chars || (text.len() <= max_chars.saturating_mul(4) && text.chars().count() <= max_chars) {
        return Excerpt { text: text.to_owned(), omitted_lines: 0, omitted_bytes: 0 };
    }
    let lines = Lines::of(text);
    if max_chars < LEAST {
        return beginning(text, &lines, max_chars);
    }
    let rest = max_chars - NOTE;
    // A few long lines are shown all, each without its middle.
    let all_fit = |widest: &usize| lines.iter().map(|line| width(line).min(*widest)).sum::<usize>() <= rest;
    let cut = (1..=4).map(|parts| rest / parts).find(all_fit).filter(|_| lines.len() * NOTE <= rest);
    let widest = cut.unwrap_or(max_chars / 4).max(NOTE);
    let shown = |at: usize| lines.get(at).map_or(0, |line| width(line).min(widest));
    let rest = if cut.is_some() { usize::MAX / 100 } else { rest };
    let head = fill(0..lines.len(), shown, rest * 35 / 100);
    let tail = fill((head..lines.len()).rev(), shown, rest * 35 / 100);
    let middle = head..lines.len() - tail;
    let spent: usize = (0..head).chain(middle.end..lines.len()).map(shown).sum();
    let picked = pick(&lines, middle.clone(), shown, rest.saturating_sub(spent));
    let mut output = Output { text: String::new(), widest, omitted_lines: 0, omitted_bytes: 0 };
    for at in 0..head {
        output.line(&lines, at);
    }
    let mut next = head;
    for at in picked {
        output.gap(&lines, next..at);
        output.line(&lines, at);
        next = at + 1;
    }
    output.gap(&lines, next..middle.end);
    for at in middle.end..lines.len() {
        output.line(&lines, at);
    }
    Excerpt { text: output.text, omitted_lines: output.omitted_lines, omitted_bytes: output.omitted_bytes }
}

/// Bytes as text that shows what it holds: broken UTF-8 becomes `\u{fffd}`, terminal sequences vanish, a line that
/// was drawn over again and again stays as it was drawn last, and other control, direction and invisible characters
/// are written as `\u{…}`. Newlines and tabs stay.
pub fn printable(bytes: &[u8]) -> String {
    printable::printable(bytes)
}

/// Too little room for choices.
fn beginning(text: &str, lines: &Lines<'_>, max_chars: usize) -> Excerpt {
    let note = "\n[… cut …]";
    let room = max_chars.checked_sub(width(note));
    let end = text.char_indices().nth(room.unwrap_or(max_chars)).map_or(text.len(), |(at, _)| at);
    let (shown, omitted) = text.split_at(end);
    let whole = shown.split_inclusive('\n').count();
    let note = if room.is_some() { note } else { "" };
    Excerpt { text: format!("{shown}{note}"), omitted_lines: lines.len() - whole, omitted_bytes: omitted.len() }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// How many lines fit, one after the other.
fn fill(lines: impl Iterator<Item = usize>, shown: impl Fn(usize) -> usize, budget: usize) -> usize {
    let mut left = budget;
    lines
        .take_while(|at| {
            let fits = shown(*at) <= left;
            left = left.saturating_sub(shown(*at));
            fits
        })
        .count()
}

/// The most telling lines that fit, in the order of the text. Each may need a note before it. What the telling lines
/// leave free goes to the lines after the head.
fn pick(lines: &Lines<'_>, middle: Range<usize>, shown: impl Fn(usize) -> usize, budget: usize) -> Vec<usize> {
    let mut left = budget;
    let mut picked: Vec<usize> = Vec::new();
    let weights: Vec<(telling::Weight, usize)> =
        middle.clone().filter_map(|at| Some((telling::weight(lines.get(at)?)?, at))).collect();
    for weight in telling::Weight::ALL {
        for (_, at) in weights.iter().filter(|(other, _)| *other == weight) {
            // A line next to a picked one needs no note, but then the note is not missed either.
            let cost = shown(*at) + NOTE;
            if cost <= left {
                left -= cost;
                picked.push(*at);
            }
        }
    }
    picked.sort_unstable();
    let mut more = Vec::new();
    for at in middle {
        if picked.binary_search(&at).is_ok() {
            continue;
        }
        if shown(at) > left {
            break;
        }
        left -= shown(at);
        more.push(at);
    }
    picked.extend(more);
    picked.sort_unstable();
    picked
}

struct Output {
    text: String,
    widest: usize,
    omitted_lines: usize,
    omitted_bytes: usize,
}

impl Output {
    /// A line, and if it is too long then without its middle.
    fn line(&mut self, lines: &Lines<'_>, at: usize) {
        let Some(line) = lines.get(at) else { return };
        let length = width(line);
        if length <= self.widest {
            self.text.push_str(line);
            return;
        }
        let (body, ending) = line.split_at(line.trim_end_matches('\n').len());
        let room = self.widest.saturating_sub(NOTE + ending.len());
        let head = room * 2 / 3;
        let start = body.char_indices().nth(head).map_or(body.len(), |(at, _)| at);
        let tail = room - head;
        let end = body.char_indices().rev().nth(tail.saturating_sub(1)).map_or(body.len(), |(at, _)| at).max(start);
        let end = if tail == 0 { body.len() } else { end };
        let left_out = end - start;
        self.omitted_bytes += left_out;
        let (first, last) = (body.get(..start).unwrap_or_default(), body.get(end..).unwrap_or_default());
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{first}[… {} of this line left out …]{last}{ending}", size(left_out));
    }

    fn gap(&mut self, lines: &Lines<'_>, range: Range<usize>) {
        let (gap, bytes) = (range.len(), lines.bytes(range).len());
        if gap == 0 {
            return;
        }
        self.omitted_lines += gap;
        self.omitted_bytes += bytes;
        let plural = if gap == 1 { "" } else { "s" };
        let _ = writeln!(self.text, "[… {} line{plural}, {} left out …]", gap, size(bytes));
    }
}

/// A number of bytes in words.
fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests;

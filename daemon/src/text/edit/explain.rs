//! The words a model reads when its edit was refused: what is wrong, what stands there instead, what to do.

use std::fmt::Write;

use crate::text::edit::{Mismatch, Replacement};
use crate::text::locate::Tier;
use crate::text::nearest::{self, Nearest};
use crate::text::shape::{self, Line};

/// The most bytes of an explanation.
const MAX_BYTES: usize = 2_000;
/// Places of an ambiguous text that are shown with their surroundings.
const SHOWN_PLACES: usize = 4;

pub(super) fn explain(mismatch: &Mismatch, text: &str, replacement: &Replacement) -> String {
    let lines = shape::split(shape::split_bom(text).1);
    match mismatch {
        Mismatch::Empty => {
            "old_string is empty. Give the text to replace; to create a file or to replace all of it use \
             `write`; to insert, give the line before as old_string and that line with the new ones as new_string."
                .to_owned()
        }
        Mismatch::Unchanged if replacement.old == replacement.new => {
            "old_string and new_string are equal: nothing would change.".to_owned()
        }
        Mismatch::Unchanged => {
            "Nothing would change: with new_string in place of old_string the file stays as it is.".to_owned()
        }
        Mismatch::Ambiguous { tier, places, lines: starts } => ambiguous(&lines, *tier, *places, starts),
        Mismatch::AlreadyApplied { lines: starts } => format!(
            "old_string is not in the file, but new_string stands there already, at {}. Perhaps this edit was made \
             before; read the file before you go on.",
            numbers(starts, starts.len())
        ),
        Mismatch::Missing { nearest } => missing(text, &lines, replacement, nearest),
    }
}

fn ambiguous(lines: &[Line], tier: Tier, places: usize, starts: &[usize]) -> String {
    let how = if tier == Tier::Exact { String::new() } else { format!(" ({tier})") };
    let mut output = format!(
        "old_string stands at {places} places{how}: {}. Nothing was changed. Give more lines around it, or near_line \
         with the line that is meant, or replace_all.\n",
        numbers(starts, places)
    );
    for start in starts.iter().take(SHOWN_PLACES) {
        output.push('\n');
        for (at, line) in lines.iter().enumerate().skip(start.saturating_sub(1)).take(3) {
            let _ = writeln!(output, "{:>6}   {}", at + 1, nearest::shown(line.body, false));
        }
    }
    output
}

fn missing(text: &str, lines: &[Line], replacement: &Replacement, found: &[Nearest]) -> String {
    let mut output = String::from("old_string is not in the file. Nothing was changed.");
    if let Some(hint) = escaped(text, replacement.old) {
        output.push_str(hint);
    }
    let old: Vec<&str> = shape::split(replacement.old).into_iter().map(|line| line.body).collect();
    if found.is_empty() {
        output.push_str(
            " Nothing in it resembles old_string: is it another file, or was the text changed? Read it first.",
        );
    }
    for (index, nearest) in found.iter().enumerate() {
        let lead = if index == 0 { "Nearest:" } else { "Also near:" };
        let _ = write!(output, "\n{lead} {nearest}");
        output.push_str(if index == 0 { "; `-` is old_string, `+` is the file:\n" } else { ":\n" });
        // The second place gets what the first one left, and none when that is too little to be read.
        let left = MAX_BYTES.saturating_sub(output.len());
        let budget = if index == 0 && found.len() > 1 { left * 2 / 3 } else { left };
        output.push_str(&nearest::differences(lines, &old, nearest, budget));
        if MAX_BYTES - output.len().min(MAX_BYTES) < 300 {
            break;
        }
    }
    output
}

/// Whether the quoted text is there when one level of escapes is taken off.
fn escaped(text: &str, old: &str) -> Option<&'static str> {
    let bare = old.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"").replace("\\\\", "\\");
    (bare != old && text.contains(bare.as_str()))
        .then_some(" It is there once the escapes (\\n, \\t, \\\") are taken off: old_string was escaped twice.")
}

/// `line 3`, or `lines 3, 7 and 9`.
fn numbers(starts: &[usize], total: usize) -> String {
    let numbers: Vec<String> = starts.iter().map(|start| (start + 1).to_string()).collect();
    match numbers.as_slice() {
        [only] => format!("line {only}"),
        [first @ .., last] if total <= starts.len() => format!("lines {} and {last}", first.join(", ")),
        all => format!("lines {} and {} more", all.join(", "), total - starts.len().min(total)),
    }
}

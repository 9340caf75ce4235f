//! A text as a person is asked about it: nothing in it is hidden, turned round or pushed off the screen. Never shortens what can be seen.

/// Blanks and line ends that may follow one another before they are counted instead of shown.
const BLANKS: usize = 100;

/// Line ends that may do so.
const LINE_ENDS: usize = 10;

/// A text that shows all it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What is shown.
    pub text: String,
    /// Whether anything is shown otherwise than it is. If nothing is, `text` is the text.
    pub escaped: bool,
}

/// Shows every character that nobody would see as `\u{..}`, and a long run of blanks as its count. Line ends and tabs stay.
#[must_use]
pub fn shown(text: &str) -> Shown {
    let mut shown = String::with_capacity(text.len());
    let mut escaped = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if is_blank(c) {
            let run = rest.len() - rest.trim_start_matches(is_blank).len();
            // Blanks are one byte each.
            let (blanks, after) = rest.split_at(run);
            let line_ends = blanks.matches('\n').count();
            if run > BLANKS || line_ends > LINE_ENDS {
                escaped = true;
                shown.push_str(&format!("[{run} blanks, {line_ends} of them line ends]"));
            } else {
                shown.push_str(blanks);
            }
            rest = after;
            continue;
        }
        if is_unseen(c) {
            escaped = true;
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Shown { text: shown, escaped }
}

/// A text that is one line: as [`shown`], with line ends and tabs shown too.
#[must_use]
pub fn shown_line(text: &str) -> Shown {
    let Shown { text, escaped } = shown(text);
    if text.contains(['\n', '\t']) {
        return Shown { text: text.replace('\n', "\\u{a}").replace('\t', "\\u{9}"), escaped: true };
    }
    Shown { text, escaped }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// Controls, blanks that are no space, and characters that show nothing, or turn or change others (Unicode 16: general categories Cc, Cf
/// and Zs, default ignorables, and the blanks of scripts that have letters for them).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffd}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests;

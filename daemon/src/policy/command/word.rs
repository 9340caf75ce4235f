//! One word of a command line: its quotes resolved, or why that cannot be done. Knows nothing of the grammar.

use super::Why;

/// The text of a word that stands for itself. Refuses whatever a shell would expand, and every unquoted character that is not known to be
/// plain.
pub(super) fn read(raw: &str) -> Result<String, Why> {
    if raw.is_empty() {
        return Err("a word is missing");
    }
    let mut word = String::new();
    let mut rest = raw.chars();
    let mut before = None;
    while let Some(c) = rest.next() {
        match c {
            '\'' => single(&mut rest, &mut word)?,
            '"' => double(&mut rest, &mut word)?,
            '\\' => match rest.next() {
                Some(next) if next.is_ascii_graphic() || next == ' ' => word.push(next),
                Some(_) | None => return Err("it holds a backslash that is not modelled"),
            },
            // A home folder is meant at the beginning of a word, and behind `=` and `:`.
            '~' if before.is_some_and(|before: char| before.is_ascii_alphanumeric()) => word.push(c),
            '^' if before.is_some() => word.push(c),
            _ if is_plain(c) => word.push(c),
            _ => return Err(unquoted(c)),
        }
        before = Some(c);
    }
    Ok(word)
}

/// Name and value of an assignment before a program.
pub(super) fn assignment(raw: &str) -> Result<(String, String), Why> {
    let (name, value) = raw.split_once('=').ok_or("it holds an assignment that is not modelled")?;
    if !is_name(name) {
        return Err("it holds an assignment that is not modelled");
    }
    let value = if value.is_empty() { String::new() } else { read(value)? };
    Ok((name.to_owned(), value))
}

/// Whether a word begins as an assignment does.
pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end_matches('+')))
}

/// The word as a shell would have to be told it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',' | '+' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Why a character may stand nowhere: it is not seen, or seen as something else.
pub(super) fn unseen(c: char) -> Option<Why> {
    match c {
        '\n' | '\t' => None,
        _ if c.is_control() => Some("it holds a control character"),
        _ if c.is_whitespace() && c != ' ' => Some("it holds a blank that is no space"),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' => Some(INVISIBLE),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' => {
            Some(INVISIBLE)
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}' => {
            Some(INVISIBLE)
        }
        _ => None,
    }
}

const INVISIBLE: Why = "it holds a character that nobody sees";

fn single(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Why> {
    loop {
        match rest.next() {
            Some('\'') => return Ok(()),
            Some('\n') => return Err("a line ends inside its quotes"),
            Some(c) => word.push(c),
            None => return Err("a quote is not closed"),
        }
    }
}

fn double(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Why> {
    loop {
        match rest.next() {
            Some('"') => return Ok(()),
            Some('\n') => return Err("a line ends inside its quotes"),
            Some(c @ ('$' | '`' | '!')) => return Err(unquoted(c)),
            Some('\\') => match rest.next() {
                Some(c @ ('$' | '`' | '"' | '\\')) => word.push(c),
                Some('\n') | None => return Err("it holds a backslash that is not modelled"),
                // Left as it is, but for this one, which an interactive shell sees differently.
                Some('!') => return Err(unquoted('!')),
                Some(c) => word.extend(['\\', c]),
            },
            Some(c) => word.push(c),
            None => return Err("a quote is not closed"),
        }
    }
}

fn is_plain(c: char) -> bool {
    match c {
        '_' | '-' | '.' | '/' | ':' | ',' | '+' | '@' | '%' | '=' => true,
        _ => c.is_alphanumeric(),
    }
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && letters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn unquoted(c: char) -> Why {
    match c {
        '$' => "it holds an expansion",
        '`' => "it runs a command inside a word",
        '*' | '?' | '[' | ']' => "it holds a pattern for file names",
        '{' | '}' => "it holds a brace",
        '~' => "it names a home folder",
        '!' => "it holds an exclamation mark that is not quoted",
        '#' => "it holds a comment",
        _ => "it holds an unquoted character that is not modelled",
    }
}

#[cfg(test)]
mod tests;

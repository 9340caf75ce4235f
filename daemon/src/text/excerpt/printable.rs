//! Bytes of a program's output as text without terminal sequences and invisible characters.

use std::iter::Peekable;
use std::str::Chars;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
const STRING_TERMINATOR: char = '\u{9c}';

pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut output = String::with_capacity(text.len());
    let mut line = Line { text: String::new(), redrawn: false };
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\n' => line.finish(&mut output),
            '\r' => line.redrawn = true,
            '\u{8}' => line.back(),
            ESCAPE => escape(&mut chars),
            '\u{9b}' => control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => control_string(&mut chars),
            '\t' => line.push('\t'),
            hidden if is_hidden(hidden) => hidden.escape_unicode().for_each(|escaped| line.push(escaped)),
            shown => line.push(shown),
        }
    }
    output.push_str(&line.text);
    output
}

/// The line being drawn.
struct Line {
    text: String,
    /// What comes next begins the line anew. What was there stays if nothing comes.
    redrawn: bool,
}

impl Line {
    fn push(&mut self, character: char) {
        if self.redrawn {
            self.text.clear();
            self.redrawn = false;
        }
        self.text.push(character);
    }

    fn back(&mut self) {
        if !self.redrawn {
            self.text.pop();
        }
    }

    fn finish(&mut self, output: &mut String) {
        output.push_str(&self.text);
        output.push('\n');
        self.text.clear();
        self.redrawn = false;
    }
}

/// Skips what follows an escape character (ECMA-48).
fn escape(chars: &mut Peekable<Chars>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            control_string(chars);
        }
        Some(' '..='/') => {
            while chars.next_if(|next| matches!(next, ' '..='/')).is_some() {}
            chars.next_if(|next| matches!(next, '0'..='~'));
        }
        Some('0'..='~') => {
            chars.next();
        }
        Some(_) | None => {}
    }
}

/// Parameters, intermediates and one final character. A sequence that is broken off ends where it breaks.
fn control_sequence(chars: &mut Peekable<Chars>) {
    while chars.next_if(|next| matches!(next, ' '..='?')).is_some() {}
    chars.next_if(|next| matches!(next, '@'..='~'));
}

/// Titles, links and the like, up to their terminator. One that is never terminated ends with its line, lest it hide
/// the rest of the output.
fn control_string(chars: &mut Peekable<Chars>) {
    while let Some(next) = chars.next_if(|next| *next != '\n') {
        if matches!(next, BELL | STRING_TERMINATOR) {
            return;
        }
        if next == ESCAPE {
            chars.next_if_eq(&'\\');
            return;
        }
    }
}

/// Controls, and characters that show nothing or turn the direction of others: a reader would not see them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

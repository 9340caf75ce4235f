//! Places in a text as (line, column) and as byte offset, in the three column encodings that editors speak.
//!
//! `\n` and `\r\n` end a line. A lone `\r` does not: editors that honour it send texts in which it no longer occurs.

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, the default of the Language Server Protocol.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// How many columns a character takes.
    pub fn width(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// The byte offset of a zero-based line and column. A column past the end of its line means the end of it (before
/// the line ending); one inside a character means the start of that character. None when there is no such line.
pub fn offset(text: &str, line: u32, column: u32, encoding: Encoding) -> Option<usize> {
    let start = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line as usize - 1)?.0 + 1,
    };
    let body = line_body(text.get(start..)?);
    let column = column as usize;
    let mut passed = 0;
    for (at, character) in body.char_indices() {
        passed += encoding.width(character);
        if passed > column {
            return Some(start + at);
        }
    }
    Some(start + body.len())
}

/// The zero-based line and column of a byte offset. An offset past the end means the end, one inside a character
/// the start of that character, one inside `\r\n` the end of its line.
pub fn position(text: &str, offset: usize, encoding: Encoding) -> (u32, u32) {
    let offset = text.floor_char_boundary(offset);
    let (before, _) = text.split_at(offset);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let body = text.get(start..).map_or("", line_body);
    let end = offset.min(start + body.len());
    let column: usize =
        text.get(start..end).unwrap_or_default().chars().map(|character| encoding.width(character)).sum();
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// What stands before the first line ending.
fn line_body(text: &str) -> &str {
    match text.split_once('\n') {
        Some((line, _)) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    }
}

#[cfg(test)]
mod tests;

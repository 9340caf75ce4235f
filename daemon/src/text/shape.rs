//! What a text looks like: its byte order mark, its line endings and its lines. It never changes a text.

/// The byte order mark that some editors put at the start of a UTF-8 file.
pub const BOM: &str = "\u{feff}";

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnding {
    /// Every line ends with `\n`, or there is but one line.
    Lf,
    /// Every line ends with `\r\n`.
    CrLf,
    /// Both occur.
    Mixed,
}

/// What an edit must leave as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextShape {
    /// The text begins with a byte order mark.
    pub bom: bool,
    /// How its lines end.
    pub line_ending: LineEnding,
    /// The last line has an ending too. An empty text has none.
    pub final_newline: bool,
}

impl TextShape {
    /// Looks at a whole text once.
    pub fn of(text: &str) -> Self {
        let newlines = text.bytes().filter(|byte| *byte == b'\n').count();
        let pairs = text.matches("\r\n").count();
        let line_ending = match pairs {
            0 => LineEnding::Lf,
            _ if pairs == newlines => LineEnding::CrLf,
            _ => LineEnding::Mixed,
        };
        Self { bom: text.starts_with(BOM), line_ending, final_newline: text.ends_with('\n') }
    }
}

/// One line of a text. `\n` and `\r\n` end a line, a lone `\r` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its ending.
    pub body: &'a str,
    /// `\n`, `\r\n`, or nothing at the end of the text.
    pub ending: &'a str,
}

/// The lines of a text; an empty text has none, and a final newline begins no further line.
pub fn split(text: &str) -> Vec<Line<'_>> {
    text.split_inclusive('\n').map(split_ending).collect()
}

/// Takes the byte order mark off: (the mark or nothing, the rest).
pub fn split_bom(text: &str) -> (&str, &str) {
    text.split_at(if text.starts_with(BOM) { BOM.len() } else { 0 })
}

fn split_ending(line: &str) -> Line<'_> {
    let body = match line.strip_suffix('\n') {
        Some(body) => body.strip_suffix('\r').unwrap_or(body),
        None => line,
    };
    let (body, ending) = line.split_at(body.len());
    Line { body, ending }
}

#[cfg(test)]
mod tests;

//! What people see: text without anything that could act on their terminal, a few colours, and one status line. Knows nothing of
//! sessions.

use crate::cli::Environment;
use crate::text::excerpt::printable;
use std::io::{IsTerminal, Write};

/// Columns of text where there is no terminal to ask.
const USUAL_WIDTH: usize = 80;

/// Words are not set wider than this, however wide the terminal is.
const TEXT_WIDTH: usize = 100;

/// Text from models, tools and files, with all in it escaped that a terminal would obey.
#[must_use]
pub fn safe(text: &str) -> String {
    printable(text.as_bytes())
}

/// A reader that went away is no error: it had what it wanted.
///
/// # Errors
/// All others.
pub fn ignore_closed(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As the rest.
    Plain,
    /// Secondary.
    Dim,
    /// A heading.
    Bold,
    /// Went well; added.
    Green,
    /// Went wrong; removed.
    Red,
    /// A place, or a question.
    Cyan,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Look::Plain => "0",
            Look::Dim => "2",
            Look::Bold => "1",
            Look::Green => "32",
            Look::Red => "31",
            Look::Cyan => "36",
        }
    }
}

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No control codes at all.
    Never,
    /// A few.
    Some,
}

/// Where a status line can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusLine {
    /// Nowhere: stderr is no terminal.
    None,
    /// On a terminal that shows nothing else of ours.
    Apart,
    /// On the terminal that shows the text too, and so only between its lines.
    Below,
}

/// What the two outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// Of stdout.
    pub colour: Colour,
    /// Columns of stdout; `None` where lines have no end.
    pub width: Option<usize>,
    /// On stderr.
    pub status: StatusLine,
}

impl Looks {
    /// As the terminals are and the environment wishes.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let dumb = environment.get("TERM").is_some_and(|terminal| terminal == "dumb");
        let coloured = stdout.is_terminal() && !set("NO_COLOR") && !dumb;
        let columns = rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
        Self {
            colour: if coloured { Colour::Some } else { Colour::Never },
            width: stdout.is_terminal().then(|| columns.filter(|columns| *columns >= 20).unwrap_or(USUAL_WIDTH)),
            status: match (stderr.is_terminal() && !dumb, stdout.is_terminal()) {
                (false, _) => StatusLine::None,
                (true, false) => StatusLine::Apart,
                (true, true) => StatusLine::Below,
            },
        }
    }

    /// Columns that words are set in; `None` where lines have no end.
    #[must_use]
    pub fn text_width(&self) -> Option<usize> {
        self.width.map(|width| width.min(TEXT_WIDTH))
    }

    /// Text in a look.
    #[must_use]
    pub fn paint(&self, look: Look, text: &str) -> String {
        match (self.colour, look) {
            (Colour::Never, _) | (_, Look::Plain) => text.to_owned(),
            (Colour::Some, look) => format!("\x1b[{}m{text}\x1b[0m", look.code()),
        }
    }

    /// The beginning of a text that fits this many columns from the end of a line, marked when it was cut.
    #[must_use]
    pub fn fit(&self, text: &str, taken: usize) -> String {
        match self.width {
            Some(width) => cut(text, width.saturating_sub(taken).max(8)),
            None => text.to_owned(),
        }
    }
}

/// At most so many characters, the last one a mark when some were left out.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The two outputs, of which one may show a status.
pub struct Screen {
    looks: Looks,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    at_line_start: bool,
    status_shown: bool,
}

impl Screen {
    /// Of this program's own outputs.
    #[must_use]
    pub fn new(looks: Looks) -> Self {
        Self::on(looks, Box::new(std::io::stdout()), Box::new(std::io::stderr()))
    }

    /// Of any two.
    #[must_use]
    pub fn on(looks: Looks, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { looks, out, err, at_line_start: true, status_shown: false }
    }

    /// What the outputs are.
    #[must_use]
    pub fn looks(&self) -> Looks {
        self.looks
    }

    /// Writes to stdout, as it is, at once.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn print(&mut self, text: &str) -> std::io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.looks.status == StatusLine::Below {
            self.clear_status();
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()?;
        self.at_line_start = text.ends_with('\n');
        Ok(())
    }

    /// Ends the line that stdout is in, if it is in one.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn end_line(&mut self) -> std::io::Result<()> {
        if self.at_line_start { Ok(()) } else { self.print("\n") }
    }

    /// Writes a line to stderr.
    pub fn complain(&mut self, line: &str) {
        self.clear_status();
        // Nobody is left to tell when this fails.
        let _ = writeln!(self.err, "{line}");
    }

    /// Shows a status, instead of the one that is shown, where that disturbs nothing.
    pub fn show_status(&mut self, status: &str) {
        let fits = match self.looks.status {
            StatusLine::None => false,
            StatusLine::Apart => true,
            StatusLine::Below => self.at_line_start,
        };
        if !fits {
            return;
        }
        let status = cut(status, self.looks.width.unwrap_or(USUAL_WIDTH) - 1);
        let painted = match self.looks.colour {
            Colour::Some => format!("\x1b[2m{status}\x1b[0m"),
            Colour::Never => status,
        };
        // The text is written over what stood there and the rest erased, so that nothing flickers.
        let _ = write!(self.err, "\r{painted}\x1b[K");
        let _ = self.err.flush();
        self.status_shown = true;
    }

    /// Takes the status away.
    pub fn clear_status(&mut self) {
        if std::mem::take(&mut self.status_shown) {
            let _ = write!(self.err, "\r\x1b[K");
            let _ = self.err.flush();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear_status();
    }
}

/// Sets streamed words in lines: a word that would pass the edge begins the next line. What stands in a code fence stays as it is.
#[derive(Debug)]
pub struct Wrap {
    width: Option<usize>,
    column: usize,
    /// The word that is not whole yet.
    word: String,
    /// Blanks before it.
    blanks: String,
    /// The line so far, as far as it matters for fences.
    line_start: String,
    in_fence: bool,
}

impl Wrap {
    /// For lines of this width; `None` leaves the text alone.
    #[must_use]
    pub fn new(width: Option<usize>) -> Self {
        let (word, blanks, line_start) = (String::new(), String::new(), String::new());
        Self { width, column: 0, word, blanks, line_start, in_fence: false }
    }

    /// What can be printed of the text so far.
    #[must_use]
    pub fn push(&mut self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let mut output = String::new();
        for character in text.chars() {
            if self.line_start.len() < 16 && character != '\n' {
                self.line_start.push(character);
            }
            match character {
                '\n' => {
                    self.end_word(&mut output, width);
                    self.blanks.clear();
                    output.push('\n');
                    self.column = 0;
                    if self.line_start.trim_start().starts_with("```") {
                        self.in_fence = !self.in_fence;
                    }
                    self.line_start.clear();
                }
                ' ' | '\t' => {
                    self.end_word(&mut output, width);
                    self.blanks.push(character);
                }
                _ => self.word.push(character),
            }
        }
        output
    }

    /// What is left.
    #[must_use]
    pub fn finish(&mut self) -> String {
        let Some(width) = self.width else { return String::new() };
        let mut output = String::new();
        self.end_word(&mut output, width);
        *self = Self::new(self.width);
        output
    }

    fn end_word(&mut self, output: &mut String, width: usize) {
        if self.word.is_empty() {
            return;
        }
        let (blanks, word) = (std::mem::take(&mut self.blanks), std::mem::take(&mut self.word));
        let (gap, length) = (blanks.chars().count(), word.chars().count());
        let fenced = self.in_fence || self.line_start.trim_start().starts_with("```");
        if self.column > 0 && self.column + gap + length > width && !fenced {
            output.push('\n');
            self.column = 0;
        } else {
            output.push_str(&blanks);
            self.column += gap;
        }
        output.push_str(&word);
        self.column += length;
    }
}

#[cfg(test)]
mod tests;

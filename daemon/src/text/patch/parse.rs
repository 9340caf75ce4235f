//! From the text of a patch to its operations, forgiving what models get wrong in form. It looks at no file.

use crate::text::patch::{Chunk, ChunkLine, FileOp, PatchError};
use crate::text::shape;

/// A line that begins with `*** `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive<'a> {
    Begin,
    End,
    EndOfFile,
    Add(&'a str),
    Update(&'a str),
    Delete(&'a str),
    MoveDirectory(&'a str),
    MoveTo(&'a str),
}

pub(super) fn parse(text: &str) -> Result<Vec<FileOp>, PatchError> {
    let all: Vec<&str> = shape::split(shape::split_bom(text).1).into_iter().map(|line| line.body).collect();
    if all.iter().all(|line| directive(line).is_none()) {
        return Err(malformed(1, no_operation(text)));
    }
    let mut reader = Reader { lines: unwrap(&all), at: 0 };
    let mut operations = Vec::new();
    while let Some((number, line)) = reader.next() {
        let operation = match directive(line) {
            Some(Directive::Begin) => continue,
            // Whatever follows the end is prose, unless another patch begins there.
            Some(Directive::End) => {
                reader.skip_until(|line| directive(line) == Some(Directive::Begin));
                continue;
            }
            Some(Directive::Add(path)) => FileOp::Add { path: path_at(path, number)?, content: reader.content()? },
            Some(Directive::Update(path)) => reader.update(path_at(path, number)?, number)?,
            Some(Directive::Delete(path)) => FileOp::Delete { path: path_at(path, number)? },
            Some(Directive::MoveDirectory(from)) => reader.move_directory(path_at(from, number)?, number)?,
            Some(Directive::MoveTo(_)) => {
                return Err(malformed(
                    number,
                    "`*** Move to:` must follow `*** Update File:` or `*** Move Directory:`",
                ));
            }
            Some(Directive::EndOfFile) => continue,
            None if line.trim().is_empty() => continue,
            None => return Err(unexpected(number, line)),
        };
        operations.push(operation);
    }
    if operations.is_empty() {
        return Err(malformed(1, no_operation(text)));
    }
    Ok(operations)
}

/// The lines of the patch proper, numbered from 1: without what stands before its beginning, and without the end of a
/// code fence or of a here-document that was opened there.
fn unwrap<'a>(all: &[&'a str]) -> Vec<(usize, &'a str)> {
    let begin = all.iter().position(|line| directive(line) == Some(Directive::Begin));
    let first = begin.or_else(|| all.iter().position(|line| directive(line).is_some())).unwrap_or(0);
    let (before, patch) = all.split_at(first);
    let mut lines: Vec<(usize, &str)> = patch.iter().zip(first + 1..).map(|(line, number)| (number, *line)).collect();
    let fenced = before.iter().any(|line| line.trim_start().starts_with("```"));
    let terminator = before.iter().rev().find_map(|line| here_document(line));
    while let Some((_, line)) = lines.last() {
        // A line of one blank may be a kept one.
        let closes = fenced && line.trim() == "```" || terminator.is_some_and(|end| line.trim() == end);
        if !line.is_empty() && !closes {
            break;
        }
        lines.pop();
    }
    if let Some((_, last)) = lines.last_mut().filter(|(_, last)| directive(last) == Some(Directive::End)) {
        *last = last.trim_start();
    }
    lines
}

/// The word that ends a here-document which this line opens: `EOF` in `apply_patch <<'EOF'`.
fn here_document(line: &str) -> Option<&str> {
    let (_, word) = line.split_once("<<")?;
    let word = word.trim_start_matches('-').trim_start().trim_start_matches(['\'', '"', '\\']);
    let end = word.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(word.len());
    word.get(..end).filter(|word| !word.is_empty())
}

fn directive(line: &str) -> Option<Directive<'_>> {
    let rest = line.trim().strip_prefix("***")?.trim_start();
    let bare = |name: &str| rest.trim_end_matches([':', '*', ' ']).eq_ignore_ascii_case(name);
    if bare("Begin Patch") {
        return Some(Directive::Begin);
    }
    if bare("End Patch") {
        return Some(Directive::End);
    }
    if bare("End of File") {
        return Some(Directive::EndOfFile);
    }
    let (name, path) = rest.split_once(':')?;
    let path = path.trim().trim_matches(['`', '"', '\'']);
    let is = |other: &str| name.trim().eq_ignore_ascii_case(other);
    if is("Add File") {
        Some(Directive::Add(path))
    } else if is("Update File") {
        Some(Directive::Update(path))
    } else if is("Delete File") {
        Some(Directive::Delete(path))
    } else if is("Move Directory") {
        Some(Directive::MoveDirectory(path))
    } else if is("Move to") {
        Some(Directive::MoveTo(path))
    } else {
        None
    }
}

/// A directive among the lines of a file, where a leading blank marks a kept line.
fn unmarked_directive(line: &str) -> Option<Directive<'_>> {
    directive(line).filter(|_| !line.starts_with(' '))
}

struct Reader<'a> {
    lines: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Iterator for Reader<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<(usize, &'a str)> {
        self.lines.get(self.at).copied()
    }

    fn skip_until(&mut self, found: impl Fn(&str) -> bool) {
        while self.peek().is_some_and(|(_, line)| !found(line)) {
            self.at += 1;
        }
    }

    /// The lines up to the next operation. What begins with `*** ` and is none cannot be told from a mistyped one.
    fn body(&mut self) -> Result<Vec<(usize, &'a str)>, PatchError> {
        let mut body = Vec::new();
        while let Some((number, line)) = self.peek() {
            match unmarked_directive(line) {
                Some(Directive::EndOfFile) => {}
                Some(_) => break,
                None if line.starts_with("*** ") => return Err(unexpected(number, line)),
                None => {}
            }
            body.push((number, line));
            self.at += 1;
        }
        Ok(body)
    }

    /// The content of an added file. A model may have left out every `+`, but not some of them.
    fn content(&mut self) -> Result<String, PatchError> {
        let mut body = self.body()?;
        body.retain(|(_, line)| unmarked_directive(line) != Some(Directive::EndOfFile));
        while body.last().is_some_and(|(_, line)| line.is_empty()) {
            body.pop();
        }
        let marked = body.iter().any(|(_, line)| line.starts_with('+'));
        let mut content = String::new();
        for (number, line) in body {
            content.push_str(match line.strip_prefix('+') {
                Some(line) => line,
                None if !marked || line.is_empty() => line,
                None => return Err(malformed(number, "every line of an added file begins with `+`")),
            });
            content.push('\n');
        }
        Ok(content)
    }

    fn move_directory(&mut self, from: String, number: usize) -> Result<FileOp, PatchError> {
        while self.peek().is_some_and(|(_, line)| line.trim().is_empty()) {
            self.at += 1;
        }
        let Some((at, Some(Directive::MoveTo(to)))) = self.peek().map(|(at, line)| (at, directive(line))) else {
            return Err(malformed(number, "`*** Move Directory:` must be followed by `*** Move to: <new path>`"));
        };
        self.at += 1;
        Ok(FileOp::MoveDirectory { from, to: path_at(to, at)? })
    }

    fn update(&mut self, path: String, number: usize) -> Result<FileOp, PatchError> {
        let mut move_to = None;
        if let Some((at, Some(Directive::MoveTo(to)))) = self.peek().map(|(at, line)| (at, directive(line))) {
            move_to = Some(path_at(to, at)?);
            self.at += 1;
        }
        let chunks = chunks(&self.body()?);
        if chunks.is_empty() && move_to.is_none() {
            let what = format!("the update of {path} changes nothing: give lines with `-` or `+`");
            return Err(malformed(number, what));
        }
        Ok(FileOp::Update { path, move_to, chunks })
    }
}

/// The chunks that change something.
fn chunks(body: &[(usize, &str)]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk::default();
    let mut lines = body.iter().map(|(_, line)| *line).peekable();
    while let Some(line) = lines.next() {
        if let Some(header) = header(line) {
            if !chunk.lines.is_empty() {
                chunks.push(std::mem::take(&mut chunk));
            }
            chunk.headers.extend((!header.is_empty()).then(|| header.to_owned()));
        } else if unmarked_directive(line) == Some(Directive::EndOfFile) {
            chunk.end_of_file = true;
            chunks.push(std::mem::take(&mut chunk));
        } else if line.starts_with("--- ")
            && chunk.lines.is_empty()
            && lines.next_if(|next| next.starts_with("+++ ")).is_some()
        {
            // The file names of a unified diff say nothing new.
        } else if !line.starts_with("\\ No newline at end") {
            chunk.lines.push(chunk_line(line));
        }
    }
    chunks.push(chunk);
    chunks.retain(|chunk| chunk.lines.iter().any(|line| !matches!(line, ChunkLine::Keep { .. })));
    chunks
}

fn chunk_line(line: &str) -> ChunkLine {
    if let Some(line) = line.strip_prefix('-') {
        ChunkLine::Remove(line.to_owned())
    } else if let Some(line) = line.strip_prefix('+') {
        ChunkLine::Add(line.to_owned())
    } else if let Some(line) = line.strip_prefix(' ') {
        ChunkLine::Keep { text: line.to_owned(), marked: true }
    } else {
        ChunkLine::Keep { text: line.to_owned(), marked: false }
    }
}

/// What an `@@` line names: `f` in `@@ f`, `@@ f @@` and `@@ -1,2 +3,4 @@ f`; nothing in a bare one.
fn header(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("@@")?;
    let is_range = |text: &str| {
        let mut words = text.split_whitespace();
        let is = |word: Option<&str>, mark: char| {
            word.and_then(|word| word.strip_prefix(mark)).is_some_and(|word| {
                !word.is_empty() && word.chars().all(|character| character.is_ascii_digit() || character == ',')
            })
        };
        is(words.next(), '-') && is(words.next(), '+') && words.next().is_none()
    };
    let (first, after) = rest.split_once("@@").unwrap_or((rest, ""));
    if is_range(first) {
        return Some(after.trim());
    }
    let rest = rest.strip_suffix("@@").unwrap_or(rest);
    // One blank separates; the others may be the indentation of the line that is named.
    Some(rest.strip_prefix(' ').unwrap_or(rest).trim_end())
}

fn path_at(path: &str, line: usize) -> Result<String, PatchError> {
    if path.is_empty() {
        return Err(malformed(line, "the path is missing"));
    }
    Ok(path.to_owned())
}

fn no_operation(text: &str) -> &'static str {
    if text.trim().is_empty() {
        "the patch is empty"
    } else if text.contains("diff --git") || text.contains("\n+++ ") {
        "this is a unified diff; write it as `*** Begin Patch`, `*** Update File: <path>`, chunks after `@@` with a \
         blank, `-` or `+` before each line, `*** End Patch`"
    } else {
        "no operation found; a patch is `*** Begin Patch`, then `*** Add File: <path>`, `*** Update File: <path>`, \
         `*** Delete File: <path>` or `*** Move Directory: <path>`, then `*** End Patch`"
    }
}

fn unexpected(number: usize, line: &str) -> PatchError {
    let shown: String = line.chars().take(80).collect();
    malformed(
        number,
        format!(
            "`{}` is not an operation; expected `*** Add File:`, `*** Update File:`, `*** Delete File:`, \
             `*** Move Directory:`, `*** Move to:`, `*** End of File` or `*** End Patch`",
            shown.escape_debug()
        ),
    )
}

fn malformed(line: usize, what: impl Into<String>) -> PatchError {
    PatchError::Malformed { line, what: what.into() }
}

//! The repository as text: which files there are, and what of a Rust file is code. Owns reading; judges nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub struct File {
    /// From the repository's root, with slashes.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// Of a Rust file: the same lines and columns with comments blank and what stands in quotes replaced by quotes.
    /// Otherwise as `text`.
    pub code: String,
}

impl File {
    /// Wraps a text, for the checks of the checks.
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { code_of(text) } else { text.to_owned() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is there for tests only.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The path below `daemon/src/`, of the daemon's own code without its tests.
    pub fn in_daemon(&self) -> Option<&str> {
        self.path.strip_prefix("daemon/src/").filter(|_| self.is_rust() && !self.is_test())
    }

    /// `path:line`, of a byte of the text.
    pub fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.path, self.text[..offset].matches('\n').count() + 1)
    }

    /// Where the words stand in the code, as whole words.
    pub fn mentions<'a>(&'a self, words: &'a str) -> impl Iterator<Item = usize> + 'a {
        whole_words(&self.code, words)
    }
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests' package lies in the root").to_owned()
}

/// Every text file that is or would be committed.
pub fn files() -> Vec<File> {
    paths().iter().filter_map(|path| Some(File::new(path, &fs::read_to_string(root().join(path)).ok()?))).collect()
}

/// Every path that is or would be committed, text or not.
pub fn paths() -> Vec<String> {
    let listing = Command::new("git")
        // A checkout may belong to another user than the one who tests it.
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the repository's files");
    assert!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8(listing.stdout).expect("paths are UTF-8");
    listing.split_terminator('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// Where `words` stand in `text` with no letter, digit or underscore around them.
pub fn whole_words<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let (opens, closes) = (words.starts_with(part_of_word), words.ends_with(part_of_word));
    text.match_indices(words).map(|(at, _)| at).filter(move |&at| {
        !(opens && text[..at].ends_with(part_of_word) || closes && text[at + words.len()..].starts_with(part_of_word))
    })
}

/// The identifier a text begins with; may be empty.
pub fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The names that stand directly below `root` in the code, with where: of `crate::{a::B, c}` and `crate::d` it is a, c, d.
pub fn names_below<'a>(code: &'a str, root: &str) -> Vec<(usize, &'a str)> {
    let path = format!("{root}::");
    let mut names = Vec::new();
    for at in whole_words(code, &path) {
        let start = at + path.len();
        if !code[start..].starts_with('{') {
            names.push((start, identifier(&code[start..])));
            continue;
        }
        let mut depth = 0;
        let mut expected = false;
        for (offset, c) in code[start..].char_indices() {
            match c {
                '{' => (depth, expected) = (depth + 1, depth == 0),
                '}' => depth -= 1,
                ',' => expected = depth == 1,
                c if expected && !c.is_whitespace() => {
                    names.push((start + offset, identifier(&code[start + offset..])));
                    expected = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// The lines that hold code.
pub fn code_lines(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

// Blanks comments and fills quoted text with quotes, byte for byte, so that places stay what they were.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let (length, fill) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Some(' ')),
            '/' if rest.starts_with("/*") => (block_comment(rest), Some(' ')),
            '"' => (quoted(rest), Some('"')),
            'r' if !after_word || code.ends_with(['b', 'c']) => raw_quoted(rest).map_or((1, None), |n| (n, Some('"'))),
            '\'' => character(rest).map_or((1, None), |n| (n, Some('"'))),
            c => (c.len_utf8(), None),
        };
        let (taken, left) = rest.split_at(length);
        match fill {
            None => code.push_str(taken),
            Some(fill) => code.extend(taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { fill })),
        }
        rest = left;
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += step.0;
        at += step.1;
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_quoted(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|&byte| byte == b'#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&end).map_or(text.len(), |at| 1 + hashes + 1 + at + end.len()))
}

// A quote opens a character when one character (or an escape) and a quote follow; otherwise it is a lifetime's.
fn character(text: &str) -> Option<usize> {
    let mut rest = text.char_indices().skip(1);
    if rest.next()?.1 == '\\' {
        let escaped = rest.next()?;
        let closing = text[escaped.0 + 1..].find('\'')?;
        return Some(escaped.0 + 1 + closing + 1);
    }
    rest.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

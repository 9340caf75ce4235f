//! Reading git's configuration format: sections, keys and values, nothing of what they mean.

use std::path::Path;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Entry {
    /// In lower case.
    pub(in crate::workspace) section: String,
    /// As written, without its quotes.
    pub(in crate::workspace) subsection: Option<String>,
    /// In lower case.
    pub(in crate::workspace) key: String,
    /// Without quotes and comments; `true` when there was none.
    pub(in crate::workspace) value: String,
}

/// A file's settings, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::workspace) struct Config(Vec<Entry>);

impl Config {
    pub(in crate::workspace) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The last value of a key that has no subsection.
    pub(in crate::workspace) fn last(&self, section: &str, key: &str) -> Option<&str> {
        let is_it = |entry: &&Entry| entry.section == section && entry.subsection.is_none() && entry.key == key;
        self.0.iter().rev().find(is_it).map(|entry| entry.value.as_str())
    }
}

/// Reads a file; `None` when there is none, or git would refuse it.
pub(in crate::workspace) fn read(path: &Path) -> Option<Config> {
    parse(&super::read_text(path)?)
}

/// Reads a text; `None` when git would refuse it.
pub(in crate::workspace) fn parse(text: &str) -> Option<Config> {
    let mut config = Config::default();
    let mut section: Option<(String, Option<String>)> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start();
        match rest.chars().next() {
            None => return Some(config),
            Some('#' | ';') => rest = rest.split_once('\n').map_or("", |(_, rest)| rest),
            Some('[') => {
                let (header, after) = header(rest)?;
                (section, rest) = (Some(header), after);
            }
            Some(_) => {
                let (section, subsection) = section.clone()?;
                let (key, value, after) = setting(rest)?;
                config.0.push(Entry { section, subsection, key, value });
                rest = after;
            }
        }
    }
}

/// `[section]`, `[section "sub"]` or the old `[section.sub]`.
fn header(text: &str) -> Option<((String, Option<String>), &str)> {
    let text = text.strip_prefix('[')?;
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))?;
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start_matches([' ', '\t']);
    if let Some(rest) = rest.strip_prefix(']') {
        let name = name.to_ascii_lowercase();
        return Some(match name.split_once('.') {
            Some((section, sub)) => ((section.to_owned(), Some(sub.to_owned())), rest),
            None => ((name, None), rest),
        });
    }
    let quoted = rest.strip_prefix('"')?;
    let mut sub = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = quoted.get(at + 1..)?.strip_prefix(']')?;
                return Some(((name.to_ascii_lowercase(), Some(sub)), rest));
            }
            '\\' => sub.push(chars.next()?.1),
            '\n' => return None,
            c => sub.push(c),
        }
    }
    None
}

fn setting(text: &str) -> Option<(String, String, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let key = key.to_ascii_lowercase();
    let rest = rest.trim_start_matches([' ', '\t']);
    match rest.strip_prefix('=') {
        Some(rest) => value(rest).map(|(value, rest)| (key, value, rest)),
        None if rest.is_empty() || rest.starts_with(['\n', '#', ';']) => Some((key, "true".to_owned(), rest)),
        None => None,
    }
}

/// A value to the end of its line: quotes, escapes, comments, and lines that go on after a backslash.
fn value(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let mut value = String::new();
    // Blanks at the end do not count, unless they are quoted.
    let mut kept = 0;
    let mut is_quoted = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' if is_quoted => return None,
            '\n' => return finish(value, kept, text.get(at..)?),
            '#' | ';' if !is_quoted => {
                let rest = text.get(at..)?;
                return finish(value, kept, rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or(""));
            }
            '"' => is_quoted = !is_quoted,
            '\\' => match chars.next()?.1 {
                '\n' => continue,
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'b' => value.push('\u{8}'),
                c @ ('"' | '\\') => value.push(c),
                _ => return None,
            },
            c => value.push(c),
        }
        if is_quoted || !matches!(c, ' ' | '\t') {
            kept = value.len();
        }
    }
    if is_quoted { None } else { finish(value, kept, "") }
}

fn finish(mut value: String, kept: usize, rest: &str) -> Option<(String, &str)> {
    value.truncate(kept);
    Some((value, rest))
}

#[cfg(test)]
mod tests;

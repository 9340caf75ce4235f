//! Lines without what looks like a key. Pure.
//!
//! Keys of ours never get this far, since their type prints as stars. This is for what others print: libraries that show their headers
//! and addresses, and words of a server. It knows shapes, not keys, so it would rather hide a word too many.

use std::borrow::Cow;
use std::ops::Range;

/// What stands for a key.
const STARS: &str = "***";

/// Beginnings of keys, and how many characters of a key follow at least.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-", 8),
    ("sk_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 20),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("gsk_", 16),
    ("hf_", 16),
    ("npm_", 16),
    ("pplx-", 16),
    ("xai-", 16),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxe-", 8),
    ("xoxp-", 8),
    ("xoxr-", 8),
    ("xoxs-", 8),
    ("xapp-", 8),
    // A JSON web token: a JSON object in base64.
    ("eyJ", 24),
];

/// Words that a key follows, in any case.
const SCHEMES: &[&str] = &["bearer", "basic"];

/// Names of fields, headers and parameters whose value is a key, in any case.
const NAMES: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "client_secret",
    "cookie",
    "password",
    "refresh_token",
    "x-api-key",
    "x-goog-api-key",
];

/// The shortest value that a name makes a key, in bytes.
const SHORTEST: usize = 4;

/// The text with stars for all that looks like a key.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < text.len() {
        match secret(text.as_bytes(), at) {
            Some(span) => {
                shown.push_str(text.get(copied..span.start).unwrap_or_default());
                shown.push_str(STARS);
                (copied, at) = (span.end, span.end);
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(shown)
}

/// Where the key lies whose mark begins at `at`. It begins and ends beside ASCII characters, so it cuts none in two.
fn secret(text: &[u8], at: usize) -> Option<Range<usize>> {
    if text.get(at..)?.starts_with(b"://") {
        return userinfo(text, at + 3);
    }
    let is_begun = at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|&byte| is_word(byte));
    if is_begun {
        return None;
    }
    prefixed(text, at).or_else(|| announced(text, at)).or_else(|| named(text, at))
}

/// What stands before the host of an address.
fn userinfo(text: &[u8], from: usize) -> Option<Range<usize>> {
    let length = run(text, from, |byte| !b"/?#\"'<>\\".contains(&byte) && byte.is_ascii_graphic());
    let authority = text.get(from..from + length)?;
    let at = authority.iter().rposition(|&byte| byte == b'@').filter(|&at| at > 0)?;
    Some(from..from + at)
}

fn prefixed(text: &[u8], at: usize) -> Option<Range<usize>> {
    PREFIXES.iter().find_map(|(prefix, least)| {
        text.get(at..)?.starts_with(prefix.as_bytes()).then_some(())?;
        let from = at + prefix.len();
        let length = run(text, from, |byte| is_word(byte) || byte == b'.');
        (length >= *least).then_some(from..from + length)
    })
}

fn announced(text: &[u8], at: usize) -> Option<Range<usize>> {
    let scheme = SCHEMES.iter().find(|scheme| begins(text, at, scheme))?;
    let end = at + scheme.len();
    let from = end + run(text, end, |byte| byte == b' ');
    let length = run(text, from, |byte| is_word(byte) || b".~+/=".contains(&byte));
    (from > end && length >= 2 * SHORTEST).then_some(from..from + length)
}

fn named(text: &[u8], at: usize) -> Option<Range<usize>> {
    let name = NAMES.iter().find(|name| begins(text, at, name))?;
    let end = at + name.len();
    let mark = run(text, end, |byte| b" \"'\\:=".contains(&byte));
    if !text.get(end..end + mark)?.iter().any(|byte| b":=".contains(byte)) {
        return None;
    }
    let from = end + mark;
    // Of a header all of the line is its value; elsewhere a value ends with its word.
    let is_header = matches!(*name, "authorization" | "cookie");
    let length = run(text, from, |byte| !b"\"'\\,&}\r\n".contains(&byte) && (is_header || !byte.is_ascii_whitespace()));
    (length >= SHORTEST).then_some(from..from + length)
}

fn begins(text: &[u8], at: usize, word: &str) -> bool {
    text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
}

fn run(text: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    text.get(from..).unwrap_or_default().iter().take_while(|&&byte| belongs(byte)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

#[cfg(test)]
mod tests;

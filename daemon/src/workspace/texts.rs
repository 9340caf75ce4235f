//! Texts as editors show them and as the disk keeps them: the same but for a byte order mark, which editors hide. Pure.

use crate::review::Content;
use std::sync::Arc;

/// What UTF-8 files of some systems begin with.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A file as an editor would show it; nothing when it is no text.
pub(super) fn shown(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.strip_prefix(MARK).unwrap_or(bytes)).ok()
}

/// The bytes of an editor's text, with the mark where the file had one.
pub(super) fn kept(text: &str, before: &[u8]) -> Arc<[u8]> {
    if before.starts_with(MARK) && !text.as_bytes().starts_with(MARK) {
        return [MARK, text.as_bytes()].concat().into();
    }
    text.as_bytes().into()
}

/// What a review sees of a file. Those without lines are told apart by what they hold.
pub(super) fn content(bytes: Option<Vec<u8>>) -> Content {
    match bytes {
        None => Content::Absent,
        Some(bytes) if bytes.contains(&0) => Content::Other(blake3::hash(&bytes).to_hex().as_str().into()),
        Some(bytes) => Content::Text(bytes.into()),
    }
}

/// The bytes of a text.
pub(super) fn bytes(content: &Content) -> Option<&[u8]> {
    match content {
        Content::Text(bytes) => Some(bytes),
        Content::Absent | Content::Other(_) => None,
    }
}

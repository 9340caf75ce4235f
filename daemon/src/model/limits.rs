//! How large an answer and its parts may be.

use crate::model::ModelError;

/// The largest event that is held, and the most that the values in it may take.
pub(crate) const MAX_EVENT: usize = 16 << 20;
/// About what one value of an event takes, its name and its place in a list included.
pub(crate) const VALUE: usize = 72;
/// The most bytes of one answer, decompressed.
pub(crate) const MAX_ANSWER: usize = 64 << 20;
/// The most bytes of one call's arguments.
pub(crate) const MAX_ARGUMENTS: usize = 8 << 20;

/// The error of an answer that is over a limit.
pub(crate) fn too_large(url: &str, what: &'static str, max: usize) -> ModelError {
    ModelError::TooLarge { url: url.to_owned(), what, max }
}

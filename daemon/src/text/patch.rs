//! Patches in the dialect that `apply_patch` made known: reading them, and making their changes in one text.
//!
//! ```text
//! *** Begin Patch
//! *** Add File: path            every line of the new file after a `+`
//! *** Update File: path
//! *** Move to: new path         optional
//! @@ def f():                   optional: a line above the change; several of them narrow it down in turn
//!  kept                         a blank, `-` or `+` before each line
//! -removed
//! +added
//! *** End of File               optional: the chunk ends where the file does
//! *** Delete File: path
//! *** Move Directory: path      ours: moves a directory with all that is in it;
//! *** Move to: new path         must follow it
//! *** End Patch
//! ```
//!
//! Models bend these rules, so reading is lenient where only one meaning is left: missing markers at both ends, code
//! fences and shell wrappers around, `\r\n`, blank lines between parts, kept lines without their blank, `@@` lines in
//! the form of unified diffs. Placing is as strict as [`edit`](crate::text::edit): only equal lines, and only one place.
//!
//! The operations are meant one after the other, as they stand: one file may be updated twice. That either all of
//! them or none happen is the caller's part.

mod apply;
mod parse;

/// One operation of a patch. Paths are as the model wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOp {
    /// A new file.
    Add {
        /// Where.
        path: String,
        /// All of it, with `\n` line endings.
        content: String,
    },
    /// Changes in a file, or its move, or both.
    Update {
        /// Where it is.
        path: String,
        /// Where it shall be.
        move_to: Option<String>,
        /// The changes, from top to bottom.
        chunks: Vec<Chunk>,
    },
    /// A file that goes.
    Delete {
        /// Where.
        path: String,
    },
    /// A directory that is moved with all that is in it.
    MoveDirectory {
        /// Where it is.
        from: String,
        /// Where it shall be.
        to: String,
    },
}

/// One change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The `@@` lines before it, outermost first.
    pub headers: Vec<String>,
    /// Its lines.
    pub lines: Vec<ChunkLine>,
    /// It ends where the file does.
    pub end_of_file: bool,
}

/// One line of a chunk, without its mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkLine {
    /// It stays.
    Keep {
        /// The line.
        text: String,
        /// It had its leading blank; a model that forgot some may have forgotten all.
        marked: bool,
    },
    /// It goes.
    Remove(String),
    /// It is put in.
    Add(String),
}

/// Why a patch cannot be read or placed. The words are for a model, at most 2 KB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is not a patch of this dialect.
    #[error("line {line} of the patch: {what}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The lines of a chunk are not in the file, or not where it can look for them.
    #[error("chunk {chunk}: {what}")]
    Missing {
        /// Counted from 1.
        chunk: usize,
        /// What was looked for, and the nearest lines.
        what: String,
    },
    /// The lines of a chunk stand at several places.
    #[error("chunk {chunk}: {what}")]
    Ambiguous {
        /// Counted from 1.
        chunk: usize,
        /// Where they stand and what to do.
        what: String,
    },
}

/// Reads a patch.
///
/// # Errors
/// [`PatchError::Malformed`], when it has no operation or more than one meaning.
pub fn parse(text: &str) -> Result<Vec<FileOp>, PatchError> {
    parse::parse(text)
}

/// Makes the changes of one file in its text: all or none. Line endings, byte order mark, and a missing final newline
/// stay, and so do all kept lines byte for byte.
///
/// # Errors
/// Naming the chunk, when a chunk has no place or more than one. The caller knows the path and puts it before.
pub fn apply_chunks(text: &str, chunks: &[Chunk]) -> Result<String, PatchError> {
    apply::apply(text, chunks)
}

#[cfg(test)]
mod tests;

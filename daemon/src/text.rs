//! Stub until the branch `text` lands.
#![allow(missing_docs, unused)]
pub mod edit {
    pub struct Replacement<'a> {
        pub old: &'a str,
        pub new: &'a str,
        pub replace_all: bool,
        pub near_line: Option<u32>,
    }
    pub struct Replaced {
        pub text: String,
        pub lines: Vec<std::ops::Range<usize>>,
    }
    pub enum Mismatch {
        Missing { x: u8 },
        Unchanged,
    }
    impl Mismatch {
        pub fn explain(&self, text: &str, r: &Replacement<'_>) -> String {
            String::new()
        }
    }
    pub fn replace(text: &str, r: &Replacement<'_>) -> Result<Replaced, Mismatch> {
        if text.contains(r.old) {
            Ok(Replaced { text: text.replacen(r.old, r.new, 1), lines: vec![0..1] })
        } else {
            Err(Mismatch::Missing { x: 0 })
        }
    }
}
pub mod excerpt {
    pub struct Excerpt {
        pub text: String,
        pub omitted_lines: usize,
        pub omitted_bytes: usize,
    }
    pub fn excerpt(text: &str, max_chars: usize) -> Excerpt {
        Excerpt { text: text.to_owned(), omitted_lines: 0, omitted_bytes: 0 }
    }
    pub fn printable(text: &[u8]) -> String {
        String::from_utf8_lossy(text).into_owned()
    }
}
pub mod hunks {
    pub struct LineHunk {
        pub old: std::ops::Range<u32>,
        pub new: std::ops::Range<u32>,
    }
    pub fn diff(old: &str, new: &str) -> Vec<LineHunk> {
        Vec::new()
    }
    pub fn lines(text: &str) -> Vec<&str> {
        text.split_inclusive('\n').collect()
    }
    pub fn spans(old: &str, new: &str) -> Vec<(u32, u32, u32)> {
        Vec::new()
    }
    pub fn unified(old: &str, new: &str, old_name: &str, new_name: &str, context: usize) -> String {
        String::new()
    }
}
pub mod patch {
    pub struct Chunk;
    pub enum FileOp {
        Add { path: String, content: String },
        Update { path: String, move_to: Option<String>, chunks: Vec<Chunk> },
        Delete { path: String },
        MoveDirectory { from: String, to: String },
    }
    pub fn parse(text: &str) -> Result<Vec<FileOp>, String> {
        Ok(Vec::new())
    }
    pub fn apply_chunks(text: &str, chunks: &[Chunk]) -> Result<String, String> {
        Ok(String::new())
    }
}

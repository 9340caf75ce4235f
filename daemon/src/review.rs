//! The change ledger of one root: for each file that an agent or its command changed, what it held when its review began, what it holds,
//! who wrote which line, and what is proposed. Hunks are derived from these texts, always; no flag beside a text says what was reviewed.
//!
//! Pure: it reads and writes no file and asks nobody. What is to be written is handed to the caller, who says when it was.

use crate::path::RootedPath;
use pilotfish_protocol::{HunkId, SessionId, TurnId};
use std::ops::Range;
use std::sync::Arc;

/// Whose session and turn a change belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// The session.
    pub session: SessionId,
    /// Its turn.
    pub turn: TurnId,
}

/// Who wrote a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Author {
    /// Whoever sits at the editor, or anybody else who is not the agent.
    Person,
    /// A tool that edits.
    Agent(Source),
    /// A command that the agent ran.
    Command(Source),
}

/// What stands under a name, as far as review goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nothing.
    Absent,
    /// Lines: bytes without NUL, maybe no UTF-8, with their byte order mark, line ends and last line as they are.
    Text(Arc<[u8]>),
    /// What has no lines: a binary or very large file, a link. The words tell one from another, and only the caller reads them.
    Other(Arc<str>),
}

/// What the person decides about hunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// The agent's lines become the person's.
    Keep,
    /// The agent's lines go.
    Undo,
    /// Takes a keep back.
    Unkeep,
    /// Puts a proposal into the text.
    Accept,
    /// Drops a proposal.
    Reject,
}

/// Which hunks: those that everything said here fits. Nothing said means all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// By their ids.
    pub hunks: Option<Vec<HunkId>>,
    /// Of one file.
    pub path: Option<RootedPath>,
    /// These lines of the text as it is, from 0; of hunks that lie there in part, that part.
    pub lines: Option<Range<u32>>,
    /// Of one turn.
    pub turn: Option<TurnId>,
    /// Of one session.
    pub session: Option<SessionId>,
}
pub mod rebase;
use crate::path::AbsPath;
use pilotfish_protocol::Hunk;
#[derive(Debug)]
pub struct Ledger;
#[derive(Debug, Clone)]
pub struct Write {
    pub path: RootedPath,
    pub expected: Content,
    pub wanted: Content,
}
pub struct NoSuchHunk;
impl Ledger {
    pub fn new(_root: AbsPath) -> Self {
        Self
    }
    pub fn record(&mut self, _path: &RootedPath, _before: &Content, _after: &Content, _author: &Author) {}
    pub fn current(&self, _path: &RootedPath) -> Option<&Content> {
        None
    }
    pub fn base(&self, _path: &RootedPath) -> Option<&Content> {
        None
    }
    pub fn paths(&self) -> impl Iterator<Item = &RootedPath> {
        std::iter::empty()
    }
    pub fn hunks(&mut self, _path: &RootedPath, _version: Option<i32>, _ids: &mut dyn FnMut() -> HunkId) -> Vec<Hunk> {
        vec![]
    }
    pub fn propose(&mut self, _path: &RootedPath, _current: &Content, _proposed: &Content, _source: &Source) {}
    pub fn seen_by(&self, _session: &SessionId, _path: &RootedPath) -> Option<Content> {
        None
    }
    pub fn proposed_by(&self, _session: &SessionId) -> Vec<RootedPath> {
        vec![]
    }
    pub fn keep(&mut self, _s: &Selection) -> Result<Vec<RootedPath>, crate::workspace::ReviewError> {
        Ok(vec![])
    }
    pub fn unkeep(&mut self, _s: &Selection) -> Result<Vec<RootedPath>, crate::workspace::ReviewError> {
        Ok(vec![])
    }
    pub fn reject(&mut self, _s: &Selection) -> Result<Vec<RootedPath>, crate::workspace::ReviewError> {
        Ok(vec![])
    }
    pub fn undo(&self, _s: &Selection) -> Result<Vec<Write>, crate::workspace::ReviewError> {
        Ok(vec![])
    }
    pub fn accept(&self, _s: &Selection) -> Result<Vec<Write>, crate::workspace::ReviewError> {
        Ok(vec![])
    }
    pub fn accepted(&mut self, _w: &Write) {}
    pub fn undone(&mut self, _w: &Write) {}
    pub fn told(&mut self, _s: &SessionId) -> Option<String> {
        None
    }
}

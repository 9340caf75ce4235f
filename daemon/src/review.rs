//! The change ledger of one root: for each file that an agent or its command changed, what it held when its review began, what it holds,
//! who wrote which line, and what is proposed. Hunks are derived from these texts, always; no flag beside a text says what was reviewed.
//!
//! Pure: it reads and writes no file and asks nobody. What is to be written is handed to the caller, who says when it was.

use crate::path::{AbsPath, RootedPath};
use file::File;
use pilotfish_protocol::{Hunk, HunkId, SessionId, TurnId};
use sheet::Choice;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use told::{Deed, Notes};

mod body;
mod file;
mod lines;
mod rebase;
mod saved;
mod sheet;
mod shown;
mod told;

pub use rebase::{Overlap, rebase};
pub use saved::{Saved, SavedError};

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

/// Where one thing that waits is, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    id: HunkId,
    source: Source,
    lines: Range<u32>,
}

impl Mark {
    /// What has no lines.
    fn whole(id: &HunkId, source: &Source) -> Self {
        Self { id: id.clone(), source: source.clone(), lines: 0..0 }
    }
}

/// Where names of new hunks come from.
struct Ids(Box<dyn FnMut() -> HunkId + Send + Sync>);

impl Ids {
    /// For what is only tried out.
    fn none() -> Self {
        Self(Box::new(|| HunkId(String::new())))
    }

    fn next(&mut self) -> HunkId {
        (self.0)()
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

/// Why hunks cannot be decided about as was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// It is resolved, or never was.
    #[error("there is no hunk {0} any more")]
    Missing(HunkId),
    /// Keep and undo are for what is in the text.
    #[error("hunk {0} is a proposal: accept or reject it")]
    Proposed(HunkId),
    /// Accept and reject are for what is not in the text.
    #[error("hunk {0} is in the text: keep or undo it")]
    Applied(HunkId),
    /// Its lines were changed since it was proposed.
    #[error("hunk {0} cannot be accepted: its lines were changed meanwhile; reject it, or change them by hand")]
    Conflict(HunkId),
}

/// A text that a decision asks for. The caller writes it and then calls [`Ledger::done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The file.
    pub path: RootedPath,
    /// What it must hold before.
    pub expected: Content,
    /// What it is to hold.
    pub wanted: Content,
    /// The hunks that this decides about.
    pub hunks: Vec<HunkId>,
    verb: Verb,
    choices: Vec<Choice>,
}

/// What was changed and proposed in one root, and waits for the person.
#[derive(Debug)]
pub struct Ledger {
    root: AbsPath,
    files: BTreeMap<RootedPath, File>,
    told: Notes,
    ids: Ids,
}

impl Ledger {
    /// An empty one for a root. `ids` makes a new id each time.
    #[must_use]
    pub fn new(root: AbsPath, ids: impl FnMut() -> HunkId + Send + Sync + 'static) -> Self {
        Self { root, files: BTreeMap::new(), told: Notes::default(), ids: Ids(Box::new(ids)) }
    }

    /// The file became `after`. For an agent or a command this begins its review, with `before` as the text below; for a person it
    /// only counts where there is something to know already. Where `before` is not what the ledger believes, the difference is taken
    /// for the person's.
    pub fn record(&mut self, path: &RootedPath, before: &Content, after: &Content, author: &Author) {
        if *author == Author::Person && !self.files.contains_key(path) {
            return;
        }
        let file = self.files.entry(path.clone()).or_insert_with(|| File::new(before));
        let mut trace = file.person(before, &mut self.ids);
        match author {
            Author::Person => {
                let later = file.person(after, &mut self.ids);
                trace.gone.extend(later.gone);
                trace.typed.extend(later.typed);
            }
            Author::Agent(source) | Author::Command(source) => file.agent(after, source, &mut self.ids),
        }
        self.told.note_typed(path, file, &trace.typed);
        self.told.note(path, Deed::Undone, trace.gone);
        self.clean(path);
    }

    /// What the ledger believes the file holds. `None` when it knows nothing of it.
    #[must_use]
    pub fn current(&self, path: &RootedPath) -> Option<&Content> {
        Some(self.files.get(path)?.current())
    }

    /// What the file held when its review began, with what the person changed and kept since. `None` when it is not under review.
    #[must_use]
    pub fn base(&self, path: &RootedPath) -> Option<Content> {
        Some(self.files.get(path)?.applied.base())
    }

    /// The files of which something waits, or with keeps that can be taken back.
    pub fn paths(&self) -> impl Iterator<Item = &RootedPath> {
        self.files.keys()
    }

    /// The hunks of a file in the order of its text. `version` is that of the text, as its editor counts.
    #[must_use]
    pub fn hunks(&self, path: &RootedPath, version: Option<i32>) -> Vec<Hunk> {
        let Some(file) = self.files.get(path) else { return Vec::new() };
        shown::hunks(file, &self.root.join(path).to_uri(), version)
    }

    /// A session would have the file hold `proposed`, made from what it sees of it: what [`seen_by`](Self::seen_by) says, or else
    /// `current`, which is what the file holds.
    pub fn propose(&mut self, path: &RootedPath, current: &Content, proposed: &Content, source: &Source) {
        let file = self.files.entry(path.clone()).or_insert_with(|| File::new(current));
        let trace = file.person(current, &mut self.ids);
        file.propose(proposed, source, &mut self.ids);
        self.told.note_typed(path, file, &trace.typed);
        self.told.note(path, Deed::Undone, trace.gone);
        self.clean(path);
    }

    /// The file with this session's open proposals. `None` when it has none there.
    #[must_use]
    pub fn seen_by(&self, session: &SessionId, path: &RootedPath) -> Option<Content> {
        let proposal = self.files.get(path)?.proposal(session)?;
        proposal.view.has_open().then(|| proposal.view.now().clone())
    }

    /// The files that this session sees otherwise than they are.
    #[must_use]
    pub fn proposed_by(&self, session: &SessionId) -> Vec<RootedPath> {
        let sees = |file: &File| file.proposal(session).is_some_and(|proposal| proposal.view.has_open());
        self.files.iter().filter(|(_, file)| sees(file)).map(|(path, _)| path.clone()).collect()
    }

    /// The agent's lines count as below too. Gives the files with such hunks.
    ///
    /// # Errors
    /// When a hunk that is named is not in the text; then nothing changed.
    pub fn keep(&mut self, selection: &Selection) -> Result<Vec<RootedPath>, DecideError> {
        self.decide(selection, Verb::Keep)
    }

    /// Takes keeps back.
    ///
    /// # Errors
    /// When a hunk that is named was not kept, or the agent wrote over it since; then nothing changed.
    pub fn unkeep(&mut self, selection: &Selection) -> Result<Vec<RootedPath>, DecideError> {
        self.decide(selection, Verb::Unkeep)
    }

    /// Drops proposals, and those that no longer fit.
    ///
    /// # Errors
    /// When a hunk that is named is no proposal; then nothing changed.
    pub fn reject(&mut self, selection: &Selection) -> Result<Vec<RootedPath>, DecideError> {
        self.decide(selection, Verb::Reject)
    }

    /// What has to be written to undo hunks. The person's lines inside them stay.
    ///
    /// # Errors
    /// When a hunk that is named is not in the text.
    pub fn undo(&self, selection: &Selection) -> Result<Vec<Write>, DecideError> {
        self.writes(selection, Verb::Undo)
    }

    /// What has to be written to accept proposals.
    ///
    /// # Errors
    /// When a hunk that is named is no proposal, or no longer fits.
    pub fn accept(&self, selection: &Selection) -> Result<Vec<Write>, DecideError> {
        self.writes(selection, Verb::Accept)
    }

    /// It was written: the hunks are resolved. Where the file was recorded as something else than `expected` meanwhile, that record
    /// says what is left of them, and this changes nothing.
    pub fn done(&mut self, write: &Write) {
        let Some(file) = self.files.get_mut(&write.path).filter(|file| *file.current() == write.expected) else {
            return;
        };
        let marks = file.marks(&write.choices);
        let deed = match write.verb {
            Verb::Accept => {
                file.accept(&write.choices, &mut self.ids);
                Deed::Accepted
            }
            Verb::Keep | Verb::Undo | Verb::Unkeep | Verb::Reject => {
                file.undo(&write.choices, &mut self.ids);
                Deed::Undone
            }
        };
        self.told.note(&write.path, deed, marks);
        self.clean(&write.path);
    }

    /// What the person decided of this session's hunks since this was last asked, in words for its model.
    pub fn told(&mut self, session: &SessionId) -> Option<String> {
        self.told.take(session, &self.files)
    }

    /// What [`load`](Self::load) needs to know of a file. `None` when the ledger knows nothing of it.
    #[must_use]
    pub fn save(&self, path: &RootedPath) -> Option<Saved> {
        self.files.get(path).map(Saved::of)
    }

    /// Knows of the file what was saved.
    ///
    /// # Errors
    /// When it is not as it was saved; then the ledger knows nothing of the file.
    pub fn load(&mut self, path: &RootedPath, saved: &Saved) -> Result<(), SavedError> {
        self.files.remove(path);
        self.files.insert(path.clone(), saved.file()?);
        self.clean(path);
        Ok(())
    }

    fn decide(&mut self, selection: &Selection, verb: Verb) -> Result<Vec<RootedPath>, DecideError> {
        let chosen = self.choose(selection, verb)?;
        for (path, choices) in &chosen {
            let Some(file) = self.files.get_mut(path) else { continue };
            let marks = file.marks(choices);
            let deed = match verb {
                Verb::Keep => {
                    file.applied.keep(choices, &mut self.ids);
                    Deed::Kept
                }
                Verb::Unkeep => {
                    file.applied.unkeep(choices);
                    Deed::Unkept
                }
                Verb::Reject | Verb::Undo | Verb::Accept => {
                    file.reject(choices, &mut self.ids);
                    Deed::Rejected
                }
            };
            self.told.note(path, deed, marks);
            self.clean(path);
        }
        Ok(chosen.into_iter().map(|(path, _)| path).collect())
    }

    fn writes(&self, selection: &Selection, verb: Verb) -> Result<Vec<Write>, DecideError> {
        let mut writes = Vec::new();
        for (path, choices) in self.choose(selection, verb)? {
            let Some(file) = self.files.get(&path) else { continue };
            let mut tried = file.clone();
            match verb {
                Verb::Accept => tried.accept(&choices, &mut Ids::none()),
                Verb::Keep | Verb::Undo | Verb::Unkeep | Verb::Reject => tried.undo(&choices, &mut Ids::none()),
            }
            let (expected, wanted) = (file.current().clone(), tried.current().clone());
            let hunks = choices.iter().map(|choice| choice.id.clone()).collect();
            writes.push(Write { path, expected, wanted, hunks, verb, choices });
        }
        Ok(writes)
    }

    /// What the selection means, of each file.
    fn choose(&self, selection: &Selection, verb: Verb) -> Result<Vec<(RootedPath, Vec<Choice>)>, DecideError> {
        for id in selection.hunks.iter().flatten() {
            self.check(id, verb)?;
        }
        let is_meant = |path: &RootedPath| selection.path.as_ref().is_none_or(|meant| meant == path);
        let files = self.files.iter().filter(|(path, _)| is_meant(path));
        let chosen = files.map(|(path, file)| (path.clone(), file.choose(selection, verb)));
        Ok(chosen.filter(|(_, choices)| !choices.is_empty()).collect())
    }

    /// Whether a hunk is one that the verb is for.
    fn check(&self, id: &HunkId, verb: Verb) -> Result<(), DecideError> {
        let selection = Selection { hunks: Some(vec![id.clone()]), ..Selection::default() };
        let has = |verb: Verb| self.files.values().any(|file| !file.choose(&selection, verb).is_empty());
        match verb {
            _ if has(verb) => Ok(()),
            Verb::Accept if has(Verb::Reject) => Err(DecideError::Conflict(id.clone())),
            Verb::Accept | Verb::Reject if has(Verb::Undo) => Err(DecideError::Applied(id.clone())),
            Verb::Keep | Verb::Undo if has(Verb::Reject) => Err(DecideError::Proposed(id.clone())),
            Verb::Keep | Verb::Undo | Verb::Unkeep | Verb::Accept | Verb::Reject => {
                Err(DecideError::Missing(id.clone()))
            }
        }
    }

    /// Forgets a file of which there is nothing to know.
    fn clean(&mut self, path: &RootedPath) {
        if self.files.get(path).is_some_and(|file| !file.is_needed()) {
            self.files.remove(path);
        }
    }
}

#[cfg(test)]
mod tests;

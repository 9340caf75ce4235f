//! What was answered: how a question is named, what an answer is about, and what of it is remembered. Pure: the actor does the waiting.

use crate::cx::{PROTECTED, Question};
use pilotfish_protocol::{Approval, ApprovalId, Edit, EditKind, ItemId, SessionId};

/// A question's id. It names its session and the item that shows it, so that an answer finds both without a search.
pub(crate) fn id(session: &SessionId, item: &ItemId) -> ApprovalId {
    ApprovalId(format!("{session}.{item}"))
}

/// The session a question's id names. One that names none is taken for a session's, which does not exist.
pub(crate) fn session_of(approval: &ApprovalId) -> SessionId {
    SessionId(approval.0.rsplit_once('.').map_or(approval.0.as_str(), |(session, _)| session).to_owned())
}

/// The item a question's id names.
pub(crate) fn item_of(approval: &ApprovalId) -> ItemId {
    ItemId(approval.0.rsplit_once('.').map_or(approval.0.as_str(), |(_, item)| item).to_owned())
}

/// What exactly an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    /// A whole command line and where it starts.
    command: Option<(String, String)>,
    grant: String,
}

impl Subject {
    fn new(command: Option<&str>, cwd: &str, grant: &str) -> Self {
        // A protected name is meant whatever changes it.
        let command = command.filter(|_| !grant.starts_with(PROTECTED));
        Self { command: command.map(|command| (command.to_owned(), cwd.to_owned())), grant: grant.to_owned() }
    }
}

/// What an answer that counts once is about: beside the subjects, what would change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Once {
    subjects: Vec<Subject>,
    changes: Vec<Change>,
}

/// What would change in one file: its path, how, and each line with its old and new text.
type Change = (String, EditKind, Vec<(u32, String, String)>);

/// What is remembered of answers as long as the session is in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    session: Vec<Subject>,
    once: Vec<Once>,
}

impl Memory {
    /// Whether nothing is remembered for the rest of the session.
    pub(crate) fn is_empty(&self) -> bool {
        self.session.is_empty()
    }

    /// Remembers a question's answer for the rest of the session.
    pub(crate) fn keep(&mut self, question: &Question) {
        self.session.extend(of_question(question));
    }

    /// Remembers the answer to a question that was read from the journal; none to one that is shown escaped, as what it was about is not
    /// known.
    pub(crate) fn keep_read(&mut self, approval: &Approval) {
        self.session.extend(of_approval(approval));
    }

    /// Forgets what was to happen once: the turn it was said to is over.
    pub(crate) fn forget_once(&mut self) {
        self.once.clear();
    }

    /// Lets exactly what a question from the journal was about happen once.
    pub(crate) fn allow_once(&mut self, approval: &Approval) {
        if let Some(changes) = changes(&approval.edits).filter(|_| !approval.escaped) {
            self.once.push(Once { subjects: of_approval(approval), changes });
        }
    }

    /// What of a question's grants is not answered yet. An answer that counts once is used up.
    pub(crate) fn left(&mut self, question: &Question) -> Vec<String> {
        let subjects = of_question(question);
        let changes = changes(&question.edits);
        let is_meant = |once: &Once| {
            Some(&once.changes) == changes.as_ref() && once.subjects.iter().any(|subject| subjects.contains(subject))
        };
        let once = self.once.iter().position(is_meant).map(|at| self.once.remove(at));
        let once = once.map(|once| once.subjects).unwrap_or_default();
        let asks = |subject: &Subject| !self.session.contains(subject) && !once.contains(subject);
        subjects.into_iter().filter(asks).map(|subject| subject.grant).collect()
    }
}

fn of_question(question: &Question) -> Vec<Subject> {
    let subject = |grant: &String| Subject::new(question.command.as_deref(), &question.cwd, grant);
    question.grants.iter().map(subject).collect()
}

fn of_approval(approval: &Approval) -> Vec<Subject> {
    if approval.escaped {
        return Vec::new();
    }
    let command = (!approval.segments.is_empty()).then_some(approval.detail.as_str());
    approval.grants.iter().map(|grant| Subject::new(command, &approval.cwd, grant)).collect()
}

/// What edits would change; nothing when they do not say it all.
fn changes(edits: &[Edit]) -> Option<Vec<Change>> {
    let change = |edit: &Edit| {
        let texts = edit.hunks.iter();
        let texts = texts.map(|hunk| (hunk.old_range.start, hunk.old_text.clone(), hunk.new_text.clone()));
        let is_told = !edit.hunks.is_empty() || edit.added + edit.removed == 0;
        is_told.then(|| (edit.path.clone(), edit.change.clone(), texts.collect()))
    };
    edits.iter().map(change).collect()
}

#[cfg(test)]
mod tests;

//! One file: what was changed in it, and what each session proposes over that.

use super::body::{Body, Stage};
use super::lines;
use super::sheet::{Choice, Trace, bytes, carry, names};
use super::{Content, Ids, Mark, Selection, Source, Verb};
use crate::text::hunks::diff_bytes;
use pilotfish_protocol::{HunkId, SessionId};
use std::collections::BTreeMap;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// What the file holds over what it held when its review began.
    pub(super) applied: Body,
    pub(super) proposals: Vec<Proposal>,
}

/// What one session would have the file hold, over what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) session: SessionId,
    pub(super) view: Body,
    pub(super) conflicts: Vec<Conflict>,
}

/// A proposal for lines that were changed meanwhile. It is in no view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) id: HunkId,
    pub(super) source: Source,
    /// Where those lines are in the file.
    pub(super) at: Range<u32>,
    /// The lines when it was proposed.
    pub(super) old: Vec<u8>,
    /// What it would make of them.
    pub(super) new: Vec<u8>,
}

impl File {
    pub(super) fn new(content: &Content) -> Self {
        Self { applied: Body::new(content), proposals: Vec::new() }
    }

    pub(super) fn current(&self) -> &Content {
        self.applied.now()
    }

    /// Whether there is anything to know about it.
    pub(super) fn is_needed(&self) -> bool {
        self.applied.has_open() || self.applied.has_kept() || !self.proposals.is_empty()
    }

    pub(super) fn agent(&mut self, after: &Content, source: &Source, ids: &mut Ids) {
        let before = self.current().clone();
        self.applied.agent(after, source, ids);
        self.follow(&before, Some(&source.session));
    }

    pub(super) fn person(&mut self, after: &Content, ids: &mut Ids) -> Trace {
        let before = self.current().clone();
        let trace = self.applied.person(after, ids);
        self.follow(&before, None);
        trace
    }

    pub(super) fn undo(&mut self, choices: &[Choice], ids: &mut Ids) {
        let before = self.current().clone();
        self.applied.undo(choices, ids);
        self.follow(&before, None);
    }

    /// The proposals with these ids come into the file, as the person's.
    pub(super) fn accept(&mut self, choices: &[Choice], ids: &mut Ids) {
        let sessions: Vec<SessionId> = self.proposals.iter().map(|proposal| proposal.session.clone()).collect();
        for session in sessions {
            let Some(proposal) = self.proposals.iter_mut().find(|proposal| proposal.session == session) else {
                continue;
            };
            proposal.view.keep(choices, ids);
            proposal.view.forget_kept();
            let after = proposal.view.base();
            self.person(&after, ids);
        }
        self.proposals.retain(Proposal::is_needed);
    }

    /// The proposals and conflicts with these ids are no more.
    pub(super) fn reject(&mut self, choices: &[Choice], ids: &mut Ids) {
        for proposal in &mut self.proposals {
            proposal.view.undo(choices, ids);
            proposal.conflicts.retain(|conflict| choices.iter().all(|choice| choice.id != conflict.id));
        }
        self.proposals.retain(Proposal::is_needed);
    }

    pub(super) fn propose(&mut self, proposed: &Content, source: &Source, ids: &mut Ids) {
        let current = self.current().clone();
        let index = self.proposals.iter().position(|proposal| proposal.session == source.session);
        let index = index.unwrap_or_else(|| {
            let (session, view) = (source.session.clone(), Body::new(&current));
            self.proposals.push(Proposal { session, view, conflicts: Vec::new() });
            self.proposals.len() - 1
        });
        if let Some(proposal) = self.proposals.get_mut(index) {
            proposal.view.agent(proposed, source, ids);
        }
        self.proposals.retain(Proposal::is_needed);
    }

    /// What the selection means here for a verb. It looks at no path.
    pub(super) fn choose(&self, selection: &Selection, verb: Verb) -> Vec<Choice> {
        let current = self.current();
        let proposed = || self.proposals.iter().flat_map(|proposal| proposal.choose(selection, current));
        match verb {
            Verb::Keep | Verb::Undo => self.applied.choose(selection, Stage::Open),
            Verb::Unkeep => self.applied.choose(selection, Stage::Kept),
            Verb::Accept => proposed().collect(),
            Verb::Reject => {
                let conflicts =
                    self.proposals.iter().flat_map(|proposal| proposal.choose_conflicts(selection, current));
                proposed().chain(conflicts).collect()
            }
        }
    }

    /// Where all these are, and whose.
    pub(super) fn marks(&self, choices: &[Choice]) -> Vec<Mark> {
        let views = self.proposals.iter().map(|proposal| &proposal.view);
        let marks = [&self.applied].into_iter().chain(views).flat_map(Body::all_marks);
        let conflicts = self.proposals.iter().flat_map(|proposal| &proposal.conflicts).map(Conflict::mark);
        let choices: BTreeMap<&HunkId, &Choice> = choices.iter().map(|choice| (&choice.id, choice)).collect();
        let meant = |mut mark: Mark| {
            let choice = choices.get(&mark.id)?;
            mark.lines = choice.lines.clone().unwrap_or(mark.lines);
            Some(mark)
        };
        marks.chain(conflicts).filter_map(meant).collect()
    }

    pub(super) fn proposal(&self, session: &SessionId) -> Option<&Proposal> {
        self.proposals.iter().find(|proposal| proposal.session == *session)
    }

    /// The file is no longer `before`, and the proposals are for what it is now. What a session wrote over itself is no conflict.
    fn follow(&mut self, before: &Content, writer: Option<&SessionId>) {
        let Self { applied, proposals } = self;
        let after = applied.now();
        if before == after || proposals.is_empty() {
            return;
        }
        let edits = diff_bytes(bytes(before), bytes(after));
        for proposal in &mut *proposals {
            for conflict in &mut proposal.conflicts {
                conflict.at = carry(&conflict.at, &edits).range;
            }
            let lost = proposal.view.rebase(after);
            if writer == Some(&proposal.session) {
                continue;
            }
            proposal.conflicts.extend(lost.into_iter().map(|lost| Conflict {
                id: lost.piece.id,
                source: lost.piece.source,
                at: lost.at,
                old: lost.piece.old,
                new: lost.lines,
            }));
        }
        proposals.retain(Proposal::is_needed);
    }
}

impl Conflict {
    fn mark(&self) -> Mark {
        Mark { id: self.id.clone(), source: self.source.clone(), lines: self.at.clone() }
    }
}

impl Proposal {
    fn is_needed(&self) -> bool {
        self.view.has_open() || !self.conflicts.is_empty()
    }

    /// The proposals that the selection means here. Its lines are those of the file, and a proposal is meant as a whole.
    pub(super) fn choose(&self, selection: &Selection, current: &Content) -> Vec<Choice> {
        let whole = Selection { lines: None, ..selection.clone() };
        let choices = self.view.choose(&whole, Stage::Open);
        let Some(lines) = &selection.lines else { return choices };
        let Body::Lines(sheet) = &self.view else { return choices };
        let count = lines::count(bytes(current));
        let meant = sheet.placed().filter(|(_, old)| lies_in(old, lines, count)).map(|(piece, _)| &piece.id);
        let meant: Vec<&HunkId> = meant.collect();
        choices.into_iter().filter(|choice| meant.contains(&&choice.id)).collect()
    }

    /// The conflicts that the selection means here.
    pub(super) fn choose_conflicts(&self, selection: &Selection, current: &Content) -> Vec<Choice> {
        let count = lines::count(bytes(current));
        let is_meant = |conflict: &&Conflict| {
            names(selection, &conflict.source, |id| *id == conflict.id)
                && selection.lines.as_ref().is_none_or(|lines| lies_in(&conflict.at, lines, count))
        };
        let meant = self.conflicts.iter().filter(is_meant);
        meant.map(|conflict| Choice { id: conflict.id.clone(), lines: None }).collect()
    }
}

/// Whether some of `lines` are those of a proposal. A place between two lines counts as the line below it, or the last one.
fn lies_in(place: &Range<u32>, lines: &Range<u32>, count: u32) -> bool {
    let start = place.start.min(count.saturating_sub(1));
    start < lines.end.max(lines.start + 1) && lines.start < place.end.max(start + 1)
}

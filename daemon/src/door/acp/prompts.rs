//! Prompts that a client waits for: each is answered when its own turn ends, whoever else has prompts in the session. Pure.
//!
//! Owns which prompt is in which turn, and what its answer is. A prompt that leaves here is answered by whoever took it out, so
//! none is answered twice.

use super::wire::{Prompted, StopReason};
use crate::door::envelope::{Failure, Id, code};
use pilotfish_protocol::{
    self as ours, Fault, ItemContent, PromptTaken, QueuedId, SessionId, SessionUpdate, TurnId, Update, Usage,
};

/// The prompts of one connection that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    held: Vec<Held>,
    last: u64,
}

/// One prompt.
#[derive(Debug)]
struct Held {
    number: u64,
    id: Option<Id>,
    session_id: SessionId,
    place: Place,
    /// The client does not want it any more.
    cancelled: bool,
}

/// Where a prompt is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// On its way to the session.
    Asked,
    /// In the session's queue; `seen` there by an update.
    Queued { queued_id: QueuedId, seen: bool },
    /// No longer in the queue. The next durable update begins its turn, or somebody took it back.
    Next,
    /// In a turn; `shown` once its words came by.
    Running { turn_id: TurnId, shown: bool },
}

/// What an answer says.
pub(super) type Outcome = Result<Prompted, Failure>;

/// A prompt's answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Absent when nobody waits for it.
    pub(super) id: Option<Id>,
    /// What it says.
    pub(super) outcome: Outcome,
    /// Its place in the queue, which it is to be taken out of.
    pub(super) take_back: Option<QueuedId>,
}

/// What a cancelled prompt still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cancel {
    /// Nothing now: what came with the prompt says more.
    Wait,
    /// To be taken out of the queue.
    TakeBack(QueuedId),
    /// Its turn is to be interrupted.
    Interrupt,
}

impl Prompts {
    /// Holds a prompt that is on its way. Answers its number here.
    pub(super) fn hold(&mut self, id: Option<Id>, session_id: &SessionId) -> u64 {
        self.last += 1;
        let (number, session_id) = (self.last, session_id.clone());
        self.held.push(Held { number, id, session_id, place: Place::Asked, cancelled: false });
        self.last
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The session took it. Answers what is to be done at once if it was cancelled meanwhile.
    pub(super) fn taken(&mut self, number: u64, taken: PromptTaken) -> Cancel {
        let Some(held) = self.held.iter_mut().find(|held| held.number == number) else { return Cancel::Wait };
        held.place = match (taken.turn_id, taken.queued_id) {
            (Some(turn_id), _) => Place::Running { turn_id, shown: false },
            (None, Some(queued_id)) => Place::Queued { queued_id, seen: false },
            (None, None) => return Cancel::Wait,
        };
        if held.cancelled { held.need() } else { Cancel::Wait }
    }

    /// Takes a prompt out, to answer it.
    pub(super) fn remove(&mut self, number: u64) -> Option<Option<Id>> {
        let at = self.held.iter().position(|held| held.number == number)?;
        Some(self.held.remove(at).id)
    }

    /// Takes all of a session out, to answer them.
    pub(super) fn remove_all(&mut self, session_id: &SessionId) -> Vec<Option<Id>> {
        self.held.extract_if(.., |held| held.session_id == *session_id).map(|held| held.id).collect()
    }

    /// Forgets all: nobody is left to answer.
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }

    /// The client wants none of a session's prompts any more. Answers their numbers and what they need.
    pub(super) fn cancel(&mut self, session_id: &SessionId) -> Vec<(u64, Cancel)> {
        let held = self.held.iter_mut().filter(|held| held.session_id == *session_id);
        held.map(|held| (held.number, held.cancel())).collect()
    }

    /// The client does not want this prompt any more.
    pub(super) fn cancel_one(&mut self, id: &Id) -> Option<(SessionId, u64, Cancel)> {
        let held = self.held.iter_mut().find(|held| held.id.as_ref() == Some(id))?;
        Some((held.session_id.clone(), held.number, held.cancel()))
    }

    /// Whether an update may only be looked at when prompts that are on their way have a place: it may be the beginning of theirs.
    pub(super) fn must_wait(&self, update: &SessionUpdate) -> bool {
        matches!(update.update, Update::TurnStarted { .. } | Update::QueueChanged { .. })
            && self.held.iter().any(|held| held.place == Place::Asked && held.session_id == update.session_id)
    }

    /// Whether an item is a prompt that the client shows already, as it is its own. Answers so once.
    pub(super) fn is_own(&mut self, update: &SessionUpdate) -> bool {
        let Update::ItemEnded { item } = &update.update else { return false };
        if !matches!(item.content, ItemContent::UserMessage(_)) {
            return false;
        }
        let own = self.of(&update.session_id).find_map(|held| match &mut held.place {
            Place::Running { turn_id, shown: shown @ false } if Some(&*turn_id) == item.turn_id.as_ref() => Some(shown),
            _ => None,
        });
        own.is_some_and(|shown| !std::mem::replace(shown, true))
    }

    /// Whether one of a session's prompts is in its turn.
    pub(super) fn runs(&self, session_id: &SessionId) -> bool {
        let running = |held: &Held| matches!(held.place, Place::Running { .. }) && held.session_id == *session_id;
        self.held.iter().any(running)
    }

    /// Folds one update: prompts move on, and those that end are answered. `fault` is what just failed in the session.
    pub(super) fn take(&mut self, update: &SessionUpdate, fault: Option<&Fault>) -> Vec<Answer> {
        let session_id = &update.session_id;
        if update.seq.is_none() {
            return Vec::new();
        }
        let mut answers = Vec::new();
        match &update.update {
            Update::TurnStarted { turn_id, .. } => {
                for held in self.of(session_id).filter(|held| held.place == Place::Next) {
                    held.place = Place::Running { turn_id: turn_id.clone(), shown: false };
                }
            }
            _ => answers.extend(self.extract(session_id, |held| held.place == Place::Next).map(taken_back)),
        }
        match &update.update {
            Update::QueueChanged { queue } => {
                for held in self.of(session_id) {
                    if let Place::Queued { queued_id, seen } = &mut held.place {
                        let waits = queue.iter().any(|queued| queued.id == *queued_id);
                        if waits {
                            *seen = true;
                        } else if *seen {
                            held.place = Place::Next;
                        }
                    }
                }
            }
            Update::TurnEnded { turn_id, stop, usage, .. } => {
                let ended = self.extract(
                    session_id,
                    |held| matches!(&held.place, Place::Running { turn_id: running, .. } if running == turn_id),
                );
                answers.extend(ended.map(|held| ended_with(held, *stop, usage, fault)));
                if !goes_on(*stop) {
                    let waiting =
                        self.extract(session_id, |held| matches!(held.place, Place::Queued { seen: true, .. }));
                    answers.extend(waiting.map(|held| not_begun(held, *stop, fault)));
                }
            }
            // The others say nothing of prompts.
            _ => {}
        }
        answers
    }

    fn of(&mut self, session_id: &SessionId) -> impl Iterator<Item = &mut Held> {
        self.held.iter_mut().filter(move |held| held.session_id == *session_id)
    }

    fn extract(&mut self, session_id: &SessionId, which: impl Fn(&Held) -> bool) -> impl Iterator<Item = Held> {
        self.held.extract_if(.., move |held| held.session_id == *session_id && which(held))
    }
}

impl Held {
    fn cancel(&mut self) -> Cancel {
        self.cancelled = true;
        self.need()
    }

    fn need(&self) -> Cancel {
        match &self.place {
            Place::Asked => Cancel::Wait,
            Place::Queued { queued_id, .. } => Cancel::TakeBack(queued_id.clone()),
            // A prompt that left the queue is in its turn by now; only the update that says so has not come by.
            Place::Next | Place::Running { .. } => Cancel::Interrupt,
        }
    }
}

/// The outcome of a prompt that was cancelled.
pub(super) fn cancelled() -> Outcome {
    Ok(Prompted { stop_reason: StopReason::Cancelled, usage: None })
}

/// Whether the session begins what waits by itself after a turn that ended so.
fn goes_on(stop: ours::StopReason) -> bool {
    match stop {
        ours::StopReason::Done | ours::StopReason::Length | ours::StopReason::Refused => true,
        ours::StopReason::StepLimit | ours::StopReason::Interrupted | ours::StopReason::Failed => false,
    }
}

fn taken_back(held: Held) -> Answer {
    Answer { id: held.id, outcome: cancelled(), take_back: None }
}

fn ended_with(held: Held, stop: ours::StopReason, usage: &Usage, fault: Option<&Fault>) -> Answer {
    let stop_reason = match stop {
        // Whatever came of the cancelling, the client asked for it.
        _ if held.cancelled => Some(StopReason::Cancelled),
        ours::StopReason::Done => Some(StopReason::EndTurn),
        ours::StopReason::Length => Some(StopReason::MaxTokens),
        ours::StopReason::Refused => Some(StopReason::Refusal),
        ours::StopReason::StepLimit => Some(StopReason::MaxTurnRequests),
        ours::StopReason::Interrupted => Some(StopReason::Cancelled),
        ours::StopReason::Failed => None,
    };
    let outcome = match stop_reason {
        Some(stop_reason) => Ok(Prompted { stop_reason, usage: Some(usage.into()) }),
        None => Err(failure(fault.map_or("the turn failed; the transcript says why", |fault| &fault.message))),
    };
    Answer { id: held.id, outcome, take_back: None }
}

/// After a turn that did not end well the session begins nothing by itself, and this protocol has no word for what waits: the
/// prompt comes back to the client.
fn not_begun(held: Held, stop: ours::StopReason, fault: Option<&Fault>) -> Answer {
    let outcome = match (held.cancelled, stop, fault) {
        (true, ..) | (_, ours::StopReason::Interrupted, _) => cancelled(),
        (_, _, Some(fault)) => Err(failure(&format!("not begun, as the turn before it failed: {}", fault.message))),
        (_, _, None) => Err(failure("not begun, as the turn before it did not end; send it again to go on")),
    };
    let take_back = match held.place {
        Place::Queued { queued_id, .. } => Some(queued_id),
        Place::Asked | Place::Next | Place::Running { .. } => None,
    };
    Answer { id: held.id, outcome, take_back }
}

fn failure(message: &str) -> Failure {
    Failure::new(code::INTERNAL_ERROR, message)
}

#[cfg(test)]
mod tests;

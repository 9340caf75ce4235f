//! What a connection has open: its sessions as the client sees them, its prompts, and the answers that wait for updates to be
//! sent first. Pure but for the handles it keeps.

use super::files::Files;
use super::permissions::Permissions;
use super::prompts::{Answer, Prompts, cancelled};
use super::view::{self, Shown, View};
use super::wire;
use crate::door::envelope::Id;
use crate::session::SessionHandle;
use pilotfish_protocol::{Attached, Fault, Item, ItemContent, ItemId, Session, SessionId, SessionUpdate, Update};
use std::collections::BTreeMap;

/// What a connection has open.
#[derive(Debug, Default)]
pub(super) struct Desk {
    opened: BTreeMap<SessionId, Opened>,
    /// The prompts that are not answered.
    pub(super) prompts: Prompts,
    /// What the client is asked.
    pub(super) permissions: Permissions,
    /// What it is asked of its files.
    pub(super) files: Files,
    attachments: u64,
}

/// One session of a connection.
#[derive(Debug)]
struct Opened {
    /// Which of the connection's attachments this is.
    attachment: u64,
    handle: SessionHandle,
    view: View,
    /// The last durable update that was sent.
    seq: u64,
    /// Up to here updates tell of the time before the attachment.
    past: u64,
    /// What failed last, held for one update: it may be the end of a prompt's turn, and then is its answer.
    fault: Option<(ItemId, Fault)>,
    waiting: Vec<Waiting>,
}

/// An answer that may be sent when updates up to `seq` were.
#[derive(Debug)]
struct Waiting {
    seq: u64,
    id: Option<Id>,
    frame: Vec<u8>,
    then: Then,
}

/// What an answer means for its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It stays open.
    Stay,
    /// It is over for this connection.
    Close,
}

/// From where on an attachment tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// From the first update: all of the transcript.
    First,
    /// From now, or for a session that is open already from where the client is.
    Now,
}

/// What goes out to the client, in this order.
#[derive(Debug)]
pub(super) enum Told {
    /// An update.
    Update(wire::Update),
    /// The options, of the session as it is now.
    Options(Box<Session>),
    /// A prompt's answer.
    Answer(Answer),
    /// An answer that waited, a question, or that it is over.
    Frame(Vec<u8>),
    /// The session is over for this connection.
    Closed,
}

impl Desk {
    /// Takes an attachment in. Answers after which durable update it goes on, when that is not its own `seq`.
    pub(super) fn open(&mut self, handle: SessionHandle, attached: &Attached, begin: Begin) -> Option<u64> {
        self.attachments += 1;
        let attachment = self.attachments;
        let session_id = &attached.session.id;
        if let Some(opened) = self.opened.get_mut(session_id).filter(|_| begin == Begin::Now) {
            (opened.attachment, opened.handle) = (attachment, handle);
            return Some(opened.seq);
        }
        let (view, seq) = match begin {
            Begin::First => (View::of(attached.session.clone()), 0),
            Begin::Now => (View::new(attached), attached.seq),
        };
        let opened = Opened { attachment, handle, view, seq, past: attached.seq, fault: None, waiting: Vec::new() };
        self.opened.insert(session_id.clone(), opened);
        (begin == Begin::First).then_some(0)
    }

    /// Whether updates of a session reach this connection, as far as that can be known now.
    pub(super) fn is_attached(&self, session_id: &SessionId) -> bool {
        self.opened.get(session_id).is_some_and(|opened| !opened.handle.is_gone())
    }

    /// Which attachment of a session counts.
    pub(super) fn attachment(&self, session_id: &SessionId) -> Option<u64> {
        self.opened.get(session_id).map(|opened| opened.attachment)
    }

    /// Holds an answer until the updates up to `seq` were sent. Answers it back when they are, or nothing is open.
    pub(super) fn wait(
        &mut self,
        session_id: &SessionId,
        seq: u64,
        answer: (Option<Id>, Vec<u8>),
        then: Then,
    ) -> Option<Vec<u8>> {
        let (id, frame) = answer;
        match self.opened.get_mut(session_id) {
            Some(opened) if opened.seq < seq => {
                opened.waiting.push(Waiting { seq, id, frame, then });
                None
            }
            _ => Some(frame),
        }
    }

    /// The questions of an attachment, as the client is asked them.
    pub(super) fn ask(&mut self, attached: &Attached) -> Vec<u8> {
        let session_id = &attached.session.id;
        let asked = attached.approvals.iter().flat_map(|approval| self.permissions.ask(session_id, approval));
        let mut asked: Vec<u8> = asked.collect();
        let is_call = |item: &&Item| matches!(item.content, ItemContent::ToolCall(_));
        let call = attached.open_items.iter().find(is_call).map(|item| &item.id);
        for item in &attached.open_items {
            if let ItemContent::Question(question) = &item.content {
                asked.extend(self.permissions.inquire(session_id, (&item.id, question), call));
            }
        }
        asked
    }

    /// The session is over for this connection. Answers the ids of what waited and of its prompts.
    pub(super) fn close(&mut self, session_id: &SessionId) -> (Vec<Option<Id>>, Vec<Option<Id>>) {
        self.permissions.leave(session_id);
        self.files.left(session_id);
        let waiting = self.opened.remove(session_id).map(|opened| opened.waiting).unwrap_or_default();
        (waiting.into_iter().map(|waiting| waiting.id).collect(), self.prompts.remove_all(session_id))
    }

    /// Folds one update of a session; answers what goes out for it.
    pub(super) fn take(&mut self, update: &SessionUpdate) -> Vec<Told> {
        let Some(opened) = self.opened.get_mut(&update.session_id) else { return Vec::new() };
        if update.seq.is_some_and(|seq| seq <= opened.seq) {
            return Vec::new();
        }
        let mut told = Vec::new();
        let fault = opened.fault.take();
        let answers = self.prompts.take(update, fault.as_ref().map(|(_, fault)| fault));
        if let Some((id, fault)) = fault.filter(|_| answers.is_empty() || !ends_turn(update)) {
            told.push(shown(view::fault(&id, &fault), &opened.view));
        }
        match held_back(update).filter(|_| self.prompts.runs(&update.session_id)) {
            Some(fault) => opened.fault = Some(fault),
            None => {
                let live = update.seq.is_none_or(|seq| seq > opened.past);
                let own = live && self.prompts.is_own(update);
                for step in opened.view.take(update, own) {
                    told.push(shown(step, &opened.view));
                }
            }
        }
        let live = update.seq.is_none_or(|seq| seq > opened.past);
        match &update.update {
            Update::ApprovalOpened { approval } if live => {
                told.push(Told::Frame(self.permissions.ask(&update.session_id, approval)));
            }
            Update::ItemStarted { item: Item { id, content: ItemContent::Question(question), .. } } if live => {
                let call = opened.view.call_at_work();
                told.push(Told::Frame(self.permissions.inquire(&update.session_id, (id, question), call)));
            }
            Update::ItemEnded { item: Item { id, content: ItemContent::Question(_), .. } } => {
                told.push(Told::Frame(self.permissions.silent(id)));
            }
            Update::ApprovalClosed { approval_id, .. } => told.push(Told::Frame(self.permissions.closed(approval_id))),
            Update::TurnEnded { .. } => self.files.turn_ended(),
            // The others ask nothing of the client.
            _ => {}
        }
        told.extend(answers.into_iter().map(Told::Answer));
        opened.seq = update.seq.unwrap_or(opened.seq);
        let seq = opened.seq;
        let mut closed = false;
        for waiting in opened.waiting.extract_if(.., |waiting| waiting.seq <= seq) {
            if waiting.then == Then::Close {
                closed = true;
                let left = self.prompts.remove_all(&update.session_id).into_iter();
                told.extend(left.map(|id| Told::Answer(Answer { id, outcome: cancelled(), take_back: None })));
            }
            told.push(Told::Frame(waiting.frame));
        }
        if closed {
            told.push(Told::Closed);
        }
        told
    }
}

fn shown(shown: Shown, view: &View) -> Told {
    match shown {
        Shown::Update(update) => Told::Update(update),
        Shown::Options => Told::Options(Box::new(view.session.clone())),
    }
}

/// A fault that may be the end of a turn.
fn held_back(update: &SessionUpdate) -> Option<(ItemId, Fault)> {
    match (&update.update, update.seq) {
        (Update::ItemEnded { item: Item { id, content: ItemContent::Error(fault), .. } }, Some(_)) => {
            Some((id.clone(), fault.clone()))
        }
        // Only what is in the journal is followed by the end of its turn.
        _ => None,
    }
}

fn ends_turn(update: &SessionUpdate) -> bool {
    matches!(update.update, Update::TurnEnded { .. })
}

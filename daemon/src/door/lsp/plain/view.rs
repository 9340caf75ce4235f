//! A session as a client without a plugin follows it: what runs, what is asked, and what is to be said of it. Pure.

use super::answers;
use crate::path::AbsPath;
use crate::session::SessionHandle;
use pilotfish_protocol::{
    AgentMessage, Approval, Attached, Completion, Edit, EditState, Fault, Item, ItemContent, ItemId, Mode, PromptTaken,
    Question, QueuedId, SessionId, SessionUpdate, StopReason, TurnId, Update, UserMessage,
};
use std::collections::{BTreeMap, BTreeSet};
use tower_lsp::ls_types::MessageType;

/// What is to be said to the client, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Telling {
    /// A turn runs.
    Begun(TurnId),
    /// What it does.
    Working(TurnId, String),
    /// It is over.
    Ended(TurnId, String),
    /// A line for the person.
    Message(MessageType, String),
    /// A document is to be written, and opened.
    Document(Document),
    /// A question opened.
    Asked(Box<Approval>),
    /// The model asks something.
    Inquired(Inquired),
}

/// What the model asks, where it waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inquired {
    /// Whose session.
    pub(super) session: SessionId,
    /// The item that shows it.
    pub(super) item: ItemId,
    /// The question.
    pub(super) question: Question,
}

impl Inquired {
    fn of(session: &SessionId, item: &Item) -> Option<Self> {
        match &item.content {
            ItemContent::Question(question) => {
                Some(Self { session: session.clone(), item: item.id.clone(), question: question.clone() })
            }
            // Nothing else asks in words.
            _ => None,
        }
    }
}

/// A text that is opened in the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// The file's name without its ending.
    pub(super) name: String,
    /// Markdown.
    pub(super) text: String,
    /// What to say of it where it cannot be opened.
    pub(super) words: &'static str,
}

/// A session of a client.
#[derive(Debug)]
pub(super) struct View {
    pub(super) id: SessionId,
    pub(super) workspace: AbsPath,
    pub(super) handle: SessionHandle,
    pub(super) mode: Mode,
    /// Questions that wait.
    pub(super) approvals: Vec<Approval>,
    /// What the model asks.
    pub(super) inquiries: Vec<Inquired>,
    turn: Option<Turn>,
    /// Prompts of this client that wait.
    queued: BTreeSet<QueuedId>,
    /// One of them just left the queue: the turn that begins now is its.
    is_next: bool,
    /// Turns that this client asked for and whose answers it was not shown.
    own: BTreeSet<TurnId>,
}

/// The turn that runs, or the last one.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) id: TurnId,
    /// What was asked.
    pub(super) questions: Vec<UserMessage>,
    /// What the agent said.
    pub(super) said: BTreeMap<ItemId, String>,
    /// What it changed or proposes.
    pub(super) edits: Vec<Edit>,
    /// What failed.
    pub(super) fault: Option<String>,
    ended: Option<StopReason>,
}

impl View {
    /// As attaching answered. Tells of the turn that runs and of the questions that wait.
    pub(super) fn new(workspace: AbsPath, handle: SessionHandle, attached: &Attached) -> (Self, Vec<Telling>) {
        let running = attached.turn_id.clone().map(Turn::new);
        let mut tellings: Vec<Telling> = running.iter().map(|turn| Telling::Begun(turn.id.clone())).collect();
        tellings.extend(attached.approvals.iter().map(|approval| Telling::Asked(Box::new(approval.clone()))));
        let inquiries = attached.open_items.iter().filter_map(|item| Inquired::of(&attached.session.id, item));
        let inquiries: Vec<Inquired> = inquiries.collect();
        tellings.extend(inquiries.iter().map(|inquired| Telling::Inquired(inquired.clone())));
        let view = Self {
            id: attached.session.id.clone(),
            workspace,
            handle,
            mode: attached.session.mode,
            approvals: attached.approvals.clone(),
            inquiries,
            turn: running,
            queued: BTreeSet::new(),
            is_next: false,
            own: BTreeSet::new(),
        };
        (view, tellings)
    }

    /// Whether a turn runs.
    pub(super) fn is_running(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.ended.is_none())
    }

    /// Whether this turn runs.
    pub(super) fn runs(&self, id: &TurnId) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.id == *id && turn.ended.is_none())
    }

    /// A prompt of this client was taken. Its turn may be over by now.
    pub(super) fn asked(&mut self, taken: PromptTaken) -> Vec<Telling> {
        self.queued.extend(taken.queued_id);
        self.own.extend(taken.turn_id);
        self.answer().into_iter().collect()
    }

    /// Folds an update; answers what is to be said of it.
    pub(super) fn take(&mut self, update: &SessionUpdate) -> Vec<Telling> {
        match &update.update {
            Update::TurnStarted { turn_id, .. } => {
                if std::mem::take(&mut self.is_next) {
                    self.own.insert(turn_id.clone());
                }
                self.turn = Some(Turn::new(turn_id.clone()));
                vec![Telling::Begun(turn_id.clone())]
            }
            Update::TurnEnded { turn_id, stop, .. } => self.end(turn_id, *stop),
            Update::ItemStarted { item } => {
                let inquired = Inquired::of(&self.id, item);
                self.inquiries.extend(inquired.clone());
                inquired.into_iter().map(Telling::Inquired).collect()
            }
            Update::ItemEnded { item } => {
                self.inquiries.retain(|inquired| inquired.item != item.id);
                if let Some(turn) = self.turn.as_mut().filter(|turn| item.turn_id.as_ref() == Some(&turn.id)) {
                    turn.take(item);
                }
                Vec::new()
            }
            Update::QueueChanged { queue } => {
                let before = self.queued.len();
                self.queued.retain(|id| queue.iter().any(|waits| waits.id == *id));
                self.is_next = self.queued.len() < before;
                Vec::new()
            }
            Update::StatusChanged { status } => match &self.turn {
                Some(turn) if turn.ended.is_none() && !status.text.is_empty() => {
                    vec![Telling::Working(turn.id.clone(), status.text.clone())]
                }
                _ => Vec::new(),
            },
            Update::ModeChanged { mode } => {
                self.mode = *mode;
                vec![Telling::Message(MessageType::INFO, format!("pilotfish: {mode} mode"))]
            }
            Update::ApprovalOpened { approval } => {
                self.approvals.push(Approval::clone(approval));
                vec![Telling::Asked(approval.clone())]
            }
            Update::ApprovalClosed { approval_id, .. } => {
                self.approvals.retain(|open| open.id != *approval_id);
                Vec::new()
            }
            Update::ItemDelta { .. }
            | Update::ItemChanged { .. }
            | Update::ModelChanged { .. }
            | Update::TitleChanged { .. }
            | Update::DraftChanged { .. }
            | Update::Usage { .. }
            | Update::CommandChanged { .. }
            | Update::PlanChanged { .. } => Vec::new(),
        }
    }

    fn end(&mut self, turn_id: &TurnId, stop: StopReason) -> Vec<Telling> {
        self.approvals.clear();
        self.inquiries.clear();
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.id == *turn_id) else { return Vec::new() };
        turn.ended = Some(stop);
        let (kind, words) = turn.ending(stop);
        let mut tellings: Vec<Telling> = self.answer().into_iter().collect();
        tellings.push(Telling::Ended(turn_id.clone(), words.clone()));
        tellings.push(Telling::Message(kind, format!("pilotfish: {words}")));
        tellings
    }

    /// The answer of the last turn, when it is over, this client asked for it, and it was not shown yet.
    fn answer(&mut self) -> Option<Telling> {
        let turn = self.turn.as_ref().filter(|turn| turn.ended.is_some())?;
        if !self.own.remove(&turn.id) {
            return None;
        }
        let text = answers::answer(turn)?;
        Some(Telling::Document(Document { name: turn.id.to_string(), text, words: "the answer is in" }))
    }
}

impl Turn {
    pub(super) fn new(id: TurnId) -> Self {
        Self { id, questions: Vec::new(), said: BTreeMap::new(), edits: Vec::new(), fault: None, ended: None }
    }

    /// Takes an item that ended.
    pub(super) fn take(&mut self, item: &Item) {
        match &item.content {
            ItemContent::UserMessage(message) => self.questions.push(message.clone()),
            // One that breaks off ends twice; what the model says instead is an item of its own.
            ItemContent::AgentMessage(AgentMessage { completion: Completion::Broken, .. }) => {
                self.said.remove(&item.id);
            }
            ItemContent::AgentMessage(message) => {
                self.said.insert(item.id.clone(), message.text.clone());
            }
            ItemContent::Edit(edit) | ItemContent::Conflict(edit) => self.edits.push(edit.clone()),
            ItemContent::Error(Fault { message, .. }) => self.fault = Some(message.clone()),
            ItemContent::Reasoning(_)
            | ItemContent::ToolCall(_)
            | ItemContent::Plan(_)
            | ItemContent::Approval(_)
            | ItemContent::Question(_)
            | ItemContent::Context(_)
            | ItemContent::Compaction(_)
            | ItemContent::Notice(_) => {}
        }
    }

    /// How it ended, for people.
    fn ending(&self, stop: StopReason) -> (MessageType, String) {
        let files = |state: EditState| {
            let uris: BTreeSet<&str> =
                self.edits.iter().filter(|edit| edit.state == state).map(|edit| edit.uri.as_str()).collect();
            match uris.len() {
                0 => None,
                1 => Some("1 file".to_owned()),
                count => Some(format!("{count} files")),
            }
        };
        let mut words = match stop {
            StopReason::Done => "done".to_owned(),
            StopReason::Length => "ended: the model reached its output limit".to_owned(),
            StopReason::Refused => "ended: the provider refused to answer".to_owned(),
            StopReason::StepLimit => "ended: the turn reached its limit of steps".to_owned(),
            StopReason::Interrupted => "stopped".to_owned(),
            StopReason::Failed => {
                let why = self.fault.as_deref().and_then(|fault| fault.lines().next());
                format!("failed: {}", why.unwrap_or("the transcript says why"))
            }
        };
        for (state, what) in [
            (EditState::Applied, "changed"),
            (EditState::Proposed, "proposes changes to"),
            (EditState::Conflict, "met your changes in"),
        ] {
            if let Some(files) = files(state) {
                words += &format!("; {what} {files}");
            }
        }
        let kind = match stop {
            StopReason::Done | StopReason::Interrupted => MessageType::INFO,
            StopReason::Length | StopReason::Refused | StopReason::StepLimit => MessageType::WARNING,
            StopReason::Failed => MessageType::ERROR,
        };
        (kind, words)
    }
}

#[cfg(test)]
pub(super) mod tests;

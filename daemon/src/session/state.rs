//! What a session is made of, and how an update changes it. Pure: the actor does the waiting.

use super::asked;
use crate::cx::ASK;
use pilotfish_protocol::{
    Approval, Attached, Completion, ContextUse, Delivery, Item, ItemContent, ItemId, Plan, Question, Queued, Session,
    SessionStatus, Status, StopReason, ToolStatus, TurnId, Update, Usage,
};
use std::collections::BTreeMap;

/// A title's length in characters, when the first prompt gives it.
const TITLE: usize = 60;

/// Everything that folding a session's updates gives.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The session as lists show it.
    pub session: Session,
    /// The last durable update's place.
    pub seq: u64,
    /// The running turn.
    pub turn: Option<TurnId>,
    /// Started and not ended.
    pub open: BTreeMap<ItemId, Item>,
    /// What waits for the turn.
    pub queue: Vec<Queued>,
    /// Typed and not sent.
    pub draft: String,
    /// The model's plan.
    pub plan: Plan,
    /// Tokens so far.
    pub usage: Usage,
    /// What the model's context is made of.
    pub context: ContextUse,
    /// Questions that wait.
    pub approvals: Vec<Approval>,
}

/// What becomes of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// A turn starts.
    Start,
    /// It waits.
    Queue,
    /// It reaches the running turn.
    Steer,
}

impl State {
    /// A session without updates.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self {
            session,
            seq: 0,
            turn: None,
            open: BTreeMap::new(),
            queue: Vec::new(),
            draft: String::new(),
            plan: Plan::default(),
            usage: Usage::default(),
            context: ContextUse::default(),
            approvals: Vec::new(),
        }
    }

    /// What becomes of a prompt that arrives now.
    #[must_use]
    pub fn taking(&self, delivery: Delivery) -> Taking {
        match (&self.turn, delivery) {
            (None, _) => Taking::Start,
            (Some(_), Delivery::Queue) => Taking::Queue,
            (Some(_), Delivery::Steer) => Taking::Steer,
        }
    }

    /// Folds one update. Says whether the session's line in a list changed.
    pub fn fold(&mut self, update: &Update) -> bool {
        match update {
            Update::TurnStarted { turn_id, .. } => self.turn = Some(turn_id.clone()),
            // What the turn used was in the sums as it was used.
            Update::TurnEnded { stop, .. } => {
                self.turn = None;
                self.open.clear();
                self.approvals.clear();
                self.session.status = after(*stop);
                return true;
            }
            Update::ItemStarted { item } | Update::ItemChanged { item } => {
                self.open.insert(item.id.clone(), item.clone());
            }
            Update::ItemDelta { item_id, text } => {
                if let Some(item) = self.open.get_mut(item_id) {
                    item.content.append(text);
                }
            }
            Update::ItemEnded { item } => {
                self.open.remove(&item.id);
            }
            Update::ModeChanged { mode } => self.session.mode = *mode,
            Update::ModelChanged { model, effort } => {
                self.session.model = Some(model.clone());
                self.session.effort = *effort;
            }
            Update::TitleChanged { title } => self.session.title.clone_from(title),
            Update::StatusChanged { status } => self.session.status = status.clone(),
            Update::QueueChanged { queue } => self.queue.clone_from(queue),
            Update::DraftChanged { text } => self.draft.clone_from(text),
            Update::Usage { usage, context } => (self.usage, self.context) = (*usage, *context),
            Update::CommandChanged { .. } => {}
            Update::PlanChanged { plan } => self.plan = plan.clone(),
            Update::ApprovalOpened { approval } => self.approvals.push(Approval::clone(approval)),
            Update::ApprovalClosed { approval_id, .. } => self.approvals.retain(|open| open.id != *approval_id),
        }
        matches!(
            update,
            Update::ModeChanged { .. }
                | Update::ModelChanged { .. }
                | Update::TitleChanged { .. }
                | Update::StatusChanged { .. }
        )
    }

    /// What the model asks and nobody answered.
    pub fn inquiries(&self) -> impl Iterator<Item = (&Item, &Question)> {
        self.open.values().filter_map(|item| match &item.content {
            ItemContent::Question(question) => Some((item, question)),
            // Nothing else asks in words; what policy asks is an approval.
            _ => None,
        })
    }

    /// Whether anything waits for the person.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        !self.approvals.is_empty() || self.inquiries().next().is_some()
    }

    /// Whether an item is an open question, or what waits for one.
    #[must_use]
    pub fn waits_for(&self, item: &Item) -> bool {
        let is_inquired = match &item.content {
            ItemContent::Question(_) => true,
            ItemContent::ToolCall(call) => call.name == ASK && self.inquiries().next().is_some(),
            // Nothing else waits for an answer in words.
            _ => false,
        };
        if is_inquired {
            return true;
        }
        self.approvals.iter().any(|approval| approval.item_id == item.id || asked::item_of(&approval.id) == item.id)
    }

    /// The answer to attaching.
    #[must_use]
    pub fn attached(&self) -> Attached {
        Attached {
            session: self.session.clone(),
            seq: self.seq,
            turn_id: self.turn.clone(),
            open_items: self.open.values().cloned().collect(),
            approvals: self.approvals.clone(),
            draft: self.draft.clone(),
            queue: self.queue.clone(),
            plan: self.plan.clone(),
            usage: self.usage,
            context: self.context,
            commands: Vec::new(),
        }
    }
}

/// Whether an update is journaled. The others are superseded by one that is.
#[must_use]
pub fn is_durable(update: &Update) -> bool {
    !matches!(
        update,
        Update::ItemDelta { .. }
            | Update::ItemChanged { .. }
            | Update::StatusChanged { .. }
            | Update::DraftChanged { .. }
            | Update::CommandChanged { .. }
    )
}

/// An item whose turn ended under it, as it is then recorded: nothing open stays open and nothing is run again.
#[must_use]
pub fn cut_short(mut item: Item, why: &str) -> Item {
    match &mut item.content {
        ItemContent::AgentMessage(message) => message.completion = Completion::Interrupted,
        ItemContent::Reasoning(reasoning) => reasoning.completion = Completion::Interrupted,
        ItemContent::ToolCall(call) => {
            call.status = ToolStatus::Interrupted;
            if !call.output.is_empty() {
                call.output.push('\n');
            }
            call.output.push_str(why);
        }
        // A question that ended without an answer says so by having none; nothing else is ever open.
        _ => {}
    }
    item
}

/// A title from a prompt's first line.
#[must_use]
pub fn title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    match line.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(line).trim_end()),
        None => line.to_owned(),
    }
}

/// What a session is when its last turn ended so.
#[must_use]
pub fn after(stop: StopReason) -> SessionStatus {
    let (state, text) = match stop {
        StopReason::Done => (Status::Idle, ""),
        StopReason::Length => (Status::Idle, "the model reached its output limit"),
        StopReason::Refused => (Status::Idle, "the provider refused to answer"),
        StopReason::StepLimit => (Status::Stopped, "the turn reached its limit of steps"),
        StopReason::Interrupted => (Status::Stopped, "interrupted"),
        StopReason::Failed => (Status::Failed, "failed; the transcript says why"),
    };
    SessionStatus { state, text: text.to_owned() }
}

#[cfg(test)]
mod tests;

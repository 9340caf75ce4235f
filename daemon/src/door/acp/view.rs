//! One session as a client of this protocol sees it: our updates in, theirs out. Pure.
//!
//! Owns the account of what the client was shown of each item, so that a text comes once, whether it arrived in deltas, was
//! repeated whole or was fetched from the journal.

use super::content;
use super::tools::{self, Changing, Tail};
use super::wire::{self, Block, PlanEntry};
use crate::path::AbsPath;
use pilotfish_protocol::{
    Attached, Audience, Fault, Item, ItemContent, ItemId, Plan, Question, Session, SessionUpdate, ToolCall, Update,
    Usage,
};
use std::collections::BTreeMap;

/// Bytes of one chunk of a text. Some clients read lines of at most 64 KiB.
const CHUNK: usize = 16 << 10;

/// What a client is to be told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// This.
    Update(wire::Update),
    /// The options anew, with the values that [`View::session`] has now.
    Options,
}

/// One session on its way to one client.
#[derive(Debug)]
pub(super) struct View {
    /// Its header, as far as the client was told.
    pub(super) session: Session,
    root: Option<AbsPath>,
    /// What was shown of each text of the running turn. Ended ones stay: a broken answer's words end twice.
    texts: BTreeMap<ItemId, Text>,
    /// The calls the client knows to run.
    calls: BTreeMap<ItemId, Tail>,
    /// The call that ended last: what it changed follows it.
    changing: Option<Changing>,
}

/// How much of a text was shown.
#[derive(Debug, Clone, Copy)]
struct Text {
    bytes: usize,
    kind: Kind,
}

/// Whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Thought,
}

impl View {
    /// Of a session from its attachment on. What its open items said before counts as shown.
    pub(super) fn new(attached: &Attached) -> Self {
        let text = |item: &Item| {
            let (kind, said) = said(&item.content)?;
            Some((item.id.clone(), Text { bytes: said.len(), kind }))
        };
        Self { texts: attached.open_items.iter().filter_map(text).collect(), ..Self::of(attached.session.clone()) }
    }

    /// Of a session whose updates will come from the first one on.
    pub(super) fn of(session: Session) -> Self {
        let root = AbsPath::new(&session.workspace).ok();
        Self { session, root, texts: BTreeMap::new(), calls: BTreeMap::new(), changing: None }
    }

    /// The call that runs, as far as the client knows of one.
    pub(super) fn call_at_work(&self) -> Option<&ItemId> {
        self.calls.keys().next_back()
    }

    /// Folds one update. `own` says that a prompt in it is the client's own, which it shows already.
    pub(super) fn take(&mut self, update: &SessionUpdate, own: bool) -> Vec<Shown> {
        let mut shown = Vec::new();
        match &update.update {
            Update::ItemStarted { item } | Update::ItemChanged { item } => self.open(item, &mut shown),
            Update::ItemDelta { item_id, text } => self.delta(item_id, text, &mut shown),
            Update::ItemEnded { item } => self.ended(item, own, &mut shown),
            Update::TurnEnded { usage, .. } => {
                self.texts.clear();
                self.calls.clear();
                self.changing = None;
                shown.extend(context(usage));
            }
            Update::ModeChanged { mode } => {
                self.session.mode = *mode;
                shown.push(Shown::Update(wire::Update::CurrentMode { current_mode_id: *mode }));
                shown.push(Shown::Options);
            }
            Update::ModelChanged { model, effort } => {
                self.session.model = Some(model.clone());
                self.session.effort = *effort;
                shown.push(Shown::Options);
            }
            Update::TitleChanged { title } => {
                self.session.title.clone_from(title);
                shown.push(Shown::Update(wire::Update::SessionInfo { title: title.clone() }));
            }
            Update::Usage { usage, .. } => shown.extend(context(usage)),
            Update::PlanChanged { plan } => shown.push(Shown::Update(plan_update(plan))),
            // The protocol has no word for these, or they come with the permissions.
            Update::TurnStarted { .. }
            | Update::StatusChanged { .. }
            | Update::QueueChanged { .. }
            | Update::DraftChanged { .. }
            | Update::CommandChanged { .. }
            | Update::ApprovalOpened { .. }
            | Update::ApprovalClosed { .. } => {}
        }
        shown
    }

    fn open(&mut self, item: &Item, shown: &mut Vec<Shown>) {
        match &item.content {
            ItemContent::ToolCall(call) => self.call(item, call, shown),
            // Nothing else is ever open.
            _ => self.rest(item, shown),
        }
    }

    fn call(&mut self, item: &Item, call: &ToolCall, shown: &mut Vec<Shown>) {
        let known = self.calls.contains_key(&item.id);
        let mut tail = Tail::default();
        tail.push(&call.output);
        let tool = if known { tail.shown(&item.id) } else { tools::whole(self.root.as_ref(), &item.id, call) };
        self.calls.insert(item.id.clone(), tail);
        shown.push(told(known, tool));
    }

    fn delta(&mut self, id: &ItemId, text: &str, shown: &mut Vec<Shown>) {
        if let Some(tail) = self.calls.get_mut(id) {
            tail.push(text);
            shown.push(told(true, tail.shown(id)));
        } else if let Some(shown_text) = self.texts.get_mut(id) {
            shown_text.bytes += text.len();
            shown.extend(chunks(id, text, shown_text.kind));
        }
    }

    fn ended(&mut self, item: &Item, own: bool, shown: &mut Vec<Shown>) {
        match &item.content {
            ItemContent::UserMessage(message) if !own => {
                shown.extend(message.input.iter().map(|part| {
                    let (content, message_id) = (content::block(part), item.id.clone());
                    Shown::Update(wire::Update::UserMessageChunk { content, message_id })
                }));
            }
            ItemContent::AgentMessage(_) | ItemContent::Reasoning(_) => self.rest(item, shown),
            ItemContent::ToolCall(call) => {
                let known = self.calls.remove(&item.id).is_some();
                let tool = if known {
                    tools::outcome(&item.id, call)
                } else {
                    tools::whole(self.root.as_ref(), &item.id, call)
                };
                self.changing = Changing::new(&item.id, call);
                shown.push(told(known, tool));
            }
            ItemContent::Edit(edit) | ItemContent::Conflict(edit) => {
                let changed = self.changing.as_mut().and_then(|changing| changing.with(edit));
                shown.push(match changed {
                    Some(tool) => told(true, tool),
                    None => told(false, tools::lone(&item.id, edit)),
                });
            }
            ItemContent::Question(question) => shown.push(aside(&item.id, &asked(question))),
            ItemContent::Error(fault) => shown.push(self::fault(&item.id, fault)),
            ItemContent::Notice(notice) if notice.audience == Audience::Model => {}
            ItemContent::Notice(notice) => shown.push(aside(&item.id, &notice.text)),
            ItemContent::Compaction(compaction) => shown.push(aside(&item.id, &compaction.to_string())),
            // The first is on the client's screen; plans come as plans, and approvals with the permissions.
            ItemContent::UserMessage(_) | ItemContent::Context(_) | ItemContent::Plan(_) | ItemContent::Approval(_) => {
            }
        }
    }

    /// Shows what of a text was not shown yet. A text only ever grows.
    fn rest(&mut self, item: &Item, shown: &mut Vec<Shown>) {
        let Some((kind, text)) = said(&item.content) else { return };
        let before = self.texts.insert(item.id.clone(), Text { bytes: text.len(), kind });
        let rest = text.get(before.map_or(0, |before| before.bytes)..).unwrap_or_default();
        shown.extend(chunks(&item.id, rest, kind));
    }
}

/// A fault, for people.
pub(super) fn fault(id: &ItemId, fault: &Fault) -> Shown {
    aside(id, &fault.message)
}

/// The words of an item that streams words.
fn said(content: &ItemContent) -> Option<(Kind, &str)> {
    match content {
        ItemContent::AgentMessage(message) => Some((Kind::Message, &message.text)),
        ItemContent::Reasoning(reasoning) => Some((Kind::Thought, &reasoning.text)),
        // No other item streams words.
        _ => None,
    }
}

/// A text in pieces; none for one without words.
fn chunks<'a>(id: &'a ItemId, mut text: &'a str, kind: Kind) -> impl Iterator<Item = Shown> + 'a {
    std::iter::from_fn(move || {
        let end = text.floor_char_boundary(CHUNK);
        let (piece, rest) = text.split_at_checked(end).filter(|(piece, _)| !piece.is_empty())?;
        text = rest;
        Some(chunk(id, piece, kind))
    })
}

fn chunk(id: &ItemId, text: &str, kind: Kind) -> Shown {
    let (content, message_id) = (Block::text(text), id.clone());
    Shown::Update(match kind {
        Kind::Thought => wire::Update::AgentThoughtChunk { content, message_id },
        Kind::Message => wire::Update::AgentMessageChunk { content, message_id },
    })
}

/// What is not the model's, between its words. Clients set chunks one behind the other, so it brings its own lines.
fn aside(id: &ItemId, text: &str) -> Shown {
    chunk(id, &format!("\n\n[{text}]\n\n"), Kind::Message)
}

fn asked(question: &Question) -> String {
    let mut text = question.text.clone();
    for choice in &question.choices {
        text += &format!("\n- {choice}");
    }
    if let Some(answer) = &question.answer {
        text += &format!("\nanswered: {answer}");
    }
    text
}

/// A call the client knows is updated, one it does not is announced.
fn told(known: bool, tool: wire::Tool) -> Shown {
    let tool = Box::new(tool);
    Shown::Update(if known { wire::Update::ToolCallChanged(tool) } else { wire::Update::ToolCall(tool) })
}

fn plan_update(plan: &Plan) -> wire::Update {
    let entry = |step: &pilotfish_protocol::PlanStep| PlanEntry {
        content: step.step.clone(),
        priority: "medium",
        status: step.status,
    };
    wire::Update::Plan { entries: plan.steps.iter().map(entry).collect() }
}

/// How full the model's context is, where its size is known.
fn context(usage: &Usage) -> Option<Shown> {
    let (used, size) = (usage.context_tokens, usage.context_size?);
    (used > 0).then_some(Shown::Update(wire::Update::Usage { used, size }))
}

#[cfg(test)]
mod tests;

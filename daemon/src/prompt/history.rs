//! The items that requests are built from, as they stand in the journal. It judges nothing.

use super::environment::OPENING;
use super::measure::Window;
use pilotfish_protocol::{CompactionWay, InputPart, Item, ItemContent, ItemId, Notice, ToolCall, TurnId};

/// The items the model's next request is built from, in the order of their ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    pub(super) items: Vec<Item>,
    /// The room there is.
    pub window: Window,
}

impl History {
    /// Of a session's items.
    #[must_use]
    pub fn new(items: Vec<Item>) -> Self {
        Self { items, window: Window::default() }
    }

    /// Adds an ended item.
    pub fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Adds ended items.
    pub fn extend(&mut self, items: Vec<Item>) {
        self.items.extend(items);
    }

    /// Takes the last item away again.
    pub(crate) fn pop(&mut self) {
        self.items.pop();
    }

    /// The latest prompt; empty when there is none.
    #[must_use]
    pub fn asked(&self) -> &[InputPart] {
        let asked = self.items.iter().rev().find_map(|item| match &item.content {
            ItemContent::UserMessage(message) => Some(message.input.as_slice()),
            // Everything else is somebody else's.
            _ => None,
        });
        asked.unwrap_or_default()
    }

    /// The environment as the model was last told of it.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.notices().rev().find(|notice| is_environment(notice)).map(|notice| notice.text.as_str())
    }

    /// Whether somebody was told this already.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.notices().any(|notice| notice.text == text)
    }

    /// The items of a turn, in order.
    pub fn of_turn<'a>(&'a self, turn: &'a TurnId) -> impl DoubleEndedIterator<Item = &'a Item> {
        self.items.iter().filter(move |item| item.turn_id.as_ref() == Some(turn))
    }

    /// Whether a turn has something to answer: one that only condenses has not.
    #[must_use]
    pub fn asks(&self, turn: &TurnId) -> bool {
        let said = self.items.iter().rev().find(|item| {
            matches!(
                item.content,
                ItemContent::UserMessage(_)
                    | ItemContent::AgentMessage(_)
                    | ItemContent::Reasoning(_)
                    | ItemContent::ToolCall(_)
            )
        });
        said.is_some_and(|item| {
            item.turn_id.as_ref() == Some(turn) || matches!(item.content, ItemContent::UserMessage(_))
        })
    }

    /// How often something was said in a turn.
    #[must_use]
    pub fn count_in(&self, turn: &TurnId, text: &str) -> usize {
        let is_it = |item: &&Item| matches!(&item.content, ItemContent::Notice(notice) if notice.text == text);
        self.of_turn(turn).filter(is_it).count()
    }

    /// The step after the last one that called a tool in this turn: a turn that goes on after a restart does not count anew.
    #[must_use]
    pub fn next_step(&self, turn: &TurnId) -> u32 {
        self.of_turn(turn).filter_map(call).map(|call| call.step + 1).max().unwrap_or(0)
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The item at a place.
    #[must_use]
    pub fn id_at(&self, place: usize) -> Option<ItemId> {
        self.items.get(place).map(|item| item.id.clone())
    }

    /// What the latest summary left of the context, in tokens.
    #[must_use]
    pub fn summarized_to(&self) -> Option<u64> {
        self.items.iter().rev().find_map(|item| match &item.content {
            ItemContent::Compaction(compaction) if compaction.way == CompactionWay::Summarized => {
                Some(compaction.tokens_after)
            }
            _ => None,
        })
    }

    fn notices(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.items.iter().filter_map(|item| match &item.content {
            ItemContent::Notice(notice) => Some(notice),
            _ => None,
        })
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// The call that an item records, if it does.
#[must_use]
pub fn call(item: &Item) -> Option<&ToolCall> {
    match &item.content {
        ItemContent::ToolCall(call) => Some(call),
        // Nothing else is a call.
        _ => None,
    }
}

/// Whether a notice says where the model works.
pub(super) fn is_environment(notice: &Notice) -> bool {
    notice.text.starts_with(OPENING)
}

//! What the model sees, all of it. Pure: items in, a request out.
//!
//! A request only ever grows at its end, so that a provider's prefix cache holds from step to step: the instructions and tools never
//! change within a session, and facts that do change (date, mode) enter the history as notices where they became true.

use crate::model::{Call, Message, ModelRequest, Part, ToolSpec};
use pilotfish_protocol::{
    Audience, Completion, Effort, InputPart, Item, ItemContent, Mode, ModelName, Notice, Reasoning, SessionId,
    ToolCall, TurnId,
};
use std::sync::{Arc, LazyLock};

pub mod receipt;

/// What the notice of the environment begins with.
const ENVIRONMENT: &str = "<environment>";

/// Who the model is here.
const INSTRUCTIONS: &str = include_str!("prompt/instructions.md");

static SHARED_INSTRUCTIONS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(INSTRUCTIONS.trim_end()));

/// The items the model's next request is built from, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    items: Vec<Item>,
}

impl History {
    /// Of a session's items.
    #[must_use]
    pub fn new(items: Vec<Item>) -> Self {
        Self { items }
    }

    /// Adds an ended item.
    pub fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Adds ended items.
    pub fn extend(&mut self, items: Vec<Item>) {
        self.items.extend(items);
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
        self.notices().rev().find(|notice| notice.text.starts_with(ENVIRONMENT)).map(|notice| notice.text.as_str())
    }

    /// Whether somebody was told this already.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.notices().any(|notice| notice.text == text)
    }

    /// How often something was said in a turn.
    #[must_use]
    pub fn count_in(&self, turn: &TurnId, text: &str) -> usize {
        let said = |item: &&Item| {
            item.turn_id.as_ref() == Some(turn)
                && matches!(&item.content, ItemContent::Notice(notice) if notice.text == text)
        };
        self.items.iter().filter(said).count()
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

/// Builds the next request.
#[must_use]
pub fn build(
    session: &SessionId,
    (model, effort): (&ModelName, Option<Effort>),
    tools: &Arc<[ToolSpec]>,
    history: &History,
) -> ModelRequest {
    let mut messages = Vec::with_capacity(history.items.len() + 8);
    let mut items = history.items.iter().peekable();
    while let Some(item) = items.next() {
        let ItemContent::ToolCall(first) = &item.content else {
            messages.extend(message(&item.content, model));
            continue;
        };
        // The calls of one answer stand together, then their outputs: that is how the model made them.
        let mut calls = vec![first];
        while let Some(ItemContent::ToolCall(call)) = items.peek().map(|next| &next.content)
            && items.peek().is_some_and(|next| next.turn_id == item.turn_id)
            && call.step == first.step
        {
            calls.push(call);
            items.next();
        }
        messages.extend(calls.iter().map(|call| Message::Call(as_call(call))));
        messages.extend(calls.iter().map(|call| output(call)));
    }
    ModelRequest {
        instructions: SHARED_INSTRUCTIONS.clone(),
        tools: tools.clone(),
        messages,
        effort,
        session: session.clone(),
    }
}

/// What the model is told of where it works. Told again, whole, when any of it changed.
#[must_use]
pub fn environment(workspace: &str, platform: &str, mode: Mode, date: &str) -> String {
    let may = match mode {
        Mode::ReadOnly => {
            "read-only: edit, patch and write become proposals for the person; commands run confined and cannot write \
             to the workspace"
        }
        Mode::Agent => {
            "agent: edit, patch, write and commands change files of the workspace; nothing outside it can be written"
        }
    };
    format!(
        "{ENVIRONMENT}\nworkspace: {workspace}\nplatform: {platform}\ndate: {date}\nmode: {may}\nnetwork: none\n</environment>"
    )
}

/// The words of a prompt, for a title or a search.
#[must_use]
pub fn words(input: &[InputPart]) -> String {
    let texts: Vec<&str> = input
        .iter()
        .filter_map(|part| if let InputPart::Text { text } = part { Some(text.as_str()) } else { None })
        .collect();
    texts.join("\n")
}

fn message(content: &ItemContent, model: &ModelName) -> Option<Message> {
    match content {
        ItemContent::UserMessage(message) => Some(Message::User(message.input.iter().map(part).collect())),
        ItemContent::AgentMessage(message) => {
            let seen = message.completion != Completion::Broken && !message.text.is_empty();
            seen.then(|| Message::Agent(message.text.clone()))
        }
        ItemContent::Reasoning(reasoning) => thought(reasoning, model),
        ItemContent::Notice(notice) => match notice.audience {
            Audience::Person => None,
            Audience::Model | Audience::Both => Some(Message::User(vec![Part::Text(notice.text.clone())])),
        },
        ItemContent::Context(receipt) => {
            let parts: Vec<Part> = receipt.parts.iter().map(|part| Part::Text(part.text.clone())).collect();
            (!parts.is_empty()).then_some(Message::User(parts))
        }
        // The model knows these from its calls and their outputs, or they are for the person.
        ItemContent::ToolCall(_)
        | ItemContent::Edit(_)
        | ItemContent::Plan(_)
        | ItemContent::Approval(_)
        | ItemContent::Question(_)
        | ItemContent::Conflict(_)
        | ItemContent::Error(_)
        | ItemContent::Compaction(_) => None,
    }
}

/// Thoughts go back only to the model they came from, and only when its provider asked for that.
fn thought(reasoning: &Reasoning, model: &ModelName) -> Option<Message> {
    let opaque = reasoning.opaque.clone()?;
    let whole = reasoning.completion == Completion::Whole && reasoning.model.as_ref() == Some(model);
    whole.then(|| Message::Reasoning { text: reasoning.text.clone(), opaque })
}

fn as_call(call: &ToolCall) -> Call {
    Call { call_id: call.call_id.clone(), name: call.name.clone(), arguments: call.input.clone() }
}

fn output(call: &ToolCall) -> Message {
    Message::Output { call_id: call.call_id.clone(), text: call.output.clone() }
}

fn part(part: &InputPart) -> Part {
    match part {
        InputPart::Text { text } => Part::Text(text.clone()),
        InputPart::Image { media_type, data } => Part::Image { media_type: media_type.clone(), data: data.clone() },
        InputPart::File { uri } => Part::Text(format!("<attached file=\"{uri}\"/>")),
        InputPart::Selection { uri, range } => {
            let (first, last) = (range.start.line + 1, range.end.line + 1);
            Part::Text(format!("<attached file=\"{uri}\" lines=\"{first}-{last}\"/>"))
        }
        InputPart::Symbol { uri, range } => {
            let (first, last) = (range.start.line + 1, range.end.line + 1);
            Part::Text(format!("<attached symbol=\"{uri}\" lines=\"{first}-{last}\"/>"))
        }
        InputPart::Diagnostics { uri: Some(uri) } => Part::Text(format!("<attached problems=\"{uri}\"/>")),
        InputPart::Diagnostics { uri: None } => Part::Text("<attached problems=\"all\"/>".to_owned()),
        InputPart::Changes => Part::Text("<attached changes=\"pending review\"/>".to_owned()),
    }
}

#[cfg(test)]
mod tests;

//! What the model sees, all of it. Pure: items in, a request out.
//!
//! A request only ever grows at its end, so that a provider's prefix cache holds from step to step: the instructions and tools never
//! change within a session, and facts that do change (date, mode) enter the history as notices where they became true. Only a
//! compaction breaks that, once.

use crate::model::{Call, Message, ModelRequest, Part, ToolSpec};
use crate::text::excerpt::excerpt;
use condense::Seen;
use pilotfish_protocol::{
    Audience, Completion, ContextPart, ContextSource, ContextUse, Effort, InputPart, Item, ItemContent, ModelName,
    Reasoning, SessionId, ToolCall,
};
use std::sync::{Arc, LazyLock};

pub mod condense;
mod environment;
mod history;
pub mod measure;
pub mod receipt;
pub mod summary;

pub use environment::{Surroundings, environment};
pub use history::{History, call};

/// Who the model is here.
const INSTRUCTIONS: &str = include_str!("prompt/instructions.md");

/// Asks the model to condense what it has read.
const CONDENSE: &str = include_str!("prompt/condense.md");

static SHARED_INSTRUCTIONS: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(INSTRUCTIONS.trim_end()));

/// A request, and about what it takes of the model's context.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The request.
    pub request: ModelRequest,
    /// An estimate, before the provider's own counting is known.
    pub context: ContextUse,
}

impl Prompt {
    /// About how many tokens it takes, before the provider's own counting is known.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        measure::total(&self.context)
    }
}

/// Builds the next request.
#[must_use]
pub fn build(
    session: &SessionId,
    (model, effort): (&ModelName, Option<Effort>),
    tools: &Arc<[ToolSpec]>,
    history: &History,
) -> Prompt {
    let seen: Vec<Seen<'_>> = condense::seen(&history.items).into_iter().filter(|seen| speaks(seen, model)).collect();
    let mut pages = Pages::new(history, seen.len());
    let mut rest = seen.as_slice();
    while let Some((first, others)) = rest.split_first() {
        rest = match answered(first) {
            None => {
                pages.tell(first, model);
                others
            }
            Some((key, _)) => pages.answer(rest, others_of(rest, key), key, model),
        };
    }
    let Pages { messages, mut context, .. } = pages;
    let messages = without_idle_thoughts(messages);
    let request = ModelRequest {
        instructions: SHARED_INSTRUCTIONS.clone(),
        tools: tools.clone(),
        messages,
        effort,
        session: session.clone(),
    };
    context.instructions += measure::foundation(&request);
    Prompt { request, context }
}

/// Providers refuse a thought that nothing of the same answer follows: what it led to was cut off, or came to nothing.
fn without_idle_thoughts(messages: Vec<Message>) -> Vec<Message> {
    let mut kept: Vec<Message> = Vec::with_capacity(messages.len());
    let drop_idle = |kept: &mut Vec<Message>| {
        while matches!(kept.last(), Some(Message::Reasoning { .. })) {
            kept.pop();
        }
    };
    for message in messages {
        if matches!(message, Message::User(_)) {
            drop_idle(&mut kept);
        }
        kept.push(message);
    }
    drop_idle(&mut kept);
    kept
}

/// The same request with one more message, which asks for a summary of all before it. Nothing else of it changes, so that
/// what the provider has cached is of use.
#[must_use]
pub fn asking_for_summary(mut prompt: Prompt) -> Prompt {
    let message = Message::User(vec![Part::Text(CONDENSE.trim_end().to_owned())]);
    prompt.context.history += measure::message(&message);
    prompt.request.messages.push(message);
    prompt
}

/// Leaves outputs of a request out, the oldest first, until it takes no more than `most` tokens. Says whether it does.
#[must_use]
pub fn shorten(prompt: &mut Prompt, most: u64) -> bool {
    let mut estimate = prompt.estimate();
    for message in &mut prompt.request.messages {
        if estimate <= most {
            break;
        }
        let before = measure::message(message);
        if let Message::Output { text, .. } = message {
            *text = "[left out]".to_owned();
        }
        let freed = before.saturating_sub(measure::message(message));
        estimate = estimate.saturating_sub(freed);
        prompt.context.tool_output = prompt.context.tool_output.saturating_sub(freed);
    }
    estimate <= most
}

/// The calls of one answer: its turn and its step in there.
type Answered<'a> = (Option<&'a pilotfish_protocol::TurnId>, u32);

fn answered<'a>(seen: &Seen<'a>) -> Option<(Answered<'a>, &'a ToolCall)> {
    match *seen {
        Seen::Whole(item) => call(item).map(|call| ((item.turn_id.as_ref(), call.step), call)),
        Seen::Masked(item, call) => Some(((item.turn_id.as_ref(), call.step), call)),
        Seen::Summary(_) | Seen::Instructions(_) => None,
    }
}

/// How far the calls of an answer reach. What stands between two of them came from outside meanwhile.
fn others_of(seen: &[Seen<'_>], key: Answered<'_>) -> usize {
    let mut end = 1;
    for (at, next) in seen.iter().enumerate().skip(1) {
        match answered(next) {
            Some((other, _)) if other == key => end = at + 1,
            Some(_) => break,
            None if is_answer(next) => break,
            None => {}
        }
    }
    end
}

/// Whether this is something the model said.
fn is_answer(seen: &Seen<'_>) -> bool {
    matches!(seen, Seen::Whole(Item { content: ItemContent::AgentMessage(_) | ItemContent::Reasoning(_), .. }))
}

/// Which part of the context something counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Instructions,
    History,
    ToolOutput,
    Files,
}

/// The messages so far.
struct Pages {
    messages: Vec<Message>,
    context: ContextUse,
    /// No single output, and nothing attached, takes more bytes.
    most: usize,
}

impl Pages {
    fn new(history: &History, capacity: usize) -> Self {
        let most = measure::bytes(history.window.size() / 4);
        Self { messages: Vec::with_capacity(capacity + 8), context: ContextUse::default(), most }
    }

    fn push(&mut self, message: Message, share: Share) {
        *self.share(share) += measure::message(&message);
        self.messages.push(message);
    }

    fn share(&mut self, share: Share) -> &mut u64 {
        match share {
            Share::Instructions => &mut self.context.instructions,
            Share::History => &mut self.context.history,
            Share::ToolOutput => &mut self.context.tool_output,
            Share::Files => &mut self.context.files,
        }
    }

    /// The calls of one answer together, then their outputs: that is how the model made them. What came from outside meanwhile
    /// comes after. Gives what comes behind all of that.
    fn answer<'a, 'b>(
        &mut self,
        seen: &'b [Seen<'a>],
        end: usize,
        key: Answered<'a>,
        model: &ModelName,
    ) -> &'b [Seen<'a>] {
        let (group, rest) = seen.split_at_checked(end).unwrap_or((seen, &[]));
        let is_call = |seen: &&Seen<'_>| answered(seen).is_some_and(|(other, _)| other == key);
        for seen in group.iter().filter(is_call) {
            if let Some((_, call)) = answered(seen) {
                self.push(Message::Call(as_call(call)), Share::History);
            }
        }
        for seen in group.iter().filter(is_call) {
            if let Some((_, call)) = answered(seen) {
                let text = match seen {
                    Seen::Masked(item, call) => condense::left_out(item, call),
                    Seen::Whole(_) | Seen::Summary(_) | Seen::Instructions(_) => capped(&call.output, self.most),
                };
                self.push(Message::Output { call_id: call.call_id.clone(), text }, Share::ToolOutput);
            }
        }
        for seen in group.iter().filter(|seen| !is_call(seen)) {
            self.tell(seen, model);
        }
        rest
    }

    fn tell(&mut self, seen: &Seen<'_>, model: &ModelName) {
        match seen {
            Seen::Summary(text) => self.say(text, Share::History),
            Seen::Instructions(part) => self.say(&part.text, Share::Instructions),
            Seen::Whole(item) | Seen::Masked(item, _) => self.tell_item(&item.content, model),
        }
    }

    fn tell_item(&mut self, content: &ItemContent, model: &ModelName) {
        match content {
            ItemContent::UserMessage(prompt) => {
                self.given(prompt.input.iter().map(|input| (part(input), share(input))))
            }
            ItemContent::AgentMessage(said) => self.push(Message::Agent(said.text.clone()), Share::History),
            ItemContent::Reasoning(reasoning) => {
                if let Some(message) = thought(reasoning, model) {
                    self.push(message, Share::History);
                }
            }
            ItemContent::Notice(notice) => self.say(&notice.text, Share::History),
            ItemContent::Context(receipt) => {
                let source = |part: &ContextPart| match part.source {
                    ContextSource::Instructions => Share::Instructions,
                    ContextSource::File
                    | ContextSource::Diagnostics
                    | ContextSource::Changes
                    | ContextSource::Editor => Share::Files,
                };
                self.given(receipt.parts.iter().map(|part| (Part::Text(part.text.clone()), source(part))));
            }
            // The model knows these from its calls and their outputs, or they are for the person.
            ItemContent::ToolCall(_)
            | ItemContent::Edit(_)
            | ItemContent::Plan(_)
            | ItemContent::Approval(_)
            | ItemContent::Question(_)
            | ItemContent::Conflict(_)
            | ItemContent::Error(_)
            | ItemContent::Compaction(_) => {}
        }
    }

    fn say(&mut self, text: &str, share: Share) {
        self.push(Message::User(vec![Part::Text(text.to_owned())]), share);
    }

    /// One message of several parts, each of which counts as something else. None of them takes all the room.
    fn given(&mut self, parts: impl Iterator<Item = (Part, Share)>) {
        let mut message = Vec::new();
        for (part, share) in parts {
            let part = match part {
                Part::Text(text) => Part::Text(capped(&text, self.most)),
                image @ Part::Image { .. } => image,
            };
            *self.share(share) += measure::part(&part);
            message.push(part);
        }
        self.context.history += measure::message(&Message::User(Vec::new()));
        self.messages.push(Message::User(message));
    }
}

/// Whether the model reads anything of this.
fn speaks(seen: &Seen<'_>, model: &ModelName) -> bool {
    let (Seen::Whole(item) | Seen::Masked(item, _)) = seen else { return true };
    match &item.content {
        ItemContent::UserMessage(_) | ItemContent::ToolCall(_) => true,
        ItemContent::AgentMessage(said) => said.completion != Completion::Broken && !said.text.is_empty(),
        ItemContent::Reasoning(reasoning) => thought(reasoning, model).is_some(),
        ItemContent::Notice(notice) => notice.audience != Audience::Person,
        ItemContent::Context(receipt) => !receipt.parts.is_empty(),
        ItemContent::Edit(_)
        | ItemContent::Plan(_)
        | ItemContent::Approval(_)
        | ItemContent::Question(_)
        | ItemContent::Conflict(_)
        | ItemContent::Error(_)
        | ItemContent::Compaction(_) => false,
    }
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

/// A text that does not take more than so many bytes, which says so when it would.
fn capped(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    // No character takes more than four bytes, and the note needs room too.
    let shown = excerpt(text, most / 4 * 3);
    let mut shown = shown.text;
    while shown.len() > most {
        shown.truncate(shown.floor_char_boundary(most));
    }
    format!("{shown}\n[cut: the whole is {} bytes, more than fits the model's context]", text.len())
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

fn share(part: &InputPart) -> Share {
    match part {
        InputPart::Text { .. } => Share::History,
        InputPart::Image { .. }
        | InputPart::File { .. }
        | InputPart::Selection { .. }
        | InputPart::Symbol { .. }
        | InputPart::Diagnostics { .. }
        | InputPart::Changes => Share::Files,
    }
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

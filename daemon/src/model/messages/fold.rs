//! The events of a Messages stream, folded into an answer. Judges events by their type and blocks by their number, and ignores what it
//! does not know. Calls are held until the answer is over, since the output limit may fall into one that has an end. Pure.

use crate::model::limits::{MAX_ARGUMENTS, too_large};
use crate::model::report::Report;
use crate::model::sse::Event;
use crate::model::{Call, ModelError, ModelEvent, Stop};
use pilotfish_protocol::Usage;
use serde_json::{Value, json};

/// One answer as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    url: String,
    blocks: Vec<Block>,
    /// Why the server says it stopped.
    stop: Option<Stop>,
    counts: Counts,
    finished: bool,
}

/// One block of the answer.
#[derive(Debug, Clone)]
struct Block {
    index: Option<u64>,
    kind: Kind,
    /// Whether any of it was passed on, or held for a call.
    grew: bool,
    done: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Text,
    Thought {
        signature: String,
    },
    /// A thought that came sealed.
    Sealed(Value),
    Call {
        call: Call,
        /// What was said when it began, for servers that send no pieces.
        announced: Option<String>,
    },
    /// Tools that the provider runs itself, and whatever is new.
    Unknown,
}

/// Tokens. What the stream says later counts from its beginning, so the greatest number is the last.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    fresh: u64,
    cache_written: u64,
    cache_read: u64,
    output: u64,
}

impl Fold {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), blocks: Vec::new(), stop: None, counts: Counts::default(), finished: false }
    }

    /// Folds one event. After [`ModelEvent::Finished`] the rest of the stream means nothing.
    pub(crate) fn push(&mut self, event: &Event, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        // Gateways end every stream with another dialect's mark; it says nothing that counts here.
        if self.finished || event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
            return match event.name.as_str() {
                // Half of what should be JSON says nothing to a person.
                "error" if !event.data.trim_start().starts_with('{') => {
                    Err(Report::plain(&event.data).into_error(&self.url))
                }
                _ => Err(self.broken("an event is not JSON")),
            };
        };
        match string(&value, "type").unwrap_or(&event.name) {
            "message_start" => {
                self.counts.take(value.pointer("/message/usage"));
                Ok(())
            }
            "content_block_start" => self.begin(&value, out),
            "content_block_delta" => self.grow(&value, out),
            "content_block_stop" => {
                self.end_block(&value, out);
                Ok(())
            }
            "message_delta" => {
                self.counts.take(value.get("usage"));
                self.take_stop(value.pointer("/delta/stop_reason"));
                Ok(())
            }
            "message_stop" => self.finish(out),
            // The whole answer of a server that does not stream.
            "message" => self.whole(&value, out),
            "error" => Err(self.reported(&value)),
            // A gateway's own error has no type and stands alone.
            _ if value.get("error").is_some_and(|error| !error.is_null()) => Err(self.reported(&value)),
            _ => Ok(()),
        }
    }

    /// The stream ended.
    pub(crate) fn end(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.finished {
            return Ok(());
        }
        // Some servers leave the last mark out; a reason to stop, with everything ended, is as good.
        if self.settled() { self.finish(out) } else { Err(self.broken("it ended before the answer was complete")) }
    }

    /// Whether the answer is whole should nothing more come.
    pub(crate) fn settled(&self) -> bool {
        self.finished || (self.stop.is_some() && self.blocks.iter().all(|block| block.done))
    }

    fn begin(&mut self, event: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let index = event.get("index").and_then(Value::as_u64);
        let Some(begun) = event.get("content_block") else { return Ok(()) };
        let kind = Kind::of(begun);
        if let Kind::Call { call, .. } = &kind
            && !call.call_id.is_empty()
            && let Some(same) = self.blocks.iter().find(|block| block.call_id() == Some(&call.call_id))
        {
            // Said twice before anything came of it; later, one of the two is not what it seems.
            let untouched = !same.grew && !same.done && same.index == index;
            return if untouched { Ok(()) } else { Err(self.broken("a call began twice")) };
        }
        if let Some(open) = self.blocks.iter().find(|block| block.index == index && !block.done) {
            let repeated = !open.grew && std::mem::discriminant(&open.kind) == std::mem::discriminant(&kind);
            return if repeated { Ok(()) } else { Err(self.broken("a block began in another one")) };
        }
        // Servers exist that send the first words along.
        let said = ["text", "thinking"].into_iter().find_map(|key| string(begun, key)).unwrap_or_default().to_owned();
        if let Kind::Call { announced: Some(announced), .. } = &kind
            && announced.len() > MAX_ARGUMENTS
        {
            return Err(too_large(&self.url, "arguments of a call", MAX_ARGUMENTS));
        }
        self.blocks.push(Block { index, kind, grew: false, done: false });
        if let Some(block) = self.blocks.last_mut().filter(|_| !said.is_empty()) {
            block.say(&said, out);
        }
        Ok(())
    }

    fn grow(&mut self, event: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let Some(delta) = event.get("delta") else { return Ok(()) };
        let index = event.get("index").and_then(Value::as_u64);
        let kind = string(delta, "type").unwrap_or_default();
        // Where the words of an answer come from is shown nowhere.
        if !matches!(kind, "text_delta" | "thinking_delta" | "signature_delta" | "input_json_delta") {
            return Ok(());
        }
        let Some(at) = self.blocks.iter().rposition(|block| index.is_none() || block.index == index) else {
            return Err(self.broken("a piece came before its beginning"));
        };
        let url = &self.url;
        let Some(block) = self.blocks.get_mut(at) else { return Ok(()) };
        if block.done {
            return Err(self.broken("a piece came after its end"));
        }
        let piece = |key: &str| string(delta, key).unwrap_or_default();
        match (&mut block.kind, kind) {
            (Kind::Text, "text_delta") => block.say(piece("text"), out),
            (Kind::Thought { .. }, "thinking_delta") => block.say(piece("thinking"), out),
            (Kind::Thought { signature }, "signature_delta") => {
                signature.push_str(piece("signature"));
                block.grew = true;
            }
            (Kind::Call { call, .. }, "input_json_delta") => {
                let piece = piece("partial_json");
                if call.arguments.len() + piece.len() > MAX_ARGUMENTS {
                    return Err(too_large(url, "arguments of a call", MAX_ARGUMENTS));
                }
                call.arguments.push_str(piece);
                block.grew |= !piece.is_empty();
            }
            (Kind::Unknown, _) => {}
            _ => return Err(self.broken("a piece came for another kind of block")),
        }
        Ok(())
    }

    fn end_block(&mut self, event: &Value, out: &mut Vec<ModelEvent>) {
        let index = event.get("index").and_then(Value::as_u64);
        let open = self.blocks.iter_mut().rfind(|block| !block.done && (index.is_none() || block.index == index));
        if let Some(block) = open {
            block.end(out);
        }
    }

    fn take_stop(&mut self, reason: Option<&Value>) {
        if let Some(reason) = reason.and_then(Value::as_str) {
            self.stop = Some(match reason {
                "max_tokens" | "model_context_window_exceeded" => Stop::Length,
                "refusal" => Stop::Refused,
                // `pause_turn` is said of tools that the provider runs itself; none of them is asked for.
                _ => Stop::Done,
            });
        }
    }

    fn whole(&mut self, message: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let blocks = message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, block) in blocks.iter().enumerate() {
            let event = json!({ "index": index, "content_block": block });
            self.begin(&event, out)?;
            self.end_block(&event, out);
        }
        self.counts.take(message.get("usage"));
        self.take_stop(message.get("stop_reason"));
        self.finish(out)
    }

    fn finish(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let Some(stop) = self.stop else { return Err(self.broken("it ended without a reason")) };
        let mut calls = Vec::new();
        for block in &mut self.blocks {
            let ended = block.done;
            block.end(out);
            let Kind::Call { call, announced } = &block.kind else { continue };
            let mut call = call.clone();
            if call.arguments.is_empty() {
                call.arguments = announced.clone().unwrap_or_default();
            }
            let whole = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|arguments| arguments.is_object());
            // The limit or the filter fell in the middle of it.
            if stop != Stop::Done && !(whole && ended) {
                continue;
            }
            if !ended {
                return Err(ModelError::Broken {
                    url: self.url.clone(),
                    why: "a call was begun and not completed".to_owned(),
                });
            }
            if call.name.is_empty() {
                return Err(ModelError::Broken { url: self.url.clone(), why: "a call names no tool".to_owned() });
            }
            calls.push(call);
        }
        out.extend(calls.into_iter().map(ModelEvent::Call));
        self.finished = true;
        out.push(ModelEvent::Finished { stop, usage: self.counts.usage() });
        Ok(())
    }

    fn reported(&self, value: &Value) -> ModelError {
        Report::find(value).unwrap_or_else(|| Report::plain("an error without words")).into_error(&self.url)
    }

    fn broken(&self, why: &str) -> ModelError {
        ModelError::Broken { url: self.url.clone(), why: why.to_owned() }
    }
}

impl Block {
    /// Passes words on.
    fn say(&mut self, text: &str, out: &mut Vec<ModelEvent>) {
        if text.is_empty() {
            return;
        }
        self.grew = true;
        match self.kind {
            Kind::Text => out.push(ModelEvent::Text(text.to_owned())),
            Kind::Thought { .. } => out.push(ModelEvent::Reasoning(text.to_owned())),
            Kind::Sealed(_) | Kind::Call { .. } | Kind::Unknown => {}
        }
    }

    fn end(&mut self, out: &mut Vec<ModelEvent>) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        match &self.kind {
            Kind::Text if self.grew => out.push(ModelEvent::TextEnded),
            // One without a signature was cut; sent back, it would be refused for ever.
            Kind::Thought { signature } if signature.is_empty() => {
                if self.grew {
                    out.push(ModelEvent::ReasoningEnded { opaque: None });
                }
            }
            Kind::Thought { signature } => {
                let opaque = json!({ "type": "thinking", "signature": signature });
                out.push(ModelEvent::ReasoningEnded { opaque: Some(opaque) });
            }
            Kind::Sealed(opaque) => out.push(ModelEvent::ReasoningEnded { opaque: Some(opaque.clone()) }),
            Kind::Text | Kind::Call { .. } | Kind::Unknown => {}
        }
    }

    fn call_id(&self) -> Option<&String> {
        match &self.kind {
            Kind::Call { call, .. } => Some(&call.call_id),
            Kind::Text | Kind::Thought { .. } | Kind::Sealed(_) | Kind::Unknown => None,
        }
    }
}

impl Kind {
    fn of(begun: &Value) -> Self {
        let own = |key: &str| string(begun, key).unwrap_or_default().to_owned();
        match string(begun, "type").unwrap_or_default() {
            "text" => Self::Text,
            "thinking" => Self::Thought { signature: own("signature") },
            "redacted_thinking" => Self::Sealed(json!({ "type": "redacted_thinking", "data": own("data") })),
            "tool_use" => {
                let input = begun.get("input").filter(|input| input.is_object()).map(Value::to_string);
                let call = Call { call_id: own("id"), name: own("name"), arguments: String::new() };
                Self::Call { call, announced: input }
            }
            _ => Self::Unknown,
        }
    }
}

impl Counts {
    fn take(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage else { return };
        let count = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or_default();
        self.fresh = self.fresh.max(count("input_tokens"));
        self.cache_written = self.cache_written.max(count("cache_creation_input_tokens"));
        self.cache_read = self.cache_read.max(count("cache_read_input_tokens"));
        self.output = self.output.max(count("output_tokens"));
    }

    /// The API counts what it read of its cache beside the input; here that is a part of it.
    fn usage(self) -> Usage {
        let input_tokens = self.fresh.saturating_add(self.cache_written).saturating_add(self.cache_read);
        Usage {
            input_tokens,
            cached_tokens: self.cache_read,
            output_tokens: self.output,
            reasoning_tokens: 0,
            cost: None,
            context_tokens: input_tokens.saturating_add(self.output),
            context_size: None,
        }
    }
}

fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

//! The chunks of a Chat Completions stream, folded into an answer. Calls are held until the answer is over, since nothing before tells
//! that one is whole. Pure.

use crate::model::chat::calls::Calls;
use crate::model::chat::thought::{Piece, Tags, Thought};
use crate::model::limits::{MAX_ARGUMENTS, too_large};
use crate::model::report::Report;
use crate::model::sse::Event;
use crate::model::{ModelError, ModelEvent, Stop};
use pilotfish_protocol::Usage;
use serde_json::Value;

/// One answer as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    url: String,
    open: Open,
    tags: Tags,
    thought: Thought,
    calls: Calls,
    /// Why the server says it stopped.
    stop: Option<Stop>,
    refused: bool,
    usage: Usage,
    /// Whether any answer began.
    began: bool,
    finished: bool,
}

/// What is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thought,
}

impl Fold {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            open: Open::Nothing,
            tags: Tags::default(),
            thought: Thought::default(),
            calls: Calls::default(),
            stop: None,
            refused: false,
            usage: Usage::default(),
            began: false,
            finished: false,
        }
    }

    /// Folds one event. After [`ModelEvent::Finished`] the rest of the stream means nothing.
    pub(crate) fn push(&mut self, event: &Event, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.finished {
            return Ok(());
        }
        if event.data.trim() == "[DONE]" {
            if !self.began {
                return Err(self.broken("it ended before it began"));
            }
            return self.finish(out);
        }
        let Ok(chunk) = serde_json::from_str::<Value>(&event.data) else {
            return match event.name.as_str() {
                "error" => Err(Report::plain(&event.data).into_error(&self.url)),
                _ => Err(self.broken("an event is not JSON")),
            };
        };
        let choice = chunk.pointer("/choices/0");
        let error = chunk.get("error").or_else(|| choice.and_then(|choice| choice.get("error")));
        if event.name == "error" || chunk.get("object").and_then(Value::as_str) == Some("error") {
            return Err(self.reported(&chunk));
        }
        if let Some(error) = error.filter(|error| !error.is_null()) {
            // Codes may stand beside the error or in it.
            return Err(self.reported(if chunk.get("error").is_some() { &chunk } else { error }));
        }
        self.take_usage(&chunk, choice);
        if let Some(choice) = choice {
            self.push_choice(choice, out)?;
        }
        Ok(())
    }

    /// The stream ended.
    pub(crate) fn end(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.finished {
            return Ok(());
        }
        // Many servers leave the last mark out; a reason to stop is as good.
        if self.settled() { self.finish(out) } else { Err(self.broken("it ended before the answer was complete")) }
    }

    /// Whether the answer is whole should nothing more come.
    pub(crate) fn settled(&self) -> bool {
        self.stop.is_some()
    }

    fn push_choice(&mut self, choice: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let nothing = Value::Null;
        // Servers that do not stream answer with one whole message.
        let delta = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(&nothing);
        if delta.is_object() {
            self.began = true;
        }
        if let Some(words) = self.thought.words(delta) {
            self.say(Piece::Thought(words), out);
        }
        match delta.get("content") {
            Some(Value::String(content)) => self.content(content, out),
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.content_part(part, out)),
            _ => {}
        }
        if let Some(refusal) = delta.get("refusal").and_then(Value::as_str).filter(|refusal| !refusal.is_empty()) {
            self.refused = true;
            self.say(Piece::Words(refusal.to_owned()), out);
        }
        if let Some(entries) = delta.get("tool_calls").and_then(Value::as_array).filter(|entries| !entries.is_empty()) {
            self.end_words(out);
            for entry in entries {
                self.calls
                    .push(entry, MAX_ARGUMENTS)
                    .map_err(|max| too_large(&self.url, "arguments of a call", max))?;
            }
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            None | Some("") => Ok(()),
            Some(reason) => self.stop_for(reason),
        }
    }

    fn stop_for(&mut self, reason: &str) -> Result<(), ModelError> {
        self.began = true;
        self.stop = Some(match reason.to_ascii_lowercase().as_str() {
            "length" | "max_tokens" | "model_length" => Stop::Length,
            "content_filter" | "sensitive" | "safety" | "recitation" | "refusal" => Stop::Refused,
            "error" | "abort" | "network_error" | "insufficient_system_resource" | "malformed_function_call" => {
                return Err(ModelError::Reported {
                    url: self.url.clone(),
                    message: format!("the answer stopped: {reason}"),
                    retryable: true,
                });
            }
            _ => Stop::Done,
        });
        Ok(())
    }

    /// A part of structured content, as Mistral's thinking models send it.
    fn content_part(&mut self, part: &Value, out: &mut Vec<ModelEvent>) {
        if let Some(text) = part.get("text").and_then(Value::as_str) {
            self.content(text, out);
        }
        match part.get("thinking") {
            Some(Value::String(text)) => self.say(Piece::Thought(text.clone()), out),
            Some(Value::Array(parts)) => {
                for text in parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)) {
                    self.say(Piece::Thought(text.to_owned()), out);
                }
            }
            _ => {}
        }
    }

    fn content(&mut self, content: &str, out: &mut Vec<ModelEvent>) {
        let mut pieces = Vec::new();
        self.tags.push(content, &mut pieces);
        for piece in pieces {
            self.say(piece, out);
        }
    }

    fn say(&mut self, piece: Piece, out: &mut Vec<ModelEvent>) {
        let (open, event) = match piece {
            Piece::Thought(text) if !text.is_empty() => (Open::Thought, ModelEvent::Reasoning(text)),
            Piece::Words(text) if !text.is_empty() => (Open::Text, ModelEvent::Text(text)),
            Piece::Thought(_) | Piece::Words(_) => return,
        };
        if self.open != open {
            self.close(out);
            self.open = open;
        }
        out.push(event);
    }

    /// Says what the tags held back, and closes what is open.
    fn end_words(&mut self, out: &mut Vec<ModelEvent>) {
        if let Some(piece) = self.tags.end() {
            self.say(piece, out);
        }
        self.close(out);
    }

    fn close(&mut self, out: &mut Vec<ModelEvent>) {
        match self.open {
            Open::Nothing => {}
            Open::Text => out.push(ModelEvent::TextEnded),
            Open::Thought => {
                let opaque = std::mem::take(&mut self.thought).into_opaque();
                out.push(ModelEvent::ReasoningEnded { opaque });
            }
        }
        self.open = Open::Nothing;
    }

    fn finish(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        self.end_words(out);
        if !self.thought.is_empty() {
            // A thought without words, only sealed parts.
            let opaque = std::mem::take(&mut self.thought).into_opaque();
            out.push(ModelEvent::ReasoningEnded { opaque });
        }
        let stop = match self.stop {
            Some(Stop::Done) | None if self.refused => Stop::Refused,
            Some(stop) => stop,
            None => Stop::Done,
        };
        for call in std::mem::take(&mut self.calls).into_calls() {
            let whole = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|arguments| arguments.is_object());
            // The limit or the filter fell in the middle of it.
            if stop != Stop::Done && !whole {
                continue;
            }
            if call.name.is_empty() {
                return Err(self.broken("a call names no tool"));
            }
            out.push(ModelEvent::Call(call));
        }
        self.finished = true;
        out.push(ModelEvent::Finished { stop, usage: self.usage });
        Ok(())
    }

    /// Takes the latest count, wherever this server puts it.
    fn take_usage(&mut self, chunk: &Value, choice: Option<&Value>) {
        let places =
            [chunk.get("usage"), choice.and_then(|choice| choice.get("usage")), chunk.pointer("/x_groq/usage")];
        if let Some(usage) = places.into_iter().flatten().find(|usage| usage.is_object()) {
            self.usage = read_usage(usage);
        }
    }

    fn reported(&self, value: &Value) -> ModelError {
        Report::find(value).unwrap_or_else(|| Report::plain("an error without words")).into_error(&self.url)
    }

    fn broken(&self, why: &str) -> ModelError {
        ModelError::Broken { url: self.url.clone(), why: why.to_owned() }
    }
}

fn read_usage(usage: &Value) -> Usage {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    let input_tokens = count("/prompt_tokens").unwrap_or_default();
    let written = count("/completion_tokens").unwrap_or_default();
    // xAI and Gemini count thoughts in the total only.
    let output_tokens = count("/total_tokens").unwrap_or_default().saturating_sub(input_tokens).max(written);
    let cached = count("/prompt_tokens_details/cached_tokens")
        .or_else(|| count("/prompt_cache_hit_tokens"))
        .or_else(|| count("/cached_tokens"));
    Usage {
        input_tokens,
        cached_tokens: cached.unwrap_or_default(),
        output_tokens,
        reasoning_tokens: count("/completion_tokens_details/reasoning_tokens").unwrap_or_default(),
        cost: None,
        context_tokens: input_tokens.saturating_add(output_tokens),
        context_size: None,
    }
}

//! The events of a Responses stream, folded into an answer. Judges events by their type, ignores the ones it does not know, and puts up
//! with servers that leave out ids, positions, openings or ends. Pure.

use crate::model::limits::{MAX_ARGUMENTS, too_large};
use crate::model::report::Report;
use crate::model::responses::thought;
use crate::model::sse::Event;
use crate::model::{Call, ModelError, ModelEvent, Stop};
use pilotfish_protocol::Usage;
use serde_json::Value;

/// One answer as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    url: String,
    items: Vec<Item>,
    refused: bool,
    finished: bool,
}

/// One item of the answer's output.
#[derive(Debug, Clone)]
struct Item {
    kind: Kind,
    id: Option<String>,
    index: Option<u64>,
    /// The words sent on so far.
    sent: String,
    /// Which stream of a thought is shown; the other one of the same thought says the same.
    shown: Option<&'static str>,
    /// The part of the thought's summary that was last added to.
    part: u64,
    name: String,
    call_id: String,
    arguments: Arguments,
    form: Form,
    done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
    Call,
}

/// How a call's arguments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Object,
    /// As one text, which everybody else is given as the only field of an object.
    Free,
}

/// A call's arguments on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Arguments {
    /// Said when the call was announced; any delta starts afresh.
    Announced(String),
    Growing(String),
    Whole(String),
}

impl Fold {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), items: Vec::new(), refused: false, finished: false }
    }

    /// Folds one event. After [`ModelEvent::Finished`] the rest of the stream means nothing.
    pub(crate) fn push(&mut self, event: &Event, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        // Some servers end every stream with the other dialect's mark; it says nothing that counts here.
        if self.finished || event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
            return Err(self.broken("an event is not JSON"));
        };
        let kind = value.get("type").and_then(Value::as_str).unwrap_or(&event.name);
        match kind {
            "response.output_item.added" => self.item_added(&value),
            "response.output_text.delta" => self.text(&value, "delta", out),
            "response.output_text.done" => self.text_rest(&value, "text", out),
            "response.refusal.delta" => {
                self.refused = true;
                self.text(&value, "delta", out);
            }
            "response.refusal.done" => {
                self.refused = true;
                self.text_rest(&value, "refusal", out);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_summary.delta" => {
                self.thought(&value, "summary", out);
            }
            "response.reasoning_text.delta" | "response.reasoning.delta" => self.thought(&value, "text", out),
            "response.function_call_arguments.delta" => self.arguments_delta(&value, Form::Object)?,
            "response.function_call_arguments.done" => self.arguments_done(&value, Form::Object)?,
            "response.custom_tool_call_input.delta" => self.arguments_delta(&value, Form::Free)?,
            "response.custom_tool_call_input.done" => self.arguments_done(&value, Form::Free)?,
            "response.output_item.done" => {
                if let Some((item, kind)) = value.get("item").and_then(|item| Some((item, kind_of(item)?))) {
                    let at = self.place(&value, Some(item), kind);
                    self.item_done(at, kind, item, out)?;
                }
            }
            "response.completed" | "response.done" | "response.incomplete" => self.finish(&value, kind, out)?,
            "response.failed" => {
                let response = value.get("response").unwrap_or(&value);
                return Err(self.reported(response.get("error").unwrap_or(response)));
            }
            "error" | "response.error" => return Err(self.reported(&value)),
            // A gateway's own error has no type and stands alone.
            "" if value.get("error").is_some_and(|error| !error.is_null()) => return Err(self.reported(&value)),
            // The whole answer of a server that does not stream.
            "" if value.get("output").is_some_and(Value::is_array) => self.finish(&value, "response.completed", out)?,
            _ => {}
        }
        Ok(())
    }

    /// The stream ended. A whole answer said so before.
    pub(crate) fn end(&self) -> Result<(), ModelError> {
        if self.finished { Ok(()) } else { Err(self.broken("it ended before the answer was complete")) }
    }

    fn item_added(&mut self, event: &Value) {
        let Some(item) = event.get("item") else { return };
        let Some(kind) = kind_of(item) else { return };
        let at = self.place(event, Some(item), kind);
        if let Some(open) = self.items.get_mut(at) {
            open.describe(item);
        }
    }

    fn text(&mut self, event: &Value, field: &str, out: &mut Vec<ModelEvent>) {
        let Some(delta) = string(event, field) else { return };
        let at = self.place(event, None, Kind::Message);
        self.end_other_messages(at, out);
        self.send(at, delta, out);
    }

    /// The whole text of a part, for servers that send no deltas.
    fn text_rest(&mut self, event: &Value, field: &str, out: &mut Vec<ModelEvent>) {
        let Some(text) = string(event, field) else { return };
        let at = self.place(event, None, Kind::Message);
        if self.items.get(at).is_some_and(|item| item.sent.is_empty() && !item.done) {
            self.end_other_messages(at, out);
            self.send(at, text, out);
        }
    }

    fn thought(&mut self, event: &Value, stream: &'static str, out: &mut Vec<ModelEvent>) {
        let Some(delta) = string(event, "delta").or_else(|| string(event, "text")) else { return };
        let part = event.get("summary_index").or_else(|| event.get("content_index")).and_then(Value::as_u64);
        let at = self.place(event, None, Kind::Reasoning);
        let Some(item) = self.items.get_mut(at) else { return };
        if *item.shown.get_or_insert(stream) != stream {
            return;
        }
        let part = part.unwrap_or(item.part);
        let next_part = part != item.part && !item.sent.is_empty();
        item.part = part;
        if next_part {
            self.send(at, "\n\n", out);
        }
        self.send(at, delta, out);
    }

    fn send(&mut self, at: usize, text: &str, out: &mut Vec<ModelEvent>) {
        let Some(item) = self.items.get_mut(at) else { return };
        if text.is_empty() {
            return;
        }
        item.sent.push_str(text);
        // A message that goes on after another one came between is open again.
        item.done = false;
        out.push(match item.kind {
            Kind::Reasoning => ModelEvent::Reasoning(text.to_owned()),
            Kind::Message | Kind::Call => ModelEvent::Text(text.to_owned()),
        });
    }

    /// One message is open at a time for whoever reads on.
    fn end_other_messages(&mut self, at: usize, out: &mut Vec<ModelEvent>) {
        for (other, item) in self.items.iter_mut().enumerate() {
            if other != at && item.kind == Kind::Message && !item.done {
                item.end_message(out);
            }
        }
    }

    fn arguments_delta(&mut self, event: &Value, form: Form) -> Result<(), ModelError> {
        let Some(delta) = string(event, "delta") else { return Ok(()) };
        let at = self.place(event, None, Kind::Call);
        let Some(item) = self.items.get_mut(at) else { return Ok(()) };
        item.form = form;
        match &mut item.arguments {
            Arguments::Growing(arguments) => {
                if arguments.len() + delta.len() > MAX_ARGUMENTS {
                    return Err(too_large(&self.url, "arguments of a call", MAX_ARGUMENTS));
                }
                arguments.push_str(delta);
            }
            Arguments::Announced(_) => item.arguments = Arguments::Growing(delta.to_owned()),
            Arguments::Whole(_) => {}
        }
        Ok(())
    }

    fn arguments_done(&mut self, event: &Value, form: Form) -> Result<(), ModelError> {
        let at = self.place(event, None, Kind::Call);
        let Some(item) = self.items.get_mut(at) else { return Ok(()) };
        item.form = form;
        item.describe(event);
        let arguments = match written_arguments(event) {
            Some(arguments) => arguments,
            None => item.arguments.take(),
        };
        if arguments.len() > MAX_ARGUMENTS {
            return Err(too_large(&self.url, "arguments of a call", MAX_ARGUMENTS));
        }
        item.arguments = Arguments::Whole(arguments);
        Ok(())
    }

    /// An item as its end has it.
    fn item_done(&mut self, at: usize, kind: Kind, value: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        match kind {
            Kind::Message => {
                let (text, refused) = message_text(value);
                self.refused |= refused;
                self.end_other_messages(at, out);
                if self.items.get(at).is_some_and(|item| item.sent.is_empty() && !item.done) {
                    self.send(at, &text, out);
                }
                if let Some(item) = self.items.get_mut(at) {
                    item.end_message(out);
                }
            }
            Kind::Reasoning => {
                let text = thought_text(value);
                if self.items.get(at).is_some_and(|item| item.sent.is_empty() && !item.done) {
                    self.send(at, &text, out);
                }
                if let Some(item) = self.items.get_mut(at).filter(|item| !item.done) {
                    item.done = true;
                    out.push(ModelEvent::ReasoningEnded { opaque: thought(value) });
                }
            }
            Kind::Call => {
                // Cut off by the output limit: its end was not seen.
                if string(value, "status") != Some("incomplete") {
                    self.call_done(at, value, out)?;
                }
            }
        }
        Ok(())
    }

    fn call_done(&mut self, at: usize, value: &Value, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.done) else { return Ok(()) };
        item.describe(value);
        let written = written_arguments(value).filter(|arguments| !arguments.is_empty());
        let arguments = written.unwrap_or_else(|| item.arguments.take());
        if arguments.len() > MAX_ARGUMENTS {
            return Err(too_large(&self.url, "arguments of a call", MAX_ARGUMENTS));
        }
        if item.name.is_empty() {
            return Err(self.broken("a call names no tool"));
        }
        item.done = true;
        let arguments = match item.form {
            Form::Object => arguments,
            Form::Free => serde_json::json!({ "input": arguments }).to_string(),
        };
        out.push(ModelEvent::Call(Call { call_id: item.call_id.clone(), name: item.name.clone(), arguments }));
        Ok(())
    }

    fn finish(&mut self, event: &Value, kind: &str, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let response = event.get("response").unwrap_or(event);
        if string(response, "status") == Some("failed") || response.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.reported(response.get("error").unwrap_or(response)));
        }
        let output = response.get("output").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, item) in output.iter().enumerate() {
            let Some(kind) = kind_of(item) else { continue };
            let before = output.iter().take(index).filter(|other| kind_of(other) == Some(kind)).count();
            let at = self.counterpart(item, kind, before);
            self.item_done(at, kind, item, out)?;
        }
        let incomplete = kind == "response.incomplete" || string(response, "status") == Some("incomplete");
        self.end_open_items(incomplete, out)?;
        let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
        let stop = match reason {
            Some("content_filter") => Stop::Refused,
            _ if incomplete => Stop::Length,
            _ if self.refused => Stop::Refused,
            _ => Stop::Done,
        };
        self.finished = true;
        out.push(ModelEvent::Finished { stop, usage: usage(response.get("usage").unwrap_or(&Value::Null)) });
        Ok(())
    }

    /// Ends what the server left open, now that the answer is over.
    fn end_open_items(&mut self, incomplete: bool, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        for at in 0..self.items.len() {
            let Some(item) = self.items.get_mut(at).filter(|item| !item.done) else { continue };
            match (item.kind, &item.arguments) {
                (Kind::Message, _) => item.end_message(out),
                (Kind::Reasoning, _) => {
                    item.done = true;
                    out.push(ModelEvent::ReasoningEnded { opaque: None });
                }
                (Kind::Call, Arguments::Whole(_)) => self.call_done(at, &Value::Null, out)?,
                (Kind::Call, Arguments::Announced(_) | Arguments::Growing(_)) => {
                    if !incomplete {
                        return Err(self.broken("a call was begun and not completed"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The item that an event speaks of, made if it is new. Ids are believed first; servers that change them with every event are
    /// told apart by position, and servers that send neither mean the item they spoke of last.
    fn place(&mut self, event: &Value, item: Option<&Value>, kind: Kind) -> usize {
        let id = string(event, "item_id").or_else(|| item.and_then(|item| string(item, "id")));
        let id = id.filter(|id| !id.is_empty());
        let index = event.get("output_index").and_then(Value::as_u64);
        let call_id = item.and_then(|item| string(item, "call_id")).filter(|id| !id.is_empty());
        let mut mine = self.items.iter().enumerate().filter(|(_, other)| other.kind == kind);
        let by_call = call_id.and_then(|call_id| mine.clone().find(|(_, other)| other.call_id == call_id));
        let by_id = id.and_then(|id| mine.clone().find(|(_, other)| other.id.as_deref() == Some(id)));
        let conflicts = |other: &Item| call_id.is_some_and(|id| !other.call_id.is_empty() && other.call_id != id);
        // An item that is announced or ended where another one ended already is another one.
        let over = |other: &Item| item.is_some() && other.done;
        let by_index = index.and_then(|index| {
            mine.clone().rfind(|(_, other)| other.index == Some(index) && !conflicts(other) && !over(other))
        });
        let nameless = |other: &Item| {
            let strangers = id.is_some() && other.id.is_some() || index.is_some() && other.index.is_some();
            !other.done && !strangers && !conflicts(other)
        };
        let found = by_call.or(by_id).or(by_index).or_else(|| mine.rfind(|(_, other)| nameless(other)));
        if let Some((at, _)) = found {
            return at;
        }
        self.items.push(Item::new(kind, id, index, call_id));
        self.items.len() - 1
    }

    /// The item of the stream that the final list means, made if the stream did not have it. Ids and positions of that list are not to be
    /// trusted, and a call taken for a new one would run twice: what counts is the call's own id, else how many of its kind came before.
    fn counterpart(&mut self, value: &Value, kind: Kind, before: usize) -> usize {
        let call_id = string(value, "call_id").filter(|id| !id.is_empty());
        let mine = self.items.iter().enumerate().filter(|(_, item)| item.kind == kind);
        let by_call = call_id.and_then(|call_id| mine.clone().find(|(_, item)| item.call_id == call_id));
        if let Some((at, _)) = by_call.or_else(|| mine.clone().nth(before)) {
            return at;
        }
        self.items.push(Item::new(kind, None, None, call_id));
        self.items.len() - 1
    }

    fn reported(&self, value: &Value) -> ModelError {
        Report::find(value).unwrap_or_else(|| Report::plain("an error without words")).into_error(&self.url)
    }

    fn broken(&self, why: &str) -> ModelError {
        ModelError::Broken { url: self.url.clone(), why: why.to_owned() }
    }
}

impl Item {
    fn new(kind: Kind, id: Option<&str>, index: Option<u64>, call_id: Option<&str>) -> Self {
        Self {
            kind,
            id: id.map(str::to_owned),
            index,
            sent: String::new(),
            shown: None,
            part: 0,
            name: String::new(),
            call_id: call_id.unwrap_or_default().to_owned(),
            arguments: Arguments::Announced(String::new()),
            form: Form::Object,
            done: false,
        }
    }

    /// Takes the name, the id and the announced arguments of a call.
    fn describe(&mut self, item: &Value) {
        if string(item, "type") == Some("custom_tool_call") {
            self.form = Form::Free;
        }
        if let Some(name) = string(item, "name").filter(|name| !name.is_empty()) {
            name.clone_into(&mut self.name);
        }
        if let Some(call_id) = string(item, "call_id").filter(|id| !id.is_empty()) {
            call_id.clone_into(&mut self.call_id);
        }
        if let (Arguments::Announced(announced), Some(arguments)) = (&mut self.arguments, written_arguments(item)) {
            *announced = arguments;
        }
    }

    fn end_message(&mut self, out: &mut Vec<ModelEvent>) {
        if !self.done && !self.sent.is_empty() {
            out.push(ModelEvent::TextEnded);
        }
        self.done = true;
    }
}

impl Arguments {
    fn take(&mut self) -> String {
        match self {
            Self::Announced(text) | Self::Growing(text) | Self::Whole(text) => std::mem::take(text),
        }
    }
}

fn kind_of(item: &Value) -> Option<Kind> {
    match string(item, "type")? {
        "message" => Some(Kind::Message),
        "reasoning" => Some(Kind::Reasoning),
        "function_call" | "custom_tool_call" => Some(Kind::Call),
        _ => None,
    }
}

fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Arguments as text, also from servers that send them as an object.
fn written_arguments(value: &Value) -> Option<String> {
    match value.get("arguments").or_else(|| value.get("input"))? {
        Value::String(text) => Some(text.clone()),
        object @ Value::Object(_) => Some(object.to_string()),
        _ => None,
    }
}

/// A message's words, and whether they refuse.
fn message_text(item: &Value) -> (String, bool) {
    let mut text = String::new();
    let mut refused = false;
    match item.get("content") {
        Some(Value::String(content)) => text.push_str(content),
        Some(Value::Array(parts)) => {
            for part in parts {
                text.push_str(string(part, "text").unwrap_or_default());
                if let Some(refusal) = string(part, "refusal") {
                    text.push_str(refusal);
                    refused = true;
                }
            }
        }
        _ => {}
    }
    (text, refused)
}

/// A thought's visible words: its summary, else its text.
fn thought_text(item: &Value) -> String {
    let parts = |key: &str| {
        let parts = item.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        parts.iter().filter_map(|part| string(part, "text")).collect::<Vec<_>>().join("\n\n")
    };
    let summary = parts("summary");
    if summary.is_empty() { parts("content") } else { summary }
}

fn usage(value: &Value) -> Usage {
    let count = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let (input_tokens, output_tokens) = (count("/input_tokens"), count("/output_tokens"));
    Usage {
        input_tokens,
        cached_tokens: count("/input_tokens_details/cached_tokens"),
        output_tokens,
        reasoning_tokens: count("/output_tokens_details/reasoning_tokens"),
        cost: None,
        context_tokens: input_tokens.saturating_add(output_tokens),
        context_size: None,
    }
}

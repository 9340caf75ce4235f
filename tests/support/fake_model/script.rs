//! The steps of a script, and how each dialect writes them. Knows nothing of sockets.

use pilotfish::config::Dialect;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// One answer, put together by its methods in the order in which the model sends it.
#[derive(Debug, Clone)]
pub struct Step {
    pieces: Vec<Piece>,
    end: End,
    input_tokens: u64,
    output_tokens: u64,
    drops_after: Option<usize>,
    refusal: Option<Refusal>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Thought(String),
    Call(String, String),
    Raw(Vec<u8>),
    Gate(Arc<Notify>),
    Hang,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Length,
    /// Raw bytes end as they end.
    Nothing,
}

#[derive(Debug, Clone)]
struct Refusal {
    status: u16,
    headers: String,
    message: String,
}

/// An answer that says nothing yet.
#[must_use]
pub fn answer() -> Step {
    Step { pieces: Vec::new(), end: End::Done, input_tokens: 100, output_tokens: 10, drops_after: None, refusal: None }
}

/// A status that says no.
#[must_use]
pub fn status(status: u16) -> Step {
    let refusal = Refusal { status, headers: String::new(), message: format!("scripted {status}") };
    Step { refusal: Some(refusal), ..answer() }
}

impl Step {
    /// Says words, in one delta. Words that follow one another, also across a gate, are one message.
    #[must_use]
    pub fn says(self, text: impl Into<String>) -> Self {
        self.with(Piece::Text(text.into()))
    }

    /// Says the same words in `count` deltas, all written at once.
    #[must_use]
    pub fn deltas(mut self, count: usize, text: &str) -> Self {
        self.pieces.extend(std::iter::repeat_n(Piece::Text(text.to_owned()), count));
        self
    }

    /// Thinks.
    #[must_use]
    pub fn thinks(self, text: impl Into<String>) -> Self {
        self.with(Piece::Thought(text.into()))
    }

    /// Calls a tool. Several calls are calls of one answer.
    #[must_use]
    pub fn calls(self, name: &str, arguments: Value) -> Self {
        self.calls_raw(name, arguments.to_string())
    }

    /// Calls a tool with arguments that need not be JSON.
    #[must_use]
    pub fn calls_raw(self, name: &str, arguments: impl Into<String>) -> Self {
        self.with(Piece::Call(name.to_owned(), arguments.into()))
    }

    /// Sends bytes of the event stream as they are, and no end of its own.
    #[must_use]
    pub fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.end = End::Nothing;
        self.with(Piece::Raw(bytes.into()))
    }

    /// Goes on only when notified; a notification that came before counts.
    #[must_use]
    pub fn waits_for(self, gate: &Arc<Notify>) -> Self {
        self.with(Piece::Gate(Arc::clone(gate)))
    }

    /// Sends nothing more and keeps the connection.
    #[must_use]
    pub fn hangs(mut self) -> Self {
        self.end = End::Nothing;
        self.with(Piece::Hang)
    }

    /// Closes the connection after so many bytes of the event stream.
    #[must_use]
    pub fn drops_after(mut self, bytes: usize) -> Self {
        self.drops_after = Some(bytes);
        self
    }

    /// Stops at the output limit.
    #[must_use]
    pub fn reaches_the_limit(mut self) -> Self {
        self.end = End::Length;
        self
    }

    /// Tells how many tokens it read and wrote. Without it, 100 and 10.
    #[must_use]
    pub fn uses(mut self, input_tokens: u64, output_tokens: u64) -> Self {
        (self.input_tokens, self.output_tokens) = (input_tokens, output_tokens);
        self
    }

    /// Asks to come back after so many seconds. For a status.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Some(refusal) = &mut self.refusal {
            refusal.headers = format!("retry-after: {seconds}\r\n");
        }
        self
    }

    /// Gives the reason. For a status.
    #[must_use]
    pub fn because(mut self, message: impl Into<String>) -> Self {
        if let Some(refusal) = &mut self.refusal {
            refusal.message = message.into();
        }
        self
    }

    fn with(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }

    /// Writes the answer out. `calls` counts calls over the whole script.
    pub(super) fn write(self, dialect: Dialect, calls: &mut usize) -> Reply {
        if let Some(refusal) = self.refusal {
            let body = json!({ "error": { "message": refusal.message } });
            return Reply::json(refusal.status, &refusal.headers, &body);
        }
        let mut writer = Writer { dialect, calls, stream: Vec::new(), open: Open::Nothing, items: 0, called: false };
        writer.begin(self.end);
        let mut parts = Vec::new();
        for piece in self.pieces {
            match piece {
                Piece::Text(text) => writer.text(&text),
                Piece::Thought(text) => writer.thought(&text),
                Piece::Call(name, arguments) => writer.call(&name, &arguments),
                Piece::Raw(bytes) => writer.stream.extend(bytes),
                Piece::Gate(gate) => {
                    parts.push(Part::Stream(std::mem::take(&mut writer.stream)));
                    parts.push(Part::Frame(Frame::Gate(gate)));
                }
                Piece::Hang => {
                    parts.push(Part::Stream(std::mem::take(&mut writer.stream)));
                    parts.push(Part::Frame(Frame::Hang));
                }
            }
        }
        if self.end != End::Nothing {
            writer.end(self.end, self.input_tokens, self.output_tokens);
        }
        parts.push(Part::Stream(writer.stream));
        frames(parts, self.drops_after)
    }
}

enum Part {
    Stream(Vec<u8>),
    Frame(Frame),
}

/// Packs the stream's bytes into a chunked body, cut where the script says.
fn frames(parts: Vec<Part>, drops_after: Option<usize>) -> Reply {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut bytes = head.as_bytes().to_vec();
    let mut frames = Vec::new();
    let mut left = drops_after.unwrap_or(usize::MAX);
    for part in parts {
        match part {
            Part::Frame(frame) => {
                frames.push(Frame::Bytes(std::mem::take(&mut bytes)));
                frames.push(frame);
            }
            Part::Stream(stream) => {
                let kept = stream.get(..left.min(stream.len())).unwrap_or_default();
                if !kept.is_empty() {
                    bytes.extend(format!("{:x}\r\n", kept.len()).bytes());
                    bytes.extend_from_slice(kept);
                    bytes.extend_from_slice(b"\r\n");
                }
                left -= kept.len();
                if left == 0 {
                    frames.push(Frame::Bytes(bytes));
                    frames.push(Frame::Close);
                    return Reply { frames };
                }
            }
        }
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    frames.push(Frame::Bytes(bytes));
    Reply { frames }
}

/// An answer as it is played.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub frames: Vec<Frame>,
}

#[derive(Debug)]
pub(super) enum Frame {
    /// Written at once.
    Bytes(Vec<u8>),
    /// Waited for.
    Gate(Arc<Notify>),
    /// Waits until the client leaves.
    Hang,
    /// Closes the connection.
    Close,
}

impl Reply {
    /// A whole answer. `headers` end in CRLF.
    pub(super) fn json(status: u16, headers: &str, body: &Value) -> Self {
        let body = body.to_string();
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        Self { frames: vec![Frame::Bytes(text.into_bytes())] }
    }
}

struct Writer<'a> {
    dialect: Dialect,
    calls: &'a mut usize,
    stream: Vec<u8>,
    open: Open,
    /// How many items the answer has so far.
    items: usize,
    called: bool,
}

#[derive(PartialEq, Eq)]
enum Open {
    Nothing,
    Text(String),
    Thought(String),
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        if !matches!(self.open, Open::Text(_)) {
            self.close();
            self.open = Open::Text(String::new());
            self.added(json!({ "type": "message", "role": "assistant", "content": [] }));
            self.block(&json!({ "type": "text", "text": "" }));
        }
        if let Open::Text(said) = &mut self.open {
            said.push_str(text);
        }
        match self.dialect {
            Dialect::Responses => self.item_event("response.output_text.delta", "delta", text),
            Dialect::Chat => self.delta(&json!({ "content": text })),
            Dialect::Messages => self.block_delta(&json!({ "type": "text_delta", "text": text })),
        }
    }

    fn thought(&mut self, text: &str) {
        if !matches!(self.open, Open::Thought(_)) {
            self.close();
            self.open = Open::Thought(String::new());
            self.added(json!({ "type": "reasoning", "summary": [] }));
            self.block(&json!({ "type": "thinking", "thinking": "", "signature": "" }));
        }
        if let Open::Thought(said) = &mut self.open {
            said.push_str(text);
        }
        match self.dialect {
            Dialect::Responses => self.item_event("response.reasoning_summary_text.delta", "delta", text),
            Dialect::Chat => self.delta(&json!({ "reasoning_content": text })),
            Dialect::Messages => self.block_delta(&json!({ "type": "thinking_delta", "thinking": text })),
        }
    }

    fn call(&mut self, name: &str, arguments: &str) {
        self.close();
        *self.calls += 1;
        self.called = true;
        let call_id = format!("call_{}", self.calls);
        match self.dialect {
            Dialect::Responses => {
                self.added(json!({ "type": "function_call", "call_id": call_id, "name": name, "arguments": "" }));
                self.item_event("response.function_call_arguments.delta", "delta", arguments);
                self.item_event("response.function_call_arguments.done", "arguments", arguments);
                self.done(json!({ "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments }));
            }
            Dialect::Chat => {
                let index = self.items;
                self.items += 1;
                let function = json!({ "name": name, "arguments": "" });
                let begun = json!({ "index": index, "id": call_id, "type": "function", "function": function });
                self.delta(&json!({ "tool_calls": [begun] }));
                let more = json!({ "index": index, "function": { "arguments": arguments } });
                self.delta(&json!({ "tool_calls": [more] }));
            }
            Dialect::Messages => {
                self.block(&json!({ "type": "tool_use", "id": call_id, "name": name, "input": {} }));
                self.block_delta(&json!({ "type": "input_json_delta", "partial_json": "" }));
                self.block_delta(&json!({ "type": "input_json_delta", "partial_json": arguments }));
                self.block_stop();
            }
        }
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Text(text) => {
                let content = json!([{ "type": "output_text", "text": text }]);
                self.done(json!({ "type": "message", "role": "assistant", "content": content }));
                self.block_stop();
            }
            Open::Thought(text) => {
                let summary = json!([{ "type": "summary_text", "text": text }]);
                self.done(json!({ "type": "reasoning", "summary": summary, "encrypted_content": "c2VhbGVk" }));
                self.block_delta(&json!({ "type": "signature_delta", "signature": "c2lnbmVk" }));
                self.block_stop();
            }
        }
    }

    fn end(&mut self, end: End, input_tokens: u64, output_tokens: u64) {
        self.close();
        match self.dialect {
            Dialect::Responses => {
                let (kind, status, why) = match end {
                    End::Length => ("response.incomplete", "incomplete", json!({ "reason": "max_output_tokens" })),
                    End::Done | End::Nothing => ("response.completed", "completed", Value::Null),
                };
                let usage = json!({ "input_tokens": input_tokens, "output_tokens": output_tokens });
                let response = json!({ "status": status, "incomplete_details": why, "usage": usage });
                self.event(&json!({ "type": kind, "response": response }));
            }
            Dialect::Chat => {
                let reason = match end {
                    End::Length => "length",
                    End::Done | End::Nothing if self.called => "tool_calls",
                    End::Done | End::Nothing => "stop",
                };
                self.event(&json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }));
                let usage = json!({ "prompt_tokens": input_tokens, "completion_tokens": output_tokens });
                self.event(&json!({ "choices": [], "usage": usage }));
                self.stream.extend_from_slice(b"data: [DONE]\n\n");
            }
            Dialect::Messages => {
                let reason = match end {
                    End::Length => "max_tokens",
                    End::Done | End::Nothing if self.called => "tool_use",
                    End::Done | End::Nothing => "end_turn",
                };
                let usage = json!({ "input_tokens": input_tokens, "output_tokens": output_tokens });
                let delta = json!({ "stop_reason": reason, "stop_sequence": null });
                self.event(&json!({ "type": "message_delta", "delta": delta, "usage": usage }));
                self.event(&json!({ "type": "message_stop" }));
            }
        }
    }

    /// Only Messages opens an answer before it says anything; raw bytes are all there is of theirs.
    fn begin(&mut self, end: End) {
        if self.dialect == Dialect::Messages && end != End::Nothing {
            let usage = json!({ "input_tokens": 0, "output_tokens": 0 });
            let message = json!({ "type": "message", "role": "assistant", "content": [], "usage": usage });
            self.event(&json!({ "type": "message_start", "message": message }));
            self.event(&json!({ "type": "ping" }));
        }
    }

    /// Only Messages speaks of blocks.
    fn block(&mut self, block: &Value) {
        if self.dialect == Dialect::Messages {
            self.event(&json!({ "type": "content_block_start", "index": self.items, "content_block": block }));
        }
    }

    fn block_delta(&mut self, delta: &Value) {
        if self.dialect == Dialect::Messages {
            self.event(&json!({ "type": "content_block_delta", "index": self.items, "delta": delta }));
        }
    }

    fn block_stop(&mut self) {
        if self.dialect == Dialect::Messages {
            self.event(&json!({ "type": "content_block_stop", "index": self.items }));
            self.items += 1;
        }
    }

    /// Only Responses speaks of items.
    fn added(&mut self, mut item: Value) {
        if self.dialect == Dialect::Responses {
            item["id"] = json!(self.item_id());
            let index = self.items;
            self.event(&json!({ "type": "response.output_item.added", "output_index": index, "item": item }));
        }
    }

    fn done(&mut self, mut item: Value) {
        if self.dialect == Dialect::Responses {
            item["id"] = json!(self.item_id());
            let index = self.items;
            self.event(&json!({ "type": "response.output_item.done", "output_index": index, "item": item }));
            self.items += 1;
        }
    }

    fn item_id(&self) -> String {
        format!("item_{}", self.items)
    }

    fn item_event(&mut self, kind: &str, field: &str, text: &str) {
        let event = json!({ "type": kind, "item_id": self.item_id(), "output_index": self.items, field: text });
        self.event(&event);
    }

    fn delta(&mut self, delta: &Value) {
        self.event(&json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }));
    }

    fn event(&mut self, event: &Value) {
        if let Some(kind) = event.get("type").and_then(Value::as_str) {
            self.stream.extend(format!("event: {kind}\n").bytes());
        }
        self.stream.extend(format!("data: {event}\n\n").bytes());
    }
}

//! What a provider would not take, or could not cache: calls without outputs, outputs without calls, a history that does not begin with
//! the one before. Pure.

use pilotfish::config::Dialect;
use serde_json::Value;
use std::collections::HashSet;

mod blocks;

/// The conversations that a model has with sessions, each as its last request had it.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    known: Vec<Conversation>,
    new_beginning_allowed: bool,
}

#[derive(Debug)]
struct Conversation {
    name: String,
    /// Instructions and tools.
    frame: Value,
    messages: Vec<Value>,
}

impl Conversations {
    pub(super) fn allow_new_beginning(&mut self) {
        self.new_beginning_allowed = true;
    }

    /// What is wrong with a request. The request is remembered, right or wrong.
    pub(super) fn check(&mut self, dialect: Dialect, body: &Value) -> Vec<String> {
        let field = match dialect {
            Dialect::Responses => "input",
            Dialect::Chat | Dialect::Messages => "messages",
        };
        let Some(messages) = body.get(field).and_then(Value::as_array).cloned() else {
            return vec![format!("it has no {field}")];
        };
        let mut problems = match dialect {
            Dialect::Responses => response_orphans(&messages),
            Dialect::Chat => chat_orphans(&messages),
            Dialect::Messages => blocks::problems(body, &messages),
        };
        // What follows in the same message is no change of what stood there.
        let messages = if dialect == Dialect::Messages { blocks::of(&messages) } else { messages };
        // Only Responses names a session; elsewhere one is known by how it begins.
        let name = match dialect {
            Dialect::Responses => body.get("prompt_cache_key").cloned().unwrap_or_default().to_string(),
            Dialect::Chat => messages.iter().take(2).map(Value::to_string).collect(),
            Dialect::Messages => messages.iter().take(1).map(Value::to_string).collect(),
        };
        let frame = [body.get("instructions"), body.get("system"), body.get("tools"), body.get("model")];
        let frame = serde_json::json!(frame);
        let conversation = Conversation { name, frame, messages };
        let mut same = self.known.iter_mut().rev().filter(|known| known.name == conversation.name);
        let before = match same.find(|known| known.differs(&conversation).is_none()) {
            Some(before) => Some(before),
            // Another session that began with the same words.
            None if dialect != Dialect::Responses && conversation.messages.len() <= 2 => None,
            None => self.known.iter_mut().rfind(|known| known.name == conversation.name),
        };
        match before {
            None => self.known.push(conversation),
            Some(before) => {
                let differs = before.differs(&conversation);
                if differs.is_some() && !std::mem::take(&mut self.new_beginning_allowed) {
                    problems.extend(differs);
                }
                *before = conversation;
            }
        }
        problems
    }
}

impl Conversation {
    /// Where a later request does not begin with this one.
    fn differs(&self, later: &Self) -> Option<String> {
        if self.frame != later.frame {
            return Some(format!("instructions, tools or model changed:\n  was {}\n  is  {}", self.frame, later.frame));
        }
        let at = (0..self.messages.len()).find(|&at| self.messages.get(at) != later.messages.get(at))?;
        let show = |messages: &[Value]| messages.get(at).map_or("nothing".to_owned(), Value::to_string);
        Some(format!(
            "message {at} is not what it was in the request before:\n  was {}\n  is  {}",
            show(&self.messages),
            show(&later.messages)
        ))
    }
}

fn response_orphans(messages: &[Value]) -> Vec<String> {
    let mut orphans = Orphans::default();
    for message in messages {
        let call_id = text(message, "call_id");
        match text(message, "type") {
            "function_call" | "custom_tool_call" => orphans.call(call_id),
            "function_call_output" | "custom_tool_call_output" => orphans.output(call_id),
            _ => {}
        }
    }
    orphans.end()
}

fn chat_orphans(messages: &[Value]) -> Vec<String> {
    let mut orphans = Orphans::default();
    for message in messages {
        if text(message, "role") == "tool" {
            orphans.output(text(message, "tool_call_id"));
            continue;
        }
        // In this dialect outputs stand right behind the message that calls.
        orphans.forget();
        let calls = message.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for call in calls {
            orphans.call(text(call, "id"));
        }
    }
    orphans.end()
}

#[derive(Default)]
struct Orphans {
    open: Vec<String>,
    seen: HashSet<String>,
    problems: Vec<String>,
}

impl Orphans {
    fn call(&mut self, id: &str) {
        if !self.seen.insert(id.to_owned()) {
            self.problems.push(format!("two calls have the id {id:?}"));
        }
        self.open.push(id.to_owned());
    }

    fn output(&mut self, id: &str) {
        match self.open.iter().position(|open| open == id) {
            Some(at) => drop(self.open.remove(at)),
            None => self.problems.push(format!("the output of {id:?} follows no call")),
        }
    }

    fn forget(&mut self) {
        self.problems.extend(self.open.drain(..).map(|id| format!("the call {id:?} has no output")));
    }

    fn end(mut self) -> Vec<String> {
        self.forget();
        self.problems
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

//! The dialect of Anthropic's Messages API. Owns its words; never waits, never connects.

use crate::config::known::{Family, Thinking, family};
use crate::model::history::{Ids, answered, fitting};
use crate::model::{Message, ModelRequest, Part, arguments_object};
use pilotfish_protocol::Effort;
use serde_json::{Value, json};

pub(crate) mod fold;

/// The path below an endpoint's base.
pub(crate) const PATH: &str = "messages";

/// The header that every request carries, and the form of the dialect that is spoken here.
pub(crate) const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// The header of the key, in the stead of the one that the other dialects use.
pub(crate) const KEY: &str = "x-api-key";

/// The media types of pictures that are taken.
const PICTURES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];

/// The tokens that may be thought, by effort; the least that the API takes is 1024.
const BUDGETS: &[(Effort, u64)] = &[(Effort::Low, 2_048), (Effort::Medium, 8_192), (Effort::High, 24_576)];

/// The request's body. Equal histories give equal beginnings but for the marks of the cache, which move with the end.
pub(crate) fn body(request: &ModelRequest, model: &str) -> Value {
    let family = family(model);
    let mut messages = messages(request);
    let may_think = may_think(&messages);
    if !may_think {
        without_late_thoughts(&mut messages);
    }
    mark_ends(&mut messages);
    let mut body = json!({ "model": model, "max_tokens": family.max_output, "stream": true });
    body["messages"] = Value::Array(messages);
    if has_words(&request.instructions) {
        body["system"] = json!([marked(json!({ "type": "text", "text": &*request.instructions }))]);
    }
    if !request.tools.is_empty() {
        let mut tools: Vec<Value> = request
            .tools
            .iter()
            .map(|tool| json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters }))
            .collect();
        if let Some(last) = tools.last_mut() {
            *last = marked(last.take());
        }
        body["tools"] = Value::Array(tools);
    }
    if let Some(effort) = request.effort {
        think(&mut body, family, effort, may_think);
    }
    body
}

/// Tells how hard to think. The least effort is no thinking.
fn think(body: &mut Value, family: &Family, effort: Effort, may_think: bool) {
    if family.efforts.is_some_and(<[_]>::is_empty) {
        return;
    }
    match family.thinking {
        Thinking::Adaptive => {
            let word = match effort {
                Effort::Minimal | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High => "high",
            };
            body["output_config"] = json!({ "effort": word });
            if may_think && effort != Effort::Minimal {
                body["thinking"] = json!({ "type": "adaptive" });
            }
        }
        Thinking::Budget => {
            let budget = BUDGETS.iter().find(|(known, _)| *known == effort).map(|(_, budget)| *budget);
            // Words must be left beside the thoughts.
            let budget = budget.map(|budget| budget.min(family.max_output / 4 * 3));
            if let Some(budget) = budget.filter(|_| may_think) {
                body["thinking"] = json!({ "type": "enabled", "budget_tokens": budget });
            }
        }
    }
}

/// The history in this dialect: what the agent thought, said and called in a row is one message, and so is what it was answered and told.
fn messages(request: &ModelRequest) -> Vec<Value> {
    let mut turns = Turns::default();
    for message in answered(&request.messages).iter() {
        match message {
            Message::User(parts) => parts.iter().for_each(|part| turns.told(part)),
            Message::Output { call_id, text } => {
                let mut block = json!({ "type": "tool_result", "tool_use_id": fitting(call_id, Ids::Plain) });
                if has_words(text) {
                    block["content"] = json!(text);
                }
                turns.of("user").results.push(block);
            }
            Message::Agent(text) => {
                if has_words(text) {
                    turns.of("assistant").blocks.push(json!({ "type": "text", "text": text }));
                }
            }
            Message::Reasoning { text, opaque } => {
                if let Some(block) = thought(text, opaque) {
                    turns.of("assistant").blocks.push(block);
                }
            }
            Message::Call(call) => {
                let mut block = json!({ "type": "tool_use", "name": call.name });
                block["id"] = json!(fitting(&call.call_id, Ids::Plain));
                // It is an object by then.
                block["input"] = serde_json::from_str(&arguments_object(&call.arguments)).unwrap_or_default();
                turns.of("assistant").blocks.push(block);
            }
        }
    }
    turns.into_messages()
}

/// The messages as they are put together; their roles alternate.
#[derive(Debug, Default)]
struct Turns(Vec<Turn>);

#[derive(Debug)]
struct Turn {
    role: &'static str,
    /// What calls came to: the API wants it before everything else.
    results: Vec<Value>,
    blocks: Vec<Value>,
}

impl Turns {
    /// The open message of a role.
    fn of(&mut self, role: &'static str) -> &mut Turn {
        if self.0.last().is_none_or(|turn| turn.role != role) {
            self.0.push(Turn { role, results: Vec::new(), blocks: Vec::new() });
        }
        self.0.last_mut().expect("it was put there just now")
    }

    fn told(&mut self, part: &Part) {
        let block = match part {
            // Refused by the API, wherever it stands.
            Part::Text(text) if !has_words(text) => return,
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Image { media_type, data } if PICTURES.contains(&media_type.as_str()) => json!({
                "type": "image",
                "source": { "type": "base64", "media_type": media_type, "data": data },
            }),
            Part::Image { media_type, .. } => {
                json!({ "type": "text", "text": format!("[a picture of type {media_type}, which cannot be shown to this model]") })
            }
        };
        self.of("user").blocks.push(block);
    }

    /// The API begins and ends with the user. A history of ours does, too, but for one that was cut.
    fn into_messages(mut self) -> Vec<Value> {
        if self.0.first().is_none_or(|turn| turn.role != "user") {
            let blocks = vec![json!({ "type": "text", "text": "[what came before is not shown]" })];
            self.0.insert(0, Turn { role: "user", results: Vec::new(), blocks });
        }
        if self.0.last().is_some_and(|turn| turn.role != "user") {
            self.of("user").blocks.push(json!({ "type": "text", "text": "[go on]" }));
        }
        let message = |turn: Turn| {
            let mut content = turn.results;
            content.extend(turn.blocks);
            json!({ "role": turn.role, "content": content })
        };
        self.0.into_iter().map(message).collect()
    }
}

/// A thought as it came. One that nobody signed, or of another dialect, is left out, since it is refused.
fn thought(text: &str, opaque: &Value) -> Option<Value> {
    let string = |key: &str| opaque.get(key).and_then(Value::as_str);
    match string("type")? {
        "thinking" => Some(json!({ "type": "thinking", "thinking": text, "signature": string("signature")? })),
        "redacted_thinking" => Some(json!({ "type": "redacted_thinking", "data": string("data")? })),
        _ => None,
    }
}

/// Whether the model may be asked to think now: the API wants a turn that thinks to begin with its thought, and a turn that goes on with
/// outputs may have begun with another model or without one.
fn may_think(messages: &[Value]) -> bool {
    let first = messages.get(answer_begins(messages)).and_then(|message| blocks(message).first());
    first.is_none_or(is_thought)
}

/// Where the API refuses thoughts, since it is not asked for any: behind the last prompt.
fn without_late_thoughts(messages: &mut Vec<Value>) {
    let begins = answer_begins(messages);
    for message in messages.iter_mut().skip(begins) {
        if let Some(blocks) = message.get_mut("content").and_then(Value::as_array_mut) {
            blocks.retain(|block| !is_thought(block));
        }
    }
    messages.retain(|message| !blocks(message).is_empty());
}

/// The place behind the last prompt that is not only outputs of calls.
fn answer_begins(messages: &[Value]) -> usize {
    let is_prompt = |message: &Value| {
        let is_output = |block: &Value| block.get("type").and_then(Value::as_str) == Some("tool_result");
        message.get("role").and_then(Value::as_str) == Some("user") && !blocks(message).iter().any(is_output)
    };
    messages.iter().rposition(is_prompt).map_or(0, |asked| asked + 1)
}

fn blocks(message: &Value) -> &[Value] {
    message.get("content").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_thought(block: &Value) -> bool {
    matches!(block.get("type").and_then(Value::as_str), Some("thinking" | "redacted_thinking"))
}

/// Marks where the cache may end: at the end, and where it ended in the request before, which may be further back than the API looks.
fn mark_ends(messages: &mut [Value]) {
    let told = messages.iter_mut().rev().filter(|message| message.get("role").and_then(Value::as_str) == Some("user"));
    for message in told.take(2) {
        if let Some(last) =
            message.get_mut("content").and_then(Value::as_array_mut).and_then(|blocks| blocks.last_mut())
        {
            *last = marked(last.take());
        }
    }
}

/// A block up to which the provider is to keep the prompt.
fn marked(mut block: Value) -> Value {
    block["cache_control"] = json!({ "type": "ephemeral" });
    block
}

fn has_words(text: &str) -> bool {
    !text.trim().is_empty()
}

#[cfg(test)]
mod tests;

//! The dialect of Chat Completions, as OpenAI and its many imitators speak it. Owns its words; never waits, never connects.

use crate::config::effort_word;
use crate::model::history::{Ids, answered, fitting};
use crate::model::{Message, ModelRequest, Part, arguments_object};
use serde_json::{Map, Value, json};

mod calls;
pub(crate) mod fold;
mod thought;

/// The path below an endpoint's base.
pub(crate) const PATH: &str = "chat/completions";

/// The request's body. Equal histories give equal beginnings, so that the provider's prompt cache holds.
pub(crate) fn body(request: &ModelRequest, model: &str) -> Value {
    let mut body = json!({
        "model": model,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    // Put in, not named in `json!`, which would write the whole history a second time.
    body["messages"] = Value::Array(messages(request));
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                })
            })
            .collect();
    }
    if let Some(effort) = request.effort {
        body["reasoning_effort"] = json!(effort_word(effort));
    }
    body
}

/// The history in this dialect: what the agent said, thought and called in one answer is one message here.
fn messages(request: &ModelRequest) -> Vec<Value> {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if !request.instructions.is_empty() {
        messages.push(json!({ "role": "system", "content": &*request.instructions }));
    }
    let history = answered(&request.messages);
    let mut answer = Answer::default();
    for message in history.iter() {
        match message {
            Message::User(parts) => {
                messages.extend(std::mem::take(&mut answer).into_message());
                let mut message = json!({ "role": "user" });
                message["content"] = user_content(parts);
                messages.push(message);
            }
            Message::Output { call_id, text } => {
                messages.extend(std::mem::take(&mut answer).into_message());
                let call_id = fitting(call_id, Ids::Short);
                messages.push(json!({ "role": "tool", "tool_call_id": call_id, "content": text }));
            }
            Message::Agent(text) => answer.texts.push(text),
            Message::Reasoning { text, opaque } => answer.thoughts.push((text, opaque)),
            Message::Call(call) => answer.calls.push(json!({
                "id": fitting(&call.call_id, Ids::Short),
                "type": "function",
                "function": { "name": call.name, "arguments": arguments_object(&call.arguments) },
            })),
        }
    }
    messages.extend(answer.into_message());
    messages
}

/// One message of the agent, as it is put together.
#[derive(Debug, Default)]
struct Answer<'a> {
    texts: Vec<&'a str>,
    thoughts: Vec<(&'a str, &'a Value)>,
    calls: Vec<Value>,
}

impl Answer<'_> {
    fn into_message(self) -> Option<Value> {
        if self.texts.is_empty() && self.calls.is_empty() {
            return None;
        }
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        let content = if self.texts.is_empty() { Value::Null } else { json!(self.texts.join("\n\n")) };
        message.insert("content".to_owned(), content);
        if !self.calls.is_empty() {
            // Thoughts go back only beside calls: providers that want them back want them there, and the older ones among them refuse
            // them anywhere else.
            for (text, opaque) in self.thoughts {
                thought::send_back(&mut message, text, opaque);
            }
            message.insert("tool_calls".to_owned(), Value::Array(self.calls));
        }
        Some(Value::Object(message))
    }
}

/// Plain words as a plain string, which every imitator understands; a list of parts only where there is a picture.
fn user_content(parts: &[Part]) -> Value {
    let pictures = parts.iter().any(|part| matches!(part, Part::Image { .. }));
    if !pictures {
        let texts: Vec<&str> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Image { .. } => None,
            })
            .collect();
        return json!(texts.join("\n\n"));
    }
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Image { media_type, data } => json!({
                "type": "image_url",
                "image_url": { "url": format!("data:{media_type};base64,{data}") },
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests;

//! The dialect of OpenAI's Responses API, as a client without server-side state speaks it. Owns its words; never waits, never connects.

use crate::config::effort_word;
use crate::model::history::{Ids, answered, fitting};
use crate::model::{Call, Message, ModelRequest, Part, ToolSpec, arguments_object};
use serde_json::{Value, json};
use std::collections::HashSet;

pub(crate) mod fold;

/// The path below an endpoint's base.
pub(crate) const PATH: &str = "responses";

/// The request's body. Equal histories give equal beginnings, so that the provider's prompt cache holds.
pub(crate) fn body(request: &ModelRequest, model: &str) -> Value {
    let mut body = json!({
        "model": model,
        "instructions": &*request.instructions,
        "stream": true,
        "store": false,
        "prompt_cache_key": request.session.to_string(),
    });
    // Put in, not named in `json!`, which would write the whole history a second time.
    body["input"] = Value::Array(inputs(request));
    if !request.tools.is_empty() {
        body["tools"] = request.tools.iter().map(tool).collect();
        body["tool_choice"] = json!("auto");
        body["parallel_tool_calls"] = json!(true);
    }
    if request.effort.is_some() || reasons(model) {
        let mut reasoning = json!({ "summary": "auto" });
        if let Some(effort) = request.effort {
            reasoning["effort"] = json!(effort_word(effort));
        }
        body["reasoning"] = reasoning;
        // Nothing is stored at the provider, so thoughts travel with the history, sealed. Models that do not think refuse the word.
        body["include"] = json!(["reasoning.encrypted_content"]);
    }
    body
}

/// Whether a model is known by its name to think. A provider's prefix (`openai/gpt-5`) does not matter.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    ["gpt-5", "gpt-oss", "codex", "o1", "o3", "o4"].iter().any(|family| name.starts_with(family))
        && !name.contains("chat")
}

fn tool(tool: &ToolSpec) -> Value {
    match tool.grammar {
        Some(grammar) => json!({
            "type": "custom",
            "name": tool.name,
            "description": tool.description,
            "format": { "type": "grammar", "syntax": "lark", "definition": grammar },
        }),
        None => json!({
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": false,
        }),
    }
}

/// The history in this dialect. A call goes back as its tool is offered now, however it was made; so does its output.
fn inputs(request: &ModelRequest) -> Vec<Value> {
    let is_free = |call: &Call| request.tools.iter().any(|tool| tool.name == call.name && tool.grammar.is_some());
    let history = answered(&request.messages);
    let mut free: HashSet<&str> = HashSet::new();
    let mut inputs = Vec::with_capacity(history.len());
    for message in history.iter() {
        match message {
            Message::Call(call) if is_free(call) => {
                free.insert(&call.call_id);
                inputs.push(json!({
                    "type": "custom_tool_call",
                    "call_id": fitting(&call.call_id, Ids::Short),
                    "name": call.name,
                    "input": free_text(&call.arguments),
                }));
            }
            Message::Output { call_id, text } if free.contains(call_id.as_str()) => {
                let call_id = fitting(call_id, Ids::Short);
                inputs.push(json!({ "type": "custom_tool_call_output", "call_id": call_id, "output": text }));
            }
            message => inputs.extend(input(message)),
        }
    }
    inputs
}

/// The one argument of a call that is sent as free text, whichever name it had. Arguments that were broken go as they are.
fn free_text(arguments: &str) -> String {
    match serde_json::from_str(arguments) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(object)) => match object.into_iter().next() {
            Some((_, Value::String(text))) => text,
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

fn input(message: &Message) -> Option<Value> {
    Some(match message {
        Message::User(parts) => {
            let mut message = json!({ "type": "message", "role": "user" });
            message["content"] = parts.iter().map(content).collect();
            message
        }
        Message::Agent(text) => {
            json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": text }] })
        }
        Message::Reasoning { opaque, .. } => return thought(opaque),
        Message::Call(call) => json!({
            "type": "function_call",
            "call_id": fitting(&call.call_id, Ids::Short),
            "name": call.name,
            "arguments": arguments_object(&call.arguments),
        }),
        Message::Output { call_id, text } => {
            json!({ "type": "function_call_output", "call_id": fitting(call_id, Ids::Short), "output": text })
        }
    })
}

fn content(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "input_text", "text": text }),
        Part::Image { media_type, data } => {
            json!({ "type": "input_image", "image_url": format!("data:{media_type};base64,{data}") })
        }
    }
}

/// A thought as it came, without what is empty. One that holds nothing a server could read again is left out, since a server that
/// stored nothing refuses a bare id; so is one of another dialect.
fn thought(opaque: &Value) -> Option<Value> {
    let item = opaque.as_object().filter(|item| item.get("type").and_then(Value::as_str) == Some("reasoning"))?;
    let sealed = item.get("encrypted_content").and_then(Value::as_str).is_some_and(|sealed| !sealed.is_empty());
    let open = item.get("content").and_then(Value::as_array).is_some_and(|content| !content.is_empty());
    if !sealed && !open {
        return None;
    }
    let mut kept = serde_json::Map::new();
    for key in ["type", "id", "summary", "content", "encrypted_content"] {
        if let Some(value) = item.get(key).filter(|value| !value.is_null()) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    kept.entry("summary").or_insert_with(|| json!([]));
    Some(Value::Object(kept))
}

#[cfg(test)]
mod tests;

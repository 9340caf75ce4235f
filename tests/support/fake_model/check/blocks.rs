//! What Anthropic's API would not take of a history made of blocks. Pure.

use super::{Orphans, text};
use serde_json::Value;

/// How many places of a request may be marked for the cache.
const MAX_MARKS: usize = 4;

/// What is wrong with a request's messages.
pub(super) fn problems(body: &Value, messages: &[Value]) -> Vec<String> {
    let mut orphans = Orphans::default();
    let mut problems = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let (role, blocks) = (text(message, "role"), content(message));
        let expected = if at % 2 == 0 { "user" } else { "assistant" };
        if role != expected || (at + 1 == messages.len() && role != "user") {
            problems.push(format!("message {at} is of the {role}, and the roles alternate from user to user"));
        }
        if blocks.is_empty() {
            problems.push(format!("message {at} is empty"));
        }
        let (mut told, mut called) = (false, false);
        for block in blocks {
            match text(block, "type") {
                "tool_result" if told => problems.push(format!("message {at} has an output behind other words")),
                "tool_result" => orphans.output(text(block, "tool_use_id")),
                "tool_use" => {
                    called = true;
                    orphans.call(text(block, "id"));
                    problems.extend(bad_call(block));
                }
                "text" if text(block, "text").trim().is_empty() => {
                    problems.push(format!("message {at} has a text without words"));
                }
                "thinking" | "redacted_thinking" if called => {
                    problems.push(format!("message {at} has a thought behind a call"));
                }
                _ => told = true,
            }
        }
        // Outputs stand in the message right behind the one that calls.
        if role == "user" {
            orphans.forget();
        }
    }
    problems.extend(orphans.end());
    let marks = body.to_string().matches("\"cache_control\"").count();
    if marks > MAX_MARKS {
        problems.push(format!("it has {marks} marks for the cache, and {MAX_MARKS} are taken"));
    }
    let max_tokens = body.get("max_tokens").and_then(Value::as_u64).unwrap_or_default();
    let budget = body.pointer("/thinking/budget_tokens").and_then(Value::as_u64);
    if max_tokens == 0 || budget.is_some_and(|budget| budget < 1024 || budget >= max_tokens) {
        problems.push(format!("max_tokens is {max_tokens}, and {budget:?} of them are for thoughts"));
    }
    problems
}

/// The blocks of all messages, each with its role and without the mark of the cache, which may move.
pub(super) fn of(messages: &[Value]) -> Vec<Value> {
    let of_message = |message: &Value| {
        let role = text(message, "role").to_owned();
        content(message).to_vec().into_iter().map(move |mut block| {
            if let Some(block) = block.as_object_mut() {
                block.remove("cache_control");
            }
            serde_json::json!({ "role": role, "block": block })
        })
    };
    messages.iter().flat_map(of_message).collect()
}

fn bad_call(block: &Value) -> Option<String> {
    let id = text(block, "id");
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let input = block.get("input").is_some_and(Value::is_object);
    (!plain || !input).then(|| format!("the call {id:?} has an id or an input that is not taken"))
}

fn content(message: &Value) -> &[Value] {
    message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

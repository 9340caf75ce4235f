//! The request's body.

use super::body;
use crate::model::{Call, Message, ModelRequest, Part, ToolSpec};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Effort, SessionId};
use serde_json::{Value, json};

fn check(request: &ModelRequest, model: &str, field: &str, expected: Expect) {
    let body = body(request, model);
    let shown = match &body[field] {
        Value::Array(entries) => entries.iter().map(|entry| format!("{entry}\n")).collect(),
        other => format!("{other}\n"),
    };
    expected.assert_eq(&shown);
}

fn request(messages: Vec<Message>) -> ModelRequest {
    ModelRequest {
        instructions: "Be brief.".into(),
        tools: [ToolSpec { name: "read", description: "Reads.", parameters: json!({"type":"object"}), grammar: None }]
            .into(),
        messages,
        effort: None,
        session: SessionId("s000001".to_owned()),
    }
}

#[test]
fn writes_the_history() {
    let call = |call_id: &str, arguments: &str| {
        let (call_id, name, arguments) = (call_id.to_owned(), "read".to_owned(), arguments.to_owned());
        Message::Call(Call { call_id, name, arguments })
    };
    let messages = vec![
        Message::User(vec![
            Part::Text("Look".to_owned()),
            Part::Image { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
        ]),
        Message::Reasoning {
            text: "Hm".to_owned(),
            opaque: json!({"type":"reasoning","id":"rs","status":"completed","summary":[],"content":null,"encrypted_content":"c2VhbA=="}),
        },
        Message::Reasoning { text: "of another dialect".to_owned(), opaque: json!({"field":"reasoning_content"}) },
        Message::Reasoning {
            text: "not kept".to_owned(),
            opaque: json!({"type":"reasoning","id":"rs","summary":[],"encrypted_content":""}),
        },
        Message::Agent("Reading.".to_owned()),
        call("a", r#"{"path":"a"}"#),
        call("b", r#"{"path":"#),
        Message::Output { call_id: "a".to_owned(), text: "A".to_owned() },
        Message::Output { call_id: "b".to_owned(), text: "what?".to_owned() },
    ];
    check(
        &request(messages),
        "gpt-4.1",
        "input",
        expect![[r#"
        {"content":[{"text":"Look","type":"input_text"},{"image_url":"data:image/png;base64,AAAA","type":"input_image"}],"role":"user","type":"message"}
        {"encrypted_content":"c2VhbA==","id":"rs","summary":[],"type":"reasoning"}
        {"content":[{"text":"Reading.","type":"output_text"}],"role":"assistant","type":"message"}
        {"arguments":"{\"path\":\"a\"}","call_id":"a","name":"read","type":"function_call"}
        {"arguments":"{\"malformed_arguments\":\"{\\\"path\\\":\"}","call_id":"b","name":"read","type":"function_call"}
        {"call_id":"a","output":"A","type":"function_call_output"}
        {"call_id":"b","output":"what?","type":"function_call_output"}
    "#]],
    );
}

#[test]
fn writes_what_stays_the_same() {
    let mut body = body(&request(Vec::new()), "gpt-4.1");
    body.as_object_mut().unwrap().remove("input");
    expect![[r#"
        {
          "instructions": "Be brief.",
          "model": "gpt-4.1",
          "parallel_tool_calls": true,
          "prompt_cache_key": "s000001",
          "store": false,
          "stream": true,
          "tool_choice": "auto",
          "tools": [
            {
              "description": "Reads.",
              "name": "read",
              "parameters": {
                "type": "object"
              },
              "strict": false,
              "type": "function"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn asks_for_thoughts_where_there_are_some() {
    let mut request = request(Vec::new());
    check(
        &request,
        "gpt-4.1",
        "reasoning",
        expect![[r#"
        null
    "#]],
    );
    check(
        &request,
        "openai/gpt-5.1-codex",
        "reasoning",
        expect![[r#"
        {"summary":"auto"}
    "#]],
    );
    check(
        &request,
        "gpt-5-chat-latest",
        "reasoning",
        expect![[r#"
        null
    "#]],
    );
    check(
        &request,
        "o3",
        "include",
        expect![[r#"
        "reasoning.encrypted_content"
    "#]],
    );
    request.effort = Some(Effort::High);
    check(
        &request,
        "whatever",
        "reasoning",
        expect![[r#"
        {"effort":"high","summary":"auto"}
    "#]],
    );
}

#[test]
fn equal_histories_begin_equally() {
    let mut messages = vec![Message::User(vec![Part::Text("one".to_owned())])];
    let before = body(&request(messages.clone()), "m")["input"].clone();
    messages.push(Message::Agent("two".to_owned()));
    let after = body(&request(messages), "m")["input"].clone();
    assert_eq!(after.as_array().unwrap()[..1], before.as_array().unwrap()[..]);
}

//! One history that went through models of all dialects, as each of them is sent it next.

use super::{Call, Message, ModelRequest, Part, ToolSpec, chat, messages, responses};
use crate::config::Dialect;
use expect_test::{Expect, expect};
use pilotfish_protocol::SessionId;
use serde_json::{Value, json};

const MODELS: [&str; 3] = ["gpt-5", "claude-sonnet-4-5", "kimi-k2"];

/// The person's words.
pub(super) fn says(text: &str) -> Message {
    Message::User(vec![Part::Text(text.to_owned())])
}

/// A call of `read`.
pub(super) fn call(call_id: &str, arguments: &str) -> Message {
    let (call_id, name, arguments) = (call_id.to_owned(), "read".to_owned(), arguments.to_owned());
    Message::Call(Call { call_id, name, arguments })
}

/// What a call came to.
pub(super) fn output(call_id: &str, text: &str) -> Message {
    Message::Output { call_id: call_id.to_owned(), text: text.to_owned() }
}

/// What a model thought, and what its provider wants back.
pub(super) fn thought(text: &str, opaque: Value) -> Message {
    Message::Reasoning { text: text.to_owned(), opaque }
}

/// What was said, with the model whose thought it is.
fn history() -> Vec<(Option<&'static str>, Message)> {
    let says = |text: &str| (None, says(text));
    let agent = |text: &str| (None, Message::Agent(text.to_owned()));
    let thought = |model, text: &str, opaque: Value| (Some(model), thought(text, opaque));
    let call = |call_id: &str, name: &str, arguments: &str| {
        let (call_id, name, arguments) = (call_id.to_owned(), name.to_owned(), arguments.to_owned());
        (None, Message::Call(Call { call_id, name, arguments }))
    };
    let output = |call_id: &str, text: &str| (None, output(call_id, text));
    vec![
        // With the first, in Responses: a patch in free text.
        says("One"),
        thought(MODELS[0], "Hm", json!({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"c2VhbA=="})),
        call("call_1", "patch", r#"{"input":"*** Begin Patch\n*** End Patch"}"#),
        output("call_1", "nothing was changed"),
        agent("It is done."),
        // With the second, in Messages: text replaced in two files at once, and words of the person beside the outputs.
        says("Two"),
        thought(MODELS[1], "Let me see", json!({"type":"thinking","signature":"c2ln"})),
        agent("I edit."),
        call("toolu_2", "edit", r#"{"path":"a","old_string":"x","new_string":"y"}"#),
        call("toolu_3", "edit", r#"{"path":"b"#),
        output("toolu_2", "edited a"),
        output("toolu_3", ""),
        says("and c"),
        agent("Edited."),
        // With the third, in Chat Completions: marks in an id, no arguments, a patch as an argument.
        says("Three"),
        thought(MODELS[2], "Well", json!({"field":"reasoning_content"})),
        call("functions.list:0", "list", ""),
        call("functions.patch:1", "patch", r#"{"patch":"*** Begin Patch"}"#),
        output("functions.list:0", "a\nb"),
        output("functions.patch:1", "nothing was changed"),
        says("Four"),
    ]
}

/// The request that goes to a model next: thoughts of the others left out, as `prompt` does, and one entry on a line.
fn check(model: &str, dialect: Dialect, expected: Expect) {
    let grammar = (dialect == Dialect::Responses).then_some("start: \"x\"");
    let tool = |name, grammar| ToolSpec { name, description: "Does.", parameters: json!({"type":"object"}), grammar };
    let kept = history().into_iter().filter(|(owner, _)| owner.is_none_or(|owner| owner == model));
    let request = ModelRequest {
        instructions: "".into(),
        tools: [tool("list", None), tool("patch", grammar)].into(),
        messages: kept.map(|(_, message)| message).collect(),
        effort: None,
        session: SessionId("s000001".to_owned()),
    };
    let entries = match dialect {
        Dialect::Responses => responses::body(&request, model)["input"].take(),
        Dialect::Chat => chat::body(&request, model)["messages"].take(),
        Dialect::Messages => messages::body(&request, model)["messages"].take(),
    };
    let lines: Vec<String> = entries.as_array().unwrap().iter().map(|entry| format!("{entry}\n")).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn a_history_of_all_dialects_goes_on_in_responses() {
    check(
        MODELS[0],
        Dialect::Responses,
        expect![[r#"
        {"content":[{"text":"One","type":"input_text"}],"role":"user","type":"message"}
        {"encrypted_content":"c2VhbA==","id":"rs_1","summary":[],"type":"reasoning"}
        {"call_id":"call_1","input":"*** Begin Patch\n*** End Patch","name":"patch","type":"custom_tool_call"}
        {"call_id":"call_1","output":"nothing was changed","type":"custom_tool_call_output"}
        {"content":[{"text":"It is done.","type":"output_text"}],"role":"assistant","type":"message"}
        {"content":[{"text":"Two","type":"input_text"}],"role":"user","type":"message"}
        {"content":[{"text":"I edit.","type":"output_text"}],"role":"assistant","type":"message"}
        {"arguments":"{\"path\":\"a\",\"old_string\":\"x\",\"new_string\":\"y\"}","call_id":"toolu_2","name":"edit","type":"function_call"}
        {"arguments":"{\"malformed_arguments\":\"{\\\"path\\\":\\\"b\"}","call_id":"toolu_3","name":"edit","type":"function_call"}
        {"call_id":"toolu_2","output":"edited a","type":"function_call_output"}
        {"call_id":"toolu_3","output":"","type":"function_call_output"}
        {"content":[{"text":"and c","type":"input_text"}],"role":"user","type":"message"}
        {"content":[{"text":"Edited.","type":"output_text"}],"role":"assistant","type":"message"}
        {"content":[{"text":"Three","type":"input_text"}],"role":"user","type":"message"}
        {"arguments":"{}","call_id":"functions.list:0","name":"list","type":"function_call"}
        {"call_id":"functions.patch:1","input":"*** Begin Patch","name":"patch","type":"custom_tool_call"}
        {"call_id":"functions.list:0","output":"a\nb","type":"function_call_output"}
        {"call_id":"functions.patch:1","output":"nothing was changed","type":"custom_tool_call_output"}
        {"content":[{"text":"Four","type":"input_text"}],"role":"user","type":"message"}
    "#]],
    );
}

#[test]
fn a_history_of_all_dialects_goes_on_in_messages() {
    check(
        MODELS[1],
        Dialect::Messages,
        expect![[r#"
        {"content":[{"text":"One","type":"text"}],"role":"user"}
        {"content":[{"id":"call_1","input":{"input":"*** Begin Patch\n*** End Patch"},"name":"patch","type":"tool_use"}],"role":"assistant"}
        {"content":[{"content":"nothing was changed","tool_use_id":"call_1","type":"tool_result"}],"role":"user"}
        {"content":[{"text":"It is done.","type":"text"}],"role":"assistant"}
        {"content":[{"text":"Two","type":"text"}],"role":"user"}
        {"content":[{"signature":"c2ln","thinking":"Let me see","type":"thinking"},{"text":"I edit.","type":"text"},{"id":"toolu_2","input":{"new_string":"y","old_string":"x","path":"a"},"name":"edit","type":"tool_use"},{"id":"toolu_3","input":{"malformed_arguments":"{\"path\":\"b"},"name":"edit","type":"tool_use"}],"role":"assistant"}
        {"content":[{"content":"edited a","tool_use_id":"toolu_2","type":"tool_result"},{"tool_use_id":"toolu_3","type":"tool_result"},{"text":"and c","type":"text"}],"role":"user"}
        {"content":[{"text":"Edited.","type":"text"}],"role":"assistant"}
        {"content":[{"cache_control":{"type":"ephemeral"},"text":"Three","type":"text"}],"role":"user"}
        {"content":[{"id":"functions_list_0_2620948b584729f2","input":{},"name":"list","type":"tool_use"},{"id":"functions_patch_1_f17fbb76acf46847","input":{"patch":"*** Begin Patch"},"name":"patch","type":"tool_use"}],"role":"assistant"}
        {"content":[{"content":"a\nb","tool_use_id":"functions_list_0_2620948b584729f2","type":"tool_result"},{"content":"nothing was changed","tool_use_id":"functions_patch_1_f17fbb76acf46847","type":"tool_result"},{"cache_control":{"type":"ephemeral"},"text":"Four","type":"text"}],"role":"user"}
    "#]],
    );
}

#[test]
fn a_history_of_all_dialects_goes_on_in_chat() {
    check(
        MODELS[2],
        Dialect::Chat,
        expect![[r#"
        {"content":"One","role":"user"}
        {"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":"{\"input\":\"*** Begin Patch\\n*** End Patch\"}","name":"patch"},"id":"call_1","type":"function"}]}
        {"content":"nothing was changed","role":"tool","tool_call_id":"call_1"}
        {"content":"It is done.","role":"assistant"}
        {"content":"Two","role":"user"}
        {"content":"I edit.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"path\":\"a\",\"old_string\":\"x\",\"new_string\":\"y\"}","name":"edit"},"id":"toolu_2","type":"function"},{"function":{"arguments":"{\"malformed_arguments\":\"{\\\"path\\\":\\\"b\"}","name":"edit"},"id":"toolu_3","type":"function"}]}
        {"content":"edited a","role":"tool","tool_call_id":"toolu_2"}
        {"content":"","role":"tool","tool_call_id":"toolu_3"}
        {"content":"and c","role":"user"}
        {"content":"Edited.","role":"assistant"}
        {"content":"Three","role":"user"}
        {"content":null,"reasoning_content":"Well","role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"list"},"id":"functions.list:0","type":"function"},{"function":{"arguments":"{\"patch\":\"*** Begin Patch\"}","name":"patch"},"id":"functions.patch:1","type":"function"}]}
        {"content":"a\nb","role":"tool","tool_call_id":"functions.list:0"}
        {"content":"nothing was changed","role":"tool","tool_call_id":"functions.patch:1"}
        {"content":"Four","role":"user"}
    "#]],
    );
}

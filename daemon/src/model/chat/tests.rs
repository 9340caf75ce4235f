//! The request's body, and the tags of thoughts.

use super::body;
use super::thought::{Piece, Tags};
use crate::model::tests::{call, output, says, thought};
use crate::model::{Message, ModelRequest, Part, ToolSpec};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Effort, SessionId};
use serde_json::json;

/// The messages of a body, one on a line.
fn check(messages: Vec<Message>, expected: Expect) {
    let body = body(&request(messages), "m");
    let lines: Vec<String> = body["messages"].as_array().unwrap().iter().map(|entry| format!("{entry}\n")).collect();
    expected.assert_eq(&lines.concat());
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
fn joins_what_one_answer_said_and_called() {
    check(
        vec![
            says("Look"),
            thought("Hm", json!({"field":"reasoning_content"})),
            Message::Agent("Reading.".to_owned()),
            call("a", r#"{"path":"a"}"#),
            call("b", r#"{"path":"#),
            output("a", "A"),
            output("b", "what?"),
            call("c", ""),
            output("c", "C"),
            Message::Agent("Done.".to_owned()),
            says("Thanks"),
        ],
        expect![[r#"
            {"content":"Be brief.","role":"system"}
            {"content":"Look","role":"user"}
            {"content":"Reading.","reasoning_content":"Hm","role":"assistant","tool_calls":[{"function":{"arguments":"{\"path\":\"a\"}","name":"read"},"id":"a","type":"function"},{"function":{"arguments":"{\"malformed_arguments\":\"{\\\"path\\\":\"}","name":"read"},"id":"b","type":"function"}]}
            {"content":"A","role":"tool","tool_call_id":"a"}
            {"content":"what?","role":"tool","tool_call_id":"b"}
            {"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"read"},"id":"c","type":"function"}]}
            {"content":"C","role":"tool","tool_call_id":"c"}
            {"content":"Done.","role":"assistant"}
            {"content":"Thanks","role":"user"}
        "#]],
    );
}

#[test]
fn sends_thoughts_back_beside_calls_as_their_server_gave_them() {
    check(
        vec![
            thought("sealed", json!({"reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]})),
            call("a", "{}"),
            output("a", "A"),
            thought("no call follows", json!({"field":"reasoning"})),
            Message::Agent("Done.".to_owned()),
            thought("of another dialect", json!({"type":"reasoning","encrypted_content":"x"})),
            call("b", "{}"),
            output("b", "B"),
        ],
        expect![[r#"
            {"content":"Be brief.","role":"system"}
            {"content":null,"reasoning_details":[{"data":"x","type":"reasoning.encrypted"}],"role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"read"},"id":"a","type":"function"}]}
            {"content":"A","role":"tool","tool_call_id":"a"}
            {"content":"Done.","reasoning":"no call follows","role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"read"},"id":"b","type":"function"}]}
            {"content":"B","role":"tool","tool_call_id":"b"}
        "#]],
    );
}

#[test]
fn sends_pictures_as_parts() {
    let image = Part::Image { media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    let text = |text: &str| Part::Text(text.to_owned());
    check(
        vec![Message::User(vec![text("See"), image]), Message::User(vec![text("two"), text("texts")])],
        expect![[r#"
            {"content":"Be brief.","role":"system"}
            {"content":[{"text":"See","type":"text"},{"image_url":{"url":"data:image/png;base64,AAAA"},"type":"image_url"}],"role":"user"}
            {"content":"two\n\ntexts","role":"user"}
        "#]],
    );
}

#[test]
fn writes_what_stays_the_same() {
    let mut request = request(Vec::new());
    request.effort = Some(Effort::Low);
    expect![[r#"
        {
          "messages": [
            {
              "content": "Be brief.",
              "role": "system"
            }
          ],
          "model": "qwen3",
          "reasoning_effort": "low",
          "stream": true,
          "stream_options": {
            "include_usage": true
          },
          "tools": [
            {
              "function": {
                "description": "Reads.",
                "name": "read",
                "parameters": {
                  "type": "object"
                }
              },
              "type": "function"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body(&request, "qwen3")).unwrap());
}

#[test]
fn holds_back_only_what_may_be_a_tag() {
    let pieces = |texts: &[&str]| {
        let mut tags = Tags::default();
        let mut pieces = Vec::new();
        texts.iter().for_each(|text| tags.push(text, &mut pieces));
        pieces.extend(tags.end());
        pieces
    };
    let words = |text: &str| Piece::Words(text.to_owned());
    let thinks = |text: &str| Piece::Thought(text.to_owned());
    assert_eq!(pieces(&["Hello", " <think>"]), [words("Hello"), words(" <think>")]);
    assert_eq!(pieces(&["<", "th", "ank you"]), [words("<thank you")]);
    assert_eq!(
        pieces(&["\n", "<think>a", "b<", "/c</thin", "k>", "\n\n", "d"]),
        [thinks("a"), thinks("b"), thinks("</c"), words("d")]
    );
    assert_eq!(pieces(&["<think>never ended</"]), [thinks("never ended"), thinks("</")]);
    assert_eq!(pieces(&["<thi"]), [words("<thi")]);
    assert_eq!(pieces(&["<think></think>now"]), [words("now")]);
}

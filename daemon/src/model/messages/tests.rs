//! The request's body.

use super::body;
use crate::model::tests::{call, output, says, thought};
use crate::model::{Message, ModelRequest, Part, ToolSpec};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Effort, SessionId};
use serde_json::json;

/// The messages of a body, one on a line.
fn check(messages: Vec<Message>, expected: Expect) {
    let body = body(&request(messages), "claude-sonnet-4-5");
    let lines: Vec<String> = body["messages"].as_array().unwrap().iter().map(|entry| format!("{entry}\n")).collect();
    expected.assert_eq(&lines.concat());
}

fn request(messages: Vec<Message>) -> ModelRequest {
    let tool = |name| ToolSpec { name, description: "Does.", parameters: json!({"type":"object"}), grammar: None };
    ModelRequest {
        instructions: "Be brief.".into(),
        tools: [tool("list"), tool("read")].into(),
        messages,
        effort: None,
        session: SessionId("s000001".to_owned()),
    }
}

#[test]
fn roles_alternate_and_outputs_come_first() {
    check(
        vec![
            says("<environment>"),
            says("Look"),
            thought("Hm", json!({"type":"thinking","signature":"c2ln"})),
            thought("", json!({"type":"redacted_thinking","data":"c2VhbA=="})),
            Message::Agent("Reading.".to_owned()),
            call("a", r#"{"path":"a"}"#),
            call("functions.read:1", r#"{"path":"#),
            output("a", "A"),
            output("functions.read:1", ""),
            says("and be quick"),
            call("c", ""),
            output("c", "C"),
            Message::Agent("Done.".to_owned()),
            says("Thanks"),
        ],
        expect![[r#"
            {"content":[{"text":"<environment>","type":"text"},{"text":"Look","type":"text"}],"role":"user"}
            {"content":[{"signature":"c2ln","thinking":"Hm","type":"thinking"},{"data":"c2VhbA==","type":"redacted_thinking"},{"text":"Reading.","type":"text"},{"id":"a","input":{"path":"a"},"name":"read","type":"tool_use"},{"id":"functions_read_1_5b4c80c9f36ea841","input":{"malformed_arguments":"{\"path\":"},"name":"read","type":"tool_use"}],"role":"assistant"}
            {"content":[{"content":"A","tool_use_id":"a","type":"tool_result"},{"tool_use_id":"functions_read_1_5b4c80c9f36ea841","type":"tool_result"},{"text":"and be quick","type":"text"}],"role":"user"}
            {"content":[{"id":"c","input":{},"name":"read","type":"tool_use"}],"role":"assistant"}
            {"content":[{"cache_control":{"type":"ephemeral"},"content":"C","tool_use_id":"c","type":"tool_result"}],"role":"user"}
            {"content":[{"text":"Done.","type":"text"}],"role":"assistant"}
            {"content":[{"cache_control":{"type":"ephemeral"},"text":"Thanks","type":"text"}],"role":"user"}
        "#]],
    );
}

#[test]
fn leaves_out_what_is_refused() {
    check(
        vec![
            says(" \n"),
            says("Hi"),
            thought("of another dialect", json!({"type":"reasoning","encrypted_content":"x"})),
            thought("unsigned", json!({"type":"thinking"})),
            Message::Agent("\n".to_owned()),
            says("still there?"),
        ],
        expect![[r#"
            {"content":[{"text":"Hi","type":"text"},{"cache_control":{"type":"ephemeral"},"text":"still there?","type":"text"}],"role":"user"}
        "#]],
    );
}

#[test]
fn begins_and_ends_with_the_user() {
    check(
        vec![Message::Agent("Half".to_owned())],
        expect![[r#"
        {"content":[{"cache_control":{"type":"ephemeral"},"text":"[what came before is not shown]","type":"text"}],"role":"user"}
        {"content":[{"text":"Half","type":"text"}],"role":"assistant"}
        {"content":[{"cache_control":{"type":"ephemeral"},"text":"[go on]","type":"text"}],"role":"user"}
    "#]],
    );
    check(
        Vec::new(),
        expect![[r#"
        {"content":[{"cache_control":{"type":"ephemeral"},"text":"[what came before is not shown]","type":"text"}],"role":"user"}
    "#]],
    );
}

#[test]
fn sends_pictures_it_can_show() {
    let image = |media_type: &str| Part::Image { media_type: media_type.to_owned(), data: "AAAA".to_owned() };
    check(
        vec![Message::User(vec![Part::Text("See".to_owned()), image("image/png"), image("image/tiff")])],
        expect![[r#"
            {"content":[{"text":"See","type":"text"},{"source":{"data":"AAAA","media_type":"image/png","type":"base64"},"type":"image"},{"cache_control":{"type":"ephemeral"},"text":"[a picture of type image/tiff, which cannot be shown to this model]","type":"text"}],"role":"user"}
        "#]],
    );
}

#[test]
fn writes_what_stays_the_same() {
    let body = body(&request(vec![says("Hi")]), "claude-sonnet-4-5");
    expect![[r#"
        {
          "max_tokens": 32000,
          "messages": [
            {
              "content": [
                {
                  "cache_control": {
                    "type": "ephemeral"
                  },
                  "text": "Hi",
                  "type": "text"
                }
              ],
              "role": "user"
            }
          ],
          "model": "claude-sonnet-4-5",
          "stream": true,
          "system": [
            {
              "cache_control": {
                "type": "ephemeral"
              },
              "text": "Be brief.",
              "type": "text"
            }
          ],
          "tools": [
            {
              "description": "Does.",
              "input_schema": {
                "type": "object"
              },
              "name": "list"
            },
            {
              "cache_control": {
                "type": "ephemeral"
              },
              "description": "Does.",
              "input_schema": {
                "type": "object"
              },
              "name": "read"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn thinks_as_its_family_does() {
    let shown = |model: &str, effort: Effort| {
        let mut request = request(vec![says("Hi")]);
        request.effort = Some(effort);
        let body = body(&request, model);
        format!("{model} {effort:?}: max {} {} {}\n", body["max_tokens"], body["thinking"], body["output_config"])
    };
    let mut lines = String::new();
    for model in ["claude-sonnet-4-5", "claude-opus-4-7", "claude-3-5-haiku-latest", "some-imitator"] {
        for effort in [Effort::Minimal, Effort::Low, Effort::Medium, Effort::High] {
            lines.push_str(&shown(model, effort));
        }
    }
    expect![[r#"
        claude-sonnet-4-5 Minimal: max 32000 null null
        claude-sonnet-4-5 Low: max 32000 {"budget_tokens":2048,"type":"enabled"} null
        claude-sonnet-4-5 Medium: max 32000 {"budget_tokens":8192,"type":"enabled"} null
        claude-sonnet-4-5 High: max 32000 {"budget_tokens":24000,"type":"enabled"} null
        claude-opus-4-7 Minimal: max 32000 null {"effort":"low"}
        claude-opus-4-7 Low: max 32000 {"type":"adaptive"} {"effort":"low"}
        claude-opus-4-7 Medium: max 32000 {"type":"adaptive"} {"effort":"medium"}
        claude-opus-4-7 High: max 32000 {"type":"adaptive"} {"effort":"high"}
        claude-3-5-haiku-latest Minimal: max 8192 null null
        claude-3-5-haiku-latest Low: max 8192 null null
        claude-3-5-haiku-latest Medium: max 8192 null null
        claude-3-5-haiku-latest High: max 8192 null null
        some-imitator Minimal: max 8192 null null
        some-imitator Low: max 8192 {"budget_tokens":2048,"type":"enabled"} null
        some-imitator Medium: max 8192 {"budget_tokens":6144,"type":"enabled"} null
        some-imitator High: max 8192 {"budget_tokens":6144,"type":"enabled"} null
    "#]]
    .assert_eq(&lines);
}

/// The API refuses to think in the middle of a turn that did not begin with a thought.
#[test]
fn does_not_think_in_a_turn_that_began_without() {
    let thinks = |messages: Vec<Message>| {
        let mut request = request(messages);
        request.effort = Some(Effort::Low);
        body(&request, "claude-sonnet-4-5")["thinking"].is_object()
    };
    let signed = || thought("Hm", json!({"type":"thinking","signature":"c2ln"}));
    assert!(thinks(vec![says("Hi")]));
    assert!(thinks(vec![says("Hi"), signed(), call("a", "{}"), output("a", "A")]));
    assert!(thinks(vec![says("Hi"), signed(), call("a", "{}"), output("a", "A"), call("b", "{}"), output("b", "B")]));
    assert!(thinks(vec![says("Hi"), call("a", "{}"), output("a", "A"), Message::Agent("Done".to_owned()), says("on")]));
    assert!(!thinks(vec![says("Hi"), call("a", "{}"), output("a", "A")]));
    assert!(!thinks(vec![says("Hi"), call("a", "{}"), output("a", "A"), says("steered")]));
}

/// Marks of the cache aside, which may be set anew.
#[test]
fn equal_histories_begin_equally_and_have_four_marks() {
    let unmarked = |messages: &[Message]| {
        let body = body(&request(messages.to_vec()), "claude-sonnet-4-5");
        assert!(body.to_string().matches("cache_control").count() <= 4);
        let mut messages = body["messages"].as_array().unwrap().clone();
        for block in messages.iter_mut().flat_map(|message| message["content"].as_array_mut().unwrap()) {
            block.as_object_mut().unwrap().remove("cache_control");
        }
        messages
    };
    let history = [says("one"), call("a", "{}"), output("a", "A"), call("b", "{}"), output("b", "B"), says("two")];
    let before = unmarked(&history[..3]);
    let after = unmarked(&history);
    assert_eq!(after[..before.len()], before[..]);
}

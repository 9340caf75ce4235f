//! The scripted model, asked by the client it is made for.

use super::check::Conversations;
use super::{FakeModel, answer, status};
use expect_test::{Expect, expect};
use futures::StreamExt;
use pilotfish::config::{Dialect, Endpoint};
use pilotfish::model::http::Http;
use pilotfish::model::{Call, Connect, Message, ModelEvent, ModelRequest, Part};
use pilotfish_protocol::SessionId;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Asks, and shows what came.
async fn check(model: &FakeModel, messages: Vec<Message>, expected: Expect) {
    expected.assert_eq(&ask(model, "s1", messages).await);
}

async fn ask(model: &FakeModel, session: &str, messages: Vec<Message>) -> String {
    let request = ModelRequest {
        instructions: "Be brief.".into(),
        tools: [].into(),
        messages,
        effort: None,
        session: SessionId(session.to_owned()),
    };
    let endpoint = Endpoint {
        provider: "fake".to_owned(),
        dialect: model.dialect(),
        base_url: model.base_url().to_owned(),
        key: None,
        api_key_env: None,
        // Longer than a busy machine pauses.
        idle_limit: Duration::from_secs(2),
    };
    let events: Vec<_> = Http::new().model(&endpoint, "fake").stream(request).collect().await;
    let lines: Vec<String> = events
        .into_iter()
        .map(|event| match event {
            Ok(ModelEvent::Finished { stop, usage }) => {
                format!("finished {stop:?} {} {}\n", usage.input_tokens, usage.output_tokens)
            }
            Ok(event) => format!("{event:?}\n"),
            Err(error) => format!("{error}\n"),
        })
        .collect();
    lines.concat().replace(model.base_url(), "FAKE")
}

const DIALECTS: [Dialect; 3] = [Dialect::Responses, Dialect::Chat, Dialect::Messages];

fn says(text: &str) -> Message {
    Message::User(vec![Part::Text(text.to_owned())])
}

fn call(call_id: &str) -> Message {
    Message::Call(Call { call_id: call_id.to_owned(), name: "read".to_owned(), arguments: "{}".to_owned() })
}

fn output(call_id: &str) -> Message {
    Message::Output { call_id: call_id.to_owned(), text: "A".to_owned() }
}

/// The words a model fails its test with.
fn failure(model: FakeModel) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(model))).expect_err("it fails");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn all_dialects_say_the_same() {
    for dialect in DIALECTS {
        let model = FakeModel::start(dialect).await;
        model.answers(
            answer()
                .thinks("Hm")
                .says("Two ")
                .says("files.")
                .calls("read", json!({"path":"a"}))
                .calls_raw("read", "{")
                .uses(7, 3),
        );
        let shown = ask(&model, "s1", vec![says("Hi")]).await;
        let opaque = match dialect {
            Dialect::Responses => {
                r#"Some(Object {"encrypted_content": String("c2VhbGVk"), "id": String("item_0"), "summary": Array [Object {"text": String("Hm"), "type": String("summary_text")}], "type": String("reasoning")})"#
            }
            Dialect::Chat => r#"Some(Object {"field": String("reasoning_content")})"#,
            Dialect::Messages => r#"Some(Object {"signature": String("c2lnbmVk"), "type": String("thinking")})"#,
        };
        expect![[r#"
            Reasoning("Hm")
            ReasoningEnded { opaque: OPAQUE }
            Text("Two ")
            Text("files.")
            TextEnded
            Call(Call { call_id: "call_1", name: "read", arguments: "{\"path\":\"a\"}" })
            Call(Call { call_id: "call_2", name: "read", arguments: "{" })
            finished Done 7 3
        "#]]
        .assert_eq(&shown.replace(opaque, "OPAQUE"));
    }
}

#[tokio::test]
async fn fails_as_it_is_told() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(status(429).retry_after(1).because("slow down"));
    model.answers(answer().says("Half a message").drops_after(300));
    model.answers(answer().hangs());
    model.answers(answer().says("More").reaches_the_limit());
    model.answers(answer().raw("data: {\"type\":\"error\",\"message\":\"boom\"}\n\n"));
    let hi = || vec![says("Hi")];
    check(
        &model,
        hi(),
        expect![[r#"
        FAKE/responses answered 429: slow down; the provider limits requests: wait, or use another model
    "#]],
    )
    .await;
    check(
        &model,
        hi(),
        expect![[r#"
        the answer of FAKE/responses broke off: unexpected EOF during chunk size line
    "#]],
    )
    .await;
    check(
        &model,
        hi(),
        expect![[r#"
        FAKE/responses sent nothing for 2 s
    "#]],
    )
    .await;
    model.hung_up(1).await;
    check(
        &model,
        hi(),
        expect![[r#"
        Text("More")
        TextEnded
        finished Length 100 10
    "#]],
    )
    .await;
    check(
        &model,
        hi(),
        expect![[r#"
        FAKE/responses reported: boom
    "#]],
    )
    .await;
    let requests = model.requests();
    assert_eq!((requests.len(), requests[0].path.as_str()), (5, "/v1/responses"));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert!(requests[3].answered > Some(requests[3].arrived) && requests[2].answered.is_none());
}

#[tokio::test]
async fn waits_at_a_gate_in_the_middle_of_a_message() {
    let model = FakeModel::start(Dialect::Chat).await;
    let gate = Arc::<Notify>::default();
    model.answers(answer().says("a").waits_for(&gate).deltas(2, "b"));
    let opened = async {
        model.asked(1).await;
        gate.notify_one();
    };
    let (shown, ()) = tokio::join!(ask(&model, "s1", vec![says("Hi")]), opened);
    expect![[r#"
        Text("a")
        Text("b")
        Text("b")
        TextEnded
        finished Done 100 10
    "#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn takes_histories_that_grow_and_sessions_side_by_side() {
    for dialect in DIALECTS {
        let model = FakeModel::start(dialect).await;
        let grown = vec![says("Hi"), call("c"), output("c")];
        for (session, messages) in
            [("s1", vec![says("Hi")]), ("s2", vec![says("Other")]), ("s1", grown.clone()), ("s1", grown)]
        {
            model.answers(answer().says("ok"));
            ask(&model, session, messages).await;
        }
        model.answers(answer().says("ok"));
        model.allow_new_beginning();
        ask(&model, "s1", vec![says("Hi"), says("masked")]).await;
    }
}

#[tokio::test]
async fn refuses_changed_beginnings() {
    for dialect in DIALECTS {
        let model = FakeModel::start(dialect).await;
        model.answers(answer()).answers(answer());
        ask(&model, "s1", vec![says("Hi"), call("c"), output("c")]).await;
        ask(&model, "s1", vec![says("Hi"), says("changed"), says("and more")]).await;
        let shown = failure(model);
        // The instructions are a message of their own in one of the dialects.
        let shown = shown.replace("message 2", "message 1");
        let changed = shown.find("\n  was").unwrap_or(shown.len());
        expect![[r#"
            the model was asked wrongly:
            request 1: message 1 is not what it was in the request before:"#]]
        .assert_eq(&shown[..changed]);
    }
}

/// Our own client never sends these.
#[test]
fn refuses_calls_without_outputs_and_outputs_without_calls() {
    let responses = json!({"input": [
        {"type": "custom_tool_call", "call_id": "c"}, {"type": "function_call_output", "call_id": "x"},
    ]});
    let chat = json!({"messages": [
        {"role": "user"}, {"role": "assistant", "tool_calls": [{"id": "c"}]}, {"role": "tool", "tool_call_id": "x"},
    ]});
    let messages = json!({"max_tokens": 10, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]},
    ]});
    for (dialect, body) in DIALECTS.into_iter().zip([responses, chat, messages]) {
        let problems = Conversations::default().check(dialect, &body);
        expect![[r#"
            the output of "x" follows no call
            the call "c" has no output"#]]
        .assert_eq(&problems.join("\n"));
    }
}

/// What only one of the APIs refuses.
#[test]
fn refuses_blocks_that_anthropic_refuses() {
    let body = json!({"max_tokens": 10, "thinking": {"budget_tokens": 1024}, "messages": [
        {"role": "user", "content": [{"type": "text", "text": " "}]},
        {"role": "user", "content": []},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a.b", "input": "x"}, {"type": "thinking"}]},
        {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "a.b"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "x"}]},
    ]});
    expect![[r#"
        message 0 has a text without words
        message 1 is of the user, and the roles alternate from user to user
        message 1 is empty
        message 2 is of the assistant, and the roles alternate from user to user
        the call "a.b" has an id or an input that is not taken
        message 2 has a thought behind a call
        message 3 is of the user, and the roles alternate from user to user
        message 3 has an output behind other words
        message 4 is of the assistant, and the roles alternate from user to user
        the call "a.b" has no output
        max_tokens is 10, and Some(1024) of them are for thoughts"#]]
    .assert_eq(&Conversations::default().check(Dialect::Messages, &body).join("\n"));
}

#[tokio::test]
async fn fails_a_test_that_asks_too_little_or_too_much() {
    let model = FakeModel::start(Dialect::Chat).await;
    model.answers(answer());
    expect!["1 answers of the script were not asked for"].assert_eq(&failure(model));
    let model = FakeModel::start(Dialect::Chat).await;
    ask(&model, "s1", vec![says("Hi")]).await;
    expect![[r#"
        the model was asked wrongly:
        request 0: the script has no answer left"#]]
    .assert_eq(&failure(model));
}

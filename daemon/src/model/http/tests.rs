//! The client against a loopback server: what it sends, where it stops, what it says.

mod cuts;
mod redirects;
mod secrets;
mod server;
mod sizes;
mod waits;

use super::{Http, HttpModel, Target};
use crate::config::{Dialect, Endpoint, Secret};
use crate::model::{Connect, Model, ModelError, ModelEvent, ModelRequest, Part};
use expect_test::{Expect, expect};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use pilotfish_protocol::{Effort, SessionId};
use server::{Server, Step, chunk, stream, stream_head, whole};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

const HELLO: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Asks a server that gives the reply, and shows what comes of it.
async fn check(reply: Vec<Step>, expected: Expect) {
    let server = Server::start(vec![reply]).await;
    expected.assert_eq(&outcome(&server, endpoint(&server)).await);
}

async fn outcome(server: &Server, endpoint: Endpoint) -> String {
    let events: Vec<_> = Http::new().model(&endpoint, "fake").stream(request()).collect().await;
    let lines: Vec<String> = events.into_iter().map(|event| format!("{}\n", line(event))).collect();
    let authority = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
    lines.concat().replace(authority, "MODEL")
}

fn line(event: Result<ModelEvent, ModelError>) -> String {
    match event {
        Ok(ModelEvent::Text(text)) => format!("text {text:?}"),
        Ok(ModelEvent::Call(call)) => format!("call {} {}", call.name, call.arguments),
        Ok(ModelEvent::Finished { stop, .. }) => format!("finished {stop:?}"),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{error} (again: {}, after: {:?})", error.retryable(), error.retry_after()),
    }
}

fn endpoint(server: &Server) -> Endpoint {
    Endpoint {
        provider: "local".to_owned(),
        dialect: Dialect::Chat,
        base_url: server.base_url.clone(),
        key: Some(Secret::new("sk-secret")),
        api_key_env: Some("LOCAL_KEY".to_owned()),
        idle_limit: Duration::from_secs(5),
    }
}

fn impatient(server: &Server) -> Endpoint {
    Endpoint { idle_limit: Duration::from_millis(40), ..endpoint(server) }
}

fn request() -> ModelRequest {
    ModelRequest {
        instructions: "Be brief.".into(),
        tools: [].into(),
        messages: vec![crate::model::Message::User(vec![Part::Text("Hi".to_owned())])],
        effort: Some(Effort::Low),
        session: SessionId("s000001".to_owned()),
    }
}

fn event(json: &str) -> Vec<u8> {
    chunk(format!("data: {json}\n\n").as_bytes())
}

fn delta(text: &str) -> Vec<u8> {
    event(&format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#))
}

#[tokio::test]
async fn streams_an_answer() {
    check(
        stream(HELLO),
        expect![[r#"
        text "Hello"
        TextEnded
        finished Done
    "#]],
    )
    .await;
}

#[tokio::test]
async fn sends_the_key_the_body_and_the_right_path() {
    let responses = "data: {\"type\":\"response.completed\",\"response\":{}}\n\n";
    let messages = "data: {\"type\":\"message\",\"stop_reason\":\"end_turn\"}\n\n";
    let server = Server::start(vec![stream(HELLO), stream(responses), stream(messages)]).await;
    outcome(&server, endpoint(&server)).await;
    let base_url = format!("{}/?api-version=1", server.base_url.replace("http://", "http://user:word@"));
    outcome(&server, Endpoint { dialect: Dialect::Responses, base_url, key: None, ..endpoint(&server) }).await;
    outcome(&server, Endpoint { dialect: Dialect::Messages, ..endpoint(&server) }).await;
    let shown: Vec<String> = server
        .seen()
        .into_iter()
        .map(|seen| {
            let mut head: Vec<&str> = seen.head.lines().filter(|line| !line.starts_with("host: ")).collect();
            head.retain(|line| !line.starts_with("content-length: "));
            head[1..].sort_unstable();
            format!("{}\n{}\n", head.join("\n"), seen.body)
        })
        .collect();
    expect![[r#"
        post /v1/chat/completions http/1.1
        accept-encoding: identity
        accept: text/event-stream
        authorization: bearer sk-secret
        content-type: application/json
        user-agent: pilotfish/0.1.0
        {"messages":[{"content":"Be brief.","role":"system"},{"content":"Hi","role":"user"}],"model":"fake","reasoning_effort":"low","stream":true,"stream_options":{"include_usage":true}}
        post /v1/responses?api-version=1 http/1.1
        accept-encoding: identity
        accept: text/event-stream
        authorization: basic dxnlcjp3b3jk
        content-type: application/json
        user-agent: pilotfish/0.1.0
        {"include":["reasoning.encrypted_content"],"input":[{"content":[{"text":"Hi","type":"input_text"}],"role":"user","type":"message"}],"instructions":"Be brief.","model":"fake","prompt_cache_key":"s000001","reasoning":{"effort":"low","summary":"auto"},"store":false,"stream":true}
        post /v1/messages http/1.1
        accept-encoding: identity
        accept: text/event-stream
        anthropic-version: 2023-06-01
        content-type: application/json
        user-agent: pilotfish/0.1.0
        x-api-key: sk-secret
        {"max_tokens":8192,"messages":[{"content":[{"cache_control":{"type":"ephemeral"},"text":"Hi","type":"text"}],"role":"user"}],"model":"fake","stream":true,"system":[{"cache_control":{"type":"ephemeral"},"text":"Be brief.","type":"text"}],"thinking":{"budget_tokens":2048,"type":"enabled"}}
    "#]].assert_eq(&shown.concat());
}

#[tokio::test]
async fn a_cut_stream_is_broken() {
    check(vec![stream_head(""), Step::Bytes(delta("Half")), Step::Close], expect![[r#"
        text "Half"
        the answer of http://MODEL/v1/chat/completions broke off: unexpected EOF during chunk size line (again: true, after: None)
    "#]]).await;
    check(vec![stream_head(""), Step::Bytes(delta("Half")), Step::Bytes(b"0\r\n\r\n".to_vec())], expect![[r#"
        text "Half"
        the answer of http://MODEL/v1/chat/completions broke off: it ended before the answer was complete (again: true, after: None)
    "#]]).await;
    check(vec![Step::Close], expect![[r#"
        the answer of http://MODEL/v1/chat/completions broke off: connection closed before message completed (again: true, after: None)
    "#]]).await;
}

#[tokio::test]
async fn a_whole_answer_is_whole_however_its_stream_ends() {
    let last = event(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#);
    check(
        vec![stream_head(""), Step::Bytes(delta("Hello")), Step::Bytes(last.clone()), Step::Close],
        expect![[r#"
        text "Hello"
        TextEnded
        finished Done
    "#]],
    )
    .await;
    let server = Server::start(vec![vec![stream_head(""), Step::Bytes(last), Step::AwaitHangUp]]).await;
    expect![[r#"
        finished Done
    "#]]
    .assert_eq(&outcome(&server, impatient(&server)).await);
}

#[tokio::test]
async fn silence_is_not_waited_for_forever() {
    let replies = || {
        vec![
            vec![Step::AwaitHangUp],
            vec![stream_head(""), Step::AwaitHangUp],
            vec![stream_head(""), Step::Bytes(delta("Half")), Step::AwaitHangUp],
        ]
    };
    let mut server = Server::start(replies()).await;
    let mut shown = String::new();
    for _ in replies() {
        shown.push_str(&outcome(&server, impatient(&server)).await);
        server.hang_up().await;
    }
    expect![[r#"
        http://MODEL/v1/chat/completions sent nothing for 0 s (again: true, after: None)
        http://MODEL/v1/chat/completions sent nothing for 0 s (again: true, after: None)
        text "Half"
        http://MODEL/v1/chat/completions sent nothing for 0 s (again: true, after: None)
    "#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn says_what_to_do_about_a_refusal() {
    let object = r#"{"error":{"message":"Incorrect API key provided: sk-secret.","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    check(whole("401 Unauthorized", "", object), expect![[r#"
        http://MODEL/v1/chat/completions answered 401: Incorrect API key provided: ***; is the key right? set LOCAL_KEY or run `pilotfish login local` (again: false, after: None)
    "#]]).await;
    check(whole("404 Not Found", "", r#"{"error":"model 'fake' not found"}"#), expect![[r#"
        http://MODEL/v1/chat/completions answered 404: model 'fake' not found; is the model name `fake` right, and does this server have /chat/completions? base_url (http://MODEL/v1) should usually end in /v1 (again: false, after: None)
    "#]]).await;
    check(whole("404 Not Found", "", "404 page not found"), expect![[r#"
        http://MODEL/v1/chat/completions answered 404: 404 page not found; is the model name `fake` right, and does this server have /chat/completions? base_url (http://MODEL/v1) should usually end in /v1 (again: false, after: None)
    "#]]).await;
    check(
        whole("502 Bad Gateway", "", "<html><head><title>502 Bad Gateway</title></head></html>"),
        expect![[r#"
        http://MODEL/v1/chat/completions answered 502: 502 Bad Gateway (again: true, after: None)
    "#]],
    )
    .await;
    check(
        whole("500 Internal Server Error", "", ""),
        expect![[r#"
        http://MODEL/v1/chat/completions answered 500: no reason given (again: true, after: None)
    "#]],
    )
    .await;
    check(whole("200 OK", "content-type: text/html\r\n", "<!doctype html><html></html>"), expect![[r#"
        http://MODEL/v1/chat/completions answered 200: it sent a web page, not an answer; base_url (http://MODEL/v1) should usually end in /v1 (again: false, after: None)
    "#]]).await;
    let server =
        Server::start(vec![whole("403 Forbidden", "", r#"{"detail":[{"loc":["header"],"msg":"no key"}]}"#)]).await;
    expect![[r#"
        http://MODEL/v1/chat/completions answered 403: no key; no key was sent: run `pilotfish login local` (again: false, after: None)
    "#]].assert_eq(&outcome(&server, Endpoint { key: None, api_key_env: None, ..endpoint(&server) }).await);
}

#[tokio::test]
async fn tells_a_full_context_and_an_empty_purse_apart_from_other_refusals() {
    let full = r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    check(whole("400 Bad Request", "", full), expect![[r#"
        the conversation no longer fits the model: http://MODEL/v1/chat/completions says: This model's maximum context length is 8192 tokens. (again: false, after: None)
    "#]]).await;
    let full = r#"[{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}]"#;
    check(whole("400 Bad Request", "", full), expect![[r#"
        the conversation no longer fits the model: http://MODEL/v1/chat/completions says: The input token count (9) exceeds the maximum number of tokens allowed (8). (again: false, after: None)
    "#]]).await;
    let poor = r#"{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    check(
        whole("429 Too Many Requests", "retry-after: 1\r\n", poor),
        expect![[r#"
        http://MODEL/v1/chat/completions reported: You exceeded your current quota. (again: false, after: None)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn hears_when_to_come_back() {
    let busy = |headers: &str| whole("429 Too Many Requests", headers, r#"{"message":"busy"}"#);
    check(busy("retry-after: 7\r\n"), expect![[r#"
        http://MODEL/v1/chat/completions answered 429: busy; the provider limits requests: wait, or use another model (again: true, after: Some(7s))
    "#]]).await;
    check(busy("retry-after: 7\r\nretry-after-ms: 250\r\n"), expect![[r#"
        http://MODEL/v1/chat/completions answered 429: busy; the provider limits requests: wait, or use another model (again: true, after: Some(250ms))
    "#]]).await;
    let date = "date: Thu, 01 Jan 2026 00:00:00 GMT\r\nretry-after: Thu, 01 Jan 2026 00:00:30 GMT\r\n";
    check(busy(date), expect![[r#"
        http://MODEL/v1/chat/completions answered 429: busy; the provider limits requests: wait, or use another model (again: true, after: Some(30s))
    "#]]).await;
    check(busy("retry-after: soon\r\n"), expect![[r#"
        http://MODEL/v1/chat/completions answered 429: busy; the provider limits requests: wait, or use another model (again: true, after: None)
    "#]]).await;
    check(busy("retry-after: -1\r\n"), expect![[r#"
        http://MODEL/v1/chat/completions answered 429: busy; the provider limits requests: wait, or use another model (again: true, after: None)
    "#]]).await;
}

#[tokio::test]
async fn leaves_out_an_optional_field_that_the_server_does_not_know() {
    let no = r#"{"error":{"message":"Unknown parameter: 'stream_options'.","param":"stream_options"}}"#;
    let effort = r#"{"message":"model does not support `reasoning_effort`"}"#;
    let server = Server::start(vec![
        whole("400 Bad Request", "", no),
        whole("422 Unprocessable Entity", "", effort),
        stream(HELLO),
        stream(HELLO),
    ])
    .await;
    let model = Http::new().model(&endpoint(&server), "fake");
    for _ in 0..2 {
        let events: Vec<_> = model.stream(request()).collect().await;
        assert!(matches!(events.last(), Some(Ok(ModelEvent::Finished { .. }))), "{events:?}");
    }
    let fields: Vec<Vec<String>> =
        server.seen().iter().map(|seen| seen.body.as_object().unwrap().keys().cloned().collect()).collect();
    expect![[r#"
        [
            [
                "messages",
                "model",
                "reasoning_effort",
                "stream",
                "stream_options",
            ],
            [
                "messages",
                "model",
                "reasoning_effort",
                "stream",
            ],
            [
                "messages",
                "model",
                "stream",
            ],
            [
                "messages",
                "model",
                "stream",
            ],
        ]
    "#]]
    .assert_debug_eq(&fields);
}

#[tokio::test]
async fn a_refusal_in_plain_words_names_no_field() {
    check(whole("400 Bad Request", "", "your stream of reasoning is nonsense, include less"), expect![[r#"
        http://MODEL/v1/chat/completions answered 400: your stream of reasoning is nonsense, include less (again: false, after: None)
    "#]]).await;
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    drop(listener);
    let gone = Endpoint {
        provider: "local".to_owned(),
        dialect: Dialect::Chat,
        base_url: format!("http://{authority}/v1"),
        key: None,
        api_key_env: None,
        idle_limit: Duration::from_secs(5),
    };
    let shown = |endpoint: Endpoint| async move {
        let events: Vec<_> = Http::new().model(&endpoint, "fake").stream(request()).collect().await;
        events.into_iter().map(|event| format!("{}\n", line(event))).collect::<String>()
    };
    let mut all = shown(gone.clone()).await.replace(&authority, "GONE");
    for base_url in ["ftp://models", "not an address"] {
        all.push_str(&shown(Endpoint { base_url: base_url.to_owned(), ..gone.clone() }).await);
    }
    all.push_str(&shown(Endpoint { key: Some(Secret::new("two\nlines")), ..gone }).await.replace(&authority, "GONE"));
    expect![[r#"
        cannot reach http://GONE/v1/chat/completions: Connection refused (os error 111) (again: true, after: None)
        cannot ask ftp://models/: base_url begins with ftp:, not with http: or https: (again: false, after: None)
        cannot ask not an address: base_url: relative URL without a base (again: false, after: None)
        cannot ask http://GONE/v1/chat/completions: the key holds characters that no header can carry (again: false, after: None)
    "#]].assert_eq(&all);
}

#[tokio::test]
async fn dropping_the_stream_hangs_up() {
    let mut server = Server::start(vec![
        vec![stream_head(""), Step::Bytes(delta("Half")), Step::AwaitHangUp],
        vec![Step::AwaitHangUp],
    ])
    .await;
    let model = Http::new().model(&endpoint(&server), "fake");
    let mut answering = model.stream(request());
    assert_eq!(answering.next().await, Some(Ok(ModelEvent::Text("Half".to_owned()))));
    drop(answering);
    server.hang_up().await;

    // Before any answer, too.
    let mut waiting = model.stream(request());
    while server.seen().len() < 2 {
        assert_eq!(waiting.next().now_or_never(), None);
        tokio::task::yield_now().await;
    }
    drop(waiting);
    server.hang_up().await;
}

#[tokio::test]
async fn every_delta_comes_before_the_next_is_sent() {
    let gates: Vec<Arc<Notify>> = (0..3).map(|_| Arc::default()).collect();
    let mut reply = vec![stream_head("")];
    for (at, gate) in gates.iter().enumerate() {
        reply.extend([Step::Gate(Arc::clone(gate)), Step::Bytes(delta(&at.to_string()))]);
    }
    reply.push(Step::Bytes(chunk(b"data: [DONE]\n\n")));
    let server = Server::start(vec![reply]).await;
    let mut answer = Http::new().model(&endpoint(&server), "fake").stream(request());
    for (at, gate) in gates.iter().enumerate() {
        gate.notify_one();
        assert_eq!(answer.next().await, Some(Ok(ModelEvent::Text(at.to_string()))));
    }
    let rest: Vec<String> = answer.map(line).collect().await;
    expect![[r#"
        TextEnded
        finished Done"#]]
    .assert_eq(&rest.join("\n"));
}

#[tokio::test]
async fn a_connection_serves_again_although_its_reader_stopped_at_the_end_of_the_answer() {
    let gate = Arc::<Notify>::default();
    let mut late = vec![stream_head(""), Step::Bytes(chunk(HELLO.as_bytes()))];
    late.extend([Step::Gate(Arc::clone(&gate)), Step::Bytes(b"0\r\n\r\n".to_vec())]);
    let server = Server::start(vec![late, stream(HELLO), stream(HELLO)]).await;
    let model = HttpModel {
        clients: Arc::default(),
        target: Arc::new(Target::new(&endpoint(&server), "fake")),
        tasks: TaskTracker::new(),
    };
    read_to_finish(model.stream(request())).await;
    gate.notify_one();
    model.tasks.close();
    model.tasks.wait().await;
    // The connection goes back among the free ones a few polls after its last byte was read.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        read_to_finish(model.stream(request())).await;
    }
    let connections: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

/// Reads as a turn does: not on after the last event.
async fn read_to_finish(mut answer: BoxStream<'static, Result<ModelEvent, ModelError>>) {
    while let Some(event) = answer.next().await {
        if matches!(event.unwrap(), ModelEvent::Finished { .. }) {
            return;
        }
    }
}

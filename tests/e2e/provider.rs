//! Model servers at their worst, and what a person sees of it: silence, statuses, answers without measure.

use pilotfish::config::Dialect;
use pilotfish::model::retry;
use pilotfish_protocol::{Done, Fault, Item, ItemContent, Mode, SessionId, StopReason};
use pilotfish_tests::program::Program;
use pilotfish_tests::raw_model::{RawModel, Then};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

const MEBIBYTE: u64 = 1 << 20;

/// What the daemon may hold, whatever a server sends.
const MAX_RESIDENT: u64 = 256 * MEBIBYTE;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n";

async fn begin(dialect: Dialect, answers: Vec<(Vec<u8>, Then)>) -> (RawModel, Program, SessionId) {
    let model = RawModel::start(answers).await;
    let mut program = Program::asking_at(dialect, &model.base_url()).await;
    let session = program.session(Mode::Agent).await;
    (model, program, session)
}

/// The error at the end of a session's transcript, and whether any call stands before it.
async fn fault(program: &mut Program, session: &SessionId) -> (Fault, bool) {
    let mut items: Vec<ItemContent> = program.items(session).await.into_iter().map(|item: Item| item.content).collect();
    let Some(ItemContent::Error(fault)) = items.pop() else { panic!("no error at the end") };
    (fault, items.iter().any(|content| matches!(content, ItemContent::ToolCall(_))))
}

/// A server that falls silent, wherever in its answer, is left at once when the person says so; what it began to call never runs.
#[tokio::test]
async fn silence_can_be_interrupted_wherever_it_begins() {
    let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"shell","arguments":"{\"command\":\"echo x > ran\"}"}}]}}]}"#;
    let stop = r#"{"choices":[{"delta":{},"finish_reason":"#;
    let call_begun = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"shell","input":{}}}"#;
    let call_grows = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"command\":\"echo x > ran\"}"}}"#;
    let call_ended = r#"{"type":"content_block_stop","index":0}"#;
    let item = r#"{"type":"function_call","id":"f","call_id":"c","name":"shell","arguments":"{\"command\":\"echo x > ran\"}"}"#;
    let done = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#);
    let others = [
        ("in a call of Messages", Dialect::Messages, format!("{HEAD}\r\ndata: {call_begun}\n\ndata: {call_grows}\n\n")),
        (
            "after a call of Messages",
            Dialect::Messages,
            format!(
                "{HEAD}\r\ndata: {call_begun}\n\ndata: {call_grows}\n\ndata: {call_ended}\n\ndata: {{\"type\":\"ping\"}}\n\n"
            ),
        ),
        ("in a call of Responses", Dialect::Responses, format!("{HEAD}\r\ndata: {}", &done[..90])),
        ("after a call of Responses", Dialect::Responses, format!("{HEAD}\r\ndata: {done}\n\n")),
    ];
    let cases = [
        ("before a word", String::new()),
        ("in the head", HEAD[..30].to_owned()),
        ("after the head", format!("{HEAD}\r\n")),
        ("after a comment", format!("{HEAD}\r\n: still here\n\n")),
        ("in a call", format!("{HEAD}\r\ndata: {}", &call[..100])),
        ("after a call", format!("{HEAD}\r\ndata: {call}\n\n")),
        ("before the end", format!("{HEAD}\r\ndata: {call}\n\ndata: {stop}")),
    ];
    let cases = cases.into_iter().map(|(place, said)| (place, Dialect::Chat, said));
    for (place, dialect, said) in cases.chain(others) {
        let (model, mut program, session) = begin(dialect, vec![(said.into_bytes(), Then::Hang)]).await;
        program.prompt(&session, "go").await;
        model.asked(1).await;
        let interrupt = json!({"sessionId": session, "scope": "turn"});
        let _: Done = program.client.request("session/interrupt", interrupt).await.expect("it is heard");
        assert_eq!(program.end(&session).await, StopReason::Interrupted, "{place}");
        assert!(!program.project().join("ran").exists(), "{place}");
    }
}

/// A server that is overloaded or out of order is asked again a bounded number of times; one that says no, or asks for too long a wait,
/// is not. Either way the person reads which status it was.
#[tokio::test]
async fn a_status_is_retried_a_bounded_number_of_times_or_not_at_all() {
    let attempts = retry::MAX_ATTEMPTS as usize;
    let status = |status: u16, header: &str| {
        let answer =
            format!("HTTP/1.1 {status} Scripted\r\n{header}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
        (status, (answer.into_bytes(), Then::Close))
    };
    // Asked for in full, and so the shortest wait there is.
    let soon = |code: u16| status(code, "retry-after-ms: 1\r\n");
    let mut cases: Vec<_> =
        [408, 409, 425, 429, 500, 502, 503, 504, 520, 529].map(|code| (soon(code), attempts)).into();
    cases.extend([400, 401, 403, 404, 422, 501, 505].map(|code| (soon(code), 1)));
    cases.push((status(429, "retry-after: 3600\r\n"), 1));
    let dialects = [Dialect::Responses, Dialect::Messages, Dialect::Chat];
    for (((code, answer), asked), dialect) in cases.into_iter().zip(dialects.into_iter().cycle()) {
        let (model, mut program, session) = begin(dialect, vec![answer; attempts + 1]).await;
        program.prompt(&session, "go").await;
        assert_eq!(program.end(&session).await, StopReason::Failed, "{code}");
        assert_eq!(model.asked(asked).await.len(), asked, "{code}");
        let (fault, _) = fault(&mut program, &session).await;
        assert!(fault.message.contains(&format!("answered {code}")), "{}", fault.message);
        assert_eq!(fault.retryable, asked > 1 || code == 429, "{code}");
    }
}

/// What `gzip` makes of bytes.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip").arg("-9c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip");
    let mut input = gzip.stdin.take().expect("it is piped");
    let bytes = bytes.to_vec();
    let writing = std::thread::spawn(move || input.write_all(&bytes));
    let output = gzip.wait_with_output().expect("it ends").stdout;
    writing.join().expect("no panic").expect("it reads");
    output
}

/// Answers that no model gives, by size or by what they unpack to: each is refused at a limit that the person is told, nothing of it
/// runs, and the daemon stays small all the while.
#[tokio::test]
async fn answers_without_measure_are_refused_and_cost_little() {
    let megabytes = |count: usize| "x".repeat(count << 20);
    let chat = |arguments: &str| {
        format!(
            r#"data: {{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"id":"c","function":{{"name":"write","arguments":"{arguments}"}}}}]}}}}]}}{}"#,
            "\n\n"
        )
    };
    let responses = |arguments: &str| {
        format!("data: {{\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{arguments}\"}}\n\n")
    };
    let messages = |arguments: &str| {
        format!(
            r#"data: {{"type":"content_block_delta","index":0,"delta":{{"type":"input_json_delta","partial_json":"{arguments}"}}}}{}"#,
            "\n\n"
        )
    };
    let tool_use = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"write\"}}\n\n";
    let whole = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let zipped = format!("{HEAD}content-encoding: gzip\r\n");
    let values = format!("{{\"choices\":[{}1]}}", "1,".repeat(7 << 20));
    let cases: Vec<(&str, Dialect, String, Vec<u8>)> = vec![
        ("one event of arguments", Dialect::Chat, HEAD.to_owned(), chat(&megabytes(50)).into_bytes()),
        ("many events of arguments", Dialect::Chat, HEAD.to_owned(), chat(&megabytes(1)).repeat(50).into_bytes()),
        (
            "and in the other dialect",
            Dialect::Responses,
            HEAD.to_owned(),
            responses(&megabytes(1)).repeat(50).into_bytes(),
        ),
        (
            "and in the third",
            Dialect::Messages,
            HEAD.to_owned(),
            format!("{tool_use}{}", messages(&megabytes(1)).repeat(50)).into_bytes(),
        ),
        (
            "packed arguments of the third",
            Dialect::Messages,
            zipped.clone(),
            packed(format!("{tool_use}{}", messages(&megabytes(1)).repeat(50)).as_bytes()),
        ),
        ("a packed line", Dialect::Chat, zipped.clone(), packed(&vec![b':'; 100 << 20])),
        ("packed arguments", Dialect::Responses, zipped, packed(responses(&megabytes(1)).repeat(50).as_bytes())),
        ("values", Dialect::Chat, HEAD.to_owned(), format!("data: {values}\n\n").into_bytes()),
        ("values at once", Dialect::Responses, whole.to_owned(), values.clone().into_bytes()),
        (
            "one long text at once",
            Dialect::Chat,
            whole.to_owned(),
            format!("{{\"choices\":\"{}", megabytes(50)).into_bytes(),
        ),
    ];
    for (name, dialect, head, body) in cases {
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend(body);
        let (_model, mut program, session) = begin(dialect, vec![(bytes, Then::Close)]).await;
        program.prompt(&session, "go").await;
        assert_eq!(program.end(&session).await, StopReason::Failed, "{name}");
        let (fault, called) = fault(&mut program, &session).await;
        assert!(fault.message.contains("too large: ") && !fault.retryable, "{name}: {}", fault.message);
        assert!(!called, "{name}: nothing of it is run");
        let peak = program.peak();
        assert!(peak <= MAX_RESIDENT, "{name}: {} MiB", peak / MEBIBYTE);
    }
}

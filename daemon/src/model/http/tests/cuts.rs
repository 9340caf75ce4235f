//! Connections that break: at every byte of what a server sends, its head and its framing included.

use super::server::{Server, Step, chunk, stream_head};
use super::{endpoint, request};
use crate::config::{Dialect, Endpoint};
use crate::model::http::Http;
use crate::model::{Connect, ModelError, ModelEvent};
use futures::StreamExt;

const CHAT: &[&str] = &[
    r#"{"choices":[{"delta":{"content":"I look."}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"shell","arguments":""}}]}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":\"rm -rf build\"}"}}]}}]}"#,
    r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
    "[DONE]",
];

const RESPONSES: &[&str] = &[
    r#"{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"I look."}"#,
    r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"f","type":"function_call","call_id":"c","name":"shell","arguments":""}}"#,
    r#"{"type":"response.function_call_arguments.delta","item_id":"f","output_index":1,"delta":"{\"command\":\"rm -rf build\"}"}"#,
    r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"f","type":"function_call","call_id":"c","name":"shell","arguments":"{\"command\":\"rm -rf build\"}"}}"#,
    r#"{"type":"response.completed","response":{"status":"completed"}}"#,
];

const MESSAGES: &[&str] = &[
    r#"{"type":"message_start","message":{"usage":{"input_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I look."}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c","name":"shell","input":{}}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"command\":\"rm -rf build\"}"}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}"#,
    r#"{"type":"message_stop"}"#,
];

/// All bytes of an answer, an event a chunk.
fn framed(events: &[&str]) -> Vec<u8> {
    let Step::Bytes(mut bytes) = stream_head("") else { return Vec::new() };
    for event in events {
        bytes.extend(chunk(format!("data: {event}\n\n").as_bytes()));
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// Likewise without any framing: the end of the connection is the end of the answer.
fn bare(events: &[&str]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    format!("{head}{}", events.collect::<String>()).into_bytes()
}

/// A broken connection gives either the whole answer, when all that counts of it had come, or an error after which asking again may
/// help; and never a call other than the one that was meant.
#[tokio::test]
async fn an_answer_that_is_cut_anywhere_is_whole_or_broken_and_holds_no_half_call() {
    for (dialect, events) in [(Dialect::Chat, CHAT), (Dialect::Responses, RESPONSES), (Dialect::Messages, MESSAGES)] {
        for bytes in [framed(events), bare(events)] {
            let cuts = (0..bytes.len()).map(|at| vec![Step::Bytes(bytes[..at].to_vec()), Step::Close]);
            let server = Server::start(cuts.collect()).await;
            let model = Http::new().model(&Endpoint { dialect, ..endpoint(&server) }, "fake");
            let mut whole = 0;
            for at in 0..bytes.len() {
                let events: Vec<Result<ModelEvent, ModelError>> = model.stream(request()).collect().await;
                let calls: Vec<&str> = events
                    .iter()
                    .filter_map(|event| match event {
                        Ok(ModelEvent::Call(call)) => Some(call.arguments.as_str()),
                        _ => None,
                    })
                    .collect();
                assert!(calls.iter().all(|call| *call == r#"{"command":"rm -rf build"}"#), "{at}: {calls:?}");
                match events.last().expect("an end") {
                    Ok(ModelEvent::Finished { .. }) => {
                        assert_eq!(calls.len(), 1, "{at}: a whole answer has its call");
                        whole += 1;
                    }
                    Err(error) => assert!(error.retryable(), "{at}: {error}"),
                    other => panic!("{at}: the answer has no end: {other:?}"),
                }
                assert!(events.iter().rev().skip(1).all(Result::is_ok), "{at}: nothing comes after an error");
            }
            // Only behind the last event that counts.
            let last = events.last().map_or(0, |event| event.len()) + 60;
            assert!(whole > 0 && whole < last + 60, "{dialect:?}: {whole} of {} cuts are whole", bytes.len());
        }
    }
}

//! Servers that are slow: how long silence is waited for, and that nothing else is.

use super::server::{Server, Step, stream_head};
use super::{HELLO, delta, endpoint, line, request};
use crate::config::Endpoint;
use crate::model::Connect;
use crate::model::http::Http;
use expect_test::expect;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// The usual limit. The clock of these tests is not the world's.
const LIMIT: Duration = Duration::from_secs(300);

fn patient(server: &Server) -> Endpoint {
    Endpoint { idle_limit: LIMIT, ..endpoint(server) }
}

/// A server that says nothing at all, or stops saying anything at any point, is given up after the limit and not much later.
#[tokio::test(start_paused = true)]
async fn silence_ends_at_its_limit_wherever_it_begins() {
    let head =
        |length: usize| Step::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"[..length].to_vec());
    let replies: Vec<(&str, Vec<Step>)> = vec![
        ("before the head", vec![]),
        ("in the head", vec![head(20)]),
        ("after the head", vec![stream_head("")]),
        ("in a chunk's length", vec![stream_head(""), Step::Bytes(b"1".to_vec())]),
        ("in an event", vec![stream_head(""), Step::Bytes(b"6\r\ndata: \r\n".to_vec())]),
        ("after an event", vec![stream_head(""), Step::Bytes(delta("Half"))]),
    ];
    for (place, mut reply) in replies {
        reply.push(Step::AwaitHangUp);
        let mut server = Server::start(vec![reply]).await;
        let begun = Instant::now();
        let events: Vec<_> = Http::new().model(&patient(&server), "fake").stream(request()).collect().await;
        let took = begun.elapsed();
        server.hang_up().await;
        let last = events.into_iter().next_back().map(line).unwrap_or_default();
        assert!(last.contains("sent nothing for 300 s (again: true"), "{place}: {last}");
        // Once until the head, once more after it.
        assert!(took >= LIMIT && took <= 2 * LIMIT + Duration::from_secs(5), "{place}: {took:?}");
    }
}

/// A server that sends a byte now and then is alive, however long it takes; leaving it is possible at any moment.
#[tokio::test(start_paused = true)]
async fn a_drip_is_no_silence_and_can_be_left() {
    let mut whole = Vec::new();
    for byte in super::chunk(HELLO.as_bytes()) {
        whole.extend([Step::Wait(Duration::from_secs(10)), Step::Bytes(vec![byte])]);
    }
    let endless = vec![stream_head(""), Step::Drip(Duration::from_secs(10))];
    whole.insert(0, stream_head(""));
    let mut server = Server::start(vec![whole, endless]).await;
    let model = Http::new().model(&patient(&server), "fake");
    let begun = Instant::now();
    let shown: Vec<String> = model.stream(request()).map(line).collect().await;
    expect![[r#"
        text "Hello"
        TextEnded
        finished Done"#]]
    .assert_eq(&shown.join("\n"));
    assert!(begun.elapsed() > 2 * LIMIT, "longer than any silence may be");

    let mut answer = model.stream(request());
    let long = tokio::time::timeout(10 * LIMIT, answer.next()).await;
    assert!(long.is_err(), "a comment is no event, and no silence: {long:?}");
    drop(answer);
    server.hang_up().await;
}

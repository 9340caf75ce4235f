//! Answers without measure: refused at a limit that is said, however the excess is packed.

use super::server::{Server, Step, bomb, chunk, stream_head, whole};
use super::{check, endpoint, outcome};
use expect_test::expect;

#[tokio::test]
async fn a_gzip_bomb_is_refused() {
    let head = stream_head("content-encoding: gzip\r\n");
    check(vec![head, Step::Bytes(chunk(&bomb(80 << 20)))], expect![[r#"
        the answer of http://MODEL/v1/chat/completions is too large: one event over 16777216 bytes (again: false, after: None)
    "#]]).await;
}

#[tokio::test]
async fn endless_arguments_are_refused() {
    let piece = "x".repeat(100_000);
    let endless = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":0,\"id\":\"c\",\"function\":{{\"name\":\"write\",\"arguments\":\"{piece}\"}}}}]}}}}]}}\n\n"
    );
    check(vec![stream_head(""), Step::Endless(endless.into_bytes())], expect![[r#"
        the answer of http://MODEL/v1/chat/completions is too large: arguments of a call over 8388608 bytes (again: false, after: None)
    "#]]).await;
    check(vec![stream_head(""), Step::Endless(b"data: one line ".repeat(9_000))], expect![[r#"
        the answer of http://MODEL/v1/chat/completions is too large: one event over 16777216 bytes (again: false, after: None)
    "#]]).await;
}

/// A text of two bytes a value takes a multiple of its length once it is read, so values are counted first.
#[tokio::test]
async fn an_event_of_very_many_values_is_refused() {
    let many = format!("{{\"choices\":[{}1]}}", "1,".repeat(7 << 20));
    check(vec![stream_head(""), Step::Bytes(chunk(format!("data: {many}\n\n").as_bytes()))], expect![[r#"
        the answer of http://MODEL/v1/chat/completions is too large: values of one event over 16777216 bytes (again: false, after: None)
    "#]]).await;
    check(whole("200 OK", "content-type: application/json\r\n", &many), expect![[r#"
        the answer of http://MODEL/v1/chat/completions is too large: values of one event over 16777216 bytes (again: false, after: None)
    "#]]).await;
}

/// An answer that does not stream, a comment that does not end, an error that is a book: none is held beyond its limit.
#[tokio::test]
async fn what_is_no_event_has_a_limit_too() {
    let head = |kind: &str| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
        Step::Bytes(head.into_bytes())
    };
    let endless = |start: &[u8], piece: &str| {
        vec![Step::Bytes(chunk(start)), Step::Endless(piece.repeat(100_000 / piece.len()).into_bytes())]
    };
    for (name, head, body) in [
        ("an answer", head("application/json"), endless(b"{\"choices\":[\"", "word ")),
        ("a comment", head("text/event-stream"), endless(b":", "word ")),
        ("comments", head("text/event-stream"), endless(b":", &format!("\n:{}", "x".repeat(1000)))),
        ("a name", head("text/event-stream"), endless(b"event: ", "word ")),
    ] {
        let server = Server::start(vec![[vec![head], body].concat()]).await;
        let shown = outcome(&server, endpoint(&server)).await;
        assert!(shown.contains("is too large: ") && shown.contains("(again: false"), "{name}: {shown}");
    }
    let error = b"HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let reply = vec![Step::Bytes(error), Step::Endless("no ".repeat(20_000).into_bytes())];
    let server = Server::start(vec![reply]).await;
    let shown = outcome(&server, endpoint(&server)).await;
    assert!(shown.contains("answered 400: no no") && shown.len() < 2_000, "{shown}");
}

use super::{BadMessage, MAX_DEPTH, Message};
use expect_test::{Expect, expect};

fn outcome(body: &[u8]) -> String {
    match Message::parse(body) {
        Ok(Message::Call(call)) => format!("call {} {:?} {:?}", call.method, call.id, call.params.map(|raw| raw.get())),
        Ok(Message::Answer(_)) => "answer".to_owned(),
        Err(bad) => format!("{} {bad}", bad.code()),
    }
}

fn check(bodies: &[&[u8]], expected: Expect) {
    let lines: Vec<String> = bodies.iter().map(|body| outcome(body)).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn reads_calls_and_answers() {
    check(
        &[
            br#"{"jsonrpc":"2.0","id":1,"method":"a/b","params":{"x":[1]}}"#,
            br#"{"jsonrpc":"2.0","id":"one","method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":-3,"method":"a","params":null}"#,
            br#"{"jsonrpc":"2.0","method":"a\u002fb","unknown":{}}"#,
            br#"{"jsonrpc":"2.0","id":4,"result":null}"#,
            br#"{"jsonrpc":"2.0","id":4,"error":{"code":1,"message":""}}"#,
            br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#,
        ],
        expect![[r#"
            call a/b Some(Number(1)) Some("{\"x\":[1]}")
            call a Some(Text("one")) None
            call a Some(Number(-3)) Some("null")
            call a/b None None
            answer
            answer
            answer"#]],
    );
}

#[test]
fn says_what_is_wrong_with_the_rest() {
    check(
        &[
            b"",
            b"\xef\xbb\xbf{}",
            b"{\"jsonrpc\":\"2.0\",\0\"id\":1}",
            b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}",
            br#"{"jsonrpc":"2.0","id":1,"method":"a""#,
            br#"{"jsonrpc":"2.0","id":1,"method":"a"} {}"#,
            b"[]",
            br#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#,
            b"7",
            b"{}",
            br#"{"jsonrpc":"1.0","id":1,"method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":1}"#,
            br#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            br#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":{},"method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#,
            br#"{"jsonrpc":"2.0","id":1,"method":"a","result":1}"#,
            br#"{"jsonrpc":"2.0","result":1}"#,
        ],
        expect![[r#"
            -32700 the body is not JSON: EOF while parsing a value at line 1 column 0
            -32700 the body is not JSON: expected value at line 1 column 1
            -32700 the body is not JSON: key must be a string at line 1 column 18
            -32700 the body is not UTF-8: byte 27 begins no character
            -32700 the body is not JSON: EOF while parsing an object at line 1 column 36
            -32700 the body is not JSON: trailing characters at line 1 column 39
            -32600 the body is no JSON-RPC 2.0 message: it is no object
            -32600 the body is no JSON-RPC 2.0 message: it is no object
            -32600 the body is no JSON-RPC 2.0 message: it is no object
            -32600 the body is no JSON-RPC 2.0 message: missing field `jsonrpc` at line 1 column 2
            -32600 the body is no JSON-RPC 2.0 message: "jsonrpc" is not "2.0"
            -32600 the body is no JSON-RPC 2.0 message: it is neither a call with a "method" nor an answer to one
            -32600 the body is no JSON-RPC 2.0 message: invalid type: integer `7`, expected a string at line 1 column 34
            -32600 the body is no JSON-RPC 2.0 message: "id" is neither an integer nor a string
            -32600 the body is no JSON-RPC 2.0 message: "id" is neither an integer nor a string
            -32600 the body is no JSON-RPC 2.0 message: "id" is neither an integer nor a string
            -32600 the body is no JSON-RPC 2.0 message: duplicate field `id` at line 1 column 28
            -32600 the body is no JSON-RPC 2.0 message: it is neither a call with a "method" nor an answer to one
            -32600 the body is no JSON-RPC 2.0 message: it is neither a call with a "method" nor an answer to one"#]],
    );
}

#[test]
fn counts_depth_outside_strings_only() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"a","params":{params}}}"#);
    assert_eq!(Message::parse(nested(100_000).as_bytes()).err(), Some(BadMessage::TooDeep));
    assert_eq!(Message::parse(call(&nested(MAX_DEPTH)).as_bytes()).err(), Some(BadMessage::TooDeep));
    assert!(Message::parse(call(&nested(MAX_DEPTH - 1)).as_bytes()).is_ok());
    let text = format!(r#""{}\"[""#, "[{".repeat(500));
    assert!(Message::parse(call(&text).as_bytes()).is_ok());
}

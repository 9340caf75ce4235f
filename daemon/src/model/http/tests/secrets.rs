//! Keys that come back: whatever a server says, and wherever, the key it was sent is not in what people, the log and the journal get.

use super::server::{Server, Step, chunk, stream, stream_head, whole};
use super::{endpoint, outcome};
use crate::config::{Dialect, Endpoint, Secret};

const KEY: &str = "sk-live-0123456789abcdef";
const WORD: &str = "pass-word-1";
const PARAMETER: &str = "parameter-1";

/// What a server may do with what it was sent.
fn echoes() -> Vec<(&'static str, Vec<Step>)> {
    let all = format!("{KEY} {WORD} {PARAMETER}");
    let long = format!("{}{KEY}", "x".repeat(790));
    let object = |message: &str| serde_json::json!({"error": {"message": message}}).to_string();
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let elsewhere = format!("location: http://{KEY}:{WORD}@example.invalid/{KEY}?{PARAMETER}\r\n");
    let poor = serde_json::json!({"error": {"message": all, "code": "insufficient_quota"}}).to_string();
    let chat = |json: &str| stream(&format!("data: {json}\n\n"));
    vec![
        ("an error object", whole("401 Unauthorized", "", &object(&all))),
        ("an error object without need", whole("400 Bad Request", "", &object(&all))),
        ("an error object in escapes", whole("403 Forbidden", "", &format!(r#"{{"error":"{escaped}"}}"#))),
        ("an error that is cut in the key", whole("400 Bad Request", "", &object(&long))),
        ("plain words", whole("500 Internal Server Error", "retry-after-ms: 1\r\n", &all)),
        (
            "its request",
            whole("400 Bad Request", "", &format!("POST /?key={PARAMETER}\r\nAuthorization: Bearer {KEY}")),
        ),
        ("a title", whole("502 Bad Gateway", "", &format!("<html><title>{all}</title></html>"))),
        ("a full context", whole("400 Bad Request", "", &object(&format!("prompt is too long {all}")))),
        ("an empty purse", whole("429 Too Many Requests", "", &poor)),
        ("a redirect elsewhere", whole("307 Temporary Redirect", &elsewhere, "")),
        ("an error event", chat(&object(&all))),
        ("a named error event", stream(&format!("event: error\ndata: {all}\n\n"))),
        ("an error event of Responses", chat(&format!(r#"{{"type":"error","message":"{all}"}}"#))),
        (
            "a failed response",
            chat(&format!(r#"{{"type":"response.failed","response":{{"error":{{"message":"{all}"}}}}}}"#)),
        ),
        (
            "a reason to stop",
            chat(&format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"error","error":{{"message":"{all}"}}}}]}}"#)),
        ),
        ("no HTTP at all", vec![Step::Bytes(format!("{KEY} {WORD}\r\n\r\n").into_bytes()), Step::Close]),
        ("a chunk that is none", vec![stream_head(""), Step::Bytes(format!("{KEY}\r\n").into_bytes()), Step::Close]),
        (
            "an event that is cut",
            vec![stream_head(""), Step::Bytes(chunk(format!("data: {KEY}").as_bytes())), Step::Close],
        ),
    ]
}

#[tokio::test]
async fn a_key_that_a_server_repeats_is_starred() {
    for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
        for (how, reply) in echoes() {
            let server = Server::start(vec![reply]).await;
            let base_url = server.base_url.replace("http://", &format!("http://me:{WORD}@"));
            let base_url = format!("{base_url}?key={PARAMETER}");
            let key = Some(Secret::new(KEY));
            let asked = Endpoint { base_url, key, dialect, ..endpoint(&server) };
            let shown = outcome(&server, asked).await;
            assert!(shown.contains("http://MODEL/v1"), "{how}: an error that says where: {shown}");
            for secret in [KEY, WORD, PARAMETER, &KEY[..12]] {
                assert!(!shown.contains(secret), "{how}: {shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_in_an_address_that_is_none_is_not_shown() {
    let server = Server::start(Vec::new()).await;
    for base_url in [format!("me:{WORD}@host/v1?key={PARAMETER}"), format!("http://me:{WORD}@[host/?key={PARAMETER}")] {
        let shown = outcome(&server, Endpoint { base_url, ..endpoint(&server) }).await;
        assert!(!shown.contains(WORD) && !shown.contains(PARAMETER), "{shown}");
        assert!(shown.starts_with("cannot ask"), "{shown}");
    }
}

#[tokio::test]
async fn a_key_is_not_among_what_is_printed_of_a_request() {
    let server = Server::start(Vec::new()).await;
    let base_url = server.base_url.replace("http://", &format!("http://me:{WORD}@"));
    let client = super::super::client::Clients::default().client("http").await.unwrap();
    let keys = [Some(Secret::new(KEY)), None];
    for (key, dialect) in keys.into_iter().flat_map(|key| [(key.clone(), Dialect::Chat), (key, Dialect::Messages)]) {
        let asked = Endpoint { base_url: base_url.clone(), key, dialect, ..endpoint(&server) };
        let target = super::Target::new(&asked, "fake");
        let url = super::super::address(&asked).unwrap();
        let request = super::super::post(&client, &target, &url, Vec::new()).unwrap();
        let printed = format!("{request:?} {:?}", request.headers());
        assert!(printed.contains("Sensitive") && !printed.contains(KEY) && !printed.contains(WORD), "{printed}");
    }
}

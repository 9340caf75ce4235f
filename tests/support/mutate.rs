//! Frames that no client should send, made from those that clients do send. Owns the corpus, the damage, and the storm of damaged frames
//! on the door; what must hold afterwards is the test's.

use crate::daemon::TestDaemon;
use pilotfish::door::serve;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Every method is shown there with an example, which a test of the protocol makes sure of.
const README: &str = include_str!("../../protocol/README.md");

/// How long the door may take for any one thing before it counts as hung.
const LIMIT: Duration = Duration::from_secs(10);

/// Frames sent over one connection: a frame that announces much swallows those behind it.
const FRAMES: usize = 500;

/// Counts on from a seed; good enough to pick bytes.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`, which is not 0.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A message of nearly every method and of all that a language client sends, about a session and a folder that are there. It ends neither
/// the connection nor the daemon.
///
/// # Panics
/// When the examples of the protocol are broken.
#[must_use]
pub fn corpus(session: &str, workspace: &Path) -> Vec<String> {
    let mut messages: Vec<Value> = examples().filter_map(|example| message(example, session, workspace)).collect();
    let document = json!({"uri": "file:///a.rs", "languageId": "rust", "version": 1, "text": "x\n"});
    let changed = json!({"uri": "file:///a.rs", "version": 2});
    let position = json!({"textDocument": {"uri": "file:///a.rs"}, "position": {"line": 0, "character": 0}});
    for (method, params) in [
        ("$/cancelRequest", json!({"id": 3})),
        ("$/setTrace", json!({"value": "verbose"})),
        ("initialized", json!({})),
        ("textDocument/didOpen", json!({"textDocument": document})),
        ("textDocument/didChange", json!({"textDocument": changed, "contentChanges": [{"text": "y"}]})),
        ("textDocument/didClose", json!({"textDocument": {"uri": "file:///a.rs"}})),
        ("textDocument/hover", position),
        ("workspace/didChangeConfiguration", json!({"settings": {}})),
    ] {
        messages.push(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }
    messages.push(json!({"jsonrpc": "2.0", "id": 4, "result": {"a": [1.5e3, null, true]}}));
    messages.push(json!({"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": "x"}}));
    messages.iter().map(Value::to_string).collect()
}

fn examples() -> impl Iterator<Item = Value> {
    let blocks = README.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| serde_json::from_str(block).expect("the examples are JSON"))
}

fn message(example: Value, session: &str, workspace: &Path) -> Option<Value> {
    let method = example.get("method")?.as_str()?.to_owned();
    // The one ends the daemon, the other confines a program each time, which a storm has no time for.
    if matches!(method.as_str(), "daemon/stop" | "daemon/status") {
        return None;
    }
    let mut params = example.get("params").cloned().unwrap_or_else(|| json!({}));
    for (name, value) in [("sessionId", json!(session)), ("workspace", json!(workspace))] {
        // Ever more sessions would make a storm slow and show nothing new, so none is opened.
        if let Some(field) = params.get_mut(name).filter(|_| method != "session/new") {
            *field = value;
        }
    }
    Some(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

/// A frame of the corpus with none, one or a few things wrong: in what it says, in how that is written, or in how it is framed.
///
/// # Panics
/// When the corpus is empty, or no JSON.
#[must_use]
pub fn mutate(dice: &mut Dice, corpus: &[String]) -> Vec<u8> {
    let text = &corpus[dice.roll(corpus.len())];
    let level = dice.roll(4);
    let mut body = text.clone().into_bytes();
    if level == 0 {
        let mut message = serde_json::from_str(text).expect("the corpus is JSON");
        (0..=dice.roll(2)).for_each(|_| replace_value(dice, &mut message));
        body = message.to_string().into_bytes();
    }
    if level == 1 {
        (0..=dice.roll(3)).for_each(|_| damage(dice, &mut body));
    }
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(&body);
    if level == 2 {
        (0..=dice.roll(3)).for_each(|_| damage(dice, &mut frame));
    }
    frame
}

/// Puts something unlikely in the place of some value.
fn replace_value(dice: &mut Dice, value: &mut Value) {
    let size = match value {
        Value::Array(entries) => entries.len(),
        Value::Object(fields) => fields.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    if size > 0 && dice.roll(4) > 0 {
        let at = dice.roll(size);
        let inner = match value {
            Value::Array(entries) => entries.get_mut(at),
            Value::Object(fields) => fields.values_mut().nth(at),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        if let Some(inner) = inner {
            return replace_value(dice, inner);
        }
    }
    *value = match dice.roll(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(1e300),
        5 => json!(""),
        6 => json!("\u{0}\u{1b}[2J\u{202e}\u{1d11e}"),
        7 => json!("../".repeat(dice.roll(2000))),
        8 => json!([]),
        9 => json!({}),
        10 => (0..dice.roll(200)).fold(json!(0), |inner, _| json!([inner])),
        _ => json!({"type": "text", "text": "x", "kind": "once"}),
    };
}

/// Does one thing to some bytes.
fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.roll(bytes.len());
    match dice.roll(6) {
        0 => bytes[at] = dice.roll(256) as u8,
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, b"{}[]\",:\r\n\\0-"[dice.roll(12)]),
        3 => bytes.truncate(at + 1),
        4 => bytes[at] ^= 1 << dice.roll(8),
        _ => bytes.extend_from_within(at..),
    }
}

/// Sends so many damaged frames to the door, over one connection after the other, each of them begun properly as often as not.
///
/// # Panics
/// When a connection panics, or takes longer than a limit to read or to end.
pub async fn storm(daemon: &TestDaemon, corpus: &[String], frames: usize, seed: u64) {
    let mut dice = Dice(seed);
    let hello = json!({"pilotfish": {"protocol": 1, "features": []}});
    let hello = json!({"capabilities": {}, "initializationOptions": hello});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).to_string();
    let hello = format!("Content-Length: {}\r\n\r\n{hello}", hello.len());
    let mut sent = 0;
    while sent < frames {
        let (mut theirs, daemons_output) = tokio::io::duplex(1 << 16);
        let (daemons_input, mut output) = tokio::io::duplex(1 << 16);
        let task = tokio::spawn(serve(daemon.hub.clone(), daemon.environment.clone(), daemons_input, daemons_output));
        let reading = tokio::spawn(async move { tokio::io::copy(&mut theirs, &mut tokio::io::sink()).await });
        let mut bytes = if dice.roll(8) > 0 { hello.clone().into_bytes() } else { Vec::new() };
        for _ in 0..FRAMES.min(frames - sent) {
            bytes.extend(mutate(&mut dice, corpus));
            sent += 1;
            if bytes.len() > 1 << 14 {
                let written = tokio::time::timeout(LIMIT, output.write_all(&bytes)).await;
                // The end of a connection is a proper answer to damage, too.
                if written.expect("the door reads").is_err() {
                    break;
                }
                bytes.clear();
            }
        }
        let _ = tokio::time::timeout(LIMIT, output.write_all(&bytes)).await.expect("the door reads");
        drop(output);
        let ended = tokio::time::timeout(LIMIT, task).await.expect("a connection ends when its client is gone");
        ended.expect("a connection does not panic");
        reading.await.expect("the reader does not panic").expect("the stream ends");
    }
}

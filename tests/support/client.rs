//! A language client for tests, typed by the protocol. It owns one connection; it decides nothing, and whatever it was sent
//! and nobody looked at fails the test when it is dropped.

use crate::texts::Texts;
use pilotfish_protocol::{ErrorData, SessionUpdate, notification};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub code: i64,
    /// For people.
    pub message: String,
    /// What the daemon's own errors carry.
    pub data: Option<ErrorData>,
}

/// A notification from the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Its name.
    pub method: String,
    /// Its parameters.
    pub params: Value,
}

/// One connection to a language server.
pub struct TestClient {
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    bytes: Vec<u8>,
    answers: BTreeMap<i64, VecDeque<Value>>,
    /// Answers without an id, as bad frames get them.
    unasked: VecDeque<Value>,
    notifications: VecDeque<Notification>,
    /// What the server asked, with its ids.
    requests: VecDeque<(Value, Notification)>,
    /// The texts it has open; edits of them are made as soon as they come.
    texts: Texts,
    outgoing: VecDeque<Value>,
    last_id: i64,
    ignores_rest: bool,
}

impl TestClient {
    /// Speaks over any pair of streams: what it reads, and what it writes.
    pub fn new(
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            input: Box::new(input),
            output: Some(Box::new(output)),
            bytes: Vec::new(),
            answers: BTreeMap::new(),
            unasked: VecDeque::new(),
            notifications: VecDeque::new(),
            requests: VecDeque::new(),
            texts: Texts::default(),
            outgoing: VecDeque::new(),
            last_id: 0,
            ignores_rest: false,
        }
    }

    /// Speaks with a program over its standard streams; its standard error is the test's. The program is killed when the
    /// answered child is dropped.
    pub fn spawn(mut program: Command) -> (Self, Child) {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().expect("the program starts");
        let input = child.stdout.take().expect("it is piped");
        let output = child.stdin.take().expect("it is piped");
        (Self::new(input, output), child)
    }

    /// Says hello as an editor of ours does, and answers what the server said.
    pub async fn initialize(&mut self) -> Value {
        let options = json!({"pilotfish": {"protocol": 1, "features": ["session"]}});
        let capabilities = json!({"workspace": {"applyEdit": true}});
        self.initialize_with(json!({"capabilities": capabilities, "initializationOptions": options})).await
    }

    /// Says hello with these parameters.
    pub async fn initialize_with(&mut self, params: Value) -> Value {
        let answer = self.request::<Value>("initialize", params).await.expect("initialize is answered");
        self.notify("initialized", json!({})).await;
        answer
    }

    /// Asks, and waits for the answer.
    pub async fn request<T: DeserializeOwned>(&mut self, method: &str, params: impl Serialize) -> Result<T, Failure> {
        let id = self.ask(method, params).await;
        self.answer(id).await
    }

    /// Asks, and answers the id for [`answer`](Self::answer).
    pub async fn ask(&mut self, method: &str, params: impl Serialize) -> i64 {
        self.last_id += 1;
        let id = self.last_id;
        self.message(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        id
    }

    /// Waits for an answer.
    pub async fn answer<T: DeserializeOwned>(&mut self, id: i64) -> Result<T, Failure> {
        loop {
            if let Some(answer) = self.answers.get_mut(&id).and_then(VecDeque::pop_front) {
                return outcome(answer);
            }
            self.more().await;
        }
    }

    /// Waits for an answer without an id.
    pub async fn refusal(&mut self) -> Failure {
        loop {
            if let Some(answer) = self.unasked.pop_front() {
                return outcome::<Value>(answer).expect_err("only errors have no id");
            }
            self.more().await;
        }
    }

    /// Says something.
    pub async fn notify(&mut self, method: &str, params: impl Serialize) {
        self.message(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// Waits for the next notification of a name. Others stay for later.
    pub async fn notification(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.notifications.iter().position(|notification| notification.method == method) {
                return self.notifications.remove(at).expect("it was just found").params;
            }
            self.more().await;
        }
    }

    /// Waits until the server asks this. Gives the id for [`reply`](Self::reply), and the parameters.
    pub async fn asked(&mut self, method: &str) -> (Value, Value) {
        loop {
            if let Some(at) = self.requests.iter().position(|(_, request)| request.method == method) {
                let (id, request) = self.requests.remove(at).expect("it was just found");
                return (id, request.params);
            }
            self.more().await;
        }
    }

    /// Answers what the server asked.
    pub async fn reply(&mut self, id: Value, result: impl Serialize) {
        self.message(&json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    /// Opens a text. From then on it is changed when the server asks for it.
    pub async fn open(&mut self, uri: &str, text: &str) {
        let params = self.texts.open(uri, text);
        self.notify("textDocument/didOpen", params).await;
    }

    /// The person makes another text of one that is open.
    pub async fn types(&mut self, uri: &str, text: &str) {
        let params = self.texts.change(uri, text);
        self.notify("textDocument/didChange", params).await;
    }

    /// Closes a text.
    pub async fn close(&mut self, uri: &str) {
        let params = self.texts.close(uri);
        self.notify("textDocument/didClose", params).await;
    }

    /// A text that is open, as it is now.
    pub fn text(&self, uri: &str) -> &str {
        self.texts.text(uri)
    }

    /// Waits for the next update of any session.
    pub async fn update(&mut self) -> SessionUpdate {
        let params = self.notification(notification::SESSION_UPDATE).await;
        serde_json::from_value(params).expect("an update is of the protocol's form")
    }

    /// Collects updates up to the first that `ends` says yes to.
    pub async fn updates_until(&mut self, mut ends: impl FnMut(&SessionUpdate) -> bool) -> Vec<SessionUpdate> {
        let mut updates = Vec::new();
        loop {
            let update = self.update().await;
            let last = ends(&update);
            updates.push(update);
            if last {
                return updates;
            }
        }
    }

    /// What was sent and not looked at yet, of this name.
    pub fn unread(&self, method: &str) -> usize {
        self.notifications.iter().filter(|notification| notification.method == method).count()
    }

    /// Sends a message as it is.
    pub async fn message(&mut self, message: &Value) {
        self.body(message.to_string().as_bytes()).await;
    }

    /// Sends a body with a good header.
    pub async fn body(&mut self, body: &[u8]) {
        let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        frame.extend_from_slice(body);
        self.raw(&frame).await;
    }

    /// Sends bytes.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let output = self.output.as_mut().expect("the client has not hung up");
        let write = async {
            output.write_all(bytes).await?;
            output.flush().await
        };
        tokio::time::timeout(PATIENCE, write).await.expect("the server reads").expect("the server is there");
    }

    /// Says goodbye properly and waits for the end of the stream.
    pub async fn shut_down(mut self) {
        self.request::<Value>("shutdown", json!(null)).await.expect("shutdown is answered");
        self.notify("exit", json!(null)).await;
        while self.read().await {}
        assert_eq!(self.bytes, b"", "the stream ends between two frames");
    }

    /// Hangs up without a word. What was sent before is still read.
    pub fn hang_up(&mut self) {
        self.output = None;
    }

    /// Waits for the end of the stream.
    pub async fn ended(&mut self) {
        while self.read().await {}
    }

    /// Lets the rest of what the server says be nobody's concern.
    pub fn ignore_rest(&mut self) {
        self.ignores_rest = true;
    }

    async fn more(&mut self) {
        assert!(self.read().await, "the server ended the stream while something was waited for");
        while let Some(message) = self.outgoing.pop_front() {
            self.message(&message).await;
        }
    }

    /// Reads once and sorts what came. Says whether there was anything.
    async fn read(&mut self) -> bool {
        let mut chunk = vec![0; 64 << 10];
        let read = tokio::time::timeout(PATIENCE, self.input.read(&mut chunk)).await;
        let length = read.expect("the server says something").unwrap_or(0);
        self.bytes.extend_from_slice(&chunk[..length]);
        while let Some(body) = self.frame() {
            self.sort(serde_json::from_slice(&body).expect("the server sends JSON"));
        }
        length > 0
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let header = String::from_utf8(self.bytes[..end].to_vec()).expect("headers are text");
        let length: usize =
            header.trim().strip_prefix("Content-Length: ").expect("one header").parse().expect("a length");
        if self.bytes.len() < end + length {
            return None;
        }
        let rest = self.bytes.split_off(end + length);
        let frame = std::mem::replace(&mut self.bytes, rest);
        Some(frame[end..].to_vec())
    }

    fn sort(&mut self, message: Value) {
        let method = message.get("method").and_then(Value::as_str).map(str::to_owned);
        match (method, message.get("id").cloned()) {
            (Some(method), None) => {
                let params = message.get("params").cloned().unwrap_or_default();
                self.notifications.push_back(Notification { method, params });
            }
            (Some(method), Some(id)) => {
                let params = message.get("params").cloned().unwrap_or_default();
                if method == "workspace/applyEdit" {
                    let said = json!({"jsonrpc": "2.0", "id": id, "result": {"applied": true}});
                    let changed = self.texts.apply(&params).into_iter();
                    let told = changed
                        .map(|params| json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params}));
                    self.outgoing.extend(told.chain([said]));
                } else {
                    self.requests.push_back((id, Notification { method, params }));
                }
            }
            (None, Some(Value::Number(id))) => {
                self.answers.entry(id.as_i64().expect("our ids are integers")).or_default().push_back(message);
            }
            (None, Some(Value::Null)) => self.unasked.push_back(message),
            (None, other) => panic!("an answer to {other:?}, which was not asked"),
        }
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        if self.ignores_rest || std::thread::panicking() {
            return;
        }
        assert!(self.notifications.is_empty(), "unread: {:?}", self.notifications);
        assert!(self.requests.is_empty(), "the server asked, and nobody answered: {:?}", self.requests);
        assert!(self.answers.values().all(VecDeque::is_empty), "answers nobody waited for: {:?}", self.answers);
        assert!(self.unasked.is_empty(), "refusals nobody looked at: {:?}", self.unasked);
    }
}

fn outcome<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    match answer.get("error") {
        None => {
            let result = answer.get("result").cloned().expect("an answer has a result or an error");
            Ok(serde_json::from_value(result).expect("the result is of the protocol's form"))
        }
        Some(error) => Err(Failure {
            code: error["code"].as_i64().expect("a code"),
            message: error["message"].as_str().expect("a message").to_owned(),
            data: error.get("data").and_then(|data| serde_json::from_value(data.clone()).ok()),
        }),
    }
}

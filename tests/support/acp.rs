//! An Agent Client Protocol client for tests: one JSON message a line. It owns one connection; it decides nothing, and whatever it was
//! sent and nobody looked at fails the test when it is dropped.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the agent said, in the order in which it said it.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// The parameters of a `session/update`.
    Update(Value),
    /// An answer to the request of this id.
    Answer(Value, Outcome),
    /// A request of the agent's: its id and its parameters.
    Asked(Value, Value),
    /// The request of this id needs no answer any more.
    NotAsked(Value),
}

/// What an answer says: its result, or its error's code and message.
pub type Outcome = Result<Value, (i64, String)>;

/// The texts of a client that offers its files, and what was asked of them.
#[derive(Default)]
pub struct Files {
    /// What it has, by the path's end.
    pub texts: BTreeMap<String, String>,
    /// What was asked, in order: `read a.txt`, or `write a.txt` and the text.
    pub asked: Vec<String>,
    /// For each reading to come what the person makes of that text right behind the answer, if anything.
    pub typed: VecDeque<Option<String>>,
    /// It answers nothing.
    pub silent: bool,
}

impl Files {
    /// The result of a request, or nothing where there is no answer; an error for a text that it does not have.
    fn answer(&mut self, method: &str, params: &Value) -> Option<Value> {
        let path = params["path"].as_str().expect("a path");
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let error = json!({"error": {"code": -32002, "message": "not open"}});
        if method == "fs/write_text_file" {
            let content = params["content"].as_str().expect("a text");
            self.asked.push(format!("write {name} {content:?}"));
            std::fs::write(path, content).expect("a client writes what it is told to write");
            self.texts.insert(name, content.to_owned());
            return Some(json!({"result": null}));
        }
        self.asked.push(format!("read {name}"));
        if self.silent {
            return None;
        }
        let answer = self.texts.get(&name).map(|text| json!({"result": {"content": text}}));
        if let Some(typed) = self.typed.pop_front().flatten() {
            self.texts.insert(name, typed);
        }
        Some(answer.unwrap_or(error))
    }
}

/// One connection to an agent.
pub struct AcpClient {
    /// What it has open, where it offers that.
    pub files: Files,
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    bytes: Vec<u8>,
    said: VecDeque<Said>,
    last_id: i64,
    ignores_rest: bool,
}

impl AcpClient {
    /// Speaks over any pair of streams: what it reads, and what it writes.
    pub fn new(
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            files: Files::default(),
            input: Box::new(input),
            output: Some(Box::new(output)),
            bytes: Vec::new(),
            said: VecDeque::new(),
            last_id: 0,
            ignores_rest: false,
        }
    }

    /// Says hello, and answers what the agent said.
    pub async fn initialize(&mut self) -> Value {
        self.request("initialize", json!({"protocolVersion": 1, "clientCapabilities": {}})).await.expect("a hello")
    }

    /// Says hello as an editor that lets its texts be read and changed.
    pub async fn initialize_with_files(&mut self) {
        let fs = json!({"readTextFile": true, "writeTextFile": true});
        let hello = json!({"protocolVersion": 1, "clientCapabilities": {"fs": fs}});
        self.request("initialize", hello).await.expect("a hello");
    }

    /// Opens a session in a folder; answers its id.
    pub async fn open(&mut self, cwd: &std::path::Path) -> String {
        let opened = self.request("session/new", json!({"cwd": cwd, "mcpServers": []})).await.expect("a session opens");
        opened["sessionId"].as_str().expect("an id").to_owned()
    }

    /// Prompts with words; answers the id for [`outcome`](Self::outcome).
    pub async fn prompt(&mut self, session: &str, text: &str) -> Value {
        self.ask("session/prompt", json!({"sessionId": session, "prompt": [{"type": "text", "text": text}]})).await
    }

    /// Asks, and waits for the answer. Updates stay for later.
    pub async fn request(&mut self, method: &str, params: impl Serialize) -> Outcome {
        let id = self.ask(method, params).await;
        self.outcome(&id).await
    }

    /// Asks, and answers the id.
    pub async fn ask(&mut self, method: &str, params: impl Serialize) -> Value {
        self.last_id += 1;
        let id = json!(self.last_id);
        self.line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
        id
    }

    /// Says something.
    pub async fn notify(&mut self, method: &str, params: impl Serialize) {
        self.line(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()).await;
    }

    /// Waits for the answer to the request of an id. Updates stay for later.
    pub async fn outcome(&mut self, id: &Value) -> Outcome {
        loop {
            let at = self.said.iter().position(|said| matches!(said, Said::Answer(answered, _) if answered == id));
            if let Some(Said::Answer(_, outcome)) = at.and_then(|at| self.said.remove(at)) {
                return outcome;
            }
            self.more().await;
        }
    }

    /// Waits for an answer, and gives what came before it: updates in their order.
    pub async fn until(&mut self, id: &Value) -> (Vec<Value>, Outcome) {
        let mut updates = Vec::new();
        loop {
            match self.next().await {
                Said::Update(update) => updates.push(update),
                Said::Answer(answered, outcome) if answered == *id => return (updates, outcome),
                other => panic!("something else came first: {other:?}"),
            }
        }
    }

    /// Waits for what the agent asks: the id and the parameters. What came before stays for later.
    pub async fn asked(&mut self) -> (Value, Value) {
        loop {
            let at = self.said.iter().position(|said| matches!(said, Said::Asked(..)));
            if let Some(Said::Asked(id, params)) = at.and_then(|at| self.said.remove(at)) {
                return (id, params);
            }
            self.more().await;
        }
    }

    /// Waits until the agent needs an answer no more; gives the id of its request.
    pub async fn not_asked(&mut self) -> Value {
        loop {
            let at = self.said.iter().position(|said| matches!(said, Said::NotAsked(_)));
            if let Some(Said::NotAsked(id)) = at.and_then(|at| self.said.remove(at)) {
                return id;
            }
            self.more().await;
        }
    }

    /// Answers what the agent asked.
    pub async fn give(&mut self, id: &Value, result: Value) {
        self.line(&json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()).await;
    }

    /// Waits for the next thing that the agent says.
    pub async fn next(&mut self) -> Said {
        loop {
            if let Some(said) = self.said.pop_front() {
                return said;
            }
            self.more().await;
        }
    }

    /// Collects updates up to the first that `ends` says yes to. Answers stay for later.
    pub async fn updates_until(&mut self, mut ends: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut updates = Vec::new();
        loop {
            let at = self.said.iter().position(|said| matches!(said, Said::Update(_)));
            let Some(Said::Update(update)) = at.and_then(|at| self.said.remove(at)) else {
                self.more().await;
                continue;
            };
            let last = ends(&update);
            updates.push(update);
            if last {
                return updates;
            }
        }
    }

    /// Sends a line.
    pub async fn line(&mut self, line: &str) {
        self.raw(format!("{line}\n").as_bytes()).await;
    }

    /// Sends bytes.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let output = self.output.as_mut().expect("the client has not hung up");
        let write = async {
            output.write_all(bytes).await?;
            output.flush().await
        };
        tokio::time::timeout(PATIENCE, write).await.expect("the agent reads").expect("the agent is there");
    }

    /// Hangs up without a word. What was sent before is still read.
    pub fn hang_up(&mut self) {
        self.output = None;
    }

    /// Waits for the end of the stream.
    pub async fn ended(&mut self) {
        while self.read().await {}
        assert_eq!(self.bytes, b"", "the stream ends between two lines");
    }

    /// Lets the rest of what the agent says be nobody's concern.
    pub fn ignore_rest(&mut self) {
        self.ignores_rest = true;
    }

    async fn more(&mut self) {
        assert!(self.read().await, "the agent ended the stream while something was waited for");
    }

    /// Reads once. Says whether there was anything.
    async fn read(&mut self) -> bool {
        let mut chunk = vec![0; 64 << 10];
        let read = tokio::time::timeout(PATIENCE, self.input.read(&mut chunk)).await;
        let length = read.expect("the agent says something").unwrap_or(0);
        self.bytes.extend_from_slice(&chunk[..length]);
        while let Some(end) = self.bytes.iter().position(|&byte| byte == b'\n') {
            let rest = self.bytes.split_off(end + 1);
            let line = std::mem::replace(&mut self.bytes, rest);
            assert!(!line.contains(&0), "a NUL byte");
            let message: Value = serde_json::from_slice(&line).expect("the agent sends JSON");
            match message.get("method").and_then(Value::as_str) {
                Some(method) if method.starts_with("fs/") => {
                    if let Some(mut answer) = self.files.answer(method, &message["params"]) {
                        (answer["jsonrpc"], answer["id"]) = (json!("2.0"), message["id"].clone());
                        self.line(&answer.to_string()).await;
                    }
                }
                _ => self.said.push_back(said(message)),
            }
        }
        length > 0
    }
}

impl Drop for AcpClient {
    fn drop(&mut self) {
        if !self.ignores_rest && !std::thread::panicking() {
            assert!(self.said.is_empty(), "unread: {:?}", self.said);
        }
    }
}

fn said(mut message: Value) -> Said {
    assert_eq!(message["jsonrpc"], "2.0");
    match message.get("method").and_then(Value::as_str) {
        Some("session/update") => Said::Update(message["params"].take()),
        Some("session/request_permission") => Said::Asked(message["id"].take(), message["params"].take()),
        Some("$/cancel_request") => Said::NotAsked(message["params"]["requestId"].take()),
        Some(other) => panic!("the agent said {other}, which no test here awaits"),
        None => {
            let outcome = match message.get("error") {
                None => Ok(message.get("result").cloned().expect("an answer has a result or an error")),
                Some(error) => {
                    let message = error["message"].as_str().expect("a message").to_owned();
                    Err((error["code"].as_i64().expect("a code"), message))
                }
            };
            Said::Answer(message["id"].take(), outcome)
        }
    }
}

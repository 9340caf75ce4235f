//! A model that answers from a script: a loopback server in any dialect. It remembers what it was asked, checks that each request is one
//! that a provider would take and could cache, and fails the test when its script was not played to the end.
//!
//! An answer is written out when it is scripted, so nothing but a write lies between a request and its first byte. For more turns than a
//! script can hold there is [`FakeModel::by_rule`].

use crate::fake_model::check::Conversations;
use crate::fake_model::script::{Frame, Reply};
use pilotfish::config::Dialect;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

mod check;
mod script;

pub use script::{Step, answer, status};

/// A scripted model server.
pub struct FakeModel {
    dialect: Dialect,
    base_url: String,
    shared: Arc<Shared>,
    /// Ends with the server.
    _tasks: JoinSet<()>,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Such as `/v1/responses`.
    pub path: String,
    /// The headers, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
    /// When its last byte was there.
    pub arrived: Instant,
    /// When the last byte of its answer was written, if it was.
    pub answered: Option<Instant>,
}

impl Request {
    /// A header's value; its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Finds the answer to a request's body.
type Rule = dyn Fn(&Value) -> Step + Send + Sync;

struct Shared {
    dialect: Dialect,
    state: Mutex<State>,
    /// Answers in the stead of the script.
    rule: Option<Box<Rule>>,
    /// Ends the connections on which nothing is asked.
    hang_up: Notify,
    /// How many requests came, how many were answered, and how many clients left before their answer was over.
    counts: watch::Sender<Counts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    requests: usize,
    answered: usize,
    hang_ups: usize,
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    requests: Vec<Request>,
    conversations: Conversations,
    problems: Vec<String>,
    /// The next call's number; ids differ over the whole script.
    calls: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeModel {
    /// Listens on a free loopback port; the script is empty.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(dialect: Dialect) -> Self {
        Self::start_with(dialect, None).await
    }

    /// One that answers each request by a rule, however many come. It checks none of them and remembers none.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn by_rule(dialect: Dialect, rule: impl Fn(&Value) -> Step + Send + Sync + 'static) -> Self {
        Self::start_with(dialect, Some(Box::new(rule))).await
    }

    async fn start_with(dialect: Dialect, rule: Option<Box<Rule>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            dialect,
            state: Mutex::default(),
            rule,
            hang_up: Notify::new(),
            counts: watch::Sender::default(),
        });
        let mut tasks = JoinSet::new();
        let accepting = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Answers are small writes that must not wait for one another.
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Self { dialect, base_url: format!("http://{address}/v1"), shared, _tasks: tasks }
    }

    /// What to configure: ends in `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds a step to the script: the answer to the next request that has none yet.
    pub fn answers(&self, step: Step) -> &Self {
        let mut state = self.shared.state();
        let reply = step.write(self.dialect, &mut state.calls);
        state.replies.push_back(reply);
        self
    }

    /// The next request may begin otherwise than the one before it, once: for a masking step or a compaction.
    pub fn allow_new_beginning(&self) {
        self.shared.state().conversations.allow_new_beginning();
    }

    /// What it was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Waits until it was asked this many times in all.
    pub async fn asked(&self, times: usize) {
        // The sender lives as long as the server.
        let _ = self.shared.counts.subscribe().wait_for(|counts| counts.requests >= times).await;
    }

    /// Waits until it has said all of this many answers.
    pub async fn answered(&self, times: usize) {
        let _ = self.shared.counts.subscribe().wait_for(|counts| counts.answered >= times).await;
    }

    /// Closes the connections on which nothing is asked now.
    pub fn hang_up(&self) {
        self.shared.hang_up.notify_waiters();
    }

    /// Waits until this many clients, in all, left before their answer was over.
    pub async fn hung_up(&self, times: usize) {
        let _ = self.shared.counts.subscribe().wait_for(|counts| counts.hang_ups >= times).await;
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let state = self.shared.state();
        assert!(state.problems.is_empty(), "the model was asked wrongly:\n{}", state.problems.join("\n"));
        assert!(state.replies.is_empty(), "{} answers of the script were not asked for", state.replies.len());
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    loop {
        let asked = tokio::select! {
            asked = read(&mut stream, &mut unread) => asked,
            () = shared.hang_up.notified() => None,
        };
        let Some((head, body)) = asked else { return };
        let arrived = Instant::now();
        let (reply, number) = take(&shared, &head, &body, arrived);
        let whole = play(&mut stream, reply).await;
        if whole {
            let mut state = shared.state();
            if let Some(request) = number.and_then(|number| state.requests.get_mut(number)) {
                request.answered = Some(Instant::now());
            }
            drop(state);
            shared.counts.send_modify(|counts| counts.answered += 1);
        } else {
            shared.counts.send_modify(|counts| counts.hang_ups += 1);
            return;
        }
    }
}

/// Finds the answer to a request, and remembers it under a number if it asks the model.
fn take(shared: &Shared, head: &str, body: &[u8], arrived: Instant) -> (Reply, Option<usize>) {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default().to_owned());
    if method == "GET" {
        let models = json!({ "object": "list", "data": [{ "id": "fake", "object": "model" }] });
        return (Reply::json(200, "", &models), None);
    }
    if let Some(rule) = &shared.rule {
        let step = rule(&serde_json::from_slice(body).unwrap_or_default());
        let reply = step.write(shared.dialect, &mut shared.state().calls);
        shared.counts.send_modify(|counts| counts.requests += 1);
        return (reply, None);
    }
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut state = shared.state();
    let parsed = serde_json::from_slice(body);
    let mut problems = Vec::new();
    let expected = match shared.dialect {
        Dialect::Responses => "/v1/responses",
        Dialect::Chat => "/v1/chat/completions",
        Dialect::Messages => "/v1/messages",
    };
    if (method, path.as_str()) != ("POST", expected) {
        problems.push(format!("{method} {path} is not POST {expected}"));
    }
    if shared.dialect == Dialect::Messages && !head.to_ascii_lowercase().contains("\nanthropic-version: 2023-06-01") {
        problems.push("it does not say which version of the dialect it speaks".to_owned());
    }
    match &parsed {
        Ok(body) => problems.extend(state.conversations.check(shared.dialect, body)),
        Err(error) => problems.push(format!("the body is not JSON: {error}")),
    }
    let number = state.requests.len();
    let body = parsed.unwrap_or_default();
    state.requests.push(Request { path, headers, body, arrived, answered: None });
    let reply = state.replies.pop_front();
    if reply.is_none() {
        problems.push("the script has no answer left".to_owned());
    }
    let reply = match problems.first() {
        None => reply.unwrap_or_default(),
        Some(_) => {
            let message = problems.iter().map(|problem| format!("request {number}: {problem}")).collect::<Vec<_>>();
            let refusal = Reply::json(400, "", &json!({ "error": { "message": message.join("; ") } }));
            state.problems.extend(message);
            refusal
        }
    };
    drop(state);
    shared.counts.send_modify(|counts| counts.requests += 1);
    (reply, Some(number))
}

/// Plays an answer; whether the client heard all of it.
async fn play(stream: &mut TcpStream, reply: Reply) -> bool {
    for frame in reply.frames {
        match frame {
            Frame::Bytes(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
            }
            Frame::Gate(gate) => {
                tokio::select! {
                    () = gate.notified() => {}
                    () = left(stream) => return false,
                }
            }
            Frame::Hang => {
                left(stream).await;
                return false;
            }
            Frame::Close => {
                let _ = stream.shutdown().await;
                return true;
            }
        }
    }
    true
}

/// Waits until the client closed its end. A client says nothing while it is answered.
async fn left(stream: &TcpStream) {
    let mut byte = [0];
    while !matches!(stream.peek(&mut byte).await, Ok(0) | Err(_)) {
        tokio::task::yield_now().await;
    }
}

/// Reads one request: its head and its body. `unread` holds what came behind it.
async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = end + 4;
            let head = String::from_utf8_lossy(unread.get(..end)?).into_owned();
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(Some(0), |(_, length)| length.trim().parse().ok())?;
            unread.reserve((body + length).saturating_sub(unread.len()));
            while unread.len() < body + length {
                if stream.read_buf(unread).await.unwrap_or(0) == 0 {
                    return None;
                }
            }
            let rest = unread.split_off(body + length);
            let request = std::mem::replace(unread, rest);
            return Some((head, request.get(body..)?.to_vec()));
        }
        if stream.read_buf(unread).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests;

//! A model server that answers with bytes as they are, good or bad. It remembers what it was asked; what the bytes mean is the test's.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// In an answer: the request's head, escaped as inside a JSON string.
pub const HEAD: &str = "{HEAD}";

/// What becomes of a connection once its answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is closed.
    Close,
    /// It is kept, and nothing more is said.
    Hang,
}

/// A model server on a loopback port. Its answers go to the requests in their order; when there are none left, it hangs.
pub struct RawModel {
    authority: String,
    heads: watch::Sender<Vec<String>>,
    _tasks: JoinSet<()>,
}

impl RawModel {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(answers: Vec<(Vec<u8>, Then)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let authority = listener.local_addr().expect("a bound socket has an address").to_string();
        let heads = watch::Sender::new(Vec::new());
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        let mut tasks = JoinSet::new();
        let seen = heads.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&answers), seen.clone()));
            }
        });
        Self { authority, heads, _tasks: tasks }
    }

    /// Such as `127.0.0.1:1234`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What to configure.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.authority)
    }

    /// Waits until it was asked so often, and answers the heads of the requests.
    pub async fn asked(&self, times: usize) -> Vec<String> {
        let mut heads = self.heads.subscribe();
        // The sender lives as long as the server.
        heads.wait_for(|heads| heads.len() >= times).await.map(|heads| heads.clone()).unwrap_or_default()
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Arc<Mutex<std::vec::IntoIter<(Vec<u8>, Then)>>>,
    heads: watch::Sender<Vec<String>>,
) {
    let Some(head) = read(&mut stream).await else { return };
    let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).next();
    heads.send_modify(|heads| heads.push(head.clone()));
    let (bytes, then) = answer.unwrap_or((Vec::new(), Then::Hang));
    let escaped = serde_json::to_string(&head).unwrap_or_default();
    let bytes = replaced(bytes, escaped.trim_matches('"'));
    // A client that leaves in the middle of its answer may.
    let written = stream.write_all(&bytes).await;
    match (written, then) {
        (Ok(()), Then::Hang) => while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {},
        (Ok(()), Then::Close) => drop(stream.shutdown().await),
        (Err(_), _) => {}
    }
}

fn replaced(bytes: Vec<u8>, head: &str) -> Vec<u8> {
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(HEAD) => text.replace(HEAD, head).into_bytes(),
        Ok(_) | Err(_) => bytes,
    }
}

/// One request's head; its body is read and forgotten.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(head);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

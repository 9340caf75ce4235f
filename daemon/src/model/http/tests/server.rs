//! A model server of a few lines: answers requests from a script, remembers them, and tells when a client hung up.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// What the server does once it read a request.
#[derive(Clone)]
pub(super) enum Step {
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Sends bytes as chunks of a chunked body, until the client leaves.
    Endless(Vec<u8>),
    /// Sends the beginning of a comment in chunks of a byte, with a pause before each, until the client leaves.
    Drip(Duration),
    /// Lets time pass. For clocks that are paused.
    Wait(Duration),
    /// Waits to be let on.
    Gate(Arc<Notify>),
    /// Says that the client hung up, once it did.
    AwaitHangUp,
    /// Closes the connection.
    Close,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The request line and the headers, lower case.
    pub head: String,
    pub body: serde_json::Value,
    /// Which connection it came on, from 0.
    pub connection: usize,
}

pub(super) struct Server {
    pub base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    hang_ups: mpsc::Receiver<()>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves one reply for each request, in order.
    pub(super) async fn start(replies: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let replies = Arc::new(Mutex::new(replies.into_iter()));
        let (hung_up, hang_ups) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        let remembered = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                stream.set_nodelay(true).unwrap();
                let (replies, seen) = (Arc::clone(&replies), Arc::clone(&remembered));
                let hung_up = hung_up.clone();
                connections.spawn(async move {
                    serve(stream, connection, &replies, &seen, &hung_up).await;
                });
            }
        });
        Self { base_url, seen, hang_ups, _tasks: tasks }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) async fn hang_up(&mut self) {
        self.hang_ups.recv().await.unwrap();
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    replies: &Mutex<std::vec::IntoIter<Vec<Step>>>,
    seen: &Mutex<Vec<Seen>>,
    hung_up: &mpsc::Sender<()>,
) {
    while let Some((head, body)) = read(&mut stream).await {
        let body = serde_json::from_slice(&body).unwrap();
        seen.lock().unwrap().push(Seen { head, body, connection });
        let reply = replies.lock().unwrap().next().expect("a reply for each request");
        for step in reply {
            match step {
                Step::Bytes(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Endless(bytes) => {
                    let chunk = chunk(&bytes);
                    while stream.write_all(&chunk).await.is_ok() {}
                    return;
                }
                Step::Drip(pause) => {
                    while stream.write_all(&chunk(b":")).await.is_ok() && !left(&stream, pause).await {}
                    hung_up.send(()).await.unwrap();
                    return;
                }
                Step::Wait(pause) => assert!(!left(&stream, pause).await, "the client waits"),
                Step::Gate(gate) => gate.notified().await,
                Step::AwaitHangUp => {
                    while !matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_)) {}
                    hung_up.send(()).await.unwrap();
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

/// Whether the client leaves within a time.
async fn left(stream: &TcpStream, pause: Duration) -> bool {
    tokio::time::timeout(pause, stream.readable()).await.is_ok()
}

async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap_or("0").parse().unwrap();
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..].to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// One chunk of a chunked body.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// A whole answer with a length.
pub(super) fn whole(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Bytes(format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes())]
}

/// The head of a stream.
pub(super) fn stream_head(headers: &str) -> Step {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{headers}transfer-encoding: chunked\r\n\r\n");
    Step::Bytes(head.into_bytes())
}

/// A stream that ends well.
pub(super) fn stream(body: &str) -> Vec<Step> {
    vec![stream_head(""), Step::Bytes(chunk(body.as_bytes())), Step::Bytes(b"0\r\n\r\n".to_vec())]
}

/// A gzip stream, decompressing to `bytes` colons at about a thousandth of the size: one colon, then repeated matches of the byte
/// before, in a code that gives a match of 258 bytes two bits (RFC 1951, 3.2.7).
pub(super) fn bomb(bytes: usize) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut byte, mut used) = (0_u8, 0);
    let mut put = |bit: u8| {
        byte |= bit << used;
        used += 1;
        if used == 8 {
            packed.push(byte);
            (byte, used) = (0, 0);
        }
    };
    // Numbers begin with their lowest bit, codes with their highest.
    let mut number = |value: u8, bits: u8| (0..bits).for_each(|bit| put(value >> bit & 1));
    // The last block, a code of its own; 286 codes of literals and lengths, 1 of distances; 18 lengths of codes of code lengths.
    [(1, 1), (2, 2), (29, 5), (0, 5), (14, 4)].into_iter().for_each(|(value, bits)| number(value, bits));
    // In the order of the format: 18 is "0", 2 is "11", 1 is "10".
    [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2].into_iter().for_each(|length| number(length, 3));
    // The colon and the end of the block get 2 bits, the length 258 and the distance 1 get one; 18 skips the rest.
    let two = [(1, 1), (1, 1)];
    let one = [(1, 1), (0, 1)];
    let skip = |zeros: u8| [(0, 1), (zeros - 11, 7)];
    for (value, bits) in [skip(58), two, skip(138), skip(59), two, skip(28), one, one].concat() {
        number(value, bits);
    }
    // The colon.
    number(1, 2);
    for _ in 0..bytes / 258 {
        number(0, 2);
    }
    packed
}

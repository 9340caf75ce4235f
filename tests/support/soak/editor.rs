//! An editor that hears everything in the order in which it was said, and to which a daemon that goes away is no failure. It decides
//! nothing.

use crate::desk::LIMIT;
use anyhow::{Context, bail};
use pilotfish::config::Home;
use pilotfish::door::hello::{Door, Hello};
use pilotfish::door::shim::{self, Start};
use pilotfish_protocol::{Attached, SessionId, SessionOpened, SessionUpdate, notification};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Something that was heard.
#[derive(Debug)]
pub enum Heard {
    /// A session changed.
    Update(Box<SessionUpdate>),
    /// The answer to what was asked under this id.
    Answer(i64, Result<Value, String>),
    /// Word for lists, or for people.
    Else,
}

/// One connection. What is heard while an answer is waited for is kept for later.
pub struct Editor {
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Bytes that were read; those before `start` were looked at.
    bytes: Vec<u8>,
    start: usize,
    received: u64,
    kept: VecDeque<Heard>,
    last_id: i64,
    /// What stands between us and the daemon, if anything does. It is killed with us.
    _shim: Option<Child>,
}

#[derive(Deserialize)]
struct Message<'a> {
    id: Option<i64>,
    #[serde(borrow)]
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Value>,
}

impl Editor {
    /// Speaks through a shim, which starts the daemon when there is none.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn through(mut shim: Command) -> anyhow::Result<Self> {
        let mut child = shim.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let input = child.stdout.take().context("it is piped")?;
        let output = child.stdin.take().context("it is piped")?;
        Self::over(input, output, Some(child)).await
    }

    /// Speaks with the daemon that runs.
    ///
    /// # Errors
    /// When none does.
    pub async fn direct(home: &Home) -> anyhow::Result<Self> {
        let (home, environment) = (home.clone(), Arc::default());
        let mut hello = Hello::new(Door::Lsp, String::new(), &environment, &[]);
        // A test is built after the daemon; as a newer build we would be asking it to end.
        hello.build = serde_json::from_value(json!({"version": [], "installed": 0}))?;
        let dial = move || shim::connect(&home, &environment, &hello, Start::Never);
        let stream = tokio::task::spawn_blocking(dial).await??;
        stream.set_nonblocking(true)?;
        let (input, output) = tokio::net::UnixStream::from_std(stream)?.into_split();
        Self::over(input, output, None).await
    }

    async fn over(
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
        shim: Option<Child>,
    ) -> anyhow::Result<Self> {
        let mut editor = Self {
            input: Box::new(input),
            output: Box::new(output),
            bytes: Vec::new(),
            start: 0,
            received: 0,
            kept: VecDeque::new(),
            last_id: 0,
            _shim: shim,
        };
        let options = json!({"pilotfish": {"protocol": 1, "features": ["session"]}});
        editor.request::<Value>("initialize", json!({"capabilities": {}, "initializationOptions": options})).await?;
        editor.say(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}})).await?;
        Ok(editor)
    }

    /// Asks; answers the id under which the answer will be heard.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<i64> {
        self.last_id += 1;
        self.say(&json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})).await?;
        Ok(self.last_id)
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When it says no, or the daemon goes away.
    pub async fn request<T: DeserializeOwned>(&mut self, method: &str, params: Value) -> anyhow::Result<T> {
        let id = self.ask(method, params).await?;
        loop {
            match self.hear().await? {
                Some(Heard::Answer(answered, answer)) if answered == id => {
                    let answer = answer.map_err(|error| anyhow::anyhow!("{method}: {error}"))?;
                    return Ok(serde_json::from_value(answer)?);
                }
                Some(heard) => self.kept.push_back(heard),
                None => bail!("{method}: the daemon went away"),
            }
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn open(&mut self, opening: Value) -> anyhow::Result<SessionId> {
        Ok(self.request::<SessionOpened>("session/new", opening).await?.session.id)
    }

    /// Attaches to a session, behind what was seen of it.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn attach(&mut self, session: &SessionId, after: Option<u64>) -> anyhow::Result<Attached> {
        self.request("session/attach", json!({"sessionId": session, "afterSeq": after})).await
    }

    /// Waits for what is said next; `None` when the daemon went away. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When nothing is said for long, or something that makes no sense.
    pub async fn next(&mut self) -> anyhow::Result<Option<Heard>> {
        match self.kept.pop_front() {
            Some(heard) => Ok(Some(heard)),
            None => self.hear().await,
        }
    }

    /// Waits for the next update; others that were heard before it are forgotten.
    ///
    /// # Errors
    /// As [`next`](Self::next), and when the daemon goes away.
    pub async fn update(&mut self) -> anyhow::Result<SessionUpdate> {
        loop {
            match self.next().await?.context("the daemon went away")? {
                Heard::Update(update) => return Ok(*update),
                Heard::Answer(_, Err(error)) => bail!("something was refused: {error}"),
                Heard::Answer(..) | Heard::Else => {}
            }
        }
    }

    /// Whether something was heard while an answer was waited for, and not looked at yet.
    #[must_use]
    pub fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Bytes heard so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let write = async {
            self.output.write_all(frame.as_bytes()).await?;
            self.output.flush().await
        };
        Ok(tokio::time::timeout(LIMIT, write).await.context("the daemon does not read")??)
    }

    async fn hear(&mut self) -> anyhow::Result<Option<Heard>> {
        loop {
            if let Some(heard) = self.sort()? {
                return Ok(Some(heard));
            }
            self.bytes.drain(..self.start);
            self.start = 0;
            self.bytes.reserve(CHUNK);
            let read = tokio::time::timeout(LIMIT, self.input.read_buf(&mut self.bytes)).await;
            match read.context("the daemon says nothing")? {
                Ok(0) | Err(_) => return Ok(None),
                Ok(length) => self.received += length as u64,
            }
        }
    }

    /// Takes the next whole frame.
    fn sort(&mut self) -> anyhow::Result<Option<Heard>> {
        let unread = self.bytes.get(self.start..).unwrap_or_default();
        // Headers are short; a body's end need not be looked through for one.
        let head = unread.get(..unread.len().min(64)).unwrap_or_default();
        let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let header = std::str::from_utf8(head.get(..end).unwrap_or_default())?;
        let length: usize = header.strip_prefix("Content-Length: ").context("one header")?.parse()?;
        let Some(body) = unread.get(end + 4..end + 4 + length) else { return Ok(None) };
        self.start += end + 4 + length;
        let message: Message<'_> = serde_json::from_slice(body)?;
        let params = message.params.map_or("null", RawValue::get);
        Ok(Some(match (message.method, message.id) {
            (Some(notification::SESSION_UPDATE), _) => Heard::Update(serde_json::from_str(params)?),
            (Some(_), _) => Heard::Else,
            (None, Some(id)) => {
                let result = message.result.map_or("null", RawValue::get);
                Heard::Answer(
                    id,
                    message
                        .error
                        .map_or_else(|| Ok(serde_json::from_str(result)), |error| Err(error.to_string()))
                        .map(|result| result.unwrap_or_default()),
                )
            }
            (None, None) => bail!("an answer to nothing: {:?}", message.error),
        }))
    }
}

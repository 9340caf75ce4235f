//! A client of the daemon's own, over any pair of streams: what the command line sees sessions through. It speaks as an editor
//! does; nothing is open to it that is not open to them.
//!
//! It reads only when it is asked for something, so a slow reader slows nobody: the daemon's outbox merges what waits.

use crate::config::{Environment, Home};
use crate::door::envelope;
use crate::door::frame::{Frame, Frames};
use crate::door::hello::Hello;
use crate::door::shim::{self, ShimError, Start};
use jsonrpsee::core::client::{BatchResponse, ClientT, Error};
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee::types::ErrorObjectOwned;
use pilotfish_protocol::contract::{
    ApprovalRpcClient, CheckpointRpcClient, DaemonRpcClient, QuestionRpcClient, RuleRpcClient, SessionRpcClient,
    TrustRpcClient,
};
use pilotfish_protocol::{
    ApprovalId, Attached, Checkpoint, CheckpointId, DaemonNotice, DaemonStatus, Decision, Delivery, InputPart, ItemId,
    ItemPage, Mode, ModelName, PromptTaken, Restored, RulePreview, Session, SessionId, SessionList, SessionUpdate,
    Trust, TrustState, code, notification,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// Messages that wait to be written.
const WAITING: usize = 64;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Why something asked of the daemon did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection.
    #[error(transparent)]
    Shim(#[from] ShimError),
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
    /// The daemon went away.
    #[error(
        "the pilotfish daemon ended the connection; what was journaled is safe, and the session can be opened again"
    )]
    Gone,
}

impl From<Error> for ClientError {
    fn from(error: Error) -> Self {
        match error {
            Error::Call(error) => ClientError::Refused(error.message().to_owned()),
            Error::RestartNeeded(_) | Error::Transport(_) => ClientError::Gone,
            other => ClientError::Refused(other.to_string()),
        }
    }
}

/// What the daemon says unasked.
#[derive(Debug)]
pub enum Heard {
    /// A session to which we are attached changed.
    Update(Box<SessionUpdate>),
    /// A fact about the daemon, for people.
    Notice(String),
}

/// What a session begins with, as a client says it.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The folder.
    pub workspace: String,
    /// What the agent may do.
    pub mode: Mode,
    /// The model; the configured one unless said.
    pub model: Option<ModelName>,
}

/// A connection to a daemon. One task reads it.
pub struct Client {
    voice: Voice,
    ear: Mutex<Ear>,
    /// Writes what is said; ends with us.
    _writer: JoinSet<()>,
}

/// The speaking half. It waits for nothing that is read.
#[derive(Debug, Clone)]
pub struct Voice {
    messages: mpsc::Sender<Vec<u8>>,
    last_id: Arc<AtomicI64>,
}

struct Ear {
    input: Box<dyn AsyncRead + Send + Unpin>,
    frames: Frames,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were read and not looked at.
    unread: std::ops::Range<usize>,
    heard: VecDeque<Heard>,
}

#[derive(Serialize)]
struct Call<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Incoming {
    id: Option<i64>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
    result: Option<Box<RawValue>>,
    error: Option<ErrorObjectOwned>,
}

impl Client {
    /// Dials the daemon of a home.
    ///
    /// # Errors
    /// When there is none and none is to be or can be started.
    pub async fn dial(home: Home, environment: Environment, hello: Hello, start: Start) -> Result<Self, ClientError> {
        let dial = move || shim::connect(&home, &environment, &hello, start);
        let stream = tokio::task::spawn_blocking(dial).await.map_err(io::Error::other).map_err(ShimError::Io)??;
        stream.set_nonblocking(true).map_err(ShimError::Io)?;
        let stream = tokio::net::UnixStream::from_std(stream).map_err(ShimError::Io)?;
        let (input, output) = stream.into_split();
        Self::over(input, output).await
    }

    /// Begins to speak over two streams.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn over(
        input: impl AsyncRead + Send + Unpin + 'static,
        mut output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, ClientError> {
        let (messages, mut waiting) = mpsc::channel::<Vec<u8>>(WAITING);
        let mut writer = JoinSet::new();
        writer.spawn(async move {
            while let Some(message) = waiting.recv().await {
                if output.write_all(&message).await.is_err() || output.flush().await.is_err() {
                    return;
                }
            }
        });
        let ear = Ear {
            input: Box::new(input),
            frames: Frames::default(),
            chunk: vec![0; CHUNK],
            unread: 0..0,
            heard: VecDeque::new(),
        };
        let client = Self { voice: Voice { messages, last_id: Arc::default() }, ear: Mutex::new(ear), _writer: writer };
        let options = serde_json::json!({"pilotfish": {"protocol": 1, "features": []}});
        let name = serde_json::json!({"name": "pilotfish", "version": env!("CARGO_PKG_VERSION")});
        let hello = serde_json::json!({"capabilities": {}, "clientInfo": name, "initializationOptions": options});
        client.call::<serde_json::Value>("initialize", raw(&hello)).await?;
        client.voice.say("initialized", None, raw(&serde_json::json!({}))).await?;
        Ok(client)
    }

    /// What can be said while another task reads.
    #[must_use]
    pub fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Waits for what the daemon says unasked; `None` when it went away. Nothing is lost when the wait is given up.
    pub async fn next(&self) -> Option<Heard> {
        let mut ear = self.ear.lock().await;
        loop {
            if let Some(heard) = ear.heard.pop_front() {
                return Some(heard);
            }
            // An answer that nobody waits for is to something that was only said.
            ear.read().await?;
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn open(&self, opening: Opening) -> Result<Session, ClientError> {
        let Opening { workspace, mode, model } = opening;
        Ok(SessionRpcClient::open(self, workspace, Some(mode), model, None, None).await?.session)
    }

    /// Attaches to a session: its updates after `after` come through [`Client::next`].
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn attach(&self, session_id: &SessionId, after: Option<u64>) -> Result<Attached, ClientError> {
        Ok(SessionRpcClient::attach(self, session_id.clone(), after).await?)
    }

    /// Sends words to a session.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn prompt(&self, session_id: &SessionId, words: String) -> Result<PromptTaken, ClientError> {
        let input = vec![InputPart::Text { text: words }];
        Ok(SessionRpcClient::prompt(self, session_id.clone(), input, Some(Delivery::Queue)).await?)
    }

    /// Answers a question. Says whether it was this answer that counted.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn answer(
        &self,
        approval: ApprovalId,
        decision: Decision,
        note: Option<String>,
    ) -> Result<bool, ClientError> {
        match ApprovalRpcClient::answer(self, vec![approval], decision, note).await {
            Ok(answered) => Ok(!answered.closed.is_empty()),
            // Somebody else was first, or the turn was stopped.
            Err(Error::Call(error)) if matches!(error.code(), code::ALREADY_ANSWERED | code::WRONG_STATE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Answers what the model asks: with a choice, a text, or neither. Says whether it was this answer that counted.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn reply(
        &self,
        session_id: &SessionId,
        item_id: ItemId,
        choice: Option<u32>,
        text: Option<String>,
    ) -> Result<bool, ClientError> {
        match QuestionRpcClient::answer(self, session_id.clone(), item_id, choice, text).await {
            Ok(_) => Ok(true),
            Err(Error::Call(error)) if matches!(error.code(), code::ALREADY_ANSWERED | code::WRONG_STATE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What saving the rule of a question would mean.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn preview(&self, approval: ApprovalId) -> Result<RulePreview, ClientError> {
        Ok(RuleRpcClient::preview(self, approval, None).await?)
    }

    /// A page of a transcript: the newest, or what is before an item.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn items(
        &self,
        session_id: &SessionId,
        before: Option<ItemId>,
        limit: u32,
    ) -> Result<ItemPage, ClientError> {
        Ok(SessionRpcClient::items(self, session_id.clone(), before, limit).await?)
    }

    /// A page of sessions.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn sessions(
        &self,
        workspace: Option<String>,
        query: Option<String>,
        cursor: Option<String>,
        archived: bool,
    ) -> Result<SessionList, ClientError> {
        Ok(SessionRpcClient::list(self, workspace, query, cursor, Some(archived)).await?)
    }

    /// Gives a session another title.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn rename(&self, session_id: &SessionId, title: String) -> Result<(), ClientError> {
        SessionRpcClient::rename(self, session_id.clone(), title).await?;
        Ok(())
    }

    /// Hides a session, or shows it again.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn archive(&self, session_id: &SessionId, archived: bool) -> Result<(), ClientError> {
        SessionRpcClient::archive(self, session_id.clone(), archived).await?;
        Ok(())
    }

    /// Deletes a session, or takes that back.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn delete(&self, session_id: &SessionId, restore: bool) -> Result<(), ClientError> {
        SessionRpcClient::delete(self, session_id.clone(), Some(restore)).await?;
        Ok(())
    }

    /// Opens a session with another one's history.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn fork(&self, session_id: &SessionId, at: Option<ItemId>) -> Result<Session, ClientError> {
        Ok(SessionRpcClient::fork(self, session_id.clone(), at).await?.session)
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn status(&self) -> Result<DaemonStatus, ClientError> {
        Ok(DaemonRpcClient::status(self).await?)
    }

    /// What was said of a workspace, an absolute path.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn trust(&self, workspace: &str) -> Result<TrustState, ClientError> {
        Ok(TrustRpcClient::get(self, workspace.to_owned()).await?)
    }

    /// Says whether what a workspace ships takes effect.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn set_trust(&self, workspace: &str, trust: Trust) -> Result<TrustState, ClientError> {
        Ok(TrustRpcClient::set(self, workspace.to_owned(), trust).await?)
    }

    /// The points that a workspace, an absolute path, can be taken back to, the latest first.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn checkpoints(&self, workspace: &str) -> Result<Vec<Checkpoint>, ClientError> {
        Ok(CheckpointRpcClient::list(self, workspace.to_owned()).await?.checkpoints)
    }

    /// Takes files back to a checkpoint, or says what that would do.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn restore(&self, id: CheckpointId, dry_run: bool) -> Result<Restored, ClientError> {
        Ok(CheckpointRpcClient::restore(self, id, Some(dry_run)).await?)
    }

    /// Ends the daemon; with `drain` when no turn runs any more.
    ///
    /// # Errors
    /// As the daemon says.
    pub async fn stop(&self, drain: bool) -> Result<(), ClientError> {
        DaemonRpcClient::stop(self, Some(drain)).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, params: Option<Box<RawValue>>) -> Result<T, Error> {
        // Held until the answer is here: who calls, reads.
        let mut ear = self.ear.lock().await;
        let id = self.voice.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        self.voice.say(method, Some(id), params).await?;
        loop {
            let incoming = ear.read().await.ok_or_else(gone)?;
            let Some(incoming) = incoming.filter(|incoming| incoming.id == Some(id)) else { continue };
            return match (incoming.result, incoming.error) {
                (_, Some(error)) => Err(Error::Call(error)),
                (Some(result), None) => Ok(serde_json::from_str(result.get())?),
                (None, None) => Ok(serde_json::from_str("null")?),
            };
        }
    }
}

impl Voice {
    /// Stops a session's turn. Nothing is waited for.
    pub async fn interrupt(&self, session_id: &SessionId) {
        let params = serde_json::json!({"sessionId": session_id, "scope": "turn"});
        // A daemon that is gone has interrupted it.
        let _ = self.say("session/interrupt", None, raw(&params)).await;
    }

    async fn say(&self, method: &str, id: Option<i64>, params: Option<Box<RawValue>>) -> Result<(), Error> {
        let frame = envelope::framed(&Call { jsonrpc: "2.0", id, method, params });
        self.messages.send(frame).await.map_err(|_| gone())
    }
}

impl Ear {
    /// Reads up to the next message. What comes unasked is kept; an answer is given back. `None` when the daemon went away.
    async fn read(&mut self) -> Option<Option<Incoming>> {
        loop {
            while !self.unread.is_empty() {
                let (taken, frame) = self.frames.take(self.chunk.get(self.unread.clone()).unwrap_or_default());
                self.unread.start += taken;
                match frame {
                    Some(Frame::Body(body)) => return Some(self.sort(&body)),
                    Some(Frame::Bad(bad)) => tracing::warn!(%bad, "the daemon's frame cannot be read"),
                    None => {}
                }
            }
            let read = self.input.read(&mut self.chunk).await.ok().filter(|read| *read > 0)?;
            self.unread = 0..read;
        }
    }

    fn sort(&mut self, body: &[u8]) -> Option<Incoming> {
        let incoming: Incoming = match serde_json::from_slice(body) {
            Ok(incoming) => incoming,
            Err(error) => {
                tracing::warn!(%error, "the daemon's message cannot be read");
                return None;
            }
        };
        let Some(method) = &incoming.method else { return Some(incoming) };
        let params = incoming.params.as_deref().map_or("null", RawValue::get);
        let heard = match method.as_str() {
            notification::SESSION_UPDATE => serde_json::from_str(params).map(Heard::Update).ok(),
            notification::DAEMON_NOTICE => {
                serde_json::from_str(params).map(|notice: DaemonNotice| Heard::Notice(notice.text)).ok()
            }
            _ => None,
        };
        self.heard.extend(heard);
        None
    }
}

impl ClientT for Client {
    async fn notification<P: ToRpcParams + Send>(&self, method: &str, params: P) -> Result<(), Error> {
        self.voice.say(method, None, params.to_rpc_params()?).await
    }

    async fn request<R: DeserializeOwned, P: ToRpcParams + Send>(&self, method: &str, params: P) -> Result<R, Error> {
        self.call(method, params.to_rpc_params()?).await
    }

    async fn batch_request<'a, R: DeserializeOwned + std::fmt::Debug + 'a>(
        &self,
        _: BatchRequestBuilder<'a>,
    ) -> Result<BatchResponse<'a, R>, Error> {
        Err(Error::Custom("the language server protocol has no batches".to_owned()))
    }
}

fn raw(value: &serde_json::Value) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

fn gone() -> Error {
    Error::Transport("the daemon ended the connection".into())
}

#[cfg(test)]
mod tests;

//! The LSP door: one connection of a language client, over any pair of streams.
//!
//! Owns the reading and writing of one connection and the language server's own methods. It never waits for its client
//! anywhere but in writing, and writing holds up nothing else: answers are bounded by no longer reading, updates by the outbox.
//!
//! Everything of a connection runs in the one task that awaits [`serve`]; nothing is spawned, so nothing can be left behind.

mod editor;
mod plain;
mod sync;

use crate::config::Environment;
use crate::documents::Documents;
use crate::door::calls::{Calls, Stage, Taken};
use crate::door::envelope::{self, Failure, Message, code};
use crate::door::frame::{Frame, Frames};
use crate::door::outbox::{Out, OutboxReader, PAGE};
use crate::door::{Connection, Ended, GRACE, Peer};
use crate::hub::Hub;
use crate::text::position::Encoding;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, SinkExt};
use pilotfish_protocol::{
    DaemonNotice, FEATURES, Hunk, HunkList, PROTOCOL_VERSION, SessionChanged, SessionId, SessionUpdate, notification,
};
use plain::Plain;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::broadcast::error::RecvError;
use tower_lsp::jsonrpc::{Response, Result as LspResult};
use tower_lsp::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, DidChangeTextDocumentParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams, ExecuteCommandParams,
    InitializeParams, InitializeResult, InitializedParams, LSPAny, ServerCapabilities, ServerInfo,
    WorkDoneProgressCancelParams,
};
use tower_lsp::{Client, LanguageServer, LspService};

/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// Bytes of updates written at once, about.
const WRITE: usize = 64 << 10;

/// Requests that may be open before no more are read. Every method answers at once, so this is far away.
const MAX_OPEN: usize = 256;

/// The feature of a client that sends `editor/diagnostics`.
const REPORTS: &str = "diagnostics";

/// Serves one client until it leaves. Its sessions go on. `environment` is the client's.
pub async fn serve<I, O>(hub: Hub, environment: Environment, input: I, output: O) -> Ended
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let connection = Connection::new(hub, environment);
    let building = LspService::build(|client| Server::new(connection.clone(), client));
    // The library has no method of its own for this one.
    let (service, socket) = building.custom_method("window/workDoneProgress/cancel", Server::cancel_progress).finish();
    let plain = Arc::clone(&service.inner().plain);
    let (mut requests, mut responses) = tower_lsp::Loopback::split(socket);
    let mut calls = Calls::new(service, &connection);
    let reader = OutboxReader::new(connection.outbox.clone());
    let mut writer = Writer {
        connection: &connection,
        plain: &plain,
        reader,
        output,
        buffer: Vec::new(),
        reviewed: BTreeSet::new(),
    };
    let mut writing = std::pin::pin!(writer.run());
    let requesting = async {
        while let Some(request) = requests.next().await {
            connection.outbox.room().await;
            connection.outbox.answer(envelope::framed(&request));
        }
        std::future::pending::<()>().await;
    };
    let mut answer = |body: &[u8]| match serde_json::from_slice::<Response>(body) {
        Ok(response) => drop(responses.send(response).now_or_never()),
        Err(error) => tracing::debug!(%error, "an answer could not be read"),
    };
    let can_write = tokio::select! {
        // The client reads no more: nobody is left to serve.
        Err(error) = &mut writing => {
            tracing::debug!(connection = %connection.id, %error, "output closed");
            false
        }
        () = read(&connection, &mut calls, &mut answer, input) => true,
        () = watch_list(&connection) => true,
        () = watch_reviews(&connection, &plain) => true,
        () = plain.run() => true,
        () = connection.hub.over() => {
            connection.outbox.finish();
            true
        }
        () = requesting => true,
    };
    let attached = connection.outbox.sessions();
    connection.outbox.end();
    if can_write {
        // A client that no longer reads does not hold us up.
        let _ = tokio::time::timeout(GRACE, &mut writing).await;
    }
    connection.hub.workspaces().documents().leave(&connection.id);
    connection.leave(attached).await;
    if calls.stage() == Stage::ShutDown { Ended::ShutDown } else { Ended::Left }
}

/// Reads frames and carries out what they call, until the client leaves.
async fn read<I: AsyncRead + Unpin>(
    connection: &Connection,
    calls: &mut Calls<Server>,
    answer: &mut impl FnMut(&[u8]),
    mut input: I,
) {
    let outbox = &connection.outbox;
    let mut frames = Frames::default();
    let mut open: FuturesUnordered<BoxFuture<'static, Vec<u8>>> = FuturesUnordered::new();
    let mut chunk = vec![0; CHUNK];
    'reading: loop {
        let length = tokio::select! {
            biased;
            Some(frame) = open.next() => {
                outbox.answer(frame);
                continue;
            }
            read = input.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => length,
            }
        };
        let mut bytes = chunk.get(..length).unwrap_or_default();
        while !bytes.is_empty() {
            let (taken, frame) = frames.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            let Some(frame) = frame else { continue };
            match take(calls, answer, &frame) {
                Taken::Answered(frame) => outbox.answer(frame),
                Taken::Open(future) => open.push(future),
                Taken::Exit => break 'reading,
            }
            make_room(connection, &mut open).await;
        }
    }
    let rest = async {
        while let Some(frame) = open.next().await {
            outbox.answer(frame);
        }
    };
    let _ = tokio::time::timeout(GRACE, rest).await;
}

/// Waits until another call may be read.
async fn make_room(connection: &Connection, open: &mut FuturesUnordered<BoxFuture<'static, Vec<u8>>>) {
    while open.len() >= MAX_OPEN {
        if let Some(frame) = open.next().await {
            connection.outbox.answer(frame);
        }
    }
    connection.outbox.room().await;
}

/// Carries out what a frame holds; a frame that holds nothing good is answered, with no id as it has none.
fn take(calls: &mut Calls<Server>, answer: &mut impl FnMut(&[u8]), frame: &Frame) -> Taken {
    let failure = match frame {
        Frame::Bad(bad) => Failure::new(code::PARSE_ERROR, bad.to_string()),
        Frame::Body(body) => match Message::parse(body) {
            Ok(Message::Call(call)) => return calls.take(call),
            Ok(Message::Answer(_)) => {
                answer(body);
                return Taken::Answered(Vec::new());
            }
            Err(bad) => Failure::new(bad.code(), bad.to_string()),
        },
    };
    tracing::debug!(code = failure.code, message = failure.message, "bad frame");
    Taken::Answered(envelope::answer::<()>(None, Err(&failure)))
}

/// Passes on which sessions of the list change, to a client that asked for it.
async fn watch_list(connection: &Connection) {
    let mut changes = connection.hub.changes();
    loop {
        match changes.recv().await {
            Ok(session) if connection.opted_in() => connection.outbox.changed(&session),
            Ok(_) => {}
            // The next change of the same session says all of it again.
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "session list changes were missed"),
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Passes on whose hunks change, to whoever draws them.
async fn watch_reviews(connection: &Connection, plain: &Plain) {
    let mut changes = connection.hub.workspaces().reviewed();
    loop {
        match (changes.recv().await, connection.opted_in()) {
            (Ok(reviewed), true) => {
                let version = reviewed.versions.iter().find(|(client, _)| *client == connection.id);
                let version = version.map(|(_, version)| *version);
                connection.outbox.reviewed(reviewed, version);
            }
            (Ok(reviewed), false) => plain.reviewed(reviewed),
            (Err(RecvError::Lagged(_)), true) => connection.outbox.review_all(),
            (Err(RecvError::Lagged(_)), false) => plain.look_again(),
            (Err(RecvError::Closed), _) => return std::future::pending().await,
        }
    }
}

/// The one writer of a connection.
struct Writer<'a, O> {
    connection: &'a Connection,
    /// Takes the updates of a client that is not sent any.
    plain: &'a Plain,
    reader: OutboxReader,
    output: O,
    buffer: Vec<u8>,
    /// The files whose hunks the client was told, and that have some.
    reviewed: BTreeSet<String>,
}

impl<O: AsyncWrite + Unpin> Writer<'_, O> {
    /// Writes what the outbox says until it ends.
    async fn run(&mut self) -> io::Result<()> {
        while let Some(out) = self.reader.next().await {
            self.buffer.clear();
            self.add(out).await;
            while self.buffer.len() < WRITE
                && let Ok(out) = self.reader.try_next()
            {
                self.add(out).await;
            }
            self.output.write_all(&self.buffer).await?;
            self.output.flush().await?;
            self.buffer.shrink_to(WRITE * 2);
        }
        Ok(())
    }

    async fn add(&mut self, out: Out) {
        let hub = &self.connection.hub;
        match out {
            Out::Frame(frame) => self.buffer.extend_from_slice(&frame),
            Out::Update(update) => self.add_update(&update),
            Out::Changed(session) => {
                let changed = SessionChanged { session: *session };
                self.buffer.extend(envelope::notification(notification::SESSION_CHANGED, &changed));
            }
            Out::Reviewed(list) => self.add_review(&list),
            Out::ReviewAll => self.add_reviews().await,
            Out::Resend(session_id) => hub.session(&session_id).resend_open(self.connection.id.clone()),
            Out::CatchUp { session_id, after, attachment } => {
                match hub.journal().updates_after(&session_id, after, PAGE).await {
                    // The client attached anew meanwhile, and was told another beginning.
                    _ if !self.reader.is_current(&session_id, attachment) => {}
                    Ok(page) if !page.is_empty() => {
                        page.iter().for_each(|update| self.add_update(update));
                        let last = page.iter().filter_map(|update| update.seq).max();
                        self.reader.caught_up(&session_id, last.unwrap_or(after));
                    }
                    Ok(_) => self.give_up(&session_id, "they are not in the journal"),
                    Err(error) => self.give_up(&session_id, &error.to_string()),
                }
            }
        }
    }

    fn add_update(&mut self, update: &SessionUpdate) {
        if self.connection.opted_in() {
            self.buffer.extend(envelope::notification(notification::SESSION_UPDATE, update));
        } else {
            self.plain.take(update);
        }
    }

    fn add_review(&mut self, list: &HunkList) {
        let Some(uri) = &list.uri else { return };
        if list.hunks.is_empty() {
            self.reviewed.remove(uri);
        } else {
            self.reviewed.insert(uri.clone());
        }
        self.buffer.extend(envelope::notification(notification::REVIEW_CHANGED, list));
    }

    /// All files under review, and those that no longer are.
    async fn add_reviews(&mut self) {
        let mut files: BTreeMap<String, Vec<Hunk>> =
            self.reviewed.iter().map(|uri| (uri.clone(), Vec::new())).collect();
        for workspace in self.connection.hub.workspaces().all() {
            match workspace.hunks(None, Some(&self.connection.id)).await {
                Ok(hunks) => hunks.into_iter().for_each(|hunk| files.entry(hunk.uri.clone()).or_default().push(hunk)),
                Err(error) => tracing::warn!(root = %workspace.root(), %error, "could not list changes"),
            }
        }
        for (uri, hunks) in files {
            let version = hunks.first().and_then(|hunk| hunk.version);
            self.add_review(&HunkList { uri: Some(uri), version, hunks });
        }
    }

    /// Updates are missing and cannot be had: rather no updates than wrong ones.
    fn give_up(&mut self, session_id: &SessionId, why: &str) {
        self.connection.outbox.detach(session_id);
        if let Some(session) = self.connection.hub.loaded(session_id) {
            // It is on its way already; that it was done is of no interest.
            drop(session.detach(self.connection.id.clone()));
        }
        let text = format!("updates of session {session_id} could not be sent and it was detached: {why}");
        tracing::warn!(session = %session_id, why, "detached: updates are missing");
        if !self.connection.opted_in() {
            return self.plain.leave(session_id);
        }
        self.buffer.extend(envelope::notification(notification::DAEMON_NOTICE, &DaemonNotice { text }));
    }
}

/// The language server's own methods.
struct Server {
    connection: Connection,
    /// What a client gets that is none of ours.
    plain: Arc<Plain>,
    /// The way of requests and notifications to the client. Requests are to be awaited in tasks of their own, never dropped half way.
    client: Client,
    /// How the client counts columns, and what it takes; known once `initialize` was read.
    agreed: Arc<OnceLock<Agreed>>,
    /// Its person was told once that there is something to save.
    told: Arc<AtomicBool>,
}

/// What was settled with a client.
#[derive(Debug, Clone, Copy)]
struct Agreed {
    encoding: Encoding,
    /// It changes its texts when it is asked to.
    applies_edits: bool,
}

/// What a client of ours says of itself in `initializationOptions.pilotfish`.
#[derive(Deserialize)]
struct Hello {
    #[serde(default)]
    features: Vec<String>,
}

impl Server {
    fn new(connection: Connection, client: Client) -> Self {
        let plain = Arc::new(Plain::new(connection.clone(), client.clone()));
        Self { connection, plain, client, agreed: Arc::default(), told: Arc::default() }
    }

    async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.plain.cancel(&params);
    }

    fn documents(&self) -> &Documents {
        self.connection.hub.workspaces().documents()
    }

    fn encoding(&self) -> Encoding {
        self.agreed.get().map_or(Encoding::Utf16, |agreed| agreed.encoding)
    }

    fn applies_edits(&self) -> bool {
        self.agreed.get().is_some_and(|agreed| agreed.applies_edits)
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> LspResult<InitializeResult> {
        let hello = params.initialization_options.as_ref().and_then(|options| options.get("pilotfish"));
        // Announcing it at all is what counts; fields of another form than ours are as if they were absent.
        let features = hello
            .filter(|hello| !hello.is_null())
            .map(|hello| Hello::deserialize(hello).map_or_else(|_| Vec::new(), |hello| hello.features));
        let name = params.client_info.as_ref().map_or_else(
            || "a client without a name".to_owned(),
            |info| format!("{} {}", info.name, info.version.as_deref().unwrap_or_default()).trim_end().to_owned(),
        );
        let id = &self.connection.id;
        tracing::info!(connection = %id, client = name, ours = features.is_some(), "initialized");
        let mut capabilities = ServerCapabilities::default();
        // A client of ours draws all that itself, and may use the same command names.
        if features.is_none() {
            self.plain.meet(&params, &mut capabilities);
        }
        if features.iter().flatten().any(|feature| feature == REPORTS) {
            self.connection.hub.workspaces().documents().will_report(id);
        }
        let _ = self.connection.peer.set(Peer { name, features });
        let (encoding, position_encoding) = sync::encoding(&params.capabilities);
        let workspace = params.capabilities.workspace.as_ref();
        let applies_edits = workspace.and_then(|workspace| workspace.apply_edit).unwrap_or(false);
        let _ = self.agreed.set(Agreed { encoding, applies_edits });
        let experimental = serde_json::json!({
            "pilotfish": {
                "protocol": PROTOCOL_VERSION,
                "build": env!("CARGO_PKG_VERSION"),
                "features": FEATURES,
            }
        });
        capabilities.position_encoding = Some(position_encoding);
        capabilities.text_document_sync = Some(sync::capability());
        capabilities.experimental = Some(experimental);
        Ok(InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: "pilotfish".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.plain.begin();
    }

    async fn code_action(&self, params: CodeActionParams) -> LspResult<Option<CodeActionResponse>> {
        Ok(Some(self.plain.actions(&params)))
    }

    async fn code_lens(&self, params: CodeLensParams) -> LspResult<Option<Vec<CodeLens>>> {
        Ok(Some(self.plain.lenses(&params)))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> LspResult<Option<LSPAny>> {
        self.plain.execute(params).await.map(|()| None)
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.opened(params);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.changed(params);
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.saved(&params);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.closed(&params);
    }

    async fn shutdown(&self) -> LspResult<()> {
        Ok(())
    }
}

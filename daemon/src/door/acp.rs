//! The ACP door: one connection of an Agent Client Protocol client, wire version 1, one JSON message a line, over any pair of streams.
//!
//! Conversions only: clients' requests become verbs, updates become theirs, and no type of the protocol leaves here. A prompt's
//! request stays open for its turn, as the protocol wants it, but nothing waits for it: `prompts.rs` remembers it, and the
//! writer answers it behind the updates of its turn.
//!
//! Everything of a connection runs in the one task that awaits [`serve`]; nothing is spawned, so nothing can be left behind.

mod calls;
mod content;
mod desk;
mod files;
mod lines;
mod options;
mod permissions;
mod prompts;
mod tools;
mod view;
mod wire;
mod writer;

use crate::config::Environment;
use crate::door::envelope::{self, Failure, Message, code};
use crate::door::{Connection, Ended, GRACE};
use crate::hub::Hub;
use crate::session::{Given, Reply, SessionError, Spoken};
use desk::Desk;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use lines::{Line, Lines, MAX_LINE};
use permissions::Chosen;
use pilotfish_protocol::{Decision, SessionUpdate};
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::Notify;
use writer::Writer;

/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// Requests that may be open before no more are read; prompts that were taken are none of them.
const MAX_OPEN: usize = 256;

/// Between two tries of a verb that a session had no room for.
const PAUSE: Duration = Duration::from_millis(10);

/// A request that is being carried out, to its answer.
type Work = BoxFuture<'static, ()>;

/// What the methods of one connection work with. Clones are the same connection.
#[derive(Clone)]
struct Acp {
    connection: Connection,
    desk: Arc<Mutex<Desk>>,
    /// A prompt got its place.
    placed: Arc<Notify>,
    /// Known once `initialize` was read.
    client: Arc<OnceLock<Client>>,
}

/// What a client can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Client {
    notices: Notices,
    /// What it does with files for us, if anything.
    files: Option<files::Offer>,
}

/// How a client is told what is no part of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notices {
    /// It shows notices.
    Shown,
    /// It knows only messages.
    AsMessages,
}

/// Serves one client until it leaves. Its sessions go on, and so do their turns. `environment` is the client's.
pub async fn serve<I, O>(hub: Hub, environment: Environment, input: I, output: O) -> Ended
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let connection = Connection::new(hub, environment);
    let acp = Acp { connection, desk: Arc::default(), placed: Arc::default(), client: Arc::default() };
    let mut writer = Writer::new(acp.clone(), output);
    let mut writing = std::pin::pin!(writer.run());
    // The protocol has no goodbye: a client that closes its side is one that is done.
    let (can_write, ended) = tokio::select! {
        // The client reads no more: nobody is left to serve.
        Err(error) = &mut writing => {
            tracing::debug!(connection = %acp.connection.id, %error, "output closed");
            (false, Ended::Left)
        }
        () = read(&acp, input) => (true, Ended::ShutDown),
        () = acp.connection.hub.over() => {
            acp.tell_waiting();
            acp.connection.outbox.finish();
            (true, Ended::Left)
        }
    };
    acp.desk().prompts.clear();
    acp.placed.notify_waiters();
    acp.connection.hub.workspaces().documents().leave(&acp.connection.id);
    let attached = acp.connection.outbox.sessions();
    acp.connection.outbox.end();
    if can_write {
        // A client that no longer reads does not hold us up.
        let _ = tokio::time::timeout(GRACE, &mut writing).await;
    }
    acp.connection.leave(attached).await;
    ended
}

/// Reads lines and carries out what they call, until the client leaves.
async fn read<I: AsyncRead + Unpin>(acp: &Acp, mut input: I) {
    let outbox = &acp.connection.outbox;
    let mut lines = Lines::default();
    let mut open: FuturesUnordered<Work> = FuturesUnordered::new();
    let mut chunk = vec![0; CHUNK];
    'reading: loop {
        let length = tokio::select! {
            biased;
            Some(()) = open.next() => continue,
            read = input.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break 'reading,
                Ok(length) => length,
            }
        };
        let mut bytes = chunk.get(..length).unwrap_or_default();
        while !bytes.is_empty() {
            let (taken, line) = lines.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            let Some(line) = line else { continue };
            open.extend(take(acp, &line));
            make_room(acp, &mut open).await;
        }
    }
    let rest = async { while open.next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, rest).await;
    // What was answered is still sent.
    outbox.answer(Vec::new());
}

/// Waits until another line may be read. What is open goes on meanwhile: the writer may be waiting for it.
async fn make_room(acp: &Acp, open: &mut FuturesUnordered<Work>) {
    loop {
        tokio::select! {
            biased;
            () = acp.connection.outbox.room(), if open.len() < MAX_OPEN => return,
            Some(()) = open.next() => {}
        }
    }
}

/// Carries out what a line holds, as far as that goes without waiting. A line that holds nothing good is answered, with no id as
/// it has none.
fn take(acp: &Acp, line: &Line) -> Option<Work> {
    let failure = match line {
        Line::TooLong => {
            Failure::new(code::PARSE_ERROR, format!("the line is longer than the {MAX_LINE} bytes that are taken"))
        }
        Line::Whole(body) => match Message::parse(body.trim_ascii()) {
            Ok(Message::Call(call)) => {
                let mut work = acp.call(call)?;
                // All of it up to its first wait runs here, so calls take effect in the order in which they come.
                return match work.as_mut().now_or_never() {
                    Some(()) => None,
                    None => Some(work),
                };
            }
            Ok(Message::Answer(reply)) => {
                let mut work = acp.answered(&reply)?;
                return match work.as_mut().now_or_never() {
                    Some(()) => None,
                    None => Some(work),
                };
            }
            Err(bad) => Failure::new(bad.code(), bad.to_string()),
        },
    };
    tracing::debug!(code = failure.code, message = failure.message, "bad line");
    acp.connection.outbox.answer(envelope::answer_line::<()>(None, Err(&failure)));
    None
}

impl Acp {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing that can panic runs under the lock but a defect; the desk is then as good as it was.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client answered a question. When somebody else was first, or its turn was stopped, that is all there is to it.
    fn answered(&self, answer: &envelope::Reply<'_>) -> Option<Work> {
        let result = answer.result.map(RawValue::get);
        if self.desk().files.answered(answer.id.as_ref(), result) {
            return None;
        }
        let (approval, decision) = match self.desk().permissions.answered(answer.id.as_ref(), result)? {
            Chosen::Decision(approval, decision) => (approval, decision),
            Chosen::Reply(session_id, item, choice) => {
                let spoken = Spoken { choice, text: None, by: self.connection.id.clone() };
                let replied = self.connection.hub.session(&session_id).reply(item, spoken);
                return Some(replied.map(log_late).boxed());
            }
        };
        let acp = self.clone();
        let give = move |decision| {
            let given = Given { decision, note: None, by: acp.connection.id.clone() };
            acp.connection.hub.answer(std::slice::from_ref(&approval), &given)
        };
        let answering = give(decision);
        Some(
            async move {
                let outcome = match answering.await {
                    // The rule cannot be saved, but a yes it was.
                    Err(SessionError::NoSuchRule(why)) => {
                        tracing::warn!(why, "an answer counts once");
                        give(Decision::Once).await
                    }
                    outcome => outcome,
                };
                log_late(outcome);
            }
            .boxed(),
        )
    }

    /// The daemon ends, and with it the answers to prompts whose turns wait for the person: they go on in the next daemon.
    fn tell_waiting(&self) {
        let mut desk = self.desk();
        for session_id in desk.permissions.sessions() {
            let message = format!("pilotfish ended; load session {session_id} again, its question is still open");
            let failure = Failure::new(code::INTERNAL_ERROR, message);
            for id in desk.prompts.remove_all(&session_id).into_iter().filter(Option::is_some) {
                self.connection.outbox.answer(envelope::answer_line::<()>(id.as_ref(), Err(&failure)));
            }
        }
    }

    /// Waits until no prompt is on its way that an update may be the beginning of. Sessions answer prompts as soon as they took
    /// them, so this ends whatever the client does.
    async fn placed(&self, update: &SessionUpdate) {
        loop {
            let mut placed = std::pin::pin!(self.placed.notified());
            placed.as_mut().enable();
            if !self.desk().prompts.must_wait(update) {
                return;
            }
            placed.await;
        }
    }
}

/// Somebody else was first, or the turn was stopped.
fn log_late<T>(outcome: Result<T, SessionError>) {
    if let Err(error) = outcome {
        tracing::info!(%error, "an answer did not count");
    }
}

/// Sends a verb until the session takes it: one may have too much to do, or be about to leave memory.
async fn until_taken<T>(verb: impl Fn() -> Reply<T>) -> Result<T, SessionError> {
    let tries = async {
        loop {
            match verb().await {
                Err(SessionError::Overloaded(_) | SessionError::Closing(_)) => tokio::time::sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
    };
    // By then the session is stuck, and says so in other ways.
    match tokio::time::timeout(GRACE, tries).await {
        Ok(outcome) => outcome,
        Err(_) => verb().await,
    }
}

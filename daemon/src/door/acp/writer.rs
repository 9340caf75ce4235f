//! The one writer of a connection: it sends what the outbox says, in this protocol's words.
//!
//! Prompts are answered here, behind the updates of their turn, so that a client has all of a turn when it hears of its end.

use super::desk::Told;
use super::prompts::{Answer, cancelled};
use super::{Acp, options, until_taken, wire};
use crate::door::envelope::{self, Failure, code};
use crate::door::outbox::{Out, OutboxReader, PAGE};
use pilotfish_protocol::{SessionId, SessionUpdate};
use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bytes of updates written at once, about.
const WRITE: usize = 64 << 10;

/// The one writer of a connection.
pub(super) struct Writer<O> {
    acp: Acp,
    reader: OutboxReader,
    output: O,
    buffer: Vec<u8>,
}

impl<O: AsyncWrite + Unpin> Writer<O> {
    /// Of a connection, to its client.
    pub(super) fn new(acp: Acp, output: O) -> Self {
        let reader = OutboxReader::new(acp.connection.outbox.clone());
        Self { acp, reader, output, buffer: Vec::new() }
    }

    /// Writes what the outbox says until it ends.
    pub(super) async fn run(&mut self) -> io::Result<()> {
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
        match out {
            Out::Frame(frame) => self.buffer.extend_from_slice(&frame),
            Out::Update(update) => {
                let attachment = self.acp.desk().attachment(&update.session_id);
                self.add_update(&update, attachment).await;
            }
            // The protocol has no word for changes of a list.
            Out::Changed(_) | Out::Reviewed(_) | Out::ReviewAll => {}
            Out::Resend(session_id) => {
                let connection = &self.acp.connection;
                connection.hub.session(&session_id).resend_open(connection.id.clone());
            }
            Out::CatchUp { session_id, after, .. } => self.catch_up(&session_id, after).await,
        }
    }

    async fn catch_up(&mut self, session_id: &SessionId, after: u64) {
        let attachment = self.acp.desk().attachment(session_id);
        let page = self.acp.connection.hub.journal().updates_after(session_id, after, PAGE).await;
        match page {
            // The client opened it anew meanwhile; what was fetched is of the old attachment.
            _ if self.acp.desk().attachment(session_id) != attachment => {}
            Ok(page) if !page.is_empty() => {
                for update in &page {
                    self.add_update(update, attachment).await;
                }
                let last = page.iter().filter_map(|update| update.seq).max();
                if self.acp.desk().attachment(session_id) == attachment {
                    self.reader.caught_up(session_id, last.unwrap_or(after));
                }
            }
            Ok(_) => self.give_up(session_id, "they are not in the journal"),
            Err(error) => self.give_up(session_id, &error.to_string()),
        }
    }

    /// Adds what an update of an attachment says to the client.
    async fn add_update(&mut self, update: &SessionUpdate, attachment: Option<u64>) {
        self.acp.placed(update).await;
        let told = {
            let mut desk = self.acp.desk();
            if desk.attachment(&update.session_id) != attachment {
                return;
            }
            desk.take(update)
        };
        for told in told {
            match told {
                Told::Update(shown) => self.notify(&update.session_id, &shown),
                Told::Options(session) => {
                    let connection = &self.acp.connection;
                    let models = connection.hub.models(&connection.environment);
                    let config_options = options::config_options(&session, &models);
                    self.notify(&update.session_id, &wire::Update::ConfigOptions { config_options });
                }
                Told::Answer(answer) => self.answer(&update.session_id, answer).await,
                Told::Frame(frame) => self.buffer.extend(frame),
                Told::Closed => {
                    self.acp.connection.outbox.detach(&update.session_id);
                    self.acp.desk().close(&update.session_id);
                }
            }
        }
    }

    fn notify(&mut self, session_id: &SessionId, update: &wire::Update) {
        self.buffer.extend(update_line(session_id, update));
    }

    async fn answer(&mut self, session_id: &SessionId, answer: Answer) {
        let Answer { id, outcome, take_back } = answer;
        if let Some(queued_id) = take_back {
            // It is answered as not begun, so it must not begin. That it is gone from the queue already is as good.
            let hub = &self.acp.connection.hub;
            let _ = until_taken(|| hub.session(session_id).unqueue(queued_id.clone())).await;
        }
        if id.is_some() {
            self.buffer.extend(envelope::answer_line(id.as_ref(), outcome.as_ref()));
        }
    }

    /// Updates are missing and cannot be had: rather no updates than wrong ones.
    fn give_up(&mut self, session_id: &SessionId, why: &str) {
        tracing::warn!(session = %session_id, why, "detached: updates are missing");
        self.acp.connection.outbox.detach(session_id);
        let (waiting, prompts) = self.acp.desk().close(session_id);
        let message = format!("updates of session {session_id} could not be sent, load it again: {why}");
        let failure = Failure::new(code::INTERNAL_ERROR, message);
        for id in waiting.into_iter().chain(prompts).filter(Option::is_some) {
            self.buffer.extend(envelope::answer_line::<()>(id.as_ref(), Err(&failure)));
        }
    }
}

/// An update as it is sent.
pub(super) fn update_line(session_id: &SessionId, update: &wire::Update) -> Vec<u8> {
    envelope::notification_line(wire::SESSION_UPDATE, &wire::Notification { session_id, update })
}

/// The answer of a prompt that was cancelled, as it is sent.
pub(super) fn cancelled_line(id: Option<&crate::door::envelope::Id>) -> Vec<u8> {
    // Nobody waits for a notification's answer.
    id.map_or_else(Vec::new, |id| envelope::answer_line(Some(id), cancelled().as_ref()))
}

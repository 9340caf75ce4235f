//! Reading a session from JSON lines into the journal, as a new one, whole or not at all. Changes no session that is there.

use super::{FORMAT, Line};
use crate::clock::Clock;
use crate::journal::{Journal, JournalError};
use pilotfish_protocol::{ApprovalId, Decision, ItemId, Session, SessionId, Update};
use std::io::{BufRead, Read};

/// No line of ours comes near: items are capped, and outputs come in pieces.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// Updates are recorded when there are so many of them, or so many bytes.
const PAGE: usize = 200;
const PAGE_BYTES: usize = 1024 * 1024;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is not an exported session.
    #[error("line {line}: {why}; nothing was imported")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The text could not be read.
    #[error("line {line} cannot be read: {source}; nothing was imported")]
    Read {
        /// Which line, from 1.
        line: usize,
        /// The system's words.
        source: std::io::Error,
    },
    /// The journal could not take it.
    #[error("{0}; nothing was imported")]
    Journal(#[from] JournalError),
}

/// Records an exported session as a new one, and answers its id. Nobody finds it before it is whole.
///
/// # Errors
/// When the text cannot be read or is no exported session, or the journal fails. Nothing is imported then.
pub async fn import(journal: &Journal, clock: &Clock, from: impl BufRead) -> Result<SessionId, ImportError> {
    let mut lines = Lines { from, number: 0, bytes: 0 };
    let header = match lines.next()? {
        Some(Line { pilotfish: Some(FORMAT), session: Some(session), .. }) => session,
        Some(Line { pilotfish: Some(version), .. }) if version != FORMAT => {
            return Err(lines.wrong(format!("this is version {version} of the format, and only {FORMAT} is known")));
        }
        _ => return Err(lines.wrong("an exported session begins with {\"pilotfish\":1,\"session\":{…}}")),
    };
    let session = Session { id: clock.session_id(), ..header };
    journal.create_hidden(&session, &clock.now()).await?;
    let imported = Importing::new(journal, &session).all(lines).await;
    journal.finish_hidden(&session.id, imported).await?;
    Ok(session.id)
}

/// The rest of an import, once the header is recorded.
struct Importing<'a> {
    journal: &'a Journal,
    session: &'a Session,
    /// Read and not recorded yet.
    updates: Vec<Update>,
    bytes: usize,
    seq: u64,
    queue_waits: bool,
    /// Questions that nobody here can answer: their names are another session's.
    asking: Vec<ApprovalId>,
    output: Option<ItemId>,
}

impl<'a> Importing<'a> {
    fn new(journal: &'a Journal, session: &'a Session) -> Self {
        Self {
            journal,
            session,
            updates: Vec::new(),
            bytes: 0,
            seq: 0,
            queue_waits: false,
            asking: Vec::new(),
            output: None,
        }
    }

    async fn all<R: BufRead>(mut self, mut lines: Lines<R>) -> Result<(), ImportError> {
        while let Some(line) = lines.next()? {
            match line {
                Line { seq: Some(seq), update: Some(update), .. } if self.output.is_none() => {
                    self.update(seq, update).map_err(|why| lines.wrong(why))?;
                    self.bytes += lines.bytes;
                    if self.updates.len() >= PAGE || self.bytes >= PAGE_BYTES {
                        self.record().await?;
                    }
                }
                Line { item_id: Some(item_id), output: Some(output), .. } => {
                    self.output(item_id, output).await?;
                }
                Line { update: Some(_), seq: Some(_), .. } => {
                    return Err(lines.wrong("an update must not come after an output"));
                }
                _ => return Err(lines.wrong("this is neither an update nor an output")),
            }
        }
        if self.queue_waits {
            self.updates.push(Update::QueueChanged { queue: Vec::new() });
        }
        let closed = |approval_id| Update::ApprovalClosed { approval_id, by: None, decision: Decision::Deny };
        self.updates.extend(self.asking.drain(..).map(closed));
        self.record().await?;
        // Its own updates need not tell all that the header tells.
        Ok(self.journal.save(self.session).await?)
    }

    fn update(&mut self, seq: u64, update: Update) -> Result<(), String> {
        if seq <= self.seq {
            return Err(format!("seq {seq} must not come after seq {}", self.seq));
        }
        match &update {
            Update::ItemDelta { .. } | Update::StatusChanged { .. } | Update::DraftChanged { .. } => {
                return Err("this is not an update that is recorded".to_owned());
            }
            Update::QueueChanged { queue } => self.queue_waits = !queue.is_empty(),
            Update::ApprovalOpened { approval } => self.asking.push(approval.id.clone()),
            Update::ApprovalClosed { approval_id, .. } => self.asking.retain(|asked| asked != approval_id),
            Update::TurnEnded { .. } => self.asking.clear(),
            _other => {}
        }
        self.seq = seq;
        self.updates.push(update);
        Ok(())
    }

    async fn output(&mut self, item_id: ItemId, output: String) -> Result<(), ImportError> {
        self.journal.extend_output(&self.session.id, &item_id, output).await?;
        self.output = Some(item_id);
        Ok(())
    }

    async fn record(&mut self) -> Result<(), ImportError> {
        self.bytes = 0;
        let updates = std::mem::take(&mut self.updates);
        if !updates.is_empty() {
            self.journal.append(&self.session.id, updates, &self.session.updated_at).await?;
        }
        Ok(())
    }
}

/// The text, line by line.
struct Lines<R> {
    from: R,
    /// The last line that was read, from 1, and its length.
    number: usize,
    bytes: usize,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not empty; `None` at the end.
    fn next(&mut self) -> Result<Option<Line>, ImportError> {
        let mut text = Vec::new();
        loop {
            self.number += 1;
            text.clear();
            let mut limited = (&mut self.from).take(MAX_LINE);
            let read = limited.read_until(b'\n', &mut text);
            self.bytes = read.map_err(|source| ImportError::Read { line: self.number, source })?;
            if self.bytes == 0 {
                return Ok(None);
            }
            if limited.limit() == 0 && !text.ends_with(b"\n") {
                return Err(self.wrong(format!("it is longer than {} MiB", MAX_LINE >> 20)));
            }
            if !text.trim_ascii().is_empty() {
                return serde_json::from_slice(&text).map(Some).map_err(|error| self.wrong(reason(&error)));
            }
        }
    }

    fn wrong(&self, why: impl Into<String>) -> ImportError {
        ImportError::Line { line: self.number, why: why.into() }
    }
}

/// What is wrong with a line, without a number of lines that counts within it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line 1 column ") {
        Some((why, column)) => format!("{why} (column {column})"),
        None => text,
    }
}

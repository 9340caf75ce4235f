//! A session's updates, in order, for a reader that may be slow: the session is never made to wait, memory does not grow, and no
//! durable update is missed, because what did not fit is read from the journal.

use crate::journal::{Journal, JournalError};
use crate::session::Outlet;
use pilotfish_protocol::{SessionId, SessionUpdate};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Updates that wait for the reader.
const QUEUE: usize = 512;

/// Updates read from the journal at once.
const PAGE: usize = 256;

/// What the reader gets.
#[derive(Debug)]
pub(super) enum Fed {
    /// The next update.
    Update(Box<SessionUpdate>),
    /// Updates that are not durable were lost here; open items show less than there is until they end.
    Lagged,
}

/// The session's end.
pub(super) struct Inlet {
    updates: mpsc::Sender<SessionUpdate>,
    lost: Arc<AtomicBool>,
}

/// The reader's end.
pub(super) struct Feed {
    updates: mpsc::Receiver<SessionUpdate>,
    lost: Arc<AtomicBool>,
    journal: Journal,
    session: SessionId,
    seq: u64,
    /// Read from the journal, not yet handed out.
    ready: VecDeque<SessionUpdate>,
    /// Came after a gap, to be handed out behind what fills it.
    held: Option<SessionUpdate>,
    /// Whether the journal may have more than was read.
    behind: bool,
}

/// Both ends, for the updates of a session after its `seq`.
pub(super) fn feed(journal: Journal, session: SessionId, seq: u64) -> (Arc<Inlet>, Feed) {
    let (sender, updates) = mpsc::channel(QUEUE);
    let lost = Arc::<AtomicBool>::default();
    let inlet = Arc::new(Inlet { updates: sender, lost: lost.clone() });
    (inlet, Feed { updates, lost, journal, session, seq, ready: VecDeque::new(), held: None, behind: false })
}

impl Outlet for Inlet {
    fn send(&self, update: &SessionUpdate) {
        if self.updates.try_send(update.clone()).is_err() {
            self.lost.store(true, Ordering::Release);
        }
    }
}

impl Feed {
    /// The next one. `None` when the session let go of its end.
    pub(super) async fn next(&mut self) -> Result<Option<Fed>, JournalError> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(Some(self.hand_out(update)));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.held.take() {
                // It was in the journal already.
                Some(held) if held.seq.is_some_and(|seq| seq <= self.seq) => continue,
                Some(held) if held.seq.is_some_and(|seq| seq > self.seq + 1) => {
                    self.catch_up().await?;
                    if self.ready.is_empty() {
                        // The journal has no more either: what it holds is all there is.
                        return Ok(Some(self.hand_out(held)));
                    }
                    self.held = Some(held);
                    continue;
                }
                Some(held) => return Ok(Some(self.hand_out(held))),
                None => {}
            }
            // What was lost lies behind all that waits, so it is looked for when nothing does.
            if self.updates.is_empty() && self.lost.swap(false, Ordering::AcqRel) {
                self.behind = true;
                return Ok(Some(Fed::Lagged));
            }
            let Some(update) = self.updates.recv().await else { return Ok(None) };
            match update.seq {
                Some(_) => self.held = Some(update),
                None => return Ok(Some(Fed::Update(Box::new(update)))),
            }
        }
    }

    fn hand_out(&mut self, update: SessionUpdate) -> Fed {
        self.seq = update.seq.unwrap_or(self.seq);
        Fed::Update(Box::new(update))
    }

    /// Reads the next page of what was missed.
    async fn catch_up(&mut self) -> Result<(), JournalError> {
        let page = self.journal.updates_after(&self.session, self.seq, PAGE).await?;
        self.behind = !page.is_empty();
        self.ready.extend(page);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

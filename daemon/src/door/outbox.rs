//! What a connection still has to send. Bounded: of its sessions a slow reader is brought up to date from the journal,
//! never waited for.
//!
//! Owns the queues between sessions, answers and one writer, the merging and pacing of deltas, and the account of what was
//! sent. Answers come before updates, so that an attachment's answer comes before what it announces.
//! It never reads the journal and never writes to the client: [`OutboxReader::next`] says what to send, and what to fetch.
//!
//! What must stay true: folding what the reader yields, with each [`Out::CatchUp`] and [`Out::Resend`] obeyed, ends in the same
//! transcript as folding everything the session sent.

mod feed;

use crate::path::AbsPath;
use crate::session::Outlet;
use crate::workspace::Reviewed;
use feed::{Feed, Next};
use pilotfish_protocol::{Attached, Hunk, HunkList, Session, SessionId, SessionUpdate};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bytes of updates held for one connection before a session is sent from the journal instead.
const MAX_BYTES: usize = 2 << 20;

/// Bytes of answers held before no more requests are read.
const MAX_ANSWERS: usize = 4 << 20;

/// Updates held for one session of a connection, likewise.
const MAX_UPDATES: usize = 4096;

/// Files whose hunks wait to be sent, at most. With more they are dropped, and all files are listed anew.
const MAX_REVIEWED: usize = 4096;

/// The least time between two deltas of an item: 30 a second.
const DELTA_PACE: Duration = Duration::from_millis(33);

/// Durable updates fetched at once when a session is behind.
pub(crate) const PAGE: usize = 100;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Out {
    /// Send these bytes, a whole frame.
    Frame(Vec<u8>),
    /// Send it.
    Update(Box<SessionUpdate>),
    /// Fetch up to [`PAGE`] durable updates after `after` from the journal, send them, and tell [`OutboxReader::caught_up`].
    CatchUp {
        /// Whose.
        session_id: SessionId,
        /// The last one that was sent.
        after: u64,
        /// For which attachment: what was fetched for an earlier one is dropped.
        attachment: u64,
    },
    /// Ask the session to send its open items again, as they are.
    Resend(SessionId),
    /// Send word that a session of the list changed.
    Changed(Box<Session>),
    /// Send the hunks of a file, all of them.
    Reviewed(Box<HunkList>),
    /// List the hunks of all files that are under review, and send them.
    ReviewAll,
}

/// The queues of one connection. Sessions push through the [`Tap`] they were given; one [`OutboxReader`] takes.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queues: Mutex<Queues>,
    /// There may be something to read.
    ready: Notify,
    /// There may be room for answers again.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    frames: VecDeque<Vec<u8>>,
    frame_bytes: usize,
    feeds: BTreeMap<SessionId, Feed>,
    /// Sessions that may have something, each once, the one served longest ago first.
    turn: VecDeque<SessionId>,
    /// The latest word on sessions of the list.
    changed: BTreeMap<SessionId, Box<Session>>,
    /// The latest word on files under review.
    reviewed: BTreeMap<AbsPath, (Option<i32>, Arc<[Hunk]>)>,
    /// Words on files were lost.
    review_all: bool,
    /// All that feeds hold.
    bytes: usize,
    taps: u64,
    ended: bool,
}

/// Where a session pushes its updates for one attachment. After the connection attached anew, the old tap leads nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Tap {
    outbox: Arc<Outbox>,
    session_id: SessionId,
    number: u64,
}

impl Outbox {
    /// An empty one.
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Begins to collect a session's updates. None is read before [`Tap::open`] and the next [`Outbox::answer`].
    pub(crate) fn attach(self: &Arc<Self>, session_id: &SessionId) -> Tap {
        let mut queues = self.lock();
        queues.taps += 1;
        let number = queues.taps;
        queues.remove(session_id);
        if queues.ended {
            return Tap { outbox: Arc::clone(self), session_id: session_id.clone(), number };
        }
        queues.feeds.insert(session_id.clone(), Feed::new(number));
        Tap { outbox: Arc::clone(self), session_id: session_id.clone(), number }
    }

    /// Forgets a session and what is held of it.
    pub(crate) fn detach(&self, session_id: &SessionId) {
        self.lock().remove(session_id);
    }

    /// Takes an answer, or any frame of ours that keeps its place among them. Attachments that were opened before it may be
    /// read after it. An empty frame, for what needs no answer, is not sent.
    pub(crate) fn answer(&self, frame: Vec<u8>) {
        let mut queues = self.lock();
        let mut news = !frame.is_empty();
        if news {
            queues.frame_bytes += frame.len();
            queues.frames.push_back(frame);
        }
        let opened: Vec<SessionId> = queues
            .feeds
            .iter_mut()
            .filter_map(|(session_id, feed)| feed.release().then(|| session_id.clone()))
            .collect();
        for session_id in &opened {
            queues.enlist(session_id);
            news = true;
        }
        drop(queues);
        if news {
            self.ready.notify_one();
        }
    }

    /// Takes a request of ours that belongs to no answer: it lets no attachment be read, also none whose answer is just being written.
    pub(crate) fn ask(&self, frame: Vec<u8>) {
        let mut queues = self.lock();
        queues.frame_bytes += frame.len();
        queues.frames.push_back(frame);
        drop(queues);
        self.ready.notify_one();
    }

    /// Waits until there is room for more answers. The wait may be given up.
    pub(crate) async fn room(&self) {
        if self.lock().frame_bytes <= MAX_ANSWERS {
            return;
        }
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            if self.lock().frame_bytes <= MAX_ANSWERS {
                return;
            }
            room.await;
        }
    }

    /// Nothing more will come, as the daemon ends: [`OutboxReader::next`] ends after all that is here, so that clients hear how
    /// their turns ended.
    pub(crate) fn finish(&self) {
        self.lock().ended = true;
        self.ready.notify_one();
    }

    /// Nothing more will come, as the client leaves: [`OutboxReader::next`] ends after the answers that are here. After
    /// [`finish`](Self::finish) it changes nothing.
    pub(crate) fn end(&self) {
        let mut queues = self.lock();
        if std::mem::replace(&mut queues.ended, true) {
            return;
        }
        queues.feeds.clear();
        queues.turn.clear();
        queues.changed.clear();
        queues.reviewed.clear();
        queues.review_all = false;
        queues.bytes = 0;
        drop(queues);
        self.ready.notify_one();
    }

    /// Holds the latest word on a session of the list.
    pub(crate) fn changed(&self, session: &Session) {
        let mut queues = self.lock();
        if queues.ended {
            return;
        }
        queues.changed.insert(session.id.clone(), Box::new(session.clone()));
        drop(queues);
        self.ready.notify_one();
    }

    /// Holds the latest word on a file under review, with the version that the client's text of it has, if it shows what was reviewed.
    pub(crate) fn reviewed(&self, reviewed: Reviewed, version: Option<i32>) {
        let mut queues = self.lock();
        if queues.ended || queues.review_all {
            return;
        }
        queues.reviewed.insert(reviewed.root.join(&reviewed.path), (version, reviewed.hunks));
        if queues.reviewed.len() > MAX_REVIEWED {
            queues.reviewed.clear();
            queues.review_all = true;
        }
        drop(queues);
        self.ready.notify_one();
    }

    /// Has the hunks of all files sent, as words on some were lost.
    pub(crate) fn review_all(&self) {
        let mut queues = self.lock();
        if queues.ended {
            return;
        }
        queues.reviewed.clear();
        queues.review_all = true;
        drop(queues);
        self.ready.notify_one();
    }

    /// The sessions this connection is attached to.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.lock().feeds.keys().cloned().collect()
    }

    /// The last durable update that a session gave for this connection, sent or not.
    pub(crate) fn pushed(&self, session_id: &SessionId) -> Option<u64> {
        self.lock().feeds.get(session_id).map(Feed::pushed)
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        // Nothing that can panic runs under the lock; if it did, what is held is still whole updates.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn remove(&mut self, session_id: &SessionId) {
        if let Some(feed) = self.feeds.remove(session_id) {
            self.bytes -= feed.bytes();
        }
        self.turn.retain(|listed| listed != session_id);
    }

    fn enlist(&mut self, session_id: &SessionId) {
        let Some(feed) = self.feeds.get_mut(session_id) else { return };
        if feed.enlist() {
            self.turn.push_back(session_id.clone());
        }
    }
}

impl Tap {
    /// Says what the attachment's answer contained: updates go on after it, or after `after_seq` if that is earlier.
    pub(crate) fn open(&self, attached: &Attached, after_seq: Option<u64>) {
        let mut queues = self.outbox.lock();
        if let Some(feed) = queues.feeds.get_mut(&self.session_id).filter(|feed| feed.number() == self.number) {
            let before = feed.bytes();
            feed.open(attached, after_seq);
            let after = feed.bytes();
            queues.bytes = queues.bytes - before + after;
        }
    }

    /// Gives the attachment up, as it failed.
    pub(crate) fn close(&self) {
        let mut queues = self.outbox.lock();
        if queues.feeds.get(&self.session_id).is_some_and(|feed| feed.number() == self.number) {
            queues.remove(&self.session_id);
        }
    }
}

impl Outlet for Tap {
    fn send(&self, update: &SessionUpdate) {
        let mut queues = self.outbox.lock();
        let room = MAX_BYTES.saturating_sub(queues.bytes);
        let Some(feed) = queues.feeds.get_mut(&self.session_id).filter(|feed| feed.number() == self.number) else {
            return;
        };
        let before = feed.bytes();
        let wakes = feed.push(update, room, MAX_UPDATES);
        let after = feed.bytes();
        queues.bytes = queues.bytes - before + after;
        if wakes {
            queues.enlist(&self.session_id);
            drop(queues);
            self.outbox.ready.notify_one();
        }
    }
}

/// The one reader of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct OutboxReader {
    outbox: Arc<Outbox>,
}

impl OutboxReader {
    /// Reads from `outbox`, which has no other reader.
    pub(crate) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox }
    }

    /// Waits until there is something to do; `None` at the end. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Option<Out> {
        loop {
            let due = match self.try_next() {
                Ok(out) => return Some(out),
                Err(due) => due,
            };
            if self.outbox.lock().ended {
                return None;
            }
            let ready = self.outbox.ready.notified();
            match due {
                Some(due) => drop(tokio::time::timeout_at(due, ready).await),
                None => ready.await,
            }
        }
    }

    /// What can be done at once; otherwise when a held delta is due.
    pub(crate) fn try_next(&mut self) -> Result<Out, Option<Instant>> {
        let mut queues = self.outbox.lock();
        if let Some(frame) = queues.frames.pop_front() {
            queues.frame_bytes -= frame.len();
            if queues.frame_bytes <= MAX_ANSWERS {
                self.outbox.room.notify_waiters();
            }
            return Ok(Out::Frame(frame));
        }
        if let Some((_, session)) = queues.changed.pop_first() {
            return Ok(Out::Changed(session));
        }
        if std::mem::take(&mut queues.review_all) {
            return Ok(Out::ReviewAll);
        }
        if let Some((file, (version, hunks))) = queues.reviewed.pop_first() {
            let hunks = hunks.iter().map(|hunk| Hunk { version, ..hunk.clone() }).collect();
            let list = HunkList { uri: Some(file.to_uri()), version, hunks };
            return Ok(Out::Reviewed(Box::new(list)));
        }
        let now = Instant::now();
        let mut earliest: Option<Instant> = None;
        for _ in 0..queues.turn.len() {
            let Some(session_id) = queues.turn.pop_front() else { break };
            let Some(feed) = queues.feeds.get_mut(&session_id) else { continue };
            let (attachment, before) = (feed.number(), feed.bytes());
            let next = feed.next(now, DELTA_PACE);
            let after = feed.bytes();
            queues.bytes = queues.bytes - before + after;
            let out = match next {
                Next::Nothing => continue,
                Next::Later(due) => {
                    earliest = Some(earliest.map_or(due, |earliest| earliest.min(due)));
                    queues.turn.push_back(session_id);
                    continue;
                }
                Next::Update(update) => Out::Update(update),
                Next::CatchUp { after } => Out::CatchUp { session_id: session_id.clone(), after, attachment },
                Next::Resend => Out::Resend(session_id.clone()),
            };
            queues.turn.push_back(session_id);
            return Ok(out);
        }
        Err(earliest)
    }

    /// Whether an attachment is the latest one of its session still.
    pub(crate) fn is_current(&self, session_id: &SessionId, attachment: u64) -> bool {
        self.outbox.lock().feeds.get(session_id).is_some_and(|feed| feed.number() == attachment)
    }

    /// The durable updates up to `seq` were sent, as [`Out::CatchUp`] asked.
    pub(crate) fn caught_up(&mut self, session_id: &SessionId, seq: u64) {
        if let Some(feed) = self.outbox.lock().feeds.get_mut(session_id) {
            feed.caught_up(seq);
        }
    }
}

#[cfg(test)]
mod tests;

//! The record: what happened in each session, in order, for good. One thread owns the SQLite database; a [`Journal`] is
//! a handle that asks it. A seq is assigned here and nowhere else, and what was answered is committed. The journal never
//! decides what is recorded, never sends anything to a client, and never edits or takes back an update.

mod append;
mod checkpoints;
mod collect;
mod error;
mod fork;
mod items;
mod output;
mod salvage;
mod schema;
mod search;
mod sessions;
mod spent;
mod worker;

#[cfg(test)]
mod tests;

pub use checkpoints::{Mark, ReviewRow, TouchedRow};
pub use error::{Cause, JournalError};
pub use salvage::SetAside;

use pilotfish_protocol::{
    Approval, ContextUse, Item, ItemId, ItemPage, OutputPage, Plan, Queued, Session, SessionId, SessionList,
    SessionUpdate, StopReason, TurnId, Update, Usage,
};
use rusqlite::Connection;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

use append::Entry;
use items::{Page, Record};
use worker::{Access, Location, Message, Request, Worker};

/// How many requests may wait; a further one waits for its place.
const QUEUE_LENGTH: usize = 256;

/// A session as the journal knows it, its transcript apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its header.
    pub session: Session,
    /// Its last update; 0 if it has none.
    pub seq: u64,
    /// The turn that started and has not ended.
    pub turn_id: Option<TurnId>,
    /// How the last turn that ended did so.
    pub stop: Option<StopReason>,
    /// What somebody has typed and not sent.
    pub draft: String,
    /// Prompts that wait.
    pub queue: Vec<Queued>,
    /// The model's plan.
    pub plan: Plan,
    /// Tokens so far.
    pub usage: Usage,
    /// What the model's context is made of.
    pub context: ContextUse,
    /// Questions that opened and are not answered, in their order.
    pub approvals: Vec<Approval>,
}

/// Which sessions a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionFilter {
    /// The folder whose sessions come first.
    pub workspace: Option<String>,
    /// Words that a message or the title must hold, the last one maybe unfinished.
    pub query: Option<String>,
    /// Where the page before this one ended.
    pub cursor: Option<String>,
    /// Shows the archived sessions in the stead of the others.
    pub archived: bool,
    /// The most sessions to answer, at least 1 and at most 200.
    pub limit: usize,
}

/// A handle of the journal; clones share it. When the last one is dropped, the database is closed first.
///
/// A request that was sent is carried out, also when its future is dropped before the answer.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Thread>);

#[derive(Debug)]
struct Thread {
    messages: Option<mpsc::Sender<Message>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
        {
            tracing::error!("journal thread panicked");
        }
    }
}

impl Journal {
    /// Starts to open `journal.sqlite3` in `directory`, making both if they are missing, and answers at once. What is
    /// wrong with them is said by [`ready`](Self::ready) and by each request, and tried again at the next one. A damaged
    /// database is set aside; see [`set_aside`](Self::set_aside).
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        Self::start(Location::Directory(directory.to_owned()))
            .map_err(|source| Cause::File { path: directory.to_owned(), source })
            .map_err(named("start the journal's thread"))
    }

    /// A journal that is gone with its last handle.
    pub fn in_memory() -> Result<Self, JournalError> {
        Self::start(Location::Memory)
            .map_err(|source| Cause::File { path: ":memory:".into(), source })
            .map_err(named("start the journal's thread"))
    }

    fn start(location: Location) -> std::io::Result<Self> {
        let (messages, received) = mpsc::channel(QUEUE_LENGTH);
        let worker = Worker::new(location);
        let handle = std::thread::Builder::new().name("journal".to_owned()).spawn(|| worker.run(received))?;
        Ok(Self(Arc::new(Thread { messages: Some(messages), handle: Some(handle) })))
    }

    /// Waits until the journal is open.
    pub async fn ready(&self) -> Result<(), JournalError> {
        self.request(Access::Read, |_| Ok(())).await.map_err(named("open the journal"))
    }

    /// The damaged databases that were set aside since this was last asked.
    pub async fn set_aside(&self) -> Vec<SetAside> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::SetAside(reply)).await;
        answer.await.unwrap_or_default()
    }

    /// Records a new session.
    pub async fn create(&self, session: &Session) -> Result<(), JournalError> {
        let session = session.clone();
        let attempt = named(format!("record session {}", session.id));
        self.request(Access::Write, move |connection| sessions::create(connection, &session)).await.map_err(attempt)
    }

    /// Records a session's header anew, but for `updated_at` and `archived`, which [`append`](Self::append) and
    /// [`archive`](Self::archive) own.
    pub async fn save(&self, session: &Session) -> Result<(), JournalError> {
        let session = session.clone();
        let attempt = named(format!("save session {}", session.id));
        self.request(Access::Write, move |connection| sessions::save(connection, &session)).await.map_err(attempt)
    }

    /// Appends updates, all or none, and answers their seqs: they follow one another and whatever was there, from 1
    /// without gaps. `at` (RFC 3339) becomes the session's `updated_at`. Mode, model and title go into the header too.
    /// Deltas, statuses and drafts are refused.
    pub async fn append(
        &self,
        session_id: &SessionId,
        updates: Vec<Update>,
        at: &str,
    ) -> Result<RangeInclusive<u64>, JournalError> {
        let attempt = named(format!("append to session {session_id}"));
        if updates.is_empty() {
            return Err(attempt(Cause::Empty));
        }
        // Written down here, so that the thread all sessions share does not have to.
        let entries = match updates.into_iter().map(Entry::new).collect::<Result<Vec<Entry>, Cause>>() {
            Ok(entries) => entries,
            Err(cause) => return Err(attempt(cause)),
        };
        let (session_id, at) = (session_id.clone(), at.to_owned());
        let work = move |connection: &Connection| append::append(connection, &session_id, &entries, &at);
        self.request(Access::Write, work).await.map_err(attempt)
    }

    /// What a session needs to go on; `None` if there is none of this id or it was deleted.
    pub async fn session(&self, session_id: &SessionId) -> Result<Option<Stored>, JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("read session {session_id}")));
        self.request(Access::Read, move |connection| sessions::session(connection, &id)).await.map_err(attempt)
    }

    /// The sessions whose id is `id`, or begins so if there is none; at most two, as more than one is none in particular.
    /// Deleted ones are not among them.
    pub async fn named(&self, id: &str) -> Result<Vec<SessionId>, JournalError> {
        let (attempt, id) = (named(format!("look for session {id}")), id.to_owned());
        self.request(Access::Read, move |connection| sessions::named(connection, &id)).await.map_err(attempt)
    }

    /// A page of sessions: the asked workspace's first, the latest first. Deleted ones are not shown.
    pub async fn sessions(&self, filter: SessionFilter) -> Result<SessionList, JournalError> {
        let attempt = named("list sessions");
        self.request(Access::Read, move |connection| sessions::list(connection, &filter)).await.map_err(attempt)
    }

    /// The sessions in which a prompt waits that starts by itself: none runs, and the last turn was not stopped and did
    /// not fail. Deleted ones are not among them.
    pub async fn waiting(&self) -> Result<Vec<SessionId>, JournalError> {
        self.request(Access::Read, sessions::waiting).await.map_err(named("list the sessions that wait"))
    }

    /// The sessions that ask the person something. Deleted ones are not among them.
    pub async fn asking(&self) -> Result<Vec<SessionId>, JournalError> {
        self.request(Access::Read, sessions::asking).await.map_err(named("list the sessions that ask"))
    }

    /// The updates after `after_seq`, in order; at most `limit`, and fewer when they are large. An empty page is the end.
    pub async fn updates_after(
        &self,
        session_id: &SessionId,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<SessionUpdate>, JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("read updates of session {session_id}")));
        let work = move |connection: &Connection| items::updates_after(connection, &id, after_seq, limit);
        let page = self.request(Access::Read, work).await;
        let read = |record: &Record| {
            let update = serde_json::from_str(&record.body)?;
            Ok(SessionUpdate { session_id: session_id.clone(), seq: Some(record.seq()), update })
        };
        page.and_then(|page| page.records.iter().map(read).collect()).map_err(attempt)
    }

    /// A page of items, each once in its latest state, the oldest first: those before `before`, or the newest. At most
    /// `limit`, and fewer when they are large.
    pub async fn items(
        &self,
        session_id: &SessionId,
        before: Option<ItemId>,
        limit: u32,
    ) -> Result<ItemPage, JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("read items of session {session_id}")));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let work = move |connection: &Connection| items::items(connection, &id, before.as_ref(), limit);
        let page = self.request(Access::Read, work).await;
        let read = |page: Page| {
            let mut items = read_items(&page.records)?;
            items.reverse();
            let before = items.first().filter(|_| page.more).map(|item| item.id.clone());
            Ok(ItemPage { items, before })
        };
        page.and_then(read).map_err(attempt)
    }

    /// An item in its latest state, and whether it is open; `None` if the session has none of this id.
    pub async fn item(&self, session_id: &SessionId, item_id: &ItemId) -> Result<Option<(Item, bool)>, JournalError> {
        let attempt = named(format!("read item {item_id} of session {session_id}"));
        let (id, item_id) = (session_id.clone(), item_id.clone());
        let found = self.request(Access::Read, move |connection| items::item(connection, &id, &item_id)).await;
        let read = |found: Option<(Record, bool)>| {
            let Some((record, open)) = found else { return Ok(None) };
            Ok(read_items(&[record])?.pop().map(|item| (item, open)))
        };
        found.and_then(read).map_err(attempt)
    }

    /// All items of a session in their latest states, in the order in which these were recorded: of items that have ended, the order of
    /// their ends. Read page by page: other requests are served in between.
    pub async fn history(&self, session_id: &SessionId) -> Result<Vec<Item>, JournalError> {
        let mut history: Vec<(i64, Item)> = Vec::new();
        let mut after = None;
        loop {
            let id = session_id.clone();
            let work = move |connection: &Connection| items::items_after(connection, &id, after);
            let page = self.request(Access::Read, work).await;
            let attempt = named(format!("read the history of session {session_id}"));
            let (items, more) = page
                .and_then(|page| {
                    after = page.records.last().map(|record| record.place).or(after);
                    let latest: Vec<i64> = page.records.iter().map(|record| record.latest).collect();
                    Ok((latest.into_iter().zip(read_items(&page.records)?), page.more))
                })
                .map_err(attempt)?;
            history.extend(items);
            if !more {
                history.sort_by_key(|(latest, _)| *latest);
                return Ok(history.into_iter().map(|(_, item)| item).collect());
            }
        }
    }

    /// The items that have started and not ended, in the order of their starting.
    pub async fn open_items(&self, session_id: &SessionId) -> Result<Vec<Item>, JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("read open items of session {session_id}")));
        let page = self.request(Access::Read, move |connection| items::open_items(connection, &id)).await;
        page.and_then(|page| read_items(&page.records)).map_err(attempt)
    }

    /// Keeps the full output of a tool's item, in the stead of an earlier one. Bytes that are no UTF-8 are replaced, so
    /// the size may change: [`output`](Self::output) tells the one that counts.
    pub async fn put_output(
        &self,
        session_id: &SessionId,
        item_id: &ItemId,
        output: Vec<u8>,
    ) -> Result<(), JournalError> {
        let attempt = named(format!("keep the output of item {item_id} of session {session_id}"));
        let text = String::from_utf8(output).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into());
        let (id, item_id) = (session_id.clone(), item_id.clone());
        let work = move |connection: &Connection| output::put(connection, &id, &item_id, text.as_bytes());
        self.request(Access::Write, work).await.map_err(attempt)
    }

    /// A slice of an item's full output, at most `limit` bytes and 1 MiB, cut where characters begin; `None` if none
    /// was kept. The next slice begins at `offset` plus the text's length.
    pub async fn output(
        &self,
        session_id: &SessionId,
        item_id: &ItemId,
        offset: u64,
        limit: u64,
    ) -> Result<Option<OutputPage>, JournalError> {
        let attempt = named(format!("read the output of item {item_id} of session {session_id}"));
        let (id, item_id) = (session_id.clone(), item_id.clone());
        let work = move |connection: &Connection| output::get(connection, &id, &item_id, offset, limit);
        self.request(Access::Read, work).await.map_err(attempt)
    }

    /// What all sessions have used together, those that are gone among them.
    pub async fn usage(&self) -> Result<Usage, JournalError> {
        self.request(Access::Read, spent::all).await.map_err(named("read what was used"))
    }

    /// What all sessions used on a day, such as `2026-01-01`, in UTC.
    pub async fn usage_of(&self, day: &str) -> Result<Usage, JournalError> {
        let (attempt, day) = (named(format!("read what was used on {day}")), day.to_owned());
        self.request(Access::Read, move |connection| spent::on(connection, &day)).await.map_err(attempt)
    }

    /// Keeps what is typed and not sent.
    pub async fn draft(&self, session_id: &SessionId, text: &str) -> Result<(), JournalError> {
        let (id, text) = (session_id.clone(), text.to_owned());
        let attempt = named(format!("keep the draft of session {session_id}"));
        self.request(Access::Write, move |connection| sessions::draft(connection, &id, &text)).await.map_err(attempt)
    }

    /// Hides a session from the default list, or shows it again.
    pub async fn archive(&self, session_id: &SessionId, archived: bool) -> Result<(), JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("archive session {session_id}")));
        self.request(Access::Write, move |connection| sessions::archive(connection, &id, archived))
            .await
            .map_err(attempt)
    }

    /// Marks a session as deleted at `at` (RFC 3339): it is in no list and not found. Nothing of it is taken away before it
    /// is [collected](Self::collect).
    pub async fn delete(&self, session_id: &SessionId, at: &str) -> Result<(), JournalError> {
        let (id, at) = (session_id.clone(), at.to_owned());
        let attempt = named(format!("delete session {session_id}"));
        self.request(Access::Write, move |connection| sessions::delete(connection, &id, &at)).await.map_err(attempt)
    }

    /// Takes a deletion back, as long as the session was not collected.
    pub async fn restore(&self, session_id: &SessionId) -> Result<(), JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("restore session {session_id}")));
        self.request(Access::Write, move |connection| sessions::restore(connection, &id)).await.map_err(attempt)
    }

    /// Gives a session another title.
    pub async fn rename(&self, session_id: &SessionId, title: &str) -> Result<(), JournalError> {
        let (id, title) = (session_id.clone(), title.to_owned());
        let attempt = named(format!("rename session {session_id}"));
        self.request(Access::Write, move |connection| sessions::rename(connection, &id, &title)).await.map_err(attempt)
    }

    /// Carries out what was sent before, closes the database and ends the thread. Other handles answer an error then.
    pub async fn close(self) {
        let (reply, closed) = oneshot::channel();
        self.send(Message::Close(reply)).await;
        // An error means that another handle has closed it.
        let _ = closed.await;
    }

    async fn request<T, W>(&self, access: Access, work: W) -> Result<T, Cause>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Request(Box::new(Call { access, work, answer: None, reply }))).await;
        answer.await.unwrap_or(Err(Cause::Closed))
    }

    /// As [`Journal::request`], on a thread that may wait.
    fn request_blocking<T, W>(&self, access: Access, work: W) -> Result<T, Cause>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let messages = self.0.messages.as_ref().ok_or(Cause::Closed)?;
        let request = Message::Request(Box::new(Call { access, work, answer: None, reply }));
        messages.blocking_send(request).map_err(|_| Cause::Closed)?;
        answer.blocking_recv().unwrap_or(Err(Cause::Closed))
    }

    /// A message that nobody takes is dropped, and with it the sender of its answer: that is how it is noticed.
    async fn send(&self, message: Message) {
        if let Some(messages) = &self.0.messages {
            let _ = messages.send(message).await;
        }
    }
}

/// A request of one type: what is to be done, and who waits for the answer.
struct Call<T, W> {
    access: Access,
    work: W,
    answer: Option<T>,
    reply: oneshot::Sender<Result<T, Cause>>,
}

impl<T: Send, W: FnMut(&Connection) -> Result<T, Cause> + Send> Request for Call<T, W> {
    fn access(&self) -> Access {
        self.access
    }

    fn run(&mut self, connection: &Connection) -> Result<(), Cause> {
        self.answer = Some((self.work)(connection)?);
        Ok(())
    }

    fn reply(self: Box<Self>, outcome: Result<(), Cause>) {
        let Self { answer, reply, .. } = *self;
        // Nobody may be waiting any more.
        let _ = reply.send(outcome.and_then(|()| answer.ok_or(Cause::Closed)));
    }
}

fn named(attempt: impl Into<String>) -> impl FnOnce(Cause) -> JournalError {
    move |cause| JournalError { attempt: attempt.into(), cause }
}

/// The items that the updates in `records` are about.
fn read_items(records: &[Record]) -> Result<Vec<Item>, Cause> {
    let read = |record: &Record| match serde_json::from_str(&record.body) {
        Ok(Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item }) => Some(Ok(item)),
        // Only updates about items are pointed to by items.
        Ok(_other) => None,
        Err(error) => Some(Err(Cause::Record(error))),
    };
    records.iter().filter_map(read).collect()
}

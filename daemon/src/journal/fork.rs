//! Forks: a session with its own copy of another's history, made page by page, so that everybody else is served in
//! between, and found by nobody before it is whole. What waits in the source, or is asked there, stays there.

use super::error::JournalError;
use super::worker::Access;
use super::{Journal, items, named, output, sessions};
use pilotfish_protocol::{Item, ItemContent, ItemId, Session, SessionId, StopReason, Update, Usage};

/// Updates copied at once.
const PAGE: usize = 200;

/// Bytes of an output copied at once.
const SLICE: u64 = 1024 * 1024;

impl Journal {
    /// Records `fork` as a session that begins with the updates of `source`, up to and with the last one of the item
    /// `at`, or all there are now. Seqs are its own. What only says what the header says, and what nobody can answer in
    /// the fork, is left out: the header is `fork`, the queue, the draft and the open questions are empty.
    pub async fn fork(&self, source: &SessionId, fork: &Session, at: Option<&ItemId>) -> Result<(), JournalError> {
        let (id, item_id, attempt) = (source.clone(), at.cloned(), named(format!("fork session {source}")));
        let work = move |connection: &_| match &item_id {
            Some(item_id) => items::last_seq(connection, &id, item_id),
            None => sessions::last_seq(connection, &id),
        };
        let end = self.request(Access::Read, work).await.map_err(attempt)?;
        self.create_hidden(fork, &fork.updated_at).await?;
        let copied = match self.copy_updates(source, fork, end).await {
            Ok(()) => self.copy_outputs(source, &fork.id).await,
            Err(error) => Err(error),
        };
        self.finish_hidden(&fork.id, copied).await
    }

    /// Records a session that nobody finds until [`finish_hidden`](Self::finish_hidden). If that never comes, it is
    /// collected as if it had been deleted at `at` (RFC 3339).
    pub(crate) async fn create_hidden(&self, session: &Session, at: &str) -> Result<(), JournalError> {
        let (session, at) = (session.clone(), at.to_owned());
        let attempt = named(format!("record session {}", session.id));
        let work = move |connection: &_| {
            sessions::create(connection, &session)?;
            sessions::delete(connection, &session.id, &at)
        };
        self.request(Access::Write, work).await.map_err(attempt)
    }

    /// Shows a hidden session, or discards it when `made` says that it did not become whole.
    pub(crate) async fn finish_hidden<E: From<JournalError>>(
        &self,
        session_id: &SessionId,
        made: Result<(), E>,
    ) -> Result<(), E> {
        let Err(error) = made else { return Ok(self.restore(session_id).await?) };
        if let Err(error) = self.discard(session_id).await {
            tracing::warn!(%error, "half a session stays until it is collected");
        }
        Err(error)
    }

    /// The items that have a full output, in the order of their ids: a page of those after `after`. An empty page is the
    /// end.
    pub async fn outputs(&self, session_id: &SessionId, after: Option<&ItemId>) -> Result<Vec<ItemId>, JournalError> {
        let (id, after) = (session_id.clone(), after.cloned());
        let attempt = named(format!("list the outputs of session {session_id}"));
        let work = move |connection: &_| output::list(connection, &id, after.as_ref());
        self.request(Access::Read, work).await.map_err(attempt)
    }

    /// Adds text to the full output of an item, which may have none so far.
    pub async fn extend_output(
        &self,
        session_id: &SessionId,
        item_id: &ItemId,
        text: String,
    ) -> Result<(), JournalError> {
        let attempt = named(format!("keep the output of item {item_id} of session {session_id}"));
        let (id, item_id) = (session_id.clone(), item_id.clone());
        let work = move |connection: &_| output::extend(connection, &id, &item_id, text.as_bytes());
        self.request(Access::Write, work).await.map_err(attempt)
    }

    /// A turn that runs in the source ends in the fork where that begins: it goes on there alone.
    async fn copy_updates(&self, source: &SessionId, fork: &Session, end: u64) -> Result<(), JournalError> {
        let (mut after, mut running) = (0, None);
        while after < end {
            let page = self.updates_after(source, after, PAGE).await?;
            let Some(last) = page.last().and_then(|update| update.seq) else { break };
            after = last;
            let before_end = page.into_iter().filter(|update| update.seq.is_some_and(|seq| seq <= end));
            let updates: Vec<Update> = before_end.map(|update| update.update).filter(is_copied).collect();
            for update in &updates {
                match update {
                    Update::TurnStarted { turn_id, .. } => running = Some(turn_id.clone()),
                    Update::TurnEnded { .. } => running = None,
                    // Everything else happens in turns or between them.
                    _ => {}
                }
            }
            if !updates.is_empty() {
                self.append(&fork.id, updates, &fork.updated_at).await?;
            }
        }
        if let Some(turn_id) = running {
            let (stop, usage, at) = (StopReason::Interrupted, Usage::default(), fork.updated_at.clone());
            let ended = Update::TurnEnded { turn_id, stop, usage, at };
            self.append(&fork.id, vec![ended], &fork.updated_at).await?;
        }
        Ok(())
    }

    /// Copies the outputs of the items that have ended in the fork.
    async fn copy_outputs(&self, source: &SessionId, fork: &SessionId) -> Result<(), JournalError> {
        let mut after = None;
        loop {
            let page = self.outputs(source, after.as_ref()).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            after = Some(last);
            for item_id in page {
                if self.has_ended(fork, &item_id).await? {
                    self.copy_output(source, fork, &item_id).await?;
                }
            }
        }
    }

    async fn copy_output(&self, source: &SessionId, fork: &SessionId, item_id: &ItemId) -> Result<(), JournalError> {
        let mut offset = 0;
        while let Some(page) = self.output(source, item_id, offset, SLICE).await? {
            offset += u64::try_from(page.text.len()).unwrap_or(0);
            // An output that became shorter meanwhile has no more to give.
            let done = offset >= page.total || page.text.is_empty();
            self.extend_output(fork, item_id, page.text).await?;
            if done {
                break;
            }
        }
        Ok(())
    }

    async fn has_ended(&self, session_id: &SessionId, item_id: &ItemId) -> Result<bool, JournalError> {
        let attempt = named(format!("read item {item_id} of session {session_id}"));
        let (id, item_id) = (session_id.clone(), item_id.clone());
        let work = move |connection: &_| items::has_ended(connection, &id, &item_id);
        self.request(Access::Read, work).await.map_err(attempt)
    }
}

/// Whether a fork gets its copy of an update.
fn is_copied(update: &Update) -> bool {
    match update {
        // Its end brings the whole of it, if it has one.
        Update::ItemStarted { item: Item { content: ItemContent::Question(_), .. } } => false,
        Update::TurnStarted { .. }
        | Update::TurnEnded { .. }
        | Update::ItemStarted { .. }
        | Update::ItemChanged { .. }
        | Update::ItemEnded { .. }
        | Update::Usage { .. }
        | Update::PlanChanged { .. } => true,
        Update::ItemDelta { .. }
        | Update::ModeChanged { .. }
        | Update::ModelChanged { .. }
        | Update::TitleChanged { .. }
        | Update::StatusChanged { .. }
        | Update::QueueChanged { .. }
        | Update::DraftChanged { .. }
        | Update::CommandChanged { .. }
        | Update::ApprovalOpened { .. }
        | Update::ApprovalClosed { .. } => false,
    }
}

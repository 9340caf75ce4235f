//! The commands in the background of one session: their tasks, their names and when they are told of. Nobody else starts one, and none
//! outlives this. What their ends mean for the transcript is the actor's part.

use crate::cx::{Background, Birth, End, Launch, NOT_BEGUN, Stopper, TurnEvent};
use pilotfish_protocol::{CommandId, CommandInfo, SessionId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Commands of a session that run at a time.
const RUNNING: usize = 8;

/// Commands that ended and whose output can still be read.
const ENDED: usize = 8;

/// How often at most people are told that commands said more.
const EVERY: Duration = Duration::from_millis(500);

/// What commands say to the session that waits for it; then they wait.
const EVENTS: usize = 64;

/// A session's commands.
#[derive(Debug)]
pub(super) struct Commands {
    /// The oldest first.
    all: Vec<Background>,
    tasks: JoinSet<End>,
    names: BTreeMap<tokio::task::Id, CommandId>,
    /// How many there ever were.
    count: u64,
    sender: mpsc::Sender<TurnEvent>,
    events: mpsc::Receiver<TurnEvent>,
    news: Arc<Notify>,
    /// How much of each output people were told that there is.
    shown: BTreeMap<CommandId, u64>,
    looked: Instant,
    look: Option<Instant>,
}

/// What commands did.
#[derive(Debug)]
pub(super) enum Happened {
    /// One said something to the session.
    Said(TurnEvent),
    /// One ended.
    Ended(Background, End),
    /// These said more since people were told.
    More(Vec<CommandInfo>),
}

impl Commands {
    /// None yet.
    pub(super) fn new() -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        Self {
            all: Vec::new(),
            tasks: JoinSet::new(),
            names: BTreeMap::new(),
            count: 0,
            sender,
            events,
            news: Arc::default(),
            shown: BTreeMap::new(),
            looked: Instant::now(),
            look: None,
        }
    }

    /// To the session, for what goes on beside turns.
    pub(super) fn sender(&self) -> mpsc::Sender<TurnEvent> {
        self.sender.clone()
    }

    /// Starts one, unless too many run.
    pub(super) fn launch(
        &mut self,
        launch: Launch,
        session: SessionId,
        started_at: String,
    ) -> Result<Background, String> {
        if self.tasks.len() >= RUNNING {
            return Err(format!("{RUNNING} commands run already; stop one of them first"));
        }
        self.count += 1;
        let Launch { command, work } = launch;
        let id = CommandId(format!("c{}", self.count));
        let (command, input) =
            Background::new(Birth { id: id.clone(), session, command, started_at, news: self.news.clone() });
        let task = self.tasks.spawn(work(command.clone(), input));
        self.names.insert(task.id(), id);
        self.all.push(command.clone());
        Ok(command)
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Background> {
        self.all.clone()
    }

    /// As people are shown them.
    pub(super) fn infos(&self) -> Vec<CommandInfo> {
        self.all.iter().map(Background::info).collect()
    }

    /// One of them.
    pub(super) fn get(&self, id: &CommandId) -> Option<&Background> {
        self.all.iter().find(|command| command.id() == id)
    }

    /// Whether one runs.
    pub(super) fn is_running(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Ends all of them; their ends come as others do.
    pub(super) fn stop_all(&self) {
        self.all.iter().filter(|command| !command.has_ended()).for_each(|command| command.stop(Stopper::Session));
    }

    /// What happens next. Dropped before that, nothing is lost.
    pub(super) async fn next(&mut self) -> Happened {
        loop {
            let due = self.look;
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => return Happened::Said(event),
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                    let (task, end) = match ended {
                        Ok(ended) => ended,
                        Err(error) => {
                            tracing::error!(%error, "a command's task failed");
                            (error.id(), failed())
                        }
                    };
                    if let Some(command) = self.names.remove(&task).and_then(|id| self.get(&id).cloned()) {
                        self.forget_old();
                        return Happened::Ended(command, end);
                    }
                }
                () = self.news.notified(), if due.is_none() => {
                    self.look = Some(Instant::now().max(self.looked + EVERY));
                }
                () = sleep_until(due) => {
                    (self.look, self.looked) = (None, Instant::now());
                    let more = self.more();
                    if !more.is_empty() {
                        return Happened::More(more);
                    }
                }
            }
        }
    }

    /// Those that said more since this was asked last.
    fn more(&mut self) -> Vec<CommandInfo> {
        let mut more = Vec::new();
        for info in self.all.iter().filter(|command| !command.has_ended()).map(Background::info) {
            if self.shown.insert(info.id.clone(), info.output_bytes).unwrap_or(0) != info.output_bytes {
                more.push(info);
            }
        }
        more
    }

    /// Lets the oldest go of those that ended.
    fn forget_old(&mut self) {
        let ended = self.all.iter().filter(|command| command.has_ended());
        let surplus = ended.count().saturating_sub(ENDED - 1);
        let old: Vec<CommandId> =
            self.all.iter().filter(|command| command.has_ended()).take(surplus).map(|old| old.id().clone()).collect();
        self.all.retain(|command| !old.contains(command.id()));
        self.shown.retain(|id, _| !old.contains(id));
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The end of a command whose task panicked: dropped, it took the command along.
fn failed() -> End {
    let words = "ended: pilotfish failed inside; its log says where".to_owned();
    End { status: NOT_BEGUN, words, lines: Vec::new() }
}

#[cfg(test)]
mod tests;

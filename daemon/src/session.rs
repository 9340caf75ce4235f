//! One session: a task that owns its state, folds every change of it through the journal, and runs one turn at a time.
//!
//! Everybody else holds a [`SessionHandle`]. Its verbs send their event at once, when they are called, and answer later: that
//! keeps the order in which a door calls them. No lock guards the state and no verb waits for a person.

use crate::config::Environment;
use crate::cx::Background;
use crate::journal::JournalError;
use pilotfish_protocol::{
    ApprovalId, Attached, ConnectionId, Decision, Delivery, Effort, InputPart, InterruptScope, ItemId, Mode, ModelName,
    PromptTaken, QueuedId, Rule, RulePreview, Session, SessionId, SessionUpdate,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{mpsc, oneshot};

mod actor;
pub(crate) mod asked;
mod commands;
mod notes;
mod parts;
mod running;
pub mod state;

pub use parts::{Parts, Workspaces};
pub use running::{RunningTurn, RunningTurns};

/// Events a session holds before it answers `overloaded`.
const MAILBOX: usize = 256;

/// Where a session sends its updates. It never blocks; who is slow must drop and ask the journal later.
pub trait Outlet: Send + Sync {
    /// Takes one update, in order.
    fn send(&self, update: &SessionUpdate);
}

/// Why a session did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No such session.
    #[error("there is no session {0}")]
    NotFound(SessionId),
    /// No such thing in the session.
    #[error("session {session} has no {what}")]
    NoSuch {
        /// The session.
        session: SessionId,
        /// What was looked for.
        what: String,
    },
    /// Too many events wait.
    #[error("session {0} has too much to do; try again in a moment")]
    Overloaded(SessionId),
    /// The session or the daemon is ending.
    #[error("session {0} is closing")]
    Closing(SessionId),
    /// Somebody has answered this question.
    #[error("question {0} is answered already")]
    AlreadyAnswered(ApprovalId),
    /// The turn ended before anybody answered this question.
    #[error("question {0} is closed: its turn ended before it was answered")]
    NoLongerAsked(ApprovalId),
    /// There can be no such rule, or not for this question.
    #[error("nothing is remembered and nothing was answered: {0}")]
    NoSuchRule(String),
    /// The request says something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The person refused to trust the workspace.
    #[error("{0} is not trusted, so its sessions stay read-only; `pilotfish trust` says otherwise")]
    Untrusted(String),
    /// The configuration has no such model.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What can happen to a session. Closed: one loop matches all of it.
#[derive(Debug)]
pub(crate) enum Event {
    Prompt { input: Vec<InputPart>, delivery: Delivery, answer: Answer<PromptTaken> },
    Unqueue { id: QueuedId, answer: Answer<()> },
    Requeue { id: QueuedId, input: Vec<InputPart>, answer: Answer<()> },
    Interrupt { scope: InterruptScope, answer: Answer<()> },
    SetMode { mode: Mode, answer: Answer<()> },
    SetModel { model: ModelName, effort: Option<Effort>, answer: Answer<()> },
    Draft { text: String, answer: Answer<()> },
    Compact { answer: Answer<()> },
    Rename { title: String, answer: Answer<()> },
    Archive { archived: bool, answer: Answer<()> },
    Attach { connection: ConnectionId, environment: Environment, outlet: DebugOutlet, answer: Answer<Attached> },
    Detach { connection: ConnectionId, answer: Answer<()> },
    ResendOpen { connection: ConnectionId },
    Wake { environment: Environment },
    Header { answer: Answer<Session> },
    Answer { approvals: Vec<ApprovalId>, given: Given, answer: Answer<Vec<ApprovalId>> },
    Commands { answer: Answer<Vec<Background>> },
    Inquired { item: ItemId, reply: Spoken, answer: Answer<()> },
    Preview { approval: ApprovalId, rule: Option<Rule>, answer: Answer<RulePreview> },
    Close { answer: Answer<()> },
    End { answer: Answer<()> },
}

/// An answer to questions, as a client gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The answer.
    pub decision: Decision,
    /// A sentence for the model.
    pub note: Option<String>,
    /// Whose answer it is.
    pub by: ConnectionId,
}

/// An answer to what the model asks, as a client gives it: a choice, a text, or neither where nobody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The place of a choice, from 0.
    pub choice: Option<u32>,
    /// Any words instead.
    pub text: Option<String>,
    /// Whose answer it is.
    pub by: ConnectionId,
}

type Answer<T> = oneshot::Sender<Result<T, SessionError>>;

/// An outlet inside an event that can be printed.
pub(crate) struct DebugOutlet(pub(crate) Arc<dyn Outlet>);

impl std::fmt::Debug for DebugOutlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

/// The answer to a verb whose event is already on its way.
pub struct Reply<T> {
    session: SessionId,
    state: ReplyState<T>,
}

enum ReplyState<T> {
    Waiting(oneshot::Receiver<Result<T, SessionError>>),
    Failed(Option<SessionError>),
}

impl<T> Future for Reply<T> {
    type Output = Result<T, SessionError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let closing = SessionError::Closing(self.session.clone());
        match &mut self.state {
            ReplyState::Failed(error) => Poll::Ready(Err(error.take().unwrap_or(closing))),
            ReplyState::Waiting(receiver) => Pin::new(receiver).poll(cx).map(|answer| answer.unwrap_or(Err(closing))),
        }
    }
}

impl<T> Unpin for Reply<T> {}

/// A session that was just made.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) session: Session,
    pub(crate) environment: Environment,
}

/// A session's mailbox with its verbs.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    id: SessionId,
    mailbox: mpsc::Sender<Event>,
}

impl SessionHandle {
    /// Starts the task of a session: of a new one when it is `fresh`, else of one in the journal. A session the
    /// journal does not know answers `NotFound` to everything and ends.
    pub(crate) fn start(id: SessionId, fresh: Option<Fresh>, parts: Arc<Parts>) -> (Self, actor::Actor) {
        let (mailbox, events) = mpsc::channel(MAILBOX);
        let actor = actor::Actor::new(id.clone(), fresh, parts, events);
        (Self { id, mailbox }, actor)
    }

    /// A handle without a task: everything asked of it is answered with `Closing`.
    pub(crate) fn gone(id: SessionId) -> Self {
        let (mailbox, _) = mpsc::channel(1);
        Self { id, mailbox }
    }

    /// Whether its task has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Whose handle this is.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Starts a turn, or queues or steers when one runs.
    pub fn prompt(&self, input: Vec<InputPart>, delivery: Delivery) -> Reply<PromptTaken> {
        self.send(|answer| Event::Prompt { input, delivery, answer })
    }

    /// Takes a waiting prompt back.
    pub fn unqueue(&self, id: QueuedId) -> Reply<()> {
        self.send(|answer| Event::Unqueue { id, answer })
    }

    /// Changes what a waiting prompt says.
    pub fn requeue(&self, id: QueuedId, input: Vec<InputPart>) -> Reply<()> {
        self.send(|answer| Event::Requeue { id, input, answer })
    }

    /// Stops the running command, or the turn. Nothing to stop is no error.
    pub fn interrupt(&self, scope: InterruptScope) -> Reply<()> {
        self.send(|answer| Event::Interrupt { scope, answer })
    }

    /// Switches the mode from the next action on.
    pub fn set_mode(&self, mode: Mode) -> Reply<()> {
        self.send(|answer| Event::SetMode { mode, answer })
    }

    /// Switches the model from the next turn on.
    pub fn set_model(&self, model: ModelName, effort: Option<Effort>) -> Reply<()> {
        self.send(|answer| Event::SetModel { model, effort, answer })
    }

    /// Keeps what is typed and not sent.
    pub fn draft(&self, text: String) -> Reply<()> {
        self.send(|answer| Event::Draft { text, answer })
    }

    /// Condenses the history: at the next step of the running turn, else at once.
    pub fn compact(&self) -> Reply<()> {
        self.send(|answer| Event::Compact { answer })
    }

    /// Gives another title.
    pub fn rename(&self, title: String) -> Reply<()> {
        self.send(|answer| Event::Rename { title, answer })
    }

    /// Hides from the default list, or shows again.
    pub fn archive(&self, archived: bool) -> Reply<()> {
        self.send(|answer| Event::Archive { archived, answer })
    }

    /// Sends updates to the outlet from the answered `seq` on. A connection attaches once; again replaces. From now on the
    /// session works in the environment of this client.
    pub fn attach(
        &self,
        connection: ConnectionId,
        environment: Environment,
        outlet: Arc<dyn Outlet>,
    ) -> Reply<Attached> {
        let outlet = DebugOutlet(outlet);
        self.send(|answer| Event::Attach { connection, environment, outlet, answer })
    }

    /// Sends no more updates.
    pub fn detach(&self, connection: ConnectionId) -> Reply<()> {
        self.send(|answer| Event::Detach { connection, answer })
    }

    /// Sends the open items with their text so far, to a connection that dropped deltas.
    pub fn resend_open(&self, connection: ConnectionId) {
        // A full mailbox loses the wish; the item's end will carry the text.
        let _ = self.mailbox.try_send(Event::ResendOpen { connection });
    }

    /// Starts what waits from before the daemon's start, with a client's keys.
    pub(crate) fn wake(&self, environment: Environment) {
        // A session whose mailbox is full is awake.
        let _ = self.mailbox.try_send(Event::Wake { environment });
    }

    /// The session as lists show it.
    pub fn header(&self) -> Reply<Session> {
        self.send(|answer| Event::Header { answer })
    }

    /// Answers questions. Gives those that the answer closed; when it closed none, why.
    pub fn answer(&self, approvals: Vec<ApprovalId>, given: Given) -> Reply<Vec<ApprovalId>> {
        self.send(|answer| Event::Answer { approvals, given, answer })
    }

    /// Its commands in the background, the oldest first; those that ended lately among them.
    pub fn commands(&self) -> Reply<Vec<Background>> {
        self.send(|answer| Event::Commands { answer })
    }

    /// Answers what the model asks. The first answer counts.
    pub fn reply(&self, item: ItemId, reply: Spoken) -> Reply<()> {
        self.send(|answer| Event::Inquired { item, reply, answer })
    }

    /// What saving a rule for an open question would mean; without one, the rule that is proposed.
    pub fn preview(&self, approval: ApprovalId, rule: Option<Rule>) -> Reply<RulePreview> {
        self.send(|answer| Event::Preview { approval, rule, answer })
    }

    /// Lets the task end as the daemon does: a turn that waits for a person is left as it is, any other is interrupted.
    pub(crate) fn end(&self) -> Reply<()> {
        self.send(|answer| Event::End { answer })
    }

    /// Interrupts the turn, waits for its end and lets the task end.
    pub fn close(&self) -> Reply<()> {
        self.send(|answer| Event::Close { answer })
    }

    fn send<T>(&self, event: impl FnOnce(Answer<T>) -> Event) -> Reply<T> {
        let (answer, receiver) = oneshot::channel();
        let state = match self.mailbox.try_send(event(answer)) {
            Ok(()) => ReplyState::Waiting(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => {
                ReplyState::Failed(Some(SessionError::Overloaded(self.id.clone())))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                ReplyState::Failed(Some(SessionError::Closing(self.id.clone())))
            }
        };
        Reply { session: self.id.clone(), state }
    }
}

#[cfg(test)]
mod tests;

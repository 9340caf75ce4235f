//! Commands in the background: what is known of one while it runs and after, and how a turn comes to them. Who started one has no more
//! part in it than others; the session owns them all.

use super::{Named, TurnCx, TurnError, TurnEvent};
use crate::sandbox::Exit;
use futures::future::BoxFuture;
use pilotfish_protocol::{CommandId, CommandInfo, SessionId, Usage};
use ring::Ring;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

mod ring;

pub use ring::Piece;

/// Bytes of a command's output that are kept: the last ones.
const KEPT: usize = 1 << 20;

/// Inputs that wait for a command that does not read them.
const INPUTS: usize = 16;

/// Bytes of one input.
const INPUT: usize = 64 << 10;

/// How long an output is to be quiet for what was said to be an answer.
const QUIET: Duration = Duration::from_millis(300);

/// How a command ended, or why it was never begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// As a shell would show it: 125 when it was not begun.
    pub status: i32,
    /// In words that follow its name, such as `ended with exit code 1`.
    pub words: String,
    /// What became of its writes, and what else is worth knowing.
    pub lines: Vec<String>,
}

/// The end of what was not begun.
pub const NOT_BEGUN: i32 = 125;

impl End {
    /// Of a command that ended by itself.
    #[must_use]
    pub fn of(exit: Exit) -> Self {
        let words = match exit {
            Exit::Code(code) => format!("ended with exit code {code}"),
            Exit::Signal(signal) => format!("was ended by signal {signal}"),
        };
        Self { status: i32::from(exit.shell_status()), words, lines: Vec::new() }
    }
}

/// Who stopped a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopper {
    /// The model.
    Model,
    /// The person.
    Person,
    /// The session, as it ends.
    Session,
}

/// What a command reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// This.
    Bytes(Vec<u8>),
    /// Nothing more, ever.
    End,
}

impl Input {
    /// As it is typed: the sign that ends a text on a terminal, alone, ends the input.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.trim_end_matches('\n') == "\u{4}" { Input::End } else { Input::Bytes(text.as_bytes().to_vec()) }
    }
}

/// Why a command got no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nobody reads it any more.
    #[error("{0} reads no input any more")]
    Closed(CommandId),
    /// It does not read what it got.
    #[error("{0} does not read its input; {INPUTS} inputs wait already")]
    Full(CommandId),
    /// Too much at once.
    #[error("one input holds at most {INPUT} bytes")]
    TooLong,
}

/// A command in the background. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Background(Arc<Known>);

#[derive(Debug)]
struct Known {
    id: CommandId,
    session: SessionId,
    command: String,
    started_at: String,
    input: mpsc::Sender<Input>,
    stop: CancellationToken,
    /// Never held while something waits.
    log: Mutex<Log>,
    /// How much was said, and whether that is all; for those who wait.
    said: watch::Sender<(u64, bool)>,
    /// For the session, of all its commands.
    news: Arc<Notify>,
}

#[derive(Debug)]
struct Log {
    ring: Ring,
    /// Up to where the model has read.
    told: u64,
    /// Whether the model looks at it just now, and so sees its end itself.
    is_watched: bool,
    stopper: Option<Stopper>,
    end: Option<End>,
}

/// What a look waits for, as long as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Words that were not told yet, and quiet after them; or the end.
    Answer,
    /// The end.
    End,
}

/// What the model is told of a command at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it said since the model looked last.
    pub piece: Piece,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// What a new command is known by.
#[derive(Debug)]
pub struct Birth {
    /// Its name.
    pub id: CommandId,
    /// Whose it is.
    pub session: SessionId,
    /// As it was called.
    pub command: String,
    /// RFC 3339.
    pub started_at: String,
    /// Is told when it says something.
    pub news: Arc<Notify>,
}

impl Background {
    /// One that just begins, and what it is to read.
    #[must_use]
    pub fn new(birth: Birth) -> (Self, mpsc::Receiver<Input>) {
        let (input, inputs) = mpsc::channel(INPUTS);
        let Birth { id, session, command, started_at, news } = birth;
        let log = Log { ring: Ring::new(KEPT), told: 0, is_watched: false, stopper: None, end: None };
        let (log, stop, said) = (Mutex::new(log), CancellationToken::new(), watch::Sender::new((0, false)));
        (Self(Arc::new(Known { id, session, command, started_at, input, stop, log, said, news })), inputs)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &CommandId {
        &self.0.id
    }

    /// As it was called, in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut lines = self.0.command.trim().lines();
        let line = lines.next().unwrap_or_default();
        if lines.next().is_some() { format!("{line} …") } else { line.to_owned() }
    }

    /// As people are shown it.
    #[must_use]
    pub fn info(&self) -> CommandInfo {
        let Known { id, session, command, started_at, .. } = &*self.0;
        let log = self.log();
        CommandInfo {
            id: id.clone(),
            session_id: session.clone(),
            command: command.clone(),
            started_at: started_at.clone(),
            output_bytes: log.ring.total(),
            exit_code: log.end.as_ref().map(|end| end.status),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.log().end.is_some()
    }

    /// Takes what it says.
    pub fn say(&self, chunk: &[u8]) {
        let total = {
            let mut log = self.log();
            log.ring.push(chunk);
            log.ring.total()
        };
        self.0.said.send_modify(|(said, _)| *said = total);
        self.0.news.notify_one();
    }

    /// What it said, from a place on, at most so many bytes.
    #[must_use]
    pub fn read(&self, from: u64, most: usize) -> Piece {
        let log = self.log();
        log.ring.read(from, most, log.end.is_some())
    }

    /// Gives it something to read.
    ///
    /// # Errors
    /// When it does not read.
    pub fn write(&self, input: Input) -> Result<(), InputError> {
        if matches!(&input, Input::Bytes(bytes) if bytes.len() > INPUT) {
            return Err(InputError::TooLong);
        }
        let id = self.id().clone();
        self.0.input.try_send(input).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => InputError::Full(id),
            mpsc::error::TrySendError::Closed(_) => InputError::Closed(id),
        })
    }

    /// Ends it and all it started. Its end comes as any other.
    pub fn stop(&self, stopper: Stopper) {
        self.log().stopper.get_or_insert(stopper);
        self.0.stop.cancel();
    }

    /// What ends it.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// Notes its end, and answers how it is told. Nothing when the model is looking, or stopped it: then it sees the end itself.
    pub fn end(&self, mut end: End) -> Option<String> {
        let told = {
            let mut log = self.log();
            if let Some(stopper) = log.stopper.filter(|_| end.status != NOT_BEGUN) {
                end.words = match stopper {
                    Stopper::Model => "was stopped",
                    Stopper::Person => "was stopped by the person",
                    Stopper::Session => "was stopped as the session was closed",
                }
                .to_owned();
            }
            let sees = log.is_watched;
            log.end = Some(end.clone());
            (!sees).then(|| self.told(&end))
        };
        self.0.said.send_modify(|(_, is_all)| *is_all = true);
        told
    }

    fn told(&self, end: &End) -> String {
        let lines: String = end.lines.iter().map(|line| format!("; {line}")).collect();
        format!("command {} ({}) {}{lines}", self.id(), self.line(), end.words)
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.0.said.subscribe().wait_for(|(_, is_all)| *is_all).await;
    }

    /// The model looks: does what `act` says, waits, and takes what it was not told yet.
    ///
    /// # Errors
    /// What `act` says; then nothing is taken.
    pub async fn look<E>(
        &self,
        (until, time): (Until, Duration),
        act: impl FnOnce(&Self) -> Result<(), E>,
    ) -> Result<Report, E> {
        let watching = Watching::begin(self);
        act(self)?;
        let told = self.log().told;
        let waiting = async {
            match until {
                Until::Answer => self.answer(told).await,
                Until::End => self.ended().await,
            }
        };
        // When the time is over, what is there is taken.
        let _ = tokio::time::timeout(time, waiting).await;
        Ok(watching.finish())
    }

    /// Waits for something behind a place and for quiet after it, or for the end.
    async fn answer(&self, told: u64) {
        let mut said = self.0.said.subscribe();
        let _ = said.wait_for(|(total, is_all)| *total > told || *is_all).await;
        while !said.borrow_and_update().1 {
            if tokio::time::timeout(QUIET, said.changed()).await.is_err() {
                return;
            }
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing that can panic runs under the lock but a defect; the log is then as good as it was.
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The model's look at a command. Dropped, it looks no more.
struct Watching<'a>(&'a Background);

impl<'a> Watching<'a> {
    fn begin(command: &'a Background) -> Self {
        command.log().is_watched = true;
        Self(command)
    }

    /// Takes what was not told yet. In one moment with the end of the look, so that an end is told once: here, or by a notice.
    fn finish(self) -> Report {
        let mut log = self.0.log();
        let piece = log.ring.read(log.told, usize::MAX, log.end.is_some());
        log.told = piece.next;
        log.is_watched = false;
        Report { piece, end: log.end.clone() }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.log().is_watched = false;
    }
}

/// What a command does from its beginning to its end, given what is known of it and what it is to read.
pub type Work = Box<dyn FnOnce(Background, mpsc::Receiver<Input>) -> BoxFuture<'static, End> + Send>;

/// A command that is to begin.
pub struct Launch {
    /// As it was called.
    pub command: String,
    /// What it does.
    pub work: Work,
}

impl std::fmt::Debug for Launch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launch").field("command", &self.command).finish_non_exhaustive()
    }
}

impl TurnCx {
    /// Lets a command begin in the background. Inside is why it may not.
    ///
    /// # Errors
    /// When the session is gone.
    pub async fn launch(&self, launch: Launch) -> Result<Result<Background, String>, TurnError> {
        let (answer, answered) = oneshot::channel();
        self.events.send(TurnEvent::Launch(launch, answer)).await.map_err(|_| TurnError::Orphaned)?;
        answered.await.map_err(|_| TurnError::Orphaned)
    }

    /// The session's commands in the background, the oldest first; those that ended lately among them.
    ///
    /// # Errors
    /// When the session is gone.
    pub async fn commands(&self) -> Result<Vec<Background>, TurnError> {
        let (answer, answered) = oneshot::channel();
        self.events.send(TurnEvent::Commands(answer)).await.map_err(|_| TurnError::Orphaned)?;
        answered.await.map_err(|_| TurnError::Orphaned)
    }

    /// A handle like this one for what goes on beside the turn and after it, until `cancel`. What it says goes to the session all the
    /// same; what it asks is asked while a turn runs.
    #[must_use]
    pub fn beside(&self, cancel: CancellationToken) -> TurnCx {
        let (_, steered) = mpsc::unbounded_channel();
        TurnCx {
            session: self.session.clone(),
            turn: self.turn.clone(),
            model: self.model.clone(),
            tools: self.tools.clone(),
            title: self.title.clone(),
            model_name: self.model_name.clone(),
            context_size: self.context_size,
            effort: self.effort,
            workspace: self.workspace.clone(),
            sandbox: self.sandbox.clone(),
            environment: self.environment.clone(),
            journal: self.journal.clone(),
            ground: self.ground.clone(),
            names: self.names.clone(),
            beyond: self.beyond.clone(),
            home: self.home.clone(),
            clock: self.clock.clone(),
            limits: self.limits,
            mode: self.mode.clone(),
            cancel,
            stop_command: Arc::new(Notify::new()),
            steered,
            events: self.background.clone(),
            background: self.background.clone(),
            usage: Usage::default(),
            used_before: Usage::default(),
            price: None,
            wants_to_condense: Arc::default(),
            named: Named::default(),
        }
    }
}

#[cfg(test)]
mod tests;

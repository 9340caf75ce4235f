//! The task of a session: one mailbox, one `select!`, the only owner of [`State`].

use super::asked::Memory;
use super::commands::Commands;
use super::notes;
use super::state::{self, State, Taking};
use super::{Answer, Event, Fresh, Outlet, Parts, RunningTurn, SessionError};
use crate::config::{Environment, Resolved};
use crate::cx::TurnEvent;
use crate::journal::{Journal, Stored};
use crate::model::Model;
use crate::prompt::{self, History};
use pilotfish_protocol::{
    Attached, ConnectionId, Delivery, Effort, Fault, FaultKind, InputPart, InterruptScope, Item, ItemContent, Mode,
    ModelName, PromptTaken, Queued, QueuedId, SessionId, SessionStatus, SessionUpdate, Status, TurnId, Update,
    UserMessage,
};
use questions::{Asker, Questions};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use turns::Outcome;

mod beside;
mod inquiries;
mod questions;
mod turns;

/// How long a session that nobody is attached to and that has nothing to do stays in memory.
const UNUSED: Duration = Duration::from_secs(60);

/// A session's task before it runs.
pub(crate) struct Actor {
    id: SessionId,
    fresh: Option<Fresh>,
    parts: Arc<Parts>,
    events: mpsc::Receiver<Event>,
}

/// The task's state while it runs.
struct Running {
    state: State,
    parts: Arc<Parts>,
    /// Of the client that attached last: its keys and toolchains.
    environment: Environment,
    outlets: Vec<(ConnectionId, Arc<dyn Outlet>)>,
    turn: Option<Turn>,
    /// What the model has seen; read from the journal when it is first needed, and while a turn runs it is the turn's.
    history: Option<History>,
    mode: watch::Sender<Mode>,
    /// Why the journal lacks something that was shown; `None` when it lacks nothing.
    unrecorded: Option<String>,
    /// What the running turn asks.
    questions: Questions,
    /// What runs in the background.
    commands: Commands,
    /// What was answered for longer than once.
    memory: Memory,
    /// Set while somebody wants the history condensed; the running turn's too.
    wants_to_condense: Arc<AtomicBool>,
    /// When the latest turn began, or this task.
    began: Instant,
    /// The last turn's model. Kept, because it knows what its server refuses.
    model: Option<(Resolved, Arc<dyn Model>)>,
}

/// The running turn, as its session holds it.
struct Turn {
    id: TurnId,
    task: JoinHandle<Outcome>,
    events: mpsc::Receiver<TurnEvent>,
    steer: mpsc::UnboundedSender<Item>,
    cancel: CancellationToken,
    stop_command: Arc<Notify>,
    running: RunningTurn,
}

impl Actor {
    pub(crate) fn new(id: SessionId, fresh: Option<Fresh>, parts: Arc<Parts>, events: mpsc::Receiver<Event>) -> Self {
        Self { id, fresh, parts, events }
    }

    /// Runs until the session is closed, or nobody holds a handle any more.
    pub(crate) async fn run(mut self) {
        let (state, environment) = match self.load().await {
            Ok(state) => state,
            Err(error) => return refuse_all(self.events, error).await,
        };
        let (mode, _) = watch::channel(state.session.mode);
        let history = (state.seq == 0).then(History::default);
        let mut running = Running {
            state,
            parts: self.parts.clone(),
            environment,
            outlets: Vec::new(),
            turn: None,
            history,
            mode,
            unrecorded: None,
            questions: Questions::default(),
            commands: Commands::new(),
            memory: Memory::default(),
            wants_to_condense: Arc::default(),
            model: None,
            began: Instant::now(),
        };
        running.mend().await;
        running.obey_trust().await;
        loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event @ (Event::Close { .. } | Event::End { .. })) => {
                        let answer = running.end(event).await;
                        // Whoever heard the answer and asks again gets a new task, not this one's last moment.
                        self.events.close();
                        answer.into_iter().for_each(|answer| reply(answer, Ok(())));
                        return;
                    }
                    Some(event) => running.handle(event).await,
                    None => {
                        running.end_commands().await;
                        return running.end_turn().await;
                    }
                },
                event = next_event(&mut running.turn) => match event {
                    Some(event) => running.handle_turn(event).await,
                    None => running.turn_ended().await,
                },
                happened = running.commands.next() => running.happened(happened).await,
                () = running.questions.withdrawn() => running.close_withdrawn().await,
                () = tokio::time::sleep(UNUSED), if running.is_unused() => return self.leave().await,
            }
        }
    }

    /// Leaves memory. Who comes in between is asked to come again, and meets the session as it is loaded anew.
    async fn leave(mut self) {
        self.events.close();
        while let Some(event) = self.events.recv().await {
            event.refuse(SessionError::Overloaded(self.id.clone()));
        }
    }

    async fn load(&mut self) -> Result<(State, Environment), SessionError> {
        if let Some(fresh) = self.fresh.take() {
            return Ok((State::new(fresh.session), fresh.environment));
        }
        match self.parts.journal.session(&self.id).await? {
            Some(stored) => Ok((restore(stored), self.parts.environment.clone())),
            None => Err(SessionError::NotFound(self.id.clone())),
        }
    }
}

/// The turn's next event; `None` when it has said all. Waits for ever while no turn runs.
async fn next_event(turn: &mut Option<Turn>) -> Option<TurnEvent> {
    match turn {
        Some(turn) => turn.events.recv().await,
        None => std::future::pending().await,
    }
}

fn restore(stored: Stored) -> State {
    let mut state = State::new(stored.session);
    if let Some(stop) = stored.stop {
        state.session.status = state::after(stop);
    }
    state.seq = stored.seq;
    state.turn = stored.turn_id;
    state.draft = stored.draft;
    state.queue = stored.queue;
    state.plan = stored.plan;
    (state.usage, state.context) = (stored.usage, stored.context);
    state.approvals = stored.approvals;
    state
}

/// Answers everything with the reason why there is no session, until nobody asks any more.
async fn refuse_all(mut events: mpsc::Receiver<Event>, error: SessionError) {
    events.close();
    let why = error.to_string();
    let id = match &error {
        SessionError::NotFound(id) => Some(id.clone()),
        _ => None,
    };
    let refuse = || match &id {
        Some(id) => SessionError::NotFound(id.clone()),
        None => SessionError::Invalid(why.clone()),
    };
    while let Some(event) = events.recv().await {
        event.refuse(refuse());
    }
}

impl Event {
    fn refuse(self, error: SessionError) {
        match self {
            Event::Prompt { answer, .. } => drop(answer.send(Err(error))),
            Event::Attach { answer, .. } => drop(answer.send(Err(error))),
            Event::Header { answer } => drop(answer.send(Err(error))),
            Event::Answer { answer, .. } => drop(answer.send(Err(error))),
            Event::Inquired { answer, .. } => drop(answer.send(Err(error))),
            Event::Command { answer, .. } => drop(answer.send(Err(error))),
            Event::Commands { answer } => drop(answer.send(Err(error))),
            Event::Preview { answer, .. } => drop(answer.send(Err(error))),
            Event::Wake { .. } => {}
            Event::Unqueue { answer, .. }
            | Event::Requeue { answer, .. }
            | Event::Interrupt { answer, .. }
            | Event::SetMode { answer, .. }
            | Event::SetModel { answer, .. }
            | Event::Draft { answer, .. }
            | Event::Rename { answer, .. }
            | Event::Archive { answer, .. }
            | Event::Compact { answer }
            | Event::Detach { answer, .. }
            | Event::Close { answer }
            | Event::End { answer } => drop(answer.send(Err(error))),
            Event::ResendOpen { .. } => {}
        }
    }
}

impl Running {
    async fn handle(&mut self, event: Event) {
        match event {
            Event::Prompt { input, delivery, answer } => self.prompt(input, delivery, answer).await,
            Event::Unqueue { id, answer } => reply(answer, self.requeue(&id, None).await),
            Event::Requeue { id, input, answer } => reply(answer, self.requeue(&id, Some(input)).await),
            Event::Interrupt { scope, answer } => reply(answer, self.interrupt(scope).await),
            Event::SetMode { mode, answer } => reply(answer, self.set_mode(mode).await),
            Event::SetModel { model, effort, answer } => reply(answer, self.set_model(model, effort).await),
            Event::Draft { text, answer } => reply(answer, self.draft(text).await),
            Event::Compact { answer } => reply(answer, self.compact().await),
            Event::Rename { title, answer } => reply(answer, self.record(vec![Update::TitleChanged { title }]).await),
            Event::Archive { archived, answer } => reply(answer, self.archive(archived).await),
            Event::Attach { connection, environment, outlet, answer } => {
                self.environment = environment;
                reply(answer, Ok(self.attach(connection, outlet.0)));
                self.go_on_after_crash().await;
            }
            Event::Detach { connection, answer } => {
                self.outlets.retain(|(attached, _)| *attached != connection);
                reply(answer, Ok(()));
            }
            Event::ResendOpen { connection } => self.resend_open(&connection),
            Event::Wake { environment } => self.wake(environment).await,
            Event::Header { answer } => reply(answer, Ok(self.state.session.clone())),
            Event::Answer { approvals, given, answer } => reply(answer, self.answer(&approvals, given).await),
            Event::Command { id, answer } => reply(answer, self.command(&id)),
            Event::Commands { answer } => reply(answer, Ok(self.commands.infos())),
            Event::Inquired { item, reply: said, answer } => reply(answer, self.inquired(&item, said).await),
            Event::Preview { approval, rule, answer } => reply(answer, self.preview(&approval, rule).await),
            // The loop takes these itself.
            Event::Close { answer } | Event::End { answer } => reply(answer, Ok(())),
        }
    }

    /// Whether it could as well not be in memory.
    fn is_unused(&self) -> bool {
        let is_idle = self.turn.is_none() && !self.state.is_asking() && !self.commands.is_running();
        self.outlets.is_empty() && is_idle && self.memory.is_empty()
    }

    async fn handle_turn(&mut self, event: TurnEvent) {
        // A question that the turn took back is closed before what the turn said next.
        self.close_withdrawn().await;
        match event {
            TurnEvent::Record(updates, done) => match self.record(updates).await {
                // Nobody waits for it when the turn was dropped.
                Ok(()) => drop(done.send(())),
                // The turn hears of it as `done` is dropped, and ends with this for its reason.
                Err(error) => {
                    tracing::error!(session = %self.state.session.id, %error, "a turn cannot go on without its journal");
                    self.unrecorded = Some(error.to_string());
                }
            },
            TurnEvent::Show(update) => match *update {
                Update::StatusChanged { status } => self.show_status(status),
                update => self.show(update),
            },
            TurnEvent::Ask(question, answer) => self.ask(*question, answer, Asker::Turn).await,
            TurnEvent::Inquire(inquiry, answer) => self.inquire(inquiry, answer).await,
            // A turn that was dropped meanwhile does not care.
            TurnEvent::Launch(launch, answer) => drop(answer.send(self.launch_command(launch))),
            TurnEvent::Commands(answer) => drop(answer.send(self.commands.all())),
        }
    }

    /// Takes a prompt, as the state says.
    async fn prompt(&mut self, input: Vec<InputPart>, delivery: Delivery, answer: Answer<PromptTaken>) {
        let empty = input.iter().all(|part| matches!(part, InputPart::Text { text } if text.trim().is_empty()));
        if empty {
            return reply(answer, Err(SessionError::Invalid("the prompt is empty; say what to do".to_owned())));
        }
        let words = prompt::words(&input);
        // Whoever says something new to a turn that a crash cut begins another one.
        if !self.state.is_asking() {
            self.end_cut_turn().await;
        }
        let taken = match self.state.taking(delivery) {
            Taking::Start => match self.parts.running.begin() {
                Some(running) => {
                    let started = self.start_turn(input, None, running).await;
                    started.map(|turn_id| PromptTaken { turn_id: Some(turn_id), queued_id: None })
                }
                // The daemon is ending; the next one starts what waits.
                None => self.queue(input).await,
            },
            Taking::Queue => self.queue(input).await,
            Taking::Steer => self.steer(input).await,
        };
        if let Err(SessionError::Journal(error)) = &taken {
            self.give_back(words, &error.to_string());
        }
        reply(answer, taken);
    }

    /// A prompt that could not be recorded is refused, and stays where it was typed, in every editor.
    fn give_back(&mut self, words: String, why: &str) {
        self.show_fault(FaultKind::Journal, why);
        if self.state.draft.is_empty() {
            self.show(Update::DraftChanged { text: words });
        }
    }

    async fn queue(&mut self, input: Vec<InputPart>) -> Result<PromptTaken, SessionError> {
        let queued = Queued { id: self.parts.clock.queued_id(), input };
        let taken = PromptTaken { turn_id: None, queued_id: Some(queued.id.clone()) };
        let mut queue = self.state.queue.clone();
        queue.push(queued);
        self.record(vec![Update::QueueChanged { queue }]).await.map(|()| taken)
    }

    async fn steer(&mut self, input: Vec<InputPart>) -> Result<PromptTaken, SessionError> {
        let item = self.item(ItemContent::UserMessage(UserMessage { input }));
        self.steer_with(item).await?;
        Ok(PromptTaken { turn_id: self.state.turn.clone(), queued_id: None })
    }

    async fn requeue(&mut self, id: &QueuedId, input: Option<Vec<InputPart>>) -> Result<(), SessionError> {
        let mut queue = self.state.queue.clone();
        let place = queue.iter().position(|queued| queued.id == *id);
        let Some(place) = place else {
            let session = self.state.session.id.clone();
            return Err(SessionError::NoSuch { session, what: format!("waiting prompt {id}") });
        };
        match (input, queue.get_mut(place)) {
            (Some(input), Some(queued)) => queued.input = input,
            _ => drop(queue.remove(place)),
        }
        self.record(vec![Update::QueueChanged { queue }]).await
    }

    async fn interrupt(&mut self, scope: InterruptScope) -> Result<(), SessionError> {
        match (scope, &self.turn) {
            (InterruptScope::Command, Some(turn)) => turn.stop_command.notify_waiters(),
            (InterruptScope::Turn, Some(turn)) => {
                turn.cancel.cancel();
                let status = SessionStatus { state: Status::Stopping, text: "stopping".to_owned() };
                self.show(Update::StatusChanged { status });
            }
            (InterruptScope::Turn, None) => self.end_cut_turn().await,
            (InterruptScope::Command, None) => {}
        }
        Ok(())
    }

    async fn set_mode(&mut self, mode: Mode) -> Result<(), SessionError> {
        if mode == self.state.session.mode {
            return Ok(());
        }
        self.parts.may_work(&self.root()?, mode)?;
        self.record(vec![Update::ModeChanged { mode }]).await?;
        self.mode.send_replace(mode);
        if self.turn.is_some()
            && let Some(item) = self.environment_notice()
        {
            self.steer_with(item).await?;
        }
        Ok(())
    }

    async fn set_model(&mut self, model: ModelName, effort: Option<Effort>) -> Result<(), SessionError> {
        let resolved = self.parts.config.load(&self.environment)?.resolve(&model)?;
        let effort = resolved.takes(effort)?;
        self.record(vec![Update::ModelChanged { model: resolved.name, effort }]).await
    }

    async fn draft(&mut self, text: String) -> Result<(), SessionError> {
        self.parts.journal.draft(&self.state.session.id, &text).await?;
        self.show(Update::DraftChanged { text });
        Ok(())
    }

    async fn archive(&mut self, archived: bool) -> Result<(), SessionError> {
        self.parts.journal.archive(&self.state.session.id, archived).await?;
        self.state.session.archived = archived;
        self.announce();
        Ok(())
    }

    fn attach(&mut self, connection: ConnectionId, outlet: Arc<dyn Outlet>) -> Attached {
        self.outlets.retain(|(attached, _)| *attached != connection);
        self.outlets.push((connection, outlet));
        Attached { commands: self.commands.infos(), ..self.state.attached() }
    }

    fn resend_open(&self, connection: &ConnectionId) {
        let outlet = self.outlets.iter().find(|(attached, _)| attached == connection);
        if let Some((_, outlet)) = outlet {
            for item in self.state.open.values() {
                let update = Update::ItemChanged { item: item.clone() };
                outlet.send(&SessionUpdate { session_id: self.state.session.id.clone(), seq: None, update });
            }
        }
    }

    /// Journals updates, then folds and shows them.
    async fn record(&mut self, updates: Vec<Update>) -> Result<(), SessionError> {
        let at = self.parts.clock.now();
        let journal: &Journal = &self.parts.journal;
        let seqs = journal.append(&self.state.session.id, updates.clone(), &at).await?;
        self.state.session.updated_at = at;
        for (seq, update) in seqs.zip(updates) {
            self.state.seq = seq;
            self.spread(Some(seq), update);
        }
        Ok(())
    }

    async fn record_or_log(&mut self, updates: Vec<Update>) {
        let kept = updates.clone();
        if let Err(error) = self.record(updates).await {
            tracing::error!(session = %self.state.session.id, %error, "shown, but not in the journal");
            for update in kept {
                self.spread(None, update);
            }
            if self.unrecorded.replace(error.to_string()).is_none() {
                self.show_fault(FaultKind::Journal, &error.to_string());
            }
        }
    }

    /// Folds and shows an update that is not journaled.
    fn show(&mut self, update: Update) {
        self.spread(None, update);
    }

    fn show_fault(&mut self, fault: FaultKind, message: &str) {
        let item = self.item(ItemContent::Error(Fault { fault, message: message.to_owned(), retryable: true }));
        self.show(Update::ItemEnded { item });
    }

    fn spread(&mut self, seq: Option<u64>, update: Update) {
        self.tell_desktop(&update);
        let listed = self.state.fold(&update);
        if !self.outlets.is_empty() {
            let update = SessionUpdate { session_id: self.state.session.id.clone(), seq, update };
            for (_, outlet) in &self.outlets {
                outlet.send(&update);
            }
        }
        if listed {
            self.announce();
        }
    }

    fn tell_desktop(&mut self, update: &Update) {
        if matches!(update, Update::TurnStarted { .. }) {
            self.began = Instant::now();
        }
        if let Some((least, note)) = notes::note(&self.state.session.title, update, self.began.elapsed())
            && self.parts.config.notify() >= least
        {
            self.parts.desktop.show(note);
        }
    }

    fn announce(&self) {
        // Nobody may be listening.
        let _ = self.parts.changed.send(self.state.session.clone());
    }

    fn item(&self, content: ItemContent) -> Item {
        Item { id: self.parts.clock.item_id(), turn_id: self.state.turn.clone(), at: self.parts.clock.now(), content }
    }

    /// Gives the running turn an item from outside; where none runs, the history. In the journal it is open until the turn takes it, and so stands at the same place there
    /// and in what the model reads.
    pub(super) async fn steer_with(&mut self, item: Item) -> Result<(), SessionError> {
        let Some(turn) = &self.turn else {
            self.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
            // Where it is not in memory it will be read from the journal.
            if let Some(history) = &mut self.history {
                history.push(item);
            }
            return Ok(());
        };
        let steer = turn.steer.clone();
        self.record(vec![Update::ItemStarted { item: item.clone() }]).await?;
        // The turn's end gives back what it did not take.
        let _ = steer.send(item);
        Ok(())
    }
}

fn reply<T>(answer: Answer<T>, result: Result<T, SessionError>) {
    // Who asked may have gone.
    drop(answer.send(result));
}

//! Turns of a session: how one starts, what it is given, how it ends, and what a crash left of it.

use super::{Running, Turn};
use crate::config::{Beyond, Environment, Limits, Resolved};
use crate::cx::{Named, TurnCx, TurnError};
use crate::model::{Model, ModelError};
use crate::path::AbsPath;
use crate::prompt::{self, History};
use crate::session::{RunningTurn, SessionError, state};
use crate::{tool, turn};
use pilotfish_protocol::{
    Audience, Fault, FaultKind, InputPart, Item, ItemContent, Mode, Notice, Queued, SessionStatus, Status, StopReason,
    TurnId, Update, Usage, UserMessage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Events of a turn that wait for the session; then the turn waits.
const TURN_EVENTS: usize = 64;

/// What a tool call says whose turn ended under it.
const CUT_SHORT: &str = "[interrupted: pilotfish ended while this ran; whether it had an effect is not known]";

/// Said to the person and to the model when a turn goes on that a crash cut.
const CUT: &str = "pilotfish ended while this turn ran, and now goes on with it. What was interrupted may have had an effect: look \
                   before doing it again.";

/// How often a turn that was cut goes on by itself.
const CUTS: usize = 2;

/// Likewise, when its outcome could not be recorded.
const NOT_RECORDED: &str = "[interrupted: the journal could not be written; whether this had an effect is not known]";

/// What the configuration and the session's header say of a turn.
struct Settled {
    resolved: Resolved,
    limits: Limits,
    beyond: Beyond,
    root: AbsPath,
}

/// What a turn is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// To answer the person.
    Answer,
    /// To condense the history.
    Condense,
}

/// What a turn gives back.
pub(super) struct Outcome {
    result: Result<StopReason, TurnError>,
    usage: Usage,
    history: History,
    steered: mpsc::UnboundedReceiver<Item>,
}

impl Running {
    /// Starts a turn with a prompt. The prompt is in the journal before the answer, whatever happens then; with it `queue`,
    /// which it may have been taken from.
    pub(super) async fn start_turn(
        &mut self,
        input: Vec<InputPart>,
        queue: Option<Vec<Queued>>,
        running: RunningTurn,
    ) -> Result<TurnId, SessionError> {
        self.catch_up().await?;
        let turn_id = self.parts.clock.turn_id();
        let mut updates: Vec<Update> = queue.into_iter().map(|queue| Update::QueueChanged { queue }).collect();
        updates.push(Update::TurnStarted { turn_id: turn_id.clone(), at: self.parts.clock.now() });
        if self.state.session.title.is_empty() {
            let title = state::title(&prompt::words(&input));
            updates.push(Update::TitleChanged { title });
        }
        self.load_history().await?;
        let mut items: Vec<Item> = self.environment_notice().into_iter().collect();
        items.push(self.item(ItemContent::UserMessage(UserMessage { input })));
        for item in &mut items {
            item.turn_id = Some(turn_id.clone());
        }
        updates.extend(items.iter().map(|item| Update::ItemEnded { item: item.clone() }));
        self.record(updates).await?;
        let mut history = self.history.take().unwrap_or_default();
        for item in items {
            history.push(item);
        }
        self.launch(turn_id.clone(), history, running, Work::Answer).await;
        Ok(turn_id)
    }

    /// Condenses the history: at the next step of the turn, or in a small turn of its own.
    pub(super) async fn compact(&mut self) -> Result<(), SessionError> {
        self.wants_to_condense.store(true, Ordering::Relaxed);
        // One that waits for an answer after a restart does it when it goes on.
        if self.state.turn.is_some() {
            return Ok(());
        }
        let begun = self.compact_now().await;
        if begun.is_err() {
            self.wants_to_condense.store(false, Ordering::Relaxed);
        }
        begun
    }

    async fn compact_now(&mut self) -> Result<(), SessionError> {
        let closing = || SessionError::Closing(self.state.session.id.clone());
        let running = self.parts.running.begin().ok_or_else(closing)?;
        self.catch_up().await?;
        self.load_history().await?;
        self.start_compaction(running).await
    }

    async fn start_compaction(&mut self, running: RunningTurn) -> Result<(), SessionError> {
        let turn_id = self.parts.clock.turn_id();
        self.record(vec![Update::TurnStarted { turn_id: turn_id.clone(), at: self.parts.clock.now() }]).await?;
        let history = self.history.take().unwrap_or_default();
        self.launch(turn_id, history, running, Work::Condense).await;
        Ok(())
    }

    /// Starts a turn's task, with the configuration as it is now; or ends the turn with what is wrong there.
    pub(super) async fn launch(&mut self, id: TurnId, history: History, running: RunningTurn, work: Work) {
        let Settled { resolved, limits, beyond, root } = match self.settle() {
            Ok(settled) => settled,
            Err(error) => {
                self.history = Some(history);
                return self.fail_turn(&id, FaultKind::Configuration, error.to_string(), false).await;
            }
        };
        // What the configuration says may have changed since the effort was chosen.
        let effort = resolved.takes(self.state.session.effort).unwrap_or_default();
        let (events_tx, events) = mpsc::channel(TURN_EVENTS);
        let (steer, steered) = mpsc::unbounded_channel();
        let (cancel, stop_command) = (CancellationToken::new(), Arc::new(Notify::new()));
        let cx = TurnCx {
            session: self.state.session.id.clone(),
            turn: id.clone(),
            model: self.model(&resolved),
            tools: tool::offered(resolved.edits),
            title: state::title(&prompt::words(history.asked())),
            model_name: resolved.name,
            context_size: resolved.context,
            effort,
            workspace: self.parts.workspaces.open(&root),
            sandbox: self.parts.sandbox.clone(),
            environment: self.environment.clone(),
            journal: self.parts.journal.clone(),
            ground: self.parts.ground.clone(),
            names: self.parts.names.clone(),
            beyond,
            home: self.parts.config.home().clone(),
            clock: self.parts.clock.clone(),
            limits,
            mode: self.mode.subscribe(),
            cancel: cancel.clone(),
            stop_command: stop_command.clone(),
            steered,
            events: events_tx,
            background: self.commands.sender(),
            usage: Usage::default(),
            used_before: self.state.usage,
            allowed: BTreeMap::new(),
            price: resolved.price,
            wants_to_condense: self.wants_to_condense.clone(),
            named: Named::default(),
        };
        let task = tokio::spawn(run_turn(cx, history, work));
        self.turn = Some(Turn { id, task, events, steer, cancel, stop_command, running });
    }

    /// What the configuration and the session's header say of the next turn.
    fn settle(&self) -> Result<Settled, SessionError> {
        let config = self.parts.config.load(&self.environment)?;
        let model = match &self.state.session.model {
            Some(model) => model.clone(),
            None => config.default_model()?,
        };
        let resolved = config.resolve(&model)?;
        let limits = config.limits(resolved.context);
        Ok(Settled { resolved, limits, beyond: config.beyond().clone(), root: self.root()? })
    }

    pub(super) fn root(&self) -> Result<AbsPath, SessionError> {
        AbsPath::new(&self.state.session.workspace).map_err(|error| SessionError::Invalid(error.to_string()))
    }

    /// Gives up a mode that the workspace may no longer have, as the person said while this session was not in memory.
    pub(super) async fn obey_trust(&mut self) {
        let allowed = self.root().and_then(|root| self.parts.may_work(&root, self.state.session.mode));
        if let Err(error) = allowed {
            tracing::info!(session = %self.state.session.id, %error, "back to read-only mode");
            self.record_or_log(vec![Update::ModeChanged { mode: Mode::ReadOnly }]).await;
            self.mode.send_replace(Mode::ReadOnly);
        }
    }

    fn model(&mut self, resolved: &Resolved) -> Arc<dyn Model> {
        match &self.model {
            Some((known, model)) if known == resolved => model.clone(),
            _ => {
                let model = self.parts.connect.model(&resolved.endpoint, &resolved.model);
                self.model = Some((resolved.clone(), model.clone()));
                model
            }
        }
    }

    /// The turn has said all; takes its result and starts what waits.
    pub(super) async fn turn_ended(&mut self) {
        let Some(Turn { id: turn_id, task, running, .. }) = self.turn.take() else { return };
        let ended = task.await;
        self.close_withdrawn().await;
        self.silence_commands().await;
        self.memory.forget_once();
        match ended {
            Ok(mut outcome) => {
                let unanswered = self.take_untaken(&mut outcome).await;
                // After an interrupt or a failure nothing begins by itself.
                let is_fine = matches!(outcome.result, Ok(StopReason::Done | StopReason::Length));
                self.history = Some(outcome.history);
                self.close_turn(&turn_id, outcome.result, outcome.usage).await;
                if unanswered {
                    return self.go_on(running).await;
                }
                if !is_fine {
                    self.wants_to_condense.store(false, Ordering::Relaxed);
                }
                if self.wants_to_condense.load(Ordering::Relaxed) {
                    return match self.start_compaction(running).await {
                        Ok(()) => {}
                        Err(error) => self.show_fault(FaultKind::Journal, &error.to_string()),
                    };
                }
            }
            Err(error) => {
                // The journal has everything that counted; the panic's message is in the log.
                tracing::error!(session = %self.state.session.id, %error, "a turn panicked");
                self.history = None;
                self.mend_items().await;
                let message = "pilotfish failed inside this turn; its log says where. The session can go on".to_owned();
                self.fail_turn(&turn_id, FaultKind::Internal, message, true).await;
            }
        }
        drop(running);
        self.start_queued().await;
    }

    /// What came after the turn's last look is the beginning of the next one. Says whether that is a prompt.
    async fn take_untaken(&mut self, outcome: &mut Outcome) -> bool {
        let mut unanswered = false;
        while let Ok(item) = outcome.steered.try_recv() {
            unanswered |= matches!(item.content, ItemContent::UserMessage(_));
            self.record_or_log(vec![Update::ItemEnded { item: item.clone() }]).await;
            outcome.history.push(item);
        }
        unanswered
    }

    async fn close_turn(&mut self, turn_id: &TurnId, result: Result<StopReason, TurnError>, usage: Usage) {
        let stop = match result {
            Ok(stop) => stop,
            Err(TurnError::Interrupted) => StopReason::Interrupted,
            Err(TurnError::Orphaned) => {
                let why = self.unrecorded.clone().unwrap_or_else(|| TurnError::Orphaned.to_string());
                return self.end_with_fault(turn_id, FaultKind::Journal, why, true, usage).await;
            }
            Err(error @ TurnError::Full(_)) => {
                return self.end_with_fault(turn_id, FaultKind::ContextFull, error.to_string(), false, usage).await;
            }
            Err(error @ (TurnError::Budget(_) | TurnError::Looping(_))) => {
                return self.end_with_fault(turn_id, FaultKind::Limit, error.to_string(), true, usage).await;
            }
            Err(TurnError::Model(error)) => {
                let fault = match &error {
                    ModelError::ContextFull { .. } => FaultKind::ContextFull,
                    ModelError::Misconfigured { .. } => FaultKind::Configuration,
                    ModelError::Broken { .. } | ModelError::Silent { .. } | ModelError::TooLarge { .. } => {
                        FaultKind::Stream
                    }
                    ModelError::Unreachable { .. } | ModelError::Status { .. } | ModelError::Reported { .. } => {
                        FaultKind::Endpoint
                    }
                };
                return self.end_with_fault(turn_id, fault, error.to_string(), error.retryable(), usage).await;
            }
        };
        let ended = Update::TurnEnded { turn_id: turn_id.clone(), stop, usage, at: self.parts.clock.now() };
        self.record_or_log(vec![ended]).await;
    }

    pub(super) async fn fail_turn(&mut self, turn_id: &TurnId, fault: FaultKind, message: String, retryable: bool) {
        self.end_with_fault(turn_id, fault, message, retryable, Usage::default()).await;
    }

    async fn end_with_fault(
        &mut self,
        turn_id: &TurnId,
        fault: FaultKind,
        message: String,
        retryable: bool,
        usage: Usage,
    ) {
        let item = self.item(ItemContent::Error(Fault { fault, message, retryable }));
        let at = self.parts.clock.now();
        let ended = Update::TurnEnded { turn_id: turn_id.clone(), stop: StopReason::Failed, usage, at };
        self.record_or_log(vec![Update::ItemEnded { item }, ended]).await;
    }

    /// Starts a turn for a prompt that is in the history already.
    async fn go_on(&mut self, running: RunningTurn) {
        let turn_id = self.parts.clock.turn_id();
        let started = Update::TurnStarted { turn_id: turn_id.clone(), at: self.parts.clock.now() };
        self.record_or_log(vec![started]).await;
        let history = self.history.take().unwrap_or_default();
        self.launch(turn_id, history, running, Work::Answer).await;
    }

    /// Starts what waited when the last daemon ended, with the keys of a client when none has attached yet.
    pub(super) async fn wake(&mut self, environment: Environment) {
        if self.outlets.is_empty() {
            self.environment = environment;
        }
        if self.turn.is_none() {
            self.start_queued().await;
        }
    }

    async fn start_queued(&mut self) {
        let mut queue = self.state.queue.clone();
        // After an interrupt the person decides what happens next; what waits stays visible.
        if queue.is_empty() || self.state.session.status.state != Status::Idle {
            return;
        }
        // A daemon that is ending leaves it to the next one.
        let Some(running) = self.parts.running.begin() else { return };
        let next = queue.remove(0);
        if let Err(error) = self.start_turn(next.input, Some(queue), running).await {
            self.show_fault(FaultKind::Journal, &error.to_string());
        }
    }

    /// A notice of where the session works, when the model was told something else before.
    pub(super) fn environment_notice(&self) -> Option<Item> {
        // A configuration that does not read grants nothing.
        let beyond =
            self.parts.config.load(&self.environment).map(|config| config.beyond().clone()).unwrap_or_default();
        let text = prompt::environment(&prompt::Surroundings {
            workspace: &self.state.session.workspace,
            platform: &format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            mode: self.state.session.mode,
            date: &self.parts.clock.today(),
            hosts: beyond.hosts.into_iter().collect(),
            paths: beyond.paths.iter().map(ToString::to_string).collect(),
        });
        let told = self.history.as_ref().and_then(History::environment);
        (told != Some(text.as_str()))
            .then(|| self.item(ItemContent::Notice(Notice { text, audience: Audience::Model })))
    }

    pub(super) async fn load_history(&mut self) -> Result<(), SessionError> {
        if self.history.is_none() && self.turn.is_none() {
            self.history = Some(History::new(self.parts.journal.history(&self.state.session.id).await?));
        }
        Ok(())
    }

    /// After a crash: what was open is closed as interrupted, and nothing is run again by itself. A question stays open, and with it its
    /// turn.
    pub(super) async fn mend(&mut self) {
        if self.state.seq == 0 {
            return;
        }
        self.mend_items().await;
        if self.state.turn.is_none() {
            return;
        }
        if self.state.is_asking() {
            return self.show_waiting();
        }
        let text = "pilotfish ended during this turn; it goes on when an editor is there".to_owned();
        self.show(Update::StatusChanged { status: SessionStatus { state: Status::Stopped, text } });
    }

    /// Goes on with a turn that a crash cut, with the keys of the client that is there now. One that was cut too often is not tried again:
    /// it may be what ends the daemon.
    pub(super) async fn go_on_after_crash(&mut self) {
        let Some(turn_id) = self.state.turn.clone() else { return };
        if self.turn.is_some() || self.state.is_asking() {
            return;
        }
        if let Err(error) = self.load_history().await {
            return self.fail_turn(&turn_id, FaultKind::Journal, error.to_string(), true).await;
        }
        if self.history.as_ref().is_some_and(|history| !history.asks(&turn_id)) {
            return self.end_cut_turn().await;
        }
        let cuts = self.history.as_ref().map_or(0, |history| history.count_in(&turn_id, CUT));
        if cuts >= CUTS {
            let message = "pilotfish ended during this turn again and again, so it does not go on by itself".to_owned();
            return self.fail_turn(&turn_id, FaultKind::Internal, message, true).await;
        }
        // A daemon that is ending leaves it to the next one.
        let Some(running) = self.parts.running.begin() else { return };
        let item = self.item(ItemContent::Notice(Notice { text: CUT.to_owned(), audience: Audience::Both }));
        self.record_or_log(vec![Update::ItemEnded { item: item.clone() }]).await;
        self.history.get_or_insert_default().push(item);
        self.go_on_cut(running).await;
    }

    /// After the journal failed: what it lacks is closed there as after a crash, before anything else is recorded.
    async fn catch_up(&mut self) -> Result<(), SessionError> {
        if self.unrecorded.is_none() {
            return Ok(());
        }
        let id = self.state.session.id.clone();
        let stored = self.parts.journal.session(&id).await?.ok_or(SessionError::NotFound(id.clone()))?;
        let open = self.parts.journal.open_items(&id).await?;
        let ended = |item| Update::ItemEnded { item: state::cut_short(item, NOT_RECORDED) };
        let mut updates: Vec<Update> = open.into_iter().map(ended).collect();
        let (stop, usage, at) = (StopReason::Failed, Usage::default(), self.parts.clock.now());
        updates.extend(stored.turn_id.map(|turn_id| Update::TurnEnded { turn_id, stop, usage, at }));
        if !updates.is_empty() {
            self.record(updates).await?;
        }
        // What was said and not recorded is not said to the model again.
        self.history = None;
        self.unrecorded = None;
        Ok(())
    }

    async fn mend_items(&mut self) {
        match self.parts.journal.open_items(&self.state.session.id).await {
            Ok(open) => {
                // A question stays open with its turn, and what waits for it is known by it.
                let questions = open.iter().filter(|item| matches!(item.content, ItemContent::Question(_)));
                let questions = questions.filter(|_| self.state.turn.is_some());
                self.state.open.extend(questions.map(|item| (item.id.clone(), item.clone())));
                let (asking, rest) = open.into_iter().partition::<Vec<Item>, _>(|item| self.state.waits_for(item));
                self.state.open.extend(asking.into_iter().map(|item| (item.id.clone(), item)));
                let ended = |item| Update::ItemEnded { item: state::cut_short(item, CUT_SHORT) };
                let updates: Vec<Update> = rest.into_iter().map(ended).collect();
                if !updates.is_empty() {
                    self.record_or_log(updates).await;
                }
            }
            Err(error) => tracing::error!(session = %self.state.session.id, %error, "could not mend the session"),
        }
    }

    /// Interrupts the turn and waits for its end.
    pub(super) async fn end_turn(&mut self) {
        self.end_cut_turn().await;
        if let Some(turn) = &self.turn {
            turn.cancel.cancel();
        }
        while let Some(turn) = &mut self.turn {
            match turn.events.recv().await {
                Some(event) => self.handle_turn(event).await,
                None => {
                    let Some(turn) = self.turn.take() else { return };
                    let ended = turn.task.await;
                    self.close_withdrawn().await;
                    if let Ok(mut outcome) = ended {
                        self.take_untaken(&mut outcome).await;
                        self.close_turn(&turn.id, outcome.result, outcome.usage).await;
                    }
                }
            }
        }
    }
}

async fn run_turn(mut cx: TurnCx, mut history: History, work: Work) -> Outcome {
    let result = match work {
        Work::Answer => turn::run(&mut cx, &mut history).await,
        Work::Condense => turn::condense(&mut cx, &mut history).await,
    };
    Outcome { result, usage: cx.usage, history, steered: cx.steered }
}

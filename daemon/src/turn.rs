//! One turn: ask the model, run the tools it calls, until it calls none.

use crate::clock::Clock;
use crate::journal::Journal;
use crate::model::{Call, Model, ModelError, ModelEvent, ModelRequest, Stop, retry};
use crate::prompt::{self, History};
use crate::sandbox::Sandbox;
use crate::tool;
use crate::workspace::Workspace;
use futures::StreamExt;
use pilotfish_protocol::{
    AgentMessage, Completion, Effort, Fault, FaultKind, Item, ItemContent, ItemId, Mode, ModelName, Reasoning,
    SessionId, SessionStatus, Status, StopReason, TurnId, Update, Usage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// What a turn says to its session.
#[derive(Debug)]
pub enum TurnEvent {
    /// Changes to journal and show. The answer means that they are in the journal.
    Record(Vec<Update>, oneshot::Sender<()>),
    /// A change to show only.
    Show(Box<Update>),
}

/// The limits of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Model requests.
    pub max_steps: u32,
    /// Characters one tool's output may take in the history.
    pub output_chars: usize,
    /// A command's time, unless the model asks for another.
    pub command_time: std::time::Duration,
}

/// The only handle of a turn to the world.
pub struct TurnCx {
    /// Whose turn.
    pub session: SessionId,
    /// Which turn.
    pub turn: TurnId,
    /// What answers.
    pub model: Arc<dyn Model>,
    /// Its name.
    pub model_name: ModelName,
    /// Its context size in tokens, if known.
    pub context_size: Option<u64>,
    /// How hard it thinks.
    pub effort: Option<Effort>,
    /// The folder.
    pub workspace: Workspace,
    /// What confines commands.
    pub sandbox: Sandbox,
    /// The environment commands may see a part of.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Where full outputs go.
    pub journal: Journal,
    /// Time and ids.
    pub clock: Clock,
    /// The limits.
    pub limits: Limits,
    /// What the agent may do, as of now.
    pub mode: watch::Receiver<Mode>,
    /// Ends the turn.
    pub cancel: CancellationToken,
    /// Ends the running command.
    pub stop_command: Arc<Notify>,
    /// Items that entered the history from outside: steering prompts, notices.
    pub steered: mpsc::UnboundedReceiver<Item>,
    /// To the session.
    pub events: mpsc::Sender<TurnEvent>,
    /// Tokens of this turn so far.
    pub usage: Usage,
}

/// Why a turn ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// The model could not be asked.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The session went away.
    #[error("the session ended")]
    Orphaned,
}

/// Runs one turn: ask the model, run the tools it calls, until it calls none.
///
/// # Errors
/// When it is interrupted, or the model cannot be asked. Everything until then is in the history.
pub async fn run(cx: &mut TurnCx, history: &mut History) -> Result<StopReason, TurnError> {
    for step in 0..cx.limits.max_steps {
        let answer = sample(cx, history, step).await?;
        if answer.calls.is_empty() && !cx.take_steered(history) {
            return Ok(answer.stop);
        }
        for call in answer.calls {
            let item = tool::run(cx, step, call).await?;
            history.push(item);
        }
        cx.take_steered(history);
        if cx.cancel.is_cancelled() {
            return Err(TurnError::Interrupted);
        }
    }
    Ok(StopReason::StepLimit)
}

/// What one step gave beside the items it left in the history.
struct Answer {
    calls: Vec<Call>,
    stop: StopReason,
}

/// Asks the model once, and again while that may help.
async fn sample(cx: &mut TurnCx, history: &mut History, step: u32) -> Result<Answer, TurnError> {
    let mut attempt = 0;
    loop {
        cx.status(Status::Thinking, "thinking").await;
        let request = prompt::build(&cx.session, cx.effort, &cx.model_name, history);
        tracing::debug!(session = %cx.session, step, attempt, messages = request.messages.len(), "asks the model");
        let error = match stream_once(cx, history, request).await {
            Ok(answer) => return Ok(answer),
            Err(TurnError::Model(error)) if error.retryable() => error,
            Err(error) => return Err(error),
        };
        attempt += 1;
        let Some(delay) = retry::delay(attempt, error.retry_after(), cx.clock.jitter()) else {
            return Err(error.into());
        };
        tracing::info!(session = %cx.session, %error, attempt, delay_ms = delay.as_millis(), "asks the model again");
        cx.status(Status::Thinking, &format!("{error}; trying again in {:.1} s", delay.as_secs_f64())).await;
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = cx.cancel.cancelled() => return Err(TurnError::Interrupted),
        }
    }
}

/// Streams one answer. Items that it opens are closed whatever happens; calls are returned only when the answer is whole.
async fn stream_once(cx: &mut TurnCx, history: &mut History, request: ModelRequest) -> Result<Answer, TurnError> {
    let mut stream = cx.model.stream(request);
    let mut open: Option<Item> = None;
    let mut calls = Vec::new();
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = cx.cancel.cancelled() => {
                cx.close(history, open.take(), Completion::Interrupted).await?;
                return Err(TurnError::Interrupted);
            }
        };
        match event {
            Some(Ok(ModelEvent::Text(text))) => {
                let fresh =
                    || ItemContent::AgentMessage(AgentMessage { completion: Completion::Open, ..Default::default() });
                cx.extend(history, &mut open, &text, is_message, fresh).await?;
            }
            Some(Ok(ModelEvent::Reasoning(text))) => {
                let fresh = || ItemContent::Reasoning(Reasoning { completion: Completion::Open, ..Default::default() });
                cx.extend(history, &mut open, &text, is_reasoning, fresh).await?;
            }
            Some(Ok(ModelEvent::TextEnded)) => cx.close(history, open.take(), Completion::Whole).await?,
            Some(Ok(ModelEvent::ReasoningEnded { opaque })) => {
                if opaque.is_some() && !open.as_ref().is_some_and(|item| is_reasoning(&item.content)) {
                    cx.close(history, open.take(), Completion::Whole).await?;
                    open = Some(cx.item(ItemContent::Reasoning(Reasoning::default())));
                }
                if let Some(Item { content: ItemContent::Reasoning(reasoning), .. }) = &mut open {
                    reasoning.model = opaque.is_some().then(|| cx.model_name.clone());
                    reasoning.opaque = opaque;
                }
                cx.close(history, open.take(), Completion::Whole).await?;
            }
            Some(Ok(ModelEvent::Call(call))) => {
                cx.close(history, open.take(), Completion::Whole).await?;
                calls.push(call);
            }
            Some(Ok(ModelEvent::Finished { stop, usage })) => {
                cx.close(history, open.take(), Completion::Whole).await?;
                cx.add_usage(&usage);
                let stop = match stop {
                    Stop::Done => StopReason::Done,
                    Stop::Length => StopReason::Length,
                    Stop::Refused => StopReason::Refused,
                };
                return Ok(Answer { calls, stop });
            }
            Some(Err(error)) => {
                cx.broken(history, open.take(), &error).await?;
                return Err(error.into());
            }
            None => {
                let url = cx.model_name.to_string();
                let error = ModelError::Broken { url, why: "the stream ended without an end".to_owned() };
                cx.broken(history, open.take(), &error).await?;
                return Err(error.into());
            }
        }
    }
}

fn is_message(content: &ItemContent) -> bool {
    matches!(content, ItemContent::AgentMessage(_))
}

fn is_reasoning(content: &ItemContent) -> bool {
    matches!(content, ItemContent::Reasoning(_))
}

impl TurnCx {
    /// A new item of this turn.
    #[must_use]
    pub fn item(&self, content: ItemContent) -> Item {
        Item { id: self.clock.item_id(), turn_id: Some(self.turn.clone()), at: self.clock.now(), content }
    }

    /// Journals updates and shows them; answers when they are in the journal.
    ///
    /// # Errors
    /// When the session is gone or could not journal them; the turn must end.
    pub async fn record(&self, updates: Vec<Update>) -> Result<(), TurnError> {
        let (done, journaled) = oneshot::channel();
        self.events.send(TurnEvent::Record(updates, done)).await.map_err(|_| TurnError::Orphaned)?;
        journaled.await.map_err(|_| TurnError::Orphaned)
    }

    /// Shows an update that is not journaled.
    pub async fn show(&self, update: Update) {
        // A session that is gone shows nothing; the next record ends the turn.
        let _ = self.events.send(TurnEvent::Show(Box::new(update))).await;
    }

    /// Shows text that an open item gained.
    pub async fn delta(&self, item_id: &ItemId, text: String) {
        self.show(Update::ItemDelta { item_id: item_id.clone(), text }).await;
    }

    /// Shows what the turn does now.
    pub async fn status(&self, state: Status, text: &str) {
        self.show(Update::StatusChanged { status: SessionStatus { state, text: text.to_owned() } }).await;
    }

    /// Appends text to the open item, which is first closed if it is of another kind and opened if there is none.
    async fn extend(
        &self,
        history: &mut History,
        open: &mut Option<Item>,
        text: &str,
        fits: fn(&ItemContent) -> bool,
        fresh: impl FnOnce() -> ItemContent,
    ) -> Result<(), TurnError> {
        if !open.as_ref().is_some_and(|item| fits(&item.content)) {
            self.close(history, open.take(), Completion::Whole).await?;
        }
        let item = match open {
            Some(item) => item,
            None => {
                let item = self.item(fresh());
                self.record(vec![Update::ItemStarted { item: item.clone() }]).await?;
                open.insert(item)
            }
        };
        crate::session::state::append(&mut item.content, text);
        self.delta(&item.id, text.to_owned()).await;
        Ok(())
    }

    /// Ends the open item and puts it into the history.
    async fn close(&self, history: &mut History, open: Option<Item>, completion: Completion) -> Result<(), TurnError> {
        let Some(mut item) = open else { return Ok(()) };
        match &mut item.content {
            ItemContent::AgentMessage(message) => message.completion = completion,
            ItemContent::Reasoning(reasoning) => reasoning.completion = completion,
            // Only these two are ever open here.
            _ => {}
        }
        self.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
        history.push(item);
        Ok(())
    }

    /// Ends the open item of a broken answer, and says what broke when there was something to see.
    async fn broken(&self, history: &mut History, open: Option<Item>, error: &ModelError) -> Result<(), TurnError> {
        if open.is_none() {
            return Ok(());
        }
        self.close(history, open, Completion::Broken).await?;
        if error.retryable() {
            let message = format!("{error}; asking again");
            let fault = Fault { fault: FaultKind::Stream, message, retryable: true };
            let item = self.item(ItemContent::Error(fault));
            self.record(vec![Update::ItemEnded { item }]).await?;
        }
        Ok(())
    }

    /// Puts what came from outside into the history. Says whether anything did.
    fn take_steered(&mut self, history: &mut History) -> bool {
        let mut any = false;
        while let Ok(item) = self.steered.try_recv() {
            history.push(item);
            any = true;
        }
        any
    }

    fn add_usage(&mut self, usage: &Usage) {
        self.usage.input_tokens += usage.input_tokens;
        self.usage.cached_tokens += usage.cached_tokens;
        self.usage.output_tokens += usage.output_tokens;
        self.usage.reasoning_tokens += usage.reasoning_tokens;
        self.usage.context_tokens = usage.input_tokens + usage.output_tokens;
        self.usage.context_size = self.context_size;
    }
}

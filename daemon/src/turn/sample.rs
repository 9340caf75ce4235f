//! One step's answer: asked for, listened to, and asked for again while that may help.

use super::{account, room};
use crate::cx::{TurnCx, TurnError};
use crate::model::{Call, ModelError, ModelEvent, Stop, retry};
use crate::prompt::{History, Prompt};
use futures::StreamExt;
use pilotfish_protocol::{
    AgentMessage, Completion, Fault, FaultKind, Item, ItemContent, Reasoning, Status, StopReason, Update,
};

/// What one step gave beside the items it left in the history.
pub(super) struct Answer {
    pub(super) calls: Vec<Call>,
    pub(super) stop: StopReason,
}

/// Asks the model once, and again while that may help. When the provider says that the request does not fit, it is asked once more with
/// less in it.
pub(super) async fn sample(cx: &mut TurnCx, history: &mut History, step: u32) -> Result<Answer, TurnError> {
    let mut attempt = 0;
    let mut was_full = false;
    loop {
        let prompt = room::next_request(cx, history).await?;
        cx.status(Status::Thinking, "thinking").await;
        tracing::debug!(session = %cx.session, step, attempt, messages = prompt.request.messages.len(), "asks the model");
        let error = match stream_once(cx, history, &prompt).await {
            Ok(answer) => return Ok(answer),
            Err(TurnError::Model(error)) if error.retryable() => error,
            Err(TurnError::Model(ModelError::ContextFull { message, .. })) => {
                if was_full || !room::refused(cx, history, &prompt).await? {
                    return Err(TurnError::Full(message));
                }
                was_full = true;
                continue;
            }
            Err(error) => return Err(error),
        };
        attempt += 1;
        wait_to_retry(cx, attempt, error).await?;
    }
}

/// Waits before a request is sent once more.
///
/// # Errors
/// With the failure itself when it was tried often enough, or when the turn is interrupted.
pub(super) async fn wait_to_retry(cx: &TurnCx, attempt: u32, error: ModelError) -> Result<(), TurnError> {
    let Some(delay) = retry::delay(attempt, error.retry_after(), cx.clock.jitter()) else {
        return Err(error.into());
    };
    tracing::info!(session = %cx.session, %error, attempt, delay_ms = delay.as_millis(), "asks the model again");
    cx.status(Status::Thinking, &format!("{error}; trying again in {:.1} s", delay.as_secs_f64())).await;
    tokio::select! {
        () = tokio::time::sleep(delay) => Ok(()),
        () = cx.cancel.cancelled() => Err(TurnError::Interrupted),
    }
}

/// Streams one answer. Items that it opens are closed whatever happens; calls are returned only when the answer is whole.
async fn stream_once(cx: &mut TurnCx, history: &mut History, prompt: &Prompt) -> Result<Answer, TurnError> {
    let mut stream = cx.model.stream(prompt.request.clone());
    let mut listening = Listening { cx, open: None, ended: Vec::new() };
    let mut calls = Vec::new();
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = listening.cx.cancel.cancelled() => {
                history.extend(listening.interrupted().await?);
                return Err(TurnError::Interrupted);
            }
        };
        match event {
            Some(Ok(ModelEvent::Text(text))) => listening.extend(&text, Kind::Message).await?,
            Some(Ok(ModelEvent::Reasoning(text))) => listening.extend(&text, Kind::Reasoning).await?,
            Some(Ok(ModelEvent::TextEnded)) => listening.close(Completion::Whole).await?,
            Some(Ok(ModelEvent::ReasoningEnded { opaque })) => listening.thought(opaque).await?,
            Some(Ok(ModelEvent::Call(call))) => {
                listening.close(Completion::Whole).await?;
                calls.push(call);
            }
            Some(Ok(ModelEvent::Finished { stop, usage })) => {
                listening.close(Completion::Whole).await?;
                history.extend(listening.ended);
                account::answered(cx, history, prompt, &usage).await?;
                let stop = match stop {
                    Stop::Done => StopReason::Done,
                    Stop::Length => StopReason::Length,
                    Stop::Refused => StopReason::Refused,
                };
                return Ok(Answer { calls, stop });
            }
            Some(Err(error)) => return Err(listening.broken(error).await?),
            None => {
                let url = listening.cx.model_name.to_string();
                let why = "the stream ended without an end".to_owned();
                return Err(listening.broken(ModelError::Broken { url, why }).await?);
            }
        }
    }
}

/// What of an answer streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
}

impl Kind {
    fn of(content: &ItemContent) -> Option<Self> {
        match content {
            ItemContent::AgentMessage(_) => Some(Kind::Message),
            ItemContent::Reasoning(_) => Some(Kind::Reasoning),
            // Nothing else is ever open here.
            _ => None,
        }
    }

    fn fresh(self) -> ItemContent {
        let (text, completion) = (String::new(), Completion::Open);
        match self {
            Kind::Message => ItemContent::AgentMessage(AgentMessage { text, completion }),
            Kind::Reasoning => ItemContent::Reasoning(Reasoning { text, completion, ..Reasoning::default() }),
        }
    }
}

/// One answer while it comes: at most one item of it is open, and none counts before the answer is whole.
struct Listening<'a> {
    cx: &'a TurnCx,
    open: Option<Item>,
    ended: Vec<Item>,
}

impl Listening<'_> {
    /// The open item of a kind, opened if it is not; an open one of another kind is closed first.
    async fn open(&mut self, kind: Kind) -> Result<&mut Item, TurnError> {
        if self.open.as_ref().and_then(|item| Kind::of(&item.content)) != Some(kind) {
            self.close(Completion::Whole).await?;
        }
        if self.open.is_none() {
            let item = self.cx.item(kind.fresh());
            self.cx.record(vec![Update::ItemStarted { item: item.clone() }]).await?;
            self.open = Some(item);
        }
        Ok(self.open.as_mut().expect("it was opened just now"))
    }

    async fn extend(&mut self, text: &str, kind: Kind) -> Result<(), TurnError> {
        let cx = self.cx;
        let item = self.open(kind).await?;
        item.content.append(text);
        cx.delta(&item.id, text.to_owned()).await;
        Ok(())
    }

    /// Ends a thought. One without words counts when its provider wants something of it back.
    async fn thought(&mut self, opaque: Option<serde_json::Value>) -> Result<(), TurnError> {
        let is_open = self.open.as_ref().and_then(|item| Kind::of(&item.content)) == Some(Kind::Reasoning);
        if opaque.is_some() || is_open {
            let model = self.cx.model_name.clone();
            if let ItemContent::Reasoning(reasoning) = &mut self.open(Kind::Reasoning).await?.content {
                reasoning.model = opaque.is_some().then_some(model);
                reasoning.opaque = opaque;
            }
        }
        self.close(Completion::Whole).await
    }

    /// Ends the open item.
    async fn close(&mut self, completion: Completion) -> Result<(), TurnError> {
        let Some(mut item) = self.open.take() else { return Ok(()) };
        complete(&mut item, completion);
        self.cx.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
        self.ended.push(item);
        Ok(())
    }

    /// Ends what is open. Words stay; a thought whose words or calls did not all come means nothing to its provider.
    async fn interrupted(mut self) -> Result<Vec<Item>, TurnError> {
        self.close(Completion::Interrupted).await?;
        let (mut kept, thoughts): (Vec<_>, Vec<_>) =
            self.ended.into_iter().partition(|item| Kind::of(&item.content) != Some(Kind::Reasoning));
        kept.extend(again(self.cx, thoughts, Completion::Interrupted).await?);
        kept.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(kept)
    }

    /// Ends the items of a broken answer, once more where they had ended: the next answer says it all again. Says what broke when
    /// there was something to see.
    async fn broken(mut self, error: ModelError) -> Result<TurnError, TurnError> {
        self.close(Completion::Broken).await?;
        let was_seen = !again(self.cx, self.ended, Completion::Broken).await?.is_empty();
        if was_seen && error.retryable() {
            let message = format!("{error}; asking again");
            let item = self.cx.item(ItemContent::Error(Fault { fault: FaultKind::Stream, message, retryable: true }));
            self.cx.record(vec![Update::ItemEnded { item }]).await?;
        }
        Ok(error.into())
    }
}

/// Ends items once more, those that had another end.
async fn again(cx: &TurnCx, mut items: Vec<Item>, completion: Completion) -> Result<Vec<Item>, TurnError> {
    let changed: Vec<Update> = items
        .iter_mut()
        .filter_map(|item| complete(item, completion).then(|| Update::ItemEnded { item: item.clone() }))
        .collect();
    if !changed.is_empty() {
        cx.record(changed).await?;
    }
    Ok(items)
}

/// Says how an item ended. Answers whether that is news.
fn complete(item: &mut Item, completion: Completion) -> bool {
    let said = match &mut item.content {
        ItemContent::AgentMessage(message) => &mut message.completion,
        ItemContent::Reasoning(reasoning) => &mut reasoning.completion,
        // Nothing else is ever open here.
        _ => return false,
    };
    std::mem::replace(said, completion) != completion
}

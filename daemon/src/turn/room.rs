//! Room for the next request: it is measured before it is sent, and what is older is condensed when it would not fit. Older outputs go
//! first, in one large step; then all but the last few steps becomes a summary, for which the model itself is asked.

use super::sample::wait_to_retry;
use super::{account, add};
use crate::cx::{TurnCx, TurnError};
use crate::model::{ModelError, ModelEvent};
use crate::prompt::summary::{self, Digest, Pending};
use crate::prompt::{self, History, Prompt, condense};
use futures::StreamExt;
use pilotfish_protocol::{Compaction, CompactionWay, HunkState, Item, ItemContent, Status};
use std::collections::BTreeMap;

/// What came of condensing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condensed {
    /// There is more room.
    Yes,
    /// There was nothing to gain.
    No,
}

/// Builds the next request, with room for it.
///
/// # Errors
/// When it does not fit whatever is condensed.
pub(super) async fn next_request(cx: &mut TurnCx, history: &mut History) -> Result<Prompt, TurnError> {
    if cx.takes_wish_to_condense() {
        summarize(cx, history).await?;
    }
    let prompt = build(cx, history);
    let takes = history.window.scaled(prompt.estimate());
    if takes <= threshold(history) {
        return Ok(prompt);
    }
    let condensed = match condense::mask(history, takes) {
        Some(compaction) => {
            let item = cx.item(ItemContent::Compaction(compaction));
            record(cx, history, item).await?;
            Condensed::Yes
        }
        None => summarize(cx, history).await?,
    };
    let prompt = match condensed {
        Condensed::Yes => build(cx, history),
        Condensed::No => prompt,
    };
    let takes = history.window.scaled(prompt.estimate());
    if takes <= history.window.limit() {
        return Ok(prompt);
    }
    Err(TurnError::Full(format!(
        "the next request would take about {takes} tokens, and {} takes {} at most",
        cx.model_name,
        history.window.limit()
    )))
}

/// The provider said that a request does not fit: condenses what there is. Says whether there is more room now.
pub(super) async fn refused(cx: &mut TurnCx, history: &mut History, prompt: &Prompt) -> Result<bool, TurnError> {
    history.window.refused(prompt.estimate());
    Ok(summarize(cx, history).await? == Condensed::Yes)
}

/// Condenses all but the last few steps into a summary, and all where that is not enough.
pub(super) async fn summarize(cx: &mut TurnCx, history: &mut History) -> Result<Condensed, TurnError> {
    let prompt = build(cx, history);
    let before = history.window.scaled(prompt.estimate());
    let words = ask(cx, history, prompt).await?;
    let pending = pending(cx).await;
    let tails = [condense::tail(history), history.len()];
    for tail in tails {
        let first_kept = history.id_at(tail);
        let text = summary::text(&Digest { history, tail, pending: &pending, summary: words.as_deref() });
        let way = CompactionWay::Summarized;
        let compaction = Compaction { way, first_kept, text, tokens_before: before, tokens_after: 0 };
        // What it leaves is known when it stands in its place.
        let mut item = cx.item(ItemContent::Compaction(compaction));
        history.push(item.clone());
        let after = history.window.scaled(build(cx, history).estimate());
        history.pop();
        if after >= before.min(history.window.limit()) {
            continue;
        }
        if let ItemContent::Compaction(compaction) = &mut item.content {
            compaction.tokens_after = after;
        }
        record(cx, history, item).await?;
        return Ok(Condensed::Yes);
    }
    Ok(Condensed::No)
}

/// Above this a request is only sent with less in it. Right behind a summary there is nothing more to gain, so it rises there.
fn threshold(history: &History) -> u64 {
    let window = &history.window;
    let risen = history.summarized_to().map_or(0, |after| after.midpoint(window.sure()));
    window.high_water().max(risen).min(window.sure())
}

fn build(cx: &TurnCx, history: &History) -> Prompt {
    prompt::build(&cx.session, (&cx.model_name, cx.effort), &cx.tools, history)
}

async fn record(cx: &TurnCx, history: &mut History, item: Item) -> Result<(), TurnError> {
    if let ItemContent::Compaction(compaction) = &item.content {
        let (before, after) = (compaction.tokens_before, compaction.tokens_after);
        tracing::info!(session = %cx.session, way = ?compaction.way, before, after, "condensed the history");
    }
    add(cx, history, item).await
}

/// Asks the model for a summary of all it has read, and again while that may help. `None` when it gives none that is of use: then what was
/// done is listed instead.
async fn ask(cx: &mut TurnCx, history: &mut History, prompt: Prompt) -> Result<Option<String>, TurnError> {
    cx.status(Status::Thinking, "condensing older history").await;
    let mut prompt = prompt::asking_for_summary(prompt);
    let scale = history.window.scaled(1_000).max(1);
    let most = history.window.sure().saturating_mul(1_000) / scale;
    if !prompt::shorten(&mut prompt, most) {
        return Ok(None);
    }
    let mut attempt = 0;
    loop {
        match listen(cx, history, &prompt).await {
            Err(TurnError::Model(error)) if error.retryable() => {
                attempt += 1;
                wait_to_retry(cx, attempt, error).await?;
            }
            Err(TurnError::Model(error @ ModelError::ContextFull { .. })) => {
                tracing::info!(session = %cx.session, %error, "the model gave no summary");
                return Ok(None);
            }
            answered => return answered,
        }
    }
}

/// The words of one answer, if they are of use.
async fn listen(cx: &mut TurnCx, history: &mut History, prompt: &Prompt) -> Result<Option<String>, TurnError> {
    let mut stream = cx.model.stream(prompt.request.clone());
    let mut words = String::new();
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            () = cx.cancel.cancelled() => return Err(TurnError::Interrupted),
        };
        match event {
            Some(Ok(ModelEvent::Text(text))) => words.push_str(&text),
            Some(Ok(ModelEvent::Finished { usage, .. })) => {
                account::answered(cx, history, prompt, &usage).await?;
                return Ok(summary::is_usable(&words).then_some(words));
            }
            // Thoughts are not kept, and calls are not made here.
            Some(Ok(
                ModelEvent::TextEnded
                | ModelEvent::Reasoning(_)
                | ModelEvent::ReasoningEnded { .. }
                | ModelEvent::Call(_),
            )) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(None),
        }
    }
}

/// What waits for the person's review, by file.
async fn pending(cx: &TurnCx) -> Vec<Pending> {
    let mut files: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for (path, hunk) in cx.waiting().await {
        *files.entry((path, hunk.state == HunkState::Proposed)).or_default() += 1;
    }
    files.into_iter().map(|((path, proposed), hunks)| Pending { path, hunks, proposed }).collect()
}

//! One turn: ask the model, run the tools it calls, until it calls none.

use crate::cx::{TurnCx, TurnError};
use crate::prompt::History;
use crate::tool;
use pilotfish_protocol::{Audience, Item, ItemContent, Mode, Notice, StopReason, Update};
use room::Condensed;
use sample::sample;

mod account;
mod given;
mod guard;
mod room;
mod sample;

/// Runs one turn: ask the model, run the tools it calls, until it calls none.
///
/// # Errors
/// When it is interrupted, or the model cannot be asked. Everything until then is in the history.
pub async fn run(cx: &mut TurnCx, history: &mut History) -> Result<StopReason, TurnError> {
    history.window.belongs_to(&cx.model_name, cx.context_size);
    look_again(cx, history).await?;
    let first = history.next_step(&cx.turn);
    for step in first..first.saturating_add(cx.limits.max_steps) {
        tell_decisions(cx, history).await?;
        account::keep_within_budget(cx, history).await?;
        given::give(cx, history).await?;
        let answer = sample(cx, history, step).await?;
        if answer.calls.is_empty() && !take_steered(cx, history).await? && !ask_to_check(cx, history).await? {
            return Ok(answer.stop);
        }
        let before = answer.calls.iter().any(|call| tool::edits(&call.name)).then(|| cx.shown());
        for call in answer.calls {
            let item = tool::run(cx, step, call).await?;
            history.push(item);
        }
        if let Some(before) = before {
            given::tell_problems(cx, history, before).await?;
        }
        take_steered(cx, history).await?;
        if cx.cancel.is_cancelled() {
            return Err(TurnError::Interrupted);
        }
        stop_repeating(cx, history).await?;
    }
    Ok(StopReason::StepLimit)
}

/// Condenses the history because the person wants it, with no prompt to answer.
///
/// # Errors
/// When it is interrupted, or the journal is gone.
pub async fn condense(cx: &mut TurnCx, history: &mut History) -> Result<StopReason, TurnError> {
    history.window.belongs_to(&cx.model_name, cx.context_size);
    cx.takes_wish_to_condense();
    if room::summarize(cx, history).await? == Condensed::No {
        tell(cx, history, "There is nothing to condense yet.".to_owned(), Audience::Person).await?;
    }
    Ok(StopReason::Done)
}

/// Where not all of the folder is watched: it is read again, and the person is told why, once.
async fn look_again(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    let Some(problem) = cx.workspace.files().problem() else { return Ok(()) };
    cx.workspace.files().rescan().await;
    tell_person_once(cx, history, &problem).await
}

/// What the person did with the agent's changes since the last step, so that the model goes on from there.
async fn tell_decisions(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    match cx.workspace.told(&cx.session).await {
        Some(text) => tell(cx, history, text, Audience::Model).await,
        None => Ok(()),
    }
}

/// Asks the model, once a turn, to check changes that nothing ran after. Says whether it did.
async fn ask_to_check(cx: &TurnCx, history: &mut History) -> Result<bool, TurnError> {
    // What is only proposed cannot be run.
    let wanted = cx.limits.finish_check && *cx.mode.borrow() == Mode::Agent && !cx.cancel.is_cancelled();
    let asked = |item: &Item| matches!(&item.content, ItemContent::Notice(notice) if notice.text == guard::UNCHECKED);
    if !wanted || history.of_turn(&cx.turn).any(asked) || !guard::is_unchecked(history.of_turn(&cx.turn)) {
        return Ok(false);
    }
    tell(cx, history, guard::UNCHECKED.to_owned(), Audience::Model).await?;
    Ok(true)
}

/// Tells the model that it repeats itself, and stops the turn when that does not help.
async fn stop_repeating(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    let text = match guard::repeats(history.of_turn(&cx.turn)) {
        (count, Some(call)) if count >= guard::STOPPED => return Err(TurnError::Looping(guard::stopped(call, count))),
        (guard::TOLD, Some(call)) => guard::told(call, guard::TOLD),
        _ => return Ok(()),
    };
    tell(cx, history, text, Audience::Model).await
}

/// Tells the person what this session did not tell them yet.
async fn tell_person_once(cx: &TurnCx, history: &mut History, text: &str) -> Result<(), TurnError> {
    if history.says(text) {
        return Ok(());
    }
    tell(cx, history, text.to_owned(), Audience::Person).await
}

async fn tell(cx: &TurnCx, history: &mut History, text: String, audience: Audience) -> Result<(), TurnError> {
    add(cx, history, cx.item(ItemContent::Notice(Notice { text, audience }))).await
}

/// Puts an item into the history, behind its being in the journal.
async fn add(cx: &TurnCx, history: &mut History, item: Item) -> Result<(), TurnError> {
    cx.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
    history.push(item);
    Ok(())
}

/// Puts what came from outside into the history. It ends in the journal only here, so that it stands at the same place there. Says
/// whether anything came.
async fn take_steered(cx: &mut TurnCx, history: &mut History) -> Result<bool, TurnError> {
    let mut any = false;
    while let Ok(item) = cx.steered.try_recv() {
        add(cx, history, item).await?;
        any = true;
    }
    Ok(any)
}

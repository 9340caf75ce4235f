//! One turn: ask the model, run the tools it calls, until it calls none.

use crate::cx::{TurnCx, TurnError};
use crate::prompt::History;
use crate::tool;
use pilotfish_protocol::{Audience, ItemContent, Notice, StopReason, Update};
use sample::sample;

mod given;
mod sample;

/// Runs one turn: ask the model, run the tools it calls, until it calls none.
///
/// # Errors
/// When it is interrupted, or the model cannot be asked. Everything until then is in the history.
pub async fn run(cx: &mut TurnCx, history: &mut History) -> Result<StopReason, TurnError> {
    look_again(cx, history).await?;
    for step in 0..cx.limits.max_steps {
        tell_decisions(cx, history).await?;
        given::give(cx, history).await?;
        let answer = sample(cx, history, step).await?;
        if answer.calls.is_empty() && !take_steered(cx, history) {
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
        take_steered(cx, history);
        if cx.cancel.is_cancelled() {
            return Err(TurnError::Interrupted);
        }
    }
    Ok(StopReason::StepLimit)
}

/// Where not all of the folder is watched: it is read again, and the person is told why, once.
async fn look_again(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    let Some(problem) = cx.workspace.files().problem() else { return Ok(()) };
    cx.workspace.files().rescan().await;
    if !history.says(&problem) {
        let item = cx.item(ItemContent::Notice(Notice { text: problem.to_string(), audience: Audience::Person }));
        cx.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
        history.push(item);
    }
    Ok(())
}

/// What the person did with the agent's changes since the last step, so that the model goes on from there.
async fn tell_decisions(cx: &TurnCx, history: &mut History) -> Result<(), TurnError> {
    if let Some(text) = cx.workspace.told(&cx.session).await {
        let item = cx.item(ItemContent::Notice(Notice { text, audience: Audience::Model }));
        cx.record(vec![Update::ItemEnded { item: item.clone() }]).await?;
        history.push(item);
    }
    Ok(())
}

/// Puts what came from outside into the history. Says whether anything did.
fn take_steered(cx: &mut TurnCx, history: &mut History) -> bool {
    let mut any = false;
    while let Ok(item) = cx.steered.try_recv() {
        history.push(item);
        any = true;
    }
    any
}

//! What a turn uses: counted after each answer, shown with what the session used before, and held against what the person allowed.

use crate::cx::{TurnCx, TurnError};
use crate::prompt::{History, Prompt, measure};
use pilotfish_protocol::{Update, Usage};

/// Counts an answer and says what the session has used so far.
pub(super) async fn answered(
    cx: &mut TurnCx,
    history: &mut History,
    prompt: &Prompt,
    usage: &Usage,
) -> Result<(), TurnError> {
    let estimate = prompt.estimate();
    history.window.counted(estimate, usage.input_tokens);
    cx.add_usage(usage);
    let read = if usage.input_tokens > 0 { usage.input_tokens } else { history.window.scaled(estimate) };
    let mut context = measure::spread(&prompt.context, read);
    context.history += usage.output_tokens;
    cx.usage.context_tokens = measure::total(&context);
    cx.record(vec![Update::Usage { usage: cx.session_usage(), context }]).await
}

/// Whether the turn may ask the model once more.
pub(super) async fn within_budget(cx: &TurnCx) -> Result<(), TurnError> {
    let budget = &cx.limits.budget;
    let session = cx.session_usage();
    let today = match budget.day_usd {
        Some(_) => match cx.journal.usage_of(&cx.clock.today()).await {
            Ok(today) => today,
            Err(error) => {
                tracing::warn!(session = %cx.session, %error, "could not read what this day used");
                Usage::default()
            }
        },
        None => Usage::default(),
    };
    match budget.passed(&cx.usage, &session, &today) {
        Some(why) => Err(TurnError::Budget(why)),
        None => Ok(()),
    }
}

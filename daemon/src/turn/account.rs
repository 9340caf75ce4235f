//! What a turn uses: counted after each answer, shown with what the session used before, and held against what the person allowed.

use crate::cx::{Said, TurnCx, TurnError};
use crate::prompt::{History, Prompt, measure};
use pilotfish_protocol::{Item, ItemContent, Update, Usage};

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

/// The answer that lets a turn go on beyond its budget.
const GO_ON: &str = "Go on";

/// Asks the person whether to go on, when the budget is used up.
///
/// # Errors
/// When it is and they do not say so.
pub(super) async fn keep_within_budget(cx: &mut TurnCx, history: &History) -> Result<(), TurnError> {
    let budget = cx.limits.budget;
    let today = match budget.day_usd {
        Some(_) => cx.journal.usage_of(&cx.clock.today()).await.unwrap_or_else(|error| {
            tracing::warn!(session = %cx.session, %error, "could not read what this day used");
            Usage::default()
        }),
        None => Usage::default(),
    };
    while let Some(passed) = budget.passed(&cx.usage, &cx.session_usage(), &today, &cx.allowed) {
        let question = format!("{} Go on, for as much again?", passed.words);
        // A turn that was cut while it asked has its answer in the history.
        let goes_on = match history.of_turn(&cx.turn).find_map(|item| answer_to(item, &question)) {
            Some(answer) => answer == GO_ON,
            None => match cx.question(question, vec![GO_ON.to_owned(), "Stop here".to_owned()]).await? {
                Said::Choice { at, .. } => at == 0,
                Said::Words(_) | Said::Nothing => false,
            },
        };
        if !goes_on {
            return Err(TurnError::Budget(format!("{} The turn was stopped; a new prompt asks again", passed.words)));
        }
        cx.allowed.insert(passed.key, passed.spent);
    }
    Ok(())
}

fn answer_to<'a>(item: &'a Item, text: &str) -> Option<&'a str> {
    match &item.content {
        ItemContent::Question(question) if question.text == text => question.answer.as_deref(),
        _ => None,
    }
}

//! What of a session is worth a notice on the desktop: that it waits for the person, with the question itself, and that it is done after
//! it took a while. Pure.

use crate::config::Notify;
use crate::desktop::Note;
use pilotfish_protocol::{ItemContent, StopReason, Update};
use std::time::Duration;

/// A turn that is over sooner was waited for.
const LONG: Duration = Duration::from_secs(30);

/// Characters of a notice's body.
const BODY: usize = 300;

/// The notice of an update, if it deserves one, and who wants it at least; `took` is the time since the turn began.
pub(super) fn note(title: &str, update: &Update, took: Duration) -> Option<(Notify, Note)> {
    let waits = |body: String| {
        let title = format!("pilotfish waits for you: {title}");
        Some((Notify::Waiting, Note { title, body: short(&body) }))
    };
    match update {
        Update::ApprovalOpened { approval } => waits(match approval.detail.as_str() {
            "" => approval.title.clone(),
            detail => format!("{}\n{detail}", approval.title),
        }),
        Update::ItemStarted { item } => match &item.content {
            ItemContent::Question(question) => waits(question.text.clone()),
            _ => None,
        },
        Update::TurnEnded { stop, .. } if took >= LONG => {
            let (word, body) = match stop {
                // The person did that.
                StopReason::Interrupted => return None,
                StopReason::Done => ("is done", String::new()),
                StopReason::Length => ("stopped", "the model reached its output limit".to_owned()),
                StopReason::Refused => ("stopped", "the provider refused to answer".to_owned()),
                StopReason::StepLimit => ("stopped", "the turn reached its limit of steps".to_owned()),
                StopReason::Failed => ("failed", "the transcript says why".to_owned()),
            };
            let seconds = took.as_secs();
            let took = format!("after {}:{:02}", seconds / 60, seconds % 60);
            let body = if body.is_empty() { took } else { format!("{body}, {took}") };
            Some((Notify::Done, Note { title: format!("pilotfish {word}: {title}"), body }))
        }
        // Everything else is to be seen in an editor.
        _ => None,
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(BODY) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! What is done about questions, and when a run is over. Pure: an update in, a verdict out.

use pilotfish_protocol::{Approval, ApprovalId, Decision, StopReason, Update};

/// How this run meets a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnQuestion {
    /// Asks on the terminal.
    Ask,
    /// Ends.
    Stop,
    /// Says no.
    Deny,
    /// Says yes to hosts and paths, for this run.
    Allow,
}

/// What follows from an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    GoOn,
    /// A person is to be asked.
    Ask(Approval),
    /// The question is answered so.
    Answer(ApprovalId, Decision),
    /// The run ends at this question.
    Stop(Approval),
    /// The turn is over.
    Over(StopReason),
}

/// Judges an update.
pub(crate) fn fold(on_question: OnQuestion, update: &Update) -> Verdict {
    match update {
        Update::TurnEnded { stop, .. } => Verdict::Over(*stop),
        Update::ApprovalOpened { approval } => match on_question {
            OnQuestion::Ask => Verdict::Ask(approval.clone()),
            OnQuestion::Stop => Verdict::Stop(approval.clone()),
            // A question does not say yet whether it is about a host, a path, a protected name or running unconfined. Until it
            // does, none of them can be told from the last two, which no flag may ever grant.
            OnQuestion::Deny | OnQuestion::Allow => Verdict::Answer(approval.id.clone(), Decision::Deny),
        },
        Update::TurnStarted { .. }
        | Update::ItemStarted { .. }
        | Update::ItemDelta { .. }
        | Update::ItemChanged { .. }
        | Update::ItemEnded { .. }
        | Update::ModeChanged { .. }
        | Update::ModelChanged { .. }
        | Update::TitleChanged { .. }
        | Update::StatusChanged { .. }
        | Update::QueueChanged { .. }
        | Update::DraftChanged { .. }
        | Update::Usage { .. }
        | Update::PlanChanged { .. }
        | Update::ApprovalClosed { .. } => Verdict::GoOn,
    }
}

/// What a person typed at a question. Everything but a clear yes is a no.
pub(crate) fn decision(typed: &str) -> Decision {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => Decision::Once,
        _ => Decision::Deny,
    }
}

#[cfg(test)]
mod tests;

//! Drives one turn: opens a session, sends the prompt, hands every update to a view, and sees to questions, signals and a reader
//! that goes away. Knows nothing of how a view looks.

use super::feed::{Fed, feed};
use super::question::{self, OnQuestion, Verdict};
use crate::cli::INTERRUPTED;
use crate::hub::{Hub, NewSession};
use crate::session::SessionHandle;
use anyhow::Context;
use pilotfish_protocol::{
    Approval, ApprovalId, Decision, Delivery, InputPart, InterruptScope, SessionUpdate, StopReason,
};
use std::future::Future;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

/// How often a view may show that time passes.
const TICK: Duration = Duration::from_millis(100);

/// How a driven turn came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driven {
    /// By itself, or somebody interrupted it.
    Ended(StopReason),
    /// A question came up that nobody was there to answer.
    StoppedAtQuestion,
}

/// What shows a turn. An error of its output means that nobody reads it any more.
pub(crate) trait View: Send {
    /// Shows an update.
    fn update(&mut self, update: &SessionUpdate) -> std::io::Result<()>;
    /// Open items show less than there is until they end.
    fn lagged(&mut self);
    /// Time has passed.
    fn tick(&mut self);
    /// Shows a question: one that ends the run, or that is to be answered now.
    fn question(&mut self, approval: &Approval);
}

/// Runs one turn of a new session to its end.
///
/// # Errors
/// When it could not be started, or its record not be read.
pub(crate) async fn turn(
    hub: &Hub,
    new: NewSession,
    prompt: String,
    on_question: OnQuestion,
    view: &mut dyn View,
) -> anyhow::Result<Driven> {
    let environment = new.environment.clone();
    let session = hub.new_session(new).await?;
    let handle = hub.session(&session.id);
    let (inlet, mut feed) = feed(hub.journal().clone(), session.id.clone(), 0);
    handle.attach(hub.clock().connection_id(), environment, inlet).await?;
    let mut signals = JoinSet::new();
    signals.spawn(obey_signals(handle.clone())?);
    handle.prompt(vec![InputPart::Text { text: prompt }], Delivery::Queue).await?;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut is_read, mut stopped) = (true, false);
    loop {
        let fed = tokio::select! {
            fed = feed.next() => fed?.context("the session ended before its turn")?,
            _ = tick.tick() => {
                view.tick();
                continue;
            }
        };
        let update = match fed {
            Fed::Update(update) => update,
            Fed::Lagged => {
                view.lagged();
                continue;
            }
        };
        if is_read && let Err(error) = view.update(&update) {
            // Nobody reads any more, so nobody wants the rest.
            tracing::info!(%error, "the output is closed");
            is_read = false;
            handle.interrupt(InterruptScope::Turn).await?;
        }
        match question::fold(on_question, &update.update) {
            Verdict::GoOn => {}
            Verdict::Over(_) if stopped => return Ok(Driven::StoppedAtQuestion),
            Verdict::Over(stop) => return Ok(Driven::Ended(stop)),
            Verdict::Stop(approval) => {
                view.question(&approval);
                stopped = true;
                handle.interrupt(InterruptScope::Turn).await?;
            }
            Verdict::Ask(approval) => {
                view.question(&approval);
                let decision = question::decision(&typed_line().await);
                stopped |= answer(&handle, &approval.id, &decision).await? == Answered::Not;
            }
            Verdict::Answer(approval_id, decision) => {
                stopped |= answer(&handle, &approval_id, &decision).await? == Answered::Not;
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// The run ends at the question.
    Not,
}

/// Carries an answer to the session. Sessions take none yet, and ask nothing: the policy refuses what would ask. Should one ask all
/// the same, the run ends at its question.
async fn answer(session: &SessionHandle, approval: &ApprovalId, decision: &Decision) -> anyhow::Result<Answered> {
    tracing::warn!(%approval, ?decision, "no way to answer yet");
    session.interrupt(InterruptScope::Turn).await?;
    Ok(Answered::Not)
}

/// A line from the terminal; empty when there is none.
async fn typed_line() -> String {
    let read = || {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(line)) => line,
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// The first signal interrupts the turn, whose end is then awaited; the second one leaves at once. Beside the loop, which may be
/// held up by an output that nobody reads.
fn obey_signals(session: SessionHandle) -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    Ok(async move {
        next(&mut signals).await;
        // A session that is gone has nothing left to interrupt.
        let _ = session.interrupt(InterruptScope::Turn).await;
        next(&mut signals).await;
        leave();
    })
}

async fn next([first, second, third]: &mut [Signal; 3]) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
        _ = third.recv() => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the person insists; what is in the journal stays, and the sandbox ends with us"
)]
fn leave() {
    std::process::exit(i32::from(INTERRUPTED));
}

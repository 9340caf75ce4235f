//! Drives one turn: opens a session, sends the prompt, hands every update to a view, and sees to questions, signals and a reader
//! that goes away. Knows nothing of how a view looks.

use super::question::{self, OnQuestion, Verdict};
use crate::cli::INTERRUPTED;
use crate::door::client::{Client, ClientError, Heard, Opening, Voice};
use pilotfish_protocol::{Approval, ApprovalId, Decision, SessionId, SessionUpdate, StopReason};
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
    /// Time has passed.
    fn tick(&mut self);
    /// Shows a question: one that ends the run, or that is to be answered now.
    fn question(&mut self, approval: &Approval);
}

/// Runs one turn of a new session to its end.
///
/// # Errors
/// When it could not be started, or the daemon went away.
pub(crate) async fn turn(
    client: &Client,
    opening: Opening,
    prompt: String,
    on_question: OnQuestion,
    view: &mut dyn View,
) -> anyhow::Result<Driven> {
    let session = client.open(opening).await?.id;
    client.attach(&session, Some(0)).await?;
    let mut signals = JoinSet::new();
    signals.spawn(obey_signals(client.voice(), session.clone())?);
    client.prompt(&session, prompt).await?;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut is_read, mut stopped) = (true, false);
    loop {
        let heard = tokio::select! {
            heard = client.next() => heard.ok_or(ClientError::Gone)?,
            _ = tick.tick() => {
                view.tick();
                continue;
            }
        };
        let update = match heard {
            Heard::Update(update) => update,
            Heard::Notice(notice) => {
                tracing::info!(notice, "the daemon says");
                continue;
            }
        };
        if is_read && let Err(error) = view.update(&update) {
            // Nobody reads any more, so nobody wants the rest.
            tracing::info!(%error, "the output is closed");
            is_read = false;
            client.voice().interrupt(&session).await;
        }
        match question::fold(on_question, &update.update) {
            Verdict::GoOn => {}
            Verdict::Over(_) if stopped => return Ok(Driven::StoppedAtQuestion),
            Verdict::Over(stop) => return Ok(Driven::Ended(stop)),
            Verdict::Stop(approval) => {
                view.question(&approval);
                stopped = true;
                client.voice().interrupt(&session).await;
            }
            Verdict::Ask(approval) => {
                view.question(&approval);
                let decision = question::decision(&typed_line().await);
                answer(&client.voice(), &session, &approval.id, &decision).await;
                stopped = true;
            }
            Verdict::Answer(approval_id, decision) => {
                answer(&client.voice(), &session, &approval_id, &decision).await;
                stopped = true;
            }
        }
    }
}

/// Carries an answer to the session. Sessions take none yet, and ask nothing: the policy refuses what would ask. Should one ask all
/// the same, the run ends at its question.
async fn answer(voice: &Voice, session: &SessionId, approval: &ApprovalId, decision: &Decision) {
    tracing::warn!(%approval, ?decision, "no way to answer yet");
    voice.interrupt(session).await;
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
fn obey_signals(voice: Voice, session: SessionId) -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    Ok(async move {
        next(&mut signals).await;
        voice.interrupt(&session).await;
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
    reason = "the person insists; the session goes on in the daemon, as when an editor is closed"
)]
fn leave() {
    std::process::exit(i32::from(INTERRUPTED));
}

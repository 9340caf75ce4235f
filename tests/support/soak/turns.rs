//! Long use: many turns in a handful of sessions, each of which is replaced by a new one now and then. What the daemon holds must stay
//! level.

use super::editor::Editor;
use super::process::Held;
use super::{Rig, last_prompt};
use crate::fake_model::{Step, answer};
use pilotfish_protocol::{Done, InputPart, SessionId, StopReason, Update};
use serde_json::{Value, json};

/// Sessions at the same time.
const SESSIONS: usize = 4;

/// Turns of a session before another takes its place.
const RENEWED_AFTER: usize = 25;

/// How many turns.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// In all sessions together.
    pub turns: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// Turns that ended as they should.
    pub done: usize,
    /// After each tenth of the turns, while none runs: resident memory in bytes, and what else is held.
    pub tenths: Vec<(u64, Held)>,
}

impl Figures {
    /// After the second tenth: by then everything is there that is used.
    #[must_use]
    pub fn early(&self) -> (u64, Held) {
        self.tenths.get(1).copied().unwrap_or_default()
    }

    /// After the last tenth.
    #[must_use]
    pub fn late(&self) -> (u64, Held) {
        self.tenths.last().copied().unwrap_or_default()
    }
}

/// Runs so many turns.
///
/// # Errors
/// When something else goes wrong than what is counted.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let rig = Rig::start(rule).await?;
    let (mut editor, process) = (rig.editor().await?, rig.process().await?);
    let mut figures = Figures::default();
    let mut sessions: Vec<SessionId> = Vec::new();
    renew(&rig, &mut editor, &mut sessions).await?;
    // How many connections to the model there are is chance, so they are closed to count the rest. A thread more is used in turns.
    let expected = Held { threads: usize::MAX, ..process.held()? };
    let mut turns = 0;
    for tenth in 1..=10 {
        while turns < size.turns * tenth / 10 {
            if turns > 0 && turns.is_multiple_of(SESSIONS * RENEWED_AFTER) {
                renew(&rig, &mut editor, &mut sessions).await?;
            }
            // All of them at once, and then the next turn of all of them.
            for session in &sessions {
                let input = [InputPart::Text { text: "How is it?".to_owned() }];
                editor.ask("session/prompt", json!({"sessionId": session, "input": input})).await?;
            }
            let mut running = sessions.len();
            turns += running;
            while running > 0 {
                if let Update::TurnEnded { stop, .. } = editor.update().await?.update {
                    running -= 1;
                    figures.done += usize::from(stop == StopReason::Done);
                }
            }
        }
        rig.model.hang_up();
        let held = process.settled(expected).await?;
        figures.tenths.push((process.resident()?, held));
    }
    // The more a disk lets wait, the more threads wait for it at once. They go when they have had nothing to do for a while.
    let early = figures.early().1;
    if let Some((_, late)) = figures.tenths.last_mut() {
        *late = process.settled(Held { threads: early.threads, ..expected }).await?;
    }
    Ok(figures)
}

async fn renew(rig: &Rig, editor: &mut Editor, sessions: &mut Vec<SessionId>) -> anyhow::Result<()> {
    for session in sessions.drain(..) {
        editor.request::<Done>("session/close", json!({"sessionId": session})).await?;
        editor.request::<Done>("session/detach", json!({"sessionId": session})).await?;
    }
    for _ in 0..SESSIONS {
        let session = editor.open(rig.opening()).await?;
        editor.attach(&session, None).await?;
        sessions.push(session);
    }
    Ok(())
}

fn rule(request: &Value) -> Step {
    match last_prompt(request) {
        (_, 0) => answer().deltas(10, "I look. ").calls("read", json!({"path": "notes.txt"})),
        _ => answer().deltas(10, "All is well. "),
    }
}

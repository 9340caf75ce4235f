//! Many sessions: all open at once, some of them active at once. Each runs a turn with a call and is closed; then everything they held
//! must be free again.

use super::editor::{Editor, Heard};
use super::process::{Held, Process};
use super::{Rig, last_prompt};
use crate::fake_model::{Step, answer};
use anyhow::Context;
use pilotfish_protocol::{Done, InputPart, SessionId, StopReason, Update};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// One session in so many runs a command; the others read a file.
const COMMANDS: usize = 10;

/// How many.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Sessions.
    pub open: usize,
    /// Of them, those that run a turn at the same time.
    pub active: usize,
}

/// What came of it. Memory is resident memory in bytes.
#[derive(Debug, Default)]
pub struct Figures {
    /// Turns that ended as they should.
    pub done: usize,
    /// With no session, but after as many turns at the same time as later: what those need once is there.
    pub before: u64,
    /// With all sessions open and used.
    pub open: u64,
    /// When they were closed.
    pub after: u64,
    /// When as many were opened, used and closed once more.
    pub again: u64,
    /// Before the first turn.
    pub held_before: Held,
    /// At the end, when the model's connections are gone too.
    pub held_after: Held,
}

/// Opens so many, uses and closes them; all of it twice.
///
/// # Errors
/// When something else goes wrong than what is counted.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let rig = Rig::start(rule).await?;
    let (mut editor, process) = (rig.editor().await?, rig.process().await?);
    // The first session opens what the daemon keeps: its journal.
    let session = editor.open(rig.opening()).await?;
    close(&mut editor, &session).await?;
    let mut figures = Figures { held_before: process.held()?, ..Figures::default() };
    round(&rig, &mut editor, Size { open: size.active, ..size }, process, &mut Figures::default()).await?;
    figures.before = process.resident()?;
    round(&rig, &mut editor, size, process, &mut figures).await?;
    figures.after = process.resident()?;
    round(&rig, &mut editor, size, process, &mut figures).await?;
    figures.again = process.resident()?;
    let Rig { desk, model } = rig;
    drop(model);
    figures.held_after = process.settled(figures.held_before).await?;
    drop(desk);
    Ok(figures)
}

/// Opens, uses and closes.
async fn round(
    rig: &Rig,
    editor: &mut Editor,
    size: Size,
    process: Process,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut sessions = Vec::new();
    for _ in 0..size.open {
        let session = editor.open(rig.opening()).await?;
        editor.attach(&session, None).await?;
        sessions.push(session);
    }
    let mut idle: VecDeque<&SessionId> = sessions.iter().collect();
    let mut running = 0;
    while running > 0 || !idle.is_empty() {
        while running < size.active
            && let Some(session) = idle.pop_front()
        {
            let words = if idle.len().is_multiple_of(COMMANDS) { "run" } else { "read" };
            let input = [InputPart::Text { text: words.to_owned() }];
            editor.ask("session/prompt", json!({"sessionId": session, "input": input})).await?;
            running += 1;
        }
        if let Update::TurnEnded { stop, .. } = editor.update().await?.update {
            running -= 1;
            figures.done += usize::from(stop == StopReason::Done);
        }
    }
    figures.open = process.resident()?;
    for session in &sessions {
        close(editor, session).await?;
    }
    Ok(())
}

async fn close(editor: &mut Editor, session: &SessionId) -> anyhow::Result<()> {
    editor.request::<Done>("session/close", json!({"sessionId": session})).await?;
    editor.request::<Done>("session/detach", json!({"sessionId": session})).await?;
    while editor.has_kept() {
        if let Heard::Answer(_, Err(error)) = editor.next().await?.context("it is kept")? {
            anyhow::bail!("something was refused: {error}");
        }
    }
    Ok(())
}

fn rule(request: &Value) -> Step {
    match last_prompt(request) {
        ("run", 0) => answer().says("I run it. ").calls("shell", json!({"command": "true"})),
        (_, 0) => answer().says("I read it. ").calls("read", json!({"path": "notes.txt"})),
        _ => answer().says("It is done."),
    }
}

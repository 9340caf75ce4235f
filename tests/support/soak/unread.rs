//! A client does not read while turns say more than anybody should keep for it. The daemon's memory must stay small, and the client must
//! find everything when it reads.

use super::editor::{Editor, Heard};
use super::seen::Seen;
use super::{Rig, last_prompt};
use crate::fake_model::{Step, answer};
use anyhow::Context;
use pilotfish_protocol::{Done, InputPart, SessionId, Update};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Bytes that one turn says, twice: while it does, and when it has.
const SAID: usize = 256 << 10;

/// Bytes of one delta of them.
const PIECE: usize = 4 << 10;

/// Turns of a session before the next one takes its place, since each keeps in memory what its model is told.
const TURNS: usize = 4;

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Bytes of updates, as a client that reads is sent them.
    pub bytes: u64,
}

/// What came of it. Memory is resident memory in bytes.
#[derive(Debug, Default)]
pub struct Figures {
    /// Bytes that the client that reads was sent.
    pub produced: u64,
    /// Bytes that the other one was sent, when it read at last.
    pub caught_up_with: u64,
    /// Memory before.
    pub before: u64,
    /// The most memory while it was not read.
    pub peak: u64,
    /// The most memory while it was caught up with.
    pub peak_after: u64,
    /// Sessions that turns ran in.
    pub sessions: usize,
    /// Of them, those whose final state the client has that did not read.
    pub complete: usize,
}

/// Lets so much be said.
///
/// # Errors
/// When something else goes wrong than what is counted.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let rig = Rig::start(rule).await?;
    let (mut reading, mut deaf) = (rig.editor().await?, rig.editor().await?);
    let process = rig.process().await?;
    let mut figures = Figures { before: process.resident()?, ..Figures::default() };
    process.forget_peak()?;
    let mut sessions = Vec::new();
    while reading.received() < size.bytes {
        let session = reading.open(rig.opening()).await?;
        reading.attach(&session, None).await?;
        // It is answered, and the answer waits like everything else; from the beginning, as nobody knows when it is carried out.
        deaf.ask("session/attach", json!({"sessionId": session, "afterSeq": 0})).await?;
        for _ in 0..TURNS {
            turn(&mut reading, &session).await?;
        }
        reading.request::<Done>("session/close", json!({"sessionId": session})).await?;
        reading.request::<Done>("session/detach", json!({"sessionId": session})).await?;
        sessions.push(session);
    }
    figures.produced = reading.received();
    figures.peak = process.peak()?;
    process.forget_peak()?;
    let seen = hear_all(&mut deaf, &sessions).await?;
    figures.peak_after = process.peak()?;
    figures.caught_up_with = deaf.received();
    figures.sessions = sessions.len();
    for session in &sessions {
        let seen = seen.get(session).context("it was heard of")?;
        figures.complete += usize::from(seen.has_all(&mut reading, session).await?);
    }
    Ok(figures)
}

async fn turn(editor: &mut Editor, session: &SessionId) -> anyhow::Result<()> {
    let input = [InputPart::Text { text: "Say much.".to_owned() }];
    editor.ask("session/prompt", json!({"sessionId": session, "input": input})).await?;
    while !matches!(editor.update().await?.update, Update::TurnEnded { .. }) {}
    Ok(())
}

/// Reads until every turn of every session was heard to end.
async fn hear_all(editor: &mut Editor, sessions: &[SessionId]) -> anyhow::Result<HashMap<SessionId, Seen>> {
    let mut seen: HashMap<SessionId, Seen> = HashMap::new();
    let mut ended = 0;
    while ended < sessions.len() * TURNS {
        match editor.next().await?.context("the daemon went away")? {
            Heard::Update(update) => {
                ended += usize::from(matches!(update.update, Update::TurnEnded { .. }));
                seen.entry(update.session_id.clone()).or_default().see(&update);
            }
            Heard::Answer(_, Err(error)) => anyhow::bail!("an attachment was refused: {error}"),
            Heard::Answer(..) | Heard::Else => {}
        }
    }
    Ok(seen)
}

fn rule(request: &Value) -> Step {
    debug_assert_eq!(last_prompt(request).0, "Say much.");
    answer().deltas(SAID / PIECE, &"many words ".repeat(PIECE / 11))
}

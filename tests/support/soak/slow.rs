//! One of many clients of a live session stops reading. The others must not notice, and it must find everything when it reads again.

use super::editor::Editor;
use super::seen::Seen;
use super::{Rig, last_prompt};
use crate::fake_model::{Step, answer};
use pilotfish_protocol::{Attached, InputPart, SessionId, SessionUpdate, Update};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Bytes of each message that is said before what is measured.
const MESSAGE: usize = 128 << 10;

/// Messages before what is measured. Each is heard twice, as it comes and when it ends: more than a socket and an outbox hold together.
const MESSAGES: usize = 12;

/// How many clients, and what they hear.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Clients.
    pub clients: usize,
    /// Deltas that are measured.
    pub deltas: usize,
    /// The time between two of them; more than deltas are held back to measure each.
    pub pace: Duration,
}

/// What came of it. Times are in milliseconds, from the model's writing of a delta to a client's reading of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// When all read.
    pub all_read: Vec<f64>,
    /// Of the others, when one does not.
    pub others: Vec<f64>,
    /// Clients that had everything at the end of a turn, of both cases.
    pub complete: usize,
    /// Whether the one that did not read had everything when it had read.
    pub caught_up: bool,
}

/// Measures both cases, each with a daemon of its own.
///
/// # Errors
/// When something else goes wrong than what is counted.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    let gate = Arc::new(Notify::new());
    for one_stops in [false, true] {
        let rig = Rig::start(rule(size.deltas, Arc::clone(&gate))).await?;
        let mut driver = rig.editor().await?;
        let session = driver.open(rig.opening()).await?;
        driver.attach(&session, None).await?;
        let mut listeners = Vec::new();
        for _ in 0..size.clients {
            listeners.push(Listener::attach(&rig, &session).await?);
        }
        let stopped = if one_stops { listeners.pop() } else { None };
        let mut listeners = turn(&mut driver, &session, "before", listeners, async |_| Ok(())).await?;
        listeners.iter_mut().for_each(|listener| listener.heard.clear());
        let mut written = Vec::new();
        let mut pace = tokio::time::interval(size.pace);
        let write = async |driver: &mut Editor| {
            for number in 0..size.deltas {
                pace.tick().await;
                written.push(Instant::now());
                gate.notify_one();
                // The gate holds one notification, so this one must have been taken before the next.
                while !numbers(&driver.update().await?).any(|heard| heard == number) {}
            }
            Ok(())
        };
        let listeners = turn(&mut driver, &session, "measured", listeners, write).await?;
        let times = if one_stops { &mut figures.others } else { &mut figures.all_read };
        for mut listener in listeners {
            times.extend(
                listener.heard.iter().filter_map(|(number, heard)| {
                    Some(heard.duration_since(*written.get(*number)?).as_secs_f64() * 1e3)
                }),
            );
            figures.complete += usize::from(listener.seen.has_all(&mut listener.editor, &session).await?);
        }
        if let Some(mut stopped) = stopped {
            // Of both turns it has read nothing so far.
            stopped = stopped.listen().await?;
            stopped = stopped.listen().await?;
            figures.caught_up = stopped.seen.has_all(&mut stopped.editor, &session).await?;
        }
    }
    Ok(figures)
}

/// Prompts, does something meanwhile, and waits until every listener has heard the end of the turn.
async fn turn(
    driver: &mut Editor,
    session: &SessionId,
    words: &str,
    listeners: Vec<Listener>,
    meanwhile: impl AsyncFnOnce(&mut Editor) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Listener>> {
    let mut listening: JoinSet<anyhow::Result<Listener>> = listeners.into_iter().map(Listener::listen).collect();
    let input = [InputPart::Text { text: words.to_owned() }];
    driver.request::<Value>("session/prompt", json!({"sessionId": session, "input": input})).await?;
    meanwhile(driver).await?;
    while !matches!(driver.update().await?.update, Update::TurnEnded { .. }) {}
    let mut listened = Vec::new();
    while let Some(listener) = listening.join_next().await {
        listened.push(listener??);
    }
    Ok(listened)
}

/// A client that listens to the session.
struct Listener {
    editor: Editor,
    seen: Seen,
    /// The numbered deltas it heard, and when.
    heard: Vec<(usize, Instant)>,
}

impl Listener {
    async fn attach(rig: &Rig, session: &SessionId) -> anyhow::Result<Self> {
        let mut editor = rig.editor().await?;
        let _: Attached = editor.attach(session, None).await?;
        Ok(Self { editor, seen: Seen::default(), heard: Vec::new() })
    }

    /// Listens to the end of a turn.
    async fn listen(mut self) -> anyhow::Result<Self> {
        loop {
            let update = self.editor.update().await?;
            let heard = Instant::now();
            self.seen.see(&update);
            self.heard.extend(numbers(&update).map(|number| (number, heard)));
            if matches!(update.update, Update::TurnEnded { .. }) {
                return Ok(self);
            }
        }
    }
}

/// The numbers in a delta: several when it was merged of several.
fn numbers(update: &SessionUpdate) -> impl Iterator<Item = usize> {
    let text = match &update.update {
        Update::ItemDelta { text, .. } => text.as_str(),
        // Only deltas are measured.
        _ => "",
    };
    text.split(' ').filter_map(|word| word.parse().ok())
}

fn rule(deltas: usize, gate: Arc<Notify>) -> impl Fn(&Value) -> Step + Send + Sync + 'static {
    move |request| match last_prompt(request) {
        ("before", said @ 0..MESSAGES) => answer()
            .deltas(32, &"x".repeat(MESSAGE / 32))
            .calls("read", json!({"path": "notes.txt", "limit": said + 1})),
        ("before", _) => answer().says("That was all."),
        _ => (0..deltas).fold(answer().says("So: "), |step, number| step.waits_for(&gate).says(format!("{number} "))),
    }
}

//! A session with a long past: how long it takes to see its end again.

use crate::Extent;
use crate::daemon::{Daemon, configure, failed, milliseconds};
use crate::memory::mebibytes;
use crate::table::{Row, Table, Unit};
use pilotfish::clock::Clock;
use pilotfish::config::Home;
use pilotfish::journal::Journal;
use pilotfish_protocol::{
    Attached, InputPart, Item, ItemContent, ItemPage, Mode, Session, SessionId, SessionStatus, ToolCall, ToolStatus,
    Update, UserMessage,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Bytes of one tool's output.
const OUTPUT: usize = 50_000;
/// Items in all: a gigabyte.
const ITEMS: usize = 20_000;
/// Items journaled at once.
const BATCH: usize = 100;
/// Daemons that are asked.
const RUNS: usize = 5;

/// Measures attaching and the first page, where there is time to write the past.
pub async fn measure(table: &mut Table, extent: Extent) -> anyhow::Result<()> {
    if extent == Extent::Usual {
        table.remark("a session with a journal of 1 GB: measured with --long");
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    configure(home.path(), "http://127.0.0.1:9/v1")?;
    let session = write(home.path()).await?;
    let (mut times, mut growth) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut daemon = Daemon::start(home.path())?;
        daemon.client.initialize().await;
        let before = daemon.resident()?;
        daemon.forget_peak()?;
        let asked = Instant::now();
        let attach = daemon.client.request::<Attached>("session/attach", json!({"sessionId": session}));
        attach.await.map_err(failed)?;
        let items = daemon.client.request::<ItemPage>("session/items", json!({"sessionId": session, "limit": 50}));
        let page = items.await.map_err(failed)?;
        times.push(milliseconds(asked.elapsed()));
        anyhow::ensure!(!page.items.is_empty(), "an empty page");
        growth.push(mebibytes(daemon.peak()?.saturating_sub(before)));
        daemon.shut_down().await?;
    }
    table.add(Row::new("1 GB of journal: attach and first page", Unit::Milliseconds, times).goal(50.0));
    table.add(Row::new("  more memory", Unit::Mebibytes, growth).goal(20.0));
    Ok(())
}

/// Journaling what a prompt begins, alone, in milliseconds.
pub async fn prompts(runs: usize) -> anyhow::Result<Vec<f64>> {
    let home = tempfile::tempdir()?;
    let clock = Clock::system();
    let (journal, session) = open(home.path(), &clock).await?;
    let mut samples = Vec::new();
    for _ in 0..runs {
        let (turn_id, at) = (clock.turn_id(), clock.now());
        let input = vec![InputPart::Text { text: "How is it?".to_owned() }];
        let content = ItemContent::UserMessage(UserMessage { input });
        let item = Item { id: clock.item_id(), turn_id: Some(turn_id.clone()), at: at.clone(), content };
        let updates = vec![Update::TurnStarted { turn_id, at: at.clone() }, Update::ItemEnded { item }];
        let begun = Instant::now();
        journal.append(&session.id, updates, &at).await?;
        samples.push(milliseconds(begun.elapsed()));
    }
    journal.close().await;
    Ok(samples)
}

/// A journal below `home`, with a session.
async fn open(home: &Path, clock: &Clock) -> anyhow::Result<(Journal, Session)> {
    let environment = BTreeMap::from([("PILOTFISH_HOME".to_owned(), home.display().to_string())]);
    let journal = Journal::open(&Home::of(&environment)?.state)?;
    let at = clock.now();
    let session = Session {
        id: clock.session_id(),
        workspace: "/".to_owned(),
        title: "long".to_owned(),
        mode: Mode::ReadOnly,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: at.clone(),
        updated_at: at.clone(),
        archived: false,
        parent: None,
    };
    journal.create(&session).await?;
    Ok((journal, session))
}

async fn write(home: &Path) -> anyhow::Result<SessionId> {
    let clock = Clock::system();
    let (journal, session) = open(home, &clock).await?;
    let at = session.created_at.clone();
    let output = "0123456789abcde\n".repeat(OUTPUT / 16);
    for batch in 0..ITEMS / BATCH {
        let ended = |number: usize| {
            let call = ToolCall {
                call_id: format!("call_{batch}_{number}"),
                name: "shell".to_owned(),
                output: output.clone(),
                status: ToolStatus::Done,
                ..ToolCall::default()
            };
            let content = ItemContent::ToolCall(call);
            Update::ItemEnded { item: Item { id: clock.item_id(), turn_id: None, at: at.clone(), content } }
        };
        journal.append(&session.id, (0..BATCH).map(ended).collect(), &at).await?;
    }
    journal.close().await;
    Ok(session.id)
}

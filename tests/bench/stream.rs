//! Much at once: many small deltas of a model, and a command that writes more than anybody reads.

use crate::Extent;
use crate::daemon::{Rig, milliseconds};
use crate::floor;
use crate::memory::mebibytes;
use crate::table::{Row, Table, Unit};
use anyhow::Context;
use pilotfish_protocol::{Item, ItemContent, SessionUpdate, Update};
use pilotfish_tests::fake_model::answer;
use serde_json::json;
use std::time::Duration;

const DELTAS: usize = 20_000;
const RUNS: usize = 5;

/// Until the daemon rests, so that processor time is all counted.
const REST: Duration = Duration::from_millis(100);

/// Measures the stream of deltas.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let words: Vec<String> = (0..DELTAS).map(|number| format!("{} ", number % 1000)).collect();
    let text = words.concat();
    let mut rig = Rig::start().await?;
    let (mut last, mut processor, mut wire, mut floor, mut whole) = (vec![], vec![], vec![], vec![], 0);
    for _ in 0..RUNS {
        rig.renew().await?;
        for _ in 0..2 {
            rig.model.answers(words.iter().fold(answer(), |step, word| step.says(word.as_str())));
        }
        floor.push(floor::read_answer(rig.model.base_url()).await?);
        let (bytes, seconds) = (rig.daemon.received(), rig.daemon.processor_seconds()?);
        let (_, asked) = rig.prompt("Count.").await;
        let (ended, updates) = rig.turn_end(asked).await?;
        let request = rig.model.requests().pop().context("a request")?;
        last.push(milliseconds(ended - request.arrived));
        wire.push(mebibytes(rig.daemon.received() - bytes) * 1.048_576);
        tokio::time::sleep(REST).await;
        processor.push(rig.daemon.processor_seconds()? - seconds);
        let (shown, kept) = fold(&updates);
        whole += usize::from(shown == text && kept == text);
    }
    rig.shut_down().await?;
    let row = Row::new(format!("{DELTAS} deltas: the last at the client"), Unit::Milliseconds, last);
    table.add(row.goal(100.0).against("reading the stream", &floor));
    table.add(Row::new("  processor time of the daemon", Unit::Seconds, processor).goal(0.12));
    table.add(Row::new("  bytes on the wire", Unit::Megabytes, wire).goal(0.5));
    table.remark(format!("{DELTAS} deltas: the text was complete, live and at the end, in {whole} of {RUNS} runs"));
    Ok(())
}

/// The words of a message as they came, and as they stayed.
fn fold(updates: &[SessionUpdate]) -> (String, String) {
    let words = |item: &Item| match &item.content {
        ItemContent::AgentMessage(message) => Some(message.text.clone()),
        _ => None,
    };
    let (mut shown, mut kept) = (String::new(), String::new());
    for update in updates {
        match &update.update {
            Update::ItemDelta { text, .. } => shown.push_str(text),
            Update::ItemChanged { item } => shown = words(item).unwrap_or(shown),
            Update::ItemEnded { item } => kept = words(item).unwrap_or(kept),
            _ => {}
        }
    }
    (shown, kept)
}

/// Measures what the daemon's memory grows by while a command writes.
pub async fn measure_output(table: &mut Table, extent: Extent) -> anyhow::Result<()> {
    let megabytes: u32 = match extent {
        Extent::Usual => 200,
        Extent::Long => 1000,
    };
    let line = "a line of output that is about as long as lines of output are";
    let command = format!("yes '{line}' | head -c {megabytes}000000");
    let mut rig = Rig::start().await?;
    // The first command of a daemon brings in what all of them need.
    rig.model.answers(answer().calls("shell", json!({"command": "true"}))).answers(answer().says("Done."));
    let (_, asked) = rig.prompt("Do nothing.").await;
    rig.turn_end(asked).await?;
    let before = rig.daemon.resident()?;
    rig.daemon.forget_peak()?;
    rig.model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Done."));
    let (sent, asked) = rig.prompt("Write much.").await;
    let (ended, _) = rig.turn_end(asked).await?;
    let growth = mebibytes(rig.daemon.peak()?.saturating_sub(before));
    let request = rig.model.requests().pop().context("a request")?;
    anyhow::ensure!(request.body.to_string().contains("left out"), "the command did not write as much");
    rig.shut_down().await?;
    table
        .add(Row::new(format!("{megabytes} MB command output: more memory"), Unit::Mebibytes, vec![growth]).goal(32.0));
    table.add(Row::new("  its whole turn", Unit::Seconds, vec![(ended - sent).as_secs_f64()]));
    Ok(())
}

//! The daemon's own part of a turn: before the model is asked, while it answers, after it, and around a command.

use crate::daemon::{Rig, milliseconds};
use crate::floor;
use crate::journal;
use crate::table::{Row, Table, Unit};
use anyhow::Context;
use pilotfish_tests::fake_model::answer;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const TURNS: usize = 100;
const DELTAS: usize = 40;
const COMMANDS: usize = 30;

/// Longer than deltas are held back.
const PAUSE: Duration = Duration::from_millis(40);

/// Measures turns with words, with words that come slowly, and with commands.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let mut rig = Rig::start().await?;
    let (before, after) = words(&mut rig).await?;
    let shown = deltas(&mut rig).await?;
    rig.renew().await?;
    let around = commands(&mut rig).await?;
    rig.shut_down().await?;
    let busy = floor::there_and_back(Duration::ZERO, TURNS).await?;
    let rested = floor::there_and_back(PAUSE, DELTAS).await?;
    let spawned = floor::program(&["true"], COMMANDS).await?;
    let name = "to a bare process and back";
    table.add(Row::new("prompt → request at the model", Unit::Milliseconds, before).goal(1.0).against(name, &busy));
    table.add(Row::new("  of it, journaling the prompt", Unit::Milliseconds, journal::prompts(TURNS).await?));
    table.add(Row::new("model delta → client", Unit::Milliseconds, shown).goal(0.3).against(name, &rested));
    table.add(Row::new("model end → turn end", Unit::Milliseconds, after).goal(1.0).against(name, &busy));
    let row = Row::new("a step that runs `true` in the sandbox", Unit::Milliseconds, around);
    table.add(row.goal(15.0).against("starting `true`", &spawned));
    Ok(())
}

/// From prompt to request and from the answer's end to the turn's.
async fn words(rig: &mut Rig) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        rig.model.answers(answer().says("All is well."));
        let (sent, asked) = rig.prompt("How is it?").await;
        let (ended, _) = rig.turn_end(asked).await?;
        let request = rig.model.requests().pop().context("a request")?;
        let answered = request.answered.context("an answer")?;
        // The first one connects.
        if turn > 0 {
            before.push(milliseconds(request.arrived - sent));
            after.push(milliseconds(ended - answered));
        }
    }
    Ok((before, after))
}

/// From the model's writing of a word to the client's reading of it.
async fn deltas(rig: &mut Rig) -> anyhow::Result<Vec<f64>> {
    let gate = Arc::new(Notify::new());
    let step = (0..DELTAS).fold(answer().says("So. "), |step, _| step.waits_for(&gate).says("word "));
    rig.model.answers(step);
    let (_, asked) = rig.prompt("Speak slowly.").await;
    rig.delta().await;
    let mut samples = Vec::new();
    for _ in 0..DELTAS {
        tokio::time::sleep(PAUSE).await;
        let written = Instant::now();
        gate.notify_one();
        samples.push(milliseconds(rig.delta().await - written));
    }
    rig.turn_end(asked).await?;
    Ok(samples)
}

/// From the end of an answer that calls for a command to the request with what it said.
async fn commands(rig: &mut Rig) -> anyhow::Result<Vec<f64>> {
    let mut samples = Vec::new();
    for turn in 0..=COMMANDS {
        rig.model.answers(answer().calls("shell", json!({"command": "true"}))).answers(answer().says("Done."));
        let (_, asked) = rig.prompt("Do nothing.").await;
        rig.turn_end(asked).await?;
        let mut requests = rig.model.requests();
        let (second, first) = (requests.pop().context("two requests")?, requests.pop().context("two requests")?);
        let said = second.body["input"].as_array().and_then(|input| input.last()).context("an input")?.to_string();
        anyhow::ensure!(said.contains("[no output]"), "the command did not run: {said}");
        if turn > 0 {
            samples.push(milliseconds(second.arrived - first.answered.context("an answer")?));
        }
    }
    Ok(samples)
}

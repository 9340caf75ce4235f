//! The soak at its full size: what must hold under kills, many sessions, long use, and readers that stop. `tests/run` has the same at a
//! small size. A fault that is counted here is a defect, whatever the machine.

use crate::memory::mebibytes;
use crate::table::{Row, Table, Unit, percentile};
use pilotfish_tests::soak::process::Held;
use pilotfish_tests::soak::{frames, kills, sessions, slow, turns, unread};
use std::time::Duration;

/// Times at which the daemon is killed.
const KILLS: usize = 1000;
/// What their moments are rolled from.
const SEED: u64 = 2026;
/// Sessions open at once.
const SESSIONS: usize = 1000;
/// Of them, those that run a turn at once.
const ACTIVE: usize = 50;
/// Turns, one after the other in each of a few sessions.
const TURNS: usize = 20_000;
/// Clients of one session.
const CLIENTS: usize = 50;
/// Deltas that each of them hears.
const DELTAS: usize = 300;
/// Between two of them: longer than deltas are held back.
const PACE: Duration = Duration::from_millis(40);
/// Bytes that one client does not read.
const UNREAD: u64 = 1_000_000_000;
/// Damaged frames.
const FRAMES: usize = 10_000_000;

/// Kills the daemon again and again.
pub async fn kills(table: &mut Table) -> anyhow::Result<()> {
    let figures = kills::run(kills::Size { kills: KILLS, seed: SEED }).await?;
    let faults = figures.faults;
    for (what, count) in [
        ("updates and prompts lost", faults.lost),
        ("  doubled", faults.doubled),
        ("  reordered", faults.reordered),
        ("  drafts and modes forgotten", figures.forgotten),
        ("  files torn", figures.torn),
    ] {
        table.add(Row::new(format!("{what} in {KILLS} kills"), Unit::Count, vec![count_of(count)]).goal(0.0));
    }
    let (updates, prompts, left) = (figures.updates, figures.prompts, figures.left_behind);
    table.remark(format!(
        "kills: {updates} updates seen, {prompts} prompts acknowledged, {left} half-written files left"
    ));
    for told in figures.told {
        table.remark(format!("kills: {told}"));
    }
    Ok(())
}

/// Opens many sessions at once.
pub async fn sessions(table: &mut Table) -> anyhow::Result<()> {
    let figures = sessions::run(sessions::Size { open: SESSIONS, active: ACTIVE }).await?;
    let what = format!("turns not done, {SESSIONS} sessions open, {ACTIVE} active");
    table.add(Row::new(what, Unit::Count, vec![count_of(2 * SESSIONS - figures.done)]).goal(0.0));
    let memory = |what: &str, bytes| Row::new(what, Unit::Mebibytes, vec![mebibytes(bytes)]);
    table.add(memory("  memory with all of them open and used", figures.open));
    let before = [mebibytes(figures.before)];
    table.add(memory("  with all of them closed", figures.after).against(&format!("after {ACTIVE} closed"), &before));
    let after = [mebibytes(figures.after)];
    let row = memory("  and when all of it was done again", figures.again).goal(after[0] * 1.1);
    table.add(row.against("the first time", &after));
    more_held(table, figures.held_before, figures.held_after);
    Ok(())
}

/// Runs many turns.
pub async fn turns(table: &mut Table) -> anyhow::Result<()> {
    let figures = turns::run(turns::Size { turns: TURNS }).await?;
    let ((early, held_early), (late, held_late)) = (figures.early(), figures.late());
    let missing = TURNS.saturating_sub(figures.done);
    table.add(Row::new(format!("turns not done of {TURNS}"), Unit::Count, vec![count_of(missing)]).goal(0.0));
    let early = [mebibytes(early)];
    let row = Row::new("  memory after the last tenth", Unit::Mebibytes, vec![mebibytes(late)]);
    table.add(row.goal(early[0] * 1.1).against("after the second tenth", &early));
    more_held(table, held_early, held_late);
    Ok(())
}

/// Lets one of many clients stop reading.
pub async fn slow(table: &mut Table) -> anyhow::Result<()> {
    let figures = slow::run(slow::Size { clients: CLIENTS, deltas: DELTAS, pace: PACE }).await?;
    let all_read = percentile(&figures.all_read, 0.99);
    let others = percentile(&figures.others, 0.99);
    let row =
        Row::new(format!("delta → {CLIENTS} clients, p99 when one stops reading"), Unit::Milliseconds, vec![others]);
    table.add(row.goal(2.0 * all_read).against("when all read", &[all_read]));
    let complete = figures.complete + usize::from(figures.caught_up);
    let missing = 2 * CLIENTS - complete;
    table.add(Row::new("  clients that missed something", Unit::Count, vec![count_of(missing)]).goal(0.0));
    Ok(())
}

/// Lets one client not read.
pub async fn unread(table: &mut Table) -> anyhow::Result<()> {
    let figures = unread::run(unread::Size { bytes: UNREAD }).await?;
    let what = format!("memory at most, {} MB of updates unread", figures.produced / 1_000_000);
    table.add(Row::new(what, Unit::Mebibytes, vec![mebibytes(figures.peak)]).goal(256.0));
    table.add(
        Row::new("  while they are read at last", Unit::Mebibytes, vec![mebibytes(figures.peak_after)]).goal(256.0),
    );
    let missing = count_of(figures.sessions - figures.complete);
    table.add(Row::new("  sessions whose end was missed", Unit::Count, vec![missing]).goal(0.0));
    let (before, read) = (mebibytes(figures.before), figures.caught_up_with / 1_000_000);
    table.remark(format!("unread: {before:.1} MiB before; {read} MB of {} sessions read at last", figures.sessions));
    Ok(())
}

/// Sends frames that no client should send.
pub async fn frames(table: &mut Table) -> anyhow::Result<()> {
    // A panic or a hang would end the bench here.
    let figures = frames::run(frames::Size { frames: FRAMES, seed: SEED }).await?;
    let row =
        Row::new(format!("memory at most, {FRAMES} damaged frames"), Unit::Mebibytes, vec![mebibytes(figures.peak)]);
    table.add(row.goal(256.0));
    let slowest = vec![figures.slowest.as_secs_f64() * 1e3];
    table.add(Row::new("  the slowest answer after a storm", Unit::Milliseconds, slowest).goal(1000.0));
    Ok(())
}

fn more_held(table: &mut Table, before: Held, after: Held) {
    let more = |what: &str, before: usize, after: usize| {
        Row::new(format!("  more {what} than before"), Unit::Count, vec![count_of(after) - count_of(before)]).goal(0.0)
    };
    table.add(more("descriptors", before.descriptors, after.descriptors));
    table.add(more("threads", before.threads, after.threads));
    table.add(more("children", before.children, after.children));
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn count_of(count: usize) -> f64 {
    count as f64
}

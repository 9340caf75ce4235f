//! What people feel, in numbers: starts the release build, drives it as an editor does, with a scripted model behind it, and prints one
//! table. Owns the order of the measurements. Asserts no time: a number that misses its goal is printed as missed. With `--soak` it
//! runs for long what must hold, and counts the faults.

mod cancel;
mod daemon;
mod files;
mod floor;
mod hunks;
mod journal;
mod machine;
mod memory;
mod sandbox;
mod size;
mod soak;
mod start;
mod step;
mod stream;
mod table;

use anyhow::bail;
use std::process::ExitCode;
use table::Table;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// About a minute.
    Usual,
    /// Also what takes gigabytes.
    Long,
}

/// The measurements, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    Memory,
    Step,
    Cancel,
    Sandbox,
    Stream,
    Output,
    Journal,
    Hunks,
    Files,
    Size,
    Kills,
    Sessions,
    Turns,
    Slow,
    Unread,
    Frames,
}

const PARTS: [(&str, Part); 11] = [
    ("start", Part::Start),
    ("memory", Part::Memory),
    ("step", Part::Step),
    ("cancel", Part::Cancel),
    ("sandbox", Part::Sandbox),
    ("stream", Part::Stream),
    ("output", Part::Output),
    ("journal", Part::Journal),
    ("hunks", Part::Hunks),
    ("files", Part::Files),
    ("size", Part::Size),
];

/// What must hold whatever the machine, each of it for minutes.
const SOAK: [(&str, Part); 6] = [
    ("kills", Part::Kills),
    ("sessions", Part::Sessions),
    ("turns", Part::Turns),
    ("slow", Part::Slow),
    ("unread", Part::Unread),
    ("frames", Part::Frames),
];

fn main() -> anyhow::Result<ExitCode> {
    let mut extent = Extent::Usual;
    let mut parts = Vec::new();
    let mut usual = &PARTS[..];
    for argument in std::env::args().skip(1) {
        match PARTS.iter().chain(&SOAK).find(|(name, _)| *name == argument) {
            Some((_, part)) => parts.push(*part),
            None if argument == floor::BARE_SERVER => return floor::serve_bare().map(|()| ExitCode::SUCCESS),
            None if argument == "--long" => extent = Extent::Long,
            None if argument == "--soak" => usual = &SOAK,
            None => {
                let names = |parts: &[(&str, Part)]| parts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
                bail!(
                    "no part {argument}; usage: tests/bench/run [--long | --soak] [PART…], where the parts are: {}; and of the soak: {}",
                    names(&PARTS),
                    names(&SOAK)
                );
            }
        }
    }
    if parts.is_empty() {
        parts.extend(usual.iter().map(|(_, part)| *part));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&parts, extent))?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn measure(parts: &[Part], extent: Extent) -> anyhow::Result<()> {
    println!("{}", machine::describe());
    let mut table = Table::default();
    for part in parts {
        match part {
            Part::Start => start::measure(&mut table).await?,
            Part::Memory => memory::measure(&mut table).await?,
            Part::Step => step::measure(&mut table).await?,
            Part::Cancel => cancel::measure(&mut table).await?,
            Part::Sandbox => sandbox::measure(&mut table).await?,
            Part::Stream => stream::measure(&mut table).await?,
            Part::Output => stream::measure_output(&mut table, extent).await?,
            Part::Journal => journal::measure(&mut table, extent).await?,
            Part::Hunks => hunks::measure(&mut table)?,
            Part::Files => files::measure(&mut table).await?,
            Part::Size => size::measure(&mut table)?,
            Part::Kills => soak::kills(&mut table).await?,
            Part::Sessions => soak::sessions(&mut table).await?,
            Part::Turns => soak::turns(&mut table).await?,
            Part::Slow => soak::slow(&mut table).await?,
            Part::Unread => soak::unread(&mut table).await?,
            Part::Frames => soak::frames(&mut table).await?,
        }
    }
    println!("{table}");
    println!("At the end: {}", machine::load());
    Ok(())
}

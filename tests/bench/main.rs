//! What people feel, in numbers: starts the release build, drives it as an editor does, with a scripted model behind it, and prints one
//! table. Owns the order of the measurements. Asserts no time: a number that misses its goal is printed as missed.

mod cancel;
mod daemon;
mod floor;
mod journal;
mod machine;
mod memory;
mod sandbox;
mod size;
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

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let extent = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [floor::BARE_SERVER] => return floor::serve_bare().map(|()| ExitCode::SUCCESS),
        [] => Extent::Usual,
        ["--long"] => Extent::Long,
        other => bail!("cannot read {}; usage: tests/bench/run [--long]", other.join(" ")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(extent))?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn measure(extent: Extent) -> anyhow::Result<()> {
    println!("{}", machine::describe());
    let mut table = Table::default();
    start::measure(&mut table).await?;
    memory::measure(&mut table).await?;
    step::measure(&mut table).await?;
    cancel::measure(&mut table).await?;
    sandbox::measure(&mut table).await?;
    stream::measure(&mut table).await?;
    stream::measure_output(&mut table, extent).await?;
    journal::measure(&mut table, extent).await?;
    size::measure(&mut table)?;
    println!("{table}");
    println!("{}", machine::load());
    Ok(())
}

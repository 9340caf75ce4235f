//! How large the programs are, as they are installed.

use crate::table::{Row, Table, Unit};
use pilotfish_tests::bins;
use std::fs;
use std::path::Path;

/// Measures both programs.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    table.add(row("pilotfish, stripped", &bins::pilotfish(), 20.0)?);
    table.add(row("pilotfish-sandbox, stripped", &bins::pilotfish_sandbox(), 2.0)?);
    Ok(())
}

fn row(what: &str, program: &Path, goal: f64) -> anyhow::Result<Row> {
    #[expect(clippy::cast_precision_loss, reason = "the table shows three digits")]
    let bytes = fs::metadata(program)?.len() as f64;
    Ok(Row::new(what, Unit::Megabytes, vec![bytes / 1e6]).goal(goal))
}

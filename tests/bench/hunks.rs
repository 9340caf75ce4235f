//! The hunks of a long file, as the ledger keeps them, and what one typed character costs there. No daemon is asked: these are the
//! functions it calls.

use crate::daemon::milliseconds;
use crate::table::{Row, Table, Unit};
use pilotfish::path::{AbsPath, RootedPath};
use pilotfish::review::{Author, Content, Ledger, Source};
use pilotfish_protocol::HunkId;
use std::sync::Arc;
use std::time::Instant;

const LINES: usize = 20_000;
const CHANGES: usize = 1_000;
const RUNS: usize = 20;

/// Measures the first list of hunks after the agent's change, and a character that is typed then.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let root = AbsPath::new("/bench")?;
    let path = RootedPath::new(&root, "file.rs")?;
    let source = Source { session: "s".into(), turn: "t".into() };
    let before = text(|line| format!("    let value_{line} = compute({line}, other);\n"));
    let change = |line| if line % (LINES / CHANGES) == 7 { "more" } else { "other" };
    let after = text(|line| format!("    let value_{line} = compute({line}, {});\n", change(line)));
    let typed = text(|line| {
        format!("    let value_{line} = compute({line}, {});\n", if line == 9_990 { "x" } else { change(line) })
    });
    let (mut all, mut list, mut typing) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut count = 0;
        let mut ledger = Ledger::new(root.clone(), move || {
            count += 1;
            HunkId(format!("h{count}"))
        });
        let begun = Instant::now();
        ledger.record(&path, &before, &after, &Author::Agent(source.clone()));
        let hunks = ledger.hunks(&path, None);
        all.push(milliseconds(begun.elapsed()));
        anyhow::ensure!(hunks.len() == CHANGES, "{} hunks", hunks.len());
        let begun = Instant::now();
        ledger.record(&path, &after, &typed, &Author::Person);
        typing.push(milliseconds(begun.elapsed()));
        let begun = Instant::now();
        let hunks = ledger.hunks(&path, None);
        list.push(milliseconds(begun.elapsed()));
        anyhow::ensure!(hunks.len() == CHANGES, "{} hunks", hunks.len());
    }
    table.add(Row::new("hunks of 20,000 lines with 1,000 changes", Unit::Milliseconds, all).goal(10.0));
    table.add(Row::new("  listed again", Unit::Milliseconds, list));
    table.add(Row::new("  one character typed", Unit::Milliseconds, typing));
    Ok(())
}

fn text(line: impl Fn(usize) -> String) -> Content {
    Content::Text(Arc::from((0..LINES).map(line).collect::<String>().into_bytes()))
}

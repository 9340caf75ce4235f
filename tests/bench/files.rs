//! The index of a large workspace: reading it, asking it, and what it takes.

use crate::daemon::{Daemon, configure, failed, milliseconds};
use crate::floor;
use crate::memory::mebibytes;
use crate::table::{Row, Table, Unit};
use pilotfish_protocol::FileMatches;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Files.
const FILES: usize = 100_000;
/// Of one folder.
const IN_FOLDER: usize = 25;
/// Daemons that read it.
const STARTS: usize = 5;
/// What is typed: in names, in folders, of nearly all files, of a few and of none.
const QUERIES: [&str; 8] = ["m", "mod", "widget", "srcmodtest", "core/parser42", "panel 7 test", "file31337", "qqxzj"];
/// Words that paths are made of.
const WORDS: [&str; 12] = [
    "core", "widget", "parser", "client", "server", "panel", "storage", "network", "session", "model", "render",
    "common",
];

/// Measures the first query, which reads everything, and those after it.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let (home, workspace) = (tempfile::tempdir()?, tempfile::tempdir()?);
    configure(home.path(), "http://127.0.0.1:9/v1")?;
    write(workspace.path())?;
    let root = workspace.path().display().to_string();
    let (mut first, mut queries, mut growth) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut daemon = Daemon::start(home.path())?;
        daemon.client.initialize().await;
        let before = daemon.resident()?;
        first.push(search(&mut daemon, &root, "widget").await?);
        for query in QUERIES {
            queries.push(search(&mut daemon, &root, query).await?);
        }
        growth.push(mebibytes(daemon.resident()?.saturating_sub(before)));
        daemon.shut_down().await?;
    }
    let find = floor::program(&["find", &root, "-newermt", "2200-01-01"], STARTS).await?;
    table.add(
        Row::new(format!("first search of {FILES} files"), Unit::Milliseconds, first)
            .goal(150.0)
            .against("find", &find),
    );
    table.add(Row::new("a search after it", Unit::Milliseconds, queries).goal(5.0));
    table.add(Row::new("  more memory", Unit::Mebibytes, growth));
    Ok(())
}

async fn search(daemon: &mut Daemon, root: &str, query: &str) -> anyhow::Result<f64> {
    let params = json!({"workspace": root, "query": query, "limit": 50});
    let asked = Instant::now();
    daemon.client.request::<FileMatches>("file/search", params).await.map_err(failed)?;
    Ok(milliseconds(asked.elapsed()))
}

fn write(root: &Path) -> anyhow::Result<()> {
    let word = |number: usize| WORDS.get(number % WORDS.len()).copied().unwrap_or_default();
    for folder in 0..FILES / IN_FOLDER {
        let (outer, inner) = (word(folder), word(folder / WORDS.len()));
        let path = root.join(format!("packages/{outer}/{inner}{}/src", folder / 100));
        let path = path.join(format!("{}_{folder}", word(folder / 7)));
        std::fs::create_dir_all(&path)?;
        for file in 0..IN_FOLDER {
            let number = folder * IN_FOLDER + file;
            let end =
                ["mod.rs", "test.ts", "file.rs", "view.tsx", "index.md"].get(file % 5).copied().unwrap_or_default();
            std::fs::File::create(path.join(format!("{}{number}_{end}", word(number / 3))))?;
        }
    }
    Ok(())
}

//! The wire form of a turn: a `session/update` a line on stdout, and nothing else there.

use super::drive::View;
use pilotfish_protocol::{FaultKind, Item, ItemContent, SessionUpdate, Update};
use std::io::Write;

/// Prints updates as they are.
pub(super) struct Json {
    out: std::io::Stdout,
}

impl Json {
    pub(super) fn new() -> Self {
        Self { out: std::io::stdout() }
    }
}

impl View for Json {
    fn update(&mut self, update: &SessionUpdate) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(update)?;
        line.push(b'\n');
        let mut out = self.out.lock();
        out.write_all(&line)?;
        out.flush()?;
        drop(out);
        if let Update::ItemEnded { item: Item { content: ItemContent::Error(fault), .. } } = &update.update
            && fault.fault != FaultKind::Stream
        {
            complain(&fault.message);
        }
        Ok(())
    }

    fn tick(&mut self) {}

    fn question(&mut self, words: &str) {
        complain(words);
    }
}

fn complain(line: &str) {
    // Nobody is left to tell when this fails.
    let _ = writeln!(std::io::stderr(), "pilotfish: {}", crate::cli::terminal::safe(line));
}

//! What a command says: its beginning and its end are held, its beginning is shown while it runs. Nothing is read anew, and nothing waits.

use crate::cx::TurnEvent;
use crate::text::excerpt::printable;
use pilotfish_protocol::{ItemId, Update};
use tokio::sync::mpsc;

/// Bytes kept of an output's beginning, and as many of its end.
const KEEP: usize = 1 << 20;

/// Bytes of a running command's output that editors are shown as they come.
const LIVE: usize = 64 << 10;

/// Holds the beginning and the end of an output, and shows its beginning while it runs.
pub(super) struct Collector {
    events: mpsc::Sender<TurnEvent>,
    item: ItemId,
    head: Vec<u8>,
    tail: std::collections::VecDeque<u8>,
    left_out: u64,
    /// Not yet shown: an unfinished line, or what the session had no room for.
    pending: Vec<u8>,
    shown: usize,
}

impl Collector {
    pub(super) fn new(events: mpsc::Sender<TurnEvent>, item: ItemId) -> Self {
        let (head, tail, pending) = (Vec::new(), std::collections::VecDeque::new(), Vec::new());
        Self { events, item, head, tail, left_out: 0, pending, shown: 0 }
    }

    pub(super) fn take(&mut self, chunk: &[u8]) {
        let (first, rest) = chunk.split_at(chunk.len().min(KEEP - self.head.len()));
        self.head.extend_from_slice(first);
        // Only the end of a chunk that is larger than the window can stay.
        let (lost, rest) = rest.split_at(rest.len().saturating_sub(KEEP));
        let over = (self.tail.len() + rest.len()).saturating_sub(KEEP);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.left_out += (lost.len() + over) as u64;
        self.show(chunk);
    }

    fn show(&mut self, chunk: &[u8]) {
        if self.shown >= LIVE {
            return;
        }
        let room = LIVE - self.shown - self.pending.len();
        self.pending.extend_from_slice(chunk.get(..chunk.len().min(room)).unwrap_or_default());
        let full = self.shown + self.pending.len() == LIVE;
        let line_end = self.pending.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let whole = if full { self.pending.len() } else { line_end };
        let Some(lines) = self.pending.get(..whole).filter(|lines| !lines.is_empty()) else { return };
        let mut text = printable(lines);
        if full {
            text.push_str("\n[… the rest is shown when the command ends]\n");
        }
        let update = Update::ItemDelta { item_id: self.item.clone(), text };
        // A session that has no room gets these lines with the next ones.
        if self.events.try_send(TurnEvent::Show(Box::new(update))).is_ok() {
            self.pending.drain(..whole);
            self.shown += whole;
        }
    }

    pub(super) fn text(self) -> String {
        let mut bytes = self.head;
        if self.left_out > 0 {
            bytes.extend_from_slice(format!("\n[… {} bytes left out, and not kept …]\n", self.left_out).as_bytes());
        }
        bytes.extend(self.tail);
        printable(&bytes)
    }
}

#[cfg(test)]
mod tests;

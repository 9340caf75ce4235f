//! What a client saw of one session, in order, and how that differs from what it should have seen. Pure but for reading a session anew.

use super::editor::{Editor, Heard};
use anyhow::{Context, bail};
use pilotfish_protocol::{Attached, ItemId, ItemPage, SessionId, SessionUpdate, Update};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Items on one page.
const PAGE: u32 = 500;

/// What one client saw of one session.
#[derive(Debug, Default)]
pub struct Seen {
    /// Of each durable update, from the first on, what it said; `None` where one is missing.
    durable: Vec<Option<u64>>,
    /// Of each item that ended, how it ended.
    ended: BTreeMap<ItemId, u64>,
    faults: Faults,
}

/// How what was seen differs from what should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Not there.
    pub lost: usize,
    /// There twice.
    pub doubled: usize,
    /// Somewhere else, or something else in its place.
    pub reordered: usize,
}

impl Faults {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            reordered: self.reordered + other.reordered,
        }
    }
}

impl Seen {
    /// The last durable update.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.durable.len() as u64
    }

    /// Sees an update.
    pub fn see(&mut self, update: &SessionUpdate) {
        if let Update::ItemEnded { item } = &update.update {
            self.ended.insert(item.id.clone(), print(item));
        }
        let Some(seq) = update.seq else { return };
        let print = print(&update.update);
        match seq.checked_sub(self.seq() + 1) {
            Some(missing) => {
                self.faults.lost += usize::try_from(missing).unwrap_or(usize::MAX);
                self.durable.extend((0..missing).map(|_| None));
                self.durable.push(Some(print));
            }
            None if self.at(seq) == Some(print) => self.faults.doubled += 1,
            None => self.faults.reordered += 1,
        }
    }

    /// What differs within what was seen, and between it and all there is: `whole`, from the first update on.
    #[must_use]
    pub fn faults(&self, whole: &Seen) -> Faults {
        let mut faults = self.faults;
        for (seq, print) in (1..).zip(&self.durable) {
            match whole.at(seq) {
                None => faults.lost += 1,
                found if found == *print || print.is_none() => {}
                Some(_) => faults.reordered += 1,
            }
        }
        faults
    }

    /// Whether the items of the session are all known as they are.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn has_all(&self, editor: &mut Editor, session: &SessionId) -> anyhow::Result<bool> {
        let (mut before, mut known) = (None, 0);
        loop {
            let params = json!({"sessionId": session, "limit": PAGE, "before": before});
            let page: ItemPage = editor.request("session/items", params).await?;
            for item in &page.items {
                known += 1;
                if self.ended.get(&item.id) != Some(&print(item)) {
                    return Ok(false);
                }
            }
            before = page.before;
            if before.is_none() {
                return Ok(known == self.ended.len() && known > 0);
            }
        }
    }

    fn at(&self, seq: u64) -> Option<u64> {
        let place = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.durable.get(place).copied().flatten()
    }
}

/// Reads a session from its first update on, up to where it is now.
///
/// # Errors
/// When that fails.
pub async fn replay(editor: &mut Editor, session: &SessionId) -> anyhow::Result<(Attached, Vec<SessionUpdate>)> {
    let attached = editor.attach(session, Some(0)).await?;
    let mut updates: Vec<SessionUpdate> = Vec::new();
    let last = |updates: &[SessionUpdate]| updates.last().and_then(|update| update.seq).unwrap_or(0);
    while last(&updates) < attached.seq {
        match editor.next().await?.context("the daemon went away")? {
            Heard::Update(update) if update.seq.is_some() && update.session_id == *session => updates.push(*update),
            Heard::Update(_) | Heard::Else => {}
            Heard::Answer(..) => bail!("an answer to nothing"),
        }
    }
    Ok((attached, updates))
}

/// Two of these are as good as never the same by chance.
fn print(value: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(value).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

//! One session's part of an outbox: its queue, its cursor, and which open items the client knows as they are. Pure but for
//! the times it is given.

use pilotfish_protocol::{Attached, InputPart, Item, ItemContent, ItemId, SessionUpdate, Update};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// What an update costs beyond its texts, in bytes. A guess on the high side of an update's fixed fields.
const OVERHEAD: usize = 256;

/// A session's updates on their way to one connection.
#[derive(Debug)]
pub(super) struct Feed {
    number: u64,
    phase: Phase,
    queue: VecDeque<Entry>,
    /// How many entries have left the queue's front, so that `delta_at` can name places that stay.
    popped: u64,
    /// The queue's delta entry of an item that later deltas may join.
    delta_at: HashMap<ItemId, u64>,
    /// Entries that are no deltas. While there are any, no delta waits for its pace.
    solid: usize,
    bytes: usize,
    /// The last durable update that was sent.
    sent: u64,
    /// The last durable update that was pushed.
    pushed: u64,
    /// The open items whose text the client has, or will have when the queue is sent. Deltas of others are useless to it.
    known: HashSet<ItemId>,
    /// When an item's last delta was sent.
    paced: HashMap<ItemId, Instant>,
    /// The open items have to be sent again.
    resend: bool,
    listed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The attachment is not answered yet.
    Closed,
    /// It is answered, and the answer is not on its way yet.
    Opened,
    /// Updates come from the queue.
    Live,
    /// Durable updates come from the journal, up to `pushed`; the queue holds only the latest of what is not durable.
    Behind,
}

#[derive(Debug)]
struct Entry {
    update: SessionUpdate,
    bytes: usize,
}

/// What a feed wants done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It has nothing, and is off the list until something is pushed.
    Nothing,
    /// It has a delta for later.
    Later(Instant),
    /// Send this.
    Update(Box<SessionUpdate>),
    /// Send a page of durable updates from the journal.
    CatchUp {
        /// After this one.
        after: u64,
    },
    /// Have the open items sent again.
    Resend,
}

impl Feed {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            phase: Phase::Closed,
            queue: VecDeque::new(),
            popped: 0,
            delta_at: HashMap::new(),
            solid: 0,
            bytes: 0,
            sent: 0,
            pushed: 0,
            known: HashSet::new(),
            paced: HashMap::new(),
            resend: false,
            listed: false,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn pushed(&self) -> u64 {
        self.pushed
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts the feed on the list of those to look at; answers whether it was not on it.
    pub(super) fn enlist(&mut self) -> bool {
        !std::mem::replace(&mut self.listed, true)
    }

    /// The attachment's answer is known. Everything pushed so far comes after it: the tap is as old as the attachment.
    pub(super) fn open(&mut self, attached: &Attached, after_seq: Option<u64>) {
        let behind = after_seq.is_some_and(|after| after < attached.seq) || self.lost();
        self.sent = after_seq.unwrap_or(attached.seq).min(attached.seq);
        self.pushed = self.pushed.max(attached.seq);
        self.known.extend(attached.open_items.iter().map(|item| item.id.clone()));
        if behind {
            // What the journal repeats takes open items back to their beginning.
            self.fall_behind();
        }
        self.phase = Phase::Opened;
    }

    /// The answer is on its way; answers whether there may be something to read now.
    pub(super) fn release(&mut self) -> bool {
        if self.phase != Phase::Opened {
            return false;
        }
        self.phase = if self.lost() { Phase::Behind } else { Phase::Live };
        true
    }

    /// Takes an update; answers whether the reader has to be woken.
    pub(super) fn push(&mut self, update: &SessionUpdate, room: usize, max_updates: usize) -> bool {
        if let Some(seq) = update.seq {
            if seq <= self.pushed {
                return false;
            }
            // Before the attachment's answer says where it stands, the first one may be any.
            let hole = seq != self.pushed + 1 && (self.phase != Phase::Closed || self.pushed != 0);
            self.pushed = seq;
            if hole {
                self.fall_behind();
            }
        }
        if self.lost() {
            self.push_latest(update);
            return self.is_open() && !is_delta(update);
        }
        // A repeat of an open item replaces what is held of it, so it is bounded by the item. It takes no room: otherwise
        // the text of an item longer than all the room could never be sent again.
        let repeat = update.seq.is_none() && matches!(update.update, Update::ItemChanged { .. });
        let bytes = if repeat { 0 } else { cost(update) };
        if bytes > room || self.queue.len() >= max_updates {
            self.fall_behind();
            self.push_latest(update);
            return self.is_open();
        }
        match &update.update {
            Update::ItemDelta { item_id, text } => return self.push_delta(update, item_id, text, bytes),
            Update::ItemChanged { item } => {
                if repeat {
                    self.drop_held(&item.id);
                }
                self.delta_at.remove(&item.id);
                self.known.insert(item.id.clone());
            }
            Update::ItemStarted { item } => {
                self.known.insert(item.id.clone());
            }
            Update::ItemEnded { item } => {
                self.delta_at.remove(&item.id);
                self.known.remove(&item.id);
            }
            // A turn that was cut off leaves items that never end.
            Update::TurnEnded { .. } => self.known.clear(),
            // The others touch no item's text.
            _ => {}
        }
        self.push_back(update.clone(), bytes);
        self.is_open()
    }

    /// The next thing to do at `now`, with `pace` between two deltas of an item.
    pub(super) fn next(&mut self, now: Instant, pace: Duration) -> Next {
        match self.phase {
            Phase::Closed | Phase::Opened => return self.unlist(),
            Phase::Behind if self.sent < self.pushed => return Next::CatchUp { after: self.sent },
            Phase::Behind => self.phase = Phase::Live,
            Phase::Live => {}
        }
        if std::mem::take(&mut self.resend) {
            return Next::Resend;
        }
        let mut earliest: Option<Instant> = None;
        let mut found = None;
        for (at, entry) in self.queue.iter().enumerate() {
            let Update::ItemDelta { item_id, .. } = &entry.update.update else {
                found = Some(at);
                break;
            };
            let due = self.paced.get(item_id).map(|last| *last + pace).filter(|due| *due > now);
            match due {
                Some(due) if self.solid == 0 => earliest = Some(earliest.map_or(due, |earliest| earliest.min(due))),
                _ => {
                    found = Some(at);
                    break;
                }
            }
        }
        match (found, earliest) {
            (Some(at), _) => self.take(at, now),
            (None, Some(due)) => Next::Later(due),
            (None, None) => self.unlist(),
        }
    }

    /// Durable updates up to `seq` were sent from the journal. It may have been read ahead of what was pushed: an update is in
    /// there before its session shows it, and what was sent is not taken once more then.
    pub(super) fn caught_up(&mut self, seq: u64) {
        self.sent = self.sent.max(seq);
        self.pushed = self.pushed.max(seq);
    }

    /// Whether durable updates were dropped, or a part of them was asked for again.
    fn lost(&self) -> bool {
        self.resend || self.phase == Phase::Behind
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::Behind)
    }

    /// Drops what is held: the journal has it, but for open texts, which the session sends again.
    fn fall_behind(&mut self) {
        let held = std::mem::take(&mut self.queue);
        self.popped += held.len() as u64;
        self.delta_at.clear();
        self.known.clear();
        self.paced.clear();
        self.solid = 0;
        self.bytes = 0;
        self.resend = true;
        if self.phase == Phase::Live {
            self.phase = Phase::Behind;
        }
        for entry in held {
            self.push_latest(&entry.update);
        }
    }

    /// While behind, only the latest of what neither the journal nor the open items tell is kept.
    fn push_latest(&mut self, update: &SessionUpdate) {
        let kind = std::mem::discriminant(&update.update);
        let kept =
            update.seq.is_none() && !matches!(update.update, Update::ItemDelta { .. } | Update::ItemChanged { .. });
        if !kept {
            return;
        }
        while let Some(at) = self.queue.iter().position(|held| std::mem::discriminant(&held.update.update) == kind) {
            self.remove(at);
        }
        self.push_back(update.clone(), cost(update));
    }

    fn push_delta(&mut self, update: &SessionUpdate, item_id: &ItemId, text: &str, bytes: usize) -> bool {
        // Before the answer is known, so is not which items it holds; a delta that comes is of one of them.
        if self.phase != Phase::Closed && !self.known.contains(item_id) {
            return false;
        }
        let at = self.delta_at.get(item_id).and_then(|place| place.checked_sub(self.popped));
        let held = at.and_then(|at| self.queue.get_mut(usize::try_from(at).ok()?));
        if let Some(Entry { update: SessionUpdate { update: Update::ItemDelta { text: held, .. }, .. }, bytes }) = held
        {
            held.push_str(text);
            *bytes += text.len();
            self.bytes += text.len();
            return false;
        }
        self.delta_at.insert(item_id.clone(), self.popped + self.queue.len() as u64);
        self.push_back(update.clone(), bytes);
        self.is_open()
    }

    fn push_back(&mut self, update: SessionUpdate, bytes: usize) {
        self.bytes += bytes;
        self.solid += usize::from(!is_delta(&update));
        self.queue.push_back(Entry { update, bytes });
    }

    /// Takes the entry at `at` out to be sent. Only deltas of other items come before it.
    fn take(&mut self, at: usize, now: Instant) -> Next {
        let Some(update) = self.remove(at) else { return self.unlist() };
        if let Some(seq) = update.seq {
            self.sent = seq;
        }
        match &update.update {
            Update::ItemDelta { item_id, .. } => {
                self.paced.insert(item_id.clone(), now);
            }
            Update::ItemEnded { item } => {
                self.paced.remove(&item.id);
            }
            Update::TurnEnded { .. } => self.paced.clear(),
            // The others are not paced.
            _ => {}
        }
        Next::Update(Box::new(update))
    }

    fn remove(&mut self, at: usize) -> Option<SessionUpdate> {
        let place = self.popped + at as u64;
        let entry = self.queue.remove(at)?;
        self.bytes -= entry.bytes;
        self.solid -= usize::from(!is_delta(&entry.update));
        if let Update::ItemDelta { item_id, .. } = &entry.update.update
            && self.delta_at.get(item_id) == Some(&place)
        {
            self.delta_at.remove(item_id);
        }
        if at == 0 {
            self.popped += 1;
        } else {
            // What was behind the hole moved up by one.
            self.delta_at.values_mut().filter(|later| **later > place).for_each(|later| *later -= 1);
        }
        Some(entry.update)
    }

    /// Drops the deltas and repeats held of an item, as a newer repeat contains them.
    fn drop_held(&mut self, id: &ItemId) {
        let held = |update: &SessionUpdate| match &update.update {
            Update::ItemDelta { item_id, .. } => item_id == id,
            Update::ItemChanged { item } => item.id == *id && update.seq.is_none(),
            // The others are durable, or of no item.
            _ => false,
        };
        while let Some(at) = self.queue.iter().position(|entry| held(&entry.update)) {
            self.remove(at);
        }
    }

    fn unlist(&mut self) -> Next {
        self.listed = false;
        Next::Nothing
    }
}

fn is_delta(update: &SessionUpdate) -> bool {
    matches!(update.update, Update::ItemDelta { .. })
}

/// About what an update takes in memory: its texts, and something for the rest.
fn cost(update: &SessionUpdate) -> usize {
    let texts = match &update.update {
        Update::ItemDelta { text, .. } | Update::DraftChanged { text } => text.len(),
        Update::TitleChanged { title } => title.len(),
        Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item } => item_cost(item),
        Update::StatusChanged { status } => status.text.len(),
        Update::QueueChanged { queue } => queue.iter().map(|queued| OVERHEAD + input_cost(&queued.input)).sum(),
        Update::PlanChanged { plan } => plan.steps.iter().map(|step| OVERHEAD + step.step.len()).sum(),
        Update::CommandChanged { command } => command.command.len(),
        // Questions state a command or a path or two.
        Update::ApprovalOpened { .. } => 16 * OVERHEAD,
        Update::TurnStarted { .. }
        | Update::TurnEnded { .. }
        | Update::ModeChanged { .. }
        | Update::ModelChanged { .. }
        | Update::Usage { .. }
        | Update::ApprovalClosed { .. } => 0,
    };
    OVERHEAD + texts
}

fn item_cost(item: &Item) -> usize {
    match &item.content {
        ItemContent::UserMessage(message) => input_cost(&message.input),
        ItemContent::AgentMessage(message) => message.text.len(),
        // What a provider wants back is opaque to us; written out is near enough to what it takes.
        ItemContent::Reasoning(reasoning) => {
            reasoning.text.len() + reasoning.opaque.as_ref().map_or(0, |opaque| opaque.to_string().len())
        }
        ItemContent::ToolCall(call) => call.input.len() + call.output.len() + call.title.len(),
        // Rare and rich: measured by writing them out.
        ItemContent::Edit(_) | ItemContent::Conflict(_) | ItemContent::Approval(_) => {
            serde_json::to_vec(item).map_or(OVERHEAD, |json| json.len())
        }
        ItemContent::Plan(plan) => plan.steps.iter().map(|step| OVERHEAD + step.step.len()).sum(),
        ItemContent::Question(question) => {
            question.text.len() + question.choices.iter().map(String::len).sum::<usize>()
        }
        ItemContent::Error(fault) => fault.message.len(),
        ItemContent::Context(receipt) => receipt.parts.iter().map(|part| OVERHEAD + part.text.len()).sum(),
        ItemContent::Compaction(compaction) => compaction.text.len(),
        ItemContent::Notice(notice) => notice.text.len(),
    }
}

fn input_cost(input: &[InputPart]) -> usize {
    let part = |part: &InputPart| match part {
        InputPart::Text { text } => text.len(),
        InputPart::File { uri } | InputPart::Selection { uri, .. } | InputPart::Symbol { uri, .. } => uri.len(),
        InputPart::Image { data, .. } => data.len(),
        InputPart::Diagnostics { uri } => uri.as_ref().map_or(0, String::len),
        InputPart::Changes => 0,
    };
    input.iter().map(|input| OVERHEAD + part(input)).sum()
}

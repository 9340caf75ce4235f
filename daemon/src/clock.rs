//! Time and ids. The only place that reads the wall clock or makes up a name; everything else is handed a [`Clock`].

use pilotfish_protocol::{CheckpointId, CommandId, ConnectionId, HunkId, ItemId, QueuedId, RuleId, SessionId, TurnId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the time and makes ids: truly, or counting up so that tests can name what they expect. Clones share their counters.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    Counting(Arc<Counters>),
}

#[derive(Debug, Default)]
struct Counters {
    seconds: AtomicU64,
    ids: AtomicU64,
}

impl Clock {
    /// The machine's clock, and ids that sort by the time of their making.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// Starts at 2026-01-01T00:00:00Z, goes on by a second at each look; ids count from 1.
    #[must_use]
    pub fn counting() -> Self {
        Self(Kind::Counting(Arc::default()))
    }

    /// Now, RFC 3339 in UTC with milliseconds.
    #[must_use]
    pub fn now(&self) -> String {
        format!("{:.3}", self.timestamp())
    }

    /// Lets a counting clock go on by so many seconds.
    #[cfg(test)]
    pub(crate) fn skip(&self, seconds: u64) {
        if let Kind::Counting(counters) = &self.0 {
            counters.seconds.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// The day in UTC, such as `2026-01-01`.
    #[must_use]
    pub fn today(&self) -> String {
        let now = self.now();
        now.split('T').next().unwrap_or(&now).to_owned()
    }

    /// Now, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.timestamp().as_second()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn timestamp(&self) -> jiff::Timestamp {
        match &self.0 {
            Kind::System => jiff::Timestamp::now(),
            Kind::Counting(counters) => {
                let second = counters.seconds.fetch_add(1, Ordering::Relaxed);
                jiff::Timestamp::from_second(1_767_225_600 + i64::try_from(second).unwrap_or(0)).unwrap_or_default()
            }
        }
    }

    /// A new session's id.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        SessionId(self.id("s"))
    }

    /// A new turn's id.
    #[must_use]
    pub fn turn_id(&self) -> TurnId {
        TurnId(self.id("t"))
    }

    /// A new item's id. Ids of one process sort in the order of their making.
    #[must_use]
    pub fn item_id(&self) -> ItemId {
        ItemId(self.id("i"))
    }

    /// A new hunk's id.
    #[must_use]
    pub fn hunk_id(&self) -> HunkId {
        HunkId(self.id("h"))
    }

    /// A new restore's id.
    #[must_use]
    pub fn checkpoint_id(&self) -> CheckpointId {
        CheckpointId(self.id("k"))
    }

    /// A new rule's id.
    #[must_use]
    pub fn rule_id(&self) -> RuleId {
        RuleId(self.id("r"))
    }

    /// A new queued prompt's id.
    #[must_use]
    pub fn queued_id(&self) -> QueuedId {
        QueuedId(self.id("q"))
    }

    /// A new background command's id.
    #[must_use]
    pub fn command_id(&self) -> CommandId {
        CommandId(self.id("c"))
    }

    /// A new connection's id.
    #[must_use]
    pub fn connection_id(&self) -> ConnectionId {
        ConnectionId(self.id("n"))
    }

    /// A fraction in [0, 1) for jitter; 0.5 when counting.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws random numbers")]
    pub fn jitter(&self) -> f64 {
        match &self.0 {
            Kind::System => fastrand::f64(),
            Kind::Counting(_) => 0.5,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws random numbers")]
    fn id(&self, prefix: &str) -> String {
        match &self.0 {
            Kind::System => format!("{prefix}{}", uuid::Uuid::now_v7().simple()),
            // Six digits, so that counted ids sort as system ids do.
            Kind::Counting(counters) => format!("{prefix}{:06}", counters.ids.fetch_add(1, Ordering::Relaxed) + 1),
        }
    }
}

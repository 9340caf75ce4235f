//! Which turns run in this process, counted, and whether more may start: what a daemon that is to end waits for.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The count of running turns. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RunningTurns(Arc<watch::Sender<Count>>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    running: usize,
    /// Of those, the ones that wait for a person.
    waiting: usize,
    closed: bool,
}

impl Count {
    fn at_work(self) -> usize {
        self.running.saturating_sub(self.waiting)
    }
}

/// One turn that runs; dropped, it runs no more.
#[derive(Debug)]
pub struct RunningTurn {
    all: RunningTurns,
    waits: bool,
}

impl RunningTurns {
    /// Counts a turn in; `None` when no more may start.
    pub(crate) fn begin(&self) -> Option<RunningTurn> {
        let begun = self.0.send_if_modified(|count| {
            count.running += usize::from(!count.closed);
            !count.closed
        });
        begun.then(|| RunningTurn { all: self.clone(), waits: false })
    }

    /// Lets no more start.
    pub(crate) fn close(&self) {
        self.0.send_modify(|count| count.closed = true);
    }

    /// How many run.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.borrow().running
    }

    /// How many run and do not wait for a person.
    #[must_use]
    pub fn at_work(&self) -> usize {
        self.0.borrow().at_work()
    }

    /// Waits until none runs but those that wait for a person: such a turn can be cut, and goes on with its answer in the next daemon.
    pub async fn none_at_work(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|count| count.at_work() == 0).await;
    }

    /// Waits until none runs.
    pub async fn none_run(&self) {
        let _ = self.0.subscribe().wait_for(|count| count.running == 0).await;
    }

    /// Waits until none has run for some time.
    pub async fn none_run_for(&self, time: Duration) {
        loop {
            self.none_run().await;
            let mut counts = self.0.subscribe();
            let begun = counts.wait_for(|count| count.running > 0);
            if tokio::time::timeout(time, begun).await.is_err() {
                return;
            }
        }
    }
}

impl RunningTurn {
    /// Says whether it waits for a person now.
    pub(crate) fn waits(&mut self, waits: bool) {
        if self.waits != waits {
            self.waits = waits;
            self.all.0.send_modify(|count| if waits { count.waiting += 1 } else { count.waiting -= 1 });
        }
    }
}

impl Drop for RunningTurn {
    fn drop(&mut self) {
        self.waits(false);
        self.all.0.send_modify(|count| count.running -= 1);
    }
}

#[cfg(test)]
mod tests;

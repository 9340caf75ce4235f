//! Changes of texts that editors have open: such a text is changed by its editor and by nobody else, from exactly the text it shows.
//! Whatever the person typed meanwhile stays: the change is made anew to their text, and given up where both meet.

use super::texts::{kept, shown};
use super::{By, Cause, Change, Event, Workspace, WriteError};
use crate::documents::{Buffer, Declined, Standing};
use crate::path::RootedPath;
use crate::review::rebase;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long nobody must have typed before it is tried again.
const QUIET: Duration = Duration::from_millis(300);

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a change of a file on the disk is made anew to what somebody else just wrote there.
const TRIES: usize = 5;

/// A file as it stands in the editors and on the disk.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) standing: Standing,
    pub(super) disk: Option<Vec<u8>>,
}

/// A file that an editor is about to change and save.
#[derive(Debug)]
pub(super) struct Touch {
    pub(super) path: RootedPath,
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// A text that an editor changed for us, with what it takes to change it back.
struct Edited {
    path: RootedPath,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Workspace {
    /// Makes changes, all or none, in the editors that have the files open and else on the disk. Each names the text it was made from; where
    /// that is not the text any more, the change is made anew to the one there is.
    ///
    /// # Errors
    /// When that cannot be, or a file cannot be written; then nothing has changed.
    pub async fn apply(&self, changes: Vec<Change>, cause: &Cause) -> Result<(), WriteError> {
        self.apply_by(changes, &By { cause: cause.clone(), decision: Arc::default() }).await
    }

    /// As [`Workspace::apply`], also for what the person decided.
    pub(super) async fn apply_by(&self, changes: Vec<Change>, by: &By) -> Result<(), WriteError> {
        let mut edited = Vec::new();
        let mut direct = Vec::new();
        for change in changes {
            match self.apply_open(&change, by).await {
                Ok(Some(done)) => edited.push(done),
                Ok(None) => direct.push(change),
                Err(error) => return Err(self.take_edits_back(edited, by, error).await),
            }
        }
        if direct.is_empty() {
            return Ok(());
        }
        match self.apply_direct(direct, by).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.take_edits_back(edited, by, error).await),
        }
    }

    /// Makes a change in the editor that has its file open; nothing when none has.
    async fn apply_open(&self, change: &Change, by: &By) -> Result<Option<Edited>, WriteError> {
        match change {
            Change::Replace { path, before, bytes } => self.edit(path, before, bytes, by).await,
            Change::Create { path, bytes } => {
                // A text that was begun in an editor and never saved.
                self.edit(path, &[], bytes, by).await
            }
            Change::Delete { path, .. } | Change::Move { from: path, .. } => self.refuse_unsaved(path).await,
            Change::MoveDirectory { from, .. } => {
                self.pull_again(&self.root.join(from)).await;
                for path in self.shared.documents.below(&self.root.join(from)) {
                    if let Some(path) = RootedPath::below(&self.root, &path) {
                        self.refuse_unsaved(&path).await?;
                    }
                }
                Ok(None)
            }
        }
    }

    /// What is not saved is not taken away with its file.
    async fn refuse_unsaved(&self, path: &RootedPath) -> Result<Option<Edited>, WriteError> {
        self.pull(path).await;
        if self.shared.documents.buffers(&self.root.join(path)).is_empty() {
            return Ok(None);
        }
        match self.stand(path).await?.standing {
            Standing::Disk(_) => Ok(None),
            Standing::Unsaved(_) | Standing::Split(_) => Err(WriteError::Unsaved(path.clone())),
        }
    }

    /// Lets the editor that has a text open change it.
    async fn edit(
        &self,
        path: &RootedPath,
        before: &[u8],
        after: &[u8],
        by: &By,
    ) -> Result<Option<Edited>, WriteError> {
        let absolute = self.root.join(path);
        self.pull(path).await;
        if self.shared.documents.buffers(&absolute).is_empty() {
            return Ok(None);
        }
        let (Some(base), Some(wanted)) = (shown(before), shown(after)) else { return Ok(None) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stand = self.stand(path).await?;
            let (buffer, is_saved) = match stand.standing {
                Standing::Disk(None) => return Ok(None),
                Standing::Disk(Some(buffer)) => (buffer, true),
                Standing::Unsaved(buffer) => (buffer, false),
                Standing::Split(_) => return Err(WriteError::Split(path.clone())),
            };
            let target = merged(path, base, wanted, &buffer.text)?;
            let disk = stand.disk.as_deref().unwrap_or(before);
            let done = Edited {
                path: path.clone(),
                before: kept(&buffer.text, disk).to_vec(),
                after: kept(&target, disk).to_vec(),
            };
            // What is not saved is nothing that files are taken back to.
            let touched = match &stand.disk {
                Some(disk) if buffer.editor.writes() => Some(disk.clone()),
                _ => is_saved.then(|| done.before.clone()),
            };
            let touched = touched.map(|before| Touch { path: path.clone(), before, after: done.after.clone() });
            if target == buffer.text || self.ask_editor(path, &buffer, &target, by, touched).await? {
                if is_saved {
                    buffer.editor.wants_saving(&absolute);
                }
                return Ok(Some(done));
            }
            if Instant::now() >= deadline {
                return Err(WriteError::Busy(path.clone()));
            }
            self.wait_for_quiet(path, deadline).await;
            self.pull(path).await;
        }
    }

    /// Asks an editor once. Says whether the text came.
    async fn ask_editor(
        &self,
        path: &RootedPath,
        buffer: &Buffer,
        target: &Arc<str>,
        by: &By,
        touched: Option<Touch>,
    ) -> Result<bool, WriteError> {
        let absolute = self.root.join(path);
        let mut expected = self.shared.documents.expect(&buffer.client, &absolute, target);
        let (token, by) = (expected.token, by.clone());
        self.ask(|answer| Event::Intend { token, by, touched, answer }).await.ok_or_else(|| self.closed())??;
        let asked = buffer.editor.edit(&absolute, buffer.version, buffer.text.clone(), target.clone());
        match asked.await {
            Ok(()) if buffer.editor.writes() => {
                self.shared.documents.written(&buffer.client, &absolute, target);
                Ok(true)
            }
            Ok(()) => Ok(expected.came(buffer.version, PATIENCE).await),
            Err(Declined::Busy) => Ok(false),
            Err(Declined::Refused(why)) => Err(WriteError::Refused { path: path.clone(), why }),
        }
    }

    async fn wait_for_quiet(&self, path: &RootedPath, deadline: Instant) {
        let absolute = self.root.join(path);
        // At least once, also where nobody typed: the editor said no.
        let mut rest = QUIET;
        while Instant::now() < deadline {
            tokio::time::sleep(rest).await;
            let quiet = self.shared.documents.quiet_for(&absolute);
            if quiet >= QUIET {
                return;
            }
            rest = QUIET - quiet;
        }
    }

    /// Makes changes on the disk.
    async fn apply_direct(&self, mut changes: Vec<Change>, by: &By) -> Result<(), WriteError> {
        for _ in 0..TRIES {
            let error = match self.write(changes.clone(), by).await {
                Err(WriteError::Stale(path)) => path,
                outcome => return outcome,
            };
            let stand = self.stand(&error).await?;
            let (Some(disk), Standing::Disk(_)) = (stand.disk, stand.standing) else {
                return Err(WriteError::Stale(error));
            };
            let stale = changes.iter_mut().find_map(|change| match change {
                Change::Replace { path, before, bytes } if *path == error => Some((before, bytes)),
                // What is to go is not what was read.
                Change::Create { .. }
                | Change::Replace { .. }
                | Change::Delete { .. }
                | Change::Move { .. }
                | Change::MoveDirectory { .. } => None,
            });
            let Some((before, bytes)) = stale else { return Err(WriteError::Stale(error)) };
            *bytes = rebase(before, bytes, &disk).map_err(|_| WriteError::Overlap(error))?;
            *before = disk;
        }
        self.write(changes, by).await
    }

    /// Changes back what editors changed already, when the rest cannot be done.
    async fn take_edits_back(&self, edited: Vec<Edited>, by: &By, error: WriteError) -> WriteError {
        for Edited { path, before, after } in edited.into_iter().rev() {
            if let Err(again) = Box::pin(self.edit(&path, &after, &before, by)).await {
                return WriteError::Torn { path: path.clone(), why: format!("{error}; {again}"), left: path };
            }
        }
        error
    }

    async fn write(&self, changes: Vec<Change>, by: &By) -> Result<(), WriteError> {
        let by = by.clone();
        self.ask(|answer| Event::Apply { changes, by, answer }).await.unwrap_or_else(|| Err(self.closed()))
    }

    /// How a file stands. What editors said before is known to the ledger by then.
    pub(super) async fn stand(&self, path: &RootedPath) -> Result<Stand, WriteError> {
        let path = path.clone();
        Ok(self.ask(|answer| Event::Stand { path, answer }).await.ok_or_else(|| self.closed())??)
    }

    pub(super) fn closed(&self) -> WriteError {
        WriteError::Closed { root: self.root.clone() }
    }
}

/// The change from one text to another, made to what the text is now.
fn merged(path: &RootedPath, base: &str, wanted: &str, now: &Arc<str>) -> Result<Arc<str>, WriteError> {
    if **now == *base {
        return Ok(wanted.into());
    }
    let overlap = || WriteError::Overlap(path.clone());
    let merged = rebase(base.as_bytes(), wanted.as_bytes(), now.as_bytes()).map_err(|_| overlap())?;
    // Lines of texts, so a text.
    String::from_utf8(merged).map(Into::into).map_err(|_| overlap())
}

#[cfg(test)]
mod tests;

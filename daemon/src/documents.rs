//! The texts that editors have open: one table for all of the daemon, fed by the doors in the order in which their clients speak, so
//! that whoever looks sees what was typed last.
//!
//! It reads and writes no file and decides nothing: whose text counts is said by [`Standing::of`], and what is to become of a text is
//! asked of the editor that has it.

use crate::path::AbsPath;
use crate::review::rebase;
use futures::future::BoxFuture;
use pilotfish_protocol::ConnectionId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

mod pull;
mod seen;

pub use pull::Puller;
pub use seen::{Diagnostics, Looking, Versions};

/// A client that has texts open, as it is asked to change one.
pub trait Editor: Send + Sync {
    /// Asks it to make `after` of the text `before`, which it calls `version`. `Ok` says no more than that it said yes: whether it did is
    /// seen in its next change.
    fn edit(
        &self,
        path: &AbsPath,
        version: i32,
        before: Arc<str>,
        after: Arc<str>,
    ) -> BoxFuture<'static, Result<(), Declined>>;

    /// A text that was saved before was changed for the agent: it is to be saved again, so that commands and others see it.
    fn wants_saving(&self, path: &AbsPath);

    /// Whether its yes says that the text is changed and written to the disk, and it will not say so again.
    fn writes(&self) -> bool {
        false
    }
}

/// Why an editor did not change a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// Somebody types there, or the text is newer.
    #[error("somebody is typing there")]
    Busy,
    /// It cannot, or does not answer.
    #[error("{0}")]
    Refused(String),
}

/// Whether a text is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It was just opened: compare it with the disk.
    Unknown,
    /// As it was when it was opened or saved last, so that the disk counts.
    Yes,
    /// It was changed since.
    No,
}

/// A text as one client has it.
#[derive(Clone)]
pub struct Buffer {
    /// Whose.
    pub client: ConnectionId,
    /// As that client counts.
    pub version: i32,
    /// The text.
    pub text: Arc<str>,
    /// Whether it is on the disk.
    pub saved: Saved,
    /// The client.
    pub editor: Arc<dyn Editor>,
    /// When it was opened, changed or looked at last: a number that grows.
    used: u64,
    /// When it was changed last.
    changed: Option<Instant>,
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { client, version, text, saved, .. } = self;
        let mut shown = f.debug_struct("Buffer");
        shown.field("client", client).field("version", version).field("text", text).field("saved", saved).finish()
    }
}

/// Which text of a file counts.
#[derive(Debug, Clone)]
pub enum Standing {
    /// The disk's: nobody has changed it, if anybody has it open. The buffer is that of the editor to be asked first.
    Disk(Option<Buffer>),
    /// That of an editor, which is not saved.
    Unsaved(Buffer),
    /// Several editors have it, unsaved, and not the same. The one that was used last comes first.
    Split(Vec<Buffer>),
}

impl Standing {
    /// Of the buffers of a file, that used last first, and what the disk holds, as an editor would show it.
    #[must_use]
    pub fn of(mut buffers: Vec<Buffer>, disk: Option<&str>) -> Self {
        for buffer in &mut buffers {
            let same = disk == Some(&*buffer.text);
            buffer.saved = match buffer.saved {
                _ if same => Saved::Yes,
                Saved::Unknown => Saved::No,
                known => known,
            };
        }
        let mut unsaved: Vec<Buffer> = buffers.iter().filter(|buffer| buffer.saved == Saved::No).cloned().collect();
        match unsaved.len() {
            // One that shows an older text than the disk is left alone: its editor will read it again.
            0 => Standing::Disk(buffers.into_iter().find(|buffer| disk == Some(&*buffer.text))),
            1 => Standing::Unsaved(unsaved.remove(0)),
            _ if unsaved.windows(2).all(|pair| matches!(pair, [one, other] if one.text == other.text)) => {
                Standing::Unsaved(unsaved.remove(0))
            }
            _ => Standing::Split(unsaved),
        }
    }
}

/// Who made a change, where it was not the person: what [`Documents::expect`] was given.
pub type Token = u64;

/// What happened to a file's text in an editor, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The person did something: look at it again.
    Look,
    /// It became this text because the holder of the token asked for it, from that one before.
    Asked {
        /// What it was.
        before: Arc<str>,
        /// What it became.
        after: Arc<str>,
        /// Whose wish it was.
        token: Token,
    },
}

/// All open texts. Clones share them.
#[derive(Clone, Default)]
pub struct Documents(Arc<Mutex<Table>>);

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Documents")
    }
}

#[derive(Default)]
struct Table {
    files: HashMap<AbsPath, Vec<Buffer>>,
    uses: u64,
    wishes: Vec<Wish>,
    listeners: Vec<Weak<Listener>>,
    pulled: Vec<pull::Pulled>,
    seen: seen::Seen,
}

struct Wish {
    token: Token,
    path: AbsPath,
    client: ConnectionId,
    text: Arc<str>,
    /// The editor said yes, so its next change tells whether it did.
    agreed: bool,
    /// What the text was before the first part of it came, where it comes in parts.
    begun: Option<Arc<str>>,
    done: Option<oneshot::Sender<bool>>,
}

#[derive(Debug)]
struct Listener {
    root: AbsPath,
    steps: Mutex<BTreeMap<AbsPath, Vec<Step>>>,
    ready: Notify,
}

/// What happens to the texts below a root.
#[derive(Debug)]
pub struct Listening(Arc<Listener>);

impl Listening {
    /// Waits until something happened.
    pub async fn ready(&self) {
        self.0.ready.notified().await;
    }

    /// What happened since it was last asked, file by file.
    #[must_use]
    pub fn take(&self) -> BTreeMap<AbsPath, Vec<Step>> {
        std::mem::take(&mut *self.0.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits for an editor to do as it was asked.
#[derive(Debug)]
pub struct Expected {
    /// Names who asked.
    pub token: Token,
    done: oneshot::Receiver<bool>,
    documents: Documents,
}

impl Expected {
    /// The editor said yes to changing the text it called `version`. Waits until its text is another one, at most so long, and says whether
    /// it is the one that was asked for. Some tell of a change only when nobody has typed for half a second; asked again before that, they
    /// would change the text a second time.
    pub async fn came(&mut self, version: i32, limit: Duration) -> bool {
        self.documents.lock().agree(self.token, version);
        matches!(tokio::time::timeout(limit, &mut self.done).await, Ok(Ok(true)))
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut table = self.documents.lock();
        let Some(at) = table.wishes.iter().position(|wish| wish.token == self.token) else { return };
        let wish = table.wishes.swap_remove(at);
        // A part that nothing followed.
        if wish.begun.is_some() && wish.done.is_some() {
            table.tell(&wish.path, &Step::Look);
        }
    }
}

impl Documents {
    /// A client opened a file.
    pub fn open(&self, client: &ConnectionId, path: &AbsPath, version: i32, text: String, editor: Arc<dyn Editor>) {
        let mut table = self.lock();
        table.uses += 1;
        let used = table.uses;
        let (client, saved) = (client.clone(), Saved::Unknown);
        let buffer = Buffer { client, version, text: text.into(), saved, editor, used, changed: None };
        let buffers = table.files.entry(path.clone()).or_default();
        buffers.retain(|open| open.client != buffer.client);
        buffers.push(buffer);
        table.tell(path, &Step::Look);
    }

    /// A client changed its text. `change` makes the new one of the old. Gives nothing when it does not have the file open.
    pub fn change(
        &self,
        client: &ConnectionId,
        path: &AbsPath,
        version: i32,
        change: impl FnOnce(&str) -> String,
    ) -> Option<()> {
        let mut table = self.lock();
        table.uses += 1;
        let used = table.uses;
        let buffer = table.files.get_mut(path)?.iter_mut().find(|buffer| buffer.client == *client)?;
        let before = buffer.text.clone();
        buffer.text = change(&before).into();
        (buffer.version, buffer.used, buffer.changed) = (version, used, Some(Instant::now()));
        if buffer.text != before {
            buffer.saved = Saved::No;
        }
        let after = buffer.text.clone();
        let wishes = table.wishes.iter_mut();
        let mut wishes = wishes.filter(|wish| wish.client == *client && wish.path == *path && wish.done.is_some());
        // Some editors tell of a change only when nobody typed for a moment, and then of both at once.
        let is_in = |wish: &&mut Wish| wish.text == after || holds(wish.before(&before), &wish.text, &after);
        let asked = wishes.find(is_in).map(|wish| {
            // Whoever asked may have stopped waiting.
            let _ = wish.done.take().map(|done| done.send(true));
            Step::Asked { before: wish.before(&before).clone(), after: wish.text.clone(), token: wish.token }
        });
        if asked.is_none() && table.begins(client, path, &before, &after) {
            return Some(());
        }
        let is_more = matches!(&asked, Some(Step::Asked { after: asked, .. }) if *asked != after);
        let step = asked.unwrap_or(Step::Look);
        table.give_up(|wish| wish.agreed && wish.client == *client && wish.path == *path);
        table.tell(path, &step);
        if is_more {
            table.tell(path, &Step::Look);
        }
        Some(())
    }

    /// A client wrote its text to the disk.
    pub fn save(&self, client: &ConnectionId, path: &AbsPath) {
        let mut table = self.lock();
        let buffers = table.files.get_mut(path).into_iter().flatten();
        buffers.filter(|buffer| buffer.client == *client).for_each(|buffer| buffer.saved = Saved::Yes);
        table.tell(path, &Step::Look);
    }

    /// Says of buffers that were just opened whether they are on the disk, which holds this as an editor would show it.
    pub fn settle(&self, path: &AbsPath, disk: Option<&str>) {
        for buffer in self.lock().files.get_mut(path).into_iter().flatten() {
            if buffer.saved == Saved::Unknown {
                buffer.saved = if disk == Some(&*buffer.text) { Saved::Yes } else { Saved::No };
            }
        }
    }

    /// A client closed a file; what it had not saved is gone.
    pub fn close(&self, client: &ConnectionId, path: &AbsPath) {
        let mut table = self.lock();
        if let Some(buffers) = table.files.get_mut(path) {
            buffers.retain(|buffer| buffer.client != *client);
            if buffers.is_empty() {
                table.files.remove(path);
            }
        }
        table.give_up(|wish| wish.client == *client && wish.path == *path);
        table.tell(path, &Step::Look);
    }

    /// A client is gone, and its texts with it.
    pub fn leave(&self, client: &ConnectionId) {
        let mut table = self.lock();
        let held = table.files.iter().filter(|(_, buffers)| buffers.iter().any(|buffer| buffer.client == *client));
        let paths: Vec<AbsPath> = held.map(|(path, _)| path.clone()).collect();
        for buffers in table.files.values_mut() {
            buffers.retain(|buffer| buffer.client != *client);
        }
        table.files.retain(|_, buffers| !buffers.is_empty());
        table.pulled.retain(|pulled| pulled.client != *client);
        table.seen.leave(client);
        table.give_up(|wish| wish.client == *client);
        paths.iter().for_each(|path| table.tell(path, &Step::Look));
    }

    /// Who has a file open; the client that used it last first.
    #[must_use]
    pub fn buffers(&self, path: &AbsPath) -> Vec<Buffer> {
        let mut buffers = self.lock().files.get(path).cloned().unwrap_or_default();
        buffers.sort_by_key(|buffer| std::cmp::Reverse(buffer.used));
        buffers
    }

    /// The files below a root that somebody has open.
    #[must_use]
    pub fn below(&self, root: &AbsPath) -> Vec<AbsPath> {
        let table = self.lock();
        table.files.keys().filter(|path| path.as_path().starts_with(root.as_path())).cloned().collect()
    }

    /// How long nobody has changed a file.
    #[must_use]
    pub fn quiet_for(&self, path: &AbsPath) -> Duration {
        let table = self.lock();
        let changed = table.files.get(path).into_iter().flatten().filter_map(|buffer| buffer.changed).max();
        changed.map_or(Duration::MAX, |changed| changed.elapsed())
    }

    /// From now on, that the client's text becomes `text` is the doing of whoever holds what this gives.
    #[must_use]
    pub fn expect(&self, client: &ConnectionId, path: &AbsPath, text: &Arc<str>) -> Expected {
        let (sender, done) = oneshot::channel();
        let mut table = self.lock();
        table.uses += 1;
        let token = table.uses;
        let (path, client, text) = (path.clone(), client.clone(), text.clone());
        table.wishes.push(Wish { token, path, client, text, agreed: false, begun: None, done: Some(sender) });
        Expected { token, done, documents: self.clone() }
    }

    /// What is expected of editors, by whoever expects it.
    #[must_use]
    pub fn expected(&self) -> BTreeSet<Token> {
        self.lock().wishes.iter().map(|wish| wish.token).collect()
    }

    /// Hears of what happens below a root from now on.
    #[must_use]
    pub fn listen(&self, root: &AbsPath) -> Listening {
        let listener = Listener { root: root.clone(), steps: Mutex::default(), ready: Notify::new() };
        let listener = Arc::new(listener);
        let mut table = self.lock();
        table.listeners.retain(|listener| listener.strong_count() > 0);
        table.listeners.push(Arc::downgrade(&listener));
        Listening(listener)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text is what somebody asked for with something else beside it.
fn holds(before: &str, asked: &str, after: &str) -> bool {
    let merged = rebase(before.as_bytes(), asked.as_bytes(), after.as_bytes());
    before != asked && merged.is_ok_and(|merged| merged == after.as_bytes())
}

/// Whether a text is on its way from one to the other.
fn leads(before: &str, after: &str, asked: &str) -> bool {
    let merged = rebase(before.as_bytes(), asked.as_bytes(), after.as_bytes());
    before != after && merged.is_ok_and(|merged| merged == asked.as_bytes())
}

impl Wish {
    /// What the text was before any of this came. `now` is what it was before the last change.
    fn before<'a>(&'a self, now: &'a Arc<str>) -> &'a Arc<str> {
        self.begun.as_ref().unwrap_or(now)
    }
}

impl Table {
    /// Whether a change is a part of what a client was asked for. Some make an edit of several places one by one and tell of each; what is
    /// half of it is nothing the person did.
    fn begins(&mut self, client: &ConnectionId, path: &AbsPath, before: &Arc<str>, after: &str) -> bool {
        let wishes = self.wishes.iter_mut().filter(|wish| wish.client == *client && wish.path == *path);
        for wish in wishes.filter(|wish| wish.done.is_some()) {
            if leads(wish.before(before), after, &wish.text) {
                wish.begun = Some(wish.before(before).clone());
                return true;
            }
            wish.begun = None;
        }
        false
    }

    /// An editor said yes to a wish. Where it has another text by now than it was asked about, that is its answer.
    fn agree(&mut self, token: Token, version: i32) {
        let Some(wish) = self.wishes.iter_mut().find(|wish| wish.token == token) else { return };
        wish.agreed = true;
        let buffers = self.files.get(&wish.path).into_iter().flatten();
        let (client, mut of_client) = (&wish.client, buffers);
        if wish.begun.is_none() && !of_client.any(|buffer| buffer.client == *client && buffer.version == version) {
            self.give_up(|wish| wish.token == token);
        }
    }

    /// Texts that were waited for do not come.
    fn give_up(&mut self, which: impl Fn(&Wish) -> bool) {
        for wish in self.wishes.iter_mut().filter(|wish| which(wish)) {
            // Whoever asked may have stopped waiting.
            let _ = wish.done.take().map(|done| done.send(false));
        }
    }

    fn tell(&self, path: &AbsPath, step: &Step) {
        for listener in self.listeners.iter().filter_map(Weak::upgrade) {
            if !path.as_path().starts_with(listener.root.as_path()) {
                continue;
            }
            let mut steps = listener.steps.lock().unwrap_or_else(PoisonError::into_inner);
            let steps = steps.entry(path.clone()).or_default();
            // To look once is enough, so that this grows with what was asked for alone.
            if steps.last() != Some(&Step::Look) || *step != Step::Look {
                steps.push(step.clone());
            }
            listener.ready.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

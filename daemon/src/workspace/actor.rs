//! The task of a workspace: the one owner of its change ledger, and of every write below its root. One request at a time, so that no read
//! sees half of a write; what editors say is heard before each of them.

use super::editing::Stand;
use super::texts::{bytes, content, kept, shown};
use super::{
    Change, Event, FileText, ReadError, ReviewError, Reviewed, Shared, Unsaved, WriteError, files, publish, write,
};
use crate::documents::{Buffer, Listening, Standing, Step, Token};
use crate::path::{AbsPath, RootedPath};
use crate::review::{Author, Content, Ledger, Selection, Verb, Write};
use pilotfish_protocol::{ConnectionId, Hunk, SessionId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long nobody must have changed a file before its hunks are derived anew and told.
const QUIET: Duration = Duration::from_millis(40);

/// The largest file whose lines are reviewed, in bytes.
pub(super) const REVIEWED: u64 = 16 << 20;

/// The task's state.
pub(super) struct Actor {
    root: AbsPath,
    shared: Shared,
    listening: Listening,
    ledger: Ledger,
    /// Who wants what editors are asked for.
    wishes: HashMap<Token, Author>,
    /// Unsaved texts that commands worked with in agent mode, and may have built from.
    built_from: HashMap<RootedPath, Arc<[u8]>>,
    /// Files whose hunks are to be told, and when.
    due: BTreeMap<RootedPath, Instant>,
}

impl Actor {
    pub(super) fn new(root: AbsPath, shared: Shared) -> Self {
        let listening = shared.documents.listen(&root);
        let ledger = Ledger::new(root.clone());
        Self {
            root,
            shared,
            listening,
            ledger,
            wishes: HashMap::new(),
            built_from: HashMap::new(),
            due: BTreeMap::new(),
        }
    }

    /// Runs until the last handle is gone, which is when nobody can wait for it any more.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        self.settle_open().await;
        loop {
            let next = self.due.values().min().copied();
            let due = async {
                match next {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        self.hear().await;
                        self.handle(event).await;
                    }
                    None => return,
                },
                () = self.listening.ready() => self.hear().await,
                () = due => self.tell_due(),
            }
        }
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Read { path, max, session, answer } => {
                let _ = answer.send(self.read(&path, max, session.as_ref()).await);
            }
            Event::Stand { path, answer } => drop(answer.send(self.stand(&path).await)),
            Event::Intend { token, author, answer } => {
                self.wishes.insert(token, author);
                let _ = answer.send(());
            }
            Event::Apply { changes, author, answer } => drop(answer.send(self.apply(changes, author).await)),
            Event::Propose { changes, source, answer } => {
                let mut outcome = Ok(());
                for change in changes {
                    outcome = outcome.and(self.propose(change, &source).await);
                }
                let _ = answer.send(outcome);
            }
            Event::Unsaved { session, answer } => drop(answer.send(self.unsaved(session.as_ref()).await)),
            Event::Hunks { path, client, answer } => {
                let _ = answer.send(self.hunks(path, client.as_ref()));
            }
            Event::Base { path, answer } => {
                let base = self.ledger.base(&path).cloned();
                let _ = answer.send(base.ok_or(ReviewError::NotReviewed(path)));
            }
            Event::Decide { verb, selection, answer } => drop(answer.send(self.decide(verb, &selection))),
            Event::Decided { verb, writes, answer } => {
                self.decided(verb, &writes);
                let _ = answer.send(());
            }
            Event::Told { session, answer } => drop(answer.send(self.ledger.told(&session))),
            Event::Look { mut early, answer } => {
                let early = blocking(move || {
                    early.look();
                    early
                });
                // Where nobody waits any more it is dropped, and so taken back.
                if let Some(early) = early.await {
                    let _ = answer.send(early);
                }
            }
            Event::Publish { early, author, answer } => {
                let root = &self.root;
                let seeds = early.seeds().into_iter();
                self.built_from.extend(seeds.filter_map(|(file, text)| Some((RootedPath::below(root, &file)?, text))));
                let published = blocking(move || early.publish()).await;
                self.published(published, &author, answer).await;
            }
            Event::TakeBack { early, answer } => {
                let left = blocking(move || early.take_back()).await;
                let _ = answer.send(left.unwrap_or_default());
            }
            Event::Release { publication, held, author, answer } => {
                let published = blocking(move || publish::release(&publication, &held)).await;
                self.published(published, &author, answer).await;
            }
            Event::Refuse { held, answer } => {
                blocking(move || publish::refuse(&held)).await;
                let _ = answer.send(());
            }
        }
    }

    // --- what editors say ---

    /// Of what was open before the workspace was.
    async fn settle_open(&mut self) {
        for path in self.shared.documents.below(&self.root) {
            self.look(&path).await;
        }
    }

    /// Takes in what editors said since it was last asked.
    async fn hear(&mut self) {
        for (file, steps) in self.listening.take() {
            for step in steps {
                match step {
                    Step::Look => self.look(&file).await,
                    Step::Asked { before, after, token } => {
                        let (Some(path), Some(author)) = (self.rooted(&file), self.wishes.remove(&token)) else {
                            continue;
                        };
                        let disk = self.disk(&path).await.ok().flatten().unwrap_or_default();
                        let text = |text: &str| Content::Text(kept(text, &disk));
                        self.record(&path, &text(&before), &text(&after), &author);
                    }
                }
            }
        }
    }

    /// Takes in what the person did to a file.
    async fn look(&mut self, file: &AbsPath) {
        let Some(path) = self.rooted(file) else { return };
        let Ok(stand) = self.stand(&path).await else { return };
        self.touch_discarded(&path, &stand).await;
        let Some(known) = self.ledger.current(&path).cloned() else { return };
        let now = match stand.standing {
            Standing::Disk(_) => content(stand.disk),
            Standing::Unsaved(buffer) => Content::Text(kept(&buffer.text, bytes(&known).unwrap_or_default())),
            // Until they agree, or one is saved, the text of the one that was used last is reviewed.
            Standing::Split(buffers) => match buffers.first() {
                Some(buffer) => Content::Text(kept(&buffer.text, bytes(&known).unwrap_or_default())),
                None => return,
            },
        };
        if now != known {
            self.record(&path, &known, &now, &Author::Person);
        } else {
            // The version that hunks speak of may be another one.
            self.due.insert(path, Instant::now() + QUIET);
        }
    }

    /// After an unsaved text went away that a command may have built from: the file is older than the results.
    async fn touch_discarded(&mut self, path: &RootedPath, stand: &Stand) {
        let Standing::Disk(_) = stand.standing else { return };
        let Some(built_from) = self.built_from.remove(path) else { return };
        if stand.disk.as_deref() != Some(&*built_from) {
            let file = self.root.join(path);
            blocking(move || publish::touch(&file)).await;
        }
    }

    // --- texts ---

    async fn disk(&self, path: &RootedPath) -> Result<Option<Vec<u8>>, ReadError> {
        let (root, path) = (self.root.clone(), path.clone());
        let wanted = path.clone();
        let read = blocking(move || files::read(&root, &wanted, REVIEWED + 1)).await;
        match read {
            Some(Ok(file)) => Ok(Some(file.bytes)),
            Some(Err(ReadError::Missing(_))) => Ok(None),
            Some(Err(error)) => Err(error),
            None => Err(ReadError::Io { path, why: "reading it failed inside".to_owned() }),
        }
    }

    async fn stand(&self, path: &RootedPath) -> Result<Stand, ReadError> {
        let file = self.root.join(path);
        let disk = self.disk(path).await?;
        let as_shown = disk.as_deref().and_then(shown);
        self.shared.documents.settle(&file, as_shown);
        let standing = Standing::of(self.shared.documents.buffers(&file), as_shown);
        Ok(Stand { standing, disk })
    }

    /// A file as a session sees it: with what it proposes, then as an editor has it, then as it is on the disk.
    async fn read(&self, path: &RootedPath, max: u64, session: Option<&SessionId>) -> Result<FileText, ReadError> {
        let cut = |bytes: &[u8]| {
            let length = bytes.len().min(usize::try_from(max).unwrap_or(usize::MAX));
            FileText { bytes: bytes.get(..length).unwrap_or_default().to_vec(), size: bytes.len() as u64 }
        };
        match session.and_then(|session| self.ledger.seen_by(session, path)) {
            Some(Content::Absent) => return Err(ReadError::Missing(path.clone())),
            Some(Content::Text(bytes)) => return Ok(cut(&bytes)),
            Some(Content::Other(_)) | None => {}
        }
        if !self.shared.documents.buffers(&self.root.join(path)).is_empty() {
            let stand = self.stand(path).await?;
            if let Some(buffer) = unsaved(stand.standing) {
                return Ok(cut(&kept(&buffer.text, stand.disk.as_deref().unwrap_or_default())));
            }
        }
        let (root, wanted) = (self.root.clone(), path.clone());
        let failed = || ReadError::Io { path: path.clone(), why: "reading it failed inside".to_owned() };
        blocking(move || files::read(&root, &wanted, max)).await.unwrap_or_else(|| Err(failed()))
    }

    /// What a session sees otherwise than it is on the disk.
    async fn unsaved(&self, session: Option<&SessionId>) -> Unsaved {
        let mut texts = Unsaved::new();
        for file in self.shared.documents.below(&self.root) {
            let Some(path) = self.rooted(&file) else { continue };
            let Ok(stand) = self.stand(&path).await else { continue };
            if let Some(buffer) = unsaved(stand.standing) {
                texts.insert(path, Some(kept(&buffer.text, stand.disk.as_deref().unwrap_or_default())));
            }
        }
        for path in session.map(|session| self.ledger.proposed_by(session)).unwrap_or_default() {
            match session.and_then(|session| self.ledger.seen_by(session, &path)) {
                Some(Content::Absent) => drop(texts.insert(path, None)),
                Some(Content::Text(bytes)) => drop(texts.insert(path, Some(bytes))),
                Some(Content::Other(_)) | None => {}
            }
        }
        texts
    }

    // --- changes ---

    async fn apply(&mut self, changes: Vec<Change>, author: Author) -> Result<(), WriteError> {
        let (root, made) = (self.root.clone(), changes.clone());
        let written = blocking(move || write::apply(&root, &made)).await;
        written.unwrap_or_else(|| Err(WriteError::Closed { root: self.root.clone() }))?;
        for change in changes {
            self.record_change(change, &author).await;
        }
        Ok(())
    }

    async fn record_change(&mut self, change: Change, author: &Author) {
        match change {
            Change::Create { path, bytes } => {
                self.record(&path, &Content::Absent, &content(Some(bytes)), author);
            }
            Change::Replace { path, before, bytes } => {
                self.record(&path, &content(Some(before)), &content(Some(bytes)), author);
            }
            Change::Delete { path, before } => {
                self.record(&path, &content(Some(before)), &Content::Absent, author);
            }
            Change::Move { from, to, before, bytes } => {
                self.record(&from, &content(Some(before)), &Content::Absent, author);
                self.record(&to, &Content::Absent, &content(Some(bytes)), author);
            }
            Change::MoveDirectory { from, to } => self.record_moved(&from, &to, author).await,
        }
    }

    /// A folder has another name: each file in it is gone there and new here.
    async fn record_moved(&mut self, from: &RootedPath, to: &RootedPath, author: &Author) {
        let (root, folder) = (self.root.clone(), to.clone());
        let inside = blocking(move || files::below(&root, &folder)).await.unwrap_or_default();
        for new in inside {
            let Ok(inner) = new.as_path().strip_prefix(to.as_path()) else { continue };
            let old = from.as_path().join(inner);
            let Some(old) = old.to_str().and_then(|old| RootedPath::new(&self.root, old).ok()) else { continue };
            let Ok(Some(bytes)) = self.disk(&new).await else { continue };
            let held = content(Some(bytes));
            self.record(&old, &held, &Content::Absent, author);
            self.record(&new, &Content::Absent, &held, author);
        }
    }

    fn record(&mut self, path: &RootedPath, before: &Content, after: &Content, author: &Author) {
        self.ledger.record(path, before, after, author);
        if self.ledger.current(path).is_some() {
            self.due.insert(path.clone(), Instant::now() + QUIET);
        }
    }

    async fn published(
        &mut self,
        published: Option<publish::Published>,
        author: &Author,
        answer: tokio::sync::oneshot::Sender<publish::Published>,
    ) {
        let Some(published) = published else { return };
        for change in &published.changed {
            let before = content(change.before.clone());
            let after = content(change.after.clone());
            if before != after {
                self.record(&change.path, &before, &after, author);
            }
        }
        let _ = answer.send(published);
    }

    // --- review ---

    async fn propose(&mut self, change: Change, source: &crate::review::Source) -> Result<(), WriteError> {
        let proposals = match change {
            Change::Create { path, bytes } => vec![(path, content(Some(bytes)))],
            Change::Replace { path, bytes, .. } => vec![(path, content(Some(bytes)))],
            Change::Delete { path, .. } => vec![(path, Content::Absent)],
            Change::Move { from, to, bytes, .. } => vec![(from, Content::Absent), (to, content(Some(bytes)))],
            Change::MoveDirectory { from, .. } => return Err(WriteError::NoProposal(from)),
        };
        for (path, proposed) in proposals {
            let stand = self.stand(&path).await?;
            let disk = stand.disk.as_deref().unwrap_or_default();
            let current = match unsaved(stand.standing) {
                Some(buffer) => Content::Text(kept(&buffer.text, disk)),
                None => content(stand.disk),
            };
            self.ledger.propose(&path, &current, &proposed, source);
            self.due.insert(path, Instant::now() + QUIET);
        }
        Ok(())
    }

    fn decide(&mut self, verb: Verb, selection: &Selection) -> Result<Vec<Write>, ReviewError> {
        self.derive(selection);
        let touched = match verb {
            Verb::Keep => self.ledger.keep(selection)?,
            Verb::Unkeep => self.ledger.unkeep(selection)?,
            Verb::Reject => self.ledger.reject(selection)?,
            Verb::Undo => return Ok(self.ledger.undo(selection)?),
            Verb::Accept => return Ok(self.ledger.accept(selection)?),
        };
        self.tell(touched);
        Ok(Vec::new())
    }

    /// The texts that a decision needed are written.
    fn decided(&mut self, verb: Verb, writes: &[Write]) {
        for write in writes {
            match verb {
                Verb::Accept => self.ledger.accepted(write),
                Verb::Undo => self.ledger.undone(write),
                Verb::Keep | Verb::Unkeep | Verb::Reject => {}
            }
        }
        self.tell(writes.iter().map(|write| write.path.clone()));
    }

    /// Hunks as they are now, so that what the person names can be found.
    fn derive(&mut self, selection: &Selection) {
        let paths: Vec<RootedPath> = match &selection.path {
            Some(path) => vec![path.clone()],
            None => self.ledger.paths().cloned().collect(),
        };
        for path in paths {
            self.derive_file(&path);
        }
    }

    fn derive_file(&mut self, path: &RootedPath) -> Vec<Hunk> {
        let clock = &self.shared.clock;
        self.ledger.hunks(path, None, &mut || clock.hunk_id())
    }

    fn hunks(&mut self, path: Option<RootedPath>, client: Option<&ConnectionId>) -> Vec<Hunk> {
        let paths: Vec<RootedPath> = match path {
            Some(path) => vec![path],
            None => self.ledger.paths().cloned().collect(),
        };
        let mut hunks = Vec::new();
        for path in paths {
            let mut of_file = self.derive_file(&path);
            let versions = self.versions(&path);
            let version = versions.iter().find(|(known, _)| Some(known) == client).map(|(_, version)| *version);
            of_file.iter_mut().for_each(|hunk| hunk.version = version);
            hunks.extend(of_file);
        }
        hunks
    }

    /// The clients that show exactly the text that is reviewed, with their names for it.
    fn versions(&self, path: &RootedPath) -> Vec<(ConnectionId, i32)> {
        let Some(now) = self.ledger.current(path).and_then(bytes).and_then(shown) else { return Vec::new() };
        let buffers = self.shared.documents.buffers(&self.root.join(path)).into_iter();
        buffers.filter(|buffer| *buffer.text == *now).map(|buffer| (buffer.client, buffer.version)).collect()
    }

    /// Tells of what nobody has changed for a while.
    fn tell_due(&mut self) {
        let now = Instant::now();
        let due: BTreeSet<RootedPath> =
            self.due.iter().filter(|(_, due)| **due <= now).map(|(path, _)| path.clone()).collect();
        self.tell(due);
    }

    fn tell(&mut self, paths: impl IntoIterator<Item = RootedPath>) {
        for path in paths {
            self.due.remove(&path);
            let hunks = self.derive_file(&path).into();
            let versions = self.versions(&path);
            // Nobody may be listening.
            let _ = self.shared.reviewed.send(Reviewed { root: self.root.clone(), path, versions, hunks });
        }
    }

    fn rooted(&self, file: &AbsPath) -> Option<RootedPath> {
        RootedPath::below(&self.root, file)
    }
}

/// The text that counts instead of the disk's, if one does.
fn unsaved(standing: Standing) -> Option<Buffer> {
    match standing {
        Standing::Disk(_) => None,
        Standing::Unsaved(buffer) => Some(buffer),
        Standing::Split(buffers) => buffers.into_iter().next(),
    }
}

/// Runs what blocks, on one of the runtime's threads for that; they end by themselves when idle. Nothing when it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "a file operation panicked");
            None
        }
    }
}

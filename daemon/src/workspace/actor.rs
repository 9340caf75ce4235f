//! The task of a workspace: the one owner of its change ledger, and of every write below its root. One request at a time, so that no read
//! sees half of a write; what editors say is heard before each of them.

use super::editing::Stand;
use super::texts::{bytes, content, kept, shown};
use super::{
    By, Cause, Change, Decided, Event, FileText, ReadError, ReviewError, Reviewed, Shared, Unsaved, WriteError, files,
    publish, write,
};
use crate::documents::{Buffer, Listening, Saved, Standing, Step, Token};
use crate::path::{AbsPath, RootedPath};
use crate::review::{Author, Content, Ledger, Selection, Source, Verb, Write, rebase};
use crate::workspace::checkpoint::Recorder;
use crate::workspace::editing::Touch;
use crate::workspace::image::{Image, Touched};
use crate::workspace::restore::{self, RestoreError, Restored};
use crate::workspace::watch::{Changes, ChangesReceiver, Files};
use pilotfish_protocol::{CheckpointId, ConnectionId, Hunk, SessionId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

mod record;

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
    wishes: HashMap<Token, By>,
    /// Unsaved texts that commands worked with in agent mode, and may have built from.
    built_from: HashMap<RootedPath, Arc<[u8]>>,
    /// The files that are saved.
    saved: BTreeSet<RootedPath>,
    /// Whose changes may be on the disk and not yet in the saved ledger.
    begun: Option<Source>,
    /// What happens to files on the disk, while some are under review.
    watching: Option<ChangesReceiver>,
    files: Files,
    /// Files whose hunks are to be told, and when.
    due: BTreeMap<RootedPath, Instant>,
}

impl Actor {
    pub(super) fn new(root: AbsPath, shared: Shared, files: Files) -> Self {
        let listening = shared.documents.listen(&root);
        let clock = shared.clock.clone();
        let ledger = Ledger::new(root.clone(), move || clock.hunk_id());
        Self {
            root,
            shared,
            listening,
            ledger,
            wishes: HashMap::new(),
            built_from: HashMap::new(),
            begun: None,
            saved: BTreeSet::new(),
            watching: None,
            files,
            due: BTreeMap::new(),
        }
    }

    /// Runs until the last handle is gone, which is when nobody can wait for it any more.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        self.load().await;
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
                () = due => self.tell_due().await,
                changes = next_changes(&mut self.watching) => self.changed_on_disk(changes).await,
            }
        }
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Read { path, max, session, answer } => {
                let _ = answer.send(self.read(&path, max, session.as_ref()).await);
            }
            Event::Stand { path, answer } => drop(answer.send(self.stand(&path).await)),
            Event::Intend { token, by, touched, answer } => {
                let recorded = self.intend(&by, touched).await;
                if recorded.is_ok() {
                    self.wishes.insert(token, by);
                }
                let _ = answer.send(recorded);
            }
            Event::Apply { changes, by, answer } => drop(answer.send(self.apply(changes, &by).await)),
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
                let base = self.ledger.base(&path);
                let _ = answer.send(base.ok_or(ReviewError::NotReviewed(path)));
            }
            Event::Decide { verb, selection, answer } => drop(answer.send(self.decide(verb, &selection).await)),
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
            Event::Publish { early, cause, answer } => {
                let root = &self.root;
                let seeds = early.seeds().into_iter();
                self.built_from.extend(seeds.filter_map(|(file, text)| Some((RootedPath::below(root, &file)?, text))));
                self.begin(&cause).await;
                let late = self.late().await;
                let published = self.recorded(&cause, move |recorder| early.publish(Some(recorder), late)).await;
                self.published(published, cause, answer);
            }
            Event::TakeBack { early, answer } => {
                let left = blocking(move || early.take_back()).await;
                let _ = answer.send(left.unwrap_or_default());
            }
            Event::Release { publication, held, cause, answer } => {
                self.begin(&cause).await;
                let late = self.late().await;
                let (unsaved, held): (Vec<_>, Vec<_>) =
                    held.into_iter().partition(|held| late.contains_key(&held.path));
                let release = move |recorder: &Recorder| {
                    let mut published = publish::release(&publication, &held, Some(recorder));
                    publish::refuse(&unsaved);
                    let clash = publish::Clash::Blocked("an unsaved text");
                    let conflict = |held: publish::Held| publish::Conflict { path: held.path, clash: clash.clone() };
                    published.conflicts.extend(unsaved.into_iter().map(conflict));
                    published
                };
                let published = self.recorded(&cause, release).await;
                self.published(published, cause, answer);
            }
            Event::Refuse { held, answer } => {
                blocking(move || publish::refuse(&held)).await;
                let _ = answer.send(());
            }
            Event::Restore { id, dry_run, answer } => {
                let _ = answer.send(self.restore(id, dry_run).await);
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
        // Of those that are over by now everything was told.
        let live = self.shared.documents.expected();
        let over: Vec<Token> = self.wishes.keys().filter(|token| !live.contains(token)).copied().collect();
        for (file, steps) in self.listening.take() {
            for step in steps {
                match step {
                    Step::Look => self.look(&file).await,
                    Step::Asked { before, after, token } => {
                        let (Some(path), Some(by)) = (self.rooted(&file), self.wishes.remove(&token)) else {
                            continue;
                        };
                        let disk = self.disk(&path).await.ok().flatten().unwrap_or_default();
                        let text = |text: &str| Content::Text(kept(text, &disk));
                        self.record(&path, &text(&before), &text(&after), &by);
                    }
                }
            }
        }
        for token in over {
            self.wishes.remove(&token);
        }
    }

    /// Takes in what the person did to a file.
    async fn look(&mut self, file: &AbsPath) {
        let Some(path) = self.rooted(file) else { return };
        let is_new = |buffer: &Buffer| buffer.saved == Saved::Unknown;
        let is_of_interest = self.ledger.current(&path).is_some() || self.built_from.contains_key(&path);
        if !is_of_interest && !self.shared.documents.buffers(file).iter().any(is_new) {
            return;
        }
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
            self.record(&path, &known, &now, &self.person());
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
        match files::read_apart(&self.root, path, REVIEWED + 1).await {
            Ok(file) => Ok(Some(file.bytes)),
            Err(ReadError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
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
        files::read_apart(&self.root, path, max).await
    }

    /// What a session sees otherwise than it is on the disk.
    async fn unsaved(&self, session: Option<&SessionId>) -> Unsaved {
        let mut texts = Unsaved::new();
        for (path, buffer, disk) in self.unsaved_buffers().await {
            texts.insert(path, Some(kept(&buffer.text, disk.as_deref().unwrap_or_default())));
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

    /// What the disk holds of files that somebody has unsaved.
    async fn late(&self) -> publish::Late {
        let unsaved = self.unsaved_buffers().await.into_iter();
        unsaved.filter_map(|(path, _, disk)| Some((self.root.join(&path), disk?.into()))).collect()
    }

    /// The texts that count instead of the disk's, with what it holds.
    async fn unsaved_buffers(&self) -> Vec<(RootedPath, Buffer, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        for file in self.shared.documents.below(&self.root) {
            let Some(path) = self.rooted(&file) else { continue };
            let Ok(Stand { standing, disk }) = self.stand(&path).await else { continue };
            found.extend(unsaved(standing).map(|buffer| (path, buffer, disk)));
        }
        found
    }

    // --- changes ---

    fn person(&self) -> By {
        let cause = Cause { author: Author::Person, at: String::new(), title: String::new() };
        By { cause, decision: Arc::default() }
    }

    /// Does what changes files and has begun, so that it can be taken back.
    async fn recorded<T: Send + 'static>(
        &self,
        cause: &Cause,
        work: impl FnOnce(&Recorder) -> T + Send + 'static,
    ) -> Option<T> {
        let checkpoints = self.shared.checkpoints.clone();
        let recorder = checkpoints.recorder(&self.root, cause);
        let recorded = move || {
            let done = work(&recorder);
            // What it held is recorded by now.
            drop(recorder);
            checkpoints.collect_if_full();
            done
        };
        blocking(recorded).await
    }

    /// Records what an editor is about to change and save, so that it can be taken back.
    async fn intend(&mut self, by: &By, touched: Option<Touch>) -> Result<(), WriteError> {
        self.begin(&by.cause).await;
        let Some(Touch { path, before, after }) = touched else { return Ok(()) };
        let file = self.root.join(&path);
        let record = move |recorder: &Recorder| {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.as_path().metadata().map_or(0o644, |found| found.permissions().mode());
            let before = recorder.keep_bytes(&before, mode)?;
            recorder.touch(&[Touched { path, before, after: Image::of_bytes(&after, mode) }])
        };
        let closed = || WriteError::Closed { root: self.root.clone() };
        let path = self.root.clone();
        let unkept = |error: crate::workspace::checkpoint::KeepError| WriteError::Unrecorded {
            root: path,
            why: error.to_string(),
        };
        self.recorded(&by.cause, record).await.ok_or_else(closed)?.map_err(unkept)
    }

    /// Takes files back to a checkpoint. What is unsaved in an editor stays.
    async fn restore(&mut self, id: CheckpointId, dry_run: bool) -> Result<Restored, RestoreError> {
        let unsaved: BTreeSet<RootedPath> = self.unsaved(None).await.into_keys().collect();
        let (root, checkpoints) = (self.root.clone(), self.shared.checkpoints.clone());
        let restore = move || {
            let restored = restore::restore(&root, &checkpoints, &id, dry_run, &unsaved);
            checkpoints.collect_if_full();
            restored
        };
        let restored = blocking(restore).await.unwrap_or(Err(RestoreError::Closed))?;
        if !dry_run {
            for (path, _) in &restored.changes {
                self.look(&self.root.join(path)).await;
            }
        }
        Ok(restored)
    }

    /// Takes in what happened on the disk.
    async fn changed_on_disk(&mut self, changes: Option<Changes>) {
        let Some(changes) = changes else {
            self.watching = None;
            return;
        };
        let is_meant = |known: &&RootedPath| {
            changes.rescan || changes.paths.iter().any(|path| known.as_path().starts_with(path.as_path()))
        };
        let changed: Vec<RootedPath> = self.ledger.paths().filter(is_meant).cloned().collect();
        for path in changed {
            self.look(&self.root.join(&path)).await;
        }
    }

    /// Listens to the disk while files are under review, and no longer.
    fn watch(&mut self) {
        match (self.ledger.paths().next().is_some(), &self.watching) {
            (true, None) => self.watching = Some(self.files.changes()),
            (false, Some(_)) => self.watching = None,
            (true, Some(_)) | (false, None) => {}
        }
    }

    async fn apply(&mut self, changes: Vec<Change>, by: &By) -> Result<(), WriteError> {
        // Somebody may have opened one of them since it was found that nobody had.
        for path in changes.iter().flat_map(Change::paths) {
            let file = self.root.join(path);
            if !self.shared.documents.buffers(&file).is_empty()
                && !matches!(self.stand(path).await?.standing, Standing::Disk(_))
            {
                return Err(WriteError::Unsaved(path.clone()));
            }
        }
        self.begin(&by.cause).await;
        let (root, made) = (self.root.clone(), changes.clone());
        let written = self.recorded(&by.cause, move |recorder| write::apply(&root, &made, recorder)).await;
        written.unwrap_or_else(|| Err(WriteError::Closed { root: self.root.clone() }))?;
        for change in changes {
            self.record_change(change, by).await;
        }
        Ok(())
    }

    async fn record_change(&mut self, change: Change, by: &By) {
        match change {
            Change::Create { path, bytes } => {
                self.record(&path, &Content::Absent, &content(Some(bytes)), by);
            }
            Change::Replace { path, before, bytes } => {
                self.record(&path, &content(Some(before)), &content(Some(bytes)), by);
            }
            Change::Delete { path, before } => {
                self.record(&path, &content(Some(before)), &Content::Absent, by);
            }
            Change::Move { from, to, before, bytes } => {
                self.record(&from, &content(Some(before)), &Content::Absent, by);
                self.record(&to, &Content::Absent, &content(Some(bytes)), by);
            }
            Change::MoveDirectory { from, to } => self.record_moved(&from, &to, by).await,
        }
    }

    /// A folder has another name: each file in it is gone there and new here.
    async fn record_moved(&mut self, from: &RootedPath, to: &RootedPath, by: &By) {
        let (root, folder) = (self.root.clone(), to.clone());
        let inside = blocking(move || files::below(&root, &folder)).await.unwrap_or_default();
        for new in inside {
            let Ok(inner) = new.as_path().strip_prefix(to.as_path()) else { continue };
            let Some(old) = RootedPath::of_names(&from.as_path().join(inner)) else { continue };
            let Ok(Some(bytes)) = self.disk(&new).await else { continue };
            let held = content(Some(bytes));
            self.record(&old, &held, &Content::Absent, by);
            self.record(&new, &Content::Absent, &held, by);
        }
    }

    fn record(&mut self, path: &RootedPath, before: &Content, after: &Content, by: &By) {
        let was_known = self.ledger.current(path).is_some();
        let is_it = |write: &&Write| write.path == *path && (&write.expected, &write.wanted) == (before, after);
        match by.decision.iter().find(is_it).filter(|_| self.ledger.current(path) == Some(before)) {
            Some(write) => self.ledger.done(write),
            // Of a decision, too, where the text was another one by then: the person's lines in it stay theirs.
            None => self.ledger.record(path, before, after, &by.cause.author),
        }
        if was_known || self.ledger.current(path).is_some() {
            self.due.insert(path.clone(), Instant::now() + QUIET);
        }
    }

    fn published(
        &mut self,
        published: Option<publish::Published>,
        cause: Cause,
        answer: tokio::sync::oneshot::Sender<publish::Published>,
    ) {
        let Some(published) = published else { return };
        let by = By { cause, decision: Arc::default() };
        for change in &published.changed {
            let before = content(change.before.clone());
            let after = content(change.after.clone());
            if before != after {
                self.record(&change.path, &before, &after, &by);
            }
        }
        let _ = answer.send(published);
    }

    // --- review ---

    async fn propose(&mut self, change: Change, source: &Source) -> Result<(), WriteError> {
        let proposals = match change {
            Change::Create { path, bytes } => vec![(path, None, content(Some(bytes)))],
            Change::Replace { path, before, bytes } => vec![(path, Some(before), content(Some(bytes)))],
            Change::Delete { path, before } => vec![(path, Some(before), Content::Absent)],
            Change::Move { from, to, before, bytes } => {
                vec![(from, Some(before), Content::Absent), (to, None, content(Some(bytes)))]
            }
            Change::MoveDirectory { from, .. } => return Err(WriteError::NoProposal(from)),
        };
        for (path, before, proposed) in proposals {
            let stand = self.stand(&path).await?;
            let disk = stand.disk.as_deref().unwrap_or_default();
            let current = match unsaved(stand.standing) {
                Some(buffer) => Content::Text(kept(&buffer.text, disk)),
                None => content(stand.disk),
            };
            let seen = self.ledger.seen_by(&source.session, &path).unwrap_or_else(|| current.clone());
            let proposed = made_anew(&path, before.as_deref(), &seen, proposed)?;
            self.ledger.propose(&path, &current, &proposed, source);
            self.due.insert(path, Instant::now() + QUIET);
        }
        Ok(())
    }

    async fn decide(&mut self, verb: Verb, selection: &Selection) -> Result<Decided, ReviewError> {
        let touched = match verb {
            Verb::Keep => self.ledger.keep(selection)?,
            Verb::Unkeep => self.ledger.unkeep(selection)?,
            Verb::Reject => self.ledger.reject(selection)?,
            Verb::Undo => return self.decided(self.ledger.undo(selection)?).await,
            Verb::Accept => return self.decided(self.ledger.accept(selection)?).await,
        };
        self.tell(touched).await;
        Ok(Decided::default())
    }

    /// What texts are to be changed into.
    async fn decided(&self, writes: Vec<Write>) -> Result<Decided, ReviewError> {
        let mut changes = Vec::new();
        for write in &writes {
            let path = write.path.clone();
            if write.expected == write.wanted {
                continue;
            }
            let before = self.bytes_now(&write.path, &write.expected).await?;
            let wanted = self.bytes_kept(&write.path, &write.wanted).await?;
            changes.extend(match (before, wanted) {
                (None, None) => None,
                (None, Some(bytes)) => Some(Change::Create { path, bytes }),
                (Some(before), None) => Some(Change::Delete { path, before }),
                (Some(before), Some(bytes)) => Some(Change::Replace { path, before, bytes }),
            });
        }
        Ok(Decided { writes, changes })
    }

    /// The bytes that stand for a content now; what has no lines is read from the disk, and must be it.
    async fn bytes_now(&self, path: &RootedPath, expected: &Content) -> Result<Option<Vec<u8>>, WriteError> {
        match expected {
            Content::Absent => Ok(None),
            Content::Text(bytes) => Ok(Some(bytes.to_vec())),
            Content::Other(_) => {
                let disk = self.disk(path).await?;
                if content(disk.clone()) == *expected { Ok(disk) } else { Err(WriteError::Stale(path.clone())) }
            }
        }
    }

    /// The bytes of a content; of what has no lines those that were kept before it was replaced.
    async fn bytes_kept(&self, path: &RootedPath, wanted: &Content) -> Result<Option<Vec<u8>>, WriteError> {
        let lost = |why: String| WriteError::Io { path: path.clone(), why };
        match wanted {
            Content::Absent => Ok(None),
            Content::Text(bytes) => Ok(Some(bytes.to_vec())),
            Content::Other(hash) => {
                let hash = blake3::Hash::from_hex(&**hash).map_err(|error| lost(error.to_string()))?;
                let blobs = self.shared.checkpoints.blobs().clone();
                let kept = blocking(move || blobs.get(&hash)).await;
                let kept = kept.unwrap_or_else(|| Err(std::io::Error::other("reading them failed inside")));
                kept.map(Some).map_err(|error| lost(format!("its former bytes cannot be had: {error}")))
            }
        }
    }

    fn hunks(&self, path: Option<RootedPath>, client: Option<&ConnectionId>) -> Vec<Hunk> {
        let paths: Vec<RootedPath> = match path {
            Some(path) => vec![path],
            None => self.ledger.paths().cloned().collect(),
        };
        let mut hunks = Vec::new();
        for path in paths {
            let versions = self.versions(&path);
            let version = versions.iter().find(|(known, _)| Some(known) == client).map(|(_, version)| *version);
            hunks.extend(self.ledger.hunks(&path, version));
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
    async fn tell_due(&mut self) {
        let now = Instant::now();
        let due: BTreeSet<RootedPath> =
            self.due.iter().filter(|(_, due)| **due <= now).map(|(path, _)| path.clone()).collect();
        self.tell(due).await;
    }

    async fn tell(&mut self, paths: impl IntoIterator<Item = RootedPath>) {
        for path in paths {
            self.due.remove(&path);
            // Also where not all is watched.
            self.files.also(&path).await;
            self.save(&path).await;
            let hunks = self.ledger.hunks(&path, None).into();
            let versions = self.versions(&path);
            // Nobody may be listening.
            let _ = self.shared.reviewed.send(Reviewed { root: self.root.clone(), path, versions, hunks });
        }
        if self.due.is_empty() {
            self.end().await;
        }
        self.watch();
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

/// A proposal that was made from `before`, made to what is seen now.
fn made_anew(
    path: &RootedPath,
    before: Option<&[u8]>,
    seen: &Content,
    proposed: Content,
) -> Result<Content, WriteError> {
    match (before, bytes(seen), proposed) {
        (Some(before), Some(seen), Content::Text(proposed)) if before != seen => {
            let merged = rebase(before, &proposed, seen).map_err(|_| WriteError::Overlap(path.clone()))?;
            Ok(Content::Text(merged.into()))
        }
        (Some(before), seen, Content::Absent) if seen != Some(before) => Err(WriteError::Stale(path.clone())),
        (None, Some(_), _) => Err(WriteError::Exists(path.clone())),
        (_, _, proposed) => Ok(proposed),
    }
}

async fn next_changes(watching: &mut Option<ChangesReceiver>) -> Option<Changes> {
    match watching {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

/// Runs what blocks, on one of the runtime's threads for that; they end by themselves when idle. Nothing when it panicked.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => {
            tracing::error!(%error, "a file operation panicked");
            None
        }
    }
}

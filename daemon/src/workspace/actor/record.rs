//! The ledger on the disk: saved file by file in the journal, its texts among the blobs, and read again when the workspace is opened.
//!
//! A change is first recorded for its checkpoint, then made, and only then is the ledger saved. So that a kill in between loses no
//! review, whose change has begun is noted first; what that turn is recorded to have touched, and what stands on the disk, then tell.

use super::{Actor, blocking};
use crate::documents::Saved as InEditor;
use crate::journal::ReviewRow;
use crate::path::RootedPath;
use crate::review::{Author, Content, Saved, Source};
use crate::workspace::checkpoint;
use crate::workspace::image::{Image, Touched};
use crate::workspace::texts::content;
use crate::workspace::{By, Cause};
use pilotfish_protocol::{SessionId, TurnId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

/// Under this name, which no file has, lies whose change has begun.
const BEGUN: &[u8] = b"";

/// What is saved of a file beside its texts.
#[derive(Serialize, Deserialize)]
struct Meta {
    /// How many of the blobs are texts of the ledger; the others are only held.
    texts: usize,
    /// An editor had it unsaved.
    unsaved: bool,
    ledger: String,
}

/// Whose change has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    session: SessionId,
    turn: TurnId,
    is_command: bool,
}

impl Actor {
    /// Notes whose change begins. It is not written twice.
    pub(super) async fn begin(&mut self, cause: &Cause) {
        let (source, is_command) = match &cause.author {
            Author::Person => return,
            Author::Agent(source) => (source, false),
            Author::Command(source) => (source, true),
        };
        if self.begun.as_ref() == Some(source) {
            return;
        }
        self.begun = Some(source.clone());
        let Source { session, turn } = source.clone();
        if let Ok(meta) = serde_json::to_string(&Begun { session, turn, is_command }) {
            self.put(BEGUN, Some((meta, Vec::new()))).await;
        }
    }

    /// All that was changed is saved.
    pub(super) async fn end(&mut self) {
        if self.begun.take().is_some() {
            self.put(BEGUN, None).await;
        }
    }

    /// Saves what the ledger knows of a file.
    pub(super) async fn save(&mut self, path: &RootedPath) {
        let name = path.as_path().as_os_str().as_bytes().to_vec();
        let Some(Saved { meta, texts }) = self.ledger.save(path) else {
            if self.saved.remove(path) {
                self.put(&name, None).await;
            }
            return;
        };
        self.saved.insert(path.clone());
        let count = texts.len();
        let mut intake = self.shared.checkpoints.blobs().intake();
        let put = move || {
            let hashes = texts.iter().map(|text| intake.put(text).map(|hash| hash.to_string()));
            let hashes = hashes.collect::<std::io::Result<Vec<String>>>();
            // Nothing of it is collected before the journal knows that it is needed.
            (hashes, intake)
        };
        let Some((hashes, intake)) = blocking(put).await else { return };
        let mut hashes = match hashes {
            Ok(hashes) => hashes,
            Err(error) => return tracing::warn!(%path, %error, "a review could not be saved"),
        };
        if let Some(Content::Other(hash)) = self.ledger.base(path) {
            hashes.push(hash.to_string());
        }
        let buffers = self.shared.documents.buffers(&self.root.join(path));
        let unsaved = buffers.iter().any(|buffer| buffer.saved == InEditor::No);
        if let Ok(meta) = serde_json::to_string(&Meta { texts: count, unsaved, ledger: meta }) {
            self.put(&name, Some((meta, hashes))).await;
        }
        drop(intake);
    }

    /// Reads the ledger as it was saved, and takes in what happened since.
    pub(super) async fn load(&mut self) {
        let rows = match self.shared.checkpoints.journal().reviews(&self.root.to_string()).await {
            Ok(rows) => rows,
            Err(error) => return tracing::error!(root = %self.root, %error, "reviews could not be read"),
        };
        let mut begun = None;
        let mut left = Vec::new();
        for row in rows {
            if row.path == BEGUN {
                begun = serde_json::from_str::<Begun>(&row.meta).ok();
            } else if let Some((path, unsaved)) = self.load_file(row).await
                && !unsaved
            {
                left.push(path);
            }
        }
        if let Some(begun) = begun {
            self.mend(begun).await;
        }
        // The text of an editor comes with the editor; the others are as they are on the disk.
        for path in left {
            self.look(&self.root.join(&path)).await;
        }
        self.watch();
    }

    /// Reads one file of the ledger; says whether an editor had it unsaved.
    async fn load_file(&mut self, row: ReviewRow) -> Option<(RootedPath, bool)> {
        let path = RootedPath::of_names(&PathBuf::from(OsString::from_vec(row.path)))?;
        let Meta { texts, unsaved, ledger } = serde_json::from_str(&row.meta).ok()?;
        let blobs = self.shared.checkpoints.blobs().clone();
        let hashes: Vec<blake3::Hash> =
            row.texts.iter().take(texts).filter_map(|hash| blake3::Hash::from_hex(hash).ok()).collect();
        let read = move || hashes.iter().map(|hash| blobs.get(hash).map(Arc::from)).collect::<std::io::Result<_>>();
        let texts: Vec<Arc<[u8]>> = match blocking(read).await? {
            Ok(texts) => texts,
            Err(error) => {
                tracing::warn!(%path, %error, "a review could not be read");
                return None;
            }
        };
        self.saved.insert(path.clone());
        match self.ledger.load(&path, &Saved { meta: ledger, texts }) {
            Ok(()) => Some((path, unsaved)),
            Err(error) => {
                tracing::warn!(%path, %error, "a review could not be read");
                None
            }
        }
    }

    /// After a kill: what a turn changed, and the saved ledger does not know.
    async fn mend(&mut self, begun: Begun) {
        let Begun { session, turn, is_command } = begun;
        let (root, journal) = (self.root.to_string(), self.shared.checkpoints.journal().clone());
        let key = turn.0.clone();
        let rows = blocking(move || match journal.checkpoint_of(&root, &key) {
            Ok(Some(id)) => journal.touched_since(&id),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        });
        let rows = match rows.await {
            Some(Ok(rows)) => rows,
            Some(Err(error)) => return tracing::warn!(%error, "what was changed before a kill could not be read"),
            None => return,
        };
        // The first image of a name, and the last that it was to become.
        let mut touched: BTreeMap<RootedPath, (Image, Image)> = BTreeMap::new();
        for Touched { path, before, after } in rows.into_iter().filter_map(checkpoint::touched) {
            touched.entry(path).and_modify(|(_, last)| *last = after.clone()).or_insert((before, after));
        }
        let source = Source { session, turn };
        let author = if is_command { Author::Command(source) } else { Author::Agent(source) };
        let cause = Cause { author, at: String::new(), title: String::new() };
        let by = By { cause, decision: Arc::default() };
        for (path, (before, after)) in touched {
            self.mend_file(&path, &before, &after, &by).await;
        }
        self.put(BEGUN, None).await;
    }

    async fn mend_file(&mut self, path: &RootedPath, before: &Image, after: &Image, by: &By) {
        let Ok(disk) = self.disk(path).await else { return };
        let is_after = match (&disk, after) {
            (None, Image::Absent) => true,
            (Some(bytes), after) => after.hash() == Some(blake3::hash(bytes)),
            (None, _) => false,
        };
        let now = content(disk);
        if !is_after || self.ledger.current(path) == Some(&now) {
            return;
        }
        let known = match self.ledger.current(path) {
            Some(known) => Some(known.clone()),
            None => self.content_of(before).await,
        };
        if let Some(known) = known {
            self.record(path, &known, &now, by);
        }
    }

    /// What was kept of a file; nothing for what is no file.
    async fn content_of(&self, image: &Image) -> Option<Content> {
        match image {
            Image::Absent => Some(Content::Absent),
            Image::File { .. } => {
                let (hash, blobs) = (image.hash()?, self.shared.checkpoints.blobs().clone());
                let bytes = blocking(move || blobs.get(&hash)).await?.ok()?;
                Some(content(Some(bytes)))
            }
            Image::Link { .. } | Image::Directory { .. } | Image::Other => None,
        }
    }

    async fn put(&self, path: &[u8], review: Option<(String, Vec<String>)>) {
        let root = self.root.to_string();
        if let Err(error) = self.shared.checkpoints.journal().put_review(&root, path, review).await {
            tracing::warn!(root = %self.root, %error, "a review could not be saved");
        }
    }
}

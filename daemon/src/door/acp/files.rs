//! The client's own files: what it has of a file is asked of it, and what it has is changed and saved by it. Owns the requests for that
//! which wait for their answers. The client is asked nothing that it did not offer, and only about files in the folders of its sessions.

use super::desk::Desk;
use super::wire::{CancelRequest, FileContent, FileRequest};
use super::{Acp, Client};
use crate::documents::{Declined, Editor, Puller};
use crate::door::envelope::{self, Id};
use crate::door::outbox::Outbox;
use crate::path::{AbsPath, RootedPath};
use futures::FutureExt;
use futures::future::BoxFuture;
use pilotfish_protocol::{Session, SessionId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a client may take to say what it has of a file that it is about to change.
const READING: Duration = Duration::from_secs(2);

/// How long it may take to change it and to write it to the disk.
const WRITING: Duration = Duration::from_secs(5);

/// Files that a client may leave unanswered before it is asked for no others.
const MAX_SILENT: usize = 3;

/// The requests about files of one connection, and what they may be about.
#[derive(Debug, Default)]
pub(super) struct Files {
    folders: BTreeMap<SessionId, Folder>,
    pending: BTreeMap<i64, Pending>,
    /// What the client did not answer about since a turn ended last.
    silent: BTreeSet<AbsPath>,
}

#[derive(Debug)]
struct Folder {
    root: AbsPath,
    /// As the client calls it: it may have come there through links, and knows its files by these names.
    named: PathBuf,
}

#[derive(Debug)]
struct Pending {
    path: AbsPath,
    answer: oneshot::Sender<Option<String>>,
}

impl Files {
    /// The client may be asked about a folder, with this session.
    fn opened(&mut self, session_id: &SessionId, root: AbsPath, named: Option<PathBuf>) {
        let known = self.folders.remove(session_id).map(|folder| folder.named);
        let named = named.or(known).unwrap_or_else(|| root.as_path().to_owned());
        self.folders.insert(session_id.clone(), Folder { root, named });
    }

    /// A session is over for this connection.
    pub(super) fn left(&mut self, session_id: &SessionId) {
        self.folders.remove(session_id);
    }

    /// A turn is over: who was silent is asked again.
    pub(super) fn turn_ended(&mut self) {
        self.silent.clear();
    }

    /// The client answered a request. Says whether it was one of these.
    pub(super) fn answered(&mut self, id: Option<&Id>, result: Option<&str>) -> bool {
        let Some(Id::Number(id)) = id else { return false };
        let Some(pending) = self.pending.remove(id) else { return false };
        // Whoever asked may have stopped waiting.
        let _ = pending.answer.send(result.map(str::to_owned));
        true
    }

    /// With which session the client is asked about a file, and what it calls it. Nothing when it is not to be asked.
    fn place(&self, root: &AbsPath, path: &AbsPath) -> Option<(SessionId, String)> {
        if self.silent.contains(path) || self.silent.len() >= MAX_SILENT {
            return None;
        }
        let inside = RootedPath::below(root, path)?;
        let (session_id, folder) = self.folders.iter().find(|(_, folder)| folder.root == *root)?;
        Some((session_id.clone(), folder.named.join(inside.as_path()).to_str()?.to_owned()))
    }

    /// Notes a request; its answer comes to what this gives, as the client wrote it.
    fn ask(&mut self, id: i64, path: &AbsPath) -> oneshot::Receiver<Option<String>> {
        // Of those whose turn was stopped nobody waits for the answer.
        self.pending.retain(|_, pending| !pending.answer.is_closed());
        let (answer, receiver) = oneshot::channel();
        self.pending.insert(id, Pending { path: path.clone(), answer });
        receiver
    }

    /// The client did not answer about a file. Gives the requests that nobody waits for any more.
    fn gave_up(&mut self, path: &AbsPath) -> Vec<i64> {
        self.silent.insert(path.clone());
        let over = self.pending.extract_if(.., |_, pending| pending.path == *path && pending.answer.is_closed());
        over.map(|(id, _)| id).collect()
    }
}

impl Acp {
    /// From now on the client is asked about the files of a session's folder, if it offered that. `cwd` is what it calls the folder.
    pub(super) fn serve_files(&self, session: &Session, cwd: Option<&str>) {
        let Some(Client { files: Some(offer), .. }) = self.client.get() else { return };
        let Ok(root) = AbsPath::new(&session.workspace) else { return };
        // The folder of a session that there is may be another one than the client says.
        let named = cwd.filter(|cwd| AbsPath::canonical(cwd).is_ok_and(|folder| folder == root)).map(PathBuf::from);
        self.desk().files.opened(&session.id, root.clone(), named);
        let (desk, outbox) = (Arc::downgrade(&self.desk), self.connection.outbox.clone());
        let client = ClientFiles { desk, outbox, root: root.clone(), offer: *offer };
        self.connection.hub.workspaces().documents().pull_from(&self.connection.id, &root, Arc::new(client));
    }
}

/// What a client offers to do with files. Without reading, writing is of no use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It tells its texts.
    Read,
    /// It changes them as well.
    ReadAndWrite,
}

impl Offer {
    /// As a client's capabilities say it.
    pub(super) fn of(capabilities: Option<&Value>) -> Option<Self> {
        let offers = |name| capabilities?.get("fs")?.get(name)?.as_bool();
        match (offers("readTextFile"), offers("writeTextFile")) {
            (Some(true), Some(true)) => Some(Offer::ReadAndWrite),
            (Some(true), _) => Some(Offer::Read),
            _ => None,
        }
    }
}

/// The client with its files below one root.
#[derive(Clone)]
struct ClientFiles {
    /// The table of documents, which holds this, must not hold the connection.
    desk: Weak<Mutex<Desk>>,
    outbox: Arc<Outbox>,
    root: AbsPath,
    offer: Offer,
}

impl ClientFiles {
    /// Asks for a file's text, or for another text of it. Gives the answer, once the client gave one that is no error.
    async fn ask(&self, path: &AbsPath, content: Option<&str>) -> Option<String> {
        let answer = {
            let desk = self.desk.upgrade()?;
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            let (session_id, name) = desk.files.place(&self.root, path)?;
            let id = desk.permissions.next_id();
            let answer = desk.files.ask(id, path);
            let method = if content.is_some() { "fs/write_text_file" } else { "fs/read_text_file" };
            let request = FileRequest { session_id: &session_id, path: &name, content };
            self.outbox.ask(envelope::request_line(id, method, &request));
            answer
        };
        answer.await.ok().flatten()
    }

    async fn text(&self, path: &AbsPath) -> Option<String> {
        let answer = self.ask(path, None).await?;
        serde_json::from_str(&answer).ok().map(|FileContent { content }| content)
    }

    /// Changes a text that is still what it was.
    async fn change(self, path: AbsPath, before: Arc<str>, after: Arc<str>) -> Result<(), Declined> {
        let refused = |why: &str| Declined::Refused(format!("the editor {why}"));
        if self.offer == Offer::Read {
            return Err(Declined::Refused(format!("the editor that has {path} open takes no edits")));
        }
        let Ok(now) = tokio::time::timeout(READING, self.text(&path)).await else {
            self.gave_up(&path);
            return Err(refused("does not answer"));
        };
        // It may have been closed, or somebody types: then it is looked at again.
        let Some(now) = now.filter(|now| plain(now) == plain(&before)) else { return Err(Declined::Busy) };
        let mark = if now.starts_with(MARK) && !after.starts_with(MARK) { MARK } else { "" };
        let content = format!("{mark}{after}");
        match tokio::time::timeout(WRITING, self.ask(&path, Some(&content))).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(refused("did not change it")),
            Err(_) => {
                self.gave_up(&path);
                Err(refused("does not answer"))
            }
        }
    }
}

/// What some clients take for a part of the text.
const MARK: &str = "\u{feff}";

/// A text without what clients show in different ways.
fn plain(text: &str) -> String {
    text.strip_prefix(MARK).unwrap_or(text).replace("\r\n", "\n")
}

impl Editor for ClientFiles {
    fn edit(
        &self,
        path: &AbsPath,
        _: i32,
        before: Arc<str>,
        after: Arc<str>,
    ) -> BoxFuture<'static, Result<(), Declined>> {
        self.clone().change(path.clone(), before, after).boxed()
    }

    fn wants_saving(&self, _: &AbsPath) {}

    fn writes(&self) -> bool {
        true
    }
}

impl Puller for ClientFiles {
    fn read(&self, path: &AbsPath) -> BoxFuture<'static, Option<String>> {
        let (client, path) = (self.clone(), path.clone());
        async move { client.text(&path).await }.boxed()
    }

    fn gave_up(&self, path: &AbsPath) {
        let Some(desk) = self.desk.upgrade() else { return };
        let over = desk.lock().unwrap_or_else(PoisonError::into_inner).files.gave_up(path);
        tracing::info!(%path, "the editor does not say what it has of a file");
        for id in over {
            let cancel = CancelRequest { request_id: Id::Number(id) };
            self.outbox.ask(envelope::notification_line("$/cancel_request", &cancel));
        }
    }

    fn takes_edits(&self) -> bool {
        self.offer == Offer::ReadAndWrite
    }
}

#[cfg(test)]
mod tests;

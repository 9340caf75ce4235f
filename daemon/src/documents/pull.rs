//! Texts of clients that say nothing by themselves: each is asked what it has of a file when that is needed, and its answer is put into
//! the table as if it had said so. This asks nobody: whoever needs a text does, and brings the answer here.

use super::{Documents, Editor, Saved};
use crate::path::AbsPath;
use futures::future::BoxFuture;
use pilotfish_protocol::ConnectionId;
use std::sync::Arc;

/// A client that is to be asked for its texts.
pub trait Puller: Editor {
    /// Its text of a file; nothing when it has none. It may never answer.
    fn read(&self, path: &AbsPath) -> BoxFuture<'static, Option<String>>;

    /// It did not say in time what it has of a file. Until it is worth asking again, [`Puller::read`] gives nothing at once.
    fn gave_up(&self, path: &AbsPath);

    /// Whether it can change texts as well. One that cannot does not hold up changes of what is saved.
    fn takes_edits(&self) -> bool;
}

/// A client and the root below which it is asked.
pub(super) struct Pulled {
    pub(super) client: ConnectionId,
    root: AbsPath,
    puller: Arc<dyn Puller>,
}

impl Documents {
    /// From now on, until it leaves, a client is asked for its texts below a root. Said again, the newer one is asked.
    pub fn pull_from(&self, client: &ConnectionId, root: &AbsPath, puller: Arc<dyn Puller>) {
        let mut table = self.lock();
        table.pulled.retain(|pulled| pulled.client != *client || pulled.root != *root);
        table.pulled.push(Pulled { client: client.clone(), root: root.clone(), puller });
    }

    /// Who is to be asked for texts below a root.
    #[must_use]
    pub fn pullers(&self, root: &AbsPath) -> Vec<(ConnectionId, Arc<dyn Puller>)> {
        let table = self.lock();
        let of_root = table.pulled.iter().filter(|pulled| pulled.root == *root);
        of_root.map(|pulled| (pulled.client.clone(), pulled.puller.clone())).collect()
    }

    /// The files below a root that somebody has who was asked for them.
    #[must_use]
    pub fn pulled_below(&self, root: &AbsPath) -> Vec<AbsPath> {
        let table = self.lock();
        let is_asked = |client: &ConnectionId| table.pulled.iter().any(|pulled| pulled.client == *client);
        let below = table.files.iter().filter(|(path, _)| path.as_path().starts_with(root.as_path()));
        let held = below.filter(|(_, buffers)| buffers.iter().any(|buffer| is_asked(&buffer.client)));
        held.map(|(path, _)| path.clone()).collect()
    }

    /// A client that was asked has this text. The disk holds `disk`, as an editor would show it; a text that was the disk's when it was
    /// seen last and is the same now is an old one, and not unsaved.
    pub fn pulled(
        &self,
        client: &ConnectionId,
        path: &AbsPath,
        text: &str,
        disk: Option<&str>,
        editor: Arc<dyn Editor>,
    ) {
        match self.held(client, path) {
            None => {
                let version = self.lock().next_version();
                self.open(client, path, version, text.to_owned(), editor);
            }
            Some(held) if *held == *text => {}
            Some(_) => self.became(client, path, text),
        }
        let mut table = self.lock();
        if !table.pulled.iter().any(|pulled| pulled.client == *client) {
            // It left while it was asked.
            drop(table);
            return self.close(client, path);
        }
        if disk == Some(text) {
            let buffers = table.files.get_mut(path).into_iter().flatten();
            buffers.filter(|buffer| buffer.client == *client).for_each(|buffer| buffer.saved = Saved::Yes);
        }
    }

    /// A client that was asked has no such text, or not any more.
    pub fn not_pulled(&self, client: &ConnectionId, path: &AbsPath) {
        if self.held(client, path).is_some() {
            self.close(client, path);
        }
    }

    /// A client made a text another one and wrote it to the disk.
    pub fn written(&self, client: &ConnectionId, path: &AbsPath, text: &str) {
        self.became(client, path, text);
        self.save(client, path);
    }

    fn became(&self, client: &ConnectionId, path: &AbsPath, text: &str) {
        let version = self.lock().next_version();
        if self.change(client, path, version, |_| text.to_owned()).is_none() {
            tracing::debug!(%client, %path, "a text changed that was closed meanwhile");
        }
    }

    fn held(&self, client: &ConnectionId, path: &AbsPath) -> Option<Arc<str>> {
        let table = self.lock();
        let mut buffers = table.files.get(path)?.iter();
        buffers.find(|buffer| buffer.client == *client).map(|buffer| buffer.text.clone())
    }
}

impl super::Table {
    /// A version for a client that counts none: another one than any it had before.
    fn next_version(&mut self) -> i32 {
        self.uses += 1;
        i32::try_from(self.uses % (1 << 31)).unwrap_or_default()
    }
}

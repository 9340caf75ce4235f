//! Asking the clients that tell of no change by themselves, before a text of theirs is read or changed. It runs in the task of whoever
//! needs the text, so that nobody else waits for a slow client; their answers go to the table of documents and are kept there.

use super::actor::{REVIEWED, blocking};
use super::texts::shown;
use super::{ReadError, Workspace, files};
use crate::documents::Puller;
use crate::path::{AbsPath, RootedPath};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use pilotfish_protocol::ConnectionId;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take to say what it has of a file. Then the disk counts.
const ANSWER: Duration = Duration::from_secs(2);

/// Files that are asked for at once.
const AT_ONCE: usize = 16;

/// What the disk holds of a file that a client may be asked for.
enum Disk {
    /// Nothing yet.
    Nothing,
    /// A text.
    Text(Vec<u8>),
}

impl Workspace {
    /// Asks for a file. Then the table says what the clients have of it.
    pub(super) async fn pull(&self, path: &RootedPath) {
        let documents = &self.shared.documents;
        let pullers = documents.pullers(&self.root);
        if pullers.is_empty() {
            return;
        }
        let file = self.root.join(path);
        // Before the client is asked: what it saves meanwhile is found to be the disk's when it is looked at.
        let Some(disk) = self.pullable(path).await else {
            pullers.iter().for_each(|(client, _)| documents.not_pulled(client, &file));
            return;
        };
        join_all(pullers.iter().map(|(client, puller)| self.pull_from(&file, &disk, client, puller))).await;
    }

    /// Asks again for the files below a folder that clients had when they were asked before.
    pub(super) async fn pull_again(&self, folder: &AbsPath) {
        let pulled = self.shared.documents.pulled_below(folder);
        let paths = pulled.iter().filter_map(|file| RootedPath::below(&self.root, file));
        stream::iter(paths).for_each_concurrent(AT_ONCE, async |path| self.pull(&path).await).await;
    }

    async fn pull_from(&self, file: &AbsPath, disk: &Disk, client: &ConnectionId, puller: &Arc<dyn Puller>) {
        let documents = &self.shared.documents;
        let Ok(answer) = tokio::time::timeout(ANSWER, puller.read(file)).await else {
            puller.gave_up(file);
            return documents.not_pulled(client, file);
        };
        let disk = match disk {
            Disk::Nothing => None,
            Disk::Text(bytes) => shown(bytes),
        };
        let Some(text) = answer else { return documents.not_pulled(client, file) };
        let text = like(&text, disk);
        if disk == Some(&*text) && !puller.takes_edits() {
            return documents.not_pulled(client, file);
        }
        documents.pulled(client, file, &text, disk, puller.clone());
    }

    /// The disk's bytes of a file that may be asked for: no folder, nothing behind a link that leaves the root, and a text, as others come
    /// back broken.
    async fn pullable(&self, path: &RootedPath) -> Option<Disk> {
        let (root, path) = (self.root.clone(), path.clone());
        match blocking(move || files::read(&root, &path, REVIEWED + 1)).await? {
            Err(ReadError::Missing(_)) => Some(Disk::Nothing),
            Ok(file) if !file.bytes.contains(&0) && file.size <= REVIEWED && shown(&file.bytes).is_some() => {
                Some(Disk::Text(file.bytes))
            }
            Ok(_) | Err(_) => None,
        }
    }
}

/// A client's text as the disk would have it: some take the byte order mark for text, and some show all lines as if they ended in LF.
fn like<'a>(text: &'a str, disk: Option<&str>) -> Cow<'a, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let all_crlf = |disk: &str| disk.contains('\n') && disk.matches('\n').count() == disk.matches("\r\n").count();
    if !text.contains('\r') && disk.is_some_and(all_crlf) {
        return text.replace('\n', "\r\n").into();
    }
    text.into()
}

#[cfg(test)]
mod tests;

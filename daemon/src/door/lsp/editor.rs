//! A language client as an editor that can be asked to change a text it has open.

use super::Server;
use crate::documents::{Declined, Editor};
use crate::path::AbsPath;
use crate::text::hunks;
use crate::text::position::Encoding;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tower_lsp::Client;
use tower_lsp::ls_types::{
    DocumentChanges, MessageType, OneOf, OptionalVersionedTextDocumentIdentifier, Position, Range, TextDocumentEdit,
    TextEdit, Uri, WorkspaceEdit,
};

/// What an editor of ours answers while somebody types near the edit.
const BUSY: &str = "busy";

/// How long a client may take for its answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A client with one text open.
pub(super) struct ClientEditor {
    client: Client,
    uri: Uri,
    encoding: Encoding,
    /// It takes edits of its texts at all.
    applies: bool,
    /// One of ours saves by itself what was saved before.
    saves: bool,
    /// Its person was told that there is something to save; shared by all texts of the client.
    told: Arc<AtomicBool>,
}

impl ClientEditor {
    pub(super) fn new(server: &Server, uri: Uri) -> Self {
        Self {
            client: server.client.clone(),
            uri,
            encoding: server.encoding(),
            applies: server.applies_edits(),
            saves: server.connection.opted_in(),
            told: server.told.clone(),
        }
    }
}

impl Editor for ClientEditor {
    fn edit(
        &self,
        path: &AbsPath,
        version: i32,
        before: Arc<str>,
        after: Arc<str>,
    ) -> BoxFuture<'static, Result<(), Declined>> {
        if !self.applies {
            let why = format!("the editor that has {path} open takes no edits");
            return std::future::ready(Err(Declined::Refused(why))).boxed();
        }
        let document = OptionalVersionedTextDocumentIdentifier { uri: self.uri.clone(), version: Some(version) };
        let edits = edits(&before, &after, self.encoding).into_iter().map(OneOf::Left).collect();
        let edit = WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(vec![TextDocumentEdit { text_document: document, edits }])),
            ..WorkspaceEdit::default()
        };
        let client = self.client.clone();
        // In a task of its own: a request that is dropped half way is one whose answer nobody expects.
        let asked = tokio::spawn(async move { client.apply_edit(edit).await });
        async move {
            match tokio::time::timeout(ANSWER, asked).await {
                Ok(Ok(Ok(response))) if response.applied => Ok(()),
                Ok(Ok(Ok(response))) => match response.failure_reason {
                    Some(reason) if reason == BUSY => Err(Declined::Busy),
                    // Most say nothing, and a newer text than ours is the usual reason: it is tried again.
                    None => Err(Declined::Busy),
                    Some(reason) => Err(Declined::Refused(format!("the editor did not change it: {reason}"))),
                },
                // Some say so in this way that the text is newer. What takes no edits at all was not asked.
                Ok(Ok(Err(error))) => {
                    tracing::debug!(%error, "the editor did not change a text");
                    Err(Declined::Busy)
                }
                Ok(Err(error)) => Err(Declined::Refused(error.to_string())),
                Err(_) => Err(Declined::Refused("the editor does not answer".to_owned())),
            }
        }
        .boxed()
    }

    fn wants_saving(&self, path: &AbsPath) {
        if self.saves || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let name = path.as_path().file_name().map_or_else(|| path.to_string(), |name| name.display().to_string());
        let client = self.client.clone();
        let text = format!(
            "pilotfish changed {name} in this editor and left it unsaved: look at it and save it. Its commands see the text all the same."
        );
        tokio::spawn(async move { client.show_message(MessageType::INFO, text).await });
    }
}

/// The edits that make one text the other, whole lines, in order and apart.
fn edits(before: &str, after: &str, encoding: Encoding) -> Vec<TextEdit> {
    let (old, new) = (hunks::lines(before), hunks::lines(after));
    let place = |line: u32| match old.get(line as usize) {
        Some(_) => Position { line, character: 0 },
        // Behind the last line, which may have no end.
        None => {
            let (line, character) = crate::text::position::position(before, before.len(), encoding);
            Position { line, character }
        }
    };
    let hunks = hunks::diff(before, after).into_iter();
    let edit = |hunk: hunks::LineHunk| TextEdit {
        range: Range { start: place(hunk.old.start), end: place(hunk.old.end) },
        new_text: new.get(hunk.new.start as usize..hunk.new.end as usize).unwrap_or_default().concat(),
    };
    hunks.map(edit).collect()
}

#[cfg(test)]
mod tests;

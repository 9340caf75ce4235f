//! Document synchronisation: what a client says of the texts it has open goes to the table of documents, in the order in which it
//! says it. It keeps no text itself.

use super::Server;
use super::editor::ClientEditor;
use crate::path::AbsPath;
use crate::text::position::{self, Encoding};
use std::sync::Arc;
use tower_lsp::ls_types::{
    ClientCapabilities, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, PositionEncodingKind, Range, SaveOptions, TextDocumentContentChangeEvent,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, Uri,
};

/// What we ask of clients.
pub(super) fn capability() -> TextDocumentSyncCapability {
    TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
        ..TextDocumentSyncOptions::default()
    })
}

/// The first encoding of columns that a client offers and we like: the one that costs least. Without an offer the protocol's own.
pub(super) fn encoding(capabilities: &ClientCapabilities) -> (Encoding, PositionEncodingKind) {
    let general = capabilities.general.as_ref();
    let offered = general.and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
    let known = [
        (Encoding::Utf8, PositionEncodingKind::UTF8),
        (Encoding::Utf16, PositionEncodingKind::UTF16),
        (Encoding::Utf32, PositionEncodingKind::UTF32),
    ];
    let fits = known.into_iter().find(|(_, kind)| offered.contains(kind));
    fits.unwrap_or((Encoding::Utf16, PositionEncodingKind::UTF16))
}

/// The file a client means; nothing for what is no file of this machine, such as a text without a name.
pub(super) fn file(uri: &Uri) -> Option<AbsPath> {
    // Workspaces are known by their names without links, and so must be what lies in them, also when it is not on the disk yet.
    Some(AbsPath::from_uri(uri.as_str()).ok()?.real())
}

impl Server {
    pub(super) fn opened(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let Some(path) = file(&document.uri) else { return };
        let editor = Arc::new(ClientEditor::new(self, document.uri));
        self.documents().open(&self.connection.id, &path, document.version, document.text, editor);
    }

    pub(super) fn changed(&self, params: DidChangeTextDocumentParams) {
        let Some(path) = file(&params.text_document.uri) else { return };
        let encoding = self.encoding();
        let changes = params.content_changes;
        let change = |text: &str| changed(text, &changes, encoding);
        let known = self.documents().change(&self.connection.id, &path, params.text_document.version, change);
        if known.is_none() {
            tracing::debug!(connection = %self.connection.id, %path, "a text changed that is not open");
        }
    }

    pub(super) fn saved(&self, params: &DidSaveTextDocumentParams) {
        if let Some(path) = file(&params.text_document.uri) {
            self.documents().save(&self.connection.id, &path);
        }
    }

    pub(super) fn closed(&self, params: &DidCloseTextDocumentParams) {
        if let Some(path) = file(&params.text_document.uri) {
            self.documents().close(&self.connection.id, &path);
        }
    }
}

/// A text after a client's changes, each made to the outcome of the one before.
fn changed(text: &str, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) -> String {
    let mut text = text.to_owned();
    for change in changes {
        match change.range {
            None => text.clone_from(&change.text),
            Some(range) => {
                let (start, end) = span(&text, range, encoding);
                text.replace_range(start..end, &change.text);
            }
        }
    }
    text
}

/// Where a range lies, in bytes; beyond the end is the end.
fn span(text: &str, range: Range, encoding: Encoding) -> (usize, usize) {
    let offset = |line, character| position::offset(text, line, character, encoding).unwrap_or(text.len());
    let start = offset(range.start.line, range.start.character);
    let end = offset(range.end.line, range.end.character);
    (start.min(end), end.max(start))
}

#[cfg(test)]
mod tests;

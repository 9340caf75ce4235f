//! Telling a client without a plugin: hints at changes, progress of turns, messages, documents and, where the person wants them,
//! questions. Each loop says one thing at a time and waits for nobody's decision.

use super::actions;
use super::answers;
use super::commands::Ordered;
use super::view::{Document, Inquired, Telling};
use super::{Ability, PATIENCE, Plain, TOKEN, hints, uri};
use crate::journal::SessionFilter;
use crate::path::AbsPath;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use pilotfish_protocol::{Approval, TurnId};
use std::future::Future;
use tower_lsp::jsonrpc::Result as LspResult;
use tower_lsp::ls_types::notification::Progress;
use tower_lsp::ls_types::{
    MessageActionItem, MessageType, ProgressParams, ProgressParamsValue, ProgressToken, ShowDocumentParams,
    WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport,
};

/// A question that a client was asked: the answer, as an order, if there was one.
type Asking<'a> = BoxFuture<'a, Option<Ordered>>;

impl Plain {
    /// Tells of changes that wait, and where the client wants it that lenses are to be asked for anew.
    pub(super) async fn hint(&self, ability: Ability) {
        let mut refreshing: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        let mut told = false;
        loop {
            if self.desk().take_relist() {
                self.list().await;
            }
            while let Some((file, hunks)) = self.next_stale() {
                let Some(uri) = uri(&file) else { continue };
                let hints = hints::hints(&uri, &hunks, ability.related);
                // Without a version: the file may be open elsewhere, and versions are each client's own.
                self.client.publish_diagnostics(uri, hints, None).await;
                told = true;
            }
            // One at a time: what is told meanwhile is in the answer to the next.
            if ability.lenses && ability.refresh && refreshing.is_empty() && std::mem::take(&mut told) {
                refreshing.push(soon(self.client.code_lens_refresh()).map(drop).boxed());
            }
            tokio::select! {
                () = self.changes.notified() => {}
                Some(()) = refreshing.next() => {}
            }
        }
    }

    /// Lists the changes of all workspaces that are open, and of the client's folders where a session ever worked.
    async fn list(&self) {
        let hub = &self.connection.hub;
        let folders = self.desk().folders();
        for folder in folders {
            let workspace = Some(folder.to_string());
            let filter = SessionFilter { workspace, query: None, cursor: None, archived: false, limit: 1 };
            match hub.sessions(filter).await {
                // The asked workspace's come first.
                Ok(list) if list.sessions.iter().any(|session| session.workspace == folder.to_string()) => {
                    drop(hub.workspaces().open(&folder));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "could not look for sessions"),
            }
        }
        for workspace in hub.workspaces().all() {
            match workspace.hunks(None, None).await {
                Ok(hunks) => self.desk().listed(workspace.root(), hunks),
                Err(error) => tracing::warn!(%error, "could not list changes"),
            }
        }
    }

    fn next_stale(&self) -> Option<(AbsPath, Vec<pilotfish_protocol::Hunk>)> {
        self.desk().next_stale()
    }

    fn next_telling(&self) -> Option<Telling> {
        self.desk().next_telling()
    }

    /// Tells of sessions.
    pub(super) async fn tell(&self, ability: Ability) {
        let mut asked: FuturesUnordered<Asking<'_>> = FuturesUnordered::new();
        // The turn whose progress the client shows.
        let mut shown: Option<TurnId> = None;
        loop {
            while let Some(telling) = self.next_telling() {
                match telling {
                    Telling::Begun(turn) => shown = self.begin_progress(ability, turn).await,
                    Telling::Working(turn, message) if shown.as_ref() == Some(&turn) => {
                        let report =
                            WorkDoneProgressReport { message: Some(message), ..WorkDoneProgressReport::default() };
                        self.progress(&turn, WorkDoneProgress::Report(report)).await;
                    }
                    Telling::Ended(turn, message) if shown.as_ref() == Some(&turn) => {
                        shown = None;
                        let end = WorkDoneProgressEnd { message: Some(message) };
                        self.progress(&turn, WorkDoneProgress::End(end)).await;
                    }
                    // Of turns that the client does not show.
                    Telling::Working(..) | Telling::Ended(..) => {}
                    Telling::Message(kind, text) => self.client.show_message(kind, text).await,
                    Telling::Document(document) => self.show(ability, document).await,
                    Telling::Asked(approval) => asked.extend(self.ask(*approval).await),
                    Telling::Inquired(inquired) => asked.extend(self.inquire(inquired).await),
                }
            }
            tokio::select! {
                () = self.news.notified() => {}
                Some(said) = asked.next() => {
                    if let Some(ordered) = said {
                        self.answered(ordered).await;
                    }
                }
            }
        }
    }

    /// Begins to show a turn's progress, where the client lets us.
    async fn begin_progress(&self, ability: Ability, turn: TurnId) -> Option<TurnId> {
        if !ability.progress {
            return None;
        }
        let token = ProgressToken::String(format!("{TOKEN}{turn}"));
        soon(self.client.create_work_done_progress(token)).await?;
        let begin = WorkDoneProgressBegin {
            title: "pilotfish".to_owned(),
            cancellable: Some(true),
            ..WorkDoneProgressBegin::default()
        };
        self.progress(&turn, WorkDoneProgress::Begin(begin)).await;
        Some(turn)
    }

    async fn progress(&self, turn: &TurnId, value: WorkDoneProgress) {
        let token = ProgressToken::String(format!("{TOKEN}{turn}"));
        let params = ProgressParams { token, value: ProgressParamsValue::WorkDone(value) };
        self.client.send_notification::<Progress>(params).await;
    }

    /// Writes a document and has it opened beside what the person looks at; where that cannot be, says where it is.
    async fn show(&self, ability: Ability, document: Document) {
        let Document { name, text, words } = document;
        let folder = self.connection.hub.answers_folder();
        let written = tokio::task::spawn_blocking(move || answers::write(&folder, &name, &text)).await;
        let file = match written.map_err(std::io::Error::other).flatten() {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, "a document could not be written");
                self.client
                    .show_message(
                        MessageType::ERROR,
                        format!("pilotfish: {words} a file that could not be written: {error}"),
                    )
                    .await;
                return;
            }
        };
        let shown = match uri(&file).filter(|_| ability.documents) {
            Some(uri) => {
                let params = ShowDocumentParams { uri, external: None, take_focus: Some(false), selection: None };
                soon(self.client.show_document(params)).await.unwrap_or(false)
            }
            None => false,
        };
        if !shown {
            self.client.show_message(MessageType::INFO, format!("pilotfish: {words} {file}")).await;
        }
    }

    /// Says that a question waits, and asks it where the person wants that.
    async fn ask(&self, approval: Approval) -> Option<Asking<'_>> {
        let Approval { title, reason, .. } = &approval;
        let text = format!("pilotfish asks: {title} ({reason})");
        let orders = actions::ways(&approval).into_iter().map(|(answer, title)| {
            let ordered = Ordered::Answer { approval: Some(approval.id.clone()), answer: Some(answer) };
            (ordered, title)
        });
        self.offer(text, orders.collect()).await
    }

    /// The same, of what the model asks.
    async fn inquire(&self, inquired: Inquired) -> Option<Asking<'_>> {
        let text = format!("pilotfish asks: {}", inquired.question.text);
        let orders = actions::ways_to_reply(&inquired).into_iter().map(|(reply, title)| {
            let ordered = Ordered::Reply { item: Some(inquired.item.clone()), reply: Some(reply) };
            (ordered, title)
        });
        self.offer(text, orders.collect()).await
    }

    async fn offer(&self, text: String, ways: Vec<(Ordered, String)>) -> Option<Asking<'_>> {
        if !self.connection.hub.asks_in_editors() {
            self.client.show_message(MessageType::WARNING, format!("{text}. The answers are code actions")).await;
            return None;
        }
        let item = |title: &String| MessageActionItem { title: title.clone(), properties: Default::default() };
        let items = ways.iter().map(|(_, title)| item(title)).collect();
        // Without an end of ours: a person thinks as long as a person thinks.
        let asking = self.client.show_message_request(MessageType::WARNING, text, Some(items));
        Some(
            async move {
                let said = asking.await.ok().flatten()?;
                let (ordered, _) = ways.into_iter().find(|(_, title)| *title == said.title)?;
                Some(ordered)
            }
            .boxed(),
        )
    }

    async fn answered(&self, ordered: Ordered) {
        if let Err(error) = self.order(ordered).await {
            self.client.show_message(MessageType::WARNING, format!("pilotfish: {error}")).await;
        }
    }
}

/// What a client answers within [`PATIENCE`], if it agrees. A later answer goes nowhere, which the library allows.
async fn soon<T>(answer: impl Future<Output = LspResult<T>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the client refused");
            None
        }
        Err(_) => {
            tracing::debug!("the client did not answer");
            None
        }
    }
}

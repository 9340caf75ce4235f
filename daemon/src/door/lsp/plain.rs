//! What any editor gets that knows nothing of us: code actions, commands, hints at changes that wait, progress, messages, and answers as
//! documents.
//!
//! Owns what such a client is told, and its way to sessions. It decides nothing of them and owns no text. Handlers only place orders,
//! in the order in which they were called; three loops of the connection's own task do the rest: one carries orders out, one tells of
//! sessions, one of changes. A client that does not read holds up these loops and nothing else, and then hears the latest.

mod ability;
mod actions;
mod answers;
mod commands;
mod desk;
mod hints;
mod lenses;
mod orders;
mod telling;
mod view;

use crate::door::Connection;
use crate::path::AbsPath;
use crate::workspace::Reviewed;
use ability::Ability;
use actions::Scene;
use desk::Desk;
use orders::Placed;
use pilotfish_protocol::{InterruptScope, SessionId, SessionUpdate, TurnId};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tower_lsp::Client;
use tower_lsp::jsonrpc::{Error as LspError, ErrorCode};
use tower_lsp::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, ExecuteCommandParams, InitializeParams,
    ProgressToken, ServerCapabilities, Uri, WorkDoneProgressCancelParams,
};

/// How long a client may take to answer what needs nobody's decision.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the tokens of our progress begin with; the turn's id follows.
const TOKEN: &str = "pilotfish/";

/// One client that knows nothing of us.
pub(super) struct Plain {
    connection: Connection,
    client: Client,
    /// Set by `initialize`, for such a client only.
    ability: OnceLock<Ability>,
    desk: Mutex<Desk>,
    /// The client may be told things now.
    begun: Notify,
    /// There is something to tell of sessions.
    news: Notify,
    /// There is something to tell of changes.
    changes: Notify,
    orders: mpsc::Sender<Placed>,
    /// Taken by the one loop that carries them out.
    placed: Mutex<Option<mpsc::Receiver<Placed>>>,
}

impl Plain {
    pub(super) fn new(connection: Connection, client: Client) -> Self {
        let (orders, placed) = orders::channel();
        Self {
            connection,
            client,
            ability: OnceLock::new(),
            desk: Mutex::default(),
            begun: Notify::new(),
            news: Notify::new(),
            changes: Notify::new(),
            orders,
            placed: Mutex::new(Some(placed)),
        }
    }

    /// Takes in what a client says of itself, and adds what it is offered.
    pub(super) fn meet(&self, params: &InitializeParams, server: &mut ServerCapabilities) {
        let ability = Ability::of(&params.capabilities);
        ability.offer(server);
        if self.ability.set(ability).is_ok() {
            self.desk().work_in(ability::folders(params));
        }
    }

    /// The client may be told things.
    pub(super) fn begin(&self) {
        if self.ability.get().is_some() {
            self.begun.notify_one();
        }
    }

    /// Serves until it is dropped. For a client of ours it does nothing.
    pub(super) async fn run(&self) {
        self.begun.notified().await;
        let ability = self.ability.get().copied().unwrap_or_default();
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(placed) = placed {
            futures::join!(self.carry_out(placed), self.tell(ability), self.hint(ability));
        }
        std::future::pending::<()>().await;
    }

    /// Folds an update of a session that was attached to for this client.
    pub(super) fn take(&self, update: &SessionUpdate) {
        self.desk().take(update);
        self.news.notify_one();
    }

    /// A session's updates cannot be had any more.
    pub(super) fn leave(&self, id: &SessionId) {
        self.desk().leave(id);
    }

    /// The hunks of a file changed.
    pub(super) fn reviewed(&self, reviewed: Reviewed) {
        self.desk().reviewed(reviewed);
        self.changes.notify_one();
    }

    /// Changes of hunks were missed.
    pub(super) fn look_again(&self) {
        self.desk().look_again();
        self.changes.notify_one();
    }

    /// `textDocument/codeAction`
    pub(super) fn actions(&self, params: &CodeActionParams) -> CodeActionResponse {
        let Some(ability) = self.ability.get() else { return Vec::new() };
        let Some(file) = file(params.text_document.uri.as_str()) else { return Vec::new() };
        let mut desk = self.desk();
        let hunks = desk.hunks(&file);
        let view = desk.view(Some(&file));
        actions::actions(params, &Scene { hunks: &hunks, view: view.as_deref(), literals: ability.actions })
    }

    /// `textDocument/codeLens`
    pub(super) fn lenses(&self, params: &CodeLensParams) -> Vec<CodeLens> {
        let file = file(params.text_document.uri.as_str()).filter(|_| self.ability.get().is_some());
        file.map_or_else(Vec::new, |file| lenses::lenses(&self.desk().hunks(&file)))
    }

    /// `workspace/executeCommand`
    pub(super) async fn execute(&self, params: ExecuteCommandParams) -> Result<(), LspError> {
        if self.ability.get().is_none() {
            return Err(LspError::method_not_found());
        }
        let ordered = commands::read(&params.command, params.arguments).map_err(|error| LspError {
            code: ErrorCode::InvalidParams,
            message: error.to_string().into(),
            data: None,
        })?;
        // Placed before the first wait: that is what keeps the order of commands.
        let done = self.order(ordered);
        done.await.map_err(|error| {
            let error = jsonrpsee::types::ErrorObjectOwned::from(error);
            let data = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
            LspError {
                code: ErrorCode::ServerError(error.code().into()),
                message: error.message().to_owned().into(),
                data,
            }
        })
    }

    /// `window/workDoneProgress/cancel`
    pub(super) fn cancel(&self, params: &WorkDoneProgressCancelParams) {
        let ProgressToken::String(token) = &params.token else { return };
        let turn = token.strip_prefix(TOKEN).map(TurnId::from);
        if let Some(session) = turn.and_then(|turn| self.desk().running(&turn)) {
            // It is on its way; its turn's end says that it was carried out.
            drop(session.interrupt(InterruptScope::Turn));
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing that waits runs under the lock, and nothing that can leave a desk half changed.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of a URI, without links where it exists.
fn file(uri: &str) -> Option<AbsPath> {
    AbsPath::canonical(uri).or_else(|_| AbsPath::from_uri(uri)).ok()
}

/// A path as the library has it.
fn uri(path: &AbsPath) -> Option<Uri> {
    Uri::from_str(&path.to_uri()).ok()
}

//! `session/*`: opening, attaching, prompting, stopping. Each method sends its verb before it waits.

use super::command;
use super::complete::{self, Typed};
use crate::cx::Stopper;
use crate::door::{Connection, refusal, workspace};
use crate::hub::NewSession;
use crate::journal::SessionFilter;
use crate::session::{Reply, SessionError};
use jsonrpsee::core::{RpcResult, async_trait};
use pilotfish_protocol::contract::SessionRpcServer;
use pilotfish_protocol::{
    Attached, CandidateList, CommandId, Delivery, Done, Effort, ErrorKind, InputPart, InterruptScope, ItemId, ItemPage,
    Mode, ModelName, OutputPage, PromptTaken, QueuedId, RpcError, SessionId, SessionList, SessionOpened,
};
use std::sync::Arc;

/// Sessions on one page of a list.
const LIST_PAGE: usize = 50;

/// The most items on one page of a transcript.
const ITEMS_PAGE: u32 = 500;

/// Files that complete a name.
const COMPLETIONS: usize = 50;

/// The most bytes of output in one slice.
const OUTPUT_SLICE: u64 = 1 << 20;

#[async_trait]
impl SessionRpcServer for Connection {
    async fn open(
        &self,
        path: String,
        mode: Option<Mode>,
        model: Option<ModelName>,
        effort: Option<Effort>,
        title: Option<String>,
    ) -> RpcResult<SessionOpened> {
        let mode = mode.unwrap_or_default();
        let environment = self.environment.clone();
        let new = NewSession { workspace: workspace(&path)?, mode, model, effort, title, environment };
        let session = self.hub.new_session(new).await.map_err(RpcError::from)?;
        Ok(SessionOpened { session })
    }

    async fn list(
        &self,
        path: Option<String>,
        query: Option<String>,
        cursor: Option<String>,
        archived: Option<bool>,
    ) -> RpcResult<SessionList> {
        // A folder that is gone still has sessions, under the name it was opened by.
        let workspace = path.map(|path| workspace(&path).map_or(path, |folder| folder.to_string()));
        let filter = SessionFilter { workspace, query, cursor, archived: archived.unwrap_or(false), limit: LIST_PAGE };
        Ok(self.hub.sessions(filter).await.map_err(|error| refusal(&error))?)
    }

    async fn attach(&self, session_id: SessionId, after_seq: Option<u64>) -> RpcResult<Attached> {
        if !self.opted_in() {
            let message = "session/attach sends session/update, which this client did not ask for: it has to announce \
                           `initializationOptions.pilotfish`";
            return Err(RpcError::new(ErrorKind::WrongState, message).into());
        }
        let tap = self.outbox.attach(&session_id);
        let attached =
            self.hub.session(&session_id).attach(self.id.clone(), self.environment.clone(), Arc::new(tap.clone()));
        let attached = attached.await;
        match attached {
            Ok(attached) => {
                tap.open(&attached, after_seq);
                Ok(attached)
            }
            Err(error) => {
                tap.close();
                Err(RpcError::from(error).into())
            }
        }
    }

    async fn detach(&self, session_id: SessionId) -> RpcResult<Done> {
        self.outbox.detach(&session_id);
        match self.hub.loaded(&session_id) {
            Some(session) => done(session.detach(self.id.clone())).await,
            // Nobody is attached to what is not in memory, and it is not brought there for that.
            None => Ok(Done {}),
        }
    }

    async fn close(&self, session_id: SessionId) -> RpcResult<Done> {
        done(self.hub.session(&session_id).close()).await
    }

    async fn archive(&self, session_id: SessionId, archived: bool) -> RpcResult<Done> {
        done(self.hub.session(&session_id).archive(archived)).await
    }

    async fn delete(&self, session_id: SessionId, restore: Option<bool>) -> RpcResult<Done> {
        let journal = self.hub.journal();
        if restore == Some(true) {
            journal.restore(&session_id).await.map_err(|error| refusal(&error))?;
            return Ok(Done {});
        }
        // It must not go on writing what nobody can see any more.
        done(self.hub.session(&session_id).close()).await?;
        self.outbox.detach(&session_id);
        journal.delete(&session_id, &self.hub.clock().now()).await.map_err(|error| refusal(&error))?;
        Ok(Done {})
    }

    async fn rename(&self, session_id: SessionId, title: String) -> RpcResult<Done> {
        done(self.hub.session(&session_id).rename(title)).await
    }

    async fn fork(&self, session_id: SessionId, at_item: Option<ItemId>) -> RpcResult<SessionOpened> {
        let session = self.hub.fork(&session_id, at_item.as_ref()).await.map_err(RpcError::from)?;
        Ok(SessionOpened { session })
    }

    async fn items(&self, session_id: SessionId, before: Option<ItemId>, limit: u32) -> RpcResult<ItemPage> {
        let limit = limit.clamp(1, ITEMS_PAGE);
        Ok(self.hub.journal().items(&session_id, before, limit).await.map_err(|error| refusal(&error))?)
    }

    async fn output(&self, session_id: SessionId, item_id: ItemId, offset: u64, limit: u64) -> RpcResult<OutputPage> {
        let limit = limit.min(OUTPUT_SLICE);
        let output = self.hub.journal().output(&session_id, &item_id, offset, limit).await;
        let output = output.map_err(|error| refusal(&error))?;
        let missing = || SessionError::NoSuch { session: session_id, what: format!("full output of item {item_id}") };
        Ok(output.ok_or_else(|| RpcError::from(missing()))?)
    }

    async fn prompt(
        &self,
        session_id: SessionId,
        input: Vec<InputPart>,
        delivery: Option<Delivery>,
    ) -> RpcResult<PromptTaken> {
        let taken = self.hub.session(&session_id).prompt(input, delivery.unwrap_or_default());
        Ok(taken.await.map_err(RpcError::from)?)
    }

    async fn unqueue(&self, session_id: SessionId, queued_id: QueuedId) -> RpcResult<Done> {
        done(self.hub.session(&session_id).unqueue(queued_id)).await
    }

    async fn requeue(&self, session_id: SessionId, queued_id: QueuedId, input: Vec<InputPart>) -> RpcResult<Done> {
        done(self.hub.session(&session_id).requeue(queued_id, input)).await
    }

    async fn interrupt(
        &self,
        session_id: SessionId,
        scope: InterruptScope,
        command_id: Option<CommandId>,
    ) -> RpcResult<Done> {
        if let (InterruptScope::Command, Some(command_id)) = (scope, &command_id) {
            command::named(self, &session_id, command_id).await?.stop(Stopper::Person);
            return Ok(Done {});
        }
        done(self.hub.session(&session_id).interrupt(scope)).await
    }

    async fn set_mode(&self, session_id: SessionId, mode: Mode) -> RpcResult<Done> {
        done(self.hub.session(&session_id).set_mode(mode)).await
    }

    async fn set_model(&self, session_id: SessionId, model: ModelName, effort: Option<Effort>) -> RpcResult<Done> {
        done(self.hub.session(&session_id).set_model(model, effort)).await
    }

    async fn draft(&self, session_id: SessionId, text: String) -> RpcResult<Done> {
        done(self.hub.session(&session_id).draft(text)).await
    }

    async fn complete(&self, session_id: SessionId, text: String, offset: u32) -> RpcResult<CandidateList> {
        let session = self.hub.session(&session_id).header().await.map_err(RpcError::from)?;
        let candidates = match complete::typed(&text, offset) {
            None => Vec::new(),
            Some(Typed::Command(typed)) => {
                let models = self.hub.models(&self.environment).models;
                complete::commands(typed, &session_id, &session.workspace, &models)
            }
            Some(Typed::Name(typed)) => {
                let workspace = self.hub.workspaces().open(&workspace(&session.workspace)?);
                let found = workspace.files().search(typed, COMPLETIONS).await;
                let files = found.iter().map(|path| complete::file(path.to_string()));
                complete::names(typed).chain(files).collect()
            }
        };
        Ok(CandidateList { candidates })
    }

    async fn compact(&self, session_id: SessionId) -> RpcResult<Done> {
        done(self.hub.session(&session_id).compact()).await
    }
}

async fn done(reply: Reply<()>) -> RpcResult<Done> {
    reply.await.map_err(RpcError::from)?;
    Ok(Done {})
}

//! The methods: parameters are read, verbs are sent, answers are given. They decide nothing.
//!
//! Each method sends its verb before it waits. What an attachment's answer announces is let out together with the answer, with
//! nothing awaited in between.

use super::desk::{Begin, Then};
use super::files::Offer;
use super::options::{self, BadSetting, Setting};
use super::prompts::Cancel;
use super::wire::{self, PROTOCOL_VERSION, SessionInfo};
use super::writer::{cancelled_line, update_line};
use super::{Acp, Client, Notices, Work, content, until_taken};
use crate::door::envelope::{self, Call, Failure, Id, code};
use crate::door::{Peer, RETRY_AFTER_MS, existing_folder, refusal};
use crate::hub::NewSession;
use crate::journal::SessionFilter;
use crate::session::SessionError;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use pilotfish_protocol::{Attached, Delivery, ErrorKind, InterruptScope, ItemId, Mode, RpcError, Session, SessionId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;

/// Sessions on one page of a list.
const LIST_PAGE: usize = 50;

/// Prompts of one connection that may wait for their turns.
const MAX_PROMPTS: usize = 64;

/// A method's work, or why there is none.
type Begun = Result<Work, Failure>;

impl Acp {
    /// Takes a call. Nobody waits for the answer of a notification, so it gets none.
    pub(super) fn call(&self, call: Call<'_>) -> Option<Work> {
        let Call { id, method, params } = call;
        match self.begin(id.clone(), &method, params) {
            Ok(work) => Some(work),
            Err(failure) => {
                tracing::debug!(method = %method, code = failure.code, message = failure.message, "refused");
                self.answer::<()>(id.as_ref(), Err(failure));
                None
            }
        }
    }

    fn begin(&self, id: Option<Id>, method: &str, params: Option<&RawValue>) -> Begun {
        if self.client.get().is_none() && method != "initialize" {
            let message = format!("{method} came before initialize, which has to be the first request");
            return Err(Failure::new(code::INVALID_REQUEST, message));
        }
        match method {
            "initialize" => self.initialize(id, read(method, params)?),
            "authenticate" => self.authenticate(id, read(method, params)?),
            "session/new" => self.new_session(id, read(method, params)?),
            "session/load" => self.open(id, read(method, params)?, Begin::First),
            "session/resume" => self.open(id, read(method, params)?, Begin::Now),
            "session/list" => self.list(id, read(method, params)?),
            "session/close" => self.close(id, read(method, params)?),
            "session/delete" => self.delete(id, read(method, params)?),
            "session/prompt" => self.prompt(id, read(method, params)?),
            "session/cancel" => self.cancel(id, read(method, params)?),
            "session/set_mode" => self.set_mode(id, read(method, params)?),
            "session/set_config_option" => self.set_config_option(id, read(method, params)?),
            "$/cancel_request" => self.cancel_request(read(method, params)?),
            _ => Err(Failure::new(code::METHOD_NOT_FOUND, format!("there is no method {method}"))),
        }
    }

    fn initialize(&self, id: Option<Id>, params: wire::Initialize) -> Begun {
        let text = |value: &Value, field| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = params.client_info.as_ref().map_or_else(
            || "a client without a name".to_owned(),
            |info| format!("{} {}", text(info, "name"), text(info, "version")).trim().to_owned(),
        );
        let notices = params.client_capabilities.as_ref().and_then(|can| can.get("session")?.get("notices"));
        let notices = if notices.is_some_and(Value::is_object) { Notices::Shown } else { Notices::AsMessages };
        tracing::info!(connection = %self.connection.id, client = name, "initialized");
        // Said again, the first one counts: sessions may be open on its word.
        let _ = self.connection.peer.set(Peer { name, features: None });
        let _ = self.client.set(Client { notices, files: Offer::of(params.client_capabilities.as_ref()) });
        let answer = json!({
            // The only one there is here; a client that cannot speak it leaves.
            "protocolVersion": PROTOCOL_VERSION,
            "agentCapabilities": {
                "loadSession": true,
                "promptCapabilities": {"image": false, "audio": false, "embeddedContext": true},
                "mcpCapabilities": {"http": false, "sse": false},
                "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}},
            },
            "agentInfo": {"name": "pilotfish", "title": "pilotfish", "version": env!("CARGO_PKG_VERSION")},
            "authMethods": [],
        });
        self.done(id, answer)
    }

    fn authenticate(&self, id: Option<Id>, params: wire::Authenticate) -> Begun {
        match params.method_id.filter(|method| !method.is_empty()) {
            None => self.done(id, wire::Nothing {}),
            Some(method) => {
                let message = format!("there is no way to authenticate called {method:?}: pilotfish needs none");
                Err(Failure::new(pilotfish_protocol::code::INVALID_PARAMS, message))
            }
        }
    }

    fn new_session(&self, id: Option<Id>, params: wire::NewSession) -> Begun {
        if params.cwd.starts_with("file:") {
            return Err(invalid("`cwd` is a URI; it has to be an absolute path"));
        }
        let workspace = existing_folder("cwd", &params.cwd).map_err(failure)?;
        let unused = unused(params.mcp_servers.as_ref(), params.additional_directories.as_ref());
        let acp = self.clone();
        Ok(async move {
            let environment = acp.connection.environment.clone();
            let (mode, model, effort, title) = (Mode::default(), None, None, None);
            let new = NewSession { workspace, mode, model, effort, title, environment };
            let opened = async {
                let session = acp.connection.hub.new_session(new).await.map_err(|error| failure(error.into()))?;
                acp.attach(&session.id, Begin::Now, Some(params.cwd)).await
            };
            match opened.await {
                Ok(attached) => {
                    let session_id = attached.session.id.clone();
                    let mut answer = line(id.as_ref(), acp.opened(&attached.session, Some(session_id.clone())));
                    answer.extend(acp.told_unused(&session_id, unused));
                    acp.connection.outbox.answer(answer);
                }
                Err(failure) => acp.answer::<()>(id.as_ref(), Err(failure)),
            }
        }
        .boxed())
    }

    /// Opens a session there is: from its beginning, which tells all of the transcript before it answers, or from now.
    fn open(&self, id: Option<Id>, params: wire::OpenSession, begin: Begin) -> Begun {
        let unused = unused(params.mcp_servers.as_ref(), params.additional_directories.as_ref());
        let attaching = self.attach(&params.session_id, begin, params.cwd.clone());
        let acp = self.clone();
        Ok(async move {
            match attaching.await {
                Ok(attached) => {
                    let session_id = &params.session_id;
                    let mut answer = line(id.as_ref(), acp.opened(&attached.session, None));
                    answer.extend(acp.told_unused(session_id, unused));
                    // What is asked is asked again of whoever comes.
                    answer.extend(acp.desk().ask(&attached));
                    let told = match begin {
                        Begin::First => attached.seq,
                        Begin::Now => 0,
                    };
                    let at_once = acp.desk().wait(session_id, told, (id, answer), Then::Stay);
                    acp.connection.outbox.answer(at_once.unwrap_or_default());
                }
                Err(failure) => acp.answer::<()>(id.as_ref(), Err(failure)),
            }
        }
        .boxed())
    }

    fn list(&self, id: Option<Id>, params: wire::ListSessions) -> Begun {
        // A folder that is gone still has sessions, under the name it was opened by.
        let workspace = params.cwd.map(|cwd| existing_folder("cwd", &cwd).map_or(cwd, |folder| folder.to_string()));
        let filter = SessionFilter {
            workspace: workspace.clone(),
            query: None,
            cursor: params.cursor,
            archived: false,
            limit: LIST_PAGE,
        };
        let journal = self.connection.hub.journal().clone();
        self.reply(id, async move {
            let page = journal.sessions(filter).await.map_err(|error| failure(refusal(&error)))?;
            let asked = |session: &Session| workspace.as_ref().is_none_or(|workspace| session.workspace == *workspace);
            // The asked folder's come first, so the first of another folder is the end.
            let next_cursor = page.next_cursor.filter(|_| page.sessions.iter().all(asked));
            let info = |session: Session| SessionInfo {
                session_id: session.id,
                cwd: session.workspace,
                title: Some(session.title).filter(|title| !title.is_empty()),
                updated_at: session.updated_at,
            };
            let sessions = page.sessions.into_iter().filter(asked).map(info).collect();
            Ok(wire::Listed { sessions, next_cursor })
        })
    }

    /// Ends the turn and what waits, as `session/cancel` does, and lets the session leave memory.
    fn close(&self, id: Option<Id>, params: wire::OneSession) -> Begun {
        let session_id = params.session_id;
        let mut waiting = self.take_back_all(&session_id);
        // Its verbs are sent when it is first looked at, and they come before the end.
        let taken_back = waiting.as_mut().now_or_never().is_some();
        let closing = self.connection.hub.session(&session_id).close();
        let acp = self.clone();
        Ok(async move {
            if !taken_back {
                waiting.await;
            }
            match closing.await {
                Ok(()) => {
                    // What the end of the turn brought is on its way; prompts are answered behind it, and then this.
                    let seq = acp.connection.outbox.pushed(&session_id).unwrap_or(0);
                    let answer = line(id.as_ref(), wire::Nothing {});
                    let at_once = acp.desk().wait(&session_id, seq, (id, answer), Then::Close);
                    if let Some(answer) = at_once {
                        acp.leave(&session_id);
                        acp.connection.outbox.answer(answer);
                    }
                }
                Err(error) => acp.answer::<()>(id.as_ref(), Err(failure(error.into()))),
            }
        }
        .boxed())
    }

    fn delete(&self, id: Option<Id>, params: wire::OneSession) -> Begun {
        let session_id = params.session_id;
        let closing = self.connection.hub.session(&session_id).close();
        let acp = self.clone();
        self.reply(id, async move {
            match closing.await {
                Ok(()) => {}
                // The protocol wants deleting to be repeatable.
                Err(SessionError::NotFound(_)) => return Ok(wire::Nothing {}),
                Err(error) => return Err(failure(error.into())),
            }
            acp.leave(&session_id);
            let hub = &acp.connection.hub;
            let deleted = hub.journal().delete(&session_id, &hub.clock().now()).await;
            deleted.map_err(|error| failure(refusal(&error)))?;
            Ok(wire::Nothing {})
        })
    }

    fn prompt(&self, id: Option<Id>, params: wire::Prompt) -> Begun {
        let input = content::input(params.prompt).map_err(|bad| invalid(&bad.to_string()))?;
        let session_id = params.session_id;
        if self.desk().prompts.len() >= MAX_PROMPTS {
            let message = format!("{MAX_PROMPTS} prompts wait already; send this one when some are answered");
            let overloaded = RpcError { kind: ErrorKind::Overloaded, message, retry_after_ms: Some(RETRY_AFTER_MS) };
            return Err(failure(overloaded));
        }
        // A session that was closed elsewhere, or never opened here, is opened by its prompt.
        let attached = self.desk().is_attached(&session_id);
        let attaching = (!attached).then(|| self.attach(&session_id, Begin::Now, None));
        let number = self.desk().prompts.hold(id, &session_id);
        let taking = self.connection.hub.session(&session_id).prompt(input, Delivery::Queue);
        let acp = self.clone();
        Ok(async move {
            if let Some(attaching) = attaching {
                // When it fails, so does the prompt, which says the same.
                let asked = attaching.await.map_or_else(|_| Vec::new(), |attached| acp.desk().ask(&attached));
                acp.connection.outbox.answer(asked);
            }
            let taken = taking.await;
            let need = match taken {
                Ok(taken) => acp.desk().prompts.taken(number, taken),
                Err(error) => {
                    let held = acp.desk().prompts.remove(number);
                    if let Some(id) = held {
                        acp.answer::<()>(id.as_ref(), Err(failure(error.into())));
                    }
                    Cancel::Wait
                }
            };
            acp.placed.notify_waiters();
            acp.see_to(session_id, number, need).await;
        }
        .boxed())
    }

    fn cancel(&self, id: Option<Id>, params: wire::OneSession) -> Begun {
        let session_id = params.session_id;
        let waiting = self.take_back_all(&session_id);
        let hub = self.connection.hub.clone();
        self.reply(id, async move {
            // What is not in memory does nothing that could be interrupted.
            let interrupting = async {
                if hub.loaded(&session_id).is_some() {
                    let _ = until_taken(|| hub.session(&session_id).interrupt(InterruptScope::Turn)).await;
                }
            };
            futures::future::join(waiting, interrupting).await;
            Ok(wire::Nothing {})
        })
    }

    fn cancel_request(&self, params: wire::CancelRequest) -> Begun {
        let cancelled = self.desk().prompts.cancel_one(&params.request_id);
        let acp = self.clone();
        Ok(async move {
            // Every other request is answered at once anyhow.
            if let Some((session_id, number, need)) = cancelled {
                acp.see_to(session_id, number, need).await;
            }
        }
        .boxed())
    }

    fn set_mode(&self, id: Option<Id>, params: wire::SetMode) -> Begun {
        let mode = options::mode(&params.mode_id).map_err(bad_setting)?;
        let setting = self.connection.hub.session(&params.session_id).set_mode(mode);
        self.reply(id, async move {
            setting.await.map_err(|error| failure(error.into()))?;
            Ok(wire::Nothing {})
        })
    }

    fn set_config_option(&self, id: Option<Id>, params: wire::SetConfigOption) -> Begun {
        let session = self.connection.hub.session(&params.session_id);
        let setting: BoxFuture<'static, Result<(), SessionError>> =
            match options::setting(&params.config_id, &params.value).map_err(bad_setting)? {
                Setting::Mode(mode) => session.set_mode(mode).boxed(),
                Setting::Model(model) => session.set_model(model, None).boxed(),
                Setting::Effort(effort) => {
                    let (session, header) = (session.clone(), session.header());
                    async move {
                        match header.await?.model {
                            Some(model) => session.set_model(model, effort).await,
                            None => Err(SessionError::Invalid("there is no model to set an effort of".to_owned())),
                        }
                    }
                    .boxed()
                }
            };
        let acp = self.clone();
        self.reply(id, async move {
            let header = async {
                setting.await?;
                session.header().await
            };
            let header = header.await.map_err(|error| failure(error.into()))?;
            let connection = &acp.connection;
            let models = connection.hub.models(&connection.environment);
            Ok(wire::ConfigOptions { config_options: options::config_options(&header, &models) })
        })
    }

    /// Attaches to a session: the verb is on its way when this returns. Updates come after the next answer.
    fn attach(
        &self,
        session_id: &SessionId,
        begin: Begin,
        cwd: Option<String>,
    ) -> BoxFuture<'static, Result<Attached, Failure>> {
        let connection = &self.connection;
        let tap = connection.outbox.attach(session_id);
        let session = connection.hub.session(session_id);
        let (id, environment) = (connection.id.clone(), connection.environment.clone());
        let attaching = session.attach(id, environment, Arc::new(tap.clone()));
        let acp = self.clone();
        async move {
            match attaching.await {
                Ok(attached) => {
                    let after = acp.desk().open(session, &attached, begin);
                    acp.serve_files(&attached.session, cwd.as_deref());
                    tap.open(&attached, after);
                    Ok(attached)
                }
                Err(error) => {
                    tap.close();
                    Err(failure(error.into()))
                }
            }
        }
        .boxed()
    }

    /// Takes the connection's prompts of a session out of its queue, and notes that none of them is wanted.
    fn take_back_all(&self, session_id: &SessionId) -> BoxFuture<'static, ()> {
        let cancelled = self.desk().prompts.cancel(session_id);
        let queued = cancelled.into_iter().filter(|(_, need)| matches!(need, Cancel::TakeBack(_)));
        let taking: Vec<_> =
            queued.map(|(number, need)| self.clone().see_to(session_id.clone(), number, need)).collect();
        async move { drop(join_all(taking).await) }.boxed()
    }

    /// Does what a cancelled prompt needs.
    async fn see_to(self, session_id: SessionId, number: u64, need: Cancel) {
        let hub = &self.connection.hub;
        let interrupt = || hub.session(&session_id).interrupt(InterruptScope::Turn);
        match need {
            Cancel::Wait => {}
            Cancel::Interrupt => drop(until_taken(interrupt).await),
            Cancel::TakeBack(queued_id) => {
                match until_taken(|| hub.session(&session_id).unqueue(queued_id.clone())).await {
                    Ok(()) => {
                        let held = self.desk().prompts.remove(number);
                        if let Some(id) = held {
                            self.connection.outbox.answer(cancelled_line(id.as_ref()));
                        }
                    }
                    // It began meanwhile.
                    Err(SessionError::NoSuch { .. }) => drop(until_taken(interrupt).await),
                    Err(error) => tracing::warn!(session = %session_id, %error, "could not take a prompt back"),
                }
            }
        }
    }

    /// The session is over for this connection, without what is still on its way.
    fn leave(&self, session_id: &SessionId) {
        self.connection.outbox.detach(session_id);
        let (waiting, prompts) = self.desk().close(session_id);
        for id in prompts {
            self.connection.outbox.answer(cancelled_line(id.as_ref()));
        }
        for id in waiting.into_iter().filter(Option::is_some) {
            let message = format!("session {session_id} was closed meanwhile");
            self.answer::<()>(id.as_ref(), Err(Failure::new(wire::code::REQUEST_CANCELLED, message)));
        }
    }

    /// What opening a session answers.
    fn opened(&self, session: &Session, session_id: Option<SessionId>) -> wire::Opened {
        let models = self.connection.hub.models(&self.connection.environment);
        let config_options = options::config_options(session, &models);
        wire::Opened { session_id, modes: options::modes(session.mode), config_options }
    }

    /// Says what of a request is not used.
    pub(super) fn told_unused(&self, session_id: &SessionId, unused: Option<String>) -> Vec<u8> {
        let Some(title) = unused else { return Vec::new() };
        let notices = self.client.get().map_or(Notices::AsMessages, |client| client.notices);
        let update = match notices {
            Notices::Shown => wire::Update::Notice { severity: "warning", title },
            Notices::AsMessages => wire::Update::AgentMessageChunk {
                content: wire::Block::text(format!("[{title}]\n\n")),
                message_id: ItemId("notice".to_owned()),
            },
        };
        update_line(session_id, &update)
    }

    /// A method that is done when it was called.
    fn done(&self, id: Option<Id>, result: impl Serialize) -> Begun {
        self.answer(id.as_ref(), Ok(result));
        Ok(std::future::ready(()).boxed())
    }

    /// A method that answers what becomes of `work`.
    fn reply<T: Serialize + Send + 'static>(
        &self,
        id: Option<Id>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Begun {
        let acp = self.clone();
        Ok(async move {
            let outcome = work.await;
            acp.answer(id.as_ref(), outcome);
        }
        .boxed())
    }

    fn answer<T: Serialize>(&self, id: Option<&Id>, outcome: Result<T, Failure>) {
        if id.is_some() {
            self.connection.outbox.answer(envelope::answer_line(id, outcome.as_ref()));
        }
    }
}

/// An answer that says yes.
fn line(id: Option<&Id>, result: impl Serialize) -> Vec<u8> {
    id.map_or_else(Vec::new, |id| envelope::answer_line(Some(id), Ok(result)))
}

/// Reads parameters. Some clients send `null` for none.
fn read<T: DeserializeOwned>(method: &str, params: Option<&RawValue>) -> Result<T, Failure> {
    let params = params.map(RawValue::get).filter(|params| *params != "null").unwrap_or("{}");
    if !params.starts_with('{') {
        return Err(invalid(&format!("{method}: the parameters are an object with named fields")));
    }
    serde_json::from_str(params).map_err(|error| {
        let why = error.to_string();
        // The place says little: the text was cut out of its line.
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        invalid(&format!("{method}: {why}"))
    })
}

/// What of a request is not used, in words.
fn unused(mcp_servers: Option<&Value>, directories: Option<&Value>) -> Option<String> {
    let any = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let what = match (any(mcp_servers), any(directories)) {
        (true, true) => "MCP servers and additional directories",
        (true, false) => "MCP servers",
        (false, true) => "additional directories",
        (false, false) => return None,
    };
    Some(format!("pilotfish does not use the {what} of this editor"))
}

fn invalid(message: &str) -> Failure {
    Failure::new(pilotfish_protocol::code::INVALID_PARAMS, message)
}

fn bad_setting(bad: BadSetting) -> Failure {
    invalid(&bad.to_string())
}

/// An error of ours under the protocol's codes, where it has one.
fn failure(error: RpcError) -> Failure {
    let code = (error.kind == ErrorKind::NotFound).then_some(wire::code::NOT_FOUND);
    let failure = Failure::from(error);
    Failure { code: code.unwrap_or(failure.code), ..failure }
}

//! The hub: which sessions live in memory, and which folder has which workspace. It routes; it decides nothing.

use crate::clock::Clock;
use crate::config::{ConfigError, Environment, rules};
use crate::journal::{Journal, JournalError, SessionFilter};
use crate::path::AbsPath;
use crate::sandbox::matrix::matrix;
use crate::sandbox::{Confinement, Sandbox};
use crate::session::{Fresh, Given, Parts, Reply, RunningTurns, SessionError, SessionHandle, Workspaces, asked};
use pilotfish_protocol::{
    ApprovalId, Capability, Effort, ItemId, Mode, ModelList, ModelName, Rule, RuleId, RulePreview, Session, SessionId,
    SessionList, SessionStatus,
};
use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod checkpoints;
mod trust;

/// How long a deleted session can be had back, in seconds: 30 days.
const KEPT: i64 = 30 * 24 * 60 * 60;

/// What a new session begins with.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// An existing folder, links resolved.
    pub workspace: AbsPath,
    /// What the agent may do.
    pub mode: Mode,
    /// The model; the configured one unless said.
    pub model: Option<ModelName>,
    /// How hard it thinks.
    pub effort: Option<Effort>,
    /// A title; the first prompt gives one unless said.
    pub title: Option<String>,
    /// Whose keys and toolchains it uses, until another client attaches.
    pub environment: Environment,
}

/// How a daemon is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// As soon as no turn runs but those that wait for a person. Until then prompts are queued, and the next daemon starts them.
    Drain,
    /// At once. Running turns are interrupted, but for those that wait for a person: their questions stay open.
    Now,
}

/// The way to every session. Clones share it.
#[derive(Clone)]
pub struct Hub {
    started_at: Arc<str>,
    parts: Arc<Parts>,
    live: Arc<Mutex<Live>>,
    stop: Arc<watch::Sender<Option<Stop>>>,
    /// What waited when the last daemon ended is looked for once.
    resumed: Arc<AtomicBool>,
    /// A command was confined here.
    confined: Arc<AtomicBool>,
    /// Sessions are closed, and connections are to end.
    over: CancellationToken,
}

#[derive(Default)]
struct Live {
    sessions: HashMap<SessionId, SessionHandle>,
    tasks: JoinSet<()>,
    /// No session is woken any more: one whose turn is just being ended would be mended by a second task as if it had crashed.
    closed: bool,
}

impl Hub {
    /// A hub without sessions. Needs to be called inside a runtime.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            started_at: parts.clock.now().into(),
            parts: Arc::new(parts),
            live: Arc::default(),
            stop: Arc::default(),
            resumed: Arc::default(),
            confined: Arc::default(),
            over: CancellationToken::new(),
        }
    }

    /// Opens a session. It is journaled before the answer.
    ///
    /// # Errors
    /// When the configuration does not know the named model, or the journal fails, or the daemon is ending.
    pub async fn new_session(&self, new: NewSession) -> Result<Session, SessionError> {
        self.parts.may_work(&new.workspace, new.mode)?;
        let model = match new.model {
            Some(model) => {
                let resolved = self.parts.config.load(&new.environment)?.resolve(&model)?;
                resolved.takes(new.effort)?;
                Some(resolved.name)
            }
            // Without any model the session opens all the same; its first prompt says what to write where.
            None => self.parts.config.load(&new.environment).ok().and_then(|config| config.default_model().ok()),
        };
        let at = self.parts.clock.now();
        let session = Session {
            id: self.parts.clock.session_id(),
            workspace: new.workspace.to_string(),
            title: new.title.unwrap_or_default(),
            mode: new.mode,
            model,
            effort: new.effort,
            status: SessionStatus::default(),
            created_at: at.clone(),
            updated_at: at,
            archived: false,
            parent: None,
        };
        if self.live().closed {
            return Err(SessionError::Closing(session.id));
        }
        self.parts.journal.create(&session).await?;
        let fresh = Fresh { session: session.clone(), environment: new.environment };
        self.start(&mut self.live(), session.id.clone(), Some(fresh));
        let _ = self.parts.changed.send(session.clone());
        Ok(session)
    }

    /// Opens a session that has its own copy of another's history, up to and with the item `at`, or all of it. It begins
    /// with the other's title, mode and model; what waits there or is asked there is not copied.
    ///
    /// # Errors
    /// When the session or the item does not exist, or the journal fails.
    pub async fn fork(&self, source: &SessionId, at: Option<&ItemId>) -> Result<Session, SessionError> {
        let stored = self.parts.journal.session(source).await?;
        let stored = stored.ok_or_else(|| SessionError::NotFound(source.clone()))?;
        let now = self.parts.clock.now();
        let session = Session {
            id: self.parts.clock.session_id(),
            status: SessionStatus::default(),
            created_at: now.clone(),
            updated_at: now,
            archived: false,
            parent: Some(source.clone()),
            ..stored.session
        };
        self.parts.journal.fork(source, &session, at).await?;
        let _ = self.parts.changed.send(session.clone());
        Ok(session)
    }

    /// The way to a session, in memory or in the journal. Never waits: a session that does not exist says so when asked, and so does
    /// any when the daemon is ending.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> SessionHandle {
        let mut live = self.live();
        // Under one lock, so that two who ask at once get the same task.
        let known = live.sessions.get(id).filter(|handle| !handle.is_gone()).cloned();
        known.unwrap_or_else(|| self.start(&mut live, id.clone(), None))
    }

    /// The way to a session that is in memory.
    #[must_use]
    pub fn loaded(&self, id: &SessionId) -> Option<SessionHandle> {
        self.live().sessions.get(id).filter(|handle| !handle.is_gone()).cloned()
    }

    /// Carries on, once, with the questions and prompts that waited when the last daemon ended, with the keys of the first client that
    /// comes, and begins to take away what was deleted long ago.
    pub async fn resume(&self, environment: &Environment) {
        if self.resumed.swap(true, Ordering::Relaxed) {
            return;
        }
        match self.parts.journal.asking().await {
            // In memory, so that lists show that they wait.
            Ok(asking) => asking.iter().for_each(|id| drop(self.session(id))),
            Err(error) => tracing::error!(%error, "could not look for open questions"),
        }
        match self.parts.journal.waiting().await {
            Ok(waiting) => waiting.iter().for_each(|id| self.session(id).wake(environment.clone())),
            Err(error) => tracing::error!(%error, "could not look for prompts that wait"),
        }
        let checkpoints = self.parts.workspaces.checkpoints().clone();
        self.live().tasks.spawn(async move {
            // It says itself what is wrong.
            let _ = tokio::task::spawn_blocking(move || checkpoints.collect()).await;
        });
        let (journal, before) = (self.parts.journal.clone(), self.parts.clock.seconds() - KEPT);
        self.live().tasks.spawn(async move {
            match journal.collect(before).await {
                Ok(0) => {}
                Ok(sessions) => tracing::info!(sessions, "took away what was deleted long ago"),
                Err(error) => tracing::warn!(%error, "could not take away what was deleted"),
            }
        });
    }

    /// Answers questions, of any sessions. The verbs are sent before this returns. Gives those that the answer closed.
    pub fn answer(
        &self,
        approvals: &[ApprovalId],
        given: &Given,
    ) -> impl Future<Output = Result<Vec<ApprovalId>, SessionError>> + Send + use<> {
        let mut grouped: Vec<(SessionId, Vec<ApprovalId>)> = Vec::new();
        for approval in approvals {
            let session = asked::session_of(approval);
            match grouped.iter_mut().find(|(known, _)| *known == session) {
                Some((_, group)) => group.push(approval.clone()),
                None => grouped.push((session, vec![approval.clone()])),
            }
        }
        let replies = grouped.into_iter().map(|(session, group)| self.session(&session).answer(group, given.clone()));
        let replies: Vec<_> = replies.collect();
        async move {
            let nothing = || SessionError::Invalid("no question is named; say which are answered".to_owned());
            let (mut closed, mut refused) = (Vec::new(), replies.is_empty().then(nothing));
            for reply in replies {
                match reply.await {
                    Ok(answered) => closed.extend(answered),
                    Err(error) => refused = refused.or(Some(error)),
                }
            }
            match refused {
                Some(error) if closed.is_empty() => Err(error),
                Some(_) | None => Ok(closed),
            }
        }
    }

    /// What saving a rule for a question would mean.
    #[must_use]
    pub fn preview(&self, approval: ApprovalId, rule: Option<Rule>) -> Reply<RulePreview> {
        self.session(&asked::session_of(&approval)).preview(approval, rule)
    }

    /// The remembered answers with their use: those that hold in a workspace, or all.
    ///
    /// # Errors
    /// When the person's file cannot be read.
    pub fn rules(&self, workspace: Option<&AbsPath>) -> Result<Vec<Rule>, ConfigError> {
        let home = self.parts.config.home();
        let stored = rules::load(home)?.into_iter();
        let held = stored.filter(|stored| workspace.is_none_or(|folder| stored.holds_in(folder.as_path())));
        let uses = rules::uses::load(home)?;
        Ok(held.map(|stored| rules::uses::with(stored.rule, &uses)).collect())
    }

    /// Forgets a remembered answer: it is asked again at once. Says whether there was one.
    ///
    /// # Errors
    /// When the person's file cannot be read or written.
    pub fn revoke(&self, rule: &RuleId) -> Result<bool, ConfigError> {
        let home = self.parts.config.home();
        let revoked = rules::revoke(home, rule)?;
        rules::uses::forget(home, rule)?;
        Ok(revoked)
    }

    /// Asks the daemon to end. Asking for less than was asked before changes nothing.
    pub fn stop(&self, stop: Stop) {
        self.parts.running.close();
        self.stop.send_if_modified(|asked| {
            let more = *asked != Some(Stop::Now);
            *asked = if more { Some(stop) } else { *asked };
            more
        });
    }

    /// Waits until the daemon was asked to end and may.
    pub async fn stopped(&self) {
        let mut asked = self.stop.subscribe();
        // The sender is here, so it cannot be gone.
        let _ = asked.wait_for(Option::is_some).await;
        tokio::select! {
            _ = asked.wait_for(|asked| *asked == Some(Stop::Now)) => {}
            () = self.parts.running.none_at_work() => {}
        }
    }

    /// Whether the daemon is asked to end and nothing holds it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match *self.stop.borrow() {
            None => false,
            Some(Stop::Drain) => self.parts.running.at_work() == 0,
            Some(Stop::Now) => true,
        }
    }

    /// Waits for [`Hub::shutdown`].
    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// The turns that run.
    #[must_use]
    pub fn running(&self) -> &RunningTurns {
        &self.parts.running
    }

    /// Ends every session and then the connections: turns are interrupted, journals written. A turn that waits for a person is left as it
    /// is, and goes on in the next daemon.
    pub async fn shutdown(&self) {
        let _over = self.over.clone().drop_guard();
        let closed = Live { closed: true, ..Live::default() };
        let Live { sessions, mut tasks, .. } = std::mem::replace(&mut *self.live(), closed);
        let closing: Vec<_> = sessions.values().map(SessionHandle::end).collect();
        futures::future::join_all(closing).await;
        while tasks.join_next().await.is_some() {}
    }

    /// The record.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// Time and ids.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    /// What confines commands.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.parts.sandbox
    }

    /// What is enforced on this machine and what is not. Whether commands are confined is found out by confining one, until one was.
    pub async fn capabilities(&self) -> Vec<Capability> {
        let is_confined = self.confined.load(Ordering::Relaxed);
        let sandbox = self.parts.sandbox.clone();
        let confinement = match is_confined {
            true => Ok(Confinement::Confined),
            false => tokio::task::spawn_blocking(move || sandbox.check()).await,
        };
        let confinement =
            confinement.unwrap_or_else(|error| Confinement::Refused { reason: error.to_string(), mend: String::new() });
        self.confined.store(confinement == Confinement::Confined, Ordering::Relaxed);
        matrix(&confinement, self.parts.ground.problem())
    }

    /// The models that can be used with the keys of an environment, or what is missing.
    #[must_use]
    pub fn models(&self, environment: &Environment) -> ModelList {
        let listed = self.parts.config.load(environment).and_then(|config| {
            config.default_model()?;
            Ok(config.models())
        });
        match listed {
            Ok(models) => ModelList { models, problem: None },
            Err(error) => ModelList { models: Vec::new(), problem: Some(ConfigError::to_string(&error)) },
        }
    }

    /// Headers of sessions as they change, for lists.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Session> {
        self.parts.changed.subscribe()
    }

    /// Where documents are written for editors that have no panel of ours.
    #[must_use]
    pub fn answers_folder(&self) -> PathBuf {
        self.parts.config.home().state.join("answers")
    }

    /// Whether editors without a plugin are to ask questions, and not only to say that they wait.
    #[must_use]
    pub fn asks_in_editors(&self) -> bool {
        self.parts.config.asks_in_editors()
    }

    /// The folders that are open.
    #[must_use]
    pub fn workspaces(&self) -> &Workspaces {
        &self.parts.workspaces
    }

    /// When it was made, RFC 3339.
    #[must_use]
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    /// A page of the recorded sessions; those that are in memory as they are now.
    ///
    /// # Errors
    /// When the journal cannot be read, or the cursor is none.
    pub async fn sessions(&self, filter: SessionFilter) -> Result<SessionList, JournalError> {
        let mut list = self.parts.journal.sessions(filter).await?;
        let live = list.sessions.iter().map(|session| {
            let header = self.loaded(&session.id).map(|live| live.header());
            async move { header?.await.ok() }
        });
        let live: Vec<Option<Session>> = futures::future::join_all(live).await;
        for (session, live) in list.sessions.iter_mut().zip(live) {
            if let Some(live) = live {
                *session = live;
            }
        }
        Ok(list)
    }

    /// The sessions that are in memory, as lists show them.
    pub async fn live_sessions(&self) -> Vec<Session> {
        let headers: Vec<_> = self.live().sessions.values().map(SessionHandle::header).collect();
        futures::future::join_all(headers).await.into_iter().flatten().collect()
    }

    fn start(&self, live: &mut Live, id: SessionId, fresh: Option<Fresh>) -> SessionHandle {
        if live.closed {
            return SessionHandle::gone(id);
        }
        let (handle, actor) = SessionHandle::start(id.clone(), fresh, self.parts.clone());
        live.sessions.insert(id.clone(), handle.clone());
        let registry = self.live.clone();
        live.tasks.spawn(async move {
            actor.run().await;
            let mut live = registry.lock().unwrap_or_else(PoisonError::into_inner);
            // Another task may have taken the name meanwhile.
            if live.sessions.get(&id).is_some_and(SessionHandle::is_gone) {
                live.sessions.remove(&id);
            }
        });
        while live.tasks.try_join_next().is_some() {}
        handle
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

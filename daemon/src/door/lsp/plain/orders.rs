//! Carrying out what a client without a plugin orders, one order after the other: which session it is for, and the verb that says it.

use super::commands::{Answer, Decision, Ordered, Place, Reply, Which, lines};
use super::desk;
use super::view::{Document, Inquired, Telling, View};
use super::{Plain, answers, file};
use crate::hub::NewSession;
use crate::path::{AbsPath, RootedPath};
use crate::review::{Selection, Verb};
use crate::session::{Given, SessionHandle, Spoken};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use pilotfish_protocol::{
    self as ours, ApprovalId, Delivery, ErrorKind, Hunk, HunkId, HunkState, InputPart, InterruptScope, ItemId, Mode,
    RpcError, SessionId,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Orders that wait, at most.
const MAX_ORDERS: usize = 64;

/// Bytes of a file that are looked at for a question in a comment.
const LOOKED_AT: u64 = 1 << 20;

/// An order, and where its outcome goes.
pub(super) struct Placed {
    ordered: Ordered,
    outcome: oneshot::Sender<Outcome>,
}

type Outcome = Result<(), RpcError>;

/// The rest of an order that was sent on its way.
type Rest<'a> = BoxFuture<'a, Outcome>;

/// The way of orders.
pub(super) fn channel() -> (mpsc::Sender<Placed>, mpsc::Receiver<Placed>) {
    mpsc::channel(MAX_ORDERS)
}

impl Plain {
    /// Places an order, before the answer is awaited.
    pub(super) fn order(&self, ordered: Ordered) -> impl Future<Output = Outcome> + Send + use<> {
        let (outcome, done) = oneshot::channel();
        let placed = self.orders.try_send(Placed { ordered, outcome });
        async move {
            let busy = |_| RpcError::new(ErrorKind::Overloaded, "pilotfish has too many commands to carry out");
            placed.map_err(busy)?;
            done.await.unwrap_or_else(|_| Err(RpcError::new(ErrorKind::WrongState, "the connection is ending")))
        }
    }

    /// Carries out orders as they come. Only to find the session of one is waited for; answers come when they come.
    pub(super) async fn carry_out(&self, mut orders: mpsc::Receiver<Placed>) {
        let mut open: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(()) = open.next() => {}
                placed = orders.recv() => {
                    let Some(Placed { ordered, outcome }) = placed else { return };
                    let rest = self.begin_order(ordered).await;
                    open.push(async move {
                        let done = match rest {
                            Ok(rest) => rest.await,
                            Err(error) => Err(error),
                        };
                        // A client that left does not care.
                        let _ = outcome.send(done);
                    }.boxed());
                }
            }
        }
    }

    /// Sends an order on its way.
    async fn begin_order(&self, ordered: Ordered) -> Result<Rest<'_>, RpcError> {
        match ordered {
            Ordered::Ask { place, text } => {
                let session = self.session(place.as_ref(), Mode::ReadOnly).await?;
                let text = match (text, &place) {
                    (Some(text), _) => text,
                    (None, Some(place)) => self.comment(place).await.unwrap_or_else(|| "Explain this.".to_owned()),
                    (None, None) => return Err(RpcError::new(ErrorKind::InvalidParams, "there is no question")),
                };
                Ok(self.prompt(&session, text, place.as_ref()))
            }
            Ordered::Fix { place, problems } => {
                let session = self.session(Some(&place), Mode::ReadOnly).await?;
                let problems: String = problems.iter().map(|problem| format!("\n- {problem}")).collect();
                let text = format!("Fix what the editor says is wrong here:{problems}");
                Ok(self.prompt(&session, text, Some(&place)))
            }
            Ordered::Review { decision, which } => Ok(self.review(decision, which)),
            Ordered::ToggleMode { uri } => {
                let at = uri.map(|uri| Place { uri, range: tower_lsp::ls_types::Range::default() });
                let session = self.session(at.as_ref(), Mode::ReadOnly).await?;
                let mode = self.desk().view_of(session.id()).map(|view| view.mode).unwrap_or_default();
                let other = match mode {
                    Mode::ReadOnly => Mode::Agent,
                    Mode::Agent => Mode::ReadOnly,
                };
                let done = session.set_mode(other);
                Ok(async move { done.await.map_err(RpcError::from) }.boxed())
            }
            Ordered::Stop { uri } => {
                let handle = self.desk().view(uri.as_deref().and_then(file).as_ref()).map(|view| view.handle.clone());
                let nothing =
                    || RpcError::new(ErrorKind::WrongState, "pilotfish does nothing here that could be stopped");
                let done = handle.ok_or_else(nothing)?.interrupt(InterruptScope::Turn);
                Ok(async move { done.await.map_err(RpcError::from) }.boxed())
            }
            // The only question there is may be the model's.
            Ordered::Answer { approval: None, answer: None } if self.desk().inquired(None).is_some() => {
                self.reply(None, None)
            }
            Ordered::Answer { approval, answer } => self.answer(approval.as_ref(), answer),
            Ordered::Reply { item, reply } => self.reply(item.as_ref(), reply),
        }
    }

    fn prompt(&self, session: &SessionHandle, text: String, place: Option<&Place>) -> Rest<'_> {
        let mut input = vec![InputPart::Text { text }];
        input.extend(place.map(selection));
        let taken = session.prompt(input, Delivery::Queue);
        let id = session.id().clone();
        async move {
            let taken = taken.await.map_err(RpcError::from)?;
            self.desk().asked(&id, taken);
            self.news.notify_one();
            Ok(())
        }
        .boxed()
    }

    /// Decides of changes. Proposals are accepted or rejected; a whole file means them only when nothing else of it waits.
    fn review(&self, decision: Decision, which: Which) -> Rest<'_> {
        let file = match &which {
            Which::At(uri, _) | Which::File(uri) => file(uri),
            Which::Hunks(_) => None,
        };
        let mut chosen = self.desk().chosen(&which, file.as_ref());
        let is_applied = |(_, hunk): &(AbsPath, Hunk)| hunk.state != HunkState::Proposed;
        if matches!(which, Which::File(_)) && chosen.iter().any(is_applied) {
            chosen.retain(is_applied);
        }
        if chosen.is_empty() {
            let why = match which {
                Which::Hunks(_) => "that change does not wait any more",
                Which::At(..) => "no change of pilotfish waits at this line",
                Which::File(_) => "no change of pilotfish waits in this file",
            };
            return std::future::ready(Err(RpcError::new(ErrorKind::NotFound, why))).boxed();
        }
        let mut verbs: BTreeMap<(AbsPath, bool), Vec<HunkId>> = BTreeMap::new();
        for (root, hunk) in chosen {
            verbs.entry((root, hunk.state == HunkState::Proposed)).or_default().push(hunk.id);
        }
        async move {
            for ((root, proposed), ids) in verbs {
                let verb = match (decision, proposed) {
                    (Decision::Keep, false) => Verb::Keep,
                    (Decision::Undo, false) => Verb::Undo,
                    (Decision::Keep, true) => Verb::Accept,
                    (Decision::Undo, true) => Verb::Reject,
                };
                let workspace = self.connection.hub.workspaces().open(&root);
                workspace.review(verb, Selection { hunks: Some(ids), ..Selection::default() }, None).await?;
            }
            Ok(())
        }
        .boxed()
    }

    /// Answers a question, or shows it.
    fn answer(&self, approval: Option<&ApprovalId>, answer: Option<Answer>) -> Result<Rest<'_>, RpcError> {
        let mut desk = self.desk();
        let none = || {
            RpcError::new(ErrorKind::NotFound, "there is no such question, or not only one; name it in `approvalId`")
        };
        let approval = desk.approval(approval).ok_or_else(none)?;
        let Some(answer) = answer else {
            let name = format!("question-{}", approval.id);
            let text = answers::asked(&approval);
            desk.tell(vec![Telling::Document(Document { name, text, words: "the question is in" })]);
            self.news.notify_one();
            return Ok(std::future::ready(Ok(())).boxed());
        };
        let decision = match (answer, approval.rule) {
            (Answer::Once, _) => ours::Decision::Once,
            (Answer::Session, _) => ours::Decision::Session,
            (Answer::Deny, _) => ours::Decision::Deny,
            (Answer::Always, Some(rule)) => ours::Decision::Always { rule },
            (Answer::Always, None) => {
                let message = "no rule can stand for this question, so it cannot be answered with always";
                return Err(RpcError::new(ErrorKind::Refused, message));
            }
        };
        let given = Given { decision, note: None, by: self.connection.id.clone() };
        let closed = self.connection.hub.answer(&[approval.id], &given);
        Ok(async move { closed.await.map(drop).map_err(RpcError::from) }.boxed())
    }

    /// Answers what the model asks, or shows it.
    fn reply(&self, item: Option<&ItemId>, reply: Option<Reply>) -> Result<Rest<'_>, RpcError> {
        let mut desk = self.desk();
        let none =
            || RpcError::new(ErrorKind::NotFound, "the model asks no such thing, or not only one; name it in `itemId`");
        let Inquired { session, item, question } = desk.inquired(item).ok_or_else(none)?;
        let (choice, text) = match reply {
            Some(Reply::Choice(choice)) => (Some(choice), None),
            Some(Reply::Text(text)) => (None, Some(text)),
            Some(Reply::Nothing) => (None, None),
            None => {
                let (name, text) = (format!("question-{item}"), answers::inquired(&question));
                desk.tell(vec![Telling::Document(Document { name, text, words: "the question is in" })]);
                self.news.notify_one();
                return Ok(std::future::ready(Ok(())).boxed());
            }
        };
        let spoken = Spoken { choice, text, by: self.connection.id.clone() };
        let replied = self.connection.hub.session(&session).reply(item, spoken);
        Ok(async move { replied.await.map_err(RpcError::from) }.boxed())
    }

    /// The session for a place: the one that is attached to, else the latest that lives in its folder, else a new one.
    async fn session(&self, place: Option<&Place>, mode: Mode) -> Result<SessionHandle, RpcError> {
        let file = place.and_then(|place| file(&place.uri));
        let folder = {
            let mut desk = self.desk();
            if let Some(view) = desk.view(file.as_ref()) {
                return Ok(view.handle.clone());
            }
            desk.folder_for(file.as_ref())
        };
        let folder = match (folder, &file) {
            (Some(folder), _) => folder,
            (None, Some(file)) => repository(file),
            (None, None) => {
                let message = "this editor opened no folder; ask about a place in a file";
                return Err(RpcError::new(ErrorKind::WrongState, message));
            }
        };
        self.desk().settle_in(&folder);
        let hub = &self.connection.hub;
        let living = hub.live_sessions().await.into_iter();
        let here = living.filter(|session| session.workspace == folder.to_string() && !session.archived);
        let id = match here.max_by(|one, other| one.updated_at.cmp(&other.updated_at)) {
            Some(session) => session.id,
            None => {
                let environment = self.connection.environment.clone();
                let new =
                    NewSession { workspace: folder.clone(), mode, model: None, effort: None, title: None, environment };
                hub.new_session(new).await.map_err(RpcError::from)?.id
            }
        };
        self.attach(folder, &id).await
    }

    async fn attach(&self, folder: AbsPath, id: &SessionId) -> Result<SessionHandle, RpcError> {
        let connection = &self.connection;
        let tap = connection.outbox.attach(id);
        let handle = connection.hub.session(id);
        let outlet = Arc::new(tap.clone());
        match handle.attach(connection.id.clone(), connection.environment.clone(), outlet).await {
            Ok(attached) => {
                let (view, tellings) = View::new(folder, handle.clone(), &attached);
                self.desk().open(view, tellings);
                tap.open(&attached, None);
                // Nothing goes to the client before the updates.
                connection.outbox.answer(Vec::new());
                self.news.notify_one();
                self.look_again();
                Ok(handle)
            }
            Err(error) => {
                tap.close();
                Err(error.into())
            }
        }
    }

    /// The question that a person wrote into the text, as a comment that is selected.
    async fn comment(&self, place: &Place) -> Option<String> {
        let file = file(&place.uri)?;
        let folder = self.desk().folder_for(Some(&file))?;
        let path = RootedPath::below(&folder, &file)?;
        let read = self.connection.hub.workspaces().open(&folder).read(&path, LOOKED_AT, None).await.ok()?;
        desk::comment(read.text()?, place.range)
    }
}

/// Whole lines, whatever the client counts columns in.
fn selection(place: &Place) -> InputPart {
    let (first, last) = lines(place.range);
    let position = |line| ours::Position { line, character: 0 };
    let range = ours::Range { start: position(first), end: position(last) };
    let uri = file(&place.uri).map_or_else(|| place.uri.clone(), |file| file.to_uri());
    InputPart::Selection { uri, range }
}

/// The repository that a file is in, else its folder.
fn repository(file: &AbsPath) -> AbsPath {
    let above = || file.as_path().ancestors().skip(1);
    let root = above().find(|folder| folder.join(".git").exists()).or_else(|| above().next());
    root.and_then(|root| AbsPath::new(root).ok()).unwrap_or_else(|| file.clone())
}

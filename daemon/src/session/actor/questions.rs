//! Questions of a session: how one opens, how its answer reaches the turn that waits, and what becomes of one whose daemon ended first.

use super::turns::Work;
use super::{Running, Turn};
use crate::config::rules::{self, StoredRule, digest};
use crate::cx::{self, Question};
use crate::policy::command::quoted;
use crate::policy::rules as policy;
use crate::session::{Answer, Event, Given, SessionError, asked, state};
use pilotfish_protocol::{
    Approval, ApprovalId, Audience, Decision, FaultKind, Item, ItemContent, ItemId, Notice, Rule, RulePreview, Scope,
    SessionStatus, Status, StopReason, Update, Usage,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::task::Poll;
use tokio::sync::oneshot;

/// What a waiting call says when its turn is stopped after a restart.
const STOPPED: &str = "[interrupted by the person while this waited for an answer; it did not go on]";

/// What the running turn asks: to each open question, who waits for its answer.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<ApprovalId, Asked>,
    /// The same, of what it asks in words.
    pub(super) inquiries: BTreeMap<ItemId, oneshot::Sender<cx::Said>>,
    /// What the turn did before it began to wait, or has said since.
    pub(super) meanwhile: Option<SessionStatus>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The turn, which waits.
    Turn,
    /// A command beside it.
    Command,
}

#[derive(Debug)]
struct Asked {
    asker: Asker,
    question: Question,
    answer: oneshot::Sender<cx::Answer>,
}

impl Questions {
    /// Takes out what commands ask.
    pub(super) fn of_commands(&mut self) -> Vec<(ApprovalId, oneshot::Sender<cx::Answer>)> {
        let asked = self.open.extract_if(.., |_, asked| asked.asker == Asker::Command);
        asked.map(|(id, asked)| (id, asked.answer)).collect()
    }

    /// Waits until the turn takes a question back.
    pub(super) async fn withdrawn(&mut self) {
        std::future::poll_fn(|context| {
            let mut taken_back = self.open.values_mut().any(|asked| asked.answer.poll_closed(context).is_ready());
            taken_back |= self.inquiries.values_mut().any(|answer| answer.poll_closed(context).is_ready());
            if taken_back { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Running {
    /// Asks the person, unless the answer is remembered. In the journal before anybody is asked.
    pub(super) async fn ask(&mut self, mut question: Question, answer: oneshot::Sender<cx::Answer>, asker: Asker) {
        question.grants = self.memory.left(&question);
        if question.grants.is_empty() {
            // Nobody waits for it when the turn was dropped.
            let _ = answer.send(cx::Answer { decision: Decision::Once, note: None, remembered: true });
            return;
        }
        let mut item = self.item(ItemContent::Notice(Notice { text: String::new(), audience: Audience::Person }));
        let id = asked::id(&self.state.session.id, &item.id);
        let approval = question.approval(id.clone());
        item.content = ItemContent::Approval(Box::new(approval.clone()));
        let updates = vec![Update::ItemStarted { item }, Update::ApprovalOpened { approval: Box::new(approval) }];
        if let Err(error) = self.record(updates).await {
            // The turn hears of it as `answer` is dropped, and ends with this for its reason.
            tracing::error!(session = %self.state.session.id, %error, "a question cannot be asked without the journal");
            self.unrecorded = Some(error.to_string());
            return;
        }
        tracing::info!(session = %self.state.session.id, approval = %id, "asked");
        self.questions.open.insert(id, Asked { asker, question, answer });
        self.begin_to_wait();
    }

    /// Remembers what the turn did, and says that the session waits for the person.
    pub(super) fn begin_to_wait(&mut self) {
        if self.questions.meanwhile.is_none() {
            self.questions.meanwhile = Some(self.state.session.status.clone());
        }
        self.show_waiting();
    }

    /// Closes the questions that the turn took back.
    pub(super) async fn close_withdrawn(&mut self) {
        let gone: Vec<ApprovalId> =
            self.questions.open.extract_if(.., |_, asked| asked.answer.is_closed()).map(|(id, _)| id).collect();
        let silent = self.questions.inquiries.extract_if(.., |_, answer| answer.is_closed());
        let silent: Vec<ItemId> = silent.map(|(id, _)| id).collect();
        if gone.is_empty() && silent.is_empty() {
            return;
        }
        let closed = |approval: &Approval| gone.contains(&approval.id);
        let updates = self.state.approvals.iter().filter(|approval| closed(approval));
        let updates = updates.flat_map(|approval| self.unanswered(&approval.id));
        let ended = silent.iter().filter_map(|id| self.state.open.get(id).cloned());
        let updates: Vec<Update> = updates.chain(ended.map(|item| Update::ItemEnded { item })).collect();
        self.record_or_log(updates).await;
        self.show_waiting();
    }

    /// Says that the session waits for the person, or that it goes on.
    pub(super) fn show_waiting(&mut self) {
        let open = self.state.approvals.len() + self.state.inquiries().count();
        let beside = self.questions.open.values().filter(|asked| asked.asker == Asker::Command).count();
        if let Some(turn) = &mut self.turn {
            // A turn that goes on while a command asks does not wait.
            turn.running.waits(open > beside);
        }
        if self.turn.as_ref().is_some_and(|turn| turn.cancel.is_cancelled()) {
            self.questions.meanwhile = None;
        } else if open > 0 {
            let words = self.state.inquiries().next().filter(|_| open == 1).map(|(_, question)| &question.text);
            let text = match words {
                Some(words) => format!("waiting for you: {}", words.split_whitespace().collect::<Vec<_>>().join(" ")),
                None => format!("waiting for you ({open})"),
            };
            let status = SessionStatus { state: Status::Waiting, text };
            self.show(Update::StatusChanged { status });
        } else if let Some(status) = self.questions.meanwhile.take() {
            self.show(Update::StatusChanged { status });
        }
    }

    /// Shows what the turn does, unless it waits for the person.
    pub(super) fn show_status(&mut self, status: SessionStatus) {
        match &mut self.questions.meanwhile {
            Some(meanwhile) => *meanwhile = status,
            None => self.show(Update::StatusChanged { status }),
        }
    }

    /// Takes an answer. The first one counts; it is in the journal before the turn hears it.
    pub(super) async fn answer(
        &mut self,
        ids: &[ApprovalId],
        mut given: Given,
    ) -> Result<Vec<ApprovalId>, SessionError> {
        self.close_withdrawn().await;
        let open: Vec<Approval> =
            self.state.approvals.iter().filter(|approval| ids.contains(&approval.id)).cloned().collect();
        let Some(first) = open.first() else { return Err(self.why_closed(ids).await) };
        if self.turn.as_ref().is_some_and(|turn| turn.cancel.is_cancelled()) {
            return Err(SessionError::NoLongerAsked(first.id.clone()));
        }
        let running = self.may_go_on()?;
        let saved = self.remember_rule(&mut given, &open).await?;
        if let Err(error) = self.record(self.answered(&open, &given)).await {
            if let Some(id) = saved.and_then(|rule| rule.id) {
                // What is not recorded did not happen.
                let _ = rules::revoke(self.parts.config.home(), &id);
            }
            return Err(error);
        }
        for approval in &open {
            tracing::info!(session = %self.state.session.id, approval = %approval.id, by = %given.by, decision = ?given.decision, "answered");
            match self.questions.open.remove(&approval.id) {
                Some(asked) => self.tell(asked, &given),
                None => self.keep_for_later(approval, &given.decision),
            }
        }
        self.show_waiting();
        if let Some(running) = running
            && !self.state.is_asking()
        {
            self.go_on_cut(running).await;
        }
        Ok(open.into_iter().map(|approval| approval.id).collect())
    }

    fn tell(&mut self, asked: Asked, given: &Given) {
        let Asked { question, answer, .. } = asked;
        if given.decision == Decision::Session {
            self.memory.keep(&question);
        }
        let (decision, note) = (given.decision.clone(), given.note.clone());
        // A turn that was stopped in this moment does nothing with it.
        let _ = answer.send(cx::Answer { decision, note, remembered: false });
    }

    fn keep_for_later(&mut self, approval: &Approval, decision: &Decision) {
        match decision {
            Decision::Once | Decision::Always { .. } => self.memory.allow_once(approval),
            Decision::Session => self.memory.keep_read(approval),
            Decision::Deny => {}
        }
    }

    /// What an answer records: the questions' ends, what of it is remembered, and the ends of the calls that no longer wait for anybody.
    fn answered(&self, open: &[Approval], given: &Given) -> Vec<Update> {
        let mut updates = Vec::new();
        for approval in open {
            if let Some(mut item) = self.state.open.get(&asked::item_of(&approval.id)).cloned() {
                let (decision, by, note) = (Some(given.decision.clone()), Some(given.by.clone()), given.note.clone());
                item.content = ItemContent::Approval(Box::new(Approval { decision, by, note, ..approval.clone() }));
                updates.push(Update::ItemEnded { item });
            }
            let (approval_id, decision) = (approval.id.clone(), given.decision.clone());
            updates.push(Update::ApprovalClosed { approval_id, by: Some(given.by.clone()), decision });
            // What is shown escaped is only known as it was by the turn that asked.
            if self.turn.is_some() || !approval.escaped || given.decision != Decision::Session {
                updates.extend(remembered(approval, &given.decision).map(|text| self.notice(text, Audience::Person)));
            }
        }
        if self.turn.is_none() {
            updates.extend(self.cut_answers(open, given));
        }
        updates
    }

    /// The calls whose last question was answered after their daemon ended, and what the model is told of it.
    fn cut_answers(&self, open: &[Approval], given: &Given) -> Vec<Update> {
        let left = |item: &ItemId| {
            let still = |approval: &&Approval| approval.item_id == *item && !open.contains(approval);
            self.state.approvals.iter().any(|approval| still(&approval))
        };
        let mut updates = Vec::new();
        let said = match &given.decision {
            Decision::Deny => cx::said_no(given.note.as_deref()),
            Decision::Once | Decision::Session | Decision::Always { .. } => "the person allowed it since".to_owned(),
        };
        let mut ended: Vec<&ItemId> = Vec::new();
        for approval in open {
            if !left(&approval.item_id)
                && !ended.contains(&&approval.item_id)
                && let Some(item) = self.state.open.get(&approval.item_id)
            {
                ended.push(&approval.item_id);
                let why = format!("[interrupted: pilotfish ended while this waited for an answer; {said}]");
                updates.push(Update::ItemEnded { item: state::cut_short(item.clone(), &why) });
            }
            let what = format!("{} ({})", approval.title, approval.grants.join(", "));
            let text = match &given.decision {
                Decision::Deny => {
                    format!("pilotfish was restarted while this waited for an answer: {what}. Since then {said}")
                }
                Decision::Once | Decision::Session | Decision::Always { .. } => format!(
                    "pilotfish was restarted while this waited for an answer: {what}. The person allowed it; nothing was \
                     run again by itself, so make the same call again if it is still needed"
                ),
            };
            updates.push(self.notice(text, Audience::Both));
        }
        updates
    }

    /// Saves the rule of an *always*, as it may be for each of the questions. Gives it back as it stands in the file.
    async fn remember_rule(&self, given: &mut Given, open: &[Approval]) -> Result<Option<Rule>, SessionError> {
        let Decision::Always { rule } = &mut given.decision else { return Ok(None) };
        for approval in open {
            fits(approval, rule)?;
        }
        let home = self.parts.config.home().clone();
        let workspace = PathBuf::from(&self.state.session.workspace);
        *rule = Rule {
            id: Some(self.parts.clock.rule_id()),
            file: Some(home.rules_file().display().to_string()),
            hits: 0,
            used_at: None,
            ..rule.clone()
        };
        let given_at = self.parts.clock.now();
        let saved = rule.clone();
        // It reads the script, waits for others who change the file, and for the disk.
        let save = move || {
            let digest = script_digest(&saved, &workspace)?;
            let workspace = (saved.scope == Scope::Workspace).then_some(workspace);
            let stored = StoredRule { rule: saved, workspace, given_at, digest };
            rules::add(&home, &stored).map_err(|error| SessionError::NoSuchRule(error.to_string()))
        };
        let saved = tokio::task::spawn_blocking(save).await;
        saved.map_err(|error| SessionError::NoSuchRule(error.to_string()))??;
        Ok(Some(rule.clone()))
    }

    /// What saving a rule for an open question would mean.
    pub(super) async fn preview(&self, id: &ApprovalId, rule: Option<Rule>) -> Result<RulePreview, SessionError> {
        let Some(approval) = self.state.approvals.iter().find(|approval| approval.id == *id) else {
            return Err(self.why_closed(std::slice::from_ref(id)).await);
        };
        let proposed = approval.rule.clone().ok_or_else(no_rule)?;
        let rule = Rule { id: None, file: None, hits: 0, used_at: None, ..rule.unwrap_or(proposed) };
        fits(approval, &rule)?;
        script_digest(&rule, Path::new(&self.state.session.workspace))?;
        let file = self.parts.config.home().rules_file().display().to_string();
        Ok(RulePreview { file, also_runs: policy::also_runs(&rule), still_asks: policy::still_asks(&rule), rule })
    }

    /// Why none of these is an open question.
    async fn why_closed(&self, ids: &[ApprovalId]) -> SessionError {
        let session = self.state.session.id.clone();
        for id in ids {
            match self.parts.journal.item(&session, &asked::item_of(id)).await {
                Ok(Some((Item { content: ItemContent::Approval(approval), .. }, _))) => {
                    let id = id.clone();
                    let answered = approval.decision.is_some();
                    return if answered { SessionError::AlreadyAnswered(id) } else { SessionError::NoLongerAsked(id) };
                }
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
        let what = ids.first().map_or_else(|| "question without a name".to_owned(), |id| format!("question {id}"));
        SessionError::NoSuch { session, what }
    }

    /// Ends as an event says: as a client closes the session, or as the daemon ends, which leaves a turn that waits for the person as it is.
    pub(super) async fn end(&mut self, event: Event) -> Option<Answer<()>> {
        if matches!(event, Event::Close { .. }) || !self.state.is_asking() {
            // Before its commands end, which may take a while.
            self.turn.iter().for_each(|turn| turn.cancel.cancel());
        }
        self.end_commands().await;
        match event {
            Event::End { answer } => {
                let waits = self.state.is_asking();
                match self.turn.take_if(|turn| waits && !turn.cancel.is_cancelled()) {
                    Some(turn) => cut(turn).await,
                    // What a crash cut, or what waits for an answer, is the next daemon's.
                    None if self.turn.is_none() => {}
                    None => self.end_turn().await,
                }
                Some(answer)
            }
            Event::Close { answer } => {
                self.end_turn().await;
                Some(answer)
            }
            // Nothing else is an end.
            _ => None,
        }
    }

    /// Ends a turn that was cut, by a crash or while it waited; what it asked stays without an answer.
    pub(super) async fn end_cut_turn(&mut self) {
        let (None, Some(turn_id)) = (&self.turn, self.state.turn.clone()) else { return };
        let mut updates: Vec<Update> = Vec::new();
        for approval in &self.state.approvals {
            updates.extend(self.unanswered(&approval.id));
        }
        updates.extend(self.state.inquiries().map(|(item, _)| Update::ItemEnded { item: item.clone() }));
        let calls = self.state.open.values().filter(|item| matches!(item.content, ItemContent::ToolCall(_)));
        updates.extend(calls.map(|item| Update::ItemEnded { item: state::cut_short(item.clone(), STOPPED) }));
        let (stop, at) = (StopReason::Interrupted, self.parts.clock.now());
        updates.push(Update::TurnEnded { turn_id, stop, usage: Usage::default(), at });
        self.record_or_log(updates).await;
        self.questions.meanwhile = None;
    }

    /// All that a cut turn waited for is answered: it goes on.
    pub(super) async fn go_on_cut(&mut self, running: crate::session::RunningTurn) {
        let Some(turn_id) = self.state.turn.clone() else { return };
        let result = match self.load_history().await {
            Ok(()) => match self.environment_notice() {
                Some(item) => {
                    let recorded = self.record(vec![Update::ItemEnded { item: item.clone() }]).await;
                    self.history.get_or_insert_default().push(item);
                    recorded
                }
                None => Ok(()),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            return self.fail_turn(&turn_id, FaultKind::Journal, error.to_string(), true).await;
        }
        let history = self.history.take().unwrap_or_default();
        self.launch(turn_id, history, running, Work::Answer).await;
    }

    /// The end of a question that nobody answered.
    pub(super) fn unanswered(&self, id: &ApprovalId) -> impl Iterator<Item = Update> + use<> {
        let item = self.state.open.get(&asked::item_of(id)).cloned();
        let closed = Update::ApprovalClosed { approval_id: id.clone(), by: None, decision: Decision::Deny };
        item.map(|item| Update::ItemEnded { item }).into_iter().chain([closed])
    }

    fn notice(&self, text: String, audience: Audience) -> Update {
        Update::ItemEnded { item: self.item(ItemContent::Notice(Notice { text, audience })) }
    }
}

/// Leaves a turn as it is in the journal: its task ends, and nothing is recorded of that.
async fn cut(turn: Turn) {
    turn.task.abort();
    // It was only waiting, or it has just ended by itself.
    let _ = turn.task.await;
}

/// Whether a rule may answer a question.
fn fits(approval: &Approval, rule: &Rule) -> Result<(), SessionError> {
    let proposed = approval.rule.as_ref().ok_or_else(no_rule)?;
    policy::answers(rule, proposed).map_err(|error| SessionError::NoSuchRule(error.to_string()))
}

fn no_rule() -> SessionError {
    SessionError::NoSuchRule("no rule can stand for this question; answer it once, or for this session".to_owned())
}

/// The digest of the script that a rule names, which has to be there.
fn script_digest(rule: &Rule, workspace: &Path) -> Result<Option<String>, SessionError> {
    let Some(script) = policy::script(&rule.argv) else { return Ok(None) };
    let unreadable =
        || SessionError::NoSuchRule(format!("{script} cannot be read, and a rule holds for its bytes only"));
    digest(&workspace.join(script)).map(Some).ok_or_else(unreadable)
}

/// What was remembered, for the person, and how to take it back.
fn remembered(approval: &Approval, decision: &Decision) -> Option<String> {
    match decision {
        Decision::Once | Decision::Deny => None,
        Decision::Session => Some(format!(
            "Until this session is closed, it is not asked again: {} ({}). Closing the session forgets it.",
            approval.title,
            approval.grants.join(", ")
        )),
        Decision::Always { rule } => {
            let (words, grants) = (quoted(&rule.argv), rule.grants.join(", "));
            let more = if rule.prefix { " with any words behind it" } else { "" };
            let place = match rule.scope {
                Scope::Workspace => "in this workspace",
                Scope::Everywhere => "everywhere",
            };
            let (file, id) = (rule.file.as_deref().unwrap_or_default(), rule.id.as_ref().map_or("", |id| &id.0));
            Some(format!(
                "Remembered in {file}: `{words}`{more} gets {grants} {place} without being asked. \
                 `pilotfish rules revoke {id}` forgets it."
            ))
        }
    }
}

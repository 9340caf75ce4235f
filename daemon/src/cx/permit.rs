//! Asking the person: what a tool needs beyond what it may do anyhow, and how it comes to a yes or a no. What needs asking is decided by
//! whoever asks; a yes gives what it names and nothing else.

use super::{TurnCx, TurnError, TurnEvent};
use crate::config::Home;
use crate::config::rules::{StoredRule, held, uses};
use crate::policy::command::Segment;
use crate::policy::rules::{Remembered, UNCONFINED, propose, script};
use crate::policy::{Outcome, judge_grant};
use crate::text::shown::{Shown, shown, shown_line};
use pilotfish_protocol::{Approval, ApprovalId, ApprovalSegment, Decision, Edit, ItemId, Rule, RuleId};
use std::path::Path;
use tokio::sync::oneshot;

/// What a grant begins with that lets a command reach a host.
pub const HOST: &str = "host:";

/// What a grant begins with that lets something outside the workspace be written.
pub const PATH: &str = "path:";

/// What a grant begins with that lets a protected name of the workspace be changed. No rule ever gives it.
pub const PROTECTED: &str = "protected:";

/// What a call needs, as its tool says it.
#[derive(Debug)]
pub struct Need<'a> {
    /// The call that waits.
    pub item: &'a ItemId,
    /// The whole command line, when the need is one's.
    pub command: Option<&'a str>,
    /// What a yes gives, each such as `host:example.org`, `path:/abs`, `protected:.vscode/settings.json` or `unconfined`. Never empty.
    pub grants: Vec<String>,
    /// One line: what would happen.
    pub title: String,
    /// What it is about; when it is about a command, its line is shown in the stead of this.
    pub detail: String,
    /// Where it would happen, an absolute path.
    pub cwd: String,
    /// Why it is asked.
    pub reason: String,
    /// What would change, when it is about files.
    pub edits: Vec<Edit>,
}

/// Whether a need is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// It is.
    Granted {
        /// By what.
        by: GrantedBy,
    },
    /// It is not.
    Denied {
        /// For the model, such as `the person said no: push by hand`.
        why: String,
    },
}

/// What gave a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantedBy {
    /// Remembered rules.
    Rule,
    /// An answer that was given before, for the rest of the session.
    Session,
    /// An answer to this question.
    Answer,
}

/// A question for the person, with nothing in it escaped yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The call that waits.
    pub item_id: ItemId,
    /// The whole command line, when it is about one.
    pub command: Option<String>,
    /// What no rule gives.
    pub grants: Vec<String>,
    /// One line: what would happen.
    pub title: String,
    /// What it is about, when it is about no command.
    pub detail: String,
    /// Where it would happen.
    pub cwd: String,
    /// Why it is asked.
    pub reason: String,
    /// What would change.
    pub edits: Vec<Edit>,
    /// What the command line runs.
    pub segments: Vec<ApprovalSegment>,
    /// What *always* would save.
    pub rule: Option<Rule>,
}

/// What the person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub decision: Decision,
    /// A sentence for the model.
    pub note: Option<String>,
    /// Nobody was asked: it was said before, or it is a no because nobody can be asked, as the note then says.
    pub remembered: bool,
}

impl TurnCx {
    /// Meets a need: by remembered rules, by what was answered in this session, or by asking. Waits for the person as long as the turn
    /// does; dropping the wait takes the question back.
    ///
    /// # Errors
    /// When the turn is interrupted, or cannot go on.
    pub async fn permit(&self, need: Need<'_>) -> Result<Permission, TurnError> {
        let judged = self.judge(&need).await;
        if let Some(why) = judged.refusal {
            return Ok(Permission::Denied { why });
        }
        if judged.left.is_empty() {
            return Ok(Permission::Granted { by: GrantedBy::Rule });
        }
        let reason = judged.trouble.map_or(need.reason.clone(), |trouble| format!("{}. {trouble}", need.reason));
        let question = Question {
            item_id: need.item.clone(),
            command: need.command.map(str::to_owned),
            grants: judged.left,
            title: need.title,
            detail: need.detail,
            cwd: need.cwd,
            reason,
            edits: need.edits,
            segments: judged.segments,
            rule: judged.rule,
        };
        let answer = self.ask(question).await?;
        Ok(match (answer.decision, answer.remembered) {
            (Decision::Deny, true) => Permission::Denied { why: answer.note.unwrap_or_else(|| said_no(None)) },
            (Decision::Deny, false) => Permission::Denied { why: said_no(answer.note.as_deref()) },
            (Decision::Once | Decision::Session | Decision::Always { .. }, remembered) => {
                Permission::Granted { by: if remembered { GrantedBy::Session } else { GrantedBy::Answer } }
            }
        })
    }

    /// Asks the person. The question is in the journal before anybody sees it, and is taken back when this is dropped.
    ///
    /// # Errors
    /// When the turn is interrupted, or cannot go on.
    pub async fn ask(&self, question: Question) -> Result<Answer, TurnError> {
        if self.cancel.is_cancelled() {
            return Err(TurnError::Interrupted);
        }
        let (answer, answered) = oneshot::channel();
        let asked = TurnEvent::Ask(Box::new(question), answer);
        self.events.send(asked).await.map_err(|_| TurnError::Orphaned)?;
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(TurnError::Interrupted),
            answer = answered => answer.map_err(|_| TurnError::Orphaned),
        }
    }

    /// What rules say of a need. The files are read anew, on a thread that may wait for a disk.
    async fn judge(&self, need: &Need<'_>) -> Judged {
        let Some(command) = need.command.map(str::to_owned) else {
            return Judged { left: need.grants.clone(), ..Judged::default() };
        };
        let root = self.workspace.root().as_path().to_owned();
        // Rules say nothing of where a command starts, so they hold at the root alone.
        let at_root = Path::new(&need.cwd) == root;
        let (home, clock, grants) = (self.home.clone(), self.clock.clone(), need.grants.clone());
        let judging = tokio::task::spawn_blocking(move || {
            let (rules, trouble) = if at_root { remembered(&home, &root) } else { (Vec::new(), None) };
            let (mut judged, used) = judge(&command, grants, &rules);
            if !at_root {
                judged.rule = None;
            }
            judged.trouble = trouble;
            if judged.left.is_empty()
                && !used.is_empty()
                && let Err(error) = uses::count(&home, &used, &clock.now())
            {
                tracing::warn!(%error, "could not count the use of a rule");
            }
            judged
        });
        judging.await.unwrap_or_else(|error| {
            tracing::error!(%error, "rules could not be judged");
            Judged { left: need.grants.clone(), ..Judged::default() }
        })
    }
}

impl Question {
    /// As it is shown, under an id.
    #[must_use]
    pub fn approval(&self, id: ApprovalId) -> Approval {
        let mut screen = Screen { escaped: false };
        Approval {
            id,
            item_id: self.item_id.clone(),
            title: screen.line(&self.title),
            detail: screen.text(self.command.as_deref().unwrap_or(&self.detail)),
            cwd: screen.line(&self.cwd),
            reason: screen.line(&self.reason),
            grants: self.grants.iter().map(|grant| screen.line(grant)).collect(),
            segments: self.segments.iter().map(|part| screen.segment(part)).collect(),
            edits: self.edits.iter().map(|edit| screen.edit(edit)).collect(),
            escaped: screen.escaped,
            // Its words come out of a parser that takes nothing unseen.
            rule: self.rule.clone(),
            decision: None,
            by: None,
            note: None,
        }
    }
}

/// What a question is put on, and whether anything there is shown otherwise than it is.
struct Screen {
    escaped: bool,
}

impl Screen {
    fn text(&mut self, text: &str) -> String {
        self.put(shown(text))
    }

    fn line(&mut self, text: &str) -> String {
        self.put(shown_line(text))
    }

    fn put(&mut self, shown: Shown) -> String {
        self.escaped |= shown.escaped;
        shown.text
    }

    fn segment(&mut self, segment: &ApprovalSegment) -> ApprovalSegment {
        ApprovalSegment { text: self.text(&segment.text), asks: segment.asks }
    }

    fn edit(&mut self, edit: &Edit) -> Edit {
        let mut edit = edit.clone();
        edit.path = self.line(&edit.path);
        for hunk in &mut edit.hunks {
            let (old, new) = (self.text(&hunk.old_text), self.text(&hunk.new_text));
            if (&old, &new) != (&hunk.old_text, &hunk.new_text) {
                // They point into lines that are shown otherwise now.
                hunk.spans.clear();
            }
            (hunk.old_text, hunk.new_text) = (old, new);
        }
        edit
    }
}

/// What a no says to the model.
#[must_use]
pub fn said_no(note: Option<&str>) -> String {
    match note.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => format!("the person said no: {note}"),
        None => "the person said no".to_owned(),
    }
}

/// What rules say of a need.
#[derive(Debug, Default)]
struct Judged {
    /// What no rule gives.
    left: Vec<String>,
    segments: Vec<ApprovalSegment>,
    rule: Option<Rule>,
    /// Why it is not even a question.
    refusal: Option<String>,
    /// Why no rule could be read.
    trouble: Option<String>,
}

fn judge(command: &str, grants: Vec<String>, rules: &[Remembered]) -> (Judged, Vec<RuleId>) {
    let (mut judged, mut used) = (Judged::default(), Vec::new());
    let mut asking: Vec<Segment> = Vec::new();
    for grant in grants {
        // No rule gives what is protected, whatever its file says.
        let judgement = judge_grant(command, &grant, if may_be_ruled(&grant) { rules } else { &[] });
        match judgement.outcome {
            Outcome::Run => {
                used.extend(judgement.segments.into_iter().filter_map(|(_, rule)| rule?.id));
                continue;
            }
            Outcome::Ask => {}
            Outcome::Refuse => judged.refusal = Some(format!("refused: {}", judgement.reason)),
        }
        let asks = judgement.segments.iter().map(|(_, rule)| rule.is_none());
        if judged.segments.is_empty() {
            let part = |(segment, _): &(Segment, _)| ApprovalSegment { text: text(segment), asks: false };
            judged.segments = judgement.segments.iter().map(part).collect();
        }
        if may_be_ruled(&grant) {
            judged.segments.iter_mut().zip(asks).for_each(|(part, asks)| part.asks |= asks);
            let unmatched = judgement.segments.into_iter().filter(|(_, rule)| rule.is_none());
            asking.extend(unmatched.map(|(segment, _)| segment));
        }
        judged.left.push(grant);
    }
    judged.rule = proposal(asking, &judged.left);
    used.sort();
    used.dedup();
    (judged, used)
}

/// What *always* would save: one rule, when one is all that is missing.
fn proposal(mut asking: Vec<Segment>, grants: &[String]) -> Option<Rule> {
    asking.dedup();
    let [Segment::Simple(simple)] = asking.as_slice() else { return None };
    let grant = grants.first()?;
    if !grants.iter().all(|grant| may_be_ruled(grant)) || !simple.env.is_empty() || simple.directory.is_some() {
        return None;
    }
    let rule = propose(&simple.to_shell(), grant)?;
    Some(Rule { grants: grants.to_vec(), ..rule })
}

fn may_be_ruled(grant: &str) -> bool {
    grant == UNCONFINED || grant.starts_with(HOST) || grant.starts_with(PATH)
}

fn text(segment: &Segment) -> String {
    match segment {
        Segment::Simple(simple) => simple.to_shell(),
        Segment::Opaque { text, .. } => text.clone(),
    }
}

/// The rules that hold at a root; or none, and why.
fn remembered(home: &Home, root: &Path) -> (Vec<Remembered>, Option<String>) {
    match held(home, root, script) {
        Ok(held) => {
            let remembered =
                |(stored, present): (StoredRule, _)| Remembered { rule: stored.rule, given: stored.digest, present };
            (held.into_iter().map(remembered).collect(), None)
        }
        Err(error) => {
            let error = error.to_string();
            let line: Vec<&str> = error.split_whitespace().collect();
            (Vec::new(), Some(format!("No remembered answer holds, as {}", line.join(" "))))
        }
    }
}

#[cfg(test)]
mod tests;

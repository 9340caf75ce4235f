//! Questions as requests of this protocol: what the client is asked, which of its answers is which of ours, and which requests nobody
//! needs answered any more. Pure.

use super::tools;
use super::wire::{
    Block, CancelRequest, Permission, PermissionKind, PermissionOption, RequestPermission, Tool, ToolContent,
};
use crate::door::envelope::{self, Id};
use pilotfish_protocol::{Approval, ApprovalId, Decision, ItemId, Question, Scope, SessionId};
use std::collections::BTreeSet;

/// Characters of a command that an option names.
const NAMED: usize = 120;

/// The requests of one connection that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    pending: Vec<Pending>,
    last: i64,
}

#[derive(Debug)]
struct Pending {
    id: i64,
    session_id: SessionId,
    asked: Asked,
}

/// What a request asks.
#[derive(Debug)]
enum Asked {
    Approval(Box<Approval>),
    /// The model's question that an item shows, and how many choices it has.
    Question(ItemId, u32),
}

/// What a client's answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// To a question of policy.
    Decision(ApprovalId, Decision),
    /// To a question of the model: the place of a choice, or nothing.
    Reply(SessionId, ItemId, Option<u32>),
}

impl Permissions {
    /// The request that asks the client; empty when it was asked already.
    pub(super) fn ask(&mut self, session_id: &SessionId, approval: &Approval) -> Vec<u8> {
        if self.is_asked(|asked| matches!(asked, Asked::Approval(known) if known.id == approval.id)) {
            return Vec::new();
        }
        let id = self.next_id();
        let request = RequestPermission { session_id, tool_call: call(approval), options: options(approval) };
        let line = envelope::request_line(id, "session/request_permission", &request);
        let asked = Asked::Approval(Box::new(approval.clone()));
        self.pending.push(Pending { id, session_id: session_id.clone(), asked });
        line
    }

    /// The request that asks the client what the model asks in an item, at the call that waits, if one does; empty when it was asked
    /// already.
    pub(super) fn inquire(
        &mut self,
        session_id: &SessionId,
        (item_id, question): (&ItemId, &Question),
        call: Option<&ItemId>,
    ) -> Vec<u8> {
        if self.is_asked(|asked| matches!(asked, Asked::Question(known, _) if known == item_id)) {
            return Vec::new();
        }
        let id = self.next_id();
        let content = vec![ToolContent::Content { content: Block::text(question.text.clone()) }];
        let title = question.text.lines().next().unwrap_or_default().to_owned();
        let tool_call_id = call.unwrap_or(item_id).to_string();
        let tool_call = Tool { tool_call_id, title: Some(title), content: Some(content), ..Tool::default() };
        let option = |option_id, kind, name: String| PermissionOption { option_id, name, kind };
        let choices = (0_u32..).zip(&question.choices);
        let mut options: Vec<PermissionOption> =
            choices.map(|(at, choice)| option(at.to_string(), PermissionKind::AllowOnce, choice.clone())).collect();
        let count = u32::try_from(options.len()).unwrap_or(u32::MAX);
        options.push(option(NO.to_owned(), PermissionKind::RejectOnce, "No answer".to_owned()));
        let request = RequestPermission { session_id, tool_call, options };
        let line = envelope::request_line(id, "session/request_permission", &request);
        let asked = Asked::Question(item_id.clone(), count);
        self.pending.push(Pending { id, session_id: session_id.clone(), asked });
        line
    }

    fn is_asked(&self, is_this: impl Fn(&Asked) -> bool) -> bool {
        self.pending.iter().any(|pending| is_this(&pending.asked))
    }

    /// An id for a request of this connection, also for one that is no question.
    pub(super) fn next_id(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// The client answered a request. Gives the question and what it says to it; nothing for a request that is over.
    pub(super) fn answered(&mut self, id: Option<&Id>, result: Option<&str>) -> Option<Chosen> {
        let Some(Id::Number(id)) = id else { return None };
        let at = self.pending.iter().position(|pending| pending.id == *id)?;
        let Pending { session_id, asked, .. } = self.pending.remove(at);
        let said: Option<Permission> = result.and_then(|result| serde_json::from_str(result).ok());
        let chosen = said.and_then(|said| said.outcome.option_id.filter(|_| said.outcome.outcome == "selected"));
        let approval = match asked {
            Asked::Approval(approval) => approval,
            Asked::Question(item_id, count) => {
                let choice = chosen.and_then(|chosen| chosen.parse().ok()).filter(|choice| *choice < count);
                return Some(Chosen::Reply(session_id, item_id, choice));
            }
        };
        // A client that cancels, or cannot ask, says no: nothing happens that nobody chose.
        let decision = match (chosen.as_deref(), approval.rule) {
            (Some(ONCE), _) => Decision::Once,
            (Some(SESSION), _) => Decision::Session,
            (Some(ALWAYS), Some(rule)) => Decision::Always { rule },
            _ => Decision::Deny,
        };
        Some(Chosen::Decision(approval.id, decision))
    }

    /// A question is closed. Gives what tells the client that its answer is not needed, if it was asked and did not answer.
    pub(super) fn closed(&mut self, approval: &ApprovalId) -> Vec<u8> {
        self.close(|asked| matches!(asked, Asked::Approval(known) if known.id == *approval))
    }

    /// The same, of what the model asked in an item.
    pub(super) fn silent(&mut self, item_id: &ItemId) -> Vec<u8> {
        self.close(|asked| matches!(asked, Asked::Question(known, _) if known == item_id))
    }

    fn close(&mut self, is_this: impl Fn(&Asked) -> bool) -> Vec<u8> {
        let over = self.pending.extract_if(.., |pending| is_this(&pending.asked));
        over.flat_map(|pending| cancelled(pending.id)).collect()
    }

    /// The sessions that ask the client something.
    pub(super) fn sessions(&self) -> BTreeSet<SessionId> {
        self.pending.iter().map(|pending| pending.session_id.clone()).collect()
    }

    /// A session is over for this connection: an answer about it would come too late.
    pub(super) fn leave(&mut self, session_id: &SessionId) {
        self.pending.retain(|pending| pending.session_id != *session_id);
    }
}

const ONCE: &str = "once";
const SESSION: &str = "session";
const ALWAYS: &str = "always";
const NO: &str = "no";

fn cancelled(id: i64) -> Vec<u8> {
    envelope::notification_line("$/cancel_request", &CancelRequest { request_id: Id::Number(id) })
}

/// The call that waits, with all that a person has to know to answer.
fn call(approval: &Approval) -> Tool {
    let Approval { item_id, title, detail, cwd, reason, grants, segments, edits, escaped, .. } = approval;
    let mut words = format!("{detail}\n\nin {cwd}\nasked because {reason}\na yes gives {}\n", grants.join(", "));
    if segments.len() > 1 {
        for part in segments.iter().filter(|part| part.asks) {
            words.push_str(&format!("of that, this needs it: {}\n", part.text));
        }
    }
    if *escaped {
        words.push_str("Some characters of it cannot be seen or change what is; they are shown as \\u{..} here.\n");
    }
    let mut content = vec![ToolContent::Content { content: Block::text(words) }];
    content.extend(edits.iter().flat_map(|edit| tools::change(edit).0));
    Tool { tool_call_id: item_id.to_string(), title: Some(title.clone()), content: Some(content), ..Tool::default() }
}

/// The ways to answer; each yes that lasts says for what.
fn options(approval: &Approval) -> Vec<PermissionOption> {
    let option = |id: &str, kind, name: String| PermissionOption { option_id: id.to_owned(), name, kind };
    let grants = approval.grants.join(", ");
    let what = if approval.segments.is_empty() {
        grants.clone()
    } else {
        format!("`{}` gets {grants}", short(&approval.detail))
    };
    let mut options = vec![
        option(ONCE, PermissionKind::AllowOnce, "Allow once".to_owned()),
        option(SESSION, PermissionKind::AllowAlways, format!("Allow until this session is closed: {what}")),
    ];
    if let Some(rule) = &approval.rule {
        let place = match rule.scope {
            Scope::Workspace => "in this workspace",
            Scope::Everywhere => "everywhere",
        };
        // As a list, so that it is seen where each word ends.
        let words = serde_json::to_string(&rule.argv).unwrap_or_default();
        let more = if rule.prefix { " and any words behind it" } else { ", exactly these words," };
        let name = format!("Always allow {place}, saved in rules.toml: {words}{more} gets {}", rule.grants.join(", "));
        options.push(option(ALWAYS, PermissionKind::AllowAlways, name));
    }
    options.push(option(NO, PermissionKind::RejectOnce, "No".to_owned()));
    options
}

/// The beginning of a command line.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && line.chars().count() <= NAMED {
        return line.to_owned();
    }
    format!("{} …", line.chars().take(NAMED).collect::<String>())
}

#[cfg(test)]
mod tests;

//! Approvals: questions that wait for the person, their answers, and the rules that remember them.

use crate::{ApprovalId, ConnectionId, Edit, ItemId, RuleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question that waits for the person. Its words hold no control or invisible characters: those are shown as `\u{..}`, and a long run of
/// blanks as its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The tool call that waits.
    pub item_id: ItemId,
    /// One line: what would happen.
    pub title: String,
    /// The exact command line, or what else it is about.
    pub detail: String,
    /// Where it would happen, an absolute path.
    pub cwd: String,
    /// Why it is asked.
    pub reason: String,
    /// What a yes gives: `host:NAME`, `path:/abs`, `protected:PATH` from the workspace's root, or `unconfined`.
    #[serde(default)]
    pub grants: Vec<String>,
    /// What the command line runs, in order; empty when it is about no command.
    #[serde(default)]
    pub segments: Vec<ApprovalSegment>,
    /// What would change, when it is about files.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Whether something in it is shown escaped: then it looks other than it is, and a person should look twice.
    #[serde(default)]
    pub escaped: bool,
    /// What *always* would save, unless the person says another; absent when no rule can stand for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The answer, once there is one. A question that ended without was never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Whose answer it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ConnectionId>,
    /// What the person said to the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One thing that a command line runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSegment {
    /// Its words.
    pub text: String,
    /// Whether it is what needs the answer; no rule stands for it.
    pub asks: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Decision {
    /// This time.
    Once,
    /// For the rest of this session.
    Session,
    /// From now on, as the rule says.
    Always {
        /// What is remembered.
        rule: Rule,
    },
    /// No.
    Deny,
}

/// Where a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// In one workspace.
    Workspace,
    /// In all of this person's workspaces.
    Everywhere,
}

/// A remembered answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its id; absent while it is only proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RuleId>,
    /// Where it holds.
    pub scope: Scope,
    /// The words of the command, exactly; with `prefix` any words may follow.
    pub argv: Vec<String>,
    /// Whether more words may follow.
    #[serde(default)]
    pub prefix: bool,
    /// What it grants beyond the sandbox, such as `host:github.com`.
    #[serde(default)]
    pub grants: Vec<String>,
    /// The file it stands in; absent while it is only proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How often it answered.
    #[serde(default)]
    pub hits: u64,
    /// When it last answered, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
}

/// Answer of `rule/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleList {
    /// All that hold here.
    pub rules: Vec<Rule>,
}

/// Answer of `rule/preview`: what saving a rule would mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulePreview {
    /// The rule as it would be saved.
    pub rule: Rule,
    /// The file it would go to.
    pub file: String,
    /// What else would run.
    pub also_runs: Vec<String>,
    /// What would still ask.
    pub still_asks: Vec<String>,
}

/// Answer of `approval/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// The questions this answer closed.
    pub closed: Vec<ApprovalId>,
}

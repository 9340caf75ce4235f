//! Replay: an exported session becomes a script for the fake model and prompts for a person, is played in a fresh daemon, and
//! gives the transcript that it gives now. Knows whole turns only: what was interrupted, steered, queued or broke off is
//! refused.

use crate::daemon::TestDaemon;
use crate::fake_model::{FakeModel, Step, answer};
use pilotfish::cli::sessions::export;
use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Attached, Completion, InputPart, Item, ItemContent, ItemId, Mode, PromptTaken, Session, ToolCall, TurnId, Update,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A prompt, and the answers of the model until it calls no more tools.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The prompt.
    pub input: Vec<InputPart>,
    /// The answers, in order.
    pub answers: Vec<Step>,
}

impl Turn {
    /// Of a prompt in words.
    #[must_use]
    pub fn new(prompt: &str, answers: Vec<Step>) -> Self {
        Self { input: vec![InputPart::Text { text: prompt.to_owned() }], answers }
    }
}

/// An exported session.
#[derive(Debug)]
pub struct Recording {
    lines: Vec<Value>,
}

impl Recording {
    /// Reads the lines of an export.
    ///
    /// # Panics
    /// When they are not JSON, or do not begin with a session.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        let recording = Self { lines };
        let _ = recording.session();
        recording
    }

    /// Plays it again, over a workspace with these files.
    ///
    /// # Panics
    /// When there is something in it that cannot be played.
    pub async fn replay(&self, files: &[(&str, &str)]) -> Self {
        Self::read(&play(self.session().mode, files, self.turns()).await)
    }

    /// All of it, a line each, without what differs from run to run: ids are counted; times, durations, tokens and what only a
    /// provider reads are left out; the workspace is `/workspace`.
    ///
    /// # Panics
    /// Never, as long as it was read.
    #[must_use]
    pub fn transcript(&self) -> String {
        let mut normal = Normal { workspace: self.session().workspace, ids: BTreeMap::new() };
        let lines = self.lines.iter().map(|line| normal.value("", line.clone()).to_string() + "\n");
        lines.collect()
    }

    fn session(&self) -> Session {
        let header = self.lines.first().and_then(|line| line.get("session")).expect("a session comes first");
        serde_json::from_value(header.clone()).expect("the session is of the protocol's form")
    }

    /// The items in their last states, in the order in which they started.
    fn items(&self) -> Vec<Item> {
        let mut order: Vec<ItemId> = Vec::new();
        let mut latest = BTreeMap::new();
        for update in self.lines.iter().filter_map(|line| line.get("update")) {
            let update = serde_json::from_value(update.clone()).expect("an update is of the protocol's form");
            if let Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item } = update {
                if !latest.contains_key(&item.id) {
                    order.push(item.id.clone());
                }
                latest.insert(item.id.clone(), item);
            }
        }
        order.iter().filter_map(|id| latest.remove(id)).collect()
    }

    fn turns(&self) -> Vec<Turn> {
        let mut turns: Vec<Turning> = Vec::new();
        for item in self.items() {
            let Item { turn_id, content, .. } = item;
            match content {
                ItemContent::UserMessage(message) => turns.push(Turning::new(turn_id, message.input)),
                ItemContent::Notice(_) | ItemContent::Edit(_) | ItemContent::Plan(_) => {}
                content => {
                    let turn = turns.last_mut().expect("a prompt comes before an answer");
                    assert_eq!(turn.id, turn_id, "a prompt is answered in its own turn");
                    turn.take(content);
                }
            }
        }
        turns.into_iter().map(Turning::done).collect()
    }
}

/// Plays turns in a fresh daemon with a fresh workspace, and exports the session.
///
/// # Panics
/// When the daemon does not do its part.
pub async fn play(mode: Mode, files: &[(&str, &str)], turns: Vec<Turn>) -> String {
    let model = FakeModel::start(Dialect::Responses).await;
    let daemon = TestDaemon::asking(&model);
    for (path, text) in files {
        std::fs::write(daemon.workspace.path().join(path), text).expect("written");
    }
    let mut editor = daemon.client().await;
    let id = daemon.session_in(&mut editor, mode).await.id;
    let _: Attached = editor.request("session/attach", json!({"sessionId": id})).await.expect("attached");
    for turn in turns {
        for answer in turn.answers {
            model.answers(answer);
        }
        let prompt = json!({"sessionId": id, "input": turn.input});
        let _: PromptTaken = editor.request("session/prompt", prompt).await.expect("taken");
        editor.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
    }
    editor.ignore_rest();
    let mut text = Vec::new();
    export(daemon.hub.journal(), &id, &mut text).await.expect("exported");
    String::from_utf8(text).expect("an export is text")
}

/// A turn while it is put together.
struct Turning {
    id: Option<TurnId>,
    input: Vec<InputPart>,
    answers: Vec<Step>,
    /// The answer that more may belong to, and the step whose calls it makes.
    open: Option<(Step, Option<u32>)>,
}

impl Turning {
    fn new(id: Option<TurnId>, input: Vec<InputPart>) -> Self {
        Self { id, input, answers: Vec::new(), open: None }
    }

    fn take(&mut self, content: ItemContent) {
        match content {
            ItemContent::Reasoning(reasoning) => {
                assert_eq!(reasoning.completion, Completion::Whole, "only whole thoughts can be played");
                self.extend(None, |step| step.thinks(reasoning.text));
            }
            ItemContent::AgentMessage(message) => {
                assert_eq!(message.completion, Completion::Whole, "only whole messages can be played");
                self.extend(None, |step| step.says(message.text));
            }
            ItemContent::ToolCall(ToolCall { step, name, input, .. }) => {
                self.extend(Some(step), |answer| answer.calls_raw(&name, input));
            }
            other => panic!("this cannot be played: {other:?}"),
        }
    }

    /// An answer speaks first and calls last; its calls say which step of the turn they are of.
    fn extend(&mut self, calls: Option<u32>, piece: impl FnOnce(Step) -> Step) {
        let (step, made) = match self.open.take() {
            Some((step, made)) if made.is_none() || made == calls => (step, made),
            over => {
                self.answers.extend(over.map(|(step, _)| step));
                (answer(), None)
            }
        };
        self.open = Some((piece(step), calls.or(made)));
    }

    fn done(mut self) -> Turn {
        self.answers.extend(self.open.map(|(step, _)| step));
        Turn { input: self.input, answers: self.answers }
    }
}

/// What a transcript is made comparable with.
struct Normal {
    workspace: String,
    ids: BTreeMap<String, String>,
}

impl Normal {
    /// The value without what differs; `key` is what an object calls it.
    fn value(&mut self, key: &str, value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let kept =
                    fields.into_iter().filter(|(key, _)| !matches!(key.as_str(), "durationMs" | "usage" | "opaque"));
                Value::Object(kept.map(|(key, value)| (key.clone(), self.value(&key, value))).collect())
            }
            Value::Array(values) => Value::Array(values.into_iter().map(|value| self.value(key, value)).collect()),
            Value::String(text) => Value::String(self.text(key, &text)),
            other => other,
        }
    }

    fn text(&mut self, key: &str, text: &str) -> String {
        match key {
            "at" | "createdAt" | "updatedAt" => "<time>".to_owned(),
            "model" => "<model>".to_owned(),
            "id" | "turnId" | "itemId" | "callId" | "parent" => {
                let next = format!("#{}", self.ids.len() + 1);
                self.ids.entry(text.to_owned()).or_insert(next).clone()
            }
            _ => {
                let mut text = text.replace(&self.workspace, "/workspace");
                // A handle names an item; the calls of the fake model have ids too short to be looked for.
                for (id, name) in self.ids.iter().filter(|(id, _)| !id.starts_with("call_")) {
                    text = text.replace(id, name);
                }
                if text.starts_with("<environment>") { environment(&text) } else { text }
            }
        }
    }
}

/// What the model is told of the day and the machine is of that day and that machine.
fn environment(text: &str) -> String {
    let differs = |line: &&str| !line.starts_with("date: ") && !line.starts_with("platform: ");
    text.lines().filter(differs).collect::<Vec<_>>().join("\n")
}

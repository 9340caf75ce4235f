//! The soak: what must hold when the daemon is killed, has many sessions, is used for long, and is not listened to. Each part is a function
//! that takes its size and answers figures: a small size is a test, the full one some rows of the bench. Owns the load and the
//! counting; which figures are good enough is said by who asks.

pub mod editor;
pub mod frames;
pub mod kills;
pub mod process;
pub mod seen;
pub mod sessions;
pub mod slow;
pub mod turns;
pub mod unread;

use crate::desk::Desk;
use crate::fake_model::{FakeModel, Step};
use anyhow::Context;
use editor::Editor;
use pilotfish::config::Dialect;
use process::Process;
use serde_json::{Value, json};

/// A person's desk, and a model that answers by a rule.
pub struct Rig {
    /// The desk. Its daemon ends with it.
    pub desk: Desk,
    /// The model.
    pub model: FakeModel,
}

impl Rig {
    /// Lays the desk. No daemon runs yet.
    pub async fn lay(rule: impl Fn(&Value) -> Step + Send + Sync + 'static) -> Self {
        let model = FakeModel::by_rule(Dialect::Responses, rule).await;
        let desk = Desk::default();
        let config = format!(
            // Much is said here, and none of it is to be condensed.
            "model = \"fake/one\"\nfinish_check = false\n[providers.fake]\ndialect = \"responses\"\nbase_url = \"{}\"\n\
             models = [{{ id = \"one\", context = 100_000_000 }}]\n",
            model.base_url()
        );
        desk.write("home/config.toml", &config);
        Self { desk, model }
    }

    /// Likewise, with a daemon.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(rule: impl Fn(&Value) -> Step + Send + Sync + 'static) -> anyhow::Result<Self> {
        let rig = Self::lay(rule).await;
        let output = rig.desk.run(&["serve"]).await;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(rig)
    }

    /// An editor on the daemon's socket, with no shim between them.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn editor(&self) -> anyhow::Result<Editor> {
        Editor::direct(&self.desk.home()).await
    }

    /// The daemon's process.
    ///
    /// # Errors
    /// When none runs.
    pub async fn process(&self) -> anyhow::Result<Process> {
        Process::listening(&self.desk.home()).await.context("no daemon listens")
    }

    /// What `session/new` takes.
    #[must_use]
    pub fn opening(&self) -> Value {
        json!({"workspace": self.desk.path("project"), "mode": "agent"})
    }
}

/// The last prompt in a request, and how many calls were answered since.
#[must_use]
pub fn last_prompt(request: &Value) -> (&str, usize) {
    let mut answered = 0;
    for message in request.get("input").and_then(Value::as_array).into_iter().flatten().rev() {
        match message.get("type").and_then(Value::as_str) {
            Some("function_call_output") => answered += 1,
            Some("message") if message.get("role").and_then(Value::as_str) == Some("user") => {
                let words = message.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
                // Facts are told in the same way as prompts are.
                if !words.starts_with("<environment>") {
                    return (words, answered);
                }
            }
            _ => {}
        }
    }
    ("", answered)
}

//! A session as a person has it: a model, a daemon, an editor attached, and files.

use crate::client::TestClient;
use crate::daemon::TestDaemon;
use crate::fake_model::FakeModel;
use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Attached, Done, Item, ItemContent, ItemPage, Mode, PromptTaken, SessionId, SessionUpdate, StopReason, ToolCall,
    Update,
};
use serde_json::{Value, json};

/// A model server, a daemon that asks it, and an editor attached to one session.
pub struct Story {
    /// The model.
    pub model: FakeModel,
    /// The daemon, with its workspace.
    pub daemon: TestDaemon,
    /// The editor.
    pub editor: TestClient,
    /// The session it is attached to.
    pub session: SessionId,
}

impl Story {
    /// With these files in the workspace.
    pub async fn begin(dialect: Dialect, mode: Mode, files: &[(&str, &str)]) -> Self {
        let model = FakeModel::start(dialect).await;
        let daemon = TestDaemon::asking(&model);
        for (path, text) in files {
            let path = daemon.workspace.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("created");
            std::fs::write(path, text).expect("written");
        }
        let mut editor = daemon.client().await;
        let session = daemon.session_in(&mut editor, mode).await.id;
        let _: Attached = editor.request("session/attach", json!({"sessionId": session})).await.expect("attached");
        editor.ignore_rest();
        Self { model, daemon, editor, session }
    }

    /// Asks something of the session.
    pub async fn ask<T: serde::de::DeserializeOwned>(&mut self, method: &str, mut params: Value) -> T {
        params["sessionId"] = json!(self.session);
        self.editor.request(method, params).await.expect("it answers")
    }

    /// Prompts.
    pub async fn prompt(&mut self, text: &str) {
        let _: PromptTaken = self.ask("session/prompt", json!({"input": [{"type": "text", "text": text}]})).await;
    }

    /// Interrupts.
    pub async fn interrupt(&mut self, scope: &str) {
        let _: Done = self.ask("session/interrupt", json!({"scope": scope})).await;
    }

    /// Updates up to the first that fits.
    pub async fn until(&mut self, fits: impl Fn(&Update) -> bool) -> Vec<SessionUpdate> {
        self.editor.updates_until(|update| fits(&update.update)).await
    }

    /// Waits for the turn's end.
    pub async fn end(&mut self) -> StopReason {
        let updates = self.until(|update| matches!(update, Update::TurnEnded { .. })).await;
        let mut stops = updates.iter().rev().filter_map(|update| match &update.update {
            Update::TurnEnded { stop, .. } => Some(*stop),
            _ => None,
        });
        stops.next().expect("it ended")
    }

    /// The transcript.
    pub async fn items(&mut self) -> Vec<Item> {
        let page: ItemPage = self.ask("session/items", json!({"limit": 1000})).await;
        page.items
    }

    /// A file on the disk.
    pub fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.daemon.workspace.path().join(path)).expect("readable")
    }
}

/// The tool calls of a transcript.
pub fn calls(items: &[Item]) -> Vec<&ToolCall> {
    items
        .iter()
        .filter_map(|item| if let ItemContent::ToolCall(call) = &item.content { Some(call) } else { None })
        .collect()
}

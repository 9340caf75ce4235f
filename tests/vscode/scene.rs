//! What every test of the workbench begins with: a project, a model, a session, and a second client that sees what the workbench does.

use pilotfish_protocol::{
    Attached, Hunk, HunkList, PromptTaken, ReviewBase, SessionId, SessionOpened, StopReason, Update,
};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::FakeModel;
use pilotfish_tests::vscode::{Script, is_there};
use serde_json::json;
use tokio::process::Child;

/// A project with a session, and whoever looks at it beside the workbench.
pub struct Scene {
    pub model: FakeModel,
    pub client: TestClient,
    pub session: SessionId,
    shim: Child,
    pub desk: Desk,
}

impl Scene {
    /// With these files and a session in a mode; none where there is no workbench.
    pub async fn begin(mode: &str, files: &[(&str, &str)]) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let (desk, model) = Desk::with_model("").await;
        for (name, text) in files {
            desk.write(&format!("project/{name}"), text);
        }
        let (mut client, shim) = desk.editor().await;
        let params = json!({"workspace": desk.path("project"), "mode": mode});
        let opened: SessionOpened = client.request("session/new", params).await.expect("a session");
        let session = opened.session.id;
        let _: Attached = client.request("session/attach", json!({"sessionId": session})).await.expect("attached");
        Some(Self { model, client, session, shim, desk })
    }

    /// Starts a script at the desk.
    pub fn script(&self, name: &str) -> Script {
        Script::start(&self.desk, name, &[])
    }

    /// Whether this process is the second client's shim.
    pub fn started(&self, pid: i32) -> bool {
        self.shim.id().is_some_and(|id| i64::from(id) == i64::from(pid))
    }

    /// A file of the project, as a URI.
    pub fn uri(&self, name: &str) -> String {
        format!("file://{}", self.desk.path("project").join(name).display())
    }

    /// A file of the project, as it is on the disk.
    pub fn disk(&self, name: &str) -> String {
        std::fs::read_to_string(self.desk.path("project").join(name)).expect("a file")
    }

    /// Prompts, from outside of the workbench.
    pub async fn prompt(&mut self, words: &str) {
        let params = json!({"sessionId": self.session, "input": [{"type": "text", "text": words}]});
        let _: PromptTaken = self.client.request("session/prompt", params).await.expect("taken");
    }

    /// Waits until the turn is over.
    pub async fn turn_ends(&mut self) -> StopReason {
        let updates = self.client.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
        match updates.last().map(|update| &update.update) {
            Some(Update::TurnEnded { stop, .. }) => *stop,
            other => panic!("{other:?}"),
        }
    }

    /// What waits for review, as the second client sees it.
    pub async fn hunks(&mut self) -> Vec<Hunk> {
        let params = json!({"workspace": self.desk.path("project")});
        let list: HunkList = self.client.request("review/list", params).await.expect("a list");
        list.hunks
    }

    /// What a file was before its review.
    pub async fn base(&mut self, name: &str) -> String {
        let uri = self.uri(name);
        let base: ReviewBase = self.client.request("review/base", json!({"uri": uri})).await.expect("a base");
        base.text
    }
}

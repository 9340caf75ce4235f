//! What most tests of the plugin begin with: a desk with files, a scripted model, and another editor on the same session, which is a
//! scripted client.

use pilotfish_protocol::{Hunk, HunkList, SessionId, SessionOpened, StopReason, Update};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::{FakeModel, Step, answer};
use pilotfish_tests::nvim::{Nvim, Version};
use serde_json::{Value, json};
use tokio::process::Child;

/// A desk with a session that another editor has opened.
pub struct Scene {
    pub desk: Desk,
    pub model: FakeModel,
    pub other: TestClient,
    pub session: SessionId,
    _shim: Child,
}

impl Scene {
    /// One with these files in its project.
    pub async fn begin(mode: &str, files: &[(&str, &str)]) -> Self {
        let (desk, model) = Desk::with_model("").await;
        std::fs::create_dir(desk.path("project/.git")).expect("a folder");
        for (name, text) in files {
            desk.write(&format!("project/{name}"), text);
        }
        let (mut other, shim) = desk.editor().await;
        let params = json!({"workspace": desk.path("project"), "mode": mode});
        let opened: SessionOpened = other.request("session/new", params).await.expect("a session");
        let session = opened.session.id;
        other.request::<Value>("session/attach", json!({"sessionId": session})).await.expect("attached");
        Self { desk, model, other, session, _shim: shim }
    }

    /// A Neovim with a file open that the daemon knows of.
    pub async fn nvim(&self, version: &Version, file: &str) -> Nvim {
        self.nvim_of(version, (80, 24), file).await
    }

    /// Likewise, with so many columns and rows.
    pub async fn nvim_of(&self, version: &Version, (columns, rows): (u64, u64), file: &str) -> Nvim {
        let nvim = Nvim::start(&self.desk, version, columns, rows).await;
        nvim.enable().await;
        nvim.command(&format!("edit {file}")).await;
        known(&nvim).await;
        nvim
    }

    /// Has the session carry these steps out, and waits for the end of the turn.
    pub async fn turn(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.begin_turn(steps).await;
        self.end_turn().await;
    }

    /// Has the session begin with these steps.
    pub async fn begin_turn(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.model.allow_new_beginning();
        for step in steps {
            self.model.answers(step);
        }
        let params = json!({"sessionId": self.session, "input": [{"type": "text", "text": "go"}]});
        self.other.request::<Value>("session/prompt", params).await.expect("it is taken");
    }

    /// Waits for the end of the turn, which has to be a good one.
    pub async fn end_turn(&mut self) {
        let ends = |update: &pilotfish_protocol::SessionUpdate| matches!(update.update, Update::TurnEnded { .. });
        match self.other.updates_until(ends).await.pop().map(|update| update.update) {
            Some(Update::TurnEnded { stop: StopReason::Done, .. }) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Has the agent make a file hold this.
    pub async fn agent_writes(&mut self, path: &str, text: &str) {
        self.turn(writes(path, text)).await;
    }

    /// A file's URI.
    pub fn uri(&self, path: &str) -> String {
        format!("file://{}", self.desk.path("project").canonicalize().expect("it is there").join(path).display())
    }

    /// What a file holds.
    pub fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.desk.path("project").join(path)).expect("it is there")
    }

    /// What waits for review, as the other editor is told.
    pub async fn hunks(&mut self) -> Vec<Hunk> {
        let params = json!({"workspace": self.desk.path("project")});
        self.other.request::<HunkList>("review/list", params).await.expect("they are listed").hunks
    }

    /// The other editor decides about hunks.
    pub async fn decide(&mut self, verb: &str, mut which: Value) {
        which["workspace"] = json!(self.desk.path("project"));
        self.other.request::<HunkList>(&format!("review/{verb}"), which).await.expect("it is done");
    }
}

/// Waits until the current buffer's text is known to the daemon.
pub async fn known(nvim: &Nvim) {
    nvim.until("next(vim.lsp.get_clients({ bufnr = 0, name = 'pilotfish' }))").await;
    // What is said is heard in its order.
    let ask = "known = false
        require('pilotfish.client').request('daemon/status', {}, function() known = true end)";
    nvim.run(ask).await;
    nvim.until("known").await;
}

/// A Lua expression: so many hunks are drawn in the current buffer.
pub fn drawn(hunks: usize) -> String {
    format!("#require('pilotfish.review').places(0) == {hunks}")
}

/// Steps in which the model reads a file and writes all of it.
pub fn writes(path: &str, text: &str) -> [Step; 3] {
    [
        answer().calls("read", json!({"path": path})),
        answer().calls("write", json!({"path": path, "content": text})),
        answer().says("Done."),
    ]
}

/// Lines from `line 1` to `line COUNT`.
pub fn lines(count: usize) -> String {
    (1..=count).map(|line| format!("line {line}\n")).collect()
}

/// Steps in which the model reads a file and changes one place of it.
pub fn edits(path: &str, old: &str, new: &str) -> [Step; 3] {
    [
        answer().calls("read", json!({"path": path})),
        answer().calls("edit", json!({"path": path, "old_string": old, "new_string": new})),
        answer().says("Done."),
    ]
}

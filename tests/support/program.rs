//! The daemon as a process to look at from outside, and an editor that speaks to it. It knows what the process takes; it decides nothing.

use crate::client::TestClient;
use crate::desk::Desk;
use crate::fake_model::FakeModel;
use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Attached, DaemonStatus, Item, ItemPage, Mode, PromptTaken, SessionId, SessionOpened, StopReason, Update,
};
use serde_json::json;
use std::path::{Path, PathBuf};
use tokio::process::Child;

/// A daemon of its own, on a desk of its own. It ends with it.
pub struct Program {
    /// The editor, which has said hello. What nobody reads of what it was sent is nobody's concern.
    pub client: TestClient,
    _shim: Child,
    desk: Desk,
    pid: u32,
}

impl Program {
    /// Starts one that asks `model`.
    pub async fn asking(model: &FakeModel) -> Self {
        Self::asking_at(model.dialect(), model.base_url()).await
    }

    /// Starts one that asks whoever listens at an address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn asking_at(dialect: Dialect, base_url: &str) -> Self {
        let desk = Desk::default();
        desk.write("home/config.toml", &configuration(dialect, base_url));
        let (mut client, shim) = desk.editor().await;
        let status: DaemonStatus = client.request("daemon/status", json!({})).await.expect("it answers");
        Self { client, _shim: shim, desk, pid: status.pid }
    }

    /// The folder that its sessions work in.
    #[must_use]
    pub fn project(&self) -> PathBuf {
        self.desk.path("project")
    }

    /// Opens a session and attaches to it.
    ///
    /// # Panics
    /// When that fails.
    pub async fn session(&mut self, mode: Mode) -> SessionId {
        let params = json!({"workspace": self.project(), "mode": mode});
        let opened: SessionOpened = self.client.request("session/new", params).await.expect("a session opens");
        let id = opened.session.id;
        let _: Attached =
            self.client.request("session/attach", json!({"sessionId": id})).await.expect("it can be attached to");
        id
    }

    /// Asks for something; answers when it was taken.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn prompt(&mut self, session: &SessionId, text: &str) {
        let params = json!({"sessionId": session, "input": [{"type": "text", "text": text}]});
        let _: PromptTaken = self.client.request("session/prompt", params).await.expect("a prompt is taken");
    }

    /// Reads on until the turn of a session is over.
    pub async fn end(&mut self, session: &SessionId) -> StopReason {
        loop {
            let update = self.client.update().await;
            if let Update::TurnEnded { stop, .. } = update.update
                && update.session_id == *session
            {
                return stop;
            }
        }
    }

    /// A session's items, oldest first.
    ///
    /// # Panics
    /// When they are not answered.
    pub async fn items(&mut self, session: &SessionId) -> Vec<Item> {
        let params = json!({"sessionId": session, "limit": 1000});
        let page: ItemPage = self.client.request("session/items", params).await.expect("items");
        page.items
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub fn resident(&self) -> u64 {
        self.status("VmRSS")
    }

    /// The most that it ever held, or did since [`forget_peak`](Self::forget_peak).
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.status("VmHWM")
    }

    /// Lets the peak be what is held now.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn forget_peak(&self) {
        std::fs::write(self.proc("clear_refs"), "5").expect("our own process may be asked to forget");
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a line of it");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes << 10
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(name)
    }
}

/// A configuration whose one model is at an address.
#[must_use]
pub fn configuration(dialect: Dialect, base_url: &str) -> String {
    let dialect = dialect.word();
    format!(
        "model = \"fake/one\"\nfinish_check = false\n[providers.fake]\ndialect = \"{dialect}\"\nbase_url = \"{base_url}\"\n"
    )
}

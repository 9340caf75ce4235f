//! What leaves the sandbox: a host, a path outside, a protected name. Each is asked about, waits, and goes no further than the yes.

use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Answered, Approval, Attached, Item, ItemContent, ItemPage, Mode, PromptTaken, SessionId, StopReason, ToolCall,
    Update,
};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::fake_model::{FakeModel, answer};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A model that calls `shell`, a daemon that runs it, and an editor attached to the session.
struct Story {
    model: FakeModel,
    daemon: TestDaemon,
    editor: TestClient,
    session: SessionId,
}

impl Story {
    async fn begin() -> Self {
        let model = FakeModel::start(Dialect::Responses).await;
        let daemon = TestDaemon::asking(&model);
        let mut editor = daemon.client().await;
        let session = daemon.session_in(&mut editor, Mode::Agent).await.id;
        let _: Attached = editor.request("session/attach", json!({"sessionId": session})).await.expect("attached");
        editor.ignore_rest();
        Self { model, daemon, editor, session }
    }

    /// Has the model run a command.
    async fn runs(&mut self, arguments: Value) {
        self.model.answers(answer().calls("shell", arguments)).answers(answer().says("Done."));
        let input = json!([{"type": "text", "text": "go on"}]);
        let params = json!({"sessionId": self.session, "input": input});
        let _: PromptTaken = self.editor.request("session/prompt", params).await.expect("taken");
    }

    /// The question that the session asks next.
    async fn asked(&mut self) -> Approval {
        let updates = self.editor.updates_until(|update| matches!(update.update, Update::ApprovalOpened { .. })).await;
        match updates.last().map(|update| update.update.clone()) {
            Some(Update::ApprovalOpened { approval }) => *approval,
            other => panic!("no question but {other:?}"),
        }
    }

    async fn answers(&mut self, approval: &Approval, decision: Value, note: Option<&str>) {
        let params = json!({"approvalIds": [approval.id], "decision": decision, "note": note});
        let _: Answered = self.editor.request("approval/answer", params).await.expect("answered");
    }

    /// The last call, when the turn is over. Whether something was asked on the way, and not answered, is for whoever waits to notice.
    async fn end(&mut self) -> ToolCall {
        let updates = self.editor.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
        let stop = updates.last().and_then(|update| match update.update {
            Update::TurnEnded { stop, .. } => Some(stop),
            _ => None,
        });
        assert_eq!(stop, Some(StopReason::Done));
        let params = json!({"sessionId": self.session, "limit": 1000});
        let page: ItemPage = self.editor.request("session/items", params).await.expect("items");
        let mut calls = page.items.into_iter().filter_map(|item: Item| match item.content {
            ItemContent::ToolCall(call) => Some(call),
            _ => None,
        });
        calls.next_back().expect("a call")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.daemon.workspace.path().join(name)
    }
}

/// A server that gives everybody one word.
async fn server() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\npackage\n").await;
        }
    });
    (address, tasks)
}

/// Downloads from a host into a file, with nothing but bash and the proxy it is told of.
fn download(host: &str) -> Value {
    let script = format!(
        "proxy=${{http_proxy#http://}}; exec 3<>/dev/tcp/${{proxy%:*}}/${{proxy##*:}} || exit 9; \
         printf 'GET http://{host}/package HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3 | tee got; grep -q package$ got"
    );
    json!({ "command": script })
}

#[tokio::test]
async fn a_download_from_a_host_waits_for_a_yes_and_then_works() {
    let mut story = Story::begin().await;
    let (address, _server) = server().await;
    story.daemon.names.say("packages.example", address);
    story.runs(download("packages.example")).await;
    let question = story.asked().await;
    assert_eq!(question.grants, ["host:packages.example"]);
    assert!(!story.path("got").exists());
    story.answers(&question, json!({"kind": "once"}), None).await;
    let call = story.end().await;
    assert_eq!(call.exit_code, Some(0), "{}", call.output);
    assert!(std::fs::read_to_string(story.path("got")).expect("published").ends_with("package\n"));
    // Once is once.
    story.runs(download("packages.example")).await;
    let question = story.asked().await;
    story.answers(&question, json!({"kind": "session"}), None).await;
    assert_eq!(story.end().await.exit_code, Some(0));
    story.runs(download("packages.example")).await;
    assert_eq!(story.end().await.exit_code, Some(0), "the session was granted it");
}

#[tokio::test]
async fn no_is_a_403_that_says_why_and_another_host_is_another_question() {
    let mut story = Story::begin().await;
    let (address, _server) = server().await;
    story.daemon.names.say("packages.example", address);
    story.runs(download("evil.example")).await;
    let question = story.asked().await;
    assert_eq!(question.grants, ["host:evil.example"]);
    story.answers(&question, json!({"kind": "deny"}), Some("use the mirror")).await;
    let call = story.end().await;
    assert!(call.output.contains("403 Forbidden") && call.output.contains("use the mirror"), "{}", call.output);
}

#[tokio::test]
async fn a_host_cannot_be_reached_past_the_proxy() {
    let mut story = Story::begin().await;
    let (address, _server) = server().await;
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}", address.port());
    story.runs(json!({ "command": script })).await;
    assert_ne!(story.end().await.exit_code, Some(0));
}

#[tokio::test]
async fn a_path_outside_is_written_after_a_yes_and_no_other() {
    let mut story = Story::begin().await;
    let outside = tempfile::tempdir().expect("a folder");
    for name in ["granted", "other"] {
        std::fs::create_dir(outside.path().join(name)).expect("a folder");
    }
    let granted = outside.path().join("granted").canonicalize().expect("a folder");
    let script = format!("cd {}; echo x >granted/file; echo x >other/file", outside.path().display());
    story.runs(json!({"command": script, "write": [granted]})).await;
    let question = story.asked().await;
    assert_eq!(question.grants, [format!("path:{}", granted.display())]);
    assert!(!granted.join("file").exists());
    story.answers(&question, json!({"kind": "once"}), None).await;
    story.end().await;
    assert_eq!(std::fs::read_to_string(granted.join("file")).expect("written"), "x\n");
    assert!(!outside.path().join("other/file").exists());
    story.runs(json!({"command": "true", "write": [granted]})).await;
    let question = story.asked().await;
    story.answers(&question, json!({"kind": "deny"}), None).await;
    assert!(story.end().await.output.contains("the person said no"));
}

#[tokio::test]
async fn what_a_command_wrote_under_a_protected_name_waits_and_the_rest_is_there() {
    let mut story = Story::begin().await;
    std::fs::create_dir(story.path(".vscode")).expect("a folder");
    std::fs::write(story.path(".vscode/settings.json"), "{}\n").expect("a file");
    let script = "echo code >main.c; echo '{\"a\": 1}' >.vscode/settings.json; echo x >.envrc";
    story.runs(json!({ "command": script })).await;
    let question = story.asked().await;
    assert_eq!(question.grants, ["protected:.envrc", "protected:.vscode/settings.json"]);
    let diff: Vec<_> = question.edits.iter().map(|edit| (edit.path.as_str(), edit.added, edit.removed)).collect();
    assert_eq!(diff, [(".envrc", 1, 0), (".vscode/settings.json", 1, 1)]);
    assert_eq!(std::fs::read_to_string(story.path("main.c")).expect("published"), "code\n");
    assert_eq!(std::fs::read_to_string(story.path(".vscode/settings.json")).expect("as it was"), "{}\n");
    story.answers(&question, json!({"kind": "deny"}), Some("not yet")).await;
    let call = story.end().await;
    assert!(
        call.output.contains("held back and not written: .envrc, .vscode/settings.json: the person said no: not yet")
    );
    assert!(!story.path(".envrc").exists());
    story.runs(json!({ "command": script })).await;
    let question = story.asked().await;
    story.answers(&question, json!({"kind": "once"}), None).await;
    story.end().await;
    assert_eq!(std::fs::read_to_string(story.path(".vscode/settings.json")).expect("released"), "{\"a\": 1}\n");
    assert_eq!(std::fs::read_to_string(story.path(".envrc")).expect("released"), "x\n");
}

#[tokio::test]
async fn a_person_who_takes_the_right_to_write_away_keeps_the_files() {
    let mut story = Story::begin().await;
    story.runs(json!({"command": "echo x >.envrc; echo code >main.c"})).await;
    let question = story.asked().await;
    let params = json!({"sessionId": story.session, "mode": "read-only"});
    let _: Value = story.editor.request("session/setMode", params).await.expect("switched");
    story.answers(&question, json!({"kind": "once"}), None).await;
    let call = story.end().await;
    assert!(call.output.contains("the mode is read-only now"), "{}", call.output);
    assert!(!story.path(".envrc").exists());
    story.runs(json!({"command": "echo more >>main.c; cat main.c"})).await;
    let call = story.end().await;
    assert!(call.output.starts_with("code\nmore\n[read-only mode: "), "{}", call.output);
    assert_eq!(std::fs::read_to_string(story.path("main.c")).expect("as it was"), "code\n");
}

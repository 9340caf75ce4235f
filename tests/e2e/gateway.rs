//! A model server that nobody here wrote: LiteLLM's proxy, which turns each of our dialects into another one on its way to a scripted
//! model. `tests/run gateway` installs it and says where it is; without it this test is skipped.

use pilotfish::config::Dialect;
use pilotfish_protocol::{Done, ItemContent, Mode, StopReason, ToolStatus};
use pilotfish_tests::fake_model::{FakeModel, Step, answer, status};
use pilotfish_tests::program::Program;
use pilotfish_tests::skipped;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// How long the proxy may take to start: it reads thousands of files of Python.
const PATIENCE: Duration = Duration::from_secs(120);

/// Calls a tool, and is done once it was answered.
fn looks(body: &Value) -> Step {
    let history = body.get("messages").map(Value::to_string).unwrap_or_default();
    if history.contains("\"tool_result\"") || history.contains("\"role\":\"tool\"") {
        return answer().says("All done.");
    }
    answer().says("I look.").calls("list", json!({"path": "."}))
}

/// The proxy. It ends with this.
struct Gateway {
    base_url: String,
    _process: Child,
    _folder: TempDir,
}

impl Gateway {
    /// One that asks these models, by the names that it is to give them.
    async fn start(program: &Path, models: &[(&str, &FakeModel)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config =
            "general_settings: {dangerously_permit_weak_or_unset_master_key: true}\nmodel_list:\n".to_owned();
        for (name, model) in models {
            // Of another kind than the dialect that the proxy is asked in, so that it translates both ways.
            let (kind, address) = match model.dialect() {
                Dialect::Messages => ("anthropic/claude-3-haiku-20240307", model.base_url().trim_end_matches("/v1")),
                Dialect::Chat | Dialect::Responses => ("lm_studio/fake", model.base_url()),
            };
            config.push_str(&format!(
                "  - {{model_name: {name}, litellm_params: {{model: {kind}, api_base: \"{address}\", api_key: none, max_retries: 0}}}}\n"
            ));
        }
        std::fs::write(folder.path().join("config.yaml"), config).expect("a file");
        // Free a moment ago; nobody else takes ports in that order.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        drop(listener);
        let process = Command::new(program)
            .args(["--config", "config.yaml", "--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--num_workers", "1"])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", folder.path())
            // Nothing is looked up elsewhere.
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_TELEMETRY", "False")
            .stdin(Stdio::null())
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut gateway = Self { base_url: format!("http://{address}/v1"), _process: process, _folder: folder };
        let ready = tokio::time::timeout(PATIENCE, gateway.ready(&address.to_string())).await;
        ready.expect("it listens in time");
        gateway
    }

    /// Waits until it answers.
    async fn ready(&mut self, address: &str) {
        let mut look = tokio::time::interval(Duration::from_millis(200));
        loop {
            look.tick().await;
            assert_eq!(self._process.try_wait().expect("it can be asked"), None, "the proxy ended");
            let Ok(mut stream) = TcpStream::connect(address).await else { continue };
            let request = format!("GET /health/liveliness HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            let mut said = String::new();
            if stream.write_all(request.as_bytes()).await.is_ok()
                && stream.read_to_string(&mut said).await.is_ok()
                && said.starts_with("HTTP/1.1 200")
            {
                return;
            }
        }
    }

    /// A turn with a model of the proxy: how it stopped, and what it left.
    async fn turn(&self, dialect: Dialect, model: &str) -> (StopReason, Vec<ItemContent>) {
        let mut program = Program::asking_at(dialect, &self.base_url).await;
        let session = program.session(Mode::Agent).await;
        let params = json!({"sessionId": session, "model": format!("fake/{model}")});
        let _: Done = program.client.request("session/setModel", params).await.expect("it is taken");
        program.prompt(&session, "look around").await;
        let stop = program.end(&session).await;
        (stop, program.items(&session).await.into_iter().map(|item| item.content).collect())
    }
}

#[tokio::test]
async fn litellm_is_spoken_to_in_every_dialect() {
    let Some(program) = std::env::var_os("PILOTFISH_TEST_LITELLM") else {
        return skipped("PILOTFISH_TEST_LITELLM is not set; `tests/run gateway` installs LiteLLM and sets it");
    };
    let chat = FakeModel::by_rule(Dialect::Chat, looks).await;
    let messages = FakeModel::by_rule(Dialect::Messages, looks).await;
    let refuses = FakeModel::by_rule(Dialect::Chat, |_| status(401).because("no such key")).await;
    let models = [("of-chat", &chat), ("of-messages", &messages), ("refused", &refuses)];
    let gateway = Gateway::start(Path::new(&program), &models).await;
    for (dialect, model) in
        [(Dialect::Responses, "of-chat"), (Dialect::Messages, "of-chat"), (Dialect::Chat, "of-messages")]
    {
        let (stop, items) = gateway.turn(dialect, model).await;
        assert_eq!(stop, StopReason::Done, "{dialect:?}: {items:#?}");
        let listed = items.iter().any(|item| match item {
            ItemContent::ToolCall(call) => call.name == "list" && call.status == ToolStatus::Done,
            _ => false,
        });
        let said: Vec<&str> = items
            .iter()
            .filter_map(|item| match item {
                ItemContent::AgentMessage(message) => Some(message.text.as_str()),
                _ => None,
            })
            .collect();
        assert!(listed, "{dialect:?}: {items:#?}");
        assert_eq!(said, ["I look.", "All done."], "{dialect:?}");
    }
    for dialect in [Dialect::Responses, Dialect::Messages, Dialect::Chat] {
        let (stop, items) = gateway.turn(dialect, "refused").await;
        let Some(ItemContent::Error(fault)) = items.last() else { panic!("{dialect:?}: {items:#?}") };
        assert_eq!(stop, StopReason::Failed, "{dialect:?}");
        assert!(fault.message.contains("no such key"), "{dialect:?}: {}", fault.message);
    }
}

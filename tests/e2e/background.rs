//! Commands in the background, in the real sandbox: what they say and read, who may stop them, what they leave, and that nothing of them
//! outlives their session. And what the model asks, over the same doors.

use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Attached, CommandInfo, CommandList, CommandOutput, Done, ErrorKind, Item, ItemContent, ItemPage, Mode, PromptTaken,
    SessionId, Update,
};
use pilotfish_tests::client::{Failure, TestClient};
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::desk::{Desk, processes, signal, until};
use pilotfish_tests::fake_model::{FakeModel, answer};
use serde_json::{Value, json};

/// Says what it reads, and leaves a file behind.
const ECHO: &str = "echo ready; while read -r line; do echo \"got $line\"; done; echo bye > left.txt; exit 3";

/// A model that calls `command`, a daemon that runs it, and an editor attached to the session.
struct Story {
    model: FakeModel,
    daemon: TestDaemon,
    editor: TestClient,
    session: SessionId,
}

impl Story {
    async fn begin(mode: Mode) -> Self {
        let model = FakeModel::start(Dialect::Responses).await;
        let daemon = TestDaemon::asking(&model);
        let mut editor = daemon.client().await;
        let session = daemon.session_in(&mut editor, mode).await.id;
        editor.ignore_rest();
        attach(&mut editor, &session).await;
        Self { model, daemon, editor, session }
    }

    /// What calls of one turn come to.
    async fn turn(&mut self, calls: &[Value]) -> Vec<String> {
        for arguments in calls {
            self.model.answers(answer().calls("command", arguments.clone()));
        }
        self.model.answers(answer().says("Done."));
        let outputs = turn(&mut self.editor, &self.session).await;
        outputs.into_iter().rev().take(calls.len()).rev().collect()
    }

    async fn read(&mut self, offset: u64) -> CommandOutput {
        let params = json!({"sessionId": self.session, "commandId": "c1", "offset": offset});
        self.editor.request("command/read", params).await.expect("an output")
    }

    /// Waits until an editor is told that the command is so.
    async fn changed(&mut self, is_so: impl Fn(&CommandInfo) -> bool) -> CommandInfo {
        let fits = |update: &Update| matches!(update, Update::CommandChanged { command } if is_so(command));
        let updates = self.editor.updates_until(|update| fits(&update.update)).await;
        match updates.last().map(|update| update.update.clone()) {
            Some(Update::CommandChanged { command }) => command,
            other => panic!("{other:?}"),
        }
    }
}

async fn attach(client: &mut TestClient, session: &SessionId) -> Attached {
    client.request("session/attach", json!({"sessionId": session})).await.expect("attached")
}

/// Runs a turn, and gives the outputs of all calls of the session.
async fn turn(client: &mut TestClient, session: &SessionId) -> Vec<String> {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": "go on"}]});
    let _: PromptTaken = client.request("session/prompt", params).await.expect("taken");
    client.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
    let page: ItemPage =
        client.request("session/items", json!({"sessionId": session, "limit": 500})).await.expect("items");
    let output = |item: Item| match item.content {
        ItemContent::ToolCall(call) => Some(call.output),
        _ => None,
    };
    page.items.into_iter().filter_map(output).collect()
}

#[tokio::test]
async fn a_command_is_talked_to_from_everywhere_and_its_end_is_told() {
    let mut story = Story::begin(Mode::Agent).await;
    let outputs = story
        .turn(&[
            json!({"action": "start", "command": ECHO}),
            json!({"action": "write", "id": "c1", "input": "hello"}),
            json!({"action": "read", "id": "c1", "wait_ms": 1}),
        ])
        .await;
    assert_eq!(outputs, ["ready\n[c1 runs]", "got hello\n[c1 runs]", "[c1 runs; it said nothing new]"]);
    let mut other = story.daemon.client().await;
    other.ignore_rest();
    let attached = attach(&mut other, &story.session).await;
    let shown: Vec<_> = attached.commands.iter().map(|command| (command.id.0.as_str(), command.exit_code)).collect();
    assert_eq!(shown, [("c1", None)]);
    let params = json!({"sessionId": story.session, "commandId": "c1", "text": "person\n"});
    let _: Done = other.request("command/write", params).await.expect("it reads");
    story.changed(|command| command.output_bytes == 27).await;
    let read = story.read(16).await;
    assert_eq!((read.text.as_str(), read.next_offset, read.exit_code), ("got person\n", 27, None));
    let params = json!({"sessionId": story.session, "commandId": "c1", "text": "\u{4}"});
    let _: Done = other.request("command/write", params.clone()).await.expect("it reads");
    assert_eq!(story.changed(|command| command.exit_code.is_some()).await.exit_code, Some(3));
    assert_eq!(std::fs::read_to_string(story.daemon.workspace.path().join("left.txt")).expect("published"), "bye\n");
    let late: Result<Done, Failure> = other.request("command/write", params).await;
    assert_eq!(late.err().and_then(|failure| failure.data).map(|data| data.kind), Some(ErrorKind::WrongState));
    let list: CommandList = other.request("command/list", json!({"sessionId": story.session})).await.expect("a list");
    assert_eq!(list.commands.len(), 1);
    story.turn(&[]).await;
    let request = story.model.requests().pop().expect("a request").body["input"].to_string();
    let told = "ended with exit code 3";
    assert_eq!(request.matches(told).count(), 1, "{request}");
}

#[tokio::test]
async fn what_a_command_writes_in_read_only_mode_is_thrown_away() {
    let mut story = Story::begin(Mode::ReadOnly).await;
    let start = json!({"action": "start", "command": "echo x > left.txt; cat left.txt"});
    let outputs = story.turn(&[start, json!({"action": "list"})]).await;
    assert_eq!(
        outputs[0],
        "x\n[c1 ended with exit code 0]\n[read-only mode: what it wrote to the workspace was thrown away]"
    );
    assert!(outputs[1].contains("ended, status 0"), "{outputs:?}");
    assert!(!story.daemon.workspace.path().join("left.txt").exists());
}

#[tokio::test]
async fn nothing_of_a_stopped_command_is_left() {
    let mut story = Story::begin(Mode::Agent).await;
    let start = |time: &str| {
        let command = format!("sleep {time}001 & (setsid sleep {time}002 &) ; echo up; sleep {time}003");
        json!({"action": "start", "command": command})
    };
    let outputs = story.turn(&[start("86"), start("87"), start("88")]).await;
    assert_eq!(outputs, ["up\n[c1 runs]", "up\n[c2 runs]", "up\n[c3 runs]"]);
    for time in ["86", "87", "88"] {
        assert!(processes(&format!("sleep {time}00")).len() >= 3);
    }
    let outputs = story.turn(&[json!({"action": "stop", "id": "c1"}), json!({"action": "list"})]).await;
    assert_eq!(outputs[0], "[c1 was stopped]");
    assert!(processes("sleep 8600").is_empty());
    let params = json!({"sessionId": story.session, "scope": "command", "commandId": "c2"});
    let _: Done = story.editor.request("session/interrupt", params).await.expect("stopped");
    story.changed(|command| command.id.0 == "c2" && command.exit_code == Some(137)).await;
    assert!(processes("sleep 8700").is_empty());
    let _: Done =
        story.editor.request("session/close", json!({"sessionId": story.session})).await.expect("it is closed");
    assert!(processes("sleep 8800").is_empty());
    attach(&mut story.editor, &story.session).await;
    story.turn(&[]).await;
    let request = story.model.requests().pop().expect("a request").body["input"].to_string();
    assert!(request.contains("was stopped by the person"), "{request}");
    assert!(request.contains("was stopped as the session was closed"), "{request}");
}

#[tokio::test]
async fn nothing_of_a_killed_daemons_commands_is_left() {
    let (desk, model) = Desk::with_model("").await;
    let (mut client, _shim) = desk.editor().await;
    let opened: pilotfish_protocol::SessionOpened = client
        .request("session/new", json!({"workspace": desk.path("project"), "mode": "agent"}))
        .await
        .expect("a session");
    let session = opened.session.id;
    attach(&mut client, &session).await;
    let start = json!({"action": "start", "command": "sleep 89001 & (setsid sleep 89002 &) ; echo up; sleep 89003"});
    model.answers(answer().calls("command", start)).answers(answer().says("Done."));
    assert_eq!(turn(&mut client, &session).await, ["up\n[c1 runs]"]);
    assert!(processes("sleep 8900").len() >= 3);
    signal(desk.daemon().await, libc::SIGKILL);
    until("its commands are gone", || processes("sleep 8900").is_empty()).await;
}

#[tokio::test]
async fn what_the_model_asks_is_answered_once_and_by_anybody() {
    let mut story = Story::begin(Mode::ReadOnly).await;
    story.model.answers(answer().calls("ask", json!({"question": "Which port?", "choices": ["80", "8080"]})));
    story.model.answers(answer().says("Done."));
    let params = json!({"sessionId": story.session, "input": [{"type": "text", "text": "go on"}]});
    let _: PromptTaken = story.editor.request("session/prompt", params).await.expect("taken");
    let is_question = |update: &Update| matches!(update, Update::ItemStarted { item } if matches!(item.content, ItemContent::Question(_)));
    let updates = story.editor.updates_until(|update| is_question(&update.update)).await;
    let Some(Update::ItemStarted { item }) = updates.last().map(|update| &update.update) else { panic!("a question") };
    let mut other = story.daemon.client().await;
    other.ignore_rest();
    let answer = |choice: u32| json!({"sessionId": story.session, "itemId": item.id, "choice": choice});
    let invalid: Result<Done, Failure> = other.request("question/answer", answer(2)).await;
    let kind = |answered: Result<Done, Failure>| answered.err().and_then(|failure| failure.data).map(|data| data.kind);
    assert_eq!(kind(invalid), Some(ErrorKind::InvalidParams));
    let _: Done = other.request("question/answer", answer(1)).await.expect("it is the first");
    assert_eq!(kind(story.editor.request("question/answer", answer(0)).await), Some(ErrorKind::AlreadyAnswered));
    story.editor.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
    let request = story.model.requests().pop().expect("a request").body["input"].to_string();
    assert!(request.contains("the person answered: 8080"), "{request}");
}

#[tokio::test]
async fn a_run_without_a_terminal_never_hangs_at_a_question() {
    let (desk, model) = Desk::with_model("").await;
    let asks = || answer().calls("ask", json!({"question": "Which port?"}));
    model.answers(asks());
    let output = desk.run(&["exec", "go on"]).await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("Which port?"), "{output:?}");
    for answered in ["deny", "allow"] {
        model.answers(asks()).answers(answer().says("Then I take 80."));
        model.allow_new_beginning();
        let output = desk.run(&["exec", "--on-ask", answered, "go on"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let request = model.requests().pop().expect("a request").body["input"].to_string();
        assert!(request.contains("nobody answered this question"), "{request}");
    }
}

#[tokio::test]
async fn an_agent_client_is_asked_with_an_option_for_each_choice() {
    for (chosen, told) in [("1", "the person answered: 8080"), ("no", "nobody answered this question")] {
        let model = FakeModel::start(Dialect::Responses).await;
        model.answers(answer().calls("ask", json!({"question": "Which port?", "choices": ["80", "8080"]})));
        model.answers(answer().says("Done."));
        let daemon = TestDaemon::asking(&model);
        let mut client = daemon.acp_client().await;
        client.ignore_rest();
        let session = client.open(daemon.workspace.path()).await;
        let prompt = client.prompt(&session, "go").await;
        let (id, asked) = client.asked().await;
        let names: Vec<&str> =
            asked["options"].as_array().expect("options").iter().filter_map(|way| way["name"].as_str()).collect();
        assert_eq!(names, ["80", "8080", "No answer"]);
        client.give(&id, json!({"outcome": {"outcome": "selected", "optionId": chosen}})).await;
        client.outcome(&prompt).await.expect("an end");
        let request = model.requests().pop().expect("a request").body["input"].to_string();
        assert!(request.contains(told), "{request}");
    }
}

//! An editor that speaks the Agent Client Protocol and offers its files: the agent sees what is not saved in it, and changes it there.

use pilotfish::config::Dialect;
use pilotfish_tests::acp::AcpClient;
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::fake_model::{FakeModel, Step, answer};
use serde_json::{Value, json};

/// A project with `a.txt`, an editor that may have it open, and a model.
struct Room {
    model: FakeModel,
    daemon: TestDaemon,
    client: AcpClient,
    session: String,
}

impl Room {
    async fn new(disk: &str, text: Option<&str>) -> Self {
        let model = FakeModel::start(Dialect::Responses).await;
        let daemon = TestDaemon::asking(&model);
        std::fs::write(daemon.workspace.path().join("a.txt"), disk).expect("a file");
        let mut client = daemon.connect_acp().0;
        client.ignore_rest();
        client.initialize_with_files().await;
        client.files.texts = text.map(|text| ("a.txt".to_owned(), text.to_owned())).into_iter().collect();
        let session = client.open(daemon.workspace.path()).await;
        client.request("session/set_mode", json!({"sessionId": session, "modeId": "agent"})).await.expect("set");
        Self { model, daemon, client, session }
    }

    /// Runs calls in one turn; gives what the model was told of all calls so far.
    async fn run(&mut self, calls: impl IntoIterator<Item = Step>) -> Vec<String> {
        for call in calls {
            self.model.answers(call);
        }
        self.model.answers(answer().says("done"));
        let prompt = self.client.prompt(&self.session, "go").await;
        let outcome = self.client.outcome(&prompt).await;
        assert_eq!(outcome.expect("it ends")["stopReason"], "end_turn");
        self.model.requests().last().map(|request| outputs(&request.body)).unwrap_or_default()
    }

    fn disk(&self) -> String {
        std::fs::read_to_string(self.daemon.workspace.path().join("a.txt")).expect("readable")
    }

    fn text(&self) -> &str {
        &self.client.files.texts["a.txt"]
    }

    /// What the editor was asked to write.
    fn written(&self) -> Vec<&str> {
        self.client.files.asked.iter().filter_map(|asked| asked.strip_prefix("write ")).collect()
    }
}

/// What the calls of the conversation gave the model.
fn outputs(body: &Value) -> Vec<String> {
    let items = body["input"].as_array().expect("items").iter();
    let outputs = items.filter(|item| item["type"] == "function_call_output");
    outputs.map(|item| item["output"].as_str().unwrap_or_default().to_owned()).collect()
}

fn edit(old: &str, new: &str) -> Step {
    answer().calls("edit", json!({"path": "a.txt", "old_string": old, "new_string": new}))
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_and_commands_see_what_is_not_saved() {
    let mut room = Room::new("disk\n", Some("disk\ntyped\n")).await;
    let seen = room.run([
        answer().calls("read", json!({"path": "a.txt"})),
        answer().calls("search", json!({"pattern": "typ"})),
        answer().calls("shell", json!({"command": "cat a.txt"})),
    ]);
    assert_eq!(seen.await, ["1\tdisk\n2\ttyped\n", "a.txt:2:typed\n", "disk\ntyped\n"]);
    assert_eq!((room.disk().as_str(), room.written()), ("disk\n", Vec::new()));
    // What is typed between two turns is seen as well, and what was closed is not seen any more.
    room.client.files.texts.insert("a.txt".to_owned(), "disk\nmore\n".to_owned());
    let seen = room.run([answer().calls("shell", json!({"command": "cat a.txt"}))]).await;
    assert_eq!(seen.last().map(String::as_str), Some("disk\nmore\n"));
    room.client.files.texts.clear();
    let seen = room.run([answer().calls("read", json!({"path": "a.txt"}))]).await;
    assert_eq!(seen.last().map(String::as_str), Some("1\tdisk\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_made_by_the_editor() {
    for disk in ["one\ntwo\ntyped\n", "one\ntwo\n"] {
        let mut room = Room::new(disk, Some("one\ntwo\ntyped\n")).await;
        room.run([edit("two", "2")]).await;
        assert_eq!(room.written(), [r#"a.txt "one\n2\ntyped\n""#]);
        assert_eq!((room.text(), room.disk().as_str()), ("one\n2\ntyped\n", "one\n2\ntyped\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_the_agent_edits_stays() {
    let mut room = Room::new("one\ntwo\n", Some("one\ntwo\n")).await;
    // Behind what the tool reads, and then behind the last look before the edit is made.
    room.client.files.typed =
        [Some("one\ntwo\nthree\n"), Some("zero\none\ntwo\nthree\n")].map(|text| text.map(str::to_owned)).into();
    room.run([edit("two", "2")]).await;
    assert_eq!(room.written(), [r#"a.txt "zero\none\n2\nthree\n""#]);
    assert_eq!(room.text(), "zero\none\n2\nthree\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_editor_does_not_have_is_written_to_the_disk() {
    let mut room = Room::new("one\ntwo\n", None).await;
    let seen = room.run([edit("two", "2"), answer().calls("read", json!({"path": "a.txt"}))]).await;
    assert_eq!(seen.last().map(String::as_str), Some("1\tone\n2\t2\n"));
    assert_eq!((room.disk().as_str(), room.written()), ("one\n2\n", Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_does_not_answer_is_asked_once_in_a_turn() {
    let mut room = Room::new("one\ntwo\n", Some("never told")).await;
    room.client.files.silent = true;
    let read = || answer().calls("read", json!({"path": "a.txt"}));
    let seen = room.run([read(), edit("two", "2"), read()]).await;
    assert_eq!(seen.last().map(String::as_str), Some("1\tone\n2\t2\n"));
    assert_eq!((room.disk().as_str(), room.client.files.asked.len()), ("one\n2\n", 1));
    room.run([read()]).await;
    assert_eq!(room.client.files.asked, ["read a.txt", "read a.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_offers_nothing_is_asked_nothing() {
    let mut room = Room::new("one\n", None).await;
    let mut other = room.daemon.acp_client().await;
    other.ignore_rest();
    other.open(room.daemon.workspace.path()).await;
    assert_eq!(room.run([answer().calls("read", json!({"path": "a.txt"}))]).await, ["1\tone\n"]);
    assert_eq!(room.client.files.asked, ["read a.txt"]);
    other.hang_up();
    other.ended().await;
    assert_eq!(other.files.asked, Vec::<String>::new());
}

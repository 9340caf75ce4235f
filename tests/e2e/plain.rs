//! An editor that knows nothing of us: what it is offered, what its commands do, and what it is told.

use pilotfish_protocol::{ErrorKind, Mode, Session, SessionList};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::fake_model::{FakeModel, answer};
use serde_json::{Value, json};
use std::path::Path;

const IDS: [&str; 9] = [
    "pilotfish.ask",
    "pilotfish.fix",
    "pilotfish.keepHunk",
    "pilotfish.undoHunk",
    "pilotfish.keepFile",
    "pilotfish.undoFile",
    "pilotfish.toggleMode",
    "pilotfish.stop",
    "pilotfish.answer",
];

/// What a modern editor says it can.
fn able() -> Value {
    json!({
        "textDocument": {
            "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
            "codeLens": {},
            "publishDiagnostics": {"relatedInformation": true},
        },
        "workspace": {"applyEdit": true, "codeLens": {"refreshSupport": true}},
        "window": {"workDoneProgress": true, "showDocument": {"support": true}},
    })
}

/// An editor that has said hello and works in a folder.
async fn editor(daemon: &TestDaemon, folder: &Path, capabilities: Value) -> (TestClient, Value) {
    let mut client = daemon.connect().0;
    let folders = json!([{"uri": uri(folder), "name": "project"}]);
    let params = json!({"processId": null, "rootUri": null, "workspaceFolders": folders, "capabilities": capabilities});
    let hello = client.initialize_with(params).await;
    (client, hello["capabilities"].clone())
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn at(path: &Path, first: u32, last: u32) -> Value {
    let range = json!({"start": {"line": first, "character": 0}, "end": {"line": last, "character": 1}});
    json!({"uri": uri(path), "range": range})
}

async fn execute(client: &mut TestClient, command: &str, argument: Value) -> Result<Value, (i64, String)> {
    let params = json!({"command": command, "arguments": [argument]});
    let done = client.request("workspace/executeCommand", params).await;
    done.map_err(|failure| (failure.code, failure.message))
}

/// The titles of the actions at a line.
async fn titles(client: &mut TestClient, path: &Path, line: u32) -> Vec<String> {
    let actions = actions(client, path, line).await;
    actions.into_iter().map(|action| action["title"].as_str().expect("a title").to_owned()).collect()
}

async fn actions(client: &mut TestClient, path: &Path, line: u32) -> Vec<Value> {
    let place = at(path, line, line);
    let document = json!({"uri": place["uri"]});
    let params = json!({"textDocument": document, "range": place["range"], "context": {"diagnostics": []}});
    client.request("textDocument/codeAction", params).await.expect("actions")
}

/// Carries out the action of a name, as an editor does.
async fn act(client: &mut TestClient, path: &Path, line: u32, title: &str) {
    let actions = actions(client, path, line).await;
    let action = actions.into_iter().find(|action| action["title"] == title).expect("it is offered");
    let command = action["command"].clone();
    let done: Value = client.request("workspace/executeCommand", command).await.expect("carried out");
    assert_eq!(done, Value::Null);
}

async fn message(client: &mut TestClient) -> String {
    let shown = client.notification("window/showMessage").await;
    shown["message"].as_str().expect("a text").to_owned()
}

/// Lets the editor open a document; gives its text.
async fn document(client: &mut TestClient) -> (String, String) {
    let (id, params) = client.asked("window/showDocument").await;
    assert_eq!(params["takeFocus"], false);
    client.reply(id, json!({"success": true})).await;
    let path = params["uri"].as_str().and_then(|uri| uri.strip_prefix("file://")).expect("a file");
    let text = std::fs::read_to_string(path).expect("it is written");
    (path.to_owned(), text)
}

/// Lets the editor show progress; gives the token.
async fn progress(client: &mut TestClient) -> Value {
    let (id, params) = client.asked("window/workDoneProgress/create").await;
    client.reply(id, Value::Null).await;
    let begun = client.notification("$/progress").await;
    assert_eq!((&begun["token"], &begun["value"]["kind"]), (&params["token"], &json!("begin")));
    assert_eq!(begun["value"]["cancellable"], true);
    params["token"].clone()
}

/// Reads progress up to its end.
async fn progressed(client: &mut TestClient) -> Value {
    loop {
        let progress = client.notification("$/progress").await;
        if progress["value"]["kind"] == "end" {
            return progress;
        }
    }
}

async fn sessions(daemon: &TestDaemon) -> Vec<Session> {
    let mut client = daemon.client().await;
    let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
    client.ignore_rest();
    list.sessions
}

#[tokio::test]
async fn it_is_offered_what_it_can_use() {
    let daemon = TestDaemon::start();
    let (client, offered) = editor(&daemon, daemon.workspace.path(), able()).await;
    assert_eq!(offered["executeCommandProvider"]["commands"], json!(IDS));
    assert_eq!(offered["codeActionProvider"]["codeActionKinds"], json!(["quickfix", "pilotfish"]));
    assert_eq!(offered["codeLensProvider"], json!({}));
    client.shut_down().await;
    let (client, offered) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    assert_eq!(offered["executeCommandProvider"]["commands"], json!(IDS));
    assert_eq!(offered.get("codeLensProvider"), None);
    client.shut_down().await;
    // One of ours draws all that itself, and may have the same commands.
    let mut ours = daemon.connect().0;
    let offered = ours.initialize().await["capabilities"].clone();
    for provider in ["executeCommandProvider", "codeActionProvider", "codeLensProvider"] {
        assert_eq!(offered.get(provider), None, "{provider}");
    }
    assert_eq!(execute(&mut ours, "pilotfish.stop", json!({})).await.expect_err("refused").0, -32601);
    ours.shut_down().await;
}

#[tokio::test]
async fn an_answer_opens_as_a_document() {
    let daemon = TestDaemon::start();
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, "one\ntwo\n").expect("a file");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    let expected = ["Ask pilotfish about selection", "Switch pilotfish to agent mode"];
    assert_eq!(titles(&mut client, &file, 0).await, expected);
    let answering = daemon.script.answer();
    execute(&mut client, "pilotfish.ask", at(&file, 0, 1)).await.expect("asked");
    let token = progress(&mut client).await;
    answering.text("It says **one**.").await;
    answering.finish().await;
    let (place, text) = document(&mut client).await;
    let real = file.canonicalize().expect("it is there");
    assert_eq!(text, format!("> Explain this.\n> {}, lines 1-2\n\nIt says **one**.\n", real.display()));
    assert!(place.contains("/state/answers/") && !Path::new(&place).starts_with(daemon.workspace.path()), "{place}");
    let ended = progressed(&mut client).await;
    assert_eq!((&ended["token"], &ended["value"]["message"]), (&token, &json!("done")));
    assert_eq!(message(&mut client).await, "pilotfish: done");
    let sessions = sessions(&daemon).await;
    assert_eq!((sessions.len(), sessions[0].mode), (1, Mode::ReadOnly));
    // Of progress only the end counts.
    client.shut_down().await;
}

#[tokio::test]
async fn a_question_may_be_a_comment_or_an_argument_and_goes_to_the_session_that_lives() {
    let daemon = TestDaemon::start();
    let mut ours = daemon.client().await;
    ours.ignore_rest();
    let session = daemon.session(&mut ours).await;
    let file = daemon.workspace.path().join("a.rs");
    std::fs::write(&file, "// why is this\n// not there?\nfn a() {}\n").expect("a file");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    for (argument, question) in [(at(&file, 0, 1), "why is this not there?"), (json!({"text": "who?"}), "who?")] {
        daemon.script.says("Because.").await;
        execute(&mut client, "pilotfish.ask", argument).await.expect("asked");
        let told = message(&mut client).await;
        let path = told.strip_prefix("pilotfish: the answer is in ").expect("where it is");
        let text = std::fs::read_to_string(path).expect("it is written");
        assert!(text.starts_with(&format!("> {question}\n")) && text.ends_with("\n\nBecause.\n"), "{text}");
        assert_eq!(message(&mut client).await, "pilotfish: done");
    }
    let sessions = sessions(&daemon).await;
    assert_eq!(sessions.iter().map(|session| &session.id).collect::<Vec<_>>(), [&session.id]);
    client.shut_down().await;
}

#[tokio::test]
async fn its_commands_are_carried_out_in_order() {
    let daemon = TestDaemon::start();
    let file = daemon.workspace.path().join("a.txt");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    let answering = daemon.script.answer();
    let order = |command: &str| json!({"command": command, "arguments": [at(&file, 0, 0)]});
    // The first of these opens the session that the others are for.
    let mut asked = Vec::new();
    for command in ["pilotfish.ask", "pilotfish.toggleMode", "pilotfish.stop"] {
        asked.push(client.ask("workspace/executeCommand", order(command)).await);
    }
    for id in asked {
        client.answer::<Value>(id).await.expect("carried out");
    }
    let mut told = vec![message(&mut client).await, message(&mut client).await];
    told.sort();
    assert_eq!(told, ["pilotfish: agent mode", "pilotfish: stopped"]);
    drop(answering);
    assert_eq!(sessions(&daemon).await[0].mode, Mode::Agent);
    client.shut_down().await;
}

#[tokio::test]
async fn progress_can_be_cancelled() {
    let daemon = TestDaemon::start();
    let file = daemon.workspace.path().join("a.txt");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    let answering = daemon.script.answer();
    execute(&mut client, "pilotfish.ask", at(&file, 0, 0)).await.expect("asked");
    let token = progress(&mut client).await;
    let expected = ["Ask pilotfish about selection", "Switch pilotfish to agent mode", "Stop pilotfish"];
    assert_eq!(titles(&mut client, &file, 0).await, expected);
    client.notify("window/workDoneProgress/cancel", json!({"token": token})).await;
    let ended = progressed(&mut client).await;
    assert_eq!((&ended["token"], &ended["value"]["message"]), (&token, &json!("stopped")));
    drop(answering);
    client.ignore_rest();
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let daemon = TestDaemon::start();
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, "one\n").expect("a file");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    for (command, argument, code, words) in [
        ("pilotfish.dance", json!({}), -32602, "there is no command pilotfish.dance"),
        ("pilotfish.ask", json!({}), -32602, "`uri` and `range`"),
        ("pilotfish.stop", json!({}), -33005, "nothing here that could be stopped"),
        ("pilotfish.keepHunk", at(&file, 0, 0), -33002, "no change of pilotfish waits at this line"),
        ("pilotfish.undoFile", at(&file, 0, 0), -33002, "no change of pilotfish waits in this file"),
        ("pilotfish.keepHunk", json!({"hunkIds": ["h1"]}), -33002, "does not wait any more"),
        ("pilotfish.answer", json!({"answer": "once"}), -33002, "no such question"),
    ] {
        let (told, message) = execute(&mut client, command, argument).await.expect_err("refused");
        assert_eq!((told, message.contains(words)), (code, true), "{command}: {message}");
    }
    client.shut_down().await;
}

#[tokio::test]
async fn a_question_is_answered_by_an_action() {
    let model = writes_envrc().await;
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    execute(&mut client, "pilotfish.toggleMode", at(&file, 0, 0)).await.expect("switched");
    assert_eq!(message(&mut client).await, "pilotfish: agent mode");
    execute(&mut client, "pilotfish.ask", json!({"text": "go"})).await.expect("asked");
    progress(&mut client).await;
    let told = message(&mut client).await;
    assert!(told.starts_with("pilotfish asks: ") && told.ends_with("The answers are code actions"), "{told}");
    let offered = titles(&mut client, &file, 0).await;
    let title = offered.iter().find(|title| title.starts_with("Allow once: ")).expect("an answer");
    let show = offered.iter().find(|title| title.ends_with("(show)")).expect("the question");
    act(&mut client, &file, 0, show).await;
    let (_, text) = document(&mut client).await;
    assert!(text.starts_with("# pilotfish asks: ") && text.contains(".envrc"), "{text}");
    act(&mut client, &file, 0, title).await;
    let (_, text) = document(&mut client).await;
    assert!(text.contains("\n\nok\n"), "{text}");
    assert_eq!(message(&mut client).await, "pilotfish: done; changed 1 file");
    assert_eq!(std::fs::read_to_string(daemon.workspace.path().join(".envrc")).expect("written"), "x");
    assert!(!titles(&mut client, &file, 0).await.iter().any(|title| title.starts_with("Allow")));
    client.ignore_rest();
}

#[tokio::test]
async fn a_question_is_asked_where_the_person_wants_that() {
    let model = writes_envrc().await;
    let daemon = TestDaemon::asking(&model);
    daemon.configure("[editor]\nask = true\n");
    let file = daemon.workspace.path().join("a.txt");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    execute(&mut client, "pilotfish.toggleMode", at(&file, 0, 0)).await.expect("switched");
    assert_eq!(message(&mut client).await, "pilotfish: agent mode");
    execute(&mut client, "pilotfish.ask", json!({"text": "go"})).await.expect("asked");
    let (id, params) = client.asked("window/showMessageRequest").await;
    let ways: Vec<&str> =
        params["actions"].as_array().expect("ways").iter().filter_map(|way| way["title"].as_str()).collect();
    assert!(ways.first().is_some_and(|way| way.starts_with("Allow once")), "{ways:?}");
    let no = *ways.last().expect("a no");
    assert!(no.starts_with("Do not allow"), "{ways:?}");
    // It holds up nothing while it is open.
    assert!(titles(&mut client, &file, 0).await.iter().any(|title| title == no));
    client.reply(id, json!({"title": no})).await;
    message(&mut client).await;
    assert_eq!(message(&mut client).await, "pilotfish: done");
    assert!(!daemon.workspace.path().join(".envrc").exists());
    client.ignore_rest();
}

#[tokio::test]
async fn what_the_model_asks_is_answered_by_an_action_or_in_words() {
    let model = FakeModel::start(pilotfish::config::Dialect::Responses).await;
    for _ in 0..2 {
        let question = json!({"question": "Which port?", "choices": ["80", "8080"]});
        model.answers(answer().calls("ask", question)).answers(answer().says("ok"));
    }
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    for is_action in [true, false] {
        execute(&mut client, "pilotfish.ask", json!({"text": "go"})).await.expect("asked");
        progress(&mut client).await;
        assert_eq!(message(&mut client).await, "pilotfish asks: Which port?. The answers are code actions");
        let said = if is_action {
            act(&mut client, &file, 0, "Answer: 8080").await;
            "the person answered: 8080"
        } else {
            execute(&mut client, "pilotfish.answer", json!({"text": "443"})).await.expect("answered");
            "the person answered: 443"
        };
        document(&mut client).await;
        message(&mut client).await;
        let request = model.requests().pop().expect("a request").body["input"].to_string();
        assert!(request.contains(said), "{request}");
    }
    client.ignore_rest();
}

/// A model that writes a protected file when it is asked, and then says so.
async fn writes_envrc() -> FakeModel {
    FakeModel::by_rule(pilotfish::config::Dialect::Responses, |request| {
        let last = request["input"].as_array().and_then(|input| input.last()).cloned().unwrap_or_default();
        let written = last["type"] == "function_call_output";
        if written { answer().says("ok") } else { answer().calls("write", json!({"path": ".envrc", "content": "x"})) }
    })
    .await
}

#[tokio::test]
async fn the_methods_of_review_refuse_what_cannot_be_meant() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let root = daemon.workspace.path();
    for (method, params, kind, words) in [
        ("review/list", json!({"workspace": "/no/such"}), ErrorKind::InvalidParams, "`workspace`"),
        ("review/list", json!({"workspace": root, "uri": "file:///elsewhere/a"}), ErrorKind::InvalidParams, "outside"),
        ("review/base", json!({"uri": "file:///elsewhere/a"}), ErrorKind::NotFound, "in no workspace"),
        ("review/base", json!({"uri": uri(&root.join("a"))}), ErrorKind::NotFound, "no changes that wait"),
        ("review/keep", json!({"workspace": root, "hunkIds": []}), ErrorKind::InvalidParams, "`hunkIds` names none"),
        ("review/undo", json!({"workspace": root, "range": {"start": 0, "end": 1}}), ErrorKind::InvalidParams, "`uri`"),
    ] {
        let failure = client.request::<Value>(method, params.clone()).await.expect_err("refused");
        assert_eq!(failure.data.map(|data| data.kind), Some(kind), "{method} {params}: {}", failure.message);
        assert!(failure.message.contains(words), "{method} {params}: {}", failure.message);
    }
    let list: Value = client.request("review/list", json!({"workspace": root})).await.expect("a list");
    assert_eq!(list, json!({"hunks": []}));
    client.shut_down().await;
}

/// A model that makes these edits of `a.txt`, one after the other, for the first prompt.
async fn edits(edits: &'static [(&'static str, &'static str)]) -> FakeModel {
    let model = FakeModel::start(pilotfish::config::Dialect::Responses).await;
    for (old, new) in edits {
        let arguments = json!({"path": "a.txt", "old_string": old, "new_string": new});
        model.answers(answer().calls("edit", arguments));
    }
    model.answers(answer().says("done so"));
    model
}

/// Waits for the hints of a file to be these lines, each with its words.
async fn hinted(client: &mut TestClient, file: &Path, expected: &[(u64, &str)]) -> Value {
    let file = file.canonicalize().expect("it is there");
    loop {
        let told = client.notification("textDocument/publishDiagnostics").await;
        assert_eq!(told["uri"], uri(&file));
        let hints = told["diagnostics"].as_array().expect("hints");
        let lines: Vec<(u64, &str)> = hints
            .iter()
            .map(|hint| {
                assert_eq!((&hint["severity"], &hint["source"]), (&json!(4), &json!("pilotfish")));
                (hint["range"]["start"]["line"].as_u64().expect("a line"), hint["message"].as_str().expect("words"))
            })
            .collect();
        if lines == expected {
            return told["diagnostics"].clone();
        }
    }
}

const TEN: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

#[tokio::test]
async fn changes_that_wait_are_hints_that_go_when_they_are_decided() {
    let model = edits(&[("2\n3\n", "two\n3\n"), ("9\n", "9\nnine and a half\n")]).await;
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, TEN).expect("a file");
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    client.ignore_rest();
    let mut ours = daemon.client().await;
    ours.ignore_rest();
    execute(&mut client, "pilotfish.toggleMode", at(&file, 0, 0)).await.expect("switched");
    execute(&mut client, "pilotfish.ask", json!({"text": "go"})).await.expect("asked");
    progress(&mut client).await;
    let hints = hinted(&mut client, &file, &[(1, "changed 1 line"), (9, "added 1 line")]).await;
    assert_eq!(hints[0]["relatedInformation"][0]["message"], "it was:\n2");
    document(&mut client).await;

    let params = json!({"textDocument": {"uri": uri(&file)}});
    let lenses: Value = client.request("textDocument/codeLens", params).await.expect("lenses");
    let lenses: Vec<(&Value, &Value)> = lenses
        .as_array()
        .expect("lenses")
        .iter()
        .map(|lens| (&lens["range"]["start"]["line"], &lens["command"]["title"]))
        .collect();
    let expected = [(1, "keep +1 -1"), (1, "undo"), (9, "keep +1 -0"), (9, "undo")];
    assert_eq!(
        lenses,
        expected.map(|(line, title)| (json!(line), json!(title))).iter().map(|(a, b)| (a, b)).collect::<Vec<_>>()
    );
    let (id, _) = client.asked("workspace/codeLens/refresh").await;
    client.reply(id, Value::Null).await;

    act(&mut client, &file, 1, "Keep this hunk").await;
    hinted(&mut client, &file, &[(9, "added 1 line")]).await;
    act(&mut client, &file, 9, "Undo this hunk").await;
    hinted(&mut client, &file, &[]).await;
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), TEN.replace("2\n", "two\n"));
    assert!(!titles(&mut client, &file, 1).await.iter().any(|title| title.contains("Keep")));

    // One of ours heard the same, as hunks.
    let file = file.canonicalize().expect("it is there");
    let mut counts = Vec::new();
    while counts.last() != Some(&0) {
        let told = ours.notification("review/changed").await;
        assert_eq!(told["uri"], uri(&file));
        counts.push(told["hunks"].as_array().expect("hunks").len());
    }
    assert!(counts.contains(&2), "{counts:?}");
}

#[tokio::test]
async fn proposals_are_accepted_and_rejected_without_leaving_read_only_mode() {
    let model = edits(&[("2\n3\n", "two\n3\n"), ("9\n", "nine\n")]).await;
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, TEN).expect("a file");
    // One without relatedInformation: the words are in the message.
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), json!({})).await;
    client.ignore_rest();
    execute(&mut client, "pilotfish.ask", json!({"text": "go"})).await.expect("asked");
    let (two, nine) = ("proposal: change 1 line; it would be:\ntwo", "proposal: change 1 line; it would be:\nnine");
    hinted(&mut client, &file, &[(1, two), (8, nine)]).await;
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), TEN);
    act_bare(&mut client, &file, 1, "Accept this proposal").await;
    hinted(&mut client, &file, &[(8, nine)]).await;
    act_bare(&mut client, &file, 8, "Reject this proposal").await;
    hinted(&mut client, &file, &[]).await;
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), TEN.replace("2\n", "two\n"));
}

/// As [`act`], for an editor that gets bare commands.
async fn act_bare(client: &mut TestClient, path: &Path, line: u32, title: &str) {
    let actions = actions(client, path, line).await;
    let command = actions.into_iter().find(|action| action["title"] == title).expect("it is offered");
    let done: Value = client.request("workspace/executeCommand", command).await.expect("carried out");
    assert_eq!(done, Value::Null);
}

#[tokio::test]
async fn what_waited_before_an_editor_came_is_shown_to_it() {
    let model = edits(&[("2\n", "two\n")]).await;
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, "1\n2\n").expect("a file");
    let mut ours = daemon.client().await;
    ours.ignore_rest();
    let session = daemon.session_in(&mut ours, Mode::Agent).await;
    let params = json!({"sessionId": session.id, "input": [{"type": "text", "text": "go"}]});
    ours.request::<Value>("session/prompt", params).await.expect("taken");
    ours.notification("review/changed").await;
    let (mut client, _) = editor(&daemon, daemon.workspace.path(), able()).await;
    hinted(&mut client, &file, &[(1, "changed 1 line")]).await;
    let file_action = json!({"uri": uri(&file)});
    execute(&mut client, "pilotfish.undoFile", file_action).await.expect("undone");
    hinted(&mut client, &file, &[]).await;
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "1\n2\n");
    client.ignore_rest();
}

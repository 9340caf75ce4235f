//! An editor that speaks the Agent Client Protocol: hello, sessions, prompts and their answers, replays, and what it may get wrong.

use pilotfish::config::Dialect;
use pilotfish::door::Ended;
use pilotfish_protocol::{Attached, ItemContent, ItemPage, PromptTaken, SessionId};
use pilotfish_tests::acp::{AcpClient, Outcome, Said};
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::{FakeModel, answer, status};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

/// The updates of a kind, without their session.
fn of_kind(updates: &[Value], kind: &str) -> Vec<Value> {
    let kind = json!(kind);
    updates.iter().map(|update| &update["update"]).filter(|update| update["sessionUpdate"] == kind).cloned().collect()
}

/// The words of the chunks of a kind.
fn words(updates: &[Value], kind: &str) -> String {
    of_kind(updates, kind).iter().map(|update| update["content"]["text"].as_str().unwrap_or_default()).collect()
}

fn kinds(updates: &[Value]) -> Vec<&str> {
    updates.iter().filter_map(|update| update["update"]["sessionUpdate"].as_str()).collect()
}

fn stop(outcome: Outcome) -> String {
    outcome.expect("the turn did not fail")["stopReason"].as_str().expect("a reason").to_owned()
}

fn code(outcome: Outcome) -> i64 {
    outcome.expect_err("an error").0
}

async fn check_alive(client: &mut AcpClient) {
    client.request("session/list", json!({})).await.expect("the next request works");
}

#[tokio::test]
async fn says_who_it_is_and_what_it_can() {
    let daemon = TestDaemon::start();
    let (mut client, task) = daemon.connect_acp();
    for version in [json!(1), json!(2), json!("2024-11-05"), json!(null)] {
        let hello = client.request("initialize", json!({"protocolVersion": version})).await.expect("hello");
        assert_eq!(
            hello,
            json!({
                "protocolVersion": 1,
                "agentCapabilities": {
                    "loadSession": true,
                    "promptCapabilities": {"image": false, "audio": false, "embeddedContext": true},
                    "mcpCapabilities": {"http": false, "sse": false},
                    "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}},
                },
                "agentInfo": {"name": "pilotfish", "title": "pilotfish", "version": env!("CARGO_PKG_VERSION")},
                "authMethods": [],
            })
        );
    }
    assert_eq!(client.request("authenticate", json!({})).await, Ok(json!({})));
    let refused = client.request("authenticate", json!({"methodId": "oauth"})).await.expect_err("unknown");
    assert_eq!((refused.0, refused.1.contains("oauth")), (-32602, true), "{refused:?}");
    client.hang_up();
    client.ended().await;
    assert_eq!(task.await.expect("it does not panic"), Ended::ShutDown);
}

#[tokio::test]
async fn what_is_unknown_or_misshapen_is_named() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect_acp();
    assert_eq!(code(client.request("session/list", json!({})).await), -32600, "before initialize");
    client.initialize().await;
    for method in ["no/such", "terminal/create", "session/set_model", "session/fork", "logout"] {
        let (code, message) = client.request(method, json!({})).await.expect_err("unknown");
        assert_eq!((code, message.contains(method)), (-32601, true), "{message}");
    }
    for method in ["no/such", "$/mystery", "session/update"] {
        client.notify(method, json!({"a": [1, {"b": null}]})).await;
    }
    let block = |block: Value| json!({"sessionId": "s0", "prompt": [{"type": "text", "text": "x"}, block]});
    for (method, params, what) in [
        ("session/new", json!({}), "cwd"),
        ("session/new", json!(null), "cwd"),
        ("session/new", json!(["/"]), "object"),
        ("session/new", json!({"cwd": "relative"}), "`cwd`"),
        ("session/new", json!({"cwd": "file:///"}), "`cwd`"),
        ("session/new", json!({"cwd": "/no/such/folder"}), "`cwd`"),
        ("session/new", json!({"cwd": "/etc/passwd"}), "not a folder"),
        ("session/load", json!({"cwd": "/"}), "sessionId"),
        ("session/prompt", json!({"sessionId": 5, "prompt": []}), "session/prompt"),
        ("session/prompt", block(json!({"type": "image", "data": "", "mimeType": "image/png"})), "image"),
        ("session/prompt", block(json!({"type": "hologram"})), "block 2 of the prompt is of type \"hologram\""),
        ("session/prompt", block(json!({"type": "text"})), "text"),
        (
            "session/prompt",
            block(json!({"type": "resource", "resource": {"uri": "file:///a", "blob": ""}})),
            "file:///a",
        ),
        ("session/set_mode", json!({"sessionId": "s0", "modeId": "root"}), "read-only or agent"),
        ("session/set_config_option", json!({"sessionId": "s0", "configId": "color", "value": "red"}), "color"),
        ("session/list", json!({"cursor": "nonsense"}), "cursor"),
    ] {
        let (code, message) = client.request(method, params.clone()).await.expect_err("refused");
        assert_eq!((code, message.contains(what)), (-32602, true), "{method} {params}: {message}");
    }
    for (method, params) in [
        ("session/load", json!({"sessionId": "s0", "cwd": "/", "mcpServers": []})),
        ("session/resume", json!({"sessionId": "s0", "cwd": "/"})),
        ("session/close", json!({"sessionId": "s0"})),
        ("session/prompt", json!({"sessionId": "s0", "prompt": [{"type": "text", "text": "x"}]})),
        ("session/set_mode", json!({"sessionId": "s0", "modeId": "agent"})),
        ("session/set_config_option", json!({"sessionId": "s0", "configId": "mode", "value": "agent"})),
    ] {
        let (code, message) = client.request(method, params).await.expect_err("not found");
        assert_eq!((code, message.contains("s0")), (-32002, true), "{method}: {message}");
    }
    client.notify("session/cancel", json!({"sessionId": "s0"})).await;
    client.notify("session/cancel", json!(null)).await;
    client.notify("$/cancel_request", json!({"requestId": 1})).await;
    check_alive(&mut client).await;
}

#[tokio::test]
async fn a_bad_line_is_answered_and_the_next_request_works() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (line, expected) in [
        ("hello?", -32700),
        ("{", -32700),
        ("Content-Length: 2", -32700),
        ("{\"a\":\0}", -32700),
        (deep.as_str(), -32700),
        ("{}", -32600),
        ("[]", -32600),
        ("null", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"session/list\"}", -32600),
    ] {
        client.line(line).await;
        let shown: String = line.chars().take(60).collect();
        let said = client.next().await;
        let Said::Answer(Value::Null, Err((code, _))) = said else { panic!("{shown:?}: {said:?}") };
        assert_eq!(code, expected, "{shown:?}");
        check_alive(&mut client).await;
    }
    client.raw(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}\n").await;
    let Said::Answer(Value::Null, Err((-32700, _))) = client.next().await else { panic!("it is not UTF-8") };
    client.raw(b"\r\n\n   \n").await;
    check_alive(&mut client).await;
}

#[tokio::test]
async fn ids_come_back_as_they_were_and_null_is_no_parameters() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect_acp_with(1);
    client.initialize().await;
    for id in [json!("a-1"), json!(-7), json!(0), json!(i64::MAX), json!("")] {
        for params in [
            json!({"jsonrpc": "2.0", "id": id, "method": "session/list", "params": null, "more": [1]}),
            json!({"jsonrpc": "2.0", "id": id, "method": "session/list"}),
        ] {
            client.line(&format!("{params}\r")).await;
            client.outcome(&id).await.expect("a list");
        }
    }
    // Answers that nobody asked for change nothing.
    client.line(r#"{"jsonrpc":"2.0","id":99,"result":null}"#).await;
    client.line(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#).await;
    check_alive(&mut client).await;
}

#[tokio::test]
async fn a_new_session_has_modes_and_options_with_values() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let params = json!({"cwd": daemon.workspace.path(), "mcpServers": []});
    let opened = client.request("session/new", params).await.expect("a session");
    assert_eq!(opened["modes"]["currentModeId"], "read-only");
    let modes = opened["modes"]["availableModes"].as_array().expect("modes");
    assert_eq!(modes.iter().map(|mode| &mode["id"]).collect::<Vec<_>>(), ["read-only", "agent"]);
    assert!(modes.iter().all(|mode| mode["name"].is_string() && mode["description"].is_string()));
    let options = opened["configOptions"].as_array().expect("options");
    let short: Vec<_> =
        options.iter().map(|option| json!([option["id"], option["type"], option["currentValue"]])).collect();
    assert_eq!(short, [json!(["mode", "select", "read-only"]), json!(["model", "select", "fake/one"])]);
}

#[tokio::test]
async fn what_of_the_editor_is_not_used_is_said() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let servers = json!([{"name": "x", "command": "/bin/x", "args": [], "env": []}]);
    let params = json!({"cwd": daemon.workspace.path(), "mcpServers": servers});
    let opened = client.request("session/new", params.clone()).await.expect("a session");
    let update = client.updates_until(|_| true).await.remove(0);
    assert_eq!(update["sessionId"], opened["sessionId"]);
    assert!(words(&[update], "agent_message_chunk").contains("MCP servers"));

    let (mut client, _task) = daemon.connect_acp();
    let can = json!({"session": {"notices": {}}});
    client.request("initialize", json!({"protocolVersion": 1, "clientCapabilities": can})).await.expect("hello");
    client.request("session/new", params).await.expect("a session");
    let update = client.updates_until(|_| true).await.remove(0);
    assert_eq!(update["update"]["sessionUpdate"], "notice");
}

#[tokio::test]
async fn a_prompt_is_answered_behind_all_of_its_turn() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().thinks("hmm").says("Hello, ").says("world.").uses(70, 7));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let id = client.prompt(&session, "greet me").await;
    let (updates, outcome) = client.until(&id).await;
    assert_eq!(words(&updates, "agent_message_chunk"), "Hello, world.");
    assert_eq!(words(&updates, "agent_thought_chunk"), "hmm");
    assert_eq!(of_kind(&updates, "session_info_update")[0]["title"], "greet me");
    // The editor shows its own prompt already.
    assert_eq!(words(&updates, "user_message_chunk"), "");
    let outcome = outcome.expect("an answer");
    assert_eq!(outcome["stopReason"], "end_turn");
    assert_eq!((&outcome["usage"]["inputTokens"], &outcome["usage"]["outputTokens"]), (&json!(70), &json!(7)));
}

#[tokio::test]
async fn prompts_bring_links_and_texts_of_the_editor() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().says("seen"));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let resource = json!({"uri": "file:///buffer.rs", "mimeType": "text/x-rust", "text": "fn unsaved() {}"});
    let prompt = json!([
        {"type": "text", "text": "look"},
        {"type": "resource_link", "uri": "file:///a.rs", "name": "a.rs"},
        {"type": "resource_link", "uri": "https://example.org/x", "name": "x"},
        {"type": "resource", "resource": resource, "annotations": {"audience": ["assistant"]}},
    ]);
    let outcome = client.request("session/prompt", json!({"sessionId": session, "prompt": prompt})).await;
    assert_eq!(stop(outcome), "end_turn");
    let asked = model.requests()[0].body.to_string();
    for part in ["file:///a.rs", "[x](https://example.org/x)", "file:///buffer.rs", "fn unsaved() {}"] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
    client.ignore_rest();
    // A transcript gives the pieces back as they were.
    let mut other = daemon.acp_client().await;
    let id = other.ask("session/load", json!({"sessionId": session, "cwd": "/", "mcpServers": []})).await;
    let (updates, _) = other.until(&id).await;
    let types: Vec<_> =
        of_kind(&updates, "user_message_chunk").iter().map(|update| update["content"]["type"].clone()).collect();
    assert_eq!(types, ["text", "resource_link", "text", "resource"]);
}

#[tokio::test]
async fn tool_calls_show_what_they_do_and_what_changed() {
    let model = FakeModel::start(Dialect::Responses).await;
    model
        .answers(answer().calls("read", json!({"path": "a.txt", "offset": 2})))
        .answers(answer().calls("edit", json!({"path": "a.txt", "old_string": "two\n", "new_string": "2\n"})))
        .answers(answer().calls("write", json!({"path": "b.txt", "content": "new\n"})))
        .answers(answer().calls("shell", json!({"command": "echo out; exit 3"})))
        .answers(answer().calls("plan", json!({"steps": [{"step": "rest", "status": "in_progress"}]})))
        .answers(answer().calls("dance", json!({})))
        .answers(answer().says("done"));
    let daemon = TestDaemon::asking(&model);
    std::fs::write(daemon.workspace.path().join("a.txt"), "one\ntwo\nthree\n").expect("a file");
    let root = daemon.workspace.path().canonicalize().expect("a folder");
    let place = |name: &str| json!(root.join(name));
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    client.request("session/set_mode", json!({"sessionId": session, "modeId": "agent"})).await.expect("set");
    client.updates_until(|update| update["update"]["sessionUpdate"] == "config_option_update").await;
    let id = client.prompt(&session, "go").await;
    let (updates, outcome) = client.until(&id).await;
    assert_eq!(stop(outcome), "end_turn");
    let calls = of_kind(&updates, "tool_call");
    let short: Vec<_> = calls.iter().map(|call| json!([call["kind"], call["title"], call["status"]])).collect();
    assert_eq!(
        short,
        [
            json!(["read", "read a.txt:2-", "in_progress"]),
            json!(["edit", "edit a.txt", "in_progress"]),
            json!(["edit", "write b.txt", "in_progress"]),
            json!(["execute", "$ echo out; exit 3", "in_progress"]),
            json!(["think", "plan", "in_progress"]),
            json!(["other", "dance", "in_progress"]),
        ]
    );
    assert_eq!(calls[0]["locations"], json!([{"path": place("a.txt"), "line": 2}]));
    assert_eq!(calls[0]["rawInput"], json!({"path": "a.txt", "offset": 2}));
    let last = |call: usize, field: &str| {
        let changes = of_kind(&updates, "tool_call_update").into_iter();
        changes
            .filter(|change| change["toolCallId"] == calls[call]["toolCallId"])
            .filter_map(|change| change.get(field).cloned())
            .next_back()
    };
    let ends: Vec<_> = (0..calls.len()).map(|call| last(call, "status").expect("it ends")).collect();
    assert_eq!(ends, ["completed", "completed", "completed", "failed", "completed", "failed"]);
    assert!(last(0, "content").expect("content")[0]["content"]["text"].as_str().expect("text").contains("three"));
    let diff = &last(1, "content").expect("content")[0];
    assert_eq!(diff, &json!({"type": "diff", "path": place("a.txt"), "oldText": "two\n", "newText": "2\n"}));
    let diff = &last(2, "content").expect("content")[0];
    assert_eq!(diff, &json!({"type": "diff", "path": place("b.txt"), "newText": "new\n"}));
    assert_eq!(last(3, "rawOutput"), Some(json!({"exitCode": 3})));
    assert!(last(3, "content").expect("content")[0]["content"]["text"].as_str().expect("text").contains("out\n"));
    let plan = &of_kind(&updates, "plan")[0];
    assert_eq!(plan["entries"], json!([{"content": "rest", "priority": "medium", "status": "in_progress"}]));
    // A whole replay tells the same.
    let mut other = daemon.acp_client().await;
    let id = other.ask("session/load", json!({"sessionId": session, "cwd": root, "mcpServers": []})).await;
    let (replayed, outcome) = other.until(&id).await;
    assert_eq!(outcome.expect("loaded")["modes"]["currentModeId"], "agent");
    assert_eq!(of_kind(&replayed, "tool_call"), calls);
    assert_eq!(words(&replayed, "user_message_chunk"), "go");
    assert_eq!(words(&replayed, "agent_message_chunk"), "done");
}

#[tokio::test]
async fn a_proposal_is_a_diff_and_changes_nothing() {
    let model = FakeModel::start(Dialect::Responses).await;
    model
        .answers(answer().calls("edit", json!({"path": "a.txt", "old_string": "one", "new_string": "1"})))
        .answers(answer().says("proposed"));
    let daemon = TestDaemon::asking(&model);
    let file = daemon.workspace.path().join("a.txt");
    std::fs::write(&file, "one\n").expect("a file");
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let id = client.prompt(&session, "go").await;
    let (updates, _) = client.until(&id).await;
    let changes = of_kind(&updates, "tool_call_update");
    let content = &changes.last().expect("a change")["content"];
    assert_eq!((&content[0]["oldText"], &content[0]["newText"]), (&json!("one\n"), &json!("1\n")));
    assert!(content[1]["content"]["text"].as_str().expect("text").contains("read-only"), "{content}");
    assert_eq!(std::fs::read_to_string(file).expect("the file"), "one\n");
}

#[tokio::test]
async fn stop_reasons_and_failures() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().says("cut").reaches_the_limit()).answers(status(401).because("no such key"));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let id = client.prompt(&session, "one").await;
    assert_eq!(stop(client.until(&id).await.1), "max_tokens");
    let id = client.prompt(&session, "two").await;
    let (updates, outcome) = client.until(&id).await;
    let (code, message) = outcome.expect_err("the turn failed");
    assert_eq!((code, message.contains("no such key")), (-32603, true), "{message}");
    assert_eq!(words(&updates, "agent_message_chunk"), "", "the answer says it");
    let (code, message) =
        client.request("session/prompt", json!({"sessionId": session, "prompt": []})).await.expect_err("empty");
    assert_eq!((code, message.contains("empty")), (-32602, true));
    // A transcript has no answers, so there the words stand in it.
    let id = client.ask("session/load", json!({"sessionId": session, "cwd": "/", "mcpServers": []})).await;
    let (updates, _) = client.until(&id).await;
    assert!(words(&updates, "agent_message_chunk").contains("no such key"));
}

#[tokio::test]
async fn after_a_cancel_the_prompt_is_cancelled() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().says("I will").hangs()).answers(answer().says("again"));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    client.notify("session/cancel", json!({"sessionId": session})).await;
    let id = client.prompt(&session, "go").await;
    client.updates_until(|update| update["update"]["sessionUpdate"] == "agent_message_chunk").await;
    client.notify("session/cancel", json!({"sessionId": session})).await;
    let (_, outcome) = client.until(&id).await;
    assert_eq!(stop(outcome), "cancelled");
    client.notify("session/cancel", json!({"sessionId": session})).await;
    let id = client.prompt(&session, "again").await;
    let (updates, outcome) = client.until(&id).await;
    assert_eq!((stop(outcome), words(&updates, "agent_message_chunk")), ("end_turn".to_owned(), "again".to_owned()));
}

#[tokio::test]
async fn a_cancel_right_behind_its_prompt_reaches_it() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let _never = daemon.script.answer();
    let id = client.prompt(&session, "go").await;
    client.notify("session/cancel", json!({"sessionId": session})).await;
    assert_eq!(stop(client.outcome(&id).await), "cancelled");
    let _never = daemon.script.answer();
    let id = client.prompt(&session, "go").await;
    client.notify("$/cancel_request", json!({"requestId": id})).await;
    assert_eq!(stop(client.outcome(&id).await), "cancelled");
    client.ignore_rest();
}

#[tokio::test]
async fn prompts_wait_in_line_and_each_is_answered_at_its_own_end() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let first = daemon.script.answer();
    let second = daemon.script.says("two");
    let one = client.prompt(&session, "first").await;
    let two = client.prompt(&session, "second").await;
    first.text("one").await;
    client.updates_until(|update| words(std::slice::from_ref(update), "agent_message_chunk") == "one").await;
    first.finish().await;
    let (updates, outcome) = client.until(&one).await;
    assert_eq!((stop(outcome), words(&updates, "agent_message_chunk")), ("end_turn".to_owned(), String::new()));
    second.await;
    let (updates, outcome) = client.until(&two).await;
    assert_eq!((stop(outcome), words(&updates, "agent_message_chunk")), ("end_turn".to_owned(), "two".to_owned()));
    assert_eq!(words(&updates, "user_message_chunk"), "", "the editor shows its own prompts already");
}

#[tokio::test]
async fn a_cancel_takes_back_what_waits() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let _never = daemon.script.answer();
    let one = client.prompt(&session, "first").await;
    let two = client.prompt(&session, "second").await;
    let three = client.prompt(&session, "third").await;
    client.notify("$/cancel_request", json!({"requestId": three})).await;
    assert_eq!(stop(client.outcome(&three).await), "cancelled");
    client.notify("session/cancel", json!({"sessionId": session})).await;
    assert_eq!(stop(client.outcome(&one).await), "cancelled");
    assert_eq!(stop(client.outcome(&two).await), "cancelled");
    client.ignore_rest();
    let mut editor = daemon.client().await;
    let attached: Attached = editor.request("session/attach", json!({"sessionId": session})).await.expect("attached");
    assert_eq!((attached.queue, attached.turn_id), (vec![], None));
    editor.ignore_rest();
}

#[tokio::test]
async fn what_waits_behind_a_failed_turn_comes_back() {
    let model = FakeModel::start(Dialect::Responses).await;
    let gate = Arc::new(Notify::new());
    model.answers(answer().waits_for(&gate).calls("list", json!({}))).answers(status(401).because("no such key"));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let one = client.prompt(&session, "first").await;
    let two = client.prompt(&session, "second").await;
    // Set behind them, so when it is answered both were taken.
    client.request("session/set_mode", json!({"sessionId": session, "modeId": "agent"})).await.expect("set");
    gate.notify_one();
    assert_eq!(code(client.outcome(&one).await), -32603);
    let (code, message) = client.outcome(&two).await.expect_err("it cannot begin");
    assert_eq!(
        (code, message.contains("not begun"), message.contains("no such key")),
        (-32603, true, true),
        "{message}"
    );
    client.ignore_rest();
    let mut editor = daemon.client().await;
    let attached: Attached = editor.request("session/attach", json!({"sessionId": session})).await.expect("attached");
    assert_eq!((attached.queue, attached.turn_id), (vec![], None));
    editor.ignore_rest();
}

#[tokio::test]
async fn a_load_replays_all_and_then_answers_and_a_resume_replays_nothing() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    for turn in 0..60 {
        let saying = daemon.script.says(&format!("answer {turn}. "));
        let id = client.prompt(&session, &format!("prompt {turn}. ")).await;
        saying.await;
        assert_eq!(stop(client.outcome(&id).await), "end_turn");
    }
    client.ignore_rest();
    let all = |what: &str| (0..60).map(|turn| format!("{what} {turn}. ")).collect::<String>();
    let open = json!({"sessionId": session, "cwd": daemon.workspace.path(), "mcpServers": []});

    let mut other = daemon.acp_client().await;
    for _ in 0..2 {
        let id = other.ask("session/load", &open).await;
        let (updates, outcome) = other.until(&id).await;
        assert_eq!(outcome.expect("loaded")["configOptions"][0]["currentValue"], "read-only");
        assert_eq!(words(&updates, "user_message_chunk"), all("prompt"));
        assert_eq!(words(&updates, "agent_message_chunk"), all("answer"));
    }
    for _ in 0..2 {
        let id = other.ask("session/resume", &open).await;
        let (updates, outcome) = other.until(&id).await;
        assert_eq!((kinds(&updates), outcome.is_ok()), (vec![], true));
    }
    let mut third = daemon.acp_client().await;
    let id = third.ask("session/resume", &open).await;
    let (updates, outcome) = third.until(&id).await;
    assert_eq!((kinds(&updates), outcome.is_ok()), (vec![], true));
    let saying = daemon.script.says("more");
    let id = third.prompt(&session, "and now").await;
    saying.await;
    let (updates, outcome) = third.until(&id).await;
    assert_eq!((stop(outcome), words(&updates, "agent_message_chunk")), ("end_turn".to_owned(), "more".to_owned()));
    // The other editor sees whose words they were.
    let updates =
        other.updates_until(|update| words(std::slice::from_ref(update), "agent_message_chunk") == "more").await;
    assert_eq!(words(&updates, "user_message_chunk"), "and now");
    other.ignore_rest();
}

#[tokio::test]
async fn a_load_of_a_running_session_goes_on_where_it_is() {
    let daemon = TestDaemon::start();
    let mut editor = daemon.client().await;
    let opened = daemon.session(&mut editor).await;
    let answering = daemon.script.answer();
    let params = json!({"sessionId": opened.id, "input": [{"type": "text", "text": "count"}]});
    editor.request::<PromptTaken>("session/prompt", params).await.expect("taken");
    answering.text("one, ").await;
    answering.text("two, ").await;
    editor.ignore_rest();
    let open = json!({"sessionId": opened.id, "cwd": "/", "mcpServers": []});
    let mut client = daemon.acp_client().await;
    let id = client.ask("session/load", &open).await;
    let (updates, outcome) = client.until(&id).await;
    assert_eq!((words(&updates, "user_message_chunk"), outcome.is_ok()), ("count".to_owned(), true));
    answering.text("three").await;
    answering.finish().await;
    let mut said = words(&updates, "agent_message_chunk");
    client
        .updates_until(|update| {
            said += &words(std::slice::from_ref(update), "agent_message_chunk");
            said.ends_with("three")
        })
        .await;
    assert_eq!(said, "one, two, three");
    client.ignore_rest();
}

#[tokio::test]
async fn sessions_are_listed_closed_and_deleted() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (one, two) = (client.open(daemon.workspace.path()).await, client.open(elsewhere.path()).await);
    let listed = |outcome: Outcome| -> Vec<String> {
        let sessions = outcome.expect("a list")["sessions"].take();
        sessions
            .as_array()
            .expect("sessions")
            .iter()
            .map(|session| session["sessionId"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(listed(client.request("session/list", json!(null)).await).len(), 2);
    let here = json!({"cwd": daemon.workspace.path(), "cursor": null});
    assert_eq!(listed(client.request("session/list", &here).await), std::slice::from_ref(&one));
    let saying = daemon.script.answer();
    let prompt = client.prompt(&one, "work").await;
    let waiting = client.prompt(&one, "later").await;
    saying.text("working").await;
    client.updates_until(|update| words(std::slice::from_ref(update), "agent_message_chunk") == "working").await;
    let close = client.ask("session/close", json!({"sessionId": one})).await;
    assert_eq!(stop(client.outcome(&prompt).await), "cancelled");
    assert_eq!(stop(client.outcome(&waiting).await), "cancelled");
    assert_eq!(client.outcome(&close).await, Ok(json!({})));
    assert!(daemon.hub.loaded(&SessionId(one.clone())).is_none());
    assert_eq!(client.request("session/close", json!({"sessionId": one})).await, Ok(json!({})), "again");
    // A prompt opens it again.
    let saying = daemon.script.says("back");
    let prompt = client.prompt(&one, "and now").await;
    saying.await;
    assert_eq!(stop(client.outcome(&prompt).await), "end_turn");
    for _ in 0..2 {
        assert_eq!(client.request("session/delete", json!({"sessionId": two})).await, Ok(json!({})));
    }
    assert_eq!(client.request("session/delete", json!({"sessionId": "s0"})).await, Ok(json!({})));
    assert_eq!(listed(client.request("session/list", json!({})).await), std::slice::from_ref(&one));
    assert_eq!(code(client.request("session/load", json!({"sessionId": two, "cwd": "/"})).await), -32002);
    let _never = daemon.script.answer();
    let prompt = client.prompt(&one, "work").await;
    assert_eq!(client.request("session/delete", json!({"sessionId": one})).await, Ok(json!({})));
    assert_eq!(stop(client.outcome(&prompt).await), "cancelled");
    client.ignore_rest();
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    for _ in 0..60 {
        client.open(daemon.workspace.path()).await;
    }
    client.open(elsewhere.path()).await;
    for (cwd, expected) in [(json!(null), 61), (json!(daemon.workspace.path()), 60), (json!(elsewhere.path()), 1)] {
        let (mut seen, mut cursor) = (0, json!(null));
        loop {
            let page = client.request("session/list", json!({"cwd": cwd, "cursor": cursor})).await.expect("a page");
            seen += page["sessions"].as_array().expect("sessions").len();
            cursor = page.get("nextCursor").cloned().unwrap_or_default();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, expected, "{cwd}");
    }
}

#[tokio::test]
async fn modes_and_options_are_set_and_every_client_hears_of_it() {
    let daemon = TestDaemon::start();
    let (mut one, mut two) = (daemon.acp_client().await, daemon.acp_client().await);
    let session = one.open(daemon.workspace.path()).await;
    two.request("session/resume", json!({"sessionId": session, "cwd": "/"})).await.expect("resumed");
    assert_eq!(one.request("session/set_mode", json!({"sessionId": session, "modeId": "agent"})).await, Ok(json!({})));
    for client in [&mut one, &mut two] {
        let updates = client.updates_until(|update| update["update"]["sessionUpdate"] == "config_option_update").await;
        assert_eq!(kinds(&updates), ["current_mode_update", "config_option_update"]);
        assert_eq!(updates[0]["update"]["currentModeId"], "agent");
        assert_eq!(updates[1]["update"]["configOptions"][0]["currentValue"], "agent");
    }
    let set = |option: &str, value: Value| json!({"sessionId": session, "configId": option, "value": value});
    let options = two.request("session/set_config_option", set("mode", json!("read-only"))).await.expect("set");
    assert_eq!(options["configOptions"][0]["currentValue"], "read-only");
    let options = two.request("session/set_config_option", set("model", json!("fake/other"))).await.expect("set");
    assert_eq!(options["configOptions"][1]["currentValue"], "fake/other");
    let choices = options["configOptions"][1]["options"].as_array().expect("choices");
    assert!(choices.iter().any(|choice| choice["value"] == "fake/other"), "the value is one of the choices");
    for value in [json!("nowhere/model"), json!(true), json!(null)] {
        let refused = two.request("session/set_config_option", set("model", value.clone())).await;
        assert!(refused.is_err(), "{value}: {refused:?}");
    }
    one.ignore_rest();
    two.ignore_rest();
}

#[tokio::test]
async fn an_editor_that_goes_away_leaves_the_turn_running() {
    let daemon = TestDaemon::start();
    let (mut client, task) = daemon.connect_acp();
    client.initialize().await;
    let session = client.open(daemon.workspace.path()).await;
    let answering = daemon.script.answer();
    client.prompt(&session, "work").await;
    client.prompt(&session, "and more").await;
    answering.text("working").await;
    client.updates_until(|update| words(std::slice::from_ref(update), "agent_message_chunk") == "working").await;
    client.ignore_rest();
    client.hang_up();
    client.ended().await;
    assert_eq!(task.await.expect("it does not panic"), Ended::ShutDown);
    let second = daemon.script.says("done, too");
    answering.finish().await;
    second.await;
    let mut editor = daemon.client().await;
    let attached: Attached =
        editor.request("session/attach", json!({"sessionId": session, "afterSeq": 0})).await.expect("attached");
    if attached.turn_id.is_some() {
        let mut ends = 0;
        editor
            .updates_until(|update| {
                ends += usize::from(matches!(update.update, pilotfish_protocol::Update::TurnEnded { .. }));
                ends == 2
            })
            .await;
    }
    let page: ItemPage =
        editor.request("session/items", json!({"sessionId": session, "limit": 9})).await.expect("items");
    let Some(ItemContent::AgentMessage(message)) = page.items.last().map(|item| &item.content) else {
        panic!("{page:?}")
    };
    assert_eq!(message.text, "done, too");
    editor.ignore_rest();
}

#[tokio::test]
async fn a_client_that_stops_reading_stops_nothing_and_loses_nothing() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let text = "x".repeat(100_000);
    for _ in 0..2 {
        let answering = daemon.script.answer();
        let id = client.prompt(&session, "more").await;
        // Nobody reads the client's side from here to the end of the turn, which is 3 times what the outbox holds.
        for _ in 0..60 {
            answering.text(&text).await;
        }
        answering.finish().await;
        let (updates, outcome) = client.until(&id).await;
        assert_eq!(stop(outcome), "end_turn");
        // So long a history is condensed before the second answer, which is told between the two.
        assert_eq!(words(&updates, "agent_message_chunk").matches("xxx").count(), 2_000_000);
    }
    let mut other = daemon.acp_client().await;
    let id = other.ask("session/load", json!({"sessionId": session, "cwd": "/"})).await;
    assert_eq!(words(&other.until(&id).await.0, "agent_message_chunk").matches("xxx").count(), 4_000_000);
}

#[tokio::test]
async fn sessions_of_one_connection_run_side_by_side() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let mut running = Vec::new();
    for number in 0..10 {
        let session = client.open(daemon.workspace.path()).await;
        let answering = daemon.script.answer();
        let prompt = client.prompt(&session, "go").await;
        // The script has one line of answers, so each is asked for before the next.
        let text = format!("of {number}");
        answering.text(&text).await;
        let updates =
            client.updates_until(|update| words(std::slice::from_ref(update), "agent_message_chunk") == text).await;
        assert_eq!(updates.last().expect("one")["sessionId"], session);
        running.push((prompt, answering));
    }
    while let Some((prompt, answering)) = running.pop() {
        answering.finish().await;
        assert_eq!(stop(client.outcome(&prompt).await), "end_turn");
    }
    client.ignore_rest();
}

#[tokio::test]
async fn a_long_line_is_read() {
    let daemon = TestDaemon::start();
    let mut client = daemon.acp_client().await;
    let session = client.open(daemon.workspace.path()).await;
    let saying = daemon.script.says("long");
    let text = "x".repeat(3 << 20);
    let prompt = client.prompt(&session, &text).await;
    saying.await;
    assert_eq!(stop(client.outcome(&prompt).await), "end_turn");
    client.ignore_rest();
}

#[tokio::test]
async fn the_program_serves_its_standard_streams() {
    let desk = Desk::default();
    let mut program = desk.pilotfish(&["acp"]);
    program.stdin(std::process::Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let (input, output) = (child.stdout.take().expect("piped"), child.stdin.take().expect("piped"));
    let mut client = AcpClient::new(input, output);
    client.initialize().await;
    let session = client.open(Path::new("/")).await;
    // Without a model the prompt says what to write where.
    let id = client.prompt(&session, "hello").await;
    let (_, message) = client.until(&id).await.1.expect_err("there is no model");
    assert!(message.contains("config.toml"), "{message}");
    client.hang_up();
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it ends");
    assert_eq!(ended.expect("a status").code(), Some(0));
}

/// Counts on from a seed; good enough to pick bytes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[tokio::test]
async fn mutated_lines_end_nothing() {
    let corpus = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"session/list","params":{"cwd":"/","cursor":"c"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"session/prompt","params":{"sessionId":"s","prompt":[{"type":"text","text":"\u00e4"}]}}"#,
        r#"{"jsonrpc":"2.0","method":"session/cancel","params":{"sessionId":"s"}}"#,
        r#"{"jsonrpc":"2.0","id":"4","method":"session/set_config_option","params":{"sessionId":"s","configId":"mode","value":"agent"}}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{"a":[1.5e3,null,true]}}"#,
    ];
    let daemon = TestDaemon::start();
    let mut dice = Dice(11);
    for _ in 0..10 {
        let (mut theirs, daemons_output) = tokio::io::duplex(1 << 16);
        let (daemons_input, mut output) = tokio::io::duplex(1 << 16);
        let serving = pilotfish::door::acp::serve(daemon.hub.clone(), Arc::default(), daemons_input, daemons_output);
        let task = tokio::spawn(serving);
        let reading = tokio::spawn(async move { tokio::io::copy(&mut theirs, &mut tokio::io::sink()).await });
        for _ in 0..2_000 {
            let mut line = format!("{}\n", corpus[dice.roll(corpus.len())]).into_bytes();
            for _ in 0..dice.roll(4) {
                let at = dice.roll(line.len());
                match dice.roll(5) {
                    0 => line[at] = dice.roll(256) as u8,
                    1 if line.len() > 1 => drop(line.remove(at)),
                    2 => line.insert(at, b"{}[]\",:\r\n\\0-"[dice.roll(12)]),
                    3 => line.truncate(at + 1),
                    _ => line.extend_from_within(at..),
                }
            }
            output.write_all(&line).await.expect("it reads");
        }
        drop(output);
        let ended = tokio::time::timeout(Duration::from_secs(10), task).await.expect("it ends");
        assert_eq!(ended.expect("it does not panic"), Ended::ShutDown);
        reading.await.expect("no panic").expect("the stream ends");
    }
    check_alive(&mut daemon.acp_client().await).await;
}

fn selected(option: &str) -> Value {
    json!({"outcome": {"outcome": "selected", "optionId": option}})
}

/// A session in agent mode whose model writes `.envrc`, and its prompt.
async fn asking(daemon: &TestDaemon, client: &mut AcpClient) -> (String, Value) {
    let session = client.open(daemon.workspace.path()).await;
    client.request("session/set_mode", json!({"sessionId": session, "modeId": "agent"})).await.expect("set");
    let prompt = client.prompt(&session, "go").await;
    (session, prompt)
}

#[tokio::test]
async fn a_question_is_a_request_for_permission() {
    for (answer_of, is_written) in [
        (selected("once"), true),
        (selected("session"), true),
        (selected("no"), false),
        (json!({"outcome": {"outcome": "cancelled"}}), false),
        (json!(null), false),
    ] {
        let model = FakeModel::start(Dialect::Responses).await;
        model
            .answers(answer().calls("write", json!({"path": ".envrc", "content": "x"})))
            .answers(answer().says("done"));
        let daemon = TestDaemon::asking(&model);
        let mut client = daemon.acp_client().await;
        client.ignore_rest();
        let (session, prompt) = asking(&daemon, &mut client).await;
        let (id, asked) = client.asked().await;
        assert_eq!(asked["sessionId"], session.as_str());
        let options = asked["options"].as_array().expect("options");
        let kinds: Vec<&str> = options.iter().filter_map(|option| option["kind"].as_str()).collect();
        assert_eq!(kinds, ["allow_once", "allow_always", "reject_once"]);
        let diff = &asked["toolCall"]["content"][1];
        assert_eq!((&diff["type"], &diff["newText"]), (&json!("diff"), &json!("x")));
        client.give(&id, answer_of).await;
        assert_eq!(stop(client.outcome(&prompt).await), "end_turn");
        assert_eq!(daemon.workspace.path().join(".envrc").exists(), is_written);
    }
}

#[tokio::test]
async fn a_question_answered_elsewhere_is_taken_back_and_an_open_one_is_asked_again() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().calls("write", json!({"path": ".envrc", "content": "x"}))).answers(answer().says("done"));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    client.ignore_rest();
    let (session, prompt) = asking(&daemon, &mut client).await;
    let (id, _) = client.asked().await;
    // A second editor that loads the session is asked too, behind the transcript.
    let mut other = daemon.acp_client().await;
    other.ignore_rest();
    let load = json!({"sessionId": session, "cwd": daemon.workspace.path(), "mcpServers": []});
    other.request("session/load", load).await.expect("loaded");
    let (again, _) = other.asked().await;
    other.give(&again, selected("once")).await;
    assert_eq!(client.not_asked().await, id);
    // Too late; the first answer counts.
    client.give(&id, selected("no")).await;
    assert_eq!(stop(client.outcome(&prompt).await), "end_turn");
    assert!(daemon.workspace.path().join(".envrc").exists());
}

#[tokio::test]
async fn a_cancelled_prompt_needs_no_permission_any_more() {
    let model = FakeModel::start(Dialect::Responses).await;
    model.answers(answer().calls("write", json!({"path": ".envrc", "content": "x"})));
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.acp_client().await;
    client.ignore_rest();
    let (session, prompt) = asking(&daemon, &mut client).await;
    let (id, _) = client.asked().await;
    client.notify("session/cancel", json!({"sessionId": session})).await;
    client.give(&id, json!({"outcome": {"outcome": "cancelled"}})).await;
    assert_eq!(stop(client.outcome(&prompt).await), "cancelled");
    assert!(!daemon.workspace.path().join(".envrc").exists());
}

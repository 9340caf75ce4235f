//! An editor speaks to the daemon: the life of a connection, the order of what it asks, and what it may get wrong.

use pilotfish::door::Ended;
use pilotfish_protocol::{
    Attached, DaemonStatus, Done, ErrorKind, ItemPage, ModelList, PromptTaken, SessionList, SessionUpdate, Update,
};
use pilotfish_tests::client::{Failure, TestClient};
use pilotfish_tests::daemon::TestDaemon;
use serde_json::{Value, json};
use std::time::Duration;

/// The error an expectation is about, without its words.
fn code<T: std::fmt::Debug>(answer: Result<T, Failure>) -> i64 {
    answer.expect_err("an error").code
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Failure>) -> (ErrorKind, String) {
    let failure = answer.expect_err("an error");
    (failure.data.expect("an error of ours has data").kind, failure.message)
}

/// The connection does what it should.
async fn check_alive(client: &mut TestClient) {
    let status: DaemonStatus = client.request("daemon/status", json!({})).await.expect("the next request works");
    assert_eq!(status.protocol, 1);
}

#[tokio::test]
async fn says_who_it_is_and_what_it_can() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    let hello = client.initialize().await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(hello["serverInfo"], json!({"name": "pilotfish", "version": version}));
    assert_eq!(
        hello["capabilities"],
        json!({
            "experimental": {"pilotfish": {
                "protocol": 1, "build": version, "features": pilotfish_protocol::FEATURES
            }},
            "positionEncoding": "utf-16",
            "textDocumentSync": {"openClose": true, "change": 2, "save": {"includeText": false}},
        })
    );
    client.shut_down().await;
}

#[tokio::test]
async fn ends_as_the_client_leaves() {
    let daemon = TestDaemon::start();
    let (mut client, task) = daemon.connect();
    client.initialize().await;
    client.shut_down().await;
    assert_eq!(task.await.expect("it does not panic"), Ended::ShutDown);

    let (mut client, task) = daemon.connect();
    client.initialize().await;
    client.notify("exit", json!(null)).await;
    client.ended().await;
    assert_eq!(task.await.expect("it does not panic"), Ended::Left);

    let (mut client, task) = daemon.connect();
    client.initialize().await;
    client.hang_up();
    client.ended().await;
    assert_eq!(task.await.expect("it does not panic"), Ended::Left);
}

#[tokio::test]
async fn what_was_asked_before_hanging_up_is_answered() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    client.initialize().await;
    let asked = client.ask("session/list", json!({})).await;
    client.hang_up();
    client.answer::<SessionList>(asked).await.expect("an answer");
    client.ended().await;
}

#[tokio::test]
async fn an_editor_that_goes_away_leaves_the_turn_running() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    client.request::<Attached>("session/attach", json!({"sessionId": session.id})).await.expect("attached");
    let answering = daemon.script.answer();
    prompt(&mut client, &session.id.0, "hello").await;
    client.ignore_rest();
    client.hang_up();
    client.ended().await;
    drop(client);

    let mut other = daemon.client().await;
    let attached: Attached = other.request("session/attach", json!({"sessionId": session.id})).await.expect("attached");
    assert!(attached.turn_id.is_some());
    answering.text("still here").await;
    answering.finish().await;
    other.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
    let page: ItemPage =
        other.request("session/items", json!({"sessionId": session.id, "limit": 10})).await.expect("items");
    let last = page.items.last().expect("items");
    let pilotfish_protocol::ItemContent::AgentMessage(message) = &last.content else { panic!("{last:?}") };
    assert_eq!(message.text, "still here");
    other.ignore_rest();
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_life_cycle() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    for method in ["session/list", "daemon/status", "textDocument/hover", "no/such", "shutdown"] {
        assert_eq!(code(client.request::<Value>(method, json!({})).await), -32002, "{method} before initialize");
    }
    client.notify("session/draft", json!({})).await;
    client.initialize().await;
    assert_eq!(code(client.request::<Value>("initialize", json!({"capabilities": {}})).await), -32600);
    check_alive(&mut client).await;
    client.request::<Value>("shutdown", json!(null)).await.expect("shutdown");
    for method in ["session/list", "textDocument/hover", "no/such", "initialize", "shutdown"] {
        assert_eq!(code(client.request::<Value>(method, json!({})).await), -32600, "{method} after shutdown");
    }
    client.notify("exit", json!(null)).await;
    client.ended().await;
}

#[tokio::test]
async fn an_initialize_that_fails_may_be_repeated() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    assert_eq!(code(client.request::<Value>("initialize", json!({"capabilities": 5})).await), -32602);
    assert_eq!(code(client.request::<Value>("daemon/status", json!({})).await), -32002);
    client.initialize().await;
    check_alive(&mut client).await;
}

#[tokio::test]
async fn requests_sent_without_waiting_are_carried_out_in_their_order() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    let mut asked = Vec::new();
    for count in 0..200 {
        let params = json!({"sessionId": session.id, "title": format!("title {count}")});
        asked.push(client.ask("session/rename", params).await);
        if count % 50 == 49 {
            // A session's mailbox is bounded; what matters here is the order inside a burst.
            for id in asked.drain(..) {
                client.answer::<Done>(id).await.expect("renamed");
            }
            let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
            assert_eq!(list.sessions[0].title, format!("title {count}"));
        }
    }
    client.ignore_rest();
}

#[tokio::test]
async fn many_open_requests_stop_nobody() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    let mut asked = Vec::new();
    for _ in 0..1000 {
        asked.push(client.ask("session/items", json!({"sessionId": session.id, "limit": 1})).await);
    }
    check_alive(&mut client).await;
    for id in asked {
        client.answer::<ItemPage>(id).await.expect("a page");
    }
    client.ignore_rest();
}

#[tokio::test]
async fn a_client_that_pipelines_hello_and_all_else_is_served() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    let hello = client.ask("initialize", json!({"capabilities": {}})).await;
    let status = client.ask("daemon/status", json!({})).await;
    let bye = client.ask("shutdown", json!(null)).await;
    let late = client.ask("daemon/status", json!({})).await;
    client.notify("exit", json!(null)).await;
    client.answer::<Value>(hello).await.expect("hello");
    client.answer::<DaemonStatus>(status).await.expect("status");
    client.answer::<Value>(bye).await.expect("bye");
    assert_eq!(code(client.answer::<Value>(late).await), -32600);
    client.ended().await;
}

#[tokio::test]
async fn ids_come_back_as_they_were() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let list = |id: i64| json!({"jsonrpc": "2.0", "id": id, "method": "session/list", "params": {}});
    for id in [-7, -7, i64::MAX, i64::MIN, 0] {
        client.message(&list(id)).await;
        client.message(&list(id)).await;
        client.answer::<SessionList>(id).await.expect("a list");
        client.answer::<SessionList>(id).await.expect("a list for the second of the same id");
    }
}

#[tokio::test]
async fn what_is_unknown_or_misshapen_is_named() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    for method in ["session/nothing", "no/such", "$/mystery", "textDocument/hover"] {
        let params = json!({"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}});
        let failure = client.request::<Value>(method, params).await.expect_err("unknown");
        // A language server's own methods that we have no use for are as unknown as any.
        assert_eq!((failure.code, failure.message.contains(method)), (-32601, true), "{failure:?}");
    }
    client.notify("no/such", json!({})).await;
    client.notify("$/mystery", json!({})).await;
    for (method, params, words) in [
        ("session/new", json!({}), "workspace"),
        ("session/new", json!({"workspace": 5}), "`workspace`"),
        ("session/new", json!({"workspace": "/", "mode": "root"}), "`mode`"),
        ("session/new", json!({"workspace": "relative"}), "`workspace`"),
        ("session/new", json!({"workspace": "/no/such/folder"}), "`workspace`"),
        ("session/new", json!({"workspace": "/etc/passwd"}), "`workspace`"),
        ("session/new", json!(["/"]), "object"),
        ("session/new", json!("x"), "object"),
        ("session/new", json!(null), "workspace"),
        ("session/items", json!({"sessionId": "s", "limit": -1}), "`limit`"),
        ("session/prompt", json!({"sessionId": "s", "input": [{"type": "poem"}]}), "`input`"),
    ] {
        let failure = client.request::<Value>(method, params.clone()).await.expect_err("refused");
        assert_eq!((failure.code, failure.message.contains(words)), (-32602, true), "{method} {params}: {failure:?}");
        assert_eq!(failure.data.map(|data| data.kind), Some(ErrorKind::InvalidParams), "{method} {params}");
    }
    check_alive(&mut client).await;
}

#[tokio::test]
async fn a_session_that_is_not_there_is_not_found() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    for (method, params) in [
        ("session/attach", json!({"sessionId": "s0"})),
        ("session/close", json!({"sessionId": "s0"})),
        ("session/delete", json!({"sessionId": "s0"})),
        ("session/items", json!({"sessionId": "s0", "limit": 5})),
        ("session/output", json!({"sessionId": "s0", "itemId": "i", "offset": 0, "limit": 5})),
        ("session/prompt", json!({"sessionId": "s0", "input": []})),
        ("session/rename", json!({"sessionId": "s0", "title": "x"})),
        ("session/archive", json!({"sessionId": "s0", "archived": true})),
        ("usage/get", json!({"sessionId": "s0"})),
        ("command/list", json!({"sessionId": "s0"})),
        ("command/stop", json!({"sessionId": "s0", "commandId": "c1"})),
        ("question/answer", json!({"sessionId": "s0", "itemId": "i", "choice": 0})),
    ] {
        let (kind, message) = kind(client.request::<Value>(method, params).await);
        assert_eq!((kind, message.contains("s0")), (ErrorKind::NotFound, true), "{method}: {message}");
    }
}

#[tokio::test]
async fn a_notification_of_the_contract_is_taken() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.notify("editor/state", json!({"focused": true})).await;
    client.request::<ModelList>("model/list", json!(null)).await.expect("models");
    check_alive(&mut client).await;
}

#[tokio::test]
async fn a_bad_frame_is_answered_and_the_next_request_works() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let deep = "[".repeat(100_000);
    let deep = format!("Content-Length: {}\r\n\r\n{deep}", deep.len());
    for (frame, code) in [
        ("Content-Length: -1\r\n\r\n", -32700),
        ("Content-Length: nine\r\n\r\n123456789", -32700),
        ("Content-Length: 99999999999999999999\r\n\r\n{}", -32700),
        ("Content-Length: 4294967296\r\n\r\n{\"jsonrpc\":\"2.0\"}", -32700),
        ("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", -32700),
        ("X-Nothing: 1\r\n\r\n", -32700),
        ("hello?\r\n", -32700),
        (deep.as_str(), -32700),
        ("Content-Length: 0\r\n\r\n", -32700),
        ("Content-Length: 5\r\n\r\n\u{feff}{}", -32700),
        ("Content-Length: 3\r\n\r\n{\0}", -32700),
        ("Content-Length: 2\r\n\r\n[]", -32600),
        ("Content-Length: 2\r\n\r\n{}", -32600),
        ("Content-Length: 4\r\n\r\nnull", -32600),
        ("Content-Length: 17\n\n{\"jsonrpc\":\"1.0\"}", -32600),
    ] {
        client.raw(frame.as_bytes()).await;
        let shown: String = frame.chars().take(60).collect();
        assert_eq!(client.refusal().await.code, code, "{shown:?}");
        check_alive(&mut client).await;
    }
    client.body(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").await;
    assert_eq!(client.refusal().await.code, -32700);
    check_alive(&mut client).await;
}

#[tokio::test]
async fn a_slow_sender_is_understood() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect_with(1);
    let frame = |message: &Value| {
        let body = message.to_string();
        format!("content-length: {}\n\n{body}", body.len())
    };
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}});
    let status = json!({"jsonrpc": "2.0", "id": 2, "method": "daemon/status"});
    for byte in [frame(&hello), frame(&status)].concat().bytes() {
        client.raw(&[byte]).await;
    }
    client.answer::<Value>(1).await.expect("hello");
    client.answer::<DaemonStatus>(2).await.expect("status");
}

#[tokio::test]
async fn cancels_and_answers_nobody_asked_for_change_nothing() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let asked = client.ask("session/list", json!({})).await;
    for storm in 0..100 {
        let frame = |count: i64| {
            let id = if count % 2 == 0 { asked } else { storm * 1000 + count };
            let body = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}).to_string();
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        };
        client.raw((0..1000).map(frame).collect::<String>().as_bytes()).await;
    }
    client.answer::<SessionList>(asked).await.expect("answered, once");
    client.message(&json!({"jsonrpc": "2.0", "id": 99, "result": null})).await;
    client.message(&json!({"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": "x"}})).await;
    client.message(&json!({"jsonrpc": "2.0", "id": "x", "error": {"code": 1, "message": "x", "more": 1}})).await;
    check_alive(&mut client).await;
}

#[tokio::test]
async fn an_ordinary_client_gets_an_ordinary_server() {
    let daemon = TestDaemon::start();
    let (mut client, _task) = daemon.connect();
    client.initialize_with(json!({"capabilities": {}, "processId": null, "rootUri": null})).await;
    let document = json!({"uri": "file:///a.rs", "languageId": "rust", "version": 1, "text": "x"});
    client.notify("textDocument/didOpen", json!({"textDocument": document})).await;
    let changed = json!({"uri": "file:///a.rs", "version": 2});
    client.notify("textDocument/didChange", json!({"textDocument": changed, "contentChanges": [{"text": "y"}]})).await;
    let session = daemon.session(&mut client).await;
    let attach = client.request::<Attached>("session/attach", json!({"sessionId": session.id})).await;
    let (kind, message) = kind(attach);
    assert_eq!((kind, message.contains("initializationOptions")), (ErrorKind::WrongState, true), "{message}");
    // The drop of this client finds no notification of ours.
    client.shut_down().await;
}

async fn prompt(client: &mut TestClient, session: &str, text: &str) -> PromptTaken {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": text}]});
    client.request("session/prompt", params).await.expect("the prompt is taken")
}

/// The words of the agent, folded from updates.
fn said(updates: &[SessionUpdate]) -> String {
    let mut said = String::new();
    for update in updates {
        match &update.update {
            Update::ItemDelta { text, .. } => said.push_str(text),
            Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item } => {
                if let pilotfish_protocol::ItemContent::AgentMessage(message) = &item.content {
                    said.clone_from(&message.text);
                }
            }
            // The others have no words of the agent.
            _ => {}
        }
    }
    said
}

fn ended(update: &SessionUpdate) -> bool {
    matches!(update.update, Update::TurnEnded { .. })
}

#[tokio::test]
async fn a_prompt_streams_to_every_attached_editor() {
    let daemon = TestDaemon::start();
    let (mut one, mut two) = (daemon.client().await, daemon.client().await);
    let session = daemon.session(&mut one).await;
    for client in [&mut one, &mut two] {
        let attached: Attached =
            client.request("session/attach", json!({"sessionId": session.id})).await.expect("attached");
        assert_eq!(attached.seq, 0);
    }
    let answering = daemon.script.answer();
    let taken = prompt(&mut one, &session.id.0, "hello").await;
    assert!(taken.turn_id.is_some());
    answering.text("good ").await;
    answering.text("day").await;
    answering.finish().await;
    for client in [&mut one, &mut two] {
        let updates = client.updates_until(ended).await;
        assert_eq!(said(&updates), "good day");
        let seqs: Vec<u64> = updates.iter().filter_map(|update| update.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        client.ignore_rest();
    }
}

#[tokio::test]
async fn an_editor_that_comes_back_gets_what_it_missed() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    let attach = json!({"sessionId": session.id});
    client.request::<Attached>("session/attach", &attach).await.expect("attached");
    client.request::<Done>("session/detach", &attach).await.expect("detached");
    daemon.script.says("first").await;
    prompt(&mut client, &session.id.0, "one").await;
    let answering = daemon.script.answer();
    answering.text("sec").await;
    let queued = prompt(&mut client, &session.id.0, "two").await;
    assert!(queued.turn_id.is_some() || queued.queued_id.is_some());
    let again = json!({"sessionId": session.id, "afterSeq": 0});
    let attached: Attached = client.request("session/attach", &again).await.expect("attached");
    assert!(attached.seq > 0);
    answering.text("ond").await;
    answering.finish().await;
    let mut turns = 0;
    let updates = client
        .updates_until(|update| {
            turns += usize::from(ended(update));
            turns == 2
        })
        .await;
    let seqs: Vec<u64> = updates.iter().filter_map(|update| update.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert_eq!(said(&updates), "second");
    client.ignore_rest();
}

#[tokio::test]
async fn a_client_that_stops_reading_stops_nothing_and_catches_up() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    client.request::<Attached>("session/attach", json!({"sessionId": session.id})).await.expect("attached");
    let text = "x".repeat(100_000);
    for _ in 0..2 {
        let answering = daemon.script.answer();
        prompt(&mut client, &session.id.0, "more").await;
        // Nobody reads the client's side from here to the end of the turn, which is 3 times what the outbox holds.
        for _ in 0..60 {
            answering.text(&text).await;
        }
        answering.finish().await;
        let updates = client.updates_until(ended).await;
        assert_eq!(said(&updates).len(), 6_000_000);
    }
    client.ignore_rest();
}

#[tokio::test]
async fn many_small_deltas_arrive_whole_and_merged() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    client.request::<Attached>("session/attach", json!({"sessionId": session.id})).await.expect("attached");
    let answering = daemon.script.answer();
    prompt(&mut client, &session.id.0, "count").await;
    let words: Vec<String> = (0..20_000).map(|count| format!("{count} ")).collect();
    let feeding = async {
        for word in &words {
            answering.text(word).await;
        }
        answering.finish().await;
    };
    let ((), updates) = tokio::join!(feeding, client.updates_until(ended));
    assert_eq!(said(&updates), words.concat());
    assert!(updates.len() < 2_000, "{} updates", updates.len());
    client.ignore_rest();
}

#[tokio::test]
async fn lists_hear_of_sessions_they_are_not_attached_to() {
    let daemon = TestDaemon::start();
    let (mut one, mut two) = (daemon.client().await, daemon.client().await);
    let session = daemon.session(&mut one).await;
    let params = json!({"sessionId": session.id, "title": "a name"});
    one.request::<Done>("session/rename", params).await.expect("renamed");
    loop {
        let changed = two.notification("session/changed").await;
        assert_eq!(changed["session"]["id"], json!(session.id));
        if changed["session"]["title"] == "a name" {
            break;
        }
    }
    one.ignore_rest();
    two.ignore_rest();
}

#[tokio::test]
async fn a_deleted_session_can_be_had_back() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    let this = json!({"sessionId": session.id});
    client.request::<Done>("session/delete", &this).await.expect("deleted");
    let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
    assert_eq!(list.sessions, []);
    assert_eq!(kind(client.request::<Attached>("session/attach", &this).await).0, ErrorKind::NotFound);
    let restore = json!({"sessionId": session.id, "restore": true});
    client.request::<Done>("session/delete", restore).await.expect("restored");
    client.request::<Attached>("session/attach", &this).await.expect("attached");
    let archive = json!({"sessionId": session.id, "archived": true});
    client.request::<Done>("session/archive", archive).await.expect("archived");
    let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
    assert_eq!(list.sessions, []);
    let list: SessionList = client.request("session/list", json!({"archived": true})).await.expect("a list");
    assert_eq!(list.sessions.len(), 1);
    client.ignore_rest();
}

#[tokio::test]
async fn the_program_serves_its_standard_streams() {
    for (goodbye, status) in [(true, 0), (false, 1)] {
        let home = tempfile::tempdir().expect("a folder");
        let mut program = tokio::process::Command::new(pilotfish_tests::bins::pilotfish());
        program.args(["lsp", "--stdio"]).env_clear().env("PILOTFISH_HOME", home.path());
        let (mut client, mut child) = TestClient::spawn(program);
        client.initialize().await;
        check_alive(&mut client).await;
        if goodbye {
            // The client's side stays open: `exit` alone has to end the program.
            client.request::<Value>("shutdown", json!(null)).await.expect("shutdown");
            client.notify("exit", json!(null)).await;
        } else {
            client.hang_up();
        }
        let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it ends");
        assert_eq!(ended.expect("a status").code(), Some(status));
    }
}

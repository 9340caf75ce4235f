//! Questions that wait for the person: over every door, from other connections, across restarts, and on a terminal.

use pilotfish_protocol::{
    Answered, Approval, ApprovalId, Attached, Decision, ErrorKind, Item, ItemContent, ItemPage, RuleList, SessionId,
    SessionList, SessionOpened, SessionUpdate, Status, StopReason, Update,
};
use pilotfish_tests::client::{Failure, TestClient};
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::desk::{Desk, LIMIT, signal};
use pilotfish_tests::fake_model::{FakeModel, Step, answer};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;

/// A model that writes a protected file when it is asked, and then says so.
async fn writes_envrc() -> FakeModel {
    FakeModel::by_rule(pilotfish::config::Dialect::Responses, |request| {
        let last = request["input"].as_array().and_then(|input| input.last()).cloned().unwrap_or_default();
        if last["type"] == "function_call_output" { answer().says("ok") } else { writes(".envrc", "x") }
    })
    .await
}

fn writes(path: &str, content: &str) -> Step {
    answer().calls("write", json!({"path": path, "content": content}))
}

async fn open(client: &mut TestClient, workspace: &Path) -> SessionId {
    let params = json!({"workspace": workspace, "mode": "agent"});
    let opened: SessionOpened = client.request("session/new", params).await.expect("a session");
    attach(client, &opened.session.id).await;
    opened.session.id
}

async fn attach(client: &mut TestClient, session: &SessionId) -> Attached {
    client.request("session/attach", json!({"sessionId": session})).await.expect("attached")
}

async fn prompt(client: &mut TestClient, session: &SessionId) {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": "go"}]});
    let _: Value = client.request("session/prompt", params).await.expect("taken");
}

async fn asked(client: &mut TestClient) -> Approval {
    let is_asked = |update: &SessionUpdate| matches!(update.update, Update::ApprovalOpened { .. });
    match client.updates_until(is_asked).await.pop().map(|update| update.update) {
        Some(Update::ApprovalOpened { approval }) => *approval,
        other => panic!("{other:?}"),
    }
}

async fn turn_end(client: &mut TestClient) -> StopReason {
    let ends = |update: &SessionUpdate| matches!(update.update, Update::TurnEnded { .. });
    match client.updates_until(ends).await.pop().map(|update| update.update) {
        Some(Update::TurnEnded { stop, .. }) => stop,
        other => panic!("{other:?}"),
    }
}

async fn give(client: &mut TestClient, approval: &ApprovalId, kind: &str) -> Result<Answered, Failure> {
    client.request("approval/answer", json!({"approvalIds": [approval], "decision": {"kind": kind}})).await
}

fn kind(outcome: Result<Answered, Failure>) -> Option<ErrorKind> {
    outcome.err().and_then(|failure| failure.data).map(|data| data.kind)
}

#[tokio::test]
async fn whoever_answers_first_answers_for_all() {
    let model = writes_envrc().await;
    let daemon = TestDaemon::asking(&model);
    let (mut one, mut other) = (daemon.client().await, daemon.client().await);
    one.ignore_rest();
    other.ignore_rest();
    let session = open(&mut one, daemon.workspace.path()).await;
    prompt(&mut one, &session).await;
    let question = asked(&mut one).await;
    assert_eq!(kind(give(&mut other, &"s9.i9".into(), "once").await), Some(ErrorKind::NotFound));
    assert_eq!(
        kind(give(&mut other, &format!("{session}.i9").as_str().into(), "once").await),
        Some(ErrorKind::NotFound)
    );
    let none: Result<Answered, Failure> =
        other.request("approval/answer", json!({"approvalIds": [], "decision": {"kind": "once"}})).await;
    assert_eq!(kind(none), Some(ErrorKind::InvalidParams));
    let rule = json!({"scope": "workspace", "argv": ["x"], "grants": question.grants});
    let params = json!({"approvalIds": [question.id], "decision": {"kind": "always", "rule": rule}});
    assert_eq!(kind(other.request("approval/answer", params).await), Some(ErrorKind::Refused));
    // The other one is not attached, and may answer all the same.
    let answered = give(&mut other, &question.id, "once").await.expect("it is the first");
    assert_eq!(answered.closed, std::slice::from_ref(&question.id));
    assert_eq!(kind(give(&mut one, &question.id, "deny").await), Some(ErrorKind::AlreadyAnswered));
    assert_eq!(turn_end(&mut one).await, StopReason::Done);
    assert_eq!(std::fs::read_to_string(daemon.workspace.path().join(".envrc")).expect("it was written"), "x");
}

#[tokio::test]
async fn answers_are_routed_while_fifty_sessions_wait_and_two_hundred_requests_are_under_way() {
    let model = writes_envrc().await;
    let daemon = TestDaemon::asking(&model);
    let mut client = daemon.client().await;
    client.ignore_rest();
    let mut questions = Vec::new();
    for _ in 0..50 {
        let session = open(&mut client, &tempfile::tempdir().expect("a folder").keep()).await;
        prompt(&mut client, &session).await;
        questions.push(asked(&mut client).await);
    }
    let mut requests = Vec::new();
    for _ in 0..200 {
        requests.push(client.ask("session/list", json!({})).await);
    }
    let mut answers = Vec::new();
    for question in &questions {
        let params = json!({"approvalIds": [question.id], "decision": {"kind": "deny"}});
        answers.push(client.ask("approval/answer", params).await);
    }
    for (id, question) in answers.into_iter().zip(&questions) {
        let answered: Answered = client.answer(id).await.expect("it is routed");
        assert_eq!(answered.closed, std::slice::from_ref(&question.id));
    }
    for id in requests {
        client.answer::<SessionList>(id).await.expect("answered");
    }
    for _ in &questions {
        assert_eq!(turn_end(&mut client).await, StopReason::Done);
    }
    for question in &questions {
        std::fs::remove_dir_all(&question.cwd).expect("a folder of ours");
    }
}

#[tokio::test]
async fn a_question_outlives_its_daemon() {
    for how in [libc::SIGKILL, libc::SIGTERM] {
        let (desk, model) = Desk::with_model("").await;
        model.answers(writes(".envrc", "x"));
        let (mut client, _child) = desk.editor().await;
        let session = open(&mut client, &desk.path("project")).await;
        prompt(&mut client, &session).await;
        let question = asked(&mut client).await;
        signal(desk.daemon().await, how);
        client.ended().await;
        desk.daemon_ended().await;

        let (mut client, _child) = desk.editor().await;
        let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
        let waits: Vec<Status> = list.sessions.iter().map(|session| session.status.state).collect();
        assert_eq!(waits, [Status::Waiting]);
        let attached = attach(&mut client, &session).await;
        assert_eq!(attached.approvals, std::slice::from_ref(&question));
        assert!(!desk.path("project/.envrc").exists());
        model.answers(writes(".envrc", "x")).answers(answer().says("done"));
        give(&mut client, &question.id, "once").await.expect("it is still open");
        assert_eq!(turn_end(&mut client).await, StopReason::Done);
        assert_eq!(std::fs::read_to_string(desk.path("project/.envrc")).expect("it was written"), "x");
        let page: ItemPage =
            client.request("session/items", json!({"sessionId": session, "limit": 100})).await.expect("items");
        let decisions: Vec<Option<Decision>> = page.items.into_iter().filter_map(decision).collect();
        assert_eq!(decisions, [Some(Decision::Once)], "it was asked once");
    }
}

fn decision(item: Item) -> Option<Option<Decision>> {
    match item.content {
        ItemContent::Approval(approval) => Some(approval.decision),
        _ => None,
    }
}

#[tokio::test]
async fn a_daemon_that_makes_room_is_not_held_up_by_a_person() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(writes(".envrc", "x"));
    let (mut client, _child) = desk.editor().await;
    let session = open(&mut client, &desk.path("project")).await;
    prompt(&mut client, &session).await;
    asked(&mut client).await;
    let stopped = desk.run(&["stop", "--drain"]).await;
    assert_eq!(stopped.status.code(), Some(0), "{}", String::from_utf8_lossy(&stopped.stderr));
    client.ended().await;
    let (mut client, _child) = desk.editor().await;
    assert_eq!(attach(&mut client, &session).await.approvals.len(), 1);
    let interrupted: Value =
        client.request("session/interrupt", json!({"sessionId": session, "scope": "turn"})).await.expect("taken");
    assert_eq!(interrupted, json!({}));
    assert_eq!(turn_end(&mut client).await, StopReason::Interrupted);
}

#[tokio::test]
async fn rules_are_listed_and_revoked_over_the_wire() {
    let desk = Desk::default();
    let rule = |id: &str, scope: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ndecision = \"allow\"\nscope = \"{scope}\"\nargv = [\"npm\", \"test\"]\n\
             grants = [\"unconfined\"]\ngiven_at = \"2026-01-01T00:00:00Z\"\n"
        )
    };
    desk.write("home/rules.toml", &format!("{}{}", rule("all", "everywhere"), rule("other", "/elsewhere")));
    std::fs::create_dir(desk.path("home/state")).expect("a folder");
    desk.write("home/state/rule-uses.toml", "[all]\nhits = 3\nused_at = \"2026-01-02T00:00:00Z\"\n");
    let (mut client, _child) = desk.editor().await;
    let ids = |list: RuleList| -> Vec<String> {
        list.rules.into_iter().map(|rule| format!("{} {}", rule.id.expect("an id"), rule.hits)).collect()
    };
    let here = json!({"workspace": desk.path("project")});
    assert_eq!(ids(client.request("rule/list", here).await.expect("a list")), ["all 3"]);
    assert_eq!(ids(client.request("rule/list", json!({})).await.expect("a list")), ["all 3", "other 0"]);
    let listed = String::from_utf8(desk.run(&["rules"]).await.stdout).expect("text");
    assert!(listed.contains("answered 3 times, last 2026-01-02T00:00:00Z"), "{listed}");
    let _: Value = client.request("rule/revoke", json!({"ruleId": "all"})).await.expect("revoked");
    let again: Result<Answered, Failure> = client.request("rule/revoke", json!({"ruleId": "all"})).await;
    assert_eq!(kind(again), Some(ErrorKind::NotFound));
    assert_eq!(ids(client.request("rule/list", json!({})).await.expect("a list")), ["other 0"]);
}

#[tokio::test]
async fn without_a_terminal_a_question_ends_the_run() {
    let expected: [(&[&str], i32, usize); 4] =
        [(&[], 3, 1), (&["--on-ask", "fail"], 3, 1), (&["--on-ask", "deny"], 0, 2), (&["--on-ask", "allow"], 0, 2)];
    for (flags, status, requests) in expected {
        let (desk, model) = Desk::with_model("").await;
        model.answers(writes(".envrc", "x"));
        if requests == 2 {
            model.answers(answer().says("all right"));
        }
        let output = desk.run(&[&["exec", "--mode", "agent"], flags, &["go"]].concat()).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{flags:?} {told}");
        assert_eq!(told.contains("asked because .envrc is protected"), status == 3, "{told}");
        assert_eq!(model.requests().len(), requests);
        assert!(!desk.path("project/.envrc").exists(), "no flag gives what is protected");
    }
}

#[tokio::test]
async fn a_person_at_a_terminal_answers() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(writes(".envrc", "x")).answers(writes(".vscode/x", "y")).answers(answer().says("done"));
    let (mut terminal, side) = terminal();
    let mut exec = desk.pilotfish(&["exec", "--mode", "agent", "go"]);
    let (input, output) = (side.try_clone().expect("another"), side.try_clone().expect("another"));
    exec.stdin(Stdio::from(input)).stderr(Stdio::from(output)).stdout(Stdio::piped());
    drop(side);
    let child = exec.spawn().expect("it starts");
    drop(exec);
    let screen = tokio::task::spawn_blocking(move || {
        let first = read_until(&mut terminal, "Type 1, 2, 3 or 4.");
        terminal.write_all(b"perhaps\n").expect("it reads");
        read_until(&mut terminal, "type 1, 2, 3 or 4");
        terminal.write_all(b"1\n").expect("it reads");
        let second = read_until(&mut terminal, "Type 1, 2, 3 or 4.");
        terminal.write_all(b"4 use .editorconfig\n").expect("it reads");
        let rest = read_until(&mut terminal, "");
        (first, second, rest)
    });
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("in time").expect("it ends");
    let (first, second, _) = screen.await.expect("no panic");
    assert_eq!(output.status.code(), Some(0), "{first}\n{second}");
    assert!(first.contains("a yes gives protected:.envrc") && first.contains("+x"), "{first}");
    assert!(second.contains("a yes gives protected:.vscode/x"), "{second}");
    assert!(desk.path("project/.envrc").exists() && !desk.path("project/.vscode").exists());
    let told = model.requests().last().map(|request| request.body.to_string()).unwrap_or_default();
    assert!(told.contains("the person said no: use .editorconfig"), "{told}");
}

/// A terminal: our side, and the program's.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let null = std::ptr::null_mut();
    // SAFETY: both numbers are written to by the call, which takes no name, no modes and no size.
    #[expect(unsafe_code, reason = "the standard library has no terminals")]
    let made = unsafe { libc::openpty(&raw mut ours, &raw mut theirs, null, null.cast(), null.cast()) };
    assert_eq!(made, 0, "a terminal can be had");
    // SAFETY: the call gave us both, and nobody else has them.
    #[expect(unsafe_code, reason = "the standard library has no terminals")]
    unsafe {
        (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
    }
}

/// Reads what the program shows up to some words, or to its end when there are none.
fn read_until(terminal: &mut File, words: &str) -> String {
    let mut shown = String::new();
    let mut chunk = [0; 4096];
    while words.is_empty() || !shown.contains(words) {
        match terminal.read(&mut chunk) {
            // The other side of a terminal that is gone is an error.
            Ok(0) | Err(_) => break,
            Ok(read) => shown.push_str(&String::from_utf8_lossy(&chunk[..read])),
        }
    }
    shown
}

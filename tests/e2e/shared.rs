//! One daemon for all editors: how it comes about, who may use it, what it keeps when editors, shims or it itself go away.

use pilotfish::door::hello::{Door, Hello};
use pilotfish::door::socket::address;
use pilotfish_protocol::{
    Attached, DaemonStatus, Item, ItemContent, ItemPage, PromptTaken, SessionId, SessionList, SessionOpened, Status,
    StopReason, ToolCall, ToolStatus, Update,
};
use pilotfish_tests::bins;
use pilotfish_tests::client::TestClient;
use pilotfish_tests::desk::{Desk, LIMIT, processes, signal, until};
use pilotfish_tests::fake_model::answer;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::Notify;

async fn open(desk: &Desk, client: &mut TestClient, mode: &str) -> SessionId {
    let params = json!({"workspace": desk.path("project"), "mode": mode});
    let opened: SessionOpened = client.request("session/new", params).await.expect("a session");
    attach(client, &opened.session.id, None).await;
    opened.session.id
}

async fn attach(client: &mut TestClient, session: &SessionId, after: Option<u64>) -> Attached {
    let params = json!({"sessionId": session, "afterSeq": after});
    client.request("session/attach", params).await.expect("attached")
}

async fn prompt(client: &mut TestClient, session: &SessionId, words: &str) -> PromptTaken {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": words}]});
    client.request("session/prompt", params).await.expect("taken")
}

async fn turn_end(client: &mut TestClient) -> StopReason {
    let ends = |update: &pilotfish_protocol::SessionUpdate| matches!(update.update, Update::TurnEnded { .. });
    match client.updates_until(ends).await.pop().map(|update| update.update) {
        Some(Update::TurnEnded { stop, .. }) => stop,
        other => panic!("{other:?}"),
    }
}

async fn items(client: &mut TestClient, session: &SessionId) -> Vec<Item> {
    let page: ItemPage =
        client.request("session/items", json!({"sessionId": session, "limit": 100})).await.expect("items");
    page.items
}

fn said(items: &[Item]) -> Vec<String> {
    let words = |item: &Item| match &item.content {
        ItemContent::AgentMessage(message) => Some(message.text.clone()),
        _ => None,
    };
    items.iter().filter_map(words).collect()
}

fn calls(items: &[Item]) -> Vec<&ToolCall> {
    let call = |item| match item {
        &Item { content: ItemContent::ToolCall(ref call), .. } => Some(call),
        _ => None,
    };
    items.iter().filter_map(call).collect()
}

async fn daemon_of(client: &mut TestClient) -> u32 {
    client.request::<DaemonStatus>("daemon/status", json!({})).await.expect("a status").pid
}

async fn ended(mut child: Child) -> Option<i32> {
    let status = tokio::time::timeout(LIMIT, child.wait()).await.expect("it ends in time");
    status.expect("a status").code()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_start_at_once_get_one_daemon_also_beside_a_dead_socket() {
    let desk = Desk::default();
    let socket = address(&desk.home());
    std::fs::create_dir(desk.path("home/run")).expect("a folder");
    std::fs::set_permissions(desk.path("home/run"), PermissionsExt::from_mode(0o700)).expect("its rights");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket"));
    let editors = (0..50).map(|_| async {
        let (mut client, child) = desk.editor().await;
        let daemon = daemon_of(&mut client).await;
        client.shut_down().await;
        assert_eq!(ended(child).await, Some(0));
        daemon
    });
    let daemons = futures::future::join_all(editors).await;
    assert!(daemons.iter().all(|daemon| *daemon == daemons[0]), "{daemons:?}");
}

#[tokio::test]
async fn each_clients_environment_and_keys_serve_its_own_sessions() {
    let (desk, model) = Desk::with_model("").await;
    let mut editors = Vec::new();
    for (key, folder) in [("key-one", "/venv/one"), ("key-two", "/venv/two")] {
        let mut shim = desk.pilotfish(&["lsp"]);
        shim.env("FAKE_KEY", key).env("VIRTUAL_ENV", folder).env("GITHUB_TOKEN", "not for commands");
        let (mut client, child) = Desk::editor_of(shim).await;
        let session = open(&desk, &mut client, "agent").await;
        editors.push((client, child, session, key, folder));
    }
    for (client, _, session, key, folder) in &mut editors {
        let before = model.requests().len();
        model.answers(answer().calls("shell", json!({"command": "echo $VIRTUAL_ENV $GITHUB_TOKEN $FAKE_KEY"})));
        model.answers(answer().says("done"));
        model.allow_new_beginning();
        prompt(client, session, "go").await;
        assert_eq!(turn_end(client).await, StopReason::Done);
        for request in &model.requests()[before..] {
            assert_eq!(request.header("authorization"), Some(&*format!("Bearer {key}")));
        }
        let items = items(client, session).await;
        assert_eq!(calls(&items)[0].output.trim_end(), *folder);
    }
}

#[tokio::test]
async fn a_killed_editor_takes_its_shim_along_and_the_next_one_finds_the_turn() {
    let (desk, model) = Desk::with_model("").await;
    let gate = Arc::new(Notify::new());
    model.answers(answer().says("first ").waits_for(&gate).says("second"));
    let (mut client, mut child) = desk.editor().await;
    let session = open(&desk, &mut client, "read-only").await;
    prompt(&mut client, &session, "go").await;
    model.asked(1).await;
    let list: SessionList = client.request("session/list", json!({})).await.expect("a list");
    assert_eq!(list.sessions[0].status.state, Status::Thinking, "a list shows what a session does now");
    let daemon = daemon_of(&mut client).await;
    // The editor's end of the pipes closes, as when it is killed.
    drop(client);
    tokio::time::timeout(Duration::from_secs(5), child.wait()).await.expect("the shim is gone").expect("a status");

    let (mut client, mut child) = desk.editor().await;
    assert_eq!(daemon_of(&mut client).await, daemon);
    let attached = attach(&mut client, &session, Some(0)).await;
    assert!(attached.turn_id.is_some(), "the turn goes on");
    // This time the shim itself is killed.
    child.start_kill().expect("it runs");
    client.ended().await;

    let (mut client, _child) = desk.editor().await;
    attach(&mut client, &session, Some(0)).await;
    gate.notify_one();
    assert_eq!(turn_end(&mut client).await, StopReason::Done);
    assert_eq!(said(&items(&mut client, &session).await), ["first second"]);
}

#[tokio::test]
async fn a_killed_daemon_leaves_no_command_and_runs_none_again() {
    let (desk, model) = Desk::with_model("").await;
    let mark = format!("sleep {}.5", 80_000 + std::process::id());
    model.answers(answer().calls("shell", json!({"command": format!("echo once >> log; setsid {mark} & {mark}")})));
    let (mut client, child) = desk.editor().await;
    let session = open(&desk, &mut client, "agent").await;
    prompt(&mut client, &session, "go").await;
    until("the command runs", || processes(&mark).len() > 2).await;
    signal(desk.daemon().await, libc::SIGKILL);
    client.ended().await;
    assert_eq!(ended(child).await, Some(1), "an editor is told that this was no goodbye");
    until("the command is gone", || processes(&mark).is_empty()).await;

    // The turn goes on, and the model is told that this may have had an effect.
    model.answers(answer().says("I see."));
    let (mut client, _child) = desk.editor().await;
    let attached = attach(&mut client, &session, None).await;
    assert!(attached.turn_id.is_some());
    assert_eq!(turn_end(&mut client).await, StopReason::Done);
    let kept = items(&mut client, &session).await;
    let [call] = calls(&kept)[..] else { panic!("{kept:?}") };
    assert_eq!(call.status, ToolStatus::Interrupted);
    assert!(processes(&mark).is_empty() && !desk.path("project/log").exists(), "and no file of it is left");
}

#[tokio::test]
async fn a_terminated_daemon_ends_its_turns_in_good_order() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(answer().says("I begin").hangs());
    let (mut client, _child) = desk.editor().await;
    let session = open(&desk, &mut client, "read-only").await;
    prompt(&mut client, &session, "go").await;
    client.updates_until(|update| matches!(update.update, Update::ItemDelta { .. })).await;
    signal(desk.daemon().await, libc::SIGTERM);
    // Attached editors still hear how it ended.
    assert_eq!(turn_end(&mut client).await, StopReason::Interrupted);
    client.ended().await;
    desk.daemon_ended().await;
    assert!(!address(&desk.home()).exists(), "the socket is gone");

    let (mut client, _child) = desk.editor().await;
    let attached = attach(&mut client, &session, None).await;
    assert_eq!(attached.session.status.state, Status::Stopped);
    assert_eq!(said(&items(&mut client, &session).await), ["I begin"]);
}

#[tokio::test]
async fn a_newer_build_takes_over_between_two_turns() {
    let (desk, model) = Desk::with_model("").await;
    let gate = Arc::new(Notify::new());
    model.answers(answer().says("begun by the old, ").waits_for(&gate).says("and ended by it"));
    let newer = desk.path("pilotfish");
    for (from, to) in [(bins::pilotfish(), newer.clone()), (bins::pilotfish_sandbox(), desk.path("pilotfish-sandbox"))]
    {
        std::fs::copy(from, to).expect("a copy");
    }
    let later = SystemTime::now() + Duration::from_secs(3600);
    std::fs::File::options().append(true).open(&newer).and_then(|file| file.set_modified(later)).expect("its time");

    let (mut old, _child) = desk.editor().await;
    let session = open(&desk, &mut old, "read-only").await;
    prompt(&mut old, &session, "one").await;
    model.asked(1).await;
    let before = daemon_of(&mut old).await;
    let (mut new, _new_child) = Desk::editor_of(desk.pilotfish_at(&newer, &["lsp"])).await;
    assert_eq!(daemon_of(&mut new).await, before, "until the turn ends, the old daemon serves both");
    attach(&mut new, &session, None).await;
    let taken = prompt(&mut new, &session, "two").await;
    assert!(taken.queued_id.is_some(), "{taken:?}");
    model.answers(answer().says("the new one answers"));
    gate.notify_one();
    assert_eq!(turn_end(&mut old).await, StopReason::Done);
    old.ended().await;
    new.ended().await;

    let (mut new, _child) = Desk::editor_of(desk.pilotfish_at(&newer, &["lsp"])).await;
    assert_ne!(daemon_of(&mut new).await, before);
    let attached = attach(&mut new, &session, None).await;
    if attached.turn_id.is_some() || !attached.queue.is_empty() {
        assert_eq!(turn_end(&mut new).await, StopReason::Done);
    }
    let words = said(&items(&mut new, &session).await);
    assert_eq!(words, ["begun by the old, and ended by it", "the new one answers"]);
    // An older build is content with a newer daemon.
    let (mut old, _child) = desk.editor().await;
    assert_eq!(daemon_of(&mut old).await, daemon_of(&mut new).await);
}

#[tokio::test]
async fn an_unused_daemon_ends_and_the_next_editor_starts_another() {
    let (desk, _model) = Desk::with_model("idle_exit = 0").await;
    let (client, child) = desk.editor().await;
    client.shut_down().await;
    assert_eq!(ended(child).await, Some(0));
    desk.daemon_ended().await;
    let (client, child) = desk.editor().await;
    client.shut_down().await;
    assert_eq!(ended(child).await, Some(0));
}

#[tokio::test]
async fn a_command_line_sees_and_ends_the_daemon() {
    let (desk, model) = Desk::with_model("").await;
    let output = desk.run(&["status"]).await;
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "nothing was started by asking");
    model.answers(answer().says("hello"));
    assert_eq!(desk.run(&["exec", "hi"]).await.status.code(), Some(0));
    let output = desk.run(&["status"]).await;
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(words.contains("turns that run: 0"), "{words}");
    let (mut client, child) = desk.editor().await;
    assert_eq!(desk.run(&["stop"]).await.status.code(), Some(0));
    client.ended().await;
    assert_eq!(ended(child).await, Some(1));
    assert_eq!(desk.run(&["status"]).await.status.code(), Some(1));
    assert_eq!(desk.run(&["stop"]).await.status.code(), Some(0), "to end what has ended is no error");
}

#[tokio::test]
async fn stopping_gently_waits_for_the_turn() {
    let (desk, model) = Desk::with_model("").await;
    let gate = Arc::new(Notify::new());
    model.answers(answer().says("slowly ").waits_for(&gate).says("done"));
    let (mut client, _child) = desk.editor().await;
    let session = open(&desk, &mut client, "read-only").await;
    prompt(&mut client, &session, "go").await;
    model.asked(1).await;
    let mut stop = desk.pilotfish(&["stop", "--drain"]).spawn().expect("it starts");
    let mut words = BufReader::new(stop.stderr.take().expect("a pipe")).lines();
    assert_eq!(words.next_line().await.expect("text").as_deref(), Some("Waiting for running turns: 1"));
    let other = open(&desk, &mut client, "read-only").await;
    let taken = prompt(&mut client, &other, "later").await;
    assert!(taken.queued_id.is_some(), "a draining daemon begins nothing: {taken:?}");
    gate.notify_one();
    let last = |update: &pilotfish_protocol::SessionUpdate| {
        update.session_id == session && matches!(update.update, Update::TurnEnded { .. })
    };
    client.updates_until(last).await;
    client.ended().await;
    assert_eq!(ended(stop).await, Some(0));
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let desk = Desk::default();
    let (mut client, _child) = desk.editor().await;
    let socket = address(&desk.home());
    let mode = |path: &std::path::Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().expect("a folder"))), (0o600, 0o700));
    // What says nothing, or something else, or is of another user, gets no answer.
    for line in ["GET / HTTP/1.1\r\n\r\n", "\n", "{\"pilotfish\":99}\n", "Content-Length: 2\r\n\r\n{}\n"] {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        stream.write_all(line.as_bytes()).expect("it is taken");
        let mut answer = Vec::new();
        // Reset, when it did not even read all of it.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"", "{line:?}");
    }
    if !another_user_is_refused(&desk, &socket) {
        pilotfish_tests::skipped("only root can be another user");
    }
    daemon_of(&mut client).await;
}

/// Connects as another user, with all rights of the socket's folder open, so that only the daemon itself can refuse.
fn another_user_is_refused(desk: &Desk, socket: &std::path::Path) -> bool {
    // SAFETY: it only tells a number.
    #[expect(unsafe_code, reason = "the standard library does not tell the user")]
    let is_root = unsafe { libc::geteuid() } == 0;
    if !is_root {
        return false;
    }
    let open = |path: &std::path::Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode));
    for folder in [desk.folder.path().to_owned(), desk.path("home"), desk.path("home/run")] {
        open(&folder, 0o755).expect("its rights");
    }
    open(socket, 0o777).expect("its rights");
    let environment = Arc::default();
    let mut hello = serde_json::to_vec(&Hello::new(Door::Lsp, String::new(), &environment, &[])).expect("JSON");
    hello.push(b'\n');
    let socket = socket.to_owned();
    let other = std::thread::spawn(move || {
        let nobody = 65_534;
        // SAFETY: the raw call changes the user of this thread alone, which ends with this closure.
        #[expect(unsafe_code, reason = "the library's call would change the user of all threads")]
        let changed = unsafe { libc::syscall(libc::SYS_setresuid, nobody, nobody, nobody) };
        assert_eq!(changed, 0, "root may be anybody");
        let mut stream = UnixStream::connect(socket).expect("its rights let us");
        let _ = stream.write_all(&hello);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert_eq!(other.join().expect("no panic"), b"");
    true
}

#[tokio::test]
async fn a_daemon_that_cannot_start_says_why() {
    let desk = Desk::default();
    desk.write("home/state", "a file where a folder should be");
    for arguments in [&["lsp"][..], &["exec", "hi"], &["serve"]] {
        let output = desk.run(arguments).await;
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(words.starts_with("pilotfish: the pilotfish daemon did not start: "), "{words}");
        assert!(words.contains("home/state"), "{words}");
    }
}

#[tokio::test]
async fn sessions_that_were_used_and_left_cost_nothing() {
    let (desk, model) = Desk::with_model("").await;
    let (mut client, _child) = desk.editor().await;
    let daemon = daemon_of(&mut client).await;
    let held = || {
        let count = |folder: &str| std::fs::read_dir(format!("/proc/{daemon}/{folder}")).expect("it runs").count();
        (count("fd"), count("task"))
    };
    let mut use_one = async || {
        model.answers(answer().calls("shell", json!({"command": "true"}))).answers(answer().says("ok"));
        model.allow_new_beginning();
        let session = open(&desk, &mut client, "read-only").await;
        prompt(&mut client, &session, "go").await;
        assert_eq!(turn_end(&mut client).await, StopReason::Done);
        client.request::<Value>("session/close", json!({"sessionId": session})).await.expect("closed");
    };
    // The first ones open what stays: the model's connection, the threads that the runtime keeps.
    for _ in 0..3 {
        use_one().await;
    }
    let before = held();
    for _ in 0..40 {
        use_one().await;
    }
    let children = processes("pilotfish-sandbox");
    let of_daemon = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&daemon.to_string()))
    };
    assert_eq!(children.iter().filter(|pid| of_daemon(pid)).count(), 0);
    until("descriptors and threads are back", || held() <= before).await;
}

#[tokio::test]
async fn the_command_line_changes_sessions_that_editors_show() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(answer().says("hello"));
    let (mut client, _child) = desk.editor().await;
    let session = open(&desk, &mut client, "read-only").await;
    prompt(&mut client, &session, "greet me").await;
    assert_eq!(turn_end(&mut client).await, StopReason::Done);
    let list = async |arguments: &[&str]| {
        let output = desk.run(&[&["sessions"], arguments].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(list(&[]).await.contains("greet me"));
    assert!(list(&["rename", &session.0, "a greeting"]).await.is_empty());
    let renamed = |update: &pilotfish_protocol::SessionUpdate| matches!(&update.update, Update::TitleChanged { title } if title == "a greeting");
    client.updates_until(renamed).await;
    let fork = SessionId(list(&["fork", &session.0]).await.trim().to_owned());
    assert_eq!(said(&items(&mut client, &fork).await), ["hello"]);
    list(&["archive", &session.0]).await;
    assert!(list(&[]).await.contains("a greeting  in"));
    assert!(list(&[]).await.contains("(archived)"));
    list(&["delete", &session.0]).await;
    assert_eq!(list(&[]).await.lines().count(), 1, "the fork is left");
    list(&["delete", "--undo", &session.0]).await;
    assert_eq!(list(&["--search", "hello"]).await.lines().count(), 2);
    assert_eq!(list(&["--search", "nonsense"]).await, "");
    let output = desk.run(&["sessions", "rename", "s9", "x"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no session \"s9\""));
}

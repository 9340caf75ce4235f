//! Clients that misbehave: damaged frames, storms of cancels, a client that stops reading; and a turn that panics behind the door.

use pilotfish::config::Dialect;
use pilotfish_protocol::{
    Attached, DaemonStatus, FaultKind, Item, ItemContent, ItemPage, Mode, PromptTaken, SessionList, StopReason, Update,
};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::daemon::TestDaemon;
use pilotfish_tests::fake_model::{FakeModel, answer};
use pilotfish_tests::mutate;
use pilotfish_tests::program::Program;
use serde_json::{Value, json};

const MEBIBYTE: u64 = 1 << 20;

/// What the daemon may hold, whatever a client does.
const MAX_RESIDENT: u64 = 256 * MEBIBYTE;

/// Sends a part of the 100,000 damaged frames of a test run.
async fn storm(seed: u64) {
    // It is gone before it is asked: turns fail, as they do without a network.
    let model = FakeModel::start(Dialect::Chat).await;
    let daemon = TestDaemon::asking(&model);
    drop(model);
    let mut client = daemon.client().await;
    let session = daemon.session(&mut client).await;
    client.ignore_rest();
    let corpus = mutate::corpus(&session.id.0, daemon.workspace.path());
    assert!(corpus.len() > 50, "a message of every method");
    mutate::storm(&daemon, &corpus, 25_000, seed).await;

    let status: DaemonStatus = client.request("daemon/status", json!({})).await.expect("the daemon answers");
    assert_eq!(status.protocol, 1);
    let restore = json!({"sessionId": session.id, "restore": true});
    let _ = client.request::<Value>("session/delete", restore).await;
    let page = json!({"sessionId": session.id, "limit": 1000});
    let page: ItemPage = client.request("session/items", page).await.expect("the session is there");
    let failed_inside = |item: &&Item| match &item.content {
        ItemContent::Error(fault) => fault.fault == FaultKind::Internal,
        _ => false,
    };
    assert_eq!(page.items.iter().find(failed_inside), None, "no turn panicked");
}

/// Whatever bytes come, the door reads on or ends the connection; the daemon, its sessions and its turns are as they were.
#[tokio::test]
async fn mutated_frames_end_nothing() {
    storm(7).await;
}

/// Likewise, of other seeds: tests that run side by side are over sooner.
#[tokio::test]
async fn other_mutated_frames_end_nothing() {
    storm(11).await;
}

#[tokio::test]
async fn more_mutated_frames_end_nothing() {
    storm(13).await;
}

#[tokio::test]
async fn the_last_mutated_frames_end_nothing() {
    storm(17).await;
}

/// Depth is refused wherever in a message it stands, and whatever it is made of.
#[tokio::test]
async fn depth_is_refused_in_every_place() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    for (opening, closing) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
        let deep = format!("{}1{}", opening.repeat(100_000), closing.repeat(100_000));
        for body in [
            deep.clone(),
            format!(r#"{{"jsonrpc":"2.0","id":{deep},"method":"session/list"}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"session/list","params":{deep}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"session/list","params":{{"query":{deep}}}}}"#),
            format!(r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{deep}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{deep}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"session/list","more":{deep}}}"#),
        ] {
            client.body(body.as_bytes()).await;
            let shown: String = body.chars().take(80).collect();
            assert_eq!(client.refusal().await.code, -32700, "{shown}");
        }
        // What only looks deep is text.
        let query = opening.repeat(10_000);
        let list: SessionList = client.request("session/list", json!({"query": query})).await.expect("a list");
        assert_eq!(list.sessions, []);
    }
}

/// Cancels cost nothing that stays: neither those that come too late nor those of requests that were never made.
#[tokio::test]
async fn a_storm_of_cancels_leaves_nothing_behind() {
    let mut program = Program::asking_at(Dialect::Chat, "http://127.0.0.1:9/v1").await;
    let mut storm = async |number: i64| {
        let asked = program.client.ask("session/list", json!({})).await;
        let cancel = |count: i64| {
            let id = match count % 4 {
                0 | 2 => json!(asked),
                1 => json!(1_000_000 + number * 1000 + count),
                _ => json!(format!("{number}-{count}")),
            };
            let body = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}).to_string();
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        };
        program.client.raw((0..1000).map(cancel).collect::<String>().as_bytes()).await;
        // Either answer will do, and there is one.
        let _ = program.client.answer::<SessionList>(asked).await;
        program.resident()
    };
    let mut before = 0;
    for number in 0..10 {
        before = storm(number).await;
    }
    let mut after = 0;
    for number in 10..110 {
        after = storm(number).await;
    }
    assert!(after <= before + 2 * MEBIBYTE, "{before} bytes grew to {after}");
}

fn texts(items: &[Item]) -> Vec<usize> {
    let words = items.iter().filter_map(|item| match &item.content {
        ItemContent::AgentMessage(message) => Some(message.text.len()),
        _ => None,
    });
    words.collect()
}

/// A client that reads nothing while its sessions say much costs a bounded amount of memory and holds up no turn; when it reads
/// again, it has the final state of all of them.
#[tokio::test]
async fn what_a_slow_reader_does_not_read_is_not_held() {
    const SESSIONS: usize = 64;
    const DELTAS: usize = 8;
    const DELTA: usize = 40_000;
    let model = FakeModel::start(Dialect::Responses).await;
    let mut program = Program::asking(&model).await;
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        model.answers(answer().deltas(DELTAS, &"x".repeat(DELTA)));
        sessions.push(program.session(Mode::ReadOnly).await);
    }
    for session in &sessions {
        program.prompt(session, "say much").await;
    }
    // The prompts are taken; from here on nothing is read until the model has said all of it.
    model.answered(SESSIONS).await;
    let mut open = sessions.clone();
    let mut shown = std::collections::BTreeMap::new();
    while !open.is_empty() {
        let update = program.client.update().await;
        match update.update {
            Update::TurnEnded { stop, .. } => {
                assert_eq!(stop, StopReason::Done);
                open.retain(|session| *session != update.session_id);
            }
            Update::ItemStarted { item } | Update::ItemChanged { item } | Update::ItemEnded { item } => {
                if let Some(length) = texts(std::slice::from_ref(&item)).first() {
                    shown.insert(update.session_id.clone(), *length);
                }
            }
            Update::ItemDelta { text, .. } => *shown.entry(update.session_id).or_default() += text.len(),
            // The others have no words.
            _ => {}
        }
    }
    let peak = program.peak();
    assert!(peak <= MAX_RESIDENT, "{} MiB", peak / MEBIBYTE);
    for session in &sessions {
        assert_eq!(shown.get(session), Some(&(DELTAS * DELTA)), "folded from what was sent");
    }
}

async fn prompt(client: &mut TestClient, session: &str) -> StopReason {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": "go"}]});
    let _: PromptTaken = client.request("session/prompt", params).await.expect("the prompt is taken");
    let ended = |update: &Update| matches!(update, Update::TurnEnded { .. });
    let updates = client.updates_until(|update| update.session_id.0 == session && ended(&update.update)).await;
    match updates.last().map(|update| &update.update) {
        Some(Update::TurnEnded { stop, .. }) => *stop,
        other => panic!("{other:?}"),
    }
}

/// A panic inside a turn ends that turn with an error that says so. Other sessions, and the same one, go on.
#[tokio::test]
async fn a_panic_in_one_session_is_that_sessions_alone() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let session = daemon.session(&mut client).await.id;
        client.request::<Attached>("session/attach", json!({"sessionId": session})).await.expect("attached");
        sessions.push(session.0);
    }
    client.ignore_rest();
    let answering = daemon.script.answer();
    let other = json!({"sessionId": sessions[1], "input": [{"type": "text", "text": "wait"}]});
    let _: PromptTaken = client.request("session/prompt", other).await.expect("the prompt is taken");
    answering.text("still ").await;
    // The words are there, so that answer is taken; a model without a script panics.
    client.updates_until(|update| matches!(&update.update, Update::ItemDelta { text, .. } if text == "still ")).await;
    assert_eq!(prompt(&mut client, &sessions[0]).await, StopReason::Failed);
    let items = json!({"sessionId": sessions[0], "limit": 10});
    let page: ItemPage = client.request("session/items", items).await.expect("items");
    let last = page.items.last().map(|item| &item.content);
    assert!(matches!(last, Some(ItemContent::Error(fault)) if fault.fault == FaultKind::Internal), "{last:?}");

    answering.text("here").await;
    answering.finish().await;
    client
        .updates_until(|update| update.session_id.0 == sessions[1] && matches!(update.update, Update::TurnEnded { .. }))
        .await;
    for session in &sessions {
        daemon.script.says("fine").await;
        assert_eq!(prompt(&mut client, session).await, StopReason::Done);
    }
}

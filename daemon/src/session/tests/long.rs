//! Sessions of hundreds of steps: each request begins with the one before, nothing passes the limit, nothing is lost.

use crate::model::ModelRequest;
use crate::prompt::measure;
use crate::review::{Selection, Verb};
use crate::session::Given;
use crate::testing::{Attached, Fixture, Play, asks_for_summary, calls, says, tool_calls};
use pilotfish_protocol::{
    Compaction, CompactionWay, Decision, Delivery, InputPart, Item, ItemContent, Mode, StopReason, Update,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn text(text: &str) -> Vec<InputPart> {
    vec![InputPart::Text { text: text.to_owned() }]
}

async fn model(fixture: &Fixture, context: u64) {
    fixture.configure(&format!("[[providers.test.models]]\nid = \"model\"\ncontext = {context}\n"));
}

async fn history(fixture: &Fixture, session: &Attached) -> Vec<Item> {
    fixture.hub.journal().history(session.handle.id()).await.unwrap()
}

fn compactions(items: &[Item]) -> Vec<Compaction> {
    let compaction = |item: &Item| match &item.content {
        ItemContent::Compaction(compaction) => Some(compaction.clone()),
        _ => None,
    };
    items.iter().filter_map(compaction).collect()
}

fn begins_with(request: &ModelRequest, before: &ModelRequest) -> bool {
    request.instructions == before.instructions
        && request.tools == before.tools
        && request.messages.get(..before.messages.len()) == Some(&before.messages[..])
}

/// How often a request did not begin with the whole of the one before. One that asks for a summary always does.
fn breaks(requests: &[ModelRequest]) -> usize {
    let mut broken = 0;
    let mut before: Option<&ModelRequest> = None;
    for request in requests {
        let begins = before.is_none_or(|before| begins_with(request, before));
        if asks_for_summary(request) {
            assert!(begins, "a summary is asked for behind the whole of the request before");
            continue;
        }
        broken += usize::from(!begins);
        before = Some(request);
    }
    broken
}

/// What one step of the script calls.
fn step(turn: usize, step: usize) -> Vec<(&'static str, Value)> {
    let path = format!("src/file{}.txt", (turn + step) % 10);
    match (turn + step) % 5 {
        0 => vec![("read", json!({"path": path})), ("list", json!({}))],
        1 => vec![("search", json!({"pattern": format!("line {step}")}))],
        2 => vec![("write", json!({"path": format!("out/{turn}-{step}.txt"), "content": "made\n"}))],
        3 => vec![("plan", json!({"steps": [{"step": format!("step {step}"), "status": "in_progress"}]}))],
        _ => vec![
            ("edit", json!({"path": path, "old_string": "no such line", "new_string": "x"})),
            ("read", json!({"path": path})),
        ],
    }
}

fn wish(number: usize) -> (&'static str, Value) {
    ("wish", json!({"command": format!("command {number}"), "grants": ["host:registry.example"]}))
}

/// What happens beside a turn of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    Steering,
    Approval,
    Denial,
    Modes,
    Restart,
}

const SCRIPT: [Beside; 20] = [
    Beside::Nothing,
    Beside::Steering,
    Beside::Approval,
    Beside::Modes,
    Beside::Denial,
    Beside::Restart,
    Beside::Steering,
    Beside::Nothing,
    Beside::Approval,
    Beside::Modes,
    Beside::Restart,
    Beside::Denial,
    Beside::Steering,
    Beside::Modes,
    Beside::Approval,
    Beside::Nothing,
    Beside::Restart,
    Beside::Steering,
    Beside::Denial,
    Beside::Nothing,
];

/// Ten steps: eight of calls, one that something happens beside, and words.
async fn turn(fixture: Fixture, mut session: Attached, number: usize, beside: Beside) -> (Fixture, Attached) {
    let waits = CancellationToken::new();
    for step in 0..8 {
        fixture.model.then(calls(&self::step(number, step)));
    }
    let wishes = matches!(beside, Beside::Approval | Beside::Denial | Beside::Modes | Beside::Restart);
    let ninth = match beside {
        Beside::Steering => [vec![Play::Until(waits.clone())], calls(&step(number, 8))].concat(),
        // What comes while the question waits comes between the calls of one answer.
        _ if wishes => calls(&[
            step(number, 8).remove(0),
            wish(number),
            ("read", json!({"path": "src/file1.txt", "limit": number + 1})),
        ]),
        _ => calls(&step(number, 8)),
    };
    fixture.model.then(ninth).then(says(&format!("turn {number} is done")));
    if beside == Beside::Steering {
        // Once for what may come after the turn's last look.
        fixture.model.then(says("and that too"));
    }
    session.prompt(&format!("do turn {number}")).await;
    match beside {
        Beside::Nothing => {}
        Beside::Steering => {
            session.until(|update| matches!(update, Update::ItemEnded { item } if matches!(&item.content, ItemContent::ToolCall(call) if call.step == 7))).await;
            session.handle.prompt(text(&format!("and mind this {number}")), Delivery::Steer).await.unwrap();
            waits.cancel();
        }
        Beside::Approval | Beside::Denial | Beside::Modes | Beside::Restart => {
            let asked = session.until(|update| matches!(update, Update::ApprovalOpened { .. })).await.update;
            let Update::ApprovalOpened { approval } = asked else { panic!("a question") };
            session.handle.prompt(text(&format!("while you wait {number}")), Delivery::Steer).await.unwrap();
            if beside == Beside::Modes {
                session.handle.set_mode(Mode::ReadOnly).await.unwrap();
                session.handle.set_mode(Mode::Agent).await.unwrap();
            }
            let (fixture, mut session) = if beside == Beside::Restart {
                let id = session.handle.id().clone();
                drop(session);
                let fixture = fixture.restarted();
                fixture.hub.resume(&std::sync::Arc::default()).await;
                let session = Attached::to(fixture.hub.session(&id)).await;
                (fixture, session)
            } else {
                (fixture, session)
            };
            let decision = if beside == Beside::Denial { Decision::Deny } else { Decision::Once };
            let given = Given { decision, note: None, by: "n1".into() };
            session.handle.answer(vec![approval.id.clone()], given).await.unwrap();
            assert_eq!(session.until_end().await.1, StopReason::Done);
            return (fixture, session);
        }
    }
    assert_eq!(session.until_end().await.1, StopReason::Done);
    if beside == Beside::Steering {
        // It was answered in the turn, so what was scripted for the other case is left.
        fixture.model.forget();
    }
    (fixture, session)
}

#[tokio::test]
async fn every_request_begins_with_the_one_before() {
    let lines: String = (0..90).map(|line| format!("line {line} of a file that is read now and then\n")).collect();
    let files: Vec<(String, String)> = (0..10).map(|file| (format!("src/file{file}.txt"), lines.clone())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut fixture = Fixture::new(&files);
    model(&fixture, 60_000).await;
    let mut session = fixture.session(Mode::Agent).await;
    for (number, beside) in SCRIPT.into_iter().enumerate() {
        (fixture, session) = turn(fixture, session, number, beside).await;
        if number == 12 {
            session.handle.compact().await.unwrap();
            assert_eq!(session.until_end().await.1, StopReason::Done);
        }
        let workspace = fixture.hub.workspaces().open(&fixture.root());
        match number % 4 {
            // The person edits, and decides on what was made.
            0 => {
                std::fs::write(fixture.root().as_path().join("src/file2.txt"), format!("line of the person {number}\n"))
                    .unwrap()
            }
            1 => drop(workspace.review(Verb::Keep, Selection::default(), None).await),
            2 => drop(workspace.review(Verb::Undo, Selection::default(), None).await),
            // A day later.
            _ => fixture.skip(86_400),
        }
    }
    let requests = fixture.model.requests();
    let items = history(&fixture, &session).await;
    let condensed = compactions(&items);
    assert!(requests.len() >= 200, "{} requests", requests.len());
    for way in [CompactionWay::Masked, CompactionWay::Summarized] {
        assert!(condensed.iter().any(|compaction| compaction.way == way), "{condensed:#?}");
    }
    assert_eq!(breaks(&requests), condensed.len(), "{condensed:#?}");
    let most = requests.iter().map(measure::request).max();
    assert!(most.is_some_and(|most| most <= 52_500), "{most:?}");
}

#[tokio::test]
async fn five_hundred_steps_fit_a_small_context() {
    let line = |file: usize, line: usize| format!("file {file}, line {line}: some words that nobody has to remember\n");
    let files: Vec<(String, String)> =
        (0..50).map(|file| (format!("{file}.txt"), (0..88).map(|number| line(file, number)).collect())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let fixture = Fixture::new(&files);
    model(&fixture, 32_000).await;
    let mut session = fixture.session(Mode::Agent).await;
    for turn in 0..10 {
        for step in 0..49 {
            let path = |call: usize| format!("{}.txt", (turn * 98 + step * 2 + call) % 50);
            fixture.model.then(calls(&[("read", json!({"path": path(0)})), ("read", json!({"path": path(1)}))]));
        }
        fixture.model.then(says("read them"));
        assert_eq!(
            session.turn(&format!("Rule {turn}: never forget the word salmon{turn}.")).await.1,
            StopReason::Done
        );
    }
    let requests = fixture.model.requests();
    let items = history(&fixture, &session).await;
    let outputs: usize = tool_calls(&items).iter().map(|call| call.output.len()).sum();
    assert!(outputs >= 5_000_000, "{outputs} bytes of output");
    assert!(requests.len() > 500, "{} requests", requests.len());
    let most = requests.iter().map(measure::request).max();
    assert!(most.is_some_and(|most| most <= 28_000), "{most:?}");
    for request in &requests {
        let shown = format!("{:?}", request.messages);
        assert!(shown.contains("<environment>") && shown.contains("never forget the word salmon0."), "{shown}");
    }
    let last = format!("{:?}", requests.last().unwrap().messages);
    assert!((0..10).all(|turn| last.contains(&format!("never forget the word salmon{turn}."))), "{last}");
    let condensed = compactions(&items);
    assert_eq!(breaks(&requests), condensed.len());
    assert!(condensed.iter().all(|compaction| compaction.tokens_after < compaction.tokens_before));
    assert!(
        condensed
            .iter()
            .any(|compaction| compaction.way == CompactionWay::Summarized && compaction.text.contains("<history>"))
    );
    // What was hidden is all there to be opened.
    let (mut before, mut opened) = (None, Vec::new());
    loop {
        let page = fixture.hub.journal().items(session.handle.id(), before, 200).await.unwrap();
        opened.extend(page.items);
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((opened.len(), compactions(&opened).len()), (items.len(), condensed.len()));
    assert!(tool_calls(&opened).iter().all(|call| call.output.len() > 4_000));
}

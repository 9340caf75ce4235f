use super::*;
use crate::model::{Message, ModelEvent, Part};
use crate::testing::{Attached, Fixture, Play, broken, calls, ended, event, finished, says, shown};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Item, ItemContent, Status, StopReason, Update};
use serde_json::json;
use tokio_util::sync::CancellationToken;

mod approvals;
mod condensing;
mod crashes;
mod given;
mod long;
mod questions;

fn check(items: &[Item], expected: Expect) {
    expected.assert_eq(&shown(items));
}

#[tokio::test]
async fn a_prompt_is_answered() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("hello"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    let (items, stop) = session.turn("hi").await;
    check(
        &items,
        expect![[r#"
            notice for Model
            user hi
            agent "hello" Whole
        "#]],
    );
    assert_eq!(stop, StopReason::Done);
    let header = session.handle.header().await.unwrap();
    assert_eq!((header.title.as_str(), header.status.state), ("hi", Status::Idle));
}

#[tokio::test]
async fn durable_updates_are_numbered_without_gaps_and_the_journal_has_them_all() {
    let fixture = Fixture::new(&[("a.txt", "one\n")]);
    fixture.model.then(calls(&[("read", json!({"path": "a.txt"}))])).then(says("it says one"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("read it").await;
    let (updates, _) = session.until_end().await;
    let durable: Vec<SessionUpdate> = updates.into_iter().filter(|update| update.seq.is_some()).collect();
    let seqs: Vec<u64> = durable.iter().filter_map(|update| update.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let journaled = fixture.hub.journal().updates_after(session.handle.id(), 0, 100).await.unwrap();
    assert_eq!(journaled, durable);
}

#[tokio::test]
async fn the_second_turn_sees_the_first_and_its_request_only_grew() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("first").await;
    session.turn("second").await;
    let [first, second] = &fixture.model.requests()[..] else { panic!("two requests") };
    assert_eq!(second.messages.get(..first.messages.len()), Some(&first.messages[..]));
    let rest = second.messages.get(first.messages.len()..).unwrap();
    let user = Message::User(vec![Part::Text("second".to_owned())]);
    assert_eq!(rest, [Message::Agent("one".to_owned()), user]);
}

#[tokio::test]
async fn several_calls_of_one_answer_all_run() {
    let fixture = Fixture::new(&[("a", "1\n"), ("b", "2\n")]);
    fixture.model.then(calls(&[("read", json!({"path": "a"})), ("read", json!({"path": "b"}))])).then(says("done"));
    let (items, _) = fixture.session(Mode::ReadOnly).await.turn("go").await;
    check(
        &items,
        expect![[r#"
            notice for Model
            user go
            read a Done: 1	1
            read b Done: 1	2
            agent "done" Whole
        "#]],
    );
}

#[tokio::test]
async fn what_the_model_does_wrong_goes_back_to_it() {
    let fixture = Fixture::new(&[]);
    let wrong = [("fly", json!({})), ("read", json!({"limit": 1})), ("read", json!({"path": "../../etc/passwd"}))];
    fixture.model.then(calls(&wrong)).then(says("sorry"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    let (items, stop) = session.turn("go").await;
    let items: Vec<Item> = items.into_iter().skip(2).collect();
    let shown = shown(&items).replace(&fixture.root().to_string(), "ROOT");
    expect![[r#"
        fly Failed: there is no tool "fly"; the tools are ask, command, edit, editor, list, patch, plan, read, search, shell, write
        read Failed: read: `path` is missing
        read ../../etc/passwd Failed: "../../etc/passwd" is outside the workspace ROOT
        agent "sorry" Whole
    "#]]
    .assert_eq(&shown);
    assert_eq!(stop, StopReason::Done);
}

#[tokio::test]
async fn read_only_mode_proposes_and_changes_nothing() {
    let fixture = Fixture::new(&[("a", "old\n")]);
    let edits = [
        ("edit", json!({"path": "a", "old_string": "old", "new_string": "new"})),
        ("write", json!({"path": "b", "content": "b\n"})),
        ("patch", json!({"patch": "*** Begin Patch\n*** Delete File: a\n*** End Patch"})),
    ];
    fixture.model.then(calls(&edits)).then(says("proposed"));
    let (items, _) = fixture.session(Mode::ReadOnly).await.turn("go").await;
    let edits: Vec<Item> = items.into_iter().filter(|item| matches!(item.content, ItemContent::Edit(_))).collect();
    check(
        &edits,
        expect![[r#"
            edit a Proposed +1 -1
            edit b Proposed +1 -0
            edit a Proposed +0 -1
        "#]],
    );
    assert_eq!(fixture.file("a"), "old\n");
    assert!(!fixture.root().as_path().join("b").exists());
}

#[tokio::test]
async fn a_mode_switch_holds_from_the_next_call_on_and_is_told_at_the_end_of_the_history() {
    let fixture = Fixture::new(&[]);
    let write = |path: &str| calls(&[("write", json!({"path": path, "content": "x"}))]);
    fixture.model.then(write("first")).then(says("one")).then(write("second")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("go").await;
    session.handle.set_mode(Mode::Agent).await.unwrap();
    session.turn("again").await;
    assert!(!fixture.root().as_path().join("first").exists());
    assert_eq!(fixture.file("second"), "x");
    let requests = fixture.model.requests();
    let told = |index: usize| {
        let environment = |message: &&Message| matches!(message, Message::User(parts) if format!("{parts:?}").contains("<environment>"));
        requests.get(index).unwrap().messages.iter().filter(environment).count()
    };
    assert_eq!((told(0), told(1), told(2), told(3)), (1, 1, 2, 2));
}

#[tokio::test]
async fn an_interrupt_while_the_model_answers_keeps_what_came() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]).then(says("whole"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("go").await;
    session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    let (updates, stop) = session.until_end().await;
    check(
        &ended(&updates),
        expect![[r#"
            agent "half" Interrupted
        "#]],
    );
    assert_eq!(stop, StopReason::Interrupted);
    assert_eq!(session.turn("on").await.1, StopReason::Done);
}

#[tokio::test]
async fn an_interrupt_with_nothing_to_stop_is_no_error() {
    let fixture = Fixture::new(&[]);
    let session = fixture.session(Mode::ReadOnly).await;
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    session.handle.interrupt(InterruptScope::Command).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_is_said_and_asked_again() {
    let fixture = Fixture::new(&[]);
    fixture
        .model
        .then(vec![event(ModelEvent::Text("ha".to_owned())), broken()])
        .then(vec![broken()])
        .then(says("hello"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    let (items, stop) = session.turn("hi").await;
    check(
        &items,
        expect![[r#"
            notice for Model
            user hi
            agent "ha" Broken
            error Stream retryable=true: the answer of http://model broke off: cut; asking again
            agent "hello" Whole
        "#]],
    );
    assert_eq!(stop, StopReason::Done);
    let requests = fixture.model.requests();
    assert!(requests.iter().all(|request| request.messages == requests.first().unwrap().messages));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_always_cut_ends_the_turn_with_a_retryable_error_and_runs_no_call() {
    let fixture = Fixture::new(&[]);
    let call = crate::model::Call {
        call_id: "c".to_owned(),
        name: "write".to_owned(),
        arguments: json!({"path": "a", "content": "x"}).to_string(),
    };
    for _ in 0..crate::model::retry::MAX_ATTEMPTS {
        fixture.model.then(vec![event(ModelEvent::Call(call.clone())), broken()]);
    }
    let mut session = fixture.session(Mode::Agent).await;
    let (items, stop) = session.turn("hi").await;
    check(
        &items,
        expect![[r#"
            notice for Model
            user hi
            error Stream retryable=true: the answer of http://model broke off: cut
        "#]],
    );
    assert_eq!(stop, StopReason::Failed);
    assert!(!fixture.root().as_path().join("a").exists());
}

#[tokio::test]
async fn prompts_wait_for_the_turn_and_can_be_changed_and_taken_back() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("a".to_owned())), Play::Hang]);
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("first").await;
    session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    let second = session.prompt("second").await.queued_id.expect("queued");
    let third = session.prompt("third").await.queued_id.expect("queued");
    let text = |text: &str| vec![InputPart::Text { text: text.to_owned() }];
    session.handle.requeue(third.clone(), text("third, changed")).await.unwrap();
    session.handle.unqueue(second.clone()).await.unwrap();
    assert!(session.handle.unqueue(second).await.is_err());
    let again = Attached::to(session.handle.clone()).await;
    assert_eq!(again.snapshot.queue, [pilotfish_protocol::Queued { id: third, input: text("third, changed") }]);
}

#[tokio::test]
async fn the_next_waiting_prompt_starts_when_a_turn_is_done() {
    let fixture = Fixture::new(&[("a", "1")]);
    fixture.model.then(calls(&[("read", json!({"path": "a"}))])).then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("first").await;
    assert!(session.prompt("second").await.queued_id.is_some());
    session.until_end().await;
    let (updates, stop) = session.until_end().await;
    check(
        &ended(&updates),
        expect![[r#"
            user second
            agent "two" Whole
        "#]],
    );
    assert_eq!(stop, StopReason::Done);
}

/// Keeps the journal's files as they are when the queue has shrunk to nothing, which is what a crash at this moment leaves.
struct CrashWhenNothingWaits {
    state: std::path::PathBuf,
    kept: std::path::PathBuf,
    waited: std::sync::atomic::AtomicBool,
}

impl Outlet for CrashWhenNothingWaits {
    fn send(&self, update: &SessionUpdate) {
        let Update::QueueChanged { queue } = &update.update else { return };
        let waited = self.waited.swap(!queue.is_empty(), std::sync::atomic::Ordering::Relaxed);
        if waited && queue.is_empty() {
            let files = std::fs::read_dir(&self.state).unwrap().flatten();
            for file in files.filter(|file| file.file_type().unwrap().is_file()) {
                std::fs::copy(file.path(), self.kept.join(file.file_name())).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_crash_while_a_waiting_prompt_starts_loses_it_nowhere() {
    let fixture = Fixture::new(&[]);
    let waits = CancellationToken::new();
    fixture.model.then([vec![Play::Until(waits.clone())], says("one")].concat()).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    let (state, kept) = (fixture.directory.path().join("state"), fixture.directory.path().join("kept"));
    std::fs::create_dir(&kept).unwrap();
    let crash = Arc::new(CrashWhenNothingWaits { state, kept: kept.clone(), waited: false.into() });
    session.handle.attach("n2".into(), Arc::default(), crash).await.unwrap();
    session.prompt("first").await;
    session.prompt("second").await;
    waits.cancel();
    session.until_end().await;
    session.until_end().await;
    let journal = crate::journal::Journal::open(&kept).unwrap();
    let stored = journal.session(session.handle.id()).await.unwrap().unwrap();
    assert_eq!(stored.queue, []);
    let items = shown(&journal.history(session.handle.id()).await.unwrap());
    assert!(items.contains("user second"), "{items}");
}

#[tokio::test]
async fn steering_reaches_the_model_at_the_next_step() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("first").await;
    let steer = vec![InputPart::Text { text: "and this".to_owned() }];
    let taken = session.handle.prompt(steer, Delivery::Steer).await.unwrap();
    assert!(taken.turn_id.is_some() && taken.queued_id.is_none());
    // Whether it came before or after the turn's last look, it is answered.
    while fixture.model.requests().len() < 2 {
        session.updates.recv().await.expect("the session goes on");
    }
    let last = fixture.model.requests().pop().unwrap();
    assert!(last.messages.contains(&Message::User(vec![Part::Text("and this".to_owned())])));
    session.until(|update| matches!(update, Update::TurnEnded { .. })).await;
}

#[tokio::test]
async fn a_panic_ends_its_turn_alone() {
    let fixture = Fixture::new(&[]);
    fixture
        .model
        .then(vec![event(ModelEvent::Text("a".to_owned())), Play::Panic])
        .then(says("fine"))
        .then(says("mended"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    let (items, stop) = session.turn("go").await;
    assert_eq!(stop, StopReason::Failed);
    check(
        &items,
        expect![[r#"
            notice for Model
            user go
            agent "" Interrupted
            error Internal retryable=true: pilotfish failed inside this turn; its log says where. The session can go on
        "#]],
    );
    assert_eq!(fixture.session(Mode::ReadOnly).await.turn("other").await.1, StopReason::Done);
    assert_eq!(session.turn("again").await.1, StopReason::Done);
}

/// A session whose daemon was killed in the middle of an answer.
async fn crashed() -> (Fixture, SessionId) {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]);
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("go").await;
    session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    let id = session.handle.id().clone();
    drop(session);
    (fixture.restarted(), id)
}

#[tokio::test]
async fn a_turn_that_a_crash_cut_goes_on_when_an_editor_is_there() {
    let (fixture, id) = crashed().await;
    let header = fixture.hub.session(&id).header().await.unwrap();
    assert_eq!(header.status.text, "pilotfish ended during this turn; it goes on when an editor is there");
    fixture.model.then(says("back"));
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!((session.snapshot.turn_id.is_some(), session.snapshot.open_items.len()), (true, 0));
    assert_eq!(session.until_end().await.1, StopReason::Done);
    check(
        &fixture.hub.journal().history(&id).await.unwrap(),
        expect![[r#"
            notice for Model
            user go
            agent "" Interrupted
            notice for Both
            agent "back" Whole
        "#]],
    );
}

#[tokio::test]
async fn something_new_or_an_interrupt_ends_a_turn_that_a_crash_cut() {
    let (fixture, id) = crashed().await;
    fixture.model.then(says("back"));
    let handle = fixture.hub.session(&id);
    handle.prompt(vec![InputPart::Text { text: "on".to_owned() }], Delivery::Queue).await.unwrap();
    let mut session = Attached::to(handle).await;
    let (_, stop) = session.until_end().await;
    assert_eq!(stop, StopReason::Done);
    check(
        &fixture.hub.journal().history(&id).await.unwrap(),
        expect![[r#"
            notice for Model
            user go
            agent "" Interrupted
            user on
            agent "back" Whole
        "#]],
    );
    let (fixture, id) = crashed().await;
    fixture.hub.session(&id).interrupt(InterruptScope::Turn).await.unwrap();
    let session = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!(session.snapshot.turn_id, None);
}

#[tokio::test]
async fn a_turn_that_ends_the_daemon_again_and_again_does_not_go_on() {
    let (mut fixture, id) = crashed().await;
    for _ in 0..2 {
        fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]);
        let mut session = Attached::to(fixture.hub.session(&id)).await;
        session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
        drop(session);
        fixture = fixture.restarted();
    }
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    let (_, stop) = session.until_end().await;
    assert_eq!((stop, fixture.model.requests().len()), (StopReason::Failed, 3));
}

#[tokio::test]
async fn a_session_whose_last_turn_failed_shows_that_after_a_restart() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("a".to_owned())), Play::Panic]);
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("go").await;
    let id = session.handle.id().clone();
    drop(session);
    let session = Attached::to(fixture.restarted().hub.session(&id)).await;
    assert_eq!(session.snapshot.session.status, state::after(StopReason::Failed));
}

#[tokio::test]
async fn the_journal_and_the_state_agree_on_when_waiting_prompts_start() {
    use StopReason::{Done, Failed, Interrupted, Length, Refused, StepLimit};
    let fixture = Fixture::new(&[]);
    let journal = fixture.hub.journal();
    for stop in [Done, Length, Refused, StepLimit, Interrupted, Failed] {
        let id = fixture.session(Mode::ReadOnly).await.handle.id().clone();
        let input = vec![InputPart::Text { text: "waits".to_owned() }];
        let queue = vec![pilotfish_protocol::Queued { id: "q1".into(), input }];
        let (turn_id, at) = ("t1".into(), "2026-01-01T00:00:00.000Z".to_owned());
        let ended = Update::TurnEnded { turn_id, stop, usage: pilotfish_protocol::Usage::default(), at: at.clone() };
        journal.append(&id, vec![Update::QueueChanged { queue }, ended], &at).await.unwrap();
        let idle = state::after(stop).state == pilotfish_protocol::Status::Idle;
        assert_eq!(journal.waiting().await.unwrap().contains(&id), idle, "{stop:?}");
    }
}

#[tokio::test]
async fn a_fork_goes_on_from_where_it_was_cut_and_its_source_does_not_notice() {
    let fixture = Fixture::new(&[("a", "1")]);
    fixture.model.then(calls(&[("read", json!({"path": "a"}))])).then(says("one"));
    let mut source = fixture.session(Mode::Agent).await;
    let (items, _) = source.turn("first").await;
    let (id, call) =
        (source.handle.id().clone(), items.iter().find(|item| matches!(item.content, ItemContent::ToolCall(_))));
    let fork = fixture.hub.fork(&id, call.map(|item| &item.id)).await.unwrap();
    assert_eq!((fork.title.as_str(), fork.mode, fork.parent.as_ref()), ("first", Mode::Agent, Some(&id)));
    let mut forked = Attached::to(fixture.hub.session(&fork.id)).await;
    assert_eq!((forked.snapshot.turn_id.as_ref(), forked.snapshot.session.status.state), (None, Status::Stopped));
    fixture.model.then(says("another"));
    forked.turn("second").await;
    let words = fixture.model.requests().pop().unwrap();
    let said = |text: &str| words.messages.contains(&Message::User(vec![Part::Text(text.to_owned())]));
    assert!(said("first") && said("second"));
    let history = fixture.hub.journal().history(&fork.id).await.unwrap();
    check(
        &history,
        expect![[r#"
        notice for Model
        user first
        read a Done: 1	1
        user second
        agent "another" Whole
    "#]],
    );
    check(
        &fixture.hub.journal().history(&id).await.unwrap(),
        expect![[r#"
        notice for Model
        user first
        read a Done: 1	1
        agent "one" Whole
    "#]],
    );
    assert_eq!(source.handle.header().await.unwrap().status.state, Status::Idle);
}

#[tokio::test]
async fn a_fork_of_a_running_turn_is_mended_as_after_a_crash() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]);
    let mut source = fixture.session(Mode::ReadOnly).await;
    source.prompt("go").await;
    source.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    let fork = fixture.hub.fork(source.handle.id(), None).await.unwrap();
    let forked = Attached::to(fixture.hub.session(&fork.id)).await;
    assert_eq!((forked.snapshot.turn_id, forked.snapshot.open_items.len()), (None, 0));
    check(
        &fixture.hub.journal().history(&fork.id).await.unwrap(),
        expect![[r#"
        notice for Model
        user go
        agent "" Interrupted
    "#]],
    );
    assert!(source.handle.header().await.unwrap().status.state != Status::Stopped);
    let unknown = fixture.hub.fork(&fork.id, Some(&"nothing".into())).await.unwrap_err();
    assert_eq!(unknown.to_string().replace(&fork.id.0, "ID"), "cannot fork session ID: session ID has no item nothing");
}

/// Takes the journal away from under a daemon, or gives it back.
fn move_state(fixture: &Fixture, from: &str, to: &str) {
    let folder = fixture.directory.path();
    std::fs::rename(folder.join(from), folder.join(to)).unwrap();
}

#[tokio::test]
async fn a_prompt_that_cannot_be_recorded_is_refused_said_and_not_lost() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("first").await;
    move_state(&fixture, "state", "away");
    for attempt in 1..=2 {
        let input = vec![InputPart::Text { text: "second".to_owned() }];
        let error = session.handle.prompt(input, Delivery::Queue).await.unwrap_err();
        assert!(matches!(error, SessionError::Journal(_)), "{error}");
        let fault = session.until(|update| matches!(update, Update::ItemEnded { .. })).await;
        let said = shown(&ended(&[fault])).replace(&fixture.directory.path().display().to_string(), "DIR");
        if attempt == 1 {
            let draft = session.until(|update| matches!(update, Update::DraftChanged { .. })).await;
            assert_eq!(draft.update, Update::DraftChanged { text: "second".to_owned() });
        }
        expect![[r#"
            error Journal retryable=true: cannot append to session s000001: DIR/state/journal.sqlite3 was removed or replaced while it was in use; put it back, or end pilotfish to begin a new one
        "#]]
        .assert_eq(&said);
    }
    // What is there can still be read, by all who attach.
    let again = Attached::to(session.handle.clone()).await;
    assert_eq!((again.snapshot.draft.as_str(), again.snapshot.session.status.state), ("second", Status::Idle));
    assert_eq!(fixture.hub.journal().history(session.handle.id()).await.unwrap().len(), 3);
    move_state(&fixture, "away", "state");
    let mut session = again;
    assert_eq!(session.turn("second").await.1, StopReason::Done);
}

#[tokio::test]
async fn a_turn_that_cannot_be_recorded_ends_and_the_next_one_mends_the_record() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]);
    fixture.model.then(says("back")).then(says("waited"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("go").await;
    session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    session.prompt("waits").await;
    move_state(&fixture, "state", "away");
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    let (updates, stop) = session.until_end().await;
    assert_eq!(stop, StopReason::Failed);
    let said = shown(&ended(&updates)).replace(&fixture.directory.path().display().to_string(), "DIR");
    expect![[r#"
        error Journal retryable=true: cannot append to session s000001: DIR/state/journal.sqlite3 was removed or replaced while it was in use; put it back, or end pilotfish to begin a new one
    "#]].assert_eq(&said);
    move_state(&fixture, "away", "state");
    session.prompt("on").await;
    let mut stops = Vec::new();
    for _ in ["go", "on", "waits"] {
        stops.push(session.until_end().await.1);
    }
    assert_eq!(stops, [StopReason::Failed, StopReason::Done, StopReason::Done]);
    let id = session.handle.id().clone();
    check(
        &fixture.hub.journal().history(&id).await.unwrap(),
        expect![[r#"
            notice for Model
            user go
            agent "" Interrupted
            user on
            agent "back" Whole
            user waits
            agent "waited" Whole
        "#]],
    );
    let journal = fixture.hub.journal();
    assert_eq!(journal.open_items(&id).await.unwrap(), []);
    let recorded = journal.updates_after(&id, 0, 100).await.unwrap();
    let seqs: Vec<u64> = recorded.iter().filter_map(|update| update.seq).collect();
    assert_eq!(seqs, (1..=recorded.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn unknown_sessions_and_empty_prompts_are_errors() {
    let fixture = Fixture::new(&[]);
    let unknown = fixture.hub.session(&SessionId::from("nobody"));
    let error = unknown.prompt(vec![InputPart::Text { text: "hi".to_owned() }], Delivery::Queue).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no session nobody");
    let session = fixture.session(Mode::ReadOnly).await;
    let error =
        session.handle.prompt(vec![InputPart::Text { text: " \n".to_owned() }], Delivery::Queue).await.unwrap_err();
    assert_eq!(error.to_string(), "the prompt is empty; say what to do");
}

#[tokio::test]
async fn thoughts_and_words_are_items_of_their_own() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(vec![
        event(ModelEvent::Reasoning("hm".to_owned())),
        event(ModelEvent::ReasoningEnded { opaque: Some(json!("secret")) }),
        event(ModelEvent::ReasoningEnded { opaque: Some(json!("wordless")) }),
        event(ModelEvent::Text("hi".to_owned())),
        finished(),
    ]);
    let (items, _) = fixture.session(Mode::ReadOnly).await.turn("go").await;
    let items: Vec<Item> = items.into_iter().skip(2).collect();
    check(
        &items,
        expect![[r#"
            reasoning "hm" Whole
            reasoning "" Whole
            agent "hi" Whole
        "#]],
    );
}

#[tokio::test]
async fn a_turn_without_a_model_says_what_to_write_where() {
    let fixture = Fixture::new(&[]);
    let broken = "model = \"nowhere/model\"\n[providers.here]\ndialect = \"chat\"\nbase_url = \"http://127.0.0.1:1\"\n";
    std::fs::write(fixture.directory.path().join("config.toml"), broken).unwrap();
    let (items, stop) = fixture.session(Mode::ReadOnly).await.turn("go").await;
    let shown = shown(&items).replace(&fixture.directory.path().display().to_string(), "HOME");
    expect![[r#"
        notice for Model
        user go
        error Configuration retryable=false: there is no provider "nowhere" in HOME/config.toml; it has here
    "#]]
    .assert_eq(&shown);
    assert_eq!(stop, StopReason::Failed);
}

#[tokio::test]
async fn a_session_nobody_uses_leaves_memory_and_comes_back_when_it_is_asked_for() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("first").await;
    let id = session.handle.id().clone();
    tokio::time::pause();
    // Somebody is attached, so it stays.
    tokio::time::advance(std::time::Duration::from_secs(600)).await;
    session.handle.header().await.unwrap();
    assert!(fixture.hub.loaded(&id).is_some());
    session.handle.detach(pilotfish_protocol::ConnectionId::from("n1")).await.unwrap();
    // Its clock begins to run when it next waits for something to happen.
    session.handle.header().await.unwrap();
    while fixture.hub.loaded(&id).is_some() {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    tokio::time::resume();
    let mut again = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!(again.snapshot.session.title, "first");
    let (items, stop) = again.turn("second").await;
    assert_eq!((items.len(), stop), (2, StopReason::Done));
}

#[tokio::test]
async fn what_is_typed_and_not_sent_is_everybodys() {
    let fixture = Fixture::new(&[]);
    let mut one = fixture.session(Mode::ReadOnly).await;
    fixture.hub.session(one.handle.id()).draft("half a th".to_owned()).await.unwrap();
    one.until(|update| matches!(update, Update::DraftChanged { text } if text == "half a th")).await;
    let id = one.handle.id().clone();
    let fixture = fixture.restarted();
    assert_eq!(Attached::to(fixture.hub.session(&id)).await.snapshot.draft, "half a th");
}

#[tokio::test]
async fn a_daemon_that_ends_queues_and_the_next_one_starts_what_waits() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("first").await;
    fixture.hub.stop(crate::hub::Stop::Drain);
    fixture.hub.stopped().await;
    assert!(fixture.hub.is_over());
    let taken = session.prompt("second").await;
    assert!(taken.queued_id.is_some());
    let id = session.handle.id().clone();
    let fixture = fixture.restarted();
    fixture.model.then(says("two"));
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!(session.snapshot.queue.len(), 1, "attaching alone starts nothing");
    fixture.hub.resume(&std::sync::Arc::default()).await;
    let (updates, stop) = session.until_end().await;
    assert_eq!(stop, StopReason::Done);
    assert!(shown(&ended(&updates)).contains("user second\nagent \"two\""), "{}", shown(&ended(&updates)));
    fixture.hub.resume(&std::sync::Arc::default()).await;
}

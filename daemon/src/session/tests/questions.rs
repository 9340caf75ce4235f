//! What the model asks in words, through whole turns and over restarts.

use crate::hub::Stop;
use crate::session::{InterruptScope, SessionError, Spoken};
use crate::testing::{Attached, Fixture, calls, ended, says, shown};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Item, ItemContent, ItemId, Mode, Question, Status, Update};
use serde_json::{Value, json};

fn check(items: &[Item], expected: Expect) {
    expected.assert_eq(&shown(items));
}

fn asks(question: &str, choices: &[&str]) -> (&'static str, Value) {
    ("ask", json!({"question": question, "choices": choices}))
}

fn chosen(choice: u32) -> Spoken {
    Spoken { choice: Some(choice), text: None, by: "n1".into() }
}

fn said(text: &str) -> Spoken {
    Spoken { choice: None, text: Some(text.to_owned()), by: "n1".into() }
}

fn nothing() -> Spoken {
    Spoken { choice: None, text: None, by: "n1".into() }
}

/// The next question.
async fn question(session: &mut Attached) -> (ItemId, Question) {
    let is_question = |update: &Update| matches!(update, Update::ItemStarted { item } if matches!(item.content, ItemContent::Question(_)));
    match session.until(is_question).await.update {
        Update::ItemStarted { item: Item { id, content: ItemContent::Question(question), .. } } => (id, question),
        other => panic!("{other:?}"),
    }
}

async fn rest(session: &mut Attached) -> Vec<Item> {
    ended(&session.until_end().await.0)
}

#[tokio::test]
async fn the_answer_is_the_output_of_the_call() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &["80", " 8080 ", "80"])])).then(says("done"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("go").await;
    let (id, asked) = question(&mut session).await;
    assert_eq!(
        asked,
        Question { text: "Which port?".to_owned(), choices: vec!["80".into(), "8080".into()], answer: None }
    );
    let status = session.handle.header().await.unwrap().status;
    assert_eq!((status.state, status.text.as_str()), (Status::Waiting, "waiting for you: Which port?"));
    let other = Attached::to(session.handle.clone()).await;
    assert_eq!(other.snapshot.open_items.iter().filter(|item| item.id == id).count(), 1);
    session.updates = other.updates;
    session.handle.reply(id.clone(), chosen(1)).await.unwrap();
    let again = session.handle.reply(id, chosen(0)).await;
    assert!(matches!(again, Err(SessionError::AlreadyAnswered(_))), "{again:?}");
    check(
        &rest(&mut session).await,
        expect![[r#"
            Question(Question { text: "Which port?", choices: ["80", "8080"], answer: Some("8080") })
            ask Which port? Done: the person answered: 8080
            agent "done" Whole
        "#]],
    );
    assert_eq!(session.handle.header().await.unwrap().status.state, Status::Idle);
}

#[tokio::test]
async fn a_question_that_nobody_answers_ends_with_that() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &[])])).then(says("done"));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let (id, _) = question(&mut session).await;
    session.handle.reply(id.clone(), nothing()).await.unwrap();
    let again = session.handle.reply(id, nothing()).await;
    assert!(matches!(again, Err(SessionError::NoLongerAsked(_))), "{again:?}");
    check(
        &rest(&mut session).await,
        expect![[r#"
            Question(Question { text: "Which port?", choices: [], answer: None })
            ask Which port? Done: nobody answered this question, and nobody will; go on with what can be done without the answer, and say in the end what you assumed
            agent "done" Whole
        "#]],
    );
}

#[tokio::test]
async fn arguments_that_ask_nothing_are_refused_at_once() {
    let fixture = Fixture::new(&[]);
    let many = ["1", "2", "3", "4", "5", "6", "7"];
    fixture.model.then(calls(&[asks(" ", &[]), asks("Which?", &many), ("ask", json!({"choices": "[]"}))]));
    fixture.model.then(says("done"));
    let mut session = fixture.session(Mode::Agent).await;
    check(
        &session.turn("go").await.0,
        expect![[r#"
            notice for Model
            user go
            ask  Failed: ask: `question` is empty
            ask Which? Failed: ask: `choices` has 7 answers; offer at most 6
            ask Failed: ask: `question` is missing
            agent "done" Whole
        "#]],
    );
}

#[tokio::test]
async fn an_interrupt_takes_the_question_back() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &["80"])]));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let (id, _) = question(&mut session).await;
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    check(
        &rest(&mut session).await,
        expect![[r#"
            Question(Question { text: "Which port?", choices: ["80"], answer: None })
            ask Which port? Interrupted: not answered: interrupted
        "#]],
    );
    let late = session.handle.reply(id, chosen(0)).await;
    assert!(matches!(late, Err(SessionError::NoLongerAsked(_))), "{late:?}");
}

#[tokio::test]
async fn a_question_survives_its_daemon_and_the_turn_goes_on_with_the_answer() {
    for is_crash in [false, true] {
        let fixture = Fixture::new(&[]);
        fixture.model.then(calls(&[asks("Which port?", &["80"])])).then(says("done"));
        let mut session = fixture.session(Mode::Agent).await;
        session.prompt("go").await;
        let (id, _) = question(&mut session).await;
        let session_id = session.handle.id().clone();
        if !is_crash {
            fixture.hub.stop(Stop::Drain);
            fixture.hub.stopped().await;
            fixture.hub.shutdown().await;
        }
        let fixture = fixture.restarted();
        fixture.hub.resume(&std::sync::Arc::default()).await;
        let waiting = fixture.hub.loaded(&session_id).expect("it is in memory, so that lists show that it waits");
        let status = waiting.header().await.unwrap().status;
        assert_eq!((status.state, status.text.as_str()), (Status::Waiting, "waiting for you: Which port?"));
        let mut session = Attached::to(waiting).await;
        session.handle.reply(id, Spoken { choice: None, text: Some("443".to_owned()), by: "n1".into() }).await.unwrap();
        check(
            &rest(&mut session).await,
            expect![[r#"
                Question(Question { text: "Which port?", choices: ["80"], answer: Some("443") })
                ask Which port? Done: the person answered: 443
                agent "done" Whole
            "#]],
        );
        let [_, request] = &fixture.model.requests()[..] else { panic!("two requests") };
        assert!(format!("{request:?}").contains("the person answered: 443"), "{request:?}");
    }
}

#[tokio::test]
async fn a_turn_that_waits_after_a_restart_can_be_stopped() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &["80"])]));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let (id, _) = question(&mut session).await;
    let session_id = session.handle.id().clone();
    let fixture = fixture.restarted();
    let mut session = Attached::to(fixture.hub.session(&session_id)).await;
    assert_eq!(session.snapshot.open_items.len(), 2);
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    check(
        &rest(&mut session).await,
        expect![[r#"
            Question(Question { text: "Which port?", choices: ["80"], answer: None })
            ask Which port? Interrupted: [interrupted by the person while this waited for an answer; it did not go on]
        "#]],
    );
    let late = session.handle.reply(id, chosen(0)).await;
    assert!(matches!(late, Err(SessionError::NoLongerAsked(_))), "{late:?}");
}

#[tokio::test]
async fn a_fork_is_asked_nothing() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &["80"])]));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    question(&mut session).await;
    let fork = fixture.hub.fork(session.handle.id(), None).await.unwrap();
    let fork = Attached::to(fixture.hub.session(&fork.id)).await;
    assert_eq!((fork.snapshot.open_items, fork.snapshot.session.status.state), (Vec::new(), Status::Stopped));
}

#[tokio::test]
async fn a_question_is_shown_once_on_a_desktop_that_wants_it() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[asks("Which port?", &[])])).then(calls(&[asks("Which host?", &[])])).then(says("done"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.prompt("go").await;
    let (id, _) = question(&mut session).await;
    assert_eq!(fixture.shelf.notes(), []);
    let config = fixture.directory.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap() + "\n[notify]\ndesktop = \"waiting\"\n";
    std::fs::write(&config, text).unwrap();
    session.handle.reply(id, said("80")).await.unwrap();
    let (id, _) = question(&mut session).await;
    session.handle.reply(id, said("here")).await.unwrap();
    rest(&mut session).await;
    let notes: Vec<String> =
        fixture.shelf.notes().into_iter().map(|note| format!("{}: {}", note.title, note.body)).collect();
    assert_eq!(notes, ["pilotfish waits for you: go: Which host?"]);
}

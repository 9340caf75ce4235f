//! A daemon that is killed in each state of a turn: nothing that was said is lost, and nothing is run twice.

use super::*;
use crate::testing::tool_calls;
use pilotfish_protocol::PromptTaken;

fn text(text: &str) -> Play {
    event(ModelEvent::Text(text.to_owned()))
}

async fn say(session: &Attached, words: &str, delivery: Delivery) -> PromptTaken {
    session.handle.prompt(vec![InputPart::Text { text: words.to_owned() }], delivery).await.unwrap()
}

/// Kills the daemon in a turn that these answers lead into, once `reached` was seen and these prompts were said as well; then an editor comes
/// back. Checks what was said and called in the end, and that the model read each prompt once.
async fn check(
    answers: Vec<Vec<Play>>,
    reached: impl Fn(&Update) -> bool,
    more: &[(&str, Delivery)],
    expected: Expect,
) {
    let fixture = Fixture::new(&[("a", "one\n")]);
    answers.into_iter().for_each(|answer| drop(fixture.model.then(answer).requests()));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    session.until(reached).await;
    for (words, delivery) in more {
        say(&session, words, *delivery).await;
    }
    let id = session.handle.id().clone();
    drop(session);
    let fixture = fixture.restarted();
    fixture.model.forget();
    fixture.model.then(says("back")).then(says("more"));
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    let queued = more.iter().filter(|(_, delivery)| *delivery == Delivery::Queue).count();
    for _ in 0..=queued {
        assert_eq!(session.until_end().await.1, StopReason::Done);
    }
    let journal = fixture.hub.journal();
    let items = journal.history(&id).await.unwrap();
    assert_eq!(journal.open_items(&id).await.unwrap(), []);
    expected.assert_eq(&shown(&items));
    let calls = tool_calls(&items);
    let started = journal.updates_after(&id, 0, 1_000).await.unwrap();
    let started = started.iter().filter(|update| {
        matches!(&update.update, Update::ItemStarted { item } if matches!(item.content, ItemContent::ToolCall(_)))
    });
    assert_eq!(started.count(), calls.len(), "each call began once");
    let last = fixture.model.requests().pop().unwrap().messages;
    for words in more.iter().map(|(words, _)| *words).chain(["go"]) {
        let message = Message::User(vec![Part::Text(words.to_owned())]);
        assert_eq!(last.iter().filter(|known| **known == message).count(), 1, "{words} was read once");
    }
}

fn is_asked(update: &Update) -> bool {
    matches!(update, Update::StatusChanged { status } if status.state == Status::Thinking)
}

fn speaks(update: &Update) -> bool {
    matches!(update, Update::ItemDelta { .. })
}

#[tokio::test]
async fn before_the_model_says_anything() {
    let expected = expect![[r#"
        notice for Model
        user go
        notice for Both
        agent "back" Whole
    "#]];
    check(vec![vec![Play::Hang]], is_asked, &[], expected).await;
}

#[tokio::test]
async fn while_it_thinks() {
    let thinking = vec![event(ModelEvent::Reasoning("hm".to_owned())), Play::Hang];
    check(
        vec![thinking],
        speaks,
        &[],
        expect![[r#"
        notice for Model
        user go
        reasoning "" Interrupted
        notice for Both
        agent "back" Whole
    "#]],
    )
    .await;
}

#[tokio::test]
async fn while_it_speaks() {
    check(
        vec![vec![text("half"), Play::Hang]],
        speaks,
        &[],
        expect![[r#"
        notice for Model
        user go
        agent "" Interrupted
        notice for Both
        agent "back" Whole
    "#]],
    )
    .await;
}

#[tokio::test]
async fn after_a_call_that_changed_a_file() {
    let edit = calls(&[("edit", json!({"path": "a", "old_string": "one", "new_string": "one one"}))]);
    let is_second = |update: &Update| matches!(update, Update::ItemDelta { .. });
    check(
        vec![edit, vec![text("half"), Play::Hang]],
        is_second,
        &[],
        expect![[r#"
        notice for Model
        user go
        edit a Done: edited a
        1	one one
        edit a Applied +1 -1
        agent "" Interrupted
        notice for Both
        agent "back" Whole
    "#]],
    )
    .await;
}

#[tokio::test]
async fn with_prompts_that_steer_and_that_wait() {
    let more = [("and this", Delivery::Steer), ("then that", Delivery::Queue)];
    check(
        vec![vec![text("half"), Play::Hang]],
        speaks,
        &more,
        expect![[r#"
        notice for Model
        user go
        agent "" Interrupted
        user and this
        notice for Both
        agent "back" Whole
        user then that
        agent "more" Whole
    "#]],
    )
    .await;
}

#[tokio::test]
async fn while_it_condenses_nothing_is_answered_that_nobody_asked() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("one"));
    let mut session = fixture.session(Mode::Agent).await;
    session.turn("go").await;
    fixture.model.summarizes(vec![Play::Hang]);
    session.handle.compact().await.unwrap();
    session.until(is_asked).await;
    let id = session.handle.id().clone();
    drop(session);
    let fixture = fixture.restarted();
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!(session.until_end().await.1, StopReason::Interrupted);
    fixture.model.then(says("two"));
    assert_eq!(session.turn("on").await.1, StopReason::Done);
    check_items(
        &fixture,
        &id,
        expect![[r#"
        notice for Model
        user go
        agent "one" Whole
        user on
        agent "two" Whole
    "#]],
    )
    .await;
}

async fn check_items(fixture: &Fixture, id: &SessionId, expected: Expect) {
    expected.assert_eq(&shown(&fixture.hub.journal().history(id).await.unwrap()));
}

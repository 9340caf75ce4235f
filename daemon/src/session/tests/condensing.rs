//! Condensing when a provider says that it is full, when somebody wants it, and when the model gives no summary; budgets and loops.

use crate::model::{ModelError, ModelEvent, Stop};
use crate::session::Delivery;
use crate::testing::{Attached, Fixture, Play, broken, calls, ended, event, says, shown};
use expect_test::{Expect, expect};
use pilotfish_protocol::{InputPart, InterruptScope, Item, ItemContent, Mode, Status, StopReason, Update, Usage};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn full() -> Vec<Play> {
    let (url, message) = ("http://model".to_owned(), "too many tokens".to_owned());
    vec![Play::Event(Err(ModelError::ContextFull { url, message }))]
}

/// A line for each item, compactions without their numbers.
fn check(items: &[Item], expected: Expect) {
    let line = |item: &Item| match &item.content {
        ItemContent::Compaction(compaction) => {
            let how = if compaction.text.contains("## Summary of the work") { "a summary" } else { "a list" };
            format!("{:?}: {how}\n", compaction.way)
        }
        ItemContent::Notice(notice) => {
            format!("notice for {:?}: {}\n", notice.audience, notice.text.lines().nth(1).unwrap_or(&notice.text))
        }
        _ => shown(std::slice::from_ref(item)),
    };
    expected.assert_eq(&items.iter().map(line).collect::<String>());
}

/// A session that has something to condense.
async fn used(fixture: &Fixture) -> Attached {
    let mut session = fixture.session(Mode::Agent).await;
    for number in 0..3 {
        fixture.model.then(calls(&[("read", json!({"path": "a"}))])).then(says("read"));
        session.turn(&format!("read it {number}")).await;
    }
    session
}

fn files() -> Vec<(String, String)> {
    vec![("a".to_owned(), "a line of words\n".repeat(400))]
}

fn fixture() -> Fixture {
    let files = files();
    Fixture::new(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_provider_that_is_full_is_asked_again_with_less() {
    let fixture = fixture();
    let mut session = used(&fixture).await;
    fixture.model.then(full()).then(says("done"));
    let (items, stop) = session.turn("go on").await;
    check(
        &items,
        expect![[r#"
            user go on
            Summarized: a summary
            agent "done" Whole
        "#]],
    );
    assert_eq!(stop, StopReason::Done);
    let last = format!("{:?}", fixture.model.requests().last().unwrap().messages);
    assert!(last.contains("1. read it 0") && last.contains("went as the script"), "{last}");
}

#[tokio::test]
async fn full_twice_in_a_row_is_an_error_that_says_what_to_do() {
    let fixture = fixture();
    let mut session = used(&fixture).await;
    fixture.model.then(full()).then(full());
    let (items, stop) = session.turn("go on").await;
    check(
        &items,
        expect![[r#"
            user go on
            Summarized: a summary
            error ContextFull retryable=false: the conversation no longer fits the model, also after it was condensed: too many tokens. Set the true `context` of the model in config.toml, choose a model with a larger one, or go on in a new session
        "#]],
    );
    assert_eq!(stop, StopReason::Failed);
}

#[tokio::test]
async fn a_model_without_a_summary_leaves_a_list() {
    for answer in [says("no"), calls(&[("read", json!({"path": "a"}))])] {
        let fixture = fixture();
        let mut session = used(&fixture).await;
        fixture.model.summarizes(answer).then(full()).then(says("done"));
        let (items, _) = session.turn("go on").await;
        check(
            &items,
            expect![[r#"
                user go on
                Summarized: a list
                agent "done" Whole
            "#]],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_breaks_off_is_asked_for_again() {
    let fixture = fixture();
    let mut session = used(&fixture).await;
    fixture.model.summarizes(vec![broken()]).then(full()).then(says("done"));
    let (items, _) = session.turn("go on").await;
    check(
        &items,
        expect![[r#"
            user go on
            Summarized: a summary
            agent "done" Whole
        "#]],
    );
}

#[tokio::test]
async fn an_interrupt_ends_the_wish_to_condense() {
    let fixture = fixture();
    let mut session = used(&fixture).await;
    fixture.model.then(vec![event(ModelEvent::Text("half".to_owned())), Play::Hang]);
    session.prompt("go on").await;
    session.until(|update| matches!(update, Update::ItemDelta { .. })).await;
    session.handle.compact().await.unwrap();
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    assert_eq!(session.until_end().await.1, StopReason::Interrupted);
    assert_eq!(session.handle.header().await.unwrap().status.state, Status::Stopped);
    fixture.model.then(says("done"));
    let (items, _) = session.turn("again").await;
    assert!(!items.iter().any(|item| matches!(item.content, ItemContent::Compaction(_))));
}

#[tokio::test]
async fn history_is_condensed_when_somebody_wants_it() {
    let fixture = fixture();
    let mut session = fixture.session(Mode::Agent).await;
    session.handle.compact().await.unwrap();
    check(
        &ended(&session.until_end().await.0),
        expect![[r#"
            notice for Person: There is nothing to condense yet.
        "#]],
    );
    drop(session);
    let mut session = used(&fixture).await;
    session.handle.compact().await.unwrap();
    check(
        &ended(&session.until_end().await.0),
        expect![[r#"
            Summarized: a summary
        "#]],
    );
    fixture.model.then(says("on"));
    session.turn("on").await;
    let last = format!("{:?}", fixture.model.requests().last().unwrap().messages);
    assert!(last.contains("went as the script") && last.contains("<environment>"), "{last}");
}

#[tokio::test]
async fn a_running_turn_is_condensed_at_its_next_step() {
    let fixture = fixture();
    let mut session = used(&fixture).await;
    let waits = CancellationToken::new();
    fixture
        .model
        .then([vec![Play::Until(waits.clone())], calls(&[("read", json!({"path": "a"}))])].concat())
        .then(says("done"));
    session.prompt("go").await;
    session.handle.compact().await.unwrap();
    waits.cancel();
    check(
        &ended(&session.until_end().await.0)
            .into_iter()
            .filter(|item| !matches!(item.content, ItemContent::ToolCall(_)))
            .collect::<Vec<_>>(),
        expect![[r#"
            user go
            Summarized: a summary
            agent "done" Whole
        "#]],
    );
}

#[tokio::test]
async fn what_comes_between_two_calls_stands_where_the_journal_has_it() {
    let fixture = fixture();
    let wish = ("wish", json!({"command": "x", "grants": ["host:registry.example"]}));
    fixture.model.then(calls(&[
        ("read", json!({"path": "a", "limit": 1})),
        wish,
        ("read", json!({"path": "a", "limit": 2})),
    ]));
    fixture.model.then(says("one")).then(says("two"));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let Update::ApprovalOpened { approval } =
        session.until(|update| matches!(update, Update::ApprovalOpened { .. })).await.update
    else {
        panic!("a question")
    };
    let steer = vec![InputPart::Text { text: "mind this".to_owned() }];
    session.handle.prompt(steer, Delivery::Steer).await.unwrap();
    session.until(|update| matches!(update, Update::ItemStarted { item } if matches!(item.content, ItemContent::UserMessage(_)))).await;
    let given = crate::session::Given { decision: pilotfish_protocol::Decision::Deny, note: None, by: "n1".into() };
    session.handle.answer(vec![approval.id], given).await.unwrap();
    session.until_end().await;
    let id = session.handle.id().clone();
    drop(session);
    let fixture = fixture.restarted();
    let mut session = Attached::to(fixture.hub.session(&id)).await;
    session.turn("more").await;
    let requests = fixture.model.requests();
    let [_, before, after] = &requests[..] else { panic!("three requests") };
    assert_eq!(after.messages.get(..before.messages.len()), Some(&before.messages[..]));
    assert!(format!("{:?}", before.messages.last()).contains("mind this"));
}

#[tokio::test]
async fn a_loop_is_told_to_the_model_and_then_to_the_person() {
    let fixture = fixture();
    for _ in 0..6 {
        fixture.model.then(calls(&[("read", json!({"path": "a", "limit": 1}))]));
    }
    let mut session = fixture.session(Mode::Agent).await;
    let (items, stop) = session.turn("go").await;
    let rest: Vec<Item> =
        items.into_iter().skip(2).filter(|item| !matches!(item.content, ItemContent::ToolCall(_))).collect();
    check(
        &rest,
        expect![[r#"
            notice for Model: `read` was called 3 times in a row with the same arguments and the same outcome. Doing it again will not change that: look at what the outcome says, and try another way, or say what you need.
            error Limit retryable=true: the model made the same call 6 times in a row with the same outcome (read a:1-1), so the turn was stopped; say how it should go on, or that it should try another way
        "#]],
    );
    assert_eq!(stop, StopReason::Failed);
}

#[tokio::test]
async fn a_change_that_nothing_ran_after_is_asked_about_once() {
    let fixture = fixture();
    std::fs::write(
        fixture.directory.path().join("config.toml"),
        "model = \"test/model\"\n[providers.test]\ndialect = \"chat\"\nbase_url = \"http://127.0.0.1:1/v1\"\n",
    )
    .unwrap();
    let write = || calls(&[("write", json!({"path": "b", "content": "x"}))]);
    fixture.model.then(write()).then(says("done")).then(says("there is nothing to run"));
    fixture.model.then(write()).then(says("proposed"));
    let mut session = fixture.session(Mode::Agent).await;
    session.turn("go").await;
    session.handle.set_mode(Mode::ReadOnly).await.unwrap();
    session.turn("again").await;
    let requests = fixture.model.requests();
    let asked: Vec<usize> =
        requests.iter().map(|request| format!("{:?}", request.messages).matches("ran nothing since").count()).collect();
    assert_eq!(asked, [0, 0, 1, 1, 1]);
}

fn used_tokens(input: u64, output: u64) -> Play {
    let usage = Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
    event(ModelEvent::Finished { stop: Stop::Done, usage })
}

#[tokio::test]
async fn what_is_used_is_counted_once_and_outlives_a_crash() {
    let fixture = fixture();
    fixture
        .configure("[[providers.test.models]]\nid = \"model\"\ncontext = 90000\nprice = { input = 1, output = 10 }\n");
    let call = calls(&[("read", json!({"path": "a"}))]);
    let mut first = call.clone();
    first.pop();
    first.push(used_tokens(1_000, 100));
    fixture.model.then(first.clone()).then(vec![event(ModelEvent::Text("x".to_owned())), used_tokens(3_000, 50)]);
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let (updates, _) = session.until_end().await;
    let sums: Vec<(u64, u64, Option<u64>, u64)> = updates
        .iter()
        .filter_map(|update| match &update.update {
            Update::Usage { usage, context } => {
                Some((usage.input_tokens, usage.context_tokens, usage.cost, crate::prompt::measure::total(context)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(sums, [(1_000, 1_100, Some(2_000), 1_100), (4_000, 3_050, Some(5_500), 3_050)]);
    // The next turn is killed in its second step.
    fixture.model.then(first).then(vec![Play::Hang]);
    session.prompt("on").await;
    while fixture.model.requests().len() < 4 {
        session.updates.recv().await.expect("the session goes on");
    }
    let id = session.handle.id().clone();
    drop(session);
    let fixture = fixture.restarted();
    // It goes on with the turn.
    fixture.model.then(vec![Play::Hang]);
    let session = Attached::to(fixture.hub.session(&id)).await;
    let usage = session.snapshot.usage;
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cost), (5_000, 250, Some(7_500)));
    assert_eq!(session.snapshot.context, fixture.hub.journal().session(&id).await.unwrap().unwrap().context);
    let journal = fixture.hub.journal();
    let (all, today) = (journal.usage().await.unwrap(), journal.usage_of("2026-01-01").await.unwrap());
    assert_eq!((all.input_tokens, all.cost, today), (5_000, Some(7_500), all));
    assert_eq!(journal.usage_of("2026-01-02").await.unwrap(), Usage::default());
    // A copy used nothing.
    fixture.hub.fork(&id, None).await.unwrap();
    assert_eq!(journal.usage().await.unwrap(), all);
}

/// The next question in words.
async fn question(session: &mut Attached) -> (pilotfish_protocol::ItemId, String) {
    let is_question = |update: &Update| matches!(update, Update::ItemStarted { item } if matches!(item.content, ItemContent::Question(_)));
    match session.until(is_question).await.update {
        Update::ItemStarted { item: Item { id, content: ItemContent::Question(question), .. } } => (id, question.text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_budget_that_is_used_up_asks_whether_to_go_on() {
    let fixture = fixture();
    fixture.configure("[budget]\nturn_tokens = 1000\n");
    let step = |limit: usize| {
        let mut step = calls(&[("read", json!({"path": "a", "limit": limit}))]);
        step.pop();
        step.push(used_tokens(500, 100));
        step
    };
    let mut session = fixture.session(Mode::Agent).await;
    let chosen = |choice: u32| crate::session::Spoken { choice: Some(choice), text: None, by: "n1".into() };
    for limit in 1..=4 {
        fixture.model.then(step(limit));
    }
    session.prompt("go").await;
    let (id, first) = question(&mut session).await;
    session.handle.reply(id, chosen(0)).await.unwrap();
    let (id, second) = question(&mut session).await;
    session.handle.reply(id, chosen(1)).await.unwrap();
    let (updates, stop) = session.until_end().await;
    expect![[r#"
        This turn used 1200 tokens, and the budget for one is 1000 (`turn_tokens` in [budget] of config.toml). Go on, for as much again?
        This turn used 2400 tokens, and the budget for one is 1000 (`turn_tokens` in [budget] of config.toml). Go on, for as much again?
    "#]]
    .assert_eq(&format!("{first}\n{second}\n"));
    check(
        &ended(&updates)[1..],
        expect![[r#"
            error Limit retryable=true: This turn used 2400 tokens, and the budget for one is 1000 (`turn_tokens` in [budget] of config.toml). The turn was stopped; a new prompt asks again
        "#]],
    );
    assert_eq!(stop, StopReason::Failed);
}

use super::{
    AT, asked, changed, ended, queue, s1, seqs, session, show_items, show_list, started, title, turn_ended,
    turn_started,
};
use crate::journal::{Cause, Journal, SessionFilter};
use expect_test::{Expect, expect};
use pilotfish_protocol::{ContextUse, ItemId, Mode, Plan, Session, SessionId, StopReason, Update, Usage};

fn approval(id: &str) -> Update {
    Update::ApprovalOpened { approval: Box::new(crate::testing::approval(id, "i1")) }
}

fn fork_of(source: &str) -> Session {
    Session { title: "The fork".to_owned(), parent: Some(source.into()), ..session("f1") }
}

/// Two turns, the second of which runs; outputs of three items.
async fn source() -> Journal {
    let journal = Journal::in_memory().unwrap();
    journal.create(&session("s1")).await.unwrap();
    let updates = vec![
        turn_started("t1"),
        title("Told first"),
        Update::ItemEnded { item: asked("i1", "go") },
        started("i2", "a"),
        changed("i2", "ab"),
        Update::PlanChanged { plan: Plan::default() },
        ended("i2", "abc"),
        ended("i3", "done"),
        Update::Usage { usage: Usage { input_tokens: 7, ..Usage::default() }, context: ContextUse::default() },
        turn_ended("t1", StopReason::Done),
        Update::ModeChanged { mode: Mode::Agent },
        turn_started("t2"),
        started("i4", "running"),
        queue(&["q1"]),
        approval("a1"),
        ended("i5", "beside it"),
        ended("i4", "ran"),
    ];
    journal.append(&s1(), updates, AT).await.unwrap();
    journal.draft(&s1(), "half a sent").await.unwrap();
    for (item, output) in [("i2", "of the second".to_owned()), ("i3", String::new()), ("i4", "é".repeat(2_000_000))] {
        journal.put_output(&s1(), &item.into(), output.into_bytes()).await.unwrap();
    }
    journal
}

/// Forks at an item, or at the end, and compares what the fork is.
async fn check(at: Option<&str>, expected: Expect) {
    let journal = source().await;
    let (fork, at) = (fork_of("s1"), at.map(ItemId::from));
    journal.fork(&s1(), &fork, at.as_ref()).await.unwrap();
    let stored = journal.session(&fork.id).await.unwrap().unwrap();
    assert_eq!(stored.session, fork);
    assert_eq!((stored.draft.as_str(), stored.queue.len(), stored.approvals.len()), ("", 0, 0));
    let mut shown = format!("turn {:?} stop {:?} tokens {}\n", stored.turn_id, stored.stop, stored.usage.input_tokens);
    let seqs = seqs(&journal, &fork.id).await;
    assert_eq!(seqs, (1..=stored.seq).collect::<Vec<_>>());
    shown += &format!("{} updates: {}\n", seqs.len(), show_items(&journal.history(&fork.id).await.unwrap()));
    shown += &format!("open: {}\n", show_items(&journal.open_items(&fork.id).await.unwrap()));
    for item in journal.outputs(&fork.id, None).await.unwrap() {
        let theirs = journal.output(&s1(), &item, 3_000_001, 20).await.unwrap();
        assert_eq!(journal.output(&fork.id, &item, 3_000_001, 20).await.unwrap(), theirs);
        shown += &format!("output of {item}: {} bytes\n", theirs.unwrap().total);
    }
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn a_fork_ends_with_the_last_update_of_its_item() {
    check(
        Some("i2"),
        expect![[r#"
            turn None stop Some(Interrupted) tokens 0
            7 updates: i1=[Text { text: "go" }] i2=abc
            open: 
            output of i2: 13 bytes
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_was_open_at_the_cut_is_open_and_has_no_output() {
    check(
        Some("i5"),
        expect![[r#"
            turn None stop Some(Interrupted) tokens 7
            13 updates: i1=[Text { text: "go" }] i2=abc i3=done i4=running i5=beside it
            open: i4=running
            output of i2: 13 bytes
            output of i3: 0 bytes
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_fork_of_all_has_all_but_what_waits() {
    check(
        None,
        expect![[r#"
            turn None stop Some(Interrupted) tokens 7
            14 updates: i1=[Text { text: "go" }] i2=abc i3=done i5=beside it i4=ran
            open: 
            output of i2: 13 bytes
            output of i3: 0 bytes
            output of i4: 4000000 bytes
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_fork_is_its_own() {
    let journal = source().await;
    journal.fork(&s1(), &fork_of("s1"), None).await.unwrap();
    let again = Session { id: "f2".into(), ..fork_of("f1") };
    journal.delete(&s1(), AT).await.unwrap();
    assert_eq!(journal.collect(i64::MAX).await.unwrap(), 1);
    journal.fork(&"f1".into(), &again, Some(&"i4".into())).await.unwrap();
    journal.append(&"f1".into(), vec![ended("i9", "unshared words")], AT).await.unwrap();
    let found = async |words: &str| {
        let query = Some(words.to_owned());
        show_list(&journal.sessions(SessionFilter { query, limit: 9, ..SessionFilter::default() }).await.unwrap())
    };
    assert_eq!([found("unshared").await, found("beside").await], ["f1", "f2 f1"]);
}

#[tokio::test]
async fn what_cannot_be_forked_leaves_nothing() {
    let journal = source().await;
    journal.create(&session("gone")).await.unwrap();
    journal.delete(&"gone".into(), AT).await.unwrap();
    let item = ItemId::from("i99");
    let nobody: SessionId = "nobody".into();
    let mut said = String::new();
    for (source, at) in [(&s1(), Some(&item)), (&nobody, None), (&nobody, Some(&item)), (&"gone".into(), None)] {
        let error = journal.fork(source, &fork_of("s1"), at).await.unwrap_err();
        assert!(matches!(error.cause, Cause::UnknownItem(..) | Cause::UnknownSession(_)), "{error}");
        said += &format!("{error}\n");
    }
    expect![[r#"
        cannot fork session s1: session s1 has no item i99
        cannot fork session nobody: there is no session nobody
        cannot fork session nobody: there is no session nobody
        cannot fork session gone: there is no session gone
    "#]]
    .assert_eq(&said);
    journal.create(&fork_of("s1")).await.unwrap();
    let error = journal.fork(&s1(), &fork_of("s1"), None).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Exists(_)), "{error}");
    assert!(journal.session(&"f1".into()).await.unwrap().is_some(), "the one that was there stays");
}

#[tokio::test]
async fn nobody_finds_a_fork_before_it_is_whole_and_what_never_became_one_is_collected() {
    let journal = source().await;
    journal.create_hidden(&fork_of("s1"), AT).await.unwrap();
    journal.append(&"f1".into(), vec![ended("i1", "half"), queue(&["q1"])], AT).await.unwrap();
    assert_eq!(journal.session(&"f1".into()).await.unwrap(), None);
    let list = journal.sessions(SessionFilter { limit: 9, ..SessionFilter::default() }).await.unwrap();
    assert_eq!((show_list(&list).as_str(), journal.waiting().await.unwrap()), ("s1", vec![]));
    assert_eq!(journal.collect(i64::MAX).await.unwrap(), 1);
    journal.fork(&s1(), &fork_of("s1"), None).await.unwrap();
}

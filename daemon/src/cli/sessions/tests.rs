use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, InputPart, Item, ItemContent, Mode, ModelName, Queued, SessionStatus, StopReason, Usage,
};

const AT: &str = "2026-01-01T00:00:00.000Z";

fn header(id: &str) -> Session {
    Session {
        id: id.into(),
        workspace: "/w".to_owned(),
        title: format!("Title of {id}"),
        mode: Mode::ReadOnly,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: AT.to_owned(),
        updated_at: AT.to_owned(),
        archived: false,
        parent: Some("s0".into()),
    }
}

fn said(id: &str, text: &str) -> Item {
    let message = AgentMessage { text: text.to_owned(), ..AgentMessage::default() };
    Item { id: id.into(), turn_id: Some("t1".into()), at: AT.to_owned(), content: ItemContent::AgentMessage(message) }
}

fn ended(id: &str, text: &str) -> Update {
    Update::ItemEnded { item: said(id, text) }
}

/// A journal with a session of many updates and outputs, and others beside it.
async fn filled() -> Journal {
    let journal = Journal::in_memory().unwrap();
    for id in ["s1", "s10", "s2"] {
        journal.create(&header(id)).await.unwrap();
    }
    let mut updates = vec![
        Update::TurnStarted { turn_id: "t1".into(), at: AT.to_owned() },
        Update::ItemStarted { item: said("i0", "") },
        ended("i0", "line\nbreak \u{1b}[31m \u{2028} é"),
        Update::ModeChanged { mode: Mode::Agent },
        Update::ModelChanged { model: ModelName("local/m".to_owned()), effort: None },
        Update::TitleChanged { title: "Another".to_owned() },
    ];
    updates.extend((1..=450).map(|number| ended(&format!("i{number}"), &"words ".repeat(number))));
    let stop = StopReason::Failed;
    updates.push(Update::TurnEnded { turn_id: "t1".into(), stop, usage: Usage::default(), at: AT.to_owned() });
    journal.append(&"s1".into(), updates, "2026-01-02T00:00:00.000Z").await.unwrap();
    journal.rename(&"s1".into(), "Renamed").await.unwrap();
    journal.archive(&"s1".into(), true).await.unwrap();
    journal.put_output(&"s1".into(), &"i1".into(), "é".repeat(300_001).into_bytes()).await.unwrap();
    journal.put_output(&"s1".into(), &"i2".into(), Vec::new()).await.unwrap();
    journal
}

async fn exported(journal: &Journal, id: &SessionId) -> String {
    let mut text = Vec::new();
    export(journal, id, &mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// Imports lines and compares what is said and what is there then.
async fn check(lines: &[&str], expected: Expect) {
    let journal = Journal::in_memory().unwrap();
    let said = match import(&journal, &Clock::counting(), lines.join("\n").as_bytes()).await {
        Ok(id) => exported(&journal, &id).await,
        Err(error) => format!("{error}\n"),
    };
    let left = journal.collect(i64::MAX).await.unwrap();
    let listed = journal.sessions(SessionFilter { limit: 9, ..SessionFilter::default() }).await.unwrap().sessions.len();
    expected.assert_eq(&format!("{said}{listed} listed, {left} left over\n"));
}

const HEADER: &str = r#"{"pilotfish":1,"session":{"id":"s1","workspace":"/w","title":"","mode":"read-only","status":{"state":"idle","text":""},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","archived":false}}"#;
const UPDATE: &str = r#"{"seq":1,"update":{"kind":"titleChanged","title":"New"}}"#;

#[tokio::test]
async fn what_was_exported_and_imported_exports_the_same() {
    let (journal, other) = (filled().await, Journal::in_memory().unwrap());
    let first = exported(&journal, &"s1".into()).await;
    let clock = Clock::counting();
    let id = import(&other, &clock, first.as_bytes()).await.unwrap();
    assert_eq!(exported(&other, &id).await, first.replacen("\"s1\"", &format!("\"{id}\""), 1));
    let [longest, lines] = [first.lines().map(str::len).max().unwrap(), first.lines().count()];
    expect!["462 lines, the longest of 262171 bytes"]
        .assert_eq(&format!("{lines} lines, the longest of {longest} bytes"));
    // In the journal it came from it stands beside its source.
    let beside = import(&journal, &clock, first.as_bytes()).await.unwrap();
    assert_ne!(beside, "s1".into());
    assert_eq!(exported(&journal, &"s1".into()).await, first);
    let stored = async |id: SessionId| journal.session(&id).await.unwrap().unwrap();
    let (theirs, ours) = (stored("s1".into()).await, stored(beside.clone()).await);
    assert_eq!((ours.stop, ours.seq), (theirs.stop, theirs.seq));
    assert_eq!(ours.session, Session { id: beside, ..theirs.session });
}

#[tokio::test]
async fn prompts_that_wait_do_not_start_where_they_are_imported() {
    let journal = Journal::in_memory().unwrap();
    journal.create(&header("s1")).await.unwrap();
    let queue = vec![Queued { id: "q1".into(), input: vec![InputPart::Changes] }];
    journal.append(&"s1".into(), vec![Update::QueueChanged { queue }], AT).await.unwrap();
    let text = exported(&journal, &"s1".into()).await;
    let id = import(&journal, &Clock::counting(), text.as_bytes()).await.unwrap();
    assert_eq!(journal.session(&id).await.unwrap().unwrap().queue, []);
    assert_eq!(journal.waiting().await.unwrap(), ["s1".into()]);
}

#[tokio::test]
async fn what_was_asked_elsewhere_is_not_asked_where_it_is_imported() {
    let journal = Journal::in_memory().unwrap();
    journal.create(&header("s1")).await.unwrap();
    let opened = |id| Update::ApprovalOpened { approval: Box::new(crate::testing::approval(id, "i1")) };
    let turn = Update::TurnStarted { turn_id: "t1".into(), at: AT.to_owned() };
    journal.append(&"s1".into(), vec![turn, opened("s1.i2"), opened("s1.i3")], AT).await.unwrap();
    let text = exported(&journal, &"s1".into()).await;
    let id = import(&journal, &Clock::counting(), text.as_bytes()).await.unwrap();
    assert_eq!(journal.session(&id).await.unwrap().unwrap().approvals, []);
    assert_eq!(journal.asking().await.unwrap(), ["s1".into()]);
}

#[tokio::test]
async fn a_session_is_found_by_as_much_of_its_id_as_only_it_has() {
    let journal = filled().await;
    let mut said = String::new();
    for name in ["s1", "s10", "s2", "s", "", "S1", "s3", "s1%"] {
        let found = find(&journal, name).await;
        said += &format!("{name:?}: {}\n", found.map_or_else(|error| error.to_string(), |id| id.0));
    }
    expect![[r#"
        "s1": s1
        "s10": s10
        "s2": s2
        "s": more than one session begins with "s"; write more of its id
        "": more than one session begins with ""; write more of its id
        "S1": there is no session "S1"; `pilotfish sessions` lists them
        "s3": there is no session "s3"; `pilotfish sessions` lists them
        "s1%": there is no session "s1%"; `pilotfish sessions` lists them
    "#]]
    .assert_eq(&said);
}

#[tokio::test]
async fn a_short_session_comes_through() {
    check(
        &[HEADER, "", UPDATE, r#"{"itemId":"i1","output":"a"}"#, r#"{"itemId":"i1","output":"b","more":1}"#, ""],
        expect![[r#"
            {"pilotfish":1,"session":{"id":"s000001","workspace":"/w","title":"","mode":"read-only","status":{"state":"idle","text":""},"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","archived":false}}
            {"seq":1,"update":{"kind":"titleChanged","title":"New"}}
            {"itemId":"i1","output":"ab"}
            1 listed, 0 left over
        "#]],
    )
    .await;
}

#[tokio::test]
async fn bad_lines_are_named_and_nothing_is_imported() {
    check(
        &[],
        expect![[r#"
        line 1: an exported session begins with {"pilotfish":1,"session":{…}}; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &["hello"],
        expect![[r#"
        line 1: expected value (column 1); nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[UPDATE],
        expect![[r#"
        line 1: an exported session begins with {"pilotfish":1,"session":{…}}; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[r#"{"pilotfish":2,"session":{"id":7}}"#],
        expect![[r#"
        line 1: invalid type: integer `7`, expected a string (column 32); nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[r#"{"pilotfish":2,"sessions":[]}"#],
        expect![[r#"
        line 1: this is version 2 of the format, and only 1 is known; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, UPDATE, "", r#"{"seq":2,"update":{"kind":"titleChanged"}}"#],
        expect![[r#"
        line 4: missing field `title` (column 42); nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, UPDATE, r#"{"seq":2,"update":{"kind":"titleChanged","ti"#],
        expect![[r#"
        line 3: EOF while parsing a string (column 44); nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, UPDATE, UPDATE],
        expect![[r#"
        line 3: seq 1 must not come after seq 1; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, r#"{"seq":1,"update":{"kind":"draftChanged","text":"x"}}"#],
        expect![[r#"
        line 2: this is not an update that is recorded; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, r#"{"itemId":"i1","output":"a"}"#, UPDATE],
        expect![[r#"
        line 3: an update must not come after an output; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, UPDATE, HEADER],
        expect![[r#"
        line 3: this is neither an update nor an output; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
    check(
        &[HEADER, "{}"],
        expect![[r#"
        line 2: this is neither an update nor an output; nothing was imported
        0 listed, 0 left over
    "#]],
    )
    .await;
}

use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, ApprovalId, ContextUse, Decision, InputPart, ItemContent, Mode, ModelName, PlanStep, SessionStatus,
    StepStatus, StopReason, UserMessage,
};
use std::fmt::Write;

mod checkpoints;
mod collect;
mod damage;
mod disk;
mod fork;
mod log;
mod migration;
mod search;

const AT: &str = "2026-01-01T00:00:00.000Z";

/// Runs `steps` on a journal in memory that holds the session `s1`, and compares what they answer.
async fn check<F: Future<Output = String>>(steps: impl FnOnce(Journal) -> F, expected: Expect) {
    let journal = Journal::in_memory().unwrap();
    journal.create(&session("s1")).await.unwrap();
    expected.assert_eq(&steps(journal).await);
}

fn session(id: &str) -> Session {
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
        parent: None,
    }
}

fn s1() -> SessionId {
    "s1".into()
}

fn said(id: &str, text: &str) -> Item {
    let message = AgentMessage { text: text.to_owned(), ..AgentMessage::default() };
    Item { id: id.into(), turn_id: None, at: AT.to_owned(), content: ItemContent::AgentMessage(message) }
}

fn asked(id: &str, text: &str) -> Item {
    let message = UserMessage { input: vec![InputPart::Text { text: text.to_owned() }] };
    Item { id: id.into(), turn_id: None, at: AT.to_owned(), content: ItemContent::UserMessage(message) }
}

fn started(id: &str, text: &str) -> Update {
    Update::ItemStarted { item: said(id, text) }
}

fn changed(id: &str, text: &str) -> Update {
    Update::ItemChanged { item: said(id, text) }
}

fn ended(id: &str, text: &str) -> Update {
    Update::ItemEnded { item: said(id, text) }
}

fn title(title: &str) -> Update {
    Update::TitleChanged { title: title.to_owned() }
}

fn show_items(items: &[Item]) -> String {
    let show = |item: &Item| match &item.content {
        ItemContent::AgentMessage(message) => format!("{}={}", item.id, message.text),
        ItemContent::UserMessage(message) => format!("{}={:?}", item.id, message.input),
        other => format!("{}={other:?}", item.id),
    };
    items.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn show_list(list: &SessionList) -> String {
    list.sessions.iter().map(|session| session.id.0.clone()).collect::<Vec<_>>().join(" ")
}

async fn seqs(journal: &Journal, id: &SessionId) -> Vec<u64> {
    let mut seqs = Vec::new();
    loop {
        let page = journal.updates_after(id, seqs.last().copied().unwrap_or(0), 100).await.unwrap();
        if page.is_empty() {
            return seqs;
        }
        seqs.extend(page.iter().filter_map(|update| update.seq));
    }
}

#[tokio::test]
async fn assigns_seqs_from_one_without_gaps() {
    let steps = |journal: Journal| async move {
        let first = journal.append(&s1(), vec![title("a")], AT).await.unwrap();
        let more = journal.append(&s1(), vec![title("b"), title("c"), title("d")], AT).await.unwrap();
        let mut out = format!("{first:?} {more:?}\n");
        for update in journal.updates_after(&s1(), 1, 2).await.unwrap() {
            writeln!(out, "{}", serde_json::to_string(&update).unwrap()).unwrap();
        }
        out + &format!("{:?}", journal.updates_after(&s1(), 4, 2).await.unwrap())
    };
    check(
        steps,
        expect![[r#"
            1..=1 2..=4
            {"sessionId":"s1","seq":2,"update":{"kind":"titleChanged","title":"b"}}
            {"sessionId":"s1","seq":3,"update":{"kind":"titleChanged","title":"c"}}
            []"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_from_many_tasks_are_contiguous() {
    let journal = Journal::in_memory().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for session_number in 0..4 {
        journal.create(&session(&format!("s{session_number}"))).await.unwrap();
    }
    for task in 0..16 {
        let journal = journal.clone();
        tasks.spawn(async move {
            let id: SessionId = format!("s{}", task % 4).as_str().into();
            for round in 0..25 {
                let updates = vec![title(&format!("{task}.{round}.0")), title(&format!("{task}.{round}.1"))];
                let seqs = journal.append(&id, updates.clone(), AT).await.unwrap();
                let read = journal.updates_after(&id, seqs.start() - 1, 2).await.unwrap();
                assert_eq!(read.iter().filter_map(|update| update.seq).collect::<Vec<_>>(), seqs.collect::<Vec<_>>());
                assert_eq!(read.into_iter().map(|update| update.update).collect::<Vec<_>>(), updates);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for session_number in 0..4 {
        let id = format!("s{session_number}").as_str().into();
        assert_eq!(seqs(&journal, &id).await, (1..=200).collect::<Vec<u64>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_append_takes_no_other_with_it() {
    let journal = Journal::in_memory().unwrap();
    journal.create(&session("s1")).await.unwrap();
    let appends = (0..50).map(|number| {
        let (journal, id) = (journal.clone(), if number % 5 == 0 { "nobody" } else { "s1" });
        async move { journal.append(&id.into(), vec![title("x")], AT).await.is_ok() }
    });
    let done = futures::future::join_all(appends).await;
    assert_eq!(done.iter().filter(|done| **done).count(), 40);
    assert_eq!(seqs(&journal, &s1()).await, (1..=40).collect::<Vec<u64>>());
}

#[tokio::test]
async fn says_what_was_attempted() {
    let steps = |journal: Journal| async move {
        let delta = Update::ItemDelta { item_id: "i1".into(), text: "x".to_owned() };
        let status = Update::StatusChanged { status: SessionStatus::default() };
        let draft = Update::DraftChanged { text: "x".to_owned() };
        let cursor = SessionFilter { cursor: Some("x".to_owned()), ..SessionFilter::default() };
        let mut errors = vec![
            journal.append(&s1(), vec![title("x"), delta], AT).await.unwrap_err(),
            journal.append(&s1(), vec![status], AT).await.unwrap_err(),
            journal.append(&s1(), vec![draft], AT).await.unwrap_err(),
            journal.append(&s1(), vec![], AT).await.unwrap_err(),
            journal.append(&"s2".into(), vec![title("x")], AT).await.unwrap_err(),
            journal.create(&session("s1")).await.unwrap_err(),
            journal.items(&s1(), Some("i1".into()), 1).await.unwrap_err(),
            journal.sessions(cursor).await.unwrap_err(),
        ];
        let other = journal.clone();
        journal.close().await;
        errors.push(other.draft(&s1(), "x").await.unwrap_err());
        errors.iter().map(|error| format!("{error}\n")).collect()
    };
    check(
        steps,
        expect![[r#"
            cannot append to session s1: an item's delta is not a durable update
            cannot append to session s1: a status is not a durable update
            cannot append to session s1: a draft is not a durable update
            cannot append to session s1: no update was given
            cannot append to session s2: there is no session s2
            cannot record session s1: session s1 exists already
            cannot read items of session s1: session s1 has no item i1
            cannot list sessions: the cursor "x" is not one that a list answered
            cannot keep the draft of session s1: the journal is closed
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_item_counts_once_in_its_last_state_where_that_was_recorded() {
    let steps = |journal: Journal| async move {
        let updates = vec![
            started("i1", "a"),
            started("i2", "b"),
            changed("i1", "aa"),
            ended("i3", "whole at once"),
            ended("i1", "aaa"),
            started("i4", "d"),
            changed("i3", "changed after its end"),
        ];
        journal.append(&s1(), updates, AT).await.unwrap();
        format!(
            "history {}\nopen {}",
            show_items(&journal.history(&s1()).await.unwrap()),
            show_items(&journal.open_items(&s1()).await.unwrap())
        )
    };
    check(
        steps,
        expect![[r#"
            history i2=b i1=aaa i4=d i3=changed after its end
            open i2=b i4=d"#]],
    )
    .await;
}

#[tokio::test]
async fn pages_items_from_the_newest_back() {
    let steps = |journal: Journal| async move {
        journal.create(&session("s2")).await.unwrap();
        for number in 1..=7 {
            let item = format!("i{number}");
            journal.append(&s1(), vec![started(&item, "-"), ended(&item, "+")], AT).await.unwrap();
            journal.append(&"s2".into(), vec![started(&item, "other")], AT).await.unwrap();
        }
        let mut out = String::new();
        let mut before = None;
        loop {
            let page = journal.items(&s1(), before, 3).await.unwrap();
            writeln!(out, "{} before {:?}", show_items(&page.items), page.before).unwrap();
            before = page.before;
            if before.is_none() {
                return out;
            }
        }
    };
    check(
        steps,
        expect![[r#"
            i5=+ i6=+ i7=+ before Some(ItemId("i5"))
            i2=+ i3=+ i4=+ before Some(ItemId("i2"))
            i1=+ before None
        "#]],
    )
    .await;
}

#[tokio::test]
async fn large_items_make_short_pages() {
    let steps = |journal: Journal| async move {
        let text = "x".repeat(3 * 1024 * 1024);
        for number in 1..=4 {
            journal.append(&s1(), vec![ended(&format!("i{number}"), &text)], AT).await.unwrap();
        }
        let page = journal.items(&s1(), None, 50).await.unwrap();
        let history = journal.history(&s1()).await.unwrap();
        format!("{} of {}, {:?}, seqs {:?}", page.items.len(), history.len(), page.before, seqs(&journal, &s1()).await)
    };
    check(steps, expect![[r#"1 of 4, Some(ItemId("i4")), seqs [1, 2, 3, 4]"#]]).await;
}

#[tokio::test]
async fn keeps_what_a_session_needs_to_go_on() {
    let steps = |journal: Journal| async move {
        let approval = |id: &str| Box::new(crate::testing::approval(id, "i1"));
        let closed =
            |id: &str| Update::ApprovalClosed { approval_id: ApprovalId::from(id), by: None, decision: Decision::Deny };
        let usage = |input_tokens| Usage { input_tokens, ..Usage::default() };
        let step = PlanStep { step: "look".to_owned(), status: StepStatus::Pending };
        let queued = Queued { id: "q1".into(), input: vec![InputPart::Changes] };
        let turn = |id: &str| Update::TurnStarted { turn_id: id.into(), at: AT.to_owned() };
        let updates = vec![
            turn("t1"),
            Update::Usage { usage: usage(1), context: ContextUse::default() },
            Update::Usage { usage: usage(2), context: ContextUse::default() },
            Update::PlanChanged { plan: Plan { steps: vec![step] } },
            Update::QueueChanged { queue: vec![queued] },
            Update::ApprovalOpened { approval: approval("a0") },
            Update::TurnEnded { turn_id: "t1".into(), stop: StopReason::Done, usage: usage(2), at: AT.to_owned() },
            turn("t2"),
            Update::ApprovalOpened { approval: approval("a1") },
            Update::ApprovalOpened { approval: approval("a2") },
            closed("a1"),
            Update::ModeChanged { mode: Mode::Agent },
            Update::ModelChanged { model: ModelName("local/m".to_owned()), effort: None },
            title("Another title"),
        ];
        journal.append(&s1(), updates, "2026-01-02T00:00:00.000Z").await.unwrap();
        journal.draft(&s1(), "half a sent").await.unwrap();
        let stored = journal.session(&s1()).await.unwrap().unwrap();
        let mut saved = stored.session.clone();
        saved.title = "Saved title".to_owned();
        saved.updated_at = "1999".to_owned();
        saved.archived = true;
        journal.save(&saved).await.unwrap();
        let again = journal.session(&s1()).await.unwrap().unwrap().session;
        let Stored { session, seq, turn_id, stop, draft, queue, plan, usage, context: _, approvals } = stored;
        let parts = serde_json::json!([session, seq, turn_id, stop, draft, queue, plan, usage.input_tokens, approvals]);
        let lines: String = parts.as_array().unwrap().iter().map(|part| format!("{part}\n")).collect();
        format!("{lines}then {} {} {}", again.title, again.updated_at, again.archived)
    };
    check(steps, expect![[r#"
        {"archived":false,"createdAt":"2026-01-01T00:00:00.000Z","id":"s1","mode":"agent","model":"local/m","status":{"state":"idle","text":""},"title":"Another title","updatedAt":"2026-01-02T00:00:00.000Z","workspace":"/w"}
        14
        "t2"
        "done"
        "half a sent"
        [{"id":"q1","input":[{"type":"changes"}]}]
        {"steps":[{"status":"pending","step":"look"}]}
        2
        [{"cwd":"","detail":"","edits":[],"escaped":false,"grants":[],"id":"a2","itemId":"i1","reason":"","segments":[],"title":""}]
        then Saved title 2026-01-02T00:00:00.000Z false"#]]).await;
}

fn turn_started(turn: &str) -> Update {
    Update::TurnStarted { turn_id: turn.into(), at: AT.to_owned() }
}

fn turn_ended(turn: &str, stop: StopReason) -> Update {
    Update::TurnEnded { turn_id: turn.into(), stop, usage: Usage::default(), at: AT.to_owned() }
}

fn queue(prompts: &[&str]) -> Update {
    let queued = |id: &&str| Queued { id: (*id).into(), input: vec![InputPart::Changes] };
    Update::QueueChanged { queue: prompts.iter().map(queued).collect() }
}

#[tokio::test]
async fn finds_the_sessions_whose_prompts_start_by_themselves() {
    let cases = [
        ("never ran", vec![queue(&["q"])]),
        ("done", vec![turn_started("t"), queue(&["q"]), turn_ended("t", StopReason::Done)]),
        ("length", vec![queue(&["q"]), turn_ended("t", StopReason::Length)]),
        ("refused", vec![queue(&["q"]), turn_ended("t", StopReason::Refused)]),
        ("step limit", vec![queue(&["q"]), turn_ended("t", StopReason::StepLimit)]),
        ("interrupted", vec![queue(&["q"]), turn_ended("t", StopReason::Interrupted)]),
        ("failed", vec![queue(&["q"]), turn_ended("t", StopReason::Failed)]),
        ("failed before", vec![queue(&["q"]), turn_ended("t", StopReason::Failed), turn_ended("t", StopReason::Done)]),
        ("runs", vec![turn_ended("t", StopReason::Done), turn_started("t2"), queue(&["q"])]),
        ("empty", vec![queue(&["q"]), turn_ended("t", StopReason::Done), queue(&[])]),
        ("deleted", vec![queue(&["q"]), turn_ended("t", StopReason::Done)]),
        ("archived", vec![queue(&["q"]), turn_ended("t", StopReason::Done)]),
    ];
    let steps = |journal: Journal| async move {
        for (id, updates) in cases {
            journal.create(&session(id)).await.unwrap();
            journal.append(&id.into(), updates, AT).await.unwrap();
        }
        journal.delete(&"deleted".into(), AT).await.unwrap();
        journal.archive(&"archived".into(), true).await.unwrap();
        format!("{:?}", journal.waiting().await.unwrap().iter().map(|id| &id.0).collect::<Vec<_>>())
    };
    check(steps, expect![[r#"["never ran", "done", "length", "refused", "failed before", "archived"]"#]]).await;
}

#[tokio::test]
async fn lists_the_asked_workspace_first_and_pages_stably() {
    let steps = |journal: Journal| async move {
        for (number, workspace) in [(2, "/w"), (3, "/x"), (4, "/w"), (5, "/x"), (6, "/x")] {
            let mut session = session(&format!("s{number}"));
            session.workspace = workspace.to_owned();
            session.updated_at = format!("2026-01-0{number}T00:00:00.000Z");
            journal.create(&session).await.unwrap();
        }
        let mut filter = SessionFilter { workspace: Some("/x".to_owned()), limit: 2, ..SessionFilter::default() };
        let mut out = String::new();
        loop {
            let list = journal.sessions(filter.clone()).await.unwrap();
            writeln!(out, "{}", show_list(&list)).unwrap();
            // What moves to the front meanwhile disturbs no later page.
            journal.append(&"s5".into(), vec![title("x")], "2026-02-01T00:00:00.000Z").await.unwrap();
            filter.cursor = list.next_cursor;
            if filter.cursor.is_none() {
                break;
            }
        }
        let all = journal.sessions(SessionFilter { limit: 10, ..SessionFilter::default() }).await.unwrap();
        out + &show_list(&all)
    };
    check(
        steps,
        expect![[r#"
            s6 s5
            s3 s4
            s2 s1
            s5 s6 s4 s3 s2 s1"#]],
    )
    .await;
}

#[tokio::test]
async fn archives_deletes_restores_and_renames() {
    let steps = |journal: Journal| async move {
        journal.create(&session("s2")).await.unwrap();
        let mut out = String::new();
        let mut note = async |what: &str| {
            let shown = |archived| SessionFilter { archived, limit: 9, ..SessionFilter::default() };
            let list = journal.sessions(shown(false)).await.unwrap();
            let archived = journal.sessions(shown(true)).await.unwrap();
            let found = journal.session(&s1()).await.unwrap().is_some();
            writeln!(out, "{what}: {} | {} | found {found}", show_list(&list), show_list(&archived)).unwrap();
        };
        journal.archive(&s1(), true).await.unwrap();
        note("archived").await;
        journal.delete(&s1(), AT).await.unwrap();
        note("deleted").await;
        journal.restore(&s1()).await.unwrap();
        note("restored").await;
        journal.archive(&s1(), false).await.unwrap();
        note("shown").await;
        journal.rename(&s1(), "Better").await.unwrap();
        out + &journal.session(&s1()).await.unwrap().unwrap().session.title
    };
    check(
        steps,
        expect![[r#"
        archived: s2 | s1 | found true
        deleted: s2 |  | found false
        restored: s2 | s1 | found true
        shown: s2 s1 |  | found true
        Better"#]],
    )
    .await;
}

#[tokio::test]
async fn slices_outputs_where_characters_begin() {
    let steps = |journal: Journal| async move {
        let item: ItemId = "i1".into();
        let mut out = format!("{:?}\n", journal.output(&s1(), &item, 0, 10).await.unwrap());
        journal.put_output(&s1(), &item, b"an earlier one".to_vec()).await.unwrap();
        journal.put_output(&s1(), &item, "aéß→𝄞z".into()).await.unwrap();
        for (offset, limit) in [(0, 100), (0, 2), (2, 1), (1, 3), (9, 1), (12, 5), (13, 5), (99, 5)] {
            let page = journal.output(&s1(), &item, offset, limit).await.unwrap().unwrap();
            writeln!(out, "{offset}+{limit}: {:?} at {} of {}", page.text, page.offset, page.total).unwrap();
        }
        journal.put_output(&s1(), &item, b"no \xff text".to_vec()).await.unwrap();
        out + &format!("{:?}", journal.output(&s1(), &item, 0, 99).await.unwrap())
    };
    check(
        steps,
        expect![[r#"
        None
        0+100: "aéß→𝄞z" at 0 of 13
        0+2: "a" at 0 of 13
        2+1: "é" at 1 of 13
        1+3: "é" at 1 of 13
        9+1: "𝄞" at 8 of 13
        12+5: "z" at 12 of 13
        13+5: "" at 13 of 13
        99+5: "" at 13 of 13
        Some(OutputPage { text: "no � text", offset: 0, total: 11 })"#]],
    )
    .await;
}

#[tokio::test]
async fn large_outputs_come_back_slice_by_slice() {
    let steps = |journal: Journal| async move {
        let text: String = (0..200_000).map(|number| format!("{number}→")).collect();
        let item: ItemId = "i1".into();
        journal.put_output(&s1(), &item, text.clone().into_bytes()).await.unwrap();
        let mut read = String::new();
        let mut slices = 0;
        loop {
            let offset = u64::try_from(read.len()).unwrap();
            let page = journal.output(&s1(), &item, offset, 100_001).await.unwrap().unwrap();
            if page.text.is_empty() {
                break;
            }
            assert_eq!(page.offset, offset);
            read.push_str(&page.text);
            slices += 1;
        }
        format!("{slices} slices of {} bytes, equal: {}", text.len(), read == text)
    };
    check(steps, expect!["17 slices of 1688890 bytes, equal: true"]).await;
}

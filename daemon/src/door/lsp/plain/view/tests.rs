use super::{Telling, View};
use crate::path::AbsPath;
use crate::session::SessionHandle;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, Attached, Completion, ContextUse, Edit, EditKind, EditState, Fault, FaultKind, InputPart, Item,
    ItemContent, Mode, Plan, PromptTaken, Queued, Session, SessionStatus, SessionUpdate, Status, StopReason, Update,
    Usage, UserMessage,
};

fn session() -> Session {
    Session {
        id: "s1".into(),
        workspace: "/p".to_owned(),
        title: String::new(),
        mode: Mode::ReadOnly,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: String::new(),
        updated_at: String::new(),
        archived: false,
        parent: None,
    }
}

/// A session that does nothing, as the tests of desks and actions use it too.
pub(in crate::door::lsp::plain) fn view() -> View {
    let attached = Attached {
        session: session(),
        seq: 0,
        turn_id: None,
        open_items: Vec::new(),
        approvals: Vec::new(),
        draft: String::new(),
        queue: Vec::new(),
        plan: Plan::default(),
        usage: Usage::default(),
        context: ContextUse::default(),
        commands: Vec::new(),
    };
    View::new(AbsPath::new("/p").expect("absolute"), SessionHandle::gone("s1".into()), &attached).0
}

fn taken(turn: Option<&str>, queued: Option<&str>) -> PromptTaken {
    PromptTaken { turn_id: turn.map(Into::into), queued_id: queued.map(Into::into) }
}

/// An update of the session.
pub(in crate::door::lsp::plain) fn update(update: Update) -> SessionUpdate {
    SessionUpdate { session_id: "s1".into(), seq: Some(1), update }
}

fn started(turn: &str) -> Update {
    Update::TurnStarted { turn_id: turn.into(), at: String::new() }
}

fn ended(turn: &str, stop: StopReason) -> Update {
    Update::TurnEnded { turn_id: turn.into(), stop, usage: Usage::default(), at: String::new() }
}

fn item(turn: &str, id: &str, content: ItemContent) -> Update {
    Update::ItemEnded { item: Item { id: id.into(), turn_id: Some(turn.into()), at: String::new(), content } }
}

fn says(turn: &str, id: &str, text: &str, completion: Completion) -> Update {
    item(turn, id, ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion }))
}

fn asks(turn: &str, text: &str) -> Update {
    let input = vec![InputPart::Text { text: text.to_owned() }];
    item(turn, "i0", ItemContent::UserMessage(UserMessage { input }))
}

fn queue(ids: &[&str]) -> Update {
    let queue = ids.iter().map(|id| Queued { id: (*id).into(), input: Vec::new() });
    Update::QueueChanged { queue: queue.collect() }
}

fn check(view: &mut View, updates: Vec<Update>, expected: Expect) {
    expected.assert_eq(&told(updates.into_iter().flat_map(|change| view.take(&update(change))).collect()));
}

fn told(tellings: Vec<Telling>) -> String {
    let line = |telling: &Telling| match telling {
        Telling::Document(document) => format!("document {}: {:?}\n", document.name, document.text),
        other => format!("{other:?}\n"),
    };
    tellings.iter().map(line).collect()
}

#[test]
fn the_answer_of_an_own_turn_is_shown() {
    let mut view = view();
    assert_eq!(view.asked(taken(Some("t1"), None)), []);
    let working = SessionStatus { state: Status::Running, text: "running cargo test".to_owned() };
    check(
        &mut view,
        vec![
            started("t1"),
            asks("t1", "why?\nsay it"),
            Update::StatusChanged { status: working },
            says("t1", "i1", "half a", Completion::Broken),
            says("t1", "i2", "because", Completion::Whole),
            says("t1", "i3", "so", Completion::Whole),
            ended("t1", StopReason::Done),
        ],
        expect![[r#"
            Begun(TurnId("t1"))
            Working(TurnId("t1"), "running cargo test")
            document t1: "> why?\n> say it\n\nbecause\n\nso\n"
            Ended(TurnId("t1"), "done")
            Message(Info, "pilotfish: done")
        "#]],
    );
}

#[test]
fn the_answer_is_shown_too_when_the_turn_is_over_before_its_prompt_is_answered() {
    let mut view = view();
    check(
        &mut view,
        vec![started("t1"), says("t1", "i1", "quick", Completion::Whole), ended("t1", StopReason::Done)],
        expect![[r#"
            Begun(TurnId("t1"))
            Ended(TurnId("t1"), "done")
            Message(Info, "pilotfish: done")
        "#]],
    );
    let late = view.asked(taken(Some("t1"), None));
    expect![[r#"
        document t1: "quick\n"
    "#]]
    .assert_eq(&told(late));
    assert_eq!(view.asked(taken(Some("t1"), None)).len(), 1, "asked for again, it would be shown again");
}

#[test]
fn of_queued_prompts_and_of_others_only_the_own_one_is_shown() {
    let mut view = view();
    assert_eq!(view.asked(taken(None, Some("q2"))), []);
    check(
        &mut view,
        vec![
            started("t1"),
            queue(&["q1", "q2"]),
            says("t1", "i1", "for another", Completion::Whole),
            ended("t1", StopReason::Done),
            queue(&["q2"]),
            started("t2"),
            says("t2", "i2", "for another as well", Completion::Whole),
            ended("t2", StopReason::Done),
            queue(&[]),
            started("t3"),
            says("t3", "i3", "for me", Completion::Whole),
            ended("t3", StopReason::Interrupted),
        ],
        expect![[r#"
            Begun(TurnId("t1"))
            Ended(TurnId("t1"), "done")
            Message(Info, "pilotfish: done")
            Begun(TurnId("t2"))
            Ended(TurnId("t2"), "done")
            Message(Info, "pilotfish: done")
            Begun(TurnId("t3"))
            document t3: "for me\n"
            Ended(TurnId("t3"), "stopped")
            Message(Info, "pilotfish: stopped")
        "#]],
    );
}

#[test]
fn the_end_says_what_came_of_it() {
    let mut view = view();
    let edit = |path: &str, state: EditState| Edit {
        call_id: None,
        uri: format!("file:///p/{path}"),
        path: path.to_owned(),
        change: EditKind::Changed,
        state,
        added: 1,
        removed: 1,
        hunks: Vec::new(),
    };
    let fault = Fault { fault: FaultKind::Endpoint, message: "no such key\nmore".to_owned(), retryable: false };
    check(
        &mut view,
        vec![
            started("t1"),
            item("t1", "i1", ItemContent::Edit(edit("a", EditState::Applied))),
            item("t1", "i2", ItemContent::Edit(edit("a", EditState::Applied))),
            item("t1", "i3", ItemContent::Edit(edit("b", EditState::Proposed))),
            item("t1", "i4", ItemContent::Edit(edit("c", EditState::Proposed))),
            ended("t1", StopReason::Done),
            started("t2"),
            item("t2", "i5", ItemContent::Error(fault)),
            ended("t2", StopReason::Failed),
        ],
        expect![[r#"
            Begun(TurnId("t1"))
            Ended(TurnId("t1"), "done; changed 1 file; proposes changes to 2 files")
            Message(Info, "pilotfish: done; changed 1 file; proposes changes to 2 files")
            Begun(TurnId("t2"))
            Ended(TurnId("t2"), "failed: no such key")
            Message(Error, "pilotfish: failed: no such key")
        "#]],
    );
}

use super::*;
use pilotfish_protocol::{AgentMessage, Mode, SessionId, ToolCall};

fn session() -> Session {
    Session {
        id: SessionId::from("s1"),
        workspace: "/w".to_owned(),
        title: String::new(),
        mode: Mode::ReadOnly,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: "2026-01-01T00:00:00.000Z".to_owned(),
        updated_at: "2026-01-01T00:00:00.000Z".to_owned(),
        archived: false,
        parent: None,
    }
}

fn item(id: &str, content: ItemContent) -> Item {
    Item { id: ItemId::from(id), turn_id: Some(TurnId::from("t1")), at: "2026-01-01T00:00:00.000Z".to_owned(), content }
}

fn message(text: &str) -> ItemContent {
    ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion: Completion::Open })
}

#[test]
fn a_prompt_starts_queues_or_steers() {
    let mut state = State::new(session());
    assert_eq!(state.taking(Delivery::Queue), Taking::Start);
    assert_eq!(state.taking(Delivery::Steer), Taking::Start);
    state.turn = Some(TurnId::from("t1"));
    assert_eq!(state.taking(Delivery::Queue), Taking::Queue);
    assert_eq!(state.taking(Delivery::Steer), Taking::Steer);
}

#[test]
fn an_open_item_gains_its_deltas_until_it_ends() {
    let mut state = State::new(session());
    let started = item("i1", message(""));
    state.fold(&Update::ItemStarted { item: started.clone() });
    for text in ["a", "b"] {
        state.fold(&Update::ItemDelta { item_id: ItemId::from("i1"), text: text.to_owned() });
    }
    assert_eq!(state.attached().open_items, [item("i1", message("ab"))]);
    state.fold(&Update::ItemEnded { item: item("i1", message("ab")) });
    assert_eq!(state.attached().open_items, []);
}

#[test]
fn what_a_turn_used_is_counted_once_and_its_end_leaves_nothing_open() {
    let mut state = State::new(session());
    let used = |tokens: u64| Usage { input_tokens: tokens, output_tokens: 2, context_tokens: 12, ..Usage::default() };
    for turn in 1..=2 {
        state.fold(&Update::TurnStarted { turn_id: TurnId::from("t1"), at: String::new() });
        state.fold(&Update::ItemStarted { item: item("i1", message("")) });
        let context = ContextUse { history: turn, ..ContextUse::default() };
        state.fold(&Update::Usage { usage: used(10 * turn), context });
        let (stop, at) = (StopReason::Interrupted, String::new());
        assert!(state.fold(&Update::TurnEnded { turn_id: TurnId::from("t1"), stop, usage: used(10), at }));
    }
    assert_eq!((&state.turn, state.usage, state.open.len()), (&None, used(20), 0));
    assert_eq!(state.context, ContextUse { history: 2, ..ContextUse::default() });
    assert_eq!(state.session.status, SessionStatus { state: Status::Stopped, text: "interrupted".to_owned() });
}

#[test]
fn what_was_cut_short_is_never_open_again() {
    let call = ToolCall { call_id: "c1".to_owned(), output: "half".to_owned(), ..ToolCall::default() };
    let ItemContent::ToolCall(call) = cut_short(item("i1", ItemContent::ToolCall(call)), "[why]").content else {
        panic!("still a call");
    };
    assert_eq!((call.status, call.output.as_str()), (ToolStatus::Interrupted, "half\n[why]"));
}

#[test]
fn a_title_is_the_first_line_that_says_something() {
    let long = "x".repeat(80);
    let cases = [("fix it", "fix it"), ("\n  fix\nthat", "fix"), ("", ""), (&long, &format!("{}…", "x".repeat(60)))];
    for (text, expected) in cases {
        assert_eq!(title(text), expected);
    }
}

use super::{Shown, View};
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, Attached, Audience, Completion, ContextUse, Fault, FaultKind, InputPart, Item, ItemContent, Mode,
    ModelName, Notice, Plan, PlanStep, Reasoning, Session, SessionStatus, SessionUpdate, StepStatus, StopReason,
    ToolCall, ToolStatus, Update, Usage, UserMessage,
};
use serde_json::json;

fn session() -> Session {
    Session {
        id: "s1".into(),
        workspace: "/w".to_owned(),
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

fn item(id: &str, content: ItemContent) -> Item {
    Item { id: id.into(), turn_id: Some("t1".into()), at: String::new(), content }
}

fn message(id: &str, text: &str) -> Item {
    item(id, ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion: Completion::Open }))
}

fn call(id: &str, status: ToolStatus, output: &str) -> Item {
    let (name, title) = ("shell".to_owned(), "$ x".to_owned());
    let (input, output) = ("{}".to_owned(), output.to_owned());
    item(id, ItemContent::ToolCall(ToolCall { name, title, input, output, status, ..ToolCall::default() }))
}

fn delta(id: &str, text: &str) -> Update {
    Update::ItemDelta { item_id: id.into(), text: text.to_owned() }
}

fn started(item: Item) -> Update {
    Update::ItemStarted { item }
}

fn changed(item: Item) -> Update {
    Update::ItemChanged { item }
}

fn ended(item: Item) -> Update {
    Update::ItemEnded { item }
}

/// What a client is told of these updates, a line each.
fn told(view: &mut View, updates: Vec<Update>) -> String {
    let mut told = String::new();
    for update in updates {
        let update = SessionUpdate { session_id: "s1".into(), seq: None, update };
        for shown in view.take(&update, false) {
            told += &match shown {
                Shown::Update(update) => format!("{}\n", json!(update)),
                Shown::Options => "the options\n".to_owned(),
            };
        }
    }
    told
}

fn check(updates: Vec<Update>, expected: Expect) {
    expected.assert_eq(&told(&mut View::of(session()), updates));
}

#[test]
fn words_come_once_however_they_arrive() {
    check(
        vec![
            started(message("i1", "")),
            delta("i1", "one "),
            changed(message("i1", "one two ")),
            delta("i1", "three"),
            ended(message("i1", "one two three four")),
            // An answer that breaks off afterwards ends its words once more.
            ended(message("i1", "one two three four")),
            ended(message("i2", "fetched whole")),
            delta("i9", "of an item the client does not know"),
        ],
        expect![[r#"
            {"content":{"text":"one ","type":"text"},"messageId":"i1","sessionUpdate":"agent_message_chunk"}
            {"content":{"text":"two ","type":"text"},"messageId":"i1","sessionUpdate":"agent_message_chunk"}
            {"content":{"text":"three","type":"text"},"messageId":"i1","sessionUpdate":"agent_message_chunk"}
            {"content":{"text":" four","type":"text"},"messageId":"i1","sessionUpdate":"agent_message_chunk"}
            {"content":{"text":"fetched whole","type":"text"},"messageId":"i2","sessionUpdate":"agent_message_chunk"}
        "#]],
    );
}

#[test]
fn long_words_come_in_pieces() {
    let shown = told(&mut View::of(session()), vec![ended(message("i1", &"ä".repeat(20_000)))]);
    let longest = shown.lines().map(str::len).max().unwrap_or(0);
    assert_eq!((shown.lines().count(), longest < 17 << 10), (3, true), "{longest}");
    assert_eq!(shown.matches('ä').count(), 20_000);
}

#[test]
fn an_attached_client_gets_only_what_is_new() {
    let attached = Attached {
        session: session(),
        seq: 5,
        turn_id: Some("t1".into()),
        open_items: vec![message("i1", "said "), call("i2", ToolStatus::Running, "")],
        approvals: Vec::new(),
        draft: String::new(),
        queue: Vec::new(),
        plan: Plan::default(),
        usage: Usage::default(),
        context: ContextUse::default(),
        commands: Vec::new(),
    };
    let mut view = View::new(&attached);
    let shown = told(
        &mut view,
        vec![
            delta("i1", "now"),
            ended(message("i1", "said now")),
            delta("i2", "out"),
            ended(call("i2", ToolStatus::Done, "out")),
        ],
    );
    expect![[r#"
        {"content":{"text":"now","type":"text"},"messageId":"i1","sessionUpdate":"agent_message_chunk"}
        {"content":[{"content":{"text":"out","type":"text"},"type":"content"}],"kind":"execute","rawInput":{},"sessionUpdate":"tool_call","status":"completed","title":"$ x","toolCallId":"i2"}
    "#]].assert_eq(&shown);
}

#[test]
fn calls_are_announced_and_then_updated() {
    check(
        vec![
            started(call("i1", ToolStatus::Running, "")),
            delta("i1", "a\n"),
            delta("i1", "b\n"),
            changed(call("i1", ToolStatus::Running, "a\nb\n")),
            ended(call("i1", ToolStatus::Done, "a\nb\nc\n")),
            ended(call("i2", ToolStatus::Failed, "never seen to begin")),
        ],
        expect![[r#"
            {"kind":"execute","rawInput":{},"sessionUpdate":"tool_call","status":"in_progress","title":"$ x","toolCallId":"i1"}
            {"content":[{"content":{"text":"a\n","type":"text"},"type":"content"}],"sessionUpdate":"tool_call_update","toolCallId":"i1"}
            {"content":[{"content":{"text":"a\nb\n","type":"text"},"type":"content"}],"sessionUpdate":"tool_call_update","toolCallId":"i1"}
            {"content":[{"content":{"text":"a\nb\n","type":"text"},"type":"content"}],"sessionUpdate":"tool_call_update","toolCallId":"i1"}
            {"content":[{"content":{"text":"a\nb\nc\n","type":"text"},"type":"content"}],"sessionUpdate":"tool_call_update","status":"completed","toolCallId":"i1"}
            {"content":[{"content":{"text":"never seen to begin","type":"text"},"type":"content"}],"kind":"execute","rawInput":{},"sessionUpdate":"tool_call","status":"failed","title":"$ x","toolCallId":"i2"}
        "#]],
    );
}

#[test]
fn the_rest_has_its_form_or_is_left_out() {
    let notice = |text: &str, audience| ItemContent::Notice(Notice { text: text.to_owned(), audience });
    let fault = Fault { fault: FaultKind::Stream, message: "broke off; asking again".to_owned(), retryable: true };
    let thought = Reasoning { text: "hmm".to_owned(), ..Reasoning::default() };
    let input = vec![InputPart::Text { text: "hello".to_owned() }, InputPart::Changes];
    let usage = Usage { context_tokens: 10, context_size: Some(100), ..Usage::default() };
    let steps = vec![PlanStep { step: "go".to_owned(), status: StepStatus::InProgress }];
    let ends = Update::TurnEnded { turn_id: "t1".into(), stop: StopReason::Done, usage, at: String::new() };
    check(
        vec![
            Update::TurnStarted { turn_id: "t1".into(), at: String::new() },
            Update::TitleChanged { title: "a title".to_owned() },
            ended(item("i1", ItemContent::UserMessage(UserMessage { input }))),
            ended(item("i2", notice("for the model", Audience::Model))),
            ended(item("i3", notice("for you", Audience::Person))),
            ended(item("i4", ItemContent::Reasoning(thought))),
            ended(item("i5", ItemContent::Error(fault))),
            Update::PlanChanged { plan: Plan { steps } },
            Update::ModeChanged { mode: Mode::Agent },
            Update::ModelChanged { model: ModelName("a/b".to_owned()), effort: None },
            Update::StatusChanged { status: SessionStatus::default() },
            Update::QueueChanged { queue: Vec::new() },
            Update::DraftChanged { text: "typing".to_owned() },
            Update::Usage { usage: Usage::default(), context: ContextUse::default() },
            ends,
        ],
        expect![[r#"
            {"sessionUpdate":"session_info_update","title":"a title"}
            {"content":{"text":"hello","type":"text"},"messageId":"i1","sessionUpdate":"user_message_chunk"}
            {"content":{"text":"[the changes that wait for review]","type":"text"},"messageId":"i1","sessionUpdate":"user_message_chunk"}
            {"content":{"text":"\n\n[for you]\n\n","type":"text"},"messageId":"i3","sessionUpdate":"agent_message_chunk"}
            {"content":{"text":"hmm","type":"text"},"messageId":"i4","sessionUpdate":"agent_thought_chunk"}
            {"content":{"text":"\n\n[broke off; asking again]\n\n","type":"text"},"messageId":"i5","sessionUpdate":"agent_message_chunk"}
            {"entries":[{"content":"go","priority":"medium","status":"in_progress"}],"sessionUpdate":"plan"}
            {"currentModeId":"agent","sessionUpdate":"current_mode_update"}
            the options
            the options
            {"sessionUpdate":"usage_update","size":100,"used":10}
        "#]],
    );
}

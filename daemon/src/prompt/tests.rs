use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{AgentMessage, ItemId, Mode, Notice, TurnId, UserMessage};

fn item(turn: &str, content: ItemContent) -> Item {
    Item { id: ItemId::from("i"), turn_id: Some(TurnId::from(turn)), at: String::new(), content }
}

fn says(text: &str, completion: Completion) -> Item {
    item("t1", ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion }))
}

fn asks(text: &str) -> Item {
    let input = vec![InputPart::Text { text: text.to_owned() }];
    item("t1", ItemContent::UserMessage(UserMessage { input }))
}

fn calls(turn: &str, step: u32, id: &str) -> Item {
    let (call_id, name) = (id.to_owned(), "read".to_owned());
    let call =
        ToolCall { call_id, step, name, input: "{}".to_owned(), output: format!("out {id}"), ..ToolCall::default() };
    item(turn, ItemContent::ToolCall(call))
}

fn thinks(model: &str, completion: Completion, opaque: Option<serde_json::Value>) -> Item {
    let reasoning = Reasoning { text: "hm".to_owned(), completion, model: Some(ModelName(model.to_owned())), opaque };
    item("t1", ItemContent::Reasoning(reasoning))
}

fn notice(text: &str, audience: Audience) -> Item {
    item("t1", ItemContent::Notice(Notice { text: text.to_owned(), audience }))
}

fn request(items: Vec<Item>) -> ModelRequest {
    build(&SessionId::from("s1"), (&ModelName("p/m".to_owned()), None), &crate::tool::specs(), &History::new(items))
        .request
}

fn check(items: Vec<Item>, expected: Expect) {
    let shown: Vec<String> = request(items)
        .messages
        .iter()
        .map(|message| match message {
            Message::User(parts) => format!("user {parts:?}"),
            Message::Agent(text) => format!("agent {text:?}"),
            Message::Reasoning { text, opaque } => format!("reasoning {text:?} {opaque}"),
            Message::Call(call) => format!("call {} {} {}", call.call_id, call.name, call.arguments),
            Message::Output { call_id, text } => format!("output {call_id} {text:?}"),
        })
        .collect();
    expected.assert_eq(&(shown.join("\n") + "\n"));
}

#[test]
fn calls_of_one_answer_stand_together_before_their_outputs() {
    check(
        vec![asks("go"), calls("t1", 0, "a"), calls("t1", 0, "b"), calls("t1", 1, "c"), calls("t2", 1, "d")],
        expect![[r#"
            user [Text("go")]
            call a read {}
            call b read {}
            output a "out a"
            output b "out b"
            call c read {}
            output c "out c"
            call d read {}
            output d "out d"
        "#]],
    );
}

#[test]
fn broken_words_are_left_out_and_interrupted_ones_stay() {
    check(
        vec![says("half", Completion::Broken), says("cut", Completion::Interrupted), says("", Completion::Whole)],
        expect![[r#"
            agent "cut"
        "#]],
    );
}

#[test]
fn thoughts_go_back_whole_to_their_own_model_only() {
    let opaque = Some(serde_json::json!("x"));
    check(
        vec![
            thinks("p/m", Completion::Whole, opaque.clone()),
            thinks("p/other", Completion::Whole, opaque.clone()),
            thinks("p/m", Completion::Interrupted, opaque),
            thinks("p/m", Completion::Whole, None),
            says("done", Completion::Whole),
        ],
        expect![[r#"
            reasoning "hm" "x"
            agent "done"
        "#]],
    );
}

#[test]
fn notices_reach_whom_they_are_for() {
    check(
        vec![notice("p", Audience::Person), notice("m", Audience::Model), notice("b", Audience::Both)],
        expect![[r#"
            user [Text("m")]
            user [Text("b")]
        "#]],
    );
}

#[test]
fn a_longer_history_only_appends() {
    let items = vec![asks("go"), says("ok", Completion::Whole), calls("t1", 0, "a"), calls("t1", 1, "b"), asks("on")];
    let whole = request(items.clone()).messages;
    for length in 0..items.len() {
        // Between two calls of one answer no request is made, so every cut here is one that happens.
        let shorter = request(items.iter().take(length).cloned().collect()).messages;
        assert_eq!(shorter, whole.iter().take(shorter.len()).cloned().collect::<Vec<_>>());
    }
}

#[test]
fn what_came_between_two_calls_of_one_answer_stands_behind_their_outputs() {
    check(
        vec![
            asks("go"),
            calls("t1", 0, "a"),
            asks("and this"),
            notice("p", Audience::Person),
            calls("t1", 0, "b"),
            notice("m", Audience::Model),
            calls("t1", 1, "c"),
        ],
        expect![[r#"
            user [Text("go")]
            call a read {}
            call b read {}
            output a "out a"
            output b "out b"
            user [Text("and this")]
            user [Text("m")]
            call c read {}
            output c "out c"
        "#]],
    );
}

fn surroundings(mode: Mode) -> String {
    environment(&Surroundings {
        workspace: "/home/me/project",
        platform: "linux x86_64",
        mode,
        date: "2026-01-01",
        hosts: vec!["packages.example.org".to_owned()],
        paths: vec!["/srv/data".to_owned()],
    })
}

#[test]
fn the_environment_says_what_the_sandbox_allows() {
    expect![[r#"
        <environment>
        workspace: /home/me/project
        platform: linux x86_64
        date: 2026-01-01
        mode: read-only: edit, patch and write become proposals for the person; commands run confined, and what they write to the workspace is thrown away
        commands may write: only a /tmp of their own
        commands may reach: none
        </environment>
        <environment>
        workspace: /home/me/project
        platform: linux x86_64
        date: 2026-01-01
        mode: agent: edit, patch, write and commands change files of the workspace
        commands may write: the workspace, and a /tmp of their own; /srv/data
        commands may reach: packages.example.org only; the person is asked about anything else
        </environment>
    "#]]
    .assert_eq(&format!("{}\n{}\n", surroundings(Mode::ReadOnly), surroundings(Mode::Agent)));
}

#[test]
fn the_first_request_takes_less_than_four_thousand_tokens() {
    let items = vec![notice(&surroundings(Mode::Agent), Audience::Model), asks("fix the failing test")];
    let history = History::new(items);
    let prompt = build(&SessionId::from("s1"), (&ModelName("p/m".to_owned()), None), &crate::tool::specs(), &history);
    assert!(prompt.estimate() <= 4_000, "{:?}", prompt.context);
    assert!(prompt.context.instructions <= 3_700 && prompt.context.history <= 300, "{:?}", prompt.context);
}

#[test]
fn each_part_of_the_context_is_counted_by_itself() {
    let image = InputPart::Image { media_type: "image/png".to_owned(), data: "x".repeat(100_000) };
    let input = vec![InputPart::Text { text: "y".repeat(360) }, image];
    let told = item("t1", ItemContent::UserMessage(UserMessage { input }));
    let context = |items: Vec<Item>| {
        build(&SessionId::from("s1"), (&ModelName("p/m".to_owned()), None), &Arc::from([]), &History::new(items))
            .context
    };
    let none = context(Vec::new());
    let some = context(vec![told, calls("t1", 0, "a")]);
    assert_eq!((none.history, none.tool_output, none.files), (0, 0, 0));
    assert_eq!(
        some,
        ContextUse { instructions: none.instructions, history: 100 + 4 + 4 + 2, tool_output: 6, files: 1_600 }
    );
}

#[test]
fn nothing_alone_takes_all_the_room() {
    let mut history = History::new(vec![asks(&"word ".repeat(100_000))]);
    history.window.belongs_to(&ModelName("p/m".to_owned()), Some(32_000));
    let prompt = build(&SessionId::from("s1"), (&ModelName("p/m".to_owned()), None), &crate::tool::specs(), &history);
    assert!(prompt.context.history < 8_200, "{:?}", prompt.context);
    let Some(Message::User(parts)) = prompt.request.messages.last() else { panic!("a prompt") };
    assert!(format!("{parts:?}").contains("[cut: the whole is 500000 bytes"));
}

#[test]
fn tools_are_flat_sorted_and_few() {
    let request = request(Vec::new());
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name).collect();
    assert_eq!(
        names,
        ["ask", "command", "edit", "editor", "list", "patch", "plan", "read", "search", "shell", "write"]
    );
    for tool in request.tools.iter() {
        let required =
            tool.parameters.get("required").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let properties = tool.parameters.get("properties").and_then(serde_json::Value::as_object).expect("an object");
        for name in required {
            assert!(properties.contains_key(name.as_str().expect("a name")), "{}: {name}", tool.name);
        }
    }
}

#[test]
fn a_thought_that_led_to_nothing_is_not_sent() {
    let thought = || thinks("p/m", Completion::Whole, Some(serde_json::json!("opaque")));
    check(
        vec![asks("one"), thought(), asks("two"), thought(), says("done", Completion::Whole), thought()],
        expect![[r#"
            user [Text("one")]
            user [Text("two")]
            reasoning "hm" "opaque"
            agent "done"
        "#]],
    );
}

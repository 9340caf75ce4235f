use crate::testing::{Fixture, calls, says, shown};
use expect_test::{Expect, expect};
use pilotfish_protocol::Mode;
use serde_json::{Value, json};

/// What calls come to that nothing runs for.
async fn check(arguments: &[Value], expected: Expect) {
    let fixture = Fixture::new(&[]);
    let commands: Vec<(&str, Value)> = arguments.iter().map(|arguments| ("command", arguments.clone())).collect();
    fixture.model.then(calls(&commands)).then(says("ok"));
    let mut session = fixture.session(Mode::Agent).await;
    let (items, _) = session.turn("go").await;
    let calls: Vec<_> =
        items.into_iter().filter(|item| matches!(item.content, pilotfish_protocol::ItemContent::ToolCall(_))).collect();
    expected.assert_eq(&shown(&calls));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    check(
        &[
            json!({}),
            json!({"action": "begin"}),
            json!({"action": "start"}),
            json!({"action": "read"}),
            json!({"action": "write", "id": "c1"}),
            json!({"action": "stop", "id": "c9"}),
            json!({"action": "list"}),
        ],
        expect![[r#"
            command Failed: command: `action` is missing
            command Failed: command: unknown variant `begin`, expected one of `start`, `list`, `read`, `write`, `stop`
            start a command Failed: command: `command` is missing
            read a command Failed: command: `id` is missing
            write to c1:  Failed: command: `input` is missing
            stop c9 Failed: command: there is no command "c9"; none is known. Commands end with the session and with pilotfish
            list commands Done: [no commands run in the background]
        "#]],
    )
    .await;
}

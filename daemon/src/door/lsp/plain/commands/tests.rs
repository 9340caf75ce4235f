use super::{lines, read};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tower_lsp::ls_types::{Position, Range};

fn check(command: &str, argument: Value, expected: Expect) {
    let arguments = if argument.is_null() { Vec::new() } else { vec![argument] };
    let said = match read(command, arguments) {
        Ok(ordered) => format!("{ordered:?}"),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn a_command_is_read_from_its_argument() {
    let range = json!({"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 4}});
    check("pilotfish.ask", json!({"text": "why?"}), expect![[r#"Ask { place: None, text: Some("why?") }"#]]);
    check(
        "pilotfish.ask",
        json!({"uri": "file:///a", "range": range, "text": " ", "more": 1}),
        expect![[
            r#"Ask { place: Some(Place { uri: "file:///a", range: Range { start: Position { line: 1, character: 0 }, end: Position { line: 2, character: 4 } } }), text: None }"#
        ]],
    );
    check(
        "pilotfish.keepHunk",
        json!({"hunkIds": ["h1", "h2"]}),
        expect![[r#"Review { decision: Keep, which: Hunks([HunkId("h1"), HunkId("h2")]) }"#]],
    );
    check(
        "pilotfish.undoFile",
        json!({"uri": "file:///a"}),
        expect![[r#"Review { decision: Undo, which: File("file:///a") }"#]],
    );
    check("pilotfish.toggleMode", Value::Null, expect!["ToggleMode { uri: None }"]);
    check(
        "pilotfish.answer",
        json!({"approvalId": "a1", "answer": "deny"}),
        expect![[r#"Answer { approval: Some(ApprovalId("a1")), answer: Some(Deny) }"#]],
    );
    check(
        "pilotfish.answer",
        json!({"itemId": "i9", "choice": 1}),
        expect![[r#"Reply { item: Some(ItemId("i9")), reply: Some(Choice(1)) }"#]],
    );
    check("pilotfish.answer", json!({"text": "443"}), expect![[r#"Reply { item: None, reply: Some(Text("443")) }"#]]);
    check(
        "pilotfish.answer",
        json!({"itemId": "i9", "answer": "deny"}),
        expect![[r#"Reply { item: Some(ItemId("i9")), reply: Some(Nothing) }"#]],
    );
    check("pilotfish.answer", json!({"itemId": "i9"}), expect![[r#"Reply { item: Some(ItemId("i9")), reply: None }"#]]);
    check(
        "pilotfish.answer",
        json!({"itemId": "i9", "answer": "once"}),
        expect!["pilotfish.answer: say `choice` or `text`, or `deny` as `answer` in its argument"],
    );
}

#[test]
fn what_is_missing_is_named() {
    check(
        "pilotfish.ask",
        Value::Null,
        expect!["pilotfish.ask: say `uri` and `range`, or a question in `text` in its argument"],
    );
    check("pilotfish.fix", json!({}), expect!["pilotfish.fix: say `uri` and `range` in its argument"]);
    check(
        "pilotfish.undoHunk",
        json!({"hunkIds": [], "uri": "file:///a"}),
        expect!["pilotfish.undoHunk: say `hunkIds`, or `uri` and `range` in its argument"],
    );
    check("pilotfish.keepFile", json!({}), expect!["pilotfish.keepFile: say `uri` in its argument"]);
    check(
        "pilotfish.answer",
        json!({"answer": "maybe"}),
        expect![
            "pilotfish.answer: its argument is not of the right form: unknown variant `maybe`, expected one of `once`, `session`, `always`, `deny`"
        ],
    );
    check("pilotfish.dance", Value::Null, expect!["there is no command pilotfish.dance"]);
}

#[test]
fn a_selection_that_ends_at_a_line_start_does_not_mean_that_line() {
    let of = |start: (u32, u32), end: (u32, u32)| {
        lines(Range { start: Position::new(start.0, start.1), end: Position::new(end.0, end.1) })
    };
    assert_eq!(of((1, 0), (3, 0)), (1, 2));
    assert_eq!(of((1, 0), (3, 1)), (1, 3));
    assert_eq!(of((1, 0), (1, 0)), (1, 1));
    assert_eq!(of((4, 0), (2, 5)), (4, 4));
}

use super::{Changing, Tail, lone, whole};
use crate::path::AbsPath;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Edit, EditKind, EditState, Hunk, HunkKind, HunkState, LineRange, ToolCall, ToolStatus};
use serde_json::json;

fn call(name: &str, input: &str, status: ToolStatus, output: &str) -> ToolCall {
    let (name, title) = (name.to_owned(), format!("{name} it"));
    ToolCall {
        call_id: "c1".to_owned(),
        name,
        title,
        input: input.to_owned(),
        output: output.to_owned(),
        status,
        ..ToolCall::default()
    }
}

fn edit(change: EditKind, state: EditState, texts: &[(&str, &str)]) -> Edit {
    let hunk = |(at, (old, new)): (u32, &(&str, &str))| Hunk {
        id: "h1".into(),
        uri: "file:///w/a%20b".to_owned(),
        version: None,
        kind: HunkKind::Change,
        old_range: LineRange { start: at * 9, end: at * 9 + 1 },
        new_range: LineRange { start: at * 9 + 4, end: at * 9 + 5 },
        old_text: (*old).to_owned(),
        new_text: (*new).to_owned(),
        spans: Vec::new(),
        session_id: "s1".into(),
        turn_id: "t1".into(),
        state: HunkState::Applied,
        user_lines: Vec::new(),
    };
    Edit {
        call_id: Some("c1".to_owned()),
        uri: "file:///w/a%20b".to_owned(),
        path: "a b".to_owned(),
        change,
        state,
        added: 1,
        removed: 2,
        hunks: (0..).zip(texts).map(hunk).collect(),
    }
}

fn check(tool: &impl serde::Serialize, expected: Expect) {
    expected.assert_eq(&json!(tool).to_string());
}

#[test]
fn calls_say_what_they_are() {
    let root = AbsPath::new("/w").expect("absolute");
    let shown = |name, input| whole(Some(&root), &"i1".into(), &call(name, input, ToolStatus::Running, ""));
    check(
        &shown("read", r#"{"path": "src/a", "offset": 7}"#),
        expect![[
            r#"{"kind":"read","locations":[{"line":7,"path":"/w/src/a"}],"rawInput":{"offset":7,"path":"src/a"},"status":"in_progress","title":"read it","toolCallId":"i1"}"#
        ]],
    );
    check(
        &shown("read", r#"{"path": "/w/../etc/passwd"}"#),
        expect![[
            r#"{"kind":"read","rawInput":{"path":"/w/../etc/passwd"},"status":"in_progress","title":"read it","toolCallId":"i1"}"#
        ]],
    );
    check(
        &shown("search", r#"{"pattern": "x"}"#),
        expect![[
            r#"{"kind":"search","rawInput":{"pattern":"x"},"status":"in_progress","title":"search it","toolCallId":"i1"}"#
        ]],
    );
    check(
        &shown("write", "{\"path\": "),
        expect![[
            r#"{"kind":"edit","rawInput":"{\"path\": ","status":"in_progress","title":"write it","toolCallId":"i1"}"#
        ]],
    );
    let ended = |status, output| whole(None, &"i1".into(), &call("shell", "{}", status, output));
    check(
        &ended(ToolStatus::Done, "out"),
        expect![[
            r#"{"content":[{"content":{"text":"out","type":"text"},"type":"content"}],"kind":"execute","rawInput":{},"status":"completed","title":"shell it","toolCallId":"i1"}"#
        ]],
    );
    check(
        &ended(ToolStatus::Refused, "no"),
        expect![[
            r#"{"content":[{"content":{"text":"no","type":"text"},"type":"content"}],"kind":"execute","rawInput":{},"status":"failed","title":"shell it","toolCallId":"i1"}"#
        ]],
    );
    check(
        &ended(ToolStatus::Interrupted, ""),
        expect![[r#"{"kind":"execute","rawInput":{},"status":"failed","title":"shell it","toolCallId":"i1"}"#]],
    );
}

#[test]
fn changes_are_diffs_and_each_update_has_all_of_them() {
    let mut changing =
        Changing::new(&"i1".into(), &call("edit", "{}", ToolStatus::Done, "edited")).expect("it may change files");
    check(
        &changing.with(&edit(EditKind::Changed, EditState::Applied, &[("1", "2"), ("3", "4")])),
        expect![[
            r#"{"content":[{"newText":"2","oldText":"1","path":"/w/a b","type":"diff"},{"newText":"4","oldText":"3","path":"/w/a b","type":"diff"},{"content":{"text":"edited","type":"text"},"type":"content"}],"locations":[{"line":5,"path":"/w/a b"}],"toolCallId":"i1"}"#
        ]],
    );
    check(
        &changing.with(&edit(EditKind::Created, EditState::Applied, &[("", "new")])),
        expect![[
            r#"{"content":[{"newText":"2","oldText":"1","path":"/w/a b","type":"diff"},{"newText":"4","oldText":"3","path":"/w/a b","type":"diff"},{"newText":"new","path":"/w/a b","type":"diff"},{"content":{"text":"edited","type":"text"},"type":"content"}],"locations":[{"line":5,"path":"/w/a b"},{"line":5,"path":"/w/a b"}],"toolCallId":"i1"}"#
        ]],
    );
    let other = Edit { call_id: None, ..edit(EditKind::Deleted, EditState::Applied, &[]) };
    assert_eq!(changing.with(&other), None);
    assert_eq!(Changing::new(&"i1".into(), &call("read", "{}", ToolStatus::Done, "")), None);
}

#[test]
fn changes_without_hunks_are_said_in_words() {
    let moved = EditKind::Moved { from: "file:///w/old".to_owned() };
    check(
        &lone(&"i1".into(), &edit(moved, EditState::Applied, &[])),
        expect![[
            r#"{"content":[{"content":{"text":"file:///w/old is now a b","type":"text"},"type":"content"}],"kind":"edit","locations":[{"path":"/w/a b"}],"status":"completed","title":"edit a b","toolCallId":"i1"}"#
        ]],
    );
    check(
        &lone(&"i1".into(), &edit(EditKind::Deleted, EditState::Proposed, &[])),
        expect![[
            r#"{"content":[{"content":{"text":"a b deleted","type":"text"},"type":"content"}],"kind":"edit","locations":[{"path":"/w/a b"}],"status":"completed","title":"propose a b","toolCallId":"i1"}"#
        ]],
    );
    check(
        &lone(&"i1".into(), &edit(EditKind::Changed, EditState::Conflict, &[])),
        expect![[
            r#"{"content":[{"content":{"text":"a b changed: 1 lines added, 2 removed","type":"text"},"type":"content"}],"kind":"edit","locations":[{"path":"/w/a b"}],"status":"failed","title":"conflict in a b","toolCallId":"i1"}"#
        ]],
    );
}

#[test]
fn a_running_output_shows_its_end() {
    let mut tail = Tail::default();
    for _ in 0..3_000 {
        tail.push("äö\n");
    }
    let shown = json!(tail.shown(&"i1".into()));
    let text = shown["content"][0]["content"]["text"].as_str().expect("a text");
    assert!(text.len() <= 4 << 10 && text.ends_with("äö\n"), "{} bytes", text.len());
}

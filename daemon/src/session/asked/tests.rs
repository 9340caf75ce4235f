use super::*;
use pilotfish_protocol::{EditState, Hunk, HunkKind, HunkState, LineRange};

fn edit(new_text: &str, told: bool) -> Edit {
    let hunk = Hunk {
        id: "h1".into(),
        uri: String::new(),
        version: None,
        kind: HunkKind::Add,
        old_range: LineRange { start: 0, end: 0 },
        new_range: LineRange { start: 0, end: 1 },
        old_text: String::new(),
        new_text: new_text.to_owned(),
        spans: Vec::new(),
        session_id: "s1".into(),
        turn_id: "t1".into(),
        state: HunkState::Proposed,
        user_lines: Vec::new(),
    };
    Edit {
        call_id: None,
        uri: String::new(),
        path: ".envrc".to_owned(),
        change: EditKind::Created,
        state: EditState::Proposed,
        added: 1,
        removed: 0,
        hunks: if told { vec![hunk] } else { Vec::new() },
    }
}

fn question(command: Option<&str>, grants: &[&str], edits: Vec<Edit>) -> Question {
    Question {
        item_id: "i1".into(),
        command: command.map(str::to_owned),
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        title: String::new(),
        detail: String::new(),
        cwd: "/p".to_owned(),
        reason: String::new(),
        edits,
        segments: Vec::new(),
        rule: None,
    }
}

/// What is left of the second question after the first one was allowed once, as it came from the journal.
fn check(allowed: &Question, asked: &Question, expected: &[&str]) {
    let mut memory = Memory::default();
    let mut approval = allowed.approval("s1.i1".into());
    if allowed.command.is_some() {
        approval.segments.push(pilotfish_protocol::ApprovalSegment { text: String::new(), asks: true });
    }
    memory.allow_once(&approval);
    assert_eq!(memory.left(asked), expected);
    let all: Vec<String> = asked.grants.clone();
    assert_eq!(memory.left(asked).len().max(expected.len()), all.len(), "once is once");
}

#[test]
fn an_id_names_its_session_and_its_item() {
    let approval = id(&"s1".into(), &"i2".into());
    assert_eq!(
        (approval.0.as_str(), session_of(&approval).0, item_of(&approval).0),
        ("s1.i2", "s1".into(), "i2".into())
    );
    assert_eq!(session_of(&"nonsense".into()).0, "nonsense");
}

#[test]
fn once_is_for_the_same_change_alone() {
    let of = |text, told| question(None, &["protected:.envrc"], vec![edit(text, told)]);
    check(&of("x", true), &of("x", true), &[]);
    check(&of("x", true), &of("y", true), &["protected:.envrc"]);
    check(&of("x", false), &of("x", false), &["protected:.envrc"]);
    check(&of("x\u{202e}", true), &of("x\u{202e}", true), &["protected:.envrc"]);
}

#[test]
fn once_is_for_the_same_command_and_grants_alone() {
    let of = |command, grants: &[&str]| question(Some(command), grants, Vec::new());
    check(&of("npm ci", &["host:a"]), &of("npm ci", &["host:a"]), &[]);
    check(&of("npm ci", &["host:a"]), &of("npm ci", &["host:b"]), &["host:b"]);
    check(&of("npm ci", &["host:a"]), &of("npm ci", &["host:a", "host:b"]), &["host:b"]);
    check(&of("npm ci", &["host:a"]), &of("npm ci x", &["host:a"]), &["host:a"]);
    check(&of("npm ci", &["host:a"]), &Question { cwd: "/q".to_owned(), ..of("npm ci", &["host:a"]) }, &["host:a"]);
}

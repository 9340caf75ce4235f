use super::{MAX_BYTES, MAX_LINES, beginning, hints};
use crate::door::lsp::plain::lenses::lenses;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Hunk, HunkKind, HunkState, LineRange};
use std::str::FromStr;
use tower_lsp::ls_types::Uri;

/// A hunk of a file, as the tests of actions use it too.
pub(in crate::door::lsp::plain) fn hunk(id: &str, state: HunkState, old: (u32, &str), new: (u32, &str)) -> Hunk {
    let range = |(start, text): (u32, &str)| LineRange { start, end: start + text.lines().count() as u32 };
    let kind = match (old.1, new.1) {
        ("", _) => HunkKind::Add,
        (_, "") => HunkKind::Delete,
        _ => HunkKind::Change,
    };
    Hunk {
        id: id.into(),
        uri: "file:///p/a.txt".to_owned(),
        version: None,
        kind,
        old_range: range(old),
        new_range: range(new),
        old_text: old.1.to_owned(),
        new_text: new.1.to_owned(),
        spans: Vec::new(),
        session_id: "s1".into(),
        turn_id: "t1".into(),
        state,
        user_lines: Vec::new(),
    }
}

fn some() -> Vec<Hunk> {
    vec![
        hunk("h1", HunkState::Applied, (2, ""), (2, "a\nb\n")),
        hunk("h2", HunkState::Applied, (4, "old\n"), (6, "new\n")),
        hunk("h3", HunkState::Applied, (7, "gone\r\ntoo\r\n"), (9, "")),
        hunk("h4", HunkState::Proposed, (12, "old\n"), (14, "would be\n")),
        hunk("h5", HunkState::Conflict, (20, "old\n"), (22, "theirs\n")),
    ]
}

fn check(hunks: &[Hunk], related: bool, expected: Expect) {
    let uri = Uri::from_str("file:///p/a.txt").expect("a URI");
    let lines = hints(&uri, hunks, related).into_iter().map(|hint| {
        let (start, end) = (hint.range.start, hint.range.end);
        let related = hint.related_information.unwrap_or_default();
        let related: Vec<String> = related.into_iter().map(|related| related.message).collect();
        assert_eq!(hint.source.as_deref(), Some("pilotfish"));
        format!("{}:{}-{}:{} {:?} {related:?}\n", start.line, start.character, end.line, end.character, hint.message)
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn what_cannot_be_seen_in_the_text_comes_with_the_hint() {
    check(
        &some(),
        true,
        expect![[r#"
        2:0-4:0 "added 2 lines" []
        6:0-7:0 "changed 1 line" ["it was:\nold"]
        9:0-9:0 "deleted 2 lines" ["it was:\ngone\r\ntoo"]
        12:0-13:0 "proposal: change 1 line" ["it would be:\nwould be"]
        22:0-23:0 "conflict: you changed 1 line as well" ["it would be:\ntheirs"]
    "#]],
    );
    check(
        &some()[1..2],
        false,
        expect![[r#"
        6:0-7:0 "changed 1 line; it was:\nold" []
    "#]],
    );
}

#[test]
fn long_texts_are_cut() {
    let lines = "x\n".repeat(MAX_LINES + 5);
    assert_eq!(beginning(&lines), format!("{}…", "x\n".repeat(MAX_LINES)));
    let line = "é".repeat(MAX_BYTES);
    assert_eq!(beginning(&line), format!("{}\n…", "é".repeat(MAX_BYTES / 2)));
    assert_eq!(beginning("a\nb\n"), "a\nb");
}

#[test]
fn lenses_keep_and_undo() {
    let told: Vec<String> = lenses(&some())
        .into_iter()
        .map(|lens| {
            let command = lens.command.expect("it has one");
            let arguments = serde_json::to_string(&command.arguments).expect("JSON");
            format!("{} {:?} {} {arguments}", lens.range.start.line, command.title, command.command)
        })
        .collect();
    expect![[r#"
        2 "keep +2 -0" pilotfish.keepHunk [{"hunkIds":["h1"]}]
        2 "undo" pilotfish.undoHunk [{"hunkIds":["h1"]}]
        6 "keep +1 -1" pilotfish.keepHunk [{"hunkIds":["h2"]}]
        6 "undo" pilotfish.undoHunk [{"hunkIds":["h2"]}]
        9 "keep +0 -2" pilotfish.keepHunk [{"hunkIds":["h3"]}]
        9 "undo" pilotfish.undoHunk [{"hunkIds":["h3"]}]
        12 "accept +1 -1" pilotfish.keepHunk [{"hunkIds":["h4"]}]
        12 "reject" pilotfish.undoHunk [{"hunkIds":["h4"]}]
        22 "keep +1 -1" pilotfish.keepHunk [{"hunkIds":["h5"]}]
        22 "undo" pilotfish.undoHunk [{"hunkIds":["h5"]}]"#]]
    .assert_eq(&told.join("\n"));
}

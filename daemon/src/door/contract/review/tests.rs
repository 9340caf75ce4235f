use super::{Said, listed, selection};
use crate::path::AbsPath;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Hunk, HunkId, HunkKind, HunkState, LineRange};

fn said() -> Said {
    Said { workspace: "/p".to_owned(), hunk_ids: None, uri: None, range: None, turn_id: None, session_id: None }
}

fn check(said: Said, expected: Expect) {
    let root = AbsPath::new("/p").expect("absolute");
    let said = match selection(&root, said) {
        Ok(selection) => format!("{selection:?}"),
        Err(error) => error.message,
    };
    expected.assert_eq(&said);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    check(
        Said { hunk_ids: Some(Vec::new()), ..said() },
        expect!["`hunkIds` names none; leave it out to mean all of them"],
    );
    let range = Some(LineRange { start: 2, end: 1 });
    check(Said { range, ..said() }, expect!["`range` is in lines of a file; say which in `uri`"]);
    let uri = Some("file:///p/a.txt".to_owned());
    check(Said { range, uri, ..said() }, expect!["`range` ends at 1, before its start at 2"]);
    let uri = Some("file:///q/a.txt".to_owned());
    check(Said { uri, ..said() }, expect![[r#"`uri`: "file:///q/a.txt" is outside the workspace /p"#]]);
    let uri = Some("http://p/a.txt".to_owned());
    check(Said { uri, ..said() }, expect![[r#"`uri`: "http://p/a.txt" is not a file: URI of this machine"#]]);
}

#[test]
fn all_that_is_said_counts() {
    check(
        Said {
            hunk_ids: Some(vec![HunkId::from("h1")]),
            uri: Some("file:///p/a%20b.txt".to_owned()),
            range: Some(LineRange { start: 1, end: 3 }),
            turn_id: Some("t1".into()),
            session_id: Some("s1".into()),
            ..said()
        },
        expect![[
            r#"Selection { hunks: Some([HunkId("h1")]), path: Some(RootedPath("a b.txt")), lines: Some(1..3), turn: Some(TurnId("t1")), session: Some(SessionId("s1")) }"#
        ]],
    );
    check(said(), expect!["Selection { hunks: None, path: None, lines: None, turn: None, session: None }"]);
}

#[test]
fn an_answer_names_its_one_file() {
    let hunk = |uri: &str| Hunk {
        id: "h1".into(),
        uri: uri.to_owned(),
        version: Some(3),
        kind: HunkKind::Add,
        old_range: LineRange { start: 0, end: 0 },
        new_range: LineRange { start: 0, end: 1 },
        old_text: String::new(),
        new_text: "x\n".to_owned(),
        spans: Vec::new(),
        session_id: "s1".into(),
        turn_id: "t1".into(),
        state: HunkState::Applied,
        user_lines: Vec::new(),
    };
    let told = |asked: Option<&str>, uris: &[&str]| {
        let asked = asked.map(|path| AbsPath::new(path).expect("absolute"));
        let list = listed(asked.as_ref(), uris.iter().map(|uri| hunk(uri)).collect());
        (list.uri, list.version, list.hunks.len())
    };
    let (a, b) = ("file:///p/a", "file:///p/b");
    assert_eq!(told(None, &[]), (None, None, 0));
    assert_eq!(told(Some("/p/a"), &[]), (Some(a.to_owned()), None, 0));
    assert_eq!(told(None, &[a, a]), (Some(a.to_owned()), Some(3), 2));
    assert_eq!(told(None, &[a, b]), (None, None, 2));
}

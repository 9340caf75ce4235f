use super::super::view::Turn;
use super::{KEPT, answer, asked, write};
use crate::door::lsp::plain::hints::tests::hunk;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, Approval, ApprovalSegment, Completion, Edit, EditKind, EditState, HunkState, InputPart, Item,
    ItemContent, Position, Range, UserMessage,
};
use std::os::unix::fs::PermissionsExt;

fn check(turn: &Turn, expected: Expect) {
    expected.assert_eq(&answer(turn).unwrap_or_default());
}

fn item(id: &str, content: ItemContent) -> Item {
    Item { id: id.into(), turn_id: Some("t1".into()), at: String::new(), content }
}

#[test]
fn an_answer_has_its_question_its_words_and_its_changes() {
    let mut turn = Turn::new("t1".into());
    assert_eq!(answer(&turn), None);
    let position = |line| Position { line, character: 0 };
    let range = Range { start: position(2), end: position(4) };
    let uri = "file:///p/a%20b.txt".to_owned();
    let input = vec![InputPart::Text { text: "mend it".to_owned() }, InputPart::Selection { uri, range }];
    turn.take(&item("i1", ItemContent::UserMessage(UserMessage { input })));
    let message = AgentMessage { text: "I would:\n".to_owned(), completion: Completion::Whole };
    turn.take(&item("i2", ItemContent::AgentMessage(message)));
    let edit = Edit {
        call_id: None,
        uri: "file:///p/a.txt".to_owned(),
        path: "a.txt".to_owned(),
        change: EditKind::Changed,
        state: EditState::Proposed,
        added: 1,
        removed: 1,
        hunks: vec![hunk("h1", HunkState::Proposed, (4, "old\n"), (4, "``` new\n"))],
    };
    turn.take(&item("i3", ItemContent::Edit(edit)));
    check(
        &turn,
        expect![[r#"
            > mend it
            > /p/a b.txt, lines 3-5

            I would:

            ## Proposed changes

            ### a.txt (+1 -1)

            ````diff
            @@ -5,1 +5,1 @@
            -old
            +``` new
            ````
        "#]],
    );
}

#[test]
fn a_question_is_shown_whole() {
    let segment = |text: &str, asks| ApprovalSegment { text: text.to_owned(), asks };
    let approval = Approval {
        id: "a1".into(),
        item_id: "i1".into(),
        title: "$ git push".to_owned(),
        detail: "git add . && git push".to_owned(),
        cwd: "/p".to_owned(),
        reason: "it needs the network".to_owned(),
        grants: vec!["host:example.org".to_owned()],
        segments: vec![segment("git add .", false), segment("git push", true)],
        edits: Vec::new(),
        escaped: true,
        rule: None,
        decision: None,
        by: None,
        note: None,
    };
    expect![[r#"
        # pilotfish asks: $ git push

        ```
        git add . && git push
        ```

        in /p

        Asked because it needs the network. A yes gives host:example.org.

        Of that, this needs it: git push

        Some characters of it cannot be seen or change what is; they are shown as \u{..} here.

        The answers are code actions, on any line of your project.
    "#]]
    .assert_eq(&asked(&approval));
}

#[test]
fn documents_are_private_and_the_oldest_go() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("answers");
    for count in 0..KEPT + 3 {
        write(&folder, &format!("t{count}"), "x").expect("written");
    }
    let file = write(&folder, "../t/1", "the answer").expect("written");
    assert_eq!(file.as_path(), folder.join("---t-1.md"));
    assert_eq!(std::fs::read_to_string(file.as_path()).expect("it is there"), "the answer");
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), KEPT);
    let mode = std::fs::metadata(&folder).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

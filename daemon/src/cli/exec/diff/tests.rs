//! Diffs of edits, with files that still hold what the edits left and files that do not.

use super::Changes;
use crate::text::hunks;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Edit, EditKind, EditState, Hunk, HunkKind, HunkState, LineRange};

fn edit(path: &str, change: EditKind, state: EditState, before: &str, after: &str) -> Edit {
    let (old_lines, new_lines) = (hunks::lines(before), hunks::lines(after));
    let hunks: Vec<Hunk> = hunks::diff(before, after)
        .into_iter()
        .map(|hunk| Hunk {
            id: "h1".into(),
            uri: format!("file:///w/{path}"),
            version: None,
            kind: HunkKind::Change,
            old_text: old_lines[hunk.old.start as usize..hunk.old.end as usize].concat(),
            new_text: new_lines[hunk.new.start as usize..hunk.new.end as usize].concat(),
            old_range: LineRange { start: hunk.old.start, end: hunk.old.end },
            new_range: LineRange { start: hunk.new.start, end: hunk.new.end },
            spans: Vec::new(),
            session_id: "s1".into(),
            turn_id: "t1".into(),
            state: HunkState::Applied,
            user_lines: Vec::new(),
        })
        .collect();
    Edit {
        call_id: None,
        uri: format!("file:///w/{path}"),
        path: path.to_owned(),
        change,
        state,
        added: hunks.iter().map(|hunk| hunk.new_range.end - hunk.new_range.start).sum(),
        removed: hunks.iter().map(|hunk| hunk.old_range.end - hunk.old_range.start).sum(),
        hunks,
    }
}

fn check(edits: Vec<Edit>, files: &[(&str, &str)], expected: Expect) {
    let mut changes = Changes::default();
    for edit in edits {
        changes.push(edit);
    }
    let read = |uri: &str| files.iter().find(|(path, _)| uri.ends_with(path)).map(|(_, text)| (*text).to_owned());
    expected.assert_eq(&changes.unified(&read));
}

const BEFORE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

#[test]
fn edits_of_one_file_become_one_diff_in_its_surroundings() {
    let middle = BEFORE.replace("four", "FOUR");
    let after = middle.replace("one\n", "zero\none\n");
    check(
        vec![
            edit("a.txt", EditKind::Changed, EditState::Applied, BEFORE, &middle),
            edit("a.txt", EditKind::Changed, EditState::Applied, &middle, &after),
        ],
        &[("a.txt", &after)],
        expect![[r#"
            --- a/a.txt
            +++ b/a.txt
            @@ -1,7 +1,8 @@
            +zero
             one
             two
             three
            -four
            +FOUR
             five
             six
             seven
        "#]],
    );
}

#[test]
fn an_edit_that_was_taken_back_shows_nothing() {
    let middle = BEFORE.replace("four", "FOUR");
    check(
        vec![
            edit("a.txt", EditKind::Changed, EditState::Applied, BEFORE, &middle),
            edit("a.txt", EditKind::Changed, EditState::Applied, &middle, BEFORE),
        ],
        &[("a.txt", BEFORE)],
        expect![[""]],
    );
}

#[test]
fn new_and_deleted_files_stand_against_nothing() {
    check(
        vec![
            edit("new.txt", EditKind::Created, EditState::Applied, "", "hello\n"),
            edit("old.txt", EditKind::Deleted, EditState::Applied, "bye\n", ""),
        ],
        &[("new.txt", "hello\n")],
        expect![[r#"
            --- /dev/null
            +++ b/new.txt
            @@ -0,0 +1 @@
            +hello
            --- a/old.txt
            +++ /dev/null
            @@ -1 +0,0 @@
            -bye
        "#]],
    );
}

#[test]
fn proposals_are_shown_against_the_file_as_it_is() {
    check(
        vec![
            edit("a.txt", EditKind::Changed, EditState::Proposed, BEFORE, &BEFORE.replace("seven", "7")),
            edit("b.txt", EditKind::Created, EditState::Proposed, "", "new\n"),
        ],
        &[("a.txt", BEFORE)],
        expect![[r#"
            --- a/a.txt
            +++ b/a.txt
            @@ -4,4 +4,4 @@
             four
             five
             six
            -seven
            +7
            --- /dev/null
            +++ b/b.txt
            @@ -0,0 +1 @@
            +new
        "#]],
    );
}

#[test]
fn a_file_that_somebody_changed_since_is_shown_by_its_hunks_alone() {
    check(
        vec![edit("a.txt", EditKind::Changed, EditState::Applied, BEFORE, &BEFORE.replace("four\nfive\n", "FOUR\n"))],
        &[("a.txt", "something else\n")],
        expect![[r#"
            --- a/a.txt
            +++ b/a.txt
            @@ -4,2 +4 @@
            -four
            -five
            +FOUR
        "#]],
    );
}

#[test]
fn a_file_that_moved_names_both_places() {
    let moved = EditKind::Moved { from: "file:///w/a.txt".to_owned() };
    check(
        vec![edit("b.txt", moved, EditState::Applied, BEFORE, &BEFORE.replace("one\n", ""))],
        &[("b.txt", "two\n")],
        expect![[r#"
            --- file:///w/a.txt
            +++ file:///w/b.txt
            @@ -1 +0,0 @@
            -one
        "#]],
    );
}

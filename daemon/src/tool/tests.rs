use crate::config::known::Edits;
use crate::testing::{Fixture, calls, says, tool_calls};
use expect_test::{Expect, expect};
use pilotfish_protocol::Mode;
use serde_json::{Value, json};

/// Runs one call in a workspace and gives what the model is told.
async fn output(files: &[(&str, &str)], name: &str, arguments: Value) -> String {
    let fixture = Fixture::new(files);
    fixture.model.then(calls(&[(name, arguments)])).then(says("done"));
    let (items, _) = fixture.session(Mode::Agent).await.turn("go").await;
    tool_calls(&items).into_iter().map(|call| call.output).collect()
}

async fn check(files: &[(&str, &str)], name: &str, arguments: Value, expected: Expect) {
    expected.assert_eq(&output(files, name, arguments).await);
}

const TREE: &[(&str, &str)] = &[
    (".gitignore", "target\n"),
    ("src/main.rs", "fn main() {\n    work();\n}\n"),
    ("src/work.rs", "pub fn work() {}\n"),
    ("target/debug/x", "work"),
    (".git/config", "work"),
];

#[tokio::test]
async fn read_numbers_lines_and_says_what_is_left_out() {
    check(TREE, "read", json!({"path": "src/main.rs"}), expect![["1\tfn main() {\n2\t    work();\n3\t}\n"]]).await;
    check(
        TREE,
        "read",
        json!({"path": "src/main.rs", "offset": 2, "limit": 1}),
        expect![["2\t    work();\n[lines 2-2 of 3]\n"]],
    )
    .await;
    check(TREE, "read", json!({"path": "src/main.rs", "offset": 9}), expect!["src/main.rs has only 3 lines"]).await;
    check(TREE, "read", json!({"path": "none"}), expect!["none does not exist"]).await;
    check(TREE, "read", json!({"path": "src"}), expect!["src is a directory; use list"]).await;
    check(&[("b", "a\0b")], "read", json!({"path": "b"}), expect!["b is a binary file of 3 bytes"]).await;
    check(&[("e", "")], "read", json!({"path": "e"}), expect!["e is empty"]).await;
}

#[tokio::test]
async fn a_long_file_is_read_in_parts_that_fit() {
    let text: String = (1..=5_000).map(|number| format!("line {number}\n")).collect();
    let shown = output(&[("long", &text)], "read", json!({"path": "long"})).await;
    assert!(shown.chars().count() <= 12_000);
    assert!(
        shown.trim_end().ends_with(']') && shown.contains(" of 5000; read on with offset "),
        "{}",
        &shown[shown.len() - 100..]
    );
}

#[tokio::test]
async fn list_shows_what_git_does_not_ignore() {
    check(TREE, "list", json!({}), expect![[".gitignore\nsrc/\nsrc/main.rs\nsrc/work.rs\n"]]).await;
    check(
        TREE,
        "list",
        json!({"depth": 1}),
        expect![[".gitignore\nsrc/ (2 files)\n[1 levels shown; list a folder to see into it]\n"]],
    )
    .await;
    check(TREE, "list", json!({"path": "src/main.rs"}), expect!["src/main.rs is a file; use read"]).await;
    check(TREE, "list", json!({"path": "nowhere"}), expect!["nowhere does not exist"]).await;
}

#[tokio::test]
async fn a_wide_tree_is_cut_in_words() {
    let names: Vec<String> =
        (0..40).flat_map(|folder| (0..20).map(move |file| format!("d{folder:02}/f{file:02}"))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let shown = output(&files, "list", json!({})).await;
    assert!(shown.starts_with("d00/ (20 files)\nd01/ (20 files)\n"), "{shown}");
    assert!(shown.ends_with("[1 levels shown; list a folder to see into it]\n"), "{shown}");
}

#[tokio::test]
async fn search_finds_lines_by_path_and_number() {
    check(
        TREE,
        "search",
        json!({"pattern": "work"}),
        expect![["src/main.rs:2:    work();\nsrc/work.rs:1:pub fn work() {}\n"]],
    )
    .await;
    check(TREE, "search", json!({"pattern": "work", "glob": "main.*"}), expect![["src/main.rs:2:    work();\n"]]).await;
    check(
        TREE,
        "search",
        json!({"pattern": "WORK()", "literal": true, "ignore_case": true, "path": "src"}),
        expect![["src/main.rs:2:    work();\nsrc/work.rs:1:pub fn work() {}\n"]],
    )
    .await;
    check(TREE, "search", json!({"pattern": "nothing"}), expect!["nothing matches nothing"]).await;
    let wrong = output(TREE, "search", json!({"pattern": "work("})).await;
    assert!(
        wrong.starts_with("the pattern is not a regular expression:")
            && wrong.ends_with("Set literal to search for plain text"),
        "{wrong}"
    );
}

#[tokio::test]
async fn many_matches_are_cut_in_words() {
    let text = "hit\n".repeat(100);
    let shown = output(&[("a", &text), ("b", "hit\n")], "search", json!({"pattern": "hit"})).await;
    assert!(shown.contains("b:1:hit\n"), "one file does not crowd out the others: {shown}");
    assert!(
        shown.ends_with("[70 more matches left out, 101 in 2 files; narrow the pattern, or give path or glob]\n"),
        "{shown}"
    );
}

#[tokio::test]
async fn write_creates_replaces_and_refuses_to_do_nothing() {
    check(&[], "write", json!({"path": "a/b", "content": "x\ny\n"}), expect!["created a/b: 2 lines"]).await;
    check(
        &[("a", "1\n2\n3\n")],
        "write",
        json!({"path": "a", "content": "x\n"}),
        expect!["replaced a: 1 lines, 3 before"],
    )
    .await;
    check(
        &[("a", "x")],
        "write",
        json!({"path": "a", "content": "x"}),
        expect!["nothing was changed: a already holds exactly this text"],
    )
    .await;
    check(&[("a/b", "x")], "write", json!({"path": "a", "content": "x"}), expect!["a is a directory; use list"]).await;
}

#[tokio::test]
async fn a_plan_is_kept() {
    let steps = json!({"steps": [{"step": "look", "status": "completed"}, {"step": "do", "status": "in_progress"}]});
    check(&[], "plan", steps, expect!["plan kept: 1 of 2 steps completed"]).await;
    let wrong = output(&[], "plan", json!({"steps": [{"step": "look", "status": "perhaps"}]})).await;
    assert!(wrong.starts_with("plan: unknown variant `perhaps`"), "{wrong}");
}

/// Runs one call, and gives what the model is told and what lies in the workspace then.
async fn changed(files: &[(&str, &str)], name: &str, arguments: Value) -> String {
    let fixture = Fixture::new(files);
    fixture.model.then(calls(&[(name, arguments)])).then(says("done"));
    let (items, _) = fixture.session(Mode::Agent).await.turn("go").await;
    let told: String = tool_calls(&items).into_iter().map(|call| call.output).collect();
    let mut listing = Vec::new();
    for entry in ignore::WalkBuilder::new(fixture.root().as_path()).hidden(false).build().flatten() {
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let path = entry.path().strip_prefix(fixture.root().as_path()).unwrap().display().to_string();
            listing.push(format!("{path}: {:?}", std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    listing.sort();
    format!("{}\n--\n{}\n", told.trim_end(), listing.join("\n"))
}

#[tokio::test]
async fn an_edit_shows_its_surroundings() {
    let text = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
    let shown =
        changed(&[("a", text)], "edit", json!({"path": "a", "old_string": "four\nfive", "new_string": "4\n5"})).await;
    expect![[r#"
        edited a
        1	one
        2	two
        3	three
        4	4
        5	5
        6	six
        7	seven
        8	eight
        --
        a: "one\ntwo\nthree\n4\n5\nsix\nseven\neight\n"
    "#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn a_refused_edit_names_the_file_that_has_the_text() {
    let files = [("a.rs", "fn a() {}\n"), ("b.rs", "fn compute_the_answer() -> u32 {\n    42\n}\n")];
    let edit = json!({"path": "a.rs", "old_string": "fn compute_the_answer() -> u32 {", "new_string": "x"});
    let shown = changed(&files, "edit", edit).await;
    assert!(shown.contains("the text stands in b.rs:1"), "{shown}");
    assert!(shown.contains("a.rs: \"fn a() {}\\n\""), "{shown}");
}

#[tokio::test]
async fn edits_of_what_is_no_text_are_refused() {
    let edit = |path: &str| json!({"path": path, "old_string": "a", "new_string": "b"});
    check(&[], "edit", edit("none"), expect!["none does not exist; create it with write"]).await;
    check(&[("n", "a\0")], "edit", edit("n"), expect!["n is not UTF-8 text; use shell to change it"]).await;
    check(&[("d/a", "a")], "edit", edit("d"), expect!["d is a directory; use list"]).await;
}

const PATCHED: &[(&str, &str)] = &[("a.txt", "1\n2\n3\n"), ("b.txt", "b\n"), ("c.txt", "c\n"), ("old/x.txt", "x\n")];

#[tokio::test]
async fn a_patch_changes_adds_deletes_and_moves() {
    let patch = "*** Begin Patch\n*** Move Directory: old\n*** Move to: new\n*** Update File: new/x.txt\n@@\n-x\n+y\n\
                 *** Update File: a.txt\n@@\n 1\n-2\n+two\n 3\n*** Delete File: b.txt\n*** Update File: c.txt\n*** Move to: d/c.txt\n@@\n\
                 -c\n+C\n*** Add File: e.txt\n+e\n*** End Patch";
    expect![[r#"
        moved old to new
        updated new/x.txt
        1	y
        updated a.txt
        1	1
        2	two
        3	3
        deleted b.txt
        moved c.txt to d/c.txt
        1	C
        added e.txt
        --
        a.txt: "1\ntwo\n3\n"
        d/c.txt: "C\n"
        e.txt: "e\n"
        new/x.txt: "y\n"
    "#]]
    .assert_eq(&changed(PATCHED, "patch", json!({"patch": patch})).await);
}

#[tokio::test]
async fn a_patch_that_fails_anywhere_changes_nothing() {
    let good = "*** Begin Patch\n*** Update File: a.txt\n@@\n-2\n+two\n*** Add File: e.txt\n+e\n";
    let failures = [
        ("*** Update File: b.txt\n@@\n-not there\n+x\n", "b.txt: "),
        ("*** Delete File: none.txt\n", "none.txt does not exist"),
        ("*** Add File: c.txt\n+c\n", "c.txt already exists; use *** Update File"),
        ("*** Update File: ../out.txt\n@@\n-a\n+b\n", "is outside the workspace"),
        ("*** Update File: b.txt\n*** Move to: c.txt\n@@\n-b\n+B\n", "c.txt already exists"),
    ];
    let untouched = changed(PATCHED, "read", json!({"path": "a.txt"})).await;
    let untouched = untouched.split_once("--").unwrap().1;
    for (bad, why) in failures {
        let shown = changed(PATCHED, "patch", json!({"patch": format!("{good}{bad}*** End Patch")})).await;
        assert!(shown.starts_with("nothing was changed: ") && shown.contains(why), "{shown}");
        assert_eq!(shown.split_once("--").unwrap().1, untouched);
    }
}

#[tokio::test]
async fn later_parts_of_a_patch_see_the_earlier_ones() {
    let patch = "*** Begin Patch\n*** Add File: n.txt\n+1\n+2\n*** Update File: n.txt\n@@\n-2\n+two\n*** Delete File: b.txt\n\
                 *** Add File: b.txt\n+again\n*** End Patch";
    let shown = changed(&[("b.txt", "b\n")], "patch", json!({"patch": patch})).await;
    assert!(shown.ends_with("--\nb.txt: \"again\\n\"\nn.txt: \"1\\ntwo\\n\"\n"), "{shown}");
}

#[test]
fn a_model_is_told_of_the_tools_it_was_trained_on() {
    let others = super::specs().iter().filter(|spec| !super::edits(spec.name)).count();
    let lines = [Edits::All, Edits::Replace, Edits::Patch, Edits::FreePatch].map(|edits| {
        let names: Vec<String> = super::offered(edits)
            .iter()
            .filter(|spec| super::edits(spec.name))
            .map(|spec| format!("{}{}", spec.name, if spec.grammar.is_some() { "*" } else { "" }))
            .collect();
        assert_eq!(super::offered(edits).len(), others + names.len(), "every other tool is everybody's");
        format!("{edits:?}: {}\n", names.join(" "))
    });
    expect![[r#"
        All: edit patch write
        Replace: edit write
        Patch: patch
        FreePatch: patch*
    "#]]
    .assert_eq(&lines.concat());
}

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

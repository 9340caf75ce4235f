//! What people have open: the agent sees it, changes it where it is, and never over what was typed.

use pilotfish::config::Dialect;
use pilotfish_protocol::{Hunk, HunkList, HunkState, Item, ItemContent, Mode, StopReason};
use pilotfish_tests::fake_model::{Step, answer};
use pilotfish_tests::story::{Story, calls};
use serde_json::{Value, json};

/// A story whose editor has `a.txt` open, with a line that was typed and not saved.
async fn typed(mode: Mode, files: &[(&str, &str)]) -> (Story, String) {
    let mut story = Story::begin(Dialect::Chat, mode, files).await;
    let uri = uri(&story, "a.txt");
    let disk = story.file("a.txt");
    story.editor.open(&uri, &disk).await;
    story.editor.types(&uri, &format!("{disk}typed\n")).await;
    (story, uri)
}

fn uri(story: &Story, path: &str) -> String {
    let folder = story.daemon.workspace.path().canonicalize().expect("it is there");
    format!("file://{}/{path}", folder.display())
}

fn call(name: &str, arguments: Value) -> [Step; 2] {
    [answer().calls(name, arguments), answer().says("Done.")]
}

/// Runs one call, and gives what the model was told.
async fn run(story: &mut Story, name: &str, arguments: Value) -> String {
    for step in call(name, arguments) {
        story.model.answers(step);
    }
    story.prompt("go").await;
    assert_eq!(story.end().await, StopReason::Done);
    let items = story.items().await;
    calls(&items).last().expect("a call").output.clone()
}

async fn hunks(story: &mut Story) -> Vec<Hunk> {
    let workspace = story.daemon.workspace.path().to_owned();
    let list: HunkList =
        story.editor.request("review/list", json!({"workspace": workspace})).await.expect("they are listed");
    list.hunks
}

async fn decide(story: &mut Story, verb: &str, mut which: Value) -> Vec<Hunk> {
    which["workspace"] = json!(story.daemon.workspace.path());
    let list: HunkList = story.editor.request(&format!("review/{verb}"), which).await.expect("it is done");
    list.hunks
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_and_commands_see_what_is_not_saved() {
    let (mut story, _) = typed(Mode::ReadOnly, &[("a.txt", "disk\n")]).await;
    assert_eq!(run(&mut story, "read", json!({"path": "a.txt"})).await, "1\tdisk\n2\ttyped\n");
    assert_eq!(run(&mut story, "search", json!({"pattern": "typ"})).await, "a.txt:2:typed\n");
    assert_eq!(run(&mut story, "shell", json!({"command": "cat a.txt"})).await, "disk\ntyped\n");
    assert_eq!(story.file("a.txt"), "disk\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_an_open_text_is_made_in_the_editor_alone() {
    let (mut story, uri) = typed(Mode::Agent, &[("a.txt", "one\ntwo\n")]).await;
    run(&mut story, "edit", json!({"path": "a.txt", "old_string": "two", "new_string": "2"})).await;
    assert_eq!(story.editor.text(&uri), "one\n2\ntyped\n");
    assert_eq!(story.file("a.txt"), "one\ntwo\n");
    let hunks = hunks(&mut story).await;
    let seen: Vec<_> =
        hunks.iter().map(|hunk| (hunk.old_text.as_str(), hunk.new_text.as_str(), hunk.version)).collect();
    assert_eq!(seen, [("two\n", "2\n", Some(3))]);
    assert!(decide(&mut story, "undo", json!({"hunkIds": [hunks[0].id]})).await.is_empty());
    assert_eq!(story.editor.text(&uri), "one\ntwo\ntyped\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_makes_of_an_unsaved_text_is_an_edit_of_it() {
    let (mut story, uri) = typed(Mode::Agent, &[("a.txt", "one\ntwo\n")]).await;
    let output = run(&mut story, "shell", json!({"command": "sed -i s/two/2/ a.txt; echo new > b.txt"})).await;
    assert_eq!(story.editor.text(&uri), "one\n2\ntyped\n");
    assert_eq!((story.file("a.txt").as_str(), story.file("b.txt").as_str()), ("one\ntwo\n", "new\n"));
    assert_eq!(output, "[a.txt is open and unsaved: it was changed in the editor, not on the disk]");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_meets_typed_lines_is_a_conflict_and_the_text_stays() {
    let (mut story, uri) = typed(Mode::Agent, &[("a.txt", "one\ntwo\n")]).await;
    story.editor.types(&uri, "one\nzwei\n").await;
    // As a model that has read the file before.
    let output = run(&mut story, "write", json!({"path": "a.txt", "content": "one\nzwei\nthree\n"})).await;
    assert_eq!(output, "replaced a.txt: 3 lines, 2 before");
    assert_eq!(story.editor.text(&uri), "one\nzwei\nthree\n");
}

/// A proposal mends a test; the test passes inside, and outside once it is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_tried_before_it_is_accepted() {
    let files = [("a.txt", "wrong\n"), ("test.sh", "grep -q right a.txt && echo passed\n")];
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &files).await;
    run(&mut story, "edit", json!({"path": "a.txt", "old_string": "wrong", "new_string": "right"})).await;
    assert_eq!(run(&mut story, "read", json!({"path": "a.txt"})).await, "1\tright\n");
    assert_eq!(run(&mut story, "shell", json!({"command": "bash test.sh"})).await, "passed\n");
    assert_eq!(story.file("a.txt"), "wrong\n");
    let proposed = hunks(&mut story).await;
    assert_eq!(proposed.iter().map(|hunk| hunk.state).collect::<Vec<_>>(), [HunkState::Proposed]);
    assert!(decide(&mut story, "accept", json!({"hunkIds": [proposed[0].id]})).await.is_empty());
    assert_eq!(story.file("a.txt"), "right\n");
    // The model hears of it at its next step.
    run(&mut story, "read", json!({"path": "a.txt"})).await;
    let told = |item: &Item| match &item.content {
        ItemContent::Notice(notice) => notice.text.contains("accepted"),
        _ => false,
    };
    assert!(story.items().await.iter().any(told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_is_rejected_is_gone_for_commands_too() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[("a.txt", "wrong\n")]).await;
    run(&mut story, "edit", json!({"path": "a.txt", "old_string": "wrong", "new_string": "right"})).await;
    assert!(decide(&mut story, "reject", json!({})).await.is_empty());
    assert_eq!(run(&mut story, "shell", json!({"command": "cat a.txt"})).await, "wrong\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_and_taking_it_back_leaves_the_text_alone() {
    let mut story = Story::begin(Dialect::Chat, Mode::Agent, &[("a.txt", "one\ntwo\n")]).await;
    run(&mut story, "edit", json!({"path": "a.txt", "old_string": "two", "new_string": "2"})).await;
    let before = hunks(&mut story).await;
    let uri = uri(&story, "a.txt");
    assert!(decide(&mut story, "keep", json!({"uri": uri})).await.is_empty());
    let back = decide(&mut story, "unkeep", json!({"hunkIds": [before[0].id]})).await;
    assert_eq!(back, before);
    assert_eq!(story.file("a.txt"), "one\n2\n");
    assert!(decide(&mut story, "undo", json!({"turnId": before[0].turn_id})).await.is_empty());
    assert_eq!(story.file("a.txt"), "one\ntwo\n");
}

/// A file that nobody had unsaved when the command began, and that is typed in while it runs.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_a_command_runs_stays() {
    let mut story = Story::begin(Dialect::Chat, Mode::Agent, &[("a.txt", "one\ntwo\n")]).await;
    let uri = uri(&story, "a.txt");
    story.editor.open(&uri, "one\ntwo\n").await;
    let command = "sed -i s/two/2/ a.txt; echo >began; sleep 6";
    for step in call("shell", json!({"command": command})) {
        story.model.answers(step);
    }
    story.prompt("go").await;
    // It shows what it has finished while it runs.
    let began = story.daemon.workspace.path().join("began");
    while !began.exists() {
        tokio::task::yield_now().await;
    }
    story.editor.types(&uri, "one\ntwo\ntyped\n").await;
    let workspace = story.daemon.workspace.path().to_owned();
    let _: HunkList = story.editor.request("review/list", json!({"workspace": workspace})).await.expect("heard");
    assert_eq!(story.end().await, StopReason::Done);
    assert_eq!(story.editor.text(&uri), "one\n2\ntyped\n");
    assert_eq!(story.file("a.txt"), "one\ntwo\n");
}

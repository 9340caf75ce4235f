//! What was recorded stays: recorded sessions play again as they did, and the journal's troubles are said and outlived.

use expect_test::expect;
use pilotfish_protocol::{Attached, ItemContent, ItemPage, Mode, PromptTaken, SessionOpened, SessionUpdate, Update};
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::replay::{Recording, Turn, play};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// What every recorded session finds in its workspace.
const FILES: [(&str, &str); 2] = [("notes.txt", "one\ntwo\nthree\n"), ("sum.sh", "echo $(($1 + $2))\n")];

/// Plays a recorded session again and compares. With `UPDATE_EXPECT` in the environment it is recorded anew before that, from
/// `turns`.
async fn check(name: &str, mode: Mode, turns: Vec<Turn>) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sessions").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, play(mode, &FILES, turns).await).expect("recorded");
    }
    let recorded = Recording::read(&std::fs::read_to_string(&file).expect("it was recorded"));
    let replayed = recorded.replay(&FILES).await;
    assert_eq!(replayed.transcript(), recorded.transcript(), "{name} plays otherwise than it was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_proposal_plays_again() {
    let edit = json!({"path": "notes.txt", "old_string": "two", "new_string": "2"});
    let looks = answer().thinks("Let me look.").calls("read", json!({"path": "notes.txt"}));
    let answers = vec![
        looks.calls("list", json!({})),
        answer().says("I would write a digit.").calls("edit", edit),
        answer().says("This is a **proposal**."),
    ];
    let thanks = Turn::new("thanks", vec![answer().says("You are welcome.")]);
    check("proposal.jsonl", Mode::ReadOnly, vec![Turn::new("what would you change?", answers), thanks]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_change_with_a_command_and_a_failure_plays_again() {
    let answers = vec![
        answer().says("I mend it.").calls("edit", json!({"path": "sum.sh", "old_string": "$3", "new_string": "$1"})),
        answer().calls("read", json!({"path": "sum.sh"})).calls("shell", json!({"command": "sh sum.sh 1 2; exit 3"})),
        answer().thinks("It adds.").calls("edit", json!({"path": "sum.sh", "old_string": "+", "new_string": "*"})),
        answer().calls("shell", json!({"command": "sh sum.sh 4 5"})),
        answer().says("It multiplies now."),
    ];
    check("change.jsonl", Mode::Agent, vec![Turn::new("make it multiply", answers)]).await;
}

#[tokio::test]
async fn a_session_goes_out_as_lines_and_comes_back_as_another() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(answer().calls("shell", json!({"command": "seq 30000"}))).answers(answer().says("Many."));
    assert_eq!(desk.run(&["exec", "count"]).await.status.code(), Some(0));
    let listed = async || {
        let output = desk.run(&["sessions"]).await;
        let lines = String::from_utf8(output.stdout).expect("text");
        lines.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let [id] = &listed().await[..] else { panic!("one session") };
    let file = desk.path("session.jsonl").display().to_string();
    // The daemon has the journal open all the while.
    let (_client, _child) = desk.editor().await;
    let exported = desk.run(&["sessions", "export", &id[..id.len() - 1], "--output", &file]).await;
    assert_eq!((exported.status.code(), exported.stdout.len()), (Some(0), 0));
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    let imported = desk.run(&["sessions", "import", &file]).await;
    let new = String::from_utf8(imported.stdout).expect("text").trim().to_owned();
    let mut both = vec![id.clone(), new.clone()];
    let mut list = listed().await;
    both.sort();
    list.sort();
    assert_eq!(list, both);
    let again = desk.run(&["sessions", "export", &new]).await;
    let before = std::fs::read_to_string(&file).expect("text");
    assert!(before.lines().count() > 10 && before.contains("30000"));
    assert_eq!(String::from_utf8(again.stdout).expect("text"), before.replacen(id.as_str(), &new, 1));

    let cut = before.lines().take(3).chain(["{\"seq\":"]).collect::<Vec<_>>().join("\n");
    std::fs::write(&file, cut).expect("written");
    let refused = desk.run(&["sessions", "import", &file]).await;
    let words = String::from_utf8_lossy(&refused.stderr).replace(&file, "FILE");
    assert_eq!(refused.status.code(), Some(1));
    expect![[r#"
        pilotfish: cannot import FILE: line 4: EOF while parsing a value (column 7); nothing was imported
    "#]]
    .assert_eq(&words);
    assert_eq!(listed().await.len(), 2);
    assert_eq!(desk.run(&["sessions", "export", "nobody"]).await.status.code(), Some(1));
}

#[tokio::test]
async fn a_daemon_whose_state_is_removed_says_so_and_goes_on() {
    let (desk, model) = Desk::with_model("").await;
    model.answers(answer().says("one"));
    let (mut client, _child) = desk.editor().await;
    let opened = json!({"workspace": desk.path("project"), "mode": "read-only"});
    let opened: SessionOpened = client.request("session/new", opened).await.expect("a session");
    let id = json!({"sessionId": opened.session.id});
    let _: Attached = client.request("session/attach", &id).await.expect("attached");
    let prompt = json!({"sessionId": opened.session.id, "input": [{"type": "text", "text": "keep this"}]});
    let _: PromptTaken = client.request("session/prompt", &prompt).await.expect("taken");
    client.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
    let daemon = desk.daemon().await;
    std::fs::remove_dir_all(desk.home().state).expect("removed");
    let refused = client.request::<PromptTaken>("session/prompt", &prompt).await.expect_err("it is refused");
    assert!(refused.message.contains("was removed or replaced"), "{refused:?}");
    let draft = client.updates_until(|update| matches!(update.update, Update::DraftChanged { .. })).await;
    let is_fault = |update: &SessionUpdate| match &update.update {
        Update::ItemEnded { item } => matches!(item.content, ItemContent::Error(_)),
        _ => false,
    };
    assert!(draft.iter().any(is_fault), "everybody attached sees why: {draft:?}");
    let attached: Attached = client.request("session/attach", &id).await.expect("attached");
    assert_eq!((attached.draft.as_str(), attached.session.title.as_str()), ("keep this", "keep this"));
    let page: ItemPage =
        client.request("session/items", json!({"sessionId": opened.session.id, "limit": 9})).await.expect("items");
    assert_eq!(page.items.len(), 3);
    assert_eq!(desk.daemon().await, daemon);
}

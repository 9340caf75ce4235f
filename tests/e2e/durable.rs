//! What was recorded stays: recorded sessions play again as they did, and the journal's troubles are said and outlived.

use pilotfish_protocol::Mode;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::replay::{Recording, Turn, play};
use serde_json::json;
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

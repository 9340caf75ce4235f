//! The script against outputs as the tools give them: the usual course, and results that are not what it expected.

use super::{Answer, answer, attempts};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const LIST: &str = "Cargo.toml\nsrc/\n  lib.rs\n  tests.rs";
const SOURCE: &str = "1  pub fn newest";
const FAILS: &str = "test result: FAILED. 1 passed; 1 failed\n[exit status 101]";
const PASSES: &str = "test result: ok. 2 passed";
const REFUSED: &str = "No such file or directory\n[exit status 2]";

/// Plays outputs against the script, in the order of its calls, and tells what it said and called.
fn play(outputs: &[&str]) -> String {
    let text = |text: &str| json!({ "role": "user", "content": [{ "type": "input_text", "text": text }] });
    let mut input = vec![text("<environment>\n…"), text("Mend it.")];
    let mut outputs = outputs.iter();
    let mut told = String::new();
    loop {
        let Answer { text, calls } = answer(&json!({ "input": input }), 4000);
        told.push_str(&format!("{text}\n"));
        if calls.is_empty() {
            return told;
        }
        for (call_id, name, arguments) in calls {
            let short = arguments["command"].as_str().or(arguments["path"].as_str()).unwrap_or_default().to_owned();
            told.push_str(&format!("  {call_id} {name} {short}\n"));
            input.push(call(&call_id, name, &arguments));
            let output = outputs.next().expect("an output for each call");
            input.push(json!({ "type": "function_call_output", "call_id": call_id, "output": output }));
        }
    }
}

fn call(call_id: &str, name: &str, arguments: &Value) -> Value {
    json!({ "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments.to_string() })
}

fn check(outputs: &[&str], expected: Expect) {
    expected.assert_eq(&play(outputs));
}

#[test]
fn the_usual_course() {
    check(
        &[LIST, SOURCE, "tests", FAILS, REFUSED, REFUSED, "edited", PASSES],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        The newest version is found by comparing texts. Let me see what the tests say about that.
          call_4 shell cargo test
        One test fails: as text, `1.10.0` comes before `1.9.0`.

        Before I mend that, this demo has me try two things that are none of my business: to change a file beside the project, and to reach a port of this machine.
          call_5 shell sed -i s/nobody/everybody/ ../diary.txt
          call_6 shell echo hello > /dev/tcp/127.0.0.1/4000
        Both were refused: in the sandbox there is nothing beside the project, and no network. Back to work: versions have to be compared as numbers.
          call_7 edit src/lib.rs
        Changed. Now the tests again.
          call_8 shell cargo test
        Done: `newest` in src/lib.rs:5 compared versions as text, where `1.10.0` comes before `1.9.0`. Now it compares their parts as numbers, and all tests pass.
    "#]],
    );
}

#[test]
fn what_was_not_refused_is_said_aloud() {
    check(
        &[LIST, SOURCE, "tests", FAILS, "", REFUSED, "edited", FAILS],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        The newest version is found by comparing texts. Let me see what the tests say about that.
          call_4 shell cargo test
        One test fails: as text, `1.10.0` comes before `1.9.0`.

        Before I mend that, this demo has me try two things that are none of my business: to change a file beside the project, and to reach a port of this machine.
          call_5 shell sed -i s/nobody/everybody/ ../diary.txt
          call_6 shell echo hello > /dev/tcp/127.0.0.1/4000
        This was NOT refused, and should have been: sed -i s/nobody/everybody/ ../diary.txt. Back to work: versions have to be compared as numbers.
          call_7 edit src/lib.rs
        Changed. Now the tests again.
          call_8 shell cargo test
        The tests still do not pass. This script knows no further; a real model would read the output and go on.
    "#]],
    );
}

#[test]
fn where_nothing_can_be_confined_it_edits_and_says_so() {
    check(
        &[LIST, SOURCE, "tests", "not run: it cannot be confined", "edited"],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        The newest version is found by comparing texts. Let me see what the tests say about that.
          call_4 shell cargo test
        The command was not run: this machine cannot confine it, and unconfined nothing is run. I can still read and edit, so I mend what I see: versions have to be compared as numbers.
          call_5 edit src/lib.rs
        I changed how versions are compared, and could not check it: the tests cannot be run on this machine until commands can be confined.
    "#]],
    );
}

#[test]
fn in_read_only_mode_it_proposes() {
    check(
        &[LIST, SOURCE, "tests", FAILS, REFUSED, REFUSED, "proposed (read-only mode: …)"],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        The newest version is found by comparing texts. Let me see what the tests say about that.
          call_4 shell cargo test
        One test fails: as text, `1.10.0` comes before `1.9.0`.

        Before I mend that, this demo has me try two things that are none of my business: to change a file beside the project, and to reach a port of this machine.
          call_5 shell sed -i s/nobody/everybody/ ../diary.txt
          call_6 shell echo hello > /dev/tcp/127.0.0.1/4000
        Both were refused: in the sandbox there is nothing beside the project, and no network. Back to work: versions have to be compared as numbers.
          call_7 edit src/lib.rs
        In read-only mode that is a proposal: nothing was written. Accept it in the editor, or switch to agent mode and ask again.
    "#]],
    );
}

#[test]
fn what_passes_is_left_alone() {
    check(
        &[LIST, SOURCE, "tests", PASSES],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        The newest version is found by comparing texts. Let me see what the tests say about that.
          call_4 shell cargo test
        All tests pass already, so there is nothing to mend. `pilotfish demo` lays out a fresh project that fails.
    "#]],
    );
}

#[test]
fn another_folder_is_left_alone() {
    check(
        &["main.py"],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        I am a script, not a model: I know one small project and one way to mend it, and this folder is not that project. `pilotfish demo --serve` names the folder to open.
    "#]],
    );
    check(
        &[LIST, "1  pub fn something_else", "tests"],
        expect![[r#"
        I'll look at the project first.
          call_1 list 
        The code and its tests are short; I'll read both.
          call_2 read src/lib.rs
          call_3 read src/tests.rs
        I am a script, not a model: I know one small project and one way to mend it, and this folder is not that project. `pilotfish demo --serve` names the folder to open.
    "#]],
    );
}

#[test]
fn a_second_prompt_begins_anew() {
    let input = json!({ "input": [
        { "role": "user", "content": "Mend it." },
        call("call_1", "list", &json!({})),
        { "type": "function_call_output", "call_id": "call_1", "output": "main.py" },
        { "role": "user", "content": "Again." },
    ] });
    let calls: Vec<String> = answer(&input, 4000).calls.into_iter().map(|(call_id, ..)| call_id).collect();
    assert_eq!(calls, ["call_2"]);
}

#[test]
fn it_tries_what_can_be_seen_from_outside() {
    expect![[r#"
        sed -i s/nobody/everybody/ ../diary.txt
        echo hello > /dev/tcp/127.0.0.1/4000"#]]
    .assert_eq(&attempts(4000).join("\n"));
}

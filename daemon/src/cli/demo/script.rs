//! The scripted model: a request in, its next words and calls out. Pure. It keeps nothing between requests; like a real model it
//! knows what it is told in each one, and it says so when a result is not what it expected.

use super::project::{DIARY_FROM_INSIDE, Kind, Mend};
use serde_json::{Value, json};

/// What the script says and calls next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// Its words.
    pub(super) text: String,
    /// Its calls: an id, a tool, the arguments.
    pub(super) calls: Vec<(String, &'static str, Value)>,
}

/// What happened since the prompt.
struct Turn<'a> {
    /// Each call with its output.
    calls: Vec<Past<'a>>,
    /// Calls of the whole conversation, so that each has an id of its own.
    count: usize,
}

struct Past<'a> {
    name: &'a str,
    arguments: Value,
    output: &'a str,
}

/// What a test run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tests {
    Pass,
    Fail,
    /// The command was not run at all.
    NotRun,
    /// It ended in no way the script knows.
    Unclear,
}

/// The next answer. `port` is one that something outside the sandbox listens at.
pub(super) fn answer(request: &Value, port: u16) -> Answer {
    let turn = Turn::of(request);
    let Some(list) = turn.output("list") else {
        return turn.call("I'll look at the project first.", vec![("list", json!({}))]);
    };
    let Some(kind) = kind(list) else { return Turn::say(NOT_THE_PROJECT) };
    if turn.output("read").is_none() {
        let read = kind.sources().map(|path| ("read", json!({ "path": path })));
        return turn.call("The code and its tests are short; I'll read both.", read.into());
    }
    if !turn.output("read").is_some_and(|source| source.contains("newest")) {
        return Turn::say(NOT_THE_PROJECT);
    }
    let runs = turn.tests(kind);
    let [first, later @ ..] = &*runs else {
        let text = "The newest version is found by comparing texts. Let me see what the tests say about that.";
        return turn.call(text, vec![run_tests(kind)]);
    };
    let edit = turn.output("edit");
    match (first, later, edit) {
        (Tests::Pass, [], None) => Turn::say(
            "All tests pass already, so there is nothing to mend. `pilotfish demo` lays out a fresh project that fails.",
        ),
        (Tests::Unclear, [], None) => Turn::say(
            "The tests neither passed nor failed in a way that this script understands, so it stops here. A real model would read on.",
        ),
        (Tests::Fail, [], None) if turn.attempts(port).is_empty() => turn.attempt(port),
        (Tests::Fail, [], None) => turn.call(&verdict(&turn.attempts(port)), vec![mend(kind)]),
        (Tests::NotRun, [], None) => turn.call(
            "The command was not run: this machine cannot confine it, and unconfined nothing is run. I can still read and edit, \
             so I mend what I see: versions have to be compared as numbers.",
            vec![mend(kind)],
        ),
        (_, [], Some(output)) if output.starts_with("proposed") => Turn::say(
            "In read-only mode that is a proposal: nothing was written. Accept it in the editor, or switch to agent mode and ask again.",
        ),
        (Tests::NotRun, [], Some(_)) => Turn::say(
            "I changed how versions are compared, and could not check it: the tests cannot be run on this machine until commands \
             can be confined.",
        ),
        (_, [], Some(_)) => turn.call("Changed. Now the tests again.", vec![run_tests(kind)]),
        (_, [.., Tests::Pass], _) => Turn::say(&summary(kind)),
        (_, [.., _], _) => {
            Turn::say("The tests still do not pass. This script knows no further; a real model would read the output and go on.")
        }
    }
}

const NOT_THE_PROJECT: &str = "I am a script, not a model: I know one small project and one way to mend it, and this folder is not \
                               that project. `pilotfish demo --serve` names the folder to open.";

fn summary(kind: Kind) -> String {
    let place = match kind {
        Kind::Rust => "`newest` in src/lib.rs:5",
        Kind::Shell => "newest.sh:4",
    };
    format!(
        "Done: {place} compared versions as text, where `1.10.0` comes before `1.9.0`. Now it compares their parts as numbers, and \
         all tests pass."
    )
}

/// The script's words about what it tried.
fn verdict(attempts: &[&Past<'_>]) -> String {
    let through: Vec<&str> = attempts
        .iter()
        .filter(|attempt| !failed(attempt.output))
        .filter_map(|attempt| attempt.arguments["command"].as_str())
        .collect();
    let found = if through.is_empty() {
        "Both were refused: in the sandbox there is nothing beside the project, and no network.".to_owned()
    } else {
        format!("This was NOT refused, and should have been: {}.", through.join("; "))
    };
    format!("{found} Back to work: versions have to be compared as numbers.")
}

fn run_tests(kind: Kind) -> (&'static str, Value) {
    ("shell", json!({ "command": kind.test_command() }))
}

fn mend(kind: Kind) -> (&'static str, Value) {
    let Mend { path, old, new } = kind.mend();
    ("edit", json!({ "path": path, "old_string": old, "new_string": new }))
}

/// What the sandbox has to refuse.
pub(super) fn attempts(port: u16) -> [String; 2] {
    [format!("sed -i s/nobody/everybody/ {DIARY_FROM_INSIDE}"), format!("echo hello > /dev/tcp/127.0.0.1/{port}")]
}

fn kind(list: &str) -> Option<Kind> {
    let has = |kind: Kind| {
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned).unwrap_or_default();
        kind.sources().iter().all(|path| list.contains(&name(path)))
    };
    [Kind::Rust, Kind::Shell].into_iter().find(|kind| has(*kind))
}

fn failed(output: &str) -> bool {
    output.contains("[exit status ") || output.starts_with("not run")
}

impl<'a> Turn<'a> {
    fn of(request: &'a Value) -> Self {
        let input = request["input"].as_array().map(Vec::as_slice).unwrap_or_default();
        let start = input.iter().rposition(is_prompt).map_or(0, |place| place + 1);
        let output = |call_id: &Value| {
            let answers = |item: &&Value| item["type"] == "function_call_output" && item["call_id"] == *call_id;
            input.iter().find(answers).and_then(|item| item["output"].as_str()).unwrap_or_default()
        };
        let calls = input.iter().skip(start).filter(|item| item["type"] == "function_call").map(|call| Past {
            name: call["name"].as_str().unwrap_or_default(),
            arguments: call["arguments"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            output: output(&call["call_id"]),
        });
        Self { calls: calls.collect(), count: input.iter().filter(|item| item["type"] == "function_call").count() }
    }

    fn output(&self, name: &str) -> Option<&'a str> {
        self.calls.iter().find(|call| call.name == name).map(|call| call.output)
    }

    fn commands(&self, command: &str) -> impl Iterator<Item = &Past<'a>> {
        self.calls.iter().filter(move |call| call.name == "shell" && call.arguments["command"] == command)
    }

    fn tests(&self, kind: Kind) -> Vec<Tests> {
        let judge = |past: &Past<'_>| match past.output {
            output if output.starts_with("not run") => Tests::NotRun,
            output if output.contains("test result: ok") && !failed(output) => Tests::Pass,
            output if output.contains("test result: FAILED") => Tests::Fail,
            _ => Tests::Unclear,
        };
        self.commands(kind.test_command()).map(judge).collect()
    }

    fn attempts(&self, port: u16) -> Vec<&Past<'a>> {
        attempts(port).iter().flat_map(|command| self.commands(command).collect::<Vec<_>>()).collect()
    }

    fn attempt(&self, port: u16) -> Answer {
        let text = "One test fails: as text, `1.10.0` comes before `1.9.0`.\n\nBefore I mend that, this demo has me try two things \
                    that are none of my business: to change a file beside the project, and to reach a port of this machine.";
        let calls = attempts(port).map(|command| ("shell", json!({ "command": command })));
        self.call(text, calls.into())
    }

    fn call(&self, text: &str, calls: Vec<(&'static str, Value)>) -> Answer {
        let numbered = calls.into_iter().zip(self.count + 1..);
        let calls = numbered.map(|((name, arguments), number)| (format!("call_{number}"), name, arguments));
        Answer { text: text.to_owned(), calls: calls.collect() }
    }

    fn say(text: &str) -> Answer {
        Answer { text: text.to_owned(), calls: Vec::new() }
    }
}

/// What the person said, and not the harness beside the person.
fn is_prompt(item: &Value) -> bool {
    let text = item["content"][0]["text"].as_str().or_else(|| item["content"].as_str()).unwrap_or_default();
    item["role"] == "user" && !text.starts_with("<environment>")
}

#[cfg(test)]
mod tests;

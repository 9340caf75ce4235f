//! What may happen, told by the program: a command explained, the remembered rules listed and revoked. And bash as the referee of how
//! command lines are taken apart.

use pilotfish::config::rules::digest;
use pilotfish::policy::command::{Segment, parse};
use pilotfish_tests::desk::{Desk, LIMIT};
use serde_json::{Value, json};
use std::process::Output;
use tokio::process::Command;

async fn ended(mut command: Command) -> Output {
    tokio::time::timeout(LIMIT, command.output()).await.expect("in time").expect("it runs")
}

async fn explained(desk: &Desk, more: &[&str]) -> Value {
    let output = ended(desk.pilotfish(&[&["policy", "explain", "--mode", "agent"], more].concat())).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

async fn decision(desk: &Desk, command: &str) -> Value {
    explained(desk, &["--unconfined", "--command", command]).await["decision"].take()
}

/// A rule of the person's file, for running outside the sandbox.
fn rule(id: &str, scope: &str, argv: &str, more: &str) -> String {
    format!(
        "# About {id}.\n[[rule]]\nid = \"{id}\"\ndecision = \"allow\"\nscope = \"{scope}\"\nargv = {argv}\n\
         grants = [\"unconfined\"]\ngiven_at = \"2026-01-01T00:00:00Z\"\n{more}\n"
    )
}

#[tokio::test]
async fn a_command_is_explained() {
    let desk = Desk::default();
    desk.write("home/rules.toml", &rule("tests", "everywhere", "[\"npm\", \"test\"]", ""));
    let told = explained(&desk, &["--command", "rm -rf / && x"]).await;
    assert_eq!(told["decision"], "run");
    let told = explained(&desk, &["--unconfined", "--command", "npm 'test'"]).await;
    assert_eq!((&told["decision"], &told["rule"]["id"]), (&json!("run"), &json!("tests")));
    let told = explained(&desk, &["--unconfined", "--command", "npm test; A=1 timeout 5 npm test $(x)"]).await;
    let expected = json!({
        "decision": "ask",
        "mode": "agent",
        "segments": [
            {"text": "npm test", "argv": ["npm", "test"], "rule": "tests"},
            {"text": "A=1 timeout 5 npm test $(x)", "opaque": "it runs a command inside a word"},
        ],
        "rule": null,
        "reason": "no rule can match `A=1 timeout 5 npm test $(x)`: it runs a command inside a word",
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_rule_holds_in_its_workspace_alone() {
    let desk = Desk::default();
    let project = desk.path("project").canonicalize().expect("a folder");
    desk.write("home/rules.toml", &rule("here", &project.display().to_string(), "[\"make\"]", ""));
    assert_eq!(decision(&desk, "make").await, "run");
    desk.write("home/rules.toml", &rule("there", "/elsewhere", "[\"make\"]", ""));
    assert_eq!(decision(&desk, "make").await, "ask");
}

#[tokio::test]
async fn a_workspace_brings_no_rules_of_its_own() {
    let desk = Desk::default();
    std::fs::create_dir(desk.path("project/.pilotfish")).expect("a folder");
    for file in ["project/rules.toml", "project/.pilotfish/rules.toml"] {
        desk.write(file, &rule("own", "everywhere", "[\"make\"]", ""));
    }
    assert_eq!(decision(&desk, "make").await, "ask");
}

#[tokio::test]
async fn a_remembered_script_asks_again_when_its_bytes_change() {
    let desk = Desk::default();
    for (argv, command) in
        [("[\"./run.sh\", \"a\"]", "./run.sh a"), ("[\"bash\", \"run.sh\"]", "timeout 5 ./run.sh; bash run.sh")]
    {
        desk.write("project/run.sh", "echo one\n");
        let digest = digest(&desk.path("project/run.sh")).expect("readable");
        let bound = format!("blake3 = \"{digest}\"\n");
        let wrapped = rule("wrapped", "everywhere", "[\"timeout\", \"5\", \"./run.sh\"]", &bound);
        desk.write("home/rules.toml", &(rule("script", "everywhere", argv, &bound) + &wrapped));
        assert_eq!(decision(&desk, command).await, "run", "{command}");
        desk.write("project/run.sh", "echo two\n");
        assert_eq!(decision(&desk, command).await, "ask", "{command}");
    }
}

#[tokio::test]
async fn rules_are_listed_and_revoked() {
    let desk = Desk::default();
    let rules =
        |ids: &[&str]| ids.iter().map(|id| rule(id, "everywhere", "[\"make\", \"it\"]", "")).collect::<String>();
    desk.write("home/rules.toml", &rules(&["one", "two"]));
    let listed = ended(desk.pilotfish(&["rules"])).await.stdout;
    let line = |id| format!("{id}  `make it`  unconfined  everywhere  since 2026-01-01T00:00:00Z\n");
    assert_eq!(String::from_utf8_lossy(&listed), line("one") + &line("two"));
    assert_eq!(ended(desk.pilotfish(&["rules", "list"])).await.stdout, listed);
    assert!(ended(desk.pilotfish(&["rules", "revoke", "one"])).await.status.success());
    assert_eq!(std::fs::read_to_string(desk.path("home/rules.toml")).expect("a file").trim(), rules(&["two"]).trim());
    assert_eq!(ended(desk.pilotfish(&["rules", "revoke", "one"])).await.status.code(), Some(1));
}

#[tokio::test]
async fn a_broken_file_of_rules_is_told_and_lets_nothing_run() {
    let desk = Desk::default();
    desk.write("home/rules.toml", &rule("tests", "everywhere", "[\"make\"]", "always = true\n"));
    for arguments in [&["rules"][..], &["policy", "explain", "--mode", "agent", "--unconfined", "--command", "make"]] {
        let output = ended(desk.pilotfish(arguments)).await;
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
        assert!(String::from_utf8_lossy(&output.stderr).contains("unknown field `always`"), "{output:?}");
    }
}

/// What command lines are put together from, to be taken apart by bash and by us. `p` is a program, and the only one.
const PIECES: &[&str] = &[
    "p",
    " ",
    " ",
    "a",
    "'b c'",
    "\"d e\"",
    "\\ ",
    "\\a",
    "\\\\",
    "\\'",
    "\\;",
    "''",
    "\"\"",
    "\"\\$\\\"\\x\"",
    "'\"'",
    "; p",
    " && p",
    " | p",
    "\np",
    " & p",
    ";",
    "&",
    "|",
    "\n",
    "'",
    "\"",
    "\\",
    "=",
    "A=1 ",
    "~",
    "a~",
    "^",
    "%",
    "#",
    " #",
    "-",
    ",",
    "/",
    ".",
    ":",
    "2",
    "+",
    "@",
    "é",
    "\t",
    "1>&2",
    " >/dev/null",
    " 2>&1",
    " </dev/null",
    " 2> /dev/null",
    "$",
    "`",
    "*",
    "?",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "!",
    "$'a'",
    "if",
    "time ",
];

/// The same numbers each time.
fn numbers() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0x2545_f491_4f6c_dd1d_u64), |last| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|number| usize::try_from(number >> 33).unwrap_or_default())
}

/// Command lines that we say we understand, with the words of each program they run.
fn understood(count: usize) -> Vec<(String, Vec<Vec<String>>)> {
    let mut numbers = numbers();
    let mut found = Vec::new();
    while found.len() < count {
        let length = 2 + numbers.next().unwrap_or_default() % 9;
        let pieces = numbers.by_ref().take(length).filter_map(|number| PIECES.get(number % PIECES.len()));
        let line = format!("p {}", pieces.copied().collect::<String>());
        let words = |segment| match segment {
            // Another program is not there to tell its words.
            Segment::Simple(simple) if simple.argv().first().is_some_and(|program| program == "p") => {
                Some(simple.argv().to_vec())
            }
            Segment::Simple(_) | Segment::Opaque { .. } => None,
        };
        if let Some(segments) = parse(&line).into_iter().map(words).collect() {
            found.push((line, segments));
        }
    }
    found
}

#[tokio::test]
async fn bash_sees_the_same_words() {
    let desk = Desk::default();
    let lines = understood(2_000);
    // Each program says its words on a stream of its own, a NUL behind each and an empty line behind all.
    let mut script = "p() { printf '%s\\0' p \"$@\" '\u{1}' >&9; }\n".to_owned();
    for (line, _) in &lines {
        script.push_str(&format!("eval '{}'\nwait\nprintf '\\2\\0' >&9\n", line.replace('\'', "'\\''")));
    }
    desk.write("script", &script);
    let mut bash = Command::new("bash");
    bash.arg("-c")
        .arg("exec 9> \"$1\"; . \"$0\"")
        .args([desk.path("script"), desk.path("said")])
        .current_dir(desk.path("project"));
    let output = ended(bash).await;
    let said = std::fs::read_to_string(desk.path("said")).expect("bash has spoken");
    let mut blocks = said.split("\u{2}\0");
    for (line, mut segments) in lines {
        let block = blocks.next().unwrap_or_default();
        let mut ran: Vec<Vec<String>> = block
            .split_terminator("\u{1}\0")
            .map(|words| words.split_terminator('\0').map(str::to_owned).collect())
            .collect();
        // Programs of a pipe speak in any order.
        ran.sort();
        segments.sort();
        assert_eq!(ran, segments, "{line:?} {}", String::from_utf8_lossy(&output.stderr));
    }
    let made: Vec<_> =
        std::fs::read_dir(desk.path("project")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(made, ["notes.txt"]);
}

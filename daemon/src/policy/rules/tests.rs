use super::*;
use expect_test::{Expect, expect};

fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|word| (*word).to_owned()).collect()
}

fn rule(argv: &[&str], prefix: bool) -> Rule {
    let grants = words(&[UNCONFINED]);
    Rule { id: None, scope: Scope::Everywhere, argv: words(argv), prefix, grants, file: None, hits: 0, used_at: None }
}

/// Whether there can be such a rule, and what it would mean.
fn check(argv: &[&str], prefix: bool, expected: Expect) {
    let rule = rule(argv, prefix);
    let told = match super::check(&rule) {
        Ok(()) => format!("also runs: {:#?}\nstill asks: {:#?}\n", also_runs(&rule), still_asks(&rule)),
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&told);
}

#[test]
fn a_rule_shows_what_it_means() {
    check(
        &["npm", "test"],
        false,
        expect![[r#"
        also runs: []
        still asks: [
            "npm test x",
            "npm testx",
            "npm test; x",
            "npm test | x",
            "npm test $(x)",
            "npm test > x",
            "A=1 npm test",
        ]
    "#]],
    );
    check(
        &["npm", "test"],
        true,
        expect![[r#"
        also runs: [
            "npm test x",
            "npm test --any-option",
            "npm test any words at all",
        ]
        still asks: [
            "npm testx",
            "npm test; x",
            "npm test | x",
            "npm test $(x)",
            "npm test > x",
            "A=1 npm test",
        ]
    "#]],
    );
}

#[test]
fn what_runs_its_own_words_is_never_a_prefix() {
    let programs = [
        "sh",
        "bash",
        "/bin/bash",
        "BASH",
        "python",
        "python3",
        "python3.12",
        "node",
        "perl",
        "perl5.36",
        "ruby",
        "Rscript",
        "sudo",
        "env",
        "xargs",
        "find",
        "git",
        "sed",
        "time",
        "timeout",
        "/usr/bin/cat",
        "/proc/self/cwd/touch",
        "../x",
        "ld-linux-x86-64.so.2",
    ];
    for program in programs {
        assert!(super::check(&rule(&[program], true)).is_err(), "{program}");
        assert_eq!(super::check(&rule(&[program, "5", "x"], false)).err(), None, "{program}");
    }
    check(
        &["bash", "-c"],
        true,
        expect![[r#"
        bash runs the program it is told, so a rule for it holds for exact words only, not for whatever may follow them
    "#]],
    );
    check(
        &["find", "."],
        true,
        expect![[r#"
        find runs other programs, so a rule for it holds for exact words only, not for whatever may follow them
    "#]],
    );
    check(
        &["timeout", "5", "npm"],
        true,
        expect![[r#"
        timeout runs other programs, so a rule for it holds for exact words only, not for whatever may follow them
    "#]],
    );
}

#[test]
fn what_no_command_can_match_is_no_rule() {
    check(
        &[],
        false,
        expect![[r#"
        a rule needs the words of a command
    "#]],
    );
    check(
        &["export", "A"],
        false,
        expect![[r#"
        export A matches no rule: it changes variables of the shell
    "#]],
    );
    check(
        &["a\nb"],
        false,
        expect![[r#"
        'a
        b' matches no rule: a line ends inside its quotes
    "#]],
    );
    check(
        &["A=1", "npm"],
        false,
        expect![[r#"
        'A=1' npm matches no rule: it names no program
    "#]],
    );
}

#[test]
fn exact_words_are_proposed_and_nothing_wider() {
    let proposed = |command| propose(command, UNCONFINED).map(|rule| (rule.argv, rule.prefix, rule.grants));
    let grants = words(&[UNCONFINED]);
    assert_eq!(proposed("npm 'test' > /dev/null"), Some((words(&["npm", "test"]), false, grants.clone())));
    assert_eq!(proposed("timeout 5 npm test"), Some((words(&["timeout", "5", "npm", "test"]), false, grants)));
    for command in ["npm test; x", "A=1 npm test", "cd a && npm test", "npm $x", "eval x", ""] {
        assert_eq!(proposed(command), None, "{command}");
    }
}

#[test]
fn a_script_is_found_behind_wrappers_and_interpreters() {
    let found = |command: &str| script(&words(&command.split(' ').collect::<Vec<_>>())).map(str::to_owned);
    for (command, expected) in [
        ("./run.sh a", Some("./run.sh")),
        ("timeout 5 ./run.sh", Some("./run.sh")),
        ("bash -x run.sh", Some("run.sh")),
        ("bash -e run.sh", Some("run.sh")),
        ("bash -c run.sh", None),
        ("perl -ne print", None),
        ("awk {print} a", None),
        ("awk -f a.awk", Some("a.awk")),
        ("python3 a.py", Some("a.py")),
        ("/usr/bin/python3 a.py", Some("a.py")),
        ("python3 -m pytest", None),
        ("npm test", None),
        ("env -i ./run.sh", None),
    ] {
        assert_eq!(found(command).as_deref(), expected, "{command}");
    }
}

#[test]
fn a_script_that_changed_or_was_never_bound_matches_nothing() {
    let segment = command::parse("./run.sh").remove(0);
    let held = |given: Option<&str>, present: Option<&str>| {
        let (given, present) = (given.map(str::to_owned), present.map(str::to_owned));
        matching(&segment, UNCONFINED, &[Remembered { rule: rule(&["./run.sh"], false), given, present }]).is_some()
    };
    assert!(held(Some("1"), Some("1")));
    assert!(!held(Some("1"), Some("2")));
    assert!(!held(Some("1"), None));
    assert!(!held(None, Some("1")));
    assert!(!held(None, None));
}

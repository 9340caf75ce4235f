use super::*;
use crate::path::AbsPath;

fn check(mode: Mode, paths: &[&str], expected: Verdict) {
    let root = AbsPath::new("/w").expect("absolute");
    let paths: Vec<_> = paths.iter().map(|path| RootedPath::new(&root, path).expect("inside")).collect();
    assert_eq!(decide(mode, &Action::Write(&paths)), expected);
}

#[test]
fn writes_run_in_agent_mode_and_are_proposed_in_read_only_mode() {
    check(Mode::Agent, &["a.rs"], Verdict::Run);
    check(Mode::ReadOnly, &["a.rs"], Verdict::Propose);
    check(Mode::ReadOnly, &[".git/config"], Verdict::Propose);
}

#[test]
fn one_protected_name_among_many_is_asked() {
    let reason = ".vscode/tasks.json is protected: an editor obeys or runs what stands there".to_owned();
    check(Mode::Agent, &["a.rs", ".vscode/tasks.json"], Verdict::Ask { reason });
}

#[test]
fn reading_running_and_noting_run_in_both_modes() {
    for mode in [Mode::ReadOnly, Mode::Agent] {
        for action in [Action::Read, Action::Run, Action::Note] {
            assert_eq!(decide(mode, &action), Verdict::Run);
        }
    }
}

/// Command lines that look harmless and mostly are not, a JSON object a line.
const CASES: &str = include_str!("../../../tests/policy/classify.jsonl");

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    command: String,
    harmless: bool,
}

fn cases() -> Vec<Case> {
    CASES.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

fn remembered(argv: &[&str], prefix: bool, grant: &str) -> Remembered {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let scope = pilotfish_protocol::Scope::Everywhere;
    let rule =
        Rule { id: None, scope, argv, prefix, grants: vec![grant.to_owned()], file: None, hits: 0, used_at: None };
    let digest = Some("as it was".to_owned());
    Remembered { rule, given: digest.clone(), present: digest }
}

/// The beginnings of a command line as somebody might have allowed them: its first word, its first two, exactly and as a prefix, by its
/// own text and as a shell reads it.
fn bare(command: &str) -> Vec<Remembered> {
    let mut begun: Vec<Vec<String>> = vec![command.split_whitespace().map(str::to_owned).collect()];
    if let Some(Segment::Simple(simple)) = command::parse(command).first() {
        begun.extend([simple.words.clone(), simple.argv().to_vec()]);
    }
    let mut rules = Vec::new();
    for words in begun {
        for length in 1..=2.min(words.len().saturating_sub(1)) {
            let words: Vec<&str> = words.iter().take(length).map(String::as_str).collect();
            rules.extend([false, true].map(|prefix| remembered(&words, prefix, UNCONFINED)));
        }
    }
    rules
}

#[test]
fn no_list_of_safe_commands_lets_anything_out() {
    let harmful: Vec<Case> = cases().into_iter().filter(|case| !case.harmless).collect();
    assert_eq!(harmful.len(), 59);
    for Case { name, command, .. } in harmful {
        assert_eq!(judge_unconfined(&command, &[]).outcome, Outcome::Ask, "{name}");
        let judgement = judge_unconfined(&command, &bare(&command));
        assert_eq!(judgement.outcome, Outcome::Ask, "{name}: {judgement:?}");
    }
}

#[test]
fn confined_commands_run_unasked() {
    let cases = cases();
    assert_eq!(cases.len(), 75);
    for Case { name, command, .. } in cases {
        assert_eq!(judge_confined(&command).outcome, Outcome::Run, "{name}");
    }
}

#[test]
fn harmless_commands_are_asked_when_unconfined_until_they_are_remembered() {
    for Case { name, command, .. } in cases().into_iter().filter(|case| case.harmless) {
        assert_eq!(judge_unconfined(&command, &[]).outcome, Outcome::Ask, "{name}");
        let exact: Vec<Remembered> = command::parse(&command)
            .iter()
            .filter_map(|segment| match segment {
                Segment::Simple(simple) => rules::propose(&simple.to_shell(), UNCONFINED),
                Segment::Opaque { .. } => None,
            })
            .map(|rule| Remembered { rule, given: None, present: None })
            .collect();
        assert_eq!(judge_unconfined(&command, &exact).outcome, Outcome::Run, "{name}");
    }
}

#[test]
fn an_answer_for_one_command_is_none_for_its_likes() {
    const HOST: &str = "host:registry.example";
    let likes = [
        "npm testevil",
        "npm test; x",
        "npm test\nx",
        "npm test $(x)",
        "A=1 npm test",
        "npm test x",
        "npm  tes",
        "npm",
        "x npm test",
        "npm test | x",
        "npm test > x",
        "npm test && x",
        "x || npm test",
        "cd a && npm test",
        "timeout 5 npm test",
        "env npm test",
        "./npm test",
        "npm 'test '",
        "npm \"test$x\"",
        "npm test`x`",
        "npm test {a,b}",
        "npm test\rx",
        "npm\u{a0}test",
        "npm test #",
        "(npm test)",
        "NPM test",
    ];
    for grant in [HOST, UNCONFINED] {
        let rules = [remembered(&["npm", "test"], false, grant)];
        for command in
            ["npm test", " npm  'test'", "n\"pm\" test 2>&1", "npm test\n", "npm test; npm test", "npm test &"]
        {
            assert_eq!(judge_grant(command, grant, &rules).outcome, Outcome::Run, "{command}");
        }
        for command in likes {
            assert_eq!(judge_grant(command, grant, &rules).outcome, Outcome::Ask, "{command}");
        }
    }
    let host_alone = [remembered(&["npm", "test"], false, HOST)];
    assert_eq!(judge_unconfined("npm test", &host_alone).outcome, Outcome::Ask);
}

#[test]
fn a_widened_answer_ends_where_its_command_does() {
    let rules = [remembered(&["npm", "test"], true, UNCONFINED)];
    for command in ["npm test", "npm test x", "npm test --grep 'a; b'"] {
        assert_eq!(judge_unconfined(command, &rules).outcome, Outcome::Run, "{command}");
    }
    for command in
        ["npm testevil", "npm test x; y", "npm test\ny", "npm test $(x)", "A=1 npm test", "npm", "npm test > x"]
    {
        assert_eq!(judge_unconfined(command, &rules).outcome, Outcome::Ask, "{command}");
    }
}

#[test]
fn a_nul_is_refused() {
    assert_eq!(judge_unconfined("ls\0", &[]).outcome, Outcome::Refuse);
}

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

use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Rule, Scope};

fn check(argv: &[&str], prefix: bool, expected: Expect) {
    let rule = Rule {
        id: Some(RuleId::from("r1")),
        scope: Scope::Workspace,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        prefix,
        grants: vec!["unconfined".to_owned()],
        file: None,
        hits: 0,
        used_at: None,
    };
    let given_at = "2026-01-01T00:00:00Z".to_owned();
    expected.assert_eq(&line(&rules::StoredRule { rule, workspace: Some("/p".into()), given_at, digest: None }));
}

#[test]
fn a_rule_is_a_line() {
    check(&["npm", "run", "a b"], false, expect!["r1  `npm run 'a b'`  unconfined  in /p  since 2026-01-01T00:00:00Z"]);
    check(
        &["npm", "test"],
        true,
        expect!["r1  `npm test` and any words  unconfined  in /p  since 2026-01-01T00:00:00Z"],
    );
}

#[test]
fn a_rule_that_cannot_hold_says_why() {
    check(
        &["bash", "-c"],
        true,
        expect![
            "r1  `bash -c` and any words  unconfined  in /p  since 2026-01-01T00:00:00Z  (never holds: bash runs the program it is told, so a rule for it holds for exact words only, not for whatever may follow them)"
        ],
    );
    check(
        &["export", "A"],
        false,
        expect![
            "r1  `export A`  unconfined  in /p  since 2026-01-01T00:00:00Z  (never holds: export A matches no rule: it changes variables of the shell)"
        ],
    );
}

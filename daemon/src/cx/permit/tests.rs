use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::Scope;

const A: &str = "host:a.example";
const B: &str = "host:b.example";

fn rule(id: &str, argv: &[&str], grant: &str) -> Remembered {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let (scope, grants, file, used_at) = (Scope::Workspace, vec![grant.to_owned()], None, None);
    let rule = Rule { id: Some(id.into()), scope, argv, prefix: false, grants, file, hits: 0, used_at };
    Remembered { rule, given: None, present: None }
}

fn check(command: &str, grants: &[&str], expected: Expect) {
    let rules = [
        rule("r1", &["npm", "ci"], A),
        rule("r2", &["npm", "test"], A),
        rule("r3", &["npm", "ci"], "protected:.envrc"),
    ];
    let (judged, used) = judge(command, grants.iter().map(|grant| (*grant).to_owned()).collect(), &rules);
    let asks = judged.segments.iter().map(|part| format!("{}{}", if part.asks { "?" } else { "" }, part.text));
    let proposed = judged.rule.map(|rule| format!("{:?} {:?}", rule.argv, rule.grants));
    expected.assert_eq(&format!(
        "left {:?}, used {:?}, segments {:?}, rule {proposed:?}, refused {:?}",
        judged.left,
        used.into_iter().map(|id| id.0).collect::<Vec<_>>(),
        asks.collect::<Vec<_>>(),
        judged.refusal
    ));
}

#[test]
fn rules_give_what_they_say_and_the_rest_is_asked() {
    check("npm ci", &[A], expect![[r#"left [], used ["r1"], segments [], rule None, refused None"#]]);
    check("npm ci; npm test", &[A], expect![[r#"left [], used ["r1", "r2"], segments [], rule None, refused None"#]]);
    check(
        "npm ci",
        &[A, B],
        expect![[
            r#"left ["host:b.example"], used ["r1"], segments ["?npm ci"], rule Some("[\"npm\", \"ci\"] [\"host:b.example\"]"), refused None"#
        ]],
    );
    check(
        "npm ci; npm run x",
        &[A],
        expect![[
            r#"left ["host:a.example"], used [], segments ["npm ci", "?npm run x"], rule Some("[\"npm\", \"run\", \"x\"] [\"host:a.example\"]"), refused None"#
        ]],
    );
    check(
        "npm ci; npm run x; npm run y",
        &[A],
        expect![[
            r#"left ["host:a.example"], used [], segments ["npm ci", "?npm run x", "?npm run y"], rule None, refused None"#
        ]],
    );
    check(
        "npm run x; npm run x",
        &[A, B],
        expect![[
            r#"left ["host:a.example", "host:b.example"], used [], segments ["?npm run x", "?npm run x"], rule Some("[\"npm\", \"run\", \"x\"] [\"host:a.example\", \"host:b.example\"]"), refused None"#
        ]],
    );
    check(
        "npm run $(x)",
        &[A],
        expect![[r#"left ["host:a.example"], used [], segments ["?npm run $(x)"], rule None, refused None"#]],
    );
}

#[test]
fn no_rule_gives_what_is_protected_or_unknown() {
    check(
        "npm ci",
        &["protected:.envrc"],
        expect![[r#"left ["protected:.envrc"], used [], segments ["npm ci"], rule None, refused None"#]],
    );
    check(
        "npm ci",
        &[A, "protected:.envrc"],
        expect![[r#"left ["protected:.envrc"], used ["r1"], segments ["npm ci"], rule None, refused None"#]],
    );
    check(
        "npm ci",
        &["anything"],
        expect![[r#"left ["anything"], used [], segments ["npm ci"], rule None, refused None"#]],
    );
}

#[test]
fn what_no_program_can_be_told_is_no_question() {
    check(
        "npm ci\0",
        &[A],
        expect![[
            r#"left ["host:a.example"], used [], segments ["?npm ci\0"], rule None, refused Some("refused: no program can be given a NUL")"#
        ]],
    );
}

use super::{count, forget, load};
use crate::config::Home;
use expect_test::{Expect, expect};
use pilotfish_protocol::RuleId;

fn check(home: &Home, expected: Expect) {
    let uses = load(home).unwrap();
    let lines = uses.iter().map(|(id, used)| format!("{id}: {} at {}\n", used.hits, used.used_at));
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn uses_are_counted_for_each_rule_until_it_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let home = Home { config: at("config"), state: at("state"), runtime: at("run") };
    check(&home, expect![""]);
    forget(&home, &RuleId::from("r1")).unwrap();
    count(&home, &["r1".into(), "r2".into()], "2026-01-01T00:00:00Z").unwrap();
    count(&home, &["r1".into()], "2026-01-02T00:00:00Z").unwrap();
    check(
        &home,
        expect![[r#"
            r1: 2 at 2026-01-02T00:00:00Z
            r2: 1 at 2026-01-01T00:00:00Z
        "#]],
    );
    forget(&home, &RuleId::from("r1")).unwrap();
    check(
        &home,
        expect![[r#"
            r2: 1 at 2026-01-01T00:00:00Z
        "#]],
    );
}

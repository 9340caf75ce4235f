use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::Shipped;

fn check(trust: Trust, ships: &[(&str, bool, Option<&str>)], expected: Expect) {
    let shipped = |&(path, counts, diff): &(&str, bool, Option<&str>)| Shipped {
        path: path.to_owned(),
        counts,
        diff: diff.map(ToOwned::to_owned),
    };
    let state = TrustState { trust, ships: ships.iter().map(shipped).collect() };
    expected.assert_eq(&in_words("/home/ann/watcher", &state));
}

#[test]
fn what_was_never_said_is_shown_as_that() {
    check(
        Trust::Unknown,
        &[("AGENTS.md", false, None)],
        expect![[r#"
            /home/ann/watcher: nobody has said whether to trust it; its sessions begin in read-only mode
              AGENTS.md takes no effect
        "#]],
    );
}

#[test]
fn a_change_is_shown_as_a_difference_and_escaped() {
    check(
        Trust::Trusted,
        &[(".pilotfish/config.toml", true, None), ("AGENTS.md", false, Some("@@ -1 +1 @@\n-be brief\n+\u{1b}[2J\n"))],
        expect![[r#"
            /home/ann/watcher: trusted
              .pilotfish/config.toml takes effect
              AGENTS.md has changed since, and takes no effect:
                @@ -1 +1 @@
                -be brief
                +\u{1b}[2J
        "#]],
    );
}

use super::*;
use expect_test::{Expect, expect};

fn check(changes: &[(&str, &str)], checkpoint: Option<&str>, dry_run: bool, expected: Expect) {
    let changes = changes.iter().map(|(uri, change)| FileChange { uri: (*uri).into(), change: (*change).into() });
    let restored = Restored { checkpoint_id: checkpoint.map(CheckpointId::from), changes: changes.collect() };
    expected.assert_eq(&in_words(&restored, dry_run));
}

#[test]
fn says_what_was_done_and_how_to_take_it_back() {
    let changes = [("file:///w/a", "deleted"), ("file:///w/b%1b", "left: you changed it since")];
    check(
        &changes,
        Some("k2"),
        false,
        expect![[r#"
            deleted  /w/a
            left: you changed it since  /w/b
            To take this back: pilotfish checkpoint restore k2
        "#]],
    );
    check(
        &changes[..1],
        None,
        true,
        expect![[r#"
        deleted  /w/a
        Nothing was done.
    "#]],
    );
    check(&[], None, false, expect![["All is as it was then.\n"]]);
}

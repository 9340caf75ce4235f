use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// Lines are words here.
fn check(base: &str, ours: &str, theirs: &str, expected: Expect) {
    let text = |words: &str| words.split_whitespace().map(|word| format!("{word}\n")).collect::<String>().into_bytes();
    let shown = match rebase(&text(base), &text(ours), &text(theirs)) {
        Ok(merged) => String::from_utf8(merged).expect("text").replace('\n', " "),
        Err(overlap) => format!("{overlap}; ours {:?}", overlap.ours),
    };
    expected.assert_eq(&shown);
}

#[test]
fn changes_apart_both_survive() {
    check("a b c d e", "a B c d e", "a b c D e", expect!["a B c D e "]);
    check("a b c d e", "b c d e", "a b c d", expect!["b c d "]);
}

#[test]
fn changes_that_touch_both_survive() {
    check("a b c d", "a B c d", "a b C d", expect!["a B C d "]);
    check("a b c", "a x b c", "a B c", expect!["a x B c "]);
    check("a b c", "a b x c", "a B c", expect!["a B x c "]);
    check("a b", "a x b", "a y b", expect!["a y x b "]);
}

#[test]
fn equal_changes_count_once() {
    check("a b c", "a B c", "a B c", expect!["a B c "]);
    check("a b c d", "a B c D", "a B c d", expect!["a B c D "]);
}

#[test]
fn changes_of_the_same_lines_are_not_merged() {
    check("a b c", "a B c", "a X c", expect!["lines 2-2 were changed meanwhile; ours 1..2"]);
    check("a b c d", "a d", "a b X c d", expect!["lines 3-3 were changed meanwhile; ours 1..1"]);
    check("a b c", "a c", "a B c", expect!["lines 2-2 were changed meanwhile; ours 1..1"]);
}

#[test]
fn lines_never_grow_together() {
    let both_add =
        |ours: &[u8], theirs: &[u8]| rebase(b"a\n", ours, theirs).map(|text| String::from_utf8(text).expect("text"));
    assert_eq!(both_add(b"a\nx\n", b"a\ny"), Ok("a\nx\ny".to_owned()));
    assert_eq!(both_add(b"a\nx", b"a\ny\n"), Ok("a\ny\nx".to_owned()));
    assert!(both_add(b"a\nx", b"a\ny").is_err());
    assert!(both_add(b"a\nx\n", b"a").is_err());
}

proptest! {
    #[test]
    fn no_line_of_theirs_is_lost(
        base in 0usize..12,
        ours in prop::collection::vec((0usize..12, 0usize..3, 0usize..3), 0..4),
        theirs in prop::collection::vec((0usize..12, 0usize..3, 0usize..3), 0..4),
        cut in any::<bool>(),
    ) {
        let base: Vec<String> = (0..base).map(|line| format!("{line}\n")).collect();
        let change = |changes: Vec<(usize, usize, usize)>, name: &str| {
            let mut text = base.clone();
            for (number, (at, removed, added)) in changes.into_iter().enumerate() {
                let at = at.min(text.len());
                let end = (at + removed).min(text.len());
                text.splice(at..end, (0..added).map(|line| format!("{name} {number} {line}\n")));
            }
            text
        };
        let (ours, theirs) = (change(ours, "ours"), change(theirs, "theirs"));
        let mut their_text = theirs.concat();
        if cut {
            their_text.pop();
        }
        if let Ok(merged) = rebase(base.concat().as_bytes(), ours.concat().as_bytes(), their_text.as_bytes()) {
            let merged = String::from_utf8(merged).expect("text");
            let merged: Vec<&str> = merged.lines().collect();
            let is_own = |line: &&str| line.starts_with("theirs");
            let kept: Vec<&str> = merged.iter().copied().filter(is_own).collect();
            prop_assert_eq!(kept, their_text.lines().filter(|line| line.starts_with("theirs")).collect::<Vec<_>>());
            for line in &base {
                let (line, in_text) = (line.trim_end(), |text: &[String]| text.contains(line));
                prop_assert_eq!(merged.contains(&line), in_text(&ours) && their_text.lines().any(|other| other == line));
            }
        }
    }
}

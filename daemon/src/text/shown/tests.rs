use super::{shown, shown_line};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(text: &str, expected: Expect) {
    let shown = shown(text);
    expected.assert_eq(&format!("{}{}", if shown.escaped { "escaped: " } else { "" }, shown.text));
}

#[test]
fn what_can_be_seen_stays() {
    check("git push\torigin 'größe 日本'\n  && ls", expect!["git push\torigin 'größe 日本'\n  && ls"]);
}

#[test]
fn what_hides_or_turns_is_shown() {
    check("a\u{1b}[2Kb", expect![[r"escaped: a\u{1b}[2Kb"]]);
    check("rm -rf /\rls", expect![[r"escaped: rm -rf /\u{d}ls"]]);
    check("x\u{8}\u{8}y", expect![[r"escaped: x\u{8}\u{8}y"]]);
    check("\u{1b}]8;;http://x\u{7}ls\u{1b}]8;;\u{7}", expect![[r"escaped: \u{1b}]8;;http://x\u{7}ls\u{1b}]8;;\u{7}"]]);
    check("\u{9b}31m \u{1b}]52;c;YQ==\u{7}", expect![[r"escaped: \u{9b}31m \u{1b}]52;c;YQ==\u{7}"]]);
    check("a\u{202e}b\u{2066}c", expect![[r"escaped: a\u{202e}b\u{2066}c"]]);
    check("a\u{200b}b\u{e0041}c\u{feff}", expect![[r"escaped: a\u{200b}b\u{e0041}c\u{feff}"]]);
    check("a\u{a0}b\u{3000}c\u{2800}d\u{3164}", expect![[r"escaped: a\u{a0}b\u{3000}c\u{2800}d\u{3164}"]]);
}

#[test]
fn a_line_stays_one() {
    assert_eq!(shown_line("a\nb\tc").text, r"a\u{a}b\u{9}c");
    assert!(shown_line("a\nb").escaped && !shown_line("a b").escaped);
}

#[test]
fn nothing_is_pushed_off_the_screen() {
    check(
        &format!("ls{}; rm x", " ".repeat(100)),
        expect![
            "ls                                                                                                    ; rm x"
        ],
    );
    check(&format!("ls{}; rm x", " ".repeat(3000)), expect!["escaped: ls[3000 blanks, 0 of them line ends]; rm x"]);
    check(&format!("ls{}rm x", "\n \t".repeat(11)), expect!["escaped: ls[33 blanks, 11 of them line ends]rm x"]);
}

proptest! {
    #[test]
    fn what_is_not_escaped_is_the_text(text in "\\PC*|[\\x00-\\x7f]{0,40}|.{0,40}") {
        let once = shown(&text);
        prop_assert_eq!(once.escaped, once.text != text);
        let twice = shown(&once.text);
        prop_assert!(!twice.escaped);
    }
}

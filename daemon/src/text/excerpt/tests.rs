use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(text: &str, max_chars: usize, expected: Expect) {
    let excerpt = excerpt(text, max_chars);
    assert!(excerpt.text.chars().count() <= max_chars);
    expected.assert_eq(&format!("{}({} lines, {} bytes)", excerpt.text, excerpt.omitted_lines, excerpt.omitted_bytes));
}

fn output(lines: usize, special: &[(usize, &str)]) -> String {
    (0..lines)
        .map(|at| match special.iter().find(|(line, _)| *line == at) {
            Some((_, text)) => format!("{text}\n"),
            None => format!("   Compiling crate{at} v0.1.{at}\n"),
        })
        .collect()
}

#[test]
fn what_fits_is_shown_whole() {
    check("", 0, expect!["(0 lines, 0 bytes)"]);
    check("äöü", 3, expect!["äöü(0 lines, 0 bytes)"]);
    check(
        "a\nb\n",
        4,
        expect![[r#"
        a
        b
        (0 lines, 0 bytes)"#]],
    );
}

#[test]
fn head_and_tail_are_shown_and_the_gap_is_named() {
    check(
        &output(100, &[]),
        600,
        expect![[r#"
           Compiling crate0 v0.1.0
           Compiling crate1 v0.1.1
           Compiling crate2 v0.1.2
           Compiling crate3 v0.1.3
           Compiling crate4 v0.1.4
           Compiling crate5 v0.1.5
           Compiling crate6 v0.1.6
           Compiling crate7 v0.1.7
           Compiling crate8 v0.1.8
           Compiling crate9 v0.1.9
           Compiling crate10 v0.1.10
           Compiling crate11 v0.1.11
           Compiling crate12 v0.1.12
        [… 81 lines, 2.3 KB left out …]
           Compiling crate94 v0.1.94
           Compiling crate95 v0.1.95
           Compiling crate96 v0.1.96
           Compiling crate97 v0.1.97
           Compiling crate98 v0.1.98
           Compiling crate99 v0.1.99
        (81 lines, 2349 bytes)"#]],
    );
}

#[test]
fn telling_lines_of_the_middle_are_shown() {
    let special = [
        (40, "warning: unused variable: `x`"),
        (41, "  --> src/main.rs:12:9"),
        (50, "error[E0308]: mismatched types"),
        (51, "  --> src/lib.rs:7:5"),
        (70, "test result: FAILED. 3 passed; 1 failed"),
    ];
    check(
        &output(100, &special),
        1200,
        expect![[r#"
           Compiling crate0 v0.1.0
           Compiling crate1 v0.1.1
           Compiling crate2 v0.1.2
           Compiling crate3 v0.1.3
           Compiling crate4 v0.1.4
           Compiling crate5 v0.1.5
           Compiling crate6 v0.1.6
           Compiling crate7 v0.1.7
           Compiling crate8 v0.1.8
           Compiling crate9 v0.1.9
           Compiling crate10 v0.1.10
           Compiling crate11 v0.1.11
           Compiling crate12 v0.1.12
           Compiling crate13 v0.1.13
        [… 27 lines, 784 bytes left out …]
          --> src/main.rs:12:9
        [… 8 lines, 232 bytes left out …]
        error[E0308]: mismatched types
          --> src/lib.rs:7:5
        [… 18 lines, 522 bytes left out …]
        test result: FAILED. 3 passed; 1 failed
        [… 16 lines, 464 bytes left out …]
           Compiling crate87 v0.1.87
           Compiling crate88 v0.1.88
           Compiling crate89 v0.1.89
           Compiling crate90 v0.1.90
           Compiling crate91 v0.1.91
           Compiling crate92 v0.1.92
           Compiling crate93 v0.1.93
           Compiling crate94 v0.1.94
           Compiling crate95 v0.1.95
           Compiling crate96 v0.1.96
           Compiling crate97 v0.1.97
           Compiling crate98 v0.1.98
           Compiling crate99 v0.1.99
        (69 lines, 2002 bytes)"#]],
    );
}

#[test]
fn long_lines_are_cut_in_their_middle() {
    check(
        &"ä".repeat(2000),
        300,
        expect![
            "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää[… 3.6 KB of this line left out …]ääääääääääääääääääääääääääääääääääääääääääääääääääääääääää(0 lines, 3656 bytes)"
        ],
    );
    check(
        &format!("{}\nshort\n{}\n", "a".repeat(900), "b".repeat(900)),
        500,
        expect![[r#"
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[… 820 bytes of this line left out …]aaaaaaaaaaaaaaaaaaaaaaaaaaa
        short
        bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb[… 820 bytes of this line left out …]bbbbbbbbbbbbbbbbbbbbbbbbbbb
        (0 lines, 1640 bytes)"#]],
    );
    check(
        &format!("{}{}\nend\n", output(30, &[]), "x".repeat(5000)),
        500,
        expect![[r#"
           Compiling crate0 v0.1.0
           Compiling crate1 v0.1.1
           Compiling crate2 v0.1.2
           Compiling crate3 v0.1.3
           Compiling crate4 v0.1.4
           Compiling crate5 v0.1.5
           Compiling crate6 v0.1.6
           Compiling crate7 v0.1.7
           Compiling crate8 v0.1.8
           Compiling crate9 v0.1.9
           Compiling crate10 v0.1.10
        [… 19 lines, 551 bytes left out …]
        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[… 4.9 KB of this line left out …]xxxxxxxxxxxxxxxxxxxx
        end
        (19 lines, 5491 bytes)"#]],
    );
}

#[test]
fn little_room_shows_the_beginning() {
    check(
        "hello world, this is long\n",
        20,
        expect![[r#"
        hello worl
        [… cut …](0 lines, 16 bytes)"#]],
    );
    check("hello world\n", 5, expect!["hello(0 lines, 7 bytes)"]);
    check("hello", 0, expect!["(1 lines, 5 bytes)"]);
}

#[test]
fn telling_lines_are_told_from_others() {
    let told = |line: &str| format!("{:?}", telling::weight(line));
    let verdicts = ["Error: x", "FAILED tests/a.py", "thread 'main' panicked at", "ok. 12 passed", "Traceback (most"];
    let places = ["  --> src/a.rs:3:1", "app/x.ts(3,4): bad", "  File \"a.py\", line 3, in f", "at f (/a/b.js:10:2)"];
    let others = ["Compiling a v0.1", "12:30:01 started", "ratio 3:4", "see http://a.b/c", "f(1)", ""];
    assert_eq!(verdicts.map(told), ["Some(Verdict)"; 5]);
    assert_eq!(places.map(told), ["Some(Place)"; 4]);
    assert_eq!(others.map(told), ["None"; 6]);
    assert_eq!(told("warning: unused"), "Some(Warning)");
}

#[test]
fn terminal_output_becomes_plain_text() {
    let check = |bytes: &[u8], expected: &str| assert_eq!(printable(bytes), expected, "{bytes:?}");
    check(b"a\tb\n", "a\tb\n");
    check(b"\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mx\x1b[m\n", "red x\n");
    check(b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "alink\n");
    check(b"\x1b(Ba\x1b=b\x1bMc\x1bP1;2qdata\x1b\\d", "abcd");
    check("\u{9b}31ma\u{9d}0;t\u{9c}b".as_bytes(), "ab");
    check(b"\x1b]0;never ends\nnext\n", "\nnext\n");
    check(b"\x1b[12\nx\x1b", "\nx");
    check(b"10%\r50%\r100%\ndone\r\n", "100%\ndone\n");
    check(b"building\r\x1b[K", "building");
    check(b"a\r\r\nb\r\n\r\n", "a\nb\n\n");
    check(b"N\x08Na\x08b", "Nb");
    check(b"\x00\x07\x7f", "\\u{0}\\u{7}\\u{7f}");
    check(
        "a\u{202e}b\u{200b}c\u{feff}d\u{85}e\u{e0041}".as_bytes(),
        "a\\u{202e}b\\u{200b}c\\u{feff}d\\u{85}e\\u{e0041}",
    );
    check("ä 日本 👍🏽".as_bytes(), "ä 日本 👍🏽");
    check(b"a\xffb\xc3", "a\u{fffd}b\u{fffd}");
}

proptest! {
    #[test]
    fn an_excerpt_never_takes_more_than_its_room(text in "([a-z\u{e4}\u{1d11e}]{0,90}(error: | a.rs:1)?\n?){0,60}", max_chars in 0usize..2000) {
        let excerpt = excerpt(&text, max_chars);
        prop_assert!(excerpt.text.chars().count() <= max_chars);
        prop_assert_eq!(excerpt.omitted_bytes == 0, excerpt.text == text);
        prop_assert!(excerpt.omitted_lines <= text.split_inclusive('\n').count());
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,400}", max_chars in 0usize..500, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(excerpt(&text, max_chars).text.chars().count() <= max_chars);
        let shown = printable(&bytes);
        prop_assert!(shown.chars().all(|character| !character.is_control() || matches!(character, '\n' | '\t')));
        prop_assert_eq!(printable(shown.as_bytes()), shown);
    }
}

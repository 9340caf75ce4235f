#![expect(clippy::single_range_in_vec_init, reason = "a list of one range of lines is meant")]

use super::*;
use crate::text::hunks;
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// Checks what a refused edit says. `near` is `near_line`.
fn check(file: &str, old: &str, new: &str, near: Option<u32>, expected: Expect) {
    let replacement = Replacement { old, new, replace_all: false, near_line: near };
    let said = match replace(file, &replacement) {
        Ok(replaced) => format!("landed: {replaced:?}"),
        Err(mismatch) => mismatch.explain(file, &replacement),
    };
    assert!(said.len() <= 2048, "{} bytes", said.len());
    expected.assert_eq(&said);
}

/// (file, old, new, the file afterwards)
type Case = (&'static str, &'static str, &'static str, &'static str);

fn lands(tier: Tier, cases: &[Case]) {
    for (file, old, new, after) in cases {
        let replaced = replace(file, &Replacement { old, new, replace_all: false, near_line: None });
        let shown = replaced.as_ref().map(|replaced| (replaced.text.as_str(), replaced.tier, replaced.places));
        assert_eq!(shown, Ok((*after, tier, 1)), "{old:?} -> {new:?} in {file:?}");
    }
}

fn refused(cases: &[(&str, &str, &str)]) -> Vec<Mismatch> {
    let refusal = |(file, old, new): &(&str, &str, &str)| {
        replace(file, &Replacement { old, new, replace_all: false, near_line: None }).expect_err("refused")
    };
    cases.iter().map(refusal).collect()
}

#[test]
fn exact_ones_land_byte_for_byte() {
    lands(
        Tier::Exact,
        &[
            ("a\nb\nc\n", "b", "B", "a\nB\nc\n"),
            ("a\nb\nc\n", "b\n", "B\n", "a\nB\nc\n"),
            ("a\nb\nc\n", "b\n", "", "a\nc\n"),
            ("a\nb\nc\n", "a\nb\nc\n", "", ""),
            ("let x = 1;\n", "x = 1", "y = 22", "let y = 22;\n"),
            ("a\nb", "b", "c", "a\nc"),
            ("a\nb", "b", "c\n", "a\nc\n"),
            ("a\nb\n", "b\n", "b", "a\nb"),
            ("a\n\n\nb\n", "a\n\n\nb", "a\n\nb", "a\n\nb\n"),
            ("a b  \nc\n", "b  \nc", "b\nc", "a b\nc\n"),
            ("\tif x {\n\t}\n", "\tif x {", "\tif y {", "\tif y {\n\t}\n"),
            ("ä “x” …\n", "“x”", "\"x\"", "ä \"x\" …\n"),
            ("日本語\n", "本", "本本", "日本本語\n"),
            ("x\u{0}y\n", "\u{0}", "z", "xzy\n"),
            ("f(1)\nf(2)\n", "f(2)", "$1 \\1", "f(1)\n$1 \\1\n"),
            ("one line", "one", "1", "1 line"),
            ("one line", "line", "line\r\nmore", "one line\r\nmore"),
            ("old new\n", "old", "new", "new new\n"),
        ],
    );
}

#[test]
fn line_endings_stay_those_of_the_file() {
    lands(
        Tier::Exact,
        &[
            ("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n", "x\r\ny\r\nc\r\n"),
            ("a\r\nb\r\nc\r\n", "b", "x\ny", "a\r\nx\r\ny\r\nc\r\n"),
            ("a\r\nb\r\nc\r\n", "\nb", "\nx", "a\r\nx\r\nc\r\n"),
            ("a\r\nb\r\nc\r\n", "b\r\n", "x\r\n", "a\r\nx\r\nc\r\n"),
            ("a\r\nb", "a\nb", "x\ny", "x\r\ny"),
            ("a\nb\nc\n", "a\r\nb\r\n", "x\r\ny\r\n", "x\ny\nc\n"),
            ("a\nb\r\nc\r\nd\n", "b\nc", "x\ny\nz", "a\nx\r\ny\r\nz\r\nd\n"),
            ("a\nb\r\nc\r\nd\n", "a", "x\ny", "x\ny\nb\r\nc\r\nd\n"),
            ("a\rb\n", "a\rb", "c", "c\n"),
        ],
    );
    lands(
        Tier::TrailingBlanks,
        &[
            ("a  \r\nb\r\nc\r\n", "a\nb\n", "a\nB\n", "a  \r\nB\r\nc\r\n"),
            ("a \nb\r\nc\n", "a\nb\nc\n", "a\nB\nc\n", "a \nB\r\nc\n"),
            ("x\na\nb", "a\nb\n", "a\nB\n", "x\na\nB"),
        ],
    );
}

#[test]
fn byte_order_mark_and_missing_final_newline_stay() {
    lands(
        Tier::Exact,
        &[
            ("\u{feff}a\nb\n", "a\n", "x\n", "\u{feff}x\nb\n"),
            ("\u{feff}a\nb\n", "\u{feff}a\n", "x\n", "\u{feff}x\nb\n"),
            ("\u{feff}a\nb\n", "\u{feff}a\n", "\u{feff}x\n", "\u{feff}x\nb\n"),
            ("a\nb\n", "\u{feff}a\n", "x\n", "x\nb\n"),
            ("\u{feff}a\r\nb", "a\nb", "x\ny", "\u{feff}x\r\ny"),
        ],
    );
    lands(
        Tier::TrailingBlanks,
        &[
            ("\u{feff}a \nb\n", "a\nb\n", "x\nb\n", "\u{feff}x\nb\n"),
            ("a\nb", "b  ", "c", "a\nc"),
            ("a\nb", "b\n", "c\n", "a\nc"),
            ("a\nb", "b\n", "b\nc\n", "a\nb\nc"),
            ("a\nb\nc", "b\nc\n", "b\n", "a\nb\n"),
            ("a\nb\nc", "b\nc\n", "c\n", "a\nc"),
        ],
    );
}

#[test]
fn trailing_blanks_are_ignored_and_kept_lines_keep_them() {
    lands(
        Tier::TrailingBlanks,
        &[
            ("a \nb\t\nc\n", "a\nb\nc\n", "a\nB\nc\n", "a \nB\nc\n"),
            ("a\nb\n", "a  \nb\n", "A\nb\n", "A\nb\n"),
            ("a \nb\n", "a\nb\n", "a\nb\nc\n", "a \nb\nc\n"),
            ("a \n  \nb\n", "a\n\nb", "a\n\nB", "a \n  \nB\n"),
            ("x\na \nb\n", "a\nb", "", "x\n"),
            ("aa\na \n", "a\t", "b", "aa\nb\n"),
        ],
    );
}

#[test]
fn shifted_indentation_lands_with_the_shift() {
    lands(
        Tier::Indentation,
        &[
            // Too little quoted.
            (
                "class A:\n    def f(self):\n        return 1\n",
                "def f(self):\n    return 1\n",
                "def f(self):\n    x = 2\n    return x\n",
                "class A:\n    def f(self):\n        x = 2\n        return x\n",
            ),
            ("{\n\t\ta\n\t\tb\n}\n", "a\nb\n", "a\n\tc\nb\n", "{\n\t\ta\n\t\t\tc\n\t\tb\n}\n"),
            ("    a\n\n    b\n", "a\n\nb\n", "a\n\nc\n", "    a\n\n    c\n"),
            ("    a\n    b\n", "  a\n  b\n", "  a\n    x\n  b\n", "    a\n      x\n    b\n"),
            // Too much quoted.
            (
                "def f():\n    return 1\n",
                "    def f():\n        return 1\n",
                "    def f():\n        return 2\n",
                "def f():\n    return 2\n",
            ),
            ("\ta\n\tb\n", "\t\ta\n\t\tb\n", "\t\ta\n\n\t\tc\n", "\ta\n\n\tc\n"),
            // Blanks quoted, tabs there.
            ("if x:\n\ta\n\tb\n", "if x:\n    a\n    b\n", "if x:\n    a\n        c\n", "if x:\n\ta\n\t\tc\n"),
            ("\tif x:\n\t\ta\n", "    if x:\n        a\n", "    if x:\n        b\n", "\tif x:\n\t\tb\n"),
            ("\t\tif x:\n\t\t\ta\n", "if x:\n  a\n", "if x:\n  a\n  b\n", "\t\tif x:\n\t\t\ta\n\t\t\tb\n"),
            ("f\n\tif x {\n\t\ty\n\t}\n", "if x {\n    y\n}\n", "if x {\n    z\n}\n", "f\n\tif x {\n\t\tz\n\t}\n"),
            // Tabs quoted, blanks there.
            ("if x:\n    a\n    b\n", "if x:\n\ta\n\tb\n", "if x:\n\ta\n\t\tc\n", "if x:\n    a\n        c\n"),
            ("  if x:\n    a\n", "\tif x:\n\t\ta\n", "\tif x:\n\t\tb\n", "  if x:\n    b\n"),
            ("q:\n  r\n    a\n", "\t\ta\n", "\t\ta\n\t\tb\n", "q:\n  r\n    a\n    b\n"),
            ("q:\n  r:\n    a\n", "\ta\n", "\ta:\n\t\tb\n", "q:\n  r:\n    a:\n      b\n"),
            // What is kept stays as it is.
            ("  a \r\n  b\r\n", "a\nb\n", "a\nc\n", "  a \r\n  c\r\n"),
        ],
    );
}

#[test]
fn blank_lines_are_ignored_and_stay_where_they_can() {
    lands(
        Tier::BlankLines,
        &[
            ("a\n\nb\nc\n", "a\nb\nc\n", "a\nb\nC\n", "a\n\nb\nC\n"),
            ("a\n\nb\n", "a\nb\n", "A\nb\n", "A\n\nb\n"),
            ("a\n\nb\n", "a\nb\n", "a\nx\nb\n", "a\n\nx\nb\n"),
            ("a\n\nb\n", "a\nb\n", "x\n", "x\n"),
            ("a\nb\nc\n", "a\n\nb\n\nc\n", "a\n\nB\n\nc\n", "a\nB\nc\n"),
            ("a\n\n\nb\n", "a\n\nb\n", "a\n\nB\n", "a\n\n\nB\n"),
            ("a\ny\n", "\na\n", "\nb\n", "b\ny\n"),
            ("a\n\nb\n", "a\nb\n", "a\n\nx\nb\n", "a\n\nx\nb\n"),
            ("x\na\ny\n", "a\n\n\n", "b\n\n\n", "x\nb\ny\n"),
            ("\na\ny\n", "\n\na\ny\n", "\n\nb\ny\n", "\nb\ny\n"),
            ("    a\n\n    b\n", "a\nb\n", "a\nc\n", "    a\n\n    c\n"),
            ("a\n \t\nb\nc\n", "a\nb\nc", "a\nb", "a\n \t\nb\n"),
        ],
    );
}

#[test]
fn typographic_punctuation_is_ignored() {
    lands(
        Tier::Punctuation,
        &[
            ("say “hi”\n", "say \"hi\"", "say \"ho\"", "say \"ho\"\n"),
            ("it's\nok\n", "it’s\nok\n", "it’s\nfine\n", "it's\nfine\n"),
            ("a – b\nc\n", "a - b\nc\n", "a - b\nd\n", "a – b\nd\n"),
            ("wait…\nx\n", "wait...\nx\n", "wait...\ny\n", "wait…\ny\n"),
            ("a\u{a0}b\nx\n", "a b\nx\n", "a b\ny\n", "a\u{a0}b\ny\n"),
            ("a\u{200b}b\nx\n", "ab\nx\n", "ab\ny\n", "a\u{200b}b\ny\n"),
            ("  “q”\n  x\n", "\"q\"\nx\n", "\"q\"\ny\n", "  “q”\n  y\n"),
        ],
    );
}

#[test]
fn quoted_line_numbers_are_taken_off() {
    lands(
        Tier::LineNumbers,
        &[
            ("a\nb\nc\n", "     2\tb\n     3\tc\n", "     2\tB\n     3\tc\n", "a\nB\nc\n"),
            ("a\nb\nc\n", "2: b\n3: c\n", "B\nc\n", "a\nB\nc\n"),
            ("a\n    b\nc\n", "2|    b\n3|c\n", "    B\nc\n", "a\n    B\nc\n"),
            ("a\nb\n", " 1 | a\n 2 | b\n", " 1 | a\n 2 | x\n", "a\nx\n"),
            ("a\n\nb\n", "1→a\n2→\n3→b\n", "1→a\n2→\n3→c\n", "a\n\nc\n"),
            ("a\n\nb\n", "1: a\n2:\n3: b\n", "1: a\n2:\n3: c\n", "a\n\nc\n"),
            ("a\nb\n", "1\ta\n2\tb\n", "1\ta\nnew\n2\tb\n", "a\nnew\nb\n"),
            (
                "\tf {\n\t\tx\n\t}\n",
                "   1\t\tf {\n   2\t\t\tx\n   3\t\t}\n",
                "\tf {\n\t\ty\n\t}\n",
                "\tf {\n\t\ty\n\t}\n",
            ),
        ],
    );
}

#[test]
fn all_places_are_replaced_when_asked_to() {
    let all = |file: &str, old: &str, new: &str| {
        let replaced = replace(file, &Replacement { old, new, replace_all: true, near_line: None }).expect("lands");
        (replaced.text, replaced.tier, replaced.places)
    };
    assert_eq!(all("a a\na\n", "a", "b"), ("b b\nb\n".to_owned(), Tier::Exact, 3));
    assert_eq!(all("aaa\n", "aa", "b"), ("ba\n".to_owned(), Tier::Exact, 1));
    assert_eq!(all("a\r\na\r\n", "a\n", "b\n"), ("b\r\nb\r\n".to_owned(), Tier::Exact, 2));
    assert_eq!(all("a \nx\na\t\n", "a\nx", "a\ny"), ("a \ny\na\t\n".to_owned(), Tier::TrailingBlanks, 1));
    assert_eq!(
        all(" if\n  a\n\tif\n\t a\n", "if\n a", "if\n b"),
        (" if\n  b\n\tif\n\t b\n".to_owned(), Tier::Indentation, 2)
    );
    assert_eq!(all("a \na \na \n", "a\na", "b"), ("b\na \n".to_owned(), Tier::TrailingBlanks, 1));
}

#[test]
fn near_line_takes_the_clearly_nearest_place() {
    let near = |line: u32| {
        let file = "x\n1\n2\n3\n4\nx\n6\n7\nx\n";
        let replaced = replace(file, &Replacement { old: "x", new: "y", replace_all: false, near_line: Some(line) });
        replaced.map(|replaced| replaced.lines)
    };
    let ambiguous = Err(Mismatch::Ambiguous { tier: Tier::Exact, places: 3, lines: vec![0, 5, 8] });
    assert_eq!(near(0), Ok(vec![0..1]));
    assert_eq!(near(1), Ok(vec![0..1]));
    assert_eq!(near(2), Ok(vec![0..1]));
    assert_eq!(near(3), ambiguous);
    assert_eq!(near(4), ambiguous);
    assert_eq!(near(5), Ok(vec![5..6]));
    assert_eq!(near(6), Ok(vec![5..6]));
    assert_eq!(near(7), ambiguous);
    assert_eq!(near(9), Ok(vec![8..9]));
    assert_eq!(near(u32::MAX), ambiguous);
    let same_line = replace("x x\n", &Replacement { old: "x", new: "y", replace_all: false, near_line: Some(1) });
    assert_eq!(same_line, Err(Mismatch::Ambiguous { tier: Tier::Exact, places: 2, lines: vec![0, 0] }));
}

#[test]
fn changed_lines_are_those_of_the_new_text() {
    let lines = |file: &str, old: &str, new: &str| {
        replace(file, &Replacement { old, new, replace_all: true, near_line: None }).expect("lands").lines
    };
    assert_eq!(lines("a\nb\nc\n", "b\n", "x\ny\n"), vec![1..3]);
    assert_eq!(lines("a\nb\nc\n", "b\n", ""), vec![1..1]);
    assert_eq!(lines("a\nb\nc\nb\n", "b\n", "x\n"), vec![1..2, 3..4]);
    assert_eq!(lines("a\nb\nc\n", "a\nb\nc\n", "a\nB\nc\n"), vec![1..2]);
    assert_eq!(lines("a\nb", "b", "b\n"), vec![1..2]);
    assert_eq!(lines("a\nb\nc\n", "b\n", "x\nb\n"), vec![1..2]);
    assert_eq!(lines("a\nb\nc\n", "a\nb\nc\n", "a\nc\n"), vec![1..1]);
    assert_eq!(lines("a b\nc\n", " b\n", "\n"), vec![0..1]);
    assert_eq!(lines("a b\nc\n", "b\n", "x\nb\n"), vec![0..2]);
    assert_eq!(lines("a a\na\n", "a", "b"), vec![0..1, 1..2]);
    assert_eq!(lines("a\r\nb\r\nc\r\n", "b\nc\n", "b\nx\ny\n"), vec![2..4]);
    assert_eq!(lines("\u{feff}ä\nb\n", "ä\nb", "ä\nä"), vec![1..2]);
    assert_eq!(lines("a \nb\nc\nd\n", "a\nb\nc\nd\n", "a\nB\nc\nx\nd\n"), vec![1..2, 3..4]);
    assert_eq!(lines("a \nb\nc\n", "a\nb\nc\n", "a\nc\n"), vec![1..1]);
}

#[test]
fn ambiguous_ones_never_land() {
    let ambiguous = |tier, lines: Vec<usize>| Mismatch::Ambiguous { tier, places: lines.len(), lines };
    assert_eq!(
        refused(&[
            ("a\na\n", "a", "b"),
            ("aa\n", "a", "b"),
            ("aaa\n", "aa", "b"),
            ("a\nb\na\nb\na\nb\n", "a\nb\na\nb\n", ""),
            ("a\r\nb\r\na\nb\n", "a\nb\n", "x\n"),
            ("a \nx\na\t\nx\n", "a\nx\n", "b\n"),
            (" a\n  b\nx\n  a\n   b\n", "a\n b\n", "c\n"),
            ("a\n\nb\nx\na\n\n\nb\n", "a\nb\n", "c\n"),
            ("“a”\n„a“\n", "\"a\"", "b"),
            ("a\nb\na\n", "1\ta\n", "1\tc\n"),
        ]),
        vec![
            ambiguous(Tier::Exact, vec![0, 1]),
            ambiguous(Tier::Exact, vec![0, 0]),
            ambiguous(Tier::Exact, vec![0, 0]),
            ambiguous(Tier::Exact, vec![0, 2]),
            ambiguous(Tier::Exact, vec![0, 2]),
            ambiguous(Tier::TrailingBlanks, vec![0, 2]),
            ambiguous(Tier::Indentation, vec![0, 3]),
            ambiguous(Tier::BlankLines, vec![0, 4]),
            ambiguous(Tier::Punctuation, vec![0, 1]),
            ambiguous(Tier::LineNumbers, vec![0, 2]),
        ]
    );
}

#[test]
fn empty_and_idle_ones_are_refused() {
    assert_eq!(
        refused(&[
            ("a\n", "", "b"),
            ("", "", "b"),
            ("a\n", "\u{feff}", "b"),
            ("a\n", "a", "a"),
            ("a\n", "z", "z"),
            ("a\r\nb\r\n", "a\nb", "a\r\nb"),
            ("a\n", "a  ", "a"),
            ("a\n\nb\n", "a\nb", "a\n\nb"),
        ]),
        vec![
            Mismatch::Empty,
            Mismatch::Empty,
            Mismatch::Empty,
            Mismatch::Unchanged,
            Mismatch::Unchanged,
            Mismatch::Unchanged,
            Mismatch::Unchanged,
            Mismatch::Unchanged,
        ]
    );
}

#[test]
fn similar_ones_never_land() {
    let function = "fn total(items: &[Item]) -> u64 {\n    let mut sum = 0;\n    for item in items {\n        sum += item.price;\n    }\n    sum\n}\n";
    let cases = [
        // One character, one word, one line, the order, the case, a line too many.
        (function, "        sum += item.prize;\n", "x"),
        (function, "fn totals(items: &[Item]) -> u64 {\n    let mut sum = 0;\n    for item in items {\n", "x"),
        (function, "    let mut sum = 0;\n    for entry in items {\n        sum += item.price;\n    }\n", "x"),
        (function, "    for item in items {\n    let mut sum = 0;\n", "x"),
        (function, "    LET MUT SUM = 0;\n", "x"),
        (function, "    let mut sum = 0;\n    let x = 1;\n    for item in items {\n", "x"),
        // Indentation that is not shifted alike.
        (function, "for item in items {\n  sum += item.price;\n}\n", "x"),
        (function, "    for item in items {\n    sum += item.price;\n    }\n", "x"),
        // A part of a line matches only as it is.
        (function, "for  item in items", "x"),
        ("a b c\n", "b\t", "x"),
        ("let a = “x”;\n", "a = \"x\"", "b"),
        // A shift that the new text cannot take.
        ("a\n  b\n", "    a\n      b\n", "    a\n  c\n"),
        ("\ta\n", "    a\n    b\n", "    a\n   c\n"),
        // Blanks inside a line count.
        ("a  =  1\n", "a = 1\n", "a = 2\n"),
        // Numbers that are no line numbers.
        ("a\nb\n", "2: a\n1: b\n", "x\n"),
        ("a\nb\n", "1: a\nb\n", "x\n"),
        ("a\nb\n", "1: a\n2: b\n", "3: x\ny\n"),
        // Nothing but blanks.
        ("a\nb\n", "   \n\n", "x\n"),
        ("", "a", "b"),
    ];
    let landed = |(file, old, new): &&(&str, &str, &str)| {
        let replacement = Replacement { old, new, replace_all: true, near_line: Some(1) };
        !matches!(replace(file, &replacement), Err(Mismatch::Missing { .. }))
    };
    assert_eq!(cases.iter().filter(landed).collect::<Vec<_>>(), Vec::<&(&str, &str, &str)>::new());
}

const PROGRAM: &str = "use std::fmt;\n\nfn total(items: &[Item]) -> u64 {\n    let mut sum = 0;\n    for item in items {\n        sum += item.price;\n    }\n    sum\n}\n\nfn mean(items: &[Item]) -> u64 {\n    let mut sum = 0;\n    for item in items {\n        sum += item.price;\n    }\n    sum / items.len() as u64\n}\n";

#[test]
fn an_empty_or_idle_edit_says_what_to_do() {
    check(
        "a\n",
        "",
        "b",
        None,
        expect![
            "old_string is empty. Give the text to replace; to create a file or to replace all of it use `write`; to insert, give the line before as old_string and that line with the new ones as new_string."
        ],
    );
    check("a\n", "a", "a", None, expect!["old_string and new_string are equal: nothing would change."]);
    check(
        "a\n",
        "a \n",
        "a\n",
        None,
        expect!["Nothing would change: with new_string in place of old_string the file stays as it is."],
    );
}

#[test]
fn an_ambiguous_edit_is_told_the_places() {
    check(
        PROGRAM,
        "        sum += item.price;\n",
        "x\n",
        None,
        expect![[r#"
        old_string stands at 2 places: lines 6 and 14. Nothing was changed. Give more lines around it, or near_line with the line that is meant, or replace_all.

             5       for item in items {
             6           sum += item.price;
             7       }

            13       for item in items {
            14           sum += item.price;
            15       }
    "#]],
    );
    check(
        PROGRAM,
        "for item in items {\n  sum",
        "x\n",
        Some(9),
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: lines 5-8 (99 % alike); `-` is old_string, `+` is the file:
                   - for item in items {
                   -   sum
                 5 +     for item in items {
                 6 +         sum += item.price;
                 7 +     }
                 8 +     sum
            (some lines differ only in blanks; a tab is shown as →)

            Also near: lines 13-14 (89 % alike):
                   - for item in items {
                   -   sum
                13 +     for item in items {
                14 +         sum += item.price;
            (some lines differ only in blanks; a tab is shown as →)
        "#]],
    );
    check(
        PROGRAM,
        "for item in items {\n    sum += item.price;\n}\n",
        "x\n",
        Some(9),
        expect![[r#"
        old_string stands at 2 places (but for the indentation): lines 5 and 13. Nothing was changed. Give more lines around it, or near_line with the line that is meant, or replace_all.

             4       let mut sum = 0;
             5       for item in items {
             6           sum += item.price;

            12       let mut sum = 0;
            13       for item in items {
            14           sum += item.price;
    "#]],
    );
    check(
        &"a\n".repeat(1000),
        "a\n",
        "b\n",
        None,
        expect![[r#"
        old_string stands at 1000 places: lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 980 more. Nothing was changed. Give more lines around it, or near_line with the line that is meant, or replace_all.

             1   a
             2   a
             3   a

             1   a
             2   a
             3   a

             2   a
             3   a
             4   a

             3   a
             4   a
             5   a
    "#]],
    );
}

#[test]
fn a_missing_text_is_told_the_nearest_lines() {
    check(
        PROGRAM,
        "    for item in items {\n        sum += item.cost;\n    }\n    sum\n}\n",
        "x\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: lines 5-9 (86 % alike); `-` is old_string, `+` is the file:
                 5       for item in items {
                   -         sum += item.cost;
                 6 +         sum += item.price;
                 7       }
                 8       sum

            Also near: lines 13-17 (80 % alike):
                13       for item in items {
                   -         sum += item.cost;
                14 +         sum += item.price;
                15       }
                   -     sum
                16 +     sum / items.len() as u64
                17   }
        "#]],
    );
    check(
        PROGRAM,
        "    let mut sum = 0;\n    for entry in items {\n        sum += entry.price;\n    }\n    sum / items.len() as u64\n",
        "x\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: lines 12-16 (85 % alike); `-` is old_string, `+` is the file:
                12       let mut sum = 0;
                   -     for entry in items {
                   -         sum += entry.price;
                13 +     for item in items {
                14 +         sum += item.price;
                15       }
                16       sum / items.len() as u64
        "#]],
    );
    check(
        PROGRAM,
        "fn total(items: &[Item]) -> u64 {\n    let mut sum = 0;\n    let count = 0;\n    for item in items {\n        sum += item.price;\n    }\n    sum\n}\n\nfn mean(items: &[Item]) -> u32 {\n",
        "x\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: lines 3-11 (87 % alike); `-` is old_string, `+` is the file:
                 3   fn total(items: &[Item]) -> u64 {
                 4       let mut sum = 0;
                   -     let count = 0;
                 5       for item in items {
                 6           sum += item.price;
                   …
                 9   }
                10  
                   - fn mean(items: &[Item]) -> u32 {
                11 + fn mean(items: &[Item]) -> u64 {
        "#]],
    );
    check(
        "if x:\n\ta = 1\n\tb = 2\n",
        "if x:\n      a = 1\n    b = 2\n",
        "x\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: lines 1-3 (99 % alike); `-` is old_string, `+` is the file:
                 1   if x:
                   -       a = 1
                   -     b = 2
                 2 + →a = 1
                 3 + →b = 2
            (some lines differ only in blanks; a tab is shown as →)
        "#]],
    );
}

#[test]
fn a_text_from_elsewhere_is_told_so() {
    check(
        PROGRAM,
        "SELECT name FROM users;\n",
        "x\n",
        None,
        expect![
            "old_string is not in the file. Nothing was changed. Nothing in it resembles old_string: is it another file, or was the text changed? Read it first."
        ],
    );
    check(
        "say(\"hi\")\nx\n",
        "say(\\\"hi\\\")",
        "x\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed. It is there once the escapes (\n, \t, \") are taken off: old_string was escaped twice.
            Nearest: line 1 (66 % alike); `-` is old_string, `+` is the file:
                   - say(\"hi\")
                 1 + say("hi")
        "#]],
    );
    check(
        "",
        "a\n",
        "x\n",
        None,
        expect![
            "old_string is not in the file. Nothing was changed. Nothing in it resembles old_string: is it another file, or was the text changed? Read it first."
        ],
    );
}

#[test]
fn an_edit_made_before_is_recognised() {
    check(
        PROGRAM,
        "        sum -= item.price;\n",
        "        sum += item.price;\n",
        None,
        expect![
            "old_string is not in the file, but new_string stands there already, at lines 6 and 14. Perhaps this edit was made before; read the file before you go on."
        ],
    );
    check(
        PROGRAM,
        "    summe\n",
        "    sum / items.len() as u64\n",
        None,
        expect![
            "old_string is not in the file, but new_string stands there already, at line 16. Perhaps this edit was made before; read the file before you go on."
        ],
    );
    check(
        PROGRAM,
        "    summe\n",
        "    sum\n",
        None,
        expect![[r#"
            old_string is not in the file. Nothing was changed.
            Nearest: line 8 (66 % alike); `-` is old_string, `+` is the file:
                   -     summe
                 8 +     sum
        "#]],
    );
}

#[test]
fn explanations_of_long_texts_stay_short() {
    let long = |seed: usize| -> String {
        (0..400).map(|at| format!("let value_{at} = compute({}, \"{}\");\n", at * seed, "ü".repeat(at))).collect()
    };
    let (file, old) = (long(3), long(4));
    let replacement = Replacement { old: &old, new: "x", replace_all: false, near_line: None };
    let said = replace(&file, &replacement).expect_err("missing").explain(&file, &replacement);
    assert!(said.len() <= 2048 && said.contains("more lines …]"), "{}: {said}", said.len());
}

#[test]
fn a_blank_line_without_a_newline_at_the_end_is_no_line() {
    let replacement = Replacement { old: "“a”\n", new: "\n", replace_all: false, near_line: None };
    let replaced = replace("“a”", &replacement).expect("it is there");
    assert_eq!((replaced.text.as_str(), replaced.lines), ("", vec![0..0]));
}

/// Texts in which lines repeat, so that whatever can match twice does.
fn small_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "  a", "\ta", "a ", "“a”", "\"a\"", "", " ", "1: a", "2\tb", "\u{feff}", "é", "\r", "…",
    ]);
    let ending = prop::sample::select(vec!["\n", "\n", "\r\n", ""]);
    prop::collection::vec((piece, ending), 0..12)
        .prop_map(|lines| lines.into_iter().map(|(piece, ending)| format!("{piece}{ending}")).collect())
}

proptest! {
    #[test]
    fn an_exact_unique_replacement_is_that_of_the_standard_library(
        before in "[ab \n]{0,30}", old in "[xyz \n]{1,12}", new in "[abxyz \n]{0,12}", after in "[ab \n]{0,30}",
    ) {
        let text = format!("{before}{old}{after}");
        let starts = (0..text.len()).filter(|at| text[*at..].starts_with(&old)).count();
        prop_assume!(starts == 1 && old != new);
        let replaced = replace(&text, &Replacement { old: &old, new: &new, replace_all: false, near_line: None });
        let replaced = replaced.expect("it is unique");
        prop_assert_eq!(replaced.tier, Tier::Exact);
        prop_assert_eq!(replaced.text, text.replacen(&old, &new, 1));
    }

    #[test]
    fn what_is_written_keeps_everything_around_it(
        text in small_text(), old in small_text(), new in small_text(), near_line in prop::option::of(0u32..12),
        replace_all: bool,
    ) {
        let replacement = Replacement { old: &old, new: &new, replace_all, near_line };
        match replace(&text, &replacement) {
            Ok(replaced) => {
                prop_assert_ne!(&replaced.text, &text);
                prop_assert!(replace_all || replaced.places == 1);
                let count = hunks::lines(&replaced.text).len();
                prop_assert!(replaced.lines.windows(2).all(|pair| pair[0].end <= pair[1].start));
                prop_assert!(replaced.lines.iter().all(|range| range.start <= range.end && range.end <= count), "{replaced:?}");
                // Whatever differs is named: without the named lines nothing new is left, but a first line that now has the mark.
                for hunk in hunks::diff(&text, &replaced.text) {
                    let new = hunk.new.start as usize..hunk.new.end as usize;
                    prop_assert!(new.is_empty() || replaced.lines.iter().any(|range| range.start < new.end && new.start < range.end)
                        || hunks::lines(&replaced.text)[new.clone()].iter().all(|line| text.contains(line.trim_start_matches('\u{feff}').trim_end())), "{replaced:?} {new:?}");
                }
                let shape = TextShape::of(&text);
                // A mark that stood further on may be what is first now.
                let has_another = text.char_indices().any(|(at, character)| at > 0 && character == '\u{feff}');
                prop_assert!(has_another || TextShape::of(&replaced.text).bom == shape.bom);
                if shape.line_ending == LineEnding::CrLf && !new.contains('\r') {
                    prop_assert_ne!(TextShape::of(&replaced.text).line_ending, LineEnding::Mixed);
                }
            }
            Err(mismatch) => prop_assert!(mismatch.explain(&text, &replacement).len() <= 2048),
        }
    }

    #[test]
    fn nothing_panics(text in ".{0,200}", old in ".{0,40}", new in ".{0,40}", near_line: Option<u32>, replace_all: bool) {
        let replacement = Replacement { old: &old, new: &new, replace_all, near_line };
        if let Err(mismatch) = replace(&text, &replacement) {
            prop_assert!(mismatch.explain(&text, &replacement).len() <= 2048);
        }
    }
}

use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(old: &str, new: &str, context: usize, expected: Expect) {
    expected.assert_eq(&unified(old, new, "a/f", "b/f", context).replace('\r', "\\r"));
}

#[test]
fn unified_diffs_read_as_usual() {
    check("a\nb\n", "a\nb\n", 3, expect![""]);
    check("", "", 3, expect![""]);
    check(
        "",
        "a\nb\n",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -0,0 +1,2 @@
        +a
        +b
    "#]],
    );
    check(
        "a\n",
        "",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1 +0,0 @@
        -a
    "#]],
    );
    check(
        "a\nb\nc\nd\ne\nf\ng\nh\n",
        "a\nb\nc\nD\ne\nf\ng\nh\n",
        1,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -3,3 +3,3 @@
         c
        -d
        +D
         e
    "#]],
    );
    check(
        "a\nb\nc\nd\ne\nf\ng\nh\n",
        "A\nb\nc\nd\ne\nf\ng\nH\n",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,8 +1,8 @@
        -a
        +A
         b
         c
         d
         e
         f
         g
        -h
        +H
    "#]],
    );
    check(
        "a\nb\nc\nd\ne\nf\ng\nh\ni\n",
        "A\nb\nc\nd\ne\nf\ng\nh\nI\n",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,4 +1,4 @@
        -a
        +A
         b
         c
         d
        @@ -6,4 +6,4 @@
         f
         g
         h
        -i
        +I
    "#]],
    );
}

#[test]
fn unified_diffs_tell_line_endings() {
    check(
        "a\nb\n",
        "a\nx\nb\n",
        0,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,0 +2 @@
        +x
    "#]],
    );
    check(
        "a\nb",
        "a\nb\n",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,2 +1,2 @@
         a
        -b
        \ No newline at end of file
        +b
    "#]],
    );
    check(
        "a\nb",
        "a\nc",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,2 +1,2 @@
         a
        -b
        \ No newline at end of file
        +c
        \ No newline at end of file
    "#]],
    );
    check(
        "a\r\nb\n",
        "a\nb\n",
        3,
        expect![[r#"
        --- a/f
        +++ b/f
        @@ -1,2 +1,2 @@
        -a\r
        +a
         b
    "#]],
    );
}

#[test]
fn hunks_slide_to_where_a_reader_expects_them() {
    let old = "fn a() {\n    x();\n}\n\nfn c() {\n    x();\n}\n";
    let new = "fn a() {\n    x();\n}\n\nfn b() {\n    x();\n}\n\nfn c() {\n    x();\n}\n";
    assert_eq!(diff(old, new), vec![LineHunk { old: 4..4, new: 4..8 }]);
}

#[test]
fn spans_are_the_changed_words() {
    let check = |old: &str, new: &str, expected: &[(u32, u32, u32)]| assert_eq!(spans(old, new), expected, "{new:?}");
    check("let a = 1;\n", "let b = 1;\n", &[(0, 4, 5)]);
    check("f(x)\n", "f(x, y)\n", &[(0, 3, 6)]);
    check("one two three\n", "one 2 3 three\n", &[(0, 4, 7)]);
    check("a\nb\nc\n", "a\nB\nc\n", &[(1, 0, 1)]);
    check("", "a b\n", &[(0, 0, 3)]);
    check("a b\n", "", &[]);
    check("a\n", "a\n", &[]);
    check("x = 𝄞\n", "x = 𝄞y𝄞 z\r\n", &[(0, 6, 11)]);
}

#[test]
fn long_texts_are_compared_in_parts() {
    let line = |at: usize| format!("{}\n", at * at % 7 * (at % 3));
    let old: Vec<String> = (0..9_000).map(|at| if at % 50 == 0 { format!("line {at}\n") } else { line(at) }).collect();
    let mut new = old.clone();
    new[10] = "ten\n".to_owned();
    new.splice(4_000..4_003, ["four\n".to_owned()]);
    new.insert(7_000, "seven\n".to_owned());
    let hunk = |old, new| LineHunk { old, new };
    let expected = vec![hunk(10..11, 10..11), hunk(4_000..4_003, 4_000..4_001), hunk(7_002..7_002, 7_000..7_001)];
    assert_eq!(diff(&old.concat(), &new.concat()), expected);
}

/// Puts the hunks of one text in place of those of the other.
fn apply(old: &str, new: &str, hunks: &[LineHunk]) -> String {
    let (old, new) = (lines(old), lines(new));
    let mut output = String::new();
    let mut at = 0;
    for hunk in hunks {
        output.extend(old[at..hunk.old.start as usize].iter().copied());
        output.extend(new[hunk.new.start as usize..hunk.new.end as usize].iter().copied());
        at = hunk.old.end as usize;
    }
    output.extend(old[at..].iter().copied());
    output
}

/// Reads a unified diff and takes its steps; fails where a line of it does not stand in the old text.
fn apply_unified(old: &str, patch: &str) -> String {
    let old = lines(old);
    let mut output = String::new();
    let mut at = 0;
    let mut patch: Vec<String> = lines(patch).into_iter().map(str::to_owned).collect();
    for index in (0..patch.len()).rev() {
        if patch[index].starts_with('\\') {
            patch.remove(index);
            patch[index - 1].pop();
        }
    }
    for line in patch.iter().skip(2) {
        let (mark, body) = line.split_at(1);
        match mark {
            "@" => {
                let range = body.split(' ').nth(1).expect("old range")[1..].to_owned();
                let (start, count) = range.split_once(',').unwrap_or((&range, "1"));
                let start: usize = start.parse().expect("number");
                let start = if count == "0" { start } else { start - 1 };
                output.extend(old[at..start].iter().copied());
                at = start;
            }
            "+" => output.push_str(body),
            _ => {
                assert_eq!(old[at], body);
                if mark == " " {
                    output.push_str(body);
                }
                at += 1;
            }
        }
    }
    output.extend(old[at..].iter().copied());
    output
}

proptest! {
    #[test]
    fn hunks_turn_the_old_text_into_the_new_one(old in "([abc ]{0,2}\r?\n){0,20}[ab]?", new in "([abc ]{0,2}\r?\n){0,20}[ab]?") {
        let hunks = diff(&old, &new);
        prop_assert_eq!(apply(&old, &new, &hunks), new);
        prop_assert!(hunks.windows(2).all(|pair| pair[0].old.end < pair[1].old.start && pair[0].new.end < pair[1].new.start));
    }

    #[test]
    fn unified_diffs_can_be_applied(old in "([abc]\n){0,30}[ab]?", new in "([abc]\n){0,30}[ab]?", context in 0usize..5) {
        let patch = unified(&old, &new, "a", "b", context);
        prop_assert_eq!(patch.is_empty(), old == new);
        prop_assert_eq!(apply_unified(&old, &patch), new);
    }

    #[test]
    fn bytes_are_compared_as_texts_are(old in "([abc ]{0,2}\r?\n){0,20}[ab]?", new in "([abc ]{0,2}\r?\n){0,20}[ab]?", around in 0usize..3) {
        // More lines than are kept as a margin, the same ones over and over.
        let around = "a\n\n".repeat(around * 150);
        let (old, new) = (format!("{around}{old}{around}"), format!("{around}{new}{around}"));
        let hunks = diff_bytes(old.as_bytes(), new.as_bytes());
        prop_assert_eq!(apply(&old, &new, &hunks), new);
    }

    #[test]
    fn nothing_panics(old in ".{0,100}", new in ".{0,100}") {
        prop_assert_eq!(apply(&old, &new, &diff(&old, &new)), new.clone());
        for (line, start, end) in spans(&old, &new) {
            let line = lines(&new)[line as usize];
            prop_assert!(start < end && end as usize <= line.encode_utf16().count());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn hunks_of_long_texts_turn_the_old_one_into_the_new_one(
        seed in prop::collection::vec(0u16..400, 2_100..2_300), cuts in prop::collection::vec((0usize..2_000, 0usize..90, 0u16..500), 0..8),
    ) {
        let old: Vec<String> = seed.iter().map(|number| format!("{number}\n")).collect();
        let mut new = old.clone();
        for (at, count, number) in cuts {
            let at = at.min(new.len());
            let end = (at + count).min(new.len());
            new.splice(at..end, [format!("{number}\n"), format!("{}\n", number / 2)]);
        }
        let (old, new) = (old.concat(), new.concat());
        let hunks = diff(&old, &new);
        prop_assert_eq!(apply(&old, &new, &hunks), new);
        prop_assert!(hunks.windows(2).all(|pair| pair[0].old.end < pair[1].old.start && pair[0].new.end < pair[1].new.start));
    }
}

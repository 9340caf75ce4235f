use super::{Line, Lines};
use expect_test::{Expect, expect};

/// What lines of at most 8 bytes come of these bytes, whole and byte by byte.
fn check(bytes: &[u8], expected: Expect) {
    let cut = |size: usize| {
        let mut lines = Lines::default();
        let mut told = String::new();
        for mut chunk in bytes.chunks(size) {
            while !chunk.is_empty() {
                let (taken, line) = lines.take_within(chunk, 8);
                chunk = &chunk[taken..];
                match line {
                    Some(Line::Whole(line)) => told += &format!("{}\n", line.escape_ascii()),
                    Some(Line::TooLong) => told += "too long\n",
                    None => {}
                }
            }
        }
        told
    };
    let whole = cut(bytes.len().max(1));
    expected.assert_eq(&whole);
    assert_eq!(cut(1), whole, "however the bytes arrive");
}

#[test]
fn lines_end_at_line_breaks_alone() {
    check(
        b"{}\n[1]\r\n",
        expect![[r#"
        {}
        [1]\r
    "#]],
    );
}

#[test]
fn blank_lines_are_nothing() {
    check(
        b"\n\r\n  \n{}\n",
        expect![[r#"
        {}
    "#]],
    );
}

#[test]
fn what_does_not_end_is_no_line() {
    check(
        b"{}\n{",
        expect![[r#"
        {}
    "#]],
    );
}

#[test]
fn a_line_of_the_longest_length_is_read() {
    check(
        b"12345678\n",
        expect![[r#"
        12345678
    "#]],
    );
}

#[test]
fn a_line_that_is_too_long_is_told_once_and_skipped() {
    check(
        b"123456789 and more\n{}\n",
        expect![[r#"
        too long
        {}
    "#]],
    );
    check(
        b"123456789\n123456789\n{}\n",
        expect![[r#"
        too long
        too long
        {}
    "#]],
    );
}

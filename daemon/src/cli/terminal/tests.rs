//! Lines and cuts.

use super::{Colour, Look, Looks, StatusLine, Wrap, cut};
use expect_test::{Expect, expect};

fn check(width: Option<usize>, pieces: &[&str], expected: Expect) {
    let mut wrap = Wrap::new(width);
    let mut output: String = pieces.iter().map(|piece| wrap.push(piece)).collect();
    output.push_str(&wrap.finish());
    expected.assert_eq(&output);
}

#[test]
fn words_that_would_pass_the_edge_begin_the_next_line() {
    check(
        Some(12),
        &["one two th", "ree four averyverylongword x"],
        expect![[r#"
        one two
        three four
        averyverylongword
        x"#]],
    );
}

#[test]
fn lines_and_indents_of_the_text_stay() {
    check(
        Some(12),
        &["- a\n  - b  c\n\n", "end\n"],
        expect![[r#"
        - a
          - b  c

        end
    "#]],
    );
}

#[test]
fn code_in_fences_is_left_alone() {
    check(
        Some(12),
        &["```rust\nlet long = \"a line of code\";\n``", "`\nand words again here"],
        expect![[r#"
        ```rust
        let long = "a line of code";
        ```
        and words
        again here"#]],
    );
}

#[test]
fn without_a_width_nothing_is_held_back() {
    check(None, &["one two three ", "four"], expect!["one two three four"]);
}

#[test]
fn a_cut_text_says_so() {
    let cuts = ["short", "exactly ten", "a longer text"].map(|text| cut(text, 10)).join("\n");
    expect![[r#"
        short
        exactly t…
        a longer…"#]]
    .assert_eq(&cuts);
}

#[test]
fn without_colour_there_are_no_codes() {
    let looks = Looks { colour: Colour::Never, width: None, status: StatusLine::None };
    assert_eq!(looks.paint(Look::Red, "text"), "text");
}

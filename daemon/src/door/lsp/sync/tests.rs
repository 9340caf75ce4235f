use super::*;
use expect_test::{Expect, expect};
use tower_lsp::ls_types::Position;

/// From where to where, and what stands there then.
type Change<'a> = ((u32, u32), (u32, u32), &'a str);

fn check(text: &str, encoding: Encoding, changes: &[Change<'_>], expected: Expect) {
    let place = |(line, character)| Position { line, character };
    let change = |(start, end, text): &Change<'_>| TextDocumentContentChangeEvent {
        range: Some(Range { start: place(*start), end: place(*end) }),
        range_length: None,
        text: (*text).to_owned(),
    };
    let changes: Vec<TextDocumentContentChangeEvent> = changes.iter().map(change).collect();
    expected.assert_debug_eq(&changed(text, &changes, encoding));
}

#[test]
fn changes_are_made_one_after_the_other() {
    check(
        "one\ntwo\n",
        Encoding::Utf16,
        &[((0, 0), (0, 3), "1"), ((0, 1), (1, 0), "")],
        expect![[r#"
        "1two\n"
    "#]],
    );
}

#[test]
fn columns_count_as_was_agreed() {
    check(
        "𝄞é!\n",
        Encoding::Utf8,
        &[((0, 6), (0, 7), "?")],
        expect![[r#"
        "𝄞é?\n"
    "#]],
    );
    check(
        "𝄞é!\n",
        Encoding::Utf16,
        &[((0, 3), (0, 4), "?")],
        expect![[r#"
        "𝄞é?\n"
    "#]],
    );
    check(
        "𝄞é!\n",
        Encoding::Utf32,
        &[((0, 2), (0, 3), "?")],
        expect![[r#"
        "𝄞é?\n"
    "#]],
    );
}

#[test]
fn what_lies_beyond_the_end_means_the_end() {
    check(
        "a\r\nb",
        Encoding::Utf16,
        &[((0, 9), (0, 9), "!"), ((7, 0), (9, 0), "c")],
        expect![[r#"
        "a!\r\nbc"
    "#]],
    );
}

#[test]
fn a_change_without_a_range_is_the_whole_text() {
    let whole = TextDocumentContentChangeEvent { range: None, range_length: None, text: "new".to_owned() };
    assert_eq!(changed("old", &[whole], Encoding::Utf16), "new");
}

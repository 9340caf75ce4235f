use super::*;
use crate::text::position;

/// Carries the edits out as a client does: all of them speak of the text before.
fn applied(before: &str, edits: &[TextEdit], encoding: Encoding) -> String {
    let offset = |place: Position| position::offset(before, place.line, place.character, encoding).expect("is there");
    let mut text = before.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(offset(edit.range.start)..offset(edit.range.end), &edit.new_text);
    }
    text
}

#[test]
fn edits_make_the_text_whatever_ends_its_lines() {
    let texts = ["", "a", "a\n", "a\r\nb\r\n", "a\nb\nc", "x\na\nb\nc\n", "𝄞\nb", "𝄞\nb\n", "\n\n", "\r\n"];
    for before in texts {
        for after in texts {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let edits = edits(before, after, encoding);
                assert_eq!(applied(before, &edits, encoding), after, "from {before:?}");
            }
        }
    }
}

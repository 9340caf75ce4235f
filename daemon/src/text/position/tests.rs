use super::*;
use proptest::prelude::*;

const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

fn check(text: &str, line: u32, column: u32, offsets: [Option<usize>; 3]) {
    assert_eq!(ALL.map(|encoding| offset(text, line, column, encoding)), offsets, "{line}:{column} in {text:?}");
}

#[test]
fn columns_count_what_the_encoding_says() {
    let text = "aä𝄞z\r\n\nx";
    check(text, 0, 0, [Some(0); 3]);
    check(text, 0, 1, [Some(1); 3]);
    check(text, 0, 2, [Some(1), Some(3), Some(3)]);
    check(text, 0, 3, [Some(3), Some(3), Some(7)]);
    check(text, 0, 4, [Some(3), Some(7), Some(8)]);
    check(text, 0, 7, [Some(7), Some(8), Some(8)]);
}

#[test]
fn columns_past_the_end_mean_the_end_of_the_line() {
    let text = "ab\r\n\nx";
    check(text, 0, 3, [Some(2); 3]);
    check(text, 0, u32::MAX, [Some(2); 3]);
    check(text, 1, 5, [Some(4); 3]);
    check(text, 2, 5, [Some(6); 3]);
    check(text, 3, 0, [None; 3]);
    check("a\n", 1, 0, [Some(2); 3]);
    check("a\n", 2, 0, [None; 3]);
    check("", 0, 7, [Some(0); 3]);
    check("", u32::MAX, 0, [None; 3]);
    check("a\rb", 0, 2, [Some(2); 3]);
}

#[test]
fn offsets_inside_something_mean_its_start() {
    let text = "ä\r\nb";
    assert_eq!(
        [0, 1, 2, 3, 4, 5, 99].map(|at| position(text, at, Encoding::Utf16)),
        [(0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 1), (1, 1)]
    );
}

proptest! {
    #[test]
    fn positions_lead_back_to_their_offset(text in "[a\u{e4}\u{1d11e}\r\n]{0,40}", at in 0usize..200) {
        for encoding in ALL {
            let (line, column) = position(&text, at, encoding);
            let back = offset(&text, line, column, encoding).expect("the line is there");
            let at = text.floor_char_boundary(at);
            let inside_ending = text[..at].ends_with('\r') && text[at..].starts_with('\n');
            prop_assert_eq!(back, if inside_ending { at - 1 } else { at });
        }
    }

    #[test]
    fn nothing_panics(text in ".{0,80}", line: u32, column: u32, at: usize) {
        for encoding in ALL {
            let _ = (offset(&text, line % 4, column, encoding), offset(&text, line, column, encoding));
            let _ = position(&text, at, encoding);
        }
    }
}

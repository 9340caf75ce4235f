use super::{Piece, Ring};
use expect_test::{Expect, expect};

fn check(chunks: &[&[u8]], from: u64, most: usize, is_whole: bool, expected: Expect) {
    let mut ring = Ring::new(8);
    chunks.iter().for_each(|chunk| ring.push(chunk));
    let Piece { lost, bytes, next } = ring.read(from, most, is_whole);
    expected.assert_eq(&format!("{:?}, {lost} lost, next {next} of {}", String::from_utf8_lossy(&bytes), ring.total()));
}

#[test]
fn what_is_kept_is_read_from_any_place() {
    check(&[], 0, 9, false, expect![[r#""", 0 lost, next 0 of 0"#]]);
    check(&[b"abc", b"def"], 0, 9, false, expect![[r#""abcdef", 0 lost, next 6 of 6"#]]);
    check(&[b"abc", b"def"], 2, 3, false, expect![[r#""cde", 0 lost, next 5 of 6"#]]);
    check(&[b"abc"], 7, 9, false, expect![[r#""", 0 lost, next 3 of 3"#]]);
}

#[test]
fn the_oldest_goes_first_and_is_counted() {
    check(&[b"abcdef", b"ghijkl"], 0, 9, false, expect![[r#""efghijkl", 4 lost, next 12 of 12"#]]);
    check(&[b"abcdef", b"ghijkl"], 3, 2, false, expect![[r#""ef", 1 lost, next 6 of 12"#]]);
    check(&[b"abcdefghijklmnopqrst"], 0, 9, false, expect![[r#""mnopqrst", 12 lost, next 20 of 20"#]]);
    check(&[b"abcdefghijkl"], 12, 9, false, expect![[r#""", 0 lost, next 12 of 12"#]]);
}

#[test]
fn half_a_letter_waits_for_its_end() {
    check(&["aé".as_bytes()], 0, 2, false, expect![[r#""a", 0 lost, next 1 of 3"#]]);
    check(&[b"a\xe2\x82"], 0, 9, false, expect![[r#""a", 0 lost, next 1 of 3"#]]);
    check(&[b"a\xe2\x82"], 0, 9, true, expect![[r#""a�", 0 lost, next 3 of 3"#]]);
    check(&["a€b".as_bytes()], 0, 9, false, expect![[r#""a€b", 0 lost, next 5 of 5"#]]);
    check(&[b"\x82\x82\x82\x82"], 0, 9, false, expect![[r#""����", 0 lost, next 4 of 4"#]]);
}

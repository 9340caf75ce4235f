use super::*;
use expect_test::{Expect, expect};

fn check(image: &Image, expected: Expect) {
    let text = image.to_text();
    expected.assert_eq(&text);
    assert_eq!(Image::parse(&text).as_ref(), Some(image));
}

#[test]
fn reads_what_it_wrote() {
    check(&Image::Absent, expect!["absent"]);
    check(&Image::Other, expect!["other"]);
    check(&Image::Directory { mode: 0o1777 }, expect!["directory 1777"]);
    check(
        &Image::of_bytes(b"text", 0o100_644),
        expect!["file 644 4 831c6831fdc9a309a4c66cc3cb2fa3740a100da8b86d6fe86e9ba40deb50aa19"],
    );
    let print = Print::Written { seconds: -1, nanoseconds: 999 };
    check(&Image::File { print, size: 1 << 40, mode: 0 }, expect!["large 0 1099511627776 -1 999"]);
    let target = OsString::from_vec(b"a b%\n\xff/..".to_vec());
    check(&Image::Link { target }, expect!["link a%20b%25%0a%ff/.."]);
}

#[test]
fn what_nobody_wrote_is_none() {
    for text in
        ["", "file", "file 644 4", "file 644 x 00", "file 9 4 00", "large 644 1 2", "link %", "link %zz", "pipe"]
    {
        assert_eq!(Image::parse(text), None, "{text}");
    }
}

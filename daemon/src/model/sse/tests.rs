//! The line rules of the format, at every split.

use super::{Event, Parser, TooLarge};
use expect_test::{Expect, expect};
use proptest::prelude::{any, prop, proptest};

/// Parses the input whole and split at every byte, which must agree.
fn check(input: &[u8], expected: Expect) {
    let whole = parse([input]);
    for at in 0..=input.len() {
        let (head, tail) = input.split_at(at);
        assert_eq!(parse([head, tail]), whole, "split at {at}");
    }
    assert_eq!(parse(input.chunks(1)), whole, "byte by byte");
    let lines: Vec<String> = whole.iter().map(|event| format!("{:?} {:?}\n", event.name, event.data)).collect();
    expected.assert_eq(&lines.concat());
}

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut parser = Parser::new(1 << 20);
    let mut events = Vec::new();
    for piece in pieces {
        parser.push(piece, &mut events).expect("small");
    }
    parser.end(&mut events);
    events
}

#[test]
fn takes_every_line_end() {
    check(
        b"data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\ndata: e\r\n\n",
        expect![[r#"
        "" "a"
        "" "b"
        "" "c"
        "" "d"
        "" "e"
    "#]],
    );
}

#[test]
fn joins_data_lines() {
    check(
        b"event: note\ndata: one\ndata:two\ndata:  three\ndata\ndata:\n\n",
        expect![[r#"
        "note" "one\ntwo\n three\n\n"
    "#]],
    );
}

#[test]
fn ignores_comments_unknown_fields_and_events_without_data() {
    check(
        b": OPENROUTER PROCESSING\n\nid: 7\nretry: 3\nwhat: ever\nevent: ping\n\ndata:\n\ndata: x\n\n",
        expect![[r#"
        "" "x"
    "#]],
    );
}

#[test]
fn strips_one_byte_order_mark() {
    check(
        b"\xEF\xBB\xBFdata: a\n\n\xEF\xBB\xBFdata: b\n\n",
        expect![[r#"
        "" "a"
    "#]],
    );
}

#[test]
fn hands_out_the_last_event_without_its_blank_line() {
    check(
        b"data: a\n\nevent: last\ndata: [DONE]",
        expect![[r#"
        "" "a"
        "last" "[DONE]"
    "#]],
    );
}

#[test]
fn replaces_what_is_not_utf8() {
    check(
        b"data: \xC3\xA4\xFF\n\n",
        expect![[r#"
        "" "ä�"
    "#]],
    );
}

#[test]
fn takes_the_error_field_as_an_error_event() {
    check(
        b"error: {\"code\":500}\n\n",
        expect![[r#"
        "error" "{\"code\":500}"
    "#]],
    );
}

#[test]
fn refuses_a_line_over_the_limit_before_holding_it() {
    let mut parser = Parser::new(10);
    let mut events = Vec::new();
    assert_eq!(parser.push(b"data: ok\n\ndata: 01234567", &mut events), Err(TooLarge { max: 10 }));
    assert_eq!(events, [Event { name: String::new(), data: "ok".to_owned() }]);
}

#[test]
fn refuses_an_event_of_many_lines_over_the_limit() {
    let mut parser = Parser::new(10);
    let pushed = (0..6).try_for_each(|_| parser.push(b"data: a\n", &mut Vec::new()));
    assert_eq!(pushed, Err(TooLarge { max: 10 }));
}

proptest! {
    #[test]
    fn any_bytes_parse_alike_however_split(
        lines in prop::collection::vec(prop::sample::select(vec![
            &b"data: x"[..], b"data", b":", b"event: e", b"\r", b"\n", b"\r\n", b"\n\n", b"\xEF\xBB\xBF", b"\xFF",
        ]), 0..24),
        noise in prop::collection::vec(any::<u8>(), 0..16),
        size in 1_usize..7,
    ) {
        let mut bytes = lines.concat();
        bytes.extend(noise);
        assert_eq!(parse(bytes.chunks(size)), parse([&bytes[..]]));
    }
}

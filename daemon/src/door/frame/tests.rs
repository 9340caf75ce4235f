use super::{Frame, Frames, MAX_HEADER};
use expect_test::{Expect, expect};

fn frames(input: &[u8], cut: usize) -> Vec<Frame> {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    for chunk in input.chunks(cut) {
        let mut chunk = chunk;
        while !chunk.is_empty() {
            let (taken, frame) = frames.take(chunk);
            chunk = &chunk[taken..];
            found.extend(frame);
        }
    }
    found
}

/// What the frames are, whole and cut into pieces of any small size alike.
fn check(input: &[u8], expected: Expect) {
    let whole = frames(input, usize::MAX);
    for cut in [1, 2, 3, 7, 64] {
        assert_eq!(frames(input, cut), whole, "cut into pieces of {cut}");
    }
    let words: Vec<String> = whole
        .iter()
        .map(|frame| match frame {
            Frame::Body(body) => format!("body {:?}", String::from_utf8_lossy(body)),
            Frame::Bad(bad) => format!("bad: {bad}"),
        })
        .collect();
    expected.assert_eq(&words.join("\n"));
}

#[test]
fn reads_frames_one_after_another() {
    check(
        b"Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n[1]",
        expect![[r#"
            body "{}"
            body "[1]""#]],
    );
}

#[test]
fn takes_any_case_line_feeds_and_other_headers() {
    check(
        b"content-length:2\n\n{}X-Other: a: b\r\nCONTENT-LENGTH:  2 \r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n[]\r\n\r\nContent-Length: 2\r\n\r\n{}",
        expect![[r#"
            body "{}"
            body "[]"
            body "{}""#]],
    );
}

#[test]
fn refuses_each_bad_length_and_reads_the_next_frame() {
    for (length, why) in [
        ("-5", "not a decimal"),
        ("", "not a decimal"),
        ("+2", "not a decimal"),
        ("0x10", "not a decimal"),
        ("2.0", "not a decimal"),
        ("99999999999999999999", "not a decimal"),
        ("12 13", "not a decimal"),
        ("4294967296", "more than"),
        ("67108865", "more than"),
        ("2\r\nContent-Length: 2", "two Content-Length"),
    ] {
        let input = format!("Content-Length: {length}\r\n\r\n{{}}Content-Length: 4\r\n\r\ntrue");
        for cut in [1, 5, usize::MAX] {
            let found = frames(input.as_bytes(), cut);
            let [Frame::Bad(bad), Frame::Body(body)] = found.as_slice() else { panic!("{length}: {found:?}") };
            assert!(bad.to_string().contains(why), "{length}: {bad}");
            assert_eq!(body, b"true", "{length}");
        }
    }
}

#[test]
fn a_missing_length_is_said_once() {
    check(
        b"X-Other: 1\r\n\r\n{\"a\":\"Content-Length: 7\\r\\n\"}\r\nContent-Length: nine\r\n\r\nContent-Length: 2\r\n\r\n{}",
        expect![[r#"
            bad: the header has no Content-Length
            body "{}""#]],
    );
}

#[test]
fn bare_json_is_no_header() {
    check(
        b"{\"jsonrpc\" \"2.0\"}\n{}\nContent-Length: 2\r\n\r\n{}",
        expect![[r#"
            bad: a header line has no colon
            body "{}""#]],
    );
}

#[test]
fn an_endless_header_is_refused_and_skipped() {
    let mut input = vec![b'x'; MAX_HEADER * 3];
    input.extend_from_slice(b"Content-Length: 2\r\n\r\n{}");
    check(
        &input,
        expect![[r#"
            bad: the header is longer than 8192 bytes
            body "{}""#]],
    );
}

#[test]
fn the_announced_body_of_a_refused_length_is_skipped_when_it_comes() {
    let body = "[\"Content-Length: 2\\r\\n\\r\\n{}\"],".repeat(10_000);
    let input = format!("Content-Length: 4294967296\r\n\r\n{body}cContent-Length: 2\r\n\r\n{{}}");
    check(
        input.as_bytes(),
        expect![[r#"
            bad: the Content-Length of 4294967296 bytes is more than the 67108864 that are taken
            body "{}""#]],
    );
}

#[test]
fn an_empty_body_is_a_frame() {
    check(
        b"Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}",
        expect![[r#"
            body ""
            body "{}""#]],
    );
}

#[test]
fn half_a_frame_is_none() {
    check(b"Content-Length: 5\r\n\r\n{}", expect![""]);
    check(b"Content-Length: 5\r\n", expect![""]);
}

use super::*;

fn collected(chunks: &[&[u8]]) -> (String, String) {
    let (events, mut shown) = mpsc::channel(8);
    let mut collector = Collector::new(events, ItemId::from("i1"));
    for chunk in chunks {
        collector.take(chunk);
    }
    let text = collector.text();
    let mut live = String::new();
    while let Ok(TurnEvent::Show(update)) = shown.try_recv() {
        if let Update::ItemDelta { text, .. } = *update {
            live.push_str(&text);
        }
    }
    (text, live)
}

#[test]
fn whole_lines_are_shown_as_they_come() {
    let (text, live) = collected(&[b"one\ntw", b"o\nthree"]);
    assert_eq!((text.as_str(), live.as_str()), ("one\ntwo\nthree", "one\ntwo\n"));
}

#[test]
fn a_character_cut_by_a_chunk_is_whole() {
    let (text, live) = collected(&[b"gr\xc3", b"\xbcn\n"]);
    assert_eq!((text.as_str(), live.as_str()), ("grün\n", "grün\n"));
}

#[test]
fn of_a_huge_output_beginning_and_end_stay() {
    let line = vec![b'x'; KEEP];
    let (text, live) = collected(&[b"first\n", &line, &line, &line, b"\nlast\n"]);
    assert!(text.starts_with("first\nxxx") && text.ends_with("xxx\nlast\n"), "both ends");
    assert!(text.contains(&format!("[… {} bytes left out, and not kept …]", KEEP + 12)), "says what is missing");
    assert!(text.len() < 2 * KEEP + 100);
    assert!(
        live.starts_with("first\nxxx") && live.ends_with("\n[… the rest is shown when the command ends]\n"),
        "a beginning"
    );
    assert!(live.len() < LIVE + 100);
}

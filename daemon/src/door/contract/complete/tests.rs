use super::*;
use pilotfish_protocol::ModelName;

#[test]
fn what_stands_before_the_cursor_counts() {
    let cases: &[(&str, u32, Option<Typed<'_>>)] = &[
        ("look at @wat", 12, Some(Typed::Name("wat"))),
        ("look at @wat please", 12, Some(Typed::Name("wat"))),
        ("look at @wat please", 15, None),
        ("@", 1, Some(Typed::Name(""))),
        ("ann@example", 11, None),
        ("@\"with bl", 9, Some(Typed::Name("with bl"))),
        ("@\"with blanks\" x", 16, None),
        // The fish is one character, two units and four bytes.
        ("🐟 @wat", 7, Some(Typed::Name("wat"))),
        ("/comp", 5, Some(Typed::Command("comp"))),
        ("/model lo", 9, Some(Typed::Command("model lo"))),
        ("a/b", 3, None),
        ("", 9, None),
    ];
    for (text, offset, expected) in cases {
        assert_eq!(typed(text, *offset), *expected, "{text:?} at {offset}");
    }
}

#[test]
fn commands_are_calls() {
    let model = ModelInfo {
        name: ModelName("local/qwen".to_owned()),
        context: None,
        efforts: Vec::new(),
        price: None,
        default: true,
    };
    let commands = |typed: &str| commands(typed, &"s1".into(), "/w", std::slice::from_ref(&model));
    let labels = |typed: &str| commands(typed).into_iter().map(|candidate| candidate.label).collect::<Vec<_>>();
    assert_eq!(labels(""), ["/agent", "/read-only", "/stop", "/compact", "/keep", "/undo", "/model local/qwen"]);
    assert_eq!(labels("MO"), ["/model local/qwen"]);
    assert_eq!(labels("what is this"), [""; 0]);
    let keep = commands("keep").remove(0).call.expect("it is one");
    assert_eq!((keep.method.as_str(), keep.params), ("review/keep", json!({"sessionId": "s1", "workspace": "/w"})));
}

#[test]
fn names_with_blanks_are_quoted() {
    assert_eq!(file("a b.txt".to_owned()).insert, "@\"a b.txt\"");
    assert_eq!(file("a.txt".to_owned()).insert, "@a.txt");
    assert_eq!(names("SEL").map(|candidate| candidate.insert).collect::<Vec<_>>(), ["@selection"]);
}

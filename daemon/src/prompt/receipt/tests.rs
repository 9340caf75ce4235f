use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Audience, Notice, Position, UserMessage};

fn rooted(path: &str) -> RootedPath {
    RootedPath::of_names(Path::new(path)).expect("names")
}

fn item(content: ItemContent) -> Item {
    Item { id: "i1".into(), turn_id: None, at: String::new(), content }
}

fn said(text: &str) -> Item {
    item(ItemContent::UserMessage(UserMessage { input: vec![InputPart::Text { text: text.to_owned() }] }))
}

fn context(part: ContextPart) -> Item {
    item(ItemContent::Context(ContextReceipt { parts: vec![part] }))
}

fn problem(at: (u32, u32), severity: Severity, message: &str) -> Diagnostic {
    let at = Position { line: at.0, character: at.1 };
    let range = pilotfish_protocol::Range { start: at, end: at };
    let (source, code) = (Some("rustc".to_owned()), Some("E1".to_owned()));
    Diagnostic { range, severity, message: message.to_owned(), source, code }
}

fn check(part: &ContextPart, expected: Expect) {
    expected.assert_eq(&format!("{} | {} left out\n{}\n", part.title, part.left_out, part.text));
}

#[test]
fn each_folder_on_the_way_speaks() {
    let files = |path: &str| {
        let files = instruction_files(&rooted(path));
        files.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(files("watch.rs"), "AGENTS.md");
    assert_eq!(files("src/deep/watch.rs"), "AGENTS.md src/AGENTS.md src/deep/AGENTS.md");
}

#[test]
fn instructions_are_named_and_all_of_them_have_one_room() {
    check(
        &instructions("AGENTS.md", "file:///w/AGENTS.md".to_owned(), "Be brief.\n", 0),
        expect![[r#"
            AGENTS.md | 0 left out
            <instructions file="AGENTS.md">
            Be brief.
            </instructions>
        "#]],
    );
    let long = instructions("AGENTS.md", "file:///w/AGENTS.md".to_owned(), &"a line\n".repeat(6_000), 0);
    assert!(long.text.len() <= INSTRUCTIONS_ROOM + 200, "{}", long.text.len());
    assert!(
        long.text.ends_with("a line\n[9233 bytes more: read AGENTS.md]\n</instructions>"),
        "{}",
        &long.text[32_700..]
    );
    let history = History::new(vec![context(long)]);
    let other = instructions(
        "src/AGENTS.md",
        "file:///w/src/AGENTS.md".to_owned(),
        "Be brief.\n",
        history.taken_before("file:///w/src/AGENTS.md"),
    );
    check(
        &other,
        expect![[r#"
        src/AGENTS.md | 9 left out
        <instructions file="src/AGENTS.md">

        [9 bytes more: read src/AGENTS.md]
        </instructions>
    "#]],
    );
}

#[test]
fn the_latest_instructions_of_a_file_count() {
    let uri = || "file:///w/AGENTS.md".to_owned();
    let told = |text: &str| context(instructions("AGENTS.md", uri(), text, 0));
    let history = History::new(vec![told("one"), told("two")]);
    let latest = &history.instructed()["file:///w/AGENTS.md"].text;
    assert!(latest.contains("two"), "{latest}");
}

#[test]
fn a_file_has_numbers_and_says_what_it_lacks() {
    let text = "one\ntwo\nthree\nfour\n";
    let file =
        |lines: Option<Range<u32>>, room| file("a.txt", "file:///w/a.txt".to_owned(), text, lines.as_ref(), room);
    check(
        &file(None, 100),
        expect![[r#"
        a.txt | 0 left out
        <attached file="a.txt">
        1	one
        2	two
        3	three
        4	four
        </attached>
    "#]],
    );
    check(
        &file(Some(1..3), 100),
        expect![[r#"
        a.txt:2-3 | 0 left out
        <attached file="a.txt:2-3">
        2	two
        3	three
        </attached>
    "#]],
    );
    check(
        &file(None, 12),
        expect![[r#"
        a.txt | 15 left out
        <attached file="a.txt">
        1	one
        2	two
        [15 bytes more: read a.txt from line 3]
        </attached>
    "#]],
    );
}

#[test]
fn names_in_a_prompt_are_found_and_addresses_are_not() {
    let cases: &[(&str, &[&str])] = &[
        ("look at @src/watch.rs.", &["src/watch.rs"]),
        ("@a and (@b), @c:3-9?", &["a", "b", "c:3-9"]),
        ("mail ann@example.org @", &[]),
        ("@\"with blanks.txt\" here", &["with blanks.txt"]),
        ("@selection", &["selection"]),
        ("npm i @types/node", &["types/node"]),
    ];
    for (text, names) in cases {
        assert_eq!(named(text), *names, "{text}");
    }
    assert_eq!(lines_of("a:3-9"), ("a", Some(2..9)));
    assert_eq!(lines_of("a:3"), ("a", Some(2..3)));
    assert_eq!(lines_of("a:0"), ("a:0", None));
    assert_eq!(lines_of("a:9-3"), ("a:9-3", None));
    assert_eq!(lines_of("a:b"), ("a:b", None));
}

#[test]
fn problems_that_only_moved_are_no_news() {
    let of = |list: Vec<Diagnostic>| BTreeMap::from([("a.rs".to_owned(), list)]);
    let before = of(vec![problem((1, 1), Severity::Error, "old"), problem((3, 1), Severity::Warning, "stays")]);
    let after = of(vec![
        problem((4, 2), Severity::Warning, "stays"),
        problem((5, 0), Severity::Error, "new\nwith more"),
        problem((6, 0), Severity::Hint, "nobody minds"),
    ]);
    check(
        &problems_changed(&before, &after).expect("news"),
        expect![[r#"
        problems: 1 new, 1 gone | 0 left out
        <problems after="your last edits">
        a.rs:6:1 error: new with more [rustc E1]
        gone: a.rs:2:2 error: old [rustc E1]
        </problems>
    "#]],
    );
    assert_eq!(problems_changed(&after, &after), None);
    check(
        &problems(&BTreeMap::new()),
        expect![[r#"
        0 problems | 0 left out
        <problems>
        [the editor shows none]
        </problems>
    "#]],
    );
}

#[test]
fn what_was_given_is_not_given_again() {
    let words = |history: &History| history.unattached().len();
    let mut history = History::new(vec![said("one")]);
    assert_eq!(words(&history), 1);
    history.push(item(ItemContent::Notice(Notice { text: "fact".to_owned(), audience: Audience::Model })));
    history.push(said("two"));
    assert_eq!(words(&history), 2);
    history.push(context(missing("a", "it does not exist")));
    assert_eq!(words(&history), 0);
    history.push(said("three"));
    assert_eq!(words(&history), 1);
}

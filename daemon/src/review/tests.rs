use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::HunkState;

mod properties;

/// A ledger with one file, and what happens to it.
pub(super) struct Stage {
    pub(super) ledger: Ledger,
    pub(super) path: RootedPath,
    pub(super) disk: Content,
}

/// Lines are words; `-` is a file that does not exist.
pub(super) fn content(words: &str) -> Content {
    match words {
        "-" => Content::Absent,
        words => text(&words.split_whitespace().map(|word| format!("{word}\n")).collect::<String>()),
    }
}

pub(super) fn text(text: &str) -> Content {
    Content::Text(Arc::from(text.as_bytes()))
}

/// `s1` or `s1/t2`: a session and its turn.
pub(super) fn source(name: &str) -> Source {
    let (session, turn) = name.split_once('/').unwrap_or((name, "t"));
    Source { session: session.into(), turn: turn.into() }
}

pub(super) fn ledger() -> Ledger {
    let mut count = 0;
    Ledger::new(AbsPath::new("/w").expect("absolute"), move || {
        count += 1;
        HunkId(format!("h{count}"))
    })
}

impl Stage {
    pub(super) fn new(disk: Content) -> Self {
        let root = AbsPath::new("/w").expect("absolute");
        Self { ledger: ledger(), path: RootedPath::new(&root, "a").expect("inside"), disk }
    }

    fn of(words: &str) -> Self {
        Self::new(content(words))
    }

    pub(super) fn becomes(&mut self, after: Content, author: &Author) {
        self.ledger.record(&self.path, &self.disk, &after, author);
        self.disk = after;
    }

    fn agent(mut self, session: &str, words: &str) -> Self {
        self.becomes(content(words), &Author::Agent(source(session)));
        self
    }

    fn person(mut self, words: &str) -> Self {
        self.becomes(content(words), &Author::Person);
        self
    }

    fn propose(mut self, session: &str, words: &str) -> Self {
        self.ledger.propose(&self.path, &self.disk, &content(words), &source(session));
        self
    }

    fn keep(mut self, selection: &Selection) -> Self {
        self.ledger.keep(selection).expect("it is there");
        self
    }

    fn unkeep(mut self, selection: &Selection) -> Self {
        self.ledger.unkeep(selection).expect("it is there");
        self
    }

    fn undo(mut self, selection: &Selection) -> Self {
        let writes = self.ledger.undo(selection).expect("it is there");
        self.write(&writes);
        self
    }

    fn accept(mut self, selection: &Selection) -> Self {
        let writes = self.ledger.accept(selection).expect("it fits");
        self.write(&writes);
        self
    }

    fn reject(mut self, selection: &Selection) -> Self {
        self.ledger.reject(selection).expect("it is there");
        self
    }

    pub(super) fn write(&mut self, writes: &[Write]) {
        for write in writes {
            assert_eq!(write.expected, self.disk);
            self.ledger.done(write);
            self.disk = write.wanted.clone();
            if let Some(current) = self.ledger.current(&self.path) {
                assert_eq!(*current, self.disk, "the ledger has what was written");
            }
        }
    }

    /// The text, the text below and all hunks.
    #[track_caller]
    fn check(self, expected: Expect) -> Self {
        let mut shown = format!("now  {}\n", words(&self.disk));
        match self.ledger.base(&self.path) {
            Some(base) => shown += &format!("base {}\n", words(&base)),
            None => shown += "not under review\n",
        }
        for hunk in self.ledger.hunks(&self.path, None) {
            let range = |range: pilotfish_protocol::LineRange| format!("{}..{}", range.start, range.end);
            let state = match hunk.state {
                HunkState::Applied => "",
                HunkState::Proposed => " proposed",
                HunkState::Conflict => " conflict",
            };
            let users = if hunk.user_lines.is_empty() { String::new() } else { format!(" user {:?}", hunk.user_lines) };
            shown += &format!(
                "{} {}/{} {:?} {} [{}] -> {} [{}]{users}{state}\n",
                hunk.id,
                hunk.session_id,
                hunk.turn_id,
                hunk.kind,
                range(hunk.old_range),
                hunk.old_text.trim_end().replace('\n', " "),
                range(hunk.new_range),
                hunk.new_text.trim_end().replace('\n', " "),
            );
        }
        expected.assert_eq(&shown);
        self
    }

    #[track_caller]
    fn told(mut self, session: &str, expected: Expect) -> Self {
        expected.assert_eq(&self.ledger.told(&session.into()).unwrap_or_default());
        self
    }
}

fn words(content: &Content) -> String {
    match content {
        Content::Absent => "-".to_owned(),
        Content::Text(bytes) => String::from_utf8_lossy(bytes).trim_end().replace('\n', " "),
        Content::Other(words) => format!("({words})"),
    }
}

fn all() -> Selection {
    Selection::default()
}

fn hunk(id: &str) -> Selection {
    Selection { hunks: Some(vec![id.into()]), ..all() }
}

fn at(lines: Range<u32>) -> Selection {
    Selection { lines: Some(lines), ..all() }
}

fn session(id: &str) -> Selection {
    Selection { session: Some(id.into()), ..all() }
}

#[test]
fn an_edit_is_hunks_until_they_are_decided() {
    Stage::of("a b c d e")
        .agent("s1", "a B c d e f")
        .check(expect![[r#"
            now  a B c d e f
            base a b c d e
            h1 s1/t Change 1..2 [b] -> 1..2 [B]
            h2 s1/t Add 5..5 [] -> 5..6 [f]
        "#]])
        .keep(&hunk("h1"))
        .check(expect![[r#"
            now  a B c d e f
            base a B c d e
            h2 s1/t Add 5..5 [] -> 5..6 [f]
        "#]])
        .undo(&hunk("h2"))
        .check(expect![[r#"
            now  a B c d e
            base a B c d e
        "#]])
        .told("s1", expect!["The person reviewed your changes: kept a:2; undid a:6."])
        .told("s1", expect![[r#""#]]);
}

#[test]
fn the_person_types_beside_hunks_and_they_stay() {
    Stage::of("a b c d e")
        .agent("s1", "a B c D e")
        .person("a B x c D e")
        .person("A B x c D e")
        .person("A B x c D E")
        .check(expect![[r#"
            now  A B x c D E
            base A b x c d E
            h1 s1/t Change 1..2 [b] -> 1..2 [B]
            h2 s1/t Change 4..5 [d] -> 4..5 [D]
        "#]])
        .undo(&all())
        .check(expect![[r#"
            now  A b x c d E
            not under review
        "#]]);
}

#[test]
fn the_persons_lines_inside_a_hunk_stay_when_it_is_undone() {
    Stage::of("a b c d e")
        .agent("s1", "a B C D e")
        .person("a B x D e")
        .check(expect![[r#"
            now  a B x D e
            base a b c d e
            h1 s1/t Change 1..4 [b c d] -> 1..4 [B x D] user [2]
        "#]])
        .told("s1", expect!["The person reviewed your changes: changed lines you wrote in a:3."])
        .undo(&all())
        .check(expect![[r#"
            now  a b x d e
            not under review
        "#]]);
    Stage::of("a e").agent("s1", "a B C D e").person("a B x C D e").undo(&all()).check(expect![[r#"
        now  a x e
        not under review
    "#]]);
    // What the person types over a new line, and takes back.
    Stage::of("a c")
        .agent("s1", "a b c")
        .person("a bx c")
        .check(expect![[r#"
            now  a bx c
            base a c
            h1 s1/t Add 1..1 [] -> 1..2 [bx] user [1]
        "#]])
        .person("a b c")
        .check(expect![[r#"
            now  a b c
            base a c
            h1 s1/t Add 1..1 [] -> 1..2 [b]
        "#]]);
}

#[test]
fn the_agents_edit_of_its_own_hunk_leaves_the_persons_lines_the_persons() {
    Stage::of("a b c d e")
        .agent("s1/t1", "a B C D e")
        .person("a B x D e")
        .agent("s1/t2", "a B x DD e")
        .check(expect![[r#"
            now  a B x DD e
            base a b c d e
            h1 s1/t2 Change 1..4 [b c d] -> 1..4 [B x DD] user [2]
        "#]])
        .undo(&all())
        .check(expect![[r#"
            now  a b x d e
            not under review
        "#]]);
}

#[test]
fn an_editors_own_revert_resolves() {
    Stage::of("a b c d e")
        .agent("s1", "a B c d e f")
        .person("a b c d e f")
        .check(expect![[r#"
            now  a b c d e f
            base a b c d e
            h2 s1/t Add 5..5 [] -> 5..6 [f]
        "#]])
        .person("a b c d e")
        .check(expect![[r#"
            now  a b c d e
            not under review
        "#]])
        .told("s1", expect!["The person reviewed your changes: undid a:2,6."]);
    // Lines that were removed come back one by one.
    Stage::of("a b c d e")
        .agent("s1", "a e")
        .person("a d e")
        .check(expect![[r#"
            now  a d e
            base a b c d e
            h1 s1/t Delete 1..3 [b c] -> 1..1 []
        "#]])
        .person("a b x d e")
        .check(expect![[r#"
            now  a b x d e
            base a b x c d e
            h1 s1/t Delete 3..4 [c] -> 3..3 []
        "#]]);
    // Of equal lines it does not matter which one goes.
    let stage = Stage::of("a a b").agent("s1", "a a a b c");
    stage.person("a a b c").check(expect![[r#"
        now  a a b c
        base a a b
        h2 s1/t Add 3..3 [] -> 3..4 [c]
    "#]]);
}

#[test]
fn a_file_is_made_and_removed() {
    Stage::of("-")
        .agent("s1", "a b")
        .check(expect![[r#"
        now  a b
        base -
        h1 s1/t Add 0..0 [] -> 0..2 [a b]
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  -
        not under review
    "#]]);
    Stage::of("-")
        .agent("s1", "")
        .check(expect![[r#"
        now  
        base -
        h1 s1/t Add 0..0 [] -> 0..0 []
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  -
        not under review
    "#]]);
    Stage::of("-").agent("s1", "a b").person("a b x").undo(&all()).check(expect![[r#"
        now  x
        not under review
    "#]]);
    Stage::of("a b")
        .agent("s1", "-")
        .check(expect![[r#"
        now  -
        base a b
        h1 s1/t Delete 0..2 [a b] -> 0..0 []
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  a b
        not under review
    "#]]);
    Stage::of("")
        .agent("s1", "-")
        .check(expect![[r#"
        now  -
        base 
        h1 s1/t Delete 0..0 [] -> 0..0 []
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  
        not under review
    "#]]);
    Stage::of("-")
        .agent("s1", "a b")
        .person("-")
        .check(expect![[r#"
        now  -
        not under review
    "#]])
        .told("s1", expect!["The person reviewed your changes: undid a:1-2."]);
    Stage::of("a b").agent("s1", "-").person("a x").check(expect![[r#"
        now  a x
        base a x b
        h1 s1/t Delete 2..3 [b] -> 2..2 []
    "#]]);
    Stage::of("-").agent("s1", "a b").keep(&all()).unkeep(&all()).undo(&all()).check(expect![[r#"
        now  -
        not under review
    "#]]);
    Stage::of("a b")
        .agent("s1", "-")
        .keep(&all())
        .check(expect![[r#"
        now  -
        base -
    "#]])
        .unkeep(&all())
        .check(expect![[r#"
        now  -
        base a b
        h1 s1/t Delete 0..2 [a b] -> 0..0 []
    "#]]);
    Stage::of("-").agent("s1", "").keep(&all()).unkeep(&all()).check(expect![[r#"
        now  
        base -
        h1 s1/t Add 0..0 [] -> 0..0 []
    "#]]);
}

#[test]
fn lines_of_a_hunk_are_decided_alone() {
    Stage::of("a b c d e")
        .agent("s1", "a B C D e")
        .undo(&at(2..3))
        .check(expect![[r#"
            now  a B c D e
            base a b c d e
            h1 s1/t Change 1..2 [b] -> 1..2 [B]
            h3 s1/t Change 3..4 [d] -> 3..4 [D]
        "#]])
        .keep(&at(1..2))
        .check(expect![[r#"
            now  a B c D e
            base a B c d e
            h3 s1/t Change 3..4 [d] -> 3..4 [D]
        "#]]);
    Stage::of("a b e")
        .agent("s1", "a B C D e")
        .keep(&at(2..3))
        .check(expect![[r#"
            now  a B C D e
            base a b C e
            h1 s1/t Change 1..2 [b] -> 1..2 [B]
            h3 s1/t Add 3..3 [] -> 3..4 [D]
        "#]])
        .unkeep(&hunk("h1"))
        .check(expect![[r#"
            now  a B C D e
            base a b e
            h1 s1/t Change 1..2 [b] -> 1..4 [B C D]
        "#]]);
    // A part that is kept in part and taken back has the name that it had.
    Stage::of("a e")
        .agent("s1", "a B C D e")
        .keep(&at(1..3))
        .agent("s2", "a B C X D e")
        .unkeep(&all())
        .keep(&at(1..2))
        .unkeep(&all())
        .check(expect![[r#"
            now  a B C X D e
            base a e
            h2 s1/t Add 1..1 [] -> 1..3 [B C]
            h3 s2/t Add 1..1 [] -> 3..4 [X]
            h1 s1/t Add 1..1 [] -> 4..5 [D]
        "#]]);
    // Removed lines are meant by the line below them and, where nothing else is, by the one above.
    Stage::of("a b c").agent("s1", "a c").undo(&at(1..2)).check(expect![[r#"
        now  a b c
        not under review
    "#]]);
    Stage::of("a b c").agent("s1", "a c").undo(&at(0..1)).check(expect![[r#"
        now  a b c
        not under review
    "#]]);
}

#[test]
fn two_sessions_in_a_file_do_not_move_each_other() {
    Stage::of("a b c d e f")
        .agent("s1", "a B c d e f")
        .agent("s2", "a B C d e f")
        .check(expect![[r#"
            now  a B C d e f
            base a b c d e f
            h1 s1/t Change 1..2 [b] -> 1..2 [B]
            h2 s2/t Change 2..3 [c] -> 2..3 [C]
        "#]])
        .agent("s2", "a B C d e F")
        .undo(&session("s1"))
        .check(expect![[r#"
            now  a b C d e F
            base a b c d e f
            h2 s2/t Change 2..3 [c] -> 2..3 [C]
            h3 s2/t Change 5..6 [f] -> 5..6 [F]
        "#]])
        .undo(&session("s2"))
        .check(expect![[r#"
            now  a b c d e f
            not under review
        "#]]);
    // One writes into the other's lines.
    Stage::of("a e")
        .agent("s1", "a B C D e")
        .agent("s2", "a B X D e")
        .check(expect![[r#"
            now  a B X D e
            base a e
            h1 s1/t Add 1..1 [] -> 1..2 [B]
            h4 s2/t Add 1..1 [] -> 2..3 [X]
            h3 s1/t Add 1..1 [] -> 3..4 [D]
        "#]])
        .undo(&session("s2"))
        .check(expect![[r#"
            now  a B D e
            base a e
            h1 s1/t Add 1..1 [] -> 1..2 [B]
            h3 s1/t Add 1..1 [] -> 2..3 [D]
        "#]]);
    // One puts back what the other removed.
    Stage::of("a b c").agent("s1", "a c").agent("s2", "a b c").check(expect![[r#"
        now  a b c
        not under review
    "#]]);
}

#[test]
fn a_hunk_is_of_the_latest_turn_that_touched_it() {
    Stage::of("a b c d e f")
        .agent("s1/t1", "a B C d e f")
        .agent("s1/t2", "a B CC d e f")
        .check(expect![[r#"
            now  a B CC d e f
            base a b c d e f
            h1 s1/t2 Change 1..3 [b c] -> 1..3 [B CC]
        "#]])
        .agent("s1/t3", "a B CC D e F")
        .check(expect![[r#"
            now  a B CC D e F
            base a b c d e f
            h1 s1/t2 Change 1..3 [b c] -> 1..3 [B CC]
            h2 s1/t3 Change 3..4 [d] -> 3..4 [D]
            h3 s1/t3 Change 5..6 [f] -> 5..6 [F]
        "#]])
        .undo(&Selection { turn: Some("t3".into()), ..all() })
        .check(expect![[r#"
            now  a B CC d e f
            base a b c d e f
            h1 s1/t2 Change 1..3 [b c] -> 1..3 [B CC]
        "#]]);
}

#[test]
fn proposals_are_seen_by_their_session_alone() {
    let stage = Stage::of("a b c d e").propose("s1", "a B c d e f").propose("s2", "a b c X e").check(expect![[r#"
        now  a b c d e
        base a b c d e
        h1 s1/t Change 1..2 [b] -> 1..2 [B] proposed
        h3 s2/t Change 3..4 [d] -> 3..4 [X] proposed
        h2 s1/t Add 5..5 [] -> 5..6 [f] proposed
    "#]]);
    let seen = |session: &str| stage.ledger.seen_by(&session.into(), &stage.path).map(|content| words(&content));
    assert_eq!(seen("s1"), Some("a B c d e f".to_owned()));
    assert_eq!(seen("s2"), Some("a b c X e".to_owned()));
    assert_eq!(seen("s3"), None);
    assert_eq!(stage.ledger.proposed_by(&"s1".into()), vec![stage.path.clone()]);
    stage
        .accept(&hunk("h1"))
        .check(expect![[r#"
            now  a B c d e
            base a B c d e
            h3 s2/t Change 3..4 [d] -> 3..4 [X] proposed
            h2 s1/t Add 5..5 [] -> 5..6 [f] proposed
        "#]])
        .reject(&hunk("h2"))
        .check(expect![[r#"
            now  a B c d e
            base a B c d e
            h3 s2/t Change 3..4 [d] -> 3..4 [X] proposed
        "#]])
        .accept(&all())
        .check(expect![[r#"
            now  a B c X e
            not under review
        "#]])
        .told(
            "s1",
            expect![
                "The person reviewed your changes: accepted your proposal for a:2; rejected your proposal for a:6."
            ],
        );
}

#[test]
fn proposals_follow_the_file_and_conflict_with_it() {
    let stage = Stage::of("a b c d e")
        .propose("s1", "a B c D e")
        .person("x a b c d e")
        .check(expect![[r#"
            now  x a b c d e
            base x a b c d e
            h1 s1/t Change 2..3 [b] -> 2..3 [B] proposed
            h2 s1/t Change 4..5 [d] -> 4..5 [D] proposed
        "#]])
        .person("x a b c dd e")
        .check(expect![[r#"
            now  x a b c dd e
            base x a b c dd e
            h1 s1/t Change 2..3 [b] -> 2..3 [B] proposed
            h2 s1/t Change 4..5 [d] -> 4..5 [D] conflict
        "#]]);
    let mut stage = stage;
    let accept = stage.ledger.accept(&hunk("h2"));
    assert_eq!(accept, Err(DecideError::Conflict("h2".into())));
    assert_eq!(stage.ledger.keep(&hunk("h1")), Err(DecideError::Proposed("h1".into())));
    assert_eq!(stage.ledger.undo(&hunk("h7")), Err(DecideError::Missing("h7".into())));
    stage
        .reject(&hunk("h2"))
        .check(expect![[r#"
            now  x a b c dd e
            base x a b c dd e
            h1 s1/t Change 2..3 [b] -> 2..3 [B] proposed
        "#]])
        // The person makes the very change.
        .person("x a B c dd e")
        .check(expect![[r#"
            now  x a B c dd e
            not under review
        "#]]);
}

#[test]
fn files_are_proposed_to_be_made_and_removed() {
    Stage::of("-")
        .propose("s1", "a b")
        .check(expect![[r#"
        now  -
        base -
        h1 s1/t Add 0..0 [] -> 0..2 [a b] proposed
    "#]])
        .accept(&all())
        .check(expect![[r#"
        now  a b
        not under review
    "#]]);
    Stage::of("a b")
        .propose("s1", "-")
        .check(expect![[r#"
        now  a b
        base a b
        h1 s1/t Delete 0..2 [a b] -> 0..0 [] proposed
    "#]])
        .accept(&all())
        .check(expect![[r#"
        now  -
        not under review
    "#]]);
    Stage::of("a b").propose("s1", "-").person("a c").check(expect![[r#"
        now  a c
        base a c
        h1 s1/t Delete 0..2 [a b] -> 0..0 [] conflict
    "#]]);
    Stage::of("-").propose("s1", "a b").person("a c").check(expect![[r#"
        now  a c
        base a c
        h1 s1/t Add 2..2 [] -> 2..4 [a b] conflict
    "#]]);
    Stage::of("-")
        .propose("s1", "")
        .check(expect![[r#"
        now  -
        base -
        h1 s1/t Add 0..0 [] -> 0..0 [] proposed
    "#]])
        .reject(&all())
        .check(expect![[r#"
        now  -
        not under review
    "#]]);
}

#[test]
fn what_has_no_lines_is_one_hunk() {
    let other = |words: &str| Content::Other(Arc::from(words));
    let agent = Author::Command(source("s1"));
    let mut stage = Stage::new(other("one"));
    stage.becomes(other("two"), &agent);
    let stage = stage
        .check(expect![[r#"
        now  (two)
        base (one)
        h1 s1/t Change 0..0 [] -> 0..0 []
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  (one)
        not under review
    "#]]);
    drop(stage);
    let mut stage = Stage::of("a b").agent("s1", "a c");
    stage.becomes(other("two"), &agent);
    let mut stage = stage
        .check(expect![[r#"
        now  (two)
        base a b
        h1 s1/t Change 0..0 [] -> 0..0 []
    "#]])
        .keep(&all())
        .check(expect![[r#"
        now  (two)
        base (two)
    "#]])
        .unkeep(&all());
    stage.becomes(content("a c"), &agent);
    stage
        .check(expect![[r#"
        now  a c
        base a b
        h2 s1/t Change 1..2 [b] -> 1..2 [c]
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  a b
        not under review
    "#]]);
    let mut stage = Stage::of("-");
    stage.becomes(other("two"), &agent);
    stage
        .check(expect![[r#"
        now  (two)
        base -
        h1 s1/t Add 0..0 [] -> 0..0 []
    "#]])
        .undo(&all())
        .check(expect![[r#"
        now  -
        not under review
    "#]]);
}

#[test]
fn words_that_changed_have_spans() {
    let mut stage = Stage::new(text("let a = 1;\nb\n"));
    stage.becomes(text("let a = 2;\nb\n"), &Author::Agent(source("s1")));
    let hunks = stage.ledger.hunks(&stage.path, Some(3));
    let spans: Vec<_> =
        hunks.iter().flat_map(|hunk| &hunk.spans).map(|span| (span.line, span.start, span.end)).collect();
    assert_eq!((spans, hunks.first().and_then(|hunk| hunk.version)), (vec![(0, 8, 9)], Some(3)));
    assert_eq!(hunks.first().map(|hunk| hunk.uri.as_str()), Some("file:///w/a"));
}

#[test]
fn what_was_saved_is_read_again_or_refused() {
    let stage = Stage::of("a b c").agent("s1", "a B c d").keep(&hunk("h2")).propose("s2", "a B C d");
    let saved = stage.ledger.save(&stage.path).expect("under review");
    let mut other = ledger();
    other.load(&stage.path, &saved).expect("as it was saved");
    assert_eq!(other.hunks(&stage.path, None), stage.ledger.hunks(&stage.path, None));
    let spoiled = Saved { texts: saved.texts.iter().take(1).cloned().collect(), ..saved.clone() };
    assert_eq!(other.load(&stage.path, &spoiled), Err(SavedError::Texts));
    assert!(matches!(other.load(&stage.path, &Saved { meta: "{}".to_owned(), ..saved }), Err(SavedError::Json(_))));
    assert_eq!(other.current(&stage.path), None);
}

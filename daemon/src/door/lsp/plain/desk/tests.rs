use super::super::ability::Folder;
use super::super::commands::Which;
use super::super::view::Telling;
use super::super::{hints::tests::hunk, view::tests::view};
use super::{Desk, MAX_TELLINGS, comment};
use crate::path::{AbsPath, RootedPath};
use crate::workspace::Reviewed;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Hunk, HunkState, TurnId};
use tower_lsp::ls_types::{Position, Range};

fn path(path: &str) -> AbsPath {
    AbsPath::new(path).expect("absolute")
}

fn desk() -> Desk {
    let mut desk = Desk::default();
    let folder = |named: &str, real: &str| Folder { named: path(named), real: path(real) };
    desk.work_in(vec![folder("/link", "/p"), folder("/p/inner", "/p/inner")]);
    desk
}

fn reviewed(name: &str, hunks: Vec<Hunk>) -> Reviewed {
    let root = path("/p");
    let path = RootedPath::new(&root, name).expect("inside");
    Reviewed { root, path, versions: Vec::new(), hunks: hunks.into() }
}

fn some(id: &str) -> Vec<Hunk> {
    vec![hunk(id, HunkState::Applied, (1, "a\n"), (1, "b\n"))]
}

fn lines(first: u32, last: u32) -> Range {
    Range { start: Position::new(first, 0), end: Position::new(last, 1) }
}

/// What is told of files, in order.
fn check(desk: &mut Desk, expected: Expect) {
    let mut told = String::new();
    while let Some((file, hunks)) = desk.next_stale() {
        let ids: Vec<&str> = hunks.iter().map(|hunk| hunk.id.0.as_str()).collect();
        told += &format!("{file} {ids:?}\n");
    }
    expected.assert_eq(&told);
}

#[test]
fn each_file_is_told_once_as_it_is_then() {
    let mut desk = desk();
    desk.reviewed(reviewed("a.txt", some("h1")));
    desk.reviewed(reviewed("inner/b.txt", some("h2")));
    desk.reviewed(reviewed("a.txt", some("h3")));
    desk.reviewed(reviewed("never.txt", Vec::new()));
    check(
        &mut desk,
        expect![[r#"
        /link/a.txt ["h3"]
        /link/inner/b.txt ["h2"]
    "#]],
    );
    desk.reviewed(reviewed("a.txt", Vec::new()));
    check(
        &mut desk,
        expect![[r#"
        /link/a.txt []
    "#]],
    );
    desk.reviewed(reviewed("a.txt", Vec::new()));
    check(&mut desk, expect![""]);
}

#[test]
fn a_list_of_all_takes_back_what_is_not_in_it() {
    let mut desk = desk();
    assert!(desk.take_relist() && !desk.take_relist());
    desk.reviewed(reviewed("a.txt", some("h1")));
    desk.reviewed(reviewed("b.txt", some("h2")));
    check(
        &mut desk,
        expect![[r#"
        /link/a.txt ["h1"]
        /link/b.txt ["h2"]
    "#]],
    );
    let mut elsewhere = some("h9");
    elsewhere[0].uri = "file:///q/c.txt".to_owned();
    desk.listed(&path("/p"), [some("h1"), elsewhere].concat());
    check(
        &mut desk,
        expect![[r#"
        /link/a.txt ["h1"]
        /link/b.txt []
    "#]],
    );
}

#[test]
fn changes_are_chosen_by_name_by_place_and_by_file() {
    let mut desk = desk();
    let hunks = vec![
        hunk("h1", HunkState::Applied, (1, "a\n"), (1, "b\n")),
        hunk("h2", HunkState::Applied, (4, "gone\n"), (4, "")),
    ];
    desk.reviewed(reviewed("a.txt", hunks));
    let file = path("/p/a.txt");
    let ids = |which: Which| -> Vec<String> {
        desk.chosen(&which, Some(&file)).into_iter().map(|(root, hunk)| format!("{root} {}", hunk.id)).collect()
    };
    assert_eq!(ids(Which::Hunks(vec!["h2".into(), "h9".into()])), ["/p h2"]);
    assert_eq!(ids(Which::At(String::new(), lines(0, 1))), ["/p h1"]);
    assert_eq!(ids(Which::At(String::new(), lines(3, 3))), ["/p h2"], "from the line above");
    assert_eq!(ids(Which::At(String::new(), lines(4, 4))), ["/p h2"], "from the line below");
    assert_eq!(ids(Which::At(String::new(), lines(5, 9))), Vec::<String>::new());
    assert_eq!(ids(Which::File(String::new())), ["/p h1", "/p h2"]);
}

#[test]
fn a_file_is_worked_on_in_the_innermost_folder() {
    let desk = desk();
    assert_eq!(desk.folder_for(Some(&path("/p/inner/a"))), Some(path("/p/inner")));
    assert_eq!(desk.folder_for(Some(&path("/p/a"))), Some(path("/p")));
    assert_eq!(desk.folder_for(Some(&path("/elsewhere/a"))), Some(path("/p")));
    assert_eq!(Desk::default().folder_for(Some(&path("/p/a"))), None);
}

#[test]
fn a_client_that_does_not_read_costs_no_more_than_it_can_use() {
    let mut desk = desk();
    desk.open(view(), Vec::new());
    let turn = TurnId::from("t1");
    for count in 0..3 {
        desk.tell(vec![Telling::Working(turn.clone(), count.to_string())]);
    }
    assert_eq!(desk.next_telling(), Some(Telling::Working(turn.clone(), "2".to_owned())));
    assert_eq!(desk.next_telling(), None);
    desk.tell(vec![Telling::Begun(turn); MAX_TELLINGS + 10]);
    assert_eq!(std::iter::from_fn(|| desk.next_telling()).count(), MAX_TELLINGS);
}

#[test]
fn a_comment_is_a_question() {
    let text = "fn a() {}\n// why is\n//  this so?\n    # and this\n---\n/* one two */\n";
    let of = |first, last| comment(text, lines(first, last));
    assert_eq!(of(1, 2).as_deref(), Some("why is this so?"));
    assert_eq!(of(3, 3).as_deref(), Some("and this"));
    assert_eq!(of(5, 5).as_deref(), Some("one two"));
    assert_eq!(of(0, 0), None);
    assert_eq!(of(0, 1), None);
    assert_eq!(of(4, 4), None);
    assert_eq!(of(90, 95), None);
}

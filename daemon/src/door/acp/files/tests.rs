use super::*;

fn path(path: &str) -> AbsPath {
    AbsPath::new(path).expect("absolute")
}

fn files() -> Files {
    let mut files = Files::default();
    files.opened(&SessionId::from("s1"), path("/real/p"), Some("/link/p".into()));
    files
}

fn check(files: &Files, root: &str, file: &str, expected: Option<&str>) {
    let place = files.place(&path(root), &path(file));
    assert_eq!(place, expected.map(|name| (SessionId::from("s1"), name.to_owned())));
}

#[test]
fn a_file_has_the_clients_name_and_lies_in_a_folder_of_its_session() {
    let mut files = files();
    check(&files, "/real/p", "/real/p/d/a", Some("/link/p/d/a"));
    check(&files, "/real/p", "/real/other", None);
    check(&files, "/real", "/real/p/a", None);
    // Attached again by a prompt, which names no folder.
    files.opened(&SessionId::from("s1"), path("/real/p"), None);
    check(&files, "/real/p", "/real/p/a", Some("/link/p/a"));
    files.left(&SessionId::from("s1"));
    check(&files, "/real/p", "/real/p/a", None);
}

#[test]
fn who_is_silent_is_not_asked_again_in_this_turn() {
    let mut files = files();
    drop(files.ask(7, &path("/real/p/a")));
    let waits = files.ask(8, &path("/real/p/b"));
    assert_eq!(files.gave_up(&path("/real/p/a")), Vec::<i64>::new(), "it is forgotten already");
    drop(waits);
    assert_eq!(files.gave_up(&path("/real/p/b")), [8]);
    check(&files, "/real/p", "/real/p/a", None);
    check(&files, "/real/p", "/real/p/c", Some("/link/p/c"));
    files.gave_up(&path("/real/p/d"));
    check(&files, "/real/p", "/real/p/c", None);
    files.turn_ended();
    check(&files, "/real/p", "/real/p/a", Some("/link/p/a"));
}

#[test]
fn answers_go_to_who_asked() {
    let mut files = files();
    let mut answer = files.ask(7, &path("/real/p/a"));
    assert!(!files.answered(Some(&Id::Number(8)), Some("{}")));
    assert!(files.answered(Some(&Id::Number(7)), Some("null")));
    assert!(!files.answered(Some(&Id::Number(7)), Some("null")), "once");
    assert_eq!(answer.try_recv(), Ok(Some("null".to_owned())));
}

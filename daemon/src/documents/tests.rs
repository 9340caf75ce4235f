use super::*;
use expect_test::{Expect, expect};

pub(super) struct Silent;

impl Editor for Silent {
    fn edit(&self, _: &AbsPath, _: i32, _: Arc<str>, _: Arc<str>) -> BoxFuture<'static, Result<(), Declined>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn wants_saving(&self, _: &AbsPath) {}
}

pub(super) fn path(path: &str) -> AbsPath {
    AbsPath::new(path).expect("absolute")
}

pub(super) fn client(name: &str) -> ConnectionId {
    ConnectionId::from(name)
}

fn open(documents: &Documents, name: &str, text: &str) {
    documents.open(&client(name), &path("/ws/a"), 1, text.to_owned(), Arc::new(Silent));
}

fn look(documents: &Documents, name: &str) {
    documents.look_at(&client(name), Looking { path: path("/ws/a"), selection: None, visible: None });
}

fn typed(documents: &Documents, name: &str, version: i32, text: &str) {
    documents.change(&client(name), &path("/ws/a"), version, |_| text.to_owned()).expect("it is open");
}

fn check(documents: &Documents, disk: Option<&str>, expected: Expect) {
    let buffer = |buffer: &Buffer| format!("{} {} {:?}", buffer.client, buffer.version, buffer.text);
    let shown = match Standing::of(documents.buffers(&path("/ws/a")), disk) {
        Standing::Disk(None) => "disk".to_owned(),
        Standing::Disk(Some(open)) => format!("disk, open in {}", buffer(&open)),
        Standing::Unsaved(open) => format!("unsaved in {}", buffer(&open)),
        Standing::Split(all) => format!("split: {}", all.iter().map(buffer).collect::<Vec<_>>().join(", ")),
    };
    expected.assert_eq(&shown);
}

#[test]
fn the_text_that_was_typed_and_not_saved_counts() {
    let documents = Documents::default();
    check(&documents, Some("old"), expect!["disk"]);
    open(&documents, "n1", "old");
    documents.settle(&path("/ws/a"), Some("old"));
    check(&documents, Some("old"), expect![[r#"disk, open in n1 1 "old""#]]);
    typed(&documents, "n1", 2, "new");
    check(&documents, Some("old"), expect![[r#"unsaved in n1 2 "new""#]]);
    documents.save(&client("n1"), &path("/ws/a"));
    check(&documents, Some("new"), expect![[r#"disk, open in n1 2 "new""#]]);
}

#[test]
fn a_saved_text_that_is_older_than_the_disk_does_not_count() {
    let documents = Documents::default();
    open(&documents, "n1", "old");
    documents.settle(&path("/ws/a"), Some("old"));
    check(&documents, Some("written by a command"), expect!["disk"]);
}

#[test]
fn the_editor_that_was_used_last_is_asked_first() {
    let documents = Documents::default();
    open(&documents, "n1", "old");
    open(&documents, "n2", "old");
    check(&documents, Some("old"), expect![[r#"disk, open in n2 1 "old""#]]);
    look(&documents, "n1");
    check(&documents, Some("old"), expect![[r#"disk, open in n1 1 "old""#]]);
    documents.settle(&path("/ws/a"), Some("old"));
    typed(&documents, "n2", 2, "mine");
    look(&documents, "n1");
    check(&documents, Some("old"), expect![[r#"unsaved in n2 2 "mine""#]]);
}

#[test]
fn two_editors_with_different_unsaved_texts_are_told_apart() {
    let documents = Documents::default();
    open(&documents, "n1", "old");
    open(&documents, "n2", "old");
    typed(&documents, "n1", 2, "one");
    typed(&documents, "n2", 2, "two");
    check(&documents, Some("old"), expect![[r#"split: n2 2 "two", n1 2 "one""#]]);
    typed(&documents, "n1", 3, "two");
    check(&documents, Some("old"), expect![[r#"unsaved in n1 3 "two""#]]);
    documents.leave(&client("n1"));
    documents.close(&client("n2"), &path("/ws/a"));
    check(&documents, Some("old"), expect!["disk"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_told_apart_from_what_was_typed() {
    let documents = Documents::default();
    let heard = documents.listen(&path("/ws"));
    open(&documents, "n1", "a");
    let mut expected = documents.expect(&client("n1"), &path("/ws/a"), &Arc::from("ab"));
    typed(&documents, "n1", 2, "ab");
    typed(&documents, "n1", 3, "abc");
    typed(&documents, "n1", 4, "abcd");
    assert!(expected.came(1, Duration::from_millis(1)).await);
    heard.ready().await;
    let asked = Step::Asked { before: "a".into(), after: "ab".into(), token: expected.token };
    assert_eq!(heard.take(), BTreeMap::from([(path("/ws/a"), vec![Step::Look, asked, Step::Look])]));
    // Once only, and not for the next one who types the same.
    typed(&documents, "n1", 5, "ab");
    assert_eq!(heard.take(), BTreeMap::from([(path("/ws/a"), vec![Step::Look])]));
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_is_not_waited_for() {
    let documents = Documents::default();
    open(&documents, "n1", "a");
    let mut expected = documents.expect(&client("n1"), &path("/ws/a"), &Arc::from("ab"));
    assert!(!expected.came(1, Duration::from_millis(500)).await);
    drop(expected);
    assert!(documents.lock().wishes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_said_yes_is_waited_for_until_its_text_is_another_one() {
    let documents = Documents::default();
    let limit = Duration::from_secs(10);
    let wish = || documents.expect(&client("n1"), &path("/ws/a"), &Arc::from("ab"));
    open(&documents, "n1", "a");
    // It said yes, and tells of it a second later.
    let mut expected = wish();
    let later = async {
        tokio::time::advance(Duration::from_secs(1)).await;
        typed(&documents, "n1", 2, "ab");
    };
    assert!(tokio::join!(expected.came(1, limit), later).0);
    // What comes instead, before its yes or after it, is an answer as well: nobody waits any longer.
    let mut expected = wish();
    let instead = async { typed(&documents, "n1", 3, "mine") };
    assert!(!tokio::join!(expected.came(2, limit), instead).0);
    let mut expected = wish();
    typed(&documents, "n1", 4, "mine again");
    assert!(!expected.came(3, limit).await);
    let mut expected = wish();
    let closing = async { documents.close(&client("n1"), &path("/ws/a")) };
    assert!(!tokio::join!(expected.came(4, limit), closing).0);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_found_in_one_change_with_what_was_typed() {
    let documents = Documents::default();
    let heard = documents.listen(&path("/ws"));
    open(&documents, "n1", "one\ntwo\n");
    let expected = documents.expect(&client("n1"), &path("/ws/a"), &Arc::from("1\ntwo\n"));
    typed(&documents, "n1", 2, "1\ntwo\ntyped\n");
    let asked = Step::Asked { before: "one\ntwo\n".into(), after: "1\ntwo\n".into(), token: expected.token };
    assert_eq!(heard.take(), BTreeMap::from([(path("/ws/a"), vec![Step::Look, asked, Step::Look])]));
    // What was typed alone is nobody's wish.
    let _other = documents.expect(&client("n1"), &path("/ws/a"), &Arc::from("1\n2\ntyped\n"));
    typed(&documents, "n1", 3, "1\ntwo\ntyped on\n");
    assert_eq!(heard.take(), BTreeMap::from([(path("/ws/a"), vec![Step::Look])]));
}

#[tokio::test]
async fn what_was_asked_for_may_come_in_parts() {
    let documents = Documents::default();
    let steps = documents.listen(&path("/ws"));
    let taken = || steps.take().remove(&path("/ws/a")).unwrap_or_default();
    let wish = |text: &str| documents.expect(&client("n1"), &path("/ws/a"), &Arc::from(text));
    open(&documents, "n1", "1\n2\n3\n4\n5\n");
    assert_eq!(taken(), [Step::Look]);
    // Half of it, the answer, the rest.
    let mut expected = wish("one\n2\n3\n4\nfive\n");
    typed(&documents, "n1", 2, "1\n2\n3\n4\nfive\n");
    assert_eq!(taken(), []);
    let rest = async { typed(&documents, "n1", 3, "one\n2\n3\n4\nfive\n") };
    assert!(tokio::join!(expected.came(1, Duration::from_secs(5)), rest).0);
    let (before, after) = ("1\n2\n3\n4\n5\n".into(), "one\n2\n3\n4\nfive\n".into());
    assert_eq!(taken(), [Step::Asked { before, after, token: expected.token }]);
    // Half of it, and something else: all of that was done there.
    let mut expected = wish("1\n2\n3\n4\n5\n");
    typed(&documents, "n1", 4, "1\n2\n3\n4\nfive\n");
    let instead = async { typed(&documents, "n1", 5, "mine\n2\n3\n4\nfive\n") };
    assert!(!tokio::join!(expected.came(3, Duration::from_secs(5)), instead).0);
    assert_eq!(taken(), [Step::Look]);
    // Half of it, and no more.
    let expected = wish("mine\n2\nthree\n4\n5\n");
    typed(&documents, "n1", 6, "mine\n2\n3\n4\n5\n");
    assert_eq!(taken(), []);
    drop(expected);
    assert_eq!(taken(), [Step::Look]);
}

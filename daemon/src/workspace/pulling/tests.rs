use super::*;
use crate::documents::{Declined, Editor};
use crate::workspace::Change;
use crate::workspace::tests::{cause, shared};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::time::Instant;

/// A client that says nothing by itself, and what it was asked.
#[derive(Default)]
struct Quiet {
    texts: Mutex<BTreeMap<String, String>>,
    asked: Mutex<Vec<String>>,
    is_silent: bool,
    only_reads: bool,
}

impl Editor for Quiet {
    fn edit(&self, path: &AbsPath, _: i32, _: Arc<str>, after: Arc<str>) -> BoxFuture<'static, Result<(), Declined>> {
        self.asked.lock().expect("free").push(format!("write {after:?}"));
        self.texts.lock().expect("free").insert(name(path), after.to_string());
        std::fs::write(path.as_path(), &*after).expect("written");
        std::future::ready(Ok(())).boxed()
    }

    fn wants_saving(&self, _: &AbsPath) {}

    fn writes(&self) -> bool {
        true
    }
}

impl Puller for Quiet {
    fn read(&self, path: &AbsPath) -> BoxFuture<'static, Option<String>> {
        self.asked.lock().expect("free").push("read".to_owned());
        if self.is_silent {
            return std::future::pending().boxed();
        }
        std::future::ready(self.texts.lock().expect("free").get(&name(path)).cloned()).boxed()
    }

    fn gave_up(&self, path: &AbsPath) {
        self.asked.lock().expect("free").push(format!("gave up {}", name(path)));
    }

    fn takes_edits(&self) -> bool {
        !self.only_reads
    }
}

fn name(path: &AbsPath) -> String {
    path.as_path().file_name().unwrap_or_default().display().to_string()
}

struct Fixture {
    _directory: tempfile::TempDir,
    workspace: Workspace,
    client: Arc<Quiet>,
}

impl Fixture {
    fn new(disk: &[u8], client: Quiet) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let root = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
        std::fs::write(root.as_path().join("a"), disk).expect("written");
        let shared = shared(&directory.path().join("state"));
        let client = Arc::new(client);
        shared.documents.pull_from(&ConnectionId::from("n1"), &root, client.clone());
        Self { _directory: directory, workspace: Workspace::open(root, shared), client }
    }

    fn path(&self) -> RootedPath {
        RootedPath::new(self.workspace.root(), "a").expect("inside")
    }

    fn types(&self, text: &str) {
        self.client.texts.lock().expect("free").insert("a".to_owned(), text.to_owned());
    }

    fn writes_on_disk(&self, text: &str) {
        std::fs::write(self.workspace.root().join(&self.path()).as_path(), text).expect("written");
    }

    async fn seen(&self) -> String {
        let read = self.workspace.read(&self.path(), 1 << 20, None).await.expect("readable");
        String::from_utf8_lossy(&read.bytes).into_owned()
    }

    async fn replace(&self, before: &str, after: &str) -> String {
        let change = Change::Replace { path: self.path(), before: before.into(), bytes: after.into() };
        match self.workspace.apply(vec![change], &cause("t1")).await {
            Ok(()) => "done".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.client.asked.lock().expect("free"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_costs_two_seconds_and_the_disk_counts() {
    let fixture = Fixture::new(b"disk\n", Quiet { is_silent: true, ..Quiet::default() });
    let begun = Instant::now();
    assert_eq!(fixture.seen().await, "disk\n");
    let cost = begun.elapsed();
    assert!(cost >= ANSWER && cost < ANSWER + Duration::from_millis(10), "{cost:?}");
    assert_eq!(fixture.asked(), ["read", "gave up a"]);
}

#[tokio::test(start_paused = true)]
async fn a_text_is_unsaved_when_it_is_new_and_not_the_disks() {
    let fixture = Fixture::new(b"disk\n", Quiet::default());
    assert_eq!(fixture.seen().await, "disk\n", "it has none");
    fixture.types("disk\n");
    assert_eq!(fixture.seen().await, "disk\n");
    fixture.writes_on_disk("changed\n");
    assert_eq!(fixture.seen().await, "changed\n", "the client has not read it again");
    fixture.types("changed\ntyped\n");
    assert_eq!(fixture.seen().await, "changed\ntyped\n");
    let unsaved: Vec<_> = fixture.workspace.unsaved(None).await.into_values().flatten().collect();
    assert_eq!(unsaved, [Arc::from(&b"changed\ntyped\n"[..])]);
    fixture.client.texts.lock().expect("free").clear();
    assert!(fixture.workspace.unsaved(None).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_client_has_is_changed_by_it_alone_and_counts_as_saved() {
    let fixture = Fixture::new(b"one\ntwo\n", Quiet::default());
    fixture.types("one\ntwo\ntyped\n");
    assert_eq!(fixture.replace("one\ntwo\n", "one\n2\n").await, "done");
    assert_eq!(fixture.asked(), ["read", r#"write "one\n2\ntyped\n""#]);
    assert_eq!(fixture.seen().await, "one\n2\ntyped\n");
    assert!(fixture.workspace.unsaved(None).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_reads_holds_up_no_change_of_what_is_saved() {
    let fixture = Fixture::new(b"one\n", Quiet { only_reads: true, ..Quiet::default() });
    fixture.types("one\n");
    assert_eq!(fixture.replace("one\n", "two\n").await, "done");
    assert_eq!(fixture.asked(), ["read"], "the change is on the disk");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_text_is_not_asked_for() {
    let fixture = Fixture::new(b"\xff\n", Quiet::default());
    fixture.types("\u{fffd}\n");
    fixture.seen().await;
    assert_eq!(fixture.asked(), Vec::<String>::new());
}

#[test]
fn a_client_may_show_a_text_in_its_own_way() {
    let check = |text, disk, expected: &str| assert_eq!(like(text, disk), expected);
    check("one\ntwo\n", Some("one\r\n"), "one\r\ntwo\r\n");
    check("one\ntwo\n", Some("one\r\ntwo\n"), "one\ntwo\n");
    check("one\r\n", Some("one\r\n"), "one\r\n");
    check("\u{feff}one\n", Some("one\n"), "one\n");
    check("one\n", None, "one\n");
}

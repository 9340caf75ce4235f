use super::*;
use crate::documents::{Documents, Editor};
use crate::path::AbsPath;
use futures::FutureExt;
use futures::future::BoxFuture;
use pilotfish_protocol::ConnectionId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// What a scripted editor does when it is asked for an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    /// What it is asked.
    Obeys,
    /// Its person types this at the end of the text first. It then says yes and does nothing, as Neovim does with an edit of an older text.
    TypesFirst(String),
    /// Its person is typing there; it says so.
    Busy,
    /// Says yes and does nothing.
    Lies,
}

/// An editor with one text, which its person changes as well.
struct Scripted {
    documents: Documents,
    client: ConnectionId,
    path: AbsPath,
    text: Mutex<(i32, String)>,
    manners: Mutex<VecDeque<Manner>>,
    /// Texts that an edit was asked of, and the one it was asked for.
    asked: Mutex<Vec<(String, String)>>,
    saves: Mutex<u32>,
}

impl Scripted {
    fn open(fixture: &Fixture, name: &str, path: &RootedPath) -> Arc<Self> {
        let path = fixture.workspace.root().join(path);
        let text = std::fs::read_to_string(path.as_path()).unwrap_or_default();
        let editor = Arc::new(Self {
            documents: fixture.documents.clone(),
            client: ConnectionId::from(name),
            path: path.clone(),
            text: Mutex::new((1, text.clone())),
            manners: Mutex::default(),
            asked: Mutex::default(),
            saves: Mutex::default(),
        });
        fixture.documents.open(&editor.client, &path, 1, text, editor.clone());
        editor
    }

    fn will(&self, manner: Manner) {
        self.manners.lock().expect("not poisoned").push_back(manner);
    }

    fn becomes(&self, new: &str) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        *text = (text.0 + 1, new.to_owned());
        self.documents.change(&self.client, &self.path, text.0, |_| new.to_owned());
    }

    fn types(&self, more: &str) {
        let text = self.shown() + more;
        self.becomes(&text);
    }

    fn shown(&self) -> String {
        self.text.lock().expect("not poisoned").1.clone()
    }

    fn asked(&self) -> usize {
        self.asked.lock().expect("not poisoned").len()
    }
}

impl Editor for Scripted {
    fn edit(
        &self,
        _: &AbsPath,
        version: i32,
        before: Arc<str>,
        after: Arc<str>,
    ) -> BoxFuture<'static, Result<(), Declined>> {
        self.asked.lock().expect("not poisoned").push((before.to_string(), after.to_string()));
        let manner = self.manners.lock().expect("not poisoned").pop_front().unwrap_or(Manner::Obeys);
        if let Manner::TypesFirst(text) = &manner {
            self.types(text);
        }
        let (now, shown) = self.text.lock().expect("not poisoned").clone();
        let said = match manner {
            Manner::Busy => Err(Declined::Busy),
            Manner::Lies => Ok(()),
            Manner::Obeys | Manner::TypesFirst(_) => {
                if now == version {
                    assert_eq!(shown, *before, "the daemon's text and the editor's are one");
                    self.becomes(&after);
                }
                Ok(())
            }
        };
        std::future::ready(said).boxed()
    }

    fn wants_saving(&self, _: &AbsPath) {
        *self.saves.lock().expect("not poisoned") += 1;
    }
}

struct Fixture {
    _directory: tempfile::TempDir,
    documents: Documents,
    workspace: Workspace,
}

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            std::fs::write(directory.path().join(path), text).expect("written");
        }
        let root = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
        let shared = crate::workspace::tests::shared(&directory.path().join("state"));
        let documents = shared.documents.clone();
        Self { _directory: directory, documents, workspace: Workspace::open(root, shared) }
    }

    fn path(&self, path: &str) -> RootedPath {
        RootedPath::new(self.workspace.root(), path).expect("inside")
    }

    fn disk(&self, path: &str) -> String {
        std::fs::read_to_string(self.workspace.root().join(&self.path(path)).as_path()).expect("readable")
    }

    async fn seen(&self, path: &str) -> String {
        let read = self.workspace.read(&self.path(path), 1 << 20, None).await.expect("readable");
        String::from_utf8(read.bytes).expect("text")
    }

    async fn replace(&self, path: &str, before: &str, after: &str) -> String {
        let (path, before, bytes) = (self.path(path), before.as_bytes().to_vec(), after.as_bytes().to_vec());
        match self.workspace.apply(vec![Change::Replace { path, before, bytes }], &agent()).await {
            Ok(()) => "done".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

fn agent() -> Cause {
    crate::workspace::tests::cause("t1")
}

#[tokio::test(start_paused = true)]
async fn an_open_text_is_changed_by_its_editor_and_saved_by_it() {
    let fixture = Fixture::new(&[("a", "one\ntwo\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    assert_eq!(fixture.replace("a", "one\ntwo\n", "one\n2\n").await, "done");
    assert_eq!((editor.shown().as_str(), *editor.saves.lock().expect("free")), ("one\n2\n", 1));
    assert_eq!(fixture.disk("a"), "one\ntwo\n", "the editor writes it, nobody else");
    assert_eq!(fixture.seen("a").await, "one\n2\n");
}

#[tokio::test(start_paused = true)]
async fn unsaved_text_is_seen_changed_and_left_unsaved() {
    let fixture = Fixture::new(&[("a", "one\ntwo\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    editor.types("three\n");
    assert_eq!(fixture.seen("a").await, "one\ntwo\nthree\n");
    // Made from the disk's text by somebody who did not look again.
    assert_eq!(fixture.replace("a", "one\ntwo\n", "1\ntwo\n").await, "done");
    assert_eq!((editor.shown().as_str(), *editor.saves.lock().expect("free")), ("1\ntwo\nthree\n", 0));
    assert_eq!(fixture.disk("a"), "one\ntwo\n");
}

#[tokio::test(start_paused = true)]
async fn what_meets_typed_lines_is_not_written() {
    let fixture = Fixture::new(&[("a", "one\ntwo\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    editor.becomes("one\nzwei\n");
    let said = fixture.replace("a", "one\ntwo\n", "one\n2\n").await;
    assert_eq!(said, "a was changed since it was read, in the same place; nothing was written. Read it again");
    assert_eq!((editor.shown().as_str(), editor.asked()), ("one\nzwei\n", 0));
}

#[tokio::test(start_paused = true)]
async fn the_text_of_the_editor_that_has_changes_survives_the_other() {
    let fixture = Fixture::new(&[("a", "one\ntwo\n")]);
    let dirty = Scripted::open(&fixture, "n1", &fixture.path("a"));
    dirty.types("typed\n");
    let clean = Scripted::open(&fixture, "n2", &fixture.path("a"));
    assert_eq!(fixture.replace("a", "one\ntwo\ntyped\n", "1\ntwo\ntyped\n").await, "done");
    assert_eq!((dirty.shown().as_str(), clean.asked()), ("1\ntwo\ntyped\n", 0));
    clean.types("other\n");
    let said = fixture.replace("a", "1\ntwo\ntyped\n", "x").await;
    assert_eq!(
        said,
        "a has different unsaved changes in two editors; nothing was written. One of them is to be saved or closed first"
    );
    assert_eq!((dirty.shown().as_str(), clean.shown().as_str()), ("1\ntwo\ntyped\n", "one\ntwo\nother\n"));
    assert_eq!(fixture.disk("a"), "one\ntwo\n");
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_is_typed_in_is_asked_again_when_it_is_quiet() {
    let fixture = Fixture::new(&[("a", "one\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    editor.will(Manner::Busy);
    editor.will(Manner::TypesFirst("typed\n".to_owned()));
    let begin = Instant::now();
    assert_eq!(fixture.replace("a", "one\n", "zero\none\n").await, "done");
    assert_eq!((editor.shown().as_str(), editor.asked()), ("zero\none\ntyped\n", 3));
    assert!(begin.elapsed() >= QUIET * 2);
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_never_does_it_is_given_up() {
    let fixture = Fixture::new(&[("a", "one\n"), ("b", "b\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    (0..100).for_each(|_| editor.will(Manner::Busy));
    let begin = Instant::now();
    assert_eq!(
        fixture.replace("a", "one\n", "two\n").await,
        "a is being typed in, just there; nothing was written. Try again later"
    );
    assert!(begin.elapsed() < PATIENCE * 2);
    // One that says yes is not asked twice: it may still do it.
    let (begin, asked) = (Instant::now(), editor.asked());
    editor.manners.lock().expect("free").clear();
    editor.will(Manner::Lies);
    fixture.replace("a", "one\n", "two\n").await;
    assert_eq!((editor.asked() - asked, editor.shown().as_str()), (1, "one\n"));
    assert!(begin.elapsed() < PATIENCE * 2);
}

#[tokio::test(start_paused = true)]
async fn changes_of_several_files_are_all_made_or_none() {
    let fixture = Fixture::new(&[("a", "one\n"), ("b", "b\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    let replace = |path: &str, before: &str, after: &str| Change::Replace {
        path: fixture.path(path),
        before: before.into(),
        bytes: after.into(),
    };
    let delete = Change::Delete { path: fixture.path("b"), before: b"another text".to_vec() };
    let said = fixture.workspace.apply(vec![replace("a", "one\n", "two\n"), delete], &agent()).await;
    assert!(said.is_err());
    assert_eq!((editor.shown().as_str(), fixture.disk("b").as_str()), ("one\n", "b\n"));
}

#[tokio::test(start_paused = true)]
async fn a_file_with_unsaved_text_is_not_taken_away() {
    let fixture = Fixture::new(&[("a", "one\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    editor.types("typed\n");
    let delete = Change::Delete { path: fixture.path("a"), before: b"one\n".to_vec() };
    let said = fixture.workspace.apply(vec![delete], &agent()).await.expect_err("refused").to_string();
    assert_eq!(said, "a has unsaved changes in an editor; nothing was written. It is to be saved or closed first");
    assert_eq!(fixture.disk("a"), "one\n");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changed_on_the_disk_keeps_what_changed() {
    let fixture = Fixture::new(&[("a", "one\ntwo\nthree\n")]);
    std::fs::write(fixture.workspace.root().join(&fixture.path("a")).as_path(), "one\ntwo\n3\n").expect("written");
    assert_eq!(fixture.replace("a", "one\ntwo\nthree\n", "1\ntwo\nthree\n").await, "done");
    assert_eq!(fixture.disk("a"), "1\ntwo\n3\n");
}

/// Types while the agent edits, a thousand times: no typed line is lost, and every edit that was said to be made is there.
#[tokio::test(start_paused = true)]
async fn no_typed_line_is_lost_in_a_thousand_edits() {
    let start: String = (0..50).map(|line| format!("line {line}\n")).collect();
    let fixture = Fixture::new(&[("a", &start)]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    let mut random = fastrand::Rng::with_seed(7);
    let (mut typed, mut made, mut conflicts) = (Vec::new(), Vec::new(), 0);
    for round in 0..1_000 {
        let before = fixture.seen("a").await;
        let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
        let place = random.usize(..lines.len());
        // The agent marks a line; the person meanwhile writes one somewhere, or goes on with the very line.
        if !lines[place].contains(" agent") {
            lines[place].push_str(&format!(" agent{round}"));
        }
        let after = lines.join("\n") + "\n";
        if random.bool() {
            typed.push(format!("typed{round}"));
            let mut now: Vec<String> = editor.shown().lines().map(str::to_owned).collect();
            match random.u8(..4) {
                0 => now[place].push_str(&format!(" typed{round}")),
                _ => now.insert(random.usize(..=now.len()), format!("typed{round}")),
            }
            editor.becomes(&(now.join("\n") + "\n"));
        }
        if random.u8(..4) == 0 {
            editor.will(Manner::TypesFirst(format!("late{round}\n")));
        }
        match fixture.replace("a", &before, &after).await.as_str() {
            "done" => made.extend(after.contains(&format!(" agent{round}\n")).then(|| format!(" agent{round}"))),
            _ => conflicts += 1,
        }
        // One that was not asked did not type either.
        if editor.manners.lock().expect("free").drain(..).next().is_none()
            && editor.shown().contains(&format!("late{round}\n"))
        {
            typed.push(format!("late{round}"));
        }
    }
    let text = editor.shown();
    let lost =
        |marks: &[String]| marks.iter().filter(|mark| !text.contains(mark.as_str())).cloned().collect::<Vec<_>>();
    assert_eq!((lost(&typed), lost(&made)), (Vec::new(), Vec::new()));
    assert!(conflicts > 50 && made.len() > 300 && typed.len() > 400, "{conflicts} {} {}", made.len(), typed.len());
    for (before, _) in editor.asked.lock().expect("free").iter() {
        assert!(text.lines().count() >= before.lines().count());
    }
}

#[tokio::test(start_paused = true)]
async fn a_proposal_made_from_an_older_text_leaves_what_was_typed_since() {
    let fixture = Fixture::new(&[("a", "one\ntwo\n")]);
    let editor = Scripted::open(&fixture, "n1", &fixture.path("a"));
    editor.becomes("typed\none\ntwo\n");
    let source = crate::review::Source { session: "s1".into(), turn: "t1".into() };
    let replace = |bytes: &[u8]| Change::Replace {
        path: fixture.path("a"),
        before: b"one\ntwo\n".to_vec(),
        bytes: bytes.to_vec(),
    };
    fixture.workspace.propose(vec![replace(b"one\n2\n")], &source).await.expect("proposed");
    let hunks = fixture.workspace.hunks(None, None).await.expect("listed");
    let shown: Vec<_> = hunks.iter().map(|hunk| (hunk.old_text.as_str(), hunk.new_text.as_str())).collect();
    assert_eq!(shown, [("two\n", "2\n")]);
    let create = Change::Create { path: fixture.path("a"), bytes: b"other\n".to_vec() };
    assert!(fixture.workspace.propose(vec![create], &source).await.is_err());
}

use crate::journal::{Journal, Mark, ReviewRow, TouchedRow};
use expect_test::{Expect, expect};
use std::fmt::Write;

fn mark(workspace: &str, turn: &str) -> Mark {
    Mark {
        workspace: workspace.to_owned(),
        key: turn.to_owned(),
        turn: Some(("s1".into(), turn.into())),
        at: "2026-01-01T00:00:00.000Z".to_owned(),
        title: format!("before: {turn}"),
    }
}

fn row(path: &str, before: &str, bytes: u64) -> TouchedRow {
    let blob = (bytes > 0).then(|| (format!("blob of {before}"), bytes));
    TouchedRow { path: path.into(), before: before.to_owned(), after: "after".to_owned(), blob }
}

/// The checkpoints of a workspace, each with all that was touched since.
fn shown(journal: &Journal, workspace: &str) -> String {
    let mut shown = String::new();
    for checkpoint in wait(journal.checkpoints(workspace)).unwrap() {
        writeln!(shown, "{} {}", checkpoint.id, checkpoint.title).unwrap();
        for TouchedRow { path, before, after, blob } in journal.touched_since(&checkpoint.id).unwrap() {
            writeln!(shown, "  {} {before} {after} {blob:?}", path.escape_ascii()).unwrap();
        }
    }
    shown
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn check(steps: impl FnOnce(&Journal), workspace: &str, expected: Expect) {
    let journal = Journal::in_memory().unwrap();
    steps(&journal);
    expected.assert_eq(&shown(&journal, workspace));
}

#[test]
fn a_turn_has_one_checkpoint_and_rows_lie_behind_the_latest() {
    let steps = |journal: &Journal| {
        let touch = |workspace: &str, turn: &str, rows| journal.touch(&mark(workspace, turn), rows).unwrap().0;
        assert_eq!(touch("/w", "t1", vec![row("a", "1", 5), row("\u{fe}", "-", 0)]), "k1");
        assert_eq!(touch("/w", "t1", vec![row("a", "2", 5)]), "k1");
        assert_eq!(touch("/v", "t1", vec![row("a", "of another folder", 5)]), "k2");
        assert_eq!(touch("/w", "t2", vec![row("a", "3", 5)]), "k3");
        assert_eq!(touch("/w", "t1", vec![row("a", "4", 5), row("b", "1", 5)]), "k1");
        assert_eq!(wait(journal.checkpoint_workspace(&"k2".into())).unwrap().as_deref(), Some("/v"));
        for id in ["k9", "k", "3", "k-1", ""] {
            assert_eq!(wait(journal.checkpoint_workspace(&id.into())).unwrap(), None, "{id}");
            assert_eq!(journal.touched_since(&id.into()).unwrap(), [], "{id}");
        }
    };
    check(
        steps,
        "/w",
        expect![[r#"
        k3 before: t2
          a 3 after Some(("blob of 3", 5))
          a 4 after None
          b 1 after Some(("blob of 1", 5))
        k1 before: t1
          a 1 after Some(("blob of 1", 5))
          \xc3\xbe - after None
          a 2 after None
          a 3 after Some(("blob of 3", 5))
          a 4 after None
          b 1 after Some(("blob of 1", 5))
    "#]],
    );
}

#[test]
fn the_oldest_go_over_the_cap_and_the_latest_stays() {
    let steps = |journal: &Journal| {
        for turn in 1..=5 {
            let workspace = if turn % 2 == 0 { "/v" } else { "/w" };
            journal.touch(&mark(workspace, &format!("t{turn}")), vec![row("a", &turn.to_string(), 100_000)]).unwrap();
        }
        wait(journal.put_review("/w", b"a", Some(("meta".to_owned(), vec!["x".to_owned(), "y".to_owned()])))).unwrap();
        let collect = |cap: u64| {
            let mut needed: Vec<String> = journal.collect_checkpoints(cap).unwrap().into_iter().collect();
            needed.sort();
            needed.join(", ")
        };
        assert_eq!(collect(1 << 20), "blob of 1, blob of 2, blob of 3, blob of 4, blob of 5, x, y");
        assert_eq!(collect(320_000), "blob of 3, blob of 4, blob of 5, x, y");
        assert_eq!(collect(1), "blob of 5, x, y");
        // Numbers are never given twice.
        assert_eq!(journal.touch(&mark("/w", "t1"), vec![row("a", "6", 5)]).unwrap().0, "k6");
    };
    check(
        steps,
        "/w",
        expect![[r#"
        k6 before: t1
          a 6 after Some(("blob of 6", 5))
        k5 before: t5
          a 5 after Some(("blob of 5", 100000))
          a 6 after Some(("blob of 6", 5))
    "#]],
    );
}

#[test]
fn reviews_are_kept_by_path_and_forgotten() {
    let journal = Journal::in_memory().unwrap();
    let put = |path: &[u8], review: Option<&str>| {
        let review = review.map(|meta| (meta.to_owned(), vec!["one".to_owned(), "two".to_owned()]));
        wait(journal.put_review("/w", path, review)).unwrap();
    };
    put(b"b\xff", Some("1"));
    put(b"a", Some("1"));
    put(b"a", Some("2"));
    put(b"gone", Some("1"));
    put(b"gone", None);
    let texts = || vec!["one".to_owned(), "two".to_owned()];
    let kept = [
        ReviewRow { path: b"a".to_vec(), meta: "2".to_owned(), texts: texts() },
        ReviewRow { path: b"b\xff".to_vec(), meta: "1".to_owned(), texts: texts() },
    ];
    assert_eq!(wait(journal.reviews("/w")).unwrap(), kept);
    assert_eq!(wait(journal.reviews("/v")).unwrap(), []);
}

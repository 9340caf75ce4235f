use super::super::tests::{Fixture, listing};
use super::*;
use crate::workspace::publish::sweep;
use expect_test::{Expect, expect};
use std::os::unix::fs::PermissionsExt;

fn looked(fixture: &Fixture, times: usize) -> Early {
    let mut early = Early::new(Arc::new(fixture.publication.clone()));
    for _ in 0..times {
        early.look();
    }
    early
}

fn check(fixture: &Fixture, expected: Expect) {
    expected.assert_eq(&listing(fixture.publication.workspace.as_path()));
}

/// A command made `made` in a folder that is there, and it showed.
fn shown() -> (Fixture, Early) {
    let fixture = Fixture::new(&[("d/old", "1")]);
    fixture.writes("d/made", "2");
    let early = looked(&fixture, 2);
    assert_eq!(std::fs::read_to_string(fixture.disk("d/made")).expect("it shows"), "2");
    (fixture, early)
}

#[test]
fn shows_what_is_new_and_quiet_at_the_second_look() {
    let fixture = Fixture::new(&[("d/old", "1")]);
    fixture.writes("made", "2").writes("d/made", "3").writes("grows", "4").writes("d/old", "5");
    let mut early = looked(&fixture, 1);
    check(
        &fixture,
        expect![[r#"
        d/
        d/old: 1
    "#]],
    );
    fixture.writes("grows", "44");
    early.look();
    check(
        &fixture,
        expect![[r#"
        d/
        d/made: 3
        d/old: 1
        made: 2
    "#]],
    );
    early.look();
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        Created d/made - "3"
        Created grows - "44"
        Created made - "2"
        Changed d/old "1" "5"
        --
        d/
        d/made: 3
        d/old: 5
        grows: 44
        made: 2
    "#]],
    );
}

#[test]
fn shows_nothing_that_is_odd_or_asked_about() {
    let fixture = Fixture::new(&[("there", "1"), ("opaque/a", "1"), ("bare/refs/a", "1"), ("bare/objects/a", "1")]);
    fixture.writes("there", "2").writes("new/a", "2").writes(".envrc", "2").writes(".vscode/a", "2");
    fixture.replaces("opaque").writes("opaque/b", "2").writes("bare/a", "2").writes("HEAD", "2").writes(".git/a", "2");
    fixture.links("link", "there").writes("setuid", "2");
    std::fs::set_permissions(fixture.upper("setuid"), PermissionsExt::from_mode(0o4755)).expect("set");
    std::fs::write(fixture.upper("large"), vec![b'x'; (1 << 20) + 1]).expect("written");
    let before = listing(fixture.publication.workspace.as_path());
    let early = looked(&fixture, 3);
    assert_eq!(listing(fixture.publication.workspace.as_path()), before);
    drop(early);
}

#[test]
fn shows_nothing_outside_the_opened_folder() {
    let mut fixture = Fixture::new(&[("a/b/old", "1")]);
    fixture.publication.layers[0].plan.writable =
        vec![crate::path::AbsPath::new(fixture.disk("a/b")).expect("absolute")];
    fixture.writes("x", "2").writes("a/x", "2").writes("a/b/x", "2");
    let early = looked(&fixture, 2);
    check(
        &fixture,
        expect![[r#"
        a/
        a/b/
        a/b/old: 1
        a/b/x: 2
    "#]],
    );
    drop(early);
}

#[test]
fn shows_so_many_files_and_no_more() {
    let fixture = Fixture::new(&[]);
    for file in 0..100 {
        fixture.writes(&format!("f{file}"), "x");
    }
    let early = looked(&fixture, 4);
    assert_eq!(std::fs::read_dir(fixture.disk("")).expect("readable").count(), FILES);
    drop(early);
    assert_eq!(std::fs::read_dir(fixture.disk("")).expect("readable").count(), 0);
    let state = fixture.directory.path().join("state");
    assert_eq!(std::fs::read_dir(state).expect("readable").count(), 0);
}

#[test]
fn what_changed_since_replaces_what_showed() {
    let (fixture, early) = shown();
    fixture.writes("d/made", "3");
    std::fs::set_permissions(fixture.upper("d/made"), PermissionsExt::from_mode(0o755)).expect("set");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        Created d/made - "3"
        --
        d/
        d/made: 3 (755)
        d/old: 1
    "#]],
    );
}

#[test]
fn what_got_other_permissions_since_has_them() {
    let (fixture, early) = shown();
    std::fs::set_permissions(fixture.upper("d/made"), PermissionsExt::from_mode(0o755)).expect("set");
    std::fs::create_dir_all(fixture.upper("d")).expect("there");
    std::fs::set_permissions(fixture.upper("d"), PermissionsExt::from_mode(0o700)).expect("set");
    let published = early.publish(None, Late::new());
    assert_eq!(fixture.disk("d").metadata().expect("there").permissions().mode() & 0o7777, 0o700);
    fixture.check(
        &published,
        expect![[r#"
        Created d/made - "2"
        --
        d/
        d/made: 2 (755)
        d/old: 1
    "#]],
    );
}

#[test]
fn what_was_removed_or_renamed_since_is_gone() {
    for leaves_whiteout in [true, false] {
        let (fixture, early) = shown();
        std::fs::rename(fixture.upper("d/made"), fixture.upper("renamed")).expect("renamed");
        if leaves_whiteout {
            fixture.deletes("d/made");
        }
        let published = early.publish(None, Late::new());
        fixture.check(
            &published,
            expect![[r#"
            Created renamed - "2"
            --
            d/
            d/old: 1
            renamed: 2
        "#]],
        );
    }
}

#[test]
fn a_folder_that_was_removed_since_goes_with_what_showed() {
    let (fixture, early) = shown();
    std::fs::remove_dir_all(fixture.upper("d")).expect("removed");
    fixture.deletes("d");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        Deleted d/old "1" -
        --

    "#]],
    );
    let (fixture, early) = shown();
    std::fs::remove_dir_all(fixture.upper("d")).expect("removed");
    fixture.writes("d", "a file");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        Deleted d/old "1" -
        Created d - "a file"
        --
        d: a file
    "#]],
    );
}

#[test]
fn a_folder_that_somebody_put_something_into_stays() {
    let (fixture, early) = shown();
    std::fs::write(fixture.disk("d/theirs"), "x").expect("written");
    std::fs::remove_dir_all(fixture.upper("d")).expect("removed");
    fixture.deletes("d");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        conflict ws/d: it changed on disk while the command ran
        --
        d/
        d/old: 1
        d/theirs: x
    "#]],
    );
}

#[test]
fn what_somebody_changed_or_deleted_since_is_theirs() {
    let (fixture, early) = shown();
    std::fs::write(fixture.disk("d/made"), "theirs").expect("written");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        conflict ws/d/made: it changed on disk while the command ran
        --
        d/
        d/made: theirs
        d/old: 1
    "#]],
    );
    let (fixture, early) = shown();
    std::fs::remove_file(fixture.disk("d/made")).expect("removed");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        conflict ws/d/made: it changed on disk while the command ran
        --
        d/
        d/old: 1
    "#]],
    );
    let (fixture, early) = shown();
    std::fs::write(fixture.disk("d/made"), "theirs").expect("written");
    drop(early);
    check(
        &fixture,
        expect![[r#"
        d/
        d/made: theirs
        d/old: 1
    "#]],
    );
}

#[test]
fn what_became_part_of_a_repository_since_is_asked_about() {
    let fixture = Fixture::new(&[("d/hooks/sample", "1")]);
    fixture.writes("d/hooks/made", "2");
    let early = looked(&fixture, 2);
    assert!(fixture.disk("d/hooks/made").exists());
    fixture.writes("d/HEAD", "ref: refs/heads/main\n").writes("d/refs/x", "").writes("d/objects/x", "");
    let published = early.publish(None, Late::new());
    assert!(!fixture.disk("d/hooks/made").exists());
    assert!(published.held.iter().any(|held| held.path.as_path().ends_with("d/hooks/made")));
}

#[test]
fn another_kind_of_thing_takes_the_place_of_what_showed() {
    let (fixture, early) = shown();
    std::fs::remove_file(fixture.upper("d/made")).expect("removed");
    fixture.links("d/made", "old");
    let published = early.publish(None, Late::new());
    fixture.check(
        &published,
        expect![[r#"
        Created d/made - -
        --
        d/
        d/made -> old
        d/old: 1
    "#]],
    );
}

#[test]
fn after_a_kill_the_sweep_takes_back_what_is_still_ours() {
    let fixture = Fixture::new(&[("d/old", "1")]);
    fixture.writes("d/made", "2").writes("mine", "2").writes("kept", "2");
    let early = looked(&fixture, 2);
    std::fs::write(fixture.disk("mine"), "3").expect("written");
    let times = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    std::fs::File::open(fixture.disk("kept")).expect("opened").set_times(times).expect("set");
    // The list is held: its owner lives.
    assert_eq!(sweep(&fixture.publication.state), 0);
    let ours = early.into_ours();
    assert!(fixture.disk("d/made").exists());
    drop(ours);
    assert_eq!(sweep(&fixture.publication.state), 1);
    check(
        &fixture,
        expect![[r#"
        d/
        d/old: 1
        kept: 2
        mine: 3
    "#]],
    );
}

#[test]
fn a_kill_while_publishing_leaves_what_showed_to_the_sweep_or_published() {
    for steps in 0_u32.. {
        let fixture = Fixture::new(&[("a", "1")]);
        fixture.writes("same", "2").writes("other", "2").writes("gone", "2");
        let early = looked(&fixture, 2);
        fixture.writes("other", "3").writes("a", "2");
        std::fs::remove_file(fixture.upper("gone")).expect("removed");
        let left = std::cell::Cell::new(steps);
        let gate = |_: &'static str| left.replace(left.get().saturating_sub(1)) > 0;
        let _ = tree::publish_after((early.into_ours(), Late::new()), &fixture.publication, None, &gate);
        let is_done = left.get() > 0;
        sweep(&fixture.publication.state);
        let found = listing(fixture.publication.workspace.as_path());
        assert!(!found.contains("pilotfish-") && !found.contains("gone") && !found.contains("other: 2"), "{found}");
        if is_done {
            assert_eq!(found, "a: 2\nother: 3\nsame: 2\n");
            return;
        }
    }
}

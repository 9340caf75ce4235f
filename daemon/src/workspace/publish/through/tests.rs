use super::super::early::Early;
use super::super::tests::{Fixture, listing, put};
use crate::workspace::publish::below;
use expect_test::{Expect, expect};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// A folder `target` that is written directly, in which a command writes files.
fn fixture(files: &[(&str, &str)], writes: &[(&str, &str)]) -> Fixture {
    let mut fixture = Fixture::new(files);
    std::fs::create_dir_all(fixture.disk("target")).expect("created");
    let target = below(&fixture.publication.workspace, Path::new("target"));
    fixture.publication.layers.first_mut().expect("a layer").plan.through = vec![target];
    let fixture = fixture.restarted();
    for (path, text) in writes {
        put(&fixture.disk(path), text);
    }
    fixture
}

fn check(files: &[(&str, &str)], writes: &[(&str, &str)], expected: Expect) {
    let fixture = fixture(files, writes);
    let published = fixture.publish();
    fixture.check(&published, expected);
}

#[test]
fn removes_what_a_command_left_under_protected_names() {
    let files = [
        ("target/.old/.git/config", "mine"),
        ("target/.cargo/config", "mine"),
        ("target/.vscode/a/b", "mine"),
        ("target/x", "mine"),
    ];
    let writes = [
        ("target/.git/config", "evil"),
        ("target/a/b/.git/config", "evil"),
        ("target/a/b/c/.git/config", "deep"),
        ("target/.vscode/a/b", "evil"),
        ("target/a/.vscode/x", "fine"),
        ("target/a/commondir", "evil"),
        ("target/commondir/x", "fine"),
        ("target/x", "fine"),
    ];
    check(
        &files,
        &writes,
        expect![[r#"
        note ws/target/.git: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        note ws/target/.vscode: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        note ws/target/a/commondir: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        note ws/target/a/b/.git: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        --
        target/
        target/.cargo/
        target/.cargo/config: mine
        target/.old/
        target/.old/.git/
        target/.old/.git/config: mine
        target/a/
        target/a/.vscode/
        target/a/.vscode/x: fine
        target/a/b/
        target/a/b/c/
        target/a/b/c/.git/
        target/a/b/c/.git/config: deep
        target/commondir/
        target/commondir/x: fine
        target/x: fine
    "#]],
    );
}

#[test]
fn a_folder_that_became_a_repository_is_none() {
    let files = [
        ("target/a/config", "evil"),
        ("target/old/HEAD", "x"),
        ("target/old/objects/x", "x"),
        ("target/old/refs/x", "x"),
    ];
    let writes = [
        ("target/HEAD", "x"),
        ("target/objects/x", "x"),
        ("target/refs/x", "x"),
        ("target/a/HEAD", "x"),
        ("target/a/objects/x", "x"),
        ("target/a/refs/x", "x"),
    ];
    check(
        &files,
        &writes,
        expect![[r#"
        note ws/target/HEAD: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        note ws/target/a/HEAD: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        --
        target/
        target/a/
        target/a/config: evil
        target/a/objects/
        target/a/objects/x: x
        target/a/refs/
        target/a/refs/x: x
        target/objects/
        target/objects/x: x
        target/old/
        target/old/HEAD: x
        target/old/objects/
        target/old/objects/x: x
        target/old/refs/
        target/old/refs/x: x
        target/refs/
        target/refs/x: x
    "#]],
    );
}

#[test]
fn what_is_hidden_by_permissions_or_moved_is_found() {
    let fixture =
        fixture(&[("target/a/b/c/d/.git/config", "evil")], &[("target/x/y/.git/config", "evil"), ("target/s", "x")]);
    std::fs::rename(fixture.disk("target/a/b/c/d"), fixture.disk("target/d")).expect("renamed");
    let set =
        |path: &str, mode| std::fs::set_permissions(fixture.disk(path), PermissionsExt::from_mode(mode)).expect("set");
    for path in ["target/x/y/.git", "target/x/y", "target/x"] {
        set(path, 0);
    }
    set("target/s", 0o6755);
    let published = fixture.publish();
    fixture.check(&published, expect![[r#"
        note ws/target/d/.git: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        note ws/target/x/y/.git: what a command wrote there under a protected name was removed, as nothing can be held back in a folder that is written directly
        --
        target/
        target/a/
        target/a/b/
        target/a/b/c/
        target/d/
        target/s: x (755)
        target/x/
        target/x/y/
    "#]]);
}

#[test]
fn also_where_nothing_is_published() {
    let fixture = fixture(&[], &[("target/.git/config", "evil")]);
    drop(Early::new(Arc::new(fixture.publication.clone())));
    expect![[r#"
        target/
    "#]]
    .assert_eq(&listing(fixture.publication.workspace.as_path()));
    put(&fixture.disk("target/.git/config"), "evil");
    let notes = Early::new(Arc::new(fixture.publication.clone())).take_back();
    assert_eq!(notes.len(), 1);
    expect![[r#"
        target/
    "#]]
    .assert_eq(&listing(fixture.publication.workspace.as_path()));
}

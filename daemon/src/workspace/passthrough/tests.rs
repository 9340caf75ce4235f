use super::*;
use expect_test::{Expect, expect};
use std::os::unix::fs::symlink;

/// Makes a work tree of folders (ending in a slash), links and files, and names what passes through for a cwd in the workspace `ws`.
fn check(tree: &[(&str, &str)], workspace: &str, cwd: &str, expected: Expect) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let top = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
    for (path, text) in tree {
        let path = top.as_path().join(path);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
        match text.strip_prefix("-> ") {
            Some(target) => symlink(target, path).expect("linked"),
            None if text.is_empty() => std::fs::create_dir_all(path).expect("created"),
            None => std::fs::write(path, text).expect("written"),
        }
    }
    let at = |path: &str| AbsPath::new(top.as_path().join(path)).expect("absolute");
    let git_dir = at(".git");
    let repository = Repository { work_tree: top.clone(), git_dir: git_dir.clone(), common_dir: git_dir };
    let found = find(&at(workspace), &at(cwd), &repository);
    let names =
        found.iter().map(|path| path.as_path().strip_prefix(top.as_path()).expect("inside").display().to_string());
    expected.assert_eq(&names.collect::<Vec<_>>().join(" "));
}

#[test]
fn passes_what_git_ignores_and_the_list_names() {
    let tree = [
        (".gitignore", "target\n/dist/\n!keep/target\n*.log\nother\n"),
        ("target/x", "1"),
        ("dist/x", "1"),
        ("other/x", "1"),
        ("build/x", "1"),
        ("a/dist/x", "1"),
        ("a/target", ""),
        ("keep/target", ""),
        ("keep/.gitignore", "!target\n"),
        (".git/info/exclude", "venv\n"),
        ("a/venv", ""),
        ("deep/er/target", ""),
    ];
    check(&tree, "", "", expect!["target dist a/target a/venv"]);
    check(&tree, "", "deep/er", expect!["target dist a/target a/venv deep/er/target"]);
    check(&tree, "a", "a", expect!["target dist a/target a/venv"]);
}

#[test]
fn never_passes_through_a_link() {
    let tree = [
        (".gitignore", "target\nnode_modules\nlinked\n"),
        ("target", "-> /tmp"),
        ("a/real", ""),
        ("b", "-> a"),
        ("a/node_modules", ""),
    ];
    check(&tree, "", "", expect!["a/node_modules"]);
    check(&tree, "", "b", expect!["a/node_modules"]);
    check(&[(".gitignore", "-> /etc/passwd"), ("target", "")], "", "", expect![""]);
}

#[test]
fn what_lies_in_an_ignored_folder_is_ignored() {
    check(
        &[(".gitignore", "/gen/\n"), ("gen/build", ""), ("gen/.gitignore", "!build\n")],
        "",
        "",
        expect!["gen/build"],
    );
}

#[expect(clippy::disallowed_methods, reason = "what real git writes is what is read")]
fn git(folder: &Path, script: &str) {
    let status =
        std::process::Command::new("bash").args(["-ec", script]).current_dir(folder).env("HOME", folder).status();
    assert!(status.expect("started").success(), "{script}");
}

#[test]
fn never_passes_what_git_tracks_or_a_store_shares() {
    let ignored = "printf 'target\\nbuild\\nout\\nnode_modules\\nvenv\\n' >.gitignore; mkdir -p target build/a out node_modules venv/lib/p; echo 1 >build/a/x; echo 1 >f";
    let found = |script: &str| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        git(directory.path(), &format!("git init -q; {ignored}; {script}"));
        let top = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
        let repository = super::super::git::find(&top, None).expect("a repository");
        let found = find(&top, &top, &repository);
        found
            .iter()
            .map(|path| path.as_path().file_name().expect("a name").display().to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = "target node_modules venv build out";
    assert_eq!(found(""), all);
    assert_eq!(found("git add ."), all);
    assert_eq!(found("git add . && git add -f build/a/x && git add -N f"), "target node_modules venv out");
    assert_eq!(
        found("git add -f build/a/x && git update-index --skip-worktree build/a/x"),
        "target node_modules venv out"
    );
    assert_eq!(found("git add . && git update-index --index-version 4"), "");
    assert_eq!(found("git add . && git update-index --split-index"), "");
    assert_eq!(found("rm -rf .git; git init -q --object-format=sha256; git add ."), all);
    assert_eq!(found("mkdir node_modules/.pnpm; ln f venv/lib/p/f; ln f target/f"), "target build out");
}

use super::*;

fn check(path: &str, is_new: bool, expected: Step) {
    assert_eq!(step_of(Path::new(path), is_new), expected, "{path}");
}

#[test]
fn names_what_is_published() {
    for (path, expected) in [
        ("refs/heads/a/b", Step::Ref),
        ("refs/stash", Step::Ref),
        ("packed-refs", Step::PackedRefs),
        ("logs/HEAD", Step::Log),
        ("logs/refs/heads/a", Step::Log),
        ("HEAD", Step::Head),
        ("ORIG_HEAD", Step::State),
        ("MERGE_MSG", Step::State),
        ("rebase-merge/done", Step::State),
        ("rebase-apply/0001", Step::State),
        ("sequencer/todo", Step::State),
        ("index", Step::Index),
        ("worktrees/x/HEAD", Step::Head),
        ("worktrees/x/index", Step::Index),
        ("worktrees/x/logs/HEAD", Step::Log),
        ("worktrees/x/commondir", Step::CommonDir),
        ("worktrees/x/gitdir", Step::Gitdir),
    ] {
        check(path, false, expected);
    }
}

#[test]
fn all_else_is_held_back() {
    for path in [
        "config",
        "config.worktree",
        "worktrees/x/config.worktree",
        "hooks/pre-commit",
        "hooks/pre-commit.sample",
        "info/attributes",
        "info/exclude",
        "description",
        "commondir",
        "gitdir",
        "refs",
        "HEAD/x",
        "_HEAD",
        "evil_head",
        "rebase-merge/unknown",
        "rebase-apply/apply-opt",
        "worktrees/x",
        "worktrees/x/hooks/post-checkout",
        "unknown",
    ] {
        check(path, false, Step::Held);
    }
    check("hooks/pre-commit", true, Step::Held);
    check("info/attributes", true, Step::Held);
}

#[test]
fn leaves_out_what_nobody_needs() {
    check("index.lock", false, Step::Skip);
    check("refs/heads/a.lock", false, Step::Skip);
    check("hooks/pre-commit.sample", true, Step::Skip);
    check("description", true, Step::Skip);
    check("config", true, Step::Config);
}

#[test]
fn tells_objects_from_all_else() {
    let object = "ab/cdef0123456789cdef0123456789cdef012345";
    let pack = format!("pack/pack-{}", "0".repeat(40));
    for (path, expected) in [
        (object, Object::Content),
        ("AB/cdef0123456789cdef0123456789cdef012345", Object::Held),
        ("ab/cdef", Object::Held),
        ("ab/tmp_obj_x", Object::Skip),
        (&format!("{pack}.pack"), Object::Content),
        (&format!("{pack}.idx"), Object::PackIndex),
        (&format!("{pack}.sh"), Object::Held),
        ("pack/multi-pack-index", Object::Skip),
        ("info/commit-graphs/commit-graph-chain", Object::Skip),
        ("info/alternates", Object::Held),
        ("info/http-alternates", Object::Held),
        ("x", Object::Held),
    ] {
        assert_eq!(object_of(Path::new(path)), expected, "{path}");
    }
}

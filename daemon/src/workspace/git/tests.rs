use super::*;
use expect_test::{Expect, expect};
use std::os::unix::fs::symlink;

const OBJECT: &str = "1111111111111111111111111111111111111111\n";

struct Folder {
    directory: tempfile::TempDir,
}

impl Folder {
    /// Makes files from `path` and `text`, where BASE stands for the folder, `-> ` begins a link, and a path that ends with
    /// `.git!` is a whole git directory.
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        for (path, text) in files {
            let (path, is_git_dir) = path.strip_suffix('!').map_or((*path, false), |path| (path, true));
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
            let text = text.replace("BASE", &folder.path().display().to_string());
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).expect("linked"),
                None if is_git_dir => {
                    std::fs::create_dir_all(path.join("objects")).expect("created");
                    std::fs::create_dir_all(path.join("refs")).expect("created");
                    std::fs::write(path.join("HEAD"), OBJECT).expect("written");
                    std::fs::write(path.join("config"), text).expect("written");
                }
                None => std::fs::write(path, text).expect("written"),
            }
        }
        folder
    }

    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("there")
    }

    fn find(&self, workspace: &str) -> Option<Repository> {
        std::fs::create_dir_all(self.path().join(workspace)).expect("created");
        find(&AbsPath::new(self.path().join(workspace)).expect("absolute"), Some(&self.path()))
    }
}

fn check(files: &[(&str, &str)], workspace: &str, expected: Expect) {
    let folder = Folder::new(files);
    let short =
        |path: &AbsPath| path.as_path().strip_prefix(folder.path()).unwrap_or(path.as_path()).display().to_string();
    let told = match folder.find(workspace) {
        None => "none".to_owned(),
        Some(found) => format!("{} {} {}", short(&found.work_tree), short(&found.git_dir), short(&found.common_dir)),
    };
    expected.assert_eq(&told);
}

#[test]
fn finds_the_repository_of_a_folder() {
    check(&[("w/.git!", "")], "w", expect!["w w/.git w/.git"]);
    check(&[("w/.git!", "")], "w/a/b", expect!["w w/.git w/.git"]);
    check(&[("w/a/.git!", ""), ("w/.git!", "")], "w/a/b", expect!["w/a w/a/.git w/a/.git"]);
    check(&[], "w", expect!["none"]);
    // What git passes by.
    check(&[("w/.git!", ""), ("w/a/.git/x", "")], "w/a", expect!["w w/.git w/.git"]);
}

#[test]
fn never_takes_more_than_somebody_opened() {
    // The fixture's folder is the ceiling.
    check(&[(".git!", "")], "w", expect!["none"]);
}

#[test]
fn believes_no_link_and_no_borrowed_objects() {
    check(&[("m/.git!", ""), ("w/.git", "-> ../m/.git")], "w", expect!["none"]);
    check(&[("m/.git!", ""), ("w/.git!", ""), ("w/.git/commondir", "../../m/.git\n")], "w", expect!["none"]);
}

#[test]
fn finds_a_linked_work_tree_that_is_pointed_back_to() {
    let linked = [
        ("m/.git!", ""),
        ("m/.git/worktrees/w/HEAD", OBJECT),
        ("m/.git/worktrees/w/commondir", "../..\n"),
        ("m/.git/worktrees/w/gitdir", "BASE/w/.git\n"),
        ("w/.git", "gitdir: BASE/m/.git/worktrees/w\n"),
    ];
    check(&linked, "w/sub", expect!["w m/.git/worktrees/w m/.git"]);
    let mut other = linked;
    other[3].1 = "BASE/other/.git\n";
    check(&other, "w", expect!["none"]);
    let mut relative = linked;
    (relative[3].1, relative[4].1) = ("../../../../w/.git\n", "gitdir: ../m/.git/worktrees/w");
    check(&relative, "w", expect!["w m/.git/worktrees/w m/.git"]);
    // The other repository knows nothing of it, however the command's own files speak.
    let evil = [
        ("m/.git!", ""),
        ("w/evil/HEAD", OBJECT),
        ("w/evil/commondir", "BASE/m/.git\n"),
        ("w/evil/gitdir", "BASE/w/.git\n"),
        ("w/.git", "gitdir: evil\n"),
    ];
    check(&evil, "w", expect!["none"]);
}

#[test]
fn finds_a_submodule_that_is_pointed_back_to() {
    let module = |worktree: &str| format!("[core]\n\tworktree = {worktree}\n");
    let (good, bad) = (module("../../../s"), module("../../../other"));
    let pointer = ("m/s/.git", "gitdir: ../.git/modules/s\n");
    check(
        &[("m/.git!", ""), ("m/.git/modules/s!", &good), pointer],
        "m/s",
        expect!["m/s m/.git/modules/s m/.git/modules/s"],
    );
    check(&[("m/.git!", ""), ("m/.git/modules/s!", &bad), pointer], "m/s", expect!["none"]);
    check(&[("m/.git!", ""), ("m/.git/modules/s!", ""), pointer], "m/s", expect!["none"]);
}

#[test]
fn names_the_person_and_signs_nothing() {
    let folder = Folder::new(&[
        ("home/.gitconfig", "[user]\nname = N\nemail = n@home\n[includeIf \"gitdir:BASE/job/\"]\npath = job.inc\n"),
        ("home/job.inc", "[user]\nemail = n@job\n[core]\nsshCommand = evil\n"),
        ("job/w/.git!", "[user]\nname = W\n"),
        ("w/.git!", ""),
    ]);
    let home = BTreeMap::from([
        ("HOME".to_owned(), folder.path().join("home").display().to_string()),
        ("XDG_CONFIG_HOME".to_owned(), "/none".to_owned()),
        ("GIT_COMMITTER_EMAIL".to_owned(), "set@here".to_owned()),
    ]);
    let told = |workspace: &str| {
        let told = identity(&home, folder.find(workspace).as_ref());
        told.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        GIT_AUTHOR_NAME=W
        GIT_AUTHOR_EMAIL=n@job
        GIT_COMMITTER_NAME=W
        GIT_COMMITTER_EMAIL=set@here
        GIT_CONFIG_COUNT=3
        GIT_CONFIG_KEY_0=commit.gpgsign
        GIT_CONFIG_VALUE_0=false
        GIT_CONFIG_KEY_1=tag.gpgsign
        GIT_CONFIG_VALUE_1=false
        GIT_CONFIG_KEY_2=safe.directory
        GIT_CONFIG_VALUE_2=*"#]]
    .assert_eq(&told("job/w"));
    assert!(told("w").starts_with("GIT_AUTHOR_NAME=N\nGIT_AUTHOR_EMAIL=n@home\n"));
}

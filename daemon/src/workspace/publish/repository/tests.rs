use super::*;
use crate::path::AbsPath;
use crate::workspace::git;
use crate::workspace::layers;
use crate::workspace::publish::{Layer, Publication, Published, Stamp, publish, sweep, tree};
use expect_test::{Expect, expect};
use pilotfish_protocol::Mode;
use std::cell::Cell;
use std::process::{Command, Output};

/// A folder with repositories in it, and commands that see it through real overlays.
struct Scene {
    directory: tempfile::TempDir,
}

/// What a command left.
struct Written {
    publication: Publication,
}

impl Scene {
    /// Runs a script outside, in an empty folder. `None` where this machine lets nobody mount an overlay.
    fn new(script: &str) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["at", "home", "state", "scratch"] {
            std::fs::create_dir(directory.path().join(name)).expect("created");
        }
        let scene = Self { directory };
        let probe = "mkdir l u w && mount -t overlay overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w l";
        if !scene.run(&["unshare", "-Urm", "bash", "-ec", probe], "scratch").status.success() {
            #[expect(clippy::print_stdout, reason = "the test command shows what was skipped")]
            {
                println!("skipped: no overlay can be mounted here");
            }
            return None;
        }
        scene.outside("at", script);
        Some(scene)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().canonicalize().expect("there").join(path)
    }

    fn run(&self, argv: &[&str], folder: &str) -> Output {
        let mut command = self.command(argv, folder);
        command.output().expect("started")
    }

    #[expect(clippy::disallowed_methods, reason = "real git in a real overlay is what is tested")]
    fn command(&self, argv: &[&str], folder: &str) -> Command {
        let mut command = Command::new(argv.first().expect("a program"));
        command.args(argv.get(1..).expect("arguments")).current_dir(self.path(folder)).env_clear();
        let path = std::env::var_os("PATH").expect("a path");
        command.env("PATH", path).env("HOME", self.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "n").env(format!("GIT_{who}_EMAIL"), "n@n");
            command.env(format!("GIT_{who}_DATE"), "2001-02-03T04:05:06Z");
        }
        command
            .env("GIT_CONFIG_COUNT", "3")
            .env("GIT_CONFIG_KEY_0", "protocol.file.allow")
            .env("GIT_CONFIG_VALUE_0", "always");
        command.env("GIT_CONFIG_KEY_1", "init.defaultBranch").env("GIT_CONFIG_VALUE_1", "main");
        command.env("GIT_CONFIG_KEY_2", "advice.detachedHead").env("GIT_CONFIG_VALUE_2", "false");
        command
    }

    /// The output of a script that must succeed.
    fn outside(&self, folder: &str, script: &str) -> String {
        let output = self.run(&["bash", "-ec", script], folder);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{script}\n{text}");
        text
    }

    /// Runs a script as a command sees the folder.
    fn inside(&self, workspace: &str, script: &str) -> Written {
        let workspace = AbsPath::new(self.path("at").join(workspace)).expect("absolute");
        let repository = git::find(&workspace, None);
        let plans = layers::plan(&workspace, &workspace, Mode::ReadOnly, repository.as_ref());
        let started = Stamp::take(&self.path("scratch")).expect("a stamp");
        let (mut mounts, mut layers) = (String::new(), Vec::new());
        for plan in plans {
            let base = self.path("scratch").join(format!("layer{}", crate::workspace::temporary::next_number()));
            for name in ["upper", "work"] {
                std::fs::create_dir_all(base.join(name)).expect("created");
            }
            let (lower, base) = (plan.lower.clone(), base.display().to_string());
            mounts.push_str(&format!(
                "mount -t overlay overlay -o userxattr,lowerdir={lower},upperdir={base}/upper,workdir={base}/work {lower}\n"
            ));
            layers.push(Layer { plan, upper: PathBuf::from(format!("{base}/upper")) });
        }
        let script = format!("{mounts}cd {workspace}\n{script}");
        let output = self.run(&["unshare", "-Urm", "bash", "-ec", &script], "home");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{script}\n{text}");
        let state = self.path("state");
        Written {
            publication: Publication {
                workspace,
                layers,
                seeds: crate::workspace::publish::Seeds::new(),
                started,
                state,
            },
        }
    }

    /// What was told in a few words, that git finds nothing wrong, and what git says of a folder.
    fn check(&self, published: &Published, folder: &str, question: &str, expected: Expect) {
        let base = self.path("at");
        let mut text = String::new();
        let short = |path: &AbsPath| path.as_path().strip_prefix(&base).unwrap_or(path.as_path()).display().to_string();
        for held in &published.held {
            text.push_str(&format!("held {:?} {}\n", held.kind, short(&held.path)));
        }
        for conflict in &published.conflicts {
            text.push_str(&format!("conflict {}: {}\n", short(&conflict.path), conflict.clash));
        }
        for note in &published.notes {
            text.push_str(&format!("note {note}\n"));
        }
        self.is_whole(&format!("at/{folder}"));
        text.push_str(&self.outside(&format!("at/{folder}"), &format!("git status --porcelain\n{question}")));
        expected.assert_eq(&text);
        assert_eq!(std::fs::read_dir(self.path("state")).expect("readable").count(), 0);
        let left = self.outside("at", "find . -name '*.pilotfish-*' -o -name '*.lock'");
        assert_eq!(left, "");
    }

    /// Git finds nothing wrong, and every reference leads somewhere.
    fn is_whole(&self, folder: &str) {
        let fsck =
            self.outside(folder, "git fsck --no-dangling --no-progress --strict 2>&1 && git for-each-ref > /dev/null");
        let wrong: Vec<&str> = fsck.lines().filter(|line| !line.starts_with("dangling")).collect();
        assert_eq!(wrong, Vec::<&str>::new());
        self.outside(folder, "git rev-parse -q --verify HEAD^{commit}");
    }
}

const ONE: &str =
    "git init -q w && cd w && mkdir sub && echo 1 >a && echo 2 >sub/b && echo 3 >c && git add . && git commit -qm one";

fn check(setup: &str, workspace: &str, script: &str, question: &str, expected: Expect) {
    let Some(scene) = Scene::new(setup) else { return };
    let written = scene.inside(workspace, script);
    let published = publish(&written.publication);
    scene.check(&published, workspace, question, expected);
}

/// Ends the publication before each of its steps in turn, as a kill would. Git finds nothing wrong at any time, and what was left
/// behind is swept.
fn check_kills(setup: &str, script: &str) {
    let Some(scene) = Scene::new(setup) else { return };
    let mut written = scene.inside("w", script);
    scene.outside("", "cp -a at before");
    for steps in 0_u32.. {
        scene.outside("", "rm -rf at; cp -a before at");
        written.publication.started = Stamp::take(&scene.path("scratch")).expect("a stamp");
        let (left, is_killed) = (Cell::new(steps), Cell::new(None));
        let published = tree::publish(&written.publication, &|step| {
            is_killed.set((left.get() == 0).then_some(step));
            left.set(left.get().saturating_sub(1));
            is_killed.get().is_none()
        });
        assert_eq!(published.conflicts, []);
        scene.is_whole("at/w");
        sweep(&scene.path("state"));
        assert_eq!(std::fs::read_dir(scene.path("state")).expect("readable").count(), 0);
        assert_eq!(scene.outside("at", "find . -name '*.pilotfish-*' -o -name '*.lock'"), "", "after {steps} steps");
        scene.is_whole("at/w");
        if is_killed.get().is_none() {
            assert!(steps > 10);
            return;
        }
    }
}

#[test]
fn a_kill_at_any_step_leaves_a_whole_repository() {
    let script = "
        echo x >a; git commit -qam two; git branch side; git stash list; git branch -m renamed; git pack-refs --all
        git tag v1; echo y >c; git stash -q; git update-ref -d refs/heads/old";
    check_kills(&format!("{ONE} && git branch old && git pack-refs --all"), script);
}

#[test]
fn a_kill_at_any_step_leaves_whole_work_trees() {
    let script = "git worktree remove old; git worktree add -q new 2>/dev/null; cd new; echo x >a; git commit -qam two";
    check_kills(&format!("{ONE} && git worktree add -q old 2>/dev/null"), script);
}

#[test]
fn commits_from_the_top_and_from_below() {
    let commit = "echo x >>b 2>/dev/null || echo x >>a; git commit -qam two && git commit -q --amend -m three";
    let question = "git log --format=%s && git show --stat --format= HEAD";
    check(
        ONE,
        "w",
        &commit.replace(">>b", ">>sub/b"),
        question,
        expect![[r#"
        three
        one
         sub/b | 1 +
         1 file changed, 1 insertion(+)
    "#]],
    );
    check(
        ONE,
        "w/sub",
        commit,
        question,
        expect![[r#"
        three
        one
         sub/b | 1 +
         1 file changed, 1 insertion(+)
    "#]],
    );
}

#[test]
fn stashes_rebases_and_merges() {
    let script = "
        echo s >>a; git stash -q; git checkout -qb topic; echo t >t; git add t; git commit -qm topic
        git checkout -q main; echo m >m; git add m; git commit -qm main; git rebase -q main topic
        git checkout -q main; git merge -q --no-ff -m merge topic; git branch -qd topic; git tag v1; git gc -q --prune=now";
    check(
        ONE,
        "w",
        script,
        "git log --format=%s; git stash list; git branch; git tag; ls",
        expect![[r#"
        merge
        main
        topic
        one
        stash@{0}: WIP on main: 8610e77 one
        * main
        v1
        a
        c
        m
        sub
        t
    "#]],
    );
}

#[test]
fn a_rebase_that_stopped_goes_on_later() {
    let setup = &format!(
        "{ONE} && git checkout -qb topic && echo t >a && git commit -qam topic && git checkout -q main && echo m >a && git commit -qam main"
    );
    check(
        setup,
        "w",
        "git rebase -q main topic || true",
        "git rev-parse --abbrev-ref HEAD; echo r >a; git add a; GIT_EDITOR=true git rebase --continue 2>/dev/null >&2; git log --format=%s",
        expect![[r#"
        UU a
        HEAD
        topic
        main
        one
    "#]],
    );
    check(
        setup,
        "w",
        "git rebase -q -x true -x false main topic || true",
        "ls .git | grep rebase; ls .git/rebase-merge | grep todo || true",
        expect![[r#"
        held Created w/.git/rebase-merge/git-rebase-todo
        held Created w/.git/rebase-merge/git-rebase-todo.backup
        UU a
        rebase-merge
    "#]],
    );
}

#[test]
fn commits_in_a_linked_work_tree() {
    let setup = &format!("{ONE} && git worktree add -q ../linked 2>/dev/null");
    check(
        setup,
        "linked",
        "echo x >>a; git commit -qam two",
        "git log --format=%s; cd ../w; git log --all --format=%s",
        expect![[r#"
        two
        one
        two
        one
    "#]],
    );
    check(
        setup,
        "linked/sub",
        "echo x >>b; git commit -qam two; git stash list",
        "git log --format=%s",
        expect![[r#"
        two
        one
    "#]],
    );
}

#[test]
fn adds_and_removes_work_trees() {
    check(
        ONE,
        "w",
        "git worktree add -q wt 2>/dev/null; cd wt; echo x >>a; git commit -qam two",
        "git worktree list | wc -l; git -C wt status --short; git -C wt log --format=%s",
        expect![[r#"
        ?? wt/
        2
        two
        one
    "#]],
    );
    let setup = &format!("{ONE} && git worktree add -q wt 2>/dev/null");
    check(
        setup,
        "w",
        "git worktree remove wt",
        "git worktree list | wc -l; ls",
        expect![[r#"
        1
        a
        c
        sub
    "#]],
    );
}

#[test]
fn updates_submodules() {
    let setup = "git init -q s && cd s && echo 1 >s && git add . && git commit -qm s && cd .. && git init -q o && cd o && git submodule --quiet add ../s m && git commit -qm o && cd .. && git clone -q o w && cd w && git submodule init 2>/dev/null";
    check(
        setup,
        "w",
        "git submodule --quiet update",
        "git submodule status | cut -c 1 | tr ' ' =; git -C m status --short; git -C m log --format=%s; cat m/.git",
        expect![[r#"
            =
            s
            gitdir: ../.git/modules/m
        "#]],
    );
    let setup = &format!("{setup} && git submodule --quiet update && git -C m checkout -q main");
    check(
        setup,
        "w/m",
        "echo 2 >>s; git commit -qam two",
        "git log --format=%s; cd ..; git status --short",
        expect![[r#"
        two
        s
         M m
    "#]],
    );
    check(
        setup,
        "w",
        "cd m; echo 2 >>s; git commit -qam two; cd ..; git commit -qam bump",
        "git log --format=%s; git submodule status | cut -c 1 | tr ' ' =",
        expect![[r#"
            bump
            o
            =
        "#]],
    );
}

#[test]
fn makes_new_repositories() {
    check(
        "mkdir w && cd w && git init -q",
        "w",
        "git commit -q --allow-empty -m x; git init -q inner; cd inner; echo 1 >a; git add .; git commit -qm one",
        "git -C inner log --format=%s; git -C inner status --short; ls -A inner/.git",
        expect![[r#"
        ?? inner/
        one
        COMMIT_EDITMSG
        HEAD
        config
        index
        logs
        objects
        refs
    "#]],
    );
}

#[test]
fn holds_back_what_would_run() {
    let script = r#"
        echo pwn >.git/hooks/pre-commit; git config core.fsmonitor pwn; mkdir -p .git/info; echo '* filter=x' >.git/info/attributes
        echo /elsewhere >.git/objects/info/alternates; echo x >.git/unknown; ln -s /etc .git/refs/heads/link
        echo nonsense >.git/refs/heads/odd; echo '[submodule "x"]' >.gitmodules; echo 'url = x' >>.git/config"#;
    check(
        ONE,
        "w",
        script,
        "ls .git/hooks | grep -v sample || true; cat .git/config | wc -l; ls .git .git/info",
        expect![[r#"
            held Created w/.gitmodules
            held Created w/.git/objects/info/alternates
            held Changed w/.git/config
            held Created w/.git/hooks/pre-commit
            held Created w/.git/info/attributes
            held Created w/.git/refs/heads/link
            held Created w/.git/refs/heads/odd
            held Created w/.git/unknown
            5
            .git:
            COMMIT_EDITMSG
            HEAD
            branches
            config
            description
            hooks
            index
            info
            logs
            objects
            refs

            .git/info:
            exclude
        "#]],
    );
}

#[test]
fn holds_back_another_repository_in_the_place_of_one() {
    let script = "mv .git .git2; mkdir -p .git/hooks; cp -r .git2/. .git/; echo x >.git/hooks/post-checkout";
    check(
        ONE,
        "w",
        script,
        "ls .git/hooks | grep -v sample || true; ls -A",
        expect![[r#"
        held Changed w/.git
        ?? .git2/
        .git
        .git2
        a
        c
        sub
    "#]],
    );
    check(
        ONE,
        "w",
        "rm -rf .git; echo x >a",
        "ls -A",
        expect![[r#"
        held Deleted w/.git
         M a
        .git
        a
        c
        sub
    "#]],
    );
}

#[test]
fn holds_back_pointers_that_lead_astray() {
    let setup = &format!("{ONE} && git worktree add -q ../linked 2>/dev/null");
    let script = r#"
        g=$(git rev-parse --git-dir); c=$(git rev-parse --git-common-dir); echo x >"$c/hooks/post-checkout"; echo x >"$g/hookx"
        echo ../evil >"$g/commondir"; printf 'gitdir: %s/evil\n' "$PWD" >.git"#;
    check(
        setup,
        "linked",
        script,
        "cat .git | sed 's/.*at/BASE/'; ls ../w/.git/worktrees/linked",
        expect![[r#"
        held Created w/.git/hooks/post-checkout
        held Changed w/.git/worktrees/linked/commondir
        held Created w/.git/worktrees/linked/hookx
        held Changed linked/.git
        BASE/w/.git/worktrees/linked
        HEAD
        ORIG_HEAD
        commondir
        gitdir
        index
        logs
        refs
    "#]],
    );
    let script = r#"
        mkdir -p evil sub2; git init -q --bare evil/x; echo "[core]
        worktree = $PWD/sub2" >>evil/x/config; echo "gitdir: $PWD/evil/x" >sub2/.git"#;
    check(
        ONE,
        "w",
        script,
        "ls -A sub2 | wc -l",
        expect![[r#"
        held Created w/sub2/.git
        ?? evil/
        0
    "#]],
    );
}

#[test]
fn publishes_nothing_but_objects_when_somebody_else_was_there() {
    for meanwhile in [
        "git commit -q --allow-empty -m mine",
        "echo mine >new; git add new; git commit -qm mine",
        "touch .git/index.lock",
    ] {
        let Some(scene) = Scene::new(ONE) else { return };
        let written = scene.inside("w", "echo x >a; git commit -qam agents; git tag v1");
        scene.outside("at/w", meanwhile);
        let before = scene.outside("at/w", "git show-ref; git log --format=%s; ls .git");
        let published = publish(&written.publication);
        assert_eq!(scene.outside("at/w", "git show-ref; git log --format=%s; ls .git"), before, "{meanwhile}");
        assert!(published.conflicts.iter().any(|conflict| conflict.clash == Clash::Repository), "{published:?}");
        scene.is_whole("at/w");
        let left = scene.outside("at", "find . -name '*.pilotfish-*'");
        assert_eq!(left, "", "{meanwhile}");
    }
}

#[test]
fn a_repository_of_any_name_is_one() {
    let script = "git init -q --bare new; echo x >new/hooks/post-receive; mkdir plain; echo x >plain/config";
    check(
        ONE,
        "w",
        script,
        "ls new new/hooks 2>/dev/null || true; ls plain",
        expect![[r#"
        held Created w/new/hooks/post-receive
        ?? new/
        ?? plain/
        new:
        HEAD
        config
        objects
        refs
        config
    "#]],
    );
    // First what runs, as plain files, and then what makes a repository of them.
    let setup = &format!("{ONE} && mkdir evil && printf '[core]\nfsmonitor = pwn\n' >evil/config");
    let script = "cp .git/HEAD evil; mkdir -p evil/objects evil/refs; touch evil/objects/x evil/refs/x";
    check(
        setup,
        "w",
        script,
        "ls evil",
        expect![[r#"
        held Created w/evil/HEAD
        held Created w/evil/objects/x
        held Created w/evil/refs/x
        ?? evil/
        config
    "#]],
    );
}

#[test]
fn what_the_configuration_runs_is_protected_where_it_lies() {
    let setup =
        &format!("{ONE} && mkdir -p tools/hooks && touch tools/hooks/x && git config core.hooksPath tools/hooks");
    check(
        setup,
        "w",
        "echo x >tools/hooks/pre-commit; echo x >tools/y",
        "ls tools tools/hooks",
        expect![[r#"
        held Created w/tools/hooks/pre-commit
        ?? tools/
        tools:
        hooks
        y

        tools/hooks:
        x
    "#]],
    );
    check(
        setup,
        "w",
        "rm -rf tools; echo z >a",
        "ls tools/hooks",
        expect![[r#"
        held Deleted w/tools/hooks
         M a
        ?? tools/
        x
    "#]],
    );
}

#[test]
fn what_the_configuration_will_run_is_protected_before_it_is_there() {
    let setup = &format!(
        "{ONE} && mkdir tools && touch tools/f.sh tools/more && git config core.hooksPath tools/hk && git config filter.f.clean 'sh tools/f.sh %f'\
         && git config include.path ../tools/more && git config alias.x '!cd sub && ./new/x' && git config -f tools/more include.path missing\
         && git config -f tools/more diff.d.textconv 'tools/d -x' && git add . && git commit -qm two"
    );
    check(
        setup,
        "w",
        "mkdir -p tools/hk new; for f in tools/hk/pre-commit tools/f.sh tools/more tools/missing tools/d tools/y new/x sub/b; do echo x >$f; done",
        "ls tools",
        expect![[r#"
            held Created w/new/x
            held Created w/tools/d
            held Changed w/tools/f.sh
            held Created w/tools/hk/pre-commit
            held Created w/tools/missing
            held Changed w/tools/more
             M sub/b
            ?? tools/y
            f.sh
            more
            y
        "#]],
    );
}

#[test]
fn nothing_is_left_of_a_repository_that_is_held_back() {
    check(
        ONE,
        "w",
        "mkdir -p n/.git/hooks n/.git/objects/info n/.git/refs/heads; echo x >n/.git/hooks/pre-commit; echo x >n/y",
        "find n",
        expect![[r#"
            held Created w/n/.git/hooks/pre-commit
            ?? n/
            n
            n/y
        "#]],
    );
}

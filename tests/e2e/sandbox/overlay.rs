//! What a command changes is seen by it, lands in the upper folder exactly, and nowhere else.

use super::cage::{Cage, picture};
use pilotfish::path::AbsPath;
use pilotfish::sandbox::scratch::Run;
use pilotfish::sandbox::{Exit, Layer, Spec};
use pilotfish_protocol::Mode;
use std::ffi::CString;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

/// What lies in an upper folder: `+` a file and its content, `-` what was removed, `=` a folder that replaced another.
fn write_set(folder: &Path) -> String {
    let mut lines = Vec::new();
    collect(folder, folder, &mut lines);
    lines.sort();
    lines.join("\n")
}

fn collect(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        let metadata = entry.metadata().expect("there");
        let kind = metadata.file_type();
        let mut line = name;
        if kind.is_char_device() {
            assert_eq!(metadata.rdev(), 0);
            line.push_str(" -");
        } else if kind.is_dir() {
            line.push_str(if is_opaque(&path) { "/ =" } else { "/" });
        } else if kind.is_symlink() {
            let _ = write!(line, " -> {}", fs::read_link(&path).expect("a link").display());
        } else {
            let _ = write!(line, " + {}", String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).trim());
        }
        lines.push(line);
        if kind.is_dir() {
            collect(root, &path, lines);
        }
    }
}

/// Whether a folder hides the one it stands for.
#[expect(unsafe_code, reason = "the standard library knows no attributes")]
fn is_opaque(folder: &Path) -> bool {
    let path = CString::new(folder.as_os_str().as_bytes()).expect("a path");
    let mut value = [0_u8; 4];
    // SAFETY: both strings end with a zero byte, and the buffer is as long as is said.
    let length = unsafe {
        libc::lgetxattr(path.as_ptr(), c"user.overlay.opaque".as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    length == 1 && value[0] == b'y'
}

/// Runs a script over one layer, changed as said, and returns what it said and its write set.
async fn run(cage: &Cage, mode: Mode, script: &str, change: impl FnOnce(&mut Layer, &mut Spec)) -> (String, String) {
    let run = cage.scratch_run();
    run_in(&run, cage, mode, script, change).await
}

async fn run_in(
    run: &Run,
    cage: &Cage,
    mode: Mode,
    script: &str,
    change: impl FnOnce(&mut Layer, &mut Spec),
) -> (String, String) {
    let mut layer = cage.layer(run);
    let mut spec = cage.spec(mode, &["bash", "-c", script], vec![]);
    change(&mut layer, &mut spec);
    let upper = layer.upper.clone();
    spec.layers = vec![layer];
    let (finished, said) = cage.run_spec(&spec, None).await;
    assert_eq!(finished.status, Exit::Code(0), "{said}");
    (said, write_set(&upper))
}

fn unchanged(_: &mut Layer, _: &mut Spec) {}

#[tokio::test]
async fn the_upper_holds_exactly_what_was_changed() {
    let cage = Cage::new();
    for (path, text) in
        [("kept", "k"), ("changed", "old"), ("gone", "g"), ("dir/a", "a"), ("dir/b", "b"), ("tree/x", "x")]
    {
        cage.write(path, text);
    }
    let before = picture(cage.folder.path());
    let script =
        "echo new > changed; rm gone; mkdir -p made/deep; echo n > made/deep/n; mv dir/a dir/c; ln -s /etc/passwd link
                  rm -r tree; mkdir tree; echo y > tree/y; cat kept; ls";
    for mode in [Mode::Agent, Mode::ReadOnly] {
        let (said, changed) = run(&cage, mode, script, unchanged).await;
        assert_eq!(said, "kchanged\ndir\nkept\nlink\nmade\ntree\n");
        let expected = "changed + new\ndir/\ndir/a -\ndir/c + a\ngone -\nlink -> /etc/passwd\nmade/ =\nmade/deep/\nmade/deep/n + n\ntree/ =\ntree/y + y";
        // The kernel may mark a folder that replaces nothing, as there is nothing to hide.
        assert_eq!(changed.replace("made/ =", "made/"), expected.replace("made/ =", "made/"), "{mode}");
        assert_eq!(picture(cage.folder.path()), before, "{mode}");
    }
}

#[tokio::test]
async fn modes_and_times_of_the_workspace_are_seen_inside() {
    let cage = Cage::new();
    cage.write("a", "x");
    fs::set_permissions(cage.workspace(), fs::Permissions::from_mode(0o750)).expect("a mode");
    fs::set_permissions(cage.workspace().join("a"), fs::Permissions::from_mode(0o741)).expect("a mode");
    cage.check(Mode::Agent, "stat -c '%a %u' . a", Exit::Code(0), &format!("750 {0}\n741 {0}\n", user())).await;
}

fn user() -> u32 {
    fs::metadata("/proc/self").expect("ourselves").uid()
}

#[tokio::test]
async fn without_a_layer_the_workspace_is_read_only() {
    let cage = Cage::new();
    cage.write("a", "before");
    let before = picture(cage.folder.path());
    for mode in [Mode::Agent, Mode::ReadOnly] {
        let spec = cage.spec(
            mode,
            &["bash", "-c", "cat a; echo x > a || echo y > b || rm a || mkdir c || echo refused"],
            vec![],
        );
        let (_, said) = cage.run_spec(&spec, None).await;
        assert!(said.starts_with("before") && said.ends_with("refused\n"), "{said}");
        assert_eq!(picture(cage.folder.path()), before);
    }
}

#[tokio::test]
async fn a_workspace_may_have_any_name_and_lie_anywhere() {
    let shared_memory = Path::new("/dev/shm");
    for root in [std::env::temp_dir(), "/var/tmp".into(), shared_memory.to_owned()] {
        for name in ["a:b,c d=e", "back\\slash", "quote'\"", "\u{fc}ml\u{e4}ut", "-n"] {
            let cage = Cage::in_folder(&root, name);
            cage.write("a", "here");
            let (said, changed) = run(&cage, Mode::Agent, "cat a; echo x > b; pwd", unchanged).await;
            assert_eq!(said, format!("here{}\n", cage.workspace().display()));
            assert_eq!(changed, "b + x");
        }
    }
}

#[tokio::test]
async fn only_the_parts_that_are_named_can_be_written() {
    let cage = Cage::new();
    for path in ["sub/a", ".git/HEAD", "other/o", "top"] {
        cage.write(path, "x");
    }
    std::os::unix::fs::symlink("other", cage.workspace().join("link")).expect("a link");
    let before = picture(cage.folder.path());
    let script = "exec 2>/dev/null; cd sub; echo y > a; echo y > new; echo y > ../.git/HEAD; echo y > ../.git/new
                  echo y > ../top; echo y > ../made; echo y > ../other/o; rm ../other/o; mv ../other ../moved; echo y > ../link/o
                  cat ../top ../other/o; echo";
    let (said, changed) = run(&cage, Mode::Agent, script, |layer, spec| {
        layer.writable = ["sub", ".git", "missing", "link"].map(Into::into).into();
        let sub = AbsPath::new(cage.workspace().join("sub")).expect("absolute");
        (spec.workspace, spec.cwd) = (sub.clone(), sub);
    })
    .await;
    assert_eq!(said, "xx\n");
    assert_eq!(changed, ".git/\n.git/HEAD + y\n.git/new + y\nsub/\nsub/a + y\nsub/new + y");
    assert_eq!(picture(cage.folder.path()), before);
}

#[tokio::test]
async fn a_pointer_file_can_be_among_the_parts() {
    let cage = Cage::new();
    cage.write(".git", "gitdir: /elsewhere\n");
    let (said, changed) = run(&cage, Mode::Agent, "echo x >> .git; cat .git", |layer, _| {
        layer.writable = vec![".git".into()];
    })
    .await;
    assert_eq!((said.as_str(), changed.as_str()), ("gitdir: /elsewhere\nx\n", ".git + gitdir: /elsewhere\nx"));
}

#[tokio::test]
async fn git_works_from_the_top_and_from_a_folder_below() {
    let cage = Cage::new();
    git(&cage.workspace(), &["init", "-q"]);
    cage.write("sub/a", "a\n");
    cage.write("top", "t\n");
    git(&cage.workspace(), &["add", "."]);
    git(&cage.workspace(), &["commit", "-qm", "first"]);
    let before = picture(cage.folder.path());
    let commit = "git -c user.name=t -c user.email=t@t commit -qam second && git log --format=%s && git status --short";
    let (said, changed) = run(&cage, Mode::Agent, &format!("echo b >> sub/a; {commit}"), unchanged).await;
    assert_eq!(said, "second\nfirst\n");
    assert!(changed.contains(".git/COMMIT_EDITMSG + second") && changed.contains("sub/a + a\nb"), "{changed}");
    let below = |layer: &mut Layer, spec: &mut Spec| {
        layer.writable = vec!["sub".into(), ".git".into()];
        let sub = AbsPath::new(cage.workspace().join("sub")).expect("absolute");
        (spec.workspace, spec.cwd) = (sub.clone(), sub);
    };
    let (said, _) = run(&cage, Mode::Agent, &format!("echo b >> a; {commit}; git ls-files"), below).await;
    assert_eq!(said, "second\nfirst\na\n");
    let (said, _) = run(&cage, Mode::ReadOnly, &format!("echo b >> a; {commit}"), below).await;
    assert_eq!(said, "second\nfirst\n");
    assert_eq!(picture(cage.folder.path()), before);
}

#[tokio::test]
async fn git_works_in_a_linked_worktree_with_its_directory_outside() {
    let cage = Cage::new();
    let main = cage.folder.path().canonicalize().expect("there").join("main");
    fs::create_dir(&main).expect("a folder");
    git(&main, &["init", "-q"]);
    git(&main, &["commit", "-q", "--allow-empty", "-m", "first"]);
    fs::remove_dir(cage.workspace()).expect("empty");
    git(&main, &["worktree", "add", "-q", cage.folder.path().join("work").to_str().expect("text")]);
    let before = picture(cage.folder.path());
    let run = cage.scratch_run();
    let common = run.layer(1, &main.join(".git")).expect("a layer");
    let script = "echo x > a; git add a; git -c user.name=t -c user.email=t@t commit -qm second; git log --format=%s; git status --short";
    let spec = cage.spec(Mode::Agent, &["bash", "-c", script], vec![cage.layer(&run), common.clone()]);
    let (_, said) = cage.run_spec(&spec, None).await;
    assert_eq!(said, "second\nfirst\n");
    assert!(write_set(&common.upper).contains("/index + "), "{}", write_set(&common.upper));
    assert_eq!(write_set(&run.upper(0)), "a + x");
    assert_eq!(picture(cage.folder.path()), before);
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]);
    let done = git.args(arguments).env("HOME", folder).output().expect("git");
    assert!(done.status.success(), "{done:?}");
}

#[tokio::test]
async fn a_layer_in_a_layer_keeps_its_own_changes() {
    let cage = Cage::new();
    cage.write("inner/a", "i");
    let run = cage.scratch_run();
    let inner = run.layer(1, &cage.workspace().join("inner")).expect("a layer");
    let script = "echo x > a; echo y > inner/a; rm -r inner; ls inner";
    // The inner one is named first, and mounted last all the same.
    let spec = cage.spec(Mode::Agent, &["bash", "-c", script], vec![inner.clone(), cage.layer(&run)]);
    cage.run_spec(&spec, None).await;
    assert_eq!((write_set(&run.upper(0)).as_str(), write_set(&inner.upper).as_str()), ("a + x", "a -"));
}

#[tokio::test]
async fn folders_that_are_passed_through_are_written_directly_and_links_are_not_followed() {
    let cage = Cage::new();
    cage.write("target/old", "o");
    cage.write("deep/node_modules/m", "m");
    fs::create_dir(cage.workspace().join("real")).expect("a folder");
    std::os::unix::fs::symlink("../../outside", cage.workspace().join("deep/build")).expect("a link");
    std::os::unix::fs::symlink("../outside", cage.workspace().join("dist")).expect("a link");
    std::os::unix::fs::symlink("deep", cage.workspace().join("way")).expect("a link");
    cage.write("file", "f");
    let names = ["target", "deep/node_modules", "deep/build", "dist", "way/node_modules", "file", "missing"];
    let script = "exec 2>/dev/null; echo t > target/new; rm target/old; echo n > deep/node_modules/n; echo x > deep/build/canary
                  echo x > dist/canary; echo x > dist/new; echo y > file; mkdir missing; echo z > missing/z; mv target gone; echo w > way/w; true";
    let through = |layer: &mut Layer, _: &mut Spec| layer.through = names.map(Into::into).into();
    let (_, changed) = run(&cage, Mode::ReadOnly, script, through).await;
    assert!(changed.contains("deep/node_modules/n + n"), "{changed}");
    assert!(cage.workspace().join("target/old").exists());
    let (_, changed) = run(&cage, Mode::Agent, script, through).await;
    assert_eq!(changed.replace("missing/ =", "missing/"), "deep/\ndeep/w + w\nfile + y\nmissing/\nmissing/z + z");
    assert_eq!(fs::read_to_string(cage.workspace().join("target/new")).expect("there"), "t\n");
    assert_eq!(fs::read_to_string(cage.workspace().join("deep/node_modules/n")).expect("there"), "n\n");
    assert!(!cage.workspace().join("target/old").exists() && !cage.workspace().join("missing").exists());
    assert_eq!(fs::read_to_string(cage.outside().join("canary")).expect("there"), "canary\n");
}

#[tokio::test]
async fn what_is_mounted_in_the_workspace_is_seen_and_not_written() {
    let cage = Cage::new();
    for folder in ["a data/deeper", "node_modules"] {
        fs::create_dir_all(cage.workspace().join(folder)).expect("a folder");
    }
    cage.write("real", "r");
    // Mounts need power that a user has in a namespace of their own; the sandbox is then started in there.
    let test = std::env::current_exe().expect("this test");
    let output = Command::new("unshare")
        .args(["-Urm", "bash", "-c"])
        .arg(
            r#"cd "$PILOTFISH_TEST_MOUNTED" && mount -t tmpfs one "a data" && mkdir -p "a data/deeper" && echo 1 > "a data/one" \
               && mount -t tmpfs two "a data/deeper" && echo 2 > "a data/deeper/two" && mount -t tmpfs three node_modules \
               && "$TEST" --exact sandbox::overlay::within_a_mount_namespace --nocapture && echo "$(ls node_modules)""#,
        )
        .env(MOUNTED, cage.workspace())
        .env("TEST", test)
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("[1 2 kept kept new]") && said.ends_with("installed\n"), "{said}");
}

/// Names the workspace where something is mounted in it.
const MOUNTED: &str = "PILOTFISH_TEST_MOUNTED";

/// Not by itself: the other half of the test above.
#[test]
fn within_a_mount_namespace() {
    let Some(workspace) = std::env::var_os(MOUNTED).map(std::path::PathBuf::from) else {
        return;
    };
    let cage = Cage::new();
    let run = cage.scratch_run();
    let mut layer = run.layer(0, &workspace).expect("a layer");
    layer.through = vec!["node_modules".into()];
    let script = r#"exec 2>/dev/null; one=$(cat "a data/one"); two=$(cat "a data/deeper/two")
        (echo x > "a data/one") || k1=kept; (echo x > "a data/deeper/new") || k2=kept; echo x > new && n=$(ls new); echo x > node_modules/installed
        echo "[$one $two $k1 $k2 $n]""#;
    let mut spec = cage.spec(Mode::Agent, &["bash", "-c", script], vec![layer]);
    let root = AbsPath::new(&workspace).expect("absolute");
    (spec.workspace, spec.cwd) = (root.clone(), root);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_, said) = runtime.block_on(cage.run_spec(&spec, None));
    print_out(&said);
}

#[expect(clippy::print_stdout, reason = "the other half reads it")]
fn print_out(text: &str) {
    println!("{text}");
}

#[tokio::test]
async fn a_session_in_read_only_mode_finds_its_build_again_and_nothing_else() {
    let mut cage = Cage::new();
    cage.write("src/a", "a");
    let before = picture(cage.folder.path());
    for expected in ["first\n", "again\n", "again\n"] {
        let session = cage.scratch.session("s1").expect("a run");
        let script = "cat target/built 2>/dev/null || echo first; ls new 2>/dev/null; cat src/a | grep -v a; mkdir -p target; echo again > target/built
                      echo x > new; echo x > src/a";
        let (said, _) = run_in(&session, &cage, Mode::ReadOnly, script, unchanged).await;
        assert_eq!(said, expected);
        session.settle(|path| path.ends_with("target"));
        cage.settle();
        assert_eq!(picture(cage.folder.path()), before);
    }
}

#[tokio::test]
async fn stores_of_toolchains_can_be_written_and_stay_as_they_are() {
    let cage = Cage::new();
    let home = cage.folder.path().join("home");
    for path in [
        ".cargo/registry/src/x",
        ".cargo/credentials.toml",
        ".cache/go-build/00/y",
        ".npm/_cacache/z",
        ".npmrc",
        ".cargo/bin/tool",
    ] {
        fs::create_dir_all(home.join(path).parent().expect("a folder")).expect("a folder");
        fs::write(home.join(path), "before\n").expect("written");
    }
    let script = "cd ~; for f in .cargo/registry/src/x .cargo/registry/new .cache/go-build/00/y .npm/_cacache/z .cache/other .cargo/bin/tool
                  do echo changed > $f && cat $f; done 2>/dev/null; rm -r .cargo/registry/src && echo removed; cat .cargo/bin/tool; ls .npmrc .cargo/credentials.toml";
    let said = cage.holds(script).await;
    let once = "changed\nchanged\nchanged\nchanged\nchanged\nremoved\nbefore\n";
    assert_eq!(said, format!("{once}{once}"));
}

#[tokio::test]
async fn a_granted_path_is_written_directly_and_its_neighbours_are_not() {
    let cage = Cage::new();
    let (granted, file) = (cage.outside().join("granted"), cage.outside().join("file"));
    fs::create_dir(&granted).expect("a folder");
    fs::write(&file, "").expect("written");
    let script = format!(
        "exec 2>/dev/null; cd {}; echo x > granted/new; echo y > file; echo z > canary; echo w > other; cat granted/new file",
        cage.outside().display()
    );
    let run = cage.scratch_run();
    let mut spec = cage.spec(Mode::Agent, &["bash", "-c", &script], vec![cage.layer(&run)]);
    spec.grants_paths = vec![granted.clone(), file.clone(), cage.outside().join("missing")];
    let (_, said) = cage.run_spec(&spec, None).await;
    assert_eq!(said, "x\ny\n");
    assert_eq!(fs::read_to_string(granted.join("new")).expect("there"), "x\n");
    assert_eq!(fs::read_to_string(file).expect("there"), "y\n");
    assert_eq!(fs::read_to_string(cage.outside().join("canary")).expect("there"), "canary\n");
    assert!(!cage.outside().join("other").exists());
}

#[tokio::test]
async fn thirty_thousand_files_cost_nothing() {
    let cage = Cage::new();
    for folder in 0..300 {
        let folder = cage.workspace().join(format!("m{}/n{folder}", folder % 30));
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..100 {
            fs::File::create(folder.join(file.to_string())).expect("a file");
        }
    }
    let (finished, _) = cage.run(Mode::Agent, "true", None).await;
    // Far above what it takes: other tests write as well.
    assert!(finished.duration < std::time::Duration::from_secs(5), "{finished:?}");
}

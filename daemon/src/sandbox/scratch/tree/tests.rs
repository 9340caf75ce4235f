use super::{keep_only, remove};
use rustix::fs::{AtFlags, CWD, IFlags, Mode, OFlags, mkdirat, openat};
use std::fs::{self, File, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Makes folders of one name in one another, as a command does that changes into each; a file lies in the deepest.
fn nest(folder: &Path, name: &str, levels: usize) {
    let mut at: OwnedFd = openat(CWD, folder, FOLDER, Mode::empty()).expect("a folder");
    for _ in 0..levels {
        mkdirat(&at, name, Mode::RWXU).expect("made");
        at = openat(&at, name, FOLDER, Mode::empty()).expect("a folder");
    }
    openat(&at, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).expect("a file");
}

/// Removes a folder that `fill` fills, and sees to it that nothing is left.
fn check(fill: impl Fn(&Path)) {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("tree");
    fs::create_dir(&folder).expect("a folder");
    fill(&folder);
    remove(&folder).expect("removed");
    let left: Vec<_> = fs::read_dir(outside.path()).expect("a folder").flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [] as [std::path::PathBuf; 0]);
}

/// Whether a file could be made one that nobody can remove, or one that they can again.
fn pin(file: &Path, flags: IFlags) -> bool {
    rustix::fs::ioctl_setflags(File::open(file).expect("a file"), flags).is_ok()
}

#[test]
fn what_is_gone_is_removed_already() {
    let folder = tempfile::tempdir().expect("a folder");
    remove(&folder.path().join("missing")).expect("nothing to do");
    remove(&folder.path().join("missing/below")).expect("nothing to do");
    remove(folder.path()).expect("removed");
    assert!(!folder.path().exists());
}

#[test]
fn a_link_is_removed_and_what_it_leads_to_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("kept")).expect("a folder");
    std::os::unix::fs::symlink("kept", folder.path().join("link")).expect("a link");
    remove(&folder.path().join("link")).expect("removed");
    assert!(folder.path().join("kept").exists() && !folder.path().join("link").exists());
}

#[test]
fn a_tree_of_any_depth_is_removed() {
    check(|folder| nest(folder, "d", 5000));
}

#[test]
fn names_may_be_long_on_every_level() {
    check(|folder| nest(folder, &"n".repeat(200), 40));
}

#[test]
fn closed_folders_are_opened() {
    check(|folder| {
        for mode in [0o000, 0o100, 0o300, 0o500] {
            let closed = folder.join(format!("{mode:o}"));
            fs::create_dir_all(closed.join("below")).expect("a folder");
            fs::write(closed.join("below/file"), "x").expect("a file");
            fs::set_permissions(closed.join("below"), Permissions::from_mode(mode)).expect("closed");
            fs::set_permissions(&closed, Permissions::from_mode(mode)).expect("closed");
        }
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what a process may open is a limit of the whole process")]
fn few_descriptors_are_enough() {
    for test in ["a_tree_of_any_depth_is_removed", "what_is_kept_is_measured_at_any_depth"] {
        let tests = std::process::Command::new("sh")
            .args(["-c", r#"ulimit -n 64 && exec "$0" --exact "sandbox::scratch::tree::tests::$1""#])
            .arg(std::env::current_exe().expect("these tests"))
            .arg(test)
            .output()
            .expect("started");
        let said = String::from_utf8_lossy(&tests.stdout);
        assert!(tests.status.success() && said.contains("1 passed"), "{test}: {tests:?}");
    }
}

#[test]
fn what_cannot_be_removed_spares_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for place in ["a", "m", "z"] {
        fs::create_dir_all(folder.path().join(place).join("big")).expect("a folder");
        fs::write(folder.path().join(place).join("big/file"), "x").expect("a file");
    }
    let pinned = folder.path().join("m/pinned");
    fs::write(&pinned, "x").expect("a file");
    if !pin(&pinned, IFlags::IMMUTABLE) {
        // Only some users of some file systems can say so; the others have nothing that we could not remove.
        return;
    }
    let removed = remove(folder.path());
    assert!(removed.is_err(), "{removed:?}");
    let mut left = Vec::new();
    for entry in fs::read_dir(folder.path()).expect("a folder").flatten() {
        left.push(entry.file_name());
        left.extend(fs::read_dir(entry.path()).expect("a folder").flatten().map(|entry| entry.file_name()));
    }
    assert!(pin(&pinned, IFlags::empty()));
    assert_eq!(left, ["m", "pinned"]);
}

#[test]
fn what_is_kept_is_measured_at_any_depth() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("upper");
    fs::create_dir_all(root.join("sub/target")).expect("a folder");
    nest(&root.join("sub/target"), "d", 5000);
    fs::write(root.join("sub/target/big"), vec![1; 100_000]).expect("a file");
    let bytes = keep_only(&root, &|path| path.ends_with("target")).expect("sifted");
    assert!((100_000..100_000_000).contains(&bytes), "{bytes}");
    remove(&root).expect("removed");
}

#[test]
fn what_lies_too_deep_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("upper");
    fs::create_dir(&root).expect("a folder");
    nest(&root, "d", 5000);
    let bytes = keep_only(&root, &|path| path.components().count() > 1000).expect("sifted");
    assert_eq!(bytes, 0);
    let root = openat(CWD, &root, FOLDER, Mode::empty()).expect("still there");
    assert!(rustix::fs::statat(&root, "d", AtFlags::SYMLINK_NOFOLLOW).is_err());
}

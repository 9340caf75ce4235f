use super::remove;
use std::fs;

#[test]
fn what_is_gone_is_removed_already() {
    let folder = tempfile::tempdir().expect("a folder");
    remove(&folder.path().join("missing")).expect("nothing to do");
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

use super::{Removed, remove};
use std::fs;

#[test]
fn no_more_is_removed_at_once_than_was_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    for number in 0..20 {
        fs::create_dir_all(tree.join(number.to_string())).expect("a folder");
    }
    assert_eq!(remove(&tree, 10).expect("removed"), Removed::Some);
    assert!((9..=10).contains(&fs::read_dir(&tree).expect("there").count()));
    assert_eq!(remove(&tree, 10).expect("removed"), Removed::All);
    assert_eq!(remove(&tree, 0).expect("nothing to do"), Removed::All);
}

#[test]
fn a_link_is_removed_and_what_it_leads_to_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("kept")).expect("a folder");
    std::os::unix::fs::symlink("kept", folder.path().join("link")).expect("a link");
    remove(&folder.path().join("link"), 1).expect("removed");
    assert!(folder.path().join("kept").exists() && !folder.path().join("link").exists());
}

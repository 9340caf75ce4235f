//! The project is what the script believes it to be.

use super::Kind;

#[test]
fn each_mend_fits_its_file_once() {
    for kind in [Kind::Rust, Kind::Shell] {
        let mend = kind.mend();
        let (_, text) = kind.files().iter().find(|(path, _)| *path == mend.path).unwrap();
        assert_eq!(text.matches(mend.old).count(), 1, "{kind:?}");
    }
}

#[test]
fn each_source_is_there() {
    for kind in [Kind::Rust, Kind::Shell] {
        let there = |source: &&str| kind.files().iter().any(|(path, _)| path == source);
        assert!(kind.sources().iter().all(there), "{kind:?}");
    }
}

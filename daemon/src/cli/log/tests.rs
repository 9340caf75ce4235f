use super::*;

#[test]
fn shows_the_last_lines_and_nothing_that_acts_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    std::fs::write(&file, "one\ntwo\n\x1b[2Jthree\n").unwrap();
    assert_eq!(tail(&file, 2).unwrap(), "two\nthree\n");
    assert_eq!(tail(&file, 0).unwrap(), "");
}

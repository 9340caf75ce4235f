//! Which lines tell.

use super::is_telling;
use expect_test::expect;

#[test]
fn of_an_output_only_what_tells_is_shown() {
    let output = "   Compiling versions v0.1.0\ntest tests::a ... FAILED\n  left: 1\n right: 2\ntest result: FAILED. 1 passed\n\
                  sed: can't read ../diary.txt\nbash: connect: Connection refused\n\
                  bash: line 1: /dev/tcp/127.0.0.1/1: Connection refused\n[exit status 1]";
    let lines: String = output.lines().filter(|line| is_telling(line)).map(|line| format!("{line}\n")).collect();
    expect![[r#"
        test tests::a ... FAILED
          left: 1
         right: 2
        sed: can't read ../diary.txt
        bash: line 1: /dev/tcp/127.0.0.1/1: Connection refused
    "#]]
    .assert_eq(&lines);
}

//! What may be a name and a key.

use super::{is_name, read_line};
use expect_test::expect;

#[test]
fn names_are_plain() {
    let names = ["openai", "my-server_2.local", "", "a b", "../keys", "a=b"];
    let lines: String = names.iter().map(|name| format!("{name:?}: {}\n", is_name(name))).collect();
    expect![[r#"
        "openai": true
        "my-server_2.local": true
        "": false
        "a b": false
        "../keys": false
        "a=b": false
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_line_ends_at_its_end_and_ctrl_c_ends_it_all() {
    let typed: [&[u8]; 4] = [b"sk-1\nrest", b"sk-2", b"sk-\x03", b"\xff\n"];
    let lines: String = typed.iter().map(|typed| format!("{:?}\n", read_line(*typed).ok())).collect();
    expect![[r#"
        Some(Some("sk-1"))
        Some(Some("sk-2"))
        Some(None)
        None
    "#]]
    .assert_eq(&lines);
}

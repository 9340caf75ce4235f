use expect_test::{Expect, expect};

fn check(commands: &[&str], expected: Expect) {
    let line = |command: &&str| {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        format!("{command} -> {:?}\n", super::check(&words))
    };
    expected.assert_eq(&commands.iter().map(line).collect::<String>());
}

#[test]
fn wrappers_are_counted_in_their_plain_forms() {
    let plain = [
        "make",
        "time make",
        "nice -5 make",
        "nice -n -5 make",
        "/usr/bin/env A=1 B=2 make",
        "timeout 1.5h make",
        "nohup time make",
    ];
    check(
        &plain,
        expect![[r#"
        make -> Ok(0)
        time make -> Ok(1)
        nice -5 make -> Ok(2)
        nice -n -5 make -> Ok(3)
        /usr/bin/env A=1 B=2 make -> Ok(3)
        timeout 1.5h make -> Ok(2)
        nohup time make -> Ok(2)
    "#]],
    );
    check(
        &["env", "env A=1", "time", "timeout 5", "nohup"],
        expect![[r#"
        env -> Ok(0)
        env A=1 -> Ok(0)
        time -> Ok(0)
        timeout 5 -> Ok(0)
        nohup -> Ok(0)
    "#]],
    );
    check(
        &["env -u A make", "timeout -s KILL 5 make", "nice -n x make", "time -v make", "timeout 5x make"],
        expect![[r#"
            env -u A make -> Err("it wraps a program in a way that is not modelled")
            timeout -s KILL 5 make -> Err("it wraps a program in a way that is not modelled")
            nice -n x make -> Err("it wraps a program in a way that is not modelled")
            time -v make -> Err("it wraps a program in a way that is not modelled")
            timeout 5x make -> Err("it wraps a program in a way that is not modelled")
        "#]],
    );
}

#[test]
fn what_changes_the_shell_is_told() {
    check(
        &["eval a", "time export a", "if", "printf -v a b", "printf a", "time cd a", "A=1"],
        expect![[r#"
        eval a -> Err("it changes the shell itself")
        time export a -> Err("it changes the shell itself")
        if -> Err("it holds control flow")
        printf -v a b -> Err("it changes variables of the shell")
        printf a -> Ok(0)
        time cd a -> Err("it changes the folder in a way that is not modelled")
        A=1 -> Err("it names no program")
    "#]],
    );
}

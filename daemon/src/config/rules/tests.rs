use super::*;
use expect_test::{Expect, expect};

const FILE: &str = "# What I have answered.\n\n# For the tests.\n[[rule]]\nid = \"a\"\ndecision = \"allow\"\nscope = \"everywhere\"\n\
                    argv = [\"npm\", \"test\"] # only this\ngiven_at = \"2026-01-01T00:00:00Z\"\n\n# For one project.\n[[rule]]\n\
                    id = \"b\"\ndecision = \"allow\"\nscope = \"/p\"\nargv = [\"./run.sh\"]\nprefix = true\n\
                    grants = [\"unconfined\"]\ngiven_at = \"2026-01-02T00:00:00Z\"\nblake3 = \"00\"\n";

fn home(file: &str) -> (tempfile::TempDir, Home) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let home = Home { config: path.clone(), state: path.clone(), runtime: path };
    std::fs::write(home.rules_file(), file).unwrap();
    (directory, home)
}

/// What is read, or why not, and then what the file says.
fn check(file: &str, change: impl FnOnce(&Home) -> Result<(), ConfigError>, expected: Expect) {
    let (directory, home) = home(file);
    let told = match change(&home).and_then(|()| load(&home)) {
        Ok(rules) => rules.iter().map(shown).collect(),
        Err(error) => format!("{error}\n"),
    };
    let file = std::fs::read_to_string(home.rules_file()).unwrap();
    expected.assert_eq(&format!("{told}---\n{file}").replace(&directory.path().display().to_string(), "HOME"));
}

fn shown(stored: &StoredRule) -> String {
    let StoredRule { rule, workspace, given_at, digest } = stored;
    let id = rule.id.as_ref().unwrap();
    format!("{id}: {:?} {} {:?} in {workspace:?} at {given_at} of {digest:?}\n", rule.argv, rule.prefix, rule.grants)
}

fn stored(id: &str) -> StoredRule {
    let rule = Rule {
        id: Some(RuleId::from(id)),
        scope: Scope::Workspace,
        argv: vec!["sh".to_owned(), "it's \"x\"".to_owned()],
        prefix: false,
        grants: vec!["host:example.org".to_owned()],
        file: None,
        hits: 0,
        used_at: None,
    };
    let given_at = "2026-01-03T00:00:00Z".to_owned();
    StoredRule { rule, workspace: Some(PathBuf::from("/p")), given_at, digest: Some("11".to_owned()) }
}

fn revoked(id: &'static str) -> impl FnOnce(&Home) -> Result<(), ConfigError> {
    move |home| {
        assert!(revoke(home, &RuleId::from(id))?);
        Ok(())
    }
}

#[test]
fn an_added_rule_leaves_the_rest_alone() {
    check(
        FILE,
        |home| add(home, &stored("c")),
        expect![[r#"
        a: ["npm", "test"] false [] in None at 2026-01-01T00:00:00Z of None
        b: ["./run.sh"] true ["unconfined"] in Some("/p") at 2026-01-02T00:00:00Z of Some("00")
        c: ["sh", "it's \"x\""] false ["host:example.org"] in Some("/p") at 2026-01-03T00:00:00Z of Some("11")
        ---
        # What I have answered.

        # For the tests.
        [[rule]]
        id = "a"
        decision = "allow"
        scope = "everywhere"
        argv = ["npm", "test"] # only this
        given_at = "2026-01-01T00:00:00Z"

        # For one project.
        [[rule]]
        id = "b"
        decision = "allow"
        scope = "/p"
        argv = ["./run.sh"]
        prefix = true
        grants = ["unconfined"]
        given_at = "2026-01-02T00:00:00Z"
        blake3 = "00"

        [[rule]]
        id = "c"
        decision = "allow"
        scope = "/p"
        argv = ["sh", """it's "x""""]
        prefix = false
        grants = ["host:example.org"]
        given_at = "2026-01-03T00:00:00Z"
        blake3 = "11"
    "#]],
    );
    check(
        "",
        |home| add(home, &stored("c")),
        expect![[r#"
        c: ["sh", "it's \"x\""] false ["host:example.org"] in Some("/p") at 2026-01-03T00:00:00Z of Some("11")
        ---
        [[rule]]
        id = "c"
        decision = "allow"
        scope = "/p"
        argv = ["sh", """it's "x""""]
        prefix = false
        grants = ["host:example.org"]
        given_at = "2026-01-03T00:00:00Z"
        blake3 = "11"
    "#]],
    );
}

#[test]
fn an_id_is_used_once() {
    check(
        FILE,
        |home| add(home, &stored("b")),
        expect![[r#"
        HOME/rules.toml is not a configuration: it holds a rule b already
        ---
        # What I have answered.

        # For the tests.
        [[rule]]
        id = "a"
        decision = "allow"
        scope = "everywhere"
        argv = ["npm", "test"] # only this
        given_at = "2026-01-01T00:00:00Z"

        # For one project.
        [[rule]]
        id = "b"
        decision = "allow"
        scope = "/p"
        argv = ["./run.sh"]
        prefix = true
        grants = ["unconfined"]
        given_at = "2026-01-02T00:00:00Z"
        blake3 = "00"
    "#]],
    );
}

#[test]
fn a_revoked_rule_leaves_the_rest_alone() {
    check(
        FILE,
        revoked("a"),
        expect![[r#"
        b: ["./run.sh"] true ["unconfined"] in Some("/p") at 2026-01-02T00:00:00Z of Some("00")
        ---
        # What I have answered.

        # For one project.
        [[rule]]
        id = "b"
        decision = "allow"
        scope = "/p"
        argv = ["./run.sh"]
        prefix = true
        grants = ["unconfined"]
        given_at = "2026-01-02T00:00:00Z"
        blake3 = "00"
    "#]],
    );
    check(
        FILE,
        revoked("b"),
        expect![[r#"
        a: ["npm", "test"] false [] in None at 2026-01-01T00:00:00Z of None
        ---
        # What I have answered.

        # For the tests.
        [[rule]]
        id = "a"
        decision = "allow"
        scope = "everywhere"
        argv = ["npm", "test"] # only this
        given_at = "2026-01-01T00:00:00Z"
    "#]],
    );
    check(
        FILE,
        |home| revoked("a")(home).and_then(|()| revoked("b")(home)),
        expect![[r#"
        ---
        # What I have answered.
    "#]],
    );
}

#[test]
fn no_rule_of_a_broken_file_holds() {
    let changes = [("prefix", "prefixed"), ("\"/p\"", "\"p\""), ("\"b\"", "\"a\""), ("\"allow\"", "\"deny\"")];
    let mut told = String::new();
    for (from, to) in changes {
        let (directory, home) = home(&FILE.replace(from, to));
        let error = load(&home).unwrap_err().to_string();
        told.push_str(&format!("{}\n", error.replace(&directory.path().display().to_string(), "HOME")));
    }
    expect![[r#"
        HOME/rules.toml is not a configuration: line 17, column 1: unknown field `prefixed`, expected one of `id`, `decision`, `scope`, `argv`, `prefix`, `grants`, `given_at`, `blake3`
        HOME/rules.toml is not a configuration: the scope of rule "b" is neither an absolute path nor "everywhere"
        HOME/rules.toml is not a configuration: the rule id "a" is empty or used twice
        HOME/rules.toml is not a configuration: line 6, column 12: unknown variant `deny`, expected `allow`
    "#]].assert_eq(&told);
}

#[test]
fn a_link_stays_a_link() {
    let (directory, home) = home(FILE);
    let elsewhere = directory.path().join("elsewhere.toml");
    std::fs::rename(home.rules_file(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, home.rules_file()).unwrap();
    revoke(&home, &RuleId::from("a")).unwrap();
    assert!(home.rules_file().is_symlink());
    assert_eq!(load(&home).unwrap().len(), 1);
}

#[test]
fn there_is_nothing_to_revoke_without_a_rule() {
    let (_directory, home) = home("");
    assert!(!revoke(&home, &RuleId::from("a")).unwrap());
}

#[test]
fn a_script_that_is_no_plain_file_binds_nothing_and_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    for path in [&pipe, directory.path(), std::path::Path::new("/dev/zero"), &directory.path().join("missing")] {
        assert_eq!(digest(path), None, "{}", path.display());
    }
}

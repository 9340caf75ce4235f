use super::*;
use expect_test::{Expect, expect};

fn check(confinement: &Confinement, scratch: Option<&ScratchError>, expected: Expect) {
    let rows = matrix(confinement, scratch).into_iter().map(|row| {
        let answer = if row.enforced { "yes" } else { "no" };
        let more = [row.reason, row.mend].into_iter().flatten().map(|words| format!("; {words}")).collect::<String>();
        format!("{}: {answer}{more}\n", row.name)
    });
    expected.assert_eq(&rows.collect::<String>());
}

fn words() -> (String, String) {
    ("cannot make namespaces of our own".to_owned(), "allow them".to_owned())
}

#[test]
fn with_all_of_the_machines_help_every_promise_is_kept() {
    assert!(matrix(&Confinement::Confined, None).iter().all(|row| row.enforced && row.reason.is_none()));
}

#[test]
fn without_namespaces_commands_only_read() {
    let (reason, mend) = words();
    check(
        &Confinement::Weak { reason, mend },
        None,
        expect![[r#"
        a command runs confined, or not at all: yes
        a command sees no secret of yours and none of pilotfish's: yes
        a command reaches no network and no service of this machine: yes
        a command ends with everything it started: yes
        a command sees no process but its own: no; commands are confined without namespaces, and can write nothing: cannot make namespaces of our own; allow them
        a host is reached only after it was granted: no; commands are confined without namespaces, and can write nothing: cannot make namespaces of our own; allow them
        in read-only mode commands run, and what they write is thrown away: no; commands are confined without namespaces, and can write nothing: cannot make namespaces of our own; allow them
        in agent mode commands write to the project, and what is protected is held back until you say yes: no; commands are confined without namespaces, and can write nothing: cannot make namespaces of our own; allow them
    "#]],
    );
}

#[test]
fn without_confinement_no_command_runs() {
    let (reason, mend) = words();
    let rows = matrix(&Confinement::Refused { reason, mend }, None);
    assert!(rows.iter().all(|row| !row.enforced && row.mend.as_deref() == Some("allow them")));
}

#[test]
fn without_a_place_for_writes_commands_only_read() {
    let error = ScratchError::NoPlace("/state: it is an overlay itself".to_owned());
    check(
        &Confinement::Confined,
        Some(&error),
        expect![[r#"
        a command runs confined, or not at all: yes
        a command sees no secret of yours and none of pilotfish's: yes
        a command reaches no network and no service of this machine: yes
        a command ends with everything it started: yes
        a command sees no process but its own: yes
        a host is reached only after it was granted: yes
        in read-only mode commands run, and what they write is thrown away: no; the project is read-only to commands: no folder can hold what commands change: /state: it is an overlay itself
        in agent mode commands write to the project, and what is protected is held back until you say yes: no; the project is read-only to commands: no folder can hold what commands change: /state: it is an overlay itself
    "#]],
    );
}

use super::{Machine, mend, reason};
use crate::sandbox::wire::Report;
use expect_test::{Expect, expect};
use std::path::Path;

fn check(machine: Machine, expected: Expect) {
    expected.assert_eq(&mend(machine, Path::new("/usr/bin/pilotfish-sandbox")));
}

const LINUX: Machine = Machine {
    apparmor_restricts: false,
    clone_switched_off: false,
    no_user_namespaces: false,
    in_container: false,
    is_linux: true,
};

#[test]
fn each_cause_has_its_mend() {
    check(Machine::default(), expect!["commands can be confined on Linux only so far; on Windows use WSL 2"]);
    check(
        LINUX,
        expect![
            "the kernel must be 5.13 or newer with user namespaces, and nothing around this process may forbid them"
        ],
    );
    check(
        Machine { clone_switched_off: true, ..LINUX },
        expect!["allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1"],
    );
    check(
        Machine { no_user_namespaces: true, ..LINUX },
        expect!["allow user namespaces: sudo sysctl -w user.max_user_namespaces=15000"],
    );
    check(
        Machine { in_container: true, apparmor_restricts: true, ..LINUX },
        expect![
            "start the container so that it may make namespaces: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
        ],
    );
    check(
        Machine { apparmor_restricts: true, ..LINUX },
        expect![[
            r#"let AppArmor allow it for this one program: printf 'abi <abi/4.0>,\ninclude <tunables/global>\nprofile pilotfish-sandbox /usr/bin/pilotfish-sandbox flags=(unconfined) {\n  userns,\n}\n' | sudo tee /etc/apparmor.d/pilotfish-sandbox && sudo apparmor_parser -r /etc/apparmor.d/pilotfish-sandbox"#
        ]],
    );
}

#[test]
fn a_refusal_says_what_was_attempted() {
    let refused =
        Report::Refused { by_machine: true, step: "make namespaces".into(), errno: 1, detail: "not permitted".into() };
    assert_eq!(reason(&refused).as_deref(), Some("cannot make namespaces: not permitted"));
    assert_eq!(reason(&Report::Exited(1)), None);
}

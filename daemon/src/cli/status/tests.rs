use super::*;
use expect_test::expect;
use pilotfish_protocol::Capability;

#[test]
fn says_all_a_person_asks_for() {
    let capability = |name: &str, reason: Option<&str>| Capability {
        name: name.to_owned(),
        enforced: reason.is_none(),
        reason: reason.map(str::to_owned),
        mend: reason.map(|_| "upgrade".to_owned()),
    };
    let status = DaemonStatus {
        version: "1.2.3".to_owned(),
        protocol: 1,
        pid: 4,
        started_at: "2026-01-01T00:00:00.000Z".to_owned(),
        sessions: 5,
        turns: 1,
        capabilities: vec![
            capability("commands are confined", None),
            capability("hosts are granted one by one", Some("not here\x1b[31m")),
        ],
    };
    expect![[r#"
        pilotfish 1.2.3, process 4, since 2026-01-01T00:00:00.000Z
        listens at /run/p.sock
        sessions in memory: 5
        turns that run: 1
        yes  commands are confined
        no   hosts are granted one by one
             why: not here
             mend: upgrade
    "#]]
    .assert_eq(&in_words(&status, Path::new("/run/p.sock")));
}

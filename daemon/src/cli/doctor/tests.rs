use super::*;
use expect_test::expect;

#[test]
fn a_reason_that_repeats_is_said_once() {
    let row = |name: &str, reason: Option<&str>, mend: Option<&str>| Capability {
        name: name.to_owned(),
        enforced: reason.is_none(),
        reason: reason.map(str::to_owned),
        mend: mend.map(str::to_owned),
    };
    let rows = [
        row("one", None, None),
        row("two", Some("no namespaces"), Some("sudo sysctl x=1")),
        row("three", Some("no namespaces"), Some("sudo sysctl x=1")),
        row("a model is there", Some("no model \x1b[31mis configured"), None),
    ];
    expect![[r#"
        yes  one
        no   two
             why: no namespaces
             mend: sudo sysctl x=1
        no   three
        no   a model is there
             why: no model is configured
    "#]]
    .assert_eq(&in_words(&rows));
}

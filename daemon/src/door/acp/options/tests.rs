use super::{config_options, mode, setting};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Effort, Mode, ModelInfo, ModelList, ModelName, Session, SessionStatus};
use serde_json::{Value, json};

fn session(model: Option<&str>, effort: Option<Effort>) -> Session {
    Session {
        id: "s1".into(),
        workspace: "/w".to_owned(),
        title: String::new(),
        mode: Mode::Agent,
        model: model.map(|name| ModelName(name.to_owned())),
        effort,
        status: SessionStatus::default(),
        created_at: String::new(),
        updated_at: String::new(),
        archived: false,
        parent: None,
    }
}

/// The options as `id = value of choices`, a line each.
fn check(session: &Session, models: &[(&str, &[Effort])], expected: Expect) {
    let info = |(name, efforts): &(&str, &[Effort])| ModelInfo {
        name: ModelName((*name).to_owned()),
        context: None,
        efforts: efforts.to_vec(),
        price: None,
        default: *name == "a/default",
    };
    let list = ModelList { models: models.iter().map(info).collect(), problem: None };
    let mut told = String::new();
    for option in config_options(session, &list) {
        let choices: Vec<_> = option.options.iter().map(|choice| choice.value.as_str()).collect();
        assert!(choices.contains(&option.current_value.as_str()), "the value is one of the choices");
        told += &format!("{} = {} of {}\n", option.id, option.current_value, choices.join(", "));
    }
    expected.assert_eq(&told);
}

#[test]
fn every_option_has_a_value() {
    check(
        &session(None, None),
        &[],
        expect![[r#"
        mode = agent of read-only, agent
    "#]],
    );
    check(
        &session(None, None),
        &[("a/one", &[]), ("a/default", &[])],
        expect![[r#"
        mode = agent of read-only, agent
        model = a/default of a/one, a/default
    "#]],
    );
    check(
        &session(Some("gone/model"), None),
        &[("a/one", &[])],
        expect![[r#"
        mode = agent of read-only, agent
        model = gone/model of gone/model, a/one
    "#]],
    );
    let efforts: &[Effort] = &[Effort::Low, Effort::High];
    check(
        &session(Some("a/one"), None),
        &[("a/one", efforts)],
        expect![[r#"
        mode = agent of read-only, agent
        model = a/one of a/one
        effort = default of default, low, high
    "#]],
    );
    check(
        &session(Some("a/one"), Some(Effort::Minimal)),
        &[("a/one", efforts)],
        expect![[r#"
        mode = agent of read-only, agent
        model = a/one of a/one
        effort = minimal of default, low, high, minimal
    "#]],
    );
}

#[test]
fn settings_are_read_or_say_what_they_take() {
    let read = |option: &str, value: Value| match setting(option, &value) {
        Ok(setting) => format!("{setting:?}\n"),
        Err(bad) => format!("{bad}\n"),
    };
    let told = [
        read("mode", json!("agent")),
        read("mode", json!("root")),
        read("mode", json!(true)),
        read("model", json!("a/one")),
        read("model", json!(null)),
        read("effort", json!("high")),
        read("effort", json!("default")),
        read("effort", json!("enormous")),
        read("color", json!("red")),
    ];
    expect![[r#"
        Mode(Agent)
        "root" is no value of mode; it takes read-only or agent
        true is no value of mode; it takes the name of a mode
        Model(ModelName("a/one"))
        null is no value of model; it takes the name of a model
        Effort(Some(High))
        Effort(None)
        "enormous" is no value of effort; it takes minimal, low, medium, high or default
        there is no option "color"; the options are mode, model and effort
    "#]]
    .assert_eq(&told.concat());
    assert_eq!(mode("read-only"), Ok(Mode::ReadOnly));
}

use super::*;
use crate::path::AbsPath;
use expect_test::{Expect, expect};
use pilotfish_protocol::Effort;

fn home(file: &str) -> (tempfile::TempDir, Home) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home {
        config: directory.path().to_owned(),
        state: directory.path().join("state"),
        runtime: directory.path().join("run"),
    };
    std::fs::write(home.config_file(), file).unwrap();
    (directory, home)
}

fn check(file: &str, environment: &[(&str, &str)], expected: Expect) {
    let (directory, home) = home(file);
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let resolved =
        ConfigSource::new(home).load(&environment).and_then(|config| config.resolve(&config.default_model()?));
    let shown = match resolved {
        Ok(resolved) => {
            let key = resolved.endpoint.key.as_ref().map_or("no key", Secret::expose).to_owned();
            let Endpoint { dialect, base_url, .. } = resolved.endpoint;
            format!("{} at {base_url} in {dialect:?}, context {:?}, {key}", resolved.name, resolved.context)
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown.replace(&directory.path().display().to_string(), "HOME"));
}

const LOCAL: &str = r#"
model = "local/qwen3-coder"
[providers.local]
dialect = "chat"
base_url = "http://127.0.0.1:11434/v1/"
api_key_env = "LOCAL_KEY"
models = [{ id = "qwen3-coder", context = 131072 }]
"#;

#[test]
fn says_where_the_model_answers() {
    check(LOCAL, &[], expect!["local/qwen3-coder at http://127.0.0.1:11434/v1 in Chat, context Some(131072), no key"]);
    check(
        LOCAL,
        &[("LOCAL_KEY", "k\n")],
        expect!["local/qwen3-coder at http://127.0.0.1:11434/v1 in Chat, context Some(131072), k"],
    );
    check(
        "[providers.p]\ndialect = \"responses\"\nbase_url = \"http://x/v1\"\nmodels = [{ id = \"a/b\" }]",
        &[],
        expect!["p/a/b at http://x/v1 in Responses, context None, no key"],
    );
}

#[test]
fn finds_a_key_in_the_environment_when_nothing_is_configured() {
    check(
        "",
        &[("OPENAI_API_KEY", "k")],
        expect!["openai/gpt-5 at https://api.openai.com/v1 in Responses, context Some(272000), k"],
    );
}

#[test]
fn finds_the_key_of_another_provider_and_its_address() {
    check(
        "",
        &[("ANTHROPIC_API_KEY", "k")],
        expect!["anthropic/claude-sonnet-4-5 at https://api.anthropic.com/v1 in Messages, context Some(200000), k"],
    );
    for address in ["http://x", "http://x/", "http://x/v1"] {
        check(
            "",
            &[("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", address)],
            expect!["anthropic/claude-sonnet-4-5 at http://x/v1 in Messages, context Some(200000), k"],
        );
    }
    check(
        "",
        &[("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "l")],
        expect!["openai/gpt-5 at https://api.openai.com/v1 in Responses, context Some(272000), l"],
    );
}

#[test]
fn lists_what_is_said_and_what_is_known_of_models() {
    let file = r#"
model = "a/claude-opus-4-7"
[providers.a]
dialect = "messages"
base_url = "http://a/v1"
models = [{ id = "claude-3-5-haiku" }, { id = "claude-opus-4-7", context = 1000000, efforts = ["low"] }]
[providers.b]
dialect = "chat"
base_url = "http://b/v1"
models = [{ id = "qwen3" }]
"#;
    let (_directory, home) = home(file);
    let config = ConfigSource::new(home).load(&BTreeMap::new()).unwrap();
    let line = |model: pilotfish_protocol::ModelInfo| {
        format!("{} {:?} {:?} {}\n", model.name, model.context, model.efforts, model.default)
    };
    expect![[r#"
        a/claude-3-5-haiku Some(200000) [] false
        a/claude-opus-4-7 Some(1000000) [Low] true
        b/qwen3 None [] false
    "#]]
    .assert_eq(&config.models().into_iter().map(line).collect::<String>());
    let takes = |name: &str, effort| {
        let resolved = config.resolve(&ModelName(name.to_owned())).unwrap();
        resolved.takes(Some(effort)).map_or_else(|error| error.to_string(), |effort| format!("{effort:?}"))
    };
    let shown = [
        takes("a/claude-opus-4-7", Effort::Low),
        takes("a/claude-opus-4-7", Effort::High),
        takes("a/claude-3-5-haiku", Effort::Low),
        takes("b/qwen3", Effort::High),
        takes("b/o4-mini", Effort::Minimal),
    ];
    expect![[r#"
        Some(Low)
        a/claude-opus-4-7 takes no effort "high"; it takes: low
        a/claude-3-5-haiku takes no effort "low"; it takes: none
        Some(High)
        b/o4-mini takes no effort "minimal"; it takes: low, medium, high"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn says_what_is_wrong_and_where() {
    check(
        "modle = \"a/b\"",
        &[],
        expect![
            "HOME/config.toml is not a configuration: line 1, column 1: unknown field `modle`, expected one of `model`, `providers`, `command_timeout`, `idle_exit`, `sandbox`, `editor`, `notify`, `budget`, `finish_check`"
        ],
    );
    check(
        "model = \"qwen\"\n[providers.local]\ndialect = \"chat\"\nbase_url = \"http://x\"",
        &[],
        expect![[r#""qwen" names no model; write provider/model, such as openai/gpt-5"#]],
    );
    check(
        "model = \"other/m\"\n[providers.local]\ndialect = \"chat\"\nbase_url = \"http://x\"",
        &[],
        expect![[r#"there is no provider "other" in HOME/config.toml; it has local"#]],
    );
}

#[test]
fn a_stored_key_is_private_and_the_environment_wins() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, home) = home(LOCAL);
    let file = store_key(&home, "local", "stored").unwrap();
    store_key(&home, "other", "o").unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let key = |environment: &[(&str, &str)]| {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = ConfigSource::new(home.clone()).load(&environment).unwrap();
        config.resolve(&config.default_model().unwrap()).unwrap().endpoint.key
    };
    assert_eq!(key(&[]), Some(Secret::new("stored")));
    assert_eq!(key(&[("LOCAL_KEY", "said")]), Some(Secret::new("said")));
}

#[test]
fn a_file_that_breaks_later_keeps_its_last_good_meaning() {
    let (_directory, home) = home(LOCAL);
    let source = ConfigSource::new(home.clone());
    let good = source.load(&BTreeMap::new()).unwrap();
    std::fs::write(home.config_file(), "model = ").unwrap();
    assert_eq!(source.load(&BTreeMap::new()), Ok(good));
}

#[test]
fn homes_follow_the_environment() {
    let of = |pairs: &[(&str, &str)]| {
        Home::of(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let home = |config: &str, state: &str, runtime: &std::path::Path| {
        Ok(Home { config: config.into(), state: state.into(), runtime: runtime.to_owned() })
    };
    let temporary = Home::temporary_runtime();
    assert_eq!(of(&[("PILOTFISH_HOME", "/p"), ("HOME", "/h")]), home("/p", "/p/state", "/p/run".as_ref()));
    assert_eq!(of(&[("HOME", "/h")]), home("/h/.config/pilotfish", "/h/.local/state/pilotfish", &temporary));
    assert_eq!(
        of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")]),
        home("/c/pilotfish", "/s/pilotfish", "/r/pilotfish".as_ref())
    );
    assert_eq!(of(&[]), Err(ConfigError::NoHome));
}

#[test]
fn keys_are_never_printed() {
    assert_eq!(format!("{:?}", Secret::new("sk-123")), "***");
}

#[test]
fn a_broken_file_is_told_without_the_line_that_may_hold_a_key() {
    let told = |file: &str| {
        let (_directory, home) = home(file);
        ConfigSource::new(home).load(&BTreeMap::new()).unwrap_err().to_string()
    };
    for file in [
        "model = \"a/b\"\napi_key = \"sk-secret\"\n",
        "[providers.p]\ndialect = \"chat\"\nbase_url = \"http://x\"\nkey = \"sk-secret\"\n",
        "api_key = \"sk-secret\n",
        "sk-secret = ",
    ] {
        let words = told(file);
        assert!(!words.contains("secret\""), "{words}");
        assert!(words.contains("line "), "{words}");
    }
    assert!(told("model = \"a/b\"\nnonsense = 1\n").contains("line 2, column 1: unknown field `nonsense`"));
}

#[test]
fn what_commands_may_reach_is_the_persons_to_say() {
    let (directory, home) =
        home("[sandbox]\nhosts = [\"Packages.Example.\", \"x.org:8443\"]\nwrite = [\"~/data\", \"/no/such/folder\"]\n");
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let environment = BTreeMap::from([("HOME".to_owned(), directory.path().display().to_string())]);
    let config = ConfigSource::new(home).load(&environment).unwrap();
    let data = AbsPath::canonical(&directory.path().join("data").display().to_string()).unwrap();
    let hosts = ["packages.example", "x.org:8443"].map(str::to_owned).into();
    assert_eq!(config.beyond(), &Beyond { hosts, paths: vec![data] });
}

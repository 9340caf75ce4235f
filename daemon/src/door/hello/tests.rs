use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn both_lines_come_back_as_they_were() {
    let hello = Hello::new(Door::Acp, "/x".to_owned(), &environment(&[("PATH", "/bin")]), &[]);
    let said = line(&hello);
    assert_eq!(said.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(read_hello(&said).unwrap(), hello);
    let welcome = Welcome::new(Build::new("1.2.3", 4), Answer::Ending);
    assert_eq!(read_welcome(&line(&welcome)).unwrap(), welcome);
}

#[test]
fn only_what_sessions_need_leaves_the_client() {
    let all = [
        ("PATH", "/bin"),
        ("VIRTUAL_ENV", "/venv"),
        ("OPENAI_API_KEY", "k1"),
        ("MY_KEY", "k2"),
        ("GITHUB_TOKEN", "secret"),
        ("SSH_AUTH_SOCK", "/s"),
    ];
    let hello = Hello::new(Door::Lsp, String::new(), &environment(&all), &["MY_KEY".to_owned()]);
    let names: Vec<&str> = hello.env.keys().map(String::as_str).collect();
    assert_eq!(names, ["MY_KEY", "OPENAI_API_KEY", "PATH", "VIRTUAL_ENV"]);
}

#[test]
fn what_is_not_ours_is_refused_in_words() {
    for (said, words) in [
        ("GET / HTTP/1.1", "the first line is not what pilotfish says"),
        ("{}", "missing field"),
        (r#"{"pilotfish":2,"door":"lsp","build":{"version":[0],"installed":1},"cwd":"","env":{}}"#, "form 2"),
    ] {
        let error = read_hello(said.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_later_build_is_the_greater() {
    let build = |version, installed| Build::new(version, installed);
    let in_order = [build("0.9.0", 9), build("0.10.0", 1), build("0.10.0", 2), build("1.0.0-rc", 0), build("1.0.1", 0)];
    assert!(in_order.is_sorted_by(|earlier, later| earlier < later));
}

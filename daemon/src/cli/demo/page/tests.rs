//! The page after a turn, where the machine cannot confine.

use super::end;
use crate::cli::demo::witness::Finding;
use crate::cli::terminal::{Colour, Looks, StatusLine};
use crate::config::Home;
use crate::sandbox::Confinement;
use expect_test::expect;
use std::path::Path;

#[test]
fn says_what_was_missing_and_how_to_mend_it() {
    let looks = Looks { colour: Colour::Never, width: Some(60), status: StatusLine::None };
    let confinement = Confinement::Refused {
        reason: "unsharing the user namespace: Operation not permitted".to_owned(),
        mend: "let users make namespaces".to_owned(),
    };
    let findings: Vec<Finding> = Vec::new();
    let home = Some(Home {
        config: "/home/u/.config/pilotfish".into(),
        state: "/home/u/.local/state/pilotfish".into(),
        runtime: "/run/user/1000/pilotfish".into(),
    });
    expect![[r#"

        Looked at from outside


        What was missing

        Commands are run confined or not at all, and they could not
        be: unsharing the user namespace: Operation not permitted.
        To mend it, let users make namespaces

        The model was a script. For a real one, one of these

          OpenAI    export OPENAI_API_KEY=…  or: pilotfish login openai
          Anthropic export ANTHROPIC_API_KEY=…  or: pilotfish login anthropic
          Ollama    ollama serve  a model server on its usual port is found by itself
          others    /home/u/.config/pilotfish/config.toml

                    model = "work/NAME"

                    [providers.work]
                    dialect = "chat"               # or "responses", "messages"
                    base_url = "https://HOST/v1"
                    api_key_env = "WORK_KEY"       # or: pilotfish login work

        Then, in a project of yours

          pilotfish exec "what does this project do?"
          pilotfish exec --mode agent "make the tests pass"

        All of this demo is in /tmp/pilotfish-demo-1; delete it when you like.
    "#]]
    .assert_eq(&end(&looks, &findings, &confinement, &home, Path::new("/tmp/pilotfish-demo-1")));
}

//! What editors show, and what a line can name, over the wire.

use pilotfish::config::Dialect;
use pilotfish_protocol::{CandidateList, ItemContent, Mode, Session, StopReason};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::story::{Story, calls};
use serde_json::{Value, json};

fn uri(story: &Story, path: &str) -> String {
    let folder = story.daemon.workspace.path().canonicalize().expect("it is there");
    format!("file://{}/{path}", folder.display())
}

fn range(line: u32) -> Value {
    json!({"start": {"line": line, "character": 0}, "end": {"line": line, "character": 3}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_editor_shows_can_be_named_and_asked_for() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[("a.txt", "one\ntwo\n")]).await;
    let uri = uri(&story, "a.txt");
    story.editor.open(&uri, "one\ntwo\n").await;
    story.editor.notify("editor/state", json!({"focused": true, "uri": uri, "selection": range(1)})).await;
    let problem = json!({"range": range(0), "severity": "error", "message": "one is not enough", "source": "lint"});
    story.editor.notify("editor/diagnostics", json!({"uri": uri, "version": 1, "diagnostics": [problem]})).await;
    story.model.answers(answer().calls("editor", json!({})));
    story.model.answers(answer().says("Done."));
    story.prompt("look at @selection and @problems").await;
    assert_eq!(story.end().await, StopReason::Done);
    let items = story.items().await;
    let given = items.iter().find_map(|item| match &item.content {
        ItemContent::Context(receipt) => Some(receipt.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>()),
        _ => None,
    });
    let selection = "<attached file=\"a.txt:2-2\">\n2\ttwo\n</attached>";
    let problems = "<problems>\na.txt:1:1 error: one is not enough [lint]\n</problems>";
    assert_eq!(given, Some(vec![selection, problems]));
    let told = &calls(&items)[0].output;
    let expected = "looks at a.txt, selected lines 2-2\nopen: a.txt\na.txt:1:1 error: one is not enough [lint]";
    assert_eq!(told.trim_end(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_completed() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[("src/watch.rs", ""), ("other", "")]).await;
    let id = story.session.clone();
    let mut complete = async |text: &str| {
        let params = json!({"sessionId": id, "text": text, "offset": text.encode_utf16().count()});
        let list: CandidateList = story.editor.request("session/complete", params).await.expect("completed");
        list.candidates
    };
    let files: Vec<String> = complete("look at @wat").await.into_iter().map(|candidate| candidate.insert).collect();
    assert_eq!(files, ["@src/watch.rs"]);
    assert_eq!(complete("nothing here").await, []);
    let agent = complete("/ag").await.remove(0).call.expect("a call");
    let _: Value = story.editor.request(&agent.method, agent.params).await.expect("it can be called as it is");
    let params = json!({"workspace": story.daemon.workspace.path()});
    let sessions: pilotfish_protocol::SessionList = story.editor.request("session/list", params).await.expect("listed");
    let modes: Vec<Mode> = sessions.sessions.iter().map(|session: &Session| session.mode).collect();
    assert_eq!(modes, [Mode::Agent]);
}

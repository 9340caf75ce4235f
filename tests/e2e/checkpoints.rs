//! Taking the files back: what a turn did, by an edit and by a command in the real sandbox, in a folder without git; and what is left of
//! it when the daemon is killed.

use pilotfish_protocol::{
    CheckpointList, HunkList, PromptTaken, Restored, SessionId, SessionOpened, SessionUpdate, Update,
};
use pilotfish_tests::client::TestClient;
use pilotfish_tests::desk::{Desk, LIMIT, signal};
use pilotfish_tests::fake_model::{FakeModel, Step, answer};
use pilotfish_tests::mutate::Dice;
use pilotfish_tests::program::configuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

/// What a turn's command does to the files that [`lay`] lays.
const COMMAND: &str = "rm deleted && mv old_name new_name && chmod 700 script && ln -sfn notes.txt link && mkdir made && \
                       printf 'a\\0\\377b' >made/binary && rm -r folder && cat image image >more && mv more image";

/// Kills in all.
const KILLS: usize = 30;

/// The most turns of an empty loop between what is heard and a kill: some milliseconds.
const SPINS: usize = 1_000_000;

fn lay(desk: &Desk) {
    let project = desk.path("project");
    for (path, text) in [("deleted", "1\n"), ("old_name", "2\n"), ("script", "echo\n"), ("folder/in/file", "3\n")] {
        std::fs::create_dir_all(project.join(path).parent().expect("it has one")).expect("a folder");
        std::fs::write(project.join(path), text).expect("a file");
    }
    std::fs::write(project.join("image"), [0, 159, 146, 150].repeat(500_000)).expect("a file");
    symlink("script", project.join("link")).expect("a link");
}

/// Each name with its mode, and its bytes or target.
fn snapshot(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below").display().to_string();
            let metadata = path.symlink_metadata().expect("there");
            let mode = metadata.mode();
            let what = if metadata.is_symlink() {
                format!("-> {}", std::fs::read_link(&path).expect("a link").display())
            } else if metadata.is_dir() {
                open.push(path);
                format!("{mode:o}")
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                format!("{mode:o} {} {:?}", bytes.len(), bytes.get(..20.min(bytes.len())))
            };
            found.insert(name, what);
        }
    }
    found
}

async fn open(desk: &Desk, client: &mut TestClient) -> SessionId {
    let params = json!({"workspace": desk.path("project"), "mode": "agent"});
    let opened: SessionOpened = client.request("session/new", params).await.expect("a session");
    let id = opened.session.id;
    client.request::<Value>("session/attach", json!({"sessionId": id})).await.expect("attached");
    id
}

async fn prompt(client: &mut TestClient, session: &SessionId, words: &str) {
    let params = json!({"sessionId": session, "input": [{"type": "text", "text": words}]});
    let _: PromptTaken = client.request("session/prompt", params).await.expect("taken");
}

async fn turn_end(client: &mut TestClient) {
    client.updates_until(|update: &SessionUpdate| matches!(update.update, Update::TurnEnded { .. })).await;
}

async fn said(desk: &Desk, arguments: &[&str]) -> String {
    let output = desk.run(arguments).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let base = format!("{}/", desk.path("project").canonicalize().expect("there").display());
    String::from_utf8(output.stdout).expect("text").replace(&base, "")
}

#[tokio::test]
async fn a_turn_is_taken_back_and_forth_on_the_command_line() {
    let (desk, model) = Desk::with_model("").await;
    lay(&desk);
    let before = snapshot(&desk.path("project"));
    let edit = json!({"path": "notes.txt", "old_string": "two", "new_string": "2"});
    model.answers(answer().calls("edit", edit).calls("shell", json!({"command": COMMAND}))).answers(answer().says("."));
    let (mut client, _child) = desk.editor().await;
    let session = open(&desk, &mut client).await;
    prompt(&mut client, &session, "Do all of it\nat once").await;
    turn_end(&mut client).await;
    let after = snapshot(&desk.path("project"));
    assert_ne!(after, before);
    let list = said(&desk, &["checkpoint", "list"]).await;
    assert!(list.starts_with("k1  20") && list.ends_with("  before: Do all of it\n"), "{list}");
    let would = said(&desk, &["checkpoint", "restore", "k1", "--dry-run"]).await;
    let changes = "created  deleted\ncreated  folder\ncreated  folder/in\ncreated  folder/in/file\nchanged  image\nchanged  link\n\
                   deleted  made\ndeleted  made/binary\ndeleted  new_name\nchanged  notes.txt\ncreated  old_name\nmode changed  script\n";
    assert_eq!(would, format!("{changes}Nothing was done.\n"));
    assert_eq!(snapshot(&desk.path("project")), after);
    let did = said(&desk, &["checkpoint", "restore", "k1"]).await;
    assert_eq!(did, format!("{changes}To take this back: pilotfish checkpoint restore k2\n"));
    assert_eq!(snapshot(&desk.path("project")), before);
    assert_eq!(said(&desk, &["checkpoint", "restore", "k1"]).await, "All is as it was then.\n");
    said(&desk, &["checkpoint", "restore", "k2"]).await;
    assert_eq!(snapshot(&desk.path("project")), after);
    // What the person changes now is theirs.
    desk.write("project/notes.txt", "mine\n");
    let did = said(&desk, &["checkpoint", "restore", "k1"]).await;
    assert!(did.contains("left: you changed it since  notes.txt\n"), "{did}");
    assert_eq!(std::fs::read_to_string(desk.path("project/notes.txt")).expect("there"), "mine\n");
    let none = desk.run(&["checkpoint", "restore", "k99"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no checkpoint k99"));
    // Nothing of ours is in the project, and nobody else may read what is kept.
    assert!(!desk.path("project/.git").exists());
    let blobs = desk.home().state.join("blobs");
    assert_eq!(blobs.metadata().expect("there").mode() & 0o777, 0o700);
}

/// An edit, a command, and words.
fn rule(request: &Value) -> Step {
    let input = request["input"].as_array().cloned().unwrap_or_default();
    let outputs = input.iter().filter(|item| item["type"] == "function_call_output").count();
    match outputs {
        0 => answer().calls("write", json!({"path": "notes.txt", "content": "new\n".repeat(20_000)})),
        1 => answer().calls("shell", json!({"command": COMMAND})),
        _ => answer().says("Done."),
    }
}

#[tokio::test]
async fn a_kill_at_any_moment_tears_nothing_and_is_taken_back() {
    let desk = Desk::default();
    let model = FakeModel::by_rule(pilotfish::config::Dialect::Responses, rule).await;
    desk.write("home/config.toml", &configuration(model.dialect(), model.base_url()));
    lay(&desk);
    let project = desk.path("project");
    desk.write("project/notes.txt", &"old\n".repeat(20_000));
    let before = snapshot(&project);
    let mut after = None;
    let (mut dice, mut amid) = (Dice(11), 0);
    for kill in 0..=KILLS {
        let (mut client, _child) = desk.editor().await;
        let session = open(&desk, &mut client).await;
        let daemon = desk.daemon().await;
        prompt(&mut client, &session, &format!("round {kill}")).await;
        let restoring = kill % 3 == 0;
        if restoring {
            turn_end(&mut client).await;
            let after = after.get_or_insert_with(|| snapshot(&project));
            assert_eq!(snapshot(&project), *after, "round {kill}");
            let id = checkpoint(&desk, &mut client, kill).await.expect("it was made");
            client.ask("checkpoint/restore", json!({"id": id})).await;
        } else {
            let mut left = dice.roll(30);
            while left > 0 {
                let update = client.update().await.update;
                left = if matches!(update, Update::TurnEnded { .. }) { 0 } else { left - 1 };
            }
        }
        (0..dice.roll(SPINS)).for_each(|_| std::hint::spin_loop());
        signal(daemon, libc::SIGKILL);
        client.ended().await;
        desk.daemon_ended().await;
        let (mut client, _child) = desk.editor().await;
        let torn = snapshot(&project);
        for (name, what) in &torn {
            let is_whole =
                before.get(name) == Some(what) || after.as_ref().is_some_and(|after| after.get(name) == Some(what));
            assert!(is_whole, "round {kill}: {name} is neither old nor new: {what}");
        }
        amid += usize::from(torn != before && after.as_ref() != Some(&torn));
        agrees(&desk, &mut client, &before, &torn, kill).await;
        if let Some(id) = checkpoint(&desk, &mut client, kill).await {
            let restore = client.request("checkpoint/restore", json!({"id": id}));
            let restored: Restored = tokio::time::timeout(LIMIT, restore).await.expect("in time").expect("restored");
            let left = restored.changes.iter().find(|change| change.change.starts_with("left"));
            assert_eq!(left, None, "round {kill}");
        }
        assert_eq!(snapshot(&project), before, "round {kill}");
    }
    assert!(amid >= 3, "only {amid} kills came between the first change and the last");
}

/// What waits for review is what stands on the disk: every hunk's lines are where it says, and what is not as it was has hunks.
async fn agrees(
    desk: &Desk,
    client: &mut TestClient,
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    round: usize,
) {
    let project = desk.path("project");
    let list: HunkList = client.request("review/list", json!({"workspace": project})).await.expect("listed");
    for hunk in &list.hunks {
        let name = hunk.uri.rsplit("/project/").next().expect("a name");
        let bytes = std::fs::read(project.join(name)).unwrap_or_default();
        if bytes.contains(&0) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let range = hunk.new_range.start as usize..hunk.new_range.end as usize;
        let stands = lines.get(range).map(<[&str]>::concat);
        assert_eq!(stands.as_ref(), Some(&hunk.new_text), "round {round}: {name}");
    }
    for name in ["notes.txt", "deleted", "old_name", "new_name"] {
        let waits = list.hunks.iter().any(|hunk| hunk.uri.ends_with(&format!("/{name}")));
        assert_eq!(waits, before.get(name) != now.get(name), "round {round}: {name}");
    }
}

/// The checkpoint of a round, if its turn changed something.
async fn checkpoint(desk: &Desk, client: &mut TestClient, round: usize) -> Option<String> {
    let params = json!({"workspace": desk.path("project")});
    let list: CheckpointList = client.request("checkpoint/list", params).await.expect("listed");
    let title = format!("before: round {round}");
    list.checkpoints.into_iter().find(|checkpoint| checkpoint.title == title).map(|checkpoint| checkpoint.id.0)
}

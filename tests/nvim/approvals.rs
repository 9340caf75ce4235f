//! What waits for the person: shown in the chat, said once, answered in a window that opens when they ask for it, and nowhere else.

use crate::scene::Scene;
use crate::talk::{chat, keep_lists, list, pick, shown};
use expect_test::expect;
use pilotfish_protocol::{Answered, Approval, RuleList, SessionUpdate, Update};
use pilotfish_tests::desk::until;
use pilotfish_tests::fake_model::{Step, answer};
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::{Value, json};

/// A command that has to write outside of the project.
fn publishes(scene: &Scene, command: &str) -> Step {
    answer().calls("shell", json!({"command": command, "write": [scene.desk.path("outside")]}))
}

async fn scene() -> Scene {
    let scene = Scene::begin("agent", &[]).await;
    std::fs::create_dir(scene.desk.path("outside")).expect("a folder");
    scene
}

/// What the screen shows of a text, with what differs from run to run taken out.
fn constant(scene: &Scene, text: &str) -> String {
    let desk = scene.desk.folder.path().canonicalize().expect("it is there");
    text.replace(&desk.display().to_string(), "/desk").replace(&scene.desk.folder.path().display().to_string(), "/desk")
}

/// The lines of the window that answers.
async fn window(scene: &Scene, nvim: &Nvim) -> String {
    nvim.until("vim.bo.filetype == 'pilotfish-approval'").await;
    let lines: Vec<String> = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)").await;
    let lines: String = lines.iter().map(|line| format!("│{line}\n")).collect();
    constant(scene, &lines)
}

async fn asked(scene: &mut Scene) -> Approval {
    let is_asked = |update: &SessionUpdate| matches!(update.update, Update::ApprovalOpened { .. });
    match scene.other.updates_until(is_asked).await.pop().map(|update| update.update) {
        Some(Update::ApprovalOpened { approval }) => *approval,
        other => panic!("{other:?}"),
    }
}

async fn rules(scene: &mut Scene) -> RuleList {
    scene.other.request("rule/list", json!({"workspace": scene.desk.path("project")})).await.expect("a list")
}

#[tokio::test]
async fn what_always_saves_is_seen_before_and_is_what_is_saved() {
    for version in versions() {
        let mut scene = scene().await;
        let nvim = chat(&scene, &version).await;
        nvim.run("_G.said = {}; vim.notify = function(text) table.insert(_G.said, text) end").await;
        nvim.run("vim.api.nvim_create_autocmd('User', { pattern = 'PilotfishApproval', callback = function() _G.events = (_G.events or 0) + 1 end })").await;
        let first = publishes(&scene, "wc -l notes.txt");
        scene
            .begin_turn([first, publishes(&scene, "wc -l notes.txt"), answer().says("Done."), answer().says("One.")])
            .await;
        let approval = asked(&mut scene).await;
        nvim.see("Needs you").await;
        // It is said, once, and nothing opens, moves or asks by itself.
        nvim.until("#_G.said == 1 and _G.events == 1").await;
        assert_eq!(nvim.mode().await, ("n".to_owned(), false));
        assert_eq!(nvim.lua::<String>("return vim.bo.filetype").await, "pilotfish-message");
        assert_eq!(nvim.lua::<String>("return require('pilotfish').status()").await, "● agent · waiting for you (1)");
        nvim.picture("approval-card").await;
        // What is written is never an answer.
        nvim.input("i1<C-s>").await;
        nvim.see("next: 1").await;
        assert_eq!(rules(&mut scene).await.rules.len(), 0);
        nvim.input("<Esc>").await;
        nvim.command("Pilotfish approve").await;
        expect![[r#"
            │ let a command write to /desk/outside
            │
            │    $ wc -l notes.txt
            │    it wants to write outside the workspace: /desk/outside
            │    in /desk/project
            │
            │ 1 Run once
            │ 2 Allow for this session
            │ 3 Always… shows first what is saved
            │
            │ 4 No… and why, if you like
        "#]]
        .assert_eq(&window(&scene, &nvim).await);
        nvim.picture("approval").await;
        nvim.input("3").await;
        nvim.until("vim.fn.search('Save and allow', 'nw') > 0").await;
        expect![[r#"
            │ let a command write to /desk/outside
            │
            │    $ wc -l notes.txt
            │    it wants to write outside the workspace: /desk/outside
            │    in /desk/project
            │
            │ Saves to     /desk/home/rules.toml
            │ Holds        ● in this project  ○ everywhere   e switches
            │ Allows       ["wc", "-l", "notes.txt"], exactly   w widens, n narrows
            │ With         path:/desk/outside
            │ Also runs    nothing else
            │ Still asks   wc -l notes.txt x
            │              wc -l notes.txtx
            │              wc -l notes.txt; x
            │              wc -l notes.txt | x
            │              wc -l notes.txt $(x)
            │              wc -l notes.txt > x
            │              A=1 wc -l notes.txt
            │
            │ s Save and allow
            │ b Back
        "#]]
        .assert_eq(&window(&scene, &nvim).await);
        nvim.picture("approval-always").await;
        nvim.input("w").await;
        nvim.until("vim.fn.search('any words after', 'nw') > 0").await;
        nvim.input("n").await;
        nvim.until("vim.fn.search('exactly', 'nw') > 0").await;
        nvim.input("s").await;
        nvim.until("vim.bo.filetype == 'pilotfish-message'").await;
        // The second call is the same for the rule, and is not asked about.
        scene.end_turn().await;
        let saved = rules(&mut scene).await.rules;
        let rule = approval.rule.expect("it can be remembered");
        assert_eq!((saved.len(), &saved[0].argv, saved[0].prefix), (1, &rule.argv, false));
        let file = std::fs::read_to_string(scene.desk.path("home/rules.toml")).expect("it is there");
        assert!(file.contains(r#"["wc", "-l", "notes.txt"]"#), "{file}");
        // The message that waited has its turn.
        nvim.see("One.").await;
        // It can be taken back.
        keep_lists(&nvim).await;
        nvim.command("Pilotfish rules").await;
        assert_eq!(list(&nvim).await.lines().next(), Some("pilotfish.rule"));
        pick(&nvim, "wc -l notes.txt").await;
        pick(&nvim, "Forget it").await;
        nvim.until("_G.said[#_G.said]:find('asked again')").await;
        assert_eq!(rules(&mut scene).await.rules.len(), 0);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn no_takes_a_sentence_for_the_model_and_equal_questions_are_one() {
    for version in versions() {
        let mut scene = scene().await;
        let nvim = chat(&scene, &version).await;
        let write = json!({"path": ".envrc", "content": "x"});
        let two = answer().calls("write", write.clone()).calls("write", write);
        scene.begin_turn([two, answer().says("Then not.")]).await;
        asked(&mut scene).await;
        nvim.see("Needs you").await;
        nvim.command("Pilotfish approve").await;
        let seen = window(&scene, &nvim).await;
        assert!(seen.contains("change .envrc") && seen.contains("+x"), "{seen}");
        nvim.picture("approval-edit").await;
        nvim.input("4").await;
        nvim.until("vim.api.nvim_get_mode().mode == 'c'").await;
        nvim.input("not that one<CR>").await;
        nvim.until("vim.bo.filetype == 'pilotfish-message'").await;
        // The second call of the same answer is asked about when it is its turn.
        let second = asked(&mut scene).await;
        nvim.until(&format!("(require('pilotfish.session').current().approvals[1] or {{}}).id == '{}'", second.id))
            .await;
        nvim.command("Pilotfish approve").await;
        window(&scene, &nvim).await;
        nvim.input("2").await;
        scene.end_turn().await;
        nvim.see("Then not.").await;
        let chat = shown(&nvim).await;
        assert!(chat.contains("denied, “not that one”") && chat.contains("allowed for this session"), "{chat}");
        let told = scene.model.requests().pop().expect("a request").body["input"].to_string();
        assert!(told.contains("not that one"), "{told}");
        nvim.quit().await;
    }
}

#[tokio::test]
async fn an_answer_given_elsewhere_clears_the_card_and_closes_the_window() {
    for version in versions() {
        let mut scene = scene().await;
        let nvim = chat(&scene, &version).await;
        scene.begin_turn([publishes(&scene, "cp notes.txt ../outside"), answer().says("Done.")]).await;
        let approval = asked(&mut scene).await;
        nvim.see("Needs you").await;
        nvim.command("Pilotfish approve").await;
        window(&scene, &nvim).await;
        let params = json!({"approvalIds": [approval.id], "decision": {"kind": "once"}});
        scene.other.request::<Answered>("approval/answer", params).await.expect("answered");
        nvim.see_no("Needs you").await;
        nvim.see("answered elsewhere: allowed once").await;
        scene.end_turn().await;
        nvim.see("Done.").await;
        assert!(shown(&nvim).await.contains("allowed once"), "{}", shown(&nvim).await);
        let outside = scene.desk.path("outside/notes.txt");
        until("it was copied", || outside.exists()).await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_question_of_the_model_is_answered_from_a_list_or_in_words() {
    for version in versions() {
        let mut scene = scene().await;
        let nvim = chat(&scene, &version).await;
        keep_lists(&nvim).await;
        let question = json!({"question": "Which branch?", "choices": ["main", "fix/debounce"]});
        let steps = [answer().calls("ask", question.clone()), answer().calls("ask", question), answer().says("Good.")];
        scene.begin_turn(steps).await;
        nvim.see("It asks you").await;
        nvim.picture("question").await;
        nvim.command("Pilotfish approve").await;
        expect![[r#"
            pilotfish.question
            main
            fix/debounce
            Something else…
            Go on without an answer"#]]
        .assert_eq(&list(&nvim).await);
        pick(&nvim, "fix").await;
        nvim.see("? Which branch? · fix/debounce").await;
        nvim.see("It asks you").await;
        nvim.command("Pilotfish approve").await;
        pick(&nvim, "Something").await;
        nvim.until("vim.api.nvim_get_mode().mode == 'c'").await;
        nvim.input("none of them<CR>").await;
        scene.end_turn().await;
        nvim.see("? Which branch? · none of them").await;
        nvim.see_no("It asks you").await;
        let told: Vec<Value> =
            scene.model.requests().into_iter().map(|request| request.body["input"].clone()).collect();
        let told = told.last().expect("a request").to_string();
        assert!(told.contains("fix/debounce") && told.contains("none of them"), "{told}");
        nvim.quit().await;
    }
}

use super::*;
use pilotfish_protocol::{Item, Question, Usage};

fn ended(stop: StopReason) -> Update {
    Update::TurnEnded { turn_id: "t1".into(), stop, usage: Usage::default(), at: String::new() }
}

fn asked() -> Update {
    let question = Question { text: "Which port?".to_owned(), choices: vec!["80".to_owned()], answer: None };
    let content = ItemContent::Question(question);
    Update::ItemStarted { item: Item { id: "i1".into(), turn_id: None, at: String::new(), content } }
}

fn approval() -> Update {
    let mut approval = crate::testing::approval("a1", "i1");
    approval.title = "run a command with more than the sandbox gives".to_owned();
    approval.detail = "git push".to_owned();
    Update::ApprovalOpened { approval: Box::new(approval) }
}

#[test]
fn a_notice_has_the_question_and_comes_only_where_it_is_wanted() {
    let said = |wanted, update: &Update, seconds| {
        let note = note("Fix it", update, Duration::from_secs(seconds)).filter(|(least, _)| wanted >= *least);
        note.map(|(_, note)| format!("{} | {}", note.title, note.body))
    };
    let cases = [
        (Notify::Off, asked(), 0, None),
        (Notify::Waiting, asked(), 0, Some("pilotfish waits for you: Fix it | Which port?")),
        (
            Notify::Done,
            approval(),
            0,
            Some("pilotfish waits for you: Fix it | run a command with more than the sandbox gives\ngit push"),
        ),
        (Notify::Waiting, ended(StopReason::Done), 300, None),
        (Notify::Done, ended(StopReason::Done), 29, None),
        (Notify::Done, ended(StopReason::Done), 134, Some("pilotfish is done: Fix it | after 2:14")),
        (Notify::Done, ended(StopReason::Interrupted), 134, None),
        (
            Notify::Done,
            ended(StopReason::Failed),
            60,
            Some("pilotfish failed: Fix it | the transcript says why, after 1:00"),
        ),
        (Notify::Done, Update::TitleChanged { title: String::new() }, 60, None),
    ];
    for (wanted, update, seconds, expected) in cases {
        assert_eq!(said(wanted, &update, seconds).as_deref(), expected, "{update:?}");
    }
}

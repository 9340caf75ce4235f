use super::*;
use expect_test::{Expect, expect};
use pilotfish_protocol::{ApprovalSegment, Rule};
use serde_json::Value;

fn approval(id: &str, rule: bool) -> Approval {
    let argv = vec!["npm".to_owned(), "run".to_owned(), "a b".to_owned()];
    let grants = vec!["host:example.org".to_owned()];
    let (id_of_rule, file, used_at, scope) = (None, None, None, Scope::Workspace);
    let ruled = Rule { id: id_of_rule, scope, argv, prefix: false, grants: grants.clone(), file, hits: 0, used_at };
    Approval {
        title: "let a command reach example.org".to_owned(),
        detail: "npm run 'a b'".to_owned(),
        cwd: "/p".to_owned(),
        reason: "it needs the network".to_owned(),
        grants,
        segments: vec![ApprovalSegment { text: "npm run 'a b'".to_owned(), asks: true }],
        escaped: true,
        rule: rule.then_some(ruled),
        ..crate::testing::approval(id, "i1")
    }
}

fn check(line: &[u8], expected: Expect) {
    let told: Value = serde_json::from_slice(line).unwrap();
    expected.assert_eq(&format!("{told:#}"));
}

#[test]
fn a_question_is_a_request_with_an_option_for_each_answer() {
    let mut permissions = Permissions::default();
    check(
        &permissions.ask(&"s1".into(), &approval("s1.i2", true)),
        expect![[r#"
        {
          "id": 1,
          "jsonrpc": "2.0",
          "method": "session/request_permission",
          "params": {
            "options": [
              {
                "kind": "allow_once",
                "name": "Allow once",
                "optionId": "once"
              },
              {
                "kind": "allow_always",
                "name": "Allow until this session is closed: `npm run 'a b'` gets host:example.org",
                "optionId": "session"
              },
              {
                "kind": "allow_always",
                "name": "Always allow in this workspace, saved in rules.toml: [\"npm\",\"run\",\"a b\"], exactly these words, gets host:example.org",
                "optionId": "always"
              },
              {
                "kind": "reject_once",
                "name": "No",
                "optionId": "no"
              }
            ],
            "sessionId": "s1",
            "toolCall": {
              "content": [
                {
                  "content": {
                    "text": "npm run 'a b'\n\nin /p\nasked because it needs the network\na yes gives host:example.org\nSome characters of it cannot be seen or change what is; they are shown as \\u{..} here.\n",
                    "type": "text"
                  },
                  "type": "content"
                }
              ],
              "title": "let a command reach example.org",
              "toolCallId": "i1"
            }
          }
        }"#]],
    );
    assert!(permissions.ask(&"s1".into(), &approval("s1.i2", true)).is_empty(), "it is asked once");
}

fn answered(result: Option<&str>, rule: bool) -> Option<Decision> {
    let mut permissions = Permissions::default();
    permissions.ask(&"s1".into(), &approval("s1.i2", rule));
    let answered = permissions.answered(Some(&Id::Number(1)), result);
    assert_eq!(permissions.answered(Some(&Id::Number(1)), result), None, "an answer counts once");
    match answered? {
        Chosen::Decision(_, decision) => Some(decision),
        reply @ Chosen::Reply(..) => panic!("{reply:?}"),
    }
}

#[test]
fn what_the_model_asks_is_a_request_with_an_option_for_each_choice() {
    let choices = vec!["80".to_owned(), "8080".to_owned()];
    let question = Question { text: "Which port?\nIt stays.".to_owned(), choices, answer: None };
    let (session, item, call) = (SessionId::from("s1"), ItemId::from("i2"), ItemId::from("i1"));
    let selected = |option: &str| format!(r#"{{"outcome":{{"outcome":"selected","optionId":"{option}"}}}}"#);
    let replied = |result: Option<&str>| {
        let mut permissions = Permissions::default();
        permissions.inquire(&session, (&item, &question), Some(&call));
        let Some(Chosen::Reply(of, at, choice)) = permissions.answered(Some(&Id::Number(1)), result) else {
            panic!("no reply")
        };
        assert_eq!((of, at), (session.clone(), item.clone()));
        choice
    };
    assert_eq!(replied(Some(&selected("1"))), Some(1));
    for nothing in [Some(selected("2")), Some(selected("no")), Some("null".to_owned()), None] {
        assert_eq!(replied(nothing.as_deref()), None, "{nothing:?}");
    }
    let mut permissions = Permissions::default();
    check(
        &permissions.inquire(&session, (&item, &question), Some(&call)),
        expect![[r#"
            {
              "id": 1,
              "jsonrpc": "2.0",
              "method": "session/request_permission",
              "params": {
                "options": [
                  {
                    "kind": "allow_once",
                    "name": "80",
                    "optionId": "0"
                  },
                  {
                    "kind": "allow_once",
                    "name": "8080",
                    "optionId": "1"
                  },
                  {
                    "kind": "reject_once",
                    "name": "No answer",
                    "optionId": "no"
                  }
                ],
                "sessionId": "s1",
                "toolCall": {
                  "content": [
                    {
                      "content": {
                        "text": "Which port?\nIt stays.",
                        "type": "text"
                      },
                      "type": "content"
                    }
                  ],
                  "title": "Which port?",
                  "toolCallId": "i1"
                }
              }
            }"#]],
    );
    assert!(permissions.inquire(&session, (&item, &question), None).is_empty(), "it is asked once");
    assert!(!permissions.silent(&item).is_empty());
    assert!(permissions.silent(&item).is_empty());
}

#[test]
fn an_option_is_an_answer_and_all_else_is_a_no() {
    let selected = |option: &str| format!(r#"{{"outcome":{{"outcome":"selected","optionId":"{option}"}}}}"#);
    assert_eq!(answered(Some(&selected("once")), true), Some(Decision::Once));
    assert_eq!(answered(Some(&selected("session")), true), Some(Decision::Session));
    let rule = approval("s1.i2", true).rule.unwrap();
    assert_eq!(answered(Some(&selected("always")), true), Some(Decision::Always { rule }));
    let noes = [
        (Some(selected("always")), false),
        (Some(selected("no")), true),
        (Some(selected("root")), true),
        (Some(r#"{"outcome":{"outcome":"cancelled"}}"#.to_owned()), true),
        (Some(r#"{"outcome":{"outcome":"cancelled","optionId":"once"}}"#.to_owned()), true),
        (Some("null".to_owned()), true),
        (None, true),
    ];
    for (result, rule) in noes {
        assert_eq!(answered(result.as_deref(), rule), Some(Decision::Deny), "{result:?}");
    }
}

#[test]
fn nobody_else_can_answer_and_what_is_over_is_said() {
    let mut permissions = Permissions::default();
    permissions.ask(&"s1".into(), &approval("s1.i2", true));
    let yes = Some(r#"{"outcome":{"outcome":"selected","optionId":"once"}}"#);
    for id in [None, Some(Id::Number(2)), Some(Id::Text("1".to_owned()))] {
        assert_eq!(permissions.answered(id.as_ref(), yes), None);
    }
    assert_eq!(permissions.sessions(), BTreeSet::from([SessionId::from("s1")]));
    check(
        &permissions.closed(&"s1.i2".into()),
        expect![[r#"
        {
          "jsonrpc": "2.0",
          "method": "$/cancel_request",
          "params": {
            "requestId": 1
          }
        }"#]],
    );
    assert_eq!(permissions.answered(Some(&Id::Number(1)), yes), None);
    assert!(permissions.closed(&"s1.i2".into()).is_empty());
}

use super::*;
use crate::cx::{Input, Work};
use crate::sandbox::Exit;
use expect_test::{Expect, expect};
use futures::FutureExt;

/// A command that says what it reads, and ends with its input or when it is stopped.
fn echo() -> Work {
    Box::new(|command, mut input| {
        async move {
            let stop = command.stopping();
            loop {
                tokio::select! {
                    () = stop.cancelled() => return End::of(Exit::Signal(9)),
                    read = input.recv() => match read {
                        Some(Input::Bytes(bytes)) => command.say(&bytes),
                        Some(Input::End) | None => return End::of(Exit::Code(0)),
                    },
                }
            }
        }
        .boxed()
    })
}

fn launch(commands: &mut Commands, work: Work) -> Result<Background, String> {
    commands.launch(Launch { command: "echo".to_owned(), work }, "s1".into(), String::new())
}

/// What happens next, after how long.
async fn check(commands: &mut Commands, expected: Expect) {
    let start = Instant::now();
    let words = match commands.next().await {
        Happened::Said(event) => format!("{event:?}"),
        Happened::Ended(command, end) => {
            let words = end.words.clone();
            command.end(end);
            format!("{} {words}", command.id())
        }
        Happened::More(more) => {
            more.iter().map(|info| format!("{} said {}", info.id, info.output_bytes)).collect::<Vec<_>>().join(", ")
        }
    };
    expected.assert_eq(&format!("{words} after {} ms", start.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn people_are_told_of_much_talk_now_and_then() {
    let mut commands = Commands::new();
    let one = launch(&mut commands, echo()).unwrap();
    let two = launch(&mut commands, echo()).unwrap();
    tokio::time::advance(EVERY).await;
    one.write(Input::of("hello")).unwrap();
    check(&mut commands, expect!["c1 said 5 after 0 ms"]).await;
    for _ in 0..10 {
        one.write(Input::of("hello")).unwrap();
        two.write(Input::of("you")).unwrap();
    }
    check(&mut commands, expect!["c1 said 55, c2 said 30 after 500 ms"]).await;
    one.write(Input::End).unwrap();
    check(&mut commands, expect!["c1 ended with exit code 0 after 0 ms"]).await;
    assert!(commands.is_running());
}

#[tokio::test(start_paused = true)]
async fn only_so_many_run_and_only_so_many_are_remembered() {
    let mut commands = Commands::new();
    for _ in 0..RUNNING {
        launch(&mut commands, echo()).unwrap();
    }
    let refused = launch(&mut commands, echo()).unwrap_err();
    expect!["8 commands run already; stop one of them first"].assert_eq(&refused);
    commands.stop_all();
    for _ in 0..RUNNING {
        let Happened::Ended(command, end) = commands.next().await else { panic!("they only end") };
        command.end(end);
    }
    assert!(!commands.is_running());
    for _ in 0..3 {
        launch(&mut commands, Box::new(|_, _| async { panic!("as scripted") }.boxed())).unwrap();
    }
    check(&mut commands, expect!["c9 ended: pilotfish failed inside; its log says where after 0 ms"]).await;
    check(&mut commands, expect!["c10 ended: pilotfish failed inside; its log says where after 0 ms"]).await;
    let known: Vec<String> = commands.all().iter().map(|command| command.id().to_string()).collect();
    expect!["c3 c4 c5 c6 c7 c8 c9 c10 c11"].assert_eq(&known.join(" "));
    assert!(commands.get(&"c1".into()).is_none());
}

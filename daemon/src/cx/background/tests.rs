use super::*;
use expect_test::{Expect, expect};
use std::convert::Infallible;

const LONG: (Until, Duration) = (Until::Answer, Duration::from_secs(10));

fn command() -> (Background, mpsc::Receiver<Input>) {
    let news = Arc::default();
    let (command, started_at) = ("npm run dev\n# more".to_owned(), "2026-01-01T00:00:00Z".to_owned());
    Background::new(Birth { id: "c1".into(), session: "s1".into(), command, started_at, news })
}

fn ended(status: i32) -> End {
    End::of(Exit::Code(status))
}

/// What the model sees of a look, and after how long.
async fn check(command: &Background, wait: (Until, Duration), expected: Expect) {
    let start = tokio::time::Instant::now();
    let Ok(Report { piece, end }) = command.look(wait, |_| Ok::<(), Infallible>(())).await;
    let said = String::from_utf8_lossy(&piece.bytes).into_owned();
    let end = end.map(|end| end.words);
    expected.assert_eq(&format!("{said:?} {end:?} after {} ms", start.elapsed().as_millis()));
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_waits_for_words_and_for_quiet_after_them() {
    let (command, _input) = command();
    let speaking = async {
        for word in ["one ", "two ", "three"] {
            pause(200).await;
            command.say(word.as_bytes());
        }
    };
    tokio::join!(check(&command, LONG, expect![[r#""one two three" None after 900 ms"#]]), speaking);
    check(&command, LONG, expect![[r#""" None after 10000 ms"#]]).await;
    command.say(b"four");
    check(&command, LONG, expect![[r#""four" None after 300 ms"#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_is_seen_at_once_by_who_looks_and_told_to_who_does_not() {
    let (command, _input) = self::command();
    let ending = async {
        pause(50).await;
        command.say(b"bye");
        assert_eq!(command.end(ended(1)), None);
    };
    tokio::join!(check(&command, LONG, expect![[r#""bye" Some("ended with exit code 1") after 50 ms"#]]), ending);
    let (command, _input) = self::command();
    let told = command.end(End { lines: vec!["not written: a".to_owned()], ..ended(0) });
    expect!["command c1 (npm run dev …) ended with exit code 0; not written: a"].assert_eq(&told.unwrap());
    check(&command, LONG, expect![[r#""" Some("ended with exit code 0") after 0 ms"#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_dropped_looks_no_more() {
    let (command, _input) = command();
    let dropped = tokio::time::timeout(Duration::from_secs(1), command.look(LONG, |_| Ok::<(), Infallible>(()))).await;
    assert!(dropped.is_err());
    assert!(command.end(ended(0)).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_end_and_says_who_stopped_it() {
    let (command, _input) = self::command();
    command.say(b"listening");
    let stopping = async {
        command.stopping().cancelled().await;
        pause(700).await;
        assert_eq!(command.end(End::of(Exit::Signal(9))), None);
    };
    let look = command.look((Until::End, Duration::from_secs(10)), |command| {
        command.stop(Stopper::Model);
        Ok::<(), Infallible>(())
    });
    let (Ok(report), ()) = tokio::join!(look, stopping);
    assert_eq!(report.end.map(|end| (end.status, end.words)), Some((137, "was stopped".to_owned())));
    let (command, _input) = self::command();
    command.stop(Stopper::Person);
    command.stop(Stopper::Session);
    let told = command.end(End::of(Exit::Signal(9)));
    expect!["command c1 (npm run dev …) was stopped by the person"].assert_eq(&told.unwrap());
}

#[test]
fn input_is_bounded_and_has_an_end() {
    let (command, mut input) = command();
    assert_eq!(Input::of("\u{4}\n"), Input::End);
    assert_eq!(command.write(Input::Bytes(vec![0; INPUT + 1])), Err(InputError::TooLong));
    for _ in 0..INPUTS {
        command.write(Input::of("y\n")).unwrap();
    }
    assert_eq!(command.write(Input::of("y\n")), Err(InputError::Full("c1".into())));
    assert_eq!(input.try_recv(), Ok(Input::Bytes(b"y\n".to_vec())));
    drop(input);
    assert_eq!(command.write(Input::of("y\n")), Err(InputError::Closed("c1".into())));
}

#[test]
fn people_see_how_much_it_said_and_how_it_ended() {
    let (command, _input) = command();
    command.say(b"hello\n");
    let info = command.info();
    assert_eq!((info.command.as_str(), info.output_bytes, info.exit_code), ("npm run dev\n# more", 6, None));
    command.end(ended(3));
    assert_eq!(command.info().exit_code, Some(3));
}

use super::{ASKED, HOSTS, Reach};
use crate::sandbox::proxy::Host;
use futures::future::join_all;
use std::cell::Cell;

/// Asks for `wanted` hosts at once, while each answer takes its time. Returns how many were asked for at most at a time, and the answers:
/// how many were granted, and why the first of the others was not.
async fn ask(wanted: usize, is_free: impl Fn(&Host) -> bool) -> (usize, usize, Option<String>) {
    let mut reach = Reach::new();
    let ask = reach.ask.clone();
    let answers = join_all((0..wanted).map(|number| ask(Host { name: format!("h{number}"), port: 443 })));
    let (now, most) = (Cell::new(0), Cell::new(0));
    let permit = |_| async {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        for _ in 0..4 * wanted {
            tokio::task::yield_now().await;
        }
        now.set(now.get() - 1);
        Ok(())
    };
    let answers = tokio::select! {
        answers = answers => answers,
        () = reach.answer_by(is_free, permit) => Vec::new(),
    };
    let granted = answers.iter().filter(|answer| answer.is_ok()).count();
    (most.get(), granted, answers.into_iter().find_map(Result::err))
}

#[tokio::test]
async fn few_hosts_are_asked_for_at_a_time() {
    assert_eq!(ask(HOSTS, |_| false).await, (ASKED, HOSTS, None));
}

#[tokio::test]
async fn a_command_asks_for_so_many_hosts_and_no_more() {
    let why = "one command may ask for no more than 64 hosts".to_owned();
    assert_eq!(ask(HOSTS + 30, |_| false).await, (ASKED, HOSTS, Some(why)));
}

#[tokio::test]
async fn hosts_that_nobody_is_asked_about_are_not_counted() {
    assert_eq!(ask(HOSTS + 30, |_| true).await, (0, HOSTS + 30, None));
}

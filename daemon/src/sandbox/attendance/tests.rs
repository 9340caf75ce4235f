use super::out_of_time;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const LIMIT: Option<Duration> = Some(Duration::from_secs(10));

/// How long it takes until the time is used up.
async fn check(paused: Option<watch::Receiver<bool>>, seconds: u64) {
    let start = Instant::now();
    out_of_time(LIMIT, paused).await;
    assert_eq!(start.elapsed().as_secs(), seconds);
}

#[tokio::test(start_paused = true)]
async fn the_limit_counts_only_while_nobody_is_asked() {
    check(None, 10).await;
    let (sender, receiver) = watch::channel(false);
    let asking = async {
        for pause in [true, false, true, false] {
            tokio::time::advance(Duration::from_secs(4)).await;
            sender.send_replace(pause);
        }
    };
    // Counted are the first four seconds, those between the pauses, and two after them.
    tokio::join!(check(Some(receiver), 18), asking);
}

#[tokio::test(start_paused = true)]
async fn who_paused_it_and_is_gone_lets_it_go_on() {
    let (sender, receiver) = watch::channel(true);
    let leaving = async {
        tokio::time::advance(Duration::from_secs(7)).await;
        drop(sender);
    };
    tokio::join!(check(Some(receiver), 17), leaving);
}

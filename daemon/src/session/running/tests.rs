use super::*;

#[tokio::test(start_paused = true)]
async fn quiet_is_only_what_lasts() {
    let turns = RunningTurns::default();
    let turn = turns.begin().unwrap();
    let quiet = tokio::spawn({
        let turns = turns.clone();
        async move { turns.none_run_for(Duration::from_secs(10)).await }
    });
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(!quiet.is_finished());
    drop(turn);
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(9)).await;
    let again = turns.begin().unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    drop(again);
    assert!(!quiet.is_finished());
    quiet.await.unwrap();
    assert_eq!(turns.count(), 0);
}

#[tokio::test]
async fn none_starts_after_the_closing() {
    let turns = RunningTurns::default();
    let turn = turns.begin().unwrap();
    turns.close();
    assert!(turns.begin().is_none());
    assert_eq!(turns.count(), 1);
    drop(turn);
    turns.none_run().await;
}

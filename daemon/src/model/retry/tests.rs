//! The table of waits.

use super::delay;
use expect_test::{Expect, expect};
use std::time::Duration;

/// The waits after each failure in a row, in milliseconds.
fn check(retry_after: Option<u64>, jitter: f64, expected: Expect) {
    let retry_after = retry_after.map(Duration::from_millis);
    let waits: Vec<String> = (1..=6)
        .map(|attempt| match delay(attempt, retry_after, jitter) {
            Some(wait) => wait.as_millis().to_string(),
            None => "give up".to_owned(),
        })
        .collect();
    expected.assert_eq(&waits.join(", "));
}

#[test]
fn doubles_and_gives_up() {
    check(None, 0.5, expect!["500, 1000, 2000, 4000, give up, give up"]);
}

#[test]
fn strays_by_a_quarter() {
    check(None, 0.0, expect!["375, 750, 1500, 3000, give up, give up"]);
    check(None, 1.0, expect!["625, 1250, 2500, 5000, give up, give up"]);
    check(None, f64::NAN, expect!["500, 1000, 2000, 4000, give up, give up"]);
}

#[test]
fn honours_what_the_provider_asks() {
    check(Some(1_000), 0.0, expect!["1000, 1000, 1000, 1000, give up, give up"]);
    check(Some(120_000), 0.5, expect!["135000, 135000, 135000, 135000, give up, give up"]);
    check(Some(0), 0.5, expect!["500, 1000, 2000, 4000, give up, give up"]);
}

#[test]
fn gives_up_when_asked_to_wait_too_long() {
    check(Some(120_001), 0.5, expect!["give up, give up, give up, give up, give up, give up"]);
}
